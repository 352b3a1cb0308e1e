//! The keys of a scenario file, before their values are checked.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use crate::engine_api::Profile;

#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScenario {
    pub title: String,
    pub description: String,
    #[serde(default)]
    pub dangerous: bool,
    #[serde(default)]
    pub slow: bool,
    #[serde(default)]
    pub fresh_engine: bool,
    #[serde(default)]
    pub builtin_driver: bool,
    pub live_restore: Option<bool>,
    #[serde(default)]
    pub on: Engines,
    #[serde(default)]
    pub call_counts: BTreeMap<String, usize>,
    pub calls: Option<Vec<String>>,
    #[serde(default)]
    pub expect: Vec<Spanned<String>>,
    #[serde(rename = "step")]
    pub steps: Vec<Spanned<RawStep>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStep {
    #[serde(default)]
    pub on: Engines,
    pub say: Option<String>,
    pub docker: Option<Spanned<String>>,
    pub command: Option<Spanned<String>>,
    pub sleep: Option<Spanned<String>>,
    pub wait_for: Option<Spanned<String>>,
    pub still_running: Option<Spanned<String>>,
    pub background: Option<Spanned<String>>,
    #[serde(default)]
    pub fails_with: OneOrMore,
    #[serde(default)]
    pub may_fail: bool,
    #[serde(default)]
    pub output_contains: OneOrMore,
    #[serde(default)]
    pub output_lacks: OneOrMore,
    pub calls: Option<Vec<String>>,
    #[serde(default)]
    pub open_mounts: BTreeMap<String, u32>,
    #[serde(default)]
    pub expect: Vec<Spanned<String>>,
}

#[derive(Default, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMore {
    #[default]
    None,
    One(String),
    More(Vec<String>),
}

/// Engines by their words: `"20.10"`, or several in a list.
#[derive(Default, Deserialize)]
#[serde(try_from = "OneOrMore")]
pub(super) struct Engines(pub Vec<Profile>);

impl TryFrom<OneOrMore> for Engines {
    type Error = String;

    fn try_from(words: OneOrMore) -> Result<Self, String> {
        let words = Vec::<String>::from(words);
        words.iter().map(|word| word.parse()).collect::<Result<_, _>>().map(Self)
    }
}

impl From<OneOrMore> for Vec<String> {
    fn from(texts: OneOrMore) -> Self {
        match texts {
            OneOrMore::None => Self::new(),
            OneOrMore::One(text) => vec![text],
            OneOrMore::More(texts) => texts,
        }
    }
}
