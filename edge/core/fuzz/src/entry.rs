//! The stored form of entries.

use bytes::Bytes;
use http::StatusCode;
use levee::Time;
use levee::config::Policy;
use levee::entry::{Decoded, Entry, Parts, VaryIndex, decode, encode_body, encode_entry, encode_vary};
use levee::fields::vary::Vary;
use levee::purge::Mark;

use super::input::Input;

/// The key under which raw forms are read.
pub const KEY: &str = "k";

/// The first byte says how to read the rest: as a stored value, as one whose frame is right, or as an entry to store.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    match input.byte() % 3 {
        0 => read(&Bytes::copy_from_slice(input.rest())),
        1 => read(&framed(&mut input)),
        _ => round_trip(&mut input),
    }
}

/// A head and a body with the right magic, lengths and checksum, so that what lies behind those checks is reached.
fn framed(input: &mut Input<'_>) -> Bytes {
    let first = input.short();
    let content = input.rest();
    let head = usize::from(first & 0x7fff).min(content.len());
    let mut bytes = b"LVE".to_vec();
    // Each version that is read.
    bytes.push(1 + u8::from(first > 0x7fff));
    bytes.extend(u32::try_from(head).expect("sixteen bits").to_le_bytes());
    bytes.extend(content);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes.into()
}

fn read(bytes: &Bytes) {
    let (parts, apart) = match decode(bytes, KEY) {
        Err(_) => return,
        Ok(Decoded::Vary(index)) => {
            assert_eq!(index.key, KEY);
            same_index(&index);
            return;
        }
        Ok(Decoded::Entry(parts)) => (parts, None),
        Ok(Decoded::Head(parts, apart)) => (parts, Some(apart)),
    };
    assert_eq!(parts.key, KEY);
    let entry = Entry::new(parts, &Policy::default());
    let _ = (entry.age(Time(u64::MAX)), entry.useful_for(Time(0)), entry.weight());
    match (decode(&encode_entry(&entry, apart), KEY), apart) {
        (Ok(Decoded::Entry(again)), None) => same(&again, &entry),
        (Ok(Decoded::Head(again, found)), Some(apart)) => {
            assert_eq!(found, apart);
            same(&Parts { body: entry.body.clone(), ..again }, &entry);
        }
        (other, _) => panic!("it changes its kind: {other:?}"),
    }
}

fn same(parts: &Parts, entry: &Entry) {
    assert_eq!((&parts.key, parts.status, &parts.body), (&entry.key, entry.status, &entry.body));
    assert_eq!(parts.fields, entry.fields);
    assert_eq!((parts.requested, parts.received), (entry.requested, entry.received));
    assert_eq!((parts.purge_mark, &parts.vary), (entry.purge_mark, &entry.vary));
}

fn same_index(index: &VaryIndex) {
    match decode(&encode_vary(index), &index.key) {
        Ok(Decoded::Vary(again)) => assert_eq!(&again, index),
        other => panic!("an index becomes {other:?}"),
    }
}

fn round_trip(input: &mut Input<'_>) {
    let times = [input.short(), input.short(), input.short()].map(u64::from);
    let status = StatusCode::from_u16(input.short() % 900 + 100).expect("three digits");
    let key = input.text();
    let fields = input.fields();
    let vary = match Vary::read(&fields) {
        Vary::Any => vec![],
        Vary::On(names) => names,
    };
    let parts = Parts {
        key: key.clone(),
        status,
        fields,
        body: Bytes::copy_from_slice(input.rest()),
        requested: Time(times[0] << 28),
        received: Time(times[1] << 28),
        purge_mark: Mark { log: times[1], seq: times[2] },
        vary: vary.clone(),
    };
    let entry = Entry::new(parts, &Policy::default());
    let bytes = encode_entry(&entry, None);
    match decode(&bytes, &key) {
        Ok(Decoded::Entry(again)) => same(&again, &entry),
        other => panic!("an entry becomes {other:?}"),
    }
    assert!(decode(&bytes, &format!("{key}!")).is_err(), "another key's entry is used");
    let cut = bytes.slice(..usize::try_from(times[0]).unwrap_or(0).min(bytes.len() - 1));
    assert!(decode(&cut, &key).is_err(), "a truncated entry is used");
    let apart = encode_body(times[1], &entry.body, Time(times[2]));
    assert!(apart.fits(&entry.body));
    match decode(&encode_entry(&entry, Some(apart)), &key) {
        Ok(Decoded::Head(again, found)) => {
            assert_eq!(found, apart);
            same(&Parts { body: entry.body.clone(), ..again }, &entry);
        }
        other => panic!("a head becomes {other:?}"),
    }
    same_index(&VaryIndex { key, sets: vec![] }.with(&vary));
}
