//! Every class of disagreement: its name, when it applies, and which section says who is right.

use levee::fields::CacheControl;

use super::case::{Case, START, joined};
use super::verdict::Verdict;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Levee stores, the other does not.
    OnlyLeveeStores,
    /// The other stores (or says that one might), Levee does not.
    OnlyOtherStores,
    /// Both store; only Levee answers from it.
    OnlyLeveeReuses,
    OnlyOtherReuses,
    /// Both answer, with another `Age`.
    Age,
}

/// What the two do not agree about; what follows from another storing decision is not told twice.
pub(crate) fn difference(levee: Verdict, other: Verdict) -> Option<Difference> {
    match (levee.storable, other.storable) {
        (true, false) => return Some(Difference::OnlyLeveeStores),
        (false, true) => return Some(Difference::OnlyOtherStores),
        _ => {}
    }
    match (levee.reused, other.reused) {
        (Some(ours), Some(theirs)) if ours != theirs => Some(Difference::Age),
        (Some(_), None) => Some(Difference::OnlyLeveeReuses),
        (None, Some(_)) => Some(Difference::OnlyOtherReuses),
        _ => None,
    }
}

/// Who follows the RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    Levee,
    Other,
    /// The RFC leaves it open.
    Both,
}

pub(crate) struct Class {
    pub(crate) name: &'static str,
    pub(crate) right: Right,
    pub(crate) section: &'static str,
    pub(crate) applies: fn(&Case, Difference) -> bool,
}

use Difference::{Age, OnlyLeveeReuses, OnlyLeveeStores, OnlyOtherReuses, OnlyOtherStores};

/// Names of directives as the other reads them: split at every comma, case kept.
fn naive(case: &Case) -> Vec<String> {
    let lines = case.response.iter().filter(|(name, _)| *name == "cache-control");
    lines
        .flat_map(|(_, value)| value.split(','))
        .map(|part| part.split('=').next().unwrap_or("").trim().to_owned())
        .collect()
}

/// Names of directives by the grammar: outside quotes, without regard to case.
fn names(case: &Case) -> Vec<String> {
    outside_quotes(&case.response("cache-control"))
        .split(',')
        .map(|part| part.split('=').next().unwrap_or("").trim().to_owned())
        .collect()
}

fn outside_quotes(text: &str) -> String {
    text.split('"').step_by(2).collect()
}

fn says(case: &Case, directive: &str) -> bool {
    names(case).iter().any(|name| name == directive)
}

fn naively(case: &Case, directive: &str) -> bool {
    naive(case).iter().any(|name| name == directive)
}

fn asked(case: &Case, directive: &str) -> bool {
    let text = joined(&case.second, "cache-control");
    text.split(',').any(|part| part.split('=').next().unwrap_or("").trim() == directive)
}

/// A lifetime that is not a number of seconds: the grammar of delta-seconds (RFC 9111, section 1.2.2).
fn odd_lifetime(case: &Case) -> bool {
    let text = case.response("cache-control");
    ["max-age=x", "max-age=-1", "max-age=9999", "s-maxage=x"].iter().any(|odd| text.contains(odd))
        || text.split(',').any(|part| part.trim() == "max-age")
}

/// Nothing to confirm it with, and no lifetime in seconds.
fn useless(case: &Case) -> bool {
    let read = CacheControl::parse(&case.response("cache-control"));
    !case.has("etag")
        && !case.has("last-modified")
        && read.s_maxage.or(read.max_age).is_none_or(|seconds| seconds == 0)
}

/// `Date` is before the response came.
fn date_is_old(case: &Case) -> bool {
    let date = levee::fields::date::parse(&case.response("date"));
    date.is_some_and(|date| date.as_millis() < START * 1_000)
}

