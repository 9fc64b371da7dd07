//! The short way of a memory hit answers as the whole pipeline does, or not at all.

#![allow(clippy::unwrap_used, reason = "a test's own helpers")]

use std::collections::HashMap;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue, Method};
use levee::config::{
    ClientDirectives, Config, Credentials, KeyPolicy, NamePattern, Particular, PathPattern, Policy,
    QueryPolicy, Route, SetCookie, Stale,
};
use levee::key::Standing;
use levee::pipeline::hit::{
    Hit, Line, Plan, fields_that_matter, hit, is_awake, is_unknown, name_in_stores, standing, stored,
};
use levee::pipeline::shortcuts::{Asked, Shortcuts};
use levee::platform::{Platform as _, Store as _};
use levee::route::RouteId;
use levee::testing::{Answered, MapStore, Reply, Sim, block_on, config_for};
use levee::{Edge, Scheme};
use proptest::prelude::*;

type Fields = Vec<(&'static str, &'static str)>;

/// What clients send, with and without meaning for the cache.
const FIELDS: [(&str, &str); 33] = [
    ("accept", "text/html"),
    ("accept-encoding", "gzip, br"),
    ("accept-encoding", "identity"),
    ("accept-language", "de, en;q=0.5"),
    ("authorization", "Basic YQ=="),
    ("cache-control", "max-age=0"),
    ("cache-control", "max-stale=9"),
    ("cache-control", "min-fresh=5"),
    ("cache-control", "no-cache"),
    ("cache-control", "only-if-cached"),
    ("cdn-loop", "levee"),
    ("cdn-loop", "other"),
    ("connection", "upgrade"),
    ("content-length", "0"),
    ("cookie", "lang=de; sid=1"),
    ("cookie", "lang=en"),
    ("cookie", "_ga=GA1.1.182.168; _gid=GA1.1.7.8"),
    ("cookie", "_fbp=fb.1.1.2"),
    ("expect", "100-continue"),
    ("if-modified-since", "Tue, 14 Nov 2023 22:13:20 GMT"),
    ("if-none-match", "\"a\""),
    ("if-none-match", "\"b\""),
    ("if-range", "\"a\""),
    ("levee-token", "shown"),
    ("origin", "https://b.example"),
    ("pragma", "no-cache"),
    ("range", "bytes=0-1"),
    ("transfer-encoding", "chunked"),
    ("upgrade", "websocket"),
    ("user-agent", "a browser"),
    ("x-api-key", "secret"),
    ("x-own", "1"),
    ("x-tenant", "2"),
];

const TARGETS: [&str; 9] =
    ["/", "/a", "/a?x=1", "/a/../a?utm_source=b", "/whole", "/tenants", "/langs?y", "/.levee/", "/%zz"];

const CONTROLS: [&str; 8] = [
    "max-age=20",
    "max-age=20, public, stale-while-revalidate=10",
    "s-maxage=15",
    "no-cache",
    "no-store",
    "private",
    "max-age=5, must-revalidate",
    "max-age=30, immutable, no-cache=\"x-a\"",
];

const VARIES: [&str; 6] = ["", "cookie", "accept-encoding", "accept-language, accept-encoding", "x-own", "*"];

