//! `/films/{id}`: one film and where it runs.

use askama::Template;
use axum::extract::{self, Path};
use axum::response::Response;
use http::StatusCode;

use super::Layout;
use super::format::{Poster, When, rating, running_time, thousands};
use crate::api::number;
use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::db::films::{self, Film};
use crate::db::now;
use crate::db::screenings::{self, Screening};
use crate::http::{Problem, reply};

/// Up to so many houses are shown unfolded.
const UNFOLDED: usize = 1;

#[derive(Template)]
#[template(path = "film.html")]
struct Page {
    layout: Layout,
    title: String,
    year: i64,
    poster: Poster,
    rating: Option<(String, String)>,
    facts: Vec<(&'static str, String)>,
    tags: Vec<String>,
    houses: Vec<House>,
    screenings: usize,
    unfolded: bool,
}

/// The screenings in one cinema.
struct House {
    city: String,
    name: String,
    first: When,
    price: String,
    screenings: Vec<(i64, When, String)>,
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
    Ok(reply::html(StatusCode::OK, CacheAs::film(id), &page(&state, &film, &upcoming)))
}

fn page(state: &State, film: &Film, upcoming: &[Screening]) -> Page {
    let houses = houses(upcoming);
    let unfolded = houses.len() <= UNFOLDED;
    Page {
        layout: Layout::listed(
            state,
            &format!("/films/{}", film.id),
            &film.title,
            description(film, houses.len()),
        ),
        title: film.title.clone(),
        year: film.year,
        poster: Poster::of(film),
        rating: film.rating.map(|tenths| (rating(tenths), thousands(film.votes))),
        facts: facts(film),
        tags: [&film.genre, &film.style].into_iter().flatten().cloned().collect(),
        screenings: upcoming.len(),
        houses,
        unfolded,
    }
}

fn description(film: &Film, houses: usize) -> String {
    let genre = film.genre.as_deref().unwrap_or("Film");
    let by = film.director.as_ref().map(|name| format!(" by {name}")).unwrap_or_default();
    let place = match houses {
        0 => "Not in the programme at the moment.".to_owned(),
        1 => "Screenings and seats in one cinema.".to_owned(),
        many => format!("Screenings and seats in {many} cinemas."),
    };
    format!("{} ({}), {genre}{by}. {place}", film.title, film.year)
}

fn facts(film: &Film) -> Vec<(&'static str, String)> {
    let text = |value: &Option<String>| value.clone();
    [
        ("Director", text(&film.director)),
        ("Running time", film.minutes.map(running_time)),
        ("Certificate", text(&film.certificate)),
        ("Released", film.released.as_deref().map(|date| long_date(date).unwrap_or_else(|| date.to_owned()))),
        ("Distributor", text(&film.distributor)),
        ("Source", text(&film.source)),
        ("Critics", film.tomatoes.map(|share| format!("{share}% liked it"))),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

/// `1998-06-12` as `12 June 1998`
fn long_date(iso: &str) -> Option<String> {
    let date: jiff::civil::Date = iso.parse().ok()?;
    Some(date.strftime("%-d %B %Y").to_string())
}

/// Screenings come ordered by city and cinema; neighbours of one cinema become one house.
fn houses(upcoming: &[Screening]) -> Vec<House> {
    upcoming
        .chunk_by(|a, b| a.cinema == b.cinema)
        .filter_map(|group| {
            let first = group.first()?;
            Some(House {
                city: first.city.clone(),
                name: first.cinema_name.clone(),
                first: When::new(first.begins, &first.zone),
                price: group.iter().min_by_key(|s| s.price.cents)?.price.to_string(),
                screenings: group
                    .iter()
                    .map(|s| (s.id, When::new(s.begins, &s.zone), s.hall_name.clone()))
                    .collect(),
            })
        })
        .collect()
}
