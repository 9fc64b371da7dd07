//! A client before origins that say exactly what is on the wire.

mod reuse;
mod sending;
mod tls;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Method, Request, Response};
use http_body_util::BodyExt;
use levee::platform::{Deadlines, FetchError, FetchOptions};
use tokio::task::LocalSet;

use super::{Client, Tls};
use crate::body::{Body, BodyError};

/// Longer than anything here takes, unless it hangs.
const BOUND: Duration = Duration::from_secs(60);

/// An origin on threads of its own: what it has done, it has done, whether or not the client's thread has looked.
struct Origin {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
    acceptor: Option<std::thread::JoinHandle<()>>,
}

impl Origin {
    /// Calls `serve` for each connection, with its number, from 0.
    fn start(serve: impl Fn(usize, Peer) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (connections, stop) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let acceptor = std::thread::spawn({
            let (connections, stop, serve) = (connections.clone(), stop.clone(), Arc::new(serve));
            move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let number = connections.fetch_add(1, Ordering::SeqCst);
                    let (peer, serve) = (Peer::new(stream.unwrap()), serve.clone());
                    std::thread::spawn(move || serve(number, peer));
                }
            }
        });
        Self { address, connections, stop, acceptor: Some(acceptor) }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address);
        let _ = self.acceptor.take().map(std::thread::JoinHandle::join);
    }
}

/// The origin's end of a connection.
struct Peer(BufReader<TcpStream>);

impl Peer {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(BOUND)).unwrap();
        Self(BufReader::new(stream))
    }

    /// A request's head; `None` where the client has closed.
    fn head(&mut self) -> Option<String> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.0.read_line(&mut head).unwrap_or(0) == 0 {
                return None;
            }
        }
        Some(head)
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.0.read_exact(&mut byte).unwrap();
        byte[0]
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// It ends with a reset instead of an end, once dropped.
    fn will_reset(&self) {
        socket2::SockRef::from(self.0.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Resolves when the client has closed.
    fn wait_for_end(&mut self) {
        let _ = std::io::copy(&mut self.0, &mut std::io::sink());
    }
}

fn client() -> Client {
    Client::new(Tls::default(), BOUND)
}

fn options() -> FetchOptions {
    let deadlines = Deadlines { connect: BOUND, first_byte: BOUND, idle: BOUND, rate: 0 };
    FetchOptions { deadlines, fresh_connection: false }
}

fn request(method: Method, origin: &Origin, body: impl Into<Body>) -> Request<Body> {
    let mut request = Request::new(body.into());
    *request.method_mut() = method;
    *request.uri_mut() = format!("http://{}/x", origin.address).parse().unwrap();
    request
}

async fn get(client: &Client, origin: &Origin) -> Result<Response<Body>, FetchError> {
    client.fetch(request(Method::GET, origin, Body::default()), options()).await
}

async fn text(response: Response<Body>) -> Result<String, BodyError> {
    let bytes = response.into_body().collect().await?.to_bytes();
    Ok(String::from_utf8(bytes.into()).unwrap())
}

async fn get_text(client: &Client, origin: &Origin) -> String {
    text(get(client, origin).await.unwrap()).await.unwrap()
}

/// Runs a test on one thread, as the server does.
async fn local<T>(test: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(async { tokio::time::timeout(BOUND, test).await.expect("it hangs") }).await
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
