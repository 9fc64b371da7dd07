use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, Request};
use hyper::body::Incoming;

use super::Reply;
use crate::client::joined;

/// The part of the origin that belongs to one test: everything below its prefix.
#[derive(Debug, Clone)]
pub(crate) struct Scene {
    prefix: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    /// Path and query, without the scene's prefix.
    pub(crate) target: String,
    pub(crate) fields: HeaderMap,
}

impl Seen {
    /// A field's lines, joined; empty where there is none.
    pub(crate) fn field(&self, name: &str) -> String {
        joined(&self.fields, name)
    }
}

/// A request that the script is to answer.
#[derive(Debug)]
pub(crate) struct Asked {
    /// How many came before it.
    pub(crate) number: usize,
    pub(crate) seen: Seen,
    /// With its body, and the connection to upgrade.
    pub(crate) request: Request<Incoming>,
}

impl Asked {
    pub(crate) fn field(&self, name: &str) -> String {
        self.seen.field(name)
    }

    pub(crate) fn path(&self) -> &str {
        self.seen.target.split('?').next().unwrap_or_default()
    }
}

impl Scene {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), seen: Arc::default() }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(super) fn holds(&self, path: &str) -> bool {
        path.strip_prefix(&self.prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    pub(super) fn remember(&self, request: Request<Incoming>) -> Asked {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        let seen = Seen {
            method: request.method().to_string(),
            target: target[self.prefix.len().min(target.len())..].to_owned(),
            fields: request.headers().clone(),
        };
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        all.push(seen.clone());
        Asked { number: all.len() - 1, seen, request }
    }

    /// What it has been asked so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The latest request.
    pub(crate) fn last(&self) -> anyhow::Result<Seen> {
        self.seen().pop().ok_or_else(|| anyhow::anyhow!("the origin was not asked"))
    }

    /// How many requests have arrived.
    pub(crate) fn count(&self) -> usize {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

type Answerer = dyn Fn(Asked) -> Reply + Send + Sync;

#[derive(Clone)]
pub(super) struct Script {
    pub(super) scene: Scene,
    pub(super) answer: Arc<Answerer>,
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script").field("scene", &self.scene).finish_non_exhaustive()
    }
}
