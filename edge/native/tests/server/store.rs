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

    let edge = Edge::start_with(config(address), options(), Forward);
    let answer = edge.ask(GET).await;
    assert_eq!(answer.text(), "hello");
    let timing = answer.head.field("server-timing").unwrap();
    assert!(timing.contains("cache;desc=\"hit\", tier;desc=\"sqlite\""), "{timing}");
    // Now it is in memory.
    let answer = edge.ask(GET).await;
    let timing = answer.head.field("server-timing").unwrap();
    assert!(timing.contains("tier;desc=\"memory\""), "{timing}");
}

#[tokio::test]
async fn a_store_answers_for_the_origin_that_filled_it_alone() {
    const OTHER: &str = "HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-length: 5\r\n\r\nother";
    let dir = TempDir::new().unwrap();
    let options = || Options { store: Some(StoreOptions::new(dir.path().join("store.sqlite"))), ..options() };
    let first =
        answering("HTTP/1.1 200 OK\r\ncache-control: max-age=600\r\ncontent-length: 5\r\n\r\nhello").await;
    let second = answering(OTHER).await;
    // One after the other and at the same time.
    let one = Edge::start_with(config(first), options(), Forward);
    assert_eq!(one.ask(GET).await.text(), "hello");
    let other = Edge::start_with(config(second), options(), Forward);
    assert_eq!(other.ask(GET).await.text(), "other");
    one.stop().await.unwrap().unwrap();
    other.stop().await.unwrap().unwrap();
    for (address, text) in [(first, "hello"), (second, "other")] {
        let edge = Edge::start_with(config(address), options(), Forward);
        let answer = edge.ask(GET).await;
        assert_eq!(answer.text(), text);
        let timing = answer.head.field("server-timing").unwrap();
        assert!(timing.contains("tier;desc=\"sqlite\""), "{timing}");
        edge.stop().await.unwrap().unwrap();
    }
    let edge = Edge::start_with(config(nowhere().await), options(), Forward);
    assert_eq!(edge.ask(GET).await.status(), 502);
}
