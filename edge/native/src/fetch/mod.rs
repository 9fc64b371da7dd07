//! Exchanges with origins: HTTP/1.1 over connections that one thread keeps for itself.

mod connect;
mod connection;
mod endpoint;
mod error;
mod framing;
mod idle;
mod outgoing;
mod socket;
mod tls;
mod tunnel;

use std::rc::Rc;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use levee::platform::{Deadlines, FetchError, FetchOptions};

use crate::body::Body;
use connection::Connection;
use endpoint::Endpoint;
use framing::Reuse;
use idle::Idle;
use outgoing::Outgoing;
use socket::Socket;

pub(crate) use tls::Tls;

/// The connections of one thread to all origins. It follows no redirect and recodes no body, and it sends a request again only
/// where nothing of it was sent.
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
    ///
    /// A request that the origin does not take is a [`FetchError::ResponseTimeout`], as is a response that does not begin.
    pub(crate) async fn fetch(
        &self,
        mut request: Request<Body>,
        options: FetchOptions,
    ) -> Result<Response<Body>, FetchError> {
        let deadlines = options.deadlines;
        let endpoint = Endpoint::of(request.uri())?;
        let method = request.method().clone();
        let upgrade = tunnel::asked(&mut request);
        let (parts, body) = framing::of_request(request, &endpoint, upgrade.is_some())?.into_parts();
        let (body, mut written) = Outgoing::new(body);
        let mut request = Request::from_parts(parts, body);
        let mut fresh = options.fresh_connection;
        let (mut response, connection) = loop {
            let reused = if fresh { None } else { self.idle.take(&endpoint) };
            let is_reused = reused.is_some();
            let mut connection = match reused {
                Some(connection) => connection,
                None => self.connect(&endpoint, &deadlines).await?,
            };
            let sent = tokio::select! {
                biased;
                sent = connection.send(request) => sent,
                () = written.then_sleep(deadlines.first_byte) => return Err(FetchError::ResponseTimeout),
            };
            match sent {
                Ok(response) => break (response, connection),
                Err(mut unsent) => match unsent.take_message() {
                    // The origin had closed an idle connection, and nothing of the request was sent: this is no second try.
                    Some(back) if is_reused => (request, fresh) = (back, true),
                    _ => {
                        let closed = is_reused && !connection.was_heard();
                        let error = unsent.error();
                        return Err(match written.fault() {
                            Some(fault) => fault.into(),
                            None if closed => error::of_reused(error),
                            None => error::of_exchange(error),
                        });
                    }
                },
            }
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            return tunnel::open(upgrade, response, &deadlines);
        }
        if let Reuse::For(most) = framing::of_response(&method, &mut response)? {
            self.keep(endpoint, connection, most);
        }
        // An intermediary speaks its own version (RFC 9110, section 2.5).
        *response.version_mut() = http::Version::HTTP_11;
        Ok(response.map(|body| Body::download(body, &deadlines)))
    }

    /// Puts the connection back once this exchange is over.
    fn keep(&self, endpoint: Endpoint, mut connection: Connection, most: Option<Duration>) {
        let idle = self.idle.clone();
        tokio::task::spawn_local(async move {
            if connection.is_over().await {
                idle.put(endpoint, connection, most);
            }
        });
    }

    async fn connect(&self, endpoint: &Endpoint, deadlines: &Deadlines) -> Result<Connection, FetchError> {
        let connecting = async {
            let socket = Socket::new(connect::tcp(endpoint).await?, deadlines.idle);
            let peek = socket.peek();
            if endpoint.https {
                Connection::open(self.tls.connect(endpoint, socket).await?, peek).await
            } else {
                Connection::open(socket, peek).await
            }
        };
        tokio::time::timeout(deadlines.connect, connecting)
            .await
            .map_err(|_| FetchError::ConnectionTimeout)?
    }
}

#[cfg(test)]
mod tests;
