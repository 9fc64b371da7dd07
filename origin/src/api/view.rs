//! How the API writes what the database holds.
//!
//! Each view is a type that is written straight into the body, and borrows what it can: a tree of values in between cost as much
//! as running the queries (`docs/comparison.md`). Fields stand in the order of the alphabet.

use serde::{Serialize, Serializer};

use crate::db::films as films_db;
use crate::db::orders as orders_db;
use crate::db::screenings as screenings_db;
use crate::domain::{Money, Seat, local_time};

/// A moment with its offset: `2026-11-24T20:00:00+01:00`.
struct Moment<'a> {
    seconds: i64,
    zone: &'a str,
}

impl Serialize for Moment<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&local_time(self.seconds, self.zone).strftime("%Y-%m-%dT%H:%M:%S%:z"))
    }
}

/// An address below a path.
struct Address<'a, T>(&'static str, &'a T);

impl<T: std::fmt::Display> Serialize for Address<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("/{}/{}", self.0, self.1))
    }
}

#[derive(Serialize)]
struct Amount<'a> {
    amount: String,
    currency: &'a str,
}

impl<'a> Amount<'a> {
    fn of(money: &'a Money) -> Self {
        Self { amount: money.decimal(), currency: &money.currency }
    }
}

/// A film, in lists and by itself.
#[derive(Serialize)]
pub(super) struct Film<'a> {
    certificate: Option<&'a str>,
    director: Option<&'a str>,
    distributor: Option<&'a str>,
    genre: Option<&'a str>,
    id: i64,
    minutes: Option<i64>,
    /// Out of ten, with one decimal.
    rating: Option<f64>,
    released: Option<&'a str>,
    /// Where the film stands by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    screenings: Option<Vec<Screening<'a>>>,
    showings: i64,
    source: Option<&'a str>,
    style: Option<&'a str>,
    title: &'a str,
    tomatoes: Option<i64>,
    url: Address<'a, i64>,
    votes: i64,
    year: i64,
}

impl<'a> Film<'a> {
    pub(super) fn of(film: &'a films_db::Film) -> Self {
        Self {
            certificate: film.certificate.as_deref(),
            director: film.director.as_deref(),
            distributor: film.distributor.as_deref(),
            genre: film.genre.as_deref(),
            id: film.id,
            minutes: film.minutes,
            rating: film.rating.map(|tenths| f64::from(i32::try_from(tenths).unwrap_or_default()) / 10.0),
            released: film.released.as_deref(),
            screenings: None,
            showings: film.showings,
            source: film.source.as_deref(),
            style: film.style.as_deref(),
            title: &film.title,
            tomatoes: film.tomatoes,
            url: Address("films", &film.id),
            votes: film.votes,
            year: film.year,
        }
    }

    pub(super) fn with_screenings(self, upcoming: &'a [screenings_db::Screening]) -> Self {
        Self { screenings: Some(upcoming.iter().map(Screening::of).collect()), ..self }
    }
}

#[derive(Serialize)]
struct Cinema<'a> {
    city: &'a str,
    country: &'a str,
    id: i64,
    name: &'a str,
}

#[derive(Serialize)]
struct Title<'a> {
    id: i64,
    title: &'a str,
}

/// A row of a hall's plan.
#[derive(Serialize)]
struct Row {
    row: char,
    seats: u8,
}

/// A screening, in lists and by itself.
#[derive(Serialize)]
pub(super) struct Screening<'a> {
    begins: Moment<'a>,
    capacity: u32,
    cinema: Cinema<'a>,
    film: Title<'a>,
    hall: &'a str,
    id: i64,
    price: Amount<'a>,
    /// Where the screening stands by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<Vec<Row>>,
    time_zone: &'a str,
    url: Address<'a, i64>,
}

impl<'a> Screening<'a> {
    pub(super) fn of(screening: &'a screenings_db::Screening) -> Self {
        Self {
            begins: Moment { seconds: screening.begins, zone: &screening.zone },
            capacity: screening.hall.capacity(),
            cinema: Cinema {
                city: &screening.city,
                country: &screening.country,
                id: screening.cinema,
                name: &screening.cinema_name,
            },
            film: Title { id: screening.film, title: &screening.title },
            hall: &screening.hall_name,
            id: screening.id,
            price: Amount::of(&screening.price),
            rows: None,
            time_zone: &screening.zone,
            url: Address("screenings", &screening.id),
        }
    }

    pub(super) fn with_plan(self, screening: &screenings_db::Screening) -> Self {
        let hall = screening.hall;
        let row = |row| Row { row: Seat { row, number: 1 }.letter(), seats: hall.seats_in(row) };
        Self { rows: Some((0..hall.rows).map(row).collect()), ..self }
    }
}

/// An order with its screening.
#[derive(Serialize)]
pub(super) struct Order<'a> {
    created: Moment<'a>,
    email: Option<&'a str>,
    id: &'a str,
    name: Option<&'a str>,
    screening: Screening<'a>,
    seats: &'a [String],
    total: Amount<'a>,
    url: Address<'a, String>,
}

impl<'a> Order<'a> {
    pub(super) fn of(order: &'a orders_db::Order) -> Self {
        Self {
            created: Moment { seconds: order.created, zone: "UTC" },
            email: order.buyer.email.as_deref(),
            id: &order.id,
            name: order.buyer.name.as_deref(),
            screening: Screening::of(&order.screening),
            seats: &order.seats,
            total: Amount::of(&order.total),
            url: Address("orders", &order.id),
        }
    }
}
