//! Files that are right, and what they become.

use std::time::Duration;

use levee::config::{
    ClientDirectives, Config, Credentials, HostPattern, KeyPolicy, Limits, NamePattern, Negative, OriginHost,
    Particular, PathPattern, Policy, PurgeAuth, QueryPolicy, RateLimit, SetCookie, Stale, Ttl,
};
use levee_config::{Compiled, Overrides, compile_file, compile_str, neutral};

const BASE: &str = "version = 1\nhosts = [\"a.example\"]\n[origins.eu]\nurl = \"https://eu.example.net\"\n";

fn compile_with(text: &str, overrides: &Overrides) -> Compiled {
    compile_str("levee.toml", text, overrides).unwrap_or_else(|error| panic!("{error}"))
}

fn compile(text: &str) -> Config {
    compile_with(text, &Overrides::default()).config
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

fn patterns<const N: usize>(names: [&str; N]) -> Vec<NamePattern> {
    names.into_iter().map(NamePattern::new).collect()
}

#[test]
fn every_key_arrives() {
    let config = compile(include_str!("every_key.toml"));
    assert_eq!(
        config.hosts,
        ["api.example.com", "*.example.com", "127.0.0.1", "[::1]"].map(HostPattern::new)
    );
    let [eu, us] = &config.origins[..] else { panic!("{:?}", config.origins) };
    assert_eq!((eu.name.as_str(), eu.url.as_str()), ("eu", "https://eu.example.net:8443"));
    assert_eq!((eu.region.as_deref(), eu.health.as_deref()), (Some("eu"), Some("/healthz")));
    assert_eq!((eu.weight, eu.backup, eu.host), (3, false, OriginHost::Client));
    assert_eq!((us.weight, us.backup, us.host), (1, true, OriginHost::Client));
    assert_eq!(config.shield.connect_timeout, Duration::from_millis(250));
    assert_eq!(config.shield.first_byte_timeout, secs(60));
    assert_eq!(config.shield.max_inflight, 8);
    assert_eq!(config.purge_auth, [PurgeAuth::Hmac, PurgeAuth::Bearer]);
    assert_eq!(
        config.limits,
        Limits {
            uri: 4096,
            fields: 16_000,
            object: 1_000_000,
            memory: 64 << 20,
            value: None,
            body_idle: secs(20),
            body_rate: 1024,
            connections: 500,
        }
    );
    let defaults = Policy {
        cache: false,
        origins: vec![0, 1],
        ttl: Ttl { default: secs(10), max: Some(secs(7 * 86_400)), overrides: Some(secs(3600)) },
        stale: Stale {
            while_revalidate: secs(30),
            if_error: secs(3600),
            disconnected: secs(7200),
            beside_s_maxage: true,
        },
        credentials: Credentials::Key { cookies: vec!["lang".into()], fields: vec!["authorization".into()] },
        credential_fields: vec!["x-tenant-token".into()],
        ignored_cookies: patterns(["_ga", "_ga_*"]),
        set_cookie: SetCookie::Strip,
        key: KeyPolicy {
            query: QueryPolicy::Drop(patterns(["utm_*", "gclid"])),
            sort: true,
            sort_languages: true,
            fields: vec!["accept-language".into()],
        },
        forward: vec!["x-tenant".into()],
        ordinary: vec!["x-app-version".into()],
        particular: Particular::Select(vec!["save-data".into()]),
        via: true,
        client_directives: ClientDirectives::Honour,
        targeted: vec!["levee-cache-control".into(), "cdn-cache-control".into()],
        pass_targeted: true,
        heuristic: true,
        negative: vec![Negative { status: 404, ttl: secs(10) }, Negative { status: 410, ttl: secs(60) }],
        rate_limit: Some(RateLimit { limit: 20, window: secs(10) }),
    };
    assert_eq!(config.defaults, defaults);
    let [route] = &config.routes[..] else { panic!("{:?}", config.routes) };
    assert_eq!((route.name.as_str(), &route.path), ("all", &PathPattern::new("/api/*/all/**")));
    assert_eq!(route.methods, ["GET", "QUERY"]);
    let policy = Policy {
        cache: true,
        origins: vec![1],
        ttl: Ttl { max: None, ..defaults.ttl },
        // The keyed credentials of the defaults are without use where credentials are stripped.
        credentials: Credentials::Strip,
        set_cookie: SetCookie::Store,
        key: KeyPolicy { query: QueryPolicy::Keep(Vec::new()), ..defaults.key.clone() },
        forward: vec![],
        particular: Particular::Answer,
        negative: vec![Negative { status: 404, ttl: secs(0) }, Negative { status: 410, ttl: secs(60) }],
        rate_limit: None,
        ..defaults.clone()
    };
    assert_eq!(route.policy, policy);
}

#[test]
fn the_compiled_form_is_read_back() {
    let compiled = compile_with(include_str!("every_key.toml"), &Overrides::default());
    assert_eq!(Config::decode(&compiled.to_bytes()), Ok(compiled.config));
}

#[test]
fn the_least_file_has_the_designs_defaults() {
    let config = compile(BASE);
    assert_eq!(config.defaults, Policy::default());
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.shield, levee::config::Shield::default());
    assert_eq!((config.routes, config.purge_auth), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_not_enforced_yet_is_said_and_nothing_else() {
    let compiled = compile_with(include_str!("every_key.toml"), &Overrides::default());
    let told: Vec<_> = compiled
        .warnings
        .iter()
        .map(|warning| {
            let key = warning.message.split('`').nth(1).unwrap_or_default();
            let line = warning.place.as_ref().map_or("", |place| place.text.as_str());
            assert!(warning.message.contains("not enforced yet"), "{warning}");
            assert!(line.contains(key), "{warning}");
            key
        })
        .collect();
    assert_eq!(told, ["region", "health", "purge", "rate_limit"]);
}

/// `levee.transparent.toml` will be written with these: a plain RFC 9111 shared cache.
#[test]
fn a_plain_shared_cache_can_be_expressed() {
    let config = compile(&format!(
        "{BASE}[defaults]\nparticular = \"answer\"\nclient_directives = \"honour\"\nheuristic = true\nset_cookie = \"store\"\n\
         credentials = \"pass\"\nstale = {{ while_revalidate = \"0s\", if_error = \"0s\" }}\npass_targeted = true\n"
    ));
    let expected = Policy {
        particular: Particular::Answer,
        client_directives: ClientDirectives::Honour,
        heuristic: true,
        set_cookie: SetCookie::Store,
        pass_targeted: true,
        ..Policy::default()
    };
    assert_eq!(config.defaults, expected);
}

/// A policy of `[defaults]`, one of a route, and what then holds for the route.
#[test]
fn routes_override_key_by_key() {
    let route = |defaults: &str, route: &str| {
        let text =
            format!("{BASE}[defaults]\n{defaults}\n[[routes]]\nname = \"r\"\npath = \"/r\"\n{route}\n");
        compile(&text).routes.remove(0).policy
    };
    let ttl = route("ttl = { default = \"10s\", max = \"1h\" }", "ttl = { max = \"60s\" }").ttl;
    assert_eq!(ttl, Ttl { default: secs(10), max: Some(secs(60)), overrides: None });
    let ttl = route("ttl = { override = \"10s\" }", "ttl.override = false").ttl;
    assert_eq!(ttl, Ttl::default());
    let stale = route(
        "stale = { while_revalidate = \"30s\", if_error = \"1h\" }",
        "[routes.stale]\nif_error = \"0s\"",
    )
    .stale;
    assert_eq!(stale, Stale { while_revalidate: secs(30), ..Stale::default() });
    let key = route(
        "key = { query = { drop = [\"utm_*\"] }, headers = [\"accept-language\"] }",
        "key = { query = { keep = [\"q\"] } }",
    )
    .key;
    assert_eq!(key.query, QueryPolicy::Keep(patterns(["q"])), "`query` is replaced whole");
    assert_eq!(key.fields, ["accept-language"], "what stands beside it is kept");
    let key = route("key = { headers = [\"a\", \"b\"] }", "key = { headers = [\"c\"] }").key;
    assert_eq!(key.fields, ["c"], "lists are replaced");
    let negative =
        route("negative = { 404 = \"10s\", 410 = \"1m\" }", "negative = { 404 = \"1s\", 451 = \"1h\" }")
            .negative;
    let negative: Vec<_> = negative.iter().map(|n| (n.status, n.ttl.as_secs())).collect();
    assert_eq!(negative, [(404, 1), (410, 60), (451, 3600)]);
    let limit = route(
        "rate_limit = { by = \"ip\", limit = 1, window = \"1s\" }",
        "rate_limit = { by = \"ip\", limit = 2, window = \"2s\" }",
    )
    .rate_limit;
    assert_eq!(limit, Some(RateLimit { limit: 2, window: secs(2) }));
}

#[test]
fn credentials_follow_what_holds_for_the_route() {
    let text = format!(
        "{BASE}[defaults]\ncredentials = \"key\"\nkey = {{ headers = [\"accept-language\", \"Authorization\"], cookies = [\"s\", \"s\"] }}\n\
         [[routes]]\nname = \"pass\"\npath = \"/pass\"\ncredentials = \"pass\"\n\
         [[routes]]\nname = \"key\"\npath = \"/key\"\nkey = {{ cookies = [] }}\n\
         [[routes]]\nname = \"token\"\npath = \"/token\"\ncredentials = \"strip\"\nforward = [\"x-tenant\"]\n\
         [[routes]]\nname = \"tenant\"\npath = \"/tenant\"\nforward = [\"x-other\"]\ncredential_fields = [\"accept-language\"]\n"
    );
    let config = compile(&text);
    let keyed = |cookies: &[&str], fields: &[&str]| Credentials::Key {
        cookies: cookies.iter().map(|&name| name.to_owned()).collect(),
        fields: fields.iter().map(|&name| name.to_owned()).collect(),
    };
    assert_eq!(config.defaults.credentials, keyed(&["s"], &["authorization"]));
    let [pass, key, token, tenant] = &config.routes[..] else { panic!("four routes") };
    assert_eq!(pass.policy.credentials, Credentials::Pass);
    assert_eq!(pass.policy.key.fields, ["accept-language"], "an inherited credential is not keyed");
    assert_eq!(key.policy.credentials, keyed(&[], &["authorization"]));
    assert_eq!(token.policy.credentials, Credentials::Strip);
    assert_eq!(tenant.policy.credentials, keyed(&["s"], &["accept-language", "authorization"]));
}

#[test]
fn overrides_add_hosts_and_replace_urls() {
    let overrides = Overrides {
        hosts: vec!["LOCALHOST".into(), "127.0.0.1".into(), "a.example".into()],
        origins: vec![("eu".into(), "http://127.0.0.1:9".into())],
    };
    let config = compile_with(BASE, &overrides).config;
    assert_eq!(config.hosts, ["a.example", "localhost", "127.0.0.1"].map(HostPattern::new));
    assert_eq!(config.origins[0].url, "http://127.0.0.1:9");
    let any = compile_with(&BASE.replace("hosts = [\"a.example\"]\n", ""), &overrides).config;
    assert_eq!(any.hosts, [], "any host stays any host");
}

#[test]
fn wrong_overrides_are_errors() {
    let said = |hosts: &[&str], origins: &[(&str, &str)]| {
        let overrides = Overrides {
            hosts: hosts.iter().map(|&host| host.to_owned()).collect(),
            origins: origins.iter().map(|&(name, url)| (name.to_owned(), url.to_owned())).collect(),
        };
        compile_str("levee.toml", BASE, &overrides).expect_err("wrong").to_string()
    };
    assert_eq!(
        said(&[], &[("eus", "http://b")]),
        "error: no origin is named `eus`, whose URL was to be replaced by `http://b`\n  = help: did you mean `eu`?"
    );
    assert_eq!(
        said(&[], &[("eu", "b")]),
        "error: the URL `b` for the origin `eu` is not a URL: it has no scheme\n  = help: write \"https://b\" (or http://)"
    );
    assert_eq!(
        said(&["a:80"], &[]),
        "error: the extra host `a:80` has a port\n  = help: a host is served on every port: write \"a\""
    );
}

#[test]
fn neutral_is_the_defaults_before_one_origin() {
    let compiled =
        neutral("HTTP://127.0.0.1:8000/", &Overrides::default()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(compiled.warnings, []);
    let config = compiled.config;
    assert_eq!((config.hosts, config.routes), (Vec::new(), Vec::new()));
    assert_eq!(config.defaults, Policy::default());
    let [origin] = &config.origins[..] else { panic!("one origin") };
    assert_eq!((origin.name.as_str(), origin.url.as_str()), ("origin", "http://127.0.0.1:8000"));
    let replaced = Overrides { origins: vec![("origin".into(), "http://b".into())], ..Overrides::default() };
    assert_eq!(neutral("http://a", &replaced).expect("valid").config.origins[0].url, "http://b");
    let error = neutral("127.0.0.1:8000", &Overrides::default()).expect_err("no scheme").to_string();
    assert_eq!(
        error,
        "error: the URL `127.0.0.1:8000` for the origin `origin` is not a URL: it has no scheme\n  = help: write \"https://127.0.0.1:8000\" (or http://)"
    );
}

#[test]
fn origins_stand_in_the_order_of_the_file() {
    let text = "version = 1\nhosts = [\"a\"]\n[origins]\nz.url = \"http://z\"\na.url = \"http://a\"\nm = { url = \"http://m\" }\n";
    let names: Vec<_> = compile(text).origins.into_iter().map(|origin| origin.name).collect();
    assert_eq!(names, ["z", "a", "m"]);
}

#[test]
fn a_diagnostic_is_written_with_its_line() {
    let text = format!("{BASE}\n\n\n\n\n[defaults]\n\tttll = {{ default = \"10s\" }}\ncache = \"ü\"\n");
    let error = compile_str("shop/levee.toml", &text, &Overrides::default()).expect_err("wrong");
    assert_eq!(
        error.to_string(),
        "error: unknown key `ttll` in `defaults`\n  --> shop/levee.toml:11:2\n   |\n11 | \tttll = { default = \"10s\" }\n   | \t^^^^\n   = help: did you mean `ttl`?\n\n\
         error: `defaults.cache` must be true or false, not the string \"ü\"\n  --> shop/levee.toml:12:9\n   |\n12 | cache = \"ü\"\n   |         ^^^"
    );
}

#[test]
fn files_that_cannot_be_read() {
    let folder = std::env::temp_dir().join(format!("levee-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let missing = compile_file(&folder.join("missing.toml"), &Overrides::default()).expect_err("missing");
    assert!(missing.to_string().contains("missing.toml`: there is no such file"), "{missing}");
    assert!(compile_file(&folder, &Overrides::default()).is_err());
    let latin = folder.join("latin.toml");
    std::fs::write(&latin, b"version = 1\n# caf\xe9 \xe9\nhosts = []\n").expect("written");
    let error = compile_file(&latin, &Overrides::default()).expect_err("not UTF-8");
    let place = error.errors[0].place.clone().expect("a place");
    std::fs::remove_dir_all(&folder).expect("removed");
    assert_eq!((place.line, place.column, place.length), (2, 6, 1));
    assert_eq!(error.errors[0].message, "the file is not UTF-8");
}

#[test]
fn a_platform_with_narrower_limits_is_kept_to() {
    let text = "version = 1\nhosts = [\"a\"]\n[origins.o]\nurl = \"http://o\"\n[limits]\nplatform = \"akamai-functions\"\n";
    let compiled = levee_config::compile_str("levee.toml", text, &Overrides::default()).expect("right");
    assert_eq!(compiled.config.limits, Limits { value: Some(1_000_000), ..Limits::default() });
}
