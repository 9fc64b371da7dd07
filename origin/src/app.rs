//! The application: its state, its routes, its background work.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tokio::task::JoinHandle;

use crate::db::Db;
use crate::health::Readiness;
use crate::http::{finish, request_log};
use crate::{Settings, api, assets, health, lookup, pages};

/// How often shown screenings are put on sale again and old idempotency keys forgotten.
const CARETAKER_PERIOD: Duration = Duration::from_secs(15 * 60);

/// In bytes: an order is a few hundred.
const LARGEST_BODY: usize = 16 * 1024;

/// Everything that a request may need. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) db: Db,
    pub(crate) readiness: Readiness,
    pub(crate) data_delay: Duration,
    pub(crate) public_url: Option<Arc<str>>,
    /// The genres of the catalogue, for the search form and to check what is asked for.
    pub(crate) genres: Arc<[String]>,
}

/// The box office, ready to be served.
#[derive(Debug, Clone)]
pub struct App {
    state: State,
}

impl App {
    /// Makes and fills the database where it does not exist, copied from the template where there is one, and does
    /// nothing else: for an image, or for whoever starts several processes on one file.
    pub async fn prepare(settings: &Settings) -> anyhow::Result<()> {
        Ok(Db::prepare(&settings.database, settings.database_template.as_deref()).await?)
    }

    /// Opens the database, makes it as [`App::prepare`] does where it does not exist, and brings the programme up to date.
    pub async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let db = Db::open(&settings.database, settings.database_template.as_deref()).await?;
        db.caretake().await?;
        let genres = db.read(crate::db::films::genres).await?.into();
        let state = State {
            db,
            readiness: Readiness::default(),
            data_delay: settings.data_delay,
            public_url: settings.public_url.as_deref().map(Arc::from),
            genres,
        };
        Ok(Self { state })
    }

    /// The switch that `/readyz` reads.
    pub fn readiness(&self) -> Readiness {
        self.state.readiness.clone()
    }

    /// All routes, with what surrounds them.
    pub fn router(&self) -> Router {
        let state = self.state.clone();
        Router::new()
            .route("/", get(pages::home::show))
            .route("/films/{id}", get(pages::film::show))
            .route("/screenings/{id}", get(pages::screening::show))
            .route("/screenings/{id}/checkout", get(pages::checkout::show))
            .route("/screenings/{id}/orders", post(pages::checkout::order))
            .route("/orders/{id}", get(pages::order::show))
            .route("/problems", get(pages::problems::show))
            .route("/robots.txt", get(assets::robots))
            .route("/favicon.ico", get(assets::favicon))
            .route("/assets/{name}", get(assets::show))
            .route("/api/films", get(api::films::search))
            .route("/api/films/{id}", get(api::films::show))
            .route("/api/screenings/{id}", get(api::screenings::show))
            .route("/api/screenings/{id}/seats", get(api::screenings::seats))
            .route("/api/orders", post(api::orders::place))
            .route("/api/orders/{id}", get(api::orders::show))
            .route("/data/{key}", get(lookup::show))
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .fallback(crate::http::no_such_page)
            .method_not_allowed_fallback(crate::http::wrong_method)
            .layer(DefaultBodyLimit::max(LARGEST_BODY))
            .layer(from_fn(finish))
            .layer(from_fn_with_state(state.readiness.clone(), request_log))
            .with_state(state)
    }

    /// Starts the work that is due now and then. Stops when the handle is aborted.
    pub(crate) fn spawn_caretaker(&self) -> JoinHandle<()> {
        let db = self.state.db.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(CARETAKER_PERIOD).await;
                if let Err(error) = db.caretake().await {
                    tracing::error!("the programme could not be brought up to date: {error:#}");
                }
            }
        })
    }
}

/// What answers while the application is being opened: the process is alive, and not ready for anything.
pub(crate) fn starting(readiness: &Readiness) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .fallback(health::starting)
        .layer(from_fn(finish))
        .layer(from_fn_with_state(readiness.clone(), request_log))
}
