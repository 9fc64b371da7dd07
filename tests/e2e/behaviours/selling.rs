//! Orders through the edge, at the real box office.

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::client::{Ask, Edge};
use crate::cx::Cx;
use crate::wait::until;

/// A screening that no other test sells for, and a seat of it that is free.
async fn free_seat(cx: &Cx<'_>, edge: &Edge) -> Result<(u64, String)> {
    let films = edge.get("/api/films?showing=1").await?.json()?;
    let film = films["films"][0]["id"].as_u64().context("no film is on")?;
    let film = edge.get(&format!("/api/films/{film}")).await?.json()?;
    let all = film["screenings"].as_array().context("no screenings")?;
    // From the end: the first ones may begin while the test runs.
    let screening = all.iter().rev().nth(cx.world.next_number()).context("too few screenings")?;
    let id = screening["id"].as_u64().context("a screening without an id")?;
    let map = edge.get(&seats(id)).await?.json()?;
    let rows = map["rows"].as_array().context("a hall without rows")?;
    let free = rows.iter().find_map(|row| {
        let number = (1..=row["seats"].as_u64()?).find(|number| !is_in(row, *number))?;
        Some(format!("{}{number}", row["row"].as_str()?))
    });
    Ok((id, free.context("the hall is sold out")?))
}

fn seats(screening: u64) -> String {
    format!("/api/screenings/{screening}/seats")
}

fn is_in(row: &Value, number: u64) -> bool {
    row["taken"].as_array().is_some_and(|taken| taken.iter().any(|taken| *taken == number))
}

fn is_taken(map: &Value, seat: &str) -> bool {
    let (row, number) = seat.split_at(1);
    let rows = map["rows"].as_array().into_iter().flatten();
    let number = number.parse().unwrap_or_default();
    rows.filter(|found| found["row"] == row).any(|row| is_in(row, number))
}

fn order(screening: u64, seat: &str, key: &str) -> Ask {
    let order = json!({ "screening": screening, "seats": [seat], "name": "Ada" });
    Ask::new("POST", "/api/orders").field("idempotency-key", key).json(&order)
}

pub(super) async fn an_order_sent_twice_is_made_once(cx: &Cx<'_>) -> Result<()> {
    let edge = cx.shop()?;
    let (screening, seat) = free_seat(cx, &edge).await?;
    let key = cx.label("");
    let first = edge.send(order(screening, &seat, &key)).await?;
    let second = edge.send(order(screening, &seat, &key)).await?;
    assert_eq!((first.status, second.status), (201, 201), "{first:?} {second:?}");
    assert_eq!(first.json()?["id"], second.json()?["id"]);
    assert_eq!(
        (first.field("idempotency-replayed"), second.field("idempotency-replayed")),
        ("".into(), "true".into())
    );
    assert_eq!(second.timing("cache").as_deref(), Some("pass"));
    // The order is its owner's alone, however often it is asked for.
    let address = first.field("location");
    for _ in 0..2 {
        let own = edge.get(&address).await?;
        assert_eq!((own.status, own.timing("cache").as_deref()), (200, Some("pass")), "{own:?}");
        assert_eq!(own.json()?["id"], first.json()?["id"]);
    }
    Ok(())
}

pub(super) async fn a_seat_is_sold_to_one_of_many_who_want_it(cx: &Cx<'_>) -> Result<()> {
    let edge = cx.shop()?;
    let (screening, seat) = free_seat(cx, &edge).await?;
    let keys: Vec<_> = (0..20).map(|buyer| cx.label(&format!("-{buyer}"))).collect();
    let answers = try_join_all(keys.iter().map(|key| edge.send(order(screening, &seat, key)))).await?;
    let with = |status| answers.iter().filter(|answer| answer.status == status).count();
    assert_eq!((with(201), with(409)), (1, 19), "{answers:?}");
    Ok(())
}

pub(super) async fn a_seat_that_is_sold_is_soon_seen_taken(cx: &Cx<'_>) -> Result<()> {
    let edge = cx.shop()?;
    let (screening, seat) = free_seat(cx, &edge).await?;
    let before = edge.get(&seats(screening)).await?;
    ensure!(!is_taken(&before.json()?, &seat), "{seat} of {before:?}");
    assert_eq!(edge.send(order(screening, &seat, &cx.label(""))).await?.status, 201);
    until("the seat to be seen taken", async || {
        let map = edge.get(&seats(screening)).await?.json()?;
        Ok(is_taken(&map, &seat).then_some(()))
    })
    .await
}
