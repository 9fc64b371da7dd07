//! `/`: what is on, and the search.

use askama::Template;
use axum::extract::{self, RawQuery};
use axum::response::Response;
use http::StatusCode;

use super::Layout;
use super::format::{Card, thousands};
use crate::api::films::{pages, read_search};
use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::db::films::{self, Search};
use crate::db::screenings;
use crate::http::{Pairs, Problem, reply};

/// Fills rows of two, three, four and six.
const FEATURED: usize = 12;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    layout: Layout,
    form: Form,
    films: String,
    screenings: String,
    cities: String,
    seats: String,
    featured: Vec<Card>,
}

#[derive(Template)]
#[template(path = "results.html")]
struct Results {
    layout: Layout,
    form: Form,
    total: String,
    cards: Vec<Card>,
    page: u32,
    pages: u32,
    previous: Option<String>,
    next: Option<String>,
}

/// The search form as it was filled in.
struct Form {
    text: String,
    genres: Vec<(String, bool)>,
    year: String,
    ratings: Vec<(&'static str, bool)>,
    showing: bool,
}

impl Form {
    fn of(pairs: &Pairs, genres: &[String]) -> Self {
        let value = |name| pairs.get(name).unwrap_or_default().to_owned();
        let (genre, rating) = (value("genre"), value("rating"));
        Self {
            text: value("q"),
            genres: genres.iter().map(|known| (known.clone(), *known == genre)).collect(),
            year: value("year"),
            ratings: ["9", "8", "7", "6", "5"].map(|offered| (offered, offered == rating)).to_vec(),
            showing: value("showing") == "1",
        }
    }
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let pairs = Pairs::of_query(query.as_deref());
    let search = read_search(&pairs, &state.genres)?;
    let form = Form::of(&pairs, &state.genres);
    let asked =
        ["q", "genre", "year", "rating", "showing", "page"].iter().any(|name| pairs.get(name).is_some());
    if asked { results(&state, &pairs, search, form).await } else { front(&state, form).await }
}

async fn front(state: &State, form: Form) -> Result<Response, Problem> {
    let on_now = Search { showing: true, page: 1, ..Search::default() };
    let (totals, found) =
        state.db.read(move |db| Ok((screenings::totals(db)?, films::search(db, &on_now)?))).await?;
    let films = thousands(totals.films);
    let description = format!(
        "Search {films} films, find a screening in one of {} cities and choose your seats.",
        totals.cities
    );
    let page = Home {
        layout: Layout::listed(state, "/", "Films and seats", description),
        form,
        films,
        screenings: thousands(totals.screenings),
        cities: thousands(totals.cities),
        seats: thousands(totals.seats),
        featured: found.films.iter().take(FEATURED).map(|film| Card::of(film, false)).collect(),
    };
    Ok(reply::html(StatusCode::OK, CacheAs::search(), &page))
}

async fn results(state: &State, pairs: &Pairs, search: Search, form: Form) -> Result<Response, Problem> {
    let (page, tell) = (search.page, !search.showing);
    let found = state.db.read(move |db| films::search(db, &search)).await?;
    let pages = pages(found.total);
    let results = Results {
        layout: Layout::unlisted("Search", "Films that match your search."),
        form,
        total: thousands(i64::from(found.total)),
        cards: found.films.iter().map(|film| Card::of(film, tell)).collect(),
        page,
        pages,
        previous: (page > 1).then(|| address(pairs, (page - 1).min(pages))),
        next: (page < pages).then(|| address(pairs, page + 1)),
    };
    Ok(reply::html(StatusCode::OK, CacheAs::search(), &results))
}

/// The same search on another page. Names in one order, empty ones left out: one address a search.
fn address(pairs: &Pairs, page: u32) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for name in ["q", "genre", "year", "rating", "showing"] {
        if let Some(value) = pairs.get(name) {
            query.append_pair(name, value);
        }
    }
    query.append_pair("page", &page.to_string());
    format!("/?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_search() {
        let pairs = Pairs::parse(b"year=&q=the+caf%C3%A9&page=2&genre=Drama");
        assert_eq!(address(&pairs, 3), "/?q=the+caf%C3%A9&genre=Drama&page=3");
    }
}
