//! A whole edge in memory, before an origin that is a closure.

use std::cell::RefCell;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::body::TestBody;
use super::executor::Executor;
use super::lease::MapLease;
use super::platform::{Ask, Reply, TestPlatform};
use super::store::MapStore;
use crate::body::Body;
use crate::config::Config;
use crate::edge::{Access, Edge, Setup};
use crate::pipeline;
use crate::platform::Clock;
use crate::request::Scheme;
use crate::time::Time;

/// The token that opens what is inside the edge of a [`Sim`].
pub const TOKEN: &str = "the test's token";

/// A request: method, target, fields. A field `body` is the body.
pub type Sent<'a> = (&'a str, &'a str, &'a [(&'static str, &'a str)]);

/// An answer of the edge, read to its end.
#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub fields: HeaderMap,
    /// `Err`: it broke off.
    pub body: Result<String, String>,
}

impl Answered {
    /// A field's value, or nothing.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    /// The last `Cache-Status`, without the cache's name.
    pub fn cache_status(&self) -> &str {
        let last = self.fields.get_all("cache-status").into_iter().next_back();
        let text = last.and_then(|value| value.to_str().ok()).unwrap_or("");
        text.strip_prefix("levee; ").unwrap_or(text)
    }

    pub fn text(&self) -> &str {
        self.body.as_deref().unwrap_or("(broken off)")
    }
}

/// An edge in memory with an origin that is a closure.
pub struct Sim {
    pub platform: TestPlatform,
    pub edge: Arc<Edge>,
}

impl Sim {
    /// An edge at a fixed time of day, before an origin that answers by `handler`.
    pub fn new(config: Config, handler: impl Fn(&Ask) -> Reply + 'static) -> Self {
        Self::with_stores(config, vec![], handler)
    }

    pub fn with_stores(
        config: Config,
        stores: Vec<MapStore>,
        handler: impl Fn(&Ask) -> Reply + 'static,
    ) -> Self {
        let executor = Executor::default();
        executor.set(Time(1_700_000_000_000));
        stores.iter().for_each(|store| store.set_clock(&executor));
        let platform = TestPlatform {
            executor,
            handler: Rc::new(RefCell::new(Rc::new(handler))),
            asked: Rc::default(),
            random: Rc::default(),
            stores: Rc::new(stores),
            lease: None,
        };
        let edge = Arc::new(Edge::new(config, setup(&platform)));
        Self { platform, edge }
    }

    /// The same platform and stores before a new instance of the edge, whose memory is empty.
    pub fn restart(&mut self) {
        self.edge = Arc::new(Edge::new(self.edge.config().clone(), setup(&self.platform)));
    }

    /// The same edge, whose instances share a lock.
    #[must_use]
    pub fn with_lease(mut self, lease: &MapLease) -> Self {
        lease.set_clock(&self.platform.executor);
        self.platform.lease = Some(lease.clone());
        self
    }

    /// Another instance of this edge: it has its own memory, and shares all else.
    #[must_use]
    pub fn beside(&self) -> Self {
        let platform = self.platform.clone();
        let edge = Arc::new(Edge::new(self.edge.config().clone(), setup(&platform)));
        Self { platform, edge }
    }

    /// One request to each of these instances, at once.
    ///
    /// # Panics
    /// When one waits for what cannot come.
    pub fn each_together(instances: &[&Self], request: Sent<'_>) -> Vec<Answered> {
        let (method, target, fields) = request;
        let requests =
            instances.iter().map(|sim| (sim.edge.clone(), request_of(method, target, fields))).collect();
        let mut answers = instances[0].edges_together(requests);
        instances[0].settle();
        answers.truncate(instances.len());
        answers
    }

    /// Sends a request and does not wait for its answer.
    pub fn begin(&self, target: &str) {
        let (edge, platform) = (self.edge.clone(), self.platform.clone());
        let request = request_of("GET", target, &[]);
        self.platform.executor.spawn(async move {
            let _ = pipeline::handle(&edge, &platform, request).await.into_body().read().await;
        });
        self.platform.executor.poll_once();
    }

    /// Sends a request whose client goes away after so long.
    pub fn impatient(&self, target: &str, patience: Duration) {
        let (edge, platform) = (self.edge.clone(), self.platform.clone());
        let request = request_of("GET", target, &[]);
        let leaves = self.platform.now() + patience;
        self.platform.executor.spawn(async move {
            let mut handled = pin!(pipeline::handle(&edge, &platform, request));
            let mut left = pin!(platform.executor.sleep_until(leaves));
            poll_fn(|cx| match handled.as_mut().poll(cx) {
                Poll::Ready(_) => Poll::Ready(()),
                Poll::Pending => left.as_mut().poll(cx),
            })
            .await;
        });
        self.platform.executor.poll_once();
    }

