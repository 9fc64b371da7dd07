//! The origin of a measurement: answers every request with the same object, and is asked once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result};

/// Starts it, and returns its address. It ends with this program.
pub(crate) fn start(body: String) -> Result<String> {
    let body: Arc<str> = body.into();
    let listener = TcpListener::bind("127.0.0.1:0").context("the origin cannot listen")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let body = body.clone();
            thread::spawn(move || answer(connection, &body));
        }
    });
    Ok(format!("http://{address}"))
}

/// One answer a connection. A client that goes away is not the origin's matter.
fn answer(mut connection: TcpStream, body: &str) {
    let Ok(stream) = connection.try_clone() else { return };
    for line in BufReader::new(stream).lines() {
        match line {
            Ok(line) if line.is_empty() => break,
            Ok(_) => {}
            Err(_) => return,
        }
    }
    let _ = write!(
        connection,
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncache-control: max-age=3600\r\n\
         etag: \"1\"\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}
