//! Which origins may answer, in which order, and how many requests are under way to each.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::config::{Config, Policy};

/// The origins of a route in the order in which they are tried: those that are not backups by weighted chance, then the
/// backups in the order of the file.
pub(super) fn order(config: &Config, policy: &Policy, random: u64) -> Vec<usize> {
    let all = 0..config.origins.len();
    let (mut backups, mut regular): (Vec<usize>, Vec<usize>) = if policy.origins.is_empty() {
        all.partition(|&index| config.origins[index].backup)
    } else {
        let named = policy.origins.iter().map(|&index| usize::from(index));
        named.filter(|index| all.contains(index)).partition(|&index| config.origins[index].backup)
    };
    let mut order = Vec::with_capacity(regular.len() + backups.len());
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
    inflight: Vec<AtomicU32>,
}

impl Origins {
    pub(crate) fn new(config: &Config) -> Self {
        Self { inflight: config.origins.iter().map(|_| AtomicU32::new(0)).collect() }
    }

    /// Leave to send one more request to an origin; given back when it is dropped. `None`: `most` are under way.
    pub(crate) fn permit(&self, index: usize, most: u32) -> Option<Permit<'_>> {
        let count = &self.inflight[index];
        count
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now < most).then_some(now + 1))
            .ok()?;
        Some(Permit(count))
    }
}

/// A request under way, until its response's head is there.
pub(crate) struct Permit<'a>(&'a AtomicU32);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::config_for;

    #[test]
    fn backups_come_last_and_weights_count() {
        let mut config = config_for(&["http://a", "http://b", "http://c"]);
        config.origins[0].backup = true;
        config.origins[1].weight = 3;
        let firsts: Vec<usize> = (0..4).map(|random| order(&config, &config.defaults, random)[0]).collect();
        assert_eq!(firsts, [1, 1, 1, 2]);
        assert_eq!(order(&config, &config.defaults, 0), [1, 2, 0]);
    }

    #[test]
    fn a_route_may_name_its_origins() {
        let config = config_for(&["http://a", "http://b"]);
        let policy = Policy { origins: vec![1], ..Policy::default() };
        assert_eq!(order(&config, &policy, 0), [1]);
    }

    #[test]
    fn permits_are_given_back() {
        let origins = Origins::new(&config_for(&["http://a"]));
        let one = origins.permit(0, 1);
        assert!(one.is_some());
        assert!(origins.permit(0, 1).is_none());
        drop(one);
        assert!(origins.permit(0, 1).is_some());
    }
}
