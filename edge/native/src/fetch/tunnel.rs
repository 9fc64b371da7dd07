//! Upgraded connections (RFC 9110, section 7.8), such as WebSockets.

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;

/// Carries bytes both ways once the client has read the 101, until either side ends. When the edge answers with
/// something else after all, the client's half never comes and the origin's is closed.
pub(super) fn splice(client: OnUpgrade, origin: OnUpgrade) {
    tokio::task::spawn_local(async move {
        let tunnel = async {
            let (client, origin) = tokio::try_join!(client, origin)?;
            tokio::io::copy_bidirectional(&mut TokioIo::new(client), &mut TokioIo::new(origin)).await?;
            Ok::<_, Box<dyn std::error::Error>>(())
        };
        if let Err(error) = tunnel.await {
            tracing::debug!(%error, "an upgraded connection ended");
        }
    });
}
