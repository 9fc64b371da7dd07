//! A server that components call.

use std::convert::Infallible;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::channel::{Channel, Sender};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;

use crate::client::PATIENCE;

type Body = BoxBody<Bytes, hyper::Error>;

pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    /// What was asked for: method, target and fields.
    seen: UnboundedReceiver<String>,
}

impl Origin {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (sees, seen) = unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let sees = sees.clone();
                let service = service_fn(move |request: Request<Incoming>| {
                    let _ =
                        sees.send(format!("{} {} {:?}", request.method(), request.uri(), request.headers()));
                    async move { Ok::<_, Infallible>(answer(request).await) }
                });
                tokio::spawn(
                    hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service),
                );
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next request that came.
    pub(crate) async fn seen(&mut self) -> String {
        timeout(PATIENCE, self.seen.recv()).await.expect("in time").expect("a request")
    }

    /// Whether nothing came that was not asked for by [`Origin::seen`].
    pub(crate) fn saw_nothing(&mut self) -> bool {
        self.seen.try_recv().is_err()
    }
}

async fn answer(request: Request<Incoming>) -> Response<Body> {
    match request.uri().path() {
        "/echo" => Response::new(request.into_body().boxed()),
        "/redirect" => {
            let mut response = Response::new(text(""));
            *response.status_mut() = StatusCode::FOUND;
            response.headers_mut().insert("location", HeaderValue::from_static("/elsewhere"));
            response
        }
        // Not gzip at all: whoever unpacks it fails.
        "/coded" => {
            let mut response = Response::new(text("as it is"));
            response.headers_mut().insert("content-encoding", HeaderValue::from_static("gzip"));
            response
        }
        "/close" => {
            let mut response = Response::new(text("closing"));
            response.headers_mut().insert("connection", HeaderValue::from_static("close"));
            response
        }
        "/silent" => std::future::pending().await,
        "/stalls" => {
            let (mut sender, body) = Channel::<Bytes, hyper::Error>::new(1);
            tokio::spawn(async move {
                let _ = sender.send_data(Bytes::from_static(b"first")).await;
                hold(sender).await;
            });
            Response::new(body.boxed())
        }
        _ => Response::new(text("origin")),
    }
}

/// Keeps a body open for ever.
async fn hold(_body: Sender<Bytes, hyper::Error>) {
    std::future::pending::<()>().await;
}

fn text(text: &'static str) -> Body {
    if text.is_empty() {
        return Empty::new().map_err(|never| match never {}).boxed();
    }
    Full::new(Bytes::from_static(text.as_bytes())).map_err(|never| match never {}).boxed()
}
