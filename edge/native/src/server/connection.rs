//! One client's connection: HTTP/1.1, or HTTP/2 where the client starts with its preface (prior knowledge,
//! RFC 9113, section 3.3).

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioIo, TokioTimer};
use levee::Edge;
use levee::pipeline::shortcuts::Shortcuts;
use tokio::net::TcpStream;

use super::acceptor::Accepted;
use super::drain::{Drain, Watch};
use super::service::{Connected, Service};
use super::timer::Coarse;
use super::{Options, Tasks};
use crate::app::App;
use crate::platform::Native;

mod rewind;
use rewind::Rewind;

/// Most bytes of a request's head that are read at all. The edge's own limits are lower and answer better.
const HEAD: usize = 64 << 10;

/// How one thread serves its connections.
pub(super) struct Connections<A> {
    edge: Arc<Edge>,
    shortcuts: Rc<RefCell<Shortcuts>>,
    platform: Native<A>,
    options: Rc<Options>,
    drain: Drain,
    http1: http1::Builder,
    http2: http2::Builder<Local>,
}

impl<A: App> Connections<A> {
    pub(super) fn new(edge: Arc<Edge>, platform: Native<A>, options: &Options, drain: Drain) -> Self {
        let limits = &edge.config().limits;
        let head = HEAD.max(limits.uri as usize + limits.fields as usize);
        let mut http1 = http1::Builder::new();
        http1
            .timer(Coarse::new(options.head_timeout))
            .header_read_timeout(options.head_timeout)
            .max_header_size(head);
        let mut http2 = http2::Builder::new(Local);
        http2
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(options.head_timeout))
            .keep_alive_timeout(Duration::from_secs(10))
            .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX));
        let shortcuts = Rc::new(RefCell::new(Shortcuts::new(fastrand::u64(..))));
        Self { edge, shortcuts, platform, options: Rc::new(options.clone()), drain, http1, http2 }
    }

    pub(super) fn serve(&self, accepted: Accepted, tasks: &Tasks) {
        let Accepted { stream, peer, place } = accepted;
        let stream = match open(stream) {
            Ok(stream) => stream,
            Err(error) => return tracing::debug!(%error, "a connection broke at once"),
        };
        let service = Connected(Rc::new(Service {
            edge: self.edge.clone(),
            shortcuts: self.shortcuts.clone(),
            platform: self.platform.clone(),
            options: self.options.clone(),
            peer: peer.ip().to_canonical(),
        }));
        let mut watch = self.drain.watch();
        let mut http1 = self.http1.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let http2 = self.http2.clone();
        tasks.spawn(async move {
            let _place = place;
            let ended =
                run(Pin::new(&mut http1), http1::UpgradeableConnection::graceful_shutdown, &mut watch).await;
            let ended = match ended {
                Err(error) if error.is_parse_version_h2() => match http1.into_parts() {
                    Some(parts) => {
                        let io = Rewind::new(parts.read_buf, parts.io);
                        let http2 = pin!(http2.serve_connection(io, parts.service));
                        run(http2, http2::Connection::graceful_shutdown, &mut watch).await
                    }
                    None => Err(error),
                },
                ended => ended,
            };
            if let Err(error) = ended {
                tracing::debug!(%error, client = %peer, "a connection ended");
            }
        });
    }
}

fn open(stream: std::net::TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    TcpStream::from_std(stream)
}

/// Drives a connection to its end; once the server stops, to the end of what is under way.
async fn run<C: Future>(
    mut connection: Pin<&mut C>,
    stop: impl Fn(Pin<&mut C>),
    watch: &mut Watch,
) -> C::Output {
    let mut stopping = false;
    poll_fn(|cx| {
        let polled = connection.as_mut().poll(cx);
        if polled.is_pending() && !stopping && watch.has_begun(cx) {
            stopping = true;
            stop(connection.as_mut());
            return connection.as_mut().poll(cx);
        }
        polled
    })
    .await
}

/// Runs HTTP/2's streams on the thread of their connection.
#[derive(Clone, Copy, Debug)]
struct Local;

impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for Local {
    fn execute(&self, task: F) {
        tokio::task::spawn_local(task);
    }
}
