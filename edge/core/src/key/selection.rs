//! What tells the entries of one URL apart beside what the policy keys: coarse facts about ordinary fields, and the particular ones.

use http::{HeaderMap, HeaderName, HeaderValue, header};

use crate::classes::{AcceptClass, Class, Moved, Particulars, class_of, classes};
use crate::config::{Particular, Policy};
use crate::fields::{cookies, credentials};
use crate::origin::{is_keyed, is_named};
use crate::seal::Seal;

/// Every class of `Accept`, that of `*/*` first.
const EVERY: [AcceptClass; 5] =
    [AcceptClass::Other, AcceptClass::Html, AcceptClass::Json, AcceptClass::EventStream, AcceptClass::Image];

/// What of a request selects among the entries of its URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selection {
    /// `None`: the policy is that of a plain shared cache, where `Vary` alone selects.
    facts: Option<Facts>,
    /// The particular fields, by name, and the digest of their values.
    particular: Option<(Vec<HeaderName>, String)>,
}

/// What all entries are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Facts {
    accept: AcceptClass,
    /// Whether there is an `Origin`.
    cors: bool,
}

/// The request has more particular fields than tell entries apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooParticular;

impl Selection {
    /// Reads the fields that a client sent.
    ///
    /// # Errors
    /// The particular ones are too many, or too long.
    pub fn of(fields: &HeaderMap, policy: &Policy, seal: &Seal) -> Result<Self, TooParticular> {
        let Some(moved) = moved(policy) else { return Ok(Self::default()) };
        let found =
            Particulars::of(fields, &moved, |name| is_named(name, policy)).map_err(|_| TooParticular)?;
        let names: Vec<HeaderName> = found.names().cloned().collect();
        Ok(Self {
            facts: Some(Facts { accept: AcceptClass::of(fields), cors: fields.contains_key(header::ORIGIN) }),
            particular: found.digest(seal).map(|digest| (names, digest)),
        })
    }

    /// Every selection without particular fields under a policy, that of a plain `Accept: */*` first.
    pub fn every_general(policy: &Policy) -> impl Iterator<Item = Self> + use<> {
        let facts = [false, true].map(|cors| EVERY.map(|accept| Facts { accept, cors }));
        let facts = facts.into_iter().flatten().map(Some);
        let every: Vec<_> = if policy.selects() { facts.collect() } else { vec![None] };
        every.into_iter().map(|facts| Self { facts, particular: None })
    }

    /// Adds what all entries are told apart by to a key.
    pub(super) fn push_facts(&self, text: &mut String) {
        if let Some(Facts { accept, cors }) = self.facts {
            text.push_str("\nq");
            text.push_str(accept.as_str());
            if cors {
                text.push('o');
            }
        }
    }

    /// Adds the digest of the particular fields, and returns their names.
    pub(super) fn push_particular(&self, text: &mut String) -> Vec<HeaderName> {
        let Some((names, digest)) = &self.particular else { return Vec::new() };
        text.push_str("\np:");
        text.push_str(digest);
        names.clone()
    }
}

/// The names of all particular fields of a request under a policy, each once, however many they are.
pub(crate) fn particular_names(fields: &HeaderMap, policy: &Policy) -> Vec<String> {
    let Some(moved) = moved(policy) else { return Vec::new() };
    let found = classes(fields, &moved)
        .filter(|(name, class, _)| *class == Class::Particular && !is_named(name.as_str(), policy));
    let mut names: Vec<String> = found.map(|(name, ..)| name.as_str().to_owned()).collect();
    names.sort_unstable();
    names
}

/// The fields that a policy moves to another class. `None`: the policy is that of a plain shared cache, which has no classes.
pub(crate) fn moved(policy: &Policy) -> Option<Moved<'_>> {
    let Particular::Select(particular) = &policy.particular else { return None };
    Some(Moved { ordinary: &policy.ordinary, particular, credential: &policy.credential_fields })
}

/// What a field with one value does to a request whose other fields are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It selects.
    Selects,
    /// With this value it selects nothing.
    Ordinary,
    /// With no value it does.
    Free,
}

/// How a field with this one value stands, where its name does not matter by itself. A line of ignored cookies is ordinary also where
/// the name does.
pub(crate) fn standing(name: &HeaderName, value: &HeaderValue, policy: &Policy) -> Standing {
    if cookies::is_ignored_line(name, value, policy) {
        return Standing::Ordinary;
    }
    let Some(moved) = moved(policy).filter(|_| !is_named(name.as_str(), policy)) else {
        return Standing::Free;
    };
    let one: HeaderMap = [(name.clone(), value.clone())].into_iter().collect();
    match class_of(name, one.get_all(name), &moved) {
        Class::Particular => Standing::Selects,
        Class::Ordinary => Standing::Ordinary,
        // Another spelling of one that is usual, whose name is on no list.
        Class::Credential if credentials::found(&one, policy).is_some() => Standing::Selects,
        Class::Own | Class::Platform | Class::Credential => Standing::Free,
    }
}

/// What a field of a request does under a policy, for people: `keyed`, `forwarded`, `ignored`, or its class.
pub(crate) fn class_in(fields: &HeaderMap, name: &HeaderName, policy: &Policy) -> &'static str {
    if is_keyed(name.as_str(), policy) {
        return "keyed";
    }
    if policy.forward.iter().any(|field| field == name.as_str()) {
        return "forwarded";
    }
    if *name == header::COOKIE && cookies::are_ignored(fields, policy) {
        return "ignored";
    }
    let unmoved =
        Moved { ordinary: &policy.ordinary, particular: &[], credential: &policy.credential_fields };
    class_of(name, fields.get_all(name), &moved(policy).unwrap_or(unmoved)).as_str()
}
