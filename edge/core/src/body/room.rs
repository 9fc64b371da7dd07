//! How many bytes of bodies one instance holds: what is being captured, what is stored in memory, and what has been evicted
//! while clients still read it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;

/// Bytes beyond the memory tier's budget that bodies may take: those under way, and those that slow clients hold.
const BEYOND: u64 = 24 << 20;

/// Bytes beyond all that for bodies of at most [`SMALL`]: who holds many large ones leaves these to others.
const FOR_SMALL: u64 = 8 << 20;

/// Of the pages and answers of most sites, in bytes.
const SMALL: u64 = 64 << 10;

/// The bytes that bodies take in one instance, and the most that they may.
#[derive(Debug)]
pub struct Room {
    used: AtomicU64,
    most: u64,
}

impl Room {
    /// `budget`: the memory tier's, in bytes.
    pub fn new(budget: u64) -> Arc<Self> {
        Arc::new(Self { used: AtomicU64::new(0), most: budget.saturating_add(BEYOND) })
    }

    /// Bytes in use.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether so many bytes fit.
    pub fn has_room_for(&self, bytes: u64) -> bool {
        self.used().saturating_add(bytes) <= self.most
    }

    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.used() >= self.most
    }

    /// Place for something that will grow.
    pub fn reserve(self: &Arc<Self>) -> Reserved {
        Reserved { room: self.clone(), bytes: 0 }
    }

    /// Counts `body` for as long as anyone has it. What has come this far is counted whether or not it fits.
    pub fn count(self: &Arc<Self>, body: Bytes) -> Bytes {
        if body.is_empty() {
            return body;
        }
        let bytes = body.len() as u64;
        self.used.fetch_add(bytes, Ordering::Relaxed);
        Bytes::from_owner(Counted { body, _reserved: Reserved { room: self.clone(), bytes } })
    }
}

/// Bytes that are counted until this is dropped.
#[derive(Debug)]
pub struct Reserved {
    room: Arc<Room>,
    bytes: u64,
}

impl Reserved {
    /// Takes `more` bytes, if they fit.
    pub fn grow(&mut self, more: u64) -> bool {
        let most = if self.bytes + more <= SMALL { self.room.most + FOR_SMALL } else { self.room.most };
        let fits = |used: u64| used.checked_add(more).filter(|sum| *sum <= most);
        let grown = self.room.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_ok();
        if grown {
            self.bytes += more;
        }
        grown
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.room.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

struct Counted {
    body: Bytes,
    _reserved: Reserved,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_counts_for_as_long_as_anyone_has_it() {
        let room = Room::new(0);
        let body = room.count(Bytes::from_static(b"0123456789"));
        let part = body.slice(2..4);
        assert_eq!(room.used(), 10);
        drop(body);
        assert_eq!((room.used(), &part[..]), (10, &b"23"[..]));
        drop(part);
        assert_eq!(room.used(), 0);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let room = Room::new(100);
        let (mut one, mut two) = (room.reserve(), room.reserve());
        assert!(one.grow(BEYOND) && two.grow(100));
        assert!(!one.grow(1) && room.is_full());
        let mut small = room.reserve();
        assert!(small.grow(SMALL) && !small.grow(1), "small ones still fit");
        drop((two, small));
        assert!(one.grow(100) && !one.grow(1));
        drop(one);
        assert_eq!(room.used(), 0);
    }
}
