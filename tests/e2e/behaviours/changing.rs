//! What a response may change of what is stored: no more than a full response for everyone could.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Result, ensure};

use crate::client::{Answer, Ask, Edge};
use crate::cx::Cx;
use crate::scripted::{Asked, Reply, Scripted};
use crate::wait::until;
use crate::world::Before;

/// Asks until the origin was asked again, and returns that answer.
async fn confirmed(edge: &Edge, ask: impl Fn() -> Ask) -> Result<Answer> {
    until("what is stored to become stale", async || {
        let answer = edge.send(ask()).await?;
        Ok((!answer.is_hit()).then_some(answer))
    })
    .await
}

/// A response with a validator and a short life, confirmed by 304s with these fields.
fn validated(
    first: &'static str,
    more: &'static [(&'static str, &'static str)],
) -> impl Fn(Asked) -> Reply + Send + Sync {
    move |asked| match asked.field("if-none-match").as_str() {
        "" => Reply::new(first).field("etag", "\"v1\"").text("body"),
        _ => more.iter().fold(Reply::new("").status(304), |reply, (name, value)| reply.field(name, value)),
    }
}

pub(super) async fn a_cookie_of_a_304_is_for_one_client(cx: &Cx<'_>) -> Result<()> {
    const COOKIE: &[(&str, &str)] = &[("set-cookie", "sid=ann")];
    const LASTING: &[(&str, &str)] = &[("set-cookie", "sid=ann"), ("cache-control", "max-age=60")];
    for (number, (first, more)) in [
        ("max-age=2, no-cache=\"set-cookie\"", COOKIE),
        ("max-age=2, private=\"set-cookie\"", COOKIE),
        ("max-age=2, no-cache=\"set-cookie\"", LASTING),
        ("max-age=2", LASTING),
    ]
    .into_iter()
    .enumerate()
    {
        let (edge, _) = cx.script(validated(first, more))?;
        let target = format!("/{number}");
        edge.get(&target).await?;
        confirmed(&edge, || Ask::get(&target)).await?;
        for _ in 0..3 {
            let other = edge.get(&target).await?;
            // Whoever had the origin asked again may have a cookie of their own; nobody else has it.
            ensure!(other.field("set-cookie").is_empty() || !other.is_hit(), "{first}: {other:?}");
            assert_eq!(other.text(), "body", "{first}");
        }
    }
    Ok(())
}

pub(super) async fn a_304_for_one_origin_is_not_for_another(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(|asked| {
        let reply = match asked.field("if-none-match").as_str() {
            "" => Reply::new("max-age=1").field("etag", "\"v1\"").text("body"),
            _ => Reply::new("max-age=60").status(304),
        };
        match asked.field("origin").as_str() {
            "" => reply,
            origin => reply.field("access-control-allow-origin", origin),
        }
    })?;
    let from = |origin: &str| match origin {
        "" => Ask::get("/a"),
        origin => Ask::get("/a").field("origin", origin),
    };
    let (b, c) = ("https://b.example", "https://c.example");
    edge.get("/a").await?;
    let own = confirmed(&edge, || from(b)).await?;
    assert_eq!(own.field("access-control-allow-origin"), b, "{own:?}");
    for origin in [c, "", b, "", c] {
        let allowed = edge.send(from(origin)).await?;
        assert_eq!(allowed.field("access-control-allow-origin"), origin, "{allowed:?}");
        assert_eq!(allowed.text(), "body");
    }
    Ok(())
}

pub(super) async fn a_304_that_varies_is_for_one_variant(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(|asked| match asked.field("if-none-match").as_str() {
        "" => Reply::new("max-age=1").field("etag", "\"v1\"").text(asked.field("accept-language")),
        _ => Reply::new("max-age=60").status(304).field("vary", "Accept-Language"),
    })?;
    let ask = |language: &str| Ask::get("/a").field("accept-language", language);
    assert_eq!(edge.send(ask("de")).await?.text(), "de");
    assert_eq!(confirmed(&edge, || ask("de")).await?.text(), "de");
    for language in ["en", "de", "en"] {
        assert_eq!(edge.send(ask(language)).await?.text(), language);
    }
    Ok(())
}

pub(super) async fn a_304_with_another_validator_confirms_nothing(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(|asked| match (asked.number, asked.field("if-none-match").as_str()) {
        (0, _) => Reply::new("max-age=1").field("etag", "\"v1\"").text("old"),
        (_, "\"v1\"") => Reply::new("max-age=60").status(304).field("etag", "\"v2\""),
        _ => Reply::new("max-age=60").field("etag", "\"v2\"").text("new"),
    })?;
    assert_eq!(edge.get("/a").await?.text(), "old");
    confirmed(&edge, || Ask::get("/a")).await?;
    for _ in 0..2 {
        let new = edge.get("/a").await?;
        assert_eq!((new.text().as_str(), new.field("etag").as_str()), ("new", "\"v2\""), "{new:?}");
    }
    Ok(())
}

/// The status that a path ends with.
fn status_of(path: &str) -> u16 {
    path.rsplit('/').next().and_then(|last| last.parse().ok()).unwrap_or(200)
}

