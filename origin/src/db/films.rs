//! Films: search and detail.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};

use super::Error;

/// Films on one page of a list.
pub(crate) const PER_PAGE: u32 = 24;
const COLUMNS: &str =
    "f.id, f.title, f.year, f.released, f.certificate, f.minutes, f.distributor, f.source, f.genre,
                       f.style, f.director, f.tomatoes, f.rating, f.votes, f.showings";

/// A film of the catalogue.
#[derive(Debug, Clone)]
pub(crate) struct Film {
    pub(crate) id: i64,
    pub(crate) title: String,
    pub(crate) year: i64,
    /// ISO date, where more than the year is known.
    pub(crate) released: Option<String>,
    pub(crate) certificate: Option<String>,
    pub(crate) minutes: Option<i64>,
    pub(crate) distributor: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) genre: Option<String>,
    pub(crate) style: Option<String>,
    pub(crate) director: Option<String>,
    /// Per cent.
    pub(crate) tomatoes: Option<i64>,
    /// Tenths.
    pub(crate) rating: Option<i64>,
    pub(crate) votes: i64,
    /// Screenings in the programme.
    pub(crate) showings: i64,
}

/// What is looked for. Fields that are `None` do not narrow.
#[derive(Debug, Clone, Default)]
pub(crate) struct Search {
    /// Words of title or director; each matches the beginning of a word, accents do not count.
    pub(crate) text: Option<String>,
    pub(crate) genre: Option<String>,
    pub(crate) year: Option<u32>,
    /// At least this rating, in tenths.
    pub(crate) rating: Option<u32>,
    /// Only films that are in the programme.
    pub(crate) showing: bool,
    /// From 1.
    pub(crate) page: u32,
}

/// One page of what was found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) films: Vec<Film>,
    /// On all pages.
    pub(crate) total: u32,
}

/// Finds films, the best match first; without text the best known first.
pub(crate) fn search(db: &Connection, search: &Search) -> Result<Found, Error> {
    let mut conditions = vec!["1"];
    let mut values: Vec<Value> = Vec::new();
    let text = search.text.as_deref().map(match_expression);
    let mut from = "films f";
    let mut order = "f.votes DESC, f.id";
    if let Some(expression) = text {
        if expression.is_empty() {
            // Nothing but punctuation: no word can match it.
            return Ok(Found { films: Vec::new(), total: 0 });
        }
        from = "films_fts JOIN films f ON f.id = films_fts.rowid";
        conditions.push("films_fts MATCH ?");
        values.push(expression.into());
        // bm25 is negative, better is smaller; fame lifts a film among equally good matches.
        order = "bm25(films_fts, 10.0, 4.0) * (1.0 + min(f.votes, 200000) / 60000.0), f.id";
    }
    if let Some(genre) = &search.genre {
        conditions.push("f.genre = ?");
        values.push(genre.clone().into());
    }
    if let Some(year) = search.year {
        conditions.push("f.year = ?");
        values.push(i64::from(year).into());
    }
    if let Some(rating) = search.rating {
        conditions.push("f.rating >= ?");
        values.push(i64::from(rating).into());
    }
    if search.showing {
        conditions.push("f.showings > 0");
    }
    let conditions = conditions.join(" AND ");
    let count = format!("SELECT count(*) FROM {from} WHERE {conditions}");
    let total = db.prepare_cached(&count)?.query_row(params_from_iter(&values), |row| row.get(0))?;
    values.push(i64::from(PER_PAGE).into());
    values.push((i64::from(PER_PAGE) * i64::from(search.page.saturating_sub(1))).into());
    let select = format!("SELECT {COLUMNS} FROM {from} WHERE {conditions} ORDER BY {order} LIMIT ? OFFSET ?");
    let films = db
        .prepare_cached(&select)?
        .query_map(params_from_iter(&values), film)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Found { films, total })
}

/// One film, where there is one with this number.
pub(crate) fn get(db: &Connection, id: i64) -> Result<Option<Film>, Error> {
    let select = format!("SELECT {COLUMNS} FROM films f WHERE f.id = ?1");
    Ok(db.prepare_cached(&select)?.query_row([id], film).optional()?)
}

/// The genres that occur, in the order of the alphabet.
pub(crate) fn genres(db: &Connection) -> Result<Vec<String>, Error> {
    let mut select = db.prepare("SELECT DISTINCT genre FROM films WHERE genre IS NOT NULL ORDER BY genre")?;
    Ok(select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Whether the catalogue is there.
pub(crate) fn any(db: &Connection) -> Result<bool, Error> {
    Ok(db.prepare_cached("SELECT EXISTS (SELECT 1 FROM films)")?.query_row([], |row| row.get(0))?)
}

/// Every word quoted, so that none is an operator, and open at its end.
fn match_expression(text: &str) -> String {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(|word| format!("\"{word}\"*"))
        .collect::<Vec<_>>()
        .join(" ")
}

fn film(row: &Row<'_>) -> rusqlite::Result<Film> {
    Ok(Film {
        id: row.get(0)?,
        title: row.get(1)?,
        year: row.get(2)?,
        released: row.get(3)?,
        certificate: row.get(4)?,
        minutes: row.get(5)?,
        distributor: row.get(6)?,
        source: row.get(7)?,
        genre: row.get(8)?,
        style: row.get(9)?,
        director: row.get(10)?,
        tomatoes: row.get(11)?,
        rating: row.get(12)?,
        votes: row.get(13)?,
        showings: row.get(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::match_expression;

    #[test]
    fn words_are_never_operators() {
        assert_eq!(match_expression("star wars"), "\"star\"* \"wars\"*");
        assert_eq!(match_expression("a OR b\" NEAR(*"), "\"a\"* \"OR\"* \"b\"* \"NEAR\"*");
        assert_eq!(match_expression("?!\""), "");
    }
}
