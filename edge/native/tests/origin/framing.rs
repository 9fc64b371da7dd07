//! Where a response ends (RFC 9112, section 6.3): no client sees a message that its origin did not send.

use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Edge, config, origin};
use crate::{GET, counting};

const POST: &str = "POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\nhi";
const HEAD: &str = "HEAD / HTTP/1.1\r\nhost: a.example\r\n\r\n";
const CHUNKED: &str = "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";

#[tokio::test]
async fn a_content_length_beside_a_transfer_encoding_counts_for_nothing() {
    for length in ["0", "3", "300"] {
        for cached in ["", "cache-control: max-age=60\r\n"] {
            let answer = format!("HTTP/1.1 200 OK\r\n{cached}content-length: {length}\r\n{CHUNKED}");
            for request in [GET, POST] {
                let edge = Edge::start(config(counting(answer.clone()).await.0));
                for _ in 0..2 {
                    let got = edge.ask(request).await;
                    assert_eq!((got.status(), got.text(), got.is_cut), (200, "hello", false), "{answer}");
                    assert!(got.head.field("content-length").is_none_or(|said| said == "5"), "{answer}");
                }
            }
            let edge = Edge::start(config(counting(answer.clone()).await.0));
            let mut client = edge.connect().await;
            client.send(HEAD).await;
            let head = client.read_head().await.unwrap();
            assert_eq!((head.status(), head.field("content-length")), (200, None), "{answer}");
        }
    }
}

#[tokio::test]
async fn a_length_that_is_said_twice_is_said_once() {
    for lines in ["content-length: 5\r\ncontent-length: 5", "content-length: 5, 5", "Content-Length : 5"] {
        let answer = format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\nhello");
        let got = Edge::start(config(counting(answer).await.0)).ask(GET).await;
        let said: Vec<_> = got.head.fields.iter().filter(|(name, _)| name == "content-length").collect();
        assert_eq!(said, [&("content-length".to_owned(), "5".to_owned())], "{lines}");
        assert_eq!((got.text(), got.is_cut), ("hello", false));
    }
}

#[tokio::test]
async fn an_end_that_is_not_certain_is_refused() {
    for lines in [
        "content-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        "content-length: 5, 6\r\n\r\nhello",
        "content-length: five\r\n\r\nhello",
        "content-length: 5\r\n 0\r\n\r\nhello",
        "transfer-encoding: gzip\r\n\r\nhello",
        "transfer-encoding: gzip, chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "transfer-encoding: chunked, identity\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ] {
        for cached in ["", "cache-control: max-age=60\r\n"] {
            let (address, asked) = counting(format!("HTTP/1.1 200 OK\r\n{cached}{lines}")).await;
            let edge = Edge::start(config(address));
            for _ in 0..2 {
                let got = edge.ask(POST).await;
                assert_eq!(got.status(), 502, "{lines}");
                assert!(got.head.field("proxy-status").unwrap().contains("protocol"), "{:?}", got.head);
            }
            assert_eq!(asked.load(Ordering::SeqCst), 2);
            assert_eq!(edge.ask(GET).await.status(), 502, "{lines}");
        }
    }
}

#[tokio::test]
async fn what_ends_with_the_connection_has_no_length() {
    for lines in
        ["", "transfer-encoding: identity\r\n", "transfer-encoding: identity\r\ncontent-length: 3\r\n"]
    {
        let answer = format!("HTTP/1.1 200 OK\r\n{lines}\r\nhello");
        let got = Edge::start(config(counting(answer).await.0)).ask(GET).await;
        assert_eq!((got.text(), got.is_cut), ("hello", false), "{lines}");
        assert_eq!(got.head.field("transfer-encoding"), Some("chunked"));
    }
}

/// What breaks off is never whole, neither for the client nor for the cache.
#[tokio::test]
async fn what_ends_with_a_reset_is_broken_off() {
    for framing in ["", "content-length: 9\r\n", "transfer-encoding: chunked\r\n"] {
        let data = if framing.contains("chunked") { "5\r\nhello\r\n" } else { "hello" };
        let answer = format!("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n{framing}\r\n{data}");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let _ = stream.read(&mut [0; 1 << 10]).await;
                stream.write_all(answer.as_bytes()).await.unwrap();
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
            }
        });
        let edge = Edge::start(config(address));
        for _ in 0..3 {
            let got = edge.ask(GET).await;
            assert!(got.is_cut || got.status() == 502, "{framing} {got:?}");
        }
    }
}

/// An answer that has no body, and a body: the next exchange knows nothing of it.
#[tokio::test]
async fn a_body_where_there_is_none_reaches_nobody() {
    let poison = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison";
    for (status, request) in [("204 No Content", GET), ("304 Not Modified", GET), ("200 OK", HEAD)] {
        let address = origin(move |mut wire| async move {
            if wire.read_head().await.is_some() {
                let length = poison.len();
                wire.send(format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{poison}")).await;
            }
            wire.is_closed().await;
        })
        .await;
        let edge = Edge::start(config(address));
        let mut client = edge.connect().await;
        for _ in 0..3 {
            client.send(request).await;
            let head = client.read_head().await.unwrap();
            assert_eq!(head.status().to_string(), status[..3]);
        }
    }
}
