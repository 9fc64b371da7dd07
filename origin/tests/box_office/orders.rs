//! Orders: once, whole, or not at all.

use std::collections::HashSet;
use std::sync::Arc;

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::shop::{Shop, free_seats};

const BUYERS: usize = 40;

#[tokio::test]
async fn an_order_takes_its_seats() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(2).await;
    let answer = shop
        .order("k1", &json!({ "screening": id, "seats": seats, "name": "Ada", "email": "ada@example.com" }))
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let order = answer.json();
    assert_eq!(order["seats"], json!(seats));
    assert_eq!(order["name"], "Ada");
    assert_eq!(answer.field("location"), format!("/api/orders/{}", order["id"].as_str().expect("an id")));
    assert_eq!(shop.json(answer.field("location")).await, order);
    let free = free_seats(&shop.json(&format!("/api/screenings/{id}/seats")).await);
    assert!(seats.iter().all(|seat| !free.contains(seat)));
}

#[tokio::test]
async fn the_same_key_and_order_give_the_same_answer_once() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(2).await;
    let first = shop.order("key", &json!({ "screening": id, "seats": seats, "name": "Ada" })).await;
    // Written another way, it is still the same order.
    let reversed: Vec<&String> = seats.iter().rev().collect();
    let again = shop.order("key", &json!({ "name": " Ada ", "seats": reversed, "screening": id })).await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(first.field("location"), again.field("location"));
    assert_eq!((first.field("idempotency-replayed"), again.field("idempotency-replayed")), ("", "true"));
    let orders: i64 =
        shop.database().query_row("SELECT count(*) FROM orders", [], |row| row.get(0)).expect("a number");
    assert_eq!(orders, 1);
    // Also after a restart.
    let shop = Shop::open_in(shop.close()).await;
    let later = shop.order("key", &json!({ "screening": id, "seats": seats, "name": "Ada" })).await;
    assert_eq!(later.body, first.body);
}

#[tokio::test]
async fn a_key_stands_for_one_order() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(2).await;
    assert_eq!(
        shop.order("key", &json!({ "screening": id, "seats": seats[..1], "name": "Ada" })).await.status,
        201
    );
    let other = shop.order("key", &json!({ "screening": id, "seats": seats[1..], "name": "Ada" })).await;
    other.problem(422, "key-reused");
    let free = free_seats(&shop.json(&format!("/api/screenings/{id}/seats")).await);
    assert!(free.contains(&seats[1]), "nothing was sold");
}

