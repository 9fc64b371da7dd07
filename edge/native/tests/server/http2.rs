//! HTTP/2, from clients that mean well and from those that do not.

use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use http::{Request, StatusCode};
use levee_native::{Forward, Options};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::support::{Edge, answering, config, options, origin};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

/// A client's connection, and when it has ended.
async fn connect(edge: &Edge) -> (SendRequest<Bytes>, tokio::task::JoinHandle<()>) {
    connect_with(edge, &h2::client::Builder::new()).await
}

async fn connect_with(
    edge: &Edge,
    builder: &h2::client::Builder,
) -> (SendRequest<Bytes>, tokio::task::JoinHandle<()>) {
    let stream = TcpStream::connect(edge.address).await.unwrap();
    let (client, connection) = builder.handshake(stream).await.unwrap();
    let ended = tokio::spawn(async move {
        let _ = connection.await;
    });
    (client, ended)
}

fn request(method: &str, path: &str) -> Request<()> {
    Request::builder().method(method).uri(format!("http://a.example{path}")).body(()).unwrap()
}

async fn whole(mut body: h2::RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut all = Vec::new();
    while let Some(data) = body.data().await {
        let data = data?;
        body.flow_control().release_capacity(data.len())?;
        all.extend_from_slice(&data);
    }
    Ok(all)
}

async fn status(client: &SendRequest<Bytes>, path: &str) -> StatusCode {
    let mut client = client.clone().ready().await.unwrap();
    client.send_request(request("GET", path), true).unwrap().0.await.unwrap().status()
}

#[tokio::test]
async fn large_bodies_arrive_whole() {
    const SIZE: usize = 3 << 20;
    let address = origin(|mut wire| async move {
        while let Some(head) = wire.read_head().await {
            let body: Vec<u8> = (0..SIZE).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let stores = if head.start.contains("stored") { "cache-control: max-age=60\r\n" } else { "" };
            wire.send(format!("HTTP/1.1 200 OK\r\n{stores}content-length: {SIZE}\r\n\r\n")).await;
            wire.send(body).await;
        }
    })
    .await;
    let mut config = config(address);
    config.limits.object = 8 << 20;
    let edge = Edge::start(config);
    let (client, _) = connect(&edge).await;
    for path in ["/passed", "/stored", "/stored"] {
        let mut client = client.clone().ready().await.unwrap();
        let response = client.send_request(request("GET", path), true).unwrap().0.await.unwrap();
        assert_eq!(response.headers()["content-length"], SIZE.to_string());
        let body = whole(response.into_body()).await.unwrap();
        assert!(body.len() == SIZE && body.iter().enumerate().all(|(at, byte)| *byte as usize == at % 251));
    }
}

/// A body that breaks off is a reset stream, never a short body that ends.
#[tokio::test]
async fn a_body_that_breaks_off() {
    for answer in ["content-length: 100\r\n\r\nhello", "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n"] {
        let address = origin(move |mut wire| async move {
            wire.read_head().await;
            wire.send(format!("HTTP/1.1 200 OK\r\n{answer}")).await;
        })
        .await;
        let edge = Edge::start(config(address));
        let (mut client, _) = connect(&edge).await;
        for method in ["GET", "DELETE"] {
            let response = client.send_request(request(method, "/"), true).unwrap().0.await.unwrap();
            assert_eq!(response.status(), 200);
            assert!(whole(response.into_body()).await.unwrap_err().is_reset(), "{answer}");
        }
    }
}

#[tokio::test]
async fn head_and_bodiless_answers() {
    for (method, answer, length) in [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", Some("5")),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", None),
        ("DELETE", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n", None),
    ] {
        let edge = Edge::start(config(answering(answer).await));
        let (mut client, _) = connect(&edge).await;
        let response = client.send_request(request(method, "/"), true).unwrap().0.await.unwrap();
        assert_eq!(response.status().to_string()[..3], answer[9..12]);
        let got = response.headers().get("content-length").map(|length| length.to_str().unwrap());
        assert_eq!(got, length);
        assert_eq!(whole(response.into_body()).await.unwrap(), b"");
    }
}

/// One connection whose uploads never come is as slow as many, and no slower.
#[tokio::test]
async fn uploads_that_stall() {
    let mut config = config(answering(OK).await);
    config.limits.body_idle = Duration::from_millis(100);
    let edge = Edge::start(config);
    let (mut client, _) = connect(&edge).await;
    let mut stalled = Vec::new();
    for _ in 0..90 {
        client = client.ready().await.unwrap();
        stalled.push(client.send_request(request("POST", "/"), false).unwrap());
    }
    for (response, _upload) in stalled {
        let status = response.await.unwrap().status().as_u16();
        assert!(matches!(status, 200 | 408 | 503), "{status}");
    }
    assert_eq!(status(&client, "/next").await, 200);
}

/// A stream that is left unread is reset; the others of its connection go on.
#[tokio::test]
async fn a_stream_that_is_not_read() {
    let address = origin(|mut wire| async move {
        let head = wire.read_head().await.unwrap();
        if head.start.contains("/small") {
            wire.send(OK).await;
        } else {
            wire.send("HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n").await;
            while wire.try_send(&[b'x'; 1 << 16]).await.is_ok() {}
        }
    })
    .await;
    let mut config = config(address);
    config.limits.body_idle = Duration::from_millis(200);
    let edge = Edge::start(config);
    let mut builder = h2::client::Builder::new();
    builder.initial_connection_window_size(1 << 20);
    let (mut client, _) = connect_with(&edge, &builder).await;
    let unread = client.send_request(request("DELETE", "/large"), true).unwrap().0.await.unwrap();
    let mut body = unread.into_body();
    let mut got = 0;
    let error = loop {
        // Taken, and never given back: the window stays shut.
        match body.data().await.unwrap() {
            Ok(data) => got += data.len(),
            Err(error) => break error,
        }
    };
    assert!(error.is_reset() && got >= 65_535, "{error} {got}");
    let small = client.send_request(request("DELETE", "/small"), true).unwrap().0.await.unwrap();
    assert_eq!(whole(small.into_body()).await.unwrap(), b"ok");
}

