//! Flights within one process: the first request of a key leads and fetches, the others wait for what it brings.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foldhash::SharedSeed;
use foldhash::fast::SeedableRandomState;
use http::{HeaderMap, StatusCode};

use crate::entry::Entry;
use crate::hash::KeyHasher;
use crate::origin::OriginError;
use crate::time::Time;

/// The fills that are under way, by the hash of their keys.
pub struct Flights {
    hasher: KeyHasher,
    open: Mutex<HashMap<u128, Arc<Flight>, SeedableRandomState>>,
}

/// The part a request plays.
#[derive(Debug)]
pub enum Entered {
    /// It fetches, and owes the others a [`Landing`].
    Lead(Obligation),
    /// It waits.
    Wait(Waiting),
}

/// What a flight came to.
#[derive(Clone, Debug)]
pub enum Landing {
    /// An entry was stored or freshened.
    Filled(Arc<Entry>),
    /// Nothing that could be shared: whoever waited goes to the origin by itself.
    Unshareable,
    /// The origin failed: whoever waited with the same fields has its answer too.
    Failed {
        failure: Failure,
        /// What the origin was sent.
        asked: Arc<HeaderMap>,
    },
    /// The leader gave up: one of those who waited leads next.
    Abandoned,
}

/// How an origin failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It did not answer.
    Origin(OriginError),
    /// It answered with a server error.
    Status(StatusCode),
}

/// A flight this old is taken for lost: a platform may cancel a request without running what it left behind.
const LEASE: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Flight {
    started: Time,
    purged: u64,
    state: Mutex<State>,
}

impl Flight {
    fn is_joined(&self, now: Time, purged: u64) -> bool {
        now.since(self.started) < LEASE && self.purged >= purged
    }
}

