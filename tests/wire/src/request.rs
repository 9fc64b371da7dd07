//! A client's request as bytes.

use crate::dice::Dice;
use crate::mark::Mark;
use crate::origin::chunks;
use crate::plan::{Ask, Condition, Content, OddAsk, Resource};

/// A request as it is sent.
#[derive(Clone, Debug)]
pub struct Sent {
    pub mark: Mark,
    pub bytes: Vec<u8>,
    /// Bytes of its head.
    pub head: usize,
    pub if_match: Option<String>,
    pub if_none_match: Option<String>,
    pub if_range: Option<String>,
}

/// The cookie by which the route `key` tells clients apart.
pub fn site(mark: Mark) -> &'static str {
    if (mark.number >> 4).is_multiple_of(2) { "north" } else { "south" }
}

/// Content that looks like a request.
pub fn smuggled(mark: Mark) -> Vec<u8> {
    format!("GET /smuggled/{mark} HTTP/1.1\r\nHost: smuggled.example\r\n\r\n").into_bytes()
}

/// Writes down `ask`. `authority`: the edge's. `tag`: the last entity tag that its client has seen of the resource.
pub fn write(
    ask: &Ask,
    mark: Mark,
    resource: &Resource,
    authority: &str,
    tag: Option<&str>,
    seed: u64,
) -> Sent {
    let mut target = format!("/{}/{:010x}-{}", resource.route.segment(), mark.round, ask.resource);
    if ask.must_be_refused() {
        target.push_str(&format!("?refuse={mark}"));
    }
    if ask.odd == OddAsk::AbsoluteForm {
        target = format!("http://{authority}{target}");
    }
    let version = if ask.odd == OddAsk::Http10 { "1.0" } else { "1.1" };
    let method = if ask.odd == OddAsk::Trace { "TRACE" } else { ask.method };
    let mut bytes = format!("{method} {target} HTTP/{version}\r\n").into_bytes();
    let mut line = |text: &str| {
        bytes.extend(text.chars().map(|c| c as u32 as u8));
        bytes.extend_from_slice(b"\r\n");
    };
    match ask.odd {
        OddAsk::NoHost => {}
        OddAsk::TwoHosts => {
            line(&format!("Host: {authority}"));
            line("Host: other.example");
        }
        _ => line(&format!("Host: {authority}")),
    }
    for (name, value) in &ask.fields {
        line(&format!("{name}: {value}"));
    }
    if ask.authorization {
        line(&format!("Authorization: Bearer {mark}"));
    }
    let high = if ask.odd == OddAsk::HighByte { "; u=\u{e9}" } else { "" };
    if ask.cookie {
        line(&format!("Cookie: sid={}; t={mark}{high}", site(mark)));
    }
    let (mut if_match, mut if_none_match, mut if_range) = (None, None, None);
    let given = |seen| if seen { tag.unwrap_or("\"never\"") } else { "\"other\"" }.to_owned();
    match ask.condition {
        Condition::None => {}
        Condition::NoneMatch { seen } => if_none_match = Some(given(seen)),
        Condition::NoneMatchAny => if_none_match = Some("*".to_owned()),
        Condition::Match { seen } => if_match = Some(given(seen)),
        Condition::IfRange { seen } => if_range = Some(given(seen)),
    }
    for (name, value) in [("If-Match", &if_match), ("If-None-Match", &if_none_match), ("If-Range", &if_range)]
    {
        if let Some(value) = value {
            line(&format!("{name}: {value}"));
        }
    }
    match ask.odd {
        OddAsk::Fold => line("X-Folded: 1\r\n 2"),
        OddAsk::HighByte => line("X-High: caf\u{e9}"),
        OddAsk::LargeFields => line(&format!("X-Large: {}", "x".repeat(20_000))),
        OddAsk::SpaceBeforeColon => line("X-Spaced : 1"),
        OddAsk::BareLf => line("X-Bare: 1\nX-Second: 2"),
        OddAsk::NulByte => line("X-Nul: a\0b"),
        _ => {}
    }
    if ask.close {
        line("Connection: close");
    }
    let mut dice = Dice::new(seed, mark.round, 2000 + u64::from(mark.number));
    let content = match ask.content {
        Content::None => {
            if matches!(ask.method, "POST" | "PUT") {
                line("Content-Length: 0");
            }
            Vec::new()
        }
        Content::Length(length) => {
            line(&format!("Content-Length: {length}"));
            mark.bytes(0..length)
        }
        Content::Chunked { length, extensions, trailers } => {
            line("Transfer-Encoding: chunked");
            chunks(&mark.bytes(0..length), extensions, trailers, false, &mut dice)
        }
        Content::LengthAndChunked => {
            let content = smuggled(mark);
            let size = format!("{:x}\r\n", content.len());
            // By its length, the content would end here and a request begin.
            line(&format!("Content-Length: {}", size.len()));
            line("Transfer-Encoding: chunked");
            [size.as_bytes(), &content, b"\r\n0\r\n\r\n"].concat()
        }
        Content::BadChunk(length) => {
            line("Transfer-Encoding: chunked");
            [&chunks(&mark.bytes(0..length), false, false, true, &mut dice)[..], &smuggled(mark)].concat()
        }
        Content::TwoLengths(length) => {
            line(&format!("Content-Length: {length}"));
            line(&format!("Content-Length: {}", length + 7));
            mark.bytes(0..length)
        }
    };
    bytes.extend_from_slice(b"\r\n");
    let head = bytes.len();
    bytes.extend_from_slice(&content);
    Sent { mark, bytes, head, if_match, if_none_match, if_range }
}
