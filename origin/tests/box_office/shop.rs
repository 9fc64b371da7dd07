//! A box office for one test, and what it answers.

use std::path::PathBuf;

use axum::Router;
use axum::body::Body;
use clap::Parser;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use levee_origin::{App, Settings};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::OnceCell;
use tower::ServiceExt;

/// The filled database, made once for all tests of a process.
static SEEDED: OnceCell<Vec<u8>> = OnceCell::const_new();

pub(crate) struct Shop {
    router: Router,
    folder: TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Shop {
    /// Opens a shop whose look-ups take no time.
    pub(crate) async fn open() -> Self {
        Self::open_in(seeded_folder().await).await
    }

    /// Opens a shop on the database that is in `folder`, as after a restart.
    pub(crate) async fn open_in(folder: TempDir) -> Self {
        let app = App::open(&settings(&folder)).await.expect("the shop opens");
        Self { router: app.router(), folder }
    }

    /// Closes the shop and keeps its database.
    pub(crate) fn close(self) -> TempDir {
        self.folder
    }

    /// Another connection to the database, to arrange what no client can.
    pub(crate) fn database(&self) -> rusqlite::Connection {
        let connection = rusqlite::Connection::open(database_in(&self.folder)).expect("the database opens");
        connection.busy_timeout(std::time::Duration::from_secs(10)).expect("a time-out can be set");
        connection
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("the body is whole").to_bytes().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// The JSON at `path`, which must be there.
    pub(crate) async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        answer.json()
    }

    pub(crate) async fn order(&self, key: &str, order: &Value) -> Answer {
        let request = Request::post("/api/orders")
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .body(Body::from(order.to_string()));
        self.send(request.expect("a request")).await
    }

    pub(crate) async fn post_form(&self, path: &str, form: &str) -> Answer {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()));
        self.send(request.expect("a request")).await
    }

    /// A screening that is weeks away, with the first free seats of its hall.
    pub(crate) async fn screening(&self, seats: usize) -> (i64, Vec<String>) {
        let id = self
            .database()
            .query_row("SELECT id FROM screenings ORDER BY begins DESC, id LIMIT 1", [], |row| row.get(0))
            .expect("there are screenings");
        let free = free_seats(&self.json(&format!("/api/screenings/{id}/seats")).await);
        (id, free.into_iter().take(seats).collect())
    }
}

impl Answer {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a readable field"))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }

    /// The problem of this status, checked for its form.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, kind: &str) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        assert_eq!(self.field("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["status"], status);
        assert_eq!(problem["type"], format!("/problems#{kind}"));
        for member in ["title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {problem}");
        }
        problem
    }
}

/// Settings with a database in `folder`, on a free port.
pub(crate) fn settings(folder: &TempDir) -> Settings {
    let database = database_in(folder).display().to_string();
    let always = ["levee-origin", "--listen", "127.0.0.1:0", "--data-delay", "0s", "--database", &database];
    Settings::try_parse_from(always).expect("the settings are valid")
}

/// A folder with a copy of the filled database.
pub(crate) async fn seeded_folder() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder");
    std::fs::write(database_in(&folder), seeded().await).expect("the database can be copied");
    folder
}

pub(crate) fn database_in(folder: &TempDir) -> PathBuf {
    folder.path().join("shop.sqlite")
}

/// The seats that a seat map says are free.
pub(crate) fn free_seats(map: &Value) -> Vec<String> {
    let mut free = Vec::new();
    for row in map["rows"].as_array().expect("rows") {
        let letter = row["row"].as_str().expect("a letter");
        let taken = row["taken"].as_array().expect("a list");
        for number in 1..=row["seats"].as_u64().expect("a number") {
            if !taken.iter().any(|seat| seat == number) {
                free.push(format!("{letter}{number}"));
            }
        }
    }
    free
}

async fn seeded() -> &'static [u8] {
    SEEDED
        .get_or_init(|| async {
            let folder = TempDir::new().expect("a temporary folder");
            drop(App::open(&settings(&folder)).await.expect("the database can be filled"));
            // The last connection is closed, so everything is in the one file.
            std::fs::read(database_in(&folder)).expect("the database can be read")
        })
        .await
}
