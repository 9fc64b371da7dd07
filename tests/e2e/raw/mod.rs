//! Exact bytes on the wire, for what an HTTP library would not send or would not show: a client, an origin, and the reader of
//! messages that both have.

mod message;
mod origin;
mod wire;

pub(crate) use message::Framed;
pub(crate) use origin::{Arrived, PREFIX, RawOrigin, Step};
pub(crate) use wire::{Response, Wire};
