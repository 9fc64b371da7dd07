//! How long a message is: no field about it is passed on, and none that lies is believed.

use super::{cacheable, edge};
use crate::raw::{Raw, exchange, get};
use crate::scripted::{Scripted, Then};

const END: &str = "Host: edge.example\r\nConnection: close\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_length_beside_a_coding_is_not_the_responses() {
    let both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n";
    let origin = Scripted::start(move |_| Then::send(&cacheable(both, "5\r\nhello\r\n0\r\n\r\n"))).await;
    let edge = edge(&origin, "");
    for _ in 0..2 {
        let got = get(edge.url(), "/both").await;
        assert_eq!((got.status, got.body.as_str(), got.is_whole), (200, "hello", true), "{got:?}");
        assert_ne!(got.field("content-length"), Some("3"), "{got:?}");
    }
    assert_eq!(origin.seen().len(), 1, "the second is a hit");
    let post = format!("POST /both HTTP/1.1\r\n{END}Content-Length: 0\r\n\r\n");
    let got = exchange(edge.url(), post).await;
    assert_eq!((got.status, got.body.as_str(), got.is_whole), (200, "hello", true), "{got:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_ends_early_never_looks_whole() {
    let origin = Scripted::start(|head| {
        Then::send(&if head.contains("/length") {
            cacheable("Content-Length: 10\r\n", "hello")
        } else {
            cacheable("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n")
        })
    })
    .await;
    let edge = edge(&origin, "");
    for (asked, path) in ["/length", "/length", "/chunked", "/chunked"].iter().enumerate() {
        let got = get(edge.url(), path).await;
        assert!(!got.is_whole || got.status == 502, "{path}: {got:?}");
        assert_eq!(origin.seen().len(), asked + 1, "{path}: what broke off is not stored");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_of_no_body_is_that_of_a_get_or_none() {
    let origin = Scripted::start(|head| {
        Then::send(if head.contains("/204") {
            "HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n"
        } else if head.contains("/304") {
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\nETag: \"a\"\r\n\r\n"
        } else {
            "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
        })
    })
    .await;
    let edge = edge(&origin, "");
    let head = exchange(edge.url(), format!("HEAD /head HTTP/1.1\r\n{END}\r\n")).await;
    assert_eq!((head.status, head.field("content-length")), (200, Some("1000")), "{head:?}");
    assert_eq!(head.body, "");
    for path in ["/204", "/304"] {
        let request = format!("GET {path} HTTP/1.1\r\n{END}If-None-Match: \"a\"\r\n\r\n");
        let got = exchange(edge.url(), request).await;
        assert_eq!(got.status.to_string(), path[1..], "{got:?}");
        assert_eq!((got.field("content-length"), got.body.as_str()), (None, ""), "{got:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_contradicts_itself_is_a_400_and_no_origin_hears_of_it() {
    let origin = Scripted::start(|_| Then::send(&cacheable("Content-Length: 2\r\n", "ok"))).await;
    let edge = edge(&origin, "");
    for method in ["POST", "GET"] {
        let both = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        let got = exchange(edge.url(), format!("{method} /a HTTP/1.1\r\n{END}{both}")).await;
        assert_eq!(got.status, 400, "{got:?}");
        assert!(got.body.contains("both Content-Length and Transfer-Encoding"), "{got:?}");
    }
    assert!(origin.seen().is_empty(), "{:?}", origin.seen());
    assert_eq!(get(edge.url(), "/a").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_chunk_is_a_400_and_never_ends_the_message_at_the_origin() {
    let origin = Scripted::start(|head| {
        if head.starts_with("post") {
            Then::Read(1 << 20, Vec::new())
        } else {
            Then::send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        }
    })
    .await;
    let edge = edge(&origin, "");
    let head = format!("POST /upload HTTP/1.1\r\n{END}Transfer-Encoding: chunked\r\n\r\n");
    let got = exchange(edge.url(), format!("{head}zz\r\n")).await;
    assert_eq!(got.status, 400, "{got:?}");
    assert!(origin.seen().is_empty(), "there is nothing to send yet: {:?}", origin.seen());
    let mut raw = Raw::connect(edge.url()).await;
    raw.send(format!("{head}3\r\nabc\r\n")).await;
    origin.sees(|seen| seen.first().is_some_and(|seen| seen.contains("abc"))).await;
    raw.send("zz\r\n").await;
    let got = raw.rest().await;
    assert_eq!(got.status, 400, "{got:?}");
    origin.end().await;
    let seen = origin.seen();
    assert!(seen[0].contains("transfer-encoding: chunked") && !seen[0].contains("\r\n0\r\n"), "{seen:?}");
    assert_eq!(get(edge.url(), "/next").await.status, 200, "the origin is well");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_the_origin_is_framed_by_what_is_sent() {
    let origin = Scripted::start(|head| {
        let size = if head.contains("content-length: 3") {
            3
        } else if head.contains("chunked") {
            "3\r\nabc\r\n0\r\n\r\n".len()
        } else {
            0
        };
        Then::Read(size, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nKeep-Alive: timeout=5\r\nTrailer: X-T\r\nUpgrade: h2c\r\nProxy-Authenticate: Basic\r\nX-Kept: 1\r\n\r\n".to_vec())
    })
    .await;
    let edge = edge(&origin, "");
    let hops = "TE: trailers\r\nKeep-Alive: 5\r\nProxy-Connection: close\r\nTrailer: X-T\r\nProxy-Authorization: Basic eA==\r\n";
    let begin = |method: &str| format!("{method} /sent HTTP/1.1\r\n{END}{hops}");
    for (request, framed, not) in [
        (format!("{}Content-Length: 0\r\n\r\n", begin("POST")), "content-length: 0\r\n", "transfer-encoding"),
        (format!("{}\r\n", begin("DELETE")), "content-length: 0\r\n", "transfer-encoding"),
        (
            format!("{}Content-Length: 3\r\n\r\nabc", begin("PUT")),
            "content-length: 3\r\n",
            "transfer-encoding",
        ),
        (
            format!("{}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", begin("PATCH")),
            "transfer-encoding: chunked\r\n",
            "content-length",
        ),
    ] {
        let before = origin.seen().len();
        let got = exchange(edge.url(), &request).await;
        assert_eq!((got.status, got.field("x-kept")), (200, Some("1")), "{request}: {got:?}");
        for name in ["keep-alive", "trailer", "upgrade", "proxy-authenticate"] {
            assert_eq!(got.field(name), None, "{name}: {got:?}");
        }
        let seen = &origin.seen()[before];
        assert!(seen.contains(framed) && !seen.contains(not), "{request}: {seen}");
        for name in ["\r\nte:", "keep-alive", "proxy-", "trailer"] {
            assert!(!seen.contains(name), "{name}: {seen}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_get_with_content_is_passed_on_whole_and_never_answered_from_the_cache() {
    let origin = Scripted::start(|head| {
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        Then::Read(length.unwrap_or(0), cacheable("Content-Length: 2\r\n", "ok").into_bytes())
    })
    .await;
    let edge = edge(&origin, "");
    for _ in 0..2 {
        assert_eq!(get(edge.url(), "/search").await.status, 200);
    }
    assert_eq!(origin.seen().len(), 1, "it is stored");
    let head = format!("GET /search HTTP/1.1\r\n{END}");
    for (asked, body) in
        ["Content-Length: 3\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"]
            .iter()
            .enumerate()
    {
        let got = exchange(edge.url(), format!("{head}{body}")).await;
        assert_eq!(got.status, 200, "{got:?}");
        assert!(!got.field("cache-status").is_some_and(|status| status.contains("hit")), "{got:?}");
        let seen = origin.seen();
        assert_eq!(seen.len(), 2 + asked, "{seen:?}");
        let last = &seen[1 + asked];
        assert!(last.contains("content-length: 3\r\n") && last.ends_with("\r\n\r\nabc"), "{last}");
    }
    let large = "x".repeat(70_000);
    let request =
        format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n", large.len());
    let got = exchange(edge.url(), request).await;
    assert_eq!(got.status, 400, "{got:?}");
    assert!(got.body.contains("Content-Length"), "it says why: {got:?}");
    let empty = exchange(edge.url(), format!("{head}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n")).await;
    assert!(empty.field("cache-status").is_some_and(|status| status.contains("hit")), "{empty:?}");
}
