//! How rules are read. Every error says in which column what was found, and what was expected.
//!
//! ```text
//! RULE     = CALLS ["where" SELECTOR {"and" SELECTOR}] {WHEN} ":" STEP {"then" STEP} {LIMIT}
//! CALLS    = CALL {"," CALL}
//! WHEN     = N"%" | "nth" N | "first" N | "every" N | "after" N
//! STEP     = [N"x"] ENDING
//! ENDING   = ACTION ["as" SHAPE] ["before" | "after" | "twice"]
//! LIMIT    = "once" | "until" N | "flap" DUR DUR | "for" DUR
//! ```
//!
//! A value is a bare word, or a text in double quotes that is escaped as in JSON.

mod calls;
mod parser;
mod step;
mod when;

use super::{
    action::{ErrorShape, Phase},
    calls::Calls,
    lifetime::Lifetime,
    release_action::ReleaseAction,
    rule::{Rule, RuleError},
    trigger::Trigger,
};
use crate::domain::{
    lang::{lexer::Lexer, suggest::nearest},
    model::protocol::Operation,
};
use parser::{Parser, wrong_at};

pub(super) use parser::is_plain;

type Parsed<T> = Result<T, RuleError>;

/// Reads a rule and nothing behind it.
pub(super) fn rule(text: &str) -> Parsed<Rule> {
    let mut parser = Parser { lexer: Lexer::new(text) };
    let rule = parser.rule()?;
    parser.end(&rule).map(|()| rule)
}

/// Reads a rule and the label behind it.
pub(super) fn labelled(text: &str) -> Parsed<(Rule, Option<String>)> {
    let mut parser = Parser { lexer: Lexer::new(text) };
    let rule = parser.rule()?;
    let label = if parser.take("as") { Some(parser.label()?) } else { None };
    parser.end(&rule).map(|()| (rule, label))
}

/// Reads how a waiting call is to end, and nothing behind it.
pub(super) fn release_action(text: &str) -> Parsed<ReleaseAction> {
    let mut parser = Parser { lexer: Lexer::new(text) };
    let column = parser.lexer.column();
    let action = parser.action()?;
    if action.waits() {
        let problem = format!(
            "{:?} would keep it waiting; expected how it is to end, as in fail \"no\"",
            action.as_str()
        );
        return wrong_at(column, problem);
    }
    let phase = parser.phase(&action)?;
    if parser.lexer.is_at_end() {
        return Ok(ReleaseAction { action, phase });
    }
    parser.expected("before, after, twice or the end", Phase::SAID.map(Phase::as_str))
}

impl Parser<'_> {
    fn rule(&mut self) -> Parsed<Rule> {
        let calls = self.calls()?;
        let mut selectors = Vec::new();
        let mut trigger = Trigger::default();
        while !self.lexer.take(':') {
            if selectors.is_empty() && self.take("where") {
                selectors.push(self.selector(&calls)?);
                while self.take("and") {
                    selectors.push(self.selector(&calls)?);
                }
            } else {
                self.condition(&mut trigger, !selectors.is_empty())?;
            }
        }
        let chain = self.chain(&calls)?;
        let lifetime = self.lifetime()?;
        let rule = Rule { calls, selectors, trigger, chain, lifetime };
        if rule.operations().next().is_none() {
            let problem =
                "the rule never acts: no call fits all that stands after \"where\" and all that is to happen";
            return wrong_at(1, problem);
        }
        Ok(rule)
    }

    /// A label is a word that cannot be taken for a number, for all rules, or for the shape of an error.
    fn label(&mut self) -> Parsed<String> {
        let label = self.lexer.peek(&[]);
        let is_word = label.starts_with(char::is_alphabetic)
            && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !is_word || label == "all" {
            return self.expected("a label: a letter, then letters, digits, - _ and ., and not \"all\"", []);
        }
        if let Some(shape) = nearest(label, ErrorShape::ALL.map(ErrorShape::as_str)) {
            return self.wrong(format!(
                "the shape {shape:?} stands right after the message of \"fail\"; expected a label that is not so near to it"
            ));
        }
        Ok(self.lexer.word(&[]).to_owned())
    }

    fn end(&mut self, rule: &Rule) -> Parsed<()> {
        if self.lexer.is_at_end() {
            return Ok(());
        }
        if self.peek() == "then" {
            return self.expected(
                "the end: once, until, flap and for end the whole rule; count a step as in 2x hang then pass",
                [],
            );
        }
        if Phase::SAID.iter().any(|phase| phase.as_str() == self.peek()) {
            return self.expected("the end; before, after or twice stands once, right behind its action", []);
        }
        if self.peek() == "as" {
            let shapes = ErrorShape::ALL.map(ErrorShape::as_str).join(" ");
            return self.expected(
                &format!("the end; \"as\" and a shape ({shapes}) stand right after a message"),
                [],
            );
        }
        if rule.lifetime != Lifetime::default() {
            return self.expected("another limit or the end", Lifetime::WORDS);
        }
        let words = Lifetime::WORDS.into_iter().chain(["then"]).chain(Phase::SAID.map(Phase::as_str));
        self.expected("before, after, twice, then, once, until N, for DUR, flap UP DOWN or the end", words)
    }
}

/// What stands in the rule must fit every call that it names, and at least one of each group.
fn fit(column: usize, word: &str, calls: &[Calls], fits: impl Fn(Operation) -> bool) -> Parsed<()> {
    match calls.iter().find(|calls| !calls.operations().iter().any(|operation| fits(*operation))) {
        None => Ok(()),
        Some(calls) => {
            let fitting = Operation::ALL.into_iter().filter(|operation| fits(*operation));
            let fitting = fitting.map(Operation::as_str).collect::<Vec<_>>().join(" ");
            wrong_at(column, format!("{word:?} does not fit {:?}; it fits: {fitting}", calls.as_str()))
        }
    }
}
