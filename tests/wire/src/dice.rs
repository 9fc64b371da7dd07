//! Chance that comes out the same on every machine and in every order.

use rand_core::Rng as _;
use rand_pcg::Pcg32;

/// A generator for one thing that is being made up. Two with the same arguments give the same numbers.
#[derive(Debug)]
pub struct Dice(Pcg32);

impl Dice {
    /// `purpose`: what is made up, so that one thing's numbers say nothing about another's.
    pub fn new(seed: u64, round: u64, purpose: u64) -> Self {
        let stream = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ purpose.wrapping_mul(0xd1b5_4a32_d192_ed03);
        let mut dice = Self(Pcg32::new(seed ^ stream.rotate_left(29), stream));
        // The first number of neighbouring streams is alike.
        dice.0.next_u32();
        dice
    }

    /// A number from 0 up to, not including, `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        let wide = u64::from(self.0.next_u32()) * bound as u64;
        (wide >> 32) as usize
    }

    /// A number from `low` to `high`, both possible.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high - low + 1)
    }

    /// `true` so many times in a thousand.
    pub fn chance(&mut self, permille: usize) -> bool {
        self.below(1000) < permille
    }

    /// One of several; none may be missing.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// A value, so many times in a thousand.
    pub fn maybe<T>(&mut self, permille: usize, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.chance(permille) { Some(make(self)) } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_arguments_give_the_same_numbers() {
        let roll = |seed, round, purpose| {
            let mut dice = Dice::new(seed, round, purpose);
            (0..50).map(|_| dice.below(1 << 20)).collect::<Vec<_>>()
        };
        assert_eq!(roll(1, 2, 3), roll(1, 2, 3));
        for other in [roll(2, 2, 3), roll(1, 3, 3), roll(1, 2, 4)] {
            assert_ne!(roll(1, 2, 3), other);
        }
    }
}
