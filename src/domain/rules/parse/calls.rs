//! The operations and the conditions after `where`.

use super::{
    check_applies,
    parser::{Parsed, Parser, VALUE_ENDS, wrong_at},
};
use crate::domain::{
    lang::full_name,
    model::protocol::Caller,
    rules::{Action, Calls, Pattern, Selector},
};

impl Parser<'_> {
    pub(super) fn calls(&mut self) -> Parsed<Vec<Calls>> {
        let mut calls = Vec::new();
        loop {
            let Ok(known) = self.peek().parse() else {
                let [words @ .., method] = Calls::WORDS;
                let what = format!("an operation: {}, or a method, as in {method}", words.join(" "));
                let meant = Calls::did_you_mean(self.peek());
                return self.expected_rather(&what, Calls::WORDS, meant);
            };
            self.next();
            calls.push(known);
            if !self.lexer.take(',') {
                return Ok(calls);
            }
        }
    }

    pub(super) fn selector(&mut self, calls: &[Calls]) -> Parsed<Selector> {
        let mut before = self.lexer.clone();
        let mut words = self.lexer.clone();
        let word = full_name(words.word(&[':', ',', '"', '=', '.']));
        if !Selector::WORDS.contains(&word) {
            let what = "volume=GLOB, opt.KEY[=GLOB], id=PREFIX, by=CALLER, peer=GLOB, connection=N, \
                        first-contact, known, unknown, mounted, unmounted or retry";
            return self.expected(what, Selector::WORDS);
        }
        self.lexer = words;
        let selector = match word {
            "volume" => Selector::Volume(self.given(word, "a name pattern", Self::pattern)?),
            "id" => Selector::Id(
                self.given(word, "an ID prefix", |parser, what| parser.value(what, &VALUE_ENDS))?,
            ),
            "by" => Selector::By(self.given(word, "a caller", |parser, _| parser.caller())?),
            "opt" => {
                if !self.lexer.take_adjacent('.') {
                    return self.expected("\".\" and an option key", []);
                }
                let key = self.value("an option key", &[':', '"', '='])?;
                // A colon may also end the conditions.
                let begins_step = |word: &str| {
                    let times = word.strip_suffix('x').and_then(|times| times.parse::<u64>().ok());
                    times.is_some() || Action::WORDS.contains(&word)
                };
                if !self.value_after_colon().is_some_and(begins_step) {
                    self.refuse_colon(&format!("opt.{key}"))?;
                }
                let is_given = self.lexer.clone().take_adjacent('=');
                let value = is_given.then(|| self.given(word, "an option pattern", Self::pattern));
                Selector::Option(key, value.transpose()?)
            }
            "peer" => {
                Selector::Peer(self.given(word, "a pattern for a process or an address", Self::pattern)?)
            }
            "connection" => {
                Selector::Connection(
                    self.given(word, "the number of a connection", |parser, _| parser.number())?,
                )
            }
            word => {
                let flag = Selector::FLAGS.into_iter().find(|flag| flag.as_str() == word);
                flag.expect("every other selector has no value")
            }
        };
        check_applies(before.column(), word, calls, |operation| selector.applies_to(operation))?;
        Ok(selector)
    }

    /// A value after a colon, as in a filter, if one comes next.
    pub(super) fn value_after_colon(&self) -> Option<&str> {
        let mut ahead = self.lexer.clone();
        let is_value = ahead.take_adjacent(':') && !ahead.is_at_space();
        Some(ahead.word(&VALUE_ENDS)).filter(|value| is_value && !value.is_empty())
    }

    /// In a filter a value after a colon need only be contained, so a rule, which compares it as a whole, does not take it.
    fn refuse_colon(&mut self, name: &str) -> Parsed<()> {
        match self.value_after_colon() {
            Some(value) => {
                let problem = format!(
                    "found \":\", expected \"=\": a rule compares the whole value, as in {name}={value}"
                );
                wrong_at(self.lexer.column(), problem)
            }
            None => Ok(()),
        }
    }

    /// The value after `=`.
    fn given<T>(
        &mut self,
        name: &str,
        what: &str,
        read: impl FnOnce(&mut Self, &str) -> Parsed<T>,
    ) -> Parsed<T> {
        self.refuse_colon(name)?;
        if self.lexer.take_adjacent('=') && !self.lexer.is_at_space() {
            read(self, what)
        } else {
            self.expected(&format!("\"=\" and {what}, without spaces"), [])
        }
    }

    fn pattern(&mut self, what: &str) -> Parsed<Pattern> {
        let mut before = self.lexer.clone();
        let text = self.value(what, &VALUE_ENDS)?;
        Pattern::new(&text)
            .or_else(|error| wrong_at(before.column(), format!("invalid pattern {text:?}: {error}")))
    }

    fn caller(&mut self) -> Parsed<Caller> {
        let words = Caller::ALL.map(Caller::as_str);
        match Caller::ALL.into_iter().find(|caller| caller.as_str() == self.peek()) {
            Some(caller) => {
                self.next();
                Ok(caller)
            }
            None => self.expected(&format!("a caller: {}", words.join(" ")), words),
        }
    }
}
