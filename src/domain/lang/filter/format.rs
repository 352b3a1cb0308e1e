//! Prints a filter as a text that parses to the same filter.

use std::{borrow::Cow, fmt};

use super::{
    Filter, Term, Test, TextMatch,
    parse::{self, HELD},
};
use crate::domain::{
    lang::{duration, lexer::quote},
    model::entry::Outcome,
    rules::{Calls, Selector},
};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.terms().collect::<Vec<_>>().join(" "))
    }
}

impl Filter {
    /// Its terms as they are printed.
    pub fn terms(&self) -> impl Iterator<Item = String> {
        self.terms.iter().map(|Term { negated, test }| format!("{}{test}", if *negated { "-" } else { "" }))
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) if parse::is_term(word) => f.write_str(&quote(word)),
            Self::Word(word) => f.write_str(&value(word)),
            Self::Calls(calls) => {
                let words: Vec<_> = calls.iter().map(Calls::as_str).collect();
                write!(f, "operation:{}", words.join(","))
            }
            Self::Volume(name) => write!(f, "volume{name}"),
            Self::Node(name) => write!(f, "node:{}", value(name.text())),
            Self::By(caller) => write!(f, "by:{}", caller.as_str()),
            Self::Peer(text) => write!(f, "peer{text}"),
            Self::Selector(Selector::Connection(number)) => write!(f, "connection:{number}"),
            Self::Selector(Selector::Id(prefix)) => write!(f, "id:{}", value(prefix)),
            Self::Selector(Selector::Option(key, None)) => write!(f, "opt.{key}"),
            Self::Selector(Selector::Option(key, Some(pattern))) => {
                write!(f, "opt.{key}:{}", value(pattern.text()))
            }
            Self::Selector(flag) => f.write_str(flag.as_str()),
            Self::Fault(name) => write!(f, "fault{name}"),
            Self::Status(digits) => {
                f.write_str("status:")?;
                digits.iter().try_for_each(|digit| match digit {
                    Some(digit) => write!(f, "{digit}"),
                    None => f.write_str("x"),
                })
            }
            Self::Outcome(outcome) => write!(f, "outcome:{}", outcome.map_or(HELD, Outcome::as_str)),
            Self::Lint(name) => write!(f, "lint{name}"),
            Self::EntryKind(kind) => write!(f, "kind:{kind}"),
            Self::LongerThan(limit) => write!(f, "duration>{}", duration::print(*limit)),
            Self::ShorterThan(limit) => write!(f, "duration<{}", duration::print(*limit)),
            Self::SeqAbove(limit) => write!(f, "seq>{limit}"),
            Self::SeqBelow(limit) => write!(f, "seq<{limit}"),
            Self::History(volume) => write!(f, "history:{}", value(volume)),
        }
    }
}

/// With what stands between the key and it.
impl fmt::Display for TextMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contains(part) => write!(f, ":{}", value(part)),
            Self::Glob(pattern) if parse::is_pattern(pattern.text()) => {
                write!(f, ":{}", value(pattern.text()))
            }
            Self::Glob(pattern) => write!(f, "={}", value(pattern.text())),
        }
    }
}

/// A word or the value of a term, quoted if it would parse as something else.
fn value(text: &str) -> Cow<'_, str> {
    let is_plain = !text.is_empty()
        && !text.starts_with(['-', '!', '='])
        && !text.contains(|c: char| c.is_whitespace() || "\"()".contains(c));
    if is_plain { text.into() } else { quote(text).into() }
}
