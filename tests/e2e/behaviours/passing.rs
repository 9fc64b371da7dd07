//! What is not for the cache goes through as it came.

use anyhow::Result;
use http::HeaderValue;
use http_body_util::{BodyExt as _, Collected};
use tokio::sync::mpsc;

use super::caching::numbered;
use crate::client::Ask;
use crate::cx::Cx;
use crate::scripted::Reply;

pub(super) async fn a_post_passes_whole_and_is_not_cached(cx: &Cx<'_>) -> Result<()> {
    let (bodies, mut read) = mpsc::unbounded_channel();
    let (edge, origin) = cx.script(move |asked| {
        let bodies = bodies.clone();
        let number = asked.number;
        let read = async move {
            let body = asked.request.into_body().collect().await.map(Collected::to_bytes);
            // The receiver lives as long as the test.
            let _ = bodies.send(body);
        };
        Reply::new("max-age=60").status(201).text(format!("made {number}")).once(read)
    })?;
    for number in 0..2 {
        let body = format!("{{\"order\":{number}}}");
        let ask = Ask::new("POST", "/a?x=1&utm_source=kept").field("cookie", "sid=1").field("x-any", "whole");
        let answer = edge.send(ask.field("content-type", "application/json").body(body.clone())).await?;
        assert_eq!((answer.status, answer.text()), (201, format!("made {number}")));
        assert_eq!(answer.cache_status(), "fwd=method; fwd-status=201");
        assert_eq!(read.recv().await.transpose()?.as_deref(), Some(body.as_bytes()));
        let seen = origin.last()?;
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", "/a?x=1&utm_source=kept"));
        assert_eq!((seen.field("x-any").as_str(), seen.field("cookie").as_str()), ("whole", "sid=1"));
        assert_eq!(seen.field("content-length"), body.len().to_string());
    }
    Ok(())
}

pub(super) async fn a_route_that_is_not_cached_passes_each_time(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("public, max-age=60"))?;
    for number in 0..2 {
        let answer = edge.get("/uncached/a").await?;
        assert_eq!(answer.text(), format!("answer {number}"));
        assert_eq!(answer.cache_status(), "fwd=bypass; fwd-status=200; detail=route");
        assert_eq!(answer.timing("cache").as_deref(), Some("pass"));
    }
    assert_eq!(origin.count(), 2);
    Ok(())
}

pub(super) async fn methods_pass_by_their_own_names(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| Reply::new("max-age=60").text(&asked.seen.method))?;
    edge.get("/a").await?;
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "PURGE", "QUERY"] {
        let answer = edge.send(Ask::new(method, "/a").body("x")).await?;
        assert_eq!((answer.status, answer.text().as_str()), (200, method), "{answer:?}");
        assert_eq!(origin.last()?.method, method);
    }
    // Such a name is none of HTTP's own. workerd itself knows a list of names and answers 501 to others.
    let custom = edge.send(Ask::new("LEVEE-TEST", "/a").body("x")).await?;
    if cx.runtime.takes_any_method() {
        assert_eq!((custom.status, custom.text().as_str()), (200, "LEVEE-TEST"), "{custom:?}");
    } else {
        assert_eq!(custom.status, 501, "{custom:?}");
    }
    Ok(())
}

pub(super) async fn a_target_reaches_the_origin_as_it_was_keyed(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| Reply::new("max-age=60").text(&asked.seen.target))?;
    for (sent, keyed) in [
        ("/x/../a%2fb", "/a%2Fb"),
        ("/a%2Fb?", "/a%2Fb"),
        ("/x/./y/%2e%2e/z", "/x/z"),
        ("/%7Euser/%61", "/~user/a"),
        ("/a//b", "/a//b"),
        ("/a%20b?q=%c3%bc+x", "/a%20b?q=%C3%BC+x"),
        ("/a;v=1,2/b:c@d", "/a;v=1,2/b:c@d"),
        ("/q?a=%26&b=/?", "/q?a=%26&b=/?"),
    ] {
        let answer = edge.get(sent).await?;
        assert_eq!((answer.status, answer.text().as_str()), (200, keyed), "{sent}");
    }
    // `/a%2Fb` was one request for both spellings.
    assert_eq!(origin.seen().iter().filter(|seen| seen.target == "/a%2Fb").count(), 1);
    // What passes is sent in the same form.
    edge.send(Ask::new("POST", "/x/../a%2fb").body("x")).await?;
    assert_eq!(origin.last()?.target, "/a%2Fb");
    Ok(())
}

