//! Tries what the component host promises, one path each; the answer is text that a test compares.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::task::{Poll, Waker};

use anyhow::{Context as _, Result, bail};
use bytes::Bytes;
use spin_sdk::http::body::IncomingBodyExt as _;
use spin_sdk::http::{BoxBody, EmptyBody, FullBody, HeaderName, HeaderValue, Request, Response, box_body};
use spin_sdk::key_value::Store;
use spin_sdk::redis::{Connection, RedisParameter, RedisResult};
use spin_sdk::wasip3::http::types::RequestOptions;
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;
use spin_sdk::{http_service, variables, wasip3};

/// Requests that this instance has taken.
static COUNT: AtomicU64 = AtomicU64::new(0);
/// A number that tells this instance from others.
static INSTANCE: OnceLock<u64> = OnceLock::new();

type Query = HashMap<String, String>;

#[http_service]
async fn handle(request: Request) -> Result<Response<BoxBody>> {
    let count = COUNT.fetch_add(1, Ordering::Relaxed) + 1;
    let query: Query =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).into_owned().collect();
    let path = request.uri().path().to_owned();
    let answered = match path.as_str() {
        "/instance" => Ok(format!("{} {count}", instance())),
        "/fields" => Ok(fields(&request)),
        "/echo" => return Ok(Response::new(box_body(request.into_body()))),
        "/collect" => {
            request.into_body().bytes().await.map(|body| body.len().to_string()).map_err(Into::into)
        }
        "/hold" => hold(request, &query).await,
        "/fetch" => return fetch(request, &query).await,
        "/set-field" => return set_field(&query),
        "/variable" => variable(&query).await,
        "/environment" => Ok(std::env::var(value(&query, "name")?).unwrap_or_default()),
        "/file" => file(&query),
        "/key-value" => key_value(&query).await,
        "/later" => return later(&query).await,
        "/redis" => redis(&query).await,
        "/wait" => Ok(wait().await),
        "/wake" => Ok(wake()),
        "/panic" => panic!("as the test asked"),
        _ => bail!("there is no {path}"),
    };
    // The error's words, not its 500: what a test wants to see.
    let text = answered.unwrap_or_else(|error| format!("error: {error:#}"));
    Ok(Response::new(text_body(text)))
}

fn text_body(text: String) -> BoxBody {
    box_body(FullBody::new(Bytes::from(text)))
}

fn value<'q>(query: &'q Query, name: &str) -> Result<&'q str> {
    query.get(name).map(String::as_str).with_context(|| format!("the query has no {name}"))
}

/// The same number as long as this instance lives.
fn instance() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    *INSTANCE.get_or_init(|| RandomState::new().build_hasher().finish())
}

/// The request that waits in this instance.
static WAITING: Mutex<Option<Waker>> = Mutex::new(None);
/// Whether it has been woken.
static WOKEN: AtomicBool = AtomicBool::new(false);

/// Waits for another request of this instance, and for nothing that the host knows of.
async fn wait() -> String {
    std::future::poll_fn(|cx| {
        if WOKEN.swap(false, Ordering::Relaxed) {
            return Poll::Ready(());
        }
        *WAITING.lock().unwrap_or_else(PoisonError::into_inner) = Some(cx.waker().clone());
        Poll::Pending
    })
    .await;
    String::from("woken")
}

fn wake() -> String {
    let Some(waker) = WAITING.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return String::from("nobody waits here");
    };
    WOKEN.store(true, Ordering::Relaxed);
    waker.wake();
    String::from("woke one")
}

fn fields(request: &Request) -> String {
    let line = |(name, value): (&HeaderName, &HeaderValue)| {
        format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes()))
    };
    format!("{} {}\n", request.method(), request.uri())
        + &request.headers().iter().map(line).collect::<String>()
}

