//! A handler of one's own behind the cache.
//!
//! `cargo run -p levee-native --example handler`, then twice `curl -i http://127.0.0.1:8080/api/price`: the first runs the
//! handler, the second is a hit. Everything else goes to the origin, <http://127.0.0.1:8081>.

use std::time::Duration;

use http::{Request, Response};
use levee_native::{App, Body, Context, Options, Result, Server};

struct Shop;

impl App for Shop {
    async fn origin(&self, request: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
        match request.uri().path() {
            "/api/price" => price().await,
            _ => cx.forward(request).await,
        }
    }
}

/// Takes its time, as a query would. For ten seconds the cache answers in its place, and ten more while it asks again.
async fn price() -> Result<Response<Body>> {
    println!("the handler runs");
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(Response::builder()
        .header("content-type", "application/json")
        .header("cache-control", "max-age=10, stale-while-revalidate=10")
        .body(r#"{"price":"12.50"}"#.into())?)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let compiled = levee_config::neutral("http://127.0.0.1:8081", &levee_config::Overrides::default())?;
    let server = Server::bind(compiled.config, Options::default())?.app(Shop);
    println!("listening on http://{}", server.local_addr());
    server.serve(std::future::pending()).await?;
    Ok(())
}
