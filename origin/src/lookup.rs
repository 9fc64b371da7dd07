//! `GET /data/{key}`: the classic demonstration of a cache, a look-up that takes two seconds.
//!
//! The value is a pure function of the key, so that whoever compares stacks can check that they
//! got the right one; only the time is spent.

use std::time::Instant;

use axum::extract::{self, Path};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::http::{Problem, hex, reply};

const LONGEST_KEY: usize = 200;

#[derive(Serialize)]
struct Found<'a> {
    key: &'a str,
    value: &'a str,
    took_ms: u64,
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    if key.len() > LONGEST_KEY {
        return Err(Problem::invalid(format!("The key is longer than {LONGEST_KEY} bytes.")));
    }
    let started = Instant::now();
    tokio::time::sleep(state.data_delay).await;
    let value = hex(&Sha256::digest(key.as_bytes()).as_slice()[..8]);
    let took_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    // `took_ms` differs each time while the value is the same: a weak tag, of the value alone.
    let cache = CacheAs::lookup(&key).with_weak_etag(&value);
    Ok(reply::json(StatusCode::OK, cache, &Found { key: &key, value: &value, took_ms }))
}
