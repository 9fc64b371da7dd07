//! What a client is told whose request is none.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use levee::respond::problem::Problem;

use super::gate::Fault;

impl Fault {
    pub(super) fn problem(self) -> Problem {
        Problem::new(self.status(), "bad-request", "The request cannot be read", self.as_str())
    }
}

/// The response in HTTP/1.1, after which the connection closes: for whom there is no service.
pub(super) fn raw(problem: &Problem) -> Bytes {
    let answer = problem.answer(&HeaderMap::new());
    let mut raw = format!("HTTP/1.1 {}\r\n", answer.status).into_bytes();
    for (name, value) in &answer.fields {
        for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
            raw.extend_from_slice(part);
        }
    }
    raw.extend_from_slice(b"cache-status: levee; detail=connections-full\r\nconnection: close\r\n\r\n");
    raw.extend_from_slice(&answer.body);
    raw.into()
}

/// All places are taken, and nobody who has one is idle.
pub(super) fn full(connections: u32) -> Problem {
    Problem {
        retry_after: Some(1),
        ..Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "connections-full",
            "The edge is full",
            format!("{connections} connections are open and busy (limits.connections)"),
        )
    }
}
