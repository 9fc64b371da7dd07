//! One keep-alive connection with at most one request under way.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::answer::{self, Answer};

#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
    /// The request under way.
    pub(crate) asked: Option<Asked>,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    /// Its place among the targets.
    pub(crate) target: usize,
    /// From when its latency runs.
    pub(crate) due: Instant,
    pub(crate) sent: Instant,
    /// The connection had been ended by the server while it was idle, and the request was sent again on a new one.
    again: bool,
}

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self { address, stream: connect(address)?, buffer: Vec::with_capacity(64 << 10), asked: None })
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Sends a request that was due at `due`.
    pub(crate) fn ask(&mut self, target: usize, request: &[u8], due: Instant) -> Result<()> {
        self.asked = Some(Asked { target, due, sent: Instant::now(), again: false });
        match self.stream.write(request) {
            Ok(sent) if sent == request.len() => Ok(()),
            Ok(_) => bail!("a request did not fit into an idle connection"),
            Err(error) if is_ended(&error) => self.again(request),
            Err(error) => Err(error).context("a request cannot be sent"),
        }
    }

    /// A server may end a connection that is idle just when a request is on its way (RFC 9112, section 9.5): the request
    /// is sent once more.
    fn again(&mut self, request: &[u8]) -> Result<()> {
        let asked = self.asked.as_mut().filter(|asked| !asked.again);
        asked.context("the server ends connections without an answer")?.again = true;
        self.stream = connect(self.address)?;
        self.buffer.clear();
        self.stream.write_all(request).context("a request cannot be sent")
    }

    /// Reads what has arrived. Once the answer is whole, hands it to `done` with its request.
    pub(crate) fn receive(
        &mut self,
        request: impl FnOnce(usize) -> Vec<u8>,
        done: impl FnOnce(Asked, &Answer<'_>) -> Result<()>,
    ) -> Result<bool> {
        let mut space = [0; 64 << 10];
        let count = match self.stream.read(&mut space) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) if is_ended(&error) => 0,
            read => read.context("an answer cannot be read")?,
        };
        let Some(asked) = self.asked else {
            if count > 0 {
                bail!("the server says something that nobody asked for");
            }
            self.stream = connect(self.address)?;
            return Ok(false);
        };
        if count == 0 {
            if !self.buffer.is_empty() {
                bail!("an answer broke off");
            }
            self.again(&request(asked.target))?;
            return Ok(false);
        }
        self.buffer.extend_from_slice(&space[..count]);
        let Some(answer) = answer::read(&self.buffer)? else { return Ok(false) };
        if answer.length != self.buffer.len() {
            bail!("the server says more than one answer");
        }
        let closes = answer.closes;
        done(asked, &answer)?;
        self.buffer.clear();
        self.asked = None;
        if closes {
            self.stream = connect(self.address)?;
        }
        Ok(true)
    }
}

fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

fn is_ended(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}
