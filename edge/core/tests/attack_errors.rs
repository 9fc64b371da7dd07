//! Errors that one client can provoke, and what others see of them.

use std::time::Duration;

use levee::config::{ClientDirectives, Config, Policy};
use levee::testing::{Reply, Sent, Sim, config_for};

/// Nobody waits behind a request that forbids to store what it brings.
#[test]
fn a_request_that_forbids_to_store_leads_nobody() {
    let policy = Policy { client_directives: ClientDirectives::Honour, ..Policy::default() };
    let config = Config { defaults: policy, ..config_for(&["https://o.example"]) };
    let sim = Sim::new(config, |_| Reply::new("max-age=60", "page").after(Duration::from_secs(1)));
    let no_store = [("cache-control", "no-store")];
    let mut requests: Vec<Sent<'_>> = vec![("GET", "/a", &no_store)];
    requests.extend([("GET", "/a", &[] as &[(&'static str, &str)]); 40]);
    let began = sim.platform_now();
    sim.send_together(&requests);
    assert_eq!(sim.asked().len(), 2, "one for that request, one for the others");
    assert_eq!(sim.platform_now().since(began), Duration::from_secs(1), "side by side");
}

/// An error that names a lifetime is kept, but only for those whose requests are the same to the origin.
#[test]
fn an_error_that_names_a_lifetime_is_for_those_who_would_cause_it() {
    for status in [400, 401, 403, 406, 413, 429, 431, 500, 503] {
        let sim = Sim::new(config_for(&["https://o.example"]), move |ask| {
            let status = if ask.field("accept-language") == "crafted" { status } else { 200 };
            Reply::new("public, max-age=600", "page").status(status).after(Duration::from_secs(1))
        });
        let crafted: Sent<'_> = ("GET", "/a", &[("accept-language", "crafted")]);
        let answers = sim.send_together(&[crafted, ("GET", "/a", &[]), ("GET", "/a", &[])]);
        assert_eq!([answers[0].status, answers[1].status, answers[2].status], [status, 200, 200]);
        for _ in 0..2 {
            assert_eq!(sim.send("GET", "/a", &[("accept-language", "de")]).status, 200, "{status}");
            assert_eq!(sim.get("/a").cache_status().split(';').next(), Some("hit"), "{status}");
        }
        // What succeeds is not told apart by what tells errors apart.
        assert_eq!(
            sim.send("GET", "/a", &[("accept-language", "fr")]).cache_status().split(';').next(),
            Some("hit")
        );
    }
}
