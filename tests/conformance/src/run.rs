//! Runs one test from its first request to its verdict.

use std::time::Duration;

use crate::client::{self, Failure, Request, Response};
use crate::definitions::Test;
use crate::origin::Record;

/// Between two requests where the definition says so.
pub const PAUSE: Duration = Duration::from_secs(3);

/// What lies between a test's client and its origin.
#[expect(async_fn_in_trait, reason = "one thread runs a test")]
pub trait Wire {
    /// Sends a request to the edge and reads the answer to its end; `Err` says why there is none.
    async fn send(&mut self, request: Request) -> Result<Response, Failure>;

    async fn pause(&mut self, duration: Duration);

    /// What the origin has written down.
    async fn records(&mut self) -> Vec<Record>;
}

/// Runs `test` over a wire whose origin answers by it. `token`: what its URL holds and an answer's body is by default.
pub async fn run(test: &Test, token: &str, wire: &mut impl Wire) -> Result<(), Failure> {
    let mut responses: Vec<Response> = Vec::new();
    for index in 0..test.requests.len() {
        let request = client::request(test, index, token, responses.last());
        let response = wire.send(request).await?;
        client::check_response(test, index, &response, token)?;
        responses.push(response);
        if test.requests[index].pause_after {
            wire.pause(PAUSE).await;
        }
    }
    client::check_records(test, &responses, &wire.records().await)
}
