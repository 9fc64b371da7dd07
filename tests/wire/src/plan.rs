//! What happens in one round: a few clients ask for a few resources of an origin. It is data, made up from a seed
//! ([`crate::generate`]) or written down ([`crate::regressions`]).

/// One round. Its URLs are no other's.
#[derive(Clone, Debug, Default)]
pub struct Round {
    pub resources: Vec<Resource>,
    pub clients: Vec<Client>,
}

/// A route of the edge's configuration ([`crate::edge::CONFIG`]).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// The defaults.
    Plain,
    /// `ttl.default` and `negative`.
    Silent,
    /// `ttl.override`.
    Override,
    /// `credentials = "strip"`, `set_cookie = "strip"`.
    Strip,
    /// `credentials = "key"`: the cookie `sid` and the field `x-api-key`.
    Key,
    /// `particular = "answer"`, keyed by `x-tenant`.
    All,
    /// `cache = false`.
    Pass,
}

impl Route {
    pub const EVERY: [Self; 7] =
        [Self::Plain, Self::Silent, Self::Override, Self::Strip, Self::Key, Self::All, Self::Pass];

    /// The first segment of its paths.
    pub fn segment(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Silent => "silent",
            Self::Override => "override",
            Self::Strip => "strip",
            Self::Key => "key",
            Self::All => "all",
            Self::Pass => "pass",
        }
    }
}

/// A URL, and what the origin replies to the first, second, … request for it. The last reply is repeated.
#[derive(Clone, Debug)]
pub struct Resource {
    pub route: Route,
    pub replies: Vec<Reply>,
}

/// What the origin says of caching: the lines of its fields, and what they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caching {
    pub lines: &'static [(&'static str, &'static str)],
    /// Nobody but who asked may have it.
    pub private: bool,
    /// It names its lifetime.
    pub explicit: bool,
    /// It may answer clients with credentials (RFC 9111, section 3.5).
    pub with_credentials: bool,
    /// `x-once` is for who asked alone.
    pub once: bool,
}

/// How a body is framed, rightly or wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length,
    /// Odd sizes; whether with extensions and trailers.
    Chunked {
        extensions: bool,
        trailers: bool,
    },
    Close,
    /// Chunked, beside a length that is so much too small or too large (RFC 9112, section 6.3: chunked holds).
    LengthAndChunked(i32),
    /// A length that is so much too large, and then the end.
    TooLong(usize),
    /// After the right length come bytes that belong to no message; whether they look like a response.
    Extra {
        response: bool,
    },
    /// Two lengths that differ.
    TwoLengths,
    /// A chunk whose size is no number.
    BadChunk,
}

/// Where a message ends that is not sent to its end, in thousandths of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    Whole,
    /// The connection is closed there, by FIN or by RST.
    Cut(usize, End),
    /// Nothing more comes.
    Stall(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Fin,
    Rst,
}

/// How bytes are cut into writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    Whole,
    /// Two pieces, in thousandths.
    At(usize),
    /// So many bytes at a time, for the first few hundred.
    Pieces(usize),
}

/// What becomes of an origin's connection after a whole response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    Keep,
    /// `Connection: close`, then FIN.
    SaidClose,
    /// FIN, unsaid.
    Close,
    /// Closed as the next request comes.
    CloseOnNext(End),
}

/// Something unusual in a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddHead {
    None,
    SpaceBeforeColon,
    Fold,
    /// So many further fields.
    Many(usize),
    NoReason,
    Http10,
    /// Values with bytes above 127.
    HighBytes,
}

/// One reply of the origin.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub caching: Caching,
    pub vary: Option<&'static str>,
    pub etag: bool,
    pub set_cookie: bool,
    /// Answers `Origin` with an `Access-Control-Allow-Origin` that names it.
    pub cors: bool,
    /// The body's length.
    pub length: usize,
    pub framing: Framing,
    /// The same content as the reply before.
    pub same_content: bool,
    /// Confirms a condition that holds (304).
    pub confirms: bool,
    /// Confirms a condition that does not hold, with an entity tag of its own.
    pub confirms_wrongly: bool,
    /// Honours `Range`.
    pub ranges: bool,
    /// The status of its reply to a request that provokes it.
    pub provoked: Option<u16>,
    /// 1xx responses before.
    pub interim: usize,
    pub odd: OddHead,
    pub split: Split,
    pub ends: Ends,
    pub after: After,
    /// Milliseconds before the first byte.
    pub delay: u64,
    /// Replies without reading the request's body.
    pub reads: bool,
}

