//! For each class one exchange that nothing else explains: what the two disagree about, in its smallest form.

use super::case::{Case, Lines};

type Line = (&'static str, &'static str);

fn lines(lines: &[Line]) -> Lines {
    lines.iter().map(|&(name, value)| (name, value.to_owned())).collect()
}

/// A response and, so many seconds later, a second request.
fn case(status: u16, response: &[Line], wait: u64, second: &[Line]) -> Case {
    Case { first: vec![], status, response: lines(response), wait, second: lines(second) }
}

fn cc(value: &'static str) -> Line {
    ("cache-control", value)
}

const TAG: Line = ("etag", "\"1\"");

/// The class's name and its exchange.
pub(crate) fn all() -> Vec<(&'static str, Case)> {
    let mut variants = case(200, &[cc("max-age=60"), ("vary", "accept")], 1, &[("accept", "a/b,c/d")]);
    variants.first = lines(&[("accept", "a/b, c/d")]);
    vec![
        ("nothing to gain: no lifetime and no validator", case(200, &[cc("max-age=0")], 1, &[])),
        ("`Vary: *`", case(200, &[cc("max-age=60"), ("vary", "*"), TAG], 1, &[])),
        ("names of directives in capitals", case(200, &[cc("Max-Age=60")], 1, &[])),
        ("a comma within a quoted string", case(200, &[cc("max-age=60, x=\"a, no-store, b\"")], 1, &[])),
        ("directives limited to some fields", case(200, &[cc("max-age=60, private=\"x-b\"")], 1, &[])),
        ("directives limited to some fields", case(200, &[cc("max-age=60, no-cache=\"x-b\"")], 1, &[])),
        ("any final status may be stored", case(503, &[cc("max-age=60")], 1, &[])),
        ("must-understand", case(200, &[cc("max-age=60, no-store, must-understand")], 1, &[])),
        (
            "no-cache alone, with a status that is not heuristically cacheable",
            case(302, &[cc("no-cache"), TAG], 1, &[]),
        ),
        ("no-cache, and no validator to ask with", case(200, &[cc("max-age=60, no-cache")], 1, &[])),
        ("targeted fields", case(200, &[cc("max-age=60"), ("cdn-cache-control", "no-store")], 1, &[])),
        (
            "Pragma in a response",
            case(200, &[("pragma", "no-cache"), ("expires", "Tue, 14 Nov 2023 22:14:20 GMT")], 1, &[]),
        ),
        ("Set-Cookie", case(200, &[cc("max-age=60"), ("set-cookie", "sid=1")], 1, &[])),
        ("proxy-revalidate on a fresh response", case(200, &[cc("max-age=60, proxy-revalidate")], 1, &[])),
        (
            "an age that Date tells",
            case(200, &[cc("max-age=60"), ("date", "Tue, 14 Nov 2023 22:12:50 GMT")], 1, &[]),
        ),
        ("a list in Age", case(200, &[cc("max-age=60"), ("age", "5, 7")], 1, &[])),
        ("lifetimes that are no numbers", case(200, &[cc("max-age=99999999999999999999")], 1, &[])),
        ("a directive that comes twice", case(200, &[cc("max-age=10, max-age=20")], 12, &[cc("max-stale")])),
        (
            "Expires twice",
            case(200, &[("expires", "Tue, 14 Nov 2023 22:14:20 GMT"), ("expires", "0"), TAG], 1, &[]),
        ),
        (
            "obsolete forms of dates",
            case(200, &[("expires", "Tuesday, 14-Nov-23 23:13:20 GMT"), TAG], 1, &[]),
        ),
        ("immutable names no lifetime", case(200, &[cc("immutable"), TAG], 1, &[])),
        (
            "a tenth of the time since Last-Modified, to the second or exactly",
            case(200, &[("last-modified", "Tue, 14 Nov 2023 22:11:35 GMT")], 10, &[]),
        ),
        ("stale-while-revalidate", case(200, &[cc("max-age=10, stale-while-revalidate=30")], 15, &[])),
        ("max-stale up to its very second", case(200, &[cc("max-age=10")], 15, &[cc("max-stale=5")])),
        (
            "max-stale against no-cache, s-maxage and proxy-revalidate",
            case(200, &[cc("s-maxage=10"), TAG], 15, &[cc("max-stale=50")]),
        ),
        (
            "max-stale or max-age without a number that can be read",
            case(200, &[cc("max-age=60")], 1, &[cc("max-age=x")]),
        ),
        (
            "max-age=0 in a request within the same second",
            case(200, &[cc("max-age=60")], 0, &[cc("max-age=0")]),
        ),
        (
            "Pragma beside Cache-Control in a request",
            case(200, &[cc("max-age=60")], 1, &[("pragma", "no-cache"), cc("max-age=100")]),
        ),
        (
            "a later request with Authorization",
            case(200, &[cc("max-age=60")], 1, &[("authorization", "Basic YQ==")]),
        ),
        ("variants that mean the same", variants),
        (
            "an answer that names one origin",
            case(
                200,
                &[cc("max-age=60"), ("access-control-allow-origin", "https://b.example")],
                1,
                &[("origin", "https://c.example")],
            ),
        ),
    ]
}
