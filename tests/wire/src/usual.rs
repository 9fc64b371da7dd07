//! The usual reply, connection and request. What is written down or made up says in what it differs.

use crate::caching;
use crate::plan::{
    After, Ask, Caching, Client, Condition, Content, Does, End, Ends, Framing, OddAsk, OddHead, Reply, Split,
};

impl Reply {
    /// 200 with a body, an entity tag and a length.
    pub fn new(caching: Caching) -> Self {
        Self {
            status: 200,
            caching,
            vary: None,
            etag: true,
            set_cookie: false,
            cors: false,
            length: 100,
            framing: Framing::Length,
            same_content: false,
            confirms: false,
            confirms_wrongly: false,
            ranges: false,
            provoked: None,
            interim: 0,
            odd: OddHead::None,
            split: Split::Whole,
            ends: Ends::Whole,
            after: After::Keep,
            delay: 0,
            reads: true,
        }
    }

    /// Whether every intermediary has to pass it on. `strict`: the runtime's own parser refuses odd heads.
    pub fn is_sound(&self, strict: bool) -> bool {
        self.ends == Ends::Whole
            && match self.framing {
                Framing::Length | Framing::Close => true,
                // HTTP/1.0 has no chunks (RFC 9112, section 6.1).
                Framing::Chunked { .. } => self.odd != OddHead::Http10,
                _ => false,
            }
            && match self.odd {
                OddHead::None => true,
                OddHead::Fold => false,
                _ => !strict,
            }
            && self.status < 600
            && self.reads
    }

    /// Whether its content breaks off, or is none that can be read to its end.
    pub fn breaks(&self) -> bool {
        self.ends != Ends::Whole || matches!(self.framing, Framing::TooLong(_) | Framing::BadChunk)
    }
}

impl Default for Reply {
    fn default() -> Self {
        Self::new(caching::FRESH)
    }
}

impl Ask {
    pub fn get(resource: usize) -> Self {
        Self {
            method: "GET",
            resource,
            fields: Vec::new(),
            authorization: false,
            cookie: false,
            condition: Condition::None,
            content: Content::None,
            odd: OddAsk::None,
            close: false,
        }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }
}

impl Client {
    /// Sends these one after another over one connection.
    pub fn asks(asks: Vec<Ask>) -> Self {
        Self { asks, pipelined: false, split: Split::Whole, does: Does::Ask, waits: true, http2: false }
    }
}

impl End {
    pub const BOTH: [Self; 2] = [Self::Fin, Self::Rst];
}
