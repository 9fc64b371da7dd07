//! What must not happen, by kind.

use crate::mark::Mark;

/// A kind of fault. The number is the invariant's in `docs/correctness.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// 1: a client sees as complete what the origin did not complete.
    Incomplete,
    /// 1: what the origin completed breaks off at a client that reads.
    BrokenOff,
    /// 1: an origin sees as complete what the client did not, or other content than it sent.
    Upload,
    /// 2: bytes of another exchange.
    Mixed,
    /// 2: the response of another URL.
    OtherUrl,
    /// 2: a response to other keyed or selecting fields.
    OtherVariant,
    /// 2: fields say other content than there is.
    Relabelled,
    /// 2: a part that is not the one it says.
    Range,
    /// 2: a message whose framing is unclear or wrong.
    Framing,
    /// 2: a request that no client made.
    Smuggled,
    /// 3: a private response reaches a second client.
    Private,
    /// 3: a response to one client's credentials reaches another.
    Credentials,
    /// 3: one client's `Set-Cookie` reaches another.
    SetCookie,
    /// 3: a field that was for one client (`private="…"`) reaches another.
    FieldShared,
    /// 3: an error that one client's request caused reaches another.
    ErrorShared,
    /// 3: an error that names no lifetime is stored.
    ErrorStored,
    /// 3: a request with content, or for an upgrade, is answered from the cache.
    StoredAnswer,
    /// 3: a condition of the client is not honoured.
    Condition,
    /// 4: permits do not come back: plain requests are refused afterwards.
    Permits,
    /// 4: descriptors do not come back.
    Descriptors,
    /// 4: memory does not come back.
    Memory,
    /// 5: an error of the edge's own without a cause.
    OwnError,
    /// 5: a malformed request is no 4xx, or reaches the origin.
    Malformed,
    /// 5: no answer.
    NoAnswer,
    /// 5: a connection without an end.
    NoEnd,
    /// 5: the process ended, or something in it panicked.
    Crash,
}

impl Kind {
    pub const EVERY: [Self; 26] = [
        Self::Incomplete,
        Self::BrokenOff,
        Self::Upload,
        Self::Mixed,
        Self::OtherUrl,
        Self::OtherVariant,
        Self::Relabelled,
        Self::Range,
        Self::Framing,
        Self::Smuggled,
        Self::Private,
        Self::Credentials,
        Self::SetCookie,
        Self::FieldShared,
        Self::ErrorShared,
        Self::ErrorStored,
        Self::StoredAnswer,
        Self::Condition,
        Self::Permits,
        Self::Descriptors,
        Self::Memory,
        Self::OwnError,
        Self::Malformed,
        Self::NoAnswer,
        Self::NoEnd,
        Self::Crash,
    ];

    pub fn invariant(self) -> u8 {
        match self {
            Self::Incomplete | Self::BrokenOff | Self::Upload => 1,
            Self::Mixed
            | Self::OtherUrl
            | Self::OtherVariant
            | Self::Relabelled
            | Self::Range
            | Self::Framing
            | Self::Smuggled => 2,
            Self::Private
            | Self::Credentials
            | Self::SetCookie
            | Self::FieldShared
            | Self::ErrorShared
            | Self::ErrorStored
            | Self::StoredAnswer
            | Self::Condition => 3,
            Self::Permits | Self::Descriptors | Self::Memory => 4,
            Self::OwnError | Self::Malformed | Self::NoAnswer | Self::NoEnd | Self::Crash => 5,
        }
    }
}

/// Something that must not happen has happened.
#[derive(Clone, Debug)]
pub struct Fault {
    pub kind: Kind,
    /// The request of a client, or the response of the origin, at which it was seen.
    pub at: Option<Mark>,
    pub says: String,
}

impl Fault {
    pub fn new(kind: Kind, at: impl Into<Option<Mark>>, says: impl Into<String>) -> Self {
        Self { kind, at: at.into(), says: says.into() }
    }
}
