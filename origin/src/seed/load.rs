//! Fills an empty database, in one transaction: it is either complete or empty.

use jiff::tz::TimeZone;
use rusqlite::{Transaction, params};

use super::cinemas::{self, CINEMAS, Cinema};
use super::dice::Dice;
use super::{catalogue, programme};
use crate::db::Error;
use crate::domain::Hall;

/// Keeps the streams of houses apart from those of screenings.
const HOUSE_STREAMS: u64 = 1 << 32;

/// Loads catalogue, cinemas, halls, screenings and sold seats. `now` in Unix seconds sets the dates and nothing else.
pub(crate) fn load(tx: &Transaction<'_>, now: i64) -> Result<(), Error> {
    let films = catalogue::films().map_err(Error::Seed)?;
    load_films(tx, &films)?;
    let mut next = Ids { hall: 1, screening: 1 };
    for (cinema, number) in CINEMAS.iter().zip(1..) {
        load_house(tx, cinema, number, &films, now, &mut next)?;
    }
    tx.execute_batch(
        "UPDATE films SET showings = (SELECT count(*) FROM screenings WHERE film = films.id);
         INSERT INTO films_fts (films_fts) VALUES ('rebuild');
         ANALYZE;",
    )?;
    Ok(())
}

struct Ids {
    hall: i64,
    screening: i64,
}

fn load_films(tx: &Transaction<'_>, films: &[catalogue::Entry]) -> Result<(), Error> {
    let mut insert = tx.prepare(
        "INSERT INTO films (id, title, year, released, certificate, minutes, distributor, source, genre, style,
                            director, tomatoes, rating, votes)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )?;
    for film in films {
        insert.execute(params![
            film.id,
            film.title,
            film.year,
            film.released,
            film.certificate,
            film.minutes,
            film.distributor,
            film.source,
            film.genre,
            film.style,
            film.director,
            film.tomatoes,
            film.rating,
            film.votes.unwrap_or(0),
        ])?;
    }
    Ok(())
}

fn load_house(
    tx: &Transaction<'_>,
    cinema: &Cinema,
    number: i64,
    films: &[catalogue::Entry],
    now: i64,
    next: &mut Ids,
) -> Result<(), Error> {
    let zone = TimeZone::get(cinema.zone)?;
    let mut dice = Dice::new(HOUSE_STREAMS + number.unsigned_abs());
    tx.execute(
        "INSERT INTO cinemas (id, name, city, country, zone, currency) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![number, cinema.name, cinema.city, cinema.country, cinema.zone, cinema.currency],
    )?;
    let surcharge = dice.below(7) * 50;
    let evening = i64::from(cinemas::base_price(cinema.currency) + surcharge);
    let repertoire = programme::repertoire(&mut dice, films);
    let mut insert = tx.prepare_cached(
        "INSERT INTO screenings (id, film, hall, day, minute, price, round, begins)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )?;
    for (hall, place) in cinemas::halls(&mut dice).into_iter().zip(1..) {
        let hall_id = next.hall;
        next.hall += 1;
        tx.execute(
            "INSERT INTO halls (id, cinema, name, rows, columns, taper, capacity) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![hall_id, number, format!("Hall {place}"), hall.rows, hall.columns, hall.taper, hall.capacity()],
        )?;
        for (slot, film) in programme::slots(&mut dice, place == 1) {
            let id = next.screening;
            next.screening += 1;
            let (round, begins) = slot.current(now, &zone)?;
            let matinee = if slot.minute < 16 * 60 { 250 } else { 0 };
            let film = films[repertoire[film]].id;
            insert.execute(params![
                id,
                film,
                hall_id,
                slot.day,
                slot.minute,
                evening - matinee,
                round,
                begins
            ])?;
            load_sold_seats(tx, id, round, hall)?;
        }
    }
    Ok(())
}

fn load_sold_seats(tx: &Transaction<'_>, screening: i64, round: i64, hall: Hall) -> Result<(), Error> {
    let mut insert =
        tx.prepare_cached("INSERT INTO sold_seats (screening, round, seat) VALUES (?1, ?2, ?3)")?;
    let mut dice = Dice::new(screening.unsigned_abs());
    for seat in programme::sold_seats(&mut dice, hall) {
        insert.execute(params![screening, round, seat.code()])?;
    }
    Ok(())
}
