//! The wire in memory: the pipeline under a virtual clock, without a network, so that the whole suite takes seconds.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use levee::body::Body;
use levee::config::Config;
use levee::platform::FetchError;
use levee::testing::{Ask, Reply, Sim, TestBody};
use levee::{Scheme, Time};

use crate::client::{Failure, Request, Response};
use crate::definitions::{Suite, Test};
use crate::origin::{Origin, Record, Seen};
use crate::run::{self, Wire};
use crate::verdict::{Results, applicable};

struct Memory {
    sim: Sim,
    origin: Rc<RefCell<Origin>>,
}

impl Wire for Memory {
    /// Redirections are not followed: nothing here answers with one unless it is asked for.
    async fn send(&mut self, request: Request) -> Result<Response, Failure> {
        self.exchange(request).map_err(Failure::Broken)
    }

    async fn pause(&mut self, duration: Duration) {
        self.sim.advance(duration);
    }

    async fn records(&mut self) -> Vec<Record> {
        self.sim.settle();
        self.origin.borrow().records.clone()
    }
}

impl Memory {
    fn exchange(&mut self, request: Request) -> Result<Response, String> {
        let mut fields = HeaderMap::new();
        for (name, value) in &request.fields {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            let value = HeaderValue::from_bytes(value.as_bytes()).map_err(|error| error.to_string())?;
            fields.append(name, value);
        }
        let body = if request.body.is_empty() {
            TestBody::empty()
        } else {
            TestBody::full(Bytes::from(request.body.into_bytes()))
        };
        let answered = self.sim.exchange(levee::Request {
            method: Method::from_bytes(request.method.as_bytes()).map_err(|error| error.to_string())?,
            scheme: Scheme::Http,
            authority: "edge.example".to_owned(),
            target: request.target,
            fields,
            body,
            client: None,
            extensions: Default::default(),
        });
        Ok(Response {
            status: answered.status,
            fields: answered
                .fields
                .iter()
                .map(|(name, value)| {
                    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: answered.body?,
            // The simulated origin sends none.
            interim: Vec::new(),
        })
    }
}

/// The fake origin's answer to what the simulated edge asks.
fn answer(origin: &RefCell<Origin>, ask: &Ask, now: Time) -> Reply {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &ask.fields {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        fields
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert(value);
    }
    let target = ask.uri.strip_prefix(ORIGIN).unwrap_or(&ask.uri).to_owned();
    let seen = Seen { method: ask.method.to_string(), target, fields };
    let pause = origin.borrow().pause(&seen);
    let answer = origin.borrow_mut().answer(seen, now + pause);
    if answer.disconnect {
        return Reply::error(FetchError::ConnectionTerminated("closed by the origin".to_owned()))
            .after(pause);
    }
    let is_set = |name: &str| answer.fields.iter().any(|(field, _)| field.eq_ignore_ascii_case(name));
    let mut extra = Vec::new();
    if !is_set("date") {
        extra.push(("date".to_owned(), (now + pause).to_http_date()));
    }
    if !is_set("content-length") && !is_set("transfer-encoding") && !matches!(answer.status, 204 | 304) {
        extra.push(("content-length".to_owned(), answer.body.len().to_string()));
    }
    let mut body = if ask.method == Method::HEAD { String::new() } else { answer.body };
    // On a wire a body ends where Content-Length says.
    let said = answer.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    if let Some(said) = said.and_then(|(_, value)| value.parse().ok())
        && said < body.len()
    {
        body.truncate(said);
    }
    Reply {
        status: answer.status,
        fields: answer
            .fields
            .into_iter()
            .chain(extra)
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect(),
        body: TestBody::full(Bytes::from(body)),
        delay: pause,
        error: None,
    }
}

/// A text in the form of a UUID, the same in every run. Some definitions count on its 36 bytes.
fn token(id: &str) -> String {
    let hash = id.bytes().fold(0u64, |hash, b| hash.wrapping_mul(31).wrapping_add(b.into()));
    format!("{:08x}-0000-4000-8000-{:012x}", hash >> 32, hash & 0xffff_ffff)
}

const ORIGIN: &str = "http://origin.example";

/// Runs one test against a fresh edge with this configuration, whose one origin is the test's.
pub fn run_one(config: &Config, test: &Test) -> Result<(), Failure> {
    let token = token(&test.id);
    let origin = Rc::new(RefCell::new(Origin::new(test.requests.clone(), token.clone())));
    let mut config = config.clone();
    ORIGIN.clone_into(&mut config.origins[0].url);
    config.origins.truncate(1);
    config.hosts.clear();
    let clock: Rc<RefCell<Option<levee::testing::TestPlatform>>> = Rc::default();
    let (asked, now) = (origin.clone(), clock.clone());
    let sim = Sim::new(config, move |ask| {
        let now = now.borrow().as_ref().map_or(Time(0), levee::platform::Clock::now);
        answer(&asked, ask, now)
    });
    *clock.borrow_mut() = Some(sim.platform.clone());
    let mut wire = Memory { sim, origin };
    levee::testing::block_on(run::run(test, &token, &mut wire))
}

/// Runs every test that applies to a proxy.
pub fn run_all(config: &Config, suites: &[Suite]) -> Results {
    applicable(suites).map(|test| (test.id.clone(), run_one(config, test))).collect()
}
