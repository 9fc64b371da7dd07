//! A Worker that fails on demand, to show that the next request finds a working one.

use std::hint::black_box;
use std::time::Duration;

use levee_worker::http::{Request, Response};
use levee_worker::levee::body::{Body as _, Room};
use levee_worker::levee::platform::Store as _;
use levee_worker::levee::testing::store_contract;
use levee_worker::web_sys;
use levee_worker::worker::{Delay, console_log};
use levee_worker::{App, Body, Config, Context, Error, Result};

struct Faults;

impl App for Faults {
    fn config() -> Config {
        levee_worker::config!("levee.toml")
    }

    async fn origin(req: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
        match req.uri().path() {
            "/panic" => panic!("on demand"),
            "/panic-later" => {
                // Once something has been waited for, the panic happens outside of the platform's call.
                drop(cx.forward(req).await);
                panic!("on demand, later")
            }
            "/panic-behind" => {
                cx.wait_until(async {
                    Delay::from(Duration::from_millis(50)).await;
                    panic!("on demand, behind the response")
                });
                Ok(Response::new("the response is not affected".into()))
            }
            "/overflow" => Ok(Response::new(deeper(0).to_string().into())),
            "/exhaust" => exhaust(),
            "/exhaust-later" => {
                drop(cx.forward(req).await);
                exhaust()
            }
            "/overflow-later" => {
                drop(cx.forward(req).await);
                Ok(Response::new(deeper(0).to_string().into()))
            }
            "/contract" => {
                let mut names = Vec::new();
                for store in cx.stores() {
                    store_contract(store).await;
                    names.push(store.name());
                }
                Ok(Response::new(names.join(" ").into()))
            }
            "/error" => Err(Error::other("on demand")),
            "/status" => {
                let status = req.uri().query().and_then(|query| query.parse::<u16>().ok()).unwrap_or(200);
                Ok(Response::builder().status(status).body(Body::default())?)
            }
            path if path.starts_with("/tee/") => tee(req, cx).await,
            path if path.starts_with("/cut/") => cut(req, cx).await,
            path if path.starts_with("/claim/") => claim(path),
            _ => cx.forward(req).await,
        }
    }
}

/// `/tee/LIMIT/...`: the answer to `/...` with its body split; what the capture came to is logged.
async fn tee(mut req: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
    let path = req.uri().path().trim_start_matches("/tee/").to_owned();
    let (limit, rest) = path.split_once('/').unwrap_or((&path, ""));
    let limit = limit.parse().unwrap_or(u64::MAX);
    *req.uri_mut() = format!("/{rest}").parse().map_err(|_| Error::other("no path"))?;
    let (head, body) = cx.forward(req).await?.into_parts();
    let (body, capture) = body.tee(limit, &Room::new(limit));
    cx.wait_until(async move {
        let came = capture.await.map(|bytes| bytes.len());
        console_log!("captured {came:?}");
    });
    Ok(Response::from_parts(head, body))
}

/// `/cut/FIRST/LENGTH/...`: that part of the answer to `/...`.
async fn cut(mut req: Request<Body>, cx: &Context<'_>) -> Result<Response<Body>> {
    let path = req.uri().path().trim_start_matches("/cut/").to_owned();
    let mut parts = path.splitn(3, '/');
    let mut number = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
    let (first, length) = (number(), number());
    *req.uri_mut() =
        format!("/{}", parts.next().unwrap_or("")).parse().map_err(|_| Error::other("no path"))?;
    let (head, body) = cx.forward(req).await?.into_parts();
    Ok(Response::from_parts(head, body.cut(first, length)))
}

/// `/claim/LENGTH`: a stream of five bytes that is said to have so many, and may be stored.
fn claim(path: &str) -> Result<Response<Body>> {
    let length = path.trim_start_matches("/claim/").parse().ok();
    let made = web_sys::Response::new_with_opt_str(Some("hello")).ok();
    let stream = made.and_then(|made| made.body()).ok_or_else(|| Error::other("no stream"))?;
    let response = Response::builder().header("cache-control", "max-age=60").header("content-length", "3");
    Ok(response.body(Body::stream(stream, length))?)
}

#[expect(unconditional_recursion, reason = "that is the fault")]
fn deeper(level: u64) -> u64 {
    let room = black_box([level; 64]);
    black_box(deeper(room[0] + 1) + room[63])
}

fn exhaust() -> ! {
    let mut held = Vec::new();
    loop {
        held.push(black_box(vec![1_u8; 16 << 20]));
    }
}

levee_worker::export!(Faults);
