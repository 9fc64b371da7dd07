//! What a runtime must offer. An adapter implements these traits and only translates.
//!
//! None of them asks for `Send`: one request runs on one thread (an isolate, a component instance, a
//! single-threaded executor). What is shared between requests is in [`crate::Edge`], which is `Sync`.

#![allow(async_fn_in_trait, reason = "no `Send` is asked for, on purpose")]

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};

use crate::body::Body;
use crate::origin::{OriginError, Upstream};
use crate::time::Time;

/// The time and randomness of one platform.
pub trait Clock {
    /// Milliseconds since the Unix epoch. It need not move while the processor works (on Workers it does not).
    fn now(&self) -> Time;

    /// Sixty-four random bits, good enough for jitter and names, not for secrets.
    fn random(&self) -> u64;
}

/// A key-value store of bytes behind the memory tier.
///
/// Whatever goes wrong in it is counted and otherwise a miss: no error reaches a client. Expiry lies in the value
/// ([`crate::entry`]), so that a store may keep a value longer than it was asked to, or forget it at any time.
pub trait Store {
    /// What the tier is called in `Server-Timing` and on the status page: `local`, `kv`, `sqlite`. No two of a platform share
    /// one.
    fn name(&self) -> &'static str;

    fn limits(&self) -> StoreLimits;

    /// How long it is left alone once it has failed or has not kept what it took, for a store that may not be there, or may do
    /// nothing and not say so: each time that it is tried, the first write is read back. Zero: it is asked every time.
    fn rest(&self) -> Duration {
        Duration::ZERO
    }

    /// The value, or `None` where there is none.
    async fn get(&self, key: &str) -> Result<Option<Bytes>, StoreError>;

    /// Keeps `value` for at least `keep`, in place of what was there.
    async fn put(&self, key: &str, value: Bytes, keep: Duration) -> Result<(), StoreError>;

    /// Forgets it; nothing there is no error.
    async fn delete(&self, key: &str) -> Result<(), StoreError>;
}

/// What a store can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreLimits {
    /// Largest value, in bytes.
    pub value: u64,
    /// An answer that serves by itself (fresh, or stale while a new one is fetched) for a shorter time is neither written nor
    /// looked for: the tier costs more than it saves.
    pub worth: Duration,
}

/// A store did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct StoreError(pub String);

/// How long each phase of an exchange with an origin may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    pub connect: Duration,
    /// From the request's end to the response's head.
    pub first_byte: Duration,
    /// The longest time without a byte of a body, in either direction, while the edge waits for one. A response body that is
    /// idle for longer breaks off; a request body, [`FetchError::Client`].
    pub idle: Duration,
    /// The least bytes a second, on average and from [`Deadlines::idle`] on, of a body that others wait for: a request's, and
    /// a response's while it is captured ([`Body::tee`]). Zero: any rate will do.
    pub rate: u64,
}

/// How one request is sent to an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchOptions {
    pub deadlines: Deadlines,
    /// Use a new connection: the last try met one that the origin had closed ([`FetchError::KeptAliveClosed`]). A platform
    /// whose connections are not ours to choose may ignore it.
    pub fresh_connection: bool,
}

/// One exchange with an origin.
pub trait Fetch {
    type Body: Body;

    /// Sends `request` (its URI is absolute, its fields are final) and answers as soon as the response's head is
    /// there. It must not follow redirects, recode bodies, retry, or read or write a cache. An upgrade (`Connection:
    /// upgrade`) is carried out by the adapter, by what it has put into the request's extensions.
    ///
    /// Framing is the adapter's alone: `Content-Length`, `Transfer-Encoding` and `Connection` of `request` are not sent but
    /// made from its body, and those of the message that comes in are consumed (RFC 9112, section 6.3).
    async fn fetch(
        &self,
        request: Request<Self::Body>,
        options: FetchOptions,
    ) -> Result<Response<Self::Body>, FetchError>;
}

/// Why there is no response. The names are those of RFC 9209, section 2.3.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("the origin's name cannot be resolved")]
    Dns,
    #[error("the origin refuses connections")]
    ConnectionRefused,
    #[error("connecting to the origin took too long")]
    ConnectionTimeout,
    #[error("the origin cannot be reached, or its connection broke: {0}")]
    ConnectionTerminated(String),
    /// A connection that had been used before was closed before a byte of the response came: origins close idle ones, and
    /// that crosses with the next request. It says nothing about the origin's health.
    #[error("the origin closed a kept-alive connection as the request was sent")]
    KeptAliveClosed,
    #[error("the TLS handshake with the origin failed: {0}")]
    Tls(String),
    #[error("the origin's response did not begin in time")]
    ResponseTimeout,
    #[error("the origin's response is not HTTP: {0}")]
    Protocol(String),
    /// A status that this runtime has no response for.
    #[error("the origin's status is {0}, which this runtime cannot pass on")]
    UnsupportedStatus(u16),
    /// The client's fault, not the origin's.
    #[error(transparent)]
    Client(#[from] ClientFault),
    #[error("the request to the origin could not be made: {0}")]
    Internal(String),
}

