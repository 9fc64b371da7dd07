//! The stored form: magic, version, length of the head, head (postcard), body, CRC-32 of all that.
//!
//! Rules for change: a field is never given another meaning; a new shape is a new version, and every older version goes
//! on being read. What is truncated, corrupt or of a later version is a miss.

use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use super::{Entry, Parts, VaryIndex};
use crate::purge::Mark;
use crate::time::Time;

const MAGIC: &[u8; 3] = b"LVE";
/// What is written.
const VERSION: u8 = 2;
/// Said of a body apart only what it is, and not for how long it is kept.
const FIRST: u8 = 1;
const PREFIX: usize = 8;
const CHECKSUM: usize = 4;

/// `A`: what is said of a body that is kept apart.
#[derive(Serialize, Deserialize)]
enum Head<'a, A> {
    #[serde(borrow)]
    Entry(EntryHead<'a, A>),
    #[serde(borrow)]
    Vary(VaryHead<'a>),
}

#[derive(Serialize, Deserialize)]
struct VaryHead<'a> {
    key: &'a str,
    #[serde(borrow)]
    sets: Vec<Vec<&'a str>>,
}

#[derive(Serialize, Deserialize)]
struct EntryHead<'a, A> {
    key: &'a str,
    status: u16,
    requested: u64,
    received: u64,
    purge_mark: Mark,
    #[serde(borrow)]
    fields: Vec<(&'a str, &'a [u8])>,
    #[serde(borrow)]
    vary: Vec<&'a str>,
    body: BodyAt<A>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
enum BodyAt<A> {
    /// It follows the head.
    Here,
    /// It is a value of its own.
    Apart(A),
}

/// As version 1 had it.
#[derive(Serialize, Deserialize)]
struct FirstApart {
    id: u64,
    len: u64,
    crc: u32,
}

impl From<FirstApart> for Apart {
    fn from(FirstApart { id, len, crc }: FirstApart) -> Self {
        Self { id, len, crc, until: Time(0) }
    }
}

/// Where a body that is kept apart from its head is found, and what it must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apart {
    /// Chosen at random for each body, so that a head never meets the body of another fill.
    pub id: u64,
    pub len: u64,
    pub crc: u32,
    /// How long the stores were asked to keep it: so long a 304 needs to rewrite the head alone. Zero where that is not known.
    pub until: Time,
}

impl Apart {
    /// The name of the body's value, from the name of its head's.
    pub fn name(&self, head: &str) -> String {
        format!("{head}.{:016x}", self.id)
    }

    /// Whether these bytes are that body.
    pub fn fits(&self, body: &[u8]) -> bool {
        body.len() as u64 == self.len && crc32fast::hash(body) == self.crc
    }
}

/// What a stored value holds.
#[derive(Clone, Debug)]
pub enum Decoded {
    Entry(Parts),
    /// The head alone: its body has to be read, and be [`Apart::fits`].
    Head(Parts, Apart),
    Vary(VaryIndex),
}

/// Why a stored value is not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("not an entry")]
    NotAnEntry,
    #[error("written by a later version")]
    Version,
    #[error("truncated or corrupt")]
    Corrupt,
    /// Another key's entry: two keys met in one name, or the store mixed them up.
    #[error("the entry of another key")]
    OtherKey,
}

/// Describes a body that is to be kept apart, under `id`, until then.
pub fn encode_body(id: u64, body: &Bytes, until: Time) -> Apart {
    Apart { id, len: body.len() as u64, crc: crc32fast::hash(body), until }
}

/// An entry as bytes, with its body, or with only where that is.
pub fn encode_entry(entry: &Entry, apart: Option<Apart>) -> Bytes {
    let head = Head::Entry(EntryHead {
        key: &entry.key,
        status: entry.status.as_u16(),
        requested: entry.requested.as_millis(),
        received: entry.received.as_millis(),
        purge_mark: entry.purge_mark,
        fields: entry.fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect(),
        vary: entry.vary.iter().map(HeaderName::as_str).collect(),
        body: apart.map_or(BodyAt::Here, BodyAt::Apart),
    });
    seal(&head, if apart.is_some() { &[] } else { &entry.body })
}

/// What a URL varies on, as bytes.
pub fn encode_vary(index: &VaryIndex) -> Bytes {
    let sets = index.sets.iter().map(|set| set.iter().map(HeaderName::as_str).collect()).collect();
    seal(&Head::Vary(VaryHead { key: &index.key, sets }), &[])
}

fn seal(head: &Head<'_, Apart>, body: &[u8]) -> Bytes {
    // Plain data into a growing vector: this cannot fail.
    let head = postcard::to_allocvec(head).unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(PREFIX + head.len() + body.len() + CHECKSUM);
    bytes.put_slice(MAGIC);
    bytes.put_u8(VERSION);
    bytes.put_u32_le(u32::try_from(head.len()).unwrap_or(u32::MAX));
    bytes.put_slice(&head);
    bytes.put_slice(body);
    bytes.put_u32_le(crc32fast::hash(&bytes));
    bytes.freeze()
}

