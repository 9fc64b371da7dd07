//! Clients and origins that stall: each wait ends, and what it held is let go.

use super::{cacheable, edge};
use crate::raw::{Raw, exchange, get};
use crate::scripted::{Scripted, Then};

const IDLE: &str = r#"BODY_IDLE = "3000""#;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stalls_is_a_408_and_the_origin_is_not_at_fault() {
    let origin = Scripted::start(|head| {
        if head.starts_with("post") {
            Then::stall("")
        } else {
            Then::send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
    })
    .await;
    let edge = edge(&origin, IDLE);
    for framing in ["Content-Length: 10", "Transfer-Encoding: chunked"] {
        let head = format!("POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}\r\n\r\n");
        let got = exchange(edge.url(), &head).await;
        assert_eq!(got.status, 408, "{framing}: {got:?}");
        assert!(origin.seen().is_empty(), "there is nothing to send: {:?}", origin.seen());
    }
    for (part, framing) in [("abc", "Content-Length: 10"), ("3\r\nabc\r\n", "Transfer-Encoding: chunked")] {
        let head = format!("POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{framing}\r\n\r\n");
        let got = exchange(edge.url(), format!("{head}{part}")).await;
        assert_eq!(got.status, 408, "{framing}: {got:?}");
        origin.end().await;
    }
    let seen = origin.seen();
    assert!(seen.len() == 2 && seen.iter().all(|seen| !seen.contains("\r\n0\r\n")), "{seen:?}");
    assert_eq!(get(edge.url(), "/next").await.status, 200, "the origin is well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_trickles_is_a_408() {
    let origin = Scripted::start(|_| Then::stall("")).await;
    let edge = edge(&origin, r#"BODY_IDLE = "3000", BODY_RATE = "1000""#);
    let mut raw = Raw::connect(edge.url()).await;
    raw.send("POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n")
        .await;
    let trickle = async {
        loop {
            raw.send("x").await;
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        () = trickle => unreachable!(),
        () = origin.end() => {}
    }
    assert_eq!(raw.rest().await.status, 408);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_stalls_in_a_body_ends_the_exchange() {
    let origin = Scripted::start(|head| {
        Then::stall(&if head.contains("/stored") {
            cacheable("Content-Length: 10\r\n", "hello")
        } else if head.contains("/chunked") {
            cacheable("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n")
        } else {
            "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 10\r\n\r\nhello".to_owned()
        })
    })
    .await;
    let edge = edge(&origin, IDLE);
    for path in ["/stored", "/chunked", "/passed"] {
        let got = get(edge.url(), path).await;
        assert!(!got.is_whole || got.status >= 500, "{path}: {got:?}");
        origin.end().await;
    }
    let again = origin.seen().len();
    get(edge.url(), "/stored").await;
    assert_eq!(origin.seen().len(), again + 1, "nothing was stored");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_trickles_is_given_up_while_others_may_wait_for_it() {
    let origin = Scripted::start(|head| {
        let length = "Content-Length: 1000000\r\n";
        let head = if head.contains("/stored") {
            cacheable(length, "")
        } else {
            format!("HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n{length}\r\n")
        };
        Then::Trickle(head.into_bytes(), 100)
    })
    .await;
    let edge = edge(&origin, r#"BODY_IDLE = "3000", BODY_RATE = "1000""#);
    // This one waits for it alone, and may be as slow as it likes.
    let mut alone = Raw::connect(edge.url()).await;
    alone.send("GET /passed HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(alone.head().await.contains("200"));
    let got = get(edge.url(), "/stored").await;
    assert!(!got.is_whole || got.status >= 500, "{got:?}");
    assert!(!alone.is_closed().await, "it still comes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_lets_the_origin_go() {
    let origin = Scripted::start(|head| {
        let head = if head.contains("/stored") {
            cacheable("Content-Length: 1000000000\r\n", "")
        } else if head.contains("/endless") {
            "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\n\r\n".to_owned()
        } else {
            "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 1000000000\r\n\r\n".to_owned()
        };
        Then::Flood(head.into_bytes())
    })
    .await;
    let edge = edge(&origin, IDLE);
    for path in ["/stored", "/passed", "/endless"] {
        let mut raw = Raw::connect(edge.url()).await;
        raw.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        assert!(raw.head().await.contains("200"));
        // It does not end otherwise, and the client is still there.
        origin.end().await;
        drop(raw);
    }
    assert_eq!(get(edge.url(), "/handler/status/404").await.status, 404, "the instance serves on");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_origin_that_reads_no_upload_is_given_up() {
    let origin =
        Scripted::start(|head| if head.starts_with("post") { Then::Deaf } else { Then::stall("") }).await;
    let edge = edge(&origin, IDLE);
    let size = 64 << 20;
    let mut raw = Raw::connect(edge.url()).await;
    raw.send(format!(
        "POST /upload HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {size}\r\n\r\n"
    ))
    .await;
    let got = raw.send_and_rest(size).await;
    assert_eq!(got.status, 504, "{got:?}");
}
