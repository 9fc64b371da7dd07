//! The seed: large enough, the same for everybody, and always with something to sell.

use levee_origin::App;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::shop::{Shop, database_in, settings};

fn count(db: &Connection, sql: &str) -> i64 {
    db.query_row(sql, [], |row| row.get(0)).expect("a number")
}

/// All that the seed decides; not the dates, which the calendar does.
fn fingerprint(db: &Connection) -> String {
    let mut hash = Sha256::new();
    for sql in [
        "SELECT id || title || year || votes || showings FROM films ORDER BY id",
        "SELECT id || name || city FROM cinemas ORDER BY id",
        "SELECT id || cinema || rows || columns || taper FROM halls ORDER BY id",
        "SELECT id || '.' || film || '.' || hall || '.' || day || '.' || minute || '.' || price FROM screenings ORDER BY id",
        "SELECT screening || '.' || seat FROM sold_seats ORDER BY screening, seat",
    ] {
        let mut select = db.prepare(sql).expect("a statement");
        let mut rows = select.query([]).expect("rows");
        while let Some(row) = rows.next().expect("a row") {
            hash.update(row.get::<_, String>(0).expect("text"));
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn the_programme_is_large() {
    let shop = Shop::open().await;
    let db = shop.database();
    assert!(count(&db, "SELECT count(DISTINCT city) FROM cinemas") >= 20);
    assert!(count(&db, "SELECT count(*) FROM screenings") >= 5_000);
    assert!(count(&db, "SELECT sum(capacity) FROM screenings s JOIN halls h ON h.id = s.hall") >= 500_000);
    let wrong = "SELECT count(*) FROM sold_seats x JOIN screenings s ON s.id = x.screening JOIN halls h ON h.id = s.hall
                  WHERE x.seat / 100 >= h.rows OR x.seat % 100 < 1 OR x.seat % 100 > h.columns";
    assert_eq!(count(&db, wrong), 0, "sold seats are seats of the hall");
}

#[tokio::test]
async fn two_shops_are_the_same_shop() {
    let one = Shop::open().await;
    let folder = TempDir::new().expect("a temporary folder");
    drop(App::open(&settings(&folder)).await.expect("the database can be filled"));
    let other = Connection::open(database_in(&folder)).expect("the database opens");
    assert_eq!(fingerprint(&one.database()), fingerprint(&other));
}

#[tokio::test]
async fn two_processes_that_start_at_once_fill_it_once() {
    let folder = TempDir::new().expect("a temporary folder");
    let settings = settings(&folder);
    let (one, other) = tokio::join!(App::open(&settings), App::open(&settings));
    one.expect("one opens it");
    other.expect("the other opens it");
    let db = Connection::open(database_in(&folder)).expect("the database opens");
    assert_eq!(count(&db, "SELECT count(*) FROM films"), 3200);
}

#[tokio::test]
async fn what_was_shown_goes_on_sale_again_with_free_seats() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(1).await;
    let order = serde_json::json!({ "screening": id, "seats": seats, "name": "Ada" });
    let placed = shop.order("k", &order).await.json();
    // Two programmes pass.
    shop.database()
        .execute_batch("UPDATE screenings SET begins = begins - 56 * 86400, round = round - 2; UPDATE sold_seats SET round = round - 2;
                        UPDATE orders SET begins = begins - 56 * 86400, round = round - 2;")
        .expect("time can pass");
    let shop = Shop::open_in(shop.close()).await;
    let db = shop.database();
    assert_eq!(count(&db, "SELECT count(*) FROM screenings WHERE begins < unixepoch() - 4 * 3600"), 0);
    let map = shop.json(&format!("/api/screenings/{id}/seats")).await;
    assert_eq!(map["available"], map["capacity"]);
    // The old ticket keeps its own date.
    let ticket = shop.json(&format!("/api/orders/{}", placed["id"].as_str().expect("an id"))).await;
    assert_eq!(ticket["seats"], placed["seats"]);
    assert_ne!(ticket["screening"]["begins"], shop.json(&format!("/api/screenings/{id}")).await["begins"]);
    // And the same seat can be sold for the new one.
    assert_eq!(shop.order("k2", &order).await.status, 201);
}

#[tokio::test]
async fn a_database_that_is_not_ours_is_left_alone() {
    let folder = TempDir::new().expect("a temporary folder");
    let path = database_in(&folder);
    Connection::open(&path).and_then(|db| db.execute_batch("CREATE TABLE mine (x)")).expect("a database");
    let error = App::open(&settings(&folder)).await.expect_err("must be refused").to_string();
    assert!(error.contains("not the box office's") && error.contains("--database"), "{error}");
    std::fs::write(&path, "this is no database, however long the text may be, and never was")
        .expect("a file");
    let error = App::open(&settings(&folder)).await.expect_err("must be refused").to_string();
    assert!(error.contains("shop.sqlite") && error.contains("--database"), "{error}");
}
