//! The edge over stores that misbehave as Workers KV does when it is deployed: slow to spread, remembering that there was
//! nothing, older values after newer ones, refusing quick writes. Nothing wrong may be served, also not where a nearer tier
//! (the Cache API) is filled out of such a store, evicts, keeps nothing, or misbehaves in the same way.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use levee::testing::{Fault, MapStore, Reply, Sim, config_for};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Get {
        page: u8,
        language: u8,
    },
    Write {
        page: u8,
    },
    Wait {
        millis: u64,
    },
    /// A new instance with an empty memory over the same stores.
    Restart,
    /// The near store forgets everything.
    Evict,
    /// From now on the near store misbehaves so.
    Near(Fault),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..3u8, 0..2u8).prop_map(|(page, language)| Step::Get { page, language }),
        1 => (0..3u8).prop_map(|page| Step::Write { page }),
        3 => (0..40_000u64).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::Restart),
        1 => Just(Step::Evict),
        1 => proptest::sample::select(vec![Fault::None, Fault::KeepsNothing, Fault::Down, Fault::LikeKv])
            .prop_map(Step::Near),
    ];
    proptest::collection::vec(step, 1..60)
}

const LIFETIME: u64 = 20;
const WINDOW: u64 = 15;
const LANGUAGES: [&str; 2] = ["de", "en"];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn nothing_wrong_is_served(steps in steps(), has_near: bool) {
        let far = MapStore::new(Duration::ZERO).named("far");
        far.set_fault(Fault::LikeKv);
        let near = MapStore::new(Duration::ZERO).named("near").resting(Duration::from_secs(60));
        let stores = if has_near { vec![near.clone(), far] } else { vec![far] };
        let clock = Rc::new(Cell::new(0u64));
        let now = clock.clone();
        // Every answer says for which page and language, and when, it was made.
        let origin = move |ask: &levee::testing::Ask| {
            let cache_control = format!("max-age={LIFETIME}, stale-while-revalidate={WINDOW}");
            Reply::new(&cache_control, &format!("{} {} {}", ask.uri, ask.field("accept-language"), now.get()))
                .field("vary", "accept-language")
        };
        let mut sim = Sim::with_stores(config_for(&["https://o.example"]), stores, origin);
        let mut written = [0u64; 3];
        for step in steps {
            clock.set(sim.platform_now().as_millis());
            match step {
                Step::Wait { millis } => sim.advance(Duration::from_millis(millis)),
                Step::Restart => {
                    sim.restart();
                    // Another instance has not heard of the writes.
                    written = [0; 3];
                }
                Step::Evict => near.evict(),
                Step::Near(fault) => near.set_fault(fault),
                Step::Write { page } => {
                    sim.send("POST", &format!("/{page}"), &[("body", "x")]);
                    written[usize::from(page)] = clock.get();
                }
                Step::Get { page, language } => {
                    let language = LANGUAGES[usize::from(language)];
                    let answer = sim.send("GET", &format!("/{page}"), &[("accept-language", language)]);
                    let parts: Vec<&str> = answer.text().split(' ').collect();
                    prop_assert_eq!(parts[0], format!("https://o.example/{page}"));
                    prop_assert_eq!(parts[1], language);
                    let made: u64 = parts[2].parse().unwrap();
                    let age = clock.get() - made;
                    prop_assert!(age < (LIFETIME + WINDOW) * 1_000, "{} ms old: {}", age, answer.cache_status());
                    prop_assert!(made >= written[usize::from(page)], "older than the write: {}", answer.cache_status());
                }
            }
        }
    }
}
