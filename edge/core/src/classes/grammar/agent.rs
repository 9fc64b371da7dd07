//! `User-Agent` (RFC 9110, section 10.1.5), as it is and not as it should be.

use super::{Alphabet, escape};

/// The longest that in-app browsers send is about 450 bytes.
const LONGEST: usize = 512;
/// How deep comments and lists stand in one another: names of devices bring parentheses of their own.
const DEEPEST: usize = 3;

/// What stands anywhere.
static PLAIN: Alphabet = Alphabet::with(b" /._-;,+@!?#~");

/// Products, comments in parentheses, and lists in square brackets (Facebook). Letters, digits and a few marks stand anywhere;
/// what could mean something to an origin stands only where clients have it:
///
/// - brackets come in pairs;
/// - a colon before a digit, a blank or `//` (`rv:128.0`, the address of a crawler's page), and in `dart:io`;
/// - an equals sign before a digit (`scale=3.00`);
/// - percent-encoding only for a blank and for letters beyond ASCII (names of apps on iOS).
pub(crate) fn user_agent(value: &[u8]) -> bool {
    if value.len() > LONGEST {
        return false;
    }
    let mut open = [0; DEEPEST];
    let mut depth = 0;
    let mut at = 0;
    while let Some(&byte) = value.get(at) {
        let rest = &value[at + 1..];
        match byte {
            _ if PLAIN.has(byte) => {}
            b'(' | b'[' if depth < DEEPEST => {
                open[depth] = if byte == b'(' { b')' } else { b']' };
                depth += 1;
            }
            b')' | b']' if depth > 0 && open[depth - 1] == byte => depth -= 1,
            b':' if may_follow_colon(rest) || value[..at].ends_with(b"dart") && rest.starts_with(b"io") => {}
            b'=' if rest.first().is_some_and(u8::is_ascii_digit) => {}
            b'%' => match escape::character(&value[at..], escape::blank) {
                Some(length) => at += length - 1,
                None => return false,
            },
            _ => return false,
        }
        at += 1;
    }
    depth == 0
}

fn may_follow_colon(rest: &[u8]) -> bool {
    rest.starts_with(b"//") || rest.first().is_some_and(|&b| b.is_ascii_digit() || b == b' ')
}
