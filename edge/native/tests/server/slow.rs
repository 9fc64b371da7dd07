//! Clients that take their time.

use std::time::Duration;

use levee_native::levee::config::Config;
use levee_native::{Forward, Options};

use crate::support::{Edge, answering, config, options, origin};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// With waits that a test can wait for.
fn impatient(origin: std::net::SocketAddr) -> Config {
    let mut config = config(origin);
    config.limits.body_idle = Duration::from_millis(100);
    config.limits.body_rate = 1 << 10;
    config
}

#[tokio::test]
async fn an_upload_that_stalls() {
    let address = origin(|mut wire| async move {
        wire.read_head().await;
        assert!(wire.is_closed().await);
    })
    .await;
    let edge = Edge::start(impatient(address));
    for framing in ["content-length: 100", "transfer-encoding: chunked"] {
        let mut client = edge.connect().await;
        client.send(format!("POST / HTTP/1.1\r\nhost: a\r\n{framing}\r\n\r\n")).await;
        let got = client.read_message().await;
        assert_eq!(got.status(), 408, "{}", got.text());
        assert_eq!(got.head.field("content-type"), Some("application/problem+json"));
        assert_eq!(got.head.field("connection"), Some("close"));
        assert!(client.is_closed().await);
    }
}

/// A byte now and then keeps nothing alive.
#[tokio::test]
async fn an_upload_that_trickles() {
    let address = origin(|mut wire| async move {
        wire.read_head().await;
        while !wire.read(1).await.is_empty() {}
    })
    .await;
    let edge = Edge::start(impatient(address));
    let mut client = edge.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\n").await;
    let mut answer = client.split_off();
    let trickle = tokio::spawn(async move {
        loop {
            client.send("x").await;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
    let got = answer.read_message().await;
    trickle.abort();
    assert_eq!(got.status(), 408, "{}", got.text());
}

/// The crowd of issue 10: uploads that never send anything take nothing from anyone for long.
#[tokio::test]
async fn many_uploads_that_stall_are_all_let_go() {
    let address = answering(OK).await;
    let edge = Edge::start(impatient(address));
    let mut stalled = Vec::new();
    for _ in 0..200 {
        let mut client = edge.connect().await;
        client.send("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n").await;
        stalled.push(client);
    }
    for client in &mut stalled {
        // The origin answers before it has the body, or the edge says that it did not come, or that there is no room.
        assert!(matches!(client.read_message().await.status(), 200 | 408 | 503));
    }
    let got = edge.ask("GET /next HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(got.text(), "ok");
}

/// The head has a time as a whole, however regularly its bytes come.
#[tokio::test]
async fn a_head_that_trickles() {
    let options = Options { head_timeout: Duration::from_millis(300), ..options() };
    let edge = Edge::start_with(config(answering(OK).await), options, Forward);
    let mut client = edge.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: a\r\nx: ").await;
    let mut end = client.split_off();
    let trickle = tokio::spawn(async move {
        loop {
            client.send("y").await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(end.is_closed().await);
    trickle.abort();
}

/// A response that nobody reads ends with its connection.
#[tokio::test]
async fn a_client_that_does_not_read() {
    for framing in [format!("content-length: {}", 1_u64 << 40), "transfer-encoding: chunked".to_owned()] {
        let (told, mut ended) = tokio::sync::mpsc::channel(1);
        let address = origin(move |mut wire| {
            let (told, framing) = (told.clone(), framing.clone());
            async move {
                wire.read_head().await;
                wire.send(format!("HTTP/1.1 200 OK\r\n{framing}\r\n\r\n")).await;
                let chunk = [&b"10000\r\n"[..], &[b'x'; 1 << 16], b"\r\n"].concat();
                while wire.try_send(&chunk).await.is_ok() {}
                let _ = told.send(()).await;
            }
        })
        .await;
        let edge = Edge::start(impatient(address));
        let mut client = edge.connect().await;
        client.send("DELETE / HTTP/1.1\r\nhost: a\r\n\r\n").await;
        // The origin is let go because the client is.
        ended.recv().await.unwrap();
        // And what the client then reads is not the whole.
        let head = client.read_head().await.unwrap();
        assert_eq!(head.status(), 200);
        loop {
            match head.field("transfer-encoding") {
                Some(_) => match client.read_chunk().await {
                    Some(chunk) => assert!(!chunk.is_empty()),
                    None => break,
                },
                None if client.read(1 << 20).await.is_empty() => break,
                None => {}
            }
        }
    }
}

/// A client that reads slowly, but reads, gets everything.
#[tokio::test]
async fn a_client_that_reads_slowly() {
    const SIZE: usize = 8 << 20;
    let address = origin(|mut wire| async move {
        wire.read_head().await;
        wire.send(format!("HTTP/1.1 200 OK\r\ncontent-length: {SIZE}\r\n\r\n")).await;
        let _ = wire.try_send(&vec![b'x'; SIZE]).await;
        wire.is_closed().await;
    })
    .await;
    let mut config = config(address);
    config.limits.body_idle = Duration::from_millis(1_500);
    config.limits.body_rate = 1 << 10;
    let edge = Edge::start(config);
    let mut client = edge.connect().await;
    client.send("DELETE / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert_eq!(client.read_head().await.unwrap().status(), 200);
    let mut got = 0;
    while got < SIZE {
        let bytes = client.read((128 << 10).min(SIZE - got)).await;
        assert!(!bytes.is_empty(), "{got}");
        got += bytes.len();
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}

/// What is stored is in memory once, however many read it and however slowly: nobody has to go for it.
#[tokio::test]
async fn many_may_read_slowly_what_is_stored() {
    const SIZE: usize = 6 << 20;
    let address = origin(|mut wire| async move {
        while wire.read_head().await.is_some() {
            wire.send(format!(
                "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-length: {SIZE}\r\n\r\n"
            ))
            .await;
            wire.send(vec![b'x'; SIZE]).await;
        }
    })
    .await;
    let mut config = config(address);
    config.limits.object = 16 << 20;
    config.limits.memory = 512 << 20;
    let options = Options { client_buffers: 1 << 20, ..options() };
    let edge = Edge::start_with(config, options, Forward);
    let get = "GET /popular HTTP/1.1\r\nhost: a\r\n\r\n";
    // Until it is there.
    while edge.ask(get).await.head.field("cache-status").is_none_or(|status| !status.contains("hit")) {}
    let mut clients = Vec::new();
    for _ in 0..30 {
        let mut client = edge.connect().await;
        client.send(get).await;
        assert_eq!(client.read_head().await.unwrap().status(), 200);
        clients.push(client);
    }
    // None of them has more yet than its system took by itself.
    for client in &mut clients {
        assert_eq!(client.read(SIZE).await.len(), SIZE);
    }
}

/// Where only the connection's end says where a response ends, one that breaks off ends with a reset.
#[tokio::test]
async fn a_response_that_breaks_off_does_not_look_complete_to_http_1_0() {
    let address = origin(|mut wire| async move {
        wire.read_head().await;
        wire.send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n").await;
    })
    .await;
    let edge = Edge::start(config(address));
    for request in ["GET / HTTP/1.0\r\nhost: a\r\n\r\n", "DELETE / HTTP/1.0\r\nhost: a\r\n\r\n"] {
        let mut client = edge.connect().await;
        client.send(request).await;
        let error = client.read_to_end().await.unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{request}");
    }
}
