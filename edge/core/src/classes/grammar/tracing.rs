//! Identifiers of requests and traces. They say which request it is, and no origin answers by that.

use super::{Cursor, escape, is_number, parts};

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':')
}

/// `X-Request-Id` and its kin, and `X-Playback-Session-Id` of Apple's players: one word of letters, digits and `-_.:`.
pub(crate) fn id(value: &[u8]) -> bool {
    value.len() <= 128 && value.iter().all(|&b| is_token(b))
}

/// `Request-Id` of .NET: the same between bars (Hierarchical Request-Id).
pub(crate) fn hierarchical(value: &[u8]) -> bool {
    value.len() <= 256 && value.iter().all(|&b| is_token(b) || b == b'|')
}

/// `Request-Context` of Application Insights: `appId=` and the id of an application.
pub(crate) fn request_context(value: &[u8]) -> bool {
    value.strip_prefix(b"appId=").is_some_and(id)
}

/// `traceparent` (Trace Context, section 3.2): version, trace, parent and flags. Neither of the ids is all zeros, and the version
/// is not `ff`. A later version is read as far as the first one goes, and must go no further.
pub(crate) fn traceparent(value: &[u8]) -> bool {
    let is_some_id = |text: &[u8]| text.iter().any(|&b| b != b'0');
    let mut cursor = Cursor::new(value);
    value.len() == 55
        && !value.starts_with(b"ff")
        && cursor.hex(2)
        && cursor.eat(b"-")
        && cursor.hex(32)
        && cursor.eat(b"-")
        && cursor.hex(16)
        && cursor.eat(b"-")
        && cursor.hex(2)
        && is_some_id(&value[3..35])
        && is_some_id(&value[36..52])
}

/// `tracestate` (Trace Context, section 3.3): members of a key and a value. The values are narrower than there: letters, digits and
/// the marks that tracing systems use.
pub(crate) fn tracestate(value: &[u8]) -> bool {
    let is_key = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-*/@".contains(b);
    let is_value = |b: &u8| b.is_ascii_alphanumeric() || b"_-*/@:;.~+!".contains(b);
    value.len() <= 512
        && parts(value, b',').count() <= 32
        && parts(value, b',').all(|member| {
            let Some(at) = member.iter().position(|&b| b == b'=') else { return member.is_empty() };
            at > 0 && member[..at].iter().all(is_key) && member[at + 1..].iter().all(is_value)
        })
}

/// `baggage` (W3C Baggage) as Sentry sends it, whose members say which trace, release and page it is. Other baggage is made for
/// origins to answer by, and no ordinary value.
pub(crate) fn baggage(value: &[u8]) -> bool {
    let is_key = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
    value.len() <= 1024
        && parts(value, b',').all(|member| {
            let Some(at) = member.iter().position(|&b| b == b'=') else { return false };
            member.starts_with(b"sentry-") && member[..at].iter().all(is_key) && is_escaped(&member[at + 1..])
        })
}

fn is_escaped(mut rest: &[u8]) -> bool {
    loop {
        match rest {
            [] => return true,
            [b'%', ..] => match escape::character(rest, escape::plain) {
                Some(length) => rest = &rest[length..],
                None => return false,
            },
            [byte, tail @ ..] if byte.is_ascii_alphanumeric() || b"-._~:/@+*!".contains(byte) => rest = tail,
            _ => return false,
        }
    }
}

/// `sentry-trace`: trace, span, and whether it is sampled.
pub(crate) fn sentry_trace(value: &[u8]) -> bool {
    let mut cursor = Cursor::new(value);
    cursor.hex(32)
        && cursor.eat(b"-")
        && cursor.hex(16)
        && (cursor.is_done()
            || cursor.eat(b"-") && (cursor.eat(b"0") || cursor.eat(b"1")) && cursor.is_done())
}

/// An id of Zipkin's (B3): 16 or 32 hexadecimal digits.
pub(crate) fn b3_id(value: &[u8]) -> bool {
    matches!(value.len(), 16 | 32) && Cursor::new(value).hex(value.len())
}

