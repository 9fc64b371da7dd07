//! What a store holds, and what an operator is shown, has no token in it.

#![allow(clippy::unwrap_used, reason = "a test's own helpers")]

use std::time::Duration;

use levee::config::{Config, Credentials, KeyPolicy, Particular, Policy};
use levee::testing::{MapStore, Reply, Sim, TOKEN, config_for};

fn keyed() -> Policy {
    Policy {
        credentials: Credentials::Key { cookies: vec!["sid".into()], fields: vec!["authorization".into()] },
        key: KeyPolicy { fields: vec!["x-tenant".into()], ..KeyPolicy::default() },
        ..Policy::default()
    }
}

fn sim(policy: Policy, store: &MapStore) -> Sim {
    let config = Config { defaults: policy, ..config_for(&["https://o.example"]) };
    Sim::with_stores(config, vec![store.clone()], |ask| {
        Reply::new("max-age=60, public", &ask.number.to_string())
            .field("vary", "x-session, accept-language, cookie")
    })
}

const SECRETS: [(&str, &str); 5] = [
    ("cookie", "sid=s3cret-a; other=s3cret-b"),
    ("authorization", "Bearer s3cret-c"),
    ("x-session", "s3cret-d"),
    ("x-tenant", "shown"),
    ("accept-language", "de"),
];

#[test]
fn no_store_holds_a_token() {
    for policy in [
        keyed(),
        Policy { particular: Particular::Answer, ..keyed() },
        Policy { particular: Particular::Answer, ..Policy::default() },
    ] {
        let is_keyed = policy.credentials != Credentials::Pass;
        let store = MapStore::new(Duration::ZERO);
        let sim = sim(policy, &store);
        sim.send("GET", "/", &SECRETS);
        let stored = store.values();
        for value in &stored {
            let text = String::from_utf8_lossy(value);
            assert!(!text.contains("s3cret"), "{text}");
        }
        // `public` answers whatever `Authorization` says, where that is not keyed.
        let told = SECRETS[..3].iter().filter(|(name, _)| is_keyed || *name != "authorization");
        for (name, value) in told {
            let mut other = SECRETS;
            let at = other.iter().position(|(known, _)| known == name).unwrap();
            let changed = value.replace("s3cret", "guess");
            other[at].1 = &changed;
            assert!(!sim.send("GET", "/", &other).cache_status().starts_with("hit"), "{name}");
        }
    }
}

#[test]
fn what_is_sealed_answers_who_shows_the_same_in_every_instance() {
    let store = MapStore::new(Duration::ZERO);
    let sim = sim(Policy { particular: Particular::Answer, ..keyed() }, &store);
    let first = sim.send("GET", "/", &SECRETS).text().to_owned();
    assert!(sim.send("GET", "/", &SECRETS).cache_status().starts_with("hit"));
    assert_eq!(sim.beside().send("GET", "/", &SECRETS).text(), first, "out of the store");
}

#[test]
fn no_operator_is_shown_a_token() {
    let sim = sim(keyed(), &MapStore::new(Duration::ZERO));
    let with_token = [&SECRETS[..], &[("levee-token", TOKEN)]].concat();
    for target in ["/", "/.levee/explain?url=/"] {
        let shown = sim.send("GET", target, &with_token);
        let text = format!("{:?} {}", shown.fields, shown.text());
        assert!(!text.contains("s3cret"), "{text}");
        assert!(text.contains("x-tenant=5:shown"), "{text}");
    }
    assert!(!format!("{:?}", sim.edge).contains(TOKEN));
}
