//! Field lines that are not as they should be (RFC 9112, section 5).

use std::sync::atomic::Ordering;

use crate::support::{Edge, config};
use crate::{GET, counting};

async fn ask_twice(lines: &str) -> (Vec<crate::support::Message>, usize) {
    let answer = format!("HTTP/1.1 200 OK\r\n{lines}\r\ncontent-length: 5\r\n\r\nhello");
    let (address, asked) = counting(answer).await;
    let edge = Edge::start(config(address));
    let answers = vec![edge.ask(GET).await, edge.ask(GET).await];
    (answers, asked.load(Ordering::SeqCst))
}

/// A line that were left out would be a leak: what it forbids is forbidden however it is written.
#[tokio::test]
async fn white_space_does_not_hide_a_field() {
    for (lines, stored) in [
        ("cache-control: max-age=60", true),
        ("Cache-Control : max-age=60", true),
        ("Cache-Control\t \t:max-age=60", true),
        ("cache-control: max-age=60\r\ncache-control : private", false),
        ("cache-control: max-age=60\r\nCache-Control\t: no-store", false),
        ("cache-control: max-age=60,\r\n private", false),
        ("cache-control: max-age=60,\r\n\t  \r\n \tprivate", false),
        ("cache-control:\r\n private\r\nexpires: Fri, 01 Jan 2100 00:00:00 GMT", false),
        ("cache-control: max-age=60\r\nset-cookie : a=b", false),
        ("cache-control: max-age=60\r\nvary : *", false),
    ] {
        let (answers, asked) = ask_twice(lines).await;
        for answer in &answers {
            assert_eq!((answer.status(), answer.text()), (200, "hello"), "{lines}");
        }
        assert_eq!(asked == 1, stored, "{lines}");
    }
}

#[tokio::test]
async fn what_is_passed_on_has_the_usual_form() {
    let (answers, _) = ask_twice("X-Space : 1\r\nX-Folded: a\r\n\t b,\r\n  c  \r\nSet-Cookie\t: s=1").await;
    let head = &answers[0].head;
    assert_eq!(head.field("x-space"), Some("1"));
    assert_eq!(head.field("x-folded"), Some("a b, c"));
    assert_eq!(head.field("set-cookie"), Some("s=1"));
    assert!(head.fields.iter().all(|(name, _)| !name.contains([' ', '\t'])), "{head:?}");
}

#[tokio::test]
async fn many_fields_pass_and_no_more_than_can_be_held() {
    for (count, size, status) in [
        (150, 10, 200),
        (500, 10, 200),
        (600, 10, 502),
        (1, 60 << 10, 200),
        (100, 500, 200),
        (1, 70 << 10, 502),
        (300, 300, 502),
    ] {
        let lines: Vec<String> =
            (0..count).map(|number| format!("x-{number}: {}", "y".repeat(size))).collect();
        let (answers, _) = ask_twice(&lines.join("\r\n")).await;
        for answer in answers {
            assert_eq!(answer.status(), status, "{count} of {size}");
            if status == 200 {
                let passed = answer.head.fields.iter().filter(|(_, value)| value.len() == size).count();
                assert_eq!((passed, answer.text()), (count, "hello"));
            }
        }
    }
}

/// It is not known what such a line says: neither is the response passed on, nor is it stored.
#[tokio::test]
async fn what_is_no_field_line_is_refused() {
    for line in [
        "Cache Control: private",
        "no colon",
        ": no name",
        "x\u{1}y: 1",
        "x: a\0b",
        "x: a\rb",
        "x: a\u{7f}b",
        "\"cache-control\": private",
    ] {
        let (answers, asked) = ask_twice(&format!("cache-control: max-age=60\r\n{line}")).await;
        for answer in answers {
            assert_eq!(answer.status(), 502, "{line:?}");
            assert!(answer.head.field("proxy-status").unwrap().contains("protocol"), "{:?}", answer.head);
        }
        assert_eq!(asked, 2, "{line:?}");
    }
}
