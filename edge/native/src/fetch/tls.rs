//! TLS to origins: rustls with ring, so that the program builds statically and without OpenSSL.

use std::sync::{Arc, OnceLock};

use levee::platform::FetchError;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::endpoint::Endpoint;
use super::socket::Socket;

/// Shared by all threads; the certificates are read when the first origin needs them.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    connector: Arc<OnceLock<Result<TlsConnector, String>>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    #[cfg(test)]
    pub(super) fn trusting(roots: RootCertStore) -> Self {
        Self { connector: Arc::new(OnceLock::from(trusting(roots))) }
    }

    pub(super) async fn connect(
        &self,
        endpoint: &Endpoint,
        socket: Socket,
    ) -> Result<TlsStream<Socket>, FetchError> {
        let connector =
            self.connector.get_or_init(connector).as_ref().map_err(|error| FetchError::Tls(error.clone()))?;
        let name = ServerName::try_from(endpoint.host.clone())
            .map_err(|_| FetchError::Tls(format!("`{}` cannot be in a certificate", endpoint.host)))?;
        connector.connect(name, socket).await.map_err(|error| FetchError::Tls(error.to_string()))
    }
}

fn connector() -> Result<TlsConnector, String> {
    trusting(roots())
}

fn trusting(roots: RootCertStore) -> Result<TlsConnector, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The system's roots, or those that `SSL_CERT_FILE` names; Mozilla's where there are none, as in an empty
/// container image.
fn roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for error in &system.errors {
        tracing::warn!(%error, "some of the system's certificates cannot be read");
    }
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    roots
}
