//! Whether a response may have reached this client.

use super::Case;
use crate::fault::Kind;
use crate::ledger::Given;
use crate::mark::Mark;
use crate::message::Head;
use crate::plan::{Content, OddAsk, Route};
use crate::request;

pub(super) fn judge(case: &Case<'_>, given: &Given) {
    let me = case.sent.mark;
    let before = given.deliver(me);
    let private = if given.caching.private {
        Some("is private")
    } else if given.upgrade {
        Some("answers an upgrade")
    } else if given.seen.line.starts_with("GET ") || given.seen.line.starts_with("HEAD ") {
        None
    } else {
        Some("answers a method that is not shared")
    };
    if let (Some(why), Some(other)) = (private, before) {
        case.fault(Kind::Private, format!("response {} {why} and has reached {other} too", given.mark));
    }
    credentials(case, given);
    fields_for_one(case);
    errors(case, given);
    selection(case, given);
    // A confirmation changes an entry as a whole response could: the content's own message is judged as well.
    let content =
        case.response.head.field("x-content").and_then(Mark::parse).filter(|mark| *mark != given.mark);
    if given.status == 304
        && let Some(base) = content.and_then(|mark| case.running.given(mark))
    {
        selection(case, &base);
    }
    if case.is_hit() && case.ask.content.matters() {
        case.fault(Kind::StoredAnswer, "a request with content is answered from the cache");
    }
    if case.is_hit() && case.ask.field("upgrade").is_some() {
        case.fault(Kind::StoredAnswer, "a request for an upgrade is answered from the cache");
    }
    match (case.ask.content, given.upload) {
        (Content::Length(1..) | Content::Chunked { length: 1.., .. }, upload)
            if upload != Some(me) && !case.running.resources[given.resource].unsound.get() =>
        {
            case.fault(
                Kind::Mixed,
                format!("answered by what the origin replied to the content of {upload:?}"),
            );
        }
        (_, Some(upload)) if upload != me => {
            case.fault(
                Kind::Mixed,
                format!("answered by what the origin replied to the content of {upload}"),
            );
        }
        _ => {}
    }
}

fn credentials(case: &Case<'_>, given: &Given) {
    let Some(other) = given.credentials.iter().find(|owner| **owner != case.sent.mark) else { return };
    let route = case.running.plan.resources[given.resource].route;
    if route == Route::All && given.caching.with_credentials {
        return;
    }
    let says = format!("response {} was given to the credentials of {other}", given.mark);
    case.fault(Kind::Credentials, says);
}

fn fields_for_one(case: &Case<'_>) {
    let head = &case.response.head;
    for (kind, name) in [(Kind::SetCookie, "set-cookie"), (Kind::FieldShared, "x-once")] {
        for value in head.all(name) {
            let Some(mark) = Mark::all_in(value.as_bytes()).first().copied() else { continue };
            if mark.round != case.running.number {
                case.fault(Kind::Mixed, format!("{name}: {value}"));
            }
            if let Some(other) = case.running.once(kind, mark, case.sent.mark) {
                case.fault(kind, format!("{name} of response {mark} has reached {other} too"));
            }
        }
    }
}

fn errors(case: &Case<'_>, given: &Given) {
    let route = case.running.plan.resources[given.resource].route;
    // A route that forwards every field unkeyed trusts its origin to say what may be shared, errors too (SECURITY.md).
    let trusted = route == Route::All && given.caching.explicit;
    if given.provoked && !case.ask.provokes() && !trusted {
        let says = format!("response {} ({}) was provoked by another request", given.mark, given.status);
        case.fault(Kind::ErrorShared, says);
    }
    let may = given.status < 400 || matches!(given.status, 404 | 405 | 410 | 501) || given.caching.explicit;
    if case.is_hit() && !may {
        let says =
            format!("response {} ({}) of route {} is stored", given.mark, given.status, route.segment());
        case.fault(Kind::ErrorStored, says);
    }
}

/// What the response was selected by.
fn selection(case: &Case<'_>, given: &Given) {
    let changed = case.running.limits.utf8_fields && case.ask.odd == OddAsk::HighByte;
    if case.ask.is_malformed() || changed {
        return;
    }
    let differs = |name: &str, ours: Option<&str>| {
        let theirs = joined(&given.seen, name);
        let ours = normal(ours.unwrap_or_default());
        if theirs != ours {
            let says = format!("response {} was given for {name} {theirs:?}, not {ours:?}", given.mark);
            case.fault(Kind::OtherVariant, says);
        }
    };
    for name in given.vary.iter().flat_map(|vary| vary.split(", ")) {
        let name = name.to_ascii_lowercase();
        differs(&name, case.ask.field(&name));
    }
    let route = case.running.plan.resources[given.resource].route;
    match route {
        // Named by `Connection`, it may be taken away before, or be left.
        Route::All if case.ask.field("connection") != Some("x-tenant") => {
            differs("x-tenant", case.ask.field("x-tenant"));
        }
        // What goes through whole carries all that the client sent.
        Route::Key
            if matches!(case.ask.method, "GET" | "HEAD")
                && case.ask.content == Content::None
                && case.ask.field("upgrade").is_none()
                && !given.credentials.contains(&case.sent.mark) =>
        {
            differs("x-api-key", case.ask.field("x-api-key"));
            let site = case.ask.cookie.then(|| format!("sid={}", request::site(case.sent.mark)));
            let (theirs, ours) = (joined(&given.seen, "cookie"), site.unwrap_or_default());
            if theirs != ours {
                let says = format!("response {} was given for {theirs:?}, not {ours:?}", given.mark);
                case.fault(Kind::OtherVariant, says);
            }
        }
        _ => {}
    }
    if let Some(allowed) = case.response.head.field("access-control-allow-origin")
        && allowed != "*"
        && case.ask.field("origin") != Some(allowed)
    {
        let says = format!("it allows {allowed}, not {:?}", case.ask.field("origin"));
        case.fault(Kind::OtherVariant, says);
    }
}

fn joined(head: &Head, name: &str) -> String {
    normal(&head.all(name).collect::<Vec<_>>().join(","))
}

/// A list without what means nothing: white space, case.
fn normal(value: &str) -> String {
    let mut parts: Vec<String> = value
        .split(',')
        .map(|part| part.trim().to_ascii_lowercase())
        .filter(|part| !part.is_empty() && part != "identity")
        .collect();
    parts.sort();
    parts.join(",")
}
