//! What a client may get. No check needs to know what an edge decides: each follows from what was sent and asked.

mod content;
mod own;
mod sharing;

use crate::client::{Outcome, Response};
use crate::fault::{Fault, Kind};
use crate::ledger::Running;
use crate::mark::Mark;
use crate::message::{Ended, NoHead};
use crate::origin;
use crate::plan::{Ask, Content, Does};
use crate::request::Sent;

/// A response and all that it is judged by.
struct Case<'a> {
    running: &'a Running,
    ask: &'a Ask,
    sent: &'a Sent,
    response: &'a Response,
}

impl Case<'_> {
    fn fault(&self, kind: Kind, says: impl Into<String>) {
        self.running.fault(Fault::new(kind, self.sent.mark, says));
    }

    /// Whether an edge may fail at this request through no fault of its own.
    fn may_fail(&self) -> bool {
        may_fail(self.running, self.ask)
    }

    /// Whether the response says that it is from the cache.
    fn is_hit(&self) -> bool {
        let own = |value: &str| {
            value
                .rsplit(',')
                .next()
                .is_some_and(|own| own.split(';').skip(1).any(|part| part.trim() == "hit"))
        };
        self.response.head.all("cache-status").last().is_some_and(own)
    }
}

fn may_fail(running: &Running, ask: &Ask) -> bool {
    // What has gone out once and must not go out again may be lost with a connection.
    running.resources[ask.resource].unsound.get() || !ask.is_idempotent() || ask.content != Content::None
}

/// Judges what became of one request.
pub fn judge(running: &Running, ask: &Ask, sent: &Sent, outcome: &Outcome, does: Does) {
    let fault = |kind, says: String| running.fault(Fault::new(kind, sent.mark, says));
    match outcome {
        Outcome::Late => fault(Kind::NoEnd, "no response, and no end of the connection".to_owned()),
        Outcome::Nothing(NoHead::Malformed(why)) => {
            fault(Kind::Framing, format!("the edge's response: {why}"));
        }
        Outcome::Nothing(_) if ask.is_malformed() || matches!(does, Does::StallSending(_)) => {}
        // The client's own malformed content may end the connection.
        Outcome::Nothing(_) if matches!(ask.content, Content::BadChunk(_)) => {}
        Outcome::Nothing(_) if may_fail(running, ask) && ask.content != Content::None => {}
        // Where content breaks off at once, a head need not have gone out.
        Outcome::Nothing(_) if running.resources[ask.resource].breaks.get() => {}
        Outcome::Nothing(none) => {
            fault(Kind::NoAnswer, format!("the connection ended without a response: {none:?}"));
        }
        Outcome::Response(response) => Case { running, ask, sent, response }.judge(),
    }
}

impl Case<'_> {
    fn judge(&self) {
        if self.response.head.all("cache-status").any(|value| value.contains("panic")) {
            self.fault(Kind::Crash, "a request panicked");
        }
        let Some(answer) = self.response.head.field("x-answer") else { return own::judge(self) };
        let Some(mark) = Mark::parse(answer) else {
            return self.fault(Kind::Mixed, format!("X-Answer: {answer}"));
        };
        let Some(given) = self.running.given(mark) else {
            let says = format!("response {mark} belongs to another round, or was never given");
            return self.fault(Kind::Mixed, says);
        };
        let target = given.seen.line.split(' ').nth(1).unwrap_or_default();
        if given.resource != self.ask.resource || origin::named(target) != self.asked() {
            return self.fault(Kind::OtherUrl, format!("response {mark} was given to {target}"));
        }
        if self.ask.must_be_refused() {
            self.fault(Kind::Malformed, "a request that must be refused is answered by the origin");
        }
        if self.response.status == 101 {
            self.fault(Kind::Framing, "101, which no origin sent");
        }
        content::judge(self, &given);
        sharing::judge(self, &given);
    }

    fn asked(&self) -> Option<(u64, usize)> {
        Some((self.running.number, self.ask.resource))
    }

    fn is_whole(&self) -> bool {
        self.response.ended == Ended::Whole
    }
}
