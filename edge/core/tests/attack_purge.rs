//! What an unsafe request makes invalid.

use levee::config::Config;
use levee::testing::{Reply, Sim, config_for};

fn plain() -> Config {
    config_for(&["https://o.example"])
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
