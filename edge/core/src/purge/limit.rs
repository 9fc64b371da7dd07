//! How often something may happen: a token bucket.

use crate::time::Time;

/// It holds up to `burst` tokens, and gets `rate` of them a second.
#[derive(Debug)]
pub(super) struct TokenBucket {
    rate: u64,
    burst: u64,
    /// In thousandths, as of `at`.
    held: u64,
    at: Time,
}

impl TokenBucket {
    /// A full one.
    pub(super) fn new(rate: u32, burst: u32) -> Self {
        Self { rate: rate.into(), burst: burst.into(), held: u64::from(burst) * 1_000, at: Time(0) }
    }

    /// Takes a token, if there is one. A clock that goes back brings none.
    pub(super) fn take(&mut self, now: Time) -> bool {
        let passed = u64::try_from(now.since(self.at).as_millis()).unwrap_or(u64::MAX);
        self.at = self.at.max(now);
        self.held = self.held.saturating_add(passed.saturating_mul(self.rate)).min(self.burst * 1_000);
        let taken = self.held >= 1_000;
        self.held -= if taken { 1_000 } else { 0 };
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut bucket = TokenBucket::new(50, 1_000);
        let mut taken = |from: u64, to: u64, tries: u64| {
            (0..tries).filter(|n| bucket.take(Time(from + (to - from) * n / tries))).count()
        };
        assert_eq!(taken(1_000_000, 1_000_000, 5_000), 1_000);
        assert_eq!(taken(1_000_000, 1_010_000, 100_000), 499);
        assert_eq!(taken(1_010_000, 1_010_000, 10), 1);
        assert_eq!(taken(900_000, 900_000, 10), 0, "a clock that goes back");
        assert_eq!(taken(9_000_000, 9_000_000, 5_000), 1_000);
    }
}
