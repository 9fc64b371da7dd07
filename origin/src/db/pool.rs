//! A fixed set of connections. Work runs on tokio's blocking threads.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::Error;

#[derive(Debug)]
pub(super) struct Pool {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Pool {
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        let permits = Arc::new(Semaphore::new(connections.len()));
        Self { idle: Mutex::new(connections), permits }
    }

    /// Waits for a connection and runs `work` on it. The work goes on when the caller goes away, so that
    /// a client that hangs up leaves no half-known state.
    pub(super) async fn run<T, F>(self: &Arc<Self>, work: F) -> Result<T, Error>
    where
        F: FnOnce(&mut Connection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| Error::Lost)?;
        let pool = Arc::clone(self);
        let task = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let mut lent = pool.lend()?;
            work(lent.connection.as_mut().ok_or(Error::Lost)?)
        });
        task.await.map_err(|_| Error::Lost)?
    }

    fn lend(&self) -> Result<Lent<'_>, Error> {
        let connection = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        connection.map(|connection| Lent { pool: self, connection: Some(connection) }).ok_or(Error::Lost)
    }
}

/// A connection that goes back to its pool, also when the work panics.
struct Lent<'a> {
    pool: &'a Pool,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}
