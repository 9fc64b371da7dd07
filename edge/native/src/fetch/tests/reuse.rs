//! When a connection is used for another request, and what happens where that goes wrong.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use futures_util::stream;

use super::*;

/// An origin whose first connection answers one request and then, when told to, does `then`. All others answer every request.
struct AfterOne {
    origin: Origin,
    go: Sender<()>,
    done: Receiver<()>,
}

impl AfterOne {
    fn start(then: impl Fn(&mut Peer) + Send + Sync + 'static) -> Self {
        let (go, may_go) = channel::<()>();
        let (told, done) = channel();
        let signals = Mutex::new((may_go, told));
        let origin = Origin::start(move |number, mut peer| {
            while peer.head().is_some() {
                peer.send(OK);
                if number == 0 {
                    let signals = signals.lock().unwrap();
                    signals.0.recv().unwrap();
                    then(&mut peer);
                    drop(peer);
                    let _ = signals.1.send(());
                    return;
                }
            }
        });
        Self { origin, go, done }
    }

    fn tell(&self) {
        self.go.send(()).unwrap();
    }

    /// It is done when this returns, and the client's thread has not had a look at its connections meanwhile.
    fn tell_and_wait(&self) {
        self.tell();
        self.done.recv_timeout(BOUND).unwrap();
    }
}

/// Resolves when the connection of the last exchange lies idle.
async fn is_idle(client: &Client) {
    while client.idle.size() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Time enough for the connection of the last exchange to be put back, if it is.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

/// In each of these the origin acts when the first byte of the second request has come: the race with its idle timeout.
#[tokio::test]
async fn a_close_that_crosses_with_a_request_is_told() {
    let closes: [fn(&mut Peer); 4] = [
        |peer| {
            peer.byte();
            peer.head();
        },
        // What has come and is not read makes the system reset the connection.
        |peer| {
            peer.byte();
        },
        |peer| {
            peer.byte();
            peer.will_reset();
        },
        |peer| {
            peer.byte();
            peer.0.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
            peer.wait_for_end();
        },
    ];
    for close in closes {
        for method in [Method::GET, Method::POST] {
            local(async {
                let (client, closing) = (client(), AfterOne::start(close));
                let origin = &closing.origin;
                assert_eq!(get_text(&client, origin).await, "ok");
                is_idle(&client).await;
                closing.tell();
                let again = || request(method.clone(), origin, "hello");
                let lost = client.fetch(again(), options()).await;
                assert_eq!(lost.unwrap_err(), FetchError::KeptAliveClosed);
                assert_eq!(origin.connections(), 1);
                let fresh = FetchOptions { fresh_connection: true, ..options() };
                assert_eq!(text(client.fetch(again(), fresh).await.unwrap()).await.unwrap(), "ok");
                assert_eq!(origin.connections(), 2);
            })
            .await;
        }
    }
}

#[tokio::test]
async fn a_connection_that_is_new_or_has_answered_is_no_kept_alive_one_that_closed() {
    local(async {
        let origin = Origin::start(|_, mut peer| {
            peer.head();
        });
        let failed = get(&client(), &origin).await;
        assert!(matches!(failed, Err(FetchError::ConnectionTerminated(_))), "{failed:?}");

        let closing = AfterOne::start(|peer| {
            peer.head();
            peer.send("HTTP/1.1 100 Continue\r\n\r\n");
        });
        let (client, origin) = (client(), &closing.origin);
        assert_eq!(get_text(&client, origin).await, "ok");
        is_idle(&client).await;
        closing.tell();
        let failed = get(&client, origin).await;
        assert!(matches!(failed, Err(FetchError::ConnectionTerminated(_))), "{failed:?}");
        assert_eq!(origin.connections(), 1);
    })
    .await;
}

/// The origin has closed before the next request: it goes out on another connection, whatever it is.
#[tokio::test]
async fn a_connection_that_has_closed_meanwhile_is_not_used() {
    for reset in [false, true] {
        for method in [Method::GET, Method::POST] {
            local(async {
                let client = client();
                let closing = AfterOne::start(move |peer| {
                    if reset {
                        peer.will_reset();
                    }
                });
                let origin = &closing.origin;
                assert_eq!(get_text(&client, origin).await, "ok");
                is_idle(&client).await;
                closing.tell_and_wait();
                let upload = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"hello"))]);
                let request = request(method, origin, Body::stream(upload));
                assert_eq!(text(client.fetch(request, options()).await.unwrap()).await.unwrap(), "ok");
                assert_eq!(origin.connections(), 2);
            })
            .await;
        }
    }
}

const POISON: &str = "HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison";

