//! Collapse across instances, under a virtual clock.

use std::time::Duration;

use levee::platform::FetchError;
use levee::testing::{Fault, MapLease, MapStore, Reply, Sim, TestBody, config_for};

const SECOND: Duration = Duration::from_secs(1);

/// A few instances that share a store and a lease, before an origin that takes its time.
fn instances(lease: &MapLease, reply: impl Fn() -> Reply + 'static) -> (Vec<Sim>, MapStore) {
    let store = MapStore::new(SECOND);
    let first =
        Sim::with_stores(config_for(&["http://o"]), vec![store.clone()], move |_| reply()).with_lease(lease);
    let mut all = vec![first];
    for _ in 0..7 {
        all.push(all[0].beside());
    }
    (all, store)
}

fn together(all: &[Sim]) -> Vec<levee::testing::Answered> {
    Sim::each_together(&all.iter().collect::<Vec<_>>(), ("GET", "/a", &[]))
}

fn slow() -> Reply {
    Reply::new("max-age=60", "x").after(SECOND)
}

#[test]
fn misses_of_many_instances_are_one_request_to_the_origin() {
    let lease = MapLease::default();
    let (all, _) = instances(&lease, slow);
    let answers = together(&all);
    assert!(answers.iter().all(|answer| answer.text() == "x"));
    assert_eq!(all[0].asked().len(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.cache_status().contains("collapsed")).count(), 7);
    assert!(lease.words().is_empty(), "given back");
}

#[test]
fn without_a_lease_each_instance_asks() {
    let store = MapStore::new(SECOND);
    let first = Sim::with_stores(config_for(&["http://o"]), vec![store], |_| slow());
    let second = first.beside();
    Sim::each_together(&[&first, &second], ("GET", "/a", &[]));
    assert_eq!(first.asked().len(), 2);
}

#[test]
fn who_waits_for_a_leader_that_died_leads_when_its_lease_has_expired() {
    let lease = MapLease::default();
    let (all, _) = instances(&lease, slow);
    all[0].begin("/a");
    assert_eq!(all[0].asked().len(), 1);
    all[0].lose_what_goes_on();
    assert_eq!(lease.words().len(), 1, "nobody gives it back");
    let began = all[1].platform_now();
    assert_eq!(all[1].get("/a").text(), "x");
    assert_eq!(all[1].asked().len(), 2);
    // A lease is held for 30 s at most, whatever the deadlines of an origin are; an origin takes 1 s here.
    let waited = all[1].platform_now().since(began);
    assert!(waited >= 30 * SECOND && waited < 33 * SECOND, "{waited:?}");
}

#[test]
fn a_leader_that_gives_up_lets_another_lead_at_once() {
    let lease = MapLease::default();
    let (all, _) = instances(&lease, || {
        Reply::new("max-age=60", "x").body(TestBody::chunks(vec![Ok("x"), Err("reset")])).after(SECOND)
    });
    let began = all[0].platform_now();
    let answers = together(&all);
    assert!(answers.iter().all(|answer| answer.body.is_err()));
    assert_eq!(all[0].asked().len(), all.len(), "each has tried");
    assert!(all[0].platform_now().since(began) < 20 * SECOND);
}

#[test]
fn what_cannot_be_shared_releases_all_who_wait() {
    let lease = MapLease::default();
    let (all, _) = instances(&lease, || Reply::new("private", "x").after(SECOND));
    let began = all[0].platform_now();
    let answers = together(&all);
    assert!(answers.iter().all(|answer| answer.text() == "x"));
    assert_eq!(all[0].asked().len(), all.len());
    let took = all[0].platform_now().since(began);
    assert!(took < 3 * SECOND, "side by side, not one behind another: {took:?}");
    assert_eq!(lease.words(), ["alone"], "the next do not queue for a moment");
    all[0].advance(3 * SECOND);
    assert!(lease.words().is_empty());
}

#[test]
fn an_origin_that_fails_releases_all_who_wait() {
    let lease = MapLease::default();
    let (all, _) = instances(&lease, || Reply::error(FetchError::ConnectionRefused).after(SECOND));
    let began = all[0].platform_now();
    assert!(together(&all).iter().all(|answer| answer.status == 502));
    assert!(all[0].platform_now().since(began) < 3 * SECOND);
}

#[test]
fn what_no_store_holds_is_not_waited_for() {
    let lease = MapLease::default();
    let (all, store) = instances(&lease, slow);
    store.set_fault(Fault::Down);
    let began = all[0].platform_now();
    assert!(together(&all).iter().all(|answer| answer.text() == "x"));
    assert!(all[0].platform_now().since(began) < 3 * SECOND);
}

#[test]
fn a_request_after_a_purge_joins_no_older_fill() {
    let lease = MapLease::default();
    let (all, _) = instances(&lease, slow);
    let (first, second) = (&all[0], &all[1]);
    first.origin(|ask| match ask.method.as_str() {
        "GET" => Reply::new("max-age=60", "old").after(5 * SECOND),
        _ => Reply::new("no-store", "written"),
    });
    first.begin("/a");
    assert_eq!(first.asked().len(), 1);
    // A write purges in the instance that it comes to.
    second.send("POST", "/a", &[("body", "x")]);
    second.origin(|_| Reply::new("max-age=60", "new"));
    let answer = second.get("/a");
    assert_eq!(answer.text(), "new");
    assert!(!answer.cache_status().contains("collapsed"), "{}", answer.cache_status());
}

#[test]
fn a_lease_that_cannot_be_reached_is_done_without_and_left_alone_for_a_moment() {
    let lease = MapLease::default();
    let (all, _) = instances(&lease, slow);
    lease.set_down(true);
    assert_eq!(all[0].get("/a").text(), "x");
    let asked = lease.asked();
    assert_eq!(all[0].get("/b").text(), "x");
    assert_eq!(lease.asked(), asked, "not asked again at once");
    assert_eq!(all[0].edge.counters().lease_failures, 1);
    all[0].advance(3 * SECOND);
    lease.set_down(false);
    assert_eq!(all[0].get("/c").text(), "x");
    assert!(lease.asked() > asked);
}

#[test]
fn one_instance_revalidates_for_all() {
    let lease = MapLease::default();
    let (all, _) =
        instances(&lease, || Reply::new("max-age=10, stale-while-revalidate=60", "x").after(SECOND));
    together(&all);
    assert_eq!(all[0].asked().len(), 1);
    all[0].advance(15 * SECOND);
    assert!(together(&all).iter().all(|answer| answer.cache_status().contains("stale")));
    assert_eq!(all[0].asked().len(), 2, "one of them has asked");
    // The others find what it brought when they try again.
    all[0].advance(3 * SECOND);
    together(&all);
    all[0].settle();
    assert_eq!(all[0].asked().len(), 2);
    let answers = together(&all);
    assert!(answers.iter().all(|answer| answer.cache_status().starts_with("hit")), "{answers:?}");
}

#[test]
fn a_lease_whose_taking_was_not_heard_of_holds_nobody_up() {
    let lease = MapLease::default();
    let (all, _) = instances(&lease, slow);
    lease.set_delay(5 * SECOND);
    assert_eq!(all[0].get("/a").text(), "x");
    assert_eq!(all[0].edge.counters().lease_failures, 1);
    all[0].settle();
    assert!(lease.words().is_empty(), "given back although it was never known to be held");
}