pub(crate) const CLASSES: &[Class] = &[
    Class {
        name: "nothing to gain: no lifetime and no validator",
        right: Right::Both,
        section: "RFC 9111, 3: a cache may store; nothing obliges it",
        applies: |case, difference| difference == OnlyOtherStores && useless(case),
    },
    Class {
        name: "`Vary: *`",
        right: Right::Both,
        section: "RFC 9111, 4.1: such a response never matches a later request, so that storing it is useless",
        applies: |case, difference| difference == OnlyOtherStores && case.response("vary").contains('*'),
    },
    Class {
        name: "names of directives in capitals",
        right: Right::Levee,
        section: "RFC 9111, 5.2: directives are compared without regard to case",
        applies: |case, _| {
            let upper = |lines: &super::case::Lines| {
                lines.iter().any(|(name, value)| {
                    *name == "cache-control" && value.bytes().any(|b| b.is_ascii_uppercase())
                })
            };
            upper(&case.response) || upper(&case.second)
        },
    },
    Class {
        name: "a comma within a quoted string",
        right: Right::Levee,
        section: "RFC 9110, 5.6.4 and 5.6.1: it does not separate",
        applies: |case, difference| {
            matches!(difference, OnlyLeveeStores)
                && ["no-store", "private"].iter().any(|name| naively(case, name) && !says(case, name))
        },
    },
    Class {
        name: "directives limited to some fields",
        right: Right::Levee,
        section: "RFC 9111, 5.2.2.4 and 5.2.2.7: the rest of the response may be stored and used",
        applies: |case, difference| {
            let cc = case.response("cache-control");
            matches!(difference, OnlyLeveeStores) && cc.contains("private=\"x-b\"")
                || matches!(difference, OnlyLeveeReuses) && cc.contains("no-cache=\"x-b\"")
        },
    },
    Class {
        name: "any final status may be stored",
        right: Right::Levee,
        section: "RFC 9111, 3: a status need only be understood under must-understand",
        applies: |case, difference| difference == OnlyLeveeStores && matches!(case.status, 429 | 500 | 503),
    },
    Class {
        name: "must-understand",
        right: Right::Levee,
        section: "RFC 9111, 5.2.2.3: it lifts no-store where the status is understood",
        applies: |case, difference| {
            difference == OnlyLeveeStores && says(case, "must-understand") && says(case, "no-store")
        },
    },
    Class {
        name: "no-cache alone, with a status that is not heuristically cacheable",
        right: Right::Other,
        section: "RFC 9111, 3: no-cache is not among what allows to store; harmless, because it is always confirmed",
        applies: |case, difference| {
            difference == OnlyLeveeStores && matches!(case.status, 302 | 307) && says(case, "no-cache")
        },
    },
    Class {
        name: "no-cache, and no validator to ask with",
        right: Right::Both,
        section: "RFC 9111, 5.2.2.4 and 4.3: it can never be used, so that nobody is made to wait for it",
        applies: |case, difference| {
            let validator = case.has("etag") || case.has("last-modified");
            difference == OnlyOtherStores && says(case, "no-cache") && !validator
        },
    },
    Class {
        name: "targeted fields",
        right: Right::Levee,
        section: "RFC 9213, 2.2: they replace Cache-Control and Expires",
        applies: |case, _| case.has("cdn-cache-control"),
    },
    Class {
        name: "Pragma in a response",
        right: Right::Levee,
        section: "RFC 9111, 5.4: it has no meaning there",
        applies: |case, difference| {
            difference == OnlyLeveeReuses && case.has("pragma") && !case.has("cache-control")
        },
    },
    Class {
        name: "Set-Cookie",
        right: Right::Levee,
        section: "RFC 9111, 7.3: it does not inhibit caching (levee.toml's default, set_cookie = \"refuse\", does)",
        applies: |case, difference| {
            difference == OnlyLeveeReuses
                && case.has("set-cookie")
                && !naively(case, "public")
                && !naively(case, "immutable")
        },
    },
    Class {
        name: "proxy-revalidate on a fresh response",
        right: Right::Levee,
        section: "RFC 9111, 5.2.2.8: it forbids only stale answers",
        applies: |case, difference| difference == OnlyLeveeReuses && naively(case, "proxy-revalidate"),
    },
    Class {
        name: "an age that Date tells",
        right: Right::Levee,
        section: "RFC 9111, 4.2.3: apparent_age counts",
        applies: |case, difference| matches!(difference, Age | OnlyOtherReuses) && date_is_old(case),
    },
    Class {
        name: "a list in Age",
        right: Right::Levee,
        section: "RFC 9111, 5.1: the first value is used",
        applies: |case, difference| {
            matches!(difference, Age | OnlyOtherReuses) && case.response("age").contains(',')
        },
    },
    Class {
        name: "lifetimes that are no numbers",
        right: Right::Both,
        section: "RFC 9111, 4.2.1 and 1.2.2: stale is encouraged, and what is too large is the largest",
        applies: |case, _| odd_lifetime(case),
    },
    Class {
        name: "a directive that comes twice",
        right: Right::Both,
        section: "RFC 9111, 4.2.1: the first, or stale; nothing says that stale answers are forbidden",
        applies: |case, _| {
            let names = names(case);
            ["max-age", "s-maxage", "private", "no-cache"]
                .iter()
                .any(|directive| names.iter().filter(|name| name == directive).count() > 1)
        },
    },
    Class {
        name: "Expires twice",
        right: Right::Both,
        section: "RFC 9111, 4.2.1: two that differ are invalid, and stale is encouraged",
        applies: |case, difference| difference == OnlyOtherReuses && case.lines("expires") > 1,
    },
    Class {
        name: "obsolete forms of dates",
        right: Right::Levee,
        section: "RFC 9110, 5.6.7: a recipient must read all three",
        applies: |case, difference| {
            difference == OnlyLeveeReuses && case.response("expires").contains("tuesday,")
        },
    },
    Class {
        name: "immutable names no lifetime",
        right: Right::Levee,
        section: "RFC 8246, 2: it speaks of the freshness lifetime that is there",
        applies: |case, difference| difference == OnlyOtherReuses && naively(case, "immutable"),
    },
    Class {
        name: "a tenth of the time since Last-Modified, to the second or exactly",
        right: Right::Both,
        section: "RFC 9111, 4.2.2: a heuristic",
        applies: |case, difference| difference == OnlyLeveeReuses && case.has("last-modified"),
    },
    Class {
        name: "stale-while-revalidate",
        right: Right::Levee,
        section: "RFC 5861, 3",
        applies: |case, difference| difference == OnlyLeveeReuses && says(case, "stale-while-revalidate"),
    },
    Class {
        name: "max-stale up to its very second",
        right: Right::Levee,
        section: "RFC 9111, 5.2.1.2: no more than that many seconds",
        applies: |case, difference| {
            difference == OnlyLeveeReuses && joined(&case.second, "cache-control").contains("max-stale=")
        },
    },
    Class {
        name: "max-stale against no-cache, s-maxage and proxy-revalidate",
        right: Right::Levee,
        section: "RFC 9111, 4.2.4, 5.2.2.4, 5.2.2.8 and 5.2.2.10: none of them may be served stale",
        applies: |case, difference| {
            difference == OnlyOtherReuses
                && asked(case, "max-stale")
                && ["no-cache", "s-maxage", "proxy-revalidate"].iter().any(|name| says(case, name))
        },
    },
    Class {
        name: "max-stale or max-age without a number that can be read",
        right: Right::Both,
        section: "RFC 9111, 5.2.1: nothing is said; Levee takes what is stricter",
        applies: |case, difference| {
            let cc = joined(&case.second, "cache-control");
            difference == OnlyOtherReuses && (cc.contains("max-stale=x") || cc.contains("max-age=x"))
        },
    },
    Class {
        name: "max-age=0 in a request within the same second",
        right: Right::Both,
        section: "RFC 9111, 5.2.1.1: an age of zero would do; what asks for a reload gets one",
        applies: |case, difference| {
            difference == OnlyOtherReuses && joined(&case.second, "cache-control").contains("max-age=0")
        },
    },
    Class {
        name: "Pragma beside Cache-Control in a request",
        right: Right::Both,
        section: "RFC 9111, 5.4: it counts only where Cache-Control is missing",
        applies: |case, difference| {
            difference == OnlyLeveeReuses
                && !joined(&case.second, "pragma").is_empty()
                && !joined(&case.second, "cache-control").is_empty()
        },
    },
    Class {
        name: "a later request with Authorization",
        right: Right::Both,
        section: "RFC 9111, 3.5 speaks of the stored response's request; Levee asks it of both",
        applies: |case, difference| {
            difference == OnlyOtherReuses && !joined(&case.second, "authorization").is_empty()
        },
    },
    Class {
        name: "variants that mean the same",
        right: Right::Levee,
        section: "RFC 9111, 4.1: white space, order and case may be normalised where they mean nothing",
        applies: |case, difference| {
            let vary = case.response("vary");
            difference == OnlyLeveeReuses
                && ["accept", "accept-encoding", "accept-language"].iter().any(|name| {
                    vary.split(',').any(|varies| varies.trim() == *name)
                        && !joined(&case.second, name).is_empty()
                        && !joined(&case.first, name).is_empty()
                })
        },
    },
    Class {
        name: "an answer that names one origin",
        right: Right::Levee,
        section: "Fetch, CORS protocol and HTTP caches: it is for that origin, whether or not it varies",
        applies: |case, difference| {
            difference == OnlyOtherReuses
                && case.has("access-control-allow-origin")
                && joined(&case.first, "origin") != joined(&case.second, "origin")
        },
    },
];
