//! When instances are made, shared and dropped, and what a panic costs.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use http::StatusCode;
use levee_harness::{ComponentHost, Process};

use crate::client::{Client, PATIENCE, next};
use crate::guest::{probe, start};
use crate::origin::Origin;

fn with_options(options: &'static [&'static str]) -> impl FnOnce(ComponentHost) -> ComponentHost {
    move |host| host.with(|spec| spec.args(options))
}

/// Which instance answered, and how many requests it had taken then.
async fn instance(client: &Client) -> (String, u32) {
    let text = client.text("/instance").await;
    let (id, count) = text.split_once(' ').expect("two numbers");
    (id.to_owned(), count.parse().expect("a count"))
}

#[tokio::test(flavor = "multi_thread")]
async fn hello() {
    let host = start("levee-guest-hello", "", |host| host);
    let answer = Client::new(host.url()).get("/").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "hello\n"));
    assert_eq!(answer.headers["content-type"], "text/plain");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_is_used_again_as_often_as_allowed() {
    let options = &["--max-instance-reuse-count", "3", "--idle-instance-timeout", "1h"];
    let host = probe("", with_options(options));
    let client = Client::new(host.url());
    let mut taken: HashMap<String, Vec<u32>> = HashMap::new();
    for _ in 0..12 {
        let (id, count) = instance(&client).await;
        taken.entry(id).or_default().push(count);
    }
    for counts in taken.values() {
        let each: Vec<_> = (1..=3).take(counts.len()).collect();
        assert_eq!(*counts, each, "{taken:?}");
    }
    assert!(taken.values().any(|counts| counts.len() == 3), "none was used again: {taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_instance_takes_as_many_at_a_time_as_allowed() {
    let mut origin = Origin::start().await;
    let allowed = format!(r#"allowed_outbound_hosts = ["http://{}"]"#, origin.address);
    let host = probe(&allowed, with_options(&["--max-instance-concurrent-reuse-count", "2"]));
    let client = Client::new(host.url());
    let path = format!("/hold?url={}", origin.url("/arrived"));
    let mut held = Vec::new();
    for _ in 0..5 {
        let (body, open) = Client::open_body();
        let request = client.request(&path).method("POST").body(open).expect("a request");
        let client = client.clone();
        let answer = tokio::spawn(async move {
            let mut answer = client.begin(request).await;
            next(answer.body_mut()).await.expect("an instance")
        });
        held.push((body, answer));
        // It is being handled, and stays so: its body has not ended.
        origin.seen().await;
    }
    let mut taken: HashMap<String, u32> = HashMap::new();
    for (body, answer) in held {
        drop(body);
        *taken.entry(answer.await.expect("an answer")).or_default() += 1;
    }
    assert!(taken.values().all(|count| *count <= 2) && taken.len() >= 3, "{taken:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_instance_is_dropped() {
    let host = probe("", with_options(&["--idle-instance-timeout", "50ms"]));
    let client = Client::new(host.url());
    let (first, _) = instance(&client).await;
    let begun = Instant::now();
    let mut pause = Duration::from_millis(50);
    loop {
        tokio::time::sleep(pause).await;
        if instance(&client).await.0 != first {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "the first instance is still there");
        pause *= 2;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_ends_the_instance_and_the_next_request_works() {
    let host = probe("", with_options(&["--idle-instance-timeout", "1h"]));
    let client = Client::new(host.url());
    for _ in 0..20 {
        let (before, _) = instance(&client).await;
        let answer = client.get("/panic").await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        let (after, _) = instance(&client).await;
        assert_ne!(before, after, "an instance that panicked answered again");
    }
    let log = host.log().lines().join("\n");
    assert!(log.contains("as the test asked"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_wakes_another() {
    let host = probe("", with_options(&["--idle-instance-timeout", "1h"]));
    let client = Client::new(host.url());
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.text("/wait").await }
    });
    let begun = Instant::now();
    // There may be another instance by now, which answers some of these.
    while client.text("/wake").await != "woke one" {
        assert!(begun.elapsed() < PATIENCE, "the request that waits is not met");
    }
    assert_eq!(waiting.await.expect("an answer"), "woken");
    let ended = host.log().lines().iter().any(|line| line.contains("an instance ended"));
    assert!(!ended, "{}", host.log().tail(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_stream_in_lock_step() {
    let host = probe("", |host| host);
    let client = Client::new(host.url());
    let (mut body, open) = Client::open_body();
    let request = client.request("/echo").method("POST").body(open).expect("a request");
    body.send_data("0".into()).await.expect("sent");
    let mut answer = client.begin(request).await;
    assert_eq!(next(answer.body_mut()).await.as_deref(), Some("0"));
    for turn in 1..20 {
        // Each part is sent only when the one before has come back.
        let part = turn.to_string();
        body.send_data(part.clone().into()).await.expect("sent");
        assert_eq!(next(answer.body_mut()).await, Some(part));
    }
    drop(body);
    assert_eq!(next(answer.body_mut()).await, None);
}

/// Stops a host on a thread of its own; SIGTERM is on its way when this returns a handle.
fn stopping(host: Process) -> tokio::task::JoinHandle<Option<std::process::ExitStatus>> {
    tokio::task::spawn_blocking(move || host.stop())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_under_way_is_finished_when_the_host_stops() {
    let host = probe("", |host| host);
    let client = Client::new(host.url());
    let (mut body, open) = Client::open_body();
    let request = client.request("/echo").method("POST").body(open).expect("a request");
    body.send_data("before".into()).await.expect("sent");
    let mut answer = client.begin(request).await;
    assert_eq!(next(answer.body_mut()).await.as_deref(), Some("before"));
    let address = host.url().trim_start_matches("http://").to_owned();
    let stopping = stopping(host);
    // It has heard the signal when it no longer listens.
    let begun = Instant::now();
    while tokio::net::TcpStream::connect(&address).await.is_ok() {
        assert!(begun.elapsed() < PATIENCE, "it still listens");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    body.send_data("after".into()).await.expect("sent");
    assert_eq!(next(answer.body_mut()).await.as_deref(), Some("after"));
    drop(body);
    assert_eq!(next(answer.body_mut()).await, None);
    assert!(stopping.await.expect("stopped").is_some_and(|status| status.success()));
}

#[tokio::test(flavor = "multi_thread")]
async fn work_after_the_response_is_finished_when_the_host_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kv.sqlite");
    let store = r#"key_value_stores = ["default"]"#;
    let host =
        probe(store, |host| host.sqlite(&file).with(|spec| spec.args(["--idle-instance-timeout", "1h"])));
    assert_eq!(Client::new(host.url()).text("/later?key=k").await, "answered");
    assert!(stopping(host).await.expect("stopped").is_some_and(|status| status.success()));
    let host = probe(store, |host| host.sqlite(&file));
    assert_eq!(Client::new(host.url()).text("/key-value?do=get&key=k").await, "later");
}
