//! Answers each request with the same short text: what a component costs that does nothing.

use bytes::Bytes;
use spin_sdk::http::{FullBody, Request, Response};
use spin_sdk::http_service;

#[http_service]
async fn handle(_: Request) -> anyhow::Result<Response<FullBody<Bytes>>> {
    let mut response = Response::new(FullBody::new(Bytes::from_static(b"hello\n")));
    let text = spin_sdk::http::HeaderValue::from_static("text/plain");
    response.headers_mut().insert("content-type", text);
    Ok(response)
}
