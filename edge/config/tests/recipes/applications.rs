//! What the other pages say, with the fields that these applications and their clients send.

use std::time::Duration;

use super::play::{answer, behind, goes_on, hits, saw, saying};

#[test]
fn apollo() {
    const OPERATION: &str = "/graphql?extensions=%7B%22persistedQuery%22%3A%7B%22version%22%3A1%7D%7D";
    let client = [("content-type", "application/json"), ("apollo-require-preflight", "true")];
    for block in [None, Some(0)] {
        let sim = behind("apollo", block, saying(&[("cache-control", "max-age=60, public")]));
        goes_on(&sim, OPERATION, &client);
        assert_eq!(saw(&sim, "apollo-require-preflight"), "true");
        assert_eq!(hits(&sim, OPERATION, &client), block.is_some(), "stored the first time");
        assert!(hits(&sim, OPERATION, &client));
    }
    let unknown =
        behind("apollo", Some(0), saying(&[("cache-control", "private, no-cache, must-revalidate")]));
    goes_on(&unknown, OPERATION, &client);
    goes_on(&unknown, OPERATION, &client);
    let posts = behind("apollo", Some(0), saying(&[("cache-control", "max-age=60, public")]));
    let post = || posts.send("POST", "/graphql", &[("content-type", "application/json"), ("body", "{}")]);
    assert!(post().cache_status().contains("method") && post().cache_status().contains("method"));
}

#[test]
fn verdaccio() {
    const TARBALL: &str = "/@scope/name/-/name-1.0.0.tgz";
    let run = |session| {
        let (kind, package) = (("pacote-req-type", "tarball"), ("pacote-pkg-id", "registry:name@1.0.0"));
        let agent = ("user-agent", "npm/11.19.1 node/v24.0.0 linux x64 workspaces/false");
        [
            ("npm-session", session),
            ("npm-command", "install"),
            ("pacote-version", "21.0.0"),
            kind,
            package,
            agent,
        ]
    };
    let lines = behind("verdaccio", Some(0), saying(&[]));
    for target in [TARBALL, "/name/-/name-1.0.0.tgz"] {
        goes_on(&lines, target, &run("0123456789abcdef"));
        assert_eq!(saw(&lines, "npm-session"), "0123456789abcdef");
        assert!(hits(&lines, target, &run("fedcba9876543210")));
        goes_on(&lines, target, &[("authorization", "Bearer 1")]);
    }
    goes_on(&lines, "/name", &run("0123456789abcdef"));
    goes_on(&lines, "/name", &run("0123456789abcdef"));
    // Why the fields are listed.
    let named = behind("verdaccio", None, saying(&[("cache-control", "max-age=60")]));
    for session in ["0123456789abcdef", "fedcba9876543210", "00000000ffffffff"] {
        assert!(goes_on(&named, TARBALL, &run(session)).contains("particular-once"));
    }
}

#[test]
fn git() {
    let refs = "/project.git/info/refs?service=git-upload-pack";
    let client = [("git-protocol", "version=2"), ("user-agent", "git/2.39.5")];
    for block in [None, Some(0)] {
        let sim = behind("git", block, |ask| {
            let says = "no-cache, max-age=0, must-revalidate";
            answer(ask, &[("cache-control", says), ("expires", "Fri, 01 Jan 1980 00:00:00 GMT")])
        });
        for _ in 0..3 {
            goes_on(&sim, refs, &client);
        }
        assert_eq!(saw(&sim, "git-protocol"), "version=2");
    }
    let slow = behind("git", Some(0), |ask| answer(ask, &[]).after(Duration::from_secs(240)));
    assert_eq!(slow.send("POST", "/project.git/git-upload-pack", &[("body", "0000")]).status, 200);
    let default = behind("git", None, |ask| answer(ask, &[]).after(Duration::from_secs(240)));
    assert_eq!(default.send("POST", "/project.git/git-upload-pack", &[("body", "0000")]).status, 504);
}

#[test]
fn jupyterlab() {
    let sim = behind("jupyterlab", Some(0), saying(&[("etag", "\"1\"")]));
    goes_on(&sim, "/static/lab/main.js?v=1", &[("cookie", "username-a=1")]);
    assert!(hits(&sim, "/static/lab/main.js?v=1", &[("cookie", "username-a=2")]));
    let extensions =
        behind("jupyterlab", Some(0), saying(&[("cache-control", "public, max-age=31536000, immutable")]));
    goes_on(&extensions, "/lab/extensions/a/static/b.js", &[("cookie", "username-a=1")]);
    assert!(hits(&extensions, "/lab/extensions/a/static/b.js", &[("cookie", "username-a=2")]));
    goes_on(&sim, "/api/contents", &[("cookie", "username-a=1")]);
    assert_eq!(saw(&sim, "cookie"), "username-a=1");
    goes_on(&sim, "/api/contents", &[("authorization", "token 1")]);
    assert_eq!(saw(&sim, "authorization"), "token 1");
}

