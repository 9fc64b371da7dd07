//! Waiting for what must come to pass: asked for again and again until a deadline that only a broken system meets.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Long enough for the slowest machine of a CI.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

const POLL: Duration = Duration::from_millis(50);

/// Calls `attempt` until it returns something. `what` completes "waited in vain for …".
pub(crate) async fn until<T>(what: &str, mut attempt: impl AsyncFnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = attempt().await? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("waited {PATIENCE:?} in vain for {what}");
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Bounds a step that would otherwise hang where the system is broken.
pub(crate) async fn within<T>(what: &str, step: impl Future<Output = T>) -> Result<T> {
    match tokio::time::timeout(PATIENCE, step).await {
        Ok(done) => Ok(done),
        Err(_) => bail!("waited {PATIENCE:?} in vain for {what}"),
    }
}
