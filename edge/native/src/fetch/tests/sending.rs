//! Requests that an origin does not take, or answers before it has taken them.

use bytes::Bytes;
use futures_util::stream;
use levee::platform::ClientFault;

use super::*;

/// A body that never ends.
fn endless() -> Body {
    Body::stream(stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[0; 16 << 10]))))
}

fn impatient(idle: Duration) -> FetchOptions {
    FetchOptions { deadlines: Deadlines { idle, ..options().deadlines }, ..options() }
}

#[tokio::test]
async fn an_origin_that_does_not_read_is_given_up() {
    local(async {
        let origin = Origin::start(|_, peer| {
            // It reads nothing, and is there until the test is over.
            let mut byte = [0];
            while matches!(peer.0.get_ref().peek(&mut byte), Ok(1)) {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let request = request(Method::POST, &origin, endless());
        let given_up = client().fetch(request, impatient(Duration::from_millis(100))).await;
        assert_eq!(given_up.unwrap_err(), FetchError::ResponseTimeout);
    })
    .await;
}

/// It answers at once and does not read the rest of the request: the exchange ends as a whole.
#[tokio::test]
async fn an_origin_that_answers_and_does_not_read_is_let_go() {
    local(async {
        let (ended, has_ended) = std::sync::mpsc::channel();
        let ended = std::sync::Mutex::new(ended);
        let origin = Origin::start(move |_, mut peer| {
            peer.head().unwrap();
            peer.send(OK);
            let mut byte = [0];
            while matches!(peer.0.get_ref().peek(&mut byte), Ok(1)) {
                let _ = peer.0.get_mut().write_all(b"");
                if peer.0.get_ref().take_error().unwrap().is_some() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            let _ = ended.lock().unwrap().send(());
        });
        struct Dropped(std::sync::Arc<AtomicBool>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.store(true, Ordering::SeqCst);
            }
        }
        let is_dropped = Arc::new(AtomicBool::new(false));
        let guard = Dropped(is_dropped.clone());
        let upload = Body::stream(stream::repeat_with(move || {
            let _held = &guard;
            Ok::<_, std::io::Error>(Bytes::from_static(&[0; 16 << 10]))
        }));
        let request = request(Method::POST, &origin, upload);
        let answer = client().fetch(request, impatient(Duration::from_millis(100))).await.unwrap();
        assert_eq!(text(answer).await.unwrap(), "ok");
        while !is_dropped.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(has_ended);
    })
    .await;
}

/// A 413, say: the origin answers, does not read the rest, and closes, which resets the connection.
#[tokio::test]
async fn the_answer_of_an_origin_that_hangs_up_on_an_upload_is_read() {
    for round in 0..20 {
        local(async {
            let origin = Origin::start(|_, mut peer| {
                peer.head().unwrap();
                peer.send("HTTP/1.1 413 Content Too Large\r\nconnection: close\r\ncontent-length: 9\r\n\r\ntoo large");
            });
            let request = request(Method::POST, &origin, endless());
            let answer = client().fetch(request, options()).await.unwrap();
            assert_eq!(answer.status(), 413, "{round}");
            assert_eq!(text(answer).await.unwrap(), "too large");
        })
        .await;
    }
}

/// The reset that ended the request must not pass for the end of the response.
#[tokio::test]
async fn a_response_that_ends_with_a_reset_is_broken_off() {
    for upload in [false, true] {
        local(async {
            let origin = Origin::start(|_, mut peer| {
                peer.head().unwrap();
                peer.send("HTTP/1.1 200 OK\r\n\r\nhel");
                peer.will_reset();
            });
            let body = if upload { endless() } else { Body::default() };
            match client().fetch(request(Method::POST, &origin, body), options()).await {
                Ok(answer) => assert!(text(answer).await.is_err()),
                Err(error) => assert!(matches!(error, FetchError::ConnectionTerminated(_)), "{error:?}"),
            }
        })
        .await;
    }
}

#[tokio::test]
async fn what_is_wrong_with_the_clients_body_is_told_as_such() {
    local(async {
        let origin = Origin::start(|_, mut peer| {
            peer.head().unwrap();
            peer.wait_for_end();
        });
        for fault in [ClientFault::Stalled, ClientFault::Gone, ClientFault::Malformed("x".to_owned())] {
            let chunks = [Ok(Bytes::from_static(b"hello")), Err(BodyError::Client(fault.clone()))];
            let request = request(Method::POST, &origin, Body::stream(stream::iter(chunks)));
            assert_eq!(client().fetch(request, options()).await.unwrap_err(), FetchError::Client(fault));
        }
        let chunks = [Ok(Bytes::from_static(b"hello")), Err("the handler's own")];
        let request = request(Method::POST, &origin, Body::stream(stream::iter(chunks)));
        let failed = client().fetch(request, options()).await.unwrap_err();
        assert!(matches!(failed, FetchError::Internal(_)), "{failed:?}");
    })
    .await;
}