#[test]
fn files() {
    let lines = behind("files", Some(0), saying(&[("etag", "\"1\""), ("accept-ranges", "bytes")]));
    goes_on(&lines, "/files/a.zip", &[("cookie", "a=1")]);
    let part = lines.send("GET", "/files/a.zip", &[("range", "bytes=0-5"), ("cookie", "a=2")]);
    assert_eq!((part.status, part.text()), (206, "answer"));
    assert!(part.cache_status().starts_with("hit"));
    // A URL that is not known: the range goes to the application.
    goes_on(&lines, "/files/b.zip", &[("range", "bytes=0-5")]);
    assert_eq!(saw(&lines, "range"), "bytes=0-5");
    assert_eq!(saw(&lines, "via"), "");
}

#[test]
fn wordpress() {
    let plain = behind("wordpress", Some(0), |ask| match ask.field("cookie") {
        "" => answer(ask, &[]),
        _ => answer(ask, &[("cache-control", "no-cache, must-revalidate, max-age=0")]),
    });
    goes_on(&plain, "/a-post/?utm_source=x", &[]);
    assert!(hits(&plain, "/a-post/?utm_source=y", &[]));
    goes_on(&plain, "/a-post/", &[("cookie", "wordpress_logged_in_site=1")]);
    assert!(hits(&plain, "/a-post/", &[]), "that changed nothing");
    goes_on(&plain, "/wp-content/a.png", &[("cookie", "wordpress_logged_in_site=1")]);
    assert!(hits(&plain, "/wp-content/a.png", &[("cookie", "wordpress_logged_in_site=2")]));

    let named = behind("wordpress", Some(1), saying(&[]));
    goes_on(&named, "/a-post/", &[("cookie", "_ga=1")]);
    assert!(hits(&named, "/a-post/", &[("cookie", "_ga=2")]));
    goes_on(&named, "/a-post/", &[("cookie", "wordpress_logged_in_site=1; _ga=1")]);
    goes_on(&named, "/wp-admin/", &[("cookie", "wordpress_sec_site=1")]);
    assert_eq!(saw(&named, "cookie"), "wordpress_sec_site=1");
    for _ in 0..2 {
        goes_on(&named, "/wp-json/wp/v2/posts", &[("authorization", "Basic 1")]);
        assert_eq!(saw(&named, "authorization"), "Basic 1");
    }
}

#[test]
fn mediawiki() {
    let wiki = |ask: &levee::testing::Ask| {
        let says = match ask.field("cookie") {
            cookie if cookie.contains("wiki_session") => "private, must-revalidate, max-age=0",
            _ => "s-maxage=18000, must-revalidate, max-age=0",
        };
        answer(ask, &[("cache-control", says), ("vary", "Accept-Encoding, Cookie")])
    };
    let plain = behind("mediawiki", None, wiki);
    goes_on(&plain, "/wiki/A", &[]);
    assert!(hits(&plain, "/wiki/A", &[]));
    assert!(hits(&plain, "/wiki/A", &[("cookie", "_ga=1")]));
    goes_on(&plain, "/wiki/A", &[("cookie", "theme=dark")]);

    let lines = behind("mediawiki", Some(0), wiki);
    goes_on(&lines, "/wiki/A", &[("cookie", "_ga=1")]);
    assert!(hits(&lines, "/wiki/A", &[("cookie", "_ga=2")]));
    for _ in 0..2 {
        goes_on(&lines, "/wiki/A", &[("cookie", "wiki_session=1; _ga=1")]);
    }
    lines.advance(Duration::from_secs(61));
    goes_on(&lines, "/wiki/A", &[]);
    goes_on(&lines, "/api.php?action=query", &[("authorization", "Bearer 1")]);
    assert_eq!(saw(&lines, "authorization"), "Bearer 1");
}

#[test]
fn s3() {
    const SIGNED: &str = "/private/a?X-Amz-Signature=1";
    // `Vary` only to those who send `Origin`, as storage services have it.
    let cors = behind("s3", None, |ask| match ask.field("origin") {
        "" => answer(ask, &[("cache-control", "public, max-age=60")]),
        origin => {
            let allows = ("access-control-allow-origin", origin);
            answer(ask, &[("cache-control", "public, max-age=60"), allows, ("vary", "Origin")])
        }
    });
    goes_on(&cors, "/a", &[]);
    let from = |origin| {
        cors.send("GET", "/a", &[("origin", origin)]).field("access-control-allow-origin").to_owned()
    };
    for origin in ["https://b.example", "https://c.example", "https://b.example"] {
        assert_eq!(from(origin), origin);
    }
    assert!(hits(&cors, "/a", &[]));

    let public = behind("s3", Some(0), saying(&[("etag", "\"1\"")]));
    goes_on(&public, "/a", &[("cookie", "a=1")]);
    assert!(hits(&public, "/a", &[("cookie", "a=2")]));

    // What the page warns of, and what it advises.
    for (block, stored) in [(None, true), (Some(1), false)] {
        let signed = behind("s3", block, saying(&[("cache-control", "max-age=60")]));
        goes_on(&signed, SIGNED, &[]);
        assert_eq!(hits(&signed, SIGNED, &[]), stored);
    }
}
