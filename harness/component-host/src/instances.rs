//! When an instance is made, takes another request, and ends.

use std::future::{self, Future};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::{Sleep, sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;
use wasmtime::component::GuestTaskId;
use wasmtime::{Store, StoreContextMut};
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, ProxyPre, ShouldAccept, ViewFn, WorkerExpiration, WorkerState, WorkerStatus,
};

use crate::app::App;
use crate::state::HostState;

/// When instances are used again, under the names and with the defaults of `spin up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reuse {
    /// Requests that an instance takes in its life.
    pub max_instance_reuse_count: usize,
    /// Requests that an instance takes at a time.
    pub max_instance_concurrent_reuse_count: usize,
    /// How long an instance without requests is kept.
    pub idle_instance_timeout: Duration,
}

impl Default for Reuse {
    fn default() -> Self {
        Self {
            max_instance_reuse_count: 128,
            max_instance_concurrent_reuse_count: 16,
            idle_instance_timeout: Duration::from_secs(1),
        }
    }
}

/// Makes instances.
pub(crate) struct Instances {
    app: Arc<App>,
    pre: ProxyPre<HostState>,
    reuse: Reuse,
    /// Cancelled when the host stops: idle instances end at once.
    pub(crate) draining: CancellationToken,
    /// Those that live.
    pub(crate) alive: TaskTracker,
}

impl Instances {
    pub(crate) fn new(app: Arc<App>, pre: ProxyPre<HostState>, reuse: Reuse) -> Self {
        Self { app, pre, reuse, draining: CancellationToken::new(), alive: TaskTracker::new() }
    }
}

impl HandlerState for Instances {
    type StoreData = HostState;
    type WorkerExpiration = Expiration;
    type WorkerState = Life;

    async fn instantiate(&self) -> wasmtime::Result<Instance<HostState, Expiration, Life>> {
        let mut store = self.app.store()?;
        let proxy = self.pre.instantiate_async(&mut store).await?;
        Ok(Instance {
            store,
            proxy,
            view: ViewFn::P3(HostState::http),
            expiration: Expiration {
                idle: self.reuse.idle_instance_timeout,
                since: Instant::now(),
                sleep: Box::pin(sleep(self.reuse.idle_instance_timeout)),
                draining: Box::pin(self.draining.clone().cancelled_owned()),
                drains: self.draining.clone(),
            },
            state: Life { reuse: self.reuse, _alive: self.alive.token() },
        })
    }
}

/// Ends an instance that has been idle for too long.
pub(crate) struct Expiration {
    idle: Duration,
    since: Instant,
    sleep: Pin<Box<Sleep>>,
    draining: Pin<Box<WaitForCancellationFutureOwned>>,
    drains: CancellationToken,
}

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        // Asked in every state, so that it is woken when the host begins to stop.
        let drains = self.drains.is_cancelled() || self.draining.as_mut().poll(cx).is_ready();
        if status != WorkerStatus::Idle {
            return Poll::Pending;
        }
        if drains {
            return Poll::Ready(());
        }
        if start != self.since {
            self.since = start;
            let Some(end) = start.checked_add(self.idle) else { return Poll::Pending };
            self.sleep.as_mut().reset(end.into());
        }
        self.sleep.as_mut().poll(cx)
    }
}

/// What an instance may still take.
pub(crate) struct Life {
    reuse: Reuse,
    _alive: TaskTrackerToken,
}

impl WorkerState for Life {
    type StoreData = HostState;
    type RequestId = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= self.reuse.max_instance_reuse_count {
            ShouldAccept::Never
        } else if concurrent >= self.reuse.max_instance_concurrent_reuse_count {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, HostState>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        // As Spin without --request-timeout: a request takes as long as it takes.
        Box::pin(future::pending())
    }

    fn drop(&self, store: Store<HostState>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result {
            tracing::error!("an instance ended: {error:?}");
        }
        drop(store);
    }
}
