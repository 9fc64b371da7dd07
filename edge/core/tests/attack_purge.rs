//! What was purged stays purged, in every tier and for every form of the key.

use std::time::Duration;

use levee::config::{Config, KeyPolicy, Policy};
use levee::testing::{MapStore, Reply, Sim, config_for};

fn stores() -> Vec<MapStore> {
    vec![MapStore::new(Duration::ZERO)]
}

fn plain() -> Config {
    config_for(&["https://o.example"])
}

/// A write makes every variant invalid, also in the stores, also for an instance that is started afterwards (RFC 9111, section
/// 4.4).
#[test]
fn a_purged_variant_does_not_come_back_out_of_a_store() {
    let mut sim = Sim::with_stores(plain(), stores(), |ask| {
        let body = format!("{} {}", ask.field("accept-language"), ask.number);
        Reply::new("max-age=600", &body).field("vary", "accept-language")
    });
    let get = |sim: &Sim, language: &'static str| {
        sim.send("GET", "/a", &[("accept-language", language)]).text().to_owned()
    };
    assert_eq!((get(&sim, "de"), get(&sim, "en")), ("de 0".to_owned(), "en 1".to_owned()));
    sim.send("POST", "/a", &[("body", "x")]);
    sim.restart();
    assert_eq!(get(&sim, "de"), "de 3");
    assert_eq!(get(&sim, "en"), "en 4");
}

/// The same where a field is part of the key.
#[test]
fn a_purged_entry_of_a_keyed_field_does_not_come_back_out_of_a_store() {
    let key = KeyPolicy { fields: vec!["x-tenant".into()], ..KeyPolicy::default() };
    let config = Config { defaults: Policy { key, ..Policy::default() }, ..plain() };
    let mut sim =
        Sim::with_stores(config, stores(), |ask| Reply::new("max-age=600", &ask.number.to_string()));
    let tenant = [("x-tenant", "t")];
    assert_eq!(sim.send("GET", "/a", &tenant).text(), "0");
    sim.send("POST", "/a", &[("body", "x"), ("x-tenant", "t")]);
    sim.restart();
    assert_eq!(sim.send("GET", "/a", &tenant).text(), "2");
}

/// A fragment is no part of what `Location` names (RFC 9110, section 10.2.2; RFC 9111, section 4.4).
#[test]
fn a_location_with_a_fragment_is_made_invalid() {
    let sim = Sim::new(plain(), |ask| match ask.method.as_str() {
        "POST" => Reply::new("", "").status(303).field("location", "/list#new"),
        _ => Reply::new("max-age=600", &ask.number.to_string()),
    });
    assert_eq!(sim.get("/list").text(), "0");
    sim.send("POST", "/items", &[("body", "x")]);
    assert_eq!(sim.get("/list").text(), "2");
}
