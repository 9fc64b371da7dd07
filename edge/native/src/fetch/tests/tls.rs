//! Origins behind TLS.

use std::io::Cursor;
use std::sync::Mutex;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::*;

type Stream = StreamOwned<ServerConnection, TcpStream>;

/// An origin behind TLS, and a client that trusts it. `serve` is called for each connection, when a request's head has come.
fn secure(serve: impl Fn(&mut Stream) + Send + Sync + 'static) -> (Client, Origin) {
    let key = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(key.cert.der().clone()).unwrap();
    let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![key.cert.der().clone()], private)
        .unwrap();
    let config = Arc::new(config);
    let origin = Origin::start(move |_, peer| {
        let session = ServerConnection::new(config.clone()).unwrap();
        let mut stream = StreamOwned::new(session, peer.0.into_inner());
        if head(&mut stream) {
            serve(&mut stream);
        }
    });
    (Client::new(Tls::trusting(roots), BOUND), origin)
}

fn head(stream: &mut Stream) -> bool {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if !matches!(stream.read(&mut byte), Ok(1)) {
            return false;
        }
        head.extend(byte);
    }
    true
}

fn send(stream: &mut Stream, bytes: &str) {
    std::io::copy(&mut Cursor::new(bytes), stream).unwrap();
    stream.flush().unwrap();
}

async fn get(client: &Client, origin: &Origin) -> Result<Response<Body>, FetchError> {
    let mut request = request(Method::GET, origin, Body::default());
    *request.uri_mut() = format!("https://{}/x", origin.address).parse().unwrap();
    client.fetch(request, options()).await
}

/// An end of TCP that TLS has not said is what an attacker can make (RFC 9112, section 9.8).
#[tokio::test]
async fn a_body_that_ends_without_a_close_notify_is_broken_off() {
    for answer in [
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
    ] {
        for says_goodbye in [false, true] {
            local(async {
                let (client, origin) = secure(move |stream| {
                    send(stream, answer);
                    if says_goodbye {
                        stream.conn.send_close_notify();
                        stream.flush().unwrap();
                    }
                });
                let ended = text(get(&client, &origin).await.unwrap()).await;
                let is_whole = says_goodbye && answer.contains("close");
                assert_eq!(ended.is_ok(), is_whole, "{answer} {says_goodbye} {ended:?}");
            })
            .await;
        }
    }
}

/// A `close_notify` is no byte of a response.
#[tokio::test]
async fn a_close_that_crosses_with_a_request_is_told() {
    for says_goodbye in [false, true] {
        local(async {
            let (client, origin) = secure(move |stream| {
                send(stream, OK);
                // The first byte of the next request.
                let _ = stream.read(&mut [0]);
                if says_goodbye {
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            });
            assert_eq!(text(get(&client, &origin).await.unwrap()).await.unwrap(), "ok");
            while client.idle.size() == 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            assert_eq!(get(&client, &origin).await.unwrap_err(), FetchError::KeptAliveClosed);
            assert_eq!(origin.connections(), 1);
        })
        .await;
    }
}

#[tokio::test]
async fn a_connection_that_has_closed_meanwhile_is_not_used() {
    local(async {
        let (go, may_go) = std::sync::mpsc::channel::<()>();
        let (told, done) = std::sync::mpsc::channel();
        let signals = Mutex::new((may_go, told));
        let (client, origin) = secure(move |stream| {
            send(stream, OK);
            let signals = signals.lock().unwrap();
            if signals.0.recv().is_ok() {
                stream.conn.send_close_notify();
                stream.flush().unwrap();
                signals.1.send(()).unwrap();
            }
        });
        assert_eq!(text(get(&client, &origin).await.unwrap()).await.unwrap(), "ok");
        while client.idle.size() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        go.send(()).unwrap();
        done.recv_timeout(BOUND).unwrap();
        assert_eq!(text(get(&client, &origin).await.unwrap()).await.unwrap(), "ok");
        assert_eq!(origin.connections(), 2);
    })
    .await;
}

#[tokio::test]
async fn an_untrusted_certificate_is_refused() {
    local(async {
        let (_trusting, origin) = secure(|stream| send(stream, OK));
        let client = Client::new(Tls::trusting(RootCertStore::empty()), BOUND);
        let refused = get(&client, &origin).await;
        assert!(matches!(refused, Err(FetchError::Tls(_))), "{refused:?}");
    })
    .await;
}
