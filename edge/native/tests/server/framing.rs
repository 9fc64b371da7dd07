//! Where a message ends.

use crate::support::{Edge, answering, config, origin};

const GET: &str = "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n";
const HEAD: &str = "HEAD / HTTP/1.1\r\nhost: a.example\r\n\r\n";

#[tokio::test]
async fn a_known_length_stays_known() {
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncache-control: max-age=60\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
    ] {
        let edge = Edge::start(config(answering(answer).await));
        for _ in 0..2 {
            let got = edge.ask(GET).await;
            let length = answer.rsplit("\r\n").next().unwrap().len();
            assert_eq!(got.head.field("content-length"), Some(length.to_string().as_str()), "{answer}");
            assert_eq!(got.head.field("transfer-encoding"), None);
            assert_eq!(got.body.len(), length);
        }
    }
}

#[tokio::test]
async fn an_unknown_length_is_chunked() {
    let edge = Edge::start(config(
        answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").await,
    ));
    let got = edge.ask(GET).await;
    assert_eq!(got.head.field("transfer-encoding"), Some("chunked"));
    assert_eq!((got.text(), got.is_cut), ("hello", false));
}

#[tokio::test]
async fn an_origin_that_only_closes() {
    let address = origin(|mut wire| async move {
        if wire.read_head().await.is_some() {
            wire.send("HTTP/1.0 200 OK\r\n\r\nhello").await;
        }
    })
    .await;
    let got = Edge::start(config(address)).ask(GET).await;
    assert_eq!((got.text(), got.is_cut), ("hello", false));
}

#[tokio::test]
async fn no_body_where_there_is_none() {
    for (request, answer, length) in [
        (HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", Some("5")),
        (HEAD, "HTTP/1.1 200 OK\r\n\r\n", None),
        (GET, "HTTP/1.1 204 No Content\r\n\r\n", None),
        (
            "GET / HTTP/1.1\r\nhost: a.example\r\nauthorization: x\r\nif-none-match: \"1\"\r\n\r\n",
            "HTTP/1.1 304 Not Modified\r\netag: \"1\"\r\ncontent-length: 5\r\n\r\n",
            None,
        ),
    ] {
        let edge = Edge::start(config(answering(answer).await));
        let mut client = edge.connect().await;
        // The second answer shows that nothing came behind the first.
        for _ in 0..2 {
            client.send(request).await;
            let head = client.read_head().await.unwrap();
            assert_eq!(head.status().to_string(), answer[9..12], "{answer}");
            assert_eq!(head.field("transfer-encoding"), None, "{answer}");
            if request == HEAD || length.is_some() {
                assert_eq!(head.field("content-length"), length, "{answer}");
            }
        }
    }
}

#[tokio::test]
async fn http_1_0_clients() {
    let edge = Edge::start(config(
        answering("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n").await,
    ));
    let got = edge.ask("GET / HTTP/1.0\r\nhost: a.example\r\n\r\n").await;
    assert_eq!(got.head.field("transfer-encoding"), None);
    assert_eq!(got.text(), "hello");
}

#[tokio::test]
async fn a_request_without_a_body_says_so() {
    let address = origin(|mut wire| async move {
        while let Some(head) = wire.read_head().await {
            let framed =
                head.field("content-length") == Some("0") && head.field("transfer-encoding").is_none();
            wire.send(format!("HTTP/1.1 200 OK\r\nx-framed: {framed}\r\ncontent-length: 0\r\n\r\n")).await;
        }
    })
    .await;
    let edge = Edge::start(config(address));
    for length in ["", "content-length: 0\r\n"] {
        let got = edge.ask(&format!("POST / HTTP/1.1\r\nhost: a.example\r\n{length}\r\n")).await;
        assert_eq!(got.head.field("x-framed"), Some("true"));
    }
}

#[tokio::test]
async fn a_get_may_have_a_body_of_unknown_length() {
    let address = origin(|mut wire| async move {
        let head = wire.read_head().await.unwrap();
        assert_eq!(head.field("transfer-encoding"), Some("chunked"));
        let mut body = Vec::new();
        while let Some(chunk) = wire.read_chunk().await.filter(|chunk| !chunk.is_empty()) {
            body.extend(chunk);
        }
        wire.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len())).await;
        wire.send(body).await;
    })
    .await;
    let edge = Edge::start(config(address));
    let got = edge
        .ask("GET / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
        .await;
    assert_eq!(got.text(), "hello");
}