#[derive(Clone, Debug)]
enum Step {
    Ask {
        method: &'static str,
        target: &'static str,
        fields: Fields,
    },
    Wait(u64),
    /// A new instance over the same stores.
    Restart,
    /// The near store forgets everything.
    Evict,
    /// From now on the origin answers so.
    Origin {
        control: &'static str,
        vary: &'static str,
        status: u16,
        age: Option<u32>,
        etag: bool,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let fields = prop_oneof![
        2 => Just(Fields::new()),
        3 => proptest::sample::subsequence(FIELDS.to_vec(), 0..5),
    ];
    let method = prop_oneof![8 => Just("GET"), 2 => Just("HEAD"), 1 => Just("POST")];
    let ask = (method, proptest::sample::select(&TARGETS[..]), fields)
        .prop_map(|(method, target, fields)| Step::Ask { method, target, fields });
    let status = prop_oneof![6 => Just(200u16), 1 => Just(404u16), 1 => Just(301u16), 1 => Just(204u16)];
    let origin = (
        proptest::sample::select(&CONTROLS[..]),
        proptest::sample::select(&VARIES[..]),
        status,
        proptest::option::weighted(0.2, 0..10u32),
        any::<bool>(),
    )
        .prop_map(|(control, vary, status, age, etag)| Step::Origin { control, vary, status, age, etag });
    let step = prop_oneof![10 => ask, 3 => (0..9_000u64).prop_map(Step::Wait), 1 => origin, 1 => Just(Step::Restart), 1 => Just(Step::Evict)];
    proptest::collection::vec(step, 1..40)
}

fn config(transparent: bool, pass_targeted: bool) -> Config {
    let mut config = config_for(&["http://o"]);
    config.limits.fields = 200;
    config.defaults.pass_targeted = pass_targeted;
    if transparent {
        config.defaults = Policy {
            credentials: Credentials::Authorization,
            set_cookie: SetCookie::Store,
            particular: Particular::Answer,
            client_directives: ClientDirectives::Honour,
            stale: Stale { while_revalidate: Duration::from_secs(5), ..Stale::default() },
            ..config.defaults
        };
    }
    let route = |path: &str, policy: Policy| Route {
        name: path.to_owned(),
        path: PathPattern::new(path),
        methods: vec![],
        policy,
    };
    let base = config.defaults.clone();
    let keyed = KeyPolicy { fields: vec!["x-tenant".to_owned()], ..KeyPolicy::default() };
    let drop = QueryPolicy::Drop(vec![NamePattern::new("utm_*")]);
    let langs = Credentials::Key { cookies: vec!["lang".to_owned()], fields: vec!["x-own".to_owned()] };
    config.routes = vec![
        route("/whole", Policy { cache: false, ..base.clone() }),
        route("/tenants", Policy { key: keyed, credential_fields: vec!["x-own".to_owned()], ..base.clone() }),
        route("/langs", Policy { credentials: langs, ..base.clone() }),
        route(
            "/a",
            Policy {
                credentials: Credentials::Strip,
                key: KeyPolicy { query: drop, ..KeyPolicy::default() },
                ..base
            },
        ),
    ];
    config
}

fn map(fields: &Fields) -> HeaderMap {
    let lines = fields.iter();
    lines.map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

/// What a plan is made from: the fields that matter by their names, and those that are not ordinary.
fn told_of(edge: &Edge, fields: &Fields, (route, told): &(RouteId, Vec<HeaderName>)) -> HeaderMap {
    let mut map = map(fields);
    let is_told = |name: &HeaderName, value: &HeaderValue| {
        told.contains(name) || standing(edge, *route, name, value) == Standing::Selects
    };
    let left: Vec<HeaderName> =
        map.iter().filter(|(name, value)| !is_told(name, value)).map(|(name, _)| name.clone()).collect();
    left.iter().for_each(|name| drop(map.remove(name)));
    map
}

/// Plans by what they were made from, as an adapter keeps them: across entries, purges and time.
type Plans = HashMap<String, ((RouteId, Vec<HeaderName>), Option<Plan>)>;

/// As an adapter goes about it: only the fields that matter, once more where the URL turns out to vary, and then the store.
fn by_plan(
    sim: &Sim,
    plans: &mut Plans,
    method: &Method,
    target: &str,
    fields: &Fields,
) -> Option<(Hit, http::Response<bytes::Bytes>)> {
    let (edge, now) = (&sim.edge, sim.platform_now());
    let line = Line { method, scheme: Scheme::Https, authority: "a.example", target };
    let size = map(fields).iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    let (told, plan) = plans.entry(format!("{method} {target} {fields:?}")).or_insert_with(|| {
        let told = fields_that_matter(edge, &line).unwrap_or_default();
        let plan = Plan::new(edge, &line, told_of(edge, fields, &told), &told.1);
        (told, plan)
    });
    let lacks = plan.as_ref().map(|plan| plan.lacks(edge)).unwrap_or_default();
    if !lacks.is_empty() {
        assert!(hit(edge, plan.as_ref().unwrap(), size, now).is_none(), "it was not told enough");
        told.1.extend(lacks);
        *plan = Plan::new(edge, &line, told_of(edge, fields, told), &told.1);
    }
    let plan = plan.as_ref()?;
    let hit = hit(edge, plan, size, now).or_else(|| {
        if !is_unknown(edge, plan) {
            return None;
        }
        for (at, store) in sim.platform.stores().iter().enumerate() {
            if !is_awake(edge, store.name(), now) {
                continue;
            }
            if let Some(value) = block_on(store.get(&name_in_stores(plan))).unwrap() {
                let hit = stored(edge, plan, &value, store.name(), size, now)?;
                hit.promote(edge, &sim.platform, plan, at);
                return Some(hit);
            }
        }
        None
    })?;
    let answer = hit.answer(edge, plan, now);
    Some((hit, answer))
}

/// The whole pipeline tells the age to the millisecond.
fn to_the_second(answered: &Answered) -> HeaderMap {
    let mut fields = answered.fields.clone();
    let timing = answered.field("server-timing");
    if let Some((before, rest)) = timing.split_once("age;dur=") {
        let (millis, after) = rest.split_once(',').unwrap_or((rest, ""));
        let seconds = millis.parse::<u64>().unwrap() / 1_000 * 1_000;
        let cut = format!("{before}age;dur={seconds},{after}");
        fields.insert("server-timing", cut.parse().unwrap());
    }
    fields
}

fn reply(ask: &levee::testing::Ask, step: &Step) -> Reply {
    let Step::Origin { control, vary, status, age, etag } = step else { unreachable!() };
    let mut reply = Reply::new(control, &format!("number {}", ask.number)).status(*status);
    if !vary.is_empty() {
        reply = reply.field("vary", *vary);
    }
    if *etag {
        reply = reply.field("etag", "\"a\"").field("cdn-cache-control", "max-age=12");
    }
    if let Some(age) = age {
        reply = reply.field("age", age.to_string()).field("cache-status", "upstream; hit");
    }
    reply.field("last-modified", "Tue, 14 Nov 2023 20:13:20 GMT").field("x-a", "1")
}

/// Two edges before equal origins: one answers the whole way, the other the short way where there is one. Nobody may see a
/// difference, also not in what is counted and stored. Returns how often there was a short way.
fn run(steps: &[Step], transparent: bool, pass_targeted: bool) -> usize {
    let usual = Step::Origin { control: "max-age=20", vary: "", status: 200, age: None, etag: true };
    let sim = || {
        let usual = usual.clone();
        let near = MapStore::new(Duration::from_secs(1)).named("near").resting(Duration::from_secs(60));
        let far = MapStore::new(Duration::from_secs(12)).named("far");
        let stores = vec![near, far];
        Sim::with_stores(config(transparent, pass_targeted), stores, move |ask| reply(ask, &usual))
    };
    let (mut whole, mut short) = (sim(), sim());
    let mut plans = Plans::new();
    let mut hits = 0;
    for step in steps {
        match step {
            Step::Wait(millis) => {
                for sim in [&whole, &short] {
                    sim.advance(Duration::from_millis(*millis));
                }
            }
            Step::Restart => {
                whole.restart();
                short.restart();
                plans.clear();
            }
            Step::Evict => {
                for sim in [&whole, &short] {
                    sim.settle();
                    sim.platform.stores()[0].evict();
                }
            }
            Step::Origin { .. } => {
                for sim in [&whole, &short] {
                    let step = step.clone();
                    sim.origin(move |ask| reply(ask, &step));
                }
            }
            Step::Ask { method, target, fields } => {
                let what = format!("{method} {target} {fields:?}");
                let raw = Method::from_bytes(method.as_bytes()).unwrap();
                let wanted = whole.send(method, target, fields);
                match by_plan(&short, &mut plans, &raw, target, fields) {
                    Some((hit, answer)) => {
                        short.settle();
                        hits += 1;
                        assert_eq!(answer.status().as_u16(), wanted.status, "{what}");
                        assert_eq!(*answer.headers(), to_the_second(&wanted), "{what}");
                        assert_eq!(answer.body().as_ref(), wanted.text().as_bytes(), "{what}");
                        assert_eq!(hit.not_modified, wanted.status == 304, "{what}");
                        assert_eq!(hit.age.to_string(), wanted.field("age"), "{what}");
                    }
                    None => {
                        let got = short.send(method, target, fields);
                        assert_eq!((got.status, got.text()), (wanted.status, wanted.text()), "{what}");
                    }
                }
                assert_eq!(short.asked().len(), whole.asked().len(), "{what}");
                assert_eq!(short.edge.counters(), whole.edge.counters(), "{what}");
                for (short, whole) in short.platform.stores().iter().zip(whole.platform.stores()) {
                    assert_eq!(short.len(), whole.len(), "{what}: {}", short.name());
                }
            }
        }
    }
    hits
}

/// Two edges as in [`run`], one of them with the shortcuts of a thread, as the native server has them.
fn run_with_shortcuts(steps: &[Step], transparent: bool, pass_targeted: bool) -> usize {
    let sim = || {
        let usual = Step::Origin { control: "max-age=20", vary: "", status: 200, age: None, etag: true };
        Sim::new(config(transparent, pass_targeted), move |ask| reply(ask, &usual))
    };
    let (whole, short) = (sim(), sim());
    let mut shortcuts = Shortcuts::new(7);
    let mut hits = 0;
    for step in steps {
        match step {
            Step::Wait(millis) => {
                for sim in [&whole, &short] {
                    sim.advance(Duration::from_millis(*millis));
                }
            }
            Step::Restart => shortcuts = Shortcuts::new(8),
            // There is no store to forget anything.
            Step::Evict => {}
            Step::Origin { .. } => {
                for sim in [&whole, &short] {
                    let step = step.clone();
                    sim.origin(move |ask| reply(ask, &step));
                }
            }
            // Each is asked three times: only what is asked for again is kept ready.
            Step::Ask { method, target, fields } => {
                for _ in 0..3 {
                    let what = format!("{method} {target} {fields:?}");
                    let wanted = whole.send(method, target, fields);
                    let all = map(fields);
                    let asked = Asked { scheme: Scheme::Https, authority: "a.example", target, fields: &all };
                    let here = (*method == "GET").then_some(asked);
                    match here.and_then(|asked| shortcuts.answer(&short.edge, &asked, short.platform_now())) {
                        Some(answer) => {
                            hits += 1;
                            assert_eq!(answer.status().as_u16(), wanted.status, "{what}");
                            assert_eq!(*answer.headers(), to_the_second(&wanted), "{what}");
                            assert_eq!(answer.body().as_ref(), wanted.text().as_bytes(), "{what}");
                        }
                        None => {
                            let got = short.send(method, target, fields);
                            assert_eq!((got.status, got.text()), (wanted.status, wanted.text()), "{what}");
                        }
                    }
                    assert_eq!(short.asked().len(), whole.asked().len(), "{what}");
                    assert_eq!(short.edge.counters(), whole.edge.counters(), "{what}");
                }
            }
        }
    }
    hits
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn it_answers_as_the_whole_pipeline_does(steps in steps(), transparent: bool, pass_targeted: bool) {
        run(&steps, transparent, pass_targeted);
    }

    #[test]
    fn shortcuts_answer_as_the_whole_pipeline_does(steps in steps(), transparent: bool, pass_targeted: bool) {
        run_with_shortcuts(&steps, transparent, pass_targeted);
    }
}

fn ask(method: &'static str, target: &'static str, fields: &[(&'static str, &'static str)]) -> Step {
    Step::Ask { method, target, fields: fields.to_vec() }
}

#[test]
fn plain_hits_are_answered() {
    let get = ask("GET", "/a", &[("user-agent", "a browser"), ("cookie", "sid=1")]);
    assert_eq!(run(&[get.clone(), get.clone(), get], false, false), 2);
    let validated = ask("GET", "/", &[("if-none-match", "\"a\"")]);
    assert_eq!(run(&[ask("GET", "/", &[]), validated, ask("HEAD", "/", &[])], false, false), 2);
}

#[test]
fn what_is_asked_for_again_is_answered_by_a_shortcut() {
    let get = ask("GET", "/a", &[("user-agent", "a browser"), ("cookie", "sid=1")]);
    // The first fills, the second makes the page, the third the plan.
    assert_eq!(run_with_shortcuts(&[get.clone(), get.clone()], false, false), 3);
    let later = [get.clone(), Step::Wait(3_000), get.clone(), Step::Wait(30_000), get.clone()];
    assert_eq!(run_with_shortcuts(&later, false, false), 5, "not what has gone stale, but what follows it");
    let validated = ask("GET", "/a", &[("if-none-match", "\"a\"")]);
    assert_eq!(run_with_shortcuts(&[get, validated], false, false), 2);
    let vary =
        Step::Origin { control: "max-age=20", vary: "accept-encoding", status: 200, age: None, etag: true };
    let coded = |coding| ask("GET", "/", &[("accept-encoding", coding)]);
    let steps = [vary, coded("gzip, br"), coded("gzip, br"), coded("identity"), coded("identity")];
    assert!(run_with_shortcuts(&steps, false, false) > 3);
}

#[test]
fn variants_are_answered_once_the_plan_knows_them() {
    let vary =
        Step::Origin { control: "max-age=20", vary: "accept-encoding", status: 200, age: None, etag: true };
    let get = |coding| ask("GET", "/", &[("accept-encoding", coding)]);
    let steps = [vary, get("gzip, br"), get("gzip, br"), get("identity"), get("identity"), get("gzip, br")];
    assert_eq!(run(&steps, false, false), 3);
}

#[test]
fn a_fields_limit_holds_for_what_the_plan_does_not_read() {
    let long = "a long one, a long one, a long one, a long one, a long one, a long one, a long one, a long one, a long \
                one, a long one, a long one, a long one, a long one, a long one, a long one, a long one, a long one";
    let steps = [ask("GET", "/", &[]), ask("GET", "/", &[("user-agent", long)]), ask("GET", "/", &[])];
    assert_eq!(run(&steps, false, false), 1);
}

#[test]
fn a_write_ends_it_for_plans_that_are_older() {
    let get = ask("GET", "/", &[]);
    let steps = [get.clone(), get.clone(), ask("POST", "/", &[]), get.clone(), get];
    assert_eq!(run(&steps, false, false), 2);
}

#[test]
fn what_the_far_store_holds_is_answered_and_brought_nearer() {
    let get = ask("GET", "/a", &[]);
    let far = [get.clone(), Step::Restart, Step::Evict, get.clone(), Step::Restart, get];
    assert_eq!(run(&far, false, false), 2);
}

#[test]
fn what_a_store_holds_is_answered_and_remembered() {
    let get = ask("GET", "/a", &[]);
    let steps =
        [get.clone(), Step::Restart, get.clone(), get.clone(), Step::Wait(16_000), Step::Restart, get];
    assert_eq!(run(&steps, false, false), 2);
}

/// A store may bring back what a write has made invalid.
#[test]
fn what_was_purged_meanwhile_is_not_answered() {
    let usual = Step::Origin { control: "max-age=20", vary: "", status: 200, age: None, etag: true };
    let stores = vec![MapStore::new(Duration::from_secs(12))];
    let sim = Sim::with_stores(config(false, false), stores, move |ask| reply(ask, &usual));
    sim.get("/a");
    let line = Line { method: &Method::GET, scheme: Scheme::Https, authority: "a.example", target: "/a" };
    let plan = Plan::new(&sim.edge, &line, HeaderMap::new(), &[]).unwrap();
    let (store, name) = (&sim.platform.stores()[0], name_in_stores(&plan));
    let value = block_on(store.get(&name)).unwrap().unwrap();
    let answered = |sim: &Sim| stored(&sim.edge, &plan, &value, "map", 0, sim.platform_now()).is_some();
    assert!(!answered(&sim), "memory knows better");
    sim.send("POST", "/a", &[]);
    block_on(store.put(&name, value.clone(), Duration::from_secs(60))).unwrap();
    assert!(is_unknown(&sim.edge, &plan) && !answered(&sim));
    let fresh = Sim::new(config(false, false), |_| Reply::new("no-store", ""));
    assert!(answered(&fresh), "an instance that saw no write takes it");
}
