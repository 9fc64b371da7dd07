//! What the origin replies to one request: the plan's reply, changed by what the request asks.

use crate::caching;
use crate::ledger::{Given, Running};
use crate::mark::Mark;
use crate::message::Head;
use crate::plan::{Framing, PROVOKES, Reply};

/// A reply, how it is written down, and the part of the content that it carries.
pub(super) struct Decision {
    pub(super) reply: Reply,
    pub(super) given: Given,
    pub(super) part: Option<(usize, usize)>,
}

/// What the origin always selects by, beside what `Vary` names: it has a representation for each combination.
const SELECTS: [&str; 3] = ["x-tenant", "x-api-key", "cookie"];

pub(super) fn decide(running: &Running, index: usize, mut reply: Reply, seen: Head) -> Decision {
    let resource = &running.resources[index];
    let mark = running.next_mark();
    let varies = reply.vary.unwrap_or_default().to_ascii_lowercase();
    let names = SELECTS.into_iter().chain(varies.split(", "));
    let selected: Vec<&str> = names.map(|name| seen.field(name).unwrap_or("-")).collect();
    let selected = format!("{} {varies}", selected.join("|"));
    let current = resource.current.borrow().get(&selected).copied();
    let head_or_get = seen.line.starts_with("GET ") || seen.line.starts_with("HEAD ");

    let provoked = match reply.provoked {
        Some(status) if seen.fields.iter().any(|(_, value)| value.contains(PROVOKES)) => {
            reply.status = status;
            true
        }
        _ => false,
    };
    let has_content = reply.status == 200 && head_or_get;
    // What is framed wrongly has content that nobody else has.
    let clear = matches!(reply.framing, Framing::Length | Framing::Chunked { .. } | Framing::Close);
    let shared = has_content && clear && !reply.caching.private;
    let same = reply.same_content && shared;
    let mut content = current.filter(|_| same).unwrap_or(mark);
    let mut etag = (reply.etag && has_content).then(|| content.etag());
    if content != mark {
        reply.length = running.content(content).total;
    }

    let mut part = None;
    if has_content {
        let tags = |name: &str| seen.field(name).map(str::to_owned);
        let has = |list: &str| etag.as_ref().is_some_and(|etag| list.contains(etag.as_str()));
        if tags("if-match").is_some_and(|list| list != "*" && !has(&list)) {
            reply.status = 412;
        } else if let Some(list) = tags("if-none-match") {
            let holds = content != mark && (list == "*" || has(&list));
            if holds && reply.confirms {
                reply.status = 304;
            } else if !holds && reply.confirms_wrongly {
                reply.status = 304;
                etag = Some(mark.etag());
                content = mark;
            }
        } else if let Some(range) = seen.field("range").filter(|_| reply.ranges)
            && seen.line.starts_with("GET ")
            && tags("if-range").is_none_or(|tag| has(&tag))
        {
            match range_of(range, reply.length) {
                Some(Ok(range)) => {
                    reply.status = 206;
                    part = Some(range);
                }
                Some(Err(())) => reply.status = 416,
                None => {}
            }
        }
    }
    if matches!(reply.status, 204 | 304 | 412 | 416) {
        // Nothing of these is sent to any length.
        reply.framing = Framing::Length;
        reply.length = if reply.status == 304 { reply.length } else { 0 };
        if matches!(reply.status, 412 | 416) {
            reply.caching = caching::SILENT;
            etag = None;
            content = mark;
        }
    } else if shared && content == mark {
        resource.current.borrow_mut().insert(selected, mark);
    }
    let credentials = ["authorization", "cookie"]
        .iter()
        .flat_map(|name| seen.all(name))
        .flat_map(|value| Mark::all_in(value.as_bytes()))
        .collect();
    let given = Given {
        mark,
        content,
        resource: index,
        upgrade: seen.field("upgrade").is_some(),
        seen,
        status: reply.status,
        caching: reply.caching,
        vary: reply.vary,
        etag,
        provoked,
        credentials,
        upload: None,
        delivered: Default::default(),
    };
    Decision { reply, given, part }
}

/// The bytes from and up to, not including, that a single range names. `None`: it is ignored.
fn range_of(text: &str, length: usize) -> Option<Result<(usize, usize), ()>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let count: usize = last.parse().ok()?;
        return Some(if length == 0 { Err(()) } else { Ok((length.saturating_sub(count), length)) });
    }
    let first: usize = first.parse().ok()?;
    let end = if last.is_empty() { length } else { last.parse::<usize>().ok()? + 1 };
    Some(if first < length { Ok((first, end.min(length))) } else { Err(()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_ranges() {
        assert_eq!(range_of("bytes=0-9", 100), Some(Ok((0, 10))));
        assert_eq!(range_of("bytes=5-", 100), Some(Ok((5, 100))));
        assert_eq!(range_of("bytes=-7", 100), Some(Ok((93, 100))));
        assert_eq!(range_of("bytes=100-", 100), Some(Err(())));
        assert_eq!(range_of("bytes=0-0,3-4", 100), None);
    }
}
