use std::convert::Infallible;
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpSocket, TcpStream};

use super::message::{Framed, Head, Reader};
use crate::client::Edge;
use crate::wait::within;

/// A client's connection to an edge, on which exact bytes are written.
#[derive(Debug)]
pub(crate) struct Wire {
    reader: Reader,
    writer: OwnedWriteHalf,
    edge: Edge,
}

/// A response, with what an HTTP library keeps to itself.
pub(crate) struct Response {
    pub(crate) status: u16,
    head: Head,
    pub(crate) framed: Framed,
    pub(crate) body: Vec<u8>,
    /// Whether it came to the end that it announced.
    pub(crate) whole: bool,
}

impl Wire {
    pub(crate) async fn to(edge: &Edge) -> Result<Self> {
        let stream = TcpStream::connect(edge.authority()).await.context("connecting to the edge")?;
        Self::on(stream, edge)
    }

    /// From another loopback address: for the edge another client.
    pub(crate) async fn from(client: Ipv4Addr, edge: &Edge) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((client, 0)))?;
        let stream = socket.connect(edge.authority().parse()?).await.context("connecting to the edge")?;
        Self::on(stream, edge)
    }

    /// One which takes in little by itself: what is not read stays in the edge.
    pub(crate) async fn narrow(edge: &Edge) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(8 << 10)?;
        let stream = socket.connect(edge.authority().parse()?).await.context("connecting to the edge")?;
        Self::on(stream, edge)
    }

    fn on(stream: TcpStream, edge: &Edge) -> Result<Self> {
        let (reader, writer) = Reader::of(stream)?;
        Ok(Self { reader, writer, edge: edge.clone() })
    }

    /// Writes bytes as they are. That the edge no longer reads them shows in what it answers.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.writer.write_all(bytes.as_ref()).await;
    }

    /// Writes a request line, `Host`, these field lines (each with its end) and the end of the head.
    pub(crate) async fn head(&mut self, method: &str, target: &str, lines: &str) {
        let (authority, prefix) = (self.edge.authority(), self.edge.prefix());
        self.send(format!("{method} {prefix}{target} HTTP/1.1\r\nHost: {authority}\r\n{lines}\r\n")).await;
    }

    /// Sends a request without a body, and reads its answer.
    pub(crate) async fn get(&mut self, target: &str, lines: &str) -> Result<Response> {
        self.head("GET", target, lines).await;
        self.answer("GET").await
    }

    /// The final response to a request of this method. It is an error where there is none.
    pub(crate) async fn answer(&mut self, method: &str) -> Result<Response> {
        self.answered(method).await?.context("the edge closed the connection without an answer")
    }

    /// The final response, or `None` where the edge closes the connection without one.
    pub(crate) async fn answered(&mut self, method: &str) -> Result<Option<Response>> {
        within("a response", read(&mut self.reader, method)).await?
    }

    /// The same, while a byte is written each time that `pause` has passed.
    pub(crate) async fn trickled(&mut self, method: &str, pause: Duration) -> Result<Option<Response>> {
        let trickle = async {
            while self.writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(pause).await;
            }
            std::future::pending::<Infallible>().await
        };
        tokio::select! {
            answer = within("a response", read(&mut self.reader, method)) => answer?,
            never = trickle => match never {},
        }
    }

    /// Waits until the edge has closed the connection. What it still sends is not looked at.
    pub(crate) async fn closed(&mut self) -> Result<()> {
        within("the edge to close a connection", async { while self.reader.more().await {} }).await
    }

    /// Waits for the first bytes of a response and reads no more.
    pub(crate) async fn begun(&mut self) -> Result<bool> {
        within("a response to begin", self.reader.more()).await
    }
}

async fn read(reader: &mut Reader, method: &str) -> Result<Option<Response>> {
    loop {
        let Some(head) = reader.head().await else { return Ok(None) };
        let status: u16 = head.start.split(' ').nth(1).context("no status")?.parse()?;
        if (100..200).contains(&status) && status != 101 {
            continue;
        }
        let framed = head.framed()?.unwrap_or(Framed::Close);
        let framed = match status {
            101 | 204 | 304 => Framed::Nothing,
            _ if method == "HEAD" => Framed::Nothing,
            _ => framed,
        };
        let (body, whole) = reader.body(framed).await;
        return Ok(Some(Response { status, head, framed, body, whole }));
    }
}

impl Response {
    /// A field's lines, joined; empty where there is none.
    pub(crate) fn field(&self, name: &str) -> String {
        self.head.field(name)
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Whether it was answered from the cache while fresh.
    pub(crate) fn is_hit(&self) -> bool {
        self.field("cache-status").contains("hit")
    }

    /// Status, text, and whether it is all there.
    pub(crate) fn told(&self) -> (u16, String, bool) {
        (self.status, self.text(), self.whole)
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text().chars().take(300).collect();
        f.debug_struct("Response")
            .field("head", &self.head)
            .field("framed", &self.framed)
            .field("body", &text)
            .field("whole", &self.whole)
            .finish()
    }
}
