//! To which class a request field belongs: what of a request may tell stored responses apart, and what need not.
//!
//! `docs/fields.md` lists all fields with their grammars, who sends them, and why they are where they are.

mod facts;
mod grammar;
mod names;
mod particulars;
mod referer;
mod repeats;

use http::header::{AUTHORIZATION, COOKIE, GetAll};
use http::{HeaderMap, HeaderName, HeaderValue};

pub use facts::{AcceptClass, Facts};
pub use particulars::{Particulars, TooMany};
pub use referer::is_foreign;
pub use repeats::{SEARCHED, repeats_ordinary};

use crate::fields::credentials;
use names::{Kind, Tells};

/// The class of a request field.
///
/// A keyed field (policy names it, or `Vary`) tells entries apart by its value, whatever its class: the caller looks for these first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The edge writes it, consumes it, answers it, or keys it in any case: framing, hop-by-hop and forwarding fields, conditions
    /// and ranges, `Accept-Encoding`, `Origin`, the edge's own token. What an origin is sent of these is the edge's word.
    Own,
    /// Cloudflare, a load balancer or another proxy before the edge adds it. It tells no entries apart, so only one that such
    /// a proxy has written may reach an origin: of a peer that is not trusted the edge removes it ([`is_added_on_the_way`]).
    Platform,
    /// It says who asks: `Authorization`, `Cookie`, the usual key and token fields, and what the policy names.
    Credential,
    /// Every client sends it, and its value is one that clients send (`docs/fields.md` lists them): entries are not told
    /// apart by it.
    Ordinary,
    /// Anything else, and an ordinary field with another value or on more than one line. It selects: a response to a request with it
    /// answers only requests with the same value.
    Particular,
}

impl Class {
    /// Its name in `explain` and in the docs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Own => "own",
            Self::Platform => "platform",
            Self::Credential => "credential",
            Self::Ordinary => "ordinary",
            Self::Particular => "particular",
        }
    }
}

/// Fields that the configuration has moved to another class, by names in lower case. The classes of the edge's own fields, of
/// `Authorization` and of `Cookie` stay as they are. Of a name that stands in more than one list the first list counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Moved<'a> {
    /// They count as credentials.
    pub credential: &'a [String],
    /// They select, whatever their value.
    pub particular: &'a [String],
    /// They do not, whatever their value: the operator knows that no response depends on them.
    pub ordinary: &'a [String],
}

/// The class of a field.
///
/// `lines`: all its lines, in order. An empty value of an ordinary field is one that says nothing, and so ordinary.
pub fn class_of(name: &HeaderName, lines: GetAll<'_, HeaderValue>, moved: &Moved<'_>) -> Class {
    let mut lines = lines.into_iter();
    let first = lines.next().map(HeaderValue::as_bytes).unwrap_or_default();
    class_of_line(name, first, lines.next().is_none(), moved)
}

/// The same where the first line is at hand. `is_only`: whether there is no other.
fn class_of_line(name: &HeaderName, first: &[u8], is_only: bool, moved: &Moved<'_>) -> Class {
    let text = name.as_str();
    let known = names::look_up(text);
    let is_named = |names: &[String]| names.iter().any(|field| field == text);
    match known {
        Some(Kind::Own | Kind::Forwarded(_)) => return Class::Own,
        None if *name == AUTHORIZATION || *name == COOKIE => return Class::Credential,
        _ if is_named(moved.credential) => return Class::Credential,
        _ if is_named(moved.particular) => return Class::Particular,
        _ if is_named(moved.ordinary) => return Class::Ordinary,
        _ => {}
    }
    match known {
        Some(Kind::Ordinary(is_usual) | Kind::Identifier(is_usual)) => {
            if is_only && (first.is_empty() || is_usual(first)) { Class::Ordinary } else { Class::Particular }
        }
        Some(Kind::Platform(_)) => Class::Platform,
        Some(Kind::Own | Kind::Forwarded(_)) => Class::Own,
        None => class_of_unlisted(text),
    }
}

