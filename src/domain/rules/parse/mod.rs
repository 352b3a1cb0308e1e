//! Parses rules. Every error has a column, what was found and what was expected.
//!
//! ```text
//! RULE     = CALLS ["where" SELECTOR {"and" SELECTOR}] {WHEN} ":" STEP {"then" STEP} {LIMIT}
//! CALLS    = CALL {"," CALL}
//! CALL     = OPERATION | GROUP | INTERFACE"."METHOD
//! WHEN     = N"%" | "nth" N | "first" N | "every" N | "after" N | "per" ("volume" | "id" | "connection")
//! STEP     = [N"x"] ACTION ["as" FORM] ["before" | "after" | "twice"]
//! ACTION   = "hold" ["until" N ["within" DUR]] | "set" FIELD"="VALUE | "unset" FIELD | …
//! LIMIT    = "once" | "until" N | "flap" DUR DUR | "for" DUR
//! ```
//!
//! A value is a bare word, or a text in double quotes escaped as in JSON.

mod calls;
mod parser;
mod step;
mod when;

use std::str::FromStr;

use super::{
    action::{Action, ErrorForm, Phase},
    calls::Calls,
    lifetime::Lifetime,
    release_action::ReleaseAction,
    rule::{Rule, RuleError},
    trigger::Trigger,
};
use crate::domain::{
    lang::{duration, lexer::Lexer, suggest::nearest},
    model::protocol::Operation,
};
use parser::{Parsed, Parser, wrong_at};

pub(super) use parser::is_plain;

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Parsed<Self> {
        let mut parser = Parser { lexer: Lexer::new(text) };
        let rule = parser.rule()?;
        parser.end(&rule).map(|()| rule)
    }
}

impl Rule {
    /// Parses `RULE [as LABEL]`.
    pub fn parse_labelled(text: &str) -> Parsed<(Self, Option<String>)> {
        let mut parser = Parser { lexer: Lexer::new(text) };
        let rule = parser.rule()?;
        let label = if parser.take("as") { Some(parser.label()?) } else { None };
        parser.end(&rule).map(|()| (rule, label))
    }
}

impl FromStr for ReleaseAction {
    type Err = RuleError;

    fn from_str(text: &str) -> Parsed<Self> {
        let mut parser = Parser { lexer: Lexer::new(text) };
        let column = parser.lexer.column();
        let action = parser.action()?;
        if action.holds() {
            let problem = format!(
                "{:?} holds calls itself; expected another action, such as fail \"no\"",
                action.as_str()
            );
            return wrong_at(column, problem);
        }
        let phase = parser.phase(&action)?;
        if parser.lexer.is_at_end() {
            return Ok(Self { action, phase });
        }
        parser.expected("before, after, twice or the end", Phase::KEYWORDS.map(Phase::as_str))
    }
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
                self.condition(&calls, &mut trigger, !selectors.is_empty())?;
            }
        }
        let column = self.lexer.column();
        let chain = self.chain(&calls)?;
        let is_counted = trigger.counts()
            || chain.len() > 1
            || chain[0].times.is_some()
            || matches!(chain[0].action, Action::Barrier { .. });
        if trigger.per.is_some() && !is_counted {
            let problem = "nothing is counted per volume, id or connection; add nth N, first N, every N or \
                           after N before the colon, or a chain such as 2x null then pass";
            return wrong_at(column, problem);
        }
        let lifetime = self.lifetime()?;
        let rule = Rule { calls, selectors, trigger, chain, lifetime };
        if !rule.calls.iter().any(|calls| calls.any(|operation| rule.applies_to(operation))) {
            let problem = "the rule matches no calls: no operation supports all its conditions and actions";
            return wrong_at(1, problem);
        }
        if let Some((wanted, most)) = rule.closed_barrier() {
            let problem = format!(
                "the rule holds at most {most} of the {wanted} calls that it waits for; hold until fewer, or let it act \
                 on more calls"
            );
            return wrong_at(column, problem);
        }
        Ok(rule)
    }

    /// A label cannot look like an ID, `all` or an error format.
    fn label(&mut self) -> Parsed<String> {
        let label = self.lexer.peek(&[]);
        let is_word = label.starts_with(char::is_alphabetic)
            && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !is_word || label == "all" {
            return self.expected("a label: a letter, then letters, digits, - _ and ., and not \"all\"", []);
        }
        if let Some(form) = nearest(label, ErrorForm::ALL.map(ErrorForm::as_str)) {
            return self.wrong(format!(
                "{form:?} is an error format and must follow the message of \"fail\"; choose another label"
            ));
        }
        Ok(self.lexer.word(&[]).to_owned())
    }

    fn end(&mut self, rule: &Rule) -> Parsed<()> {
        if self.lexer.is_at_end() {
            return Ok(());
        }
        if let Some(problem) = self.belongs_before_colon() {
            return self.wrong(problem);
        }
        let last = rule.chain.last();
        // Here `after` was read as the phase.
        if last.is_some_and(|last| last.phase == Phase::After)
            && let Ok(count) = self.peek().parse::<u64>()
        {
            return self.wrong(format!(
                "triggers such as after {count} go before the colon: mount after {count}: fail"
            ));
        }
        if self.peek() == "then" {
            return self.expected(
                "the end: once, until, for and flap limit the whole rule; to limit one step, write 2x hang then pass",
                [],
            );
        }
        if Phase::KEYWORDS.iter().any(|phase| phase.as_str() == self.peek()) {
            return self.expected("the end; use before, after or twice once, directly after the action", []);
        }
        if self.peek() == "as" {
            let forms = ErrorForm::ALL.map(ErrorForm::as_str).join(" ");
            return self.expected(
                &format!("the end; the error format ({forms}) must directly follow the message"),
                [],
            );
        }
        if rule.lifetime != Lifetime::default() {
            return self.expected("another limit or the end", Lifetime::WORDS);
        }
        let within =
            matches!(last, Some(last) if matches!(last.action, Action::Barrier { within: None, .. }));
        let within = within.then_some("within");
        let words = Lifetime::WORDS
            .into_iter()
            .chain(within)
            .chain(["then"])
            .chain(Phase::KEYWORDS.map(Phase::as_str));
        let waits = last.is_some_and(|last| matches!(last.action, Action::Hold | Action::Hang));
        let time = duration::parse(self.peek()).filter(|_| waits);
        let meant = time.map_or_else(String::new, |time| {
            let time = duration::print(time);
            format!("; delay {time} holds each call for {time}")
        });
        let what = "before, after, twice, then, once, until N, for DUR, flap UP DOWN or the end";
        self.expected_rather(what, words, meant)
    }
}

/// A condition or action must apply to every operation and method that the rule names, and to at least one of each group.
fn check_applies(
    column: usize,
    word: &str,
    calls: &[Calls],
    applies_to: impl Fn(Option<Operation>) -> bool,
) -> Parsed<()> {
    match calls.iter().find(|calls| !calls.any(&applies_to)) {
        None => Ok(()),
        Some(calls) => {
            let possible = Operation::ALL.into_iter().filter(|operation| applies_to(Some(*operation)));
            let possible = possible.map(Operation::as_str).collect::<Vec<_>>().join(" ");
            wrong_at(
                column,
                format!("{word:?} does not apply to {:?}; it applies to: {possible}", calls.as_str()),
            )
        }
    }
}
