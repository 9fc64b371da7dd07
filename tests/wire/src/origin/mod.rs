//! The origin: it reads requests strictly, and replies by the round's plan, byte by byte.

mod compose;
mod decide;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};

use crate::fault::{Fault, Kind};
use crate::ledger::{Given, Ledger, Running};
use crate::mark::Mark;
use crate::message::{Ended, Framing, Head, NoHead, read_content, read_head};
use crate::plan::{After, Content, End, Ends, Framing as WireFraming};
use crate::request;
use crate::wire::{Log, Wire};

pub(crate) use compose::chunks;
use decide::Decision;

/// Most bytes of a request's content.
const MOST: usize = 1 << 20;
/// How long an edge may hold on to an origin that has stalled. Its own bound is a second or a few.
const STALLED: Duration = Duration::from_secs(20);
/// How long a platform lets passed content stall: longer than the edge does.
const ENDED: Duration = Duration::from_secs(8);
/// How long the reply to a plain request takes.
const PLAIN: Duration = Duration::from_millis(300);

/// Listens on a free port and replies until the runtime ends. Must be called within a `LocalSet`.
pub async fn start(ledger: Rc<Ledger>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::task::spawn_local(async move {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    let ledger = ledger.clone();
                    tokio::task::spawn_local(async move {
                        ledger.connections.set(ledger.connections.get() + 1);
                        serve(&ledger, stream).await;
                        ledger.connections.set(ledger.connections.get() - 1);
                    });
                }
                // Too many open files, say.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    });
    Ok(address)
}

/// The round and the resource that a target names.
pub fn named(target: &str) -> Option<(u64, usize)> {
    let path = target.split('?').next()?;
    let (round, index) = path.rsplit('/').next()?.split_once('-')?;
    Some((u64::from_str_radix(round, 16).ok()?, index.parse().ok()?))
}

/// One connection of the edge.
async fn serve(ledger: &Rc<Ledger>, stream: TcpStream) {
    let wire = Wire::new(stream, Log::default());
    let mut before = Log::default();
    let mut closes_on_next = None;
    loop {
        let log = wire.fresh_log();
        if let Some(end) = closes_on_next {
            wire.comes().await;
            let _ = wire.fill().await;
            return wire.close(end);
        }
        let told = || format!("{}    # next\n{}", before.borrow().shown("    "), log.borrow().shown("    "));
        let head = match read_head(&wire).await {
            Ok(head) => head,
            Err(NoHead::Closed | NoHead::Broken) => return,
            Err(NoHead::Malformed(why)) => {
                let says = format!("the edge's request is no HTTP: {why}");
                return ledger.stray(Fault::new(Kind::Framing, None, says), told());
            }
        };
        let mut parts = head.line.split(' ');
        let (method, target) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        if let Some((kind, says)) = unasked(&head, method, target) {
            return ledger.stray(Fault::new(kind, None, says), told());
        }
        let framing = match head.framing(Framing::Length(0)) {
            Ok(framing) => framing,
            Err(why) => {
                let says = format!("the edge's request has {why}");
                return ledger.stray(Fault::new(Kind::Framing, None, says), told());
            }
        };
        let round = named(target).and_then(|(round, index)| Some((ledger.round(round)?, index)));
        let Some((running, index)) = round.filter(|(running, index)| *index < running.resources.len()) else {
            // A revalidation behind a response of a round that is over, or a plain request after all rounds.
            let plain = target.starts_with("/rest/");
            ledger.late.set(ledger.late.get() + u64::from(!plain));
            let _ = read_content(&wire, framing, MOST).await;
            if plain {
                // So that those of a burst are under way together.
                tokio::time::sleep(PLAIN).await;
            }
            let reply: &[u8] = if plain {
                b"HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 5\r\n\r\nplain"
            } else {
                b"HTTP/1.1 503 Over\r\nCache-Control: no-store\r\nContent-Length: 0\r\n\r\n"
            };
            if wire.write(reply).await.is_err() {
                return;
            }
            continue;
        };
        let number = running.resources[index].arrivals.get();
        running
            .transcripts
            .borrow_mut()
            .push((format!("origin, request {number} for resource {index}"), log.clone()));
        match exchange(ledger, &running, index, head, framing, &wire).await {
            Some(After::Keep) => {}
            Some(After::CloseOnNext(end)) => closes_on_next = Some(end),
            Some(_) => return wire.close(End::Fin),
            None => return,
        }
        before = log;
    }
}

/// What no request of an edge may be, whatever clients send.
fn unasked(head: &Head, method: &str, target: &str) -> Option<(Kind, String)> {
    if target.starts_with("/smuggled/") || target.contains("/smuggled/") {
        return Some((Kind::Smuggled, format!("what was content of a request became one: {}", head.line)));
    }
    if method == "TRACE" || target.contains("refuse=") {
        return Some((
            Kind::Malformed,
            format!("a request that must be refused reached the origin: {}", head.line),
        ));
    }
    if !head.line.ends_with(" HTTP/1.1") || (named(target).is_none() && !target.starts_with("/rest/")) {
        return Some((Kind::Framing, format!("the edge's request is unclear: {:?}", head.line)));
    }
    if head.all("host").count() != 1 {
        return Some((Kind::Framing, "the edge's request has no Host, or two".to_owned()));
    }
    head.field("http2-settings").map(|_| (Kind::Framing, "HTTP2-Settings is forwarded".to_owned()))
}

/// Reads the rest of a request and replies. `None`: the connection is over.
async fn exchange(
    ledger: &Ledger,
    running: &Rc<Running>,
    index: usize,
    head: Head,
    framing: Framing,
    wire: &Wire,
) -> Option<After> {
    let head_only = head.line.starts_with("HEAD ");
    let resource = &running.resources[index];
    let arrival = resource.arrivals.replace(resource.arrivals.get() + 1);
    let replies = &running.plan.resources[index].replies;
    let planned = &replies[arrival.min(replies.len() - 1)];
    if !planned.is_sound(ledger.limits.strict_heads) {
        resource.unsound.set(true);
    }
    if planned.breaks() {
        resource.breaks.set(true);
    }
    let mut upload = None;
    if planned.reads {
        let (content, ended) = read_content(wire, framing, MOST).await;
        match ended {
            Ended::Whole => upload = uploaded(running, &content),
            // The client left, or sent no HTTP: the edge is not waiting for a reply.
            Ended::Broken => return None,
            Ended::Malformed(why) => {
                running.fault(Fault::new(Kind::Framing, None, format!("the edge's request: {why}")));
                return None;
            }
        }
    }
    let Decision { reply, given, part } = decide::decide(running, index, planned.clone(), head);
    let given = running.give(Given { upload, ..given });
    if reply.status == 429 || reply.status >= 500 {
        resource.failed.set(reply.status);
    }
    // The next request may reply with the same content before this one has.
    running.sends(given.content, reply.length, 0, false);
    tokio::time::sleep(Duration::from_millis(reply.delay)).await;
    let composed = compose::compose(&reply, &given, part, head_only, ledger.seed);
    if let Some(content) = composed.content {
        running.sends(given.content, content.total, content.sent, content.whole);
    }
    let length = composed.bytes.len();
    let (sent, whole) = match reply.ends {
        Ends::Whole => (length, true),
        Ends::Cut(permille, _) | Ends::Stall(permille) => ((length * permille / 1000).min(length - 1), false),
    };
    if wire.write_split(&composed.bytes[..sent], reply.split).await.is_err() {
        return None;
    }
    match reply.ends {
        Ends::Whole => {}
        Ends::Cut(_, end) => {
            // What ends with the connection is whole when that is closed in good order.
            if end == End::Rst || reply.framing == WireFraming::Close {
                wire.reset_on_close();
            }
            return Some(After::Close);
        }
        Ends::Stall(_) => {
            wire.note("stalls");
            wire.reset_on_close();
            if ledger.limits.passes_stalls {
                // In the platform's place.
                let _ = tokio::time::timeout(ENDED, wire.fill()).await;
                return Some(After::Close);
            }
            if tokio::time::timeout(STALLED, wire.fill()).await.is_err() {
                let says = format!("the edge still waits {} s after the origin stalled", STALLED.as_secs());
                running.fault(Fault::new(Kind::NoEnd, given.mark, says));
            }
            return None;
        }
    }
    // What has not been read is no request.
    if !whole || composed.ends || (!reply.reads && framing != Framing::Length(0)) {
        Some(After::Close)
    } else {
        Some(reply.after)
    }
}

/// Whether the content of a request is what its client sent, as whole as it sent it; whose it is.
fn uploaded(running: &Running, content: &[u8]) -> Option<Mark> {
    let Some(mark) = Mark::all_in(content).first().copied() else {
        if !content.is_empty() {
            let says = format!("content that no client sent: {}", content.escape_ascii());
            running.fault(Fault::new(Kind::Upload, None, says));
        }
        return None;
    };
    let says = |says: String| running.fault(Fault::new(Kind::Upload, mark, says));
    let at = usize::from(mark.number & !Mark::REQUESTS);
    let ask = running.plan.clients.get(at >> 4).and_then(|client| client.asks.get(at & 0xf));
    let (Some(ask), true) = (ask, mark.round == running.number) else {
        says(format!("the content of {mark}, which asked for something else"));
        return Some(mark);
    };
    let wanted = match ask.content {
        Content::Length(length) | Content::Chunked { length, .. } => Some(mark.bytes(0..length)),
        Content::LengthAndChunked => Some(request::smuggled(mark)),
        Content::None | Content::BadChunk(_) | Content::TwoLengths(_) => None,
    };
    match wanted {
        Some(wanted) if wanted == content => {}
        Some(wanted) => says(format!(
            "content of {mark} looks complete with {} bytes, of {}, or has others",
            content.len(),
            wanted.len()
        )),
        None => {
            says(format!("{} bytes of content look complete; {mark} sent no complete one", content.len()));
        }
    }
    Some(mark)
}
