//! The form that orders: one person's page, with that person's idempotency key in a hidden field.
//! Sent twice, it orders once.

use askama::Template;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, Path, RawQuery};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::Layout;
use super::format::When;
use super::screening::Place;
use crate::api::number;
use crate::api::orders::{check_key, seats_taken, submit, too_large};
use crate::api::screenings::no_such;
use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::db::now;
use crate::db::orders::{Outcome, new_key};
use crate::db::screenings;
use crate::domain::{LONGEST_TEXT, OrderRequest, Seat, seat_list};
use crate::http::{Pairs, Problem, reply};

#[derive(Template)]
#[template(path = "checkout.html")]
struct Page {
    layout: Layout,
    id: i64,
    title: String,
    when: When,
    place: Place,
    seats: Vec<String>,
    total: String,
    key: String,
    name: String,
    email: String,
    longest: usize,
    /// What stands in the way; the form is still there where it can be corrected in it.
    complaint: Option<String>,
    orderable: bool,
}

/// `GET /screenings/{id}/checkout?seat=C7&seat=C8`
pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = number("screening", &id)?;
    let pairs = Pairs::of_query(query.as_deref());
    let key = new_key()?;
    match seat_list(pairs.all("seat")) {
        Ok(seats) => page(&state, id, &seats, key, &pairs, StatusCode::OK, None).await,
        Err(complaint) => {
            page(&state, id, &[], key, &pairs, StatusCode::UNPROCESSABLE_ENTITY, Some(complaint)).await
        }
    }
}

/// `POST /screenings/{id}/orders`, from the form.
pub(crate) async fn order(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let id = number("screening", &id)?;
    let pairs = Pairs::parse(&body.map_err(too_large)?);
    let key = check_key(pairs.get("key"))?.to_owned();
    let order = match OrderRequest::new(id, pairs.all("seat"), pairs.get("name"), pairs.get("email")) {
        Ok(order) => order,
        Err(complaint) => {
            // Nothing was tried, so the key is still good.
            let seats = seat_list(pairs.all("seat")).unwrap_or_default();
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return page(&state, id, &seats, key, &pairs, status, Some(complaint)).await;
        }
    };
    let seats = order.seats.clone();
    match submit(&state, key, order).await? {
        (Outcome::Placed(order), _) => Ok(see_other(&format!("/orders/{order}"))),
        (Outcome::Taken(taken), _) => {
            let complaint = seats_taken(&taken).detail;
            page(&state, id, &seats, new_key()?, &pairs, StatusCode::CONFLICT, Some(complaint)).await
        }
    }
}

async fn page(
    state: &State,
    id: i64,
    seats: &[Seat],
    key: String,
    pairs: &Pairs,
    status: StatusCode,
    complaint: Option<String>,
) -> Result<Response, Problem> {
    let found = state.db.read(move |db| screenings::with_sold(db, id)).await?;
    let (screening, sold) = found.ok_or_else(|| no_such(id))?;
    if let Some(seat) = seats.iter().find(|seat| !screening.hall.contains(**seat)) {
        return Err(Problem::unsellable(format!("The hall has no seat {seat}.")));
    }
    let taken: Vec<String> = seats.iter().filter(|seat| sold.contains(seat)).map(Seat::to_string).collect();
    let begun = screening.begins <= now();
    let (status, complaint) = match complaint {
        None if begun => (
            StatusCode::CONFLICT,
            Some("The screening has begun; its seats are not sold any more.".to_owned()),
        ),
        None if !taken.is_empty() => (StatusCode::CONFLICT, Some(seats_taken(&taken).detail)),
        complaint => (status, complaint),
    };
    let field = |name| pairs.get(name).unwrap_or_default().to_owned();
    let page = Page {
        layout: Layout::unlisted("Checkout", "Name the buyer and order the seats."),
        id,
        title: screening.title.clone(),
        when: When::new(screening.begins, &screening.zone),
        place: Place::of(&screening),
        seats: seats.iter().map(Seat::to_string).collect(),
        total: screening.price.times(seats.len()).to_string(),
        key,
        name: field("name"),
        email: field("email"),
        longest: LONGEST_TEXT,
        complaint,
        orderable: taken.is_empty() && !begun && !seats.is_empty(),
    };
    Ok(reply::html(status, CacheAs::personal(), &page))
}

/// The browser goes on to the order by GET: a reload there orders nothing.
fn see_other(path: &str) -> Response {
    let mut response = StatusCode::SEE_OTHER.into_response();
    if let Ok(location) = HeaderValue::try_from(path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response.extensions_mut().insert(CacheAs::written());
    response
}
