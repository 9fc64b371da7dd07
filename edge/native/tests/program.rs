//! The program: what it says, how it ends.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_levee-native"));
    // What the machine is set to must not decide.
    for name in [
        "LEVEE_CONFIG",
        "LEVEE_SECRET",
        "LEVEE_STATUS_TOKEN",
        "PORT",
        "RUST_LOG",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
    ] {
        command.env_remove(name);
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// One that runs, and is killed if a test fails.
struct Running {
    child: Child,
    address: String,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let Some(address) = line.trim().strip_prefix("levee-native listening on http://") else {
            let mut log = String::new();
            child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
            panic!("{line:?}, {log}");
        };
        Self { child, address: address.to_owned() }
    }

    fn get(&self, path: &str) -> String {
        self.get_with(path, "")
    }

    /// `lines`: further field lines, each with its end.
    fn get_with(&self, path: &str, lines: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// How it ended, and its log.
    fn stop(mut self, signal: Signal) -> (ExitStatus, String) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let status = self.child.wait().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        (status, log)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const LISTEN: [&str; 2] = ["--listen", "127.0.0.1:0"];

#[test]
fn starts_serves_and_ends_on_a_signal() {
    for signal in [Signal::TERM, Signal::INT] {
        let mut command = program(&LISTEN);
        command.args(["--origin", "http://127.0.0.1:1"]).env("RUST_LOG", "info,levee_native::request=debug");
        let running = Running::start(command);
        assert!(running.get("/some/where").starts_with("HTTP/1.1 502"));
        assert!(running.get("/.levee/").starts_with("HTTP/1.1 200"));
        let (status, log) = running.stop(signal);
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("/some/where") && log.contains("status=502"), "{log}");
    }
}

#[test]
fn the_status_page_needs_a_token_where_others_come() {
    let mut command = program(&["--listen", "0.0.0.0:0", "--origin", "http://127.0.0.1:1"]);
    let running = Running::start(command);
    assert!(!running.get("/.levee/").starts_with("HTTP/1.1 200"));
    assert!(running.address.starts_with("127.0.0.1:"));
    command = program(&LISTEN);
    command.args(["--origin", "http://127.0.0.1:1"]).env("LEVEE_STATUS_TOKEN", "secret");
    assert!(!Running::start(command).get("/.levee/").starts_with("HTTP/1.1 200"));
}

/// An origin whose responses may be kept.
fn kept() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                line.clear();
            }
            let _ = stream.write_all(
                b"HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok",
            );
        }
    });
    origin
}

#[test]
fn says_what_it_does_with_fields_and_warns_of_what_is_not_believed() {
    let mut command = program(&LISTEN);
    command.args(["--origin", &kept()]);
    let running = Running::start(command);
    // The first is a miss, and the last ones go the short way; one more says nothing of another client.
    for _ in 0..5 {
        assert!(running.get_with("/", "X-Forwarded-For: 203.0.113.9\r\n").ends_with("ok"));
    }
    running.get("/");
    let status = running.get("/.levee/");
    assert!(status.contains("\"forwarding_not_trusted\":5"), "{status}");
    assert!(
        status.contains("\"warnings\":[\"5 requests came with fields such as X-Forwarded-For"),
        "{status}"
    );
    let page = running.get_with("/.levee/", "Accept: text/html\r\n");
    assert!(page.contains("<strong>Warning:</strong> 5 requests"), "{page}");
    let (_, log) = running.stop(Signal::TERM);
    assert_eq!(log.matches("no trusted proxy").count(), 1, "{log}");
    assert!(log.contains("x-forwarded-for") && log.contains("--trusted-proxy 127.0.0.1"), "{log}");
    for line in ["Host: ", "Fields: "] {
        assert_eq!(log.lines().filter(|logged| logged.contains(line)).count(), 1, "{line}: {log}");
    }
}

#[test]
fn a_trusted_proxy_is_believed_without_a_word() {
    let mut command = program(&LISTEN);
    command.args(["--origin", &kept(), "--trusted-proxy", "127.0.0.0/8"]);
    let running = Running::start(command);
    running.get_with("/", "X-Forwarded-For: 203.0.113.9\r\n");
    let status = running.get("/.levee/");
    assert!(
        status.contains("\"forwarding_not_trusted\":0") && status.contains("\"warnings\":[]"),
        "{status}"
    );
    let (_, log) = running.stop(Signal::TERM);
    assert!(!log.contains("no trusted proxy"), "{log}");
}

#[test]
fn what_it_cannot_do_it_says_in_a_sentence() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let dir = TempDir::new().unwrap();
    let text = dir.path().join("text");
    std::fs::write(&text, "this is no database, and no configuration, but it is long enough for either")
        .unwrap();
    let text = text.to_str().unwrap();
    let origin = ["--origin", "http://127.0.0.1:1"];
    for (arguments, said) in [
        ([&origin[..], &["--listen", &taken]].concat(), "in use"),
        ([&origin[..], &LISTEN, &["--store", text]].concat(), text),
        ([&LISTEN[..], &["--config", text]].concat(), text),
        ([&LISTEN[..], &["--config", "no/such/levee.toml"]].concat(), "no/such/levee.toml"),
        ([&LISTEN[..], &["--origin", "nonsense"]].concat(), "nonsense"),
        (LISTEN.to_vec(), "--origin"),
    ] {
        let output = program(&arguments).current_dir(dir.path()).output().unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {log}");
        assert!(log.contains(said), "{arguments:?}: {log}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn reads_levee_toml_where_it_is_started() {
    let dir = TempDir::new().unwrap();
    std::fs::write(
        dir.path().join("levee.toml"),
        "version = 1\nhosts = [\"a.example\"]\n[origins.shop]\nurl = \"http://127.0.0.1:1\"\n",
    )
    .unwrap();
    let mut command = program(&LISTEN);
    command.current_dir(dir.path());
    assert!(Running::start(command).get("/").starts_with("HTTP/1.1 421"));
    let mut command = program(&LISTEN);
    command.current_dir(dir.path()).args(["--host", "localhost"]);
    assert!(Running::start(command).get("/").starts_with("HTTP/1.1 502"));
}

/// An origin that speaks TLS with a certificate of an authority that only `SSL_CERT_FILE` names.
#[test]
fn an_origin_behind_tls() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let dir = TempDir::new().unwrap();
    let authority = dir.path().join("authority.pem");
    std::fs::write(&authority, certified.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("localhost:0").unwrap();
    let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = rustls::ServerConnection::new(config.clone()).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut line = String::new();
            // A client that does not trust the certificate hangs up here.
            if BufReader::new(&mut stream).read_line(&mut line).is_ok() {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nsecret").unwrap();
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    let mut command = program(&LISTEN);
    command.args(["--origin", &origin]).env("SSL_CERT_FILE", &authority);
    let answer = Running::start(command).get("/");
    assert!(answer.ends_with("secret"), "{answer}");
    let mut command = program(&LISTEN);
    command.args(["--origin", &origin]);
    let answer = Running::start(command).get("/");
    assert!(answer.starts_with("HTTP/1.1 502") && answer.contains("invalid peer certificate"), "{answer}");
}
