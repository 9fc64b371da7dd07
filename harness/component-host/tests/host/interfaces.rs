//! Key-value, variables, files, environment and Redis.

use crate::client::Client;
use crate::guest::probe;

const STORE: &str = r#"key_value_stores = ["default", "other"]"#;

/// What any store must do.
async fn round_trip(client: &Client) {
    let kv = async |query: &str| client.text(&format!("/key-value?{query}")).await;
    assert_eq!(kv("do=get&key=a").await, "none");
    assert_eq!(kv("do=exists&key=a").await, "false");
    assert_eq!(kv("do=set&key=a&value=one").await, "set");
    assert_eq!(kv("do=set&key=b%2Fb&value=").await, "set");
    assert_eq!(kv("do=get&key=a").await, "one");
    assert_eq!(kv("do=get&key=b%2Fb").await, "");
    assert_eq!(kv("do=set&key=a&value=two").await, "set");
    assert_eq!(kv("do=get&key=a").await, "two");
    assert_eq!(kv("do=exists&key=a").await, "true");
    assert_eq!(kv("do=keys").await, "a,b/b");
    assert_eq!(kv("do=get&key=a&store=other").await, "none");
    assert_eq!(kv("do=delete&key=b%2Fb").await, "deleted");
    assert_eq!(kv("do=delete&key=absent").await, "deleted");
    assert_eq!(kv("do=keys").await, "a");
    let refused = kv("do=get&key=a&store=secret").await;
    assert!(refused.contains("access-denied") || refused.contains("AccessDenied"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn key_value_in_memory() {
    let host = probe(STORE, |host| host);
    round_trip(&Client::new(host.url())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn key_value_in_sqlite_outlives_the_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("kv.sqlite");
    let host = probe(STORE, |host| host.sqlite(&file));
    round_trip(&Client::new(host.url())).await;
    assert!(host.stop().is_some_and(|status| status.success()));
    let host = probe(STORE, |host| host.sqlite(&file));
    assert_eq!(Client::new(host.url()).text("/key-value?do=get&key=a").await, "two");
}

#[tokio::test(flavor = "multi_thread")]
async fn variables_come_from_the_command_the_environment_and_the_manifest() {
    let component = r#"[component.guest.variables]
greeting = "{{ greeting }}, world"
token = "{{ token }}""#;
    let host = probe(component, |host| host);
    let client = Client::new(host.url());
    assert_eq!(client.text("/variable?name=greeting").await, "hello, world");
    assert_eq!(client.text("/variable?name=token").await, "s3cret");
    assert!(client.text("/variable?name=absent").await.contains("Undefined"));
    assert!(client.text("/variable?name=NOT-A-NAME").await.contains("InvalidName"));
    let host = probe(component, |host| {
        host.variable("token", "last").with(|spec| spec.env("SPIN_VARIABLE_GREETING", "good day"))
    });
    let client = Client::new(host.url());
    assert_eq!(client.text("/variable?name=greeting").await, "good day, world");
    assert_eq!(client.text("/variable?name=token").await, "last");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_there_to_read_and_nothing_else_is() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("data.txt"), "data").expect("written");
    let files = format!(
        r#"files = [{{ source = {:?}, destination = "/in/data.txt" }}]
environment = {{ LEVEL = "info" }}"#,
        folder.path().join("data.txt")
    );
    let host = probe(&files, |host| host);
    let client = Client::new(host.url());
    assert_eq!(client.text("/file?path=/in/data.txt").await, "data");
    assert!(client.text("/file?path=/etc/hostname").await.contains("not read"));
    assert!(client.text("/file?path=/in/../../etc/hostname").await.contains("not read"));
    assert!(client.text("/file?path=/in/data.txt&write=x").await.contains("not written"));
    assert_eq!(client.text("/environment?name=LEVEL").await, "info");
    assert_eq!(client.text("/environment?name=PATH").await, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn redis() {
    let server = match levee_harness::find_redis() {
        Ok(binary) => levee_harness::Redis::new(binary).start().expect("Redis starts"),
        Err(missing) => {
            eprintln!("skipped: {missing}");
            return;
        }
    };
    let url = server.url();
    let host = probe(&format!(r#"allowed_outbound_hosts = ["{url}"]"#), |host| host);
    let client = Client::new(host.url());
    let redis = async |query: &str| client.text(&format!("/redis?url={url}&{query}")).await;
    assert_eq!(redis("do=get&key=a").await, "none");
    assert_eq!(redis("do=set&key=a&value=one").await, "set");
    assert_eq!(redis("do=get&key=a").await, "one");
    assert_eq!(redis("do=lease&key=lock").await, "OK");
    assert_eq!(redis("do=lease&key=lock").await, "nil");
    assert_eq!(redis("do=incr&key=n").await, "1");
    assert_eq!(redis("do=incr&key=n").await, "2");
    assert_eq!(redis("do=set-of&key=s").await, "2 1 b");
    assert_eq!(redis("do=publish&key=channel").await, "published");
    assert_eq!(redis("do=del&key=a").await, "1");
    assert!(redis("do=incr&key=s").await.starts_with("error"), "a set cannot be counted up");
    let refused = client.text("/redis?url=redis://127.0.0.1:1&do=get&key=a").await;
    assert!(refused.contains("InvalidAddress") || refused.contains("invalid-address"), "{refused}");

    let named = r#"allowed_outbound_hosts = ["redis://cache.example"]"#;
    let host = probe(named, |host| host.redis(url));
    let client = Client::new(host.url());
    assert_eq!(client.text("/redis?url=redis://cache.example&do=get&key=n").await, "2");
}
