//! One representation in all its forms: what HEAD, ranges and conditions say agrees with the whole answer to GET; faults of
//! stores change no answer; and waiting makes nothing fresher.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use levee::config::{Config, Credentials, Particular, Policy};
use levee::platform::FetchError;
use levee::testing::{Answered, Ask, Fault, MapStore, Reply, Sim, config_for};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::FileFailurePersistence;

#[allow(unreachable_pub, dead_code, reason = "a library of its own, for the fuzz targets")]
#[path = "../fuzz/src/input.rs"]
mod input;
#[allow(unreachable_pub, dead_code, reason = "a library of its own, for the fuzz targets")]
#[path = "../fuzz/src/range.rs"]
mod range_check;
#[allow(unreachable_pub, dead_code, reason = "a library of its own, for the fuzz targets")]
#[path = "../fuzz/src/stored.rs"]
mod stored;
#[allow(dead_code, reason = "shared by several tests")]
mod world;

use world::Resource;

type Fields = Vec<(&'static str, &'static str)>;

/// The same answer for the same version, path and fields that it depends on; strong tags; no marks.
fn origin(resources: Vec<Resource>, version: Rc<Cell<u32>>) -> impl Fn(&Ask) -> Reply {
    move |ask| {
        let at = ask.uri.bytes().rev().find(u8::is_ascii_digit).map_or(0, |digit| usize::from(digit - b'0'));
        let resource = &resources[at % resources.len()];
        let body = format!("version {} of {}", version.get(), world::content(resource, ask));
        let tag = format!("\"{}-{:x}\"", version.get(), body.len());
        let confirmed = resource.etag && ask.field("if-none-match").contains(&tag);
        let sent = if confirmed || ask.method == "HEAD" { "" } else { body.as_str() };
        let mut reply = Reply::new(&resource.cache_control, sent)
            .status(if confirmed { 304 } else { resource.status })
            .field("content-type", "text/plain");
        if !confirmed {
            reply = reply.field("content-length", body.len().to_string());
        }
        if resource.etag {
            reply = reply.field("etag", tag);
        }
        if !resource.vary.is_empty() {
            reply = reply.field("vary", resource.vary.join(", "));
        }
        reply
    }
}

fn policies() -> impl Strategy<Value = Policy> {
    let all = Policy {
        particular: Particular::Answer,
        credentials: Credentials::Authorization,
        heuristic: true,
        ..Policy::default()
    };
    let forward = vec!["x-variant".into()];
    select(vec![Policy { forward, ..Policy::default() }, all])
}

/// What clients send, without what asks the cache itself for something.
fn fields() -> impl Strategy<Value = Fields> {
    world::fields().prop_map(|mut fields| {
        fields.retain(|(name, _)| !matches!(*name, "cache-control" | "pragma"));
        fields
    })
}

struct Client<'a> {
    sim: &'a Sim,
    fields: Fields,
}

