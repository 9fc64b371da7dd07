//! What happens to header fields on their way in and out.

use http::{HeaderValue, StatusCode};

use crate::client::Client;
use crate::guest::probe;

#[tokio::test(flavor = "multi_thread")]
async fn the_component_sees_the_request_and_what_spin_adds() {
    let host = probe("", |host| host);
    let client = Client::new(host.url());
    let request = client.request("/fields?a=%2F&b").method("PURGE").header("x-own", "1").header("x-own", "2");
    let answer = client.send(request.header("te", "trailers"), "").await;
    let authority = host.url().trim_start_matches("http://");
    let lines: Vec<_> = answer.text.lines().collect();
    assert_eq!(lines.first().copied(), Some(&*format!("PURGE http://{authority}/fields?a=%2F&b")));
    for line in [
        &*format!("host: {authority}"),
        "x-own: 1",
        "x-own: 2",
        "te: trailers",
        &format!("spin-full-url: http://{authority}/fields?a=%2F&b"),
        "spin-path-info: /fields",
        "spin-matched-route: /...",
        "spin-raw-component-route: /...",
        "spin-component-route: /",
        "spin-base-path: /",
    ] {
        assert!(lines.contains(&line), "{line}: {}", answer.text);
    }
    assert!(lines.iter().any(|line| line.starts_with("spin-client-addr: 127.0.0.1:")), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn transfer_encoding_reaches_the_component() {
    let host = probe("", |host| host);
    let client = Client::new(host.url());
    let (body, open) = Client::open_body();
    drop(body);
    let request = client.request("/fields").method("POST").body(open).expect("a request");
    let mut answer = client.begin(request).await;
    let text = crate::client::next(answer.body_mut()).await.expect("a body");
    assert!(text.contains("transfer-encoding: chunked"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_the_connection_are_refused_in_a_response() {
    let host = probe("", |host| host);
    let client = Client::new(host.url());
    for name in ["connection", "keep-alive", "transfer-encoding", "upgrade", "host", "proxy-authenticate"] {
        let answer = client.get(&format!("/set-field?name={name}")).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{name}");
    }
    let answer = client.get("/set-field?name=x-own").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers.get("x-own"), Some(&HeaderValue::from_static("x")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_is_not_utf8_never_reaches_the_component() {
    let host = probe("", |host| host.with(|spec| spec.args(["--idle-instance-timeout", "1h"])));
    let client = Client::new(host.url());
    let before = client.text("/instance").await;
    let bad = HeaderValue::from_bytes(b"caf\xe9").expect("a value");
    let answer = client.send(client.request("/instance").header("x-name", bad), "").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    let good = HeaderValue::from_bytes("caf\u{e9}".as_bytes()).expect("a value");
    let answer = client.send(client.request("/instance").header("x-name", good), "").await;
    assert_eq!(answer.status, StatusCode::OK);
    let count =
        |text: &str| text.split(' ').nth(1).and_then(|count| count.parse::<u32>().ok()).expect("a count");
    assert!(count(&answer.text) <= count(&before) + 1, "{before}, then {}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_own_paths() {
    let host = probe("", |host| host);
    let client = Client::new(host.url());
    assert_eq!(client.text("/.well-known/spin/health").await, "OK");
    let answer = client.get("/.well-known/spin/instance").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
}
