//! TCP connections to origins.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use levee::platform::FetchError;
use tokio::net::TcpStream;

use super::endpoint::Endpoint;
use super::error;

/// How long one address may take before the next is tried beside it (RFC 8305, section 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Connects to the first address of the host that answers.
pub(super) async fn tcp(endpoint: &Endpoint) -> Result<TcpStream, FetchError> {
    let addresses = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port))
        .await
        .map_err(|_| FetchError::Dns)?
        .collect::<Vec<_>>();
    let mut rest = addresses.into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut failure = FetchError::Dns;
    loop {
        if let Some(address) = rest.next() {
            attempts.push(TcpStream::connect(address));
        }
        tokio::select! {
            attempt = attempts.next() => match attempt {
                Some(Ok(stream)) => {
                    // Small requests must not wait for the acknowledgement of what went before.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Some(Err(error)) => failure = error::of_connect(&error),
                None => return Err(failure),
            },
            () = tokio::time::sleep(STAGGER), if rest.len() > 0 => {}
        }
    }
}
