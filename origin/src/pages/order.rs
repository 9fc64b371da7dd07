//! `/orders/{id}`: the ticket.

use askama::Template;
use axum::extract::{self, Path};
use axum::response::Response;
use http::StatusCode;

use super::Layout;
use super::format::When;
use super::screening::Place;
use crate::api::orders::find;
use crate::app::State;
use crate::cache_policy::CacheAs;
use crate::http::{Problem, reply};

#[derive(Template)]
#[template(path = "order.html")]
struct Page {
    layout: Layout,
    id: String,
    screening: i64,
    title: String,
    when: When,
    place: Place,
    seats: Vec<String>,
    buyer: String,
    total: String,
}

pub(crate) async fn show(
    extract::State(state): extract::State<State>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let order = find(&state, id).await?;
    let screening = &order.screening;
    let page = Page {
        layout: Layout::unlisted("Your tickets", "The seats that you ordered."),
        screening: screening.id,
        title: screening.title.clone(),
        when: When::new(screening.begins, &screening.zone),
        place: Place::of(screening),
        seats: order.seats.clone(),
        buyer: order.buyer.name.clone().or_else(|| order.buyer.email.clone()).unwrap_or_default(),
        total: order.total.to_string(),
        id: order.id,
    };
    Ok(reply::html(StatusCode::OK, CacheAs::personal(), &page))
}
