//! How a filter prints: as a text that reads as the same filter.

use std::{borrow::Cow, fmt};

use super::{Filter, Term, Test, Text, parse};
use crate::domain::{
    lang::{duration, lexer::quote},
    model::protocol::Operation,
};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, Term { negated, test }) in self.terms.iter().enumerate() {
            f.write_str(if index > 0 { " " } else { "" })?;
            f.write_str(if *negated { "-" } else { "" })?;
            write!(f, "{test}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(&plain(word, |c| ":<>".contains(c))),
            Self::Calls(calls) => {
                write!(
                    f,
                    "op:{}",
                    calls.iter().map(|one| Operation::as_str(*one)).collect::<Vec<_>>().join(",")
                )
            }
            Self::Volume(name) => write!(f, "vol:{name}"),
            Self::Id(prefix) => write!(f, "id:{}", value(prefix)),
            Self::By(caller) => write!(f, "by:{}", caller.as_str()),
            Self::Fault(name) => write!(f, "fault:{name}"),
            Self::Status(digits) => {
                f.write_str("status:")?;
                digits.iter().try_for_each(|digit| match digit {
                    Some(digit) => write!(f, "{digit}"),
                    None => f.write_str("x"),
                })
            }
            Self::Outcome(outcome) => write!(f, "outcome:{}", parse::outcome_word(*outcome)),
            Self::Lint(name) => write!(f, "lint:{name}"),
            Self::EntryKind(kind) => write!(f, "kind:{kind}"),
            Self::Longer(than) => write!(f, "took>{}", duration::print(*than)),
            Self::Shorter(than) => write!(f, "took<{}", duration::print(*than)),
            Self::Later(than) => write!(f, "seq>{than}"),
            Self::Earlier(than) => write!(f, "seq<{than}"),
            Self::LifeOf(volume) => write!(f, "life:{}", value(volume)),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&match self {
            Self::KeywordGroup(part) => value(part),
            Self::Whole(pattern) => value(pattern.text()),
        })
    }
}

/// What stands behind a key.
fn value(text: &str) -> Cow<'_, str> {
    plain(text, |_| false)
}

/// A text as it is, or in quotes where it would be read as something else.
fn plain(text: &str, means_more: impl Fn(char) -> bool) -> Cow<'_, str> {
    let is_plain = !text.is_empty()
        && !text.starts_with(['-', '!'])
        && !text.contains(|c: char| c.is_whitespace() || c == '"' || means_more(c));
    if is_plain { text.into() } else { quote(text).into() }
}
