//! Pauses between looks at what another is doing.

use std::time::Duration;

/// Pauses that grow by half each time up to a bound, with jitter: no two that wait look in step for long.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    next: Duration,
    last: Duration,
}

impl Pauses {
    /// `first` and `last`: the shortest and the longest, before jitter.
    pub const fn new(first: Duration, last: Duration) -> Self {
        Self { next: first, last }
    }

    /// The next pause: between half and one and a half times what is due, by `random`.
    pub fn next(&mut self, random: u64) -> Duration {
        let pause = self.next;
        self.next = (pause * 3 / 2).min(self.last);
        let permille = 500 + (random % 1_000) as u32;
        pause * permille / 1_000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_are_bounded_with_jitter() {
        let (first, last) = (Duration::from_millis(20), Duration::from_millis(250));
        let mut pauses = Pauses::new(first, last);
        assert_eq!(pauses.next(0), first / 2);
        for random in 0..100 {
            assert!(pauses.next(random * 31) < last * 3 / 2);
        }
        assert_eq!(pauses.next, last);
    }
}
