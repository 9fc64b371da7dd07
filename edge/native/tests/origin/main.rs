//! What origins may say, and what clients see of it: a server in this process between raw peers.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by failing")]

mod fields;
mod framing;
mod interim;
mod reuse;
mod stalls;
#[allow(dead_code, reason = "shared with the tests of the server")]
#[path = "../server/support.rs"]
mod support;
mod tunnels;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::origin;

const GET: &str = "GET / HTTP/1.1\r\nhost: a.example\r\n\r\n";

/// An origin that answers with `answer` and counts how often; it closes afterwards, as no length may say where that ends.
async fn counting(answer: impl AsRef<[u8]> + Send + Sync + 'static) -> (SocketAddr, Arc<AtomicUsize>) {
    let (asked, answer) = (Arc::new(AtomicUsize::new(0)), Arc::new(answer));
    let counter = asked.clone();
    let address = origin(move |mut wire| {
        let (counter, answer) = (counter.clone(), answer.clone());
        async move {
            if wire.read_head().await.is_some() {
                counter.fetch_add(1, Ordering::SeqCst);
                wire.send(&*answer).await;
            }
        }
    })
    .await;
    (address, asked)
}