    /// Loses everything that goes on, as when an instance dies.
    pub fn lose_what_goes_on(&self) {
        self.platform.executor.forget();
    }

    /// From now on the origin answers by `handler`.
    pub fn origin(&self, handler: impl Fn(&Ask) -> Reply + 'static) {
        *self.platform.handler.borrow_mut() = Rc::new(handler);
    }

    pub fn platform_now(&self) -> Time {
        self.platform.now()
    }

    /// What the origin was sent so far.
    pub fn asked(&self) -> Vec<Ask> {
        self.platform.asked.borrow().clone()
    }

    /// Lets time pass; work behind answers goes on meanwhile.
    pub fn advance(&self, duration: Duration) {
        self.settle();
        self.platform.executor.set(self.platform.now() + duration);
    }

    /// Runs what goes on behind the answers.
    pub fn settle(&self) {
        self.platform.executor.settle();
    }

    pub fn get(&self, target: &str) -> Answered {
        self.send("GET", target, &[])
    }

    /// A page of the edge's own, for who may see it.
    pub fn inside(&self, target: &str) -> Answered {
        self.send("GET", target, &[(crate::respond::access::TOKEN, TOKEN)])
    }

    /// One request, answered and read to its end.
    pub fn send(&self, method: &str, target: &str, fields: &[(&'static str, &str)]) -> Answered {
        let mut all = self.send_together(&[(method, target, fields)]);
        self.settle();
        all.remove(0)
    }

    /// One request as an adapter would hand it over, answered and read to its end.
    ///
    /// # Panics
    /// When it waits for what cannot come.
    pub fn exchange(&self, request: crate::Request<TestBody>) -> Answered {
        let mut all = self.exchange_together(vec![request]);
        self.settle();
        all.remove(0)
    }

    /// Requests that are under way at once, answered in their order.
    ///
    /// # Panics
    /// When one waits for what cannot come.
    pub fn send_together(&self, requests: &[Sent<'_>]) -> Vec<Answered> {
        self.exchange_together(
            requests.iter().map(|&(method, target, fields)| request_of(method, target, fields)).collect(),
        )
    }

    /// Requests as an adapter would hand them over, under way at once, answered in their order.
    ///
    /// # Panics
    /// When one waits for what cannot come.
    pub fn exchange_together(&self, requests: Vec<crate::Request<TestBody>>) -> Vec<Answered> {
        self.edges_together(requests.into_iter().map(|request| (self.edge.clone(), request)).collect())
    }

    fn edges_together(&self, requests: Vec<(Arc<Edge>, crate::Request<TestBody>)>) -> Vec<Answered> {
        let answers: Rc<RefCell<Vec<Option<Answered>>>> = Rc::new(RefCell::new(vec![None; requests.len()]));
        for (at, (edge, request)) in requests.into_iter().enumerate() {
            let (platform, answers) = (self.platform.clone(), answers.clone());
            self.platform.executor.spawn(async move {
                let response = pipeline::handle(&edge, &platform, request).await;
                let (head, body) = response.into_parts();
                let body = body.read().await.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                let answer = Answered { status: head.status.as_u16(), fields: head.headers, body };
                answers.borrow_mut()[at] = Some(answer);
            });
        }
        let waited = answers.clone();
        self.platform.executor.run(std::future::poll_fn(move |_| {
            if waited.borrow().iter().all(Option::is_some) {
                std::task::Poll::Ready(())
            } else {
                std::task::Poll::Pending
            }
        }));
        answers.take().into_iter().flatten().collect()
    }
}

/// Each instance has a seed of its own, as it has on every platform: it names the instance's purge log.
fn setup(platform: &TestPlatform) -> Setup {
    let access = Access { local: true, token: Some(TOKEN.to_owned()) };
    Setup { runtime: "test", seed: platform.random(), now: platform.now(), access, secret: None, threads: 1 }
}

fn request_of(method: &str, target: &str, fields: &[(&'static str, &str)]) -> crate::Request<TestBody> {
    let mut map = HeaderMap::new();
    let mut body = TestBody::empty();
    for &(name, value) in fields {
        if name == "body" {
            body = TestBody::full(Bytes::copy_from_slice(value.as_bytes()));
            continue;
        }
        let value = HeaderValue::from_str(value);
        map.append(HeaderName::from_static(name), value.unwrap_or(HeaderValue::from_static("")));
    }
    crate::Request {
        method: Method::from_bytes(method.as_bytes()).unwrap_or_default(),
        scheme: Scheme::Https,
        authority: "a.example".to_owned(),
        target: target.to_owned(),
        fields: map,
        body,
        client: Some([192, 0, 2, 1].into()),
        extensions: Default::default(),
    }
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sim").field("now", &self.platform.now()).finish_non_exhaustive()
    }
}