impl FetchError {
    /// Whether it happened before anything of the request was sent: it may be sent elsewhere, whatever it is.
    pub const fn is_unsent(&self) -> bool {
        matches!(self, Self::Dns | Self::ConnectionRefused | Self::ConnectionTimeout | Self::Tls(_))
    }

    /// Whether it says that the origin is not well. Neither what the client or the edge has done counts, nor a kept-alive
    /// connection that was closed.
    pub const fn is_ill_health(&self) -> bool {
        !matches!(
            self,
            Self::KeptAliveClosed | Self::Client(_) | Self::Internal(_) | Self::UnsupportedStatus(_)
        )
    }
}

/// What was wrong with a client's request body, found while it was sent on. It never counts against an origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientFault {
    /// 400.
    #[error("the request's body is malformed: {0}")]
    Malformed(String),
    /// 400: this platform has no way to send it on, such as content with a GET.
    #[error("the request's body cannot be sent on: {0}")]
    Unsupported(String),
    /// 408: [`Deadlines::idle`] or [`Deadlines::rate`].
    #[error("the request's body came too slowly")]
    Stalled,
    /// Nobody is left to be answered.
    #[error("the client went away")]
    Gone,
}

/// Work that goes on after the response.
pub trait Spawn {
    /// Runs `work` to its end, also when the client is gone, as far as the platform allows.
    fn spawn(&self, work: impl Future<Output = ()> + 'static);

    /// Runs `work` and waits for it. Dropped while it waits, as when the client leaves, `work` goes on to its end. Left as it
    /// is, that holds where the platform never drops a request's future.
    async fn detached<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        work.await
    }
}

/// A lock that all instances of the edge share, if there is one: a word under a name that expires by itself.
///
/// What the words mean is decided in [`crate::shield`]. An error is never a client's: the edge does without.
pub trait Lease {
    /// Writes `word` under `name` for `holds`, unless a word stands there: whether it was written.
    async fn take(&self, name: &str, word: &str, holds: Duration) -> Result<bool, LeaseError>;

    /// The word that stands there.
    async fn read(&self, name: &str) -> Result<Option<String>, LeaseError>;

    /// In one step: where `old` stands there it is replaced by a word for a time, or removed. Whether it was.
    async fn replace(&self, name: &str, old: &str, new: Option<(&str, Duration)>)
    -> Result<bool, LeaseError>;

    /// Waits.
    async fn sleep(&self, time: Duration);
}

/// The lock cannot be reached, or did not do what it was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct LeaseError(pub String);

/// Of a platform whose instances share none.
#[derive(Clone, Copy, Debug)]
pub enum NoLease {}

impl Lease for NoLease {
    async fn take(&self, _: &str, _: &str, _: Duration) -> Result<bool, LeaseError> {
        match *self {}
    }

    async fn read(&self, _: &str) -> Result<Option<String>, LeaseError> {
        match *self {}
    }

    async fn replace(&self, _: &str, _: &str, _: Option<(&str, Duration)>) -> Result<bool, LeaseError> {
        match *self {}
    }

    async fn sleep(&self, _: Duration) {
        match *self {}
    }
}

/// One runtime, seen from one request. Cheap to clone: background work holds a clone.
pub trait Platform: Clock + Fetch + Spawn + Clone + 'static {
    type Store: Store;

    /// Whether one request may wait for the work of another.
    const COLLAPSES: bool;

    /// The byte stores behind the memory tier, near to far.
    fn stores(&self) -> &[Self::Store];

    /// Waits for the work of another request, where [`Self::COLLAPSES`]. A platform on which a request is not woken by another
    /// one as it is by its own work sees to that here. `None`: it is not waited for any longer, because on this platform the
    /// other one may have ended without a word.
    async fn wait<T>(&self, other: impl Future<Output = T>) -> Option<T> {
        Some(other.await)
    }

    /// The lock that collapses misses across instances. Left as it is, each instance is on its own.
    fn lease(&self) -> Option<impl Lease> {
        None::<NoLease>
    }

    /// The handler behind the cache: runs on a miss, once a key. Left as it is, it forwards to `[origins]`.
    async fn origin(
        &self,
        request: Request<<Self as Fetch>::Body>,
        upstream: &Upstream<'_, Self>,
    ) -> Result<Response<<Self as Fetch>::Body>, OriginError> {
        upstream.forward(request).await
    }
}
