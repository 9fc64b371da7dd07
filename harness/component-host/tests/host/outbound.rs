//! HTTP requests of the component.

use http::StatusCode;
use levee_harness::Process;

use crate::client::{Answer, Client, next};
use crate::guest::probe;
use crate::origin::Origin;

fn reaching(origin: &Origin) -> Process {
    probe(&format!(r#"allowed_outbound_hosts = ["http://{}"]"#, origin.address), |host| host)
}

async fn fetch(client: &Client, url: &str, more: &str) -> Answer {
    client.get(&format!("/fetch?url={url}{more}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_allowed_host_is_reached_and_another_is_not() {
    let mut origin = Origin::start().await;
    let mut other = Origin::start().await;
    let host = reaching(&origin);
    let client = Client::new(host.url());
    let answer = fetch(&client, &origin.url("/a?b"), "").await;
    assert_eq!((answer.status, answer.text.as_str()), (StatusCode::OK, "origin"));
    let seen = origin.seen().await;
    let own = format!(r#""host": "{}""#, origin.address);
    assert!(seen.starts_with("GET /a?b ") && seen.contains(&own), "{seen}");
    let answer = fetch(&client, &other.url("/"), "").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.text.contains("HttpRequestDenied"), "{}", answer.text);
    assert!(other.saw_nothing());
    let port = origin.address.port();
    let by_name = fetch(&client, &format!("http://localhost:{port}/"), "").await;
    assert!(by_name.text.contains("HttpRequestDenied"), "another name is another host: {}", by_name.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn wildcards_and_the_application_itself() {
    let origin = Origin::start().await;
    let host = probe(r#"allowed_outbound_hosts = ["http://127.0.0.1:*"]"#, |host| host);
    let client = Client::new(host.url());
    assert_eq!(fetch(&client, &origin.url("/"), "").await.text, "origin");
    let itself = fetch(&client, "http://self.alt/instance", "").await;
    assert!(itself.text.contains("HttpRequestDenied"), "{}", itself.text);
    let host = probe(r#"allowed_outbound_hosts = ["http://self"]"#, |host| host);
    let itself = fetch(&Client::new(host.url()), "http://self.alt/environment?name=NONE", "").await;
    assert_eq!((itself.status, itself.text.as_str()), (StatusCode::OK, ""));
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_of_the_connection_are_refused_in_a_request() {
    let mut origin = Origin::start().await;
    let host = reaching(&origin);
    let client = Client::new(host.url());
    for name in ["connection", "keep-alive", "transfer-encoding", "upgrade", "proxy-authorization"] {
        let answer = fetch(&client, &origin.url("/"), &format!("&field={name}")).await;
        assert_ne!(answer.status, StatusCode::OK, "{name}");
    }
    assert!(origin.saw_nothing());
    assert_eq!(fetch(&client, &origin.url("/"), "&field=x-own").await.status, StatusCode::OK);
    assert!(origin.seen().await.contains("x-own"));
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_come_as_they_are() {
    let origin = Origin::start().await;
    let host = reaching(&origin);
    let client = Client::new(host.url());
    let redirect = fetch(&client, &origin.url("/redirect"), "").await;
    assert_eq!(redirect.status, StatusCode::FOUND);
    assert_eq!(redirect.headers["saw-location"], "/elsewhere");
    let coded = fetch(&client, &origin.url("/coded"), "").await;
    assert_eq!(
        (coded.headers["saw-content-encoding"].to_str().ok(), &*coded.text),
        (Some("gzip"), "as it is")
    );
    let close = fetch(&client, &origin.url("/close"), "").await;
    assert_eq!(close.headers["saw-connection"], "close");
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_stream_through_both_ways() {
    let origin = Origin::start().await;
    let host = reaching(&origin);
    let client = Client::new(host.url());
    let (mut body, open) = Client::open_body();
    let path = format!("/fetch?url={}", origin.url("/echo"));
    let request = client.request(&path).method("POST").body(open).expect("a request");
    body.send_data("0".into()).await.expect("sent");
    let mut answer = client.begin(request).await;
    assert_eq!(next(answer.body_mut()).await.as_deref(), Some("0"));
    body.send_data("1".into()).await.expect("sent");
    assert_eq!(next(answer.body_mut()).await.as_deref(), Some("1"));
    drop(body);
    assert_eq!(next(answer.body_mut()).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_limits_are_kept() {
    let origin = Origin::start().await;
    let host = reaching(&origin);
    let client = Client::new(host.url());
    let silent = fetch(&client, &origin.url("/silent"), "&first-byte=50").await;
    assert_eq!(silent.status, StatusCode::BAD_GATEWAY);
    assert!(silent.text.contains("Timeout"), "{}", silent.text);
    // The rest never comes: what the component passes on breaks off.
    let path = format!("/fetch?between-bytes=50&url={}", origin.url("/stalls"));
    let request = client.request(&path).body(Client::open_body().1).expect("a request");
    let mut answer = client.begin(request).await;
    assert_eq!(next(answer.body_mut()).await.as_deref(), Some("first"));
    let rest =
        tokio::time::timeout(crate::client::PATIENCE, http_body_util::BodyExt::frame(answer.body_mut()));
    let rest = rest.await.expect("the limit holds");
    assert!(rest.is_none_or(|frame| frame.is_err()), "something came after all");
}

/// A queue of connections that is full: those that follow are never made. (Other systems refuse them.)
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn the_time_limit_of_a_connection_is_kept() {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    let any: std::net::SocketAddr = "127.0.0.1:0".parse().expect("an address");
    socket.bind(&any.into()).expect("bound");
    socket.listen(0).expect("listens");
    let address = socket.local_addr().expect("an address").as_socket().expect("an address");
    let _waiting: Vec<_> = (0..4)
        .map(|_| {
            let client = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            client.set_nonblocking(true).expect("set");
            let _ = client.connect(&address.into());
            client
        })
        .collect();
    let host = probe(&format!(r#"allowed_outbound_hosts = ["http://{address}"]"#), |host| host);
    let answer = fetch(&Client::new(host.url()), &format!("http://{address}/"), "&connect=50").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(answer.text.contains("ConnectionTimeout"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_connection_has_its_name() {
    let port = levee_harness::free_port().expect("a port");
    let host = probe(&format!(r#"allowed_outbound_hosts = ["http://127.0.0.1:{port}"]"#), |host| host);
    let answer = fetch(&Client::new(host.url()), &format!("http://127.0.0.1:{port}/"), "").await;
    assert!(answer.text.contains("ConnectionRefused"), "{}", answer.text);
}