/// The class of a field that is not on the list. An underscore makes no other field of one that the edge writes or consumes, or that
/// says who asks: many origins take both for one.
fn class_of_unlisted(name: &str) -> Class {
    if credentials::is_credential(name, &[]) {
        return Class::Credential;
    }
    if !name.contains('_') {
        return Class::Particular;
    }
    match names::look_up_spelling(name) {
        Some(Kind::Own | Kind::Forwarded(_)) => Class::Own,
        Some(Kind::Platform(_)) => Class::Platform,
        // `User_Agent` may stand in for the other one, and no client sends it.
        _ => Class::Particular,
    }
}

/// Each field of a request once, with its class and its first line.
pub fn classes<'a>(
    fields: &'a HeaderMap,
    moved: &Moved<'_>,
) -> impl Iterator<Item = (&'a HeaderName, Class, &'a HeaderValue)> {
    // A map yields the lines of one field one after the other.
    let mut lines = fields.iter().peekable();
    std::iter::from_fn(move || {
        let (name, first) = lines.next()?;
        let mut is_only = true;
        while lines.next_if(|(next, _)| *next == name).is_some() {
            is_only = false;
        }
        Some((name, class_of_line(name, first.as_bytes(), is_only, moved), first))
    })
}

/// What is known of a name in either spelling.
fn kind_of(name: &HeaderName) -> Option<&'static Kind> {
    let name = name.as_str();
    names::look_up(name).or_else(|| name.contains('_').then(|| names::look_up_spelling(name)).flatten())
}

/// Whether a proxy says in this field whose request it brings, and from where: what the edge takes from a trusted peer alone. That
/// is every forwarding and every platform field, whichever way it is spelled.
pub fn is_added_on_the_way(name: &HeaderName) -> bool {
    matches!(kind_of(name), Some(Kind::Platform(_))) || is_forwarding(name)
}

/// Whether a field speaks of another client than the one that sends it (`Forwarded`, all of `X-Forwarded-*` and `X-Real-*`, and the older
/// ones), whichever way it is spelled.
pub fn is_forwarding(name: &HeaderName) -> bool {
    let is_of_family = || {
        let name = name.as_str();
        ["x-forwarded-", "x-real-"]
            .iter()
            .any(|family| name.get(..family.len()).is_some_and(|start| is_spelling_of(start, family)))
    };
    matches!(kind_of(name), Some(Kind::Forwarded(_))) || is_of_family()
}

/// Whether a proxy tells the client's address in this field.
pub fn tells_address(name: &HeaderName) -> bool {
    matches!(kind_of(name), Some(Kind::Forwarded(Tells::Address) | Kind::Platform(Tells::Address)))
}

/// Whether a platform tells of the visitor in this field: country, device, bot or not. Origins answer by it, so it is sent on a
/// fill only where it is keyed.
pub fn tells_visitor(name: &HeaderName) -> bool {
    matches!(kind_of(name), Some(Kind::Platform(Tells::Visitor)))
}

/// Whether a field identifies a request or a trace: `traceparent`, `X-Request-Id` and their kin. An origin may send such a field
/// back; it is removed from what is stored.
pub fn is_request_identifier(name: &HeaderName) -> bool {
    matches!(names::look_up(name.as_str()), Some(Kind::Identifier(_)))
}

/// Whether two names are one to an origin that reads an underscore as a hyphen: `x_tenant` for `x-tenant`. Both in lower case.
pub fn is_spelling_of(name: &str, other: &str) -> bool {
    let plain = |b: u8| if b == b'_' { b'-' } else { b };
    name.len() == other.len() && name.bytes().zip(other.bytes()).all(|(a, b)| plain(a) == plain(b))
}

#[cfg(test)]
mod listed;
#[cfg(test)]
mod tests;
