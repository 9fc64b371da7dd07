//! Errors that one client can provoke, and what others see of them.

use std::time::Duration;

use levee::config::{ClientDirectives, Config, Policy};
use levee::platform::FetchError;
use levee::testing::{Reply, Sent, Sim, config_for};

/// An error that a request's own fields may have caused is for that request alone, whatever lifetime it names: origins put
/// `Cache-Control` on all that they send. Else one crafted request takes a URL away from everyone (RFC 9111, section 3 permits
/// to store it, and asks nobody to).
#[test]
fn an_error_that_names_a_lifetime_is_nobody_elses_either() {
    for status in
        [400, 403, 405, 406, 411, 412, 413, 415, 416, 417, 421, 422, 425, 426, 428, 429, 431, 500, 501, 503]
    {
        let sim = Sim::new(config_for(&["https://o.example"]), move |ask| {
            let fails = ask.field("accept-language").len() > 50;
            let reply = Reply::new("public, max-age=600", if fails { "no" } else { "page" });
            if fails { reply.status(status) } else { reply }
        });
        assert_eq!(sim.send("GET", "/a", &[("accept-language", &"x".repeat(60))]).status, status);
        let other = sim.get("/a");
        assert_eq!((other.status, other.text()), (200, "page"), "after {status}");
    }
}

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

/// One URL that an origin breaks off moves no other request to another origin: whoever knows such a URL would choose where all
/// others go.
#[test]
fn one_url_that_fails_moves_no_other_request() {
    let mut config = config_for(&["https://first.example", "https://backup.example"]);
    config.origins[1].backup = true;
    let sim = Sim::new(config, |ask| match (ask.uri.contains("first"), ask.uri.ends_with("/crash")) {
        (true, true) => Reply::error(FetchError::ConnectionTerminated("reset".to_owned())),
        (true, false) => Reply::new("", "first"),
        (false, _) => Reply::new("", "backup"),
    });
    assert_eq!(sim.get("/a").text(), "first");
    sim.get("/crash");
    assert_eq!(sim.get("/a").text(), "first");
    sim.get("/crash");
    assert_eq!(sim.send("POST", "/order", &[("body", "x")]).text(), "first");
}
