//! Framing (RFC 9112, section 6): read from the message that comes in, never copied, and made anew by the runtime from the body
//! that goes out.

use http::header::{CONTENT_LENGTH, EXPECT, HeaderMap, TRANSFER_ENCODING};
use levee::fields::{connection, list};

/// A transfer coding that was applied and that the runtime has not removed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UnknownCoding(pub(crate) String);

/// Takes `Content-Length` and `Transfer-Encoding` out of the fields of a message that came in. Returns how long its body is, where
/// that can be trusted: where both are there, the length is not what ends the body (RFC 9112, section 6.3).
pub(crate) fn consume(fields: &mut HeaderMap) -> Result<Option<u64>, UnknownCoding> {
    let is_coded = fields.contains_key(TRANSFER_ENCODING);
    let codings = list::all(fields, TRANSFER_ENCODING.as_str());
    let unknown = codings.map(|coding| coding.to_ascii_lowercase()).find(|coding| !is_removed(coding));
    let length = if is_coded { None } else { length(fields) };
    fields.remove(TRANSFER_ENCODING);
    fields.remove(CONTENT_LENGTH);
    unknown.map_or(Ok(length), |coding| Err(UnknownCoding(coding)))
}

/// The runtime removes `chunked`, and takes a body in any other coding alone for one that ends with the connection.
fn is_removed(coding: &str) -> bool {
    matches!(coding, "chunked" | "identity")
}

/// What `Content-Length` says, where all that it says is the same.
fn length(fields: &HeaderMap) -> Option<u64> {
    let mut lengths = list::all(fields, CONTENT_LENGTH.as_str()).map(|length| {
        length.bytes().all(|byte| byte.is_ascii_digit()).then(|| length.parse::<u64>().ok()).flatten()
    });
    let first = lengths.next()??;
    lengths.all(|other| other == Some(first)).then_some(first)
}

/// Takes out what frames a message that goes out, and what belongs to the connection that it would have come on.
pub(crate) fn strip(fields: &mut HeaderMap) {
    connection::strip(fields);
    fields.remove(CONTENT_LENGTH);
    fields.remove(EXPECT);
    fields.remove("http2-settings");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields;

    fn consumed(lines: &str) -> Result<Option<u64>, UnknownCoding> {
        let mut fields = fields::parse(lines);
        let consumed = consume(&mut fields);
        assert!(!fields.contains_key(CONTENT_LENGTH) && !fields.contains_key(TRANSFER_ENCODING), "{lines}");
        consumed
    }

    #[test]
    fn a_length_is_trusted_where_it_ends_the_body() {
        for (lines, length) in [
            ("content-length:5\n", Some(5)),
            ("content-length:0\n", Some(0)),
            ("content-length:5, 5\n", Some(5)),
            ("content-length:5\ncontent-length:5\n", Some(5)),
            ("content-length:5, 6\n", None),
            ("content-length:+5\n", None),
            ("content-length:-5\n", None),
            ("content-length:99999999999999999999\n", None),
            ("content-length:\n", None),
            ("", None),
            ("transfer-encoding:chunked\n", None),
            ("content-length:3\ntransfer-encoding:chunked\n", None),
            ("content-length:3\ntransfer-encoding:Chunked, chunked\n", None),
            ("content-length:3\ntransfer-encoding:identity\n", None),
        ] {
            assert_eq!(consumed(lines), Ok(length), "{lines}");
        }
    }

    #[test]
    fn a_coding_that_stays_is_named() {
        for lines in
            ["transfer-encoding:gzip, chunked\n", "transfer-encoding:chunked\ntransfer-encoding:GZip\n"]
        {
            assert_eq!(consumed(lines), Err(UnknownCoding("gzip".to_owned())), "{lines}");
        }
        assert_eq!(consumed("transfer-encoding:xchunked\n"), Err(UnknownCoding("xchunked".to_owned())));
    }

    #[test]
    fn what_frames_a_message_does_not_go_out() {
        let mut fields = fields::parse(
            "content-length:3\ntransfer-encoding:chunked\nconnection:x-a, close\nx-a:1\nkeep-alive:5\nte:trailers\n\
             trailer:x\nupgrade:h2c\nhttp2-settings:AAM\nproxy-connection:close\nexpect:100-continue\nx-b:2\n",
        );
        strip(&mut fields);
        assert_eq!(fields::write(&fields), "x-b:2\n");
    }
}
