//! Starting: alive at once, ready when the database is; and a database that is copied instead of filled.

use std::future::pending;

use levee_origin::{App, Server, Settings};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::shop::{Shop, database_in, seeded_folder, settings};
use crate::wire::ask;

#[tokio::test(flavor = "multi_thread")]
async fn while_the_database_is_made_the_process_is_alive_and_not_ready() {
    let folder = seeded_folder().await;
    let settings = settings(&folder);
    let server = Server::bind(&settings).await.expect("a free port");
    let address = server.address();
    let (fill, filled) = oneshot::channel::<()>();
    let (say_open, open) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let opening = async move {
        let _ = filled.await;
        App::open(&settings).await
    };
    let running = tokio::spawn(server.run_until(
        opening,
        |address| say_open.send(address).expect("the test waits"),
        async { drop(stopped.await) },
    ));

    assert!(ask(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    for path in ["/readyz", "/api/films", "/"] {
        let answer = ask(address, path).await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{path}: {answer}");
        assert!(answer.contains("retry-after: 1") && answer.contains("cache-control: no-store"), "{answer}");
    }
    fill.send(()).expect("the server waits");
    assert_eq!(open.await.expect("it opens"), address);
    for path in ["/healthz", "/readyz", "/api/films"] {
        let answer = ask(address, path).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    stop.send(()).expect("the server runs");
    running.await.expect("no panic").expect("it stops cleanly");
}

#[tokio::test]
async fn a_start_that_is_stopped_midway_ends_at_once() {
    let folder = seeded_folder().await;
    let server = Server::bind(&settings(&folder)).await.expect("a free port");
    let address = server.address();
    let opened = |_| panic!("nothing was opened");
    server.run_until(pending(), opened, async {}).await.expect("it stops cleanly");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn a_start_that_fails_ends_the_server() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(database_in(&folder), "no database at all, and long enough to be one").expect("written");
    let settings = settings(&folder);
    let server = Server::bind(&settings).await.expect("a free port");
    let error = server.run_until(App::open(&settings), |_| {}, pending()).await.expect_err("no database");
    assert!(format!("{error:#}").contains("cannot open the database"), "{error:#}");
}

#[tokio::test]
async fn a_prepared_database_serves_as_a_template() {
    let template = tempfile::tempdir().expect("a folder");
    App::prepare(&settings(&template)).await.expect("it is made");
    let left: Vec<_> = std::fs::read_dir(template.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "one file, without a log that would have to come along: {left:?}");

    let folder = tempfile::tempdir().expect("a folder");
    let from_template =
        |folder: &TempDir| Settings { database_template: Some(database_in(&template)), ..settings(folder) };
    App::prepare(&from_template(&folder)).await.expect("it is copied");
    let copied = std::fs::read(database_in(&folder)).expect("a copy");
    assert_eq!(copied, std::fs::read(database_in(&template)).expect("the template"));
    let shop = Shop::open_in(folder).await;
    assert_eq!(shop.json("/api/films").await["total"], 3200);
}
