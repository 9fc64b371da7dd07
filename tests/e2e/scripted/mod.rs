//! An origin in the test's own process: it does what a script says, remembers what it was asked, and can be killed.

mod reply;
mod scene;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use http::{Request, Response};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

pub(crate) use reply::Reply;
pub(crate) use scene::{Asked, Scene};

use crate::client::Body;
use scene::Script;

#[derive(Debug)]
pub(crate) struct Scripted {
    address: SocketAddr,
    scenes: Arc<Mutex<Vec<Script>>>,
    accepting: JoinHandle<()>,
}

impl Scripted {
    /// Listens on a free port.
    pub(crate) fn start(tokio: &Handle) -> Result<Self> {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("the scripted origin")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let scenes: Arc<Mutex<Vec<Script>>> = Arc::default();
        let (_guard, known) = (tokio.enter(), scenes.clone());
        let listener = TcpListener::from_std(listener)?;
        let accepting = tokio.spawn(async move {
            // Connections end with this task.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, known.clone()));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, scenes, accepting })
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What requests below `prefix` are answered with.
    pub(crate) fn scene(
        &self,
        prefix: &str,
        script: impl Fn(Asked) -> Reply + Send + Sync + 'static,
    ) -> Scene {
        let scene = Scene::new(prefix);
        let mut scenes = self.scenes.lock().unwrap_or_else(PoisonError::into_inner);
        scenes.push(Script { scene: scene.clone(), answer: Arc::new(script) });
        scene
    }

    /// Stops listening and breaks every connection off, as the death of a server does.
    pub(crate) async fn kill(self) {
        self.accepting.abort();
        // Aborted, or it would not be over.
        let _ = self.accepting.await;
    }
}

async fn serve(stream: TcpStream, scenes: Arc<Mutex<Vec<Script>>>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let answer = hyper::service::service_fn(move |request| answer(request, scenes.clone()));
    let connection = hyper::server::conn::http1::Builder::new()
        .half_close(true)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
    // A client that goes away is no concern of the origin's.
    let _ = connection.await;
}

async fn answer(
    request: Request<Incoming>,
    scenes: Arc<Mutex<Vec<Script>>>,
) -> Result<Response<Body>, Infallible> {
    let script = {
        let scenes = scenes.lock().unwrap_or_else(PoisonError::into_inner);
        let path = request.uri().path();
        scenes.iter().rev().find(|script| script.scene.holds(path)).cloned()
    };
    let Some(script) = script else {
        return Ok(Reply::new("no-store").status(404).text("no scene is set here").into_response().await);
    };
    let asked = script.scene.remember(request);
    Ok((script.answer)(asked).into_response().await)
}

/// The error by which a body is broken off.
pub(crate) fn broken() -> io::Error {
    io::Error::other("broken off by the script")
}
