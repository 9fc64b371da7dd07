//! What is stored, for how long, and how it is confirmed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;
use levee_harness::{Redis, find_redis};

use super::Skipped;
use crate::client::{Ask, Edge};
use crate::cx::Cx;
use crate::runtimes::LOSE;
use crate::scripted::{Asked, Reply};
use crate::wait::until;
use crate::world::Before;

/// Numbers its answers, so that one sees which of them was given.
pub(super) fn numbered(cache_control: &'static str) -> impl Fn(Asked) -> Reply + Send + Sync {
    move |asked| Reply::new(cache_control).text(format!("answer {}", asked.number))
}

pub(super) async fn a_miss_is_followed_by_a_hit(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    let miss = edge.get("/a").await?;
    assert_eq!(miss.cache_status(), "fwd=uri-miss; fwd-status=200; stored");
    assert_eq!(miss.timing("cache").as_deref(), Some("miss"));
    assert!(miss.timing("origin").is_some(), "{miss:?}");
    let hit = edge.get("/a").await?;
    assert!(hit.is_hit(), "{hit:?}");
    assert_eq!((hit.text().as_str(), origin.count()), ("answer 0", 1));
    assert_eq!(hit.timing("tier").as_deref(), Some("memory"));
    assert!(hit.timing("age").is_some() && hit.timing("saved").is_some(), "{hit:?}");
    assert!(!hit.field("age").is_empty(), "{hit:?}");
    Ok(())
}

pub(super) async fn a_reload_is_still_a_hit(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    edge.get("/a").await?;
    for (name, value) in
        [("cache-control", "max-age=0"), ("cache-control", "no-cache"), ("pragma", "no-cache")]
    {
        let reload = edge.send(Ask::get("/a").field(name, value)).await?;
        assert!(reload.is_hit(), "{name}: {value}: {reload:?}");
    }
    assert_eq!(origin.count(), 1);
    Ok(())
}

pub(super) async fn stale_is_served_while_a_request_refreshes_behind_it(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=1, stale-while-revalidate=600"))?;
    assert_eq!(edge.get("/a").await?.text(), "answer 0");
    let stale = until("a stale answer", async || {
        let answer = edge.get("/a").await?;
        Ok((!answer.is_hit()).then_some(answer))
    })
    .await?;
    // The one who finds it stale is not the one who waits.
    assert_eq!((stale.text().as_str(), stale.timing("cache").as_deref()), ("answer 0", Some("stale")));
    assert!(stale.cache_status().contains("stale-while-revalidate"), "{stale:?}");
    let fresh = until("the answer that was fetched behind", async || {
        let answer = edge.get("/a").await?;
        Ok((answer.text() != "answer 0").then_some(answer))
    })
    .await?;
    assert!(["hit", "stale"].contains(&fresh.timing("cache").unwrap_or_default().as_str()), "{fresh:?}");
    assert!(origin.count() >= 2);
    Ok(())
}

pub(super) async fn a_304_confirms_what_is_stored(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        let reply = Reply::new("max-age=1").field("etag", "\"v1\"");
        match asked.field("if-none-match").as_str() {
            "\"v1\"" => reply.status(304),
            _ => reply.text("the body, sent once"),
        }
    })?;
    edge.get("/a").await?;
    let confirmed = until("a confirmation", async || {
        let answer = edge.get("/a").await?;
        Ok((!answer.is_hit()).then_some(answer))
    })
    .await?;
    assert_eq!((confirmed.status, confirmed.text().as_str()), (200, "the body, sent once"));
    assert_eq!(confirmed.timing("cache").as_deref(), Some("revalidated"));
    assert!(confirmed.cache_status().starts_with("fwd=stale; fwd-status=304"), "{confirmed:?}");
    assert_eq!(origin.last()?.field("if-none-match"), "\"v1\"");
    Ok(())
}

pub(super) async fn concurrent_misses_are_one_request_to_the_origin(cx: &Cx<'_>) -> Result<()> {
    // Slow enough that all of them arrive while the first one waits.
    let (edge, origin) =
        cx.script(|_| Reply::new("max-age=60").text("once").after(Duration::from_millis(500)))?;
    let answers = try_join_all((0..50).map(|_| edge.get("/a"))).await?;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text() == "once"));
    assert_eq!(origin.count(), 1);
    Ok(())
}

pub(super) async fn concurrent_misses_of_many_instances_are_one_request_to_the_origin(
    cx: &Cx<'_>,
) -> Result<()> {
    let binary = find_redis().map_err(|missing| Skipped(missing.to_string()))?;
    let redis = Redis::new(binary).start()?;
    let (_, origin) =
        cx.script(|_| Reply::new("max-age=60").text("once").after(Duration::from_millis(500)))?;
    let setup = cx.setup(Before::Scripted, "")?;
    let process = cx.runtime.start_sharing(cx.parts()?, &setup, redis.url())?;
    let edge = Edge::at(process.url()).below(origin.prefix());
    // Sixteen at a time fill an instance. On a machine that is slow beyond measure a request may give the Redis up.
    let tries = AtomicUsize::new(0);
    until("a crowd that is one request", async || {
        let (path, before) = (format!("/a{}", tries.fetch_add(1, Ordering::Relaxed)), origin.count());
        let answers = try_join_all((0..100).map(|_| edge.get(&path))).await?;
        assert!(answers.iter().all(|answer| answer.status == 200 && answer.text() == "once"));
        Ok((origin.count() == before + 1).then_some(()))
    })
    .await?;
    // Without the lease's holder the others go on.
    redis.stop();
    let answers = try_join_all((0..20).map(|_| edge.get("/b"))).await?;
    assert!(answers.iter().all(|answer| answer.status == 200 && answer.text() == "once"));
    Ok(())
}

