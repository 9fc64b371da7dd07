//! Which entries JavaScript holds ready as the parts of a `Response`, and as of which second.

use std::rc::Rc;
use std::sync::{Arc, Weak};

use levee::entry::Entry;
use levee::pipeline::hit::Hit;

/// More views than this are not held.
const MOST: usize = 512;
/// What a view takes beside its body, in bytes: fields, objects, this table.
const OVERHEAD: u64 = 2 << 10;
/// The most bytes that views take, whatever the memory tier may.
const BUDGET: u64 = 8 << 20;

/// The handle of what is used once and not held.
pub(crate) const ONCE: u32 = 0;

/// One entry's answer, whole or as 304.
#[derive(Debug)]
struct View {
    /// By identity. A weak pointer keeps the address from being used again, and nothing else.
    entry: Weak<Entry>,
    not_modified: bool,
    /// What its `Age` says.
    age: u64,
    bytes: u64,
    /// Since the hand came by.
    used: bool,
}

impl View {
    fn is_of(&self, entry: &Arc<Entry>, not_modified: bool) -> bool {
        self.not_modified == not_modified && std::ptr::eq(self.entry.as_ptr(), Arc::as_ptr(entry))
    }
}

/// The views by handle, within a budget: what is not used gives way (a clock).
pub(crate) struct Views {
    all: Vec<Option<View>>,
    bytes: u64,
    hand: usize,
    /// Tells JavaScript to let go of one.
    release: Rc<dyn Fn(u32)>,
}

/// What there is of a hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// Exactly this answer.
    AsItIs(u32),
    /// The same but for its age.
    Older(u32),
    Not,
}

impl Views {
    pub(crate) fn new(release: impl Fn(u32) + 'static) -> Self {
        Self { all: vec![None], bytes: 0, hand: 0, release: Rc::new(release) }
    }

    /// Where a hit is shown. `hint`: a handle that its plan used before.
    pub(crate) fn find(&mut self, hint: u32, hit: &Hit) -> Shown {
        self.find_entry(hint, hit.entry(), hit.not_modified, hit.age)
    }

    fn find_entry(&mut self, hint: u32, entry: &Arc<Entry>, not_modified: bool, age: u64) -> Shown {
        let is_it = |view: &Option<View>| view.as_ref().is_some_and(|view| view.is_of(entry, not_modified));
        let mut at = hint as usize;
        if !self.all.get(at).is_some_and(is_it) {
            // What the plan used is another entry's now, or its entry has been replaced.
            if self.all.get(at).is_some_and(|view| view.as_ref().is_some_and(|v| v.entry.strong_count() == 0))
            {
                self.drop_view(at);
            }
            match self.all.iter().position(is_it) {
                Some(found) => at = found,
                None => return Shown::Not,
            }
        }
        let Some(Some(view)) = self.all.get_mut(at) else { return Shown::Not };
        view.used = true;
        // There are never more than fit.
        let handle = at as u32;
        if view.age == age {
            Shown::AsItIs(handle)
        } else {
            view.age = age;
            Shown::Older(handle)
        }
    }

    /// A handle for a hit that is not shown yet; [`ONCE`] where its body is too large to be held twice. `memory`: the budget of
    /// the memory tier, in bytes.
    pub(crate) fn place(&mut self, hit: &Hit, memory: u64) -> u32 {
        self.place_entry(hit.entry(), hit.not_modified, hit.age, memory)
    }

    fn place_entry(&mut self, entry: &Arc<Entry>, not_modified: bool, age: u64, memory: u64) -> u32 {
        let body = if not_modified { 0 } else { entry.body.len() as u64 };
        let (bytes, budget) = (body + OVERHEAD, BUDGET.min(memory / 4));
        if bytes > budget / 8 {
            return ONCE;
        }
        while self.bytes + bytes > budget {
            self.make_room();
        }
        let free = |all: &[Option<View>]| (1..all.len()).find(|&at| all[at].is_none());
        let at = match free(&self.all) {
            Some(at) => at,
            None if self.all.len() <= MOST => {
                self.all.push(None);
                self.all.len() - 1
            }
            None => self.make_room(),
        };
        self.bytes += bytes;
        self.all[at] = Some(View { entry: Arc::downgrade(entry), not_modified, age, bytes, used: false });
        at as u32
    }

