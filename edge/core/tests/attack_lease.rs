//! What one client's request does to the other instances of an edge.

use std::time::Duration;

use levee::testing::{MapLease, MapStore, Reply, Sim, config_for};

/// An error that one request's own fields may have caused lets nobody go alone in other instances.
#[test]
fn an_error_of_one_request_parts_no_instances() {
    let store = vec![MapStore::new(Duration::ZERO)];
    let sim = Sim::with_stores(config_for(&["https://o.example"]), store, |ask| {
        let fails = ask.field("accept-language").len() > 50;
        let reply = if fails { Reply::new("", "no").status(431) } else { Reply::new("max-age=60", "page") };
        reply.after(Duration::from_millis(500))
    })
    .with_lease(&MapLease::default());
    assert_eq!(sim.send("GET", "/a", &[("accept-language", &"x".repeat(60))]).status, 431);
    let others: Vec<Sim> = (0..10).map(|_| sim.beside()).collect();
    let answers = Sim::each_together(&others.iter().collect::<Vec<_>>(), ("GET", "/a", &[]));
    assert!(answers.iter().all(|answer| answer.text() == "page"));
    assert_eq!(sim.asked().len(), 2, "one for that request, one for all instances");
}
