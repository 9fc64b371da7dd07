//! Takes connections and hands each to the thread that has the fewest.
//!
//! One acceptor for all threads, rather than a listening socket a thread: the kernel would spread connections by
//! hash, which leaves a few long-lived ones on one core, and not every system spreads them at all.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use socket2::{Domain, Socket, Type};
use tokio::sync::{mpsc, watch};

use super::linger::Full;
use super::options::ServeError;
use super::places::{Place, Places};

const BACKLOG: i32 = 4096;

/// Opens the listening socket.
pub(super) fn listen(address: SocketAddr) -> Result<TcpListener, ServeError> {
    let open = || -> io::Result<TcpListener> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // Old connections in TIME_WAIT must not keep a restarted server from its port.
        socket.set_reuse_address(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    open().map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => ServeError::InUse { address },
        _ => ServeError::Listen { address, source },
    })
}

/// A connection on its way to its thread.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) stream: TcpStream,
    pub(super) peer: SocketAddr,
    /// It counts among the thread's until dropped.
    pub(super) load: Load,
    pub(super) place: Place,
}

/// A thread's count of open connections, raised by one.
#[derive(Debug)]
pub(super) struct Load(Arc<AtomicUsize>);

impl Load {
    fn take(open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self(open.clone())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The way to one thread.
#[derive(Debug)]
pub(super) struct HandOver {
    sockets: mpsc::UnboundedSender<Accepted>,
    open: Arc<AtomicUsize>,
}

pub(super) fn channel() -> (HandOver, mpsc::UnboundedReceiver<Accepted>) {
    let (sockets, accepted) = mpsc::unbounded_channel();
    (HandOver { sockets, open: Arc::default() }, accepted)
}

#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) listener: TcpListener,
    pub(super) threads: Vec<HandOver>,
    pub(super) places: Arc<Places>,
    /// What a client is told for whom there is no place: a whole response.
    pub(super) full: Bytes,
    /// Closed when the server stops.
    pub(super) stopped: watch::Receiver<()>,
}

impl Acceptor {
    /// Runs until the server stops. The threads see the end when this drops their channels.
    pub(super) async fn run(self) {
        let Self { listener, threads, places, full, mut stopped } = self;
        let full = Full::new(full);
        let _dozing = AbortOnDrop(tokio::task::spawn_local(let_doze(places.clone())));
        let admit = |stream, peer| match places.enter(crate::platform::now()) {
            Some(place) => hand_over(&threads, stream, peer, place),
            None => full.tell(stream),
        };
        let listener = match tokio::net::TcpListener::from_std(listener) {
            Ok(listener) => listener,
            Err(error) => return tracing::error!(%error, "the listening socket cannot be watched"),
        };
        let mut stopped = pin!(stopped.changed());
        loop {
            let accepted = tokio::select! {
                biased;
                _ = &mut stopped => break,
                accepted = listener.accept() => accepted,
            };
            // From this thread's events to those of the other.
            match accepted.and_then(|(stream, peer)| Ok((stream.into_std()?, peer))) {
                Ok((stream, peer)) => admit(stream, peer),
                Err(error) if is_clients(&error) => {}
                Err(error) => {
                    let makes_room = places.dismiss();
                    tracing::warn!(%error, makes_room, "cannot take a connection");
                    // Too many open files, say: a little later there may be room.
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
        // Who has connected already is served: the system would reset them with the socket.
        let Ok(listener) = listener.into_std() else { return };
        while let Ok((stream, peer)) = listener.accept() {
            match stream.set_nonblocking(true) {
                Ok(()) => admit(stream, peer),
                Err(error) => tracing::debug!(%error, "a connection broke at once"),
            }
        }
    }
}

/// How long a connection is idle before it keeps nothing ready for the next request.
const AWAKE: Duration = Duration::from_millis(500);

async fn let_doze(places: Arc<Places>) {
    loop {
        tokio::time::sleep(AWAKE).await;
        places.let_doze(crate::platform::now(), AWAKE);
    }
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// The client has gone before it was let in.
fn is_clients(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset)
}

fn hand_over(threads: &[HandOver], stream: TcpStream, peer: SocketAddr, place: Place) {
    let least = threads.iter().min_by_key(|thread| thread.open.load(Ordering::Relaxed));
    if let Some(thread) = least {
        let load = Load::take(&thread.open);
        // A thread that has panicked takes nothing any more, and the server is about to stop.
        let _ = thread.sockets.send(Accepted { stream, peer, load, place });
    }
}
