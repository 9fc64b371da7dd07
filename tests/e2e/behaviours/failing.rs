//! The origin is gone.

use anyhow::Result;

use super::caching::numbered;
use crate::client::{Answer, Ask, Edge};
use crate::cx::Cx;
use crate::scripted::Scripted;
use crate::wait::until;
use crate::world::Before;

/// What every error that the edge makes looks like.
pub(super) fn assert_problem(answer: &Answer, status: u16, detail: &str) -> Result<()> {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(answer.field("content-type"), "application/problem+json", "{answer:?}");
    assert!(answer.cache_status().ends_with(&format!("detail={detail}")), "{answer:?}");
    assert_eq!(answer.timing("cache").as_deref(), Some("error"), "{answer:?}");
    let problem = answer.json()?;
    assert_eq!(problem["status"], status, "{problem}");
    for member in ["title", "detail"] {
        assert!(problem[member].as_str().is_some_and(|text| text.len() > 5), "{member}: {problem}");
    }
    Ok(())
}

pub(super) async fn stale_is_served_while_the_origin_is_dead(cx: &Cx<'_>) -> Result<()> {
    let origin = Scripted::start(cx.world.tokio.handle())?;
    origin.scene("", numbered("max-age=1, stale-if-error=600"));
    let mut setup = cx.setup(Before::Scripted, "")?;
    setup.origin.1 = origin.url();
    let (_process, edge) = cx.start(&setup)?;
    assert_eq!(edge.get("/a").await?.text(), "answer 0");
    origin.kill().await;
    let stale = until("the copy to become stale", async || {
        let answer = edge.get("/a").await?;
        Ok((!answer.is_hit()).then_some(answer))
    })
    .await?;
    assert_eq!((stale.status, stale.text().as_str()), (200, "answer 0"));
    assert_eq!(stale.timing("cache").as_deref(), Some("stale"));
    assert!(stale.cache_status().ends_with("detail=stale-if-error"), "{stale:?}");
    Ok(())
}

pub(super) async fn without_a_copy_a_dead_origin_is_a_clear_502(cx: &Cx<'_>) -> Result<()> {
    let origin = Scripted::start(cx.world.tokio.handle())?;
    let mut setup = cx.setup(Before::Scripted, "")?;
    setup.origin.1 = origin.url();
    let (_process, edge) = cx.start(&setup)?;
    origin.kill().await;
    for ask in [Ask::get("/a"), Ask::get("/x/y/uncached/a"), Ask::new("POST", "/a").body("x")] {
        let answer = edge.send(ask).await?;
        assert_problem(&answer, 502, cx.runtime.calls_a_dead_origin())?;
        assert!(answer.field("proxy-status").starts_with("levee; error="), "{answer:?}");
        assert!(
            !answer.text().contains(&setup.origin.1),
            "the origin's address is nobody's business: {answer:?}"
        );
    }
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = edge.send(Ask::get("/a").field("accept", browser)).await?;
    assert_eq!((page.status, page.field("content-type").as_str()), (502, "text/html; charset=utf-8"));
    assert!(page.text().starts_with("<!doctype html>"), "{page:?}");
    assert_eq!(page.timing("cache").as_deref(), Some("error"));
    Ok(())
}

pub(super) async fn the_box_office_dies_and_its_pages_are_still_served(cx: &Cx<'_>) -> Result<()> {
    let origin = cx.world.start_box_office(&cx.label(""))?;
    let mut setup = cx.setup(Before::BoxOffice, "")?;
    setup.origin.1 = origin.url().to_owned();
    let (_process, edge): (_, Edge) = cx.start(&setup)?;
    let seats = "/api/screenings/1/seats";
    let known = [edge.get("/films/1").await?, edge.get(seats).await?];
    assert!(known.iter().all(|answer| answer.status == 200), "{known:?}");
    origin.kill();
    let hit = edge.get("/films/1").await?;
    assert!(hit.is_hit() && hit.body == known[0].body, "{hit:?}");
    let stale = until("a seat map from before", async || {
        let answer = edge.get(seats).await?;
        Ok((!answer.is_hit()).then_some(answer))
    })
    .await?;
    assert_eq!((stale.status, stale.timing("cache").as_deref()), (200, Some("stale")));
    assert_eq!(stale.body, known[1].body);
    assert_problem(&edge.get("/api/films/2").await?, 502, cx.runtime.calls_a_dead_origin())?;
    Ok(())
}
