//! What explain proposes for `levee.toml` is accepted there, and works.

use levee::testing::{Reply, Sim, TOKEN};
use levee_config::{Overrides, compile_str};

type Fields = &'static [(&'static str, &'static str)];

/// A request that is not answered from the cache, and what its author has in the policy already.
struct Case {
    detail: &'static str,
    has: &'static str,
    request: Fields,
    status: u16,
    response: Fields,
    length: usize,
    remedies: usize,
}

const CASE: Case = Case {
    detail: "",
    has: "",
    request: &[],
    status: 200,
    response: &[("cache-control", "max-age=60")],
    length: 4,
    remedies: 1,
};

const HONOUR: &str = "client_directives = \"honour\"";
const KEY: &str = "key = { query = { drop = [\"utm_*\", \"a%5Bb\"] }, sort = true, headers = [\"x-known\"] }";
const UA: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0";
const MANY: Fields = &[
    ("x-a", "1"),
    ("x-b", "1"),
    ("x-c", "1"),
    ("x-d", "1"),
    ("x-e", "1"),
    ("x-f", "1"),
    ("x-g", "1"),
    ("x-h", "1"),
    ("x-i", "1"),
    ("x-j", "1"),
    ("x-k", "1"),
    ("x-l", "1"),
    ("x-m", "1"),
    ("x-n", "1"),
    ("x-o", "1"),
    ("x-p", "1"),
    ("x-q", "1"),
];

fn cases() -> Vec<Case> {
    vec![
        Case { detail: "credentials", request: &[("cookie", "sid=1; lang=de; _ga=2")], remedies: 2, ..CASE },
        Case {
            detail: "credentials",
            request: &[("authorization", "Basic YQ=="), ("x-api-key", "k"), ("cookie", "sid=1")],
            has: KEY,
            remedies: 2,
            ..CASE
        },
        Case {
            detail: "credentials",
            request: &[("x-own", "1"), ("cookie", "no cookie at all")],
            has: "credential_fields = [\"x-own\"]",
            remedies: 2,
            ..CASE
        },
        Case { detail: "credentials", request: &[("x_api_key", "k")], remedies: 2, ..CASE },
        Case {
            detail: "set-cookie",
            response: &[("cache-control", "max-age=60"), ("set-cookie", "a=b")],
            ..CASE
        },
        Case {
            detail: "particular-once",
            request: &[("x-app", "1"), ("hx-request", "true")],
            remedies: 2,
            ..CASE
        },
        Case {
            detail: "particular-once",
            request: &[("x-app", "1"), ("user-agent", "<odd>"), ("x-known", "1")],
            has: KEY,
            remedies: 2,
            ..CASE
        },
        Case {
            detail: "particular-once",
            request: &[("x-app", "1"), ("x-tenant", "1")],
            has: "forward = [\"x-tenant\"]\nparticular = [\"save-data\"]",
            remedies: 2,
            ..CASE
        },
        Case { detail: "too-particular", request: MANY, remedies: 2, ..CASE },
        Case {
            detail: "repeats-request",
            request: &[("user-agent", UA), ("accept-language", "de-CH,de;q=0.9")],
            response: &[("cache-control", "max-age=60"), ("x-ua", UA), ("x-lang", "de-CH,de;q=0.9")],
            ..CASE
        },
        Case { detail: "no-lifetime", response: &[], ..CASE },
        Case { detail: "no-lifetime", response: &[], has: "ttl = { max = \"5s\" }", ..CASE },
        Case { detail: "no-lifetime", response: &[], status: 201, ..CASE },
        Case { detail: "no-lifetime", response: &[], status: 301, ..CASE },
        Case {
            detail: "no-lifetime",
            response: &[],
            status: 404,
            has: "negative = { 410 = \"1500ms\" }",
            ..CASE
        },
        Case { detail: "no-lifetime", response: &[], status: 302, remedies: 0, ..CASE },
        Case { detail: "no-lifetime", response: &[("cache-control", "no-cache")], remedies: 0, ..CASE },
        Case { detail: "too-large", length: (2 << 20) + 1, ..CASE },
        Case { detail: "too-large", length: 20 << 20, ..CASE },
        Case { detail: "request-no-store", request: &[("cache-control", "no-store")], has: HONOUR, ..CASE },
        Case { detail: "route", has: "cache = false", ..CASE },
        Case { detail: "no-store", response: &[("cache-control", "no-store")], remedies: 0, ..CASE },
        Case { detail: "private", response: &[("cache-control", "private")], remedies: 0, ..CASE },
        Case {
            detail: "vary-any",
            response: &[("cache-control", "max-age=60"), ("vary", "*")],
            remedies: 0,
            ..CASE
        },
        Case { detail: "status", status: 403, remedies: 0, ..CASE },
        Case {
            detail: "event-stream",
            response: &[("cache-control", "max-age=60"), ("content-type", "text/event-stream")],
            remedies: 0,
            ..CASE
        },
    ]
}

