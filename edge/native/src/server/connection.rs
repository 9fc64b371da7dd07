//! One client's connection: HTTP/1.1, or HTTP/2 where the client starts with its preface (prior knowledge,
//! RFC 9113, section 3.3).

use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::TokioTimer;
use levee::Edge;
use levee::body::Pace;
use levee::pipeline::shortcuts::Shortcuts;
use tokio::net::TcpStream;

use super::acceptor::Accepted;
use super::drain::Drain;
use super::gate::Gate;
use super::service::{Connected, Service};
use super::streams::Local;
use super::timer::Coarse;
use super::{Options, Tasks};
use crate::app::App;
use crate::platform::Native;

mod life;
mod rewind;
mod run;

use life::Life;

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
    http1: Rc<http1::Builder>,
    http2: Rc<http2::Builder<Local>>,
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
        let (http1, http2) = (Rc::new(http1), Rc::new(http2));
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
        let life = Life {
            http1: self.http1.clone(),
            http2: self.http2.clone(),
            watch: self.drain.watch(),
            slot,
            signals,
            pace: self.pace,
            idle: self.options.head_timeout,
        };
        tasks.spawn(async move {
            let _load = load;
            if let Err(error) = life.live(gate, connected).await {
                tracing::debug!(%error, client = %peer, "a connection ended");
            }
        });
    }
}

fn open(stream: std::net::TcpStream) -> io::Result<(TcpStream, std::net::SocketAddr)> {
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    Ok((TcpStream::from_std(stream)?, local))
}
