//! Whose a fill is: the edge's, not that of the client that caused it; and what those who wait for it are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::future::try_join_all;
use tokio::sync::{Barrier, watch};

use crate::client::Ask;
use crate::cx::{Cx, Raw};
use crate::raw::{Step, Wire};
use crate::scripted::Reply;
use crate::wait::until;

pub(super) async fn a_fill_goes_on_when_its_client_has_gone(cx: &Cx<'_>) -> Result<()> {
    const PAGES: [&str; 5] = ["/1", "/2", "/3", "/4", "/5"];
    let (release, released) = watch::channel(false);
    let Raw { edge, process: _process, origin } = cx.raw(
        |same| same,
        move |asked| {
            if asked.target == "/other" {
                return vec![Step::ok("Cache-Control: no-store\r\n", "other")];
            }
            let answer = Step::ok("Cache-Control: max-age=60\r\n", &format!("answer {}", asked.again));
            vec![Step::Await(released.clone()), answer]
        },
    )?;
    for page in PAGES {
        let mut impatient = Wire::to(&edge).await?;
        impatient.head("GET", page, "").await;
        origin.has_been_asked(page, 1).await?;
        // Before the head of the response.
        drop(impatient);
    }
    // What the edge does about a client that has gone, it has done by then.
    for _ in 0..20 {
        assert_eq!(edge.get("/other").await?.text(), "other");
    }
    // Whoever comes meanwhile waits for the same.
    let mut patient = Vec::new();
    for page in PAGES.iter().take(if cx.runtime.collapses() { 3 } else { 0 }) {
        let mut wire = Wire::to(&edge).await?;
        wire.head("GET", page, "").await;
        patient.push(wire);
    }
    release.send_replace(true);
    for wire in &mut patient {
        assert_eq!(wire.answer("GET").await?.told(), (200, "answer 0".into(), true));
    }
    for page in PAGES {
        let stored = until("the page to be stored", async || {
            let answer = edge.send(Ask::get(page).field("cache-control", "only-if-cached")).await?;
            Ok(answer.is_hit().then_some(answer))
        })
        .await?;
        assert_eq!(stored.text(), "answer 0", "{page}");
        assert_eq!(origin.asked(page).len(), 1, "{page}");
    }
    Ok(())
}

/// How many clients of a crowd.
const CROWD: usize = 30;

pub(super) async fn a_failure_is_told_to_all_who_wait_for_it(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        let reply = Reply::new("").status(503).field("content-type", "text/plain").text("overloaded");
        // Slow enough that all of them arrive while the first one waits.
        if asked.path().starts_with("/lost") {
            return reply.after(Duration::from_millis(700)).status(500);
        }
        reply.after(Duration::from_millis(700))
    })?;
    let tries = AtomicUsize::new(0);
    for kind in ["/down", "/lost"] {
        // On a machine that is slow beyond measure a request may come after the answer.
        until("a failure that is one request", async || {
            let (path, before) = (format!("{kind}{}", tries.fetch_add(1, Ordering::Relaxed)), origin.count());
            let answers = try_join_all((0..CROWD).map(|_| edge.get(&path))).await?;
            ensure!(answers.iter().all(|answer| answer.status >= 500), "{answers:?}");
            // Nobody is marked: the next crowd shares its failure too.
            let again = try_join_all((0..CROWD).map(|_| edge.get(&path))).await?;
            ensure!(again.iter().all(|answer| answer.status >= 500), "{again:?}");
            Ok((origin.count() == before + 2).then_some(()))
        })
        .await?;
    }
    Ok(())
}

pub(super) async fn known_variants_are_fetched_side_by_side(cx: &Cx<'_>) -> Result<()> {
    const LANGUAGES: [&str; 5] = ["de", "fr", "it", "es", "nl"];
    let meeting = Arc::new(Barrier::new(LANGUAGES.len()));
    let (edge, origin) = cx.script(move |asked| {
        let language = asked.field("accept-language");
        let reply = Reply::new("max-age=60").field("vary", "Accept-Language").text(&language);
        if language == "en" {
            return reply;
        }
        // No answer before all are asked for.
        let meeting = meeting.clone();
        reply.once(async move {
            meeting.wait().await;
        })
    })?;
    let ask = |language: &str| edge.send(Ask::get("/a").field("accept-language", language));
    // This one shows what the URL varies on.
    assert_eq!(ask("en").await?.text(), "en");
    let clients = if cx.runtime.collapses() { CROWD } else { LANGUAGES.len() };
    let crowd = (0..clients).map(|number| LANGUAGES[number % LANGUAGES.len()]);
    let answers = try_join_all(crowd.clone().map(ask)).await?;
    for (answer, language) in answers.iter().zip(crowd) {
        assert_eq!((answer.status, answer.text().as_str()), (200, language), "{answer:?}");
    }
    assert_eq!(origin.count(), 1 + LANGUAGES.len(), "one for each variant");
    Ok(())
}