pub(super) async fn what_is_stored_survives_a_restart_of_the_edge(cx: &Cx<'_>) -> Result<()> {
    let (_, origin) = cx.script(numbered("max-age=3600"))?;
    let setup = cx.setup(Before::Scripted, "")?;
    // The port is another after the restart, and part of the key where `Host` names it.
    let ask = || Ask::get("/a").field("host", "edge.example");
    let first = cx.runtime.start_durable(cx.parts()?, &setup)?;
    let edge = Edge::at(first.url()).below(origin.prefix());
    assert_eq!(edge.send(ask()).await?.text(), "answer 0");
    // Stored behind the answer: a restart in that moment would be an honest miss.
    edge.send(ask()).await?;
    first.stop();
    let second = cx.runtime.start_durable(cx.parts()?, &setup)?;
    let edge = Edge::at(second.url()).below(origin.prefix());
    let kept = edge.send(ask()).await?;
    assert!(kept.is_hit(), "{kept:?}");
    assert_eq!(kept.timing("tier").as_deref(), Some(cx.runtime.far_tier()));
    assert_eq!((kept.text().as_str(), origin.count()), ("answer 0", 1));
    // From there it is near again.
    assert_eq!(edge.send(ask()).await?.timing("tier").as_deref(), Some("memory"));
    Ok(())
}

pub(super) async fn what_is_stored_survives_the_loss_of_an_instance(cx: &Cx<'_>) -> Result<()> {
    let (_, origin) = cx.script(numbered("max-age=3600"))?;
    let setup = cx.setup(Before::Scripted, "")?;
    let process = cx.runtime.start_losing(cx.parts()?, &setup)?;
    let edge = Edge::at(process.url()).below(origin.prefix());
    assert_eq!(edge.get("/a").await?.text(), "answer 0");
    assert_eq!(edge.get("/a").await?.timing("tier").as_deref(), Some("memory"));
    let lost = edge.get(LOSE).await?;
    assert_eq!((lost.status, lost.field("content-type").as_str()), (500, "application/problem+json"));
    assert_eq!(lost.timing("cache").as_deref(), Some("error"));
    assert!(lost.field("cache-status").starts_with("levee"), "{lost:?}");
    // Its memory is gone with it; what stands behind is not.
    let kept = edge.get("/a").await?;
    assert!(kept.is_hit(), "{kept:?}");
    assert_eq!(kept.timing("tier").as_deref(), Some(cx.runtime.far_tier()));
    assert_eq!(origin.count(), 1);
    for _ in 0..20 {
        assert_eq!(edge.get(LOSE).await?.status, 500);
        assert_eq!(edge.get("/a").await?.status, 200);
    }
    Ok(())
}

pub(super) async fn parameters_that_change_nothing_share_one_entry(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    edge.get("/a?q=heat&page=2").await?;
    for same in ["/a?page=2&q=heat", "/a?q=heat&utm_source=mail&page=2", "/a?gclid=1&q=heat&page=2"] {
        let hit = edge.get(same).await?;
        assert!(hit.is_hit(), "{same}: {hit:?}");
    }
    assert_eq!(origin.count(), 1);
    assert!(!edge.get("/a?q=heat&page=3").await?.is_hit());
    // What is not keyed is not sent either.
    edge.get("/b?utm_source=mail&q=x").await?;
    assert_eq!(origin.last()?.target, "/b?q=x");
    // The box office's own rules, before the box office.
    let shop = cx.shop()?;
    let mine = |query: &str| format!("/api/films?q={}&{query}", cx.runtime.name());
    shop.get(&mine("year=1995")).await?;
    let hit = shop.get(&mine("fbclid=x&year=1995&nobody=knows")).await?;
    assert!(hit.is_hit(), "{hit:?}");
    Ok(())
}

pub(super) async fn an_unsafe_request_makes_what_is_stored_invalid(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(|asked| {
        let reply = Reply::new("max-age=3600").text(format!("answer {}", asked.number));
        if asked.seen.method == "GET" { reply } else { reply.status(201) }
    })?;
    assert_eq!(edge.get("/a").await?.text(), "answer 0");
    assert!(edge.get("/a").await?.is_hit());
    assert_eq!(edge.send(Ask::new("POST", "/a").body("x")).await?.status, 201);
    assert_eq!(edge.get("/a").await?.text(), "answer 2");
    Ok(())
}
