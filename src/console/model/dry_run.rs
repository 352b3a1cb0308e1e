//! The dry run of the rule that is being typed: at most one runs, and a result for an older text is dropped.

use crate::{
    console::model::event::Effect,
    domain::rules::{DryRun, Rule},
};

/// The latest result, and what is still to come.
#[derive(Clone, Debug, Default)]
pub struct DryRuns {
    /// Grows with each change of the text.
    number: u64,
    /// The number of the dry run under way.
    running: Option<u64>,
    /// The rule to try when that has ended.
    next: Option<Box<Rule>>,
    /// The latest result and its number.
    latest: Option<(u64, DryRun)>,
    /// Whether the text is a rule.
    is_wanted: bool,
}

impl DryRuns {
    /// The text is a rule now.
    pub(super) fn request(&mut self, rule: Box<Rule>) -> Option<Effect> {
        self.number += 1;
        self.is_wanted = true;
        self.next = Some(rule);
        self.start()
    }

    /// The text is no rule any more.
    pub(super) fn clear(&mut self) {
        self.number += 1;
        self.is_wanted = false;
        self.next = None;
        self.latest = None;
    }

    /// Takes a result, and starts the dry run of what was typed meanwhile.
    pub(super) fn finish(&mut self, number: u64, result: Option<DryRun>) -> Option<Effect> {
        self.running = None;
        if let Some(result) = result.filter(|_| number == self.number) {
            self.latest = Some((number, result));
        }
        self.start()
    }

    fn start(&mut self) -> Option<Effect> {
        if self.running.is_some() {
            return None;
        }
        let rule = self.next.take()?;
        self.running = Some(self.number);
        Some(Effect::DryRun { number: self.number, rule })
    }

    /// The latest result, also while that of the current text is still to come.
    pub fn latest(&self) -> Option<&DryRun> {
        self.latest.as_ref().map(|(_, dry_run)| dry_run)
    }

    /// Whether the result for the current text is still to come.
    pub fn is_pending(&self) -> bool {
        self.is_wanted && self.latest.as_ref().is_none_or(|(number, _)| *number != self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rules::Hit;

    fn number(effect: Option<Effect>) -> Option<u64> {
        effect.map(|effect| match effect {
            Effect::DryRun { number, .. } => number,
            other => panic!("{other:?} is no dry run"),
        })
    }

    #[test]
    fn one_dry_run_at_a_time_and_only_the_newest_text_counts() {
        let rule = |text: &str| Box::new(text.parse::<Rule>().expect("a rule"));
        let hits = |hits: &[u64]| {
            Some(DryRun { hits: hits.iter().map(|call| Hit::from(*call)).collect(), calls: 9 })
        };
        let mut runs = DryRuns::default();
        let first = number(runs.request(rule("get: null"))).expect("it starts at once");
        assert_eq!(runs.request(rule("get: hang")), None);
        assert_eq!(runs.request(rule("get: eof")), None);
        let last = number(runs.finish(first, hits(&[1]))).expect("the newest starts next");
        assert_eq!(runs.latest(), None, "a result for an older text is dropped");
        assert!(runs.is_pending());
        assert_eq!(runs.finish(last, hits(&[2, 3])), None);
        assert_eq!(runs.latest(), hits(&[2, 3]).as_ref());
        assert!(!runs.is_pending());
        // The old result stays until the next one is there.
        let next = number(runs.request(rule("get: reset"))).expect("none is running");
        assert!(runs.is_pending() && runs.latest().is_some());
        runs.clear();
        assert_eq!(runs.finish(next, hits(&[4])), None);
        assert!(runs.latest().is_none() && !runs.is_pending());
    }
}