/// What comes unasked would be the answer to the next request.
#[tokio::test]
async fn a_byte_that_comes_unasked_spoils_the_connection() {
    for poison in [POISON, "\r\n", "HTTP/1.1 408 Request Timeout\r\n\r\n"] {
        local(async {
            let client = client();
            let (sent, is_sent) = channel();
            let sent = Mutex::new(sent);
            let poisoned = AfterOne::start(move |peer| {
                peer.send(poison);
                sent.lock().unwrap().send(()).unwrap();
                peer.wait_for_end();
            });
            let origin = &poisoned.origin;
            assert_eq!(get_text(&client, origin).await, "ok");
            is_idle(&client).await;
            poisoned.tell();
            is_sent.recv_timeout(BOUND).unwrap();
            assert_eq!(get_text(&client, origin).await, "ok");
            assert_eq!(origin.connections(), 2);
        })
        .await;
    }
}

/// Each first response leaves a doubt about where the next one would begin.
#[tokio::test]
async fn after_a_doubtful_response_the_connection_is_not_used() {
    for (method, answer, body) in [
        (Method::GET, format!("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok{POISON}"), "ok"),
        (Method::GET, format!("HTTP/1.1 204 No Content\r\n\r\n{POISON}"), ""),
        (Method::GET, format!("HTTP/1.1 304 Not Modified\r\n\r\n{POISON}"), ""),
        (Method::HEAD, format!("HTTP/1.1 200 OK\r\ncontent-length: 60\r\n\r\n{POISON}"), ""),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
                .to_owned(),
            "ok",
        ),
        (Method::GET, "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n".to_owned(), ""),
        (Method::GET, "HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(), ""),
        (
            Method::GET,
            "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok".to_owned(),
            "ok",
        ),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nconnection: x\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok".to_owned(),
            "ok",
        ),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok".to_owned(),
            "ok",
        ),
        (
            Method::GET,
            "HTTP/1.1 200 OK\r\nkeep-alive: timeout=9, max=0\r\ncontent-length: 2\r\n\r\nok".to_owned(),
            "ok",
        ),
    ] {
        local(async {
            let client = client();
            let said = answer.clone();
            let origin = Origin::start(move |number, mut peer| {
                while peer.head().is_some() {
                    peer.send(if number == 0 { &said } else { OK });
                }
            });
            let first = client.fetch(request(method, &origin, Body::default()), options()).await.unwrap();
            assert_eq!(text(first).await.unwrap(), body, "{answer}");
            settle().await;
            assert_eq!(get_text(&client, &origin).await, "ok", "{answer}");
            assert_eq!(origin.connections(), 2, "{answer}");
        })
        .await;
    }
}

#[tokio::test]
async fn after_an_ordinary_response_it_is_used() {
    for answer in [
        OK,
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nx-trailer: 1\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nkeep-alive: timeout=60, max=100\r\ncontent-length: 2\r\n\r\nok",
    ] {
        local(async {
            let client = client();
            let origin = Origin::start(move |_, mut peer| {
                while peer.head().is_some() {
                    peer.send(answer);
                }
            });
            for _ in 0..3 {
                get_text(&client, &origin).await;
                is_idle(&client).await;
            }
            assert_eq!(origin.connections(), 1, "{answer}");
            let fresh = FetchOptions { fresh_connection: true, ..options() };
            client.fetch(request(Method::GET, &origin, Body::default()), fresh).await.unwrap();
            assert_eq!(origin.connections(), 2);
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_left_of_a_response_is_not_read_as_the_next() {
    local(async {
        let client = client();
        let origin = Origin::start(|number, mut peer| {
            while peer.head().is_some() {
                if number == 0 {
                    peer.send("HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n");
                    let _ = peer.0.get_mut().write_all(&POISON.as_bytes().repeat(1_000_000 / POISON.len()));
                } else {
                    peer.send(OK);
                }
            }
        });
        drop(get(&client, &origin).await.unwrap());
        settle().await;
        assert_eq!(get_text(&client, &origin).await, "ok");
        assert_eq!(origin.connections(), 2);
    })
    .await;
}

#[tokio::test]
async fn while_a_request_is_still_sent_its_connection_takes_no_other() {
    local(async {
        let client = client();
        let origin = Origin::start(|_, mut peer| {
            while peer.head().is_some() {
                peer.send(OK);
            }
        });
        let upload = Body::stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let early = client.fetch(request(Method::POST, &origin, upload), options()).await.unwrap();
        assert_eq!(text(early).await.unwrap(), "ok");
        settle().await;
        assert_eq!(get_text(&client, &origin).await, "ok");
        assert_eq!(origin.connections(), 2);
    })
    .await;
}
