//! Bodies for streaming: each byte says where it stands, and each piece may wait until the one before has arrived.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, ensure};
use bytes::Bytes;
use http_body_util::BodyExt as _;
use http_body_util::channel::Channel;
use tokio::sync::watch;

use crate::client::Body;
use crate::scripted::broken;

/// Of a large body, in bytes.
pub(super) const SIZE: u64 = 50 << 20;
/// Of a piece of it.
const PIECE: u64 = 256 << 10;

/// A large body whose next piece leaves only when all before it has arrived at the other end, as `came` tells.
pub(super) fn paced(mut came: watch::Receiver<u64>) -> Body {
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
    tokio::spawn(async move {
        for number in 0..SIZE / PIECE {
            let sent = sender.send_data(piece(number)).await.is_ok();
            if !sent || came.wait_for(|came| *came >= (number + 1) * PIECE).await.is_err() {
                return;
            }
        }
    });
    body.boxed()
}

/// A large body as fast as it is taken; counts what was taken.
pub(super) fn flowing(taken: Arc<AtomicU64>) -> Body {
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
    tokio::spawn(async move {
        for number in 0..SIZE / PIECE {
            if sender.send_data(piece(number)).await.is_err() {
                return;
            }
            taken.fetch_add(PIECE, Ordering::SeqCst);
        }
    });
    body.boxed()
}

/// A few bytes and then no proper end.
pub(super) fn broken_off() -> Body {
    let (mut sender, body) = Channel::<Bytes, std::io::Error>::new(1);
    tokio::spawn(async move {
        // Sent before the break, so that the head is on its way.
        let _ = sender.send_data(Bytes::from_static(b"the beginning")).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        sender.abort(broken());
    });
    body.boxed()
}

fn piece(number: u64) -> Bytes {
    vec![mark(number); PIECE as usize].into()
}

fn mark(number: u64) -> u8 {
    (number % 251) as u8
}

/// Whether these are the bytes that stand at `offset` of a large body.
pub(super) fn check(offset: u64, bytes: &[u8]) -> Result<()> {
    let mut at = offset;
    let mut rest = bytes;
    while !rest.is_empty() {
        let number = at / PIECE;
        let here = ((number + 1) * PIECE - at).min(rest.len() as u64) as usize;
        let (these, others) = rest.split_at(here);
        ensure!(these.iter().all(|&byte| byte == mark(number)), "other bytes than were sent, near {at}");
        at += here as u64;
        rest = others;
    }
    Ok(())
}