    /// Drops the first view that has not been used since the hand came by last, and returns its place.
    fn make_room(&mut self) -> usize {
        loop {
            self.hand = (self.hand + 1) % self.all.len();
            match self.all.get_mut(self.hand) {
                Some(Some(view)) if view.used && view.entry.strong_count() > 0 => view.used = false,
                Some(Some(_)) => {
                    self.drop_view(self.hand);
                    return self.hand;
                }
                _ => {}
            }
        }
    }

    fn drop_view(&mut self, at: usize) {
        if let Some(view) = self.all.get_mut(at).and_then(Option::take) {
            self.bytes -= view.bytes;
            (self.release)(at as u32);
        }
    }
}

impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Views").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use http::{HeaderMap, StatusCode};
    use levee::Time;
    use levee::config::Policy;
    use levee::entry::Parts;
    use levee::purge::Mark;

    use super::*;

    fn entry(size: usize) -> Arc<Entry> {
        let parts = Parts {
            key: "https://a.example/".into(),
            status: StatusCode::OK,
            fields: HeaderMap::new(),
            body: vec![0; size].into(),
            requested: Time(0),
            received: Time(0),
            purge_mark: Mark { log: 1, seq: 0 },
            vary: vec![],
        };
        Arc::new(Entry::new(parts, &Policy::default()))
    }

    fn views() -> (Views, Rc<RefCell<Vec<u32>>>) {
        let released = Rc::new(RefCell::new(Vec::new()));
        let into = released.clone();
        (Views::new(move |handle| into.borrow_mut().push(handle)), released)
    }

    const MEMORY: u64 = 32 << 20;

    #[test]
    fn a_view_is_found_until_its_second_is_over() {
        let (mut views, _) = views();
        let entry = entry(10);
        assert_eq!(views.find_entry(0, &entry, false, 3), Shown::Not);
        let handle = views.place_entry(&entry, false, 3, MEMORY);
        assert_eq!(views.find_entry(handle, &entry, false, 3), Shown::AsItIs(handle));
        assert_eq!(views.find_entry(99, &entry, false, 4), Shown::Older(handle), "found without the hint");
        assert_eq!(views.find_entry(handle, &entry, false, 4), Shown::AsItIs(handle));
        assert_eq!(views.find_entry(handle, &entry, true, 4), Shown::Not, "304 is another answer");
    }

    #[test]
    fn another_entry_in_the_place_of_one_is_not_it() {
        let (mut views, released) = views();
        let old = entry(10);
        let handle = views.place_entry(&old, false, 3, MEMORY);
        let new = entry(10);
        assert_eq!(views.find_entry(handle, &new, false, 3), Shown::Not);
        assert!(released.borrow().is_empty(), "others may still be answered from the old one");
        drop(old);
        assert_eq!(views.find_entry(handle, &new, false, 3), Shown::Not);
        assert_eq!(*released.borrow(), [handle], "nobody can be any more");
    }

    #[test]
    fn number_and_bytes_are_bounded_and_the_used_ones_stay() {
        let (mut views, released) = views();
        let hot = entry(10);
        let first = views.place_entry(&hot, false, 0, MEMORY);
        let entries: Vec<_> = (0..2 * MOST).map(|_| entry(10)).collect();
        for entry in &entries {
            assert_ne!(views.place_entry(entry, false, 0, MEMORY), ONCE);
            assert_eq!(views.find_entry(first, &hot, false, 0), Shown::AsItIs(first));
        }
        assert_eq!(views.all.iter().flatten().count(), MOST);
        assert_eq!(released.borrow().len(), MOST + 1);
        let entries: Vec<_> = (0..100).map(|_| entry(500 << 10)).collect();
        for entry in &entries {
            views.place_entry(entry, false, 0, MEMORY);
            assert!(views.bytes <= BUDGET, "{}", views.bytes);
        }
        assert_eq!(views.place_entry(&entry(2 << 20), false, 0, MEMORY), ONCE);
        assert_eq!(views.place_entry(&entry(10), false, 0, 1_000), ONCE, "no memory, no views");
    }
}
