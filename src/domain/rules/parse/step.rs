//! The chain with its steps and their actions.

use super::{
    check_applies,
    parser::{ENDS, Parsed, Parser, VALUE_ENDS, is_reserved, wrong_at},
};
use crate::domain::{
    lang::{duration, json, lexer::quote},
    rules::{Action, Calls, ChainStep, ErrorForm, FAILURE, FieldPath, Mountpoint, Phase, template},
};

impl Parser<'_> {
    pub(super) fn chain(&mut self, calls: &[Calls]) -> Parsed<Vec<ChainStep>> {
        let mut chain = vec![self.step(calls)?];
        while self.take("then") {
            if let Some(last) = chain.last_mut() {
                last.times.get_or_insert(1);
            }
            chain.push(self.step(calls)?);
        }
        Ok(chain)
    }

    fn step(&mut self, calls: &[Calls]) -> Parsed<ChainStep> {
        let times = match self.peek().strip_suffix('x').map(str::parse) {
            Some(Ok(0)) => return self.expected("at least 1x", []),
            Some(Ok(times)) => {
                self.next();
                Some(times)
            }
            _ => None,
        };
        let column = self.lexer.column();
        let action = self.action()?;
        check_applies(column, action.as_str(), calls, |operation| action.applies_to(operation))?;
        let phase = self.phase(&action)?;
        Ok(ChainStep { times, action, phase })
    }

    /// The phase of an action; without a keyword its default.
    pub(super) fn phase(&mut self, action: &Action) -> Parsed<Phase> {
        let keyword = Phase::KEYWORDS.into_iter().find(|phase| phase.as_str() == self.peek());
        if let Some(phase) = keyword.filter(|phase| !action.phases().contains(phase)) {
            return self.wrong(format!(
                "{:?} sends the result of the driver's work, so it cannot come {:?} it; possible: after, twice",
                action.as_str(),
                phase.as_str()
            ));
        }
        let phase = keyword.inspect(|_| {
            self.next();
        });
        Ok(phase.unwrap_or(action.phases()[0]))
    }

    pub(super) fn action(&mut self) -> Parsed<Action> {
        let word = self.peek();
        if !Action::WORDS.contains(&word) {
            return self.expected(&format!("an action: {}", Action::WORDS.join(" ")), Action::WORDS);
        }
        self.next();
        if word == "hold" && self.take("until") {
            return self.barrier();
        }
        if let Some(plain) = Action::PLAIN.into_iter().find(|action| action.as_str() == word) {
            return Ok(plain);
        }
        Ok(match word {
            "fail" => self.fail()?,
            "reply" => self.reply()?,
            "delay" => self.delay()?,
            "drip" => Action::Drip { over: self.duration()? },
            "mountpoint" => Action::Mountpoint(self.mountpoint()?),
            "rename" => Action::Rename(self.value("a volume name", &VALUE_ENDS)?),
            "scope" => Action::Scope(self.value("a scope", &VALUE_ENDS)?),
            "set" => self.set()?,
            "unset" => Action::Unset(self.field_path()?),
            _ => Action::Implements(self.interfaces()?),
        })
    }

    /// `N [within DUR]`, after `hold until`.
    fn barrier(&mut self) -> Parsed<Action> {
        let mut before = self.lexer.clone();
        let calls = self.number()?;
        if calls < 2 {
            let problem = "a barrier waits for at least 2 calls; to hold one call, write hold once";
            return wrong_at(before.column(), problem);
        }
        let within = if self.take("within") { Some(self.lasting()?) } else { None };
        Ok(Action::Barrier { calls, within })
    }

    /// `PATH=VALUE`.
    fn set(&mut self) -> Parsed<Action> {
        let path = self.field_path()?;
        if !self.lexer.take_adjacent('=') || self.lexer.is_at_space() {
            return self.expected("\"=\" and a value, without spaces", []);
        }
        let column = self.lexer.column();
        let value = if self.lexer.rest().starts_with(['{', '[', '"', '-']) {
            self.document()?
        } else {
            let word = self.value("a value, JSON or a word", &VALUE_ENDS)?;
            json::compact(&word).unwrap_or_else(|| quote(&word))
        };
        check_template(column, &value)?;
        Ok(Action::Set { path, value })
    }

    /// Keys separated by dots.
    fn field_path(&mut self) -> Parsed<FieldPath> {
        let mut keys = Vec::new();
        loop {
            let key = match self.quoted()? {
                Some(key) => key,
                None => self.lexer.word(&['.', '=', ':', '"', ',']).to_owned(),
            };
            if key.is_empty() {
                return self.expected("a field, such as Volume.Mountpoint", []);
            }
            keys.push(key);
            if !self.lexer.take_adjacent('.') {
                return Ok(FieldPath(keys));
            }
        }
    }

    fn fail(&mut self) -> Parsed<Action> {
        let message = match self.quoted()? {
            Some(message) => message,
            None if self.lexer.is_at_end() || is_reserved(self.peek()) => FAILURE.to_owned(),
            None => {
                if let Some(problem) = self.belongs_before_colon() {
                    return self.wrong(problem);
                }
                let rest = self.lexer.rest();
                let words = rest.split_whitespace().take_while(|word| !is_reserved(word));
                let message = words.collect::<Vec<_>>().join(" ").replace(['"', '\\'], "");
                return self.expected(&format!("a message in double quotes: fail \"{message}\""), []);
            }
        };
        Ok(Action::Fail { message, form: self.form().unwrap_or_default() })
    }

    fn reply(&mut self) -> Parsed<Action> {
        let column = self.lexer.column();
        let body = match self.quoted()? {
            Some(text) => text,
            None if self.lexer.rest().starts_with(['{', '[']) => self.document()? + "\n",
            None => {
                return self.expected("a body: JSON that starts with { or [, or a text in double quotes", []);
            }
        };
        check_template(column, &body)?;
        Ok(Action::Reply { body, form: self.form().unwrap_or(ErrorForm::Inband) })
    }

    /// `as FORM`, if it comes next. Any other word after `as` is a label.
    fn form(&mut self) -> Option<ErrorForm> {
        let mut ahead = self.lexer.clone();
        let form = (ahead.word(&ENDS) == "as")
            .then(|| ErrorForm::ALL.into_iter().find(|form| form.as_str() == ahead.peek(&ENDS)))
            .flatten()?;
        self.next();
        self.next();
        Some(form)
    }

    /// A JSON document, compacted to one line.
    fn document(&mut self) -> Parsed<String> {
        let column = self.lexer.column();
        self.lexer.document().or_else(|(offset, problem)| {
            wrong_at(column + offset, format!("invalid JSON: {problem}; quote a text that is not JSON"))
        })
    }

    fn delay(&mut self) -> Parsed<Action> {
        let Some((from, to)) = self.peek().split_once("..") else {
            let delay = self.duration()?;
            return Ok(Action::Delay { from: delay, to: delay });
        };
        match (duration::parse(from), duration::parse(to)) {
            (Some(from), Some(to)) if from <= to => {
                self.next();
                Ok(Action::Delay { from, to })
            }
            _ => self.expected("a duration, or a range such as 200ms..800ms", []),
        }
    }

    fn mountpoint(&mut self) -> Parsed<Mountpoint> {
        if let Some(named) = Mountpoint::NAMED.into_iter().find(|named| named.as_str() == self.peek()) {
            self.next();
            return Ok(named);
        }
        if self.lexer.rest().starts_with(['/', '"']) {
            return self.value("a path", &VALUE_ENDS).map(Mountpoint::Path);
        }
        self.expected(
            "empty, missing, relative, or a path that starts with / or is quoted",
            Mountpoint::NAMED.iter().map(Mountpoint::as_str),
        )
    }

    fn interfaces(&mut self) -> Parsed<Vec<String>> {
        if self.take("nothing") {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        loop {
            names.push(self.value("interfaces separated by commas, or nothing", &ENDS)?);
            if !self.lexer.take(',') {
                return Ok(names);
            }
        }
    }
}

/// In a text, all placeholders must be known.
fn check_template(column: usize, text: &str) -> Parsed<()> {
    template::validate(text).or_else(|(offset, problem)| wrong_at(column + offset, problem))
}
