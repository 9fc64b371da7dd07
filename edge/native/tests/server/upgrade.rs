//! Upgraded connections.

use crate::support::{Edge, config, origin};

const ASK: &str = "GET /echo HTTP/1.1\r\nhost: a.example\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-key: x\r\n\r\n";

#[tokio::test]
async fn bytes_pass_both_ways() {
    let address = origin(|mut wire| async move {
        let head = wire.read_head().await.unwrap();
        assert_eq!(head.field("upgrade"), Some("websocket"));
        assert_eq!(head.field("sec-websocket-key"), Some("x"));
        // The first bytes come with the head.
        wire.send(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-accept: y\r\n\r\nhi",
        )
        .await;
        loop {
            let bytes = wire.read(4).await;
            if bytes.is_empty() {
                break;
            }
            wire.send(bytes).await;
        }
    })
    .await;
    let edge = Edge::start(config(address));
    let mut client = edge.connect().await;
    client.send(ASK).await;
    let head = client.read_head().await.unwrap();
    assert_eq!(head.status(), 101);
    assert_eq!(head.field("upgrade"), Some("websocket"));
    assert_eq!(head.field("sec-websocket-accept"), Some("y"));
    assert_eq!(client.read(2).await, b"hi");
    for bytes in [b"ping", b"\0\x01\x02\xff"] {
        client.send(bytes).await;
        assert_eq!(client.read(4).await, bytes);
    }
}

#[tokio::test]
async fn the_client_hears_when_the_origin_hangs_up() {
    let address = origin(|mut wire| async move {
        wire.read_head().await.unwrap();
        wire.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n")
            .await;
    })
    .await;
    let edge = Edge::start(config(address));
    let mut client = edge.connect().await;
    client.send(ASK).await;
    assert_eq!(client.read_head().await.unwrap().status(), 101);
    assert!(client.is_closed().await);
}

#[tokio::test]
async fn an_origin_may_decline() {
    let address = origin(|mut wire| async move {
        wire.read_head().await.unwrap();
        wire.send("HTTP/1.1 426 Upgrade Required\r\ncontent-length: 2\r\n\r\nno").await;
    })
    .await;
    let got = Edge::start(config(address)).ask(ASK).await;
    assert_eq!((got.status(), got.text()), (426, "no"));
}

#[tokio::test]
async fn an_origin_must_not_switch_unasked() {
    let address = origin(|mut wire| async move {
        wire.read_head().await.unwrap();
        wire.send("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n").await;
    })
    .await;
    let got = Edge::start(config(address)).ask("GET / HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
    assert_eq!(got.status(), 502);
}