/// Where hyper is done with a response, and HTTP/2 still has its end, the connection goes.
#[tokio::test]
async fn a_last_byte_that_is_not_read() {
    let mut config = config(answering("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nunwanted!").await);
    config.limits.body_idle = Duration::from_millis(200);
    let edge = Edge::start(config);
    let mut builder = h2::client::Builder::new();
    builder.initial_window_size(0);
    let (mut client, ended) = connect_with(&edge, &builder).await;
    let response = client.send_request(request("GET", "/"), true).unwrap().0.await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(whole(response.into_body()).await.is_err());
    drop(client);
    ended.await.unwrap();
}

#[tokio::test]
async fn a_connection_without_streams_is_idle() {
    let options = Options { head_timeout: Duration::from_millis(100), ..options() };
    let edge = Edge::start_with(config(answering(OK).await), options, Forward);
    let (client, ended) = connect(&edge).await;
    assert_eq!(status(&client, "/").await, 200);
    ended.await.unwrap();
}

/// An idle HTTP/2 connection makes room, a busy one does not.
#[tokio::test]
async fn idle_connections_make_room() {
    let (asked, mut was_asked) = mpsc::unbounded_channel();
    let address = origin(move |mut wire| {
        let asked = asked.clone();
        async move {
            let head = wire.read_head().await.unwrap();
            if head.start.contains("/wait") {
                asked.send(()).unwrap();
                wire.is_closed().await;
            }
            wire.send(OK).await;
        }
    })
    .await;
    let mut config = config(address);
    config.limits.connections = 16;
    let options = Options { head_timeout: Duration::from_secs(600), ..options() };
    let edge = Edge::start_with(config, options, Forward);
    let (mut idle, idle_ended) = connect(&edge).await;
    idle = idle.ready().await.unwrap();
    idle.send_request(request("DELETE", "/"), true).unwrap().0.await.unwrap();
    let mut busy = Vec::new();
    for _ in 0..16 {
        let (mut client, ended) = connect(&edge).await;
        let waits = client.send_request(request("DELETE", "/wait"), true).unwrap().0;
        was_asked.recv().await.unwrap();
        busy.push((client, waits, ended));
    }
    idle_ended.await.unwrap();
    assert_eq!(edge.ask("GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.status(), 503);
    assert!(busy.iter().all(|(.., ended)| !ended.is_finished()));
}

/// CVE-2023-44487: requests that are taken back at once cost nothing that lasts.
#[tokio::test]
async fn requests_that_are_reset_at_once() {
    let address = answering(OK).await;
    let edge = Edge::start(config(address));
    let mut asked = 0;
    for _ in 0..50 {
        let (mut client, ended) = connect(&edge).await;
        for number in 0..200 {
            let Ok(ready) = client.ready().await else { break };
            client = ready;
            // The answer is dropped unread: the stream is reset.
            let Ok(_) = client.send_request(request("GET", &format!("/{asked}/{number}")), true) else {
                break;
            };
            if number % 10 == 0 {
                tokio::task::yield_now().await;
            }
            asked += 1;
            let again = client.clone();
            client = again;
        }
        ended.abort();
    }
    assert!(asked > 1_000);
    // What they hold comes back: then requests find their way at once, several at a time.
    let (client, _) = connect(&edge).await;
    for round in 0.. {
        let all = (0..8).map(|number| {
            let client = client.clone();
            async move { status(&client, &format!("/after/{round}/{number}")).await }
        });
        if futures_util::future::join_all(all).await.iter().all(|status| *status == 200) {
            break;
        }
        assert!(round < 1_000);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A flood of frames that carry nothing ends its connection, not the server.
#[tokio::test]
async fn floods_of_frames() {
    let address = origin(|mut wire| async move {
        wire.read_head().await;
        wire.is_closed().await;
    })
    .await;
    let edge = Edge::start(config(address));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    // POST to http://a/, of HPACK's static table and literals; no end of the stream.
    let head = b"\x83\x86\x84\x41\x01a";
    let headers = [&[0, 0, 6, 1, 4, 0, 0, 0, 1], &head[..]].concat();
    let tiny = [0, 0, 1, 0, 0, 0, 0, 0, 1, b'x'].repeat(30_000);
    let continuation =
        [&[0, 0, 6, 1, 0, 0, 0, 0, 3][..], head, &[0, 0, 0, 9, 0, 0, 0, 0, 3].repeat(30_000)].concat();
    for (flood, what) in [([&headers[..], &tiny].concat(), "tiny data"), (continuation, "continuation")] {
        let mut client = edge.connect().await;
        client.send(preface).await;
        let _ = client.try_send(&flood).await;
        // Whatever it says, it ends.
        let _ = client.read_to_end().await;
        drop(client);
        let (client, _) = connect(&edge).await;
        let mut client = client.ready().await.unwrap();
        // Others notice nothing.
        let response = client.send_request(request("GET", "/.levee/"), true).unwrap().0.await;
        assert!(response.is_ok(), "{what}: {response:?}");
    }
}