/// A file with these lines in its policy, of which a later one stands for an earlier one of the same key.
fn file(has: &str, policy: &[&str], limits: &[&str]) -> String {
    let key = |line: &str| line.split(" = ").next().unwrap_or_default().to_owned();
    let kept: Vec<&str> = has
        .lines()
        .filter(|line| !policy.iter().any(|new| key(new) == key(line)))
        .chain(policy.iter().copied())
        .collect();
    format!(
        "version = 1\nhosts = [\"a.example\"]\n[origins.o]\nurl = \"https://o.example\"\n[limits]\n{}\n[defaults]\n{}\n",
        limits.join("\n"),
        kept.join("\n")
    )
}

fn sim(text: &str, case: &Case) -> Sim {
    let compiled =
        compile_str("levee.toml", text, &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    let (status, fields, length) = (case.status, case.response, case.length);
    Sim::new(compiled.config, move |_| {
        let reply = Reply::new("", &"x".repeat(length)).status(status);
        fields.iter().fold(reply, |reply, (name, value)| reply.field(name, *value))
    })
}

/// Each alternative of what explain says: lines for the policy, and for the limits.
fn remedies(sim: &Sim, request: Fields) -> Vec<(Vec<String>, Vec<String>)> {
    let fields = [request, &[("levee-token", TOKEN)]].concat();
    let explained = sim.send("GET", "/.levee/explain?url=/a", &fields);
    let steps: Vec<serde_json::Value> = serde_json::from_str(explained.text()).expect("JSON");
    let rules = steps.iter().filter_map(|step| step["rule"].as_str());
    let named = rules.filter_map(|rule| rule.strip_prefix("what would change it in levee.toml: "));
    let mut all: Vec<_> = named
        .flat_map(|rule| rule.split(", or "))
        .map(|one| {
            let lines = one.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            if one.starts_with("[limits]: ") { (vec![], lines) } else { (lines, vec![]) }
        })
        .collect();
    all.dedup();
    all
}

#[test]
fn each_remedy_is_accepted_and_the_next_request_is_a_hit() {
    for case in cases() {
        let before = sim(&file(case.has, &[], &[]), &case);
        let found = remedies(&before, case.request);
        let about = format!("{}: {} {:?}", case.detail, case.has, case.request);
        assert_eq!(found.len(), case.remedies, "{about}: {found:?}");
        let untold = sim(&file(case.has, &[], &[]), &case).send("GET", "/a", case.request);
        let detail = format!("detail={}", case.detail);
        assert!(untold.cache_status().contains(&detail), "{about}: {}", untold.cache_status());
        for (policy, limits) in found {
            let [policy, limits] =
                [&policy, &limits].map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
            let text = file(case.has, &policy, &limits);
            let after = sim(&text, &case);
            after.send("GET", "/a", case.request);
            let next = after.send("GET", "/a", case.request);
            assert!(next.cache_status().starts_with("hit"), "{text}{about}: {}", next.cache_status());
        }
    }
}

/// A 17th set of one URL is refused, and the same lines help.
#[test]
fn a_url_with_as_many_sets_as_it_may_have() {
    let base = file("", &[], &[]);
    let sim_of = |text: &str| {
        let sim = sim(text, &CASE);
        for tenant in 0..16 {
            for _ in 0..2 {
                sim.send("GET", "/a", &[("x-tenant", &tenant.to_string())]);
            }
        }
        sim
    };
    let request: Fields = &[("x-tenant", "16"), ("x-app", "1")];
    let before = sim_of(&base);
    before.send("GET", "/a", request);
    assert!(before.send("GET", "/a", request).cache_status().contains("detail=particular-full"));
    let found = remedies(&before, request);
    assert_eq!(found.len(), 2);
    for (policy, _) in found {
        let lines: Vec<&str> = policy.iter().map(String::as_str).collect();
        let after = sim_of(&file("", &lines, &[]));
        after.send("GET", "/a", request);
        assert!(after.send("GET", "/a", request).cache_status().starts_with("hit"), "{lines:?}");
    }
}

/// What a route has of its own stands in the remedy as well, and the remedy names the route.
#[test]
fn a_remedy_names_its_route() {
    let text = format!("{}[[routes]]\nname = \"shop\"\npath = \"/**\"\n{KEY}\n", file("", &[], &[]));
    let sim = sim(&text, &CASE);
    let explained = sim.send("GET", "/.levee/explain?url=/a", &[("x-app", "1"), ("levee-token", TOKEN)]);
    let expected = "[[routes]] shop: `key = { query = { drop = [\\\"utm_*\\\", \\\"a%5Bb\\\"] }, sort = true, headers = [\\\"x-known\\\", \\\"x-app\\\"] }`";
    assert!(explained.text().contains(expected), "{}", explained.text());
}
