//! Who sees the edge's own pages on the developer's own machine.

use crate::support::{Edge, config, nowhere};

const PAGES: [&str; 2] = ["/.levee/", "/.levee/explain?url=/x"];

async fn asked(edge: &Edge, page: &str, lines: &str) -> u16 {
    edge.ask(&format!("GET {page} HTTP/1.1\r\n{lines}\r\n")).await.status()
}

#[tokio::test]
async fn a_loopback_address_is_open_to_this_machine_alone() {
    let edge = Edge::start(config(nowhere().await));
    let port = edge.address.port();
    for page in PAGES {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(
                asked(&edge, page, &format!("Host: {host}:{port}\r\n")).await,
                200,
                "{page} at {host}"
            );
        }
        for foreign in [
            "Host: www.example.com\r\n".to_owned(),
            "Host: rebound.example:8080\r\n".to_owned(),
            format!("Host: localhost:{port}\r\nX-Forwarded-For: 192.0.2.1\r\n"),
            format!("Host: 127.0.0.1:{port}\r\nVia: 1.1 proxy\r\n"),
            format!(
                "Host: localhost:{port}\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\n"
            ),
            format!("Host: localhost:{port}\r\nSec-Fetch-Site: same-site\r\n"),
        ] {
            assert_eq!(asked(&edge, page, &foreign).await, 403, "{page}: {foreign}");
        }
    }
}

#[tokio::test]
async fn the_pages_say_that_nobody_stores_or_guesses_them() {
    let edge = Edge::start(config(nowhere().await));
    for (page, host) in
        [(PAGES[0], "localhost"), (PAGES[1], "localhost"), (PAGES[0], "a.example"), ("/x", "a.example")]
    {
        let answer = edge.ask(&format!("GET {page} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await;
        assert_eq!(answer.head.field("x-content-type-options"), Some("nosniff"), "{page}");
        assert_eq!(answer.head.field("cache-control"), Some("no-store"), "{page}");
        if answer.status() == 200 {
            assert_eq!(answer.head.field("cross-origin-resource-policy"), Some("same-origin"), "{page}");
        }
    }
}
