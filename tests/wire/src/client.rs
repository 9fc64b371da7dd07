//! The clients: each runs one connection by the round's plan, and hands what it reads to the judge.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fault::{Fault, Kind};
use crate::http2;
use crate::judge;
use crate::ledger::Running;
use crate::mark::Mark;
use crate::message::{Ended, Framing, Head, NoHead, read_content, read_head};
use crate::plan::{Ask, Client, Content, Does, End, OddAsk};
use crate::request::{self, Sent};
use crate::wire::{Log, Wire};

/// How long a client does not read.
pub(crate) const PAUSE: Duration = Duration::from_millis(1_500);
/// How long a client that leaves waits for what it leaves at.
const LINGER: Duration = Duration::from_millis(100);
/// Most bytes of a response's content.
const MOST: usize = 1 << 20;

/// Where the edge is, and how requests are made.
#[derive(Clone, Debug)]
pub struct Target {
    pub address: SocketAddr,
    pub authority: String,
    pub seed: u64,
    /// How long a response, and the end of a connection, may take.
    pub patience: Duration,
    /// It speaks HTTP/2 too.
    pub http2: bool,
}

/// A response as a client has read it.
#[derive(Clone, Debug)]
pub struct Response {
    pub status: u16,
    pub head: Head,
    pub content: Vec<u8>,
    pub ended: Ended,
    /// The connection is said to end with it.
    pub closes: bool,
}

/// What became of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    Response(Response),
    /// The connection ended without a byte of an answer, or within a head.
    Nothing(NoHead),
    /// Nothing came in time.
    Late,
}

/// Runs the client of this number.
pub async fn run(target: &Target, running: &Rc<Running>, number: usize) {
    let client = &running.plan.clients[number];
    let log = Log::default();
    running.transcripts.borrow_mut().push((format!("client {number}"), log.clone()));
    let stream = match TcpStream::connect(target.address).await {
        Ok(stream) => stream,
        Err(error) => {
            let says = format!("a client cannot connect: {error}");
            return running.fault(Fault::new(Kind::Crash, Mark::request(running.number, number, 0), says));
        }
    };
    if client.http2 && target.http2 && http2::can(client) {
        return http2::run(target, running, number, stream, &log).await;
    }
    let wire = Wire::new(stream, log);
    let mut connection =
        Connection { target, running, client, number, tags: vec![None; running.resources.len()] };
    let end = connection.drive(&wire).await;
    wire.close(end);
}

struct Connection<'a> {
    target: &'a Target,
    running: &'a Rc<Running>,
    client: &'a Client,
    number: usize,
    /// The last entity tag seen of each resource.
    tags: Vec<Option<String>>,
}

