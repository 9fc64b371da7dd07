//! What a client gets of a response that comes from the origin: its conditions and its range hold whether or not the response
//! is stored (RFC 9110, sections 13 and 14).

use http::{Method, Response, StatusCode};

use super::{BodyOf, Exchange, finish, respond};
use crate::body::Body;
use crate::platform::Platform;
use crate::respond::conditional::{self, Condition};
use crate::respond::range::{self, Part, Ranged};
use crate::respond::{Report, not_modified, precondition_failed};

/// What is sent of a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    Whole,
    /// 304.
    NotModified,
    /// 412.
    Failed,
    /// 206 with one part.
    Part(Part),
    /// 206 with several parts, for which the whole has to be there.
    Parts,
    /// 416.
    Unsatisfiable,
}

/// What this request is sent of a response. A range is only looked at where the length is known: without it nobody can tell
/// whether there is such a part.
pub(super) fn of<P: Platform>(exchange: &Exchange<P>, response: &Response<BodyOf<P>>) -> Reply {
    let (request, status, fields) = (&exchange.fields, response.status(), response.headers());
    if !matches!(exchange.method, Method::GET | Method::HEAD) {
        return Reply::Whole;
    }
    match conditional::evaluate(request, status, fields) {
        Condition::Proceed => {}
        Condition::NotModified => return Reply::NotModified,
        Condition::Failed => return Reply::Failed,
    }
    let whole = exchange.method == Method::GET && status == StatusCode::OK;
    match response.body().length() {
        Some(length) if whole && conditional::range_applies(request, fields) => {
            match range::select(request, length) {
                Ranged::Whole => Reply::Whole,
                Ranged::One(part) => Reply::Part(part),
                Ranged::Many(_) => Reply::Parts,
                Ranged::Unsatisfiable => Reply::Unsatisfiable,
            }
        }
        _ => Reply::Whole,
    }
}

/// Sends a client what it asks for of a response.
pub(super) fn to_client<P: Platform>(
    exchange: &Exchange<P>,
    mut response: Response<BodyOf<P>>,
    report: &Report,
) -> Response<BodyOf<P>> {
    let edge = &exchange.edge;
    match of(exchange, &response) {
        // Several parts of what is not kept would have to be held: the whole is as good (section 14.2).
        Reply::Whole | Reply::Parts => finish(edge, response, report),
        Reply::NotModified => respond(edge, not_modified(std::mem::take(response.headers_mut())), report),
        Reply::Failed => respond(edge, precondition_failed(), report),
        Reply::Unsatisfiable => {
            let length = response.body().length().unwrap_or(0);
            respond(edge, range::unsatisfiable(std::mem::take(response.headers_mut()), length), report)
        }
        Reply::Part(part) => {
            let (mut head, body) = response.into_parts();
            let length = body.length().unwrap_or(0);
            range::describe_part(&mut head.headers, part, length);
            head.status = StatusCode::PARTIAL_CONTENT;
            let part = body.cut(part.0, part.1 - part.0 + 1);
            finish(edge, Response::from_parts(head, part), report)
        }
    }
}
