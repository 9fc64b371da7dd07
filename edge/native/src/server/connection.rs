//! One client's connection: HTTP/1.1, or HTTP/2 where the client starts with its preface (prior knowledge,
//! RFC 9113, section 3.3).

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use levee::Edge;
use levee::body::Pace;
use levee::pipeline::shortcuts::Shortcuts;
use socket2::SockRef;
use tokio::net::TcpStream;

use super::acceptor::Accepted;
use super::drain::{Drain, Watch};
use super::gate::Gate;
use super::linger::linger;
use super::places::Slot;
use super::service::{Connected, Service};
use super::streams::{Local, Open, Streams, Verdict};
use super::timer::Coarse;
use super::{Options, Tasks};
use crate::app::App;
use crate::platform::Native;

mod rewind;
use rewind::Rewind;

/// Most bytes of a request's head that are read at all. The edge's own limits are lower and answer better.
const HEAD: usize = 64 << 10;

/// Requests that one HTTP/2 connection may have under way.
const STREAMS: u32 = 100;

/// Bytes of bodies that an HTTP/2 client may send before they are read: of one request, and of all on a connection.
const STREAM_WINDOW: u32 = 64 << 10;
const CONNECTION_WINDOW: u32 = 128 << 10;

/// Bytes of one HTTP/2 response that are taken from its body before they can be sent.
const SEND_BUFFER: usize = 16 << 10;

/// How one thread serves its connections.
pub(super) struct Connections<A> {
    edge: Arc<Edge>,
    shortcuts: Rc<RefCell<Shortcuts>>,
    platform: Native<A>,
    options: Rc<Options>,
    drain: Drain,
    http1: http1::Builder,
    http2: http2::Builder<Local>,
    /// Most bytes of a head.
    head: usize,
    /// The slowest that a client may read.
    pace: Pace,
}

impl<A: App> Connections<A> {
    pub(super) fn new(edge: Arc<Edge>, platform: Native<A>, options: &Options, drain: Drain) -> Self {
        let limits = &edge.config().limits;
        let pace = Pace { idle: limits.body_idle, rate: u64::from(limits.body_rate) };
        let head = HEAD.max(limits.uri as usize + limits.fields as usize);
        let mut http1 = http1::Builder::new();
        http1
            .timer(Coarse::new(options.head_timeout))
            .header_read_timeout(options.head_timeout)
            .max_header_size(head)
            .max_buf_size(head);
        let mut http2 = http2::Builder::new(Local);
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(options.head_timeout))
            .keep_alive_timeout(Duration::from_secs(10))
            .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX))
            .max_concurrent_streams(STREAMS)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_send_buf_size(SEND_BUFFER)
            // A client that resets what it has just asked for (CVE-2023-44487), or makes the edge do so (CVE-2025-8671).
            .max_pending_accept_reset_streams(20)
            .max_local_error_reset_streams(Some(100));
        let shortcuts = Rc::new(RefCell::new(Shortcuts::new(fastrand::u64(..))));
        Self { edge, shortcuts, platform, options: Rc::new(options.clone()), drain, http1, http2, head, pace }
    }

    pub(super) fn serve(&self, accepted: Accepted, tasks: &Tasks) {
        let Accepted { stream, peer, load, place } = accepted;
        let (stream, local) = match open(stream) {
            Ok(opened) => opened,
            Err(error) => return tracing::debug!(%error, "a connection broke at once"),
        };
        let slot = place.slot().clone();
        // hyper's limit is met first, and answered by 431.
        let gate = Gate::new(stream, place, 2 * self.head, self.pace);
        let signals = gate.signals().clone();
        let service = Rc::new(Service {
            edge: self.edge.clone(),
            shortcuts: self.shortcuts.clone(),
            platform: self.platform.clone(),
            options: self.options.clone(),
            peer: peer.ip().to_canonical(),
            local,
            slot: slot.clone(),
            intake: signals.intake().clone(),
        });
        let connected = Connected::new(service, signals.clone());
        let mut watch = self.drain.watch();
        let mut http1 = self.http1.serve_connection(TokioIo::new(gate), connected).with_upgrades();
        let http2 = self.http2.clone();
        let (pace, idle) = (self.pace, self.options.head_timeout);
        tasks.spawn(async move {
            let _load = load;
            let stop = http1::UpgradeableConnection::graceful_shutdown;
            let Some(ended) = run(Pin::new(&mut http1), stop, &mut watch, &slot, |_| Verdict::Fine).await
            else {
                return tracing::debug!(client = %peer, "a connection made room");
            };
            // Upgraded, there is nothing left of it here.
            let Some(parts) = http1.into_parts() else { return };
            let error = match ended {
                Ok(()) => None,
                Err(error) if error.is_parse_version_h2() => {
                    let io = Rewind::new(parts.read_buf, parts.io);
                    let open = Rc::new(Open::new(pace, idle));
                    let streams = Streams::new(parts.service.service, open.clone());
                    let http2 = pin!(http2.serve_connection(io, streams));
                    let stop = http2::Connection::graceful_shutdown;
                    let mut check = open.check();
                    let over = |cx: &mut Context<'_>| check.poll(cx);
                    match run(http2, stop, &mut watch, &slot, over).await {
                        Some(Err(error)) => tracing::debug!(%error, client = %peer, "a connection ended"),
                        Some(Ok(())) => {}
                        None => tracing::debug!(client = %peer, "a connection was ended"),
                    }
                    return;
                }
                Err(error) => Some(error),
            };
            if let Some(error) = &error {
                tracing::debug!(%error, client = %peer, "a connection ended");
            }
            let mut gate = parts.io.into_inner();
            match error {
                // The client must not take what it has for the whole: a reset is no end.
                Some(error) if error.is_user() && signals.is_ended_by_close() => {
                    let _ = SockRef::from(&*gate.socket()).set_linger(Some(Duration::ZERO));
                }
                Some(error) if !error.is_parse() => {}
                // It was answered, and it may not have read that.
                _ if gate.has_unread() => linger(gate.socket()).await,
                _ => {}
            }
        });
    }
}

fn open(stream: std::net::TcpStream) -> io::Result<(TcpStream, std::net::SocketAddr)> {
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    Ok((TcpStream::from_std(stream)?, local))
}

/// Drives a connection to its end; once the server stops, or `over` says that its client waits for nothing, to the end of what
/// is under way. `None`: it had to go before.
async fn run<C: Future>(
    mut connection: Pin<&mut C>,
    stop: impl Fn(Pin<&mut C>),
    watch: &mut Watch,
    slot: &Slot,
    mut over: impl FnMut(&mut Context<'_>) -> Verdict,
) -> Option<C::Output> {
    let (mut stopping, mut is_first) = (false, true);
    poll_fn(|cx| {
        if slot.poll_told(cx, std::mem::take(&mut is_first)) && slot.must_go() {
            // HTTP/2 says good-bye; HTTP/1 has nothing to say.
            stop(connection.as_mut());
            let _ = connection.as_mut().poll(cx);
            return Poll::Ready(None);
        }
        let mut polled = connection.as_mut().poll(cx);
        if polled.is_ready() {
            return polled.map(Some);
        }
        let verdict = over(cx);
        if verdict == Verdict::Stalled {
            return Poll::Ready(None);
        }
        if !stopping && (verdict == Verdict::Over || watch.has_begun(cx)) {
            stopping = true;
            stop(connection.as_mut());
            polled = connection.as_mut().poll(cx);
        }
        polled.map(Some)
    })
    .await
}