/// `X-B3-Sampled` and `X-B3-Flags`.
pub(crate) fn b3_flag(value: &[u8]) -> bool {
    matches!(value, b"0" | b"1" | b"d" | b"true" | b"false")
}

/// `b3`, all of it in one line: trace, span, whether it is sampled, parent; or only whether it is sampled.
pub(crate) fn b3(value: &[u8]) -> bool {
    let mut parts = value.split(|&b| b == b'-');
    let (first, rest) = (parts.next().unwrap_or_default(), [parts.next(), parts.next(), parts.next()]);
    if parts.next().is_some() {
        return false;
    }
    match rest {
        [None, ..] => b3_flag(first),
        [Some(span), flag, parent] => {
            b3_id(first) && b3_id(span) && flag.is_none_or(b3_flag) && parent.is_none_or(b3_id)
        }
    }
}

/// Ids of Datadog's: decimal.
pub(crate) fn decimal(value: &[u8]) -> bool {
    value.len() <= 20 && value.strip_prefix(b"-").unwrap_or(value).iter().all(u8::is_ascii_digit)
}

/// `X-Datadog-Origin`: which of Datadog's products began the trace.
pub(crate) fn lower_word(value: &[u8]) -> bool {
    value.len() <= 24 && value.iter().all(|b| b.is_ascii_lowercase() || *b == b'-')
}

/// `X-Datadog-Tags`: its own tags of a trace.
pub(crate) fn datadog_tags(value: &[u8]) -> bool {
    value.len() <= 512
        && parts(value, b',').all(|tag| {
            let Some(at) = tag.iter().position(|&b| b == b'=') else { return false };
            tag.starts_with(b"_dd.") && id(&tag[..at]) && id(&tag[at + 1..])
        })
}

/// `uber-trace-id` of Jaeger's: trace, span, parent and flags, hexadecimal.
pub(crate) fn uber(value: &[u8]) -> bool {
    let is_hex = |part: &[u8], longest: usize| {
        (1..=longest).contains(&part.len()) && part.iter().all(u8::is_ascii_hexdigit)
    };
    let mut parts = value.split(|&b| b == b':');
    let mut next = |longest| parts.next().is_some_and(|part| is_hex(part, longest));
    next(32) && next(16) && next(16) && next(2) && parts.next().is_none()
}

/// `X-Amzn-Trace-Id`: `Root`, `Self`, `Parent` and the like, each with an id.
pub(crate) fn amazon(value: &[u8]) -> bool {
    const KEYS: [&[u8]; 5] = [b"Root", b"Self", b"Parent", b"Sampled", b"Lineage"];
    value.len() <= 256
        && parts(value, b';').all(|member| {
            let Some(at) = member.iter().position(|&b| b == b'=') else { return false };
            KEYS.contains(&&member[..at]) && id(&member[at + 1..])
        })
}

/// `X-Cloud-Trace-Context` of Google's: a trace, and perhaps a span and an option.
pub(crate) fn google(value: &[u8]) -> bool {
    let mut cursor = Cursor::new(value);
    cursor.take(|b| b.is_ascii_hexdigit()).len() == 32
        && (!cursor.eat(b"/") || (1..=20).contains(&cursor.take(|b| b.is_ascii_digit()).len()))
        && (!cursor.eat(b";o=") || is_number(cursor.take(|b| b.is_ascii_digit())))
        && cursor.is_done()
}

/// `newrelic`: base64, which New Relic's agent reads.
pub(crate) fn base64(value: &[u8]) -> bool {
    value.len() <= 1024 && value.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-".contains(b))
}

/// `X-Dtpc` of Dynatrace's: ids, and `$` between them.
pub(crate) fn dynatrace(value: &[u8]) -> bool {
    value.len() <= 128 && value.iter().all(|b| b.is_ascii_alphanumeric() || b"$_-".contains(b))
}
