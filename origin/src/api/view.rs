//! How the API writes what the database holds.

use serde_json::{Value, json};

use crate::db::films::Film;
use crate::db::orders::Order;
use crate::db::screenings::Screening;
use crate::domain::{Money, local_time};

/// A moment with its offset: `2026-11-24T20:00:00+01:00`.
fn rfc3339(seconds: i64, zone: &str) -> String {
    local_time(seconds, zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// A rating out of ten, as a number with one decimal.
fn rating(tenths: i64) -> Value {
    json!(f64::from(i32::try_from(tenths).unwrap_or_default()) / 10.0)
}

fn money(amount: &Money) -> Value {
    json!({ "amount": amount.decimal(), "currency": amount.currency })
}

pub(super) fn film(film: &Film) -> Value {
    json!({
        "id": film.id,
        "title": film.title,
        "year": film.year,
        "released": film.released,
        "genre": film.genre,
        "style": film.style,
        "source": film.source,
        "director": film.director,
        "distributor": film.distributor,
        "certificate": film.certificate,
        "minutes": film.minutes,
        "rating": film.rating.map(rating),
        "votes": film.votes,
        "tomatoes": film.tomatoes,
        "showings": film.showings,
        "url": format!("/films/{}", film.id),
    })
}

pub(super) fn screening(screening: &Screening) -> Value {
    json!({
        "id": screening.id,
        "film": { "id": screening.film, "title": screening.title },
        "cinema": {
            "id": screening.cinema,
            "name": screening.cinema_name,
            "city": screening.city,
            "country": screening.country,
        },
        "hall": screening.hall_name,
        "begins": rfc3339(screening.begins, &screening.zone),
        "time_zone": screening.zone,
        "price": money(&screening.price),
        "capacity": screening.hall.capacity(),
        "url": format!("/screenings/{}", screening.id),
    })
}

pub(super) fn order(order: &Order) -> Value {
    json!({
        "id": order.id,
        "screening": screening(&order.screening),
        "seats": order.seats,
        "name": order.buyer.name,
        "email": order.buyer.email,
        "total": money(&order.total),
        "created": rfc3339(order.created, "UTC"),
        "url": format!("/orders/{}", order.id),
    })
}
