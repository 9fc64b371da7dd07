//! An origin that closes connections while it is asked: what may be repeated is, and nobody else notices.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Result, ensure};
use levee_harness::Process;

use super::Skipped;
use crate::client::Edge;
use crate::cx::Cx;
use crate::raw::{PREFIX, RawOrigin, Response, Step, Wire};

/// An edge before this origin.
fn before(cx: &Cx<'_>, what: &str, origin: &RawOrigin) -> Result<(Process, Edge)> {
    let mut setup = cx.configured(what, |same| same)?;
    setup.origin.1 = origin.url();
    let (process, edge) = cx.start(&setup)?;
    Ok((process, edge.below(PREFIX)))
}

pub(super) async fn a_connection_that_closes_as_it_is_used_is_no_failure(cx: &Cx<'_>) -> Result<()> {
    for reset in [false, true] {
        // Answers the first request on each connection, and closes the connection as the second one comes.
        let origin = RawOrigin::start(cx.world.tokio.handle(), move |asked| match asked.nth {
            0 => vec![Step::ok("Cache-Control: no-store\r\n", &asked.target)],
            _ if reset => vec![Step::Reset],
            _ => vec![Step::Close],
        })?;
        let (_process, edge) = before(cx, &format!("-{reset}"), &origin)?;
        let mut wire = Wire::to(&edge).await?;
        for number in 0..20 {
            let target = format!("{}/{number}", if number % 2 == 0 { "" } else { "/uncached" });
            let answer = wire.get(&target, "").await?;
            assert_eq!(answer.told(), (200, target, true), "{reset}: {answer:?}");
        }
        ensure!(origin.arrived().iter().any(|asked| asked.nth > 0), "no connection was used twice");
        let status = edge.clone().below("").get("/.levee/").await?.json()?;
        assert_eq!(status["counters"]["errors"], 0, "{status}");
    }
    Ok(())
}

/// Sends a POST and reads its answer.
async fn post(wire: &mut Wire, target: &str) -> Result<Response> {
    wire.head("POST", target, "Content-Length: 1\r\n").await;
    wire.send("x").await;
    wire.answer("POST").await
}

pub(super) async fn a_lost_write_moves_no_one_elses(cx: &Cx<'_>) -> Result<()> {
    // Loses one POST, on a connection that it has answered on before.
    let lost = Arc::new(AtomicBool::new(false));
    let losing = lost.clone();
    let origin = RawOrigin::start(cx.world.tokio.handle(), move |asked| {
        if asked.target == "/lost" && asked.nth > 0 && !losing.swap(true, Ordering::SeqCst) {
            return vec![Step::Reset];
        }
        vec![Step::ok("Cache-Control: no-store\r\n", "the first")]
    })?;
    let backup = RawOrigin::start(cx.world.tokio.handle(), |_| {
        vec![Step::ok("Cache-Control: no-store\r\n", "the backup")]
    })?;
    let mut setup = cx.configured("", |config| {
        format!("{config}\n[origins.backup]\nurl = \"{}\"\nbackup = true\n", backup.url())
    })?;
    setup.origin.1 = origin.url();
    setup.reach.push(backup.url());
    let (_process, edge) = cx.start(&setup)?;
    let edge = edge.below(PREFIX);
    for _ in 0..10 {
        let mut wire = Wire::to(&edge).await?;
        assert_eq!(post(&mut wire, "/before").await?.text(), "the first");
        let answer = post(&mut wire, "/lost").await?;
        if lost.load(Ordering::SeqCst) {
            // Nobody can know whether it was carried out.
            assert_eq!(answer.status, 502, "{answer:?}");
            break;
        }
    }
    if !lost.load(Ordering::SeqCst) {
        ensure!(!cx.runtime.sees_kept_alive_close(), "no connection was used twice");
        return Err(Skipped(String::from("this runtime used no connection to the origin twice")).into());
    }
    let sent = origin.asked("/lost").len();
    let mut wire = Wire::to(&edge).await?;
    for _ in 0..20 {
        assert_eq!(post(&mut wire, "/next").await?.text(), "the first");
        assert_eq!(wire.get("/next", "").await?.text(), "the first");
    }
    assert_eq!(origin.asked("/lost").len(), sent, "it was sent again");
    ensure!(backup.arrived().is_empty(), "{:?}", backup.arrived());
    Ok(())
}

pub(super) async fn bytes_that_nobody_asked_for_answer_nobody(cx: &Cx<'_>) -> Result<()> {
    // After its answer, and with it, another one: to whoever uses the connection next it would be theirs. (What comes only after
    // the next request was sent is an answer to it, for all that anyone can tell.)
    let origin = RawOrigin::start(cx.world.tokio.handle(), |asked| {
        let body = format!("for {}", asked.target);
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let planted = "HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 7\r\n\r\nplanted";
        vec![Step::send(format!("{answer}{planted}"))]
    })?;
    let (_process, edge) = before(cx, "", &origin)?;
    let mut wire = Wire::to(&edge).await?;
    for number in 0..10 {
        let target = format!("/{number}");
        let answer = wire.get(&target, "").await?;
        ensure!(answer.status == 502 || answer.text() == format!("for {target}"), "{answer:?}");
    }
    Ok(())
}
