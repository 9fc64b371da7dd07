//! Files that the program carries. A name contains the hash of the content, so that a browser may keep it for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::Response;
use http::StatusCode;
use sha2::{Digest, Sha256};

use crate::cache_policy::CacheAs;
use crate::http::{Problem, hex, reply};

const ROBOTS: &str = "User-agent: *\nDisallow: /orders/\nDisallow: /screenings/*/checkout\nDisallow: /api/\nDisallow: /data/\n";
const ICON: &str = include_str!("../assets/icon.svg");

/// One file.
#[derive(Debug)]
struct Asset {
    /// With the hash, below `/assets/`.
    name: String,
    media_type: &'static str,
    content: &'static str,
}

/// The addresses that pages use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paths {
    pub(crate) style: &'static str,
    pub(crate) strip: &'static str,
    pub(crate) seats: &'static str,
    pub(crate) icon: &'static str,
}

static ASSETS: LazyLock<[Asset; 4]> = LazyLock::new(|| {
    [
        asset("site", "css", "text/css; charset=utf-8", include_str!("../assets/site.css")),
        asset("strip", "js", "text/javascript; charset=utf-8", include_str!("../assets/strip.js")),
        asset("seats", "js", "text/javascript; charset=utf-8", include_str!("../assets/seats.js")),
        asset("icon", "svg", "image/svg+xml", ICON),
    ]
});

static PATHS: LazyLock<[String; 4]> =
    LazyLock::new(|| ASSETS.each_ref().map(|asset| format!("/assets/{}", asset.name)));

fn asset(stem: &str, extension: &str, media_type: &'static str, content: &'static str) -> Asset {
    let hash = hex(&Sha256::digest(content.as_bytes()).as_slice()[..8]);
    Asset { name: format!("{stem}.{hash}.{extension}"), media_type, content }
}

pub(crate) fn paths() -> Paths {
    let [style, strip, seats, icon] = PATHS.each_ref().map(String::as_str);
    Paths { style, strip, seats, icon }
}

/// `GET /assets/{name}`
pub(crate) async fn show(Path(name): Path<String>) -> Result<Response, Problem> {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(|| Problem::not_found(format!("There is no file {name}.")))?;
    Ok(reply::body(StatusCode::OK, CacheAs::asset(), asset.media_type, asset.content))
}

/// `GET /robots.txt`
pub(crate) async fn robots() -> Response {
    reply::body(StatusCode::OK, CacheAs::fixed(), "text/plain; charset=utf-8", ROBOTS)
}

/// `GET /favicon.ico`, which some browsers ask for whatever the page says.
pub(crate) async fn favicon() -> Response {
    reply::body(StatusCode::OK, CacheAs::fixed(), "image/svg+xml", ICON)
}
