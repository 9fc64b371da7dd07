//! Listening, and stopping without losing anybody's request.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use crate::{App, Settings};

/// Container platforms kill ten seconds after the signal; what is not done by then is given up a little earlier.
const DRAIN_LIMIT: Duration = Duration::from_secs(8);

/// A bound socket, not yet served.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    drain_delay: Duration,
}

impl Server {
    /// Binds the address of the settings. Fails with a sentence that names it.
    pub async fn bind(settings: &Settings) -> anyhow::Result<Self> {
        let wanted = settings.address();
        let listener = TcpListener::bind(wanted).await.with_context(|| {
            format!("cannot listen on {wanted}; is it in use? --listen ADDRESS:PORT takes another")
        })?;
        let address = listener.local_addr().context("the socket has no address")?;
        Ok(Self { listener, address, drain_delay: settings.drain_delay })
    }

    /// Where it listens, with the real port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until SIGTERM or SIGINT, then drains.
    pub async fn run(self, app: App) -> anyhow::Result<()> {
        let signal = stop_signal().context("cannot listen for signals")?;
        self.run_until(app, signal).await
    }

    /// Serves until `stop` resolves, then drains: not ready at once, new connections for the drain delay,
    /// then only what is in flight, for at most eight seconds.
    pub async fn run_until(
        self,
        app: App,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let Self { listener, drain_delay, .. } = self;
        let listener = listener.tap_io(|stream| {
            // Small answers must not wait for the acknowledgement of the one before.
            let _ = stream.set_nodelay(true);
        });
        let (closing, closed) = oneshot::channel();
        let readiness = app.readiness();
        let caretaker = app.spawn_caretaker();
        let drain = async move {
            stop.await;
            tracing::info!("stopping: not ready any more, finishing what is in flight");
            readiness.start_draining();
            tokio::time::sleep(drain_delay).await;
            let _ = closing.send(());
        };
        let serving = axum::serve(listener, app.router()).with_graceful_shutdown(drain);
        let result = tokio::select! {
            result = async { serving.await } => result.context("serving failed"),
            () = async { let _ = closed.await; tokio::time::sleep(DRAIN_LIMIT).await } => {
                tracing::warn!("requests were still in flight after {DRAIN_LIMIT:?}; they are cut off");
                Ok(())
            }
        };
        caretaker.abort();
        result
    }
}

/// Resolves at SIGTERM or SIGINT. Installed as handlers, so that it also works as process 1, where
/// the default action of a signal is to be ignored.
#[cfg(unix)]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stop_signal() -> std::io::Result<impl Future<Output = ()> + Send + 'static> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
