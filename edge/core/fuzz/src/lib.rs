//! What must hold whatever bytes arrive: one check a module, for the fuzz targets and for `cargo test`, which replays
//! the corpora. A check panics when it does not hold.

pub mod cache_control;
pub mod date;
pub mod decide;
pub mod entry;
pub mod input;
pub mod key;
pub mod range;
pub mod stored;
pub mod target;

/// A check by the name of its target and of its corpus.
pub type Check = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: [Check; 7] = [
    ("cache_control", cache_control::check),
    ("date", date::check),
    ("decide", decide::check),
    ("entry", entry::check),
    ("key", key::check),
    ("range", range::check),
    ("target", target::check),
];
