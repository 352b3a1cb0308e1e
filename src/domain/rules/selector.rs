//! Selectors: what a rule asks about a call beside its operation.

use globset::{GlobBuilder, GlobSet};

use crate::domain::model::protocol::{Caller, Operation, Options};

/// What a rule can ask about a call.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext<'c> {
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

/// One condition after `where`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// `volume=GLOB`: the volume's name.
    Volume(Pattern),
    /// `opt.KEY` or `opt.KEY=GLOB`: the volume has an option, or has it so.
    Option(String, Option<Pattern>),
    /// `id=PREFIX`: the mount ID begins so.
    Id(String),
    /// `by=CALLER`: who calls. The simulated daemon stands in for docker, so `by=docker` means it too.
    By(Caller),
    /// `mounted`: the volume has an open mount.
    Mounted,
    /// `unmounted`: it has none.
    Unmounted,
    /// `retry`: the body is empty where one is due.
    Retry,
}

impl Selector {
    /// The words that a selector begins with.
    pub const WORDS: [&str; 7] = ["volume", "opt", "id", "by", "mounted", "unmounted", "retry"];

    /// Its first word.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Volume(_) => "volume",
            Self::Option(..) => "opt",
            Self::Id(_) => "id",
            Self::By(_) => "by",
            Self::Mounted => "mounted",
            Self::Unmounted => "unmounted",
            Self::Retry => "retry",
        }
    }

    /// Whether it can ever hold for a call.
    pub fn fits(&self, operation: Operation) -> bool {
        match self {
            Self::Volume(_) | Self::Option(..) | Self::Mounted | Self::Unmounted => {
                operation.requires_volume()
            }
            Self::Id(_) => matches!(operation, Operation::Mount | Operation::Unmount),
            Self::By(_) => true,
            Self::Retry => operation != Operation::Activate,
        }
    }

    /// Whether it holds for a call.
    pub fn holds(&self, facts: &RequestContext<'_>) -> bool {
        match self {
            Self::Volume(name) => name.matches(facts.volume),
            Self::Option(key, value) => facts
                .options
                .get(key)
                .is_some_and(|found| value.as_ref().is_none_or(|value| value.matches(found))),
            Self::Id(prefix) => facts.id.starts_with(prefix),
            Self::By(Caller::Docker) => matches!(facts.caller, Caller::Docker | Caller::Simulated),
            Self::By(caller) => facts.caller == *caller,
            Self::Mounted => facts.mounted,
            Self::Unmounted => !facts.mounted,
            Self::Retry => facts.retry,
        }
    }
}

/// A shell-like pattern: `*`, `?` (one byte), `[a-z]`, `{one,other}`. A `*` matches a slash too, as names are no paths.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    globs: GlobSet,
}

impl Pattern {
    /// Reads a pattern.
    pub fn new(text: &str) -> Result<Self, globset::Error> {
        let glob = GlobBuilder::new(text).backslash_escape(true).empty_alternates(true).build()?;
        Ok(Self { text: text.to_owned(), globs: GlobSet::new([glob])? })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a whole text is like it.
    pub fn matches(&self, text: &str) -> bool {
        self.globs.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_matches_names_and_not_paths() {
        for (pattern, name, expected) in [
            ("db*", "db1", true),
            ("db*", "adb", false),
            ("*", "a/b", true),
            ("*", "", true),
            ("", "", true),
            ("", "a", false),
            ("d?", "dx", true),
            ("{a,b}-[0-9]", "b-7", true),
            ("{a,b}-[0-9]", "c-7", false),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("DB", "db", false),
            ("a.b", "axb", false),
        ] {
            assert_eq!(Pattern::new(pattern).expect(pattern).matches(name), expected, "{pattern} {name}");
        }
        for pattern in ["[", "{a", "a\\", &"{".repeat(400)] {
            assert!(Pattern::new(pattern).is_err(), "{pattern} was read");
        }
    }
}
