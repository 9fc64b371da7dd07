//! Two tiers behind memory, a near one that costs little and a far one that costs much: who is written, who is asked, and
//! what comes nearer.

use std::time::Duration;

use levee::config::Config;
use levee::testing::{Answered, Ask, Call, Fault, MapStore, Reply, Sim, config_for};

const REST: Duration = Duration::from_secs(60);

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn config() -> Config {
    config_for(&["https://o.example"])
}

/// As Workers have them: the Cache API, which may be of no use, and KV.
fn tiers() -> (MapStore, MapStore) {
    let near = MapStore::new(seconds(1)).named("near").resting(REST);
    (near, MapStore::new(seconds(60)).named("far"))
}

fn sim(near: &MapStore, far: &MapStore, cache_control: &'static str) -> Sim {
    let origin = move |ask: &Ask| Reply::new(cache_control, &format!("answer {}", ask.number));
    Sim::with_stores(config(), vec![near.clone(), far.clone()], origin)
}

fn tier(answer: &Answered) -> &str {
    let timing = answer.field("server-timing");
    timing.split_once("tier;desc=\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(tier, _)| tier)
}

fn gets(store: &MapStore) -> usize {
    store.take_calls().iter().filter(|call| matches!(call, Call::Get(_))).count()
}

#[test]
fn what_is_useful_for_a_moment_is_kept_near_alone() {
    let (near, far) = tiers();
    let mut sim = sim(&near, &far, "max-age=2");
    sim.get("/a");
    assert_eq!((near.len(), far.len()), (1, 0), "fresh for two seconds");
    sim.restart();
    let kept = sim.get("/a");
    assert_eq!((kept.text(), tier(&kept)), ("answer 0", "near"));
    far.take_calls();
    sim.advance(seconds(3));
    assert_eq!(sim.get("/a").text(), "answer 1");
    assert_eq!(far.take_calls(), [], "known to be too short to look for there");
    // And where only the near tier knows that, too.
    sim.advance(seconds(3));
    sim.restart();
    assert_eq!(sim.get("/a").text(), "answer 2");
}

#[test]
fn what_the_near_tier_holds_stale_tells_that_the_far_one_has_nothing() {
    let (near, far) = tiers();
    let mut sim = sim(&near, &far, "max-age=2");
    sim.origin(|ask| Reply::new("max-age=2", &format!("answer {}", ask.number)).field("etag", "\"1\""));
    sim.get("/a");
    sim.advance(seconds(3));
    sim.restart();
    far.take_calls();
    sim.get("/a");
    assert_eq!(far.take_calls(), []);
    assert_eq!(sim.asked()[1].field("if-none-match"), "\"1\"", "it is confirmed");
}

#[test]
fn what_is_useful_for_less_than_a_second_is_kept_in_memory_alone() {
    let (near, far) = tiers();
    let sim = sim(&near, &far, "max-age=0, stale-if-error=600");
    sim.get("/a");
    assert_eq!((near.len(), far.len()), (0, 0));
}

#[test]
fn the_nearest_that_has_it_answers_and_the_others_are_not_asked() {
    let (near, far) = tiers();
    let mut sim = sim(&near, &far, "max-age=600");
    sim.get("/a");
    assert_eq!((near.len(), far.len()), (1, 1));
    sim.restart();
    far.take_calls();
    assert_eq!(tier(&sim.get("/a")), "near");
    assert_eq!(far.take_calls(), []);
    assert_eq!(tier(&sim.get("/a")), "memory");
}

#[test]
fn what_the_far_tier_had_is_written_to_the_near_one() {
    let (near, far) = tiers();
    let mut sim = sim(&near, &far, "max-age=600");
    sim.origin(|ask| {
        Reply::new("max-age=600", &"x".repeat(200_000))
            .field("vary", "accept")
            .field("x-n", ask.number.to_string())
    });
    sim.get("/a");
    sim.advance(seconds(100));
    near.evict();
    sim.restart();
    let kept = sim.get("/a");
    assert_eq!((tier(&kept), kept.cache_status()), ("far", "hit; ttl=500"));
    assert_eq!(near.len(), 3, "body, head, and what the URL varies on");
    sim.restart();
    far.take_calls();
    let kept = sim.get("/a");
    assert_eq!((tier(&kept), kept.cache_status(), kept.text().len()), ("near", "hit; ttl=500", 200_000));
    assert_eq!(far.take_calls(), []);
    assert_eq!(sim.asked().len(), 1);
}

#[test]
fn a_write_makes_every_tier_forget_and_nothing_comes_back_from_the_far_one() {
    let (near, far) = tiers();
    let mut sim = sim(&near, &far, "max-age=600");
    sim.get("/a");
    sim.send("POST", "/a", &[("body", "x")]);
    assert_eq!((near.len(), far.len()), (0, 0));
    sim.get("/a");
    far.set_fault(Fault::LikeKv);
    sim.advance(seconds(120));
    // The far tier goes on giving what it gave, for a minute.
    near.evict();
    sim.restart();
    assert_eq!(tier(&sim.get("/a")), "far");
    sim.send("POST", "/a", &[("body", "x")]);
    let after = sim.get("/a");
    assert_eq!(after.text(), format!("answer {}", sim.asked().len() - 1), "{}", after.cache_status());
    assert_eq!(near.len(), 1, "the new one");
    assert_eq!(sim.get("/a").text(), after.text());
}

#[test]
fn a_tier_that_keeps_nothing_is_found_out_by_the_first_write() {
    let (near, far) = tiers();
    near.set_fault(Fault::KeepsNothing);
    let sim = sim(&near, &far, "max-age=600");
    sim.get("/a");
    assert_eq!(near.take_calls().len(), 3, "looked into, written, read back");
    for target in ["/b", "/c", "/a", "/d"] {
        sim.get(target);
    }
    sim.send("POST", "/a", &[("body", "x")]);
    assert_eq!(near.take_calls(), [], "it is left alone");
    assert_eq!((sim.edge.counters().store_rests, sim.edge.counters().store_read_failures), (1, 0));
    near.set_fault(Fault::None);
    sim.advance(REST);
    sim.get("/e");
    assert_eq!(gets(&near), 2, "tried again, and read back");
    sim.get("/f");
    assert_eq!(gets(&near), 1, "it keeps what it takes: nothing is read back any more");
}

#[test]
fn a_tier_that_fails_is_counted_and_not_asked_at_each_request() {
    let (near, far) = tiers();
    near.set_fault(Fault::Down);
    let mut sim = sim(&near, &far, "max-age=600");
    sim.get("/a");
    assert_eq!((gets(&near), sim.edge.counters().store_read_failures), (1, 1));
    sim.get("/b");
    assert_eq!((gets(&near), far.len()), (0, 2), "the other tier goes on");
    near.set_fault(Fault::None);
    sim.advance(REST);
    sim.get("/c");
    assert_eq!(near.len(), 1);
    // One that has kept what it took may fail later on.
    near.set_fault(Fault::Down);
    sim.restart();
    near.take_calls();
    assert_eq!(tier(&sim.get("/c")), "far");
    sim.get("/d");
    assert_eq!(gets(&near), 1);
}

#[test]
fn a_304_rewrites_the_head_alone_where_the_body_is_apart() {
    let (near, far) = tiers();
    let sim = sim(&near, &far, "");
    sim.origin(|ask| match ask.field("if-none-match") {
        "\"1\"" => Reply::new("max-age=100", "").status(304),
        _ => Reply::new("max-age=100", &"x".repeat(300_000)).field("etag", "\"1\""),
    });
    let put = |store: &MapStore| -> Vec<usize> {
        let size = |call: &Call| if let Call::Put(_, size) = call { Some(*size) } else { None };
        store.take_calls().iter().filter_map(size).collect()
    };
    let is_head = |sizes: &[usize]| matches!(sizes, [size] if *size < 1_000);
    sim.get("/a");
    for store in [&near, &far] {
        assert_eq!((put(store)[0], store.len()), (300_000, 2));
    }
    for turn in 0..5 {
        sim.advance(seconds(101));
        assert_eq!(sim.get("/a").cache_status(), "fwd=stale; fwd-status=304; ttl=100; stored");
        for store in [&near, &far] {
            let sizes = put(store);
            assert!(is_head(&sizes), "{turn}: {sizes:?}");
        }
    }
    // The stores were asked to keep the body for some time only: it is written anew before that is over.
    let mut bodies = 0;
    for _ in 0..60 {
        sim.advance(seconds(101));
        sim.get("/a");
        bodies += usize::from(put(&far).contains(&300_000));
    }
    assert!((1..=3).contains(&bodies), "{bodies}");
    assert_eq!(sim.asked().iter().filter(|ask| ask.field("if-none-match").is_empty()).count(), 1);
}

#[test]
fn a_head_is_not_written_alone_where_the_body_has_never_been() {
    let (near, far) = tiers();
    let mut sim = sim(&near, &far, "");
    sim.origin(|ask| match ask.field("if-none-match") {
        "\"1\"" => Reply::new("max-age=600", "").status(304),
        _ => Reply::new("max-age=2", &"x".repeat(300_000)).field("etag", "\"1\""),
    });
    sim.get("/a");
    assert_eq!((near.len(), far.len()), (2, 0));
    sim.advance(seconds(3));
    sim.get("/a");
    assert_eq!(far.len(), 2, "now it is worth it: body and head");
    near.evict();
    sim.restart();
    let kept = sim.get("/a");
    assert_eq!((tier(&kept), kept.text().len()), ("far", 300_000));
}

/// A body that the stores have lost: what its head says is a miss, and the next fill mends it.
#[test]
fn a_head_without_its_body_is_a_miss() {
    let (near, far) = tiers();
    let mut sim = sim(&near, &far, "");
    sim.origin(|ask| match ask.field("if-none-match") {
        "\"1\"" => Reply::new("max-age=100", "").status(304),
        _ => Reply::new("max-age=100", &"x".repeat(300_000)).field("etag", "\"1\""),
    });
    sim.get("/a");
    near.evict();
    far.evict();
    sim.advance(seconds(101));
    sim.get("/a");
    assert_eq!((near.len(), far.len()), (1, 1), "heads");
    sim.restart();
    let new = sim.get("/a");
    assert_eq!(
        (new.status, new.text().len(), new.cache_status()),
        (200, 300_000, "fwd=uri-miss; fwd-status=200; stored")
    );
    sim.restart();
    assert_eq!(sim.get("/a").text().len(), 300_000);
    assert_eq!(sim.asked().len(), 3);
}