pub(super) async fn redirects_are_not_followed(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        let status = asked.path().rsplit('/').next().and_then(|last| last.parse().ok()).unwrap_or(302);
        Reply::new("no-store").status(status).field("location", "/elsewhere")
    })?;
    for status in [301, 302, 303, 307, 308] {
        for route in ["", "/uncached"] {
            let answer = edge.get(&format!("{route}/{status}")).await?;
            assert_eq!((answer.status, answer.field("location").as_str()), (status, "/elsewhere"));
        }
    }
    assert!(origin.seen().iter().all(|seen| seen.target != "/elsewhere"));
    Ok(())
}

pub(super) async fn each_set_cookie_stays_a_line_of_its_own(cx: &Cx<'_>) -> Result<()> {
    let cookies = ["sid=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "theme=dark", "sid=2; Path=/a"];
    let (edge, _) = cx.script(move |_| {
        cookies.iter().fold(Reply::new("no-store"), |reply, cookie| reply.field("set-cookie", cookie))
    })?;
    for ask in [Ask::get("/a"), Ask::get("/uncached/a"), Ask::new("POST", "/a").body("x")] {
        let answer = edge.send(ask).await?;
        let lines: Vec<_> = answer.fields.get_all("set-cookie").iter().map(HeaderValue::as_bytes).collect();
        assert_eq!(lines, cookies.map(str::as_bytes));
    }
    Ok(())
}

pub(super) async fn what_belongs_to_one_connection_is_not_passed_on(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|_| {
        Reply::new("max-age=60")
            .field("connection", "x-of-the-origin")
            .field("x-of-the-origin", "1")
            .field("keep-alive", "timeout=5")
            .field("proxy-authenticate", "Basic")
            .field("x-end-to-end", "1")
            .text("body")
    })?;
    let with = |ask: Ask| {
        ask.field("connection", "x-of-the-client")
            .field("x-of-the-client", "1")
            .field("keep-alive", "timeout=5")
            .field("te", "trailers")
            .field("proxy-authorization", "Basic eDp5")
            .field("proxy-connection", "keep-alive")
            .field("x-end-to-end", "1")
    };
    for ask in [Ask::get("/a"), Ask::get("/a"), Ask::get("/uncached/a"), Ask::new("POST", "/a").body("x")] {
        let passes = format!("{ask:?}");
        let answer = edge.send(with(ask)).await?;
        assert_eq!(answer.status, 200, "{passes}");
        for name in ["keep-alive", "proxy-authenticate", "x-of-the-origin"] {
            assert_eq!(answer.field(name), "", "{name} came back: {passes}");
        }
        assert_eq!(answer.field("x-end-to-end"), "1", "{passes}");
        let seen = origin.last()?;
        for name in ["keep-alive", "te", "proxy-authorization", "proxy-connection"] {
            assert_eq!(seen.field(name), "", "{name} was sent on: {passes}");
        }
        // Where a runtime keeps `Connection` to itself, nobody behind it can know what it named.
        if cx.runtime.sees_connection() {
            assert_eq!(seen.field("x-of-the-client"), "", "{passes}");
        }
    }
    assert_eq!(origin.last()?.field("x-end-to-end"), "1");
    Ok(())
}

pub(super) async fn every_answer_says_what_became_of_its_request(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(|asked| {
        let status = asked.path().rsplit('/').next().and_then(|last| last.parse().ok()).unwrap_or(200);
        Reply::new("max-age=60").status(status).field("etag", "\"v1\"").field("cache-status", "Behind; hit")
    })?;
    let whole = |target: &str| Ask::get(target).field("authorization", "Bearer mine");
    for ask in [
        Ask::get("/a"),
        Ask::get("/a"),
        Ask::get("/a").field("if-none-match", "\"v1\""),
        Ask::get("/a").field("range", "bytes=9-"),
        Ask::new("HEAD", "/a"),
        Ask::new("POST", "/a").body("x"),
        Ask::new("OPTIONS", "/a"),
        whole("/a"),
        Ask::get("/uncached/a"),
        Ask::get("/204"),
        Ask::get("/301"),
        Ask::get("/404"),
        Ask::get("/500"),
        whole("/503"),
        Ask::get("/%zz"),
        Ask::get("/a").field("cdn-loop", "levee"),
        Ask::get("/a").field("host", "other.example"),
        Ask::get("/a").field("cache-control", "only-if-cached"),
        Ask::get("/b").field("cache-control", "only-if-cached"),
    ] {
        let what = format!("{ask:?}");
        let answer = edge.send(ask).await?;
        // What came from upstream stays before it.
        let own =
            answer.field("cache-status").rsplit(", ").next().is_some_and(|own| own.starts_with("levee"));
        assert!(own, "{what}: {answer:?}");
        let word = answer.timing("cache").unwrap_or_default();
        let known = ["hit", "stale", "revalidated", "miss", "pass", "error"].contains(&word.as_str());
        assert!(known, "{what}: {answer:?}");
    }
    Ok(())
}
