//! The tier behind memory.

use levee_native::{Forward, Options, StoreOptions};
use tempfile::TempDir;

use crate::support::{Edge, answering, config, nowhere, options};

const GET: &str = "GET /kept HTTP/1.1\r\nhost: a.example\r\n\r\n";

#[tokio::test]
async fn answers_outlive_the_process() {
    let dir = TempDir::new().unwrap();
    let options = || Options { store: Some(StoreOptions::new(dir.path().join("store.sqlite"))), ..options() };
    let address =
        answering("HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-length: 5\r\n\r\nhello").await;
    let edge = Edge::start_with(config(address), options(), Forward);
    assert_eq!(edge.ask(GET).await.text(), "hello");
    edge.stop().await.unwrap().unwrap();

    let edge = Edge::start_with(config(nowhere().await), options(), Forward);
    let answer = edge.ask(GET).await;
    assert_eq!(answer.text(), "hello");
    let timing = answer.head.field("server-timing").unwrap();
    assert!(timing.contains("cache;desc=\"hit\", tier;desc=\"sqlite\""), "{timing}");
    // Now it is in memory.
    let answer = edge.ask(GET).await;
    let timing = answer.head.field("server-timing").unwrap();
    assert!(timing.contains("tier;desc=\"memory\""), "{timing}");
}
