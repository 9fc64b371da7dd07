//! Cache deception: a victim who is signed in is led to a URL that looks like a file, and what it gets is for nobody else.

use levee::testing::{Ask, Reply, Sim, config_for};

const SECRET: &str = "the victim's own page";

/// By name: the URL that the victim is led to.
const URLS: [(&str, &str); 18] = [
    ("a file below a page", "/account/a.css"),
    ("a file behind a semicolon", "/account;a.js"),
    ("a file behind an encoded semicolon", "/account%3Ba.js"),
    ("a file behind an encoded slash", "/account%2Fa.css"),
    ("a file behind an encoded question mark", "/account%3Fa.css"),
    ("a file behind an encoded hash", "/account%23a.css"),
    ("a file behind an encoded dot", "/account/%2Ea.css"),
    ("a file in a parameter", "/account?a.css"),
    ("a file in a matrix parameter", "/account;v=1/a.png"),
    ("a folder of files, and back", "/static/..%2Faccount"),
    ("a folder of files, and back in clear", "/static/../account"),
    ("a folder of files, and back by encoded dots", "/static/%2e%2e/account"),
    ("a robots.txt below a page", "/account/robots.txt"),
    ("an icon below a page", "/account/favicon.ico"),
    ("a well-known file below a page", "/account/.well-known/a.json"),
    ("an image behind a tilde", "/account~a.avif"),
    ("an image behind a dollar sign", "/account$a.webp"),
    ("an image behind two slashes", "/account//a.jpg"),
];

/// By name: how the victim says who it is, and whether only what is exactly the same is answered by its response.
const IDENTITIES: [(&str, &[(&str, &str)]); 12] = [
    ("a cookie", &[("cookie", "sid=victim")]),
    ("a cookie beside one that is ignored", &[("cookie", "_ga=1; sid=victim")]),
    ("a cookie on a line of its own", &[("cookie", "_ga=1"), ("cookie", "sid=victim")]),
    ("a cookie behind a comma", &[("cookie", "_ga=1, sid=victim")]),
    ("a cookie behind a blank", &[("cookie", "_ga=1 sid=victim")]),
    ("a cookie in quotes", &[("cookie", "_ga=\"1; sid=victim\"")]),
    ("a cookie whose name looks ignored", &[("cookie", "_ga_,sid=victim")]),
    ("Authorization", &[("authorization", "Bearer victim")]),
    ("an API key", &[("x-api-key", "victim")]),
    ("an underscore for a hyphen", &[("x_api_key", "victim")]),
    ("who a proxy says it is", &[("remote-user", "victim")]),
    ("a token in a field of its own", &[("x-shop-token", "victim")]),
];

/// An origin that routes by the beginning of a path, knows its clients by anything, and says how long its pages are good for.
fn origin(ask: &Ask) -> Reply {
    let knows =
        ask.fields.iter().any(|(_, value)| String::from_utf8_lossy(value.as_bytes()).contains("victim"));
    Reply::new("max-age=600", if knows { SECRET } else { "please sign in" })
}

#[test]
fn what_a_victim_gets_is_for_nobody_else() {
    for (url_name, url) in URLS {
        for (identity, fields) in IDENTITIES {
            let about = format!("{url_name}, {identity}");
            let sim = Sim::new(config_for(&["https://o.example"]), origin);
            for _ in 0..3 {
                assert_eq!(sim.send("GET", url, fields).text(), SECRET, "{about}");
            }
            for attacker in
                [&[][..], &[("cookie", "_ga=1")], &[("cookie", "sid=attacker")], &[("x-shop-token", "x")]]
            {
                let answer = sim.send("GET", url, attacker);
                assert_eq!(answer.text(), "please sign in", "{about}: {}", answer.cache_status());
            }
            // Nor is the victim signed out by what the attacker has fetched.
            assert_eq!(sim.send("GET", url, fields).text(), SECRET, "{about}");
        }
    }
}

#[test]
fn who_asks_at_the_same_time_gets_its_own() {
    for (identity, fields) in IDENTITIES {
        let sim = Sim::new(config_for(&["https://o.example"]), |ask| {
            origin(ask).after(std::time::Duration::from_secs(1))
        });
        let url = "/account/a.css";
        let answers = sim.send_together(&[
            ("GET", url, fields),
            ("GET", url, &[]),
            ("GET", url, fields),
            ("GET", url, &[]),
        ]);
        let texts: Vec<&str> = answers.iter().map(levee::testing::Answered::text).collect();
        assert_eq!(texts, [SECRET, "please sign in", SECRET, "please sign in"], "{identity}");
    }
}
