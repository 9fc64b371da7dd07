//! A request over a connection of its own.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A request that was sent; the answer is yet to be read.
pub(crate) async fn send(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it accepts");
    let request = format!("GET {path} HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("it reads");
    stream
}

/// The whole answer, head and body.
pub(crate) async fn ask(address: SocketAddr, path: &str) -> String {
    let mut answer = String::new();
    send(address, path).await.read_to_string(&mut answer).await.expect("it answers");
    answer
}
