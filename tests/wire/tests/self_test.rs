//! The fuzzer's checks can fail: before a proxy that is honest nothing is found, and each hostile way is.

use std::rc::Rc;
use std::time::Duration;

use levee_wire::client::Target;
use levee_wire::edge::Limits;
use levee_wire::fault::Kind;
use levee_wire::ledger::Ledger;
use levee_wire::plan::{Does, Ends, Round};
use levee_wire::rest::{self, Allowance};
use levee_wire::run::{self, Bounds, Found};
use levee_wire::{generate, origin};

mod hostile;

use hostile::{HOSTILE, Proxy, Way};

const SEED: u64 = 7;
/// Requests after which a hostile proxy must have been seen through.
const MOST: u64 = 40_000;

/// What is found of a proxy in so many exchanges, or until all of `wanted` are.
async fn found(way: Way, exchanges: u64, wanted: &[Kind]) -> Found {
    let ledger = Ledger::new(SEED, Limits { strict_heads: true, ..Limits::default() });
    let origin = origin::start(ledger.clone()).await.expect("an origin");
    let (proxy, address) = Proxy::start(way, origin).await;
    // One that never answers is waited for.
    let patience = Duration::from_secs(if way == Way::NeverAnswers { 2 } else { 60 });
    let target =
        Rc::new(Target { address, authority: address.to_string(), seed: SEED, patience, http2: false });
    let level = rest::level(&target, &ledger, &*proxy).await;
    let mut found = Found::default();
    let (mut first, mut done) = (0, 0);
    let has = |found: &Found| wanted.iter().all(|kind| found.kinds().any(|(found, ..)| found == *kind));
    while done < exchanges && (wanted.is_empty() || !has(&found)) {
        let bounds = Bounds {
            first,
            at_once: 24,
            until: None,
            exchanges: Some(if wanted.is_empty() { exchanges } else { 400 }),
            faults: 100,
        };
        let replay = |number| format!("round {number}");
        let stalls = way == Way::Honest;
        let plan = move |number| if stalls { generate::round(SEED, number) } else { lively(number) };
        let run = run::many(&target, &ledger, &*proxy, plan, replay, &bounds).await;
        first += run.rounds + 24;
        done += run.exchanges.max(1);
        found.join(run.found);
        let at_rest = matches!(way, Way::KeepsPermits | Way::KeepsConnections | Way::KeepsContent);
        if at_rest {
            break;
        }
    }
    let allowed = Allowance { burst: 30, descriptors: 4, tries: 1, resident: 1 << 20, resident_in_all: None };
    if way != Way::NeverAnswers {
        rest::check(&target, &ledger, &*proxy, level, allowed, Duration::from_secs(5), &mut found).await;
    }
    found
}

/// A round in which nobody stalls: that takes seconds, and hostile ways show without.
fn lively(number: u64) -> Round {
    let mut round = generate::round(SEED, number);
    for reply in round.resources.iter_mut().flat_map(|resource| &mut resource.replies) {
        if matches!(reply.ends, Ends::Stall(_)) {
            reply.ends = Ends::Whole;
        }
    }
    for client in &mut round.clients {
        if matches!(client.does, Does::StallSending(_) | Does::StallReading) {
            client.does = Does::Ask;
        }
    }
    round
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    tokio::task::LocalSet::new().block_on(&runtime, test);
}

#[test]
fn an_honest_proxy_has_no_fault() {
    run(async {
        let found = found(Way::Honest, 3_000, &[]).await;
        let reports: Vec<_> = found.kinds().flat_map(|(_, _, reports)| reports).collect();
        assert!(found.is_empty(), "{reports:?}");
    });
}

#[test]
fn each_hostile_way_is_found() {
    run(async {
        for (way, kinds) in HOSTILE {
            let found = found(*way, MOST, kinds).await;
            let seen: Vec<Kind> = found.kinds().map(|(kind, ..)| kind).collect();
            for kind in *kinds {
                assert!(seen.contains(kind), "{way:?} is not seen as {kind:?}, but as {seen:?}");
            }
        }
    });
}

/// A check that nothing can fail is none.
#[test]
fn each_kind_is_caused_by_some_way() {
    for kind in Kind::EVERY {
        assert!(HOSTILE.iter().any(|(_, kinds)| kinds.contains(&kind)), "{kind:?}");
    }
}
