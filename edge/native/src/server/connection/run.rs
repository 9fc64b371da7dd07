//! What a connection waits for beside its client.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::net::TcpStream;

use crate::server::drain::Watch;
use crate::server::places::Slot;

/// How a connection came to its end, or to rest.
pub(super) enum Ended<T> {
    Over(T),
    /// It had to make room, or its client did not read.
    Dismissed,
    /// Its client wants nothing now.
    Asleep,
}

/// What is to become of a connection that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wants {
    Nothing,
    Sleep,
    /// To end when what is under way has ended.
    End,
    Dismissal,
}

/// Drives a connection; once the server stops, or it `wants` to end, to the end of what is under way.
pub(super) async fn run<C: Future>(
    mut connection: Pin<&mut C>,
    stop: impl Fn(Pin<&mut C>),
    watch: &mut Watch,
    slot: &Slot,
    mut wants: impl FnMut(&mut Context<'_>, &Slot) -> Wants,
) -> Ended<C::Output> {
    let (mut stopping, mut is_first) = (false, true);
    poll_fn(|cx| {
        if slot.poll_told(cx, std::mem::take(&mut is_first)) && slot.must_go() {
            // HTTP/2 says good-bye; HTTP/1 has nothing to say.
            stop(connection.as_mut());
            let _ = connection.as_mut().poll(cx);
            return Poll::Ready(Ended::Dismissed);
        }
        let mut polled = connection.as_mut().poll(cx);
        if polled.is_pending() {
            let wants = wants(cx, slot);
            match wants {
                Wants::Dismissal => return Poll::Ready(Ended::Dismissed),
                Wants::Sleep if !stopping => return Poll::Ready(Ended::Asleep),
                _ => {}
            }
            if !stopping && (wants == Wants::End || watch.has_begun(cx)) {
                stopping = true;
                stop(connection.as_mut());
                polled = connection.as_mut().poll(cx);
            }
        }
        polled.map(Ended::Over)
    })
    .await
}

/// Waits for a client's next byte, or its end. `false`: neither came in `idle`, or it had to make room, or the server stops.
pub(super) async fn doze(socket: &TcpStream, slot: &Slot, watch: &mut Watch, idle: Duration) -> bool {
    let wait = poll_fn(|cx| {
        if socket.poll_read_ready(cx).is_ready() {
            return Poll::Ready(true);
        }
        let must_go = slot.poll_told(cx, true) && slot.must_go();
        if must_go || watch.has_begun(cx) { Poll::Ready(false) } else { Poll::Pending }
    });
    tokio::time::timeout(idle, wait).await.unwrap_or(false)
}
