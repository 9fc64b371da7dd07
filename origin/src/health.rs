//! Alive, and ready: two questions with two answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::json;

use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::db;
use crate::http::{Problem, reply};

/// Whether the process still wants new work.
#[derive(Debug, Clone, Default)]
pub struct Readiness(Arc<AtomicBool>);

impl Readiness {
    /// From now on `/readyz` says 503.
    pub fn start_draining(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the process is on its way out.
    pub fn is_draining(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// `GET /healthz`: the process runs and answers. It asks nobody else, so that a slow database does not get it killed.
pub(crate) async fn alive() -> Response {
    reply::json(StatusCode::OK, CacheAs::health(), &json!({ "status": "alive" }))
}

/// `GET /readyz`: the database answers and holds the catalogue, and the process is not stopping.
pub(crate) async fn ready(extract::State(state): extract::State<State>) -> Response {
    if state.readiness.is_draining() {
        return unready("the process is stopping");
    }
    match state.db.read(db::films::any).await {
        Ok(true) => reply::json(StatusCode::OK, CacheAs::health(), &json!({ "status": "ready" })),
        Ok(false) => unready("the database holds no catalogue"),
        Err(error) => {
            tracing::error!("not ready: {error:#}");
            unready("the database does not answer")
        }
    }
}

/// What everything but `/healthz` says until the database is there: 503, try again in a second.
pub(crate) async fn starting() -> Response {
    unready("the process is starting, and its database is being made ready")
}

fn unready(why: &str) -> Response {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-ready", why).into_response()
}
