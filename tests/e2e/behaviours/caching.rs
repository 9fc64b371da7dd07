//! What is stored, for how long, and how it is confirmed.

use std::time::Duration;

use anyhow::Result;
use futures_util::future::try_join_all;

use crate::client::Ask;
use crate::cx::Cx;
use crate::scripted::{Asked, Reply};
use crate::wait::until;

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
