//! Generated exchanges: a first request and its response, and a second request some time later.

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

/// Fields as they are sent, each a line.
pub(crate) type Lines = Vec<(&'static str, String)>;

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) first: Lines,
    pub(crate) status: u16,
    pub(crate) response: Lines,
    /// Seconds from the first exchange to the second request.
    pub(crate) wait: u64,
    pub(crate) second: Lines,
}

impl Case {
    /// All lines of a response's field in lower case, joined.
    pub(crate) fn response(&self, name: &str) -> String {
        joined(&self.response, name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.response.iter().any(|(field, _)| *field == name)
    }

    pub(crate) fn lines(&self, name: &str) -> usize {
        self.response.iter().filter(|(field, _)| *field == name).count()
    }
}

pub(crate) fn joined(lines: &Lines, name: &str) -> String {
    let values: Vec<String> = lines
        .iter()
        .filter(|(field, _)| *field == name)
        .map(|(_, value)| value.to_ascii_lowercase())
        .collect();
    values.join(", ")
}

pub(crate) const START: u64 = 1_700_000_000;

fn date(seconds: i64) -> String {
    levee::Time((START as i64 + seconds) as u64 * 1_000).to_http_date()
}

/// Each directive alone, most often with an argument that can be read.
fn response_directive() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec![0u32, 1, 10, 60, 3_600]).prop_map(|n| format!("max-age={n}")),
        3 => select(vec![0u32, 5, 60]).prop_map(|n| format!("s-maxage={n}")),
        1 => select(vec!["max-age=\"60\"", "max-age=x", "max-age=-1", "max-age", "Max-Age=60", "s-maxage=x",
            "max-age=99999999999999999999"]).prop_map(str::to_owned),
        5 => select(vec!["no-store", "private", "no-cache", "public", "must-revalidate", "proxy-revalidate",
            "must-understand", "immutable", "no-transform"]).prop_map(str::to_owned),
        1 => select(vec!["No-Store", "PRIVATE", "private=\"x-b\"", "no-cache=\"x-b\"", "private=\"\"",
            "x=\"a, no-store, b\"", "x=\"a, private, b\"", "x=1"]).prop_map(str::to_owned),
        2 => select(vec!["stale-while-revalidate=30", "stale-if-error=30"]).prop_map(str::to_owned),
    ]
}

fn response_cache_control() -> impl Strategy<Value = Lines> {
    let name = "cache-control";
    prop_oneof![
        2 => Just(vec![]),
        6 => proptest::collection::vec(response_directive(), 1..4).prop_map(move |d| vec![(name, d.join(", "))]),
        1 => (response_directive(), response_directive()).prop_map(move |(a, b)| vec![(name, a), (name, b)]),
    ]
}

fn one_of(name: &'static str, values: Vec<String>) -> impl Strategy<Value = Lines> {
    prop_oneof![2 => Just(vec![]), 1 => select(values).prop_map(move |value| vec![(name, value)])]
}

fn words(name: &'static str, values: &[&str]) -> impl Strategy<Value = Lines> + use<> {
    one_of(name, values.iter().map(|&value| value.to_owned()).collect())
}

fn times() -> impl Strategy<Value = Lines> {
    let dates = [0, -10, -30, -300, 30].map(date).to_vec();
    let mut expiry: Vec<String> = [0, 10, 60, 3_600, -60].map(date).to_vec();
    expiry.extend(["0".to_owned(), "soon".to_owned(), "Tuesday, 14-Nov-23 23:13:20 GMT".to_owned()]);
    let modified = vec![date(-100), date(-1_005), date(-86_400), date(-8_640_000), "never".to_owned()];
    let twice = (select(expiry.clone()), select(expiry.clone()))
        .prop_map(|(a, b)| vec![("expires", a), ("expires", b)]);
    (
        one_of("date", dates),
        prop_oneof![9 => one_of("expires", expiry), 1 => twice],
        one_of("last-modified", modified),
        words("age", &["0", "5", "100", "x", "5, 7", "-1"]),
    )
        .prop_map(|(a, b, c, d)| [a, b, c, d].concat())
}

fn response() -> impl Strategy<Value = Lines> {
    prop_oneof![1 => plain_response(), 1 => any_response()]
}

