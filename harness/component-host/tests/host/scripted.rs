//! An origin that answers by paths with what a server would not send.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::client::PATIENCE;

/// What it does once a head has come.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// Sends this, and closes.
    Send(Vec<u8>),
    /// Sends this, and nothing more.
    Stall(Vec<u8>),
    /// Sends this, and then a byte each so many milliseconds.
    Trickle(Vec<u8>, u64),
    /// Sends this, and then zeros for as long as they are taken.
    Flood(Vec<u8>),
    /// Reads no more.
    Deaf,
    /// Reads a request body of so many bytes as they come, and sends this.
    Read(usize, Vec<u8>),
}

impl Then {
    pub(crate) fn send(text: &str) -> Self {
        Self::Send(text.as_bytes().to_vec())
    }

    pub(crate) fn stall(text: &str) -> Self {
        Self::Stall(text.as_bytes().to_vec())
    }
}

pub(crate) struct Scripted {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
    ended: Arc<Semaphore>,
}

impl Scripted {
    /// `script`: what follows a head, given in lower case.
    pub(crate) async fn start(script: impl Fn(&str) -> Then + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (seen, ended) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Semaphore::new(0)));
        let origin = Self { url, seen: Arc::clone(&seen), ended: Arc::clone(&ended) };
        let script = Arc::new(script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, ended, script) = (Arc::clone(&seen), Arc::clone(&ended), Arc::clone(&script));
                tokio::spawn(async move {
                    serve(stream, &seen, &*script).await;
                    ended.add_permits(1);
                });
            }
        });
        origin
    }

    /// All of each connection's bytes that came, in lower case, in the order in which the connections were made.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until what was seen is so.
    pub(crate) async fn sees(&self, is: impl Fn(&[String]) -> bool) {
        let begun = Instant::now();
        while !is(&self.seen()) {
            assert!(begun.elapsed() < PATIENCE, "{:?}", self.seen());
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// Waits for the end of a connection.
    pub(crate) async fn end(&self) {
        let ended = tokio::time::timeout(PATIENCE, self.ended.acquire()).await;
        ended.expect("in time").expect("open").forget();
    }
}

async fn serve(
    mut stream: TcpStream,
    seen: &Mutex<Vec<String>>,
    script: &(dyn Fn(&str) -> Then + Send + Sync),
) {
    let lock = || seen.lock().unwrap_or_else(PoisonError::into_inner);
    let index = {
        let mut seen = lock();
        seen.push(String::new());
        seen.len() - 1
    };
    let note = |bytes: &[u8]| lock()[index].push_str(&String::from_utf8_lossy(bytes).to_ascii_lowercase());
    let mut buffer = vec![0; 16 << 10];
    let head = loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(size) => note(&buffer[..size]),
        }
        if let Some((head, _)) = lock()[index].split_once("\r\n\r\n") {
            break head.to_owned();
        }
    };
    match script(&head) {
        Then::Send(bytes) => {
            // What of the request is on its way is read, or the close would be a reset.
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Then::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Then::Trickle(bytes, every) => {
            let _ = stream.write_all(&bytes).await;
            while stream.write_all(b"t").await.is_ok() {
                tokio::time::sleep(std::time::Duration::from_millis(every)).await;
            }
        }
        Then::Flood(bytes) => {
            let _ = stream.write_all(&bytes).await;
            while stream.write_all(&[b'0'; 64 << 10]).await.is_ok() {}
        }
        Then::Deaf => return std::future::pending().await,
        Then::Read(size, bytes) => {
            while lock()[index].len() < head.len() + 4 + size {
                match stream.read(&mut buffer).await {
                    Ok(0) | Err(_) => return,
                    Ok(size) => note(&buffer[..size]),
                }
            }
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
    }
    while let Ok(size @ 1..) = stream.read(&mut buffer).await {
        note(&buffer[..size]);
    }
}
