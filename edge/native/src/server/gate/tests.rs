use std::collections::VecDeque;
use std::task::Waker;
use std::time::Duration;

use levee::Time;
use proptest::prelude::*;

use super::*;
use crate::server::places::{HELD, Places};

/// A client that has sent these pieces and closes.
struct Pieces(VecDeque<Vec<u8>>);

impl AsyncRead for Pieces {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(mut piece) = self.0.pop_front() {
            let count = piece.len().min(buffer.remaining());
            buffer.put_slice(&piece[..count]);
            piece.drain(..count);
            if !piece.is_empty() {
                self.0.push_front(piece);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Pieces {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Socket for Pieces {
    fn send_now(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        Err(ErrorKind::WouldBlock.into())
    }
}

fn gate(pieces: &[&[u8]]) -> Gate<Pieces> {
    let place = Places::new(1, HELD).enter(Time(0)).unwrap();
    let pieces = pieces.iter().filter(|piece| !piece.is_empty()).map(|piece| piece.to_vec());
    Gate::new(Pieces(pieces.collect()), place, 4_000, Pace { idle: Duration::from_secs(60), rate: 0 })
}

/// What hyper gets, in reads of at most `size` bytes, up to the end (`Ok`), a wait or an error.
fn pass(gate: &mut Gate<Pieces>, size: usize) -> (Vec<u8>, Poll<io::Result<()>>) {
    let mut cx = Context::from_waker(Waker::noop());
    let mut got = Vec::new();
    let mut space = vec![0; size];
    loop {
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(&mut *gate).poll_read(&mut cx, &mut buffer) {
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => got.extend_from_slice(buffer.filled()),
            end => return (got, end),
        }
    }
}

fn is_refused(gate: &Gate<Pieces>) -> bool {
    matches!(gate.at, At::Closed | At::Broken(_))
}

const GET: &[u8] = b"GET /a HTTP/1.1\r\nhost: a\r\n\r\n";
const POST: &[u8] = b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n\n\r\0\n";
const CHUNKED: &[u8] =
    b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\n\n\0\r\r\n0\r\nx: y\r\n\r\n";
const UPGRADE: &[u8] = b"GET /u HTTP/1.1\r\nhost: a\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n";

#[test]
fn what_is_well_passes_as_it_is_at_every_split() {
    let text = [GET, b"\r\n", POST, CHUNKED, GET, POST].concat();
    for cut in 0..=text.len() {
        for size in [7, 8_192] {
            let mut gate = gate(&[&text[..cut], &text[cut..]]);
            let (got, end) = pass(&mut gate, size);
            assert_eq!(got, text, "{cut} {size}");
            assert!(matches!(end, Poll::Ready(Ok(()))) && !gate.has_unread());
        }
    }
}

#[test]
fn behind_what_is_refused_nothing_passes() {
    for bad in [
        &b"GET / HTTP/1.1\nhost: a\n\n"[..],
        b"GET / HTTP/1.1\r\nhost: a\n\r\n",
        b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let text = [GET, bad, GET].concat();
        for cut in 0..=text.len() {
            let mut gate = gate(&[&text[..cut], &text[cut..]]);
            let (got, end) = pass(&mut gate, 8_192);
            assert!(end.is_pending() && gate.has_unread() && is_refused(&gate));
            let after = got.strip_prefix(GET).unwrap();
            if after == STAND_IN {
                assert!(gate.signals().refused(1).is_none() && gate.signals().refused(2).is_some());
            } else {
                // Of the head some was there before it was wrong.
                let begun = after.strip_suffix(POISON).unwrap();
                assert!(!begun.is_empty() && bad.starts_with(begun), "{cut}");
            }
        }
    }
}

#[test]
fn a_body_breaks_off_at_the_first_wrong_byte() {
    let head = b"POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    let text = [&head[..], b"3\r\nabc\r\nx\r\n", GET].concat();
    for cut in 0..=text.len() {
        let mut gate = gate(&[&text[..cut], &text[cut..]]);
        let (got, end) = pass(&mut gate, 8_192);
        assert_eq!(got, [&head[..], b"3\r\nabc\r\n"].concat(), "{cut}");
        assert!(matches!(end, Poll::Ready(Err(error)) if error.kind() == ErrorKind::InvalidData));
        assert!(is_refused(&gate));
    }
}

#[test]
fn what_follows_a_switch_is_not_read_as_http() {
    let text = [UPGRADE, b"\n\0 no HTTP \r\r", GET].concat();
    for cut in 0..=text.len() {
        for switches in [true, false] {
            let mut gate = gate(&[&text[..cut], &text[cut..]]);
            let (got, end) = pass(&mut gate, 8_192);
            assert!(end.is_pending());
            assert_eq!(got, UPGRADE);
            gate.signals().switch(switches);
            let (got, end) = pass(&mut gate, 8_192);
            if switches {
                assert_eq!(got, &text[UPGRADE.len()..]);
                assert!(matches!(end, Poll::Ready(Ok(()))));
                assert!(gate.place().slot().idle_since().is_none());
            } else {
                assert!(got == STAND_IN || got == POISON);
            }
        }
    }
}

#[test]
fn http2_passes_from_the_first_byte_on() {
    let text = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\x04\n\r\r";
    for cut in 0..=text.len() {
        assert_eq!(pass(&mut gate(&[&text[..cut], &text[cut..]]), 8_192).0, text, "{cut}");
    }
}

#[test]
fn an_incomplete_head_is_held() {
    let places = Places::new(1, 12_000);
    let place = places.enter(Time(0)).unwrap();
    let pieces = [b"GET / HTTP/1.1\r\nx: ".to_vec(), vec![b'y'; 5_500]];
    let pace = Pace { idle: Duration::from_secs(60), rate: 0 };
    let mut gate = Gate::new(Pieces(pieces.into()), place, 64 << 10, pace);
    assert_eq!(pass(&mut gate, 8_192).0.len(), 5_519);
    assert!(!gate.place().slot().must_go());
    let mut other = gate.place().slot().held();
    other.set(1_200);
    assert!(gate.place().slot().must_go());
}

proptest! {
    /// Any messages in any pieces and reads of any size: what is well passes byte by byte.
    #[test]
    fn any_split_is_like_none(
        messages in prop::collection::vec(prop::sample::select(vec![GET, POST, CHUNKED]), 1..6),
        cuts in prop::collection::vec(0_usize..600, 0..8),
        size in 1_usize..300,
    ) {
        let text = messages.concat();
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).chain([0, text.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        let mut gate = gate(&pieces);
        let (got, _) = pass(&mut gate, size);
        prop_assert_eq!(got, text);
        prop_assert!(!gate.has_unread());
    }

    /// Any bytes in any pieces: the same bytes pass, and the same is refused. Nothing panics.
    #[test]
    fn any_bytes_are_judged_alike_in_any_pieces(
        parts in prop::collection::vec(prop::sample::select(vec![
            &b"GET / HTTP/1.1\r\n"[..], b"POST / HTTP/1.0\r\n", b"\r\n", b"\n", b"\r", b"\0", b"host: a\r\n",
            b"content-length: 2\r\n", b"transfer-encoding: chunked\r\n", b"1\r\n", b"0\r\n", b"ab", b"x", b" y",
        ]), 0..12),
        cut in 0_usize..200,
    ) {
        let text = parts.concat();
        let cut = cut.min(text.len());
        let mut whole = gate(&[&text]);
        let mut split = gate(&[&text[..cut], &text[cut..]]);
        let (whole_got, split_got) = (pass(&mut whole, 8_192).0, pass(&mut split, 8_192).0);
        prop_assert_eq!(is_refused(&whole), is_refused(&split));
        if !is_refused(&whole) {
            prop_assert_eq!(&whole_got, &text);
            prop_assert_eq!(&split_got, &text);
        }
    }
}
