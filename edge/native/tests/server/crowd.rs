//! More clients than there are places.

use std::num::NonZero;
use std::time::Duration;

use levee_native::levee::config::Config;
use levee_native::{Forward, Options};
use tokio::sync::mpsc;

use crate::support::{Edge, Wire, answering, config, options, origin};

const GET: &str = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";

fn with_places(origin: std::net::SocketAddr, connections: u32) -> Config {
    let mut config = config(origin);
    config.limits.connections = connections;
    config
}

/// One thread, so that there is one order.
fn one_thread() -> Options {
    Options { threads: NonZero::<usize>::MIN, head_timeout: Duration::from_secs(600), ..options() }
}

async fn ask(client: &mut Wire) {
    client.send(GET).await;
    assert_eq!(client.read_message().await.text(), "ok");
}

#[tokio::test]
async fn who_has_been_idle_for_longest_makes_room() {
    let address =
        answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncache-control: max-age=60\r\n\r\nok").await;
    for options in [one_thread(), Options { head_timeout: Duration::from_secs(600), ..options() }] {
        let edge = Edge::start_with(with_places(address, 16), options, Forward);
        let mut clients = Vec::new();
        for _ in 0..16 {
            let mut client = edge.connect().await;
            ask(&mut client).await;
            clients.push(client);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        // The first is now the last.
        ask(&mut clients[0]).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        let mut further = Vec::new();
        for oldest in &mut clients[1..9] {
            let mut client = edge.connect().await;
            ask(&mut client).await;
            further.push(client);
            assert!(oldest.is_closed().await);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        ask(&mut clients[0]).await;
        ask(&mut clients[9]).await;
    }
}

/// Whoever has only begun a request, or not even that, makes room as well: nobody keeps others out by doing nothing.
#[tokio::test]
async fn half_a_request_keeps_nobody_out() {
    let address = answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let edge = Edge::start_with(with_places(address, 16), one_thread(), Forward);
    let mut crowd = Vec::new();
    for number in 0..200 {
        let mut client = edge.connect().await;
        if number % 2 == 0 {
            let _ = client.try_send(b"POST / HTTP/1.1\r\nhost: a\r\nx: ").await;
        }
        crowd.push(client);
        if number % 10 == 0 {
            ask(&mut edge.connect().await).await;
        }
    }
    let mut gone = 0;
    for client in &mut crowd[..150] {
        gone += usize::from(client.is_closed().await);
    }
    assert_eq!(gone, 150);
}

#[tokio::test]
async fn where_nobody_is_idle_the_next_is_told_so() {
    let (asked, mut was_asked) = mpsc::unbounded_channel();
    let (go, may_go) = tokio::sync::watch::channel(false);
    let address = origin(move |mut wire| {
        let (asked, mut may_go) = (asked.clone(), may_go.clone());
        async move {
            while wire.read_head().await.is_some() {
                asked.send(()).unwrap();
                may_go.wait_for(|go| *go).await.unwrap();
                wire.send("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    let edge = Edge::start_with(with_places(address, 16), one_thread(), Forward);
    let mut busy = Vec::new();
    for _ in 0..16 {
        let mut client = edge.connect().await;
        client.send("DELETE / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        was_asked.recv().await.unwrap();
        busy.push(client);
    }
    for _ in 0..3 {
        let mut client = edge.connect().await;
        client.send(GET).await;
        let got = client.read_message().await;
        assert_eq!(got.status(), 503, "{}", got.text());
        assert_eq!(got.head.field("content-type"), Some("application/problem+json"));
        assert_eq!(got.head.field("retry-after"), Some("1"));
        assert_eq!(got.head.field("connection"), Some("close"));
        assert!(got.text().contains("limits.connections"));
        assert!(client.is_closed().await);
    }
    go.send(true).unwrap();
    for client in &mut busy {
        assert_eq!(client.read_message().await.text(), "ok");
    }
    ask(&mut edge.connect().await).await;
}

/// A tunnel is a connection like another, and no idle one.
#[tokio::test]
async fn tunnels_have_places() {
    let address = origin(|mut wire| async move {
        let upgrades = wire.read_head().await.is_some_and(|head| head.field("upgrade").is_some());
        if upgrades {
            wire.send(
                "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
            )
            .await;
            while let bytes = wire.read(1).await
                && !bytes.is_empty()
            {
                wire.send(bytes).await;
            }
        }
    })
    .await;
    let edge = Edge::start_with(with_places(address, 16), one_thread(), Forward);
    let mut tunnels = Vec::new();
    for _ in 0..16 {
        let mut client = edge.connect().await;
        client.send("GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n").await;
        assert_eq!(client.read_head().await.unwrap().status(), 101);
        tunnels.push(client);
    }
    assert_eq!(edge.ask(GET).await.status(), 503);
    for tunnel in &mut tunnels {
        tunnel.send("x").await;
        assert_eq!(tunnel.read(1).await, b"x");
    }
    drop(tunnels);
    // They are gone as soon as the edge has seen it.
    while edge.ask(GET).await.status() == 503 {}
}
