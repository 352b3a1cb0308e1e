//! What all parts of the grammar are read with: words, numbers, durations, values, and errors.

use std::time::Duration;

use super::Parsed;
use crate::domain::{
    lang::{duration, lexer::Lexer, suggest::did_you_mean},
    rules::{Lifetime, Phase, RuleError},
};

/// What ends a word of the language.
pub(super) const ENDS: [char; 3] = [':', ',', '"'];
/// What ends a bare value. A comma belongs to it, as patterns have them.
pub(super) const VALUE_ENDS: [char; 2] = [':', '"'];

/// Whether a value can stand without quotes: it has no character that ends it, and is no word with a meaning.
pub(in crate::domain::rules) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || VALUE_ENDS.contains(&c))
        && !is_reserved(text)
}

fn is_reserved(word: &str) -> bool {
    ["as", "then"].contains(&word)
        || Lifetime::WORDS.contains(&word)
        || Phase::SAID.iter().any(|phase| phase.as_str() == word)
}

/// What stands in a column is wrong.
pub(super) fn wrong_at<T>(column: usize, problem: impl Into<String>) -> Parsed<T> {
    Err(RuleError { column, problem: problem.into(), expected: Vec::new() })
}

/// A rule that is being read.
pub(super) struct Parser<'t> {
    pub(super) lexer: Lexer<'t>,
}

impl<'t> Parser<'t> {
    /// What comes next is wrong.
    pub(super) fn wrong<T>(&mut self, problem: impl Into<String>) -> Parsed<T> {
        wrong_at(self.lexer.column(), problem)
    }

    /// What comes next is not what was expected. `words` are the words that could have stood there.
    pub(super) fn expected<'w, T>(
        &mut self,
        what: &str,
        words: impl IntoIterator<Item = &'w str>,
    ) -> Parsed<T> {
        let found = self.lexer.peek(&ENDS);
        let head = found.split(['=', '.']).next().unwrap_or_default();
        let words: Vec<&str> = words.into_iter().filter(|word| *word != found).collect();
        let meant = did_you_mean(head, words.iter().copied());
        let comma = if meant.is_empty() { "," } else { ";" };
        let found = match (found, self.lexer.rest().chars().next()) {
            (_, None) => "the rule ends here".to_owned(),
            ("", Some(sign)) => format!("found {sign:?}"),
            (word, _) => format!("found {word:?}"),
        };
        Err(RuleError {
            column: self.lexer.column(),
            problem: format!("{found}{meant}{comma} expected {what}"),
            expected: words.into_iter().map(str::to_owned).collect(),
        })
    }

    /// The next word of the language.
    pub(super) fn peek(&self) -> &'t str {
        self.lexer.peek(&ENDS)
    }

    /// Takes what [`Self::peek`] saw.
    pub(super) fn next(&mut self) -> &'t str {
        self.lexer.word(&ENDS)
    }

    /// Takes a word if it comes next.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let taken = self.peek() == word;
        if taken {
            self.next();
        }
        taken
    }

    pub(super) fn number(&mut self) -> Parsed<u64> {
        match self.peek().parse() {
            Ok(number) if number > 0 => {
                self.next();
                Ok(number)
            }
            _ => self.expected("a whole number from 1", []),
        }
    }

    pub(super) fn duration(&mut self) -> Parsed<Duration> {
        let Some(duration) = duration::parse(self.peek()) else {
            return self.expected("a duration such as 200ms, 15s or 2m", []);
        };
        self.next();
        Ok(duration)
    }

    /// A duration that is longer than nothing.
    pub(super) fn lasting(&mut self) -> Parsed<Duration> {
        let mut before = self.lexer.clone();
        let duration = self.duration()?;
        if duration.is_zero() {
            return wrong_at(before.column(), "this is no time at all, expected a longer duration");
        }
        Ok(duration)
    }

    /// A text in quotes, if one begins here.
    pub(super) fn quoted(&mut self) -> Parsed<Option<String>> {
        match self.lexer.quoted() {
            Some(Err(())) => self.wrong("the quoted text does not end well; quote as in JSON: \\\" and \\\\"),
            text => Ok(text.and_then(Result::ok)),
        }
    }

    /// A value, bare or in quotes.
    pub(super) fn value(&mut self, what: &str, ends: &[char]) -> Parsed<String> {
        if let Some(text) = self.quoted()? {
            return Ok(text);
        }
        match self.lexer.peek(ends) {
            word if is_plain(word) => Ok(self.lexer.word(ends).to_owned()),
            word if is_reserved(word) => {
                self.expected(&format!("{what}; one that is named so stands in quotes"), [])
            }
            _ => self.expected(&format!("{what}, bare or in quotes"), []),
        }
    }
}
