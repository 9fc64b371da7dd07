//! Origins that close kept-alive connections while a request is on its way.

use std::net::SocketAddr;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use levee_native::{Forward, Options};

use crate::support::{Edge, answering, config, options, origin};

/// An origin that answers one request a connection and closes when the first byte of the next has come: in the race of each
/// idle timeout. `connections` counts.
async fn closing(reads_the_rest: bool) -> (SocketAddr, Arc<AtomicUsize>) {
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    let address = origin(move |mut wire| {
        let counter = counter.clone();
        async move {
            counter.fetch_add(1, Ordering::SeqCst);
            let Some(head) = wire.read_head().await else { return };
            let size = head.field("content-length").map_or(0, |length| length.parse().unwrap());
            wire.read(size).await;
            wire.send("HTTP/1.1 200 OK\r\ncache-control: no-store\r\ncontent-length: 2\r\n\r\nok").await;
            // What has come and is not read makes the system reset the connection.
            wire.read(1).await;
            if reads_the_rest {
                wire.read_head().await;
            }
        }
    })
    .await;
    (address, connections)
}

fn one_thread() -> Options {
    Options { threads: NonZero::<usize>::MIN, ..options() }
}

#[tokio::test]
async fn a_request_that_may_be_repeated_does_not_fail() {
    for reads_the_rest in [false, true] {
        for method in ["GET", "HEAD", "DELETE", "OPTIONS"] {
            let (address, connections) = closing(reads_the_rest).await;
            let edge = Edge::start_with(config(address), one_thread(), Forward);
            let mut client = edge.connect().await;
            for number in 0..20 {
                client.send(format!("{method} /{number} HTTP/1.1\r\nhost: a.example\r\n\r\n")).await;
                let head = client.read_head().await.unwrap();
                assert_eq!(head.status(), 200, "{method} {number}");
                if method != "HEAD" {
                    assert_eq!(client.read(2).await, b"ok");
                }
            }
            assert!(connections.load(Ordering::SeqCst) >= 20);
        }
    }
}

/// The one that is lost says nothing about the origin: the next ones still go to it.
#[tokio::test]
async fn a_request_that_must_not_be_repeated_changes_nothing_for_others() {
    let (address, _) = closing(false).await;
    let backup =
        answering("HTTP/1.1 200 OK\r\ncache-control: no-store\r\ncontent-length: 6\r\n\r\nbackup").await;
    let mut config = config(address);
    let mut other = config.origins[0].clone();
    (other.name, other.url, other.backup) = ("backup".to_owned(), format!("http://{backup}"), true);
    config.origins.push(other);
    let edge = Edge::start_with(config, one_thread(), Forward);
    let mut client = edge.connect().await;
    let mut lost = 0;
    for number in 0..20 {
        client.send("POST /order HTTP/1.1\r\nhost: a.example\r\ncontent-length: 2\r\n\r\nhi").await;
        let order = client.read_message().await;
        lost += usize::from(order.status() == 502);
        assert!(matches!(order.status(), 200 | 502), "{number} {order:?}");
        client.send(format!("GET /{number} HTTP/1.1\r\nhost: a.example\r\n\r\n")).await;
        let got = client.read_message().await;
        assert_eq!((got.status(), got.text()), (200, "ok"), "{number}");
    }
    assert!(lost > 0, "the race was never met");
}
