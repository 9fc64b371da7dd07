//! What is wrong with the bytes of a client.

use http::StatusCode;

/// Why a request is refused before it is one. The connection closes: nobody knows where the next request would begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server) enum Fault {
    BareLineFeed,
    BareCarriageReturn,
    Nul,
    FoldedLine,
    HeadTooLarge,
    Preface,
    Length,
    Lengths,
    LengthAndCoding,
    CodingInOldVersion,
    Coding,
    UnknownCoding,
    ChunkSize,
    ChunkExtension,
    ChunkEnd,
    Trailer,
}

impl Fault {
    pub(in crate::server) const fn status(self) -> StatusCode {
        match self {
            Self::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::UnknownCoding => StatusCode::NOT_IMPLEMENTED,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    /// A sentence without its full stop.
    pub(in crate::server) const fn as_str(self) -> &'static str {
        match self {
            Self::BareLineFeed => "a line of it ends with LF alone: CR LF is the end of a line",
            Self::BareCarriageReturn => "it holds a CR without LF",
            Self::Nul => "it holds a NUL",
            Self::FoldedLine => {
                "a field continues on the next line: that form is obsolete (RFC 9112, section 5.2)"
            }
            Self::HeadTooLarge => "its head is too large",
            Self::Preface => "HTTP/2 begins with the first byte of a connection, not later",
            Self::Length => "its Content-Length is no length",
            Self::Lengths => "it has more than one Content-Length, and they differ",
            Self::LengthAndCoding => {
                "it has both Content-Length and Transfer-Encoding: one of them is wrong (RFC 9112, section 6.3)"
            }
            Self::CodingInOldVersion => "Transfer-Encoding is not part of HTTP/1.0",
            Self::Coding => "the last of its transfer codings is not `chunked`, or `chunked` is there twice",
            Self::UnknownCoding => "of the transfer codings only `chunked` is understood",
            Self::ChunkSize => "a chunk does not begin with its size",
            Self::ChunkExtension => "a chunk's extension is too long, or holds a control character",
            Self::ChunkEnd => "a chunk is longer than its size says",
            Self::Trailer => "its trailer section is malformed or too large",
        }
    }
}
