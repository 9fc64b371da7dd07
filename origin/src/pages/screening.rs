//! `/screenings/{id}`: the seat map.
//!
//! The page is the same for everybody and may be shared for a second. So it cannot carry an idempotency
//! key: everybody who is served the shared copy would order under the same one. Its form only
//! asks for the checkout page, which is one person's and is never stored.

use askama::Template;
use axum::extract::{self, Path};
use axum::response::Response;
use http::StatusCode;

use super::Layout;
use super::format::When;
use crate::api::number;
use crate::api::screenings::no_such;
use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::db::now;
use crate::db::screenings::{self, Screening};
use crate::domain::{MOST_SEATS, Seat};
use crate::http::{Problem, reply};

#[derive(Template)]
#[template(path = "screening.html")]
struct Page {
    layout: Layout,
    id: i64,
    film: i64,
    title: String,
    when: When,
    place: Place,
    price: String,
    /// For the script, which adds up.
    cents: i64,
    rows: Vec<Row>,
    columns: u8,
    capacity: usize,
    available: usize,
    most: usize,
    open: bool,
}

/// Where a screening is.
pub(super) struct Place {
    pub(super) cinema: String,
    pub(super) city: String,
    pub(super) hall: String,
}

impl Place {
    pub(super) fn of(screening: &Screening) -> Self {
        Self {
            cinema: screening.cinema_name.clone(),
            city: screening.city.clone(),
            hall: screening.hall_name.clone(),
        }
    }
}

struct Row {
    letter: char,
    /// Left and right of the aisle.
    halves: [Vec<Spot>; 2],
}

/// One seat of the map.
struct Spot {
    number: u8,
    taken: bool,
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = number("screening", &id)?;
    let found = state.db.read(move |db| screenings::with_sold(db, id)).await?;
    let (screening, sold) = found.ok_or_else(|| no_such(id))?;
    let hall = screening.hall;
    let when = When::new(screening.begins, &screening.zone);
    let rows = (0..hall.rows)
        .map(|row| {
            let seats = hall.seats_in(row);
            let half = |numbers: std::ops::RangeInclusive<u8>| {
                numbers.map(|number| Spot { number, taken: sold.contains(&Seat { row, number }) }).collect()
            };
            let aisle = seats / 2;
            Row {
                letter: Seat { row, number: 1 }.letter(),
                halves: [half(1..=aisle), half(aisle + 1..=seats)],
            }
        })
        .collect();
    let capacity = hall.capacity() as usize;
    let description = format!(
        "{} at {} in {}, {} {}: choose your seats, {} each.",
        screening.title, screening.cinema_name, screening.city, when.day, when.hour, screening.price
    );
    let page = Page {
        layout: Layout::listed(&state, &format!("/screenings/{id}"), &screening.title, description),
        id,
        film: screening.film,
        title: screening.title.clone(),
        when,
        place: Place::of(&screening),
        price: screening.price.to_string(),
        cents: screening.price.cents,
        rows,
        columns: hall.columns,
        capacity,
        available: capacity.saturating_sub(sold.len()),
        most: MOST_SEATS,
        open: screening.begins > now(),
    };
    Ok(reply::html(StatusCode::OK, CacheAs::screening_page(id, screening.film), &page))
}
