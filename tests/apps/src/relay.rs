//! Counts hits between clients and a cache: bytes pass as they are, and `Cache-Status` is read in the heads of responses.
//!
//! The edge's status page would not do: it counts for one instance alone, and some runtimes make several.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use anyhow::{Context as _, Result};

/// A head is at most so long; what follows of a body is not looked at.
const HEAD: usize = 16 * 1024;
const CHUNK: usize = 64 * 1024;
const FIELD: &[u8] = b"\ncache-status:";

/// A relay on a port of its own. Dropped, it takes no more connections.
#[derive(Debug)]
pub(crate) struct Relay {
    url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    hits: AtomicU64,
    ended: AtomicBool,
}

impl Relay {
    /// Relays to the server at this `http://127.0.0.1:PORT`.
    pub(crate) fn start(to: &str) -> Result<Self> {
        let to: SocketAddr = to.trim_start_matches("http://").parse().with_context(|| to.to_owned())?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("a relay cannot listen")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let accepting = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.ended.load(Ordering::Relaxed) {
                    break;
                }
                let shared = accepting.clone();
                thread::spawn(move || relay(client, to, &shared));
            }
        });
        Ok(Self { url: format!("http://{address}"), address, shared })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Responses so far that came out of the cache.
    pub(crate) fn hits(&self) -> u64 {
        self.shared.hits.load(Ordering::SeqCst)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        drop(TcpStream::connect(self.address));
    }
}

fn relay(client: TcpStream, to: SocketAddr, shared: &Arc<Shared>) {
    let Ok(server) = TcpStream::connect(to) else { return };
    for stream in [&client, &server] {
        let _ = stream.set_nodelay(true);
    }
    let (Ok(from_client), Ok(to_server)) = (client.try_clone(), server.try_clone()) else { return };
    // What the client sends asks for another response.
    let asked = Arc::new(AtomicBool::new(true));
    let asks = asked.clone();
    thread::spawn(move || pass(from_client, to_server, |_| asks.store(true, Ordering::SeqCst)));
    let mut head = Vec::new();
    let mut counted = false;
    pass(server, client, |bytes| {
        if asked.swap(false, Ordering::SeqCst) {
            head.clear();
            counted = false;
        }
        let room = HEAD - head.len().min(HEAD);
        if counted || room == 0 {
            return;
        }
        head.extend(bytes[..bytes.len().min(room)].iter().map(u8::to_ascii_lowercase));
        if let Some(hit) = is_hit(&head) {
            counted = true;
            shared.hits.fetch_add(u64::from(hit), Ordering::SeqCst);
        }
    });
}

/// Passes bytes on until one side ends; `look` sees them before the receiver does.
fn pass(mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8])) {
    let mut chunk = vec![0; CHUNK];
    loop {
        match from.read(&mut chunk) {
            Ok(0) => {
                let _ = to.shutdown(Shutdown::Write);
                return;
            }
            Ok(length) => {
                look(&chunk[..length]);
                if to.write_all(&chunk[..length]).is_err() {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Whether a head in lower case says that it is a hit; `None` while its `Cache-Status` has not come.
fn is_hit(head: &[u8]) -> Option<bool> {
    let at = head.windows(FIELD.len()).position(|window| window == FIELD)?;
    let value = &head[at + FIELD.len()..];
    let end = value.iter().position(|byte| *byte == b'\n')?;
    // A cache's own member is the last one (RFC 9211, section 2).
    let last = value[..end].rsplit(|byte| *byte == b',').next()?;
    Some(last.split(|byte| *byte == b';').any(|part| part.trim_ascii() == b"hit"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hits_are_told_from_misses() {
        let head = |value: &str| format!("http/1.1 200 ok\r\ncache-status: {value}\r\n\r\n").into_bytes();
        assert_eq!(is_hit(&head("levee; hit; ttl=5")), Some(true));
        assert_eq!(is_hit(&head("levee; fwd=uri-miss; stored")), Some(false));
        assert_eq!(is_hit(&head("other; hit, levee; fwd=miss")), Some(false));
        assert_eq!(is_hit(b"http/1.1 200 ok\r\ncache-status: levee; h"), None);
    }

    #[test]
    fn bytes_pass_and_each_response_is_counted() {
        let server = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let url = format!("http://{}", server.local_addr().expect("an address"));
        thread::spawn(move || {
            let (mut stream, _) = server.accept().expect("a connection");
            let mut asked = [0; 4];
            for answer in ["levee; fwd=miss", "levee; hit", "levee; hit"] {
                stream.read_exact(&mut asked).expect("a request");
                write!(stream, "HTTP/1.1 200 OK\r\nCache-Status: {answer}\r\n\r\n").expect("sent");
            }
        });
        let relay = Relay::start(&url).expect("a relay");
        let mut client = TcpStream::connect(relay.url().trim_start_matches("http://")).expect("a connection");
        for hits in [0, 1, 2] {
            client.write_all(b"ask\n").expect("sent");
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") {
                client.read_exact(&mut byte).expect("a response");
                head.push(byte[0]);
            }
            assert_eq!(relay.hits(), hits);
        }
    }
}
