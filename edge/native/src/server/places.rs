//! The places that connections of clients have: how many there are, and who must go when there is no room.
//!
//! Two things are bounded for all threads together: connections, and the bytes that clients make the server hold by not reading
//! and not finishing. Where a bound is met, somebody who uses nothing gives way: of the connections the one without a request for
//! the longest time, of those that hold bytes the one that holds most for longest.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use levee::Time;
use slab::Slab;

mod slot;

use slot::Leaves;
pub(super) use slot::{Busy, Held, Slot};

/// Enough for any test of one connection.
#[cfg(test)]
pub(super) const HELD: usize = 24 << 20;

/// Clients that are looked for at once, so that a flood does not cost a search each: one in so many.
const BATCH: usize = 64;

/// So many connections may keep ready what the next request needs, 15 KB each.
const CROWD: usize = 512;

/// What a timer may be late by.
const SLACK: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Places {
    most: usize,
    most_held: usize,
    /// How many connections there are.
    open: AtomicUsize,
    held: AtomicUsize,
    /// Of it, by connections that were told to go because of it.
    ending: AtomicUsize,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    slots: Slab<Arc<Slot>>,
    /// Those that were told to go and have not gone yet.
    leaving: usize,
    /// Who goes next, with since when they have been idle.
    next: VecDeque<(usize, Time)>,
}

/// A connection's place, given back when dropped.
#[derive(Debug)]
pub(super) struct Place {
    slot: Arc<Slot>,
    key: usize,
}

