//! What an edge may answer by itself.

use super::Case;
use crate::fault::Kind;
use crate::mark::Mark;
use crate::plan::{Condition, Content, OddAsk};

pub(super) fn judge(case: &Case<'_>) {
    let (ask, response) = (case.ask, case.response);
    let foreign = Mark::all_in(&response.content).into_iter().find(|mark| *mark != case.sent.mark);
    if let Some(mark) = foreign {
        return case.fault(Kind::Mixed, format!("{mark} in a response without a mark"));
    }
    let asks_for_stored = ask.field("cache-control") == Some("only-if-cached");
    let bad_content = matches!(ask.content, Content::BadChunk(_));
    let says = || {
        let detail = response.head.field("cache-status").unwrap_or("no Cache-Status");
        let body = String::from_utf8_lossy(&response.content);
        let body: String = body.chars().take(300).collect();
        format!("the edge answers {} by itself ({detail}): {body}", response.status)
    };
    match response.status {
        // What it can tell from the request and what it has stored.
        304 if matches!(ask.condition, Condition::NoneMatch { .. } | Condition::NoneMatchAny) => {}
        412 if ask.condition != Condition::None => {}
        416 if ask.field("range").is_some() => {}
        504 if asks_for_stored => {}
        501 | 505 | 400..=499 if ask.is_malformed() || bad_content => {}
        // A kept connection that was closed as the request was sent has no name of its own there.
        502 if case.running.limits.repeats_nothing
            && !ask.must_be_refused()
            && ["origin-broke-off", "origin-protocol"].iter().any(|code| says().contains(code)) => {}
        // The origin may have hung up before the edge saw the malformed part.
        502 if bad_content && says().contains("closed a kept-alive connection") => {}
        500.. if ask.must_be_refused() || bad_content => {
            case.fault(Kind::Malformed, says());
        }
        // What waits for content that does not come.
        408 if ask.content != Content::None => {}
        502..=504 if case.may_fail() => {}
        400 | 500 if case.running.limits.utf8_fields && ask.odd == OddAsk::HighByte => {}
        // A failure is shared by those who wait for it.
        429 | 500.. if case.running.resources[ask.resource].failed.get() == response.status => {}
        400..=499 | 501 if ask.content != Content::None && ask.method != "POST" && ask.method != "PUT" => {}
        400.. => case.fault(Kind::OwnError, says()),
        _ => case.fault(Kind::Mixed, says()),
    }
}
