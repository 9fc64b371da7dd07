//! What one client gets and no other may.

use anyhow::Result;

use super::caching::numbered;
use crate::client::{Ask, Edge};
use crate::cx::Cx;
use crate::scripted::{Reply, Scene};

/// Asks twice and sees that both times the origin answered.
async fn each_gets_their_own(edge: &Edge, origin: &Scene, target: &str, reason: &str) -> Result<()> {
    let before = origin.count();
    let (first, second) = (edge.get(target).await?, edge.get(target).await?);
    assert_ne!(first.text(), second.text(), "{target} was shared: {second:?}");
    assert_eq!(origin.count(), before + 2);
    for answer in [first, second] {
        assert!(answer.cache_status().ends_with(&format!("detail={reason}")), "{answer:?}");
        assert!(!answer.cache_status().contains("stored"), "{answer:?}");
    }
    Ok(())
}

pub(super) async fn a_private_answer_is_never_shared(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        let control = match asked.path() {
            "/private" => "private, max-age=60",
            "/no-store" => "no-store, max-age=60",
            _ => "max-age=60, private=\"\"",
        };
        Reply::new(control).text(format!("for visitor {}", asked.number))
    })?;
    each_gets_their_own(&edge, &origin, "/private", "private").await?;
    each_gets_their_own(&edge, &origin, "/no-store", "no-store").await?;
    each_gets_their_own(&edge, &origin, "/private-empty", "private").await
}

pub(super) async fn an_answer_to_a_request_with_credentials_is_never_shared(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(|asked| {
        let who =
            format!("{}{}{}", asked.field("authorization"), asked.field("cookie"), asked.field("x-api-key"));
        Reply::new("max-age=60").text(format!("for {who}"))
    })?;
    for (name, value) in [("authorization", "Bearer mine"), ("cookie", "sid=mine"), ("x-api-key", "mine")] {
        let target = format!("/{name}");
        let mine = edge.send(Ask::get(&target).field(name, value).field("x-whole", "yes")).await?;
        assert_eq!(mine.text(), format!("for {value}"));
        assert_eq!(mine.cache_status(), "fwd=bypass; fwd-status=200; detail=credentials");
        assert_eq!(mine.timing("cache").as_deref(), Some("pass"));
        // Neither is mine given to others, nor theirs to me.
        assert_eq!(edge.get(&target).await?.text(), "for ");
        assert_eq!(edge.send(Ask::get(&target).field(name, value)).await?.text(), format!("for {value}"));
    }
    Ok(())
}

pub(super) async fn an_answer_that_sets_a_cookie_is_never_shared(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        Reply::new("public, max-age=60")
            .field("set-cookie", &format!("sid={}", asked.number))
            .text(format!("for visitor {}", asked.number))
    })?;
    each_gets_their_own(&edge, &origin, "/a", "set-cookie").await?;
    assert_eq!(edge.get("/a").await?.field("set-cookie"), "sid=2");
    Ok(())
}

pub(super) async fn nothing_unkeyed_reaches_the_origin_on_a_shareable_request(cx: &Cx<'_>) -> Result<()> {
    const EVIL: [&str; 9] = [
        "x-forwarded-host",
        "x-forwarded-server",
        "x-original-url",
        "x-rewrite-url",
        "x-forwarded-prefix",
        "forwarded",
        "x-host",
        "referer",
        "x-tenant",
    ];
    const KNOWN: [&str; 11] = [
        "accept",
        "accept-language",
        "accept-encoding",
        "origin",
        "host",
        "via",
        "cdn-loop",
        "x-forwarded-host",
        "x-forwarded-proto",
        "user-agent",
        "connection",
    ];
    let (edge, origin) = cx.script(|asked| {
        Reply::new("max-age=60").text(format!(
            "{}|{}|{}",
            asked.field("x-forwarded-host"),
            asked.field("x-original-url"),
            asked.field("x-tenant")
        ))
    })?;
    let evil = |target: &str| {
        EVIL.iter()
            .fold(Ask::get(target), |ask, name| ask.field(name, "evil.example"))
            .field("user-agent", "evil")
    };
    let first = edge.send(evil("/a")).await?;
    let clean = format!("{}||", edge.authority());
    assert_eq!(first.text(), clean);
    let second = edge.get("/a").await?;
    assert!(second.is_hit(), "{second:?}");
    assert_eq!(second.text(), clean);
    let seen = origin.last()?;
    for (name, value) in &seen.fields {
        assert!(KNOWN.contains(&name.as_str()), "{name}: {value:?} reached the origin");
        assert!(!String::from_utf8_lossy(value.as_bytes()).contains("evil"), "{name}: {value:?}");
    }
    // A field that a route names does reach it, and keeps answers apart where they say that they vary.
    edge.send(evil("/forwarded/a")).await?;
    assert_eq!(origin.last()?.field("x-tenant"), "evil.example");
    Ok(())
}

pub(super) async fn credentials_that_are_stripped_share_one_entry(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    let with = |value: &str| Ask::get("/stripped/a").field("cookie", value).field("authorization", value);
    edge.send(with("one")).await?;
    let other = edge.send(with("other")).await?;
    assert!(other.is_hit(), "{other:?}");
    let seen = origin.last()?;
    assert_eq!((seen.field("cookie"), seen.field("authorization")), (String::new(), String::new()));
    Ok(())
}
