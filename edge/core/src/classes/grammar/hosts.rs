//! Fields that name a host: `Alt-Used`, `From`, `Referer`.

use super::{Cursor, escape};

/// A name or an IPv6 address, with a port or without. RFC 1035, section 2.3.4 bounds the name.
fn authority(cursor: &mut Cursor<'_>) -> bool {
    let is_named = if cursor.eat(b"[") {
        (2..=45).contains(&cursor.take(|b| b.is_ascii_hexdigit() || b == b':' || b == b'.').len())
            && cursor.eat(b"]")
    } else {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        (1..=253).contains(&cursor.take(is_name).len())
    };
    is_named && (!cursor.eat(b":") || (1..=5).contains(&cursor.take(|b| b.is_ascii_digit()).len()))
}

/// `Alt-Used` (RFC 7838, section 5): the alternative service that the client uses.
pub(crate) fn alt_used(value: &[u8]) -> bool {
    let mut cursor = Cursor::new(value);
    authority(&mut cursor) && cursor.is_done()
}

/// `From` (RFC 9110, section 10.1.2): the mailbox of a crawler, in which `(at)` may stand for the sign.
pub(crate) fn mailbox(value: &[u8]) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'+');
    let mut cursor = Cursor::new(value);
    value.len() <= 96
        && !cursor.take(is_word).is_empty()
        && (cursor.eat(b"@") || cursor.eat(b"(at)"))
        && !cursor.take(is_word).is_empty()
        && cursor.is_done()
}

/// `Referer` (RFC 9110, section 10.1.3): an http or https URL in which nothing is hidden ([`escape::plain`]).
pub(crate) fn referer(value: &[u8]) -> bool {
    const LONGEST: usize = 1024;
    let mut cursor = Cursor::new(value);
    if value.len() > LONGEST
        || !(cursor.eat(b"https://") || cursor.eat(b"http://"))
        || !authority(&mut cursor)
        || !(cursor.is_done() || cursor.eat(b"/"))
    {
        return false;
    }
    let mut rest = cursor.take(|_| true);
    loop {
        match rest {
            [] => return true,
            [b'%', ..] => match escape::character(rest, escape::plain) {
                Some(length) => rest = &rest[length..],
                None => return false,
            },
            [byte, tail @ ..] if byte.is_ascii_alphanumeric() || b"-._~!$()*+,;:@/?=&".contains(byte) => {
                rest = tail;
            }
            _ => return false,
        }
    }
}
