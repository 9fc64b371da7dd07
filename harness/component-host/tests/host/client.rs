//! A client that can hold a request's body open.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client as Pool;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;

/// Against hanging alone.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

type Body = BoxBody<Bytes, Infallible>;

#[derive(Clone)]
pub(crate) struct Client {
    pool: Pool<HttpConnector, Body>,
    url: String,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        Self { pool: Pool::builder(TokioExecutor::new()).build_http(), url: url.to_owned() }
    }

    /// A request to a path, to be changed.
    pub(crate) fn request(&self, path: &str) -> http::request::Builder {
        Request::builder().uri(format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(path), "").await
    }

    /// The text of a 200.
    pub(crate) async fn text(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
        answer.text
    }

    pub(crate) async fn send(&self, request: http::request::Builder, body: &'static str) -> Answer {
        let body = Full::new(Bytes::from_static(body.as_bytes())).boxed();
        let response = self.begin(request.body(body).expect("a request")).await;
        let (parts, body) = response.into_parts();
        let body = timeout(PATIENCE, body.collect()).await.expect("in time").expect("a whole body");
        let text = String::from_utf8_lossy(&body.to_bytes()).into_owned();
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) async fn begin(&self, request: Request<Body>) -> Response<Incoming> {
        timeout(PATIENCE, self.pool.request(request)).await.expect("in time").expect("an answer")
    }

    /// A body of which one part after the other is sent; it ends when the sender is dropped.
    pub(crate) fn open_body() -> (Sender<Bytes>, Body) {
        let (sender, body) = Channel::new(1);
        (sender, body.boxed())
    }
}

/// The next part of a body; `None` at its end.
pub(crate) async fn next(body: &mut Incoming) -> Option<String> {
    let frame = timeout(PATIENCE, body.frame()).await.expect("in time")?;
    let data = frame.expect("a part").into_data().expect("data");
    Some(String::from_utf8_lossy(&data).into_owned())
}
