//! The pages, as a browser without JavaScript goes through them.

use crate::shop::Shop;

/// The value of the hidden field `name`.
fn hidden<'a>(page: &'a str, name: &str) -> &'a str {
    let mark = format!("<input type=\"hidden\" name=\"{name}\" value=\"");
    let start = page.find(&mark).unwrap_or_else(|| panic!("no field {name}")) + mark.len();
    page[start..].split('"').next().expect("a value")
}

#[tokio::test]
async fn from_the_seat_map_to_the_ticket() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(2).await;
    let map = shop.get(&format!("/screenings/{id}")).await.text();
    for seat in &seats {
        assert!(map.contains(&format!("value=\"{seat}\"")));
    }
    assert!(!map.contains("name=\"key\""), "the shared page carries no key");

    let query = format!("seat={}&seat={}", seats[0], seats[1]);
    let checkout = shop.get(&format!("/screenings/{id}/checkout?{query}")).await;
    assert_eq!(checkout.status, 200);
    let page = checkout.text();
    let form = format!("key={}&{query}&name=Ada+%3Cb%3E", hidden(&page, "key"));

    let path = format!("/screenings/{id}/orders");
    let ordered = shop.post_form(&path, &form).await;
    assert_eq!(ordered.status, 303);
    let twice = shop.post_form(&path, &form).await;
    assert_eq!(ordered.field("location"), twice.field("location"), "a second click orders nothing");

    let ticket = shop.get(ordered.field("location")).await;
    assert_eq!(ticket.status, 200);
    let ticket = ticket.text();
    assert!(ticket.contains(&seats[0]) && ticket.contains(&seats[1]));
    assert!(ticket.contains("Ada &#60;b&#62;"), "what visitors write is escaped");
    assert!(ticket.contains("shows your seats as taken within a few seconds"), "the shared map may be older");

    let late = shop.get(&format!("/screenings/{id}/checkout?{query}")).await;
    assert_eq!(late.status, 409);
    assert!(!late.text().contains("name=\"key\""), "there is nothing left to order");
}

#[tokio::test]
async fn each_checkout_has_a_key_of_its_own() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(1).await;
    let path = format!("/screenings/{id}/checkout?seat={}", seats[0]);
    let (one, other) = (shop.get(&path).await.text(), shop.get(&path).await.text());
    assert_ne!(hidden(&one, "key"), hidden(&other, "key"));
}

#[tokio::test]
async fn a_form_that_is_not_complete_comes_back_with_its_key() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(1).await;
    let form = format!("key=abc&seat={}&name=&email=nobody", seats[0]);
    let answer = shop.post_form(&format!("/screenings/{id}/orders"), &form).await;
    assert_eq!(answer.status, 422);
    let page = answer.text();
    assert!(page.contains("role=\"alert\"") && page.contains("email"));
    assert_eq!(hidden(&page, "key"), "abc");
}

#[tokio::test]
async fn a_seat_sold_meanwhile_is_named_and_the_key_is_new() {
    let shop = Shop::open().await;
    let (id, seats) = shop.screening(1).await;
    let path = format!("/screenings/{id}/orders");
    let form = |key: &str| format!("key={key}&seat={}&name=Ada", seats[0]);
    assert_eq!(shop.post_form(&path, &form("one")).await.status, 303);
    let answer = shop.post_form(&path, &form("two")).await;
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains(&format!("Seat {} was just sold", seats[0])));
}

#[tokio::test]
async fn pages_load_only_our_own_files() {
    let shop = Shop::open().await;
    let (id, _) = shop.screening(1).await;
    for path in ["/", "/?q=star", "/films/2260", &format!("/screenings/{id}"), "/problems", "/nowhere"] {
        let answer = shop.get(path).await;
        let page = answer.text();
        assert!(answer.field("content-security-policy").contains("default-src 'none'"), "{path}");
        assert!(!page.contains("style=\"") && !page.contains("<style"), "{path}: nothing inline");
        assert!(page.contains("data-levee-strip") && page.contains("<meta name=\"description\""), "{path}");
        for file in page.split(['"']).filter(|text| text.starts_with("/assets/")) {
            assert_eq!(shop.get(file).await.status, 200, "{file}");
        }
    }
}

#[tokio::test]
async fn paging_keeps_the_search() {
    let shop = Shop::open().await;
    let page = shop.get("/?genre=Drama&rating=7").await.text();
    assert!(page.contains("href=\"/?genre=Drama&#38;rating=7&#38;page=2\""), "{page}");
    assert_eq!(shop.get("/?genre=Nothing").await.status, 400);
}
