//! Collapse across instances: who fills a key has its lease, and the others wait for what the fill brings.
//!
//! A lease is a word under the key's name that expires by itself, so that an instance that dies holds nobody up for long:
//!
//! | word | meaning | what another instance does |
//! |---|---|---|
//! | none | nobody fills | looks into the stores, else takes the lease and fetches |
//! | `fly STARTED TOKEN` | a fill is under way since STARTED | waits; but joins none that began before a purge of the key, and takes it over |
//! | `alone` | what came cannot be shared | goes to the origin by itself, without waiting |
//!
//! The word goes away once the answer is in the stores. A lease only spares requests: whatever goes wrong with it, a request
//! goes to the origin by itself.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::config::Shield;
use crate::edge::Edge;
use crate::key::digest;
use crate::platform::{Lease, LeaseError, Platform};
use crate::shield::marks::HELD;
use crate::shield::pauses::Pauses;
use crate::time::Time;

/// One command may take this long: the origin is asked rather than a lease waited for.
const DEADLINE: Duration = Duration::from_secs(2);
/// No request waits longer for another instance's fill, whatever the origin may take.
const MOST: Duration = Duration::from_secs(30);
/// What a fill takes beside the origin's deadlines: reading the body and writing the store.
const MARGIN: Duration = Duration::from_secs(2);
/// Between two looks, at first and at most, before jitter.
const FIRST_LOOK: Duration = Duration::from_millis(20);
const LAST_LOOK: Duration = Duration::from_millis(250);

/// The word of a fill whose answer cannot be shared.
const ALONE: &str = "alone";
/// Under this key of [`Edge::lost`] it is remembered that the lease cannot be reached.
const UNREACHABLE: &str = "lease";

/// What a request is to do.
pub(crate) enum Turn<P: Platform> {
    /// It fills for all instances.
    Lead(Held<P>),
    /// Nobody fills any more: the stores may hold the answer. Asked again, it leads.
    Look,
    /// It goes to the origin by itself.
    Alone,
}

/// A request's way to the lease of a key.
pub(crate) struct Queue {
    name: String,
    token: String,
    began: Time,
    /// How long a lease is held and waited for.
    holds: Duration,
    pauses: Pauses,
    looked: bool,
}

impl Queue {
    pub(crate) fn new<P: Platform>(edge: &Edge, platform: &P, key: &str) -> Self {
        let began = platform.now();
        let token = format!("fly {} {:016x}", began.0, platform.random());
        Self {
            name: digest(key),
            token,
            began,
            holds: holds(&edge.config.shield),
            pauses: Pauses::new(FIRST_LOOK, LAST_LOOK),
            looked: false,
        }
    }

    /// Waits until there is something to do. `key`: whose lease it is.
    pub(crate) async fn turn<P: Platform>(&mut self, edge: &Edge, platform: &P, key: &str) -> Turn<P> {
        match self.wait(edge, platform, key).await {
            Ok(turn) => turn,
            Err(_) => {
                self.failed(edge, platform);
                Turn::Alone
            }
        }
    }

    async fn wait<P: Platform>(
        &mut self,
        edge: &Edge,
        platform: &P,
        key: &str,
    ) -> Result<Turn<P>, LeaseError> {
        let Some(lease) = platform.lease() else { return Ok(Turn::Alone) };
        loop {
            if edge.lost.holds(UNREACHABLE, platform.now()) {
                return Ok(Turn::Alone);
            }
            if within(&lease, lease.take(&self.name, &self.token, self.holds)).await? {
                return Ok(Turn::Lead(self.held(platform)));
            }
            let Some(word) = within(&lease, lease.read(&self.name)).await? else {
                // It has just ended; once is enough to look.
                if std::mem::replace(&mut self.looked, true) {
                    continue;
                }
                return Ok(Turn::Look);
            };
            let Some(started) = started(&word) else { return Ok(Turn::Alone) };
            if edge.purges.concerns_since(key, started) {
                if within(&lease, lease.replace(&self.name, &word, Some((&self.token, self.holds)))).await? {
                    return Ok(Turn::Lead(self.held(platform)));
                }
                continue;
            }
            if platform.now().since(self.began) >= self.holds {
                return Ok(Turn::Alone);
            }
            self.looked = false;
            lease.sleep(self.pauses.next(platform.random())).await;
        }
    }

