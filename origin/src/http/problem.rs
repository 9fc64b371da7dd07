//! Errors as RFC 9457 describes them; for pages the same facts become HTML.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

use crate::db;

/// Name, status, title and meaning of every kind of problem. `/problems` shows this list,
/// and the member `type` of a problem points into it.
pub(crate) const PROBLEM_TYPES: &[(&str, u16, &str, &str)] = &[
    (
        "invalid-request",
        400,
        "The request is not valid",
        "A parameter or the body cannot be read; the detail says which, and what is allowed.",
    ),
    ("not-found", 404, "Not found", "There is no such film, screening, order or page."),
    ("method-not-allowed", 405, "Method not allowed", "The address exists, but not for this method."),
    (
        "seats-taken",
        409,
        "Seats are taken",
        "At least one of the seats was sold in the meantime. Nothing was ordered; the member `seats` names them.",
    ),
    ("sale-over", 409, "The sale is over", "The screening has begun."),
    ("too-large", 413, "The request is too large", "The body of an order is at most 16 KiB."),
    ("wrong-media-type", 415, "Wrong media type", "The API takes orders as application/json."),
    (
        "invalid-order",
        422,
        "The order is not valid",
        "The body can be read, but what it asks for cannot be sold; the detail says why.",
    ),
    (
        "key-reused",
        422,
        "The idempotency key was used for another order",
        "A key stands for one order. Send the same body again, or take a new key.",
    ),
    ("internal", 500, "Something went wrong here", "The fault is ours, and it is in our log."),
    (
        "busy",
        503,
        "Too busy",
        "The database could not take the order in time. Try again with the same Idempotency-Key.",
    ),
    ("not-ready", 503, "Not ready", "The process is starting or stopping."),
];

/// An error on its way to the client. It becomes a response without a body that carries the problem;
/// the outermost layer writes it as JSON or HTML.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    pub(crate) kind: &'static str,
    pub(crate) detail: String,
    pub(crate) members: Map<String, Value>,
    /// Whether a shared cache may keep it for a moment.
    pub(crate) shareable: bool,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), members: Map::new(), shareable: false }
    }

    /// 400: what was sent cannot be read.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-request", detail)
    }

    /// 404, which caches may keep for some seconds.
    pub(crate) fn not_found(detail: impl Into<String>) -> Self {
        Self { shareable: true, ..Self::new(StatusCode::NOT_FOUND, "not-found", detail) }
    }

    /// 404 for what is one person's alone.
    pub(crate) fn not_found_privately(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", detail)
    }

    /// 422: readable, but not to be had.
    pub(crate) fn unsellable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-order", detail)
    }

    pub(crate) fn with(mut self, member: &str, value: Value) -> Self {
        self.members.insert(member.to_owned(), value);
        self
    }

    /// A short name of what happened.
    pub(crate) fn title(&self) -> &'static str {
        PROBLEM_TYPES
            .iter()
            .find(|(kind, ..)| *kind == self.kind)
            .map_or_else(|| self.status.canonical_reason().unwrap_or("Error"), |(_, _, title, _)| title)
    }

    /// The problem as a JSON object (RFC 9457, section 3).
    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({
            "type": format!("/problems#{}", self.kind),
            "title": self.title(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        if let Value::Object(fields) = &mut object {
            fields.extend(self.members.clone());
        }
        object
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<db::Error> for Problem {
    fn from(error: db::Error) -> Self {
        tracing::error!("{error}");
        if error.is_busy() {
            let detail = "The database did not answer in time. Please try again in a moment.";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail);
        }
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong here. Please try again.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_type_title_status_and_detail() {
        let json = Problem::not_found("No film has the number 9.").with("film", json!(9)).to_json();
        assert_eq!(json["type"], "/problems#not-found");
        assert_eq!(json["title"], "Not found");
        assert_eq!(json["status"], 404);
        assert_eq!(json["detail"], "No film has the number 9.");
        assert_eq!(json["film"], 9);
    }
}
