//! What clients can make an instance hold beyond what its configuration states. Counted by an allocator of this test's own.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};

use http::{HeaderMap, HeaderValue, Method, Response};
use levee::body::Body;
use levee::config::{Config, Limits};
use levee::pipeline::shortcuts::{Asked, Shortcuts};
use levee::platform::{Clock, Spawn};
use levee::shield::{Entered, Flights};
use levee::testing::{Reply, Sim, TestBody, config_for};
use levee::{Request, Scheme, Time, pipeline};

/// The system's allocator, counting the bytes that each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<i64> = const { Cell::new(0) };
}

fn count(change: i64) {
    let _ = HELD.try_with(|held| held.set(held.get() + change));
}

fn size(layout: Layout) -> i64 {
    i64::try_from(layout.size()).unwrap_or(i64::MAX)
}

// SAFETY: every call goes to the system's allocator as it came; counting touches no memory of its.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(size(layout));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-size(layout));
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn held() -> i64 {
    HELD.with(Cell::get)
}

const MIB: i64 = 1 << 20;
/// What bodies may take beside the memory tier (`body::Room`), and as much again for everything else.
const BEYOND: i64 = 48 * MIB;

fn with_memory(memory: u64) -> Config {
    let limits = Limits { memory, ..Limits::default() };
    Config { limits, ..config_for(&["https://o.example"]) }
}

/// Answers whose bodies nobody reads.
fn unread(sim: &Sim, targets: &[String], fields: &[(&'static str, &'static str)]) -> Vec<Response<TestBody>> {
    let answers = Rc::new(RefCell::new(Vec::new()));
    for target in targets {
        let request = Request {
            method: Method::GET,
            scheme: Scheme::Https,
            authority: "a.example".to_owned(),
            target: target.clone(),
            fields: fields.iter().map(|&(n, v)| (n.parse().unwrap(), v.parse().unwrap())).collect(),
            body: TestBody::empty(),
            client: Some([192, 0, 2, 1].into()),
            extensions: http::Extensions::default(),
        };
        let (edge, platform, answers) = (sim.edge.clone(), sim.platform.clone(), answers.clone());
        sim.platform.spawn(async move {
            let answer = pipeline::handle(&edge, &platform, request).await;
            answers.borrow_mut().push(answer);
        });
        sim.settle();
    }
    answers.take()
}

/// A client that causes a fill and does not read holds the whole body, and that has to count for as long as it does.
#[test]
fn bodies_that_slow_leaders_hold_are_counted() {
    let memory = 1 << 20;
    // What the origin sends takes no memory of its own here.
    let chunk: &'static str = Box::leak("x".repeat(64 << 10).into_boxed_str());
    let sim = Sim::new(with_memory(memory), move |_| {
        Reply::new("max-age=60", "").body(TestBody::chunks(vec![Ok(chunk); 24]))
    });
    let targets: Vec<String> = (0..128).map(|n| format!("/{n}")).collect();
    let before = held();
    let answers = unread(&sim, &targets, &[]);
    assert!(answers.iter().all(|answer| answer.status() == 200) && answers.len() == 128);
    let grown = held() - before;
    assert!(grown < BEYOND, "{} MiB, for a tier of 1 MiB", grown / MIB);
}

/// Several parts of a hit are not a copy of it for each client, or the copies are counted.
#[test]
fn parts_that_slow_clients_hold_are_counted() {
    let body = "x".repeat(3 << 19);
    let sim = Sim::new(with_memory(8 << 20), move |_| Reply::new("max-age=60", &body));
    sim.get("/a");
    let targets = vec!["/a".to_owned(); 128];
    let before = held();
    let answers = unread(&sim, &targets, &[("range", "bytes=0-700000,700002-1572000")]);
    assert!(answers.iter().all(|answer| matches!(answer.status().as_u16(), 200 | 206 | 503)));
    let grown = held() - before;
    assert!(grown < BEYOND, "{} MiB, beside one entry of 1.5 MiB", grown / MIB);
}

/// Plans are kept for URLs that are known already, too: their budget holds there as well.
#[test]
fn shortcuts_stay_within_their_budget() {
    let sim = Sim::new(with_memory(32 << 20), |_| Reply::new("max-age=60", "page"));
    let now = sim.platform.now();
    let mut shortcuts = Shortcuts::new(1);
    let before = held();
    let mut ask = |target: &str, fields: &HeaderMap| {
        let asked = Asked { scheme: Scheme::Https, authority: "a.example", target, fields };
        let _ = shortcuts.answer(&sim.edge, &asked, now);
    };
    let targets: Vec<String> = (0..400).map(|n| format!("/{n}")).collect();
    for target in &targets {
        // The second makes a page of it.
        ask(target, &HeaderMap::new());
        ask(target, &HeaderMap::new());
    }
    for target in &targets {
        for n in 0..8 {
            let tag = format!("\"{n}{}\"", "x".repeat(20 << 10));
            let fields = [(http::header::IF_NONE_MATCH, HeaderValue::from_str(&tag).unwrap())];
            ask(target, &fields.into_iter().collect());
        }
    }
    let grown = held() - before;
    assert!(grown < 16 * MIB, "{} MiB, and the budget is 8 MiB", grown / MIB);
}

/// A place in the queue of a flight is given back by who leaves it.
#[test]
fn those_who_leave_a_flight_leave_nothing_behind() {
    let flights = Arc::new(Flights::new(1));
    let leader = flights.enter("a", Time(0), 0);
    let before = held();
    for _ in 0..1_000_000 {
        let Entered::Wait(mut waiting) = flights.enter("a", Time(1), 0) else { panic!("must wait") };
        assert!(Pin::new(&mut waiting).poll(&mut Context::from_waker(Waker::noop())).is_pending());
    }
    let grown = held() - before;
    assert!(grown < MIB, "{} MiB", grown / MIB);
    drop(leader);
}

/// One client that does not read takes no more than its share of the room for bodies: others go on being cached.
#[test]
fn a_client_that_reads_nothing_keeps_no_others_answers_from_being_stored() {
    let body = "x".repeat(1 << 20);
    let sim = Sim::new(with_memory(8 << 20), move |ask| {
        Reply::new("max-age=60", if ask.uri.ends_with("small") { "page" } else { &body })
    });
    let mut unread_answers = Vec::new();
    for n in 0..40 {
        let target = format!("/{n}");
        // Filled by somebody who reads, and then hit.
        sim.get(&target);
        unread_answers.extend(unread(&sim, &[target], &[]));
    }
    sim.get("/small");
    let second = sim.get("/small");
    assert!(second.cache_status().starts_with("hit"), "{}", second.cache_status());
    drop(unread_answers);
}
