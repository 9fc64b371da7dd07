//! Response heads that the runtime carries, and those that it does not.

use super::{cacheable, edge};
use crate::raw::{exchange, get};
use crate::scripted::{Scripted, Then};

#[tokio::test(flavor = "multi_thread")]
async fn a_status_is_carried_or_named() {
    let origin = Scripted::start(|head| {
        let status = head.split(['/', ' ']).nth(2).unwrap_or_default();
        Then::send(&format!("HTTP/1.1 {status} Odd\r\nContent-Length: 2\r\n\r\nok"))
    })
    .await;
    let edge = edge(&origin, "");
    for status in [200, 299, 418, 451, 499, 500, 599] {
        let got = get(edge.url(), &format!("/{status}")).await;
        assert_eq!((got.status, got.body.as_str()), (status, "ok"), "{got:?}");
    }
    for status in [101, 600, 700, 999] {
        let got = get(edge.url(), &format!("/{status}")).await;
        assert_eq!(got.status, 502, "{got:?}");
        assert!(got.body.contains(&status.to_string()), "{got:?}");
    }
    for status in [600, 999] {
        let got = get(edge.url(), &format!("/handler/status/{status}")).await;
        assert_eq!(got.status, 502, "{got:?}");
        assert!(got.body.contains(&status.to_string()), "{got:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_the_runtime_does_not_carry_are_a_502_that_says_so() {
    let origin = Scripted::start(|_| Then::send("HTTP/1.1 200 OK\r\n\r\n")).await;
    let edge = edge(&origin, "");
    let got = get(edge.url(), "/handler/large-field").await;
    assert_eq!(got.status, 502, "{got:?}");
    assert!(got.body.contains("larger than the runtime allows"), "{got:?}");
}

/// Spin's HTTP client parses an origin's head with hyper's defaults, and a component cannot change them.
#[tokio::test(flavor = "multi_thread")]
async fn what_spins_http_client_refuses_is_named() {
    let fields: String = (0..150).map(|index| format!("X-{index}: 1\r\n")).collect();
    let origin = Scripted::start(move |head| {
        Then::send(&if head.contains("/space") {
            "HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 2\r\n\r\nok".to_owned()
        } else if head.contains("/fold") {
            "HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok".to_owned()
        } else if head.contains("/lengths") {
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok".to_owned()
        } else if head.contains("/many") {
            format!("HTTP/1.1 200 OK\r\n{fields}Content-Length: 2\r\n\r\nok")
        } else {
            "HTTP/1.1 200 OK\r\nX-Bytes: caf\u{e9}\r\nContent-Length: 2, 2\r\n\r\nok".to_owned()
        })
    })
    .await;
    let edge = edge(&origin, "");
    for path in ["/space", "/fold", "/lengths", "/many"] {
        let got = get(edge.url(), path).await;
        assert_eq!(got.status, 502, "{path}: {got:?}");
        assert!(got.body.contains("does not speak HTTP"), "{path}: {got:?}");
    }
    let got = get(edge.url(), "/bytes").await;
    assert_eq!((got.status, got.body.as_str(), got.is_whole), (200, "ok", true), "{got:?}");
    assert!(got.head.contains("x-bytes: caf\u{e9}"), "{got:?}");
}

/// Spin removes `Connection` before the component runs.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_with_upgrade_is_never_stored_and_never_a_hit() {
    let origin = Scripted::start(|_| Then::send(&cacheable("Content-Length: 2\r\n", "ok"))).await;
    let edge = edge(&origin, "");
    let upgrade = "GET /socket HTTP/1.1\r\nHost: edge.example\r\nConnection: close, Upgrade\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(exchange(edge.url(), upgrade).await.status, 200);
    let seen = origin.seen();
    assert!(!seen[0].contains("\r\nupgrade:"), "there is no upgraded connection on Spin: {seen:?}");
    assert_eq!(get(edge.url(), "/socket").await.status, 200);
    assert_eq!(origin.seen().len(), 2, "the first was not stored");
    assert_eq!(exchange(edge.url(), upgrade).await.status, 200);
    assert_eq!(origin.seen().len(), 3, "and this is no hit");
}
