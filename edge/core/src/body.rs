//! Bodies: what the pipeline asks of a platform's body, and one way to give it for any stream of bytes.

mod cut;
mod pace;
mod room;
mod tee;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;

use crate::platform::ClientFault;

pub use cut::{Cut, cut};
pub use pace::{Pace, Paced, Timer};
pub use room::{Reserved, Room};
pub use tee::{Tee, tee};

/// A message body of one platform, usually a stream.
pub trait Body: Sized + 'static {
    /// No body at all.
    fn empty() -> Self;

    /// These bytes.
    fn full(bytes: Bytes) -> Self;

    /// How many bytes will come, where that is known.
    fn length(&self) -> Option<u64>;

    /// Splits the body into what is handed on and a [`Capture`] of the whole.
    ///
    /// The capture keeps at most `limit` bytes, and no more than fit into `room`: once there are more it gives up, lets go of what it has, and what is
    /// handed on goes on without it, with the origin's pace bound to the client's. It must work when the other half is
    /// dropped early (the client has gone) and, spawned, read on to the end by itself.
    fn tee(self, limit: u64, room: &Arc<Room>) -> (Self, Capture);

    /// Waits until there is something of a request's body to send, and says whether all of it is there: a client that has sent
    /// nothing takes no place among the requests to an origin. Left as it is, nothing is waited for.
    fn primed(self) -> impl Future<Output = Result<(Self, bool), ClientFault>> {
        async { Ok((self, false)) }
    }

    /// Only the bytes from `first` on, `length` of them; what comes before is read and dropped, what comes after is not read.
    /// A body that ends before is broken off.
    fn cut(self, first: u64, length: u64) -> Self;

    /// The whole body, at most `limit` bytes.
    fn collect(self, limit: u64) -> Capture {
        self.tee(limit, &Room::new(limit)).1
    }
}

/// Resolves when the body has ended.
pub type Capture = Pin<Box<dyn Future<Output = Result<Bytes, CaptureError>>>>;

/// Why there is no whole body. Either way nothing may be stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CaptureError {
    #[error("the body is larger than what may be stored")]
    TooLarge,
    /// What is held already leaves no room for it at the moment.
    #[error("there is no room for the body")]
    NoRoom,
    #[error("the body broke off: {0}")]
    Broken(String),
}
