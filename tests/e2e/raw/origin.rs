use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, ensure};
use tokio::io::AsyncWriteExt as _;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::message::{Framed, Head, Reader};
use crate::wait::until;

/// Where the scripts of raw origins stand, so that the routes of the configuration hold for them.
pub(crate) const PREFIX: &str = "/raw/test";

/// An origin that answers with exact bytes, and keeps each byte that it was sent.
#[derive(Debug)]
pub(crate) struct RawOrigin {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
    accepting: JoinHandle<()>,
}

/// All that has come.
#[derive(Debug, Default)]
struct Log {
    connections: Vec<Seen>,
    /// How often each target was asked for.
    times: HashMap<String, usize>,
}

/// One connection.
#[derive(Debug, Default)]
struct Seen {
    arrived: Vec<Arrived>,
    /// What could not be read as a request.
    garbage: Option<String>,
    /// The target that is being answered.
    answers: Option<String>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrived {
    /// How many requests came before it on its connection.
    pub(crate) nth: usize,
    /// How many requests for the same target came before it.
    pub(crate) again: usize,
    pub(crate) method: String,
    /// Without the prefix that all scripts share.
    pub(crate) target: String,
    head: Head,
    pub(crate) framed: Framed,
    pub(crate) body: Vec<u8>,
    /// Whether the body came to its end.
    pub(crate) whole: bool,
}

impl Arrived {
    /// A field's lines, joined; empty where there is none.
    pub(crate) fn field(&self, name: &str) -> String {
        self.head.field(name)
    }
}

/// What an origin does next.
#[derive(Debug)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Does nothing until the value is true.
    Await(watch::Receiver<bool>),
    /// Sends these bytes again and again, as fast as they are taken, until the edge closes the connection.
    Flood(Vec<u8>),
    /// Does nothing until the edge closes the connection.
    Stall,
    Close,
    /// Closes the connection so that the edge is told of a failure.
    Reset,
}

impl Step {
    /// A whole message, or as much of it as is given.
    pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Self {
        Self::Send(bytes.as_ref().to_vec())
    }