#[derive(Debug, Default)]
struct State {
    landing: Option<Landing>,
    wakers: Vec<Option<Waker>>,
    /// Places that were left.
    free: Vec<usize>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flights {
    pub fn new(seed: u64) -> Self {
        let hasher = SeedableRandomState::with_seed(seed, SharedSeed::global_fixed());
        Self { hasher: KeyHasher::new(seed), open: Mutex::new(HashMap::with_hasher(hasher)) }
    }

    /// Leads a new flight of `key`, or waits for the one under way. `purged`: the number of the last purge that concerns
    /// the key ([`crate::purge::Purges::last_for`]); a flight that began before it is not joined.
    pub fn enter(self: &Arc<Self>, key: &str, now: Time, purged: u64) -> Entered {
        let id = self.hasher.hash(key);
        let mut open = lock(&self.open);
        if let Some(flight) = open.get(&id)
            && flight.is_joined(now, purged)
        {
            return Entered::Wait(Waiting { flight: flight.clone(), place: None });
        }
        let flight = Arc::new(Flight { started: now, purged, state: Mutex::default() });
        open.insert(id, flight.clone());
        Entered::Lead(Obligation { flights: self.clone(), id, flight: Some(flight) })
    }

    /// Whether a flight of `key` is under way that [`Flights::enter`] would join.
    pub fn is_open(&self, key: &str, now: Time, purged: u64) -> bool {
        lock(&self.open).get(&self.hasher.hash(key)).is_some_and(|flight| flight.is_joined(now, purged))
    }

    /// Leads, or nothing where a flight is under way: for work that need not be done twice and that no one waits for.
    pub fn try_lead(self: &Arc<Self>, key: &str, now: Time, purged: u64) -> Option<Obligation> {
        match self.enter(key, now, purged) {
            Entered::Lead(obligation) => Some(obligation),
            Entered::Wait(_) => None,
        }
    }

    /// Takes a flight of `key` that began no later than `since` for lost: the next request leads anew, and whoever leads it
    /// still lands with those who wait already.
    pub fn lose(&self, key: &str, since: Time) {
        let (id, mut open) = (self.hasher.hash(key), lock(&self.open));
        if open.get(&id).is_some_and(|flight| flight.started <= since) {
            open.remove(&id);
        }
    }

    /// Flights under way.
    pub fn len(&self) -> usize {
        lock(&self.open).len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl std::fmt::Debug for Flights {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flights").field("open", &self.len()).finish()
    }
}

/// The leader's debt: exactly one landing. Dropping it abandons the flight, so that no one waits for a leader that died.
#[derive(Debug)]
#[must_use = "dropping the obligation abandons the flight"]
pub struct Obligation {
    flights: Arc<Flights>,
    id: u128,
    flight: Option<Arc<Flight>>,
}

impl Obligation {
    /// An entry is in the memory tier.
    pub fn filled(mut self, entry: Arc<Entry>) {
        self.land(Landing::Filled(entry));
    }

    /// The answer cannot be shared.
    pub fn unshareable(mut self) {
        self.land(Landing::Unshareable);
    }

    /// The origin failed. `asked`: the fields that it was sent.
    pub fn failed(mut self, failure: Failure, asked: Arc<HeaderMap>) {
        self.land(Landing::Failed { failure, asked });
    }

    fn land(&mut self, landing: Landing) {
        let Some(flight) = self.flight.take() else { return };
        // Closed before anyone is woken: a request that comes now looks into the memory tier, or leads anew.
        {
            let mut open = lock(&self.flights.open);
            if open.get(&self.id).is_some_and(|current| Arc::ptr_eq(current, &flight)) {
                open.remove(&self.id);
            }
        }
        let wakers = {
            let mut state = lock(&flight.state);
            state.landing = Some(landing);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().flatten().for_each(Waker::wake);
    }
}

impl Drop for Obligation {
    fn drop(&mut self) {
        self.land(Landing::Abandoned);
    }
}

/// Resolves when the flight has landed.
#[derive(Debug)]
pub struct Waiting {
    flight: Arc<Flight>,
    place: Option<usize>,
}

impl Future for Waiting {
    type Output = Landing;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Landing> {
        let this = self.get_mut();
        let mut state = lock(&this.flight.state);
        if let Some(landing) = &state.landing {
            return Poll::Ready(landing.clone());
        }
        let waker = Some(cx.waker().clone());
        match this.place {
            Some(place) => state.wakers[place] = waker,
            None => match state.free.pop() {
                Some(place) => {
                    state.wakers[place] = waker;
                    this.place = Some(place);
                }
                None => {
                    this.place = Some(state.wakers.len());
                    state.wakers.push(waker);
                }
            },
        }
        Poll::Pending
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(place) = self.place else { return };
        let mut state = lock(&self.flight.state);
        // Once it has landed there are no places any more.
        if let Some(slot) = state.wakers.get_mut(place) {
            *slot = None;
            state.free.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Policy;
    use crate::entry::Parts;
    use crate::testing::block_on;

    fn entry() -> Arc<Entry> {
        let parts = Parts {
            key: "a".into(),
            status: StatusCode::OK,
            fields: HeaderMap::new(),
            body: bytes::Bytes::new(),
            requested: Time(0),
            received: Time(0),
            purge_mark: crate::purge::Mark { log: 0, seq: 0 },
            vary: vec![],
        };
        Arc::new(Entry::new(parts, &Policy::default()))
    }

    fn flights() -> Arc<Flights> {
        Arc::new(Flights::new(1))
    }

    #[test]
    fn one_leads_and_the_others_get_what_it_brings() {
        let flights = flights();
        let Entered::Lead(obligation) = flights.enter("a", Time(0), 0) else { panic!("must lead") };
        let Entered::Wait(waiting) = flights.enter("a", Time(0), 0) else { panic!("must wait") };
        assert!(matches!(flights.enter("b", Time(0), 0), Entered::Lead(_)));
        obligation.filled(entry());
        assert!(matches!(block_on(waiting), Landing::Filled(_)));
        assert!(matches!(flights.enter("a", Time(0), 0), Entered::Lead(_)));
    }

    #[test]
    fn a_request_after_a_purge_joins_no_older_flight() {
        let flights = flights();
        let older = flights.enter("a", Time(0), 0);
        assert!(matches!(flights.enter("a", Time(1), 1), Entered::Lead(_)));
        drop(older);
    }

    #[test]
    fn a_flight_that_is_lost_is_led_anew() {
        let flights = flights();
        let lost = flights.enter("a", Time(0), 0);
        assert!(matches!(flights.enter("a", Time(59_999), 0), Entered::Wait(_)));
        let Entered::Lead(second) = flights.enter("a", Time(60_000), 0) else { panic!("must lead") };
        drop(lost);
        assert!(
            matches!(flights.enter("a", Time(60_000), 0), Entered::Wait(_)),
            "the old one must not close the new one"
        );
        drop(second);
    }

    #[test]
    fn a_flight_that_was_given_up_is_led_anew_and_lands_all_the_same() {
        let flights = flights();
        let Entered::Lead(slow) = flights.enter("a", Time(5), 0) else { panic!("must lead") };
        let Entered::Wait(waiting) = flights.enter("a", Time(6), 0) else { panic!("must wait") };
        flights.lose("a", Time(4));
        assert!(matches!(flights.enter("a", Time(7), 0), Entered::Wait(_)), "it began later");
        flights.lose("a", Time(6));
        let second = flights.enter("a", Time(8), 0);
        assert!(matches!(second, Entered::Lead(_)));
        slow.unshareable();
        assert!(matches!(block_on(waiting), Landing::Unshareable));
        assert!(matches!(flights.enter("a", Time(8), 0), Entered::Wait(_)), "the second is still under way");
    }

    #[test]
    fn a_leader_that_dies_leaves_no_one_waiting() {
        let flights = flights();
        let obligation = flights.enter("a", Time(0), 0);
        let Entered::Wait(waiting) = flights.enter("a", Time(0), 0) else { panic!("must wait") };
        drop(obligation);
        assert!(matches!(block_on(waiting), Landing::Abandoned));
        assert!(flights.is_empty());
    }
}