pub(super) async fn a_lifetime_of_ours_is_for_what_succeeds(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        let text = format!("answer {}", asked.number);
        // What one client's field has provoked.
        let long = asked.field("accept-language").len() > 1_000;
        let status = if asked.path().contains("provoked") && !long { 200 } else { status_of(asked.path()) };
        Reply::new("").status(status).text(text)
    })?;
    for status in [503, 429, 403, 500, 400, 401, 431] {
        let target = format!("/overridden/{status}");
        let before = origin.count();
        for _ in 0..2 {
            let answer = edge.get(&target).await?;
            ensure!(answer.status == status && !answer.is_hit(), "{target}: {answer:?}");
        }
        assert_eq!(origin.count(), before + 2, "{target}");
    }
    let long = "x".repeat(4_000);
    for status in [400, 431, 406, 413, 414] {
        let target = format!("/overridden/provoked/{status}");
        let provoked = edge.send(Ask::get(&target).field("accept-language", &long)).await?;
        assert_eq!(provoked.status, status, "{target}");
        assert_eq!(edge.get(&target).await?.status, 200, "{target}");
        assert!(edge.get(&target).await?.is_hit(), "{target}");
    }
    Ok(())
}

/// Answers that turn bad: good at first, and then each with the status that its path ends with, until the origin is dead.
/// Returns what a client gets then, by status.
async fn turned(cx: &Cx<'_>, statuses: &[u16]) -> Result<Vec<(String, Answer)>> {
    let origin = Scripted::start(cx.world.tokio.handle())?;
    let known: Arc<Mutex<HashSet<String>>> = Arc::default();
    let scene = origin.scene("", move |asked| {
        let is_first = known.lock().unwrap_or_else(PoisonError::into_inner).insert(asked.seen.target.clone());
        if !is_first {
            return Reply::new("").status(status_of(asked.path())).text("bad");
        }
        let behind = if asked.path().contains("/behind/") { ", stale-while-revalidate=2" } else { "" };
        Reply::new(&format!("max-age=1{behind}")).field("etag", "\"v1\"").text("good")
    });
    let mut setup = cx.setup(Before::Scripted, "")?;
    setup.origin.1 = origin.url();
    let (_process, edge) = cx.start(&setup)?;
    // In front of the client, and behind a stale answer.
    let paths = ["front", "behind"]
        .iter()
        .flat_map(|how| statuses.iter().map(move |status| format!("/x/y/forgiving/{how}/{status}")));
    let paths: Vec<String> = paths.collect();
    for path in &paths {
        assert_eq!(edge.get(path).await?.text(), "good", "{path}");
    }
    for path in &paths {
        until("the origin to be asked again", async || {
            edge.get(path).await?;
            let asked = scene.seen().iter().filter(|seen| seen.target == *path).count();
            Ok((asked > 1).then_some(()))
        })
        .await?;
    }
    origin.kill().await;
    let mut answers = Vec::new();
    for path in paths {
        let answer = until("the edge to find its origin dead", async || {
            let answer = edge.get(&path).await?;
            let asks = answer.is_hit() || answer.cache_status().contains("stale-while-revalidate");
            Ok((!asks).then_some(answer))
        })
        .await?;
        answers.push((path, answer));
    }
    Ok(answers)
}

pub(super) async fn an_error_leaves_a_good_entry_alone(cx: &Cx<'_>) -> Result<()> {
    for (path, answer) in turned(cx, &[400, 403, 406, 429, 500, 503]).await? {
        assert_eq!((answer.status, answer.text().as_str()), (200, "good"), "{path}: {answer:?}");
        assert!(answer.cache_status().ends_with("detail=stale-if-error"), "{path}: {answer:?}");
    }
    Ok(())
}

pub(super) async fn what_is_gone_is_gone(cx: &Cx<'_>) -> Result<()> {
    for (path, answer) in turned(cx, &[404, 410]).await? {
        assert_eq!(answer.status, 502, "{path}: {answer:?}");
    }
    Ok(())
}

pub(super) async fn what_cannot_be_parsed_forbids(cx: &Cx<'_>) -> Result<()> {
    const CONTROLS: [&str; 12] = [
        "max-age=60, private=\",\"",
        "max-age=60, private=\"\"",
        "max-age=60, private=",
        "max-age=60, no-cache=\",\"",
        "max-age=60, x=\"unbalanced, private",
        "max-age=60, \"unbalanced, no-store",
        "x=\", private, max-age=60",
        "max-age=60; private",
        "max-age=60 private",
        "max-age=60, private=\"a",
        "max-age=60, ext=\"\\\", private",
        "PRIVATE , max-age=60",
    ];
    let (edge, origin) = cx.script(|asked| {
        let number = asked.path().trim_start_matches('/').parse().unwrap_or(0);
        Reply::new(CONTROLS[number]).field("etag", "\"v1\"").text(format!("for visitor {}", asked.number))
    })?;
    for (number, control) in CONTROLS.iter().enumerate() {
        let (target, before) = (format!("/{number}"), origin.count());
        for _ in 0..2 {
            let answer = edge.get(&target).await?;
            ensure!(!answer.is_hit(), "{control}: {answer:?}");
        }
        assert_eq!(origin.count(), before + 2, "{control}");
    }
    Ok(())
}

pub(super) async fn connection_removes_no_field_that_matters(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        let reply = Reply::new("private, max-age=60").text(format!("for visitor {}", asked.number));
        let named = "cache-control, set-cookie, vary, content-type, etag";
        let reply = reply.field("connection", named).field("expires", "Thu, 01 Jan 2099 00:00:00 GMT");
        reply.field("content-type", "text/plain").field("set-cookie", "sid=1").field("vary", "cookie")
    })?;
    for number in 0..2 {
        let answer = edge.get("/a").await?;
        assert_eq!(answer.text(), format!("for visitor {number}"), "{answer:?}");
        for (name, value) in [
            ("cache-control", "private, max-age=60"),
            ("set-cookie", "sid=1"),
            ("vary", "cookie"),
            ("content-type", "text/plain"),
        ] {
            assert_eq!(answer.field(name), value, "{name}: {answer:?}");
        }
    }
    assert_eq!(origin.count(), 2);
    Ok(())
}
