//! Toward the origin: who may ask how much, what is sent again, and what counts against an origin.

use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, Method};
use levee::body::Body;
use levee::config::{Config, Shield};
use levee::platform::{ClientFault, FetchError};
use levee::testing::{Ask, Reply, Sim, TestBody, config_for};
use levee::{Request, Scheme};

fn two_origins() -> Config {
    let mut config = config_for(&["https://a.example", "https://b.example"]);
    config.origins[1].backup = true;
    config
}

/// The host of the URI that the origin was asked by.
fn host(ask: &Ask) -> &str {
    ask.uri.trim_start_matches("https://").split('/').next().unwrap_or("")
}

#[test]
fn a_kept_alive_connection_that_was_closed_is_no_failure() {
    // Each second request meets a connection that the origin has just closed.
    let sim = Sim::new(two_origins(), |ask| {
        if ask.number % 2 == 0 {
            Reply::error(FetchError::KeptAliveClosed)
        } else {
            Reply::new("no-store", "page")
        }
    });
    for _ in 0..20 {
        let answer = sim.get("/a");
        assert_eq!((answer.status, answer.text()), (200, "page"));
    }
    assert!(sim.asked().iter().all(|ask| host(ask) == "a.example"), "the origin is well");
}

#[test]
fn what_must_not_be_repeated_is_not_and_moves_nobody() {
    let sim = Sim::new(two_origins(), |ask| {
        if ask.method == Method::POST && ask.number == 0 {
            Reply::error(FetchError::KeptAliveClosed)
        } else {
            Reply::new("no-store", "page")
        }
    });
    let lost = sim.send("POST", "/a", &[("body", "x")]);
    assert_eq!((lost.status, sim.asked().len()), (502, 1));
    for _ in 0..20 {
        assert_eq!(sim.send("POST", "/a", &[("body", "x")]).status, 200);
    }
    assert!(sim.asked().iter().all(|ask| host(ask) == "a.example"));
}

#[test]
fn a_lost_write_moves_no_other_request() {
    for error in [FetchError::ResponseTimeout, FetchError::ConnectionTerminated("reset".into())] {
        let first = error.clone();
        let sim = Sim::new(two_origins(), move |ask| {
            if ask.number == 0 { Reply::error(first.clone()) } else { Reply::new("no-store", "page") }
        });
        sim.send("POST", "/a", &[("body", "x")]);
        sim.get("/a");
        assert_eq!(host(&sim.asked()[1]), "a.example", "{error}");
    }
}

#[test]
fn what_was_never_sent_goes_elsewhere() {
    let sim = Sim::new(two_origins(), |ask| {
        if host(ask) == "a.example" {
            Reply::error(FetchError::ConnectionRefused)
        } else {
            Reply::new("no-store", "from b")
        }
    });
    assert_eq!(sim.send("POST", "/a", &[]).text(), "from b");
}

#[test]
fn a_clients_fault_is_the_clients() {
    for (fault, status) in
        [(ClientFault::Malformed("a chunk's size is not a number".into()), 400), (ClientFault::Stalled, 408)]
    {
        let of_client = fault.clone();
        let sim = Sim::new(two_origins(), move |ask| {
            if ask.method == Method::POST {
                Reply::error(FetchError::Client(of_client.clone()))
            } else {
                Reply::new("no-store", "page")
            }
        });
        let answer = sim.send("POST", "/a", &[("body", "x")]);
        assert_eq!(answer.status, status);
        assert_eq!(answer.field("content-type"), "application/problem+json");
        assert_eq!(answer.field("proxy-status"), "", "no origin is to blame");
        assert_eq!(sim.edge.counters().origin_failures, 0);
        sim.get("/a");
        assert_eq!(host(&sim.asked()[1]), "a.example");
    }
}

#[test]
fn a_status_that_cannot_be_passed_on_is_named() {
    let sim =
        Sim::new(config_for(&["https://o.example"]), |_| Reply::error(FetchError::UnsupportedStatus(999)));
    let answer = sim.get("/a");
    assert_eq!(answer.status, 502);
    assert!(answer.text().contains("999"), "{}", answer.text());
}

fn from(address: &str, target: &str) -> Request<TestBody> {
    Request {
        method: Method::GET,
        scheme: Scheme::Https,
        authority: "a.example".to_owned(),
        target: target.to_owned(),
        fields: HeaderMap::new(),
        body: TestBody::empty(),
        client: address.parse::<IpAddr>().ok(),
        extensions: Default::default(),
    }
}

#[test]
fn one_client_leaves_places_to_others() {
    let config = Config {
        shield: Shield { max_inflight: 8, ..Shield::default() },
        ..config_for(&["https://o.example"])
    };
    let sim = Sim::new(config, |_| Reply::new("no-store", "page").after(Duration::from_secs(1)));
    let mut requests: Vec<_> = (0..20).map(|n| from("192.0.2.1", &format!("/{n}"))).collect();
    requests.push(from("192.0.2.2", "/other"));
    let answers = sim.exchange_together(requests);
    let greedy = answers[..20].iter().filter(|answer| answer.status == 200).count();
    assert_eq!(greedy, 6, "three quarters");
    assert_eq!(answers[20].status, 200);
    let refused = answers[..20].iter().find(|answer| answer.status == 503).unwrap();
    assert!(refused.text().contains("this client"), "{}", refused.text());
    assert!(!refused.field("retry-after").is_empty());
}
