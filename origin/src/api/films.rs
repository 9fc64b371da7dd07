//! `GET /api/films`, `GET /api/films/{id}`.

use axum::extract::{self, Path, RawQuery};
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;

use super::{number, view};
use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::db::films::{self, PER_PAGE, Search};
use crate::db::{now, screenings};
use crate::http::{Pairs, Problem, reply};

/// More pages than the catalogue has.
const MOST_PAGES: u32 = 200;
const LONGEST_TEXT: usize = 100;

/// Reads a search out of a query string, for the API and the pages alike.
pub(crate) fn read_search(pairs: &Pairs, genres: &[String]) -> Result<Search, Problem> {
    let text = pairs.get("q").map(str::to_owned);
    if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        return Err(Problem::invalid(format!("`q` is longer than {LONGEST_TEXT} characters.")));
    }
    let genre = pairs.get("genre").map(str::to_owned);
    if let Some(unknown) = genre.as_ref().filter(|genre| !genres.contains(genre)) {
        let known = genres.join(", ");
        return Err(Problem::invalid(format!("`genre` must be one of {known}; it was `{unknown}`.")));
    }
    let showing = match pairs.get("showing") {
        None => false,
        Some("1") => true,
        Some(other) => return Err(Problem::invalid(format!("`showing` can only be 1; it was `{other}`."))),
    };
    Ok(Search {
        text,
        genre,
        year: pairs.number("year", 1888..=2100)?,
        rating: pairs.get("rating").map(tenths).transpose()?,
        showing,
        page: pairs.number("page", 1..=MOST_PAGES)?.unwrap_or(1),
    })
}

/// A rating from 0 to 10 with at most one decimal, in tenths.
fn tenths(text: &str) -> Result<u32, Problem> {
    let (whole, tenth) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty();
    let value = match (digits(whole), digits(tenth) && tenth.len() == 1) {
        (true, true) => whole.parse::<u32>().ok().zip(tenth.parse::<u32>().ok()),
        _ => None,
    };
    value
        .and_then(|(whole, tenth)| whole.checked_mul(10)?.checked_add(tenth))
        .filter(|tenths| *tenths <= 100)
        .ok_or_else(|| {
            Problem::invalid(format!(
                "`rating` must be a number from 0 to 10 with at most one decimal, such as 7.5; it was `{text}`."
            ))
        })
}

/// How many pages `total` films fill; an empty list has one.
pub(crate) fn pages(total: u32) -> u32 {
    total.div_ceil(PER_PAGE).max(1)
}

/// One page of a list, its fields in the order of the alphabet.
#[derive(Serialize)]
struct List<'a> {
    films: Vec<view::Film<'a>>,
    page: u32,
    pages: u32,
    per_page: u32,
    total: u32,
}

pub(crate) async fn search(
    extract::State(state): extract::State<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let search = read_search(&Pairs::of_query(query.as_deref()), &state.genres)?;
    let page = search.page;
    let found = state.db.read(move |db| films::search(db, &search)).await?;
    let list = List {
        films: found.films.iter().map(view::Film::of).collect(),
        page,
        pages: pages(found.total),
        per_page: PER_PAGE,
        total: found.total,
    };
    Ok(reply::json(StatusCode::OK, CacheAs::search(), &list))
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let id = number("film", &id)?;
    let found = state
        .db
        .read(move |db| {
            let Some(film) = films::get(db, id)? else { return Ok(None) };
            Ok(Some((film, screenings::upcoming(db, id, now())?)))
        })
        .await?;
    let (film, upcoming) =
        found.ok_or_else(|| Problem::not_found(format!("No film has the number {id}.")))?;
    let film = view::Film::of(&film).with_screenings(&upcoming);
    Ok(reply::json(StatusCode::OK, CacheAs::film(id), &film))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_have_one_decimal() {
        for (text, value) in [("7.5", 75), ("0", 0), ("10", 100), ("10.0", 100), ("8", 80)] {
            assert!(matches!(tenths(text), Ok(found) if found == value), "{text}");
        }
        for wrong in ["", "10.1", "-1", "7.55", "7.", ".5", "seven", "1e1", "99999999999"] {
            assert!(tenths(wrong).is_err(), "{wrong}");
        }
    }
}
