//! Stopping: not ready at once, nobody's request lost, exit 0.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use levee_origin::{App, Server, Settings};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::shop::{database_in, seeded_folder, settings};
use crate::wire::{ask, send};

#[tokio::test(flavor = "multi_thread")]
async fn draining_says_so_and_finishes_what_is_in_flight() {
    let folder = seeded_folder().await;
    let settings = Settings {
        data_delay: Duration::from_secs(2),
        drain_delay: Duration::from_secs(1),
        ..settings(&folder)
    };
    let app = App::open(&settings).await.expect("the shop opens");
    let server = Server::bind(&settings).await.expect("a free port");
    let address = server.address();
    let readiness = app.readiness();
    let (stop, stopped) = oneshot::channel::<()>();
    let opening = std::future::ready(Ok(app));
    let running = tokio::spawn(server.run_until(opening, |_| {}, async {
        let _ = stopped.await;
    }));
    assert!(ask(address, "/readyz").await.starts_with("HTTP/1.1 200"));

    let mut slow = send(address, "/data/slow").await;
    // Connections are accepted in order, so the slow one is in when this one is answered.
    assert!(ask(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    stop.send(()).expect("the server runs");
    while !readiness.is_draining() {
        tokio::task::yield_now().await;
    }
    let answer = ask(address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("retry-after: 1") && answer.contains("cache-control: no-store"), "{answer}");
    let mut answer = String::new();
    slow.read_to_string(&mut answer).await.expect("it answers");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    running.await.expect("no panic").expect("it stops cleanly");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let folder = seeded_folder().await;
    let taken = Server::bind(&settings(&folder)).await.expect("a free port");
    let mut again = settings(&folder);
    again.listen = Some(taken.address());
    let error = Server::bind(&again).await.expect_err("the port is taken").to_string();
    assert!(error.contains(&taken.address().to_string()) && error.contains("--listen"), "{error}");
}

#[cfg(unix)]
#[tokio::test]
async fn the_program_says_where_it_listens_and_exits_0_on_sigterm() {
    let folder = seeded_folder().await;
    let mut program = Command::new(env!("CARGO_BIN_EXE_levee-origin"))
        .args(["--listen", "127.0.0.1:0", "--log-format", "json", "--drain-delay", "0", "--database"])
        .arg(database_in(&folder))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut line = String::new();
    BufReader::new(program.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    let address = line.trim().strip_prefix("levee-origin listening on http://").expect("the agreed line");
    let answer = ask(address.parse().expect("an address"), "/healthz").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let pid = program.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs").success());
    let output = program.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    let log = String::from_utf8_lossy(&output.stderr);
    let request = log.lines().find(|line| line.contains("/healthz")).expect("a line for the request");
    let request: serde_json::Value = serde_json::from_str(request).expect("JSON");
    assert_eq!((&request["method"], &request["status"]), (&"GET".into(), &200.into()));
}
