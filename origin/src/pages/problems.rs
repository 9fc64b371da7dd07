//! `/problems`: what the `type` of a problem points to.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::Layout;
use crate::cache_policy::CacheAs;
use crate::http::{PROBLEM_TYPES, reply};

#[derive(Template)]
#[template(path = "problems.html")]
struct Page {
    layout: Layout,
    problems: &'static [(&'static str, u16, &'static str, &'static str)],
}

pub(crate) async fn show() -> Response {
    let layout = Layout::unlisted("Problems", "What the API's errors mean.");
    reply::html(StatusCode::OK, CacheAs::fixed(), &Page { layout, problems: PROBLEM_TYPES })
}
