//! What is passed on as it came.

use bytes::Bytes;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::mpsc;

use crate::support::{Edge, Head, answering, config, options, origin};

/// An origin that tells what it was asked and answers nothing much.
async fn listening() -> (std::net::SocketAddr, mpsc::UnboundedReceiver<Head>) {
    let (tell, told) = mpsc::unbounded_channel();
    let address = origin(move |mut wire| {
        let tell = tell.clone();
        async move {
            while let Some(head) = wire.read_head().await {
                let _ = tell.send(head);
                wire.send("HTTP/1.1 204 No Content\r\nx-from: origin\r\n\r\n").await;
            }
        }
    })
    .await;
    (address, told)
}

#[tokio::test]
async fn the_target_stays_as_it_is_on_the_wire() {
    let (address, mut told) = listening().await;
    let edge = Edge::start(config(address));
    for target in ["/", "//a//b", "/a%2Fb/..%2Fc;d=1", "/?", "/x?q=%41&&b=a+b&c=%7B%7D", "/%E2%82%AC?a=/../b"]
    {
        let answer =
            edge.ask(&format!("GET {target} HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n")).await;
        assert_eq!((answer.status(), answer.head.field("x-from")), (204, Some("origin")), "{target}");
        let asked = told.recv().await.unwrap();
        // The edge's own normal form: unreserved characters are not encoded, an empty query is none.
        let normal = target.replace("%41", "A").replace("/?", if target == "/?" { "/" } else { "/?" });
        assert_eq!(asked.start, format!("GET {normal} HTTP/1.1"));
    }
}

#[tokio::test]
async fn methods_are_tokens() {
    let (address, mut told) = listening().await;
    let edge = Edge::start(config(address));
    for method in ["DELETE", "get", "BREW", "M-SEARCH"] {
        edge.ask(&format!("{method} /x HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n")).await;
        assert_eq!(told.recv().await.unwrap().start, format!("{method} /x HTTP/1.1"));
    }
}

#[tokio::test]
async fn fields_pass_both_ways() {
    let (address, mut told) = listening().await;
    let edge = Edge::start(config(address));
    let answer = edge
        .ask("DELETE /x HTTP/1.1\r\nHost: a.example\r\nX-One: 1\r\nX-One: 2\r\nConnection: close\r\n\r\n")
        .await;
    assert_eq!(answer.head.field("x-from"), Some("origin"));
    assert!(answer.head.field("date").is_some());
    let asked = told.recv().await.unwrap();
    let ones = asked.fields.iter().filter(|(name, _)| name == "x-one").map(|(_, value)| value.as_str());
    assert_eq!(ones.collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(asked.field("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(asked.field("x-forwarded-host"), Some("a.example"));
}

#[tokio::test]
async fn an_absolute_target_names_the_host() {
    let (address, mut told) = listening().await;
    let edge = Edge::start(config(address));
    edge.ask("GET http://b.example/x?y HTTP/1.1\r\nhost: a.example\r\nconnection: close\r\n\r\n").await;
    let asked = told.recv().await.unwrap();
    assert_eq!(asked.start, "GET /x?y HTTP/1.1");
    assert_eq!(asked.field("x-forwarded-host"), Some("b.example"));
}

#[tokio::test]
async fn only_a_trusted_proxy_says_who_the_client_is() {
    let (address, mut told) = listening().await;
    let said = "DELETE / HTTP/1.1\r\nhost: a.example\r\nx-forwarded-for: 203.0.113.9\r\n\
                x-forwarded-proto: https\r\nconnection: close\r\n\r\n";
    let trusting =
        levee_native::Options { trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()], ..options() };
    for (options, scheme) in [(options(), "http"), (trusting, "https")] {
        let edge = Edge::start_with(config(address), options, levee_native::Forward);
        edge.ask(said).await;
        assert_eq!(told.recv().await.unwrap().field("x-forwarded-proto"), Some(scheme));
    }
}

#[tokio::test]
async fn a_connection_to_the_origin_is_used_again() {
    let (count, mut counted) = mpsc::unbounded_channel();
    let address = origin(move |mut wire| {
        let count = count.clone();
        async move {
            let _ = count.send(());
            // Two answers, then it closes without a word, as an origin may.
            for _ in 0..2 {
                if wire.read_head().await.is_some() {
                    wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
                }
            }
        }
    })
    .await;
    let options = levee_native::Options { threads: std::num::NonZero::<usize>::MIN, ..options() };
    let edge = Edge::start_with(config(address), options, levee_native::Forward);
    let mut client = edge.connect().await;
    for _ in 0..6 {
        client.send("DELETE / HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
        let answer = client.read_message().await;
        assert_eq!((answer.status(), answer.text()), (200, "ok"));
    }
    let mut connections = 0;
    while counted.try_recv().is_ok() {
        connections += 1;
    }
    assert!((3..6).contains(&connections), "{connections}");
}

#[tokio::test]
async fn http2_without_tls() {
    let address = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let edge = Edge::start(config(address));
    let stream = tokio::net::TcpStream::connect(edge.address).await.unwrap();
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..2 {
        let request = http::Request::get("http://a.example/x").body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!((response.status().as_u16(), response.version()), (200, http::Version::HTTP_2));
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
    }
}
