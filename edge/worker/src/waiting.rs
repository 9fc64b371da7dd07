//! Waiting for what another request of the isolate does.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use levee::shield::Pauses;

use crate::host::Host;

/// Between two looks, at first and at most, before jitter. A look costs some ten microseconds of CPU, and there may be a
/// thousand who wait.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LAST_LOOK: Duration = Duration::from_millis(100);
/// What goes on behind an answer has so long on Workers: past it the other request may have been cancelled unheard.
const MOST: Duration = Duration::from_secs(30);

/// What `other` comes to, or `None` after half a minute.
///
/// The runtime cancels a request that waits for nothing of its own: a promise or a waker of another request is nothing. So
/// nobody wakes anybody here; each request has its own timer, and looks when it is over. What `other` brings must be plain
/// memory for the same reason.
pub(crate) async fn for_another<T>(host: &Host, other: impl Future<Output = T>) -> Option<T> {
    let mut other = pin!(other);
    let (mut pauses, mut waited) = (Pauses::new(FIRST_LOOK, LAST_LOOK), Duration::ZERO);
    loop {
        if let Poll::Ready(done) = other.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Some(done);
        }
        if waited >= MOST {
            return None;
        }
        // Counted, because a clock that stands still while the CPU works would not be told from one that goes.
        let pause = pauses.next(host.random());
        waited += pause;
        host.sleep(pause.as_secs_f64() * 1e3).await;
    }
}