/// One connection of a client.
#[derive(Clone, Debug)]
pub struct Client {
    pub asks: Vec<Ask>,
    /// Sends all requests before it reads.
    pub pipelined: bool,
    pub split: Split,
    pub does: Does,
    /// Begins when the client before has ended.
    pub waits: bool,
    /// Speaks HTTP/2 (only where the runtime does).
    pub http2: bool,
}

/// What a client does with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Sends all and reads all.
    Ask,
    /// Leaves when it has sent so many thousandths.
    LeaveSending(usize, End),
    /// Leaves when it has read so many bytes.
    LeaveReading(usize),
    /// Sends no more after so many thousandths, and reads.
    StallSending(usize),
    /// Does not read for a while.
    StallReading,
}

/// A body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    None,
    Length(usize),
    Chunked {
        length: usize,
        extensions: bool,
        trailers: bool,
    },
    /// Both a length and chunks, of which chunks hold; what follows by the length looks like a request.
    LengthAndChunked,
    /// A chunk's size is no number.
    BadChunk(usize),
    /// Two lengths that differ.
    TwoLengths(usize),
}

impl Content {
    /// Whether a request with it asks for something else than one without.
    pub fn matters(self) -> bool {
        !matches!(self, Self::None | Self::Length(0) | Self::Chunked { length: 0, .. })
    }
}

/// Something unusual in a request's head. The last ones must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OddAsk {
    None,
    Http10,
    AbsoluteForm,
    Fold,
    /// A byte above 127 in a value.
    HighByte,
    /// Fields larger than `limits.fields`.
    LargeFields,
    SpaceBeforeColon,
    BareLf,
    NoHost,
    TwoHosts,
    NulByte,
    Trace,
}

/// A condition that a client puts. The tag is the last it has seen of the resource, or one that nobody gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    None,
    NoneMatch { seen: bool },
    NoneMatchAny,
    Match { seen: bool },
    IfRange { seen: bool },
}

/// One request.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: &'static str,
    /// Of the round's resources.
    pub resource: usize,
    pub fields: Vec<(&'static str, String)>,
    /// With a token of its own.
    pub authorization: bool,
    /// With a cookie of its own.
    pub cookie: bool,
    pub condition: Condition,
    pub content: Content,
    pub odd: OddAsk,
    pub close: bool,
}

/// What makes an origin reply with an error ([`Reply::provoked`]).
pub const PROVOKES: &str = "xx-provoke";

impl Ask {
    /// A field's value, where it is there.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, value)| value.as_str())
    }

    /// Whether it makes an origin reply with an error.
    pub fn provokes(&self) -> bool {
        self.fields.iter().any(|(_, value)| value.contains(PROVOKES))
    }

    /// Whether a server has to refuse it, or may.
    pub fn is_malformed(&self) -> bool {
        self.must_be_refused()
            || matches!(self.odd, OddAsk::Fold | OddAsk::LargeFields)
            || matches!(self.content, Content::LengthAndChunked)
            // HTTP/1.0 has no chunks.
            || (self.odd == OddAsk::Http10 && matches!(self.content, Content::Chunked { .. } | Content::BadChunk(_)))
    }

    /// Whether it must not reach an origin (RFC 9112, sections 2.2, 3.2, 5.1, 6.3, 7.1; RFC 9110, section 9.3.8).
    pub fn must_be_refused(&self) -> bool {
        matches!(
            self.odd,
            OddAsk::SpaceBeforeColon
                | OddAsk::BareLf
                | OddAsk::NoHost
                | OddAsk::TwoHosts
                | OddAsk::NulByte
                | OddAsk::Trace
        ) || matches!(self.content, Content::TwoLengths(_))
    }

    pub fn is_idempotent(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "PUT" | "DELETE" | "OPTIONS")
    }
}
