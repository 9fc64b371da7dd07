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

pub(super) async fn what_a_client_says_reaches_the_origin_and_nobody_else(cx: &Cx<'_>) -> Result<()> {
    // What clients say of how they came is not true.
    const UNTRUE: [&str; 5] =
        ["x-forwarded-host", "x-forwarded-server", "forwarded", "x-forwarded-prefix", "x-real-ip"];
    const PARTICULAR: [&str; 4] = ["x-original-url", "x-rewrite-url", "x-host", "x-tenant"];
    let (edge, origin) = cx.script(|asked| {
        let said = ["x-forwarded-host", "x-original-url", "x-tenant", "git-protocol"];
        Reply::new("max-age=60").text(said.map(|name| asked.field(name)).join("|"))
    })?;
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
    let plain = |target: &str| Ask::get(target).field("user-agent", agent);
    let evil = |target: &str| {
        let all = UNTRUE.iter().chain(&PARTICULAR);
        all.fold(plain(target), |ask, name| ask.field(name, "evil.example"))
            .field("referer", "https://b.example/")
    };
    let own = format!("{}|evil.example|evil.example|", edge.authority());
    assert_eq!(edge.send(evil("/a")).await?.text(), own);
    let seen = origin.last()?;
    for (name, value) in &seen.fields {
        let is_evil = String::from_utf8_lossy(value.as_bytes()).contains("evil");
        assert!(!is_evil || PARTICULAR.contains(&name.as_str()), "{name}: {value:?} reached the origin");
    }
    assert_eq!((seen.field("user-agent"), seen.field("referer")), (agent.to_owned(), String::new()));
    assert_eq!(seen.field("via"), "");
    // Nobody else is given what came of it, whatever else they say.
    let clean = format!("{}|||", edge.authority());
    assert_eq!(edge.send(plain("/a")).await?.text(), clean);
    let hit = edge.send(plain("/a")).await?;
    assert!(hit.is_hit(), "{hit:?}");
    assert_eq!(hit.text(), clean);
    let protocol = edge.send(plain("/a").field("git-protocol", "version=2")).await?;
    assert_eq!(protocol.text(), format!("{clean}version=2"));
    for _ in 0..3 {
        assert_eq!(edge.send(evil("/a")).await?.text(), own);
    }
    assert!(edge.send(plain("/a")).await?.is_hit());
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
