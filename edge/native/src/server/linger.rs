//! The end of a connection whose client may still be sending.
//!
//! A system that closes a socket with bytes that nobody has read resets the connection, and the client's system may then throw
//! away the answer that says what was wrong. So what comes is read and dropped, for a while.

use std::cell::Cell;
use std::io::Write;
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};

const TIME: Duration = Duration::from_secs(5);
const BYTES: usize = 1 << 20;

/// Clients that are told at once that there is no room. Others are let go without a word.
const TOLD: usize = 64;

/// Reads to the end, or until it takes too long.
pub(super) async fn linger(socket: &mut (impl AsyncRead + Unpin)) {
    let drop_all = async {
        let (mut buffer, mut total) = (vec![0; 4 << 10], 0);
        while let Ok(count @ 1..) = socket.read(&mut buffer).await {
            total += count;
            if total > BYTES {
                break;
            }
        }
    };
    // Too long or not, it ends here.
    let _ = tokio::time::timeout(TIME, drop_all).await;
}

/// Tells clients that there is no room for them.
#[derive(Debug)]
pub(super) struct Full {
    /// A whole response.
    answer: Bytes,
    telling: Cell<usize>,
}

impl Full {
    pub(super) fn new(answer: Bytes) -> Rc<Self> {
        Rc::new(Self { answer, telling: Cell::new(0) })
    }

    pub(super) fn tell(self: &Rc<Self>, stream: TcpStream) {
        if self.telling.get() >= TOLD {
            return;
        }
        self.telling.set(self.telling.get() + 1);
        let this = self.clone();
        tokio::task::spawn_local(async move {
            // It fits into the system's buffer: nothing waits here.
            if (&stream).write(&this.answer).is_ok()
                && let Ok(mut stream) = tokio::net::TcpStream::from_std(stream)
                && stream.shutdown().await.is_ok()
            {
                linger(&mut stream).await;
            }
            this.telling.set(this.telling.get() - 1);
        });
    }
}
