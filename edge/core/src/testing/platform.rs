//! A platform in memory: clock, stores, and an origin that is a closure.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};

use super::body::TestBody;
use super::executor::Executor;
use super::lease::MapLease;
use super::store::MapStore;
use crate::body::Body;
use crate::platform::{Clock, Fetch, FetchError, FetchOptions, Lease, Platform, Spawn};
use crate::time::Time;

/// What the origin was sent.
#[derive(Clone, Debug)]
pub struct Ask {
    pub method: Method,
    /// Absolute.
    pub uri: String,
    pub fields: HeaderMap,
    /// How many requests came before.
    pub number: usize,
}

impl Ask {
    /// A field's value, or nothing.
    pub fn field(&self, name: &str) -> &str {
        self.fields.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }
}

/// What the origin does.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub body: TestBody,
    pub delay: Duration,
    pub error: Option<FetchError>,
}

impl Reply {
    /// 200 with a body and a `Cache-Control`.
    pub fn new(cache_control: &str, body: &str) -> Self {
        Self {
            status: 200,
            fields: vec![("cache-control".to_owned(), cache_control.to_owned())],
            body: TestBody::full(Bytes::copy_from_slice(body.as_bytes())),
            delay: Duration::ZERO,
            error: None,
        }
    }

    /// No response.
    pub fn error(error: FetchError) -> Self {
        Self { error: Some(error), ..Self::new("", "") }
    }

    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<String>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: TestBody) -> Self {
        self.body = body;
        self
    }

    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

type Handler = Rc<dyn Fn(&Ask) -> Reply>;

/// The platform of a [`Sim`].
#[derive(Clone)]
pub struct TestPlatform {
    pub(super) executor: Executor,
    pub(super) handler: Rc<RefCell<Handler>>,
    pub(super) asked: Rc<RefCell<Vec<Ask>>>,
    pub(super) random: Rc<Cell<u64>>,
    pub(super) stores: Rc<Vec<MapStore>>,
    pub(super) lease: Option<MapLease>,
}

impl Clock for TestPlatform {
    fn now(&self) -> Time {
        self.executor.now()
    }

    fn random(&self) -> u64 {
        // Different each time and the same in every run.
        self.random.set(self.random.get().wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
        self.random.get()
    }
}

impl Spawn for TestPlatform {
    fn spawn(&self, work: impl Future<Output = ()> + 'static) {
        self.executor.spawn(work);
    }

    async fn detached<T: 'static>(&self, work: impl Future<Output = T> + 'static) -> T {
        let done = Rc::new(RefCell::new((None, None::<Waker>)));
        let theirs = done.clone();
        self.executor.spawn(async move {
            let result = work.await;
            let waker = {
                let mut done = theirs.borrow_mut();
                done.0 = Some(result);
                done.1.take()
            };
            waker.into_iter().for_each(Waker::wake);
        });
        poll_fn(move |cx| {
            let mut done = done.borrow_mut();
            match done.0.take() {
                Some(result) => Poll::Ready(result),
                None => {
                    done.1 = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Fetch for TestPlatform {
    type Body = TestBody;

    async fn fetch(
        &self,
        request: Request<TestBody>,
        FetchOptions { deadlines, .. }: FetchOptions,
    ) -> Result<Response<TestBody>, FetchError> {
        let ask = Ask {
            method: request.method().clone(),
            uri: request.uri().to_string(),
            fields: request.headers().clone(),
            number: self.asked.borrow().len(),
        };
        self.asked.borrow_mut().push(ask.clone());
        let handler = self.handler.borrow().clone();
        let reply = handler(&ask);
        self.executor.sleep_until(self.now() + reply.delay.min(deadlines.first_byte)).await;
        if reply.delay > deadlines.first_byte {
            return Err(FetchError::ResponseTimeout);
        }
        if let Some(error) = reply.error {
            return Err(error);
        }
        let mut response = Response::new(reply.body);
        *response.status_mut() =
            StatusCode::from_u16(reply.status).map_err(|e| FetchError::Protocol(e.to_string()))?;
        for (name, value) in reply.fields {
            let value = HeaderValue::from_str(&value).map_err(|e| FetchError::Protocol(e.to_string()))?;
            let name = HeaderName::try_from(name).map_err(|e| FetchError::Protocol(e.to_string()))?;
            response.headers_mut().append(name, value);
        }
        Ok(response)
    }
}

impl Platform for TestPlatform {
    type Store = MapStore;

    const COLLAPSES: bool = true;

    fn stores(&self) -> &[MapStore] {
        &self.stores
    }

    fn lease(&self) -> Option<impl Lease> {
        self.lease.clone()
    }
}

impl std::fmt::Debug for TestPlatform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TestPlatform").finish_non_exhaustive()
    }
}