impl Client<'_> {
    fn send(&self, method: &str, more: &[(&'static str, &str)]) -> Answered {
        let mut fields: Vec<(&'static str, &str)> = self.fields.clone();
        fields.extend(more);
        self.sim.send(method, "/0", &fields)
    }

    /// The whole, and not one that is just being replaced behind the answer.
    fn whole(&self) -> Answered {
        let first = self.send("GET", &[]);
        if first.cache_status().contains("stale-while-revalidate") { self.send("GET", &[]) } else { first }
    }
}

fn same_validators(part: &Answered, whole: &Answered) -> Result<(), TestCaseError> {
    for name in ["etag", "last-modified", "vary", "cache-control"] {
        prop_assert_eq!(part.field(name), whole.field(name), "{}", name);
    }
    Ok(())
}

fn agrees(client: &Client<'_>, whole: &Answered) -> Result<(), TestCaseError> {
    let body = whole.text();
    let head = client.send("HEAD", &[]);
    prop_assert_eq!((head.status, head.text()), (whole.status, ""));
    prop_assert_eq!(head.field("content-length"), body.len().to_string());
    prop_assert_eq!(head.field("content-type"), whole.field("content-type"));
    same_validators(&head, whole)?;

    let tag = whole.field("etag");
    for range in ["bytes=0-0", "bytes=2-5", "bytes=-3", "bytes=0-1,4-5", "bytes=5-2", "bytes=9999-"] {
        for condition in ["", tag, "\"another\""] {
            let mut fields = vec![("range", range)];
            if !condition.is_empty() {
                fields.push(("if-range", condition));
            }
            let part = client.send("GET", &fields);
            match part.status {
                206 => {
                    prop_assert!(whole.status == 200 && condition != "\"another\"");
                    range_check::partial(&part.fields, part.text().as_bytes(), body.as_bytes());
                    same_validators(&part, whole)?;
                }
                416 => {
                    prop_assert!(range.contains("9999") && condition != "\"another\"");
                    prop_assert_eq!(part.field("content-range"), format!("bytes */{}", body.len()));
                }
                status => prop_assert_eq!((status, part.text()), (whole.status, body), "{}", range),
            }
        }
    }

    let other = client.send("GET", &[("if-none-match", "\"another\"")]);
    prop_assert_eq!((other.status, other.text()), (whole.status, body));
    if !tag.is_empty() {
        let same = client.send("GET", &[("if-none-match", tag)]);
        if same.status == 304 {
            prop_assert_eq!(same.text(), "");
            same_validators(&same, whole)?;
        } else {
            prop_assert_eq!((same.status, same.text()), (whole.status, body));
        }
    }
    Ok(())
}

/// How much use is left: fresh, stale by permission, in place of an error, none.
fn rank(answer: &Answered) -> u8 {
    let status = answer.cache_status();
    match () {
        () if status.starts_with("hit") && !status.contains("detail=") => 0,
        () if status.starts_with("hit") => 1,
        () if status.contains("stale-if-error") => 2,
        () => 3,
    }
}

fn config(policy: &Policy) -> Config {
    Config { defaults: policy.clone(), ..config_for(&["https://o.example"]) }
}

/// Failures are kept beside this file, to be committed and run first.
fn persisted(cases: u32) -> ProptestConfig {
    let failure_persistence = Some(Box::new(FileFailurePersistence::WithSource("regressions")) as _);
    ProptestConfig { cases, failure_persistence, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(persisted(200))]

    #[test]
    fn every_form_of_an_answer_agrees_with_the_whole(
        policy in policies(),
        resource in world::resource(),
        fields in fields(),
        waits in prop::collection::vec((0u64..30, any::<bool>()), 1..4),
    ) {
        let version = Rc::new(Cell::new(0));
        let resource = Resource { fails: None, cors: false, ..resource };
        let sim = Sim::new(config(&policy), origin(vec![resource], Rc::clone(&version)));
        let client = Client { sim: &sim, fields };
        for (wait, published) in waits {
            sim.advance(Duration::from_secs(wait));
            version.set(version.get() + u32::from(published));
            let whole = client.whole();
            agrees(&client, &whole)?;
            let again = client.whole();
            prop_assert_eq!(again.text(), whole.text());
        }
    }

    /// A store that is down, loses bytes, mixes up its keys or lags a minute costs requests to the origin, never an answer.
    #[test]
    fn faults_of_stores_change_no_answer(
        policy in policies(),
        resources in prop::collection::vec(world::resource(), 2),
        steps in prop::collection::vec((world::step(), 0usize..6, any::<bool>()), 1..12),
    ) {
        let resources: Vec<Resource> =
            resources.into_iter().map(|r| Resource { fails: None, cors: false, ..r }).collect();
        let version = Rc::new(Cell::new(0));
        let store = MapStore::new(Duration::ZERO);
        let plain = Sim::new(config(&policy), origin(resources.clone(), Rc::clone(&version)));
        let mut faulty =
            Sim::with_stores(config(&policy), vec![store.clone()], origin(resources, version));
        for (step, fault, restarts) in steps {
            let faults =
                [Fault::None, Fault::Down, Fault::Truncates, Fault::MixesUp, Fault::LikeKv, Fault::None];
            store.set_fault(faults[fault]);
            if restarts {
                faulty.restart();
            }
            let mut fields = step.fields.clone();
            fields.retain(|(_, value)| *value != "only-if-cached");
            let [wanted, got] = [&plain, &faulty].map(|sim| {
                sim.advance(Duration::from_millis(step.after));
                sim.send(step.method, step.target, &fields)
            });
            prop_assert_eq!((got.status, got.text()), (wanted.status, wanted.text()), "{:?} {:?}", step, faults[fault]);
        }
    }

    #[test]
    fn waiting_makes_nothing_fresher(
        policy in policies(),
        resource in world::resource(),
        fields in world::fields(),
        (early, late) in (0u64..60, 0u64..60),
    ) {
        let resource = Resource { fails: None, cors: false, ..resource };
        let after = |seconds| {
            let sim = Sim::new(config(&policy), origin(vec![resource.clone()], Rc::default()));
            sim.send("GET", "/0", &fields);
            sim.origin(|_| Reply::error(FetchError::ConnectionRefused));
            sim.advance(Duration::from_secs(seconds));
            rank(&sim.send("GET", "/0", &fields))
        };
        prop_assert!(after(early.min(late)) <= after(early.max(late)));
    }
}