/// Passes the request on to `url` and its answer back, both as streams. The time limits are in milliseconds.
async fn fetch(request: Request, query: &Query) -> Result<Response<BoxBody>> {
    let options = RequestOptions::new();
    let limit = |name| Some(query.get(name)?.parse::<u64>().ok()? * 1_000_000);
    if let Some(time) = limit("connect") {
        options.set_connect_timeout(Some(time)).ok().context("connect")?;
    }
    if let Some(time) = limit("first-byte") {
        options.set_first_byte_timeout(Some(time)).ok().context("first-byte")?;
    }
    if let Some(time) = limit("between-bytes") {
        options.set_between_bytes_timeout(Some(time)).ok().context("between-bytes")?;
    }
    let mut outbound = http::Request::builder()
        .method(request.method())
        .uri(value(query, "url")?)
        .extension(RequestOptionsExtension(options));
    if let Some(name) = query.get("field") {
        outbound = outbound.header(name, "x");
    }
    let sent = spin_sdk::http::send(outbound.body(request.into_body())?).await;
    match sent {
        Ok(response) => {
            let (parts, body) = response.into_parts();
            let mut answer = Response::new(box_body(body));
            *answer.status_mut() = parts.status;
            for name in ["location", "content-encoding", "connection", "transfer-encoding"] {
                if let Some(value) = parts.headers.get(name) {
                    answer.headers_mut().insert(HeaderName::try_from(format!("saw-{name}"))?, value.clone());
                }
            }
            Ok(answer)
        }
        Err(error) => {
            let mut answer = Response::new(text_body(format!("{error:?}")));
            *answer.status_mut() = http::StatusCode::BAD_GATEWAY;
            Ok(answer)
        }
    }
}

/// Calls `url`, so that the caller knows that the request is being handled, and answers when its body has ended.
async fn hold(request: Request, query: &Query) -> Result<String> {
    spin_sdk::http::get(value(query, "url")?).await?;
    request.into_body().bytes().await?;
    Ok(instance().to_string())
}

fn set_field(query: &Query) -> Result<Response<BoxBody>> {
    let mut response = Response::new(box_body(EmptyBody::new()));
    response
        .headers_mut()
        .insert(HeaderName::try_from(value(query, "name")?)?, HeaderValue::from_static("x"));
    Ok(response)
}

async fn variable(query: &Query) -> Result<String> {
    variables::get(value(query, "name")?).await.map_err(|error| anyhow::anyhow!("{error:?}"))
}

fn file(query: &Query) -> Result<String> {
    let path = value(query, "path")?;
    if let Some(text) = query.get("write") {
        std::fs::write(path, text).context("not written")?;
    }
    std::fs::read_to_string(path).context("not read")
}

async fn key_value(query: &Query) -> Result<String> {
    let store = Store::open(query.get("store").map_or("default", String::as_str)).await?;
    let key = || value(query, "key");
    Ok(match value(query, "do")? {
        "get" => match store.get(key()?).await? {
            Some(value) => String::from_utf8_lossy(&value).into_owned(),
            None => String::from("none"),
        },
        "set" => {
            store.set(key()?, value(query, "value")?).await?;
            String::from("set")
        }
        "delete" => {
            store.delete(key()?).await?;
            String::from("deleted")
        }
        "exists" => store.exists(key()?).await?.to_string(),
        "keys" => {
            let mut keys = store.get_keys().await.collect().await?;
            keys.sort();
            keys.join(",")
        }
        other => bail!("cannot {other}"),
    })
}

/// Answers at once and writes `key` afterwards.
async fn later(query: &Query) -> Result<Response<BoxBody>> {
    let key = value(query, "key")?.to_owned();
    wasip3::spawn(async move {
        spin_sdk::time::sleep(std::time::Duration::from_millis(20)).await;
        if let Ok(store) = Store::open_default().await {
            let _ = store.set(key, "later").await;
        }
    });
    Ok(Response::new(text_body(String::from("answered"))))
}

async fn redis(query: &Query) -> Result<String> {
    let connection = Connection::open(value(query, "url")?).await?;
    let key = || value(query, "key");
    Ok(match value(query, "do")? {
        "get" => match connection.get(key()?).await? {
            Some(value) => String::from_utf8_lossy(&value).into_owned(),
            None => String::from("none"),
        },
        "set" => {
            connection.set(key()?, value(query, "value")?.as_bytes()).await?;
            String::from("set")
        }
        "incr" => connection.incr(key()?).await?.to_string(),
        "lease" => {
            let binary = |text: &str| RedisParameter::Binary(text.as_bytes().to_vec());
            let arguments =
                [binary(key()?), binary("mine"), binary("NX"), binary("PX"), RedisParameter::Int64(60_000)];
            match connection.execute("SET", arguments).await?.first() {
                Some(RedisResult::Status(status)) => status.clone(),
                Some(RedisResult::Nil) => String::from("nil"),
                other => bail!("an answer of another kind: {other:?}"),
            }
        }
        "set-of" => {
            let added = connection.sadd(key()?, ["a", "b", "a"]).await?;
            let removed = connection.srem(key()?, ["a"]).await?;
            format!("{added} {removed} {}", connection.smembers(key()?).await?.join(","))
        }
        "del" => connection.del([key()?]).await?.to_string(),
        "publish" => {
            connection.publish(key()?, b"news").await?;
            String::from("published")
        }
        other => bail!("cannot {other}"),
    })
}
