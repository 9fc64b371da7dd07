//! What the edge and the origins counted: the edge's status page, asked once a second, and the origins' own log.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

/// One request that an origin answered.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    /// Seconds since the start.
    pub(super) at: f64,
    /// The number of the instance, from 1.
    pub(super) origin: usize,
    pub(super) kind: &'static str,
    pub(super) path: String,
}

/// What all instances of the origin answered, from their logs.
#[derive(Clone, Debug)]
pub(super) struct OriginLog {
    began: Instant,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl OriginLog {
    pub(super) fn new(began: Instant) -> Self {
        Self { began, asked: Arc::default() }
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a line of an instance's log, in its JSON form.
    pub(super) fn line(&self, origin: usize, line: &str) {
        if !line.contains("\"message\":\"request\"") {
            return;
        }
        let Ok(line) = serde_json::from_str::<Value>(line) else { return };
        let path = line["path"].as_str().unwrap_or_default().to_owned();
        let at = self.began.elapsed().as_secs_f64();
        self.asked().push(Asked { at, origin, kind: kind(&path), path });
    }

    /// How many have been answered.
    pub(super) fn len(&self) -> usize {
        self.asked().len()
    }

    /// All of them, oldest first, and from now on none.
    pub(super) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.asked())
    }
}

/// The kind of request that a path is.
pub(super) fn kind(path: &str) -> &'static str {
    let path = path.split('?').next().unwrap_or_default();
    match path.split('/').skip(1).collect::<Vec<_>>()[..] {
        ["api", "films"] => "search",
        ["api", "films", _] => "film",
        ["api", "screenings", _] => "screening",
        ["api", "screenings", _, "seats"] => "seats",
        ["api", "orders"] => "order",
        ["data", _] => "data",
        _ => "other",
    }
}

/// The edge's counters at moments, in seconds since the start.
pub(super) type Counts = Vec<(f64, BTreeMap<String, u64>)>;

/// Asks an edge's status page once a second, until it is stopped or dropped.
#[derive(Debug)]
pub(super) struct StatusPoll {
    shared: Arc<(Mutex<(bool, Counts)>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

impl StatusPoll {
    pub(super) fn start(edge: &str, began: Instant) -> Self {
        let shared: Arc<(Mutex<(bool, Counts)>, Condvar)> = Arc::default();
        let url = format!("{edge}/.levee/status");
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || {
                let (state, changed) = &*shared;
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                while !state.0 {
                    drop(state);
                    let counters = counters(&url);
                    state = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(counters) = counters {
                        state.1.push((began.elapsed().as_secs_f64(), counters));
                    }
                    if !state.0 {
                        state = changed
                            .wait_timeout(state, Duration::from_secs(1))
                            .unwrap_or_else(PoisonError::into_inner)
                            .0;
                    }
                }
            }
        });
        Self { shared, thread: Some(thread) }
    }

    /// Stops asking and hands over what was counted.
    pub(super) fn stop(mut self) -> Counts {
        self.end();
        std::mem::take(&mut self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).1)
    }

    fn end(&mut self) {
        self.shared.0.lock().unwrap_or_else(PoisonError::into_inner).0 = true;
        self.shared.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for StatusPoll {
    fn drop(&mut self) {
        self.end();
    }
}

/// The counters of one instance of the edge, asked now.
fn counters(url: &str) -> Option<BTreeMap<String, u64>> {
    let (status, body) = levee_harness::get(url)?;
    let page: Value = serde_json::from_str(&body).ok()?;
    let counters = page["counters"].as_object().filter(|_| status == 200)?;
    Some(counters.iter().filter_map(|(name, count)| Some((name.clone(), count.as_u64()?))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_origins_log_are_counted() {
        let log = OriginLog::new(Instant::now());
        log.line(
            2,
            r#"{"level":"INFO","message":"request","method":"GET","path":"/api/films?q=a","status":200}"#,
        );
        log.line(2, r#"{"level":"INFO","message":"stopping"}"#);
        let asked = log.take();
        assert_eq!((asked.len(), asked[0].origin, asked[0].kind), (1, 2, "search"));
        assert_eq!(log.len(), 0);
    }

    #[test]
    fn paths_have_kinds() {
        let pairs = [
            ("/api/films", "search"),
            ("/api/films/12", "film"),
            ("/api/screenings/5/seats", "seats"),
            ("/data/x", "data"),
            ("/", "other"),
        ];
        for (path, name) in pairs {
            assert_eq!(kind(path), name, "{path}");
        }
    }
}
