//! Exchanges with origins: HTTP/1.1 over connections that one thread keeps for itself.

mod connect;
mod endpoint;
mod error;
mod idle;
mod outgoing;
mod tls;
mod tunnel;

use std::rc::Rc;
use std::time::Duration;

use http::header::{CONTENT_LENGTH, HOST, HeaderValue, TRANSFER_ENCODING};
use http::{Method, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::client::conn::http1::SendRequest;
use hyper::upgrade::OnUpgrade;
use levee::platform::{Deadlines, FetchError};

use crate::body::Body;
use endpoint::Endpoint;
use idle::Idle;
use outgoing::{Outgoing, Written};

pub(crate) use tls::Tls;

/// The connections of one thread to all origins. It retries nothing, follows no redirect and recodes no body.
#[derive(Debug)]
pub(crate) struct Client {
    idle: Rc<Idle>,
    tls: Tls,
}

impl Client {
    /// `keep` is how long a connection may lie unused before it is closed.
    pub(crate) fn new(tls: Tls, keep: Duration) -> Self {
        Self { idle: Rc::new(Idle::new(keep)), tls }
    }

    /// Closes the connections that have not been used for too long, now and then, until dropped.
    pub(crate) fn sweep(&self) -> impl Future<Output = ()> + 'static {
        let idle = Rc::downgrade(&self.idle);
        let period = self.idle.keep().max(Duration::from_secs(1));
        async move {
            loop {
                tokio::time::sleep(period).await;
                let Some(idle) = idle.upgrade() else { return };
                idle.sweep();
            }
        }
    }

    /// See [`levee::platform::Fetch::fetch`].
    pub(crate) async fn fetch(
        &self,
        mut request: Request<Body>,
        deadlines: Deadlines,
    ) -> Result<Response<Body>, FetchError> {
        let endpoint = Endpoint::of(request.uri())?;
        let client_upgrade = request.extensions_mut().remove::<OnUpgrade>();
        let (mut request, mut written) = finish(request, &endpoint)?;
        let (mut response, sender) = loop {
            let reused = self.idle.take(&endpoint);
            let is_reused = reused.is_some();
            let mut sender = match reused {
                Some(sender) => sender,
                None => self.connect(&endpoint, deadlines.connect).await?,
            };
            let sent = tokio::select! {
                biased;
                sent = sender.try_send_request(request) => sent,
                () = written.then_sleep(deadlines.first_byte) => return Err(FetchError::ResponseTimeout),
            };
            match sent {
                Ok(response) => break (response, sender),
                // The origin had closed an idle connection, and nothing of the request was written: this is
                // no second attempt.
                Err(mut unsent) if is_reused => match unsent.take_message() {
                    Some(back) => request = back,
                    None => return Err(error::of_exchange(&unsent.into_error())),
                },
                Err(unsent) => return Err(error::of_exchange(&unsent.into_error())),
            }
        };
        // An intermediary speaks its own version (RFC 9110, section 2.5).
        *response.version_mut() = http::Version::HTTP_11;
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(client) = client_upgrade else {
                return Err(FetchError::Protocol("it switches protocols unasked".to_owned()));
            };
            tunnel::splice(client, hyper::upgrade::on(&mut response));
            return Ok(response.map(|_| levee::body::Body::empty()));
        }
        self.keep(endpoint, sender);
        Ok(response.map(Body::from))
    }

    /// Puts the connection back once this exchange is over. One that breaks off never becomes ready again.
    fn keep(&self, endpoint: Endpoint, mut sender: SendRequest<Outgoing>) {
        let idle = self.idle.clone();
        tokio::task::spawn_local(async move {
            if sender.ready().await.is_ok() {
                idle.put(endpoint, sender);
            }
        });
    }

    async fn connect(
        &self,
        endpoint: &Endpoint,
        within: Duration,
    ) -> Result<SendRequest<Outgoing>, FetchError> {
        let connecting = async {
            let tcp = connect::tcp(endpoint).await?;
            if endpoint.https {
                handshake(self.tls.connect(endpoint, tcp).await?).await
            } else {
                handshake(tcp).await
            }
        };
        tokio::time::timeout(within, connecting).await.map_err(|_| FetchError::ConnectionTimeout)?
    }
}

async fn handshake<S>(stream: S) -> Result<SendRequest<Outgoing>, FetchError>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
{
    let io = hyper_util::rt::TokioIo::new(stream);
    let (sender, connection) =
        hyper::client::conn::http1::handshake(io).await.map_err(|error| error::of_exchange(&error))?;
    tokio::task::spawn_local(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "a connection to an origin ended");
        }
    });
    Ok(sender)
}

/// Gives the request the form it has on the wire: the target in origin-form (RFC 9112, section 3.2.1) beside `Host`,
/// and framing where hyper would not choose it.
fn finish(request: Request<Body>, endpoint: &Endpoint) -> Result<(Request<Outgoing>, Written), FetchError> {
    let (mut parts, body) = request.into_parts();
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    parts.uri = target.parse().map_err(|_| FetchError::Internal(format!("`{target}` is no target")))?;
    parts.version = http::Version::HTTP_11;
    if !parts.headers.contains_key(HOST) {
        let host = HeaderValue::from_str(&endpoint.authority)
            .map_err(|_| FetchError::Internal(format!("`{}` is no host", endpoint.authority)))?;
        parts.headers.insert(HOST, host);
    }
    match body.size_hint().exact() {
        // Said explicitly: hyper leaves out the body of a GET of unknown length.
        None => {
            parts.headers.remove(CONTENT_LENGTH);
            parts.headers.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
        }
        // A method that usually has a body says that there is none (RFC 9110, section 8.6).
        Some(0) if matches!(parts.method, Method::POST | Method::PUT | Method::PATCH) => {
            parts.headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Some(_) => {}
    }
    let (body, written) = Outgoing::new(body);
    Ok((Request::from_parts(parts, body), written))
}
