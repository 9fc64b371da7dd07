//! WebSockets, and what else a client would have its connection become (RFC 9110, section 7.8).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{Edge, config, origin};

const ASK: &str = "GET /echo HTTP/1.1\r\nhost: a.example\r\nconnection: Upgrade\r\nupgrade: WebSocket\r\n\
                   sec-websocket-key: x\r\n\r\n";
const SWITCHED: &str =
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";

#[tokio::test]
async fn no_other_protocol_is_asked_for() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let address = origin(move |mut wire| {
        let tell = tell.clone();
        async move {
            while let Some(head) = wire.read_head().await {
                tell.send(head).unwrap();
                wire.send("HTTP/1.1 200 OK\r\ncache-control: no-store\r\ncontent-length: 2\r\n\r\nok").await;
            }
        }
    })
    .await;
    let edge = Edge::start(config(address));
    for (lines, upgrade) in [
        ("connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__", None),
        ("connection: upgrade\r\nupgrade: TLS/1.0", None),
        ("connection: upgrade\r\nupgrade: x-websocket", None),
        ("connection: upgrade\r\nupgrade: websocket, h2c", Some("websocket")),
        ("connection: close, upgrade\r\nupgrade: WebSocket", Some("websocket")),
        ("upgrade: websocket", None),
    ] {
        let got = edge.ask(&format!("GET / HTTP/1.1\r\nhost: a.example\r\n{lines}\r\n\r\n")).await;
        assert_eq!((got.status(), got.text()), (200, "ok"), "{lines}");
        let asked = told.recv().await.unwrap();
        assert_eq!(asked.field("upgrade"), upgrade, "{lines}");
        assert_eq!(asked.field("connection"), upgrade.map(|_| "upgrade"), "{lines}");
        assert_eq!(asked.field("http2-settings"), None);
    }
    // A WebSocket is asked for without a body (RFC 6455, section 4.1).
    let ask = "POST / HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nhi";
    assert_eq!(edge.ask(ask).await.text(), "ok");
    let asked = told.recv().await.unwrap();
    assert_eq!((asked.field("upgrade"), asked.field("content-length")), (None, Some("2")));
}

#[tokio::test]
async fn who_has_ended_may_still_listen() {
    let address = origin(|mut wire| async move {
        wire.read_head().await;
        wire.send(SWITCHED).await;
        // The client's last byte, and then its end, which is not the origin's.
        assert_eq!(wire.read(9).await, b"hello");
        wire.send("and goodbye").await;
    })
    .await;
    let edge = Edge::start(config(address));
    let mut client = TcpStream::connect(edge.address).await.unwrap();
    client.write_all(ASK.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    client.write_all(b"hello").await.unwrap();
    client.shutdown().await.unwrap();
    let mut said = String::new();
    client.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "and goodbye");
}

#[tokio::test]
async fn a_tunnel_that_is_silent_is_closed_at_both_ends() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let address = origin(move |mut wire| {
        let tell = tell.clone();
        async move {
            wire.read_head().await;
            wire.send(SWITCHED).await;
            tell.send(wire.is_closed().await).unwrap();
        }
    })
    .await;
    let mut config = config(address);
    config.limits.body_idle = Duration::from_millis(20);
    let edge = Edge::start(config);
    let mut client = edge.connect().await;
    client.send(ASK).await;
    assert_eq!(client.read_head().await.unwrap().status(), 101);
    assert!(client.is_closed().await);
    assert!(told.recv().await.unwrap());
}
