//! Connections between two exchanges.

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::connection::Connection;
use super::endpoint::Endpoint;

/// As many idle connections to one origin are worth keeping, on one thread.
const MOST: usize = 64;

/// As many to all origins together.
const MOST_IN_ALL: usize = 128;

/// What may be kept: a [`Connection`], and in tests less.
pub(super) trait Kept {
    /// Whether another request may be sent.
    fn is_quiet(&self) -> bool;

    fn is_closed(&self) -> bool;
}

impl Kept for Connection {
    fn is_quiet(&self) -> bool {
        Self::is_quiet(self)
    }

    fn is_closed(&self) -> bool {
        Self::is_closed(self)
    }
}

#[derive(Debug)]
pub(super) struct Idle<C = Connection> {
    keep: Duration,
    /// The one used last is at the end and is used next, so that the others age and go. None is empty.
    connections: RefCell<HashMap<Endpoint, Vec<Resting<C>>>>,
}

#[derive(Debug)]
struct Resting<C> {
    connection: C,
    since: Instant,
    until: Instant,
}

impl<C: Kept> Idle<C> {
    pub(super) fn new(keep: Duration) -> Self {
        Self { keep, connections: RefCell::default() }
    }

    pub(super) fn keep(&self) -> Duration {
        self.keep
    }

    /// A connection that the origin has not closed, as far as is known.
    pub(super) fn take(&self, endpoint: &Endpoint) -> Option<C> {
        let mut connections = self.connections.borrow_mut();
        let resting = connections.get_mut(endpoint)?;
        let now = Instant::now();
        let mut usable = std::iter::from_fn(|| resting.pop())
            .filter(|resting| now < resting.until && resting.connection.is_quiet());
        let taken = usable.next().map(|resting| resting.connection);
        if resting.is_empty() {
            connections.remove(endpoint);
        }
        taken
    }

    /// Keeps a connection, at most as long as the origin says that it does.
    pub(super) fn put(&self, endpoint: Endpoint, connection: C, most: Option<Duration>) {
        let now = Instant::now();
        let until = now + most.map_or(self.keep, |most| most.min(self.keep));
        let mut connections = self.connections.borrow_mut();
        if connections.values().map(Vec::len).sum::<usize>() == MOST_IN_ALL {
            let oldest =
                connections.iter().min_by_key(|(_, resting)| resting.first().map(|first| first.since));
            if let Some(endpoint) = oldest.map(|(endpoint, _)| endpoint.clone()) {
                drop_first(&mut connections, &endpoint);
            }
        }
        if connections.get(&endpoint).is_some_and(|resting| resting.len() == MOST) {
            drop_first(&mut connections, &endpoint);
        }
        connections.entry(endpoint).or_default().push(Resting { connection, since: now, until });
    }

    #[cfg(test)]
    pub(super) fn size(&self) -> usize {
        self.connections.borrow().values().map(Vec::len).sum()
    }

    pub(super) fn sweep(&self) {
        let now = Instant::now();
        self.connections.borrow_mut().retain(|_, resting| {
            resting.retain(|resting| now < resting.until && !resting.connection.is_closed());
            !resting.is_empty()
        });
    }
}

fn drop_first<C>(connections: &mut HashMap<Endpoint, Vec<Resting<C>>>, endpoint: &Endpoint) {
    if let Some(resting) = connections.get_mut(endpoint) {
        resting.remove(0);
        if resting.is_empty() {
            connections.remove(endpoint);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

    #[derive(Clone, Debug, Default)]
    struct Fake {
        name: usize,
        noisy: Rc<Cell<bool>>,
    }

    impl Kept for Fake {
        fn is_quiet(&self) -> bool {
            !self.noisy.get()
        }

        fn is_closed(&self) -> bool {
            false
        }
    }

    fn fake(name: usize) -> Fake {
        Fake { name, ..Fake::default() }
    }

    fn endpoint(number: usize) -> Endpoint {
        Endpoint::of(&format!("http://{number}.example/").parse().unwrap()).unwrap()
    }

    const KEEP: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn none_is_used_longer_than_either_side_keeps_it() {
        let idle = Idle::new(KEEP);
        let to = endpoint(0);
        for (most, kept) in [(None, 30_u64), (Some(4), 4), (Some(90), 30), (Some(0), 0)] {
            for (after, is_there) in [(0, kept > 0), (kept, false), (kept.saturating_sub(1), kept > 0)] {
                idle.put(to.clone(), fake(1), most.map(Duration::from_secs));
                tokio::time::advance(Duration::from_secs(after)).await;
                assert_eq!(idle.take(&to).is_some(), is_there, "{most:?} after {after} s");
            }
        }
        assert_eq!(idle.size(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_must_go_early_takes_no_other_with_it() {
        let idle = Idle::new(KEEP);
        let to = endpoint(0);
        idle.put(to.clone(), fake(1), None);
        idle.put(to.clone(), fake(2), Some(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(idle.take(&to).unwrap().name, 1);
        idle.put(to.clone(), fake(3), Some(Duration::from_secs(1)));
        tokio::time::advance(Duration::from_secs(2)).await;
        idle.sweep();
        assert!(idle.connections.borrow().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_has_said_something_unasked_is_not_used() {
        let idle = Idle::new(KEEP);
        let to = endpoint(0);
        let spoiled = fake(2);
        idle.put(to.clone(), fake(1), None);
        idle.put(to.clone(), spoiled.clone(), None);
        spoiled.noisy.set(true);
        assert_eq!(idle.take(&to).unwrap().name, 1);
        assert!(idle.connections.borrow().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn few_are_kept_for_one_and_for_all() {
        let idle = Idle::new(KEEP);
        for name in 0..2 * MOST {
            idle.put(endpoint(0), fake(name), None);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert_eq!(idle.size(), MOST);
        for number in 1..2 * MOST_IN_ALL {
            idle.put(endpoint(number), fake(number), None);
            tokio::time::advance(Duration::from_millis(1)).await;
            assert!(idle.size() <= MOST_IN_ALL);
        }
        // The oldest went first.
        assert!(idle.take(&endpoint(0)).is_none());
        assert!(idle.take(&endpoint(MOST_IN_ALL)).is_some());
    }
}
