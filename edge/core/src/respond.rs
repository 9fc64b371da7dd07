//! Step 9: the answer, from an entry or from what the origin sends.

pub mod access;
pub mod conditional;
pub mod problem;
pub mod range;
mod report;
pub mod status;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

pub use report::{Outcome, Report, add_key, add_particular};

use crate::config::Policy;
use crate::entry::Entry;
use crate::time::Time;
use conditional::Condition;
use range::Ranged;

/// A whole answer that needs nothing more from anyone.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub fields: HeaderMap,
    pub body: Bytes,
}

/// What an entry answers to a request: 304 where the client has it already, parts where it asks for them, else all.
pub fn from_entry(method: &Method, request: &HeaderMap, entry: &Entry, policy: &Policy, now: Time) -> Answer {
    let mut fields = client_fields(&entry.fields, policy);
    set_age(&mut fields, entry.age(now));
    match conditional::evaluate(request, entry.status, &entry.fields) {
        Condition::Proceed => {}
        Condition::NotModified => return not_modified(fields),
        Condition::Failed => return precondition_failed(),
    }
    let length = entry.body.len() as u64;
    if *method == Method::GET
        && entry.status == StatusCode::OK
        && conditional::range_applies(request, &entry.fields)
    {
        match range::select(request, length) {
            Ranged::Whole => {}
            Ranged::Unsatisfiable => return range::unsatisfiable(fields, length),
            Ranged::One(part) => return range::single(fields, &entry.body, part),
            // The log's name is the secret of the instance that made the entry.
            Ranged::Many(parts) => {
                return range::multiple(fields, &entry.body, &parts, entry.purge_mark.log);
            }
        }
    }
    // A stored answer to GET tells a HEAD how long its body would be.
    if !matches!(entry.status, StatusCode::NO_CONTENT) {
        fields.insert(header::CONTENT_LENGTH, length.into());
    }
    let body = if *method == Method::HEAD {
        // Of the content that this answer has, which is none (RFC 9530, appendix B.2). What others say of the content stays, as
        // of the GET (RFC 9110, section 9.3.2).
        fields.remove("content-digest");
        Bytes::new()
    } else {
        entry.body.clone()
    };
    Answer { status: entry.status, fields, body }
}

/// A 304 out of the fields of the whole answer (RFC 9110, section 15.4.5).
pub fn not_modified(mut fields: HeaderMap) -> Answer {
    range::without_content(&mut fields);
    for name in [
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::CONTENT_ENCODING,
        header::CONTENT_LANGUAGE,
        header::CONTENT_RANGE,
    ] {
        fields.remove(name);
    }
    Answer { status: StatusCode::NOT_MODIFIED, fields, body: Bytes::new() }
}

/// A 412 (RFC 9110, section 15.5.13): what there is is not what the client asked about, and none of it is sent.
pub fn precondition_failed() -> Answer {
    let mut fields = HeaderMap::new();
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::CONTENT_LENGTH, 0.into());
    Answer { status: StatusCode::PRECONDITION_FAILED, fields, body: Bytes::new() }
}

/// The fields of a stored or fetched response that the client gets.
pub fn client_fields(stored: &HeaderMap, policy: &Policy) -> HeaderMap {
    let mut fields = stored.clone();
    strip_for_client(&mut fields, policy);
    fields
}

/// Takes out what is meant for the edge: targeted cache fields and tags.
pub fn strip_for_client(fields: &mut HeaderMap, policy: &Policy) {
    if !policy.pass_targeted {
        for name in &policy.targeted {
            fields.remove(name.as_str());
        }
        fields.remove("cache-tag");
    }
}

/// A page that the edge makes by itself: nobody stores it, and no browser takes it for anything but what it says it is.
fn own_page(status: StatusCode, content_type: &'static str, body: String) -> Answer {
    let mut fields = HeaderMap::new();
    fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    fields.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    fields.insert(header::CONTENT_LENGTH, body.len().into());
    Answer { status, fields, body: Bytes::from(body) }
}

fn set_age(fields: &mut HeaderMap, age: Duration) {
    fields.insert(header::AGE, HeaderValue::from(age.as_secs()));
}
