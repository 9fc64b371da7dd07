//! Origins that fall silent, and those that do not listen: each wait has an end.

use std::time::Duration;

use levee_native::levee::config::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Edge, config, origin};

fn impatient(address: std::net::SocketAddr) -> Config {
    let mut config = config(address);
    config.limits.body_idle = Duration::from_millis(200);
    config
}

/// Everyone who waits for a body learns that it has broken off, and nobody gets it as whole.
#[tokio::test]
async fn a_body_that_stalls_is_broken_off_for_all() {
    for (method, head) in [
        ("GET", "cache-control: max-age=60\r\ncontent-length: 100"),
        ("GET", "cache-control: max-age=60\r\ntransfer-encoding: chunked"),
        ("GET", "cache-control: max-age=60"),
        ("GET", "cache-control: no-store\r\ncontent-length: 100"),
        ("DELETE", "transfer-encoding: chunked"),
        ("DELETE", "x: y"),
    ] {
        let address = origin(move |mut wire| async move {
            wire.read_head().await;
            wire.send(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n")).await;
            wire.send(if head.contains("chunked") { "5\r\nhello\r\n" } else { "hello" }).await;
            // Until the edge gives it up.
            wire.is_closed().await;
        })
        .await;
        let edge = Edge::start(impatient(address));
        let request = format!("{method} / HTTP/1.1\r\nhost: a.example\r\n\r\n");
        let answers = futures_util::future::join_all((0..4).map(|_| edge.ask(&request))).await;
        for answer in answers {
            assert!(answer.is_cut || answer.status() >= 500, "{method} {head} {answer:?}");
        }
    }
}

#[tokio::test]
async fn an_origin_that_does_not_take_a_request_is_a_timeout() {
    let address = origin(|wire| async move {
        // It reads nothing, for as long as the test runs.
        let _wire = wire;
        std::future::pending::<()>().await;
    })
    .await;
    let edge = Edge::start(impatient(address));
    let stream = tokio::net::TcpStream::connect(edge.address).await.unwrap();
    let (mut read, mut write) = stream.into_split();
    let upload = tokio::spawn(async move {
        let head = format!("POST / HTTP/1.1\r\nhost: a.example\r\ncontent-length: {}\r\n\r\n", 1_u64 << 40);
        write.write_all(head.as_bytes()).await.unwrap();
        while write.write_all(&[0; 64 << 10]).await.is_ok() {}
    });
    let mut start = [0; 12];
    read.read_exact(&mut start).await.unwrap();
    assert_eq!(&start, b"HTTP/1.1 504");
    upload.abort();
}
