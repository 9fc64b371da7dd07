//! Whether content is what the origin sent, all of it, and what the fields say of it.

use super::Case;
use crate::fault::Kind;
use crate::ledger::Given;
use crate::mark::Mark;
use crate::message::Ended;
use crate::plan::{Condition, OddAsk};

pub(super) fn judge(case: &Case<'_>, given: &Given) {
    let response = case.response;
    let content = response.head.field("x-content").and_then(Mark::parse);
    if let Some(etag) = response.head.field("etag")
        && let Some(content) = content
        && etag != content.etag()
    {
        case.fault(Kind::Relabelled, format!("content {content} with the entity tag {etag}"));
    }
    if content.is_some_and(|content| content.round != case.running.number) {
        return case.fault(Kind::Mixed, "the fields name content of another round");
    }
    let ranged = case.ask.field("range").is_some();
    match response.status {
        206 | 416 if !ranged => case.fault(Kind::Range, "a part, or none, where the whole was asked for"),
        304 if case.ask.condition == Condition::None && case.ask.field("if-modified-since").is_none() => {
            case.fault(Kind::Condition, "304 to a request without a condition");
        }
        _ => {}
    }
    if response.status == 304 || case.ask.method == "HEAD" {
        return conditions(case, given, content);
    }
    let Some(content) = content else {
        if !response.content.is_empty() {
            case.fault(Kind::Mixed, "content without a name");
        }
        return;
    };
    let multipart = response.head.field("content-type").is_some_and(|kind| kind.starts_with("multipart/"));
    match response.status {
        206 if multipart => parts(case, content),
        206 => {
            let range = response.head.field("content-range").unwrap_or_default();
            part(case, content, range, &response.content, case.is_whole());
        }
        204 | 412 | 416 => {}
        _ => whole(case, content),
    }
    // It broke off, though nothing says that it had to.
    if !case.is_whole() && !case.running.resources[given.resource].unsound.get() {
        let says = match &response.ended {
            Ended::Malformed(why) => format!("the response's framing breaks: {why}"),
            _ => format!("a sound response breaks off after {} bytes", response.content.len()),
        };
        case.fault(Kind::BrokenOff, says);
    }
    conditions(case, given, Some(content));
}

fn whole(case: &Case<'_>, content: Mark) {
    let (known, got) = (case.running.content(content), &case.response.content);
    if let Err(at) = content.check(0, got) {
        let others = Mark::all_in(got);
        return case
            .fault(Kind::Mixed, format!("content is not {content}'s from byte {at} on; in it: {others:?}"));
    }
    if got.len() > known.total {
        return case.fault(Kind::Mixed, format!("{} bytes of {} that {content} has", got.len(), known.total));
    }
    let hidden = case.running.limits.hides_breaks && case.ask.odd == OddAsk::Http10 && case.response.closes;
    if case.is_whole() && (got.len() < known.total || !known.whole) && !hidden {
        let says = format!(
            "{} bytes look complete; the origin sent {content} of {} bytes {}",
            got.len(),
            known.total,
            if known.whole { "whole" } else { "never whole" }
        );
        case.fault(Kind::Incomplete, says);
    }
}

fn part(case: &Case<'_>, content: Mark, range: &str, got: &[u8], is_whole: bool) {
    let known = case.running.content(content);
    let Some((first, last, total)) = numbers(range) else {
        return case.fault(Kind::Range, format!("Content-Range: {range}"));
    };
    if total != known.total || last >= total || first > last {
        return case
            .fault(Kind::Range, format!("Content-Range: {range} of content of {} bytes", known.total));
    }
    if let Err(at) = content.check(first, got) {
        let others = Mark::all_in(got);
        let says = format!("a part {range} is not {content}'s from byte {at} on; in it: {others:?}");
        return case
            .fault(if others.is_empty() || others == [content] { Kind::Range } else { Kind::Mixed }, says);
    }
    let length = last + 1 - first;
    if got.len() > length || (is_whole && got.len() < length) {
        case.fault(Kind::Incomplete, format!("{} bytes of a part of {length}", got.len()));
    }
    if is_whole && known.sent <= last {
        case.fault(Kind::Incomplete, format!("a part up to {last}, of which the origin sent {}", known.sent));
    }
}

/// `bytes 0-9/100`.
fn numbers(range: &str) -> Option<(usize, usize, usize)> {
    let (bounds, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = bounds.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
}

/// Several parts (RFC 9110, section 14.6).
fn parts(case: &Case<'_>, content: Mark) {
    let kind = case.response.head.field("content-type").unwrap_or_default();
    let Some((_, boundary)) = kind.split_once("boundary=") else {
        return case.fault(Kind::Range, format!("Content-Type: {kind}"));
    };
    let delimiter = format!("\r\n--{}", boundary.trim_matches('"'));
    let body = [b"\r\n", &case.response.content[..]].concat();
    let mut rest = &body[..];
    let mut seen = 0;
    while let Some(at) = find(rest, delimiter.as_bytes()) {
        rest = &rest[at + delimiter.len()..];
        if rest.starts_with(b"--") {
            break;
        }
        let end = find(rest, delimiter.as_bytes());
        let this = &rest[..end.unwrap_or(rest.len())];
        let Some(head) = find(this, b"\r\n\r\n") else { break };
        let fields = String::from_utf8_lossy(&this[..head]);
        let range = fields.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-range").then(|| value.trim().to_owned())
        });
        part(case, content, &range.unwrap_or_default(), &this[head + 4..], end.is_some());
        seen += 1;
    }
    if case.is_whole() && seen == 0 {
        case.fault(Kind::Range, "a multipart response without a part");
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The client's conditions hold, whether or not the response was stored.
fn conditions(case: &Case<'_>, given: &Given, content: Option<Mark>) {
    let (sent, status) = (case.sent, case.response.status);
    let etag = case.response.head.field("etag");
    if !matches!(case.ask.method, "GET" | "HEAD") {
        return;
    }
    let matches = |list: &str| list == "*" || etag.is_some_and(|etag| list.contains(etag));
    if let Some(list) = &sent.if_match
        && matches!(status, 200 | 206)
        && !matches(list)
    {
        case.fault(Kind::Condition, format!("If-Match: {list} gets {content:?} with {etag:?}"));
    }
    if let Some(tag) = &sent.if_range
        && status == 206
        && etag != Some(tag.as_str())
    {
        case.fault(Kind::Condition, format!("If-Range: {tag} gets a part of {content:?} with {etag:?}"));
    }
    if let Some(list) = &sent.if_none_match
        && status == 304
        && etag.is_some()
        && !matches(list)
        // An origin that says so wrongly is believed.
        && !(given.status == 304 && given.seen.field("if-none-match") == Some(list.as_str()))
    {
        case.fault(Kind::Condition, format!("If-None-Match: {list} is confirmed for {etag:?}"));
    }
}
