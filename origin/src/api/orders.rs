//! `POST /api/orders` and `GET /api/orders/{id}`.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{self, Path};
use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;

use super::view;
use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::db::orders::{self, Answer, Order, Outcome};
use crate::domain::OrderRequest;
use crate::http::{Problem, reply};

const IDEMPOTENCY_KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const LONGEST_KEY: usize = 128;

/// The body of an order.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    screening: i64,
    seats: Vec<String>,
    name: Option<String>,
    email: Option<String>,
}

pub(crate) async fn place(
    extract::State(state): extract::State<State>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let key = headers.get(IDEMPOTENCY_KEY).map(HeaderValue::to_str);
    let key = check_key(key.and_then(Result::ok))?.to_owned();
    let is_json =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            let media_type = value.split(';').next().unwrap_or_default().trim();
            media_type.eq_ignore_ascii_case("application/json")
        });
    if !is_json {
        let detail = "The body of an order must be application/json.";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "wrong-media-type", detail));
    }
    let body = body.map_err(too_large)?;
    let body: Body = serde_json::from_slice(&body).map_err(|error| {
        Problem::invalid(format!(
            "The body is not an order: {error}. It looks like \
             {{\"screening\": 1, \"seats\": [\"C7\"], \"name\": \"Ada\", \"email\": \"ada@example.com\"}}."
        ))
    })?;
    let seats = body.seats.iter().map(String::as_str);
    let order = OrderRequest::new(body.screening, seats, body.name.as_deref(), body.email.as_deref())
        .map_err(Problem::unsellable)?;
    let (outcome, replayed) = submit(&state, key, order).await?;
    let mut response = match outcome {
        Outcome::Placed(id) => {
            let order = find(&state, id).await?;
            let mut response = reply::json(StatusCode::CREATED, CacheAs::written(), &view::Order::of(&order));
            if let Ok(location) = HeaderValue::try_from(format!("/api/orders/{}", order.id)) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Outcome::Taken(seats) => axum::response::IntoResponse::into_response(seats_taken(&seats)),
    };
    if replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let order = find(&state, id).await?;
    Ok(reply::json(StatusCode::OK, CacheAs::personal(), &view::Order::of(&order)))
}

/// Makes the order; also for the pages' form. Says whether it had been made before.
pub(crate) async fn submit(
    state: &State,
    key: String,
    order: OrderRequest,
) -> Result<(Outcome, bool), Problem> {
    let screening = order.screening;
    match state.db.write(move |tx| orders::place(tx, &key, &order)).await? {
        Answer::Done { outcome, replayed } => Ok((outcome, replayed)),
        Answer::KeyReused => {
            let detail = "This Idempotency-Key was used for another order. Take a new key for a new order.";
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", detail))
        }
        Answer::NoSuchScreening => {
            Err(Problem::unsellable(format!("No screening has the number {screening}.")))
        }
        Answer::NoSuchSeat(seat) => Err(Problem::unsellable(format!("The hall has no seat {seat}."))),
        Answer::SaleOver => {
            let detail = "The screening has begun; its seats are not sold any more.";
            Err(Problem::new(StatusCode::CONFLICT, "sale-over", detail))
        }
    }
}

/// An order by its id.
pub(crate) async fn find(state: &State, id: String) -> Result<Order, Problem> {
    let found = state.db.read(move |db| orders::get(db, &id)).await?;
    found.ok_or_else(|| Problem::not_found_privately("There is no order at this address."))
}

/// A key is 1 to 128 visible ASCII characters.
pub(crate) fn check_key(key: Option<&str>) -> Result<&str, Problem> {
    let key = key.map(str::trim).unwrap_or_default();
    if key.is_empty() {
        return Err(Problem::invalid(
            "The field Idempotency-Key is missing: a value of your choice, new for each order, for example a UUID.",
        ));
    }
    if key.len() > LONGEST_KEY || !key.bytes().all(|b| b.is_ascii_graphic()) {
        let detail = format!("The Idempotency-Key must be 1 to {LONGEST_KEY} visible ASCII characters.");
        return Err(Problem::invalid(detail));
    }
    Ok(key)
}

pub(crate) fn seats_taken(seats: &[String]) -> Problem {
    let detail = match seats {
        [seat] => format!("Seat {seat} was just sold to somebody else. Nothing was ordered."),
        seats => format!("Seats {} were just sold to somebody else. Nothing was ordered.", seats.join(", ")),
    };
    Problem::new(StatusCode::CONFLICT, "seats-taken", detail).with("seats", json!(seats))
}

/// A body that was not taken: too large, or broken off.
pub(crate) fn too_large(rejection: BytesRejection) -> Problem {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        let detail = "The body of an order is at most 16 KiB.";
        return Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail);
    }
    Problem::invalid(rejection.body_text())
}
