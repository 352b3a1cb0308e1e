//! The start of a journal.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::rule::KeptRule;

use crate::domain::model::{speed::DemoSpeed, volume::Volumes};

/// The version of the entries' format.
pub const FORMAT: u32 = 1;

/// What the state begins with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Session {
    /// The version of the entries' format: 1.
    pub format: u32,
    /// The version of the program.
    pub version: String,
    /// The seed of all random draws.
    pub seed: u64,
    /// How long a rule lasts that does not say so, in milliseconds. None: until it is disarmed.
    pub default_expiry_ms: Option<u64>,
    /// The speed of the demo, if this is one.
    pub speed: Option<DemoSpeed>,
    /// The volumes at the start, by name.
    pub volumes: Volumes,
    /// The rules that are kept from the last run, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<KeptRule>,
}

impl Session {
    /// A start with some volumes, without a demo.
    pub fn new(seed: u64, volumes: Volumes) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            seed,
            default_expiry_ms: None,
            speed: None,
            volumes,
            rules: Vec::new(),
        }
    }

    /// The same with the rules of the last run.
    #[must_use]
    pub fn with_rules(self, rules: Vec<KeptRule>) -> Self {
        Self { rules, ..self }
    }

    /// The same, with a time after which a rule expires that does not say so.
    #[must_use]
    pub fn with_default_expiry(self, expiry: Option<Duration>) -> Self {
        let millis = expiry.map(|expiry| u64::try_from(expiry.as_millis()).unwrap_or(u64::MAX));
        Self { default_expiry_ms: millis, ..self }
    }

    /// The same for a demo.
    #[must_use]
    pub fn with_speed(self, speed: Option<DemoSpeed>) -> Self {
        Self { speed, ..self }
    }

    /// How many bytes of memory it holds.
    pub(super) fn size_estimate(&self) -> usize {
        let rules = self.rules.iter().map(KeptRule::size_estimate).sum::<usize>();
        size_of::<Self>() + rules + self.volumes.iter().map(|volume| volume.size_estimate()).sum::<usize>()
    }
}
