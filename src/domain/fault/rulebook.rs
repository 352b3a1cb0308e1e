//! The rulebook: the armed rules in their order, and the decision which of them acts on a call.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::{
    action::{Action, Phase},
    rule::Rule,
};
use crate::domain::{
    command::Target,
    entry::Deed,
    protocol::{Caller, Operation, Options},
};

/// What a rule can ask about a call.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'c> {
    /// What was asked.
    pub operation: Operation,
    /// The volume that the request names, or nothing.
    pub volume: &'c str,
    /// The mount ID that the request carries, or nothing.
    pub id: &'c str,
    /// The volume's options; those of the request where it creates one.
    pub options: &'c Options,
    /// Who asked.
    pub caller: Caller,
    /// Whether the volume has an open mount.
    pub mounted: bool,
    /// Whether the body is empty where one is due, as in `dockerd`'s retries.
    pub retry: bool,
}

/// What is to be done to a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Which rule, and its action in words.
    pub deed: Deed,
    /// The action. What chance has a part in is drawn already: a delay's two ends are equal.
    pub action: Action,
    /// Where the driver's own work stands to it.
    pub phase: Phase,
}

/// A rule that acts.
#[derive(Clone, Debug, Serialize)]
pub struct Armed {
    /// Its number: 1 for the first ever armed.
    pub id: u32,
    /// The name by which it can be disarmed.
    pub label: Option<Arc<str>>,
    /// The rule, printed.
    #[serde(rename = "rule")]
    pub text: Arc<str>,
    /// How many calls it was held against.
    pub evaluated: u64,
    /// How many it acted on.
    pub fired: u64,
    /// When it was armed.
    pub since: Timestamp,
    #[serde(skip)]
    rule: Rule,
}

/// The armed rules. The first that matches a call acts on it.
#[derive(Debug, Default)]
pub struct Rulebook {
    rules: Vec<Armed>,
    seed: u64,
    last: u32,
}

impl Rulebook {
    /// An empty book that draws from a seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, ..Self::default() }
    }

    /// The seed of all draws.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Draws from another seed from now on.
    pub fn reseed(&mut self, seed: u64) {
        self.seed = seed;
    }

    /// Arms a rule behind the others. One that is armed under the same label is replaced, and returned.
    pub fn arm(&mut self, rule: Rule, label: Option<&str>, at: Timestamp) -> (&Armed, Option<Armed>) {
        let replaced =
            label.and_then(|label| self.rules.iter().position(|armed| armed.label.as_deref() == Some(label)));
        let replaced = replaced.map(|index| self.rules.remove(index));
        self.last += 1;
        self.rules.push(Armed {
            id: self.last,
            label: label.map(Arc::from),
            text: rule.to_string().into(),
            evaluated: 0,
            fired: 0,
            since: at,
            rule,
        });
        (self.rules.last().expect("a rule was just pushed"), replaced)
    }

    /// Disarms rules and returns them.
    pub fn disarm(&mut self, target: &Target) -> Vec<Armed> {
        self.rules
            .extract_if(.., |armed| match target {
                Target::All => true,
                Target::Id(id) => armed.id == *id,
                Target::Label(label) => armed.label.as_deref() == Some(label),
            })
            .collect()
    }

    /// Disarms the rules whose time is over and returns them.
    pub fn expire(&mut self, _at: Timestamp) -> Vec<Armed> {
        Vec::new()
    }

    /// When the next rule's time will be over.
    pub fn next_expiry(&self) -> Option<Timestamp> {
        None
    }

    /// Decides about call number `number`. Rules that have now fired as often as they may are disarmed and returned.
    pub fn decide(
        &mut self,
        facts: &Facts<'_>,
        _number: u64,
        _at: Timestamp,
    ) -> (Option<Verdict>, Vec<Armed>) {
        for armed in &mut self.rules {
            if !armed.rule.calls.contains(&facts.operation) {
                continue;
            }
            armed.evaluated += 1;
            armed.fired += 1;
            let deed = Deed {
                id: armed.id,
                label: armed.label.clone(),
                action: armed.rule.action.to_string().into(),
            };
            let verdict = Verdict { deed, action: armed.rule.action.clone(), phase: armed.rule.phase };
            return (Some(verdict), Vec::new());
        }
        (None, Vec::new())
    }

    /// The armed rules in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Armed> {
        self.rules.iter()
    }

    /// Whether any of them may meet a call with a reset.
    pub fn may_reset(&self) -> bool {
        self.rules.iter().any(|armed| armed.rule.may_reset())
    }

    /// Whether no rule is armed.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}
