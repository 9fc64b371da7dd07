//! A socket whose bytes are kept for the transcript.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;

use crate::mark;
use crate::plan::{End, Split};

/// Most bytes of one connection that a transcript keeps.
const KEPT: usize = 8 << 10;
/// Of one read or write, it keeps this much of the beginning.
const LONG: usize = 1_000;

/// What went over one connection, bounded.
#[derive(Debug, Default)]
pub struct Transcript {
    parts: Vec<(Direction, Vec<u8>)>,
    kept: usize,
    left_out: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Sent,
    Received,
    Note,
}

impl Transcript {
    fn add(&mut self, direction: Direction, bytes: &[u8]) {
        // Heads matter, and where large content begins and ends.
        if bytes.len() > LONG + LONG / 4 {
            self.put(direction, &bytes[..LONG]);
            self.put(Direction::Note, format!("... {} bytes ...", bytes.len() - LONG - LONG / 8).as_bytes());
            self.put(direction, &bytes[bytes.len() - LONG / 8..]);
        } else {
            self.put(direction, bytes);
        }
    }

    fn put(&mut self, direction: Direction, bytes: &[u8]) {
        let room = KEPT.saturating_sub(self.kept).min(bytes.len());
        self.left_out += bytes.len() - room;
        self.kept += room;
        if room == 0 {
            return;
        }
        match self.parts.last_mut() {
            // Pieces of a few bytes are not shown as such.
            Some((last, part)) if *last == direction && (direction == Direction::Received || room <= 32) => {
                part.extend_from_slice(&bytes[..room]);
            }
            _ => self.parts.push((direction, bytes[..room].to_vec())),
        }
    }

    pub fn note(&mut self, text: &str) {
        self.add(Direction::Note, text.as_bytes());
    }

    /// The bytes in both directions, escaped, a line of theirs on a line.
    pub fn shown(&self, indent: &str) -> String {
        let mut out = String::new();
        for (direction, bytes) in &self.parts {
            let sign = match direction {
                Direction::Sent => '>',
                Direction::Received => '<',
                Direction::Note => '#',
            };
            // Of marked content the first line tells all.
            let mut cells = 0;
            for line in bytes.split_inclusive(|&byte| byte == b'\n') {
                let is_cell = line.len() == mark::CELL && line[10] == b'.' && line[14] == b':';
                cells = if is_cell { cells + 1 } else { 0 };
                match cells {
                    0 | 1 => {
                        let _ = writeln!(out, "{indent}{sign} {}", line.escape_ascii());
                    }
                    2 => {
                        let _ = writeln!(out, "{indent}{sign} ...");
                    }
                    _ => {}
                }
            }
        }
        if self.left_out > 0 {
            let _ = writeln!(out, "{indent}# {} further bytes are left out", self.left_out);
        }
        out
    }
}

/// A transcript that both directions write.
pub type Log = Rc<RefCell<Transcript>>;

/// One connection.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    log: RefCell<Log>,
    buffer: RefCell<Vec<u8>>,
}

impl Wire {
    pub fn new(stream: TcpStream, log: Log) -> Self {
        // Each write is to be a segment of its own.
        let _ = stream.set_nodelay(true);
        Self { stream, log: RefCell::new(log), buffer: RefCell::default() }
    }

    pub fn note(&self, text: &str) {
        self.add(Direction::Note, text.as_bytes());
    }

    fn add(&self, direction: Direction, bytes: &[u8]) {
        self.log.borrow().borrow_mut().add(direction, bytes);
    }

    /// Begins another transcript, and returns it.
    pub fn fresh_log(&self) -> Log {
        let log = Log::default();
        self.log.replace(log.clone());
        if !self.buffer.borrow().is_empty() {
            self.note("these bytes came together with those before");
            self.add(Direction::Received, &self.buffer.borrow());
        }
        log
    }

    /// Reads on into the buffer; 0: the other side sends no more.
    pub async fn fill(&self) -> io::Result<usize> {
        let mut chunk = [0; 16 << 10];
        loop {
            self.stream.readable().await?;
            match self.stream.try_read(&mut chunk) {
                Ok(read) => {
                    if read == 0 {
                        self.note("the other side sends no more");
                    }
                    self.add(Direction::Received, &chunk[..read]);
                    self.buffer.borrow_mut().extend_from_slice(&chunk[..read]);
                    return Ok(read);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    self.note(&format!("read: {error}"));
                    return Err(error);
                }
            }
        }
    }

    /// Waits until something can be read, and leaves it there.
    pub async fn comes(&self) {
        let _ = self.stream.readable().await;
    }

    /// What has been read and not been taken.
    pub fn with<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(&self.buffer.borrow())
    }

    /// Takes the first bytes.
    pub fn take(&self, count: usize) -> Vec<u8> {
        let mut buffer = self.buffer.borrow_mut();
        let count = count.min(buffer.len());
        let rest = buffer.split_off(count);
        std::mem::replace(&mut *buffer, rest)
    }

    pub async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.stream.writable().await?;
            match self.stream.try_write(bytes) {
                Ok(wrote) => {
                    self.add(Direction::Sent, &bytes[..wrote]);
                    bytes = &bytes[wrote..];
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => {
                    self.note(&format!("write: {error}"));
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Writes in the pieces that `split` says, with a turn for others between.
    pub async fn write_split(&self, bytes: &[u8], split: Split) -> io::Result<()> {
        match split {
            Split::Whole => self.write(bytes).await,
            Split::At(permille) => {
                let (first, rest) = bytes.split_at(bytes.len() * permille / 1000);
                self.write(first).await?;
                tokio::time::sleep(Duration::from_millis(1)).await;
                self.write(rest).await
            }
            Split::Pieces(size) => {
                let (first, rest) = bytes.split_at(bytes.len().min(400));
                for piece in first.chunks(size.max(1)) {
                    self.write(piece).await?;
                    tokio::task::yield_now().await;
                }
                self.write(rest).await
            }
        }
    }

    /// The connection is going to be reset when it is closed.
    pub fn reset_on_close(&self) {
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Closes the connection.
    pub fn close(self, end: End) {
        self.note(match end {
            End::Fin => "closes (FIN)",
            End::Rst => "closes (RST)",
        });
        if end == End::Rst {
            self.reset_on_close();
        }
    }
}
