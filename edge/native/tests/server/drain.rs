//! The end: what is under way is finished, nothing new is begun.

use std::time::Duration;

use levee_native::{Forward, Options};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{Edge, answering, config, options, origin};

const GET: &str = "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n";

#[tokio::test]
async fn what_is_under_way_is_finished() {
    let (asked, mut was_asked) = mpsc::channel(1);
    let (go, may_go) = tokio::sync::watch::channel(false);
    let address = origin(move |mut wire| {
        let (asked, mut may_go) = (asked.clone(), may_go.clone());
        async move {
            wire.read_head().await.unwrap();
            asked.send(()).await.unwrap();
            may_go.wait_for(|go| *go).await.unwrap();
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
        }
    })
    .await;
    let edge = Edge::start(config(address));
    let (at, mut idle) = (edge.address, edge.connect().await);
    let mut client = edge.connect().await;
    client.send(GET).await;
    was_asked.recv().await.unwrap();
    let stopped = edge.stop();
    // A connection that waits for nothing ends at once, and the port is free.
    assert!(idle.is_closed().await);
    assert!(TcpStream::connect(at).await.is_err());
    assert!(!stopped.is_finished());
    go.send(true).unwrap();
    let answer = client.read_message().await;
    assert_eq!((answer.text(), answer.is_cut), ("hello", false));
    assert!(client.is_closed().await);
    stopped.await.unwrap().unwrap();
}

#[tokio::test]
async fn who_has_connected_already_is_served() {
    let address = answering("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello").await;
    for _ in 0..20 {
        let edge = Edge::start(config(address));
        let mut clients = Vec::new();
        for _ in 0..10 {
            let mut client = edge.connect().await;
            client.send(GET).await;
            clients.push(client);
        }
        let stopped = edge.stop();
        for client in &mut clients {
            assert_eq!(client.read_message().await.text(), "hello");
        }
        stopped.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn what_does_not_end_is_cut_off() {
    let address = origin(|mut wire| async move {
        wire.read_head().await.unwrap();
        wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
        wire.is_closed().await;
    })
    .await;
    let options = Options { drain: Duration::from_millis(50), ..options() };
    let edge = Edge::start_with(config(address), options, Forward);
    let mut client = edge.connect().await;
    client.send("DELETE / HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
    assert_eq!(client.read_head().await.unwrap().status(), 200);
    assert_eq!(client.read_chunk().await.unwrap(), b"hello");
    edge.stop().await.unwrap().unwrap();
    assert_eq!(client.read_chunk().await, None);
}
