//! Listening, and stopping without losing anybody's request.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use axum::extract::Request;
use axum::serve::ListenerExt;
use axum::{Router, ServiceExt};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tower::Service;

use crate::health::Readiness;
use crate::{App, Settings, app};

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

    /// Serves from now until SIGTERM or SIGINT, then drains. While `opening` is under way only the health checks answer:
    /// alive, and not ready. `opened` is told the address once everything does. Fails when `opening` fails.
    pub async fn run(
        self,
        opening: impl Future<Output = anyhow::Result<App>>,
        opened: impl FnOnce(SocketAddr),
    ) -> anyhow::Result<()> {
        let signal = stop_signal().context("cannot listen for signals")?;
        self.run_until(opening, opened, signal).await
    }

    /// As [`Server::run`], until `stop` resolves. Draining means: not ready at once, new connections for the drain delay
    /// (none where the application was not open yet), then only what is in flight, for at most eight seconds.
    pub async fn run_until(
        self,
        opening: impl Future<Output = anyhow::Result<App>>,
        opened: impl FnOnce(SocketAddr),
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let Self { listener, address, drain_delay } = self;
        let listener = listener.tap_io(|stream| {
            // Small answers must not wait for the acknowledgement of the one before.
            let _ = stream.set_nodelay(true);
        });
        let front = Arc::new(Front::new());
        let (closing, closed) = oneshot::channel();
        let drain = {
            let front = Arc::clone(&front);
            async move {
                stop.await;
                tracing::info!("stopping: not ready any more, finishing what is in flight");
                if front.start_draining() {
                    tokio::time::sleep(drain_delay).await;
                }
                let _ = closing.send(());
            }
        };
        let answer = {
            let front = Arc::clone(&front);
            tower::service_fn(move |request: Request| front.router().call(request))
        };
        let serving = axum::serve(listener, ServiceExt::<Request>::into_make_service(answer))
            .with_graceful_shutdown(drain);
        let mut serving = pin!(async {
            tokio::select! {
                result = async { serving.await } => result.context("serving failed"),
                () = async { let _ = closed.await; tokio::time::sleep(DRAIN_LIMIT).await } => {
                    tracing::warn!("requests were still in flight after {DRAIN_LIMIT:?}; they are cut off");
                    Ok(())
                }
            }
        });
        let app = tokio::select! {
            // First: where the application is open already, nobody is told that it is not.
            biased;
            app = opening => app?,
            stopped = &mut serving => return stopped,
        };
        let caretaker = app.spawn_caretaker();
        front.open(&app);
        opened(address);
        let result = serving.await;
        caretaker.abort();
        result
    }
}

/// Who answers: the health checks alone until the application is open, from then on the application.
struct Front {
    starting: (Readiness, Router),
    open: OnceLock<(Readiness, Router)>,
}

impl Front {
    fn new() -> Self {
        let readiness = Readiness::default();
        let router = app::starting(&readiness);
        Self { starting: (readiness, router), open: OnceLock::new() }
    }

    fn open(&self, app: &App) {
        // Only the first one counts, and there is only one.
        let _ = self.open.set((app.readiness(), app.router()));
    }

    /// From now on nobody is ready. Says whether anybody was.
    fn start_draining(&self) -> bool {
        self.starting.0.start_draining();
        let open = self.open.get();
        if let Some((readiness, _)) = open {
            readiness.start_draining();
        }
        open.is_some()
    }

    fn router(&self) -> Router {
        let (_, router) = self.open.get().unwrap_or(&self.starting);
        router.clone()
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