impl Connection<'_> {
    fn written(&self, at: usize) -> Sent {
        let ask = &self.client.asks[at];
        let mark = Mark::request(self.running.number, self.number, at);
        let resource = &self.running.plan.resources[ask.resource];
        let tag = self.tags[ask.resource].as_deref();
        request::write(ask, mark, resource, &self.target.authority, tag, self.target.seed)
    }

    async fn drive(&mut self, wire: &Wire) -> End {
        let asks = &self.client.asks;
        match self.client.does {
            Does::Ask if self.client.pipelined => {
                // What follows the last request of a connection could cost its response (RFC 9112, section 9.6).
                let last = asks.iter().position(|ask| ask.close || ask.odd == OddAsk::Http10);
                let count = last.map_or(asks.len(), |last| last + 1);
                let all: Vec<Sent> = (0..count).map(|at| self.written(at)).collect();
                self.pipeline(wire, &all).await;
            }
            Does::Ask => {
                for (at, ask) in asks.iter().enumerate() {
                    let sent = self.written(at);
                    let write = wire.write_split(&sent.bytes, self.client.split);
                    if !self.read_beside(wire, write, ask, &sent).await {
                        break;
                    }
                }
            }
            Does::LeaveSending(permille, end) => {
                let bytes = self.all_bytes();
                let _ = wire.write_split(&bytes[..bytes.len() * permille / 1000], self.client.split).await;
                return end;
            }
            Does::LeaveReading(count) => {
                let bytes = self.all_bytes();
                let read =
                    async { while wire.with(<[u8]>::len) < count && matches!(wire.fill().await, Ok(1..)) {} };
                // There may be less to read.
                let _ = timeout(LINGER, async { tokio::join!(wire.write(&bytes), read) }).await;
                return End::Rst;
            }
            Does::StallSending(permille) => {
                let sent = self.written(0);
                let upto = (sent.bytes.len() * permille / 1000).min(sent.bytes.len() - 1);
                let write = wire.write_split(&sent.bytes[..upto], self.client.split);
                if upto > sent.head && asks[0].content != Content::None {
                    self.read_beside(wire, write, &asks[0], &sent).await;
                } else {
                    // A head may take longer than a round does.
                    let _ = write.await;
                    let _ = timeout(PAUSE, wire.fill()).await;
                }
            }
            Does::StallReading => {
                let bytes = self.all_bytes();
                let _ = timeout(PAUSE, async {
                    let _ = wire.write(&bytes).await;
                    tokio::time::sleep(PAUSE).await;
                })
                .await;
            }
        }
        // Mostly RST: a FIN leaves the client's port unusable for a minute.
        if (self.running.number + self.number as u64).is_multiple_of(8) { End::Fin } else { End::Rst }
    }

    fn all_bytes(&self) -> Vec<u8> {
        (0..self.client.asks.len()).flat_map(|at| self.written(at).bytes).collect()
    }

    async fn pipeline(&mut self, wire: &Wire, all: &[Sent]) {
        let bytes: Vec<u8> = all.iter().flat_map(|sent| sent.bytes.clone()).collect();
        let write = wire.write_split(&bytes, self.client.split);
        let mut write = std::pin::pin!(write);
        let mut written = false;
        for (ask, sent) in self.client.asks.iter().zip(all) {
            let read = read(wire, ask);
            let mut read = std::pin::pin!(timeout(self.target.patience, read));
            let outcome = loop {
                tokio::select! {
                    biased;
                    outcome = &mut read => break outcome.unwrap_or(Outcome::Late),
                    _ = &mut write, if !written => written = true,
                }
            };
            if !self.judge(wire, ask, sent, outcome).await {
                return;
            }
        }
    }

    /// Reads one response while the request is still being written: whether the connection goes on.
    async fn read_beside(
        &mut self,
        wire: &Wire,
        write: impl Future<Output = std::io::Result<()>>,
        ask: &Ask,
        sent: &Sent,
    ) -> bool {
        let mut write = std::pin::pin!(write);
        let mut read = std::pin::pin!(timeout(self.target.patience, read(wire, ask)));
        let mut wrote = None;
        let outcome = loop {
            tokio::select! {
                biased;
                outcome = &mut read => break outcome.unwrap_or(Outcome::Late),
                result = &mut write, if wrote.is_none() => wrote = Some(result.is_ok()),
            }
        };
        // A response that comes before the request has been sent ends what can be asked here.
        self.judge(wire, ask, sent, outcome).await && wrote == Some(true)
    }

    /// Judges, and says whether the connection goes on.
    async fn judge(&mut self, wire: &Wire, ask: &Ask, sent: &Sent, outcome: Outcome) -> bool {
        self.running.exchanges.set(self.running.exchanges.get() + 1);
        judge::judge(self.running, ask, sent, &outcome, self.client.does);
        let Outcome::Response(response) = outcome else { return false };
        if let Some(tag) = response.head.field("etag") {
            self.tags[ask.resource] = Some(tag.to_owned());
        }
        let ends = response.closes || ask.close || ask.odd == OddAsk::Http10;
        if ends && response.ended == Ended::Whole && self.client.does == Does::Ask && !self.client.pipelined {
            self.ends(wire, sent.mark).await;
        }
        let broken = ask.is_malformed() || matches!(ask.content, Content::BadChunk(_));
        // Who answers before all the content has come, the edge itself or the origin, may leave the rest unread, and the
        // connection to be closed, said or not.
        let answer = response.head.field("x-answer").and_then(Mark::parse);
        let given = answer.and_then(|mark| self.running.given(mark));
        let has_read = given.is_some_and(|given| given.upload == Some(sent.mark));
        let unread = ask.content != Content::None && !has_read;
        let broken = broken || unread;
        !ends && !broken && response.ended == Ended::Whole
    }

    /// The connection has to end now, with nothing more.
    async fn ends(&self, wire: &Wire, mark: Mark) {
        match timeout(self.target.patience, wire.fill()).await {
            Ok(Ok(1..)) => {
                let says = "bytes after the last response".to_owned();
                self.running.fault(Fault::new(Kind::Framing, mark, says));
            }
            Ok(_) => {}
            Err(_) => {
                let says = format!(
                    "the connection is open {} s after its last response",
                    self.target.patience.as_secs()
                );
                self.running.fault(Fault::new(Kind::NoEnd, mark, says));
            }
        }
    }
}

/// Reads the response to `ask`.
pub async fn read(wire: &Wire, ask: &Ask) -> Outcome {
    for _ in 0..8 {
        let head = match read_head(wire).await {
            Ok(head) => head,
            Err(none) => return Outcome::Nothing(none),
        };
        let malformed = |why: String| Outcome::Nothing(NoHead::Malformed(why));
        let Some(status) = status(&head.line) else { return malformed(format!("{:?}", head.line)) };
        let framing = match head.framing(Framing::Close) {
            Ok(framing) => framing,
            Err(why) => return malformed(why),
        };
        if matches!(status, 100..200 | 204) && framing != Framing::Close {
            return malformed(format!("{status} with {framing:?}"));
        }
        if matches!(status, 102..200 | 100) {
            continue;
        }
        if framing == Framing::Chunked && ask.odd == OddAsk::Http10 {
            return malformed("chunks in a response to HTTP/1.0".to_owned());
        }
        let bodiless = ask.method == "HEAD" || matches!(status, 101 | 204 | 304);
        let framing = if bodiless { Framing::Length(0) } else { framing };
        let said = |word: &str| head.all("connection").any(|value| value.eq_ignore_ascii_case(word));
        let closes = framing == Framing::Close
            || said("close")
            || (head.line.starts_with("HTTP/1.0") && !said("keep-alive"));
        let (content, ended) = read_content(wire, framing, MOST).await;
        return Outcome::Response(Response { status, head, content, ended, closes });
    }
    Outcome::Nothing(NoHead::Malformed("interim responses without end".to_owned()))
}

fn status(line: &str) -> Option<u16> {
    let rest = line.strip_prefix("HTTP/1.1 ").or_else(|| line.strip_prefix("HTTP/1.0 "))?;
    let digits = rest.get(..3)?;
    let complete = rest.len() == 3 || rest.as_bytes()[3] == b' ';
    (complete && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.parse().ok())?
}
