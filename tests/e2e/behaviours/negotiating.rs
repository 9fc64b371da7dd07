//! Answers that depend on more than the URL: languages, codings, parts, conditions.

use std::io::Write as _;

use anyhow::Result;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::caching::numbered;
use crate::client::Ask;
use crate::cx::Cx;
use crate::scripted::Reply;

pub(super) async fn variants_are_told_apart_by_language(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        Reply::new("max-age=60").field("vary", "Accept-Language").text(asked.field("accept-language"))
    })?;
    let ask = |language: &str| edge.send(Ask::get("/a").field("accept-language", language));
    assert_eq!(ask("de").await?.text(), "de");
    assert_eq!(ask("en").await?.text(), "en");
    for language in ["de", "en"] {
        let hit = ask(language).await?;
        assert!(hit.is_hit(), "{hit:?}");
        assert_eq!((hit.text().as_str(), hit.field("vary").as_str()), (language, "Accept-Language"));
    }
    assert_eq!(origin.count(), 2);
    Ok(())
}

pub(super) async fn a_head_is_answered_from_what_a_get_stored(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(numbered("max-age=60"))?;
    let get = edge.get("/a").await?;
    let head = edge.send(Ask::new("HEAD", "/a")).await?;
    assert!(head.is_hit(), "{head:?}");
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(head.field("content-length"), get.body.len().to_string());
    assert_eq!(origin.count(), 1);
    // Without one the origin is asked, and a GET that follows gets its body.
    assert_eq!(edge.send(Ask::new("HEAD", "/b")).await?.status, 200);
    assert!(edge.get("/b").await?.text().starts_with("answer"));
    Ok(())
}

pub(super) async fn ranges_are_cut_from_what_is_stored(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) =
        cx.script(|_| Reply::new("max-age=60").field("etag", "\"v1\"").text("0123456789"))?;
    edge.get("/a").await?;
    let part = |range: &str| edge.send(Ask::get("/a").field("range", range));
    let middle = part("bytes=2-4").await?;
    assert_eq!((middle.status, middle.text().as_str()), (206, "234"));
    assert_eq!(middle.field("content-range"), "bytes 2-4/10");
    assert_eq!(middle.field("content-length"), "3");
    assert_eq!(part("bytes=-2").await?.text(), "89");
    let beyond = part("bytes=10-").await?;
    assert_eq!((beyond.status, beyond.field("content-range").as_str()), (416, "bytes */10"));
    let outdated = edge.send(Ask::get("/a").field("range", "bytes=0-1").field("if-range", "\"v0\"")).await?;
    assert_eq!((outdated.status, outdated.text().as_str()), (200, "0123456789"));
    assert_eq!(origin.count(), 1);
    Ok(())
}

pub(super) async fn a_part_shows_whether_the_whole_is_worth_fetching(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|asked| {
        let control = if asked.path() == "/storable" { "max-age=60" } else { "no-store" };
        let reply = Reply::new(control).field("etag", "\"v1\"");
        match asked.field("range").as_str() {
            "" => reply.text("0123456789"),
            _ => reply.status(206).field("content-range", "bytes 2-4/10").text("234"),
        }
    })?;
    let part = |target: &str| edge.send(Ask::get(target).field("range", "bytes=2-4"));
    for target in ["/storable", "/unstorable"] {
        for _ in 0..3 {
            let middle = part(target).await?;
            assert_eq!((middle.status, middle.text().as_str()), (206, "234"), "{target}: {middle:?}");
            assert_eq!(middle.field("content-range"), "bytes 2-4/10", "{target}: {middle:?}");
        }
    }
    let ranges = |target: &str| -> Vec<String> {
        let seen = origin.seen().into_iter().filter(|seen| seen.target == target);
        seen.map(|seen| seen.field("range")).collect()
    };
    // The first part shows it; then the whole is fetched, and answers.
    assert_eq!(ranges("/storable"), ["bytes=2-4", ""]);
    assert!(edge.get("/storable").await?.is_hit());
    assert_eq!(ranges("/unstorable"), ["bytes=2-4"; 3]);
    Ok(())
}

pub(super) async fn conditions_are_answered_from_what_is_stored(cx: &Cx<'_>) -> Result<()> {
    let (edge, origin) = cx.script(|_| Reply::new("max-age=60").field("etag", "\"v1\"").text("body"))?;
    edge.get("/a").await?;
    let ask = |etag: &str| edge.send(Ask::get("/a").field("if-none-match", etag));
    let same = ask("\"v0\", W/\"v1\"").await?;
    assert_eq!((same.status, same.body.len()), (304, 0));
    assert_eq!((same.field("etag").as_str(), same.field("cache-control").as_str()), ("\"v1\"", "max-age=60"));
    assert!(same.is_hit(), "{same:?}");
    assert_eq!(ask("\"v0\"").await?.status, 200);
    assert_eq!(origin.count(), 1);
    Ok(())
}

pub(super) async fn a_compressed_body_is_passed_on_byte_for_byte(cx: &Cx<'_>) -> Result<()> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all("levee ".repeat(4_000).as_bytes())?;
    let packed = gzip.finish()?;
    let sent = packed.clone();
    let (edge, origin) = cx.script(move |asked| {
        let control = if asked.path() == "/stored" { "max-age=60" } else { "no-store" };
        Reply::new(control)
            .field("content-encoding", "gzip")
            .field("content-type", "text/plain")
            .field("vary", "Accept-Encoding")
            .bytes(sent.clone())
    })?;
    for target in ["/stored", "/stored", "/passed", "/uncached/passed"] {
        let answer = edge.send(Ask::get(target).field("accept-encoding", "gzip")).await?;
        assert_eq!(answer.field("content-encoding"), "gzip", "{target}");
        assert_eq!(answer.field("content-length"), packed.len().to_string(), "{target}");
        assert!(answer.body == packed, "{target}: {} bytes of {}", answer.body.len(), packed.len());
    }
    let seen = origin.seen();
    assert!(seen.iter().all(|seen| seen.field("accept-encoding") == "gzip"), "{seen:?}");
    assert_eq!(seen.len(), 3);
    Ok(())
}

pub(super) async fn who_accepts_no_coding_gets_none(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(|asked| {
        let reply = Reply::new("max-age=60").field("vary", "Accept-Encoding");
        if asked.field("accept-encoding").is_empty() {
            reply.text("as it is")
        } else {
            reply.field("content-encoding", "gzip").text("stands for something compressed")
        }
    })?;
    for target in ["/a", "/a", "/uncached/a"] {
        let answer = edge.get(target).await?;
        assert_eq!((answer.field("content-encoding").as_str(), answer.text().as_str()), ("", "as it is"));
    }
    Ok(())
}