impl Places {
    /// Room for `most` connections that hold at most `most_held` bytes together.
    pub(super) fn new(most: usize, most_held: usize) -> Arc<Self> {
        let (open, held, ending) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { most, most_held, open, held, ending, inner: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a further connection, if need be of one that is idle. `None`: none is.
    pub(super) fn enter(self: &Arc<Self>, now: Time) -> Option<Place> {
        let mut inner = self.lock();
        // Those that are told to go are counted no more, as long as they do go.
        let is_full = inner.slots.len() - inner.leaving >= self.most;
        if inner.slots.len() >= self.most + BATCH || is_full && !inner.dismiss() {
            return None;
        }
        let slot = Arc::new(Slot::new(self.clone(), now));
        let key = inner.slots.insert(slot.clone());
        self.open.store(inner.slots.len(), Ordering::Relaxed);
        Some(Place { slot, key })
    }

    /// Tells the connection that has been idle for longest to go. Whether there is one.
    pub(super) fn dismiss(&self) -> bool {
        self.lock().dismiss()
    }

    /// Lets the connections doze that have been idle for `time` and not for twice as long: to be called each `time`.
    pub(super) fn let_doze(&self, now: Time, time: Duration) {
        let inner = self.lock();
        for (_, slot) in &inner.slots {
            let idle = slot.idle_since().map(|since| now.since(since));
            if idle.is_some_and(|idle| (time..2 * time + SLACK).contains(&idle)) {
                slot.doze();
            }
        }
    }

    /// Whether there are so many connections that what each keeps ready adds up.
    fn is_crowded(&self) -> bool {
        self.open.load(Ordering::Relaxed) > CROWD
    }

    /// The client of `slot` makes the server hold `after` bytes where it was `before`.
    fn hold(&self, slot: &Slot, before: usize, after: usize) {
        let now = crate::platform::now();
        if !slot.hold(|held| (held + after).saturating_sub(before), now) {
            return;
        }
        if after <= before {
            self.held.fetch_sub(before - after, Ordering::Relaxed);
            return;
        }
        self.held.fetch_add(after - before, Ordering::Relaxed);
        if self.staying() > self.most_held {
            self.shed(now);
        }
    }

    fn is_over(&self) -> bool {
        self.held.load(Ordering::Relaxed) > self.most_held
    }

    /// What will be held when those have gone that were told to.
    fn staying(&self) -> usize {
        self.held.load(Ordering::Relaxed).saturating_sub(self.ending.load(Ordering::Relaxed))
    }

    /// Ends the connections that hold most for longest, until the rest fits.
    #[cold]
    fn shed(&self, now: Time) {
        let inner = &mut *self.lock();
        while self.staying() > self.most_held {
            let slots = inner.slots.iter().map(|(_, slot)| slot);
            let Some(slot) = slots.max_by_key(|slot| slot.weight(now)).filter(|slot| slot.weight(now) > 0)
            else {
                return;
            };
            self.ending.fetch_add(slot.end(), Ordering::Relaxed);
            inner.leaving += usize::from(slot.leave(Leaves::Now));
        }
    }
}

impl Inner {
    fn dismiss(&mut self) -> bool {
        loop {
            let Some((key, since)) = self.next.pop_front() else {
                self.search();
                if self.next.is_empty() {
                    return false;
                }
                continue;
            };
            let Some(slot) = self.slots.get(key) else { continue };
            if slot.idle_since() == Some(since) && slot.leave(Leaves::IfIdle) {
                self.leaving += 1;
                return true;
            }
        }
    }

    /// Finds those that have been idle for longest.
    fn search(&mut self) {
        let idle = self.slots.iter().filter_map(|(key, slot)| Some((slot.idle_since()?, key)));
        let mut idle: Vec<(Time, usize)> = idle.collect();
        let batch = 1 + idle.len() / BATCH;
        if batch < idle.len() {
            idle.select_nth_unstable(batch);
            idle.truncate(batch);
        }
        idle.sort_unstable();
        self.next.extend(idle.into_iter().map(|(since, key)| (key, since)));
    }
}

impl Place {
    pub(super) fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let places = &self.slot.places;
        let mut inner = places.lock();
        // Under the lock: nobody else ends it now.
        let has_ended = self.slot.has_ended();
        let held = self.slot.end();
        places.held.fetch_sub(held, Ordering::Relaxed);
        if has_ended {
            places.ending.fetch_sub(held, Ordering::Relaxed);
        }
        inner.slots.remove(self.key);
        places.open.store(inner.slots.len(), Ordering::Relaxed);
        if self.slot.told().is_some() {
            inner.leaving -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::Context;

    use super::*;

    fn at(millis: u64) -> Time {
        Time(millis)
    }

    #[test]
    fn who_has_been_idle_for_longest_gives_way() {
        let places = Places::new(3, HELD);
        let first = places.enter(at(1)).unwrap();
        let busy = places.enter(at(2)).unwrap();
        let last = places.enter(at(3)).unwrap();
        let _busy = busy.slot().busy();
        first.slot().touch(at(9));
        let fourth = places.enter(at(10)).unwrap();
        assert!(!first.slot().must_go() && !busy.slot().must_go() && last.slot().must_go());
        drop(last);
        assert_eq!(places.open.load(Ordering::Relaxed), 3);
        let _fifth = places.enter(at(11)).unwrap();
        assert!(first.slot().must_go() && !fourth.slot().must_go());
    }

    #[test]
    fn where_nobody_is_idle_nobody_enters() {
        let places = Places::new(2, HELD);
        let two = [places.enter(at(1)).unwrap(), places.enter(at(2)).unwrap()];
        let mut busy: Vec<_> = two.iter().map(|place| place.slot().busy()).collect();
        assert!(places.enter(at(3)).is_none());
        busy.pop();
        // One that is told to go counts no more, though it may be there for a moment.
        let third = places.enter(at(4)).unwrap();
        let _third = third.slot().busy();
        assert!(places.enter(at(5)).is_none());
    }

    #[test]
    fn who_has_become_busy_stays() {
        let places = Places::new(1, HELD);
        let first = places.enter(at(1)).unwrap();
        let second = places.enter(at(2)).unwrap();
        let _request = first.slot().busy();
        assert!(!first.slot().must_go());
        let _request = second.slot().busy();
        assert!(places.enter(at(3)).is_none());
        drop((first, second));
        assert_eq!((places.open.load(Ordering::Relaxed), places.lock().leaving), (0, 0));
    }

    #[test]
    fn who_holds_most_for_longest_gives_way() {
        let places = Places::new(9, 1_000);
        let three: Vec<_> = (0..3).map(|_| places.enter(at(1)).unwrap()).collect();
        let mut held: Vec<_> = three.iter().map(|place| place.slot().held()).collect();
        held[0].set(200);
        held[1].set(600);
        // In the same millisecond, or a few later: what counts is the size.
        held[2].set(150);
        assert!(three.iter().all(|place| !place.slot().must_go()));
        held[2].set(300);
        assert_eq!(
            three.iter().map(|place| place.slot().must_go()).collect::<Vec<_>>(),
            [false, true, false]
        );
        // Until it has gone, others wait; whatever it does meanwhile changes nothing.
        held[1].set(5_000);
        assert_eq!((places.staying(), places.is_over()), (500, true));
        drop(three);
        assert!(!places.is_over());
        drop(held);
        let left = places.held.load(Ordering::Relaxed) + places.ending.load(Ordering::Relaxed);
        assert_eq!((left, places.lock().leaving), (0, 0));
    }

    #[test]
    fn whoever_is_told_to_go_is_woken() {
        let places = Places::new(1, HELD);
        let first = places.enter(at(1)).unwrap();
        let (waker, woken) = counting_waker();
        assert!(!first.slot().poll_told(&Context::from_waker(&waker), true));
        let _second = places.enter(at(2)).unwrap();
        assert!(woken.load(Ordering::Relaxed) > 0);
        assert!(first.slot().poll_told(&Context::from_waker(&waker), false));
    }

    fn counting_waker() -> (std::task::Waker, Arc<AtomicUsize>) {
        struct Count(Arc<AtomicUsize>);
        impl std::task::Wake for Count {
            fn wake(self: Arc<Self>) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let woken = Arc::new(AtomicUsize::new(0));
        (Arc::new(Count(woken.clone())).into(), woken)
    }
}
