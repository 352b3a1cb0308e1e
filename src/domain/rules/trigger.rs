//! The trigger: on which of the matching calls a rule acts.
//!
//! Probability comes first. The calls that it hits are counted from arming on, and every other condition is tested with
//! that count: over all calls, or with `per` for each volume, mount ID or connection.

use super::key::Per;
use crate::domain::model::entry::{Condition, Share};

/// On which calls a rule acts; without conditions on all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trigger {
    /// `N%`: on a random share of the calls.
    pub chance: Option<Probability>,
    /// `nth N`: the Nth call.
    pub nth: Option<u64>,
    /// `first N`: the first N calls.
    pub first: Option<u64>,
    /// `every N`: every Nth call.
    pub every: Option<u64>,
    /// `after N`: all calls after the first N.
    pub after: Option<u64>,
    /// `per volume|id|connection`: counted apart.
    pub per: Option<Per>,
}

impl Trigger {
    /// The keywords of the conditions that count.
    pub const WORDS: [&str; 4] = ["nth", "first", "every", "after"];

    /// The field of a counting condition, by its keyword.
    pub(super) fn slot(&mut self, word: &str) -> Option<&mut Option<u64>> {
        match word {
            "nth" => Some(&mut self.nth),
            "first" => Some(&mut self.first),
            "every" => Some(&mut self.every),
            "after" => Some(&mut self.after),
            _ => None,
        }
    }

    /// The first counting condition that is not true for the `count`th call, from 1.
    pub fn unmet(&self, count: u64) -> Option<Condition> {
        let nth = self.nth.filter(|nth| count != *nth).map(Condition::Nth);
        let first = || self.first.filter(|first| count > *first).map(Condition::First);
        let every = || self.every.filter(|every| !count.is_multiple_of(*every)).map(Condition::Every);
        let after = || self.after.filter(|after| count <= *after).map(Condition::After);
        nth.or_else(first).or_else(every).or_else(after)
    }

    /// Whether the counting conditions are true for any count greater than this.
    pub fn can_hold_after(&self, count: u64) -> bool {
        let (past, every) = (count.max(self.after.unwrap_or(0)), self.every.unwrap_or(1));
        let earliest = (past / every).checked_add(1).and_then(|k| k.checked_mul(every));
        let next = self.nth.filter(|nth| *nth > count).or(earliest);
        next.is_some_and(|next| self.unmet(next).is_none())
    }

    /// Whether it has a condition that counts.
    pub fn counts(&self) -> bool {
        [self.nth, self.first, self.every, self.after].iter().any(Option::is_some)
    }
}

/// A probability in millionths, so that `0.01%` is possible and 100 % is always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probability {
    millionths: u32,
}

impl Probability {
    /// The number for [`Probability::hits`] is drawn below this.
    pub const SIDES: u64 = 1_000_000;
    const PER_CENT: u32 = 10_000;

    /// Parses the number before a `%`: 0 to 100 with at most four decimals.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(decimals) || decimals.len() > 4 {
            return None;
        }
        let decimals: u32 = format!("{decimals:0<4}").parse().ok()?;
        let millionths = whole.parse::<u32>().ok()?.checked_mul(Self::PER_CENT)?.checked_add(decimals)?;
        (u64::from(millionths) <= Self::SIDES).then_some(Self { millionths })
    }

    /// Whether a number drawn below [`Probability::SIDES`] is a hit.
    pub fn hits(self, drawn: u64) -> bool {
        drawn < u64::from(self.millionths)
    }

    /// A number drawn below [`Probability::SIDES`] as a share from 0 to 1.
    pub fn share_of(drawn: u64) -> Share {
        Share(u32::try_from(drawn).unwrap_or(u32::MAX))
    }

    /// As a share from 0 to 1.
    pub const fn share(self) -> Share {
        Share(self.millionths)
    }
}

impl std::fmt::Display for Probability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (whole, decimals) = (self.millionths / Self::PER_CENT, self.millionths % Self::PER_CENT);
        let decimals = format!("{decimals:04}");
        match decimals.trim_end_matches('0') {
            "" => write!(f, "{whole}%"),
            decimals => write!(f, "{whole}.{decimals}%"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trigger() -> impl Strategy<Value = Trigger> {
        let count = || prop::option::of(1_u64..12);
        (count(), count(), count(), count()).prop_map(|(nth, first, every, after)| Trigger {
            chance: None,
            nth,
            first,
            every,
            after,
            per: None,
        })
    }

    proptest! {
        #[test]
        fn a_trigger_can_hold_again_if_it_holds_for_some_later_count(trigger in trigger(), count in 0_u64..30) {
            let later = (count + 1..200).any(|count| trigger.unmet(count).is_none());
            prop_assert_eq!(trigger.can_hold_after(count), later);
        }

        #[test]
        fn a_printed_probability_parses_to_the_same(millionths in 0_u32..=1_000_000) {
            let chance = Probability { millionths };
            let printed = chance.to_string();
            prop_assert_eq!(Probability::parse(printed.trim_end_matches('%')), Some(chance));
        }
    }

    #[test]
    fn calls_are_counted_from_arming_on() {
        let acts =
            |trigger: Trigger| (1..=8).filter(|count| trigger.unmet(*count).is_none()).collect::<Vec<u64>>();
        let none = Trigger::default();
        assert_eq!(acts(Trigger { nth: Some(3), ..none }), [3]);
        assert_eq!(acts(Trigger { first: Some(2), ..none }), [1, 2]);
        assert_eq!(acts(Trigger { every: Some(2), ..none }), [2, 4, 6, 8]);
        assert_eq!(acts(Trigger { after: Some(6), ..none }), [7, 8]);
        assert_eq!(acts(Trigger { every: Some(2), after: Some(3), first: Some(7), ..none }), [4, 6]);
    }

    #[test]
    fn a_probability_is_between_never_and_always() {
        for text in ["101", "100.0001", "-1", "1.", ".5", "1.00001", "", "x", "99999999999"] {
            assert_eq!(Probability::parse(text), None, "{text}");
        }
        let (never, always) =
            (Probability::parse("0").expect("never"), Probability::parse("100").expect("always"));
        assert!(!never.hits(0) && always.hits(Probability::SIDES - 1));
        let rare = Probability::parse("0.0001").expect("the rarest");
        assert!(rare.hits(0) && !rare.hits(1));
    }
}
