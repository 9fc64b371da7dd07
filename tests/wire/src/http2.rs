//! Clients that speak HTTP/2 with prior knowledge (RFC 9113, section 3.3): all their requests at once. Frames are a library's;
//! what is in them, and when it stops, is ours.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, SendStream};
use http::{Method, Request};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{Outcome, PAUSE, Response, Target};
use crate::judge;
use crate::ledger::Running;
use crate::mark::Mark;
use crate::message::{Ended, Head, NoHead};
use crate::plan::{Ask, Client, Content, Does, OddAsk};
use crate::request::{self, Sent};
use crate::wire::Log;

/// Whether a client has nothing to send that only HTTP/1.1 can carry.
pub(crate) fn can(client: &Client) -> bool {
    client.asks.iter().all(|ask| {
        ask.odd == OddAsk::None
            && !ask.close
            && ask.field("upgrade").is_none()
            && ask.field("connection").is_none()
            && matches!(ask.content, Content::None | Content::Length(_) | Content::Chunked { .. })
    })
}

/// Sends all requests of a client over one connection, and judges what comes.
pub(crate) async fn run(target: &Target, running: &Rc<Running>, number: usize, stream: TcpStream, log: &Log) {
    let client = &running.plan.clients[number];
    let note = |text: &str| log.borrow_mut().note(text);
    note("HTTP/2");
    let Ok(Ok((send, connection))) = timeout(target.patience, h2::client::handshake(stream)).await else {
        return note("no handshake");
    };
    let driver = tokio::task::spawn_local(async move {
        let _ = connection.await;
    });
    let streams = client.asks.iter().enumerate().map(|(at, ask)| {
        let mark = Mark::request(running.number, number, at);
        let resource = &running.plan.resources[ask.resource];
        let sent = request::write(ask, mark, resource, &target.authority, None, target.seed);
        let (send, running, does, log) = (send.clone(), running.clone(), client.does, log.clone());
        let (ask, patience, authority) = (ask.clone(), target.patience, target.authority.clone());
        tokio::task::spawn_local(async move {
            let outcome = exchange(send, &ask, &sent, does, &authority, patience).await;
            if let Some(outcome) = outcome {
                log.borrow_mut().note(&shown(&sent, &outcome));
                running.exchanges.set(running.exchanges.get() + 1);
                judge::judge(&running, &ask, &sent, &outcome, does);
            }
        })
    });
    for stream in streams.collect::<Vec<_>>() {
        let _ = stream.await;
    }
    driver.abort();
}

/// One stream. `None`: the client has left it.
async fn exchange(
    mut send: SendRequest<Bytes>,
    ask: &Ask,
    sent: &Sent,
    does: Does,
    authority: &str,
    patience: Duration,
) -> Option<Outcome> {
    let nothing = || Outcome::Nothing(NoHead::Closed);
    let Some(request) = translated(sent, authority) else { return Some(nothing()) };
    let content = match ask.content {
        Content::Length(length) | Content::Chunked { length, .. } => sent.mark.bytes(0..length),
        _ => Vec::new(),
    };
    let Ok(()) = std::future::poll_fn(|cx| send.poll_ready(cx)).await else { return Some(nothing()) };
    let Ok((response, stream)) = send.send_request(request, content.is_empty()) else {
        return Some(nothing());
    };
    let upto = match does {
        Does::LeaveSending(permille, _) | Does::StallSending(permille) => content.len() * permille / 1000,
        _ => content.len(),
    };
    let whole = !matches!(does, Does::LeaveSending(..) | Does::StallSending(_));
    // A response may come before all has been sent.
    let upload =
        tokio::task::spawn_local(upload(stream, content[..upto].to_vec(), whole && !content.is_empty()));
    let outcome = match does {
        Does::LeaveSending(..) => {
            if let Ok(Some(mut stream)) = upload.await {
                stream.send_reset(Reason::CANCEL);
            }
            return None;
        }
        Does::LeaveReading(_) => {
            let _ = timeout(Duration::from_millis(100), response).await;
            return None;
        }
        Does::StallReading => {
            let response = timeout(patience, response).await;
            tokio::time::sleep(PAUSE).await;
            drop(response);
            return None;
        }
        Does::StallSending(_) if content.is_empty() || upto == content.len() => {
            timeout(patience, read(response)).await
        }
        _ => timeout(patience, read(response)).await,
    };
    Some(outcome.unwrap_or(Outcome::Late))
}

/// Sends content as the peer takes it; keeps the stream open where there is more to come that never comes.
async fn upload(
    mut stream: SendStream<Bytes>,
    mut content: Vec<u8>,
    ends: bool,
) -> Option<SendStream<Bytes>> {
    while !content.is_empty() {
        stream.reserve_capacity(content.len());
        let capacity = std::future::poll_fn(|cx| stream.poll_capacity(cx)).await?.ok()?;
        let rest = content.split_off(capacity.min(content.len()));
        let last = rest.is_empty() && ends;
        stream.send_data(content.into(), last).ok()?;
        content = rest;
    }
    Some(stream)
}

async fn read(response: ResponseFuture) -> Outcome {
    let response = match response.await {
        Ok(response) => response,
        Err(_) => return Outcome::Nothing(NoHead::Closed),
    };
    let (parts, mut body) = response.into_parts();
    let fields = parts.headers.iter().map(|(name, value)| {
        (name.to_string(), value.as_bytes().iter().map(|&byte| char::from(byte)).collect())
    });
    let head = Head { line: format!("HTTP/2 {}", parts.status.as_u16()), fields: fields.collect() };
    let mut content = Vec::new();
    let ended = loop {
        match body.data().await {
            Some(Ok(chunk)) => {
                let _ = body.flow_control().release_capacity(chunk.len());
                content.extend_from_slice(&chunk);
            }
            Some(Err(_)) => break Ended::Broken,
            None => break Ended::Whole,
        }
    };
    Outcome::Response(Response { status: parts.status.as_u16(), head, content, ended, closes: false })
}

/// The request's head as HTTP/2 has it, from its HTTP/1.1 form.
fn translated(sent: &Sent, authority: &str) -> Option<Request<()>> {
    let head: String = sent.bytes[..sent.head].iter().map(|&byte| char::from(byte)).collect();
    let mut lines = head.trim_end().lines();
    let mut words = lines.next()?.split(' ');
    let method: Method = words.next()?.parse().ok()?;
    let mut request = Request::builder().method(method).uri(format!("http://{authority}{}", words.next()?));
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        if !matches!(name, "Host" | "Transfer-Encoding") {
            request = request.header(name, value);
        }
    }
    request.body(()).ok()
}

/// A stream for the transcript.
fn shown(sent: &Sent, outcome: &Outcome) -> String {
    let head = String::from_utf8_lossy(&sent.bytes[..sent.head]);
    let head = head.trim_end();
    match outcome {
        Outcome::Response(Response { head: answer, content, ended, .. }) => {
            format!("{head}\n-> {} {:?}, {} bytes, {ended:?}", answer.line, answer.fields, content.len())
        }
        other => format!("{head}\n-> {other:?}"),
    }
}
