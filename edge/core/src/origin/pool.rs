//! Which origins may answer, in which order, and how many requests are under way to each.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::permits::{Permit, Permits, Refused};
use crate::config::{Config, Policy};
use crate::platform::FetchError;
use crate::time::Time;

/// How long an origin that failed is asked only when no other can be, by requests that may be sent again.
const PAUSE: Duration = Duration::from_secs(2);
/// The same for requests that may not: others find out first whether it is back.
const CAUTION: Duration = Duration::from_secs(30);

/// The origins of a route in the order in which they are tried: those that are not backups by weighted chance, then the
/// backups in the order of the file, then those that are ill.
pub(super) fn order(
    config: &Config,
    policy: &Policy,
    random: u64,
    is_ill: impl Fn(usize) -> bool,
) -> Vec<usize> {
    let all = 0..config.origins.len();
    let named: Vec<usize> = if policy.origins.is_empty() {
        all.collect()
    } else {
        let named = policy.origins.iter().map(|&index| usize::from(index));
        named.filter(|index| all.contains(index)).collect()
    };
    let (ill, well): (Vec<usize>, Vec<usize>) = named.into_iter().partition(|&index| is_ill(index));
    let mut order = by_weight(config, &well, random);
    order.extend(by_weight(config, &ill, random));
    order
}

fn by_weight(config: &Config, of: &[usize], random: u64) -> Vec<usize> {
    let (mut backups, mut regular): (Vec<usize>, Vec<usize>) =
        of.iter().partition(|&&index| config.origins[index].backup);
    let mut order = Vec::with_capacity(of.len());
    let mut random = random;
    while !regular.is_empty() {
        let weight = |index: &usize| u64::from(config.origins[*index].weight);
        let total: u64 = regular.iter().map(weight).sum();
        let mut at = 0;
        if total > 0 {
            let mut left = random % total;
            // A new draw from the same bits is good enough for the rare second try.
            random = random.rotate_right(17);
            at = regular
                .iter()
                .position(|index| {
                    let weight = weight(index);
                    let here = left < weight;
                    left = left.saturating_sub(weight);
                    here
                })
                .unwrap_or(0);
        }
        order.push(regular.remove(at));
    }
    order.append(&mut backups);
    order
}

/// What one instance knows of its origins.
#[derive(Debug)]
pub(crate) struct Origins {
    permits: Vec<Permits>,
    /// When each last failed, in milliseconds since the epoch; zero once it has answered again.
    failed: Vec<AtomicU64>,
}

impl Origins {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            permits: config.origins.iter().map(|_| Permits::default()).collect(),
            failed: config.origins.iter().map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Whether an origin gave no answer when it was last asked, and that is not long ago. Long is longer for a request
    /// that may not be sent again.
    pub(crate) fn is_ill(&self, index: usize, repeatable: bool, now: Time) -> bool {
        let failed = self.failed[index].load(Ordering::Relaxed);
        failed != 0 && now.since(Time(failed)) < if repeatable { PAUSE } else { CAUTION }
    }

    /// Remembers whether an origin answered, whatever the answer's status. What says nothing about its health changes nothing;
    /// so does the failure of a request that may not be repeated, once it was sent: one client's lost request moves no
    /// other's.
    pub(crate) fn asked<T>(&self, index: usize, answer: &Result<T, FetchError>, repeatable: bool, now: Time) {
        let failed = match answer {
            Ok(_) => 0,
            Err(error) if error.is_ill_health() && (repeatable || error.is_unsent()) => now.0.max(1),
            Err(_) => return,
        };
        self.failed[index].store(failed, Ordering::Relaxed);
    }

    /// Leave to send one more request to an origin; see [`Permits::take`].
    pub(crate) fn permit(
        &self,
        index: usize,
        most: u32,
        client: Option<IpAddr>,
        upload: bool,
    ) -> Result<Permit<'_>, Refused> {
        self.permits[index].take(most, client, upload)
    }

    /// Requests under way to an origin.
    pub(crate) fn inflight(&self, index: usize) -> u32 {
        self.permits[index].held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::ClientFault;
    use crate::testing::config_for;

    #[test]
    fn backups_come_last_and_weights_count() {
        let mut config = config_for(&["http://a", "http://b", "http://c"]);
        config.origins[0].backup = true;
        config.origins[1].weight = 3;
        let order = |random| order(&config, &config.defaults, random, |_| false);
        let firsts: Vec<usize> = (0..4).map(|random| order(random)[0]).collect();
        assert_eq!(firsts, [1, 1, 1, 2]);
        assert_eq!(order(0), [1, 2, 0]);
    }

    #[test]
    fn the_ill_come_after_the_backups() {
        let mut config = config_for(&["http://a", "http://b", "http://c"]);
        config.origins[2].backup = true;
        assert_eq!(order(&config, &config.defaults, 0, |index| index == 0), [1, 2, 0]);
        assert_eq!(order(&config, &config.defaults, 0, |index| index != 2), [2, 0, 1]);
    }

    #[test]
    fn an_origin_that_failed_is_tried_again_first_by_what_may_be_repeated() {
        let origins = Origins::new(&config_for(&["http://a"]));
        let at = |seconds: u64| Time(1_000_000 + seconds * 1000);
        assert!(!origins.is_ill(0, true, at(0)));
        let failed = |error: FetchError, repeatable, at| {
            origins.asked(0, &Err::<(), _>(error), repeatable, at);
        };
        failed(FetchError::ResponseTimeout, false, at(0));
        failed(FetchError::KeptAliveClosed, true, at(0));
        failed(FetchError::Client(ClientFault::Stalled), true, at(0));
        assert!(!origins.is_ill(0, true, at(0)), "none of these says that it is ill");
        failed(FetchError::ResponseTimeout, true, at(0));
        assert!(origins.is_ill(0, true, at(1)) && origins.is_ill(0, false, at(1)));
        assert!(!origins.is_ill(0, true, at(2)) && origins.is_ill(0, false, at(29)));
        assert!(!origins.is_ill(0, false, at(30)));
        failed(FetchError::ConnectionRefused, false, at(2));
        assert!(origins.is_ill(0, true, at(3)));
        origins.asked(0, &Ok(()), true, at(3));
        assert!(!origins.is_ill(0, true, at(3)) && !origins.is_ill(0, false, at(3)));
    }

    #[test]
    fn a_route_may_name_its_origins() {
        let config = config_for(&["http://a", "http://b"]);
        let policy = Policy { origins: vec![1], ..Policy::default() };
        assert_eq!(order(&config, &policy, 0, |_| false), [1]);
    }
}
