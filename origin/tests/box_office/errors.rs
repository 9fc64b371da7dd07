//! Errors: problem details for programs, pages for people, caching fields on both.

use axum::body::Body;
use http::Request;

use crate::shop::Shop;

#[tokio::test]
async fn the_api_answers_with_problems() {
    let shop = Shop::open().await;
    let absent = [
        "/api",
        "/api/nothing",
        "/api/films/0",
        "/api/films/99999",
        "/api/films/x",
        "/api/films/01",
        "/api/films/9999999999999999999999",
        "/api/screenings/0",
        "/api/screenings/0/seats",
        "/api/orders/0123456789abcdef0123456789abcdef",
    ];
    for path in absent {
        shop.get(path).await.problem(404, "not-found");
    }
    shop.get("/api/films/%FF").await.problem(400, "invalid-request");
    shop.get("/data/%C3%28").await.problem(400, "invalid-request");
    shop.get(&format!("/data/{}", "k".repeat(201))).await.problem(400, "invalid-request");
}

#[tokio::test]
async fn a_wrong_method_says_which_are_right() {
    let shop = Shop::open().await;
    for (method, path, allowed) in
        [("DELETE", "/api/films", "GET"), ("GET", "/api/orders", "POST"), ("BREW", "/data/x", "GET")]
    {
        let answer = shop
            .send(Request::builder().method(method).uri(path).body(Body::empty()).expect("a request"))
            .await;
        answer.problem(405, "method-not-allowed");
        assert!(answer.field("allow").contains(allowed), "{path}: {}", answer.field("allow"));
        assert_eq!(answer.field("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn people_get_pages() {
    let shop = Shop::open().await;
    for path in
        ["/nothing", "/films/0", "/films/x", "/screenings/0", "/orders/x", "/assets/site.css", "/apiary"]
    {
        let answer = shop.get(path).await;
        assert_eq!(answer.status, 404, "{path}");
        assert_eq!(answer.field("content-type"), "text/html; charset=utf-8", "{path}");
        assert!(answer.text().contains("<h1>Not found</h1>"), "{path}");
    }
}

#[tokio::test]
async fn the_page_of_problems_explains_every_type() {
    let shop = Shop::open().await;
    let page = shop.get("/problems").await.text();
    for path in ["/api/films/0", "/api/films?page=0"] {
        let problem = shop.get(path).await.json();
        let (_, kind) = problem["type"].as_str().and_then(|kind| kind.split_once('#')).expect("a type");
        assert!(page.contains(&format!("id=\"{kind}\"")), "{kind}");
    }
}
