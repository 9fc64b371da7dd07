//! A handler of one's own behind the cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use http::{Request, Response};
use levee_native::{App, Body, Context, Result};

use crate::support::{Edge, answering, config, nowhere, options};

#[derive(Default)]
struct Shop {
    asked: Arc<AtomicUsize>,
}

impl App for Shop {
    async fn origin(&self, request: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        match request.uri().path() {
            "/price" => Ok(Response::builder().header("cache-control", "max-age=60").body("12.50".into())?),
            "/stream" => {
                let parts = ["a", "b", "c"].map(|part| Ok::<_, std::io::Error>(part.into()));
                Ok(Response::new(Body::stream(futures_util::stream::iter(parts))))
            }
            "/broken" => Err("the shop is closed".into()),
            "/panic" => panic!("a handler's own fault, which this test is about"),
            _ => cx.forward(request).await,
        }
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: a.example\r\n\r\n")
}

#[tokio::test]
async fn it_runs_on_a_miss_alone() {
    let shop = Shop::default();
    let asked = shop.asked.clone();
    let edge = Edge::start_with(config(nowhere().await), options(), shop);
    for _ in 0..5 {
        let answer = edge.ask(&get("/price")).await;
        assert_eq!((answer.status(), answer.text()), (200, "12.50"));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert!(edge.ask(&get("/price")).await.head.field("server-timing").unwrap().contains("desc=\"hit\""));
}

#[tokio::test]
async fn it_streams_forwards_and_fails() {
    let address = answering("HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\norigin").await;
    let edge = Edge::start_with(config(address), options(), Shop::default());
    assert_eq!(edge.ask(&get("/stream")).await.text(), "abc");
    assert_eq!(edge.ask(&get("/other")).await.text(), "origin");
    let failed = edge.ask(&get("/broken")).await;
    assert_eq!(failed.status(), 502);
    assert!(failed.text().contains("the shop is closed"), "{}", failed.text());
}

#[tokio::test]
async fn what_failed_behind_it_is_known() {
    let edge = Edge::start_with(config(nowhere().await), options(), Shop::default());
    let failed = edge.ask(&get("/other")).await;
    assert!(failed.head.field("proxy-status").unwrap().contains("connection_refused"), "{:?}", failed.head);
}

#[tokio::test]
async fn a_panic_ends_one_request() {
    let edge = Edge::start_with(config(nowhere().await), options(), Shop::default());
    let mut client = edge.connect().await;
    for _ in 0..2 {
        client.send(get("/panic")).await;
        let failed = client.read_message().await;
        assert_eq!(failed.status(), 500);
        assert!(failed.head.field("cache-status").is_some());
        client.send(get("/price")).await;
        assert_eq!(client.read_message().await.text(), "12.50");
    }
}
