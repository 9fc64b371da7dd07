//! Screenings, their halls and their sold seats.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, Row, Transaction};

use super::Error;
use crate::domain::{Hall, Money, Seat, Slot, over_before};

/// More than a film ever has in one programme.
const MOST_LISTED: i64 = 400;
const SELECT: &str = "SELECT s.id, s.film, f.title, s.round, s.begins, s.price, h.name, h.rows, h.columns, h.taper,
           c.id, c.name, c.city, c.country, c.zone, c.currency
      FROM screenings s JOIN films f ON f.id = s.film JOIN halls h ON h.id = s.hall JOIN cinemas c ON c.id = h.cinema";

/// A screening with all that is said about it.
#[derive(Debug, Clone)]
pub(crate) struct Screening {
    pub(crate) id: i64,
    pub(crate) film: i64,
    pub(crate) title: String,
    pub(crate) round: i64,
    /// Unix seconds.
    pub(crate) begins: i64,
    /// A seat.
    pub(crate) price: Money,
    pub(crate) hall_name: String,
    pub(crate) hall: Hall,
    pub(crate) cinema: i64,
    pub(crate) cinema_name: String,
    pub(crate) city: String,
    pub(crate) country: String,
    pub(crate) zone: String,
}

/// One screening, where there is one with this number.
pub(crate) fn get(db: &Connection, id: i64) -> Result<Option<Screening>, Error> {
    Ok(db.prepare_cached(&format!("{SELECT} WHERE s.id = ?1"))?.query_row([id], screening).optional()?)
}

/// A screening with its sold seats.
pub(crate) fn with_sold(db: &Connection, id: i64) -> Result<Option<(Screening, HashSet<Seat>)>, Error> {
    let Some(screening) = get(db, id)? else { return Ok(None) };
    let sold = sold(db, id, screening.round)?;
    Ok(Some((screening, sold)))
}

/// The screenings of a film that have not begun at `now`: by city, then by time.
pub(crate) fn upcoming(db: &Connection, film: i64, now: i64) -> Result<Vec<Screening>, Error> {
    let select = format!(
        "{SELECT} WHERE s.film = ?1 AND s.begins > ?2 ORDER BY c.city, c.id, s.begins, s.id LIMIT ?3"
    );
    let mut select = db.prepare_cached(&select)?;
    Ok(select.query_map([film, now, MOST_LISTED], screening)?.collect::<Result<_, _>>()?)
}

/// The seats of a screening's round that are sold.
pub(crate) fn sold(db: &Connection, id: i64, round: i64) -> Result<HashSet<Seat>, Error> {
    let mut select = db.prepare_cached("SELECT seat FROM sold_seats WHERE screening = ?1 AND round = ?2")?;
    let codes = select.query_map([id, round], |row| row.get(0))?;
    codes
        .map(|code| {
            let code = code?;
            Seat::from_code(code).ok_or_else(|| Error::Corrupt(format!("seat {code} of screening {id}")))
        })
        .collect()
}

/// Counts for the front page.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) films: i64,
    pub(crate) cities: i64,
    pub(crate) screenings: i64,
    pub(crate) seats: i64,
}

pub(crate) fn totals(db: &Connection) -> Result<Totals, Error> {
    let mut select = db.prepare_cached(
        "SELECT (SELECT count(*) FROM films), (SELECT count(DISTINCT city) FROM cinemas), count(*), sum(h.capacity)
           FROM screenings s JOIN halls h ON h.id = s.hall",
    )?;
    Ok(select.query_row([], |row| {
        Ok(Totals { films: row.get(0)?, cities: row.get(1)?, screenings: row.get(2)?, seats: row.get(3)? })
    })?)
}

/// Whether a screening is over at `now`.
pub(super) fn any_over(db: &Connection, now: i64) -> Result<bool, Error> {
    let mut select = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM screenings WHERE begins <= ?1)")?;
    Ok(select.query_row([over_before(now)], |row| row.get(0))?)
}

/// Puts every screening that is over at `now` on sale for its next round. Says how many.
pub(super) fn renew(tx: &Transaction<'_>, now: i64) -> Result<usize, Error> {
    let over: Vec<(i64, Slot, String)> = tx
        .prepare(
            "SELECT s.id, s.day, s.minute, c.zone FROM screenings s
               JOIN halls h ON h.id = s.hall JOIN cinemas c ON c.id = h.cinema WHERE s.begins <= ?1",
        )?
        .query_map([over_before(now)], |row| {
            Ok((row.get(0)?, Slot { day: row.get(1)?, minute: row.get(2)? }, row.get(3)?))
        })?
        .collect::<Result<_, _>>()?;
    let mut update = tx.prepare("UPDATE screenings SET round = ?2, begins = ?3 WHERE id = ?1")?;
    for (id, slot, zone) in &over {
        let (round, begins) = slot.current(now, &TimeZone::get(zone)?)?;
        update.execute([*id, round, begins])?;
    }
    Ok(over.len())
}

fn screening(row: &Row<'_>) -> rusqlite::Result<Screening> {
    Ok(Screening {
        id: row.get(0)?,
        film: row.get(1)?,
        title: row.get(2)?,
        round: row.get(3)?,
        begins: row.get(4)?,
        price: Money { cents: row.get(5)?, currency: row.get(15)? },
        hall_name: row.get(6)?,
        hall: Hall { rows: row.get(7)?, columns: row.get(8)?, taper: row.get(9)? },
        cinema: row.get(10)?,
        cinema_name: row.get(11)?,
        city: row.get(12)?,
        country: row.get(13)?,
        zone: row.get(14)?,
    })
}
