//! Random numbers from a seed, so that a simulated run can be repeated to the last mount ID.

use std::{
    fmt::Write,
    sync::atomic::{AtomicU64, Ordering},
};

/// A stream of draws: `SplitMix64` (Steele, Lea and Flood 2014), a counter whose values are mixed.
#[derive(Debug)]
pub(super) struct Rng(AtomicU64);

impl Rng {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    pub(super) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    pub(super) fn draw(&self) -> u64 {
        let mut mixed = self.0.fetch_add(Self::STEP, Ordering::Relaxed).wrapping_add(Self::STEP);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of the items.
    pub(super) fn pick<'i, T>(&self, items: &'i [T]) -> Option<&'i T> {
        let index = self.draw().checked_rem(items.len() as u64)?;
        items.get(usize::try_from(index).ok()?)
    }

    /// 64 hexadecimal digits, as docker's random IDs are.
    pub(super) fn id(&self) -> String {
        (0..4).fold(String::with_capacity(64), |mut id, _| {
            write!(id, "{:016x}", self.draw()).expect("a String takes whatever is written");
            id
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_stream_and_another_seed_another() {
        let stream = |seed| {
            let rng = Rng::new(seed);
            [rng.id(), rng.id()]
        };
        assert_eq!(stream(7), stream(7));
        assert_ne!(stream(7)[0], stream(7)[1]);
        assert_ne!(stream(7), stream(8));
        assert!(stream(7).iter().all(|id| id.len() == 64));
    }
}
