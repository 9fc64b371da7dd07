//! Large bodies flow: neither side waits for the whole.

use tokio::sync::mpsc;

use crate::support::{Edge, config, origin};

const CHUNK: usize = 256 << 10;
const CHUNKS: usize = 200;

fn chunk(number: usize) -> Vec<u8> {
    vec![u8::try_from(number % 251).unwrap(); CHUNK]
}

/// The origin sends a chunk only when the client has the one before: whoever held back the body would hang.
#[tokio::test]
async fn a_download_in_lock_step() {
    for framing in [format!("content-length: {}", CHUNK * CHUNKS), "transfer-encoding: chunked".to_owned()] {
        let (next, go) = mpsc::channel::<()>(1);
        let go = std::sync::Arc::new(tokio::sync::Mutex::new(go));
        let is_chunked = framing.contains("chunked");
        let address = origin(move |mut wire| {
            let (go, framing) = (go.clone(), framing.clone());
            async move {
                wire.read_head().await.unwrap();
                wire.send(format!("HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\n{framing}\r\n\r\n")).await;
                for number in 0..CHUNKS {
                    go.lock().await.recv().await.unwrap();
                    if is_chunked {
                        wire.send_chunk(&chunk(number)).await;
                    } else {
                        wire.send(chunk(number)).await;
                    }
                }
                if is_chunked {
                    wire.send("0\r\n\r\n").await;
                }
                wire.is_closed().await;
            }
        })
        .await;
        let edge = Edge::start(config(address));
        let mut client = edge.connect().await;
        client.send("GET /large HTTP/1.1\r\nhost: a.example\r\n\r\n").await;
        assert_eq!(client.read_head().await.unwrap().status(), 200);
        for number in 0..CHUNKS {
            next.send(()).await.unwrap();
            let mut got = Vec::new();
            while got.len() < CHUNK {
                if is_chunked {
                    got.extend(client.read_chunk().await.unwrap());
                } else {
                    got.extend(client.read(CHUNK).await);
                }
            }
            assert!(got == chunk(number), "chunk {number}");
        }
        if is_chunked {
            assert_eq!(client.read_chunk().await, Some(Vec::new()));
        }
    }
}

/// The client sends a chunk only when the origin has the one before.
#[tokio::test]
async fn an_upload_in_lock_step() {
    for framing in [format!("content-length: {}", CHUNK * CHUNKS), "transfer-encoding: chunked".to_owned()] {
        let (got, mut next) = mpsc::channel::<()>(1);
        let is_chunked = framing.contains("chunked");
        let wanted = framing.clone();
        let address = origin(move |mut wire| {
            let (got, wanted) = (got.clone(), wanted.clone());
            async move {
                let head = wire.read_head().await.unwrap();
                let (name, value) = wanted.split_once(": ").unwrap();
                assert_eq!(head.field(name), Some(value));
                for number in 0..CHUNKS {
                    let mut part = Vec::new();
                    while part.len() < CHUNK {
                        if is_chunked {
                            part.extend(wire.read_chunk().await.unwrap());
                        } else {
                            part.extend(wire.read(CHUNK).await);
                        }
                    }
                    assert!(part == chunk(number), "chunk {number}");
                    got.send(()).await.unwrap();
                }
                if is_chunked {
                    assert_eq!(wire.read_chunk().await, Some(Vec::new()));
                }
                wire.send("HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n").await;
            }
        })
        .await;
        let edge = Edge::start(config(address));
        let mut client = edge.connect().await;
        client.send(format!("POST /large HTTP/1.1\r\nhost: a.example\r\n{framing}\r\n\r\n")).await;
        for number in 0..CHUNKS {
            if is_chunked {
                client.send_chunk(&chunk(number)).await;
            } else {
                client.send(chunk(number)).await;
            }
            next.recv().await.unwrap();
        }
        if is_chunked {
            client.send("0\r\n\r\n").await;
        }
        assert_eq!(client.read_message().await.status(), 201);
    }
}

/// A body that breaks off must not look as if it had ended.
#[tokio::test]
async fn a_body_that_breaks_off_is_cut_off() {
    for answer in [
        "content-length: 100\r\n\r\nhello",
        "transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "cache-control: max-age=60\r\ncontent-length: 100\r\n\r\nhello",
        "cache-control: max-age=60\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "transfer-encoding: chunked\r\n\r\n9\r\nhello",
    ] {
        for method in ["GET", "DELETE"] {
            let address = origin(move |mut wire| async move {
                wire.read_head().await.unwrap();
                wire.send(format!("HTTP/1.1 200 OK\r\n{answer}")).await;
            })
            .await;
            let edge = Edge::start(config(address));
            for _ in 0..2 {
                let got = edge.ask(&format!("{method} / HTTP/1.1\r\nhost: a.example\r\n\r\n")).await;
                assert_eq!((got.status(), got.is_cut), (200, true), "{method} {answer}");
            }
        }
    }
}

/// An upload that breaks off reaches the origin as one.
#[tokio::test]
async fn an_upload_that_breaks_off_is_cut_off() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let address = origin(move |mut wire| {
        let tell = tell.clone();
        async move {
            wire.read_head().await.unwrap();
            while let Some(chunk) = wire.read_chunk().await {
                tell.send(Some(chunk)).unwrap();
            }
            tell.send(None).unwrap();
        }
    })
    .await;
    let edge = Edge::start(config(address));
    let mut client = edge.connect().await;
    client
        .send("POST / HTTP/1.1\r\nhost: a.example\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        .await;
    // A client that has gone before would not have reached the origin at all.
    assert_eq!(told.recv().await.unwrap().unwrap(), b"hello");
    drop(client);
    // The end of the content would be an empty chunk.
    assert_eq!(told.recv().await.unwrap(), None);
}
