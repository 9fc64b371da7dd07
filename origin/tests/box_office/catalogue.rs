//! Search, paging, detail.

use std::collections::HashSet;

use serde_json::Value;

use crate::shop::Shop;

fn titles(list: &Value) -> Vec<&str> {
    list["films"]
        .as_array()
        .expect("films")
        .iter()
        .map(|film| film["title"].as_str().expect("a title"))
        .collect()
}

#[tokio::test]
async fn text_finds_beginnings_of_words_and_ignores_accents() {
    let shop = Shop::open().await;
    assert_eq!(titles(&shop.json("/api/films?q=godfath").await)[0], "The Godfather");
    assert!(titles(&shop.json("/api/films?q=amelie").await).contains(&"Le Fabuleux destin d'Amélie Poulain"));
    let by_director = shop.json("/api/films?q=hitchcock").await;
    assert!(by_director["total"].as_u64() >= Some(5));
    // Words of any order, each must match.
    assert_eq!(titles(&shop.json("/api/films?q=kubrick%20shining").await), ["The Shining"]);
}

#[tokio::test]
async fn what_looks_like_an_operator_is_only_text() {
    let shop = Shop::open().await;
    for text in ["%22", "*", "a%20OR%20b%29", "NEAR%28", "title%3Ax", "%27%3B--", "%00"] {
        shop.json(&format!("/api/films?q={text}")).await;
    }
    assert_eq!(shop.json("/api/films?q=%3F%21").await["total"], 0);
}

#[tokio::test]
async fn genre_year_and_rating_narrow_together() {
    let shop = Shop::open().await;
    let found = shop.json("/api/films?genre=Western&rating=7.5&year=1969").await;
    assert!(found["total"].as_u64() > Some(0));
    for film in found["films"].as_array().expect("films") {
        assert_eq!(film["genre"], "Western");
        assert_eq!(film["year"], 1969);
        assert!(film["rating"].as_f64() >= Some(7.5));
    }
    let on_now = shop.json("/api/films?showing=1").await;
    assert!(
        on_now["films"].as_array().expect("films").iter().all(|film| film["showings"].as_u64() > Some(0))
    );
}

#[tokio::test]
async fn pages_cover_the_catalogue_once() {
    let shop = Shop::open().await;
    let first = shop.json("/api/films?genre=Western").await;
    let pages = first["pages"].as_u64().expect("a number");
    assert!(pages > 1);
    let mut seen = HashSet::new();
    for page in 1..=pages {
        let list = shop.json(&format!("/api/films?genre=Western&page={page}")).await;
        let films = list["films"].as_array().expect("films").clone();
        assert!(films.len() as u64 <= list["per_page"].as_u64().expect("a number"));
        seen.extend(films.iter().map(|film| film["id"].as_u64().expect("an id")));
    }
    assert_eq!(seen.len() as u64, first["total"].as_u64().expect("a number"));
    let beyond = shop.json("/api/films?genre=Western&page=200").await;
    assert_eq!(beyond["films"], serde_json::json!([]));
    assert_eq!(shop.json("/api/films").await["total"], 3200);
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let shop = Shop::open().await;
    let long = format!("q={}", "a".repeat(101));
    for (query, name) in [
        ("page=0", "page"),
        ("page=201", "page"),
        ("page=x", "page"),
        ("year=19", "year"),
        ("rating=11", "rating"),
        ("rating=7.55", "rating"),
        ("genre=Cooking", "genre"),
        ("showing=yes", "showing"),
        (long.as_str(), "q"),
    ] {
        let problem = shop.get(&format!("/api/films?{query}")).await.problem(400, "invalid-request");
        let detail = problem["detail"].as_str().expect("a detail");
        assert!(detail.contains(&format!("`{name}`")), "{query}: {detail}");
    }
}

#[tokio::test]
async fn a_film_lists_its_screenings_and_they_name_it() {
    let shop = Shop::open().await;
    let film = shop.json("/api/films?showing=1").await["films"][0]["id"].clone();
    let film = shop.json(&format!("/api/films/{film}")).await;
    let screenings = film["screenings"].as_array().expect("screenings");
    assert!(!screenings.is_empty());
    let screening = shop.json(&format!("/api/screenings/{}", screenings[0]["id"])).await;
    assert_eq!(screening["film"]["id"], film["id"]);
    assert_eq!(screening["begins"], screenings[0]["begins"]);
    let capacity: u64 =
        screening["rows"].as_array().expect("rows").iter().filter_map(|row| row["seats"].as_u64()).sum();
    assert_eq!(Some(capacity), screening["capacity"].as_u64());
}
