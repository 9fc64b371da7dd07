//! What Spin does with requests before a component sees them, and what it bounds. Each was seen on Spin 4.1.

use levee_harness::ComponentHost;

use crate::guest::probe;
use crate::origin::Origin;
use crate::raw::{Raw, exchange};

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_or_bad_host_is_closed_without_an_answer() {
    let host = probe("", |host| host);
    for head in [
        "GET /fields HTTP/1.1\r\n",
        "GET /fields HTTP/1.0\r\n",
        "GET /fields HTTP/1.1\r\nHost: a b\r\n",
        "GET /fields HTTP/1.1\r\nHost: caf\u{e9}.example\r\n",
        "GET /fields HTTP/1.1\r\nHost: other.spin.internal\r\n",
        "GET http://a.example/fields HTTP/1.1\r\nHost: b.example\r\n",
    ] {
        let got = exchange(host.url(), format!("{head}\r\n")).await;
        assert_eq!((got.status, got.head.as_str()), (0, ""), "{head}");
    }
    let got =
        exchange(host.url(), "GET /.well-known/spin/health HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert_eq!((got.status, got.body.as_str()), (200, "OK"), "that is Spin's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn connection_is_stripped_and_what_it_names_is_not() {
    let host = probe("", |host| host);
    let request = "GET /fields HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade, X-Named\r\nUpgrade: websocket\r\nX-Named: 1\r\n\r\n";
    let got = exchange(host.url(), request).await;
    assert_eq!(got.status, 200, "{got:?}");
    assert!(!got.body.contains("connection:"), "{}", got.body);
    assert!(got.body.contains("upgrade: websocket") && got.body.contains("x-named: 1"), "{}", got.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_is_answered_and_closed() {
    let host = probe("", |host| host);
    let got = exchange(host.url(), "GET /fields HTTP/1.0\r\nHost: a\r\n\r\n").await;
    assert!(got.status == 200 && got.head.starts_with("http/1.0 200"), "{got:?}");
    assert_eq!(got.field("transfer-encoding"), None, "{got:?}");
    let coded = "POST /fields HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    assert_eq!(exchange(host.url(), coded).await.status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_a_coding_reaches_the_component() {
    let host = probe("", |host| host);
    let rest = "Connection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    let (length, coding) = ("Content-Length: 3\r\n", "Transfer-Encoding: chunked\r\n");
    let head = "POST /fields HTTP/1.1\r\nHost: a\r\n";
    let first = exchange(host.url(), format!("{head}{length}{coding}{rest}")).await;
    assert!(first.body.contains("content-length: 3"), "{}", first.body);
    assert!(first.body.contains("transfer-encoding: chunked"), "{}", first.body);
    let last = exchange(host.url(), format!("{head}{coding}{length}{rest}")).await;
    assert!(!last.body.contains("content-length"), "{}", last.body);
}

/// So many requests at once, each held in an instance of its own; how many were answered 200, and what the host wrote.
async fn held(count: usize, limit: Option<(&'static str, &'static str)>) -> (usize, String) {
    let mut origin = Origin::start().await;
    let allowed = format!(r#"allowed_outbound_hosts = ["http://{}"]"#, origin.address);
    let alone = |host: ComponentHost| {
        host.with(|spec| {
            let spec = spec.args(["--max-instance-concurrent-reuse-count", "1"]);
            match limit {
                Some((name, value)) => spec.env(name, value),
                None => spec,
            }
        })
    };
    let host = probe(&allowed, alone);
    let path = format!("/hold?url={}", origin.url("/arrived"));
    let mut held = Vec::new();
    for _ in 0..count {
        let mut raw = Raw::connect(host.url()).await;
        raw.send(format!(
            "POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
        ))
        .await;
        held.push(raw);
    }
    // Each either reaches the origin, and waits for its body, or is answered at once.
    let mut answered = 0;
    let reached = limit.map_or(count, |(_, value)| value.parse().expect("a number"));
    for _ in 0..reached {
        origin.seen().await;
    }
    for mut raw in held {
        raw.send("0\r\n\r\n").await;
        answered += usize::from(raw.rest().await.status == 200);
    }
    (answered, host.log().lines().join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_need_more_fibers_than_there_are_trap() {
    let (answered, log) = held(6, Some(("SPIN_WASMTIME_TOTAL_STACKS", "3"))).await;
    assert_eq!(answered, 3, "{log}");
    assert!(log.contains("maximum concurrent limit of 3 for fibers reached"), "{log}");
    let (answered, log) = held(6, None).await;
    assert_eq!(answered, 6, "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_no_more_instances_than_there_may_be() {
    let (answered, log) = held(6, Some(("SPIN_WASMTIME_INSTANCE_COUNT", "3"))).await;
    assert_eq!(answered, 3, "{log}");
    assert!(log.contains("maximum concurrent limit of 3 for component instances reached"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_no_number_stops_the_start() {
    let folder = crate::guest::manifest("levee-guest-hello", "");
    let host = ComponentHost::new(crate::guest::HOST, folder.path().join("spin.toml")).variable("token", "s");
    let error =
        host.with(|spec| spec.env("SPIN_WASMTIME_TOTAL_STACKS", "many")).start().expect_err("no start");
    assert!(error.to_string().contains("SPIN_WASMTIME_TOTAL_STACKS"), "{error}");
}
