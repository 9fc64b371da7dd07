//! Orders: a seat is sold once, and an order that is sent twice is made once.

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::screenings::{self, Screening};
use super::{Error, now};
use crate::domain::{Buyer, Money, OrderRequest, Seat};
use crate::http::hex;

/// How long an idempotency key stands for its order, in seconds: two days.
const KEY_LIFETIME: i64 = 48 * 3600;

/// What became of an order. Stored beside its idempotency key, and given again when the order comes again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It was made, under this id.
    Placed(String),
    /// Nothing was sold: these seats were sold to somebody else.
    Taken(Vec<String>),
}

/// The answer to an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Done {
        outcome: Outcome,
        /// Whether it is the answer to the same order sent before.
        replayed: bool,
    },
    /// The key already stands for a different order.
    KeyReused,
    NoSuchScreening,
    NoSuchSeat(Seat),
    /// The screening has begun.
    SaleOver,
}

/// Makes an order, all or nothing. Runs within one transaction that holds the write lock, so
/// what it reads cannot change before it commits.
pub(crate) fn place(tx: &Transaction<'_>, key: &str, order: &OrderRequest) -> Result<Answer, Error> {
    let request = Sha256::digest(order.canonical().as_bytes());
    if let Some(answer) = recall(tx, key, request.as_slice())? {
        return Ok(answer);
    }
    let Some(screening) = screenings::get(tx, order.screening)? else { return Ok(Answer::NoSuchScreening) };
    if let Some(seat) = order.seats.iter().find(|seat| !screening.hall.contains(**seat)) {
        return Ok(Answer::NoSuchSeat(*seat));
    }
    let now = now();
    if screening.begins <= now {
        return Ok(Answer::SaleOver);
    }
    let sold = screenings::sold(tx, screening.id, screening.round)?;
    let taken: Vec<String> =
        order.seats.iter().filter(|seat| sold.contains(seat)).map(Seat::to_string).collect();
    let outcome = if taken.is_empty() {
        Outcome::Placed(sell(tx, order, &screening, now)?)
    } else {
        Outcome::Taken(taken)
    };
    let stored = serde_json::to_string(&outcome).map_err(|error| Error::Corrupt(error.to_string()))?;
    tx.prepare_cached("INSERT INTO idempotency (key, request, outcome, created) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![key, request.as_slice(), stored, now])?;
    Ok(Answer::Done { outcome, replayed: false })
}

/// The answer that was given under this key, where there was one.
fn recall(db: &Connection, key: &str, request: &[u8]) -> Result<Option<Answer>, Error> {
    let known: Option<(Vec<u8>, String)> = db
        .prepare_cached("SELECT request, outcome FROM idempotency WHERE key = ?1")?
        .query_row([key], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((known_request, outcome)) = known else { return Ok(None) };
    if known_request != request {
        return Ok(Some(Answer::KeyReused));
    }
    let outcome = serde_json::from_str(&outcome).map_err(|error| Error::Corrupt(error.to_string()))?;
    Ok(Some(Answer::Done { outcome, replayed: true }))
}

/// Writes the order and its seats; the tables' keys refuse a seat that is sold.
fn sell(
    tx: &Transaction<'_>,
    order: &OrderRequest,
    screening: &Screening,
    now: i64,
) -> Result<String, Error> {
    let id = new_id()?;
    let seats: Vec<String> = order.seats.iter().map(Seat::to_string).collect();
    tx.prepare_cached(
        "INSERT INTO orders (id, screening, round, begins, seats, name, email, price, created)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?
    .execute(params![
        id,
        screening.id,
        screening.round,
        screening.begins,
        seats.join(" "),
        order.buyer.name,
        order.buyer.email,
        screening.price.cents,
        now
    ])?;
    let mut insert = tx.prepare_cached(
        "INSERT INTO sold_seats (screening, round, seat, order_id) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for seat in &order.seats {
        insert.execute(params![screening.id, screening.round, seat.code(), id])?;
    }
    Ok(id)
}

/// An order as it was made. Never changes.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: String,
    pub(crate) seats: Vec<String>,
    pub(crate) buyer: Buyer,
    pub(crate) total: Money,
    /// Unix seconds.
    pub(crate) created: i64,
    /// With the date that was ordered.
    pub(crate) screening: Screening,
}

/// One order, where there is one with this id.
pub(crate) fn get(db: &Connection, id: &str) -> Result<Option<Order>, Error> {
    let mut select = db.prepare_cached(
        "SELECT screening, round, begins, seats, name, email, price, created FROM orders WHERE id = ?1",
    )?;
    let Some((number, round, begins, seats, buyer, price, created)) = select
        .query_row([id], |row| {
            let buyer = Buyer { name: row.get(4)?, email: row.get(5)? };
            let seats: String = row.get(3)?;
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, seats, buyer, row.get(6)?, row.get(7)?))
        })
        .optional()?
    else {
        return Ok(None);
    };
    let screening = screenings::get(db, number)?
        .ok_or_else(|| Error::Corrupt(format!("screening {number} of an order does not exist")))?;
    let price = Money { cents: price, currency: screening.price.currency.clone() };
    let seats: Vec<String> = seats.split(' ').map(str::to_owned).collect();
    let total = price.times(seats.len());
    let screening = Screening { round, begins, price, ..screening };
    Ok(Some(Order { id: id.to_owned(), seats, buyer, total, created, screening }))
}

/// 128 random bits: whoever has the address has the order, and nobody guesses it.
fn new_id() -> Result<String, Error> {
    random_hex()
}

/// A fresh idempotency key for a form.
pub(crate) fn new_key() -> Result<String, Error> {
    random_hex()
}

fn random_hex() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(Error::Random)?;
    Ok(hex(&bytes))
}

/// Whether a key is older than it need be at `now`.
pub(super) fn any_old_key(db: &Connection, now: i64) -> Result<bool, Error> {
    let mut select = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM idempotency WHERE created < ?1)")?;
    Ok(select.query_row([now - KEY_LIFETIME], |row| row.get(0))?)
}

pub(super) fn forget_old_keys(tx: &Transaction<'_>, now: i64) -> Result<usize, Error> {
    Ok(tx.execute("DELETE FROM idempotency WHERE created < ?1", [now - KEY_LIFETIME])?)
}