/// Reads what was stored under `key`. The body shares the memory of `bytes`.
pub fn decode(bytes: &Bytes, key: &str) -> Result<Decoded, DecodeError> {
    let Some((magic, [version, ..])) = bytes.split_first_chunk::<3>() else {
        return Err(DecodeError::NotAnEntry);
    };
    if magic != MAGIC {
        return Err(DecodeError::NotAnEntry);
    }
    if !(FIRST..=VERSION).contains(version) {
        return Err(DecodeError::Version);
    }
    let (content, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or(DecodeError::Corrupt)?;
    if crc32fast::hash(content) != u32::from_le_bytes(*checksum) {
        return Err(DecodeError::Corrupt);
    }
    let length = content.get(4..PREFIX).and_then(|raw| raw.try_into().ok()).ok_or(DecodeError::Corrupt)?;
    let head_end = PREFIX.checked_add(u32::from_le_bytes(length) as usize).ok_or(DecodeError::Corrupt)?;
    let raw_head = content.get(PREFIX..head_end).ok_or(DecodeError::Corrupt)?;
    let body = bytes.slice(head_end..content.len());
    match *version {
        FIRST => read::<FirstApart>(raw_head, body, key),
        _ => read::<Apart>(raw_head, body, key),
    }
}

fn read<'a, A: Deserialize<'a> + Into<Apart>>(
    raw_head: &'a [u8],
    body: Bytes,
    key: &str,
) -> Result<Decoded, DecodeError> {
    let head: Head<'a, A> = postcard::from_bytes(raw_head).map_err(|_| DecodeError::Corrupt)?;
    match head {
        Head::Vary(VaryHead { key: stored, sets }) => {
            check_key(stored, key)?;
            let sets = sets.into_iter().map(|set| names(&set)).collect::<Result<_, _>>()?;
            Ok(Decoded::Vary(VaryIndex { key: stored.to_owned(), sets }))
        }
        Head::Entry(head) => {
            check_key(head.key, key)?;
            let (parts, body_at) = parts(head, body)?;
            Ok(match body_at {
                BodyAt::Here => Decoded::Entry(parts),
                BodyAt::Apart(apart) => Decoded::Head(parts, apart.into()),
            })
        }
    }
}

fn check_key(stored: &str, wanted: &str) -> Result<(), DecodeError> {
    if stored == wanted { Ok(()) } else { Err(DecodeError::OtherKey) }
}

fn names(raw: &[&str]) -> Result<Vec<HeaderName>, DecodeError> {
    raw.iter().map(|name| name.parse().map_err(|_| DecodeError::Corrupt)).collect()
}

fn parts<A>(head: EntryHead<'_, A>, body: Bytes) -> Result<(Parts, BodyAt<A>), DecodeError> {
    // A map refuses more than it can hold, which no response has had.
    let mut fields = HeaderMap::try_with_capacity(head.fields.len()).map_err(|_| DecodeError::Corrupt)?;
    for (name, value) in head.fields {
        let name: HeaderName = name.parse().map_err(|_| DecodeError::Corrupt)?;
        let value = HeaderValue::from_bytes(value).map_err(|_| DecodeError::Corrupt)?;
        fields.try_append(name, value).map_err(|_| DecodeError::Corrupt)?;
    }
    let parts = Parts {
        key: head.key.to_owned(),
        status: StatusCode::from_u16(head.status).map_err(|_| DecodeError::Corrupt)?,
        fields,
        body,
        requested: Time(head.requested),
        received: Time(head.received),
        purge_mark: head.purge_mark,
        vary: names(&head.vary)?,
    };
    Ok((parts, head.body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Policy;

    fn entry() -> Entry {
        let mut fields = HeaderMap::new();
        fields.append("cache-control", HeaderValue::from_static("max-age=60"));
        fields.append("x-a", HeaderValue::from_static("1"));
        fields.append("x-a", HeaderValue::from_bytes(b"\xe4").unwrap());
        Entry::new(
            Parts {
                key: "https://a.example/".into(),
                status: StatusCode::OK,
                fields,
                body: Bytes::from_static(b"hello"),
                requested: Time(1_000),
                received: Time(1_200),
                purge_mark: Mark { log: 3, seq: 7 },
                vary: vec![HeaderName::from_static("accept")],
            },
            &Policy::default(),
        )
    }

    #[test]
    fn round_trip() {
        let entry = entry();
        let bytes = encode_entry(&entry, None);
        let Ok(Decoded::Entry(parts)) = decode(&bytes, &entry.key) else { panic!("no entry") };
        assert_eq!((parts.status, &parts.fields, &parts.body), (entry.status, &entry.fields, &entry.body));
        assert_eq!((parts.requested, parts.received, parts.purge_mark.seq), (Time(1_000), Time(1_200), 7));
        assert_eq!(parts.vary, entry.vary);
    }

    #[test]
    fn a_body_apart_must_fit() {
        let entry = entry();
        let apart = encode_body(42, &entry.body, Time(9_000));
        let bytes = encode_entry(&entry, Some(apart));
        let Ok(Decoded::Head(parts, found)) = decode(&bytes, &entry.key) else { panic!("no head") };
        assert!(parts.body.is_empty());
        assert_eq!(found, apart);
        assert!(found.fits(b"hello"));
        assert!(!found.fits(b"hellO"));
        assert_eq!(found.name("ab"), "ab.000000000000002a");
    }

    /// What an edge of version 1 has written is still in the stores.
    #[test]
    fn version_1_is_read() {
        let bytes = |hex: &str| -> Bytes {
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
        };
        let here = "4c5645014b000000001268747470733a2f2f612e6578616d706c652fc801e807b0090307030d63616368652d636f6e74726f6c0a\
                    6d61782d6167653d363003782d61013103782d6101e401066163636570740068656c6c6f98d17c91";
        let apart = "4c56450152000000001268747470733a2f2f612e6578616d706c652fc801e807b0090307030d63616368652d636f6e74726f6c\
                     0a6d61782d6167653d363003782d61013103782d6101e40106616363657074012a0586cdc2b0037823bcac";
        let vary = "4c5645010c00000001016b01010661636365707415d2b19d";
        let entry = entry();
        let Ok(Decoded::Entry(parts)) = decode(&bytes(here), &entry.key) else { panic!("no entry") };
        assert_eq!((parts.status, &parts.fields, &parts.body), (entry.status, &entry.fields, &entry.body));
        assert_eq!(
            (parts.requested, parts.received, parts.purge_mark),
            (Time(1_000), Time(1_200), entry.purge_mark)
        );
        assert_eq!(parts.vary, entry.vary);
        let Ok(Decoded::Head(parts, found)) = decode(&bytes(apart), &entry.key) else { panic!("no head") };
        assert_eq!(parts.fields, entry.fields);
        assert_eq!((found.id, found.until), (42, Time(0)));
        assert!(found.fits(&entry.body));
        let Ok(Decoded::Vary(index)) = decode(&bytes(vary), "k") else { panic!("no index") };
        assert_eq!(index.sets, [[HeaderName::from_static("accept")]]);
    }

    #[test]
    fn a_later_version_is_a_miss() {
        let entry = entry();
        let mut bytes = encode_entry(&entry, None).to_vec();
        bytes[3] = VERSION + 1;
        assert_eq!(decode(&bytes.into(), &entry.key).err(), Some(DecodeError::Version));
    }

    #[test]
    fn another_key_is_a_miss() {
        let entry = entry();
        let bytes = encode_entry(&entry, None);
        assert_eq!(decode(&bytes, "https://b.example/").err(), Some(DecodeError::OtherKey));
    }

    #[test]
    fn the_index_of_variants_round_trips() {
        let index = VaryIndex { key: "k".into(), sets: vec![] }
            .with(&[HeaderName::from_static("accept")])
            .with(&[HeaderName::from_static("origin")]);
        let Ok(Decoded::Vary(read)) = decode(&encode_vary(&index), "k") else { panic!("no index") };
        assert_eq!(read, index);
        assert_eq!(read.sets[0], ["origin"]);
    }

    #[test]
    fn every_truncation_is_refused() {
        let entry = entry();
        let bytes = encode_entry(&entry, None);
        for end in 0..bytes.len() {
            assert!(decode(&bytes.slice(..end), &entry.key).is_err(), "{end}");
        }
    }

    #[test]
    fn more_fields_than_a_map_holds_are_refused() {
        let head = Head::Entry(EntryHead {
            key: "k",
            status: 200,
            requested: 0,
            received: 0,
            purge_mark: Mark { log: 0, seq: 0 },
            fields: vec![("x", &b""[..]); 40_000],
            vary: vec![],
            body: BodyAt::Here,
        });
        assert_eq!(decode(&seal(&head, &[]), "k").err(), Some(DecodeError::Corrupt));
    }

    proptest! {
        #[test]
        fn every_flipped_bit_is_refused(at in 0usize..100, bit in 0u8..8) {
            let entry = entry();
            let mut bytes = encode_entry(&entry, None).to_vec();
            let at = at % bytes.len();
            bytes[at] ^= 1 << bit;
            prop_assert!(decode(&bytes.into(), &entry.key).is_err());
        }

        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for version in [FIRST, VERSION] {
                let mut sealed = b"LVE".to_vec();
                sealed.push(version);
                sealed.extend(&bytes);
                let crc = crc32fast::hash(&sealed);
                sealed.extend(crc.to_le_bytes());
                let _ = decode(&sealed.into(), "k");
            }
            let _ = decode(&bytes.into(), "k");
        }
    }
}
