//! What an intermediary has to do: read strictly, pass on what is end-to-end, frame anew.

use std::time::Duration;

use levee_wire::message::{Ended, Framing, Head, NoHead, read_content, read_head};
use levee_wire::wire::Wire;
use tokio::time::timeout;

use super::{Proxy, Way, Whole};

/// How long a body, or an origin, may take: less than an origin stalls, and more than a busy machine takes.
const WITHIN: Duration = Duration::from_secs(10);
const MOST: usize = 1 << 20;
/// Fields that are about one connection.
const HOPS: [&str; 8] = [
    "connection",
    "keep-alive",
    "te",
    "upgrade",
    "http2-settings",
    "transfer-encoding",
    "content-length",
    "expect",
];

pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) fields: Vec<(String, String)>,
    pub(super) content: Vec<u8>,
    has_content: bool,
    ends: bool,
}

pub(super) enum Read {
    Request(Request),
    Refused(u16),
    Ended,
}

pub(super) async fn read(proxy: &Proxy, wire: &Wire) -> Read {
    let head = match read_head(wire).await {
        Ok(head) => head,
        Err(NoHead::Malformed(_)) => return Read::Refused(400),
        Err(_) => return Read::Ended,
    };
    let mut words = head.line.split(' ').map(str::to_owned);
    let (Some(method), Some(target), Some(version)) = (words.next(), words.next(), words.next()) else {
        return Read::Refused(400);
    };
    let hosts = head.all("host").count();
    if hosts != 1 && proxy.way != Way::TakesAnyHost {
        return Read::Refused(400);
    }
    if method == "TRACE" {
        return Read::Refused(405);
    }
    let framing = match head.framing(Framing::Length(0)) {
        Ok(framing) => framing,
        Err(_) if proxy.way == Way::Smuggles => {
            let length = head.field("content-length").and_then(|length| length.parse().ok());
            Framing::Length(length.unwrap_or_default())
        }
        Err(_) => return Read::Refused(400),
    };
    let Ok((content, ended)) = timeout(WITHIN, read_content(wire, framing, MOST)).await else {
        return Read::Refused(408);
    };
    match ended {
        Ended::Whole => {}
        Ended::Broken => return Read::Ended,
        Ended::Malformed(_) => return Read::Refused(400),
    }
    // An absolute target's path.
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]).to_owned(),
        None => target,
    };
    let said = |word: &str| head.all("connection").any(|value| value.eq_ignore_ascii_case(word));
    let has_content = framing != Framing::Length(0);
    let ends = said("close") || version == "HTTP/1.0";
    let mut fields = end_to_end(&head);
    if target.starts_with("/key/") && matches!(method.as_str(), "GET" | "HEAD") && !has_content {
        fields.iter_mut().filter(|(name, _)| name == "cookie").for_each(|(_, value)| {
            *value = value.split(';').next().unwrap_or_default().to_owned();
        });
    }
    Read::Request(Request { method, target, fields, content, has_content, ends })
}

fn end_to_end(head: &Head) -> Vec<(String, String)> {
    let named: Vec<String> = head
        .all("connection")
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let kept = |name: &str| !HOPS.contains(&name) && !named.iter().any(|other| other == name);
    head.fields.iter().filter(|(name, _)| kept(name)).cloned().collect()
}

/// The origin's response, or one of the proxy's own.
pub(super) async fn ask(proxy: &Proxy, request: &Request) -> Whole {
    match timeout(WITHIN, exchange(proxy, request)).await {
        Ok(Some(whole)) => whole,
        _ => Whole {
            head: Head { line: "HTTP/1.1 502 Failed".to_owned(), fields: Vec::new() },
            content: Vec::new(),
        },
    }
}

async fn exchange(proxy: &Proxy, request: &Request) -> Option<Whole> {
    let wire = proxy.connect().await.ok()?;
    let mut text = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for (name, value) in &request.fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !request.fields.iter().any(|(name, _)| name == "host") {
        text.push_str("host: none\r\n");
    }
    if request.has_content {
        text.push_str(&format!("content-length: {}\r\n", request.content.len()));
    }
    text.push_str("\r\n");
    let mut bytes: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
    bytes.extend_from_slice(&request.content);
    wire.write(&bytes).await.ok()?;
    let whole = loop {
        let head = read_head(&wire).await.ok()?;
        let status = head.line.split(' ').nth(1)?.to_owned();
        if status.starts_with('1') {
            continue;
        }
        let framing = head.framing(Framing::Close).ok()?;
        let bodiless = request.method == "HEAD" || matches!(status.as_str(), "204" | "304");
        let framing = if bodiless { Framing::Length(0) } else { framing };
        let (content, ended) = read_content(&wire, framing, MOST).await;
        if ended != Ended::Whole {
            return None;
        }
        let line = format!("HTTP/1.1 {status} Passed On");
        break Whole { head: Head { line, fields: end_to_end(&head) }, content };
    };
    proxy.done_with(wire);
    Some(whole)
}

/// Writes a response with a length; whether the connection goes on.
pub(super) async fn write(wire: &Wire, request: &Request, whole: &Whole, twice: bool) -> Option<bool> {
    let framing = if twice { Framing::Chunked } else { Framing::Length(whole.content.len()) };
    write_as(wire, request, whole, framing).await
}

pub(super) async fn write_as(
    wire: &Wire,
    request: &Request,
    whole: &Whole,
    framing: Framing,
) -> Option<bool> {
    let mut text = format!("{}\r\n", whole.head.line);
    for (name, value) in whole.head.fields.iter().filter(|(name, _)| !HOPS.contains(&name.as_str())) {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    let status = whole.head.line.split(' ').nth(1).unwrap_or_default();
    let bodiless = request.method == "HEAD" || matches!(status, "204" | "304");
    match framing {
        _ if bodiless => {}
        Framing::Length(length) => text.push_str(&format!("content-length: {length}\r\n")),
        _ => {
            text.push_str(&format!(
                "content-length: {}\r\ntransfer-encoding: chunked\r\n",
                whole.content.len()
            ));
        }
    }
    if request.ends {
        text.push_str("connection: close\r\n");
    }
    text.push_str("\r\n");
    let mut bytes: Vec<u8> = text.chars().map(|c| c as u32 as u8).collect();
    if !bodiless {
        bytes.extend_from_slice(&whole.content);
    }
    wire.write(&bytes).await.ok()?;
    Some(!request.ends)
}
