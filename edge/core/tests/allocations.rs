//! A decision on a memory hit allocates nothing. Counted by an allocator of this test's own, so that no timing is asked.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Arc;

use levee::classes::{AcceptClass, Facts, Moved, Particulars};
use levee::decide::{Decision, Serve};

#[allow(unreachable_pub, dead_code, reason = "shared with the benches")]
#[path = "../benches/fixture/mod.rs"]
mod fixture;

/// The system's allocator, counting what each thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn count() {
    // A thread that is ending has no counter any more; nothing is measured then.
    let _ = ALLOCATIONS.try_with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator as it came; counting touches no memory of its.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: as above.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations<T>(work: impl FnOnce() -> T) -> (u64, T) {
    let before = ALLOCATIONS.get();
    let done = work();
    (ALLOCATIONS.get() - before, done)
}

#[test]
fn the_counter_counts() {
    let (counted, _) = allocations(|| vec![1, 2, 3]);
    assert_eq!(counted, 1);
}

#[test]
fn a_decision_on_a_memory_hit_allocates_nothing() {
    let (request, entry, policy) = (fixture::request(), Arc::new(fixture::entry()), fixture::policy());
    let (counted, decision) = allocations(|| fixture::decision(&request, &entry, &policy));
    assert!(matches!(decision, Decision::Serve { serve: Serve::Fresh, .. }));
    assert_eq!(counted, 0);
}

#[test]
fn the_classes_of_a_browsers_fields_allocate_nothing() {
    let request = fixture::browser();
    let (counted, particulars) = allocations(|| Particulars::of(&request, &Moved::default(), |_| false));
    assert!(particulars.is_ok_and(|particulars| particulars.is_empty()));
    assert_eq!(counted, 0);
    let (counted, facts) = allocations(|| Facts::of(&request));
    assert_eq!((facts.accept, facts.language), (AcceptClass::Html, Some("de-CH")));
    assert_eq!(counted, 0);
}