/// One that is stored and reused for a while, with little else to say.
fn plain_response() -> impl Strategy<Value = Lines> {
    let cache_control =
        select(vec!["max-age=10", "max-age=60", "public, s-maxage=60", "max-age=60, must-revalidate"])
            .prop_map(|value| vec![("cache-control", value.to_owned())]);
    let date = one_of("date", vec![date(0), date(-10)]);
    let vary = words("vary", &["accept", "X-A", "accept-encoding", "accept-language, x-a"]);
    let others = one_of("age", vec!["0".to_owned(), "5".to_owned()]);
    (cache_control, date, vary, others).prop_map(|(a, b, c, d)| [a, b, c, d].concat())
}

fn any_response() -> impl Strategy<Value = Lines> {
    let others = [
        ("etag", "\"1\""),
        ("set-cookie", "sid=1"),
        ("pragma", "no-cache"),
        ("cdn-cache-control", "max-age=20"),
        ("cdn-cache-control", "no-store"),
        ("access-control-allow-origin", "https://b.example"),
        ("x-b", "1"),
    ];
    (
        response_cache_control(),
        times(),
        words(
            "vary",
            &["accept", "X-A", "accept, x-a", "*", "accept, *", "accept-encoding", "accept-language"],
        ),
        subsequence(others.to_vec(), 0..2),
    )
        .prop_map(|(a, b, c, others)| {
            let others = others.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
            [a, b, c, others].concat()
        })
}

fn negotiated() -> impl Strategy<Value = Lines> {
    (
        words("accept", &["text/html", "text/html, */*", "text/html,*/*"]),
        words("x-a", &["1", "2"]),
        words("accept-encoding", &["gzip, br", "br, gzip"]),
        words("accept-language", &["de", "DE"]),
        words("origin", &["https://b.example", "https://c.example"]),
    )
        .prop_map(|(a, b, c, d, e)| [a, b, c, d, e].concat())
}

fn first() -> impl Strategy<Value = Lines> {
    let directives =
        prop_oneof![5 => Just(vec![]), 1 => words("cache-control", &["no-store", "no-cache", "max-age=0"])];
    let credentials = prop_oneof![5 => Just(vec![]), 1 => words("authorization", &["Basic YQ=="])];
    (negotiated(), directives, credentials).prop_map(|(a, b, c)| [a, b, c].concat())
}

fn second_directives() -> impl Strategy<Value = Lines> {
    let some = [
        "no-cache",
        "No-Cache",
        "max-age=0",
        "max-age=5",
        "max-age=100",
        "max-age=x",
        "min-fresh=5",
        "min-fresh=100",
        "max-stale",
        "max-stale=5",
        "max-stale=50",
        "max-stale=x",
        "only-if-cached",
        "no-store",
        "max-age=5, max-stale",
    ];
    prop_oneof![
        4 => Just(vec![]),
        4 => words("cache-control", &some),
        1 => Just(vec![("pragma", "no-cache".to_owned())]),
        1 => Just(vec![("pragma", "no-cache".to_owned()), ("cache-control", "max-age=100".to_owned())]),
    ]
}

/// The second request asks for the same most of the time.
fn second(first: &Lines) -> impl Strategy<Value = Lines> + use<> {
    let same: Lines = first
        .iter()
        .filter(|(name, _)| !matches!(*name, "cache-control" | "authorization"))
        .cloned()
        .collect();
    let fields = prop_oneof![3 => Just(same), 1 => negotiated()];
    let credentials = prop_oneof![8 => Just(vec![]), 1 => words("authorization", &["Basic Yg=="])];
    (fields, second_directives(), credentials).prop_map(|(a, b, c)| [a, b, c].concat())
}

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let statuses = vec![200u16, 200, 200, 200, 203, 204, 206, 301, 302, 307, 404, 410, 429, 500, 503];
    let waits = vec![0u64, 1, 4, 5, 6, 9, 10, 11, 20, 31, 59, 60, 61, 90, 100, 101, 110, 1_000];
    first().prop_flat_map(move |first| {
        (Just(first.clone()), select(statuses.clone()), response(), select(waits.clone()), second(&first))
            .prop_map(|(first, status, response, wait, second)| Case {
                first,
                status,
                response,
                wait,
                second,
            })
    })
}
