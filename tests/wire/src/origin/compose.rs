//! A reply's bytes.

use crate::dice::Dice;
use crate::ledger::{Content, Given};
use crate::plan::{After, Ends, Framing, OddHead, Reply};

pub(super) struct Composed {
    pub(super) bytes: Vec<u8>,
    /// How far the representation is sent.
    pub(super) content: Option<Content>,
    /// The connection ends with the message.
    pub(super) ends: bool,
}

pub(super) fn compose(
    reply: &Reply,
    given: &Given,
    part: Option<(usize, usize)>,
    head_only: bool,
    seed: u64,
) -> Composed {
    let mut bytes = Vec::with_capacity(reply.length + 512);
    for _ in 0..reply.interim {
        bytes.extend_from_slice(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n");
    }
    let version = if reply.odd == OddHead::Http10 { "1.0" } else { "1.1" };
    let reason = if reply.odd == OddHead::NoReason { "" } else { "Made Up" };
    let mut line = |text: &str| {
        bytes.extend(text.chars().map(|c| c as u32 as u8));
        bytes.extend_from_slice(b"\r\n");
    };
    line(&format!("HTTP/{version} {} {reason}", reply.status));
    odd_fields(reply.odd, &mut line);
    line(&format!("X-Answer: {}", given.mark));
    if reply.status != 304 {
        line(&format!("X-Content: {}", given.content));
        line("Content-Type: text/plain");
    }
    for (name, value) in reply.caching.lines {
        line(&format!("{name}: {value}"));
    }
    if reply.caching.once {
        line(&format!("X-Once: {}", given.mark));
    }
    if let Some(etag) = &given.etag {
        line(&format!("ETag: {etag}"));
    }
    if let Some(vary) = reply.vary {
        line(&format!("Vary: {vary}"));
    }
    if reply.set_cookie {
        line(&format!("Set-Cookie: c={}; Path=/", given.mark));
    }
    if let Some(origin) = given.seen.field("origin").filter(|_| reply.cors) {
        line(&format!("Access-Control-Allow-Origin: {origin}"));
    }
    if let Some((start, end)) = part {
        line(&format!("Content-Range: bytes {start}-{}/{}", end - 1, reply.length));
    }
    if reply.status == 416 {
        line("Content-Range: bytes */0");
    }
    let closes = reply.after == After::SaidClose || reply.framing == Framing::Close;
    if closes {
        line("Connection: close");
    } else if reply.odd == OddHead::Http10 {
        line("Connection: keep-alive");
    }
    let bodiless = matches!(reply.status, 204 | 304);
    let (start, end) = part.unwrap_or((0, reply.length));
    let content = given.content.bytes(start..end);
    let framed = frame(reply.framing, &content, bodiless || head_only, &mut line, given, seed);
    bytes.extend_from_slice(b"\r\n");
    if !bodiless && !head_only {
        bytes.extend_from_slice(&framed.bytes);
    }
    let whole = framed.whole && reply.ends == Ends::Whole;
    Composed {
        bytes,
        content: (!bodiless && !matches!(reply.status, 412 | 416)).then_some(Content {
            // As its length says, of the whole.
            total: match reply.framing {
                Framing::TooLong(more) if part.is_none() => reply.length + more,
                _ => reply.length,
            },
            // Of a message that is cut off, at most this.
            sent: if head_only { 0 } else { end },
            whole: whole && !head_only && part.is_none(),
        }),
        ends: framed.ends || closes,
    }
}

fn odd_fields(odd: OddHead, line: &mut impl FnMut(&str)) {
    match odd {
        OddHead::SpaceBeforeColon => line("X-Spaced : 1"),
        OddHead::Fold => line("X-Folded: 1,\r\n  2"),
        OddHead::Many(count) => (0..count).for_each(|at| line(&format!("X-Many-{at}: {at}"))),
        OddHead::HighBytes => line("X-High: caf\u{e9} \u{ff}"),
        OddHead::None | OddHead::NoReason | OddHead::Http10 => {}
    }
}

/// Content on the wire.
struct Framed {
    bytes: Vec<u8>,
    whole: bool,
    ends: bool,
}

fn frame(
    framing: Framing,
    content: &[u8],
    absent: bool,
    line: &mut impl FnMut(&str),
    given: &Given,
    seed: u64,
) -> Framed {
    let length = content.len();
    let mut whole = true;
    let mut ends = false;
    let chunked = |extensions, trailers, bad| {
        let mut dice = Dice::new(seed, given.mark.round, 1000 + u64::from(given.mark.number));
        chunks(content, extensions, trailers, bad, &mut dice)
    };
    let bytes = match framing {
        Framing::Length => {
            line(&format!("Content-Length: {length}"));
            content.to_vec()
        }
        Framing::Chunked { extensions, trailers } => {
            line("Transfer-Encoding: chunked");
            chunked(extensions, trailers, false)
        }
        Framing::Close => {
            ends = true;
            content.to_vec()
        }
        Framing::LengthAndChunked(more) => {
            let said = (length as i64 + i64::from(more)).max(0);
            line(&format!("Content-Length: {said}"));
            line("Transfer-Encoding: chunked");
            ends = true;
            chunked(false, false, false)
        }
        Framing::TooLong(more) => {
            line(&format!("Content-Length: {}", length + more));
            whole = absent;
            ends = !absent;
            content.to_vec()
        }
        Framing::TwoLengths => {
            line(&format!("Content-Length: {length}"));
            line(&format!("Content-Length: {}", length + 3));
            whole = false;
            ends = true;
            content.to_vec()
        }
        Framing::BadChunk => {
            line("Transfer-Encoding: chunked");
            whole = absent;
            ends = true;
            chunked(false, false, true)
        }
        Framing::Extra { response } => {
            line(&format!("Content-Length: {length}"));
            let extra: &[u8] = if response {
                b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nCache-Control: max-age=60\r\n\r\nunasked"
            } else {
                b"more than was said"
            };
            [content, extra].concat()
        }
    };
    Framed { bytes, whole, ends }
}

/// Content in chunks of odd sizes.
pub(crate) fn chunks(
    content: &[u8],
    extensions: bool,
    trailers: bool,
    bad: bool,
    dice: &mut Dice,
) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 64);
    let extension = |dice: &mut Dice| match dice.below(3) {
        _ if !extensions => "",
        0 => ";a",
        1 => ";name=value",
        _ => "; q=\"a;b\"",
    };
    let mut rest = content;
    while !rest.is_empty() {
        let most = if dice.chance(300) { 3 } else { 4000 };
        let (chunk, after) = rest.split_at(dice.between(1, most).min(rest.len()));
        let zeros = if extensions { "00" } else { "" };
        out.extend_from_slice(format!("{zeros}{:X}{}\r\n", chunk.len(), extension(dice)).as_bytes());
        out.extend_from_slice(chunk);
        out.extend_from_slice(b"\r\n");
        rest = after;
    }
    if bad {
        out.extend_from_slice(b"zz\r\nno chunk\r\n");
    }
    out.extend_from_slice(format!("0{}\r\n", extension(dice)).as_bytes());
    if trailers {
        out.extend_from_slice(b"X-Trailer: 1\r\nContent-Length: 3\r\n");
    }
    out.extend_from_slice(b"\r\n");
    out
}
