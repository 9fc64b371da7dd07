//! A request as an adapter hands it over: exactly what arrived, nothing normalised.

use std::net::IpAddr;

use http::{Extensions, HeaderMap, Method};

/// A request of a client.
#[derive(Debug)]
pub struct Request<B> {
    /// The raw token: methods are case-sensitive and never mapped to another.
    pub method: Method,
    pub scheme: Scheme,
    /// Host, and port where there was one, as the client sent it (`Host` or `:authority`).
    pub authority: String,
    /// Path and query as they arrived, before any normalisation (RFC 9112, section 3.2.1).
    pub target: String,
    pub fields: HeaderMap,
    pub body: B,
    /// The client's address, where the platform knows it.
    pub client: Option<IpAddr>,
    /// What the adapter wants to find again in its own [`crate::platform::Fetch`], such as a pending upgrade.
    pub extensions: Extensions,
}

/// In a request's extensions: the platform has put other characters in the place of bytes that its fields cannot hold. Requests
/// that differed may be the same now, so that nothing is shared with this one.
#[derive(Clone, Copy, Debug)]
pub struct LostBytes;

/// In a request's extensions: a trusted proxy has sent it, so that what its fields say of the client is true.
#[derive(Clone, Copy, Debug)]
pub struct TrustedPeer;

/// How the client reached the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}
