//! Words, numbers, durations, values and errors of the grammar.

use std::time::Duration;

use crate::domain::{
    lang::{duration, lexer::Lexer, suggest::did_you_mean},
    rules::{Lifetime, Phase, Probability, RuleError, Trigger},
};

/// What parsing returns.
pub(in crate::domain::rules) type Parsed<T> = Result<T, RuleError>;

/// The characters that end a keyword.
pub(super) const ENDS: [char; 3] = [':', ',', '"'];
/// The characters that end a bare value. Patterns can contain commas.
pub(super) const VALUE_ENDS: [char; 2] = [':', '"'];

/// Whether a value needs no quotes: it contains no character that ends it and is no keyword.
pub(in crate::domain::rules) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || VALUE_ENDS.contains(&c))
        && !is_reserved(text)
}

/// Whether a word is one that can stand after an action.
pub(super) fn is_reserved(word: &str) -> bool {
    ["as", "then"].contains(&word)
        || Lifetime::WORDS.contains(&word)
        || Phase::KEYWORDS.iter().any(|phase| phase.as_str() == word)
}

/// An error in a column.
pub(super) fn wrong_at<T>(column: usize, problem: impl Into<String>) -> Parsed<T> {
    Err(RuleError { column, problem: problem.into(), expected: Vec::new() })
}

/// A rule that is being parsed.
pub(super) struct Parser<'t> {
    pub(super) lexer: Lexer<'t>,
}

impl<'t> Parser<'t> {
    /// An error at the next word.
    pub(super) fn wrong<T>(&mut self, problem: impl Into<String>) -> Parsed<T> {
        wrong_at(self.lexer.column(), problem)
    }

    /// An error: the next word is not what was expected. `words` are the possible keywords.
    pub(super) fn expected<'w, T>(
        &mut self,
        what: &str,
        words: impl IntoIterator<Item = &'w str>,
    ) -> Parsed<T> {
        self.expected_rather(what, words, String::new())
    }

    /// The same, where more than keywords can be meant. `meant` is the question about it, if there is one.
    pub(super) fn expected_rather<'w, T>(
        &mut self,
        what: &str,
        words: impl IntoIterator<Item = &'w str>,
        mut meant: String,
    ) -> Parsed<T> {
        let found = self.lexer.peek(&ENDS);
        let head = found.split(['=', '.']).next().unwrap_or_default();
        let words: Vec<&str> = words.into_iter().filter(|word| *word != found).collect();
        if meant.is_empty() {
            meant = did_you_mean(head, words.iter().copied());
        }
        let comma = if meant.is_empty() { "," } else { ";" };
        let found = match (found, self.lexer.rest().chars().next()) {
            (_, None) => "unexpected end".to_owned(),
            ("", Some(sign)) => format!("found {:?}", sign.to_string()),
            (word, _) => format!("found {word:?}"),
        };
        Err(RuleError {
            column: self.lexer.column(),
            problem: format!("{found}{meant}{comma} expected {what}"),
            expected: words.into_iter().map(str::to_owned).collect(),
        })
    }

    /// What is said of a condition that stands after the colon, if one comes next.
    pub(super) fn belongs_before_colon(&self) -> Option<String> {
        let mut ahead = self.lexer.clone();
        let (word, next) = (ahead.word(&ENDS), ahead.peek(&ENDS));
        let is_percentage = word.strip_suffix('%').is_some_and(|share| Probability::parse(share).is_some());
        let trigger = match word {
            "where" => {
                return Some("conditions go before the colon: mount where volume=db1: fail".to_owned());
            }
            "per" => "first 2 per volume".to_owned(),
            word if is_percentage => word.to_owned(),
            word if Trigger::WORDS.contains(&word) && next.parse::<u64>().is_ok() => format!("{word} {next}"),
            _ => return None,
        };
        Some(format!("triggers such as {trigger} go before the colon: mount {trigger}: fail"))
    }

    /// The next keyword.
    pub(super) fn peek(&self) -> &'t str {
        self.lexer.peek(&ENDS)
    }

    /// Takes the keyword that [`Self::peek`] returned.
    pub(super) fn next(&mut self) -> &'t str {
        self.lexer.word(&ENDS)
    }

    /// Takes a keyword if it comes next.
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
            _ => self.expected("a whole number greater than 0", []),
        }
    }

    pub(super) fn duration(&mut self) -> Parsed<Duration> {
        let Some(duration) = duration::parse(self.peek()) else {
            return self.expected("a duration such as 200ms, 15s or 2m", []);
        };
        self.next();
        Ok(duration)
    }

    /// A duration longer than zero.
    pub(super) fn lasting(&mut self) -> Parsed<Duration> {
        let mut before = self.lexer.clone();
        let duration = self.duration()?;
        if duration.is_zero() {
            return wrong_at(before.column(), "expected a duration longer than 0s");
        }
        Ok(duration)
    }

    /// A quoted text, if one starts here.
    pub(super) fn quoted(&mut self) -> Parsed<Option<String>> {
        match self.lexer.quoted() {
            Some(Err(())) => {
                self.wrong("invalid quoted text; end it with \" and escape as in JSON: \\\" and \\\\")
            }
            text => Ok(text.and_then(Result::ok)),
        }
    }

    /// A value, bare or quoted.
    pub(super) fn value(&mut self, what: &str, ends: &[char]) -> Parsed<String> {
        if let Some(text) = self.quoted()? {
            return Ok(text);
        }
        match self.lexer.peek(ends) {
            word if is_plain(word) => Ok(self.lexer.word(ends).to_owned()),
            word if is_reserved(word) => self.expected(&format!("{what}; quote it if it is a keyword"), []),
            _ => self.expected(&format!("{what}, bare or quoted"), []),
        }
    }
}