#[tokio::test]
async fn a_taken_seat_is_named_and_nothing_else_is_sold() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(3).await;
    assert_eq!(
        shop.order("a", &json!({ "screening": id, "seats": seats[1..2], "name": "Ada" })).await.status,
        201
    );
    let order = json!({ "screening": id, "seats": seats, "name": "Bob" });
    let problem = shop.order("b", &order).await.problem(409, "seats-taken");
    assert_eq!(problem["seats"], json!([seats[1]]));
    let free = free_seats(&shop.json(&format!("/api/screenings/{id}/seats")).await);
    assert!(free.contains(&seats[0]) && free.contains(&seats[2]));
    // The answer belongs to the key like any other.
    assert_eq!(shop.order("b", &order).await.problem(409, "seats-taken"), problem);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_want_one_seat_and_one_gets_it() {
    let shop = Arc::new(Shop::open().await);
    let (id, seats) = shop.screening(1).await;
    let mut buyers = JoinSet::new();
    for buyer in 0..BUYERS {
        let (shop, seats) = (Arc::clone(&shop), seats.clone());
        buyers.spawn(async move {
            let order = json!({ "screening": id, "seats": seats, "name": format!("Buyer {buyer}") });
            shop.order(&format!("key-{buyer}"), &order).await.status.as_u16()
        });
    }
    let mut answers = buyers.join_all().await;
    answers.sort_unstable();
    assert_eq!(answers[0], 201);
    assert!(answers[1..].iter().all(|status| *status == 409), "{answers:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_order_sent_many_times_at_once_is_made_once() {
    let shop = Arc::new(Shop::open().await);
    let (id, seats) = shop.screening(2).await;
    let mut copies = JoinSet::new();
    for _ in 0..BUYERS {
        let (shop, seats) = (Arc::clone(&shop), seats.clone());
        copies.spawn(async move {
            let answer = shop.order("one", &json!({ "screening": id, "seats": seats, "name": "Ada" })).await;
            (answer.status.as_u16(), answer.text())
        });
    }
    let answers: HashSet<(u16, String)> = copies.join_all().await.into_iter().collect();
    assert_eq!(answers.len(), 1);
    assert!(answers.iter().all(|(status, _)| *status == 201));
}

#[tokio::test]
async fn a_wrong_order_says_what_is_wrong() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(1).await;
    let seat = &seats[0];
    let nine: Vec<String> = (1..=9).map(|number| format!("A{number}")).collect();
    let wrong: [(Value, u16, &str, &str); 9] = [
        (json!({ "screening": id, "seats": [seat] }), 422, "invalid-order", "name"),
        (json!({ "screening": id, "seats": [], "name": "Ada" }), 422, "invalid-order", "at least one seat"),
        (json!({ "screening": id, "seats": nine, "name": "Ada" }), 422, "invalid-order", "At most 8"),
        (json!({ "screening": id, "seats": [seat, seat], "name": "Ada" }), 422, "invalid-order", "twice"),
        (json!({ "screening": id, "seats": ["Z99"], "name": "Ada" }), 422, "invalid-order", "Z99"),
        (json!({ "screening": id, "seats": ["front"], "name": "Ada" }), 422, "invalid-order", "front"),
        (json!({ "screening": 999_999, "seats": [seat], "name": "Ada" }), 422, "invalid-order", "999999"),
        (json!({ "seats": [seat], "name": "Ada" }), 400, "invalid-request", "screening"),
        (
            json!({ "screening": id, "seats": [seat], "name": "Ada", "vip": true }),
            400,
            "invalid-request",
            "vip",
        ),
    ];
    for (order, status, kind, word) in wrong {
        let problem = shop.order("key", &order).await.problem(status, kind);
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains(word)), "{problem}");
    }
    // None of these used the key up.
    assert_eq!(
        shop.order("key", &json!({ "screening": id, "seats": [seat], "name": "Ada" })).await.status,
        201
    );
}

#[tokio::test]
async fn the_sale_ends_when_the_screening_begins() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(1).await;
    shop.database()
        .execute("UPDATE screenings SET begins = unixepoch() - 60 WHERE id = ?1", [id])
        .expect("time can pass");
    let answer = shop.order("key", &json!({ "screening": id, "seats": seats, "name": "Ada" })).await;
    answer.problem(409, "sale-over");
    let page = shop.get(&format!("/screenings/{id}")).await.text();
    assert!(page.contains("has begun") && !page.contains("type=\"submit\""));
}

#[tokio::test]
async fn what_is_not_an_order_is_refused_before_it_is_read() {
    let shop = Shop::open().await;
    let post = |key: Option<&str>, media_type: &str, body: String| {
        let mut request = Request::post("/api/orders").header("content-type", media_type);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        request.body(Body::from(body)).expect("a request")
    };
    let small = "{}".to_owned();
    shop.send(post(None, "application/json", small.clone())).await.problem(400, "invalid-request");
    shop.send(post(Some("a b"), "application/json", small.clone())).await.problem(400, "invalid-request");
    shop.send(post(Some(&"k".repeat(129)), "application/json", small.clone()))
        .await
        .problem(400, "invalid-request");
    shop.send(post(Some("k"), "text/plain", small.clone())).await.problem(415, "wrong-media-type");
    shop.send(post(Some("k"), "application/json", "{".to_owned())).await.problem(400, "invalid-request");
    let large = format!("{{\"name\": \"{}\"}}", "a".repeat(17 * 1024));
    shop.send(post(Some("k"), "application/json; charset=utf-8", large)).await.problem(413, "too-large");
}
