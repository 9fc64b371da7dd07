//! What happens to processes: those that start, die, are late, have children, or lose the program that started them.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use levee_harness::{Error, Group, Process, Ready, Spec, ensure_free, free_port};

fn shell(script: &str) -> Spec {
    Spec::new("sample", "/bin/sh").args(["-c", script]).within(Duration::from_secs(20))
}

fn listening() -> Ready {
    Ready::Line { before: String::from("sample listening on ") }
}

/// Whether the process exists and is more than a zombie.
fn alive(pid: &str) -> bool {
    let state = Command::new("ps").args(["-o", "stat=", "-p", pid]).output().expect("ps");
    let state = String::from_utf8_lossy(&state.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

/// Polls, because an end is seen in the process table a little later; the bound is only against hanging.
fn eventually(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < deadline, "never came true: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn ready_line_gives_the_address_and_stop_ends_it() {
    let script = "echo starting >&2; echo sample listening on http://127.0.0.1:4711/; exec sleep 600";
    let process = Process::start(shell(script), &listening()).expect("ready");
    assert_eq!(process.url(), "http://127.0.0.1:4711");
    assert_eq!(process.port(), 4711);
    assert!(process.is_running());
    let pid = process.pid().to_string();
    assert!(alive(&pid));
    let status = process.stop().expect("a status");
    assert!(!status.success(), "it was ended by a signal: {status}");
    assert!(!alive(&pid));
}

#[test]
fn one_that_dies_is_reported_with_its_last_words() {
    let error = Process::start(shell("echo cannot open the database >&2; exit 3"), &listening()).unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::Died { .. }), "{message}");
    assert!(message.contains("sample ended before it was ready"), "{message}");
    assert!(message.contains("exit status: 3") && message.contains("cannot open the database"), "{message}");
}

#[test]
fn one_that_says_ready_and_dies_is_not_ready() {
    // The end is seen before or after the line is read; either way no dead process may be handed out as running.
    let started = Process::start(shell("echo sample listening on http://127.0.0.1:1; exit 4"), &listening());
    if let Ok(process) = started {
        eventually("the process is seen to have ended", || !process.is_running());
    }
}

#[test]
fn one_that_is_late_is_stopped() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pid");
    let script = format!("echo $$ > {}; echo thinking; exec sleep 600", file.display());
    let late = Process::start(shell(&script).within(Duration::from_secs(1)), &listening());
    let message = late.unwrap_err().to_string();
    assert!(message.contains("not ready within 1s") && message.contains("thinking"), "{message}");
    assert!(message.contains("sample listening on"), "says what it waited for: {message}");
    let pid = fs::read_to_string(&file).expect("the script ran");
    assert!(!alive(pid.trim()));
}

#[test]
fn children_deaf_to_sigterm_are_killed_too() {
    let script = "sh -c 'trap \"\" TERM; echo child $$; while :; do sleep 1; done' & \
                  sleep 1; echo sample listening on http://127.0.0.1:1; wait";
    let process = Process::start(shell(script), &listening()).expect("ready");
    let child = process
        .log()
        .wait_for(0, Duration::from_secs(20), |line| line.strip_prefix("child ").map(str::to_owned))
        .expect("the child's process id");
    assert!(alive(&child));
    process.kill();
    eventually("the child has ended", || !alive(&child));
}

#[test]
fn dropping_stops() {
    let script = "sleep 600 & echo child $!; echo sample listening on http://127.0.0.1:1; wait";
    let process = Process::start(shell(script), &listening()).expect("ready");
    let child = process
        .log()
        .wait_for(0, Duration::from_secs(20), |line| line.strip_prefix("child ").map(str::to_owned))
        .expect("the child's process id");
    let leader = process.pid().to_string();
    drop(process);
    assert!(!alive(&leader));
    eventually("the child has ended", || !alive(&child));
}

#[test]
fn a_missing_program_is_named() {
    let error = Process::start(Spec::new("ghost", "/nowhere/ghost"), &listening()).unwrap_err();
    let message = error.to_string();
    assert!(message.contains("ghost could not be started: /nowhere/ghost"), "{message}");
}

#[test]
fn a_port_in_use_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let message = ensure_free(port).unwrap_err().to_string();
    assert!(message.contains(&format!("port {port} on 127.0.0.1 is in use")), "{message}");
    drop(listener);
    ensure_free(free_port().expect("a free port")).expect("it is free");
}

#[test]
fn everything_is_in_the_log_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("logs/sample.log");
    let script = "echo one; echo two >&2; echo sample listening on http://127.0.0.1:1; exec sleep 600";
    let process = Process::start(shell(script).log_file(&file), &listening()).expect("ready");
    process
        .log()
        .wait_for(0, Duration::from_secs(20), |line| (line == "two").then_some(()))
        .expect("stderr too");
    process.stop();
    let text = fs::read_to_string(&file).expect("the file");
    assert!(text.contains("one\n") && text.contains("two\n"), "{text}");
}

#[test]
fn waiting_for_http() {
    let port = free_port().expect("a port");
    let url = format!("http://127.0.0.1:{port}/");
    let listener = std::net::TcpListener::bind(("127.0.0.1", port)).expect("bound");
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut head = BufReader::new(&stream).lines().map_while(Result::ok);
        assert!(head.any(|line| line.is_empty()), "a whole head");
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            .expect("sent");
    });
    let process = Process::start(shell("exec sleep 600"), &Ready::Http { url }).expect("any status will do");
    assert_eq!(process.port(), port);
    server.join().expect("served");
}

/// Runs itself as a program that starts a group and is then killed outright: the guard must end the group.
#[test]
fn nothing_is_left_when_the_starter_is_killed() {
    const ROLE: &str = "LEVEE_HARNESS_TEST_STARTER";
    if std::env::var_os(ROLE).is_some() {
        let group = Group::spawn(Command::new("sleep").arg("600").stdout(Stdio::null())).expect("started");
        println!("\ngroup {}", group.pid());
        thread::sleep(Duration::from_secs(600));
        return;
    }
    let mut starter = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "nothing_is_left_when_the_starter_is_killed", "--nocapture"])
        .env(ROLE, "1")
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let output = std::io::BufReader::new(starter.stdout.take().expect("stdout"));
    let group = std::io::BufRead::lines(output)
        .find_map(|line| line.expect("text").strip_prefix("group ").map(str::to_owned))
        .expect("its process id");
    assert!(alive(&group));
    starter.kill().expect("killed");
    starter.wait().expect("reaped");
    eventually("the group has ended", || !alive(&group));
}
