//! An error, for people.

use askama::Template;
use axum::response::Response;
use http::StatusCode;

use super::Layout;
use crate::cache_policy::CacheAs;
use crate::http::{Problem, reply};

#[derive(Template)]
#[template(path = "error.html")]
struct Page<'a> {
    layout: Layout,
    status: u16,
    title: &'a str,
    detail: &'a str,
}

pub(crate) fn show(status: StatusCode, cache: CacheAs, problem: &Problem) -> Response {
    let page = Page {
        layout: Layout::unlisted(problem.title(), "Something did not work."),
        status: status.as_u16(),
        title: problem.title(),
        detail: &problem.detail,
    };
    reply::html(status, cache, &page)
}