    /// Takes the lease if nobody has it, without waiting: for work that need not be done twice. An error is no lease.
    pub(crate) async fn try_lead<P: Platform>(&self, edge: &Edge, platform: &P) -> Tried<P> {
        let Some(lease) = platform.lease() else { return Tried::Alone };
        if edge.lost.holds(UNREACHABLE, platform.now()) {
            return Tried::Alone;
        }
        match within(&lease, lease.take(&self.name, &self.token, self.holds)).await {
            Ok(true) => Tried::Lead(self.held(platform)),
            Ok(false) => Tried::Taken,
            Err(_) => {
                self.failed(edge, platform);
                Tried::Alone
            }
        }
    }

    /// A command whose answer did not come may have been carried out all the same: nobody is to wait for this request then.
    fn failed<P: Platform>(&self, edge: &Edge, platform: &P) {
        edge.counters.lease_failed();
        edge.lost.mark(UNREACHABLE, platform.now());
        drop(self.held(platform));
    }

    fn held<P: Platform>(&self, platform: &P) -> Held<P> {
        Held { platform: Some(platform.clone()), name: self.name.clone(), token: self.token.clone() }
    }
}

/// What came of [`Queue::try_lead`].
pub(crate) enum Tried<P: Platform> {
    Lead(Held<P>),
    /// Another instance is at it.
    Taken,
    /// There is no lease to be had: it is done without.
    Alone,
}

/// The lease, in the hands of who fills. Dropped, it is given up and another may take it.
pub(crate) struct Held<P: Platform> {
    platform: Option<P>,
    name: String,
    token: String,
}

/// What becomes of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The answer is in the stores, or another may try.
    Free,
    /// What came is for nobody else: who waits is let go, and the next do not queue for a moment.
    Alone,
}

impl<P: Platform> Held<P> {
    /// Gives it up, behind the answer.
    pub(crate) fn end(mut self, ended: Ended) {
        self.end_behind(ended);
    }

    /// Gives it up now.
    pub(crate) async fn end_now(mut self, ended: Ended) {
        if let Some(platform) = self.platform.take() {
            give_up(platform, std::mem::take(&mut self.name), std::mem::take(&mut self.token), ended).await;
        }
    }

    fn end_behind(&mut self, ended: Ended) {
        if let Some(platform) = self.platform.take() {
            let (name, token) = (std::mem::take(&mut self.name), std::mem::take(&mut self.token));
            platform.clone().spawn(give_up(platform, name, token, ended));
        }
    }
}

impl<P: Platform> Drop for Held<P> {
    fn drop(&mut self) {
        self.end_behind(Ended::Free);
    }
}

/// Where this fails the lease expires by itself.
async fn give_up<P: Platform>(platform: P, name: String, token: String, ended: Ended) {
    let Some(lease) = platform.lease() else { return };
    let word = match ended {
        Ended::Free => None,
        Ended::Alone => Some((ALONE, HELD)),
    };
    let _ = within(&lease, lease.replace(&name, &token, word)).await;
}

/// As long as a fill may take.
fn holds(shield: &Shield) -> Duration {
    (shield.connect_timeout + shield.first_byte_timeout + MARGIN).min(MOST)
}

/// When the fill began that a word tells of.
fn started(word: &str) -> Option<Time> {
    word.strip_prefix("fly ")?.split(' ').next()?.parse().ok().map(Time)
}

/// A command that does not come back is one that failed.
async fn within<T>(
    lease: &impl Lease,
    command: impl Future<Output = Result<T, LeaseError>>,
) -> Result<T, LeaseError> {
    let mut command = pin!(command);
    let mut deadline = pin!(None);
    poll_fn(|cx| {
        if let Poll::Ready(done) = command.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if deadline.is_none() {
            deadline.set(Some(lease.sleep(DEADLINE)));
        }
        match deadline.as_mut().as_pin_mut() {
            Some(deadline) => deadline.poll(cx).map(|()| Err(LeaseError("no answer in time".to_owned()))),
            None => Poll::Pending,
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_since_when() {
        assert_eq!(started("fly 1700000000000 00000000deadbeef"), Some(Time(1_700_000_000_000)));
        assert_eq!(started(ALONE), None);
        assert_eq!(started("fly soon x"), None);
    }
}
