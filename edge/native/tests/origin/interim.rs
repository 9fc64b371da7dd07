//! Responses before the response (RFC 9110, section 15.2).

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{Edge, config};
use crate::{GET, counting};

#[tokio::test]
async fn what_comes_before_the_response_is_not_it() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </x>\r\nset-cookie: a=b\r\n\r\n\
                   HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 199 Odd\r\ncontent-length: 5\r\n\r\n";
    let answer =
        format!("{interim}HTTP/1.1 200 OK\r\ncache-control: max-age=60\r\ncontent-length: 5\r\n\r\nhello");
    let (address, asked) = counting(answer).await;
    let edge = Edge::start(config(address));
    for _ in 0..2 {
        let got = edge.ask(GET).await;
        assert_eq!((got.status(), got.text()), (200, "hello"));
        assert_eq!((got.head.field("link"), got.head.field("set-cookie")), (None, None));
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_end_after_them_is_no_response() {
    let (address, _) = counting("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n").await;
    let got = Edge::start(config(address)).ask(GET).await;
    assert_eq!(got.status(), 502);
}

/// Nobody had asked for it, or for another protocol.
#[tokio::test]
async fn a_switch_of_protocols_that_was_not_asked_for_is_refused() {
    let websocket = "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n";
    let h2c = "GET / HTTP/1.1\r\nhost: a.example\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n";
    for (request, protocol) in [
        (GET, "websocket"),
        (GET, "h2c"),
        (h2c, "h2c"),
        (h2c, "websocket"),
        (websocket, "h2c"),
        (websocket, ""),
    ] {
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: {protocol}\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"
        );
        let got = Edge::start(config(counting(answer).await.0)).ask(request).await;
        assert_eq!(got.status(), 502, "{request} {protocol}");
        assert!(got.head.field("proxy-status").unwrap().contains("protocol"), "{:?}", got.head);
    }
}

/// They are no beginning of a response: who sends nothing else is too late, or sends too much.
#[tokio::test]
async fn no_number_of_them_puts_off_the_end() {
    for (pause, status) in [(Some(Duration::from_millis(5)), 504), (None, 502)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut config = config(listener.local_addr().unwrap());
        if pause.is_some() {
            config.shield.first_byte_timeout = Duration::from_millis(100);
        }
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let _ = stream.read(&mut [0; 1 << 10]).await;
            while stream.write_all(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n").await.is_ok() {
                if let Some(pause) = pause {
                    tokio::time::sleep(pause).await;
                }
            }
        });
        let got = Edge::start(config).ask(GET).await;
        assert_eq!(got.status(), status);
        let said = got.head.field("proxy-status").unwrap();
        assert!(said.contains(if status == 502 { "protocol" } else { "timeout" }), "{said}");
    }
}