    /// A well-formed 200 with these field lines (each with its end) and this body.
    pub(crate) fn ok(lines: &str, body: &str) -> Self {
        Self::send(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n{lines}\r\n{body}", body.len()))
    }
}

type Script = dyn Fn(&Arrived) -> Vec<Step> + Send + Sync;

impl RawOrigin {
    /// Listens on a free port. `script` is asked once a request is there, with its body as its head frames it.
    pub(crate) fn start(
        tokio: &Handle,
        script: impl Fn(&Arrived) -> Vec<Step> + Send + Sync + 'static,
    ) -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("the raw origin")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let log: Arc<Mutex<Log>> = Arc::default();
        let (_guard, known, script) = (tokio.enter(), log.clone(), Arc::new(script));
        let listener = TcpListener::from_std(listener)?;
        let accepting = tokio.spawn(async move {
            // Connections end with this task.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let number = {
                    let connections = &mut lock(&known).connections;
                    connections.push(Seen::default());
                    connections.len() - 1
                };
                let (known, script) = (known.clone(), script.clone());
                connections.spawn(async move {
                    serve(stream, number, &known, &*script).await;
                    lock(&known).connections[number].answers = None;
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, log, accepting })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All requests so far, by connection.
    pub(crate) fn arrived(&self) -> Vec<Arrived> {
        self.those(|_| true)
    }

    /// The requests for this target.
    pub(crate) fn asked(&self, target: &str) -> Vec<Arrived> {
        self.those(|arrived| arrived.target == target)
    }

    fn those(&self, wanted: impl Fn(&Arrived) -> bool) -> Vec<Arrived> {
        let log = lock(&self.log);
        let all = log.connections.iter().flat_map(|seen| &seen.arrived);
        all.filter(|arrived| wanted(arrived)).cloned().collect()
    }

    /// Waits until so many requests for this target are there.
    pub(crate) async fn has_been_asked(&self, target: &str, times: usize) -> Result<()> {
        let what = format!("the origin to be asked for {target}");
        until(&what, async || Ok((self.asked(target).len() >= times).then_some(()))).await
    }

    /// Waits until nothing is under way for this target: what stalls or floods goes on until the edge has closed the connection.
    pub(crate) async fn is_let_go(&self, target: &str) -> Result<()> {
        let what = format!("the edge to close its connections to the origin for {target}");
        until(&what, async || {
            let log = lock(&self.log);
            let under_way = log.connections.iter().any(|seen| seen.answers.as_deref() == Some(target));
            Ok((!under_way).then_some(()))
        })
        .await
    }

    /// Checks that nothing was sent but these requests (`GET /a`), in any order: neither a further one nor anything that is
    /// none.
    pub(crate) fn was_sent(&self, expected: &[&str]) -> Result<()> {
        let garbage: Vec<String> =
            lock(&self.log).connections.iter().filter_map(|seen| seen.garbage.clone()).collect();
        ensure!(garbage.is_empty(), "what is no request reached the origin: {garbage:?}");
        let mut lines: Vec<String> =
            self.arrived().iter().map(|asked| format!("{} {}", asked.method, asked.target)).collect();
        let mut expected = expected.to_vec();
        lines.sort_unstable();
        expected.sort_unstable();
        ensure!(lines == expected, "the origin was sent {lines:?} instead of {expected:?}");
        Ok(())
    }
}

impl Drop for RawOrigin {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn serve(stream: TcpStream, connection: usize, log: &Mutex<Log>, script: &Script) {
    let Ok((mut reader, mut writer)) = Reader::of(stream) else { return };
    loop {
        let Some(head) = reader.head().await else {
            // A connection may end between requests.
            if let Some(rest) = reader.rest() {
                lock(log).connections[connection].garbage = Some(rest);
            }
            return;
        };
        let arrived = match arrived(&head) {
            Some(arrived) => arrived,
            None => {
                lock(log).connections[connection].garbage = Some(format!("{head:?}"));
                return;
            }
        };
        let number = {
            let mut log = lock(log);
            let times = log.times.entry(arrived.target.clone()).or_default();
            let again = *times;
            *times += 1;
            let seen = &mut log.connections[connection];
            seen.answers = Some(arrived.target.clone());
            let here = &mut seen.arrived;
            here.push(Arrived { nth: here.len(), again, ..arrived });
            here.len() - 1
        };
        let framed = lock(log).connections[connection].arrived[number].framed;
        let (body, whole) = reader.body(framed).await;
        let arrived = {
            let arrived = &mut lock(log).connections[connection].arrived[number];
            (arrived.body, arrived.whole) = (body, whole);
            arrived.clone()
        };
        if !whole {
            return;
        }
        for step in script(&arrived) {
            if !take(&mut reader, &mut writer, step).await {
                return;
            }
        }
        lock(log).connections[connection].answers = None;
    }
}

/// Whether the connection goes on.
async fn take(reader: &mut Reader, writer: &mut OwnedWriteHalf, step: Step) -> bool {
    match step {
        Step::Send(bytes) => writer.write_all(&bytes).await.is_ok(),
        Step::Await(mut until) => until.wait_for(|yes| *yes).await.is_ok(),
        Step::Flood(bytes) => {
            while writer.write_all(&bytes).await.is_ok() {}
            false
        }
        Step::Stall => {
            while reader.more().await {}
            false
        }
        Step::Close => false,
        Step::Reset => {
            // Nothing more can be done about it.
            let _ = writer.as_ref().set_zero_linger();
            false
        }
    }
}

/// A request by its head; `None` where it is none.
fn arrived(head: &Head) -> Option<Arrived> {
    let mut parts = head.start.split(' ');
    let (method, target, version) = (parts.next()?, parts.next()?, parts.next()?);
    let is_request = version.starts_with("HTTP/1.") && parts.next().is_none();
    let framed = head.framed().ok()?.unwrap_or(Framed::Length(0));
    is_request.then(|| Arrived {
        nth: 0,
        again: 0,
        method: method.to_owned(),
        target: target.strip_prefix(PREFIX).unwrap_or(target).to_owned(),
        head: head.clone(),
        framed,
        body: Vec::new(),
        whole: false,
    })
}
