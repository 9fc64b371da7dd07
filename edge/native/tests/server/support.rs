//! A server under test, an origin that does what a test says, and the bytes between them.

use std::net::SocketAddr;

use levee_config::Overrides;
use levee_native::levee::config::Config;
use levee_native::{App, Forward, Options, ServeError, Server};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A server on a free port.
pub(crate) struct Edge {
    pub(crate) address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), ServeError>>,
}

impl Edge {
    pub(crate) fn start(config: Config) -> Self {
        Self::start_with(config, options(), Forward)
    }

    pub(crate) fn start_with<A: App>(config: Config, options: Options, app: A) -> Self {
        let server = Server::bind(config, options).unwrap().app(app);
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server.serve(async {
            let _ = stopped.await;
        }));
        Self { address, stop, served }
    }

    /// Asks it to stop; the answer comes when it has.
    pub(crate) fn stop(self) -> JoinHandle<Result<(), ServeError>> {
        let _ = self.stop.send(());
        self.served
    }

    pub(crate) async fn connect(&self) -> Wire {
        Wire::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// One request on a connection of its own.
    pub(crate) async fn ask(&self, request: &str) -> Message {
        let mut wire = self.connect().await;
        wire.send(request).await;
        wire.read_message().await
    }
}

pub(crate) fn options() -> Options {
    Options { listen: "127.0.0.1:0".parse().unwrap(), ..Options::default() }
}

/// The design's defaults before one origin.
pub(crate) fn config(origin: SocketAddr) -> Config {
    levee_config::neutral(&format!("http://{origin}"), &Overrides::default()).unwrap().config
}

/// Calls `serve` for each connection, one after the other being accepted, all at once being served.
pub(crate) async fn origin<S, F>(serve: S) -> SocketAddr
where
    S: Fn(Wire) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(Wire::new(stream)));
        }
    });
    address
}

/// An origin that answers every request with `answer`.
pub(crate) async fn answering(answer: &'static str) -> SocketAddr {
    origin(move |mut wire| async move {
        while wire.read_head().await.is_some() {
            wire.send(answer).await;
        }
    })
    .await
}

/// Where nothing listens.
pub(crate) async fn nowhere() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

/// One end of a connection.
pub(crate) struct Wire {
    stream: BufReader<TcpStream>,
}

/// The lines before a body.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) start: String,
    pub(crate) fields: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
    /// The connection ended before the message did.
    pub(crate) is_cut: bool,
}

impl Head {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Message {
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream) }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// For as long as the other side takes it.
    pub(crate) async fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// A second handle of the same connection, to read while this one writes. Nothing must have been read yet.
    pub(crate) fn split_off(&mut self) -> Self {
        let socket = socket2::SockRef::from(self.stream.get_ref()).try_clone().unwrap();
        Self::new(TcpStream::from_std(socket.into()).unwrap())
    }

    pub(crate) async fn read_to_end(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.stream.read_to_end(&mut bytes).await?;
        Ok(bytes)
    }

    /// `None`: the connection has ended.
    pub(crate) async fn read_head(&mut self) -> Option<Head> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                assert!(lines.is_empty(), "the connection ended within {lines:?}");
                return None;
            }
            if line == "\r\n" {
                break;
            }
            lines.push(line.trim_end().to_owned());
        }
        let mut lines = lines.into_iter();
        let start = lines.next().unwrap();
        let fields = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap();
            (name.to_owned(), value.trim().to_owned())
        });
        Some(Head { start, fields: fields.collect() })
    }

    /// So many bytes, or as many as come.
    pub(crate) async fn read(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        (&mut self.stream).take(count as u64).read_to_end(&mut bytes).await.unwrap();
        bytes
    }

    /// One chunk's data; empty at the end, `None` where the connection ended instead.
    pub(crate) async fn read_chunk(&mut self) -> Option<Vec<u8>> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
            return None;
        }
        let size = usize::from_str_radix(line.trim(), 16).unwrap();
        let mut data = self.read(size + 2).await;
        if data.len() < size + 2 {
            return None;
        }
        data.truncate(size);
        Some(data)
    }

    pub(crate) async fn send_chunk(&mut self, data: &[u8]) {
        self.send(format!("{:x}\r\n", data.len())).await;
        self.send(data).await;
        self.send("\r\n").await;
    }

    /// A response, framed as its fields say.
    pub(crate) async fn read_message(&mut self) -> Message {
        let head = self.read_head().await.expect("a response");
        let (mut body, mut is_cut) = (Vec::new(), false);
        if head.field("transfer-encoding").is_some() {
            loop {
                match self.read_chunk().await {
                    Some(chunk) if chunk.is_empty() => break,
                    Some(chunk) => body.extend(chunk),
                    None => {
                        is_cut = true;
                        break;
                    }
                }
            }
        } else if let Some(length) = head.field("content-length") {
            let length = length.parse().unwrap();
            body = self.read(length).await;
            is_cut = body.len() < length;
        } else if !matches!(head.status(), 204 | 304) {
            self.stream.read_to_end(&mut body).await.unwrap();
        }
        Message { head, body, is_cut }
    }

    /// Whether the other side has closed, without a further byte.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        matches!(self.stream.read(&mut byte).await, Ok(0) | Err(_))
    }
}
