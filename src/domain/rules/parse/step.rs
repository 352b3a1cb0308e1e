//! The chain with its steps and their actions.

use super::{
    check_applies,
    parser::{ENDS, Parsed, Parser, VALUE_ENDS, wrong_at},
};
use crate::domain::{
    lang::duration,
    rules::{Action, Calls, ErrorForm, Mountpoint, Phase, Step},
};

impl Parser<'_> {
    pub(super) fn chain(&mut self, calls: &[Calls]) -> Parsed<Vec<Step>> {
        let mut chain = vec![self.step(calls)?];
        while self.take("then") {
            if let Some(last) = chain.last_mut() {
                last.times.get_or_insert(1);
            }
            chain.push(self.step(calls)?);
        }
        Ok(chain)
    }

    fn step(&mut self, calls: &[Calls]) -> Parsed<Step> {
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
        Ok(Step { times, action, phase })
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
            _ => Action::Implements(self.interfaces()?),
        })
    }

    fn fail(&mut self) -> Parsed<Action> {
        let Some(message) = self.quoted()? else {
            return self.expected("a message in double quotes", []);
        };
        Ok(Action::Fail { message, shape: self.shape().unwrap_or_default() })
    }

    fn reply(&mut self) -> Parsed<Action> {
        let body = match self.quoted()? {
            Some(text) => text,
            None if self.lexer.rest().starts_with(['{', '[']) => self.document()? + "\n",
            None => {
                return self.expected("a body: JSON that starts with { or [, or a text in double quotes", []);
            }
        };
        Ok(Action::Reply { body, shape: self.shape().unwrap_or(ErrorForm::Inband) })
    }

    /// `as SHAPE`, if it comes next. Any other word after `as` is a label.
    fn shape(&mut self) -> Option<ErrorForm> {
        let mut ahead = self.lexer.clone();
        let shape = (ahead.word(&ENDS) == "as")
            .then(|| ErrorForm::ALL.into_iter().find(|shape| shape.as_str() == ahead.peek(&ENDS)))
            .flatten()?;
        self.next();
        self.next();
        Some(shape)
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
