//! Explain shows the decision that was made, and explains nothing of the edge's own.

use std::time::Duration;

use levee::config::{Config, KeyPolicy, Policy};
use levee::testing::{Reply, Sim, TOKEN, config_for};

fn plain() -> Config {
    config_for(&["https://o.example"])
}

fn encoded(path: &str) -> String {
    path.bytes()
        .map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

#[test]
fn explain_explains_no_page_of_the_edges_own() {
    let sim = Sim::new(plain(), |_| panic!("no origin is asked"));
    let mut url = "/.levee/explain?url=/a".to_owned();
    for spelling in
        ["/.levee/", "/.levee", "/%2elevee/", "/x/../.levee/explain?url=/a", "/.levee/explain?url=/.levee/"]
    {
        let url = format!("/.levee/explain?url={}", encoded(spelling));
        let refused = sim.send("GET", &url, &[("levee-token", TOKEN)]);
        assert_eq!(refused.status, 400, "{spelling}");
        assert!(refused.text().contains("\"code\":\"reserved\""), "{}", refused.text());
    }
    for _ in 0..85 {
        url = format!("/.levee/explain?url={url}");
    }
    assert_eq!(sim.send("GET", &url, &[("levee-token", TOKEN)]).status, 400);
}

#[test]
fn an_explained_request_carries_no_framing() {
    for path in ["/a", "/uncacheable"] {
        let sim = Sim::new(plain(), |_| Reply::new("no-store", "x"));
        let own = [
            ("content-length", "189"),
            ("transfer-encoding", "chunked"),
            ("content-type", "a/b"),
            ("cookie", "sid=1"),
            ("levee-token", TOKEN),
        ];
        assert_eq!(sim.send("GET", &format!("/.levee/explain?url={path}"), &own).status, 200);
        for name in ["content-length", "transfer-encoding", "content-type", "connection"] {
            assert_eq!(sim.asked()[0].field(name), "", "{name}");
        }
    }
}

#[test]
fn what_is_explained_is_what_was_done() {
    let sim = Sim::new(plain(), |_| Reply::new("max-age=60", "x"));
    sim.get("/a");
    let steps = |fields: &[(&'static str, &str)]| -> Vec<serde_json::Value> {
        let fields = [fields, &[("levee-token", TOKEN)]].concat();
        serde_json::from_str(sim.send("GET", "/.levee/explain?url=/a", &fields).text()).expect("JSON")
    };
    let decided = |steps: &[serde_json::Value]| -> String {
        let step = steps.iter().find(|step| step["step"] == "decide").expect("a decision");
        step["what"].as_str().expect("text").to_owned()
    };
    let hit = steps(&[]);
    assert_eq!(decided(&hit), "serve it: it is fresh");
    // An entry that is not for those with credentials does not answer, and explain says so.
    let passed = steps(&[("cookie", "sid=1")]);
    assert!(decided(&passed).starts_with("pass it on whole: it carries credentials"), "{passed:?}");
    assert!(passed.last().unwrap()["what"].as_str().unwrap().contains("fwd=bypass"), "{passed:?}");
    assert_eq!(sim.asked().len(), 2, "each was made once");
}

#[test]
fn only_if_cached_never_reaches_the_origin() {
    let mut config = plain();
    config.routes.push(levee::config::Route {
        name: "orders".into(),
        path: levee::config::PathPattern::new("/orders/**"),
        methods: vec![],
        policy: Policy { cache: false, ..Policy::default() },
    });
    let sim = Sim::new(config, |_| panic!("no origin is asked"));
    let wanted = ("cache-control", "only-if-cached");
    for (target, fields) in [
        ("/a", vec![wanted]),
        ("/a", vec![wanted, ("cookie", "sid=1")]),
        ("/a", vec![wanted, ("authorization", "Basic YQ==")]),
        ("/a", vec![wanted, ("range", "bytes=0-1")]),
        ("/orders/1", vec![wanted]),
    ] {
        assert_eq!(sim.send("GET", target, &fields).status, 504, "{target} {fields:?}");
        assert_eq!(sim.send("HEAD", target, &fields).status, 504, "{target} {fields:?}");
    }
}

#[test]
fn what_connection_names_is_not_keyed() {
    let key = KeyPolicy { fields: vec!["x-tenant".into()], ..KeyPolicy::default() };
    for particular in [levee::config::Particular::Answer, levee::config::Particular::default()] {
        let policy = Policy { key: key.clone(), particular, ..Policy::default() };
        let sim = Sim::new(Config { defaults: policy, ..plain() }, |ask| {
            Reply::new("max-age=60", &format!("for {:?}", ask.field("x-tenant")))
        });
        let crafted = [("x-tenant", "7"), ("connection", "x-tenant")];
        assert_eq!(sim.send("GET", "/a", &crafted).text(), "for \"\"");
        assert_eq!(sim.send("GET", "/a", &[("x-tenant", "7")]).text(), "for \"7\"");
        assert_eq!(sim.send("GET", "/a", &crafted).text(), "for \"\"");
        sim.advance(Duration::from_secs(1));
        assert_eq!(sim.get("/a").cache_status(), "hit; ttl=59", "as who names no tenant");
    }
}
