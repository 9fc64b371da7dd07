//! What a client is told when there is no answer, or no request.

use std::time::Duration;

use levee_native::levee::config::Config;
use levee_native::{Options, ServeError, Server};
use tokio::net::TcpListener;

use crate::support::{Edge, Message, answering, config, nowhere, options, origin};

async fn get(config: Config) -> Message {
    Edge::start(config).ask("GET /x HTTP/1.1\r\nhost: a.example\r\n\r\n").await
}

fn assert_problem(answer: &Message, status: u16) {
    assert_eq!(answer.status(), status, "{}", answer.text());
    assert_eq!(answer.head.field("content-type"), Some("application/problem+json"));
    assert!(answer.head.field("cache-status").is_some());
}

#[tokio::test]
async fn nobody_listens() {
    let answer = get(config(nowhere().await)).await;
    assert_problem(&answer, 502);
    assert!(answer.head.field("proxy-status").unwrap().contains("connection_refused"));
}

#[tokio::test]
async fn no_such_name() {
    let mut config = config(nowhere().await);
    "http://no-such-name.invalid".clone_into(&mut config.origins[0].url);
    config.shield.connect_timeout = Duration::from_secs(30);
    let answer = get(config).await;
    assert_problem(&answer, 502);
    assert!(answer.head.field("proxy-status").unwrap().contains("dns_error"));
}

#[tokio::test]
async fn the_handshake_never_ends() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(listener.local_addr().unwrap());
    config.origins[0].url = format!("https://{}", listener.local_addr().unwrap());
    config.shield.connect_timeout = Duration::from_millis(50);
    let answer = get(config).await;
    assert_problem(&answer, 504);
    assert!(answer.head.field("proxy-status").unwrap().contains("connection_timeout"));
}

#[tokio::test]
async fn the_origin_speaks_no_tls() {
    let address = origin(|mut wire| async move {
        wire.read(5).await;
        wire.send("HTTP/1.1 400 Bad Request\r\n\r\n").await;
    })
    .await;
    let mut config = config(address);
    config.origins[0].url = format!("https://{address}");
    config.shield.connect_timeout = Duration::from_secs(30);
    let answer = get(config).await;
    assert_problem(&answer, 502);
    assert!(answer.head.field("proxy-status").unwrap().contains("tls"), "{:?}", answer.head);
}

#[tokio::test]
async fn the_answer_never_begins() {
    let address = origin(|mut wire| async move {
        wire.read_head().await;
        // Until the edge gives up.
        assert!(wire.is_closed().await);
    })
    .await;
    let mut config = config(address);
    config.shield.first_byte_timeout = Duration::from_millis(50);
    let answer = get(config).await;
    assert_problem(&answer, 504);
}

#[tokio::test]
async fn the_origin_speaks_something_else() {
    let answer = get(config(answering("SSH-2.0-OpenSSH_9.2\r\n\r\n").await)).await;
    assert_problem(&answer, 502);
    assert!(answer.head.field("proxy-status").unwrap().contains("protocol"), "{:?}", answer.head);
}

#[tokio::test]
async fn the_origin_hangs_up() {
    let address = origin(|mut wire| async move {
        wire.read_head().await;
    })
    .await;
    let answer = get(config(address)).await;
    assert_problem(&answer, 502);
    assert!(answer.head.field("proxy-status").unwrap().contains("connection_terminated"));
}

#[tokio::test]
async fn requests_that_are_none() {
    let edge = Edge::start(config(nowhere().await));
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a b\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: www.example.com:80.evil.com\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a:0\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: [::1\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: u@a\r\n\r\n",
        "GET ftp://a/ HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET ftp://a HTTP/1.1\r\nhost: a\r\n\r\n",
        "GET wss://a/x HTTP/1.1\r\nhost: a\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET / HTTP/1.1\r\nhost: a\r\nx y: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
    ] {
        assert_eq!(edge.ask(request).await.status(), 400, "{request}");
    }
}

#[tokio::test]
async fn methods_of_one_hop_are_refused() {
    let edge = Edge::start(config(nowhere().await));
    for request in [
        "TRACE / HTTP/1.1\r\nhost: a\r\n\r\n",
        "trace /.levee/ HTTP/1.1\r\nhost: a\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nhost: a.example:443\r\n\r\n",
        "CONNECT a.example:0 HTTP/1.1\r\nhost: a b\r\n\r\n",
    ] {
        let answer = edge.ask(request).await;
        assert_problem(&answer, 405);
        assert!(answer.head.field("allow").unwrap().contains("GET"), "{request}");
    }
}

#[tokio::test]
async fn heads_that_are_too_large() {
    let edge = Edge::start(config(nowhere().await));
    for size in [33 << 10, 200 << 10] {
        let request = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "y".repeat(size));
        assert_eq!(edge.ask(&request).await.status(), 431, "{size}");
    }
    let request = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "y".repeat(9 << 10));
    assert_eq!(edge.ask(&request).await.status(), 414);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_let_go() {
    let options = Options { head_timeout: Duration::from_millis(50), ..options() };
    let edge = Edge::start_with(config(nowhere().await), options, levee_native::Forward);
    let mut silent = edge.connect().await;
    assert!(silent.is_closed().await);
    let mut slow = edge.connect().await;
    slow.send("GET / HTTP/1.1\r\nhost:").await;
    assert!(slow.is_closed().await);
}

#[tokio::test]
async fn a_port_in_use() {
    let edge = Edge::start(config(nowhere().await));
    let options = Options { listen: edge.address, ..options() };
    let error = Server::bind(config(nowhere().await), options).unwrap_err();
    assert!(matches!(error, ServeError::InUse { .. }));
    assert!(error.to_string().contains(&edge.address.to_string()), "{error}");
}
