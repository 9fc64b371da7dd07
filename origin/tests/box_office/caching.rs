//! What every answer says about its caching. The table is the contract; `docs/origin.md` gives the reasons.

use axum::body::Body;
use http::{Method, Request};

use crate::shop::{Answer, Shop};

const LIST: &str = "public, max-age=60, stale-while-revalidate=600, stale-if-error=86400";
const FILM: &str = "public, max-age=300, stale-while-revalidate=3600, stale-if-error=86400";
const SEATS: &str = "public, max-age=1, stale-while-revalidate=5, stale-if-error=300";
const LOOKUP: &str = "public, max-age=60, stale-while-revalidate=60, stale-if-error=3600";
const FIXED: &str = "public, max-age=3600, stale-while-revalidate=86400, stale-if-error=604800";
const ASSET: &str = "public, max-age=31536000, immutable";
const PERSONAL: &str = "private, no-store";
const ABSENT: &str = "public, max-age=10, stale-while-revalidate=30, stale-if-error=60";

/// Path, status, Cache-Control, Cache-Tag.
type Line = (String, u16, &'static str, String);

async fn table(shop: &Shop) -> Vec<Line> {
    let (id, seats) = shop.screening(2).await;
    let film = shop.json(&format!("/api/screenings/{id}")).await["film"]["id"].clone();
    let order = serde_json::json!({ "screening": id, "seats": seats[1..], "name": "Ada" });
    let order = shop.order("key", &order).await.json()["id"].as_str().expect("an id").to_owned();
    let home = shop.get("/").await.text();
    let style =
        home.split('"').find(|text| text.starts_with("/assets/site.")).expect("a style sheet").to_owned();
    let line = |path: String, status, control, tags: &str| (path, status, control, tags.to_owned());
    vec![
        line("/".into(), 200, LIST, "search, films"),
        line("/?q=star&page=2".into(), 200, LIST, "search, films"),
        line("/api/films?genre=Drama".into(), 200, LIST, "search, films"),
        line("/films/2260".into(), 200, FILM, "film-2260, films"),
        line("/api/films/2260".into(), 200, FILM, "film-2260, films"),
        line(format!("/api/screenings/{id}"), 200, LIST, &format!("screening-{id}, film-{film}, screenings")),
        line(
            format!("/api/screenings/{id}/seats"),
            200,
            SEATS,
            &format!("seats-{id}, screening-{id}, seats"),
        ),
        line(
            format!("/screenings/{id}"),
            200,
            SEATS,
            &format!("seats-{id}, screening-{id}, film-{film}, seats, screenings"),
        ),
        line("/data/a-key".into(), 200, LOOKUP, "data-a-key, data"),
        line("/data/a%2C%20b".into(), 200, LOOKUP, "data"),
        line(style, 200, ASSET, "assets"),
        line("/robots.txt".into(), 200, FIXED, "site"),
        line("/favicon.ico".into(), 200, FIXED, "site"),
        line("/problems".into(), 200, FIXED, "site"),
        line(format!("/orders/{order}"), 200, PERSONAL, "orders"),
        line(format!("/api/orders/{order}"), 200, PERSONAL, "orders"),
        line(format!("/screenings/{id}/checkout?seat={}", seats[0]), 200, PERSONAL, "orders"),
        line(format!("/screenings/{id}/checkout"), 422, PERSONAL, "orders"),
        line("/healthz".into(), 200, "no-store", "health"),
        line("/readyz".into(), 200, "no-store", "health"),
        line("/nothing".into(), 404, ABSENT, "absent"),
        line("/films/0".into(), 404, ABSENT, "absent"),
        line("/api/films/0".into(), 404, ABSENT, "absent"),
        line("/orders/nobodys".into(), 404, "no-store", "errors"),
        line("/api/orders/nobodys".into(), 404, "no-store", "errors"),
        line("/api/films?page=0".into(), 400, "no-store", "errors"),
        line("/api/orders".into(), 405, "no-store", "errors"),
    ]
}

async fn send(shop: &Shop, method: Method, path: &str, if_none_match: &str) -> Answer {
    let request = Request::builder().method(method).uri(path).header("if-none-match", if_none_match);
    shop.send(request.body(Body::empty()).expect("a request")).await
}

#[tokio::test]
async fn every_answer_says_how_it_may_be_cached() {
    let shop = Shop::open().await;
    for (path, status, control, tags) in table(&shop).await {
        let answer = shop.get(&path).await;
        assert_eq!(answer.status.as_u16(), status, "{path}");
        assert_eq!(answer.field("cache-control"), control, "{path}");
        assert_eq!(answer.field("cache-tag"), tags, "{path}");
        assert_eq!(answer.field("x-content-type-options"), "nosniff", "{path}");
        assert!(!answer.headers.contains_key("set-cookie") && !answer.headers.contains_key("vary"), "{path}");
        let shared = control.starts_with("public");
        assert!(!(shared && status == 200) || answer.headers.contains_key("etag"), "{path}: no ETag");
    }
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let shop = Shop::open().await;
    for (path, status, control, _) in table(&shop).await {
        let first = shop.get(&path).await;
        let tag = first.field("etag");
        if status != 200 || tag.is_empty() || path.contains("checkout") {
            continue;
        }
        for method in [Method::GET, Method::HEAD] {
            let again = send(&shop, method.clone(), &path, &format!("\"other\", {tag}")).await;
            assert_eq!(again.status, 304, "{method} {path}");
            assert!(again.body.is_empty());
            assert_eq!((again.field("etag"), again.field("cache-control")), (tag, control), "{path}");
            assert_eq!(again.field("cache-tag"), first.field("cache-tag"), "{path}");
        }
        let changed = send(&shop, Method::GET, &path, "\"other\"").await;
        assert_eq!((changed.status.as_u16(), changed.field("etag")), (200, tag), "{path}");
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let shop = Shop::open().await;
    for (path, status, ..) in table(&shop).await {
        if path.contains("checkout") || status == 405 {
            continue;
        }
        let get = shop.get(&path).await;
        let head = send(&shop, Method::HEAD, &path, "\"none\"").await;
        assert_eq!(head.status, get.status, "{path}");
        assert!(head.body.is_empty(), "{path}");
        for field in ["cache-control", "cache-tag", "etag", "content-type", "content-length"] {
            if field == "content-length" && path.starts_with("/data/") {
                // It says how long it took, and 9 ms are shorter to write than 10.
                continue;
            }
            assert_eq!(head.field(field), get.field(field), "{field} of {path}");
        }
    }
}

#[tokio::test]
async fn a_seat_map_changes_its_tag_when_a_seat_is_sold() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(1).await;
    let path = format!("/api/screenings/{id}/seats");
    let before = shop.get(&path).await.field("etag").to_owned();
    assert_eq!(send(&shop, Method::GET, &path, &before).await.status, 304);
    let order = serde_json::json!({ "screening": id, "seats": seats, "name": "Ada" });
    assert_eq!(shop.order("key", &order).await.field("cache-control"), "no-store");
    assert_eq!(send(&shop, Method::GET, &path, &before).await.status, 200);
}

#[tokio::test]
async fn a_look_up_has_one_tag_however_long_it_took() {
    let shop = Shop::open().await;
    let (one, other) = (shop.get("/data/x").await, shop.get("/data/x").await);
    assert!(one.field("etag").starts_with("W/"));
    assert_eq!(one.field("etag"), other.field("etag"));
    assert_eq!(one.json()["value"], other.json()["value"]);
    assert_ne!(one.json()["value"], shop.get("/data/y").await.json()["value"]);
}
