//! What the entry module calls.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, Method, Response, StatusCode};
use levee::{Request, Time};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::future_to_promise;

use crate::app::Scheduled;
use crate::body::{Body, pace_of};
use crate::host::{Host, Incoming, message};
use crate::platform::Workers;
use crate::request::Refused;
use crate::stores::{self, Read};
use crate::{Env, fields, framing, isolate, kv, local, request};

/// Answers a request: with a `Response`, or a promise of one where something has to be waited for. `key`, `near` and `far`:
/// what has been read for it already from the data centre's cache and from KV.
#[doc(hidden)]
pub fn handle(
    incoming: Incoming,
    env: Env,
    context: JsValue,
    key: Option<String>,
    near: JsValue,
    far: JsValue,
) -> JsValue {
    let host = isolate::host();
    let request = match request::read(&host, &incoming) {
        Ok(request) => request,
        Err(Refused { status, title, detail }) => return host.refuse(&detail, status, title),
    };
    let edge = match isolate::edge(&env) {
        Ok(edge) => edge,
        Err(detail) => return host.problem(&detail),
    };
    let pace = pace_of(&edge.config().limits);
    let request = Request { body: request.body.with_pace(pace), ..request };
    let place = local::place(request.scheme, &request.authority);
    let platform = Workers::new(host, isolate::hooks(), env, context, place);
    let work = async move {
        let head_only = request.method == Method::HEAD;
        let response = levee::pipeline::handle(&edge, &platform, request).await;
        respond(platform.host(), head_only, response)
    };
    let read = key.map(|key| Read { key, values: [(local::NAME, near), (kv::NAME, far)] });
    stores::having_read(read, || run(work))
}

/// Runs a cron trigger; `time` in milliseconds since the Unix epoch. The promise is rejected with the handler's error.
#[doc(hidden)]
pub fn scheduled(cron: String, time: f64, env: Env, _context: JsValue) -> JsValue {
    let event = Scheduled { cron, time: Time::from_millis(time as u64) };
    let hook = isolate::hooks().scheduled;
    let work = async move {
        let done = hook(event, &env).await;
        done.map(|()| JsValue::UNDEFINED).map_err(|error| js_sys::Error::new(&error.to_string()).into())
    };
    future_to_promise(work).into()
}

/// An answer out of memory is there at once: then the platform gets it without a promise, which would cost a turn.
fn run(work: impl Future<Output = JsValue> + 'static) -> JsValue {
    let mut work: Pin<Box<dyn Future<Output = JsValue>>> = Box::pin(work);
    match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(response) => response,
        // The executor polls again before anything else happens, so that no wake-up is lost.
        Poll::Pending => future_to_promise(async move { Ok(work.await) }).into(),
    }
}

fn respond(host: &Host, head_only: bool, response: Response<Body>) -> JsValue {
    let (mut head, body) = response.into_parts();
    frame(&mut head.headers, head.status, head_only);
    // Dropped, a stream lets go of what it holds.
    let body = if head_only || is_bodiless(head.status) { Body::default() } else { body };
    let body = body.into_platform().0;
    host.respond(head.status.as_u16(), &fields::write(&head.headers), &body).unwrap_or_else(|thrown| {
        if let Some(stream) = body.dyn_ref() {
            host.discard(stream);
        }
        let thrown = thrown.unchecked_into();
        host.problem(&format!(
            "The answer {} cannot be passed on: {}",
            head.status.as_u16(),
            message(&thrown)
        ))
    })
}

/// Leaves framing to the runtime, which knows the body. Only where none is sent the length may stay: as what a GET would bring.
pub(crate) fn frame(fields: &mut HeaderMap, status: StatusCode, head_only: bool) {
    let length = fields.get(CONTENT_LENGTH).filter(|_| head_only && !is_bodiless(status)).cloned();
    framing::strip(fields);
    if let Some(length) = length {
        fields.insert(CONTENT_LENGTH, length);
    }
}

/// The platform takes no body with these, be it empty.
pub(crate) fn is_bodiless(status: StatusCode) -> bool {
    matches!(status, StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_head_keeps_a_length() {
        for (status, head_only, left) in [
            (StatusCode::OK, true, "x-a:1\ncontent-length:5\n"),
            (StatusCode::NOT_FOUND, true, "x-a:1\ncontent-length:5\n"),
            (StatusCode::OK, false, "x-a:1\n"),
            (StatusCode::NO_CONTENT, true, "x-a:1\n"),
            (StatusCode::NOT_MODIFIED, true, "x-a:1\n"),
            (StatusCode::NOT_MODIFIED, false, "x-a:1\n"),
        ] {
            let mut fields =
                fields::parse("x-a:1\ncontent-length:5\ntransfer-encoding:chunked\nconnection:close\n");
            frame(&mut fields, status, head_only);
            assert_eq!(fields::write(&fields), left, "{status} {head_only}");
        }
    }
}
