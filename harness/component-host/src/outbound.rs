//! HTTP requests of the component: to allowed hosts alone, with its time limits, unchanged both ways.

use std::error::Error as StdError;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::header::HOST;
use http::uri::{Authority, Scheme};
use http::{Request, Response, Uri};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::{Sleep, sleep, timeout};
use tower_service::Service;
use wasmtime_wasi::TrappableError;
use wasmtime_wasi_http::p3::bindings::http::types::{DnsErrorPayload, ErrorCode};
use wasmtime_wasi_http::p3::{RequestOptions, WasiHttpHooks};

use crate::app::App;

/// Each of the three time limits, where the component sets none; Spin's.
const TIMEOUT: Duration = Duration::from_secs(600);

/// The name under which a component reaches its own application where its language wants one.
const ITSELF: &str = "self.alt";

pub(crate) type OutboundClient = Client<TimedConnector, Body>;

tokio::task_local! {
    /// Time limit of the connection that the request under way may need.
    static CONNECT_TIMEOUT: Duration;
}

/// How wasmtime-wasi-http sends requests. Which fields a component may not set it knows itself.
pub(crate) struct Hooks(pub(crate) Arc<App>);

type Body = UnsyncBoxBody<Bytes, ErrorCode>;
type Processed = Box<dyn Future<Output = Result<(), ErrorCode>> + Send>;
type Sending = dyn Future<Output = Result<(Response<Body>, Processed), TrappableError<ErrorCode>>> + Send;

impl WasiHttpHooks for Hooks {
    fn set_host_header(&mut self) -> bool {
        // The client does, from the authority.
        false
    }

    fn send_request(
        &mut self,
        request: Request<Body>,
        options: Option<RequestOptions>,
        _processed: Processed,
    ) -> Box<Sending> {
        let app = Arc::clone(&self.0);
        Box::new(async move {
            let response = send(&app, request, options.unwrap_or_default()).await?;
            // What the connection has to report comes with the body.
            let io: Processed = Box::new(async { Ok(()) });
            Ok((response, io))
        })
    }
}

async fn send(
    app: &App,
    mut request: Request<Body>,
    options: RequestOptions,
) -> Result<Response<Body>, ErrorCode> {
    let target = allowed_target(app, request.uri())?;
    *request.uri_mut() = target;
    request.headers_mut().remove(HOST);
    let connect = options.connect_timeout.unwrap_or(TIMEOUT);
    let first_byte = options.first_byte_timeout.unwrap_or(TIMEOUT);
    let between_bytes = options.between_bytes_timeout.unwrap_or(TIMEOUT);
    let answered = CONNECT_TIMEOUT.scope(connect, app.client.request(request));
    let response = timeout(first_byte, answered)
        .await
        .map_err(|_| ErrorCode::ConnectionReadTimeout)?
        .map_err(|error| reason(&error))?;
    Ok(response.map(|body| TimedBody { body: Some(body), between_bytes, waiting: None }.boxed_unsync()))
}

/// Where a request goes, if it may.
fn allowed_target(app: &App, uri: &Uri) -> Result<Uri, ErrorCode> {
    let authority = uri.authority().filter(|authority| !authority.host().is_empty());
    let denied = || {
        tracing::warn!(url = %uri, "the host is not among the allowed outbound hosts");
        ErrorCode::HttpRequestDenied
    };
    match authority {
        Some(authority) if authority.host() != ITSELF => {
            let scheme = uri.scheme_str().unwrap_or("https");
            let allowed = app.manifest.allowed_hosts.allow(scheme, authority.host(), authority.port_u16());
            if allowed { Ok(uri.clone()) } else { Err(denied()) }
        }
        _ if !app.manifest.allowed_hosts.allow_itself() => Err(denied()),
        _ => {
            let mut parts = uri.clone().into_parts();
            parts.scheme = Some(Scheme::HTTP);
            let address = app.address.get().ok_or(ErrorCode::HttpRequestUriInvalid)?.to_string();
            let authority = Authority::try_from(address).map_err(|_| ErrorCode::HttpRequestUriInvalid)?;
            parts.authority = Some(authority);
            Uri::from_parts(parts).map_err(|_| ErrorCode::HttpRequestUriInvalid)
        }
    }
}

pub(crate) fn client() -> OutboundClient {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    let connector =
        HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1().wrap_connector(tcp);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(TimedConnector(connector))
}

/// Connects within the time that the request gives.
#[derive(Clone)]
pub(crate) struct TimedConnector(HttpsConnector<HttpConnector>);

/// Its error: which of the three it was decides what the component hears.
#[derive(Debug, thiserror::Error)]
#[error("the connection was not made in time")]
struct Late;

type Connected = <HttpsConnector<HttpConnector> as Service<Uri>>::Response;
type BoxError = Box<dyn StdError + Send + Sync>;

impl Service<Uri> for TimedConnector {
    type Response = Connected;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Connected, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // Read now: the pool may finish a connection in a task of its own.
        let within = CONNECT_TIMEOUT.try_with(|within| *within).unwrap_or(TIMEOUT);
        let connecting = self.0.call(uri);
        Box::pin(async move { timeout(within, connecting).await.map_err(|_| BoxError::from(Late))? })
    }
}

/// What Spin's `error-code` calls it.
fn reason(error: &hyper_util::client::legacy::Error) -> ErrorCode {
    tracing::debug!(?error, "an outbound request failed");
    let causes = || std::iter::successors(Some(error as &(dyn StdError + 'static)), |&cause| cause.source());
    if !error.is_connect() {
        return ErrorCode::HttpProtocolError;
    }
    if causes().any(|cause| cause.downcast_ref::<Late>().is_some()) {
        return ErrorCode::ConnectionTimeout;
    }
    if causes().any(|cause| cause.to_string().starts_with("dns error")) {
        return ErrorCode::DnsError(DnsErrorPayload {
            rcode: Some(String::from("name not resolved")),
            info_code: None,
        });
    }
    let tls = |cause: &(dyn StdError + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
    };
    if causes().any(tls) { ErrorCode::TlsProtocolError } else { ErrorCode::ConnectionRefused }
}

/// An origin's body, each part of which must come in time. One that does not lets go of its connection.
struct TimedBody {
    body: Option<Incoming>,
    between_bytes: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl http_body::Body for TimedBody {
    type Data = Bytes;
    type Error = ErrorCode;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ErrorCode>>> {
        let Some(body) = &mut self.body else { return Poll::Ready(None) };
        if let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) {
            self.waiting = None;
            return Poll::Ready(frame.map(|frame| frame.map_err(|_| ErrorCode::HttpProtocolError)));
        }
        let between_bytes = self.between_bytes;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(sleep(between_bytes)));
        ready!(waiting.as_mut().poll(cx));
        self.body = None;
        Poll::Ready(Some(Err(ErrorCode::ConnectionReadTimeout)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map(Incoming::size_hint).unwrap_or_default()
    }
}
