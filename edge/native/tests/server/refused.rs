//! What is no request is refused, and nothing that comes behind it is read as one.

use tokio::sync::mpsc;

use crate::support::{Edge, Message, answering, config, nowhere, origin};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

fn assert_refused(got: &Message, status: u16, what: &str) {
    assert_eq!(got.status(), status, "{what}: {}", got.text());
    assert_eq!(got.head.field("content-type"), Some("application/problem+json"), "{what}");
    assert_eq!(got.head.field("connection"), Some("close"), "{what}");
    assert!(got.head.field("cache-status").is_some() && !got.is_cut, "{what}");
}

/// An origin that counts what reaches it.
async fn counting() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<String>) {
    let (tell, told) = mpsc::unbounded_channel();
    let address = origin(move |mut wire| {
        let tell = tell.clone();
        async move {
            while let Some(head) = wire.read_head().await {
                let _ = tell.send(head.start);
                wire.send(OK).await;
            }
        }
    })
    .await;
    (address, told)
}

#[tokio::test]
async fn heads_that_another_parser_might_read_otherwise() {
    let (address, mut told) = counting().await;
    let edge = Edge::start(config(address));
    for (bad, status) in [
        ("GET / HTTP/1.1\nhost: a\n\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: y\rz: 1\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: y\0\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n\tz\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
        ),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n",
            400,
        ),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab", 400),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\na", 400),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\na", 400),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1x\r\n\r\na", 400),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: \r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 99999999999999999999\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip\r\n\r\n", 400),
        ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n",
            400,
        ),
        ("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    ] {
        let mut client = edge.connect().await;
        client.send(format!("{bad}GET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        assert_refused(&client.read_message().await, status, bad);
        assert!(client.is_closed().await, "{bad}");
    }
    // As a second request, the first is answered; and none of the others has reached the origin.
    let mut client = edge.connect().await;
    client.send("GET /first HTTP/1.1\r\nhost: a\r\n\r\nGET / HTTP/1.1\nhost: a\n\n").await;
    assert_eq!(client.read_message().await.text(), "ok");
    assert_refused(&client.read_message().await, 400, "second");
    assert!(client.is_closed().await);
    assert_eq!(told.recv().await.unwrap(), "GET /first HTTP/1.1");
    assert!(told.try_recv().is_err());
}

/// Whatever the pieces are, the answer is a 400: problem+json where hyper has nothing of the head yet.
#[tokio::test]
async fn heads_in_two_pieces() {
    let (address, mut told) = counting().await;
    let edge = Edge::start(config(address));
    let bad = "GET / HTTP/1.1\r\nhost: a\r\nx: y\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    for cut in 1..bad.len() {
        let mut client = edge.connect().await;
        client.send(&bad[..cut]).await;
        // Not a condition of the test: mostly it has the first piece when the second comes.
        tokio::task::yield_now().await;
        client.send(&bad[cut..]).await;
        assert_eq!(client.read_message().await.status(), 400, "{cut}");
        assert!(client.is_closed().await, "{cut}");
    }
    assert!(told.try_recv().is_err());
}

#[tokio::test]
async fn malformed_chunks_are_the_clients_fault() {
    // An origin that reads the whole body, and so never answers one that has no end.
    let address = origin(|mut wire| async move {
        while let Some(_head) = wire.read_head().await {
            while wire.read_chunk().await.is_some_and(|chunk| !chunk.is_empty()) {}
            if wire.is_closed().await {
                break;
            }
        }
    })
    .await;
    let edge = Edge::start(config(address));
    let extensions = format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(5_000));
    let trailers = format!("1\r\na\r\n0\r\n{}\r\n", "x: y\r\n".repeat(2_000));
    for body in [
        "x\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\nhello\n0\n\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "ffffffffffffffffff\r\n",
        "5\r\nhello\r\n0\r\nno trailer\r\n\r\n",
        "5;a=\0\r\nhello\r\n0\r\n\r\n",
        &extensions,
        &trailers,
    ] {
        let mut client = edge.connect().await;
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n{body}")).await;
        let got = client.read_message().await;
        assert_refused(&got, 400, body);
        assert_eq!(got.head.field("proxy-status"), None);
        assert!(client.is_closed().await, "{body}");
    }
}

#[tokio::test]
async fn targets_with_another_scheme() {
    let edge = Edge::start(config(answering(OK).await));
    for (target, status) in [("ftp://a/x", 400), ("ws://a/x", 400), ("HTTP://a/x", 200), ("https://a/x", 200)]
    {
        let got = edge.ask(&format!("GET {target} HTTP/1.1\r\nhost: a\r\n\r\n")).await;
        assert_eq!(got.status(), status, "{target}");
    }
}

#[tokio::test]
async fn who_names_no_host() {
    let edge = Edge::start(config(answering(OK).await));
    assert_eq!(edge.ask("GET / HTTP/1.1\r\n\r\n").await.status(), 400);
    // HTTP/1.0 had no such field.
    assert_eq!(edge.ask("GET / HTTP/1.0\r\n\r\n").await.text(), "ok");
    assert_eq!(edge.ask("GET / HTTP/1.0\r\nhost: b\r\n\r\n").await.text(), "ok");
    assert_eq!(edge.ask("GET / HTTP/1.0\r\nhost:\r\n\r\n").await.status(), 400);
}

/// The edge speaks HTTP/2 to whoever begins with it, and switches to it for nobody (RFC 9113, section 3.1).
#[tokio::test]
async fn no_switch_to_http2() {
    let edge = Edge::start(config(answering(OK).await));
    let mut client = edge.connect().await;
    for _ in 0..2 {
        client
            .send(
                "GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n\
                 http2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n",
            )
            .await;
        assert_eq!(client.read_message().await.text(), "ok");
    }
    client.send("GET / HTTP/1.1\r\nhost: a\r\n\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
    assert_eq!(client.read_message().await.text(), "ok");
    assert_refused(&client.read_message().await, 400, "preface");
    assert!(client.is_closed().await);
}

/// What was meant for the other end of a tunnel is no request.
#[tokio::test]
async fn nothing_is_read_behind_connect() {
    let (address, mut told) = counting().await;
    let edge = Edge::start(config(address));
    let mut client = edge.connect().await;
    client
        .send("CONNECT b:443 HTTP/1.1\r\nhost: b:443\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n")
        .await;
    let got = client.read_message().await;
    assert!(got.status() >= 400 && got.head.field("connection") == Some("close"));
    assert!(client.is_closed().await);
    assert!(told.try_recv().is_err());
}

/// What comes too early for a protocol that is not switched to is a request after all.
#[tokio::test]
async fn an_upgrade_that_is_declined_is_a_request() {
    let edge = Edge::start(config(answering(OK).await));
    let mut client = edge.connect().await;
    let upgrade = "GET /u HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    client.send(format!("{upgrade}{upgrade}GET / HTTP/1.1\r\nhost: a\r\n\r\n")).await;
    for _ in 0..3 {
        assert_eq!(client.read_message().await.text(), "ok");
    }
}

/// The answer arrives although the client sends more than anyone reads.
#[tokio::test]
async fn an_answer_is_not_lost_in_a_reset() {
    let edge = Edge::start(config(nowhere().await));
    for _ in 0..50 {
        let mut client = edge.connect().await;
        let mut bad = b"GET / HTTP/1.1\nhost: a\n\n".to_vec();
        bad.resize(200_000, b'x');
        client.send(&bad).await;
        assert_refused(&client.read_message().await, 400, "long");
        assert!(client.is_closed().await);
    }
}
