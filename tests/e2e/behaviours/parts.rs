//! Parts and conditions, of what is stored and of what is not.

use anyhow::Result;

use crate::client::{Answer, Ask, Edge};
use crate::cx::Cx;
use crate::scripted::{Asked, Reply};

/// Larger than what is stored.
const LARGE: usize = 3 << 20;

/// Ten bytes again and again, so that each place can be told.
fn data(length: usize) -> String {
    "0123456789".repeat(length.div_ceil(10)).chars().take(length).collect()
}

/// Whole answers, each in a way in which it comes to be not stored; the last one is.
const WHOLE: [(&str, &str, usize); 5] = [
    ("/no-store", "no-store", 100),
    ("/silent", "", 100),
    ("/private", "private", 100),
    ("/large", "max-age=60", LARGE),
    ("/stored", "max-age=60", 100),
];

/// An origin that overlooks ranges and conditions.
fn simple(asked: Asked) -> Reply {
    let (_, control, length) =
        WHOLE.iter().find(|(path, ..)| asked.path().starts_with(path)).copied().unwrap_or(WHOLE[0]);
    Reply::new(control)
        .field("etag", "\"v1\"")
        .field("last-modified", "Tue, 14 Nov 2023 22:00:00 GMT")
        .field("content-digest", "sha-256=:AAAA:")
        .field("repr-digest", "sha-256=:BBBB:")
        .field("content-md5", "AAAA")
        .field("digest", "sha-256=AAAA")
        .text(data(length))
}

/// An origin that answers them.
fn able(asked: Asked) -> Reply {
    let (range, path) = (asked.field("range"), asked.path().to_owned());
    let has = |name: &str| asked.field(name).contains("\"v1\"");
    if has("if-none-match") {
        return simple(asked).status(304).text("");
    }
    if !asked.field("if-match").is_empty() && !has("if-match") {
        return Reply::new("no-store").status(412);
    }
    let applies = asked.field("if-range").is_empty() || has("if-range");
    let whole = simple(asked);
    let total = WHOLE.iter().find(|(of, ..)| path.starts_with(of)).map_or(0, |(.., length)| *length);
    match range.as_str() {
        "bytes=12-14" if applies => {
            whole.status(206).field("content-range", &format!("bytes 12-14/{total}")).text("234")
        }
        "bytes=9999999-" if applies => Reply::new("max-age=600")
            .status(416)
            .field("content-range", &format!("bytes */{total}"))
            .text("beyond the end"),
        _ => whole,
    }
}

fn part(edge: &Edge, target: &str, range: &str) -> impl Future<Output = Result<Answer>> {
    edge.send(Ask::get(target).field("range", range))
}

pub(super) async fn a_part_of_what_is_not_stored_is_a_part(cx: &Cx<'_>) -> Result<()> {
    for script in [simple as fn(Asked) -> Reply, able] {
        let (edge, _) = cx.script(script)?;
        for (target, _, length) in WHOLE {
            for _ in 0..3 {
                let middle = part(&edge, target, "bytes=12-14").await?;
                assert_eq!((middle.status, middle.text().as_str()), (206, "234"), "{target}: {middle:?}");
                assert_eq!(middle.field("content-range"), format!("bytes 12-14/{length}"), "{target}");
                assert_eq!(middle.field("content-length"), "3", "{target}");
            }
            let whole = edge.get(target).await?;
            assert_eq!((whole.status, whole.body.len()), (200, length), "{target}");
        }
    }
    Ok(())
}

pub(super) async fn conditions_hold_whether_or_not_it_is_stored(cx: &Cx<'_>) -> Result<()> {
    for script in [simple as fn(Asked) -> Reply, able] {
        let (edge, _) = cx.script(script)?;
        for (target, _, length) in WHOLE {
            let status = async |fields: &[(&str, &str)]| {
                let ask = fields.iter().fold(Ask::get(target), |ask, (name, value)| ask.field(name, value));
                let answer = edge.send(ask).await?;
                anyhow::Ok((answer.status, answer.body.len()))
            };
            let (before, after) = ("Tue, 14 Nov 2023 21:00:00 GMT", "Tue, 14 Nov 2023 23:00:00 GMT");
            for _ in 0..2 {
                assert_eq!(status(&[("if-none-match", "\"v1\"")]).await?, (304, 0), "{target}");
                assert_eq!(status(&[("if-none-match", "\"v2\"")]).await?, (200, length), "{target}");
                assert_eq!(status(&[("if-modified-since", after)]).await?.0, 304, "{target}");
                assert_eq!(status(&[("if-match", "\"v1\"")]).await?, (200, length), "{target}");
                assert_eq!(status(&[("if-match", "\"v2\"")]).await?.0, 412, "{target}");
                assert_eq!(status(&[("if-unmodified-since", before)]).await?.0, 412, "{target}");
                assert_eq!(status(&[("if-unmodified-since", after)]).await?, (200, length), "{target}");
                // A part of another version is never sent.
                let range = ("range", "bytes=12-14");
                assert_eq!(status(&[range, ("if-match", "\"v0\"")]).await?.0, 412, "{target}");
                assert_eq!(status(&[range, ("if-match", "\"v1\"")]).await?, (206, 3), "{target}");
                assert_eq!(status(&[range, ("if-range", "\"v0\"")]).await?, (200, length), "{target}");
                assert_eq!(status(&[range, ("if-range", "\"v1\"")]).await?, (206, 3), "{target}");
            }
        }
    }
    Ok(())
}

pub(super) async fn a_part_says_nothing_of_the_content_of_the_whole(cx: &Cx<'_>) -> Result<()> {
    let (edge, _) = cx.script(simple)?;
    for (target, _, _) in WHOLE {
        let whole = edge.get(target).await?;
        assert_eq!(whole.field("content-digest"), "sha-256=:AAAA:", "{target}");
        for range in ["bytes=12-14", "bytes=0-1,5-6"] {
            let cut = part(&edge, target, range).await?;
            if cut.status == 206 {
                for name in ["content-digest", "content-md5", "digest"] {
                    assert_eq!(cut.field(name), "", "{name}, {target}: {cut:?}");
                }
                // These are of the representation, whatever is sent of it.
                assert_eq!(cut.field("repr-digest"), "sha-256=:BBBB:", "{target}");
                assert_eq!(cut.field("etag"), "\"v1\"", "{target}");
            }
            assert!(cut.status == 206 || (range.contains(',') && cut.status == 200), "{target}: {cut:?}");
        }
    }
    Ok(())
}

pub(super) async fn a_416_answers_no_one_else(cx: &Cx<'_>) -> Result<()> {
    for script in [simple as fn(Asked) -> Reply, able] {
        let (edge, _) = cx.script(script)?;
        for (target, _, length) in WHOLE {
            // Once with what the edge has seen, once without.
            let unseen = format!("{target}-unseen");
            assert_eq!(edge.get(target).await?.body.len(), length);
            for target in [target, &unseen] {
                let beyond = part(&edge, target, "bytes=9999999-").await?;
                assert_eq!(beyond.status, 416, "{target}: {beyond:?}");
                assert_eq!(beyond.field("content-range"), format!("bytes */{length}"), "{target}");
                for _ in 0..2 {
                    let whole = edge.get(target).await?;
                    assert_eq!((whole.status, whole.body.len()), (200, length), "{target}");
                }
                let middle = part(&edge, target, "bytes=12-14").await?;
                assert_eq!((middle.status, middle.text().as_str()), (206, "234"), "{target}: {middle:?}");
            }
        }
    }
    Ok(())
}
