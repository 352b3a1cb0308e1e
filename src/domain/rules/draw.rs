//! Random draws that can be repeated.
//!
//! A draw is a function of the seed, the rule, the call's operation and volume, and how many calls of that operation
//! and volume the rule evaluated before. Neither other rules nor calls about other volumes shift it, and every version
//! draws alike.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a draw is for, so that one call can have several.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// Whether `N%` hits.
    Probability = 0,
    /// How long `delay A..B` takes.
    Time = 1,
}

/// What a draw is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct DrawSubject<'r> {
    /// The seed.
    pub seed: u64,
    /// The rule's text.
    pub rule: &'r str,
    /// The operation, or the request line of what is none.
    pub asked: &'r str,
    /// The volume that the request names.
    pub volume: &'r str,
    /// How many calls of that operation and volume the rule evaluated before.
    pub count: u64,
}

impl DrawSubject<'_> {
    /// A whole number below `sides`.
    pub fn draw(self, purpose: Purpose, sides: u64) -> u64 {
        let of = self.asked.bytes().chain([b' ']).chain(self.volume.bytes());
        let mixed = mix(self.seed.wrapping_add(purpose as u64));
        let mixed = mix(mixed ^ fnv1a(self.rule.bytes()));
        let mixed = mix(mix(mixed ^ fnv1a(of)) ^ self.count);
        // The high half of the product is evenly distributed, unlike a remainder.
        ((u128::from(mixed) * u128::from(sides)) >> 64) as u64
    }
}

/// How many calls of each operation and volume a rule evaluated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct DrawCounts {
    volumes: BTreeMap<Box<str>, BTreeMap<Box<str>, u64>>,
    /// How many volumes are counted by themselves, over all operations.
    own: usize,
    /// The calls about further volumes, by operation.
    others: BTreeMap<Box<str>, u64>,
}

impl DrawCounts {
    /// How many volumes are counted by themselves. Those that come later share a count.
    const MAX_OWN: usize = 4096;

    /// How many calls there were before.
    pub fn count(&self, asked: &str, volume: &str) -> u64 {
        let own = self.volumes.get(asked).and_then(|volumes| volumes.get(volume)).copied();
        let others = || (self.own >= Self::MAX_OWN).then(|| self.others.get(asked).copied()).flatten();
        own.or_else(others).unwrap_or(0)
    }

    /// Counts one more.
    pub fn add(&mut self, asked: &str, volume: &str) {
        let own = self.volumes.get_mut(asked).and_then(|volumes| volumes.get_mut(volume));
        if let Some(count) = own {
            *count += 1;
        } else if self.own < Self::MAX_OWN {
            self.volumes.entry(asked.into()).or_default().insert(volume.into(), 1);
            self.own += 1;
        } else {
            *self.others.entry(asked.into()).or_default() += 1;
        }
    }
}

/// FNV-1a, 64 bits: a text as a number.
pub(super) fn fnv1a(text: impl Iterator<Item = u8>) -> u64 {
    text.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// One step of `SplitMix64`.
fn mix(state: u64) -> u64 {
    let z = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUBJECT: DrawSubject<'_> =
        DrawSubject { seed: 7, rule: "any 20%: hang", asked: "mount", volume: "db1", count: 0 };

    #[test]
    fn the_hashes_are_those_of_their_inventors() {
        // http://www.isthe.com/chongo/tech/comp/fnv and Vigna's splitmix64.c, seeded with 0.
        assert_eq!(
            (fnv1a("".bytes()), fnv1a("foobar".bytes())),
            (0xcbf2_9ce4_8422_2325, 0x8594_4171_f739_67e8)
        );
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
    }

    #[test]
    fn every_version_draws_the_same() {
        let drawn = |subject: DrawSubject<'_>, purpose| subject.draw(purpose, 1_000_000);
        assert_eq!(
            [
                drawn(SUBJECT, Purpose::Probability),
                drawn(DrawSubject { seed: 0, ..SUBJECT }, Purpose::Probability),
                drawn(DrawSubject { rule: "any 21%: hang", ..SUBJECT }, Purpose::Probability),
                drawn(DrawSubject { asked: "get", ..SUBJECT }, Purpose::Probability),
                drawn(DrawSubject { volume: "db2", ..SUBJECT }, Purpose::Probability),
                drawn(DrawSubject { count: 1, ..SUBJECT }, Purpose::Probability),
                drawn(SUBJECT, Purpose::Time),
            ],
            [501_545, 15_040, 635_398, 688_958, 581_956, 143_656, 156_801]
        );
    }

    #[test]
    fn draws_are_even() {
        let mut hits = [0_u32; 10];
        for count in 0..100_000 {
            let drawn = DrawSubject { count, ..SUBJECT }.draw(Purpose::Probability, 10);
            hits[usize::try_from(drawn).expect("below ten")] += 1;
        }
        // Six standard deviations of a fair die with ten sides.
        assert!(hits.iter().all(|hits| hits.abs_diff(10_000) < 570), "{hits:?}");
    }

    #[test]
    fn the_memory_for_counts_is_bounded() {
        let mut counts = DrawCounts::default();
        for number in 0..2 * DrawCounts::MAX_OWN {
            counts.add("get", &number.to_string());
        }
        counts.add("get", "7");
        assert_eq!(counts.own, DrawCounts::MAX_OWN);
        assert_eq!(counts.count("get", "7"), 2);
        assert_eq!(counts.count("get", "new"), DrawCounts::MAX_OWN as u64);
        assert_eq!(counts.count("mount", "new"), 0);
    }
}
