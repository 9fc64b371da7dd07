//! `GET /api/screenings/{id}` and its seats.

use axum::extract::{self, Path};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{number, view};
use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::db::screenings;
use crate::domain::Seat;
use crate::http::{Problem, reply};

pub(crate) fn no_such(id: i64) -> Problem {
    Problem::not_found(format!("No screening has the number {id}."))
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = number("screening", &id)?;
    let screening = state.db.read(move |db| screenings::get(db, id)).await?.ok_or_else(|| no_such(id))?;
    let view = view::Screening::of(&screening).with_plan(&screening);
    Ok(reply::json(StatusCode::OK, CacheAs::screening(id, screening.film), &view))
}

/// Which seats are free, its fields in the order of the alphabet.
#[derive(Serialize)]
struct Seats {
    available: usize,
    capacity: usize,
    rows: Vec<Row>,
    screening: i64,
}

#[derive(Serialize)]
struct Row {
    row: char,
    seats: u8,
    taken: Vec<u8>,
}

/// The numbers of the sold seats, row by row: small enough to be asked for every two seconds.
pub(crate) async fn seats(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = number("screening", &id)?;
    let found = state.db.read(move |db| screenings::with_sold(db, id)).await?;
    let (screening, sold) = found.ok_or_else(|| no_such(id))?;
    let hall = screening.hall;
    let row = |row| {
        let taken =
            (1..=hall.seats_in(row)).filter(|number| sold.contains(&Seat { row, number: *number })).collect();
        Row { row: Seat { row, number: 1 }.letter(), seats: hall.seats_in(row), taken }
    };
    let capacity = hall.capacity() as usize;
    let value = Seats {
        available: capacity.saturating_sub(sold.len()),
        capacity,
        rows: (0..hall.rows).map(row).collect(),
        screening: id,
    };
    Ok(reply::json(StatusCode::OK, CacheAs::seats(id), &value))
}
