//! Takes requests as Spin's HTTP trigger does, and hands them to instances.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST};
use http::uri::{Authority, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri};
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use wasmtime_wasi_http::handler::{ErrorCode, ProxyHandler};
use wasmtime_wasi_http::p3::bindings::http::types;

use crate::app::{self, App, Options};
use crate::instances::Instances;
use crate::{Error, Manifest, Route, beside};

/// Paths that Spin answers itself.
const WELL_KNOWN: &str = "/.well-known/spin/";
/// What a host ends in that is another component of the application.
const CHAINED: &str = ".spin.internal";
/// How long requests, and work after responses, may still take when the host stops.
const DRAIN: Duration = Duration::from_secs(8);

type Answer = wasmtime_wasi_http::handler::Response;

/// A component that listens.
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    host: Arc<Host>,
}

struct Host {
    app: Arc<App>,
    handler: ProxyHandler<Instances>,
}

impl Server {
    /// Compiles the component and listens; port 0 is any free one.
    ///
    /// # Errors
    /// Each [`Error`] but [`Error::Variable`].
    pub async fn start(manifest: Manifest, options: Options, listen: SocketAddr) -> Result<Self, Error> {
        // Compiling takes seconds, and is no work for a thread that others wait on.
        let loaded = tokio::task::spawn_blocking(move || app::load(manifest, &options)).await;
        let (app, handler) = loaded.map_err(|error| Error::Io {
            what: String::from("compiling the component"),
            source: std::io::Error::other(error),
        })??;
        let failed = |source| Error::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // Set here alone, so it is not set yet.
        let _ = app.address.set(address);
        Ok(Self { listener, address, host: Arc::new(Host { app, handler }) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers until `stop` is ready, then finishes what it has begun, for some seconds.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let graceful = GracefulShutdown::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let accepted = tokio::select! {
                () = &mut stop => break,
                accepted = self.listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, client)) => self.connection(stream, client, &graceful),
                Err(error) => {
                    // No file descriptors left, mostly: others end meanwhile.
                    tracing::warn!("a connection could not be accepted: {error}");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        drop(self.listener);
        let instances = self.host.handler.state();
        let finished = async {
            graceful.shutdown().await;
            instances.draining.cancel();
            instances.alive.close();
            instances.alive.wait().await;
        };
        if tokio::time::timeout(DRAIN, finished).await.is_err() {
            tracing::warn!("stopped before all requests were answered");
        }
    }

    fn connection(&self, stream: TcpStream, client: SocketAddr, graceful: &GracefulShutdown) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("TCP_NODELAY: {error}");
        }
        let host = Arc::clone(&self.host);
        let (stream, heads) = beside::watched(stream);
        let service = service_fn(move |mut request: Request<Incoming>| {
            let host = Arc::clone(&host);
            if let Some(length) = heads.length_beside_coding(&request) {
                request.headers_mut().insert(CONTENT_LENGTH, length);
            }
            async move { host.answer(request, client).await }
        });
        let connection =
            http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
        let connection = graceful.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!("a connection ended: {error}");
            }
        });
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("address", &self.address).finish_non_exhaustive()
    }
}

/// What Spin answers by closing the connection.
#[derive(Debug, thiserror::Error)]
#[error("a request was not answered: {0}")]
struct Unanswered(&'static str);

impl Host {
    async fn answer(&self, request: Request<Incoming>, client: SocketAddr) -> Result<Answer, Unanswered> {
        let (mut parts, body) = request.into_parts();
        strip(&mut parts.headers);
        let path = parts.uri.path().to_owned();
        if let Some(name) = path.strip_prefix(WELL_KNOWN) {
            return Ok(match name {
                "health" => full("OK"),
                _ => empty(StatusCode::NOT_FOUND),
            });
        }
        let Some(route) = self.app.manifest.route(&path) else { return Ok(empty(StatusCode::NOT_FOUND)) };
        parts.uri = absolute(parts.uri, &parts.headers).map_err(Unanswered)?;
        if let Err(why) = prepare(&parts.uri, &mut parts.headers, route, client) {
            tracing::error!("a request was refused: {why}");
            return Ok(empty(StatusCode::INTERNAL_SERVER_ERROR));
        }
        let broken = |_| ErrorCode::P3(types::ErrorCode::HttpProtocolError);
        let request = Request::from_parts(parts, body.map_err(broken).boxed_unsync());
        Ok(match self.handler.handle((), request).await {
            Ok(response) => response,
            Err(error) => {
                tracing::error!("a request failed: {error:?}");
                empty(StatusCode::INTERNAL_SERVER_ERROR)
            }
        })
    }
}

/// The fields that no component sees.
fn strip(headers: &mut HeaderMap) {
    let names_a_component = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .is_some_and(|host| host.parse::<Authority>().is_ok_and(|host| host.host().ends_with(CHAINED)));
    if names_a_component {
        headers.remove(HOST);
    }
    headers.remove(CONNECTION);
}

/// The URL that is meant, by the target and `Host`.
fn absolute(uri: Uri, headers: &HeaderMap) -> Result<Uri, &'static str> {
    let given = match headers.get(HOST) {
        Some(host) => {
            let host = host.to_str().map_err(|_| "the Host field is not ASCII")?;
            Some(host.parse::<Authority>().map_err(|_| "the Host field is not a host")?)
        }
        None => None,
    };
    let mut uri = uri.into_parts();
    uri.authority = match (given, uri.authority) {
        (Some(given), Some(target)) if given != target => {
            return Err("the Host field and the target name different hosts");
        }
        (given, target) => given.or(target),
    };
    if uri.authority.is_none() {
        return Err("there is no Host field");
    }
    uri.scheme = Some(Scheme::HTTP);
    Uri::from_parts(uri).map_err(|_| "the target is not a URL")
}

/// What Spin does with a request before its component sees it.
fn prepare(
    uri: &Uri,
    headers: &mut HeaderMap,
    route: &Route,
    client: SocketAddr,
) -> Result<(), &'static str> {
    if headers.values().any(|value| std::str::from_utf8(value.as_bytes()).is_err()) {
        return Err("a header field is not UTF-8");
    }
    let rest = route.rest(uri.path()).unwrap_or_default().to_owned();
    for (name, value) in [
        ("spin-path-info", rest),
        ("spin-full-url", uri.to_string()),
        ("spin-matched-route", route.raw().to_owned()),
        ("spin-base-path", String::from("/")),
        ("spin-raw-component-route", route.raw().to_owned()),
        ("spin-component-route", route.component_route().to_owned()),
        ("spin-client-addr", client.to_string()),
    ] {
        let value = HeaderValue::try_from(value).map_err(|_| "the path does not fit a header field")?;
        // After those of the client's, if it sent any: so does Spin.
        headers.append(HeaderName::from_static(name), value);
    }
    Ok(())
}

fn empty(status: StatusCode) -> Answer {
    let mut response = Response::new(Empty::new().map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}

fn full(text: &'static str) -> Answer {
    let body = Full::new(Bytes::from_static(text.as_bytes()));
    Response::new(body.map_err(|never| match never {}).boxed_unsync())
}
