//! What the answer says about itself: `Cache-Status` (RFC 9211) and `Server-Timing`.

use std::fmt::Write;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::decide::Forward;

/// What came of a request, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Answered from the cache, fresh.
    Hit,
    /// Answered from the cache, stale, by permission.
    Stale,
    /// Answered from the cache after the origin confirmed it.
    Revalidated,
    /// Answered by the origin, or by what another request has just brought from it.
    Miss,
    /// Sent through: not for the cache.
    Pass,
    /// Answered by the edge, because there is no other answer.
    Error,
}

impl Outcome {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Revalidated => "revalidated",
            Self::Miss => "miss",
            Self::Pass => "pass",
            Self::Error => "error",
        }
    }
}

/// What is known of one request when its answer is made.
#[derive(Clone, Debug)]
pub struct Report {
    pub outcome: Outcome,
    /// Why it went to the origin; `None` for a hit.
    pub forward: Option<Forward>,
    /// The status that the origin answered with.
    pub forward_status: Option<u16>,
    /// Whether the answer is stored (or will be, unless it breaks off).
    pub stored: bool,
    /// Whether it waited for another request's answer.
    pub collapsed: bool,
    /// Seconds of freshness left; negative: how long it has been stale.
    pub ttl: Option<i64>,
    /// A token: what decided, where the other parameters do not say it.
    pub detail: Option<&'static str>,
    pub tier: Option<&'static str>,
    pub age: Option<Duration>,
    /// What this request waited for the origin.
    pub origin: Option<Duration>,
    /// What the origin took when the entry was fetched.
    pub saved: Option<Duration>,
}

impl Report {
    pub const fn new(outcome: Outcome) -> Self {
        Self {
            outcome,
            forward: None,
            forward_status: None,
            stored: false,
            collapsed: false,
            ttl: None,
            detail: None,
            tier: None,
            age: None,
            origin: None,
            saved: None,
        }
    }

    /// One member of `Cache-Status`.
    pub fn cache_status(&self) -> String {
        let mut text = String::with_capacity(64);
        text.push_str("levee");
        match self.forward {
            // "hit" and "fwd" exclude each other (section 2.1).
            None => {
                if matches!(self.outcome, Outcome::Hit | Outcome::Stale) {
                    text.push_str("; hit");
                }
            }
            Some(forward) => {
                text.push_str("; fwd=");
                text.push_str(forward.as_str());
            }
        }
        if let Some(status) = self.forward_status {
            let _ = write!(text, "; fwd-status={status}");
        }
        if let Some(ttl) = self.ttl {
            let _ = write!(text, "; ttl={ttl}");
        }
        if self.stored {
            text.push_str("; stored");
        }
        if self.collapsed {
            text.push_str("; collapsed");
        }
        if let Some(detail) = self.detail {
            text.push_str("; detail=");
            text.push_str(detail);
        }
        text
    }

    /// The members of `Server-Timing` (W3C), durations in milliseconds.
    pub fn server_timing(&self) -> String {
        let mut text = String::with_capacity(64);
        let _ = write!(text, "cache;desc=\"{}\"", self.outcome.as_str());
        if let (Outcome::Stale, Some(why)) = (self.outcome, self.detail) {
            let _ = write!(text, ", why;desc=\"{why}\"");
        }
        if let Some(tier) = self.tier {
            let _ = write!(text, ", tier;desc=\"{tier}\"");
        }
        for (name, duration) in [("age", self.age), ("origin", self.origin), ("saved", self.saved)] {
            if let Some(duration) = duration {
                let _ = write!(text, ", {name};dur={}", duration.as_millis());
            }
        }
        text
    }

    /// Adds both to an answer, behind what came from upstream.
    pub fn write(&self, fields: &mut HeaderMap) {
        for (name, value) in [("cache-status", self.cache_status()), ("server-timing", self.server_timing())]
        {
            if let Ok(value) = HeaderValue::from_str(&value) {
                fields.append(name, value);
            }
        }
    }
}

/// Adds the key to what [`Report::write`] wrote, for who shows the debug token (RFC 9211, section 2.7).
pub fn add_key(fields: &mut HeaderMap, key: &str) {
    add_parameter(fields, "key", key);
}

/// Adds a particular field that the response was selected by, which is a parameter of Levee's own.
pub fn add_particular(fields: &mut HeaderMap, name: &HeaderName) {
    add_parameter(fields, "particular", name.as_str());
}

/// Adds a parameter with a string to the edge's own member, which is the last.
fn add_parameter(fields: &mut HeaderMap, name: &str, value: &str) {
    let mut lines: Vec<HeaderValue> = fields.get_all("cache-status").into_iter().cloned().collect();
    let Some(own) = lines.pop() else { return };
    // A string of structured fields holds visible ASCII; a key's parts are told apart by line breaks.
    let visible = |c: char| if (' '..='~').contains(&c) { c } else { ' ' };
    let shown: String = value.chars().map(visible).collect();
    let shown = shown.replace('\\', "\\\\").replace('"', "\\\"");
    let text = format!("{}; {name}=\"{shown}\"", own.to_str().unwrap_or("levee"));
    lines.extend(HeaderValue::from_str(&text));
    fields.remove("cache-status");
    for line in lines {
        fields.append("cache-status", line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_says_where_from_and_how_old() {
        let report = Report {
            ttl: Some(57),
            tier: Some("memory"),
            age: Some(Duration::from_millis(3_000)),
            saved: Some(Duration::from_millis(203)),
            ..Report::new(Outcome::Hit)
        };
        assert_eq!(report.cache_status(), "levee; hit; ttl=57");
        assert_eq!(
            report.server_timing(),
            "cache;desc=\"hit\", tier;desc=\"memory\", age;dur=3000, saved;dur=203"
        );
    }

    #[test]
    fn a_stale_answer_says_why() {
        let report = Report { detail: Some("stale-if-error"), ..Report::new(Outcome::Stale) };
        assert_eq!(report.server_timing(), "cache;desc=\"stale\", why;desc=\"stale-if-error\"");
    }

    #[test]
    fn a_miss_says_why_and_what_became_of_it() {
        let report = Report {
            forward: Some(Forward::UriMiss),
            forward_status: Some(200),
            stored: true,
            ..Report::new(Outcome::Miss)
        };
        assert_eq!(report.cache_status(), "levee; fwd=uri-miss; fwd-status=200; stored");
    }
}
