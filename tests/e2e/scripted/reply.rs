use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use http::header::CACHE_CONTROL;
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::client::{Body, empty, full};

/// What a script answers.
pub(crate) struct Reply {
    status: u16,
    fields: Vec<(String, String)>,
    body: Body,
    before: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Reply {
    /// A 200 with this `Cache-Control`; without one where it is empty.
    pub(crate) fn new(cache_control: &str) -> Self {
        let reply = Self { status: 200, fields: Vec::new(), body: empty(), before: None };
        if cache_control.is_empty() { reply } else { reply.field(CACHE_CONTROL.as_str(), cache_control) }
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds a field.
    pub(crate) fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn text(self, text: impl AsRef<str>) -> Self {
        self.bytes(Bytes::copy_from_slice(text.as_ref().as_bytes()))
    }

    pub(crate) fn bytes(mut self, bytes: impl Into<Bytes>) -> Self {
        self.body = full(bytes);
        self
    }

    pub(crate) fn body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Answers only once `step` is done.
    pub(crate) fn once(mut self, step: impl Future<Output = ()> + Send + 'static) -> Self {
        self.before = Some(Box::pin(step));
        self
    }

    /// Answers after this time.
    pub(crate) fn after(self, time: Duration) -> Self {
        self.once(tokio::time::sleep(time))
    }

    #[expect(clippy::expect_used, reason = "a script is part of the test")]
    pub(super) async fn into_response(self) -> Response<Body> {
        if let Some(before) = self.before {
            before.await;
        }
        let mut response = Response::new(self.body);
        *response.status_mut() = StatusCode::from_u16(self.status).expect("a status");
        let fields: &mut HeaderMap = response.headers_mut();
        for (name, value) in self.fields {
            let name = HeaderName::try_from(name).expect("a field name");
            fields.append(name, HeaderValue::try_from(value).expect("a field value"));
        }
        response
    }
}
