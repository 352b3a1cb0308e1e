//! The conditions of the trigger, and the limits of the lifetime.

use super::{
    check_applies,
    parser::{Parsed, Parser, wrong_at},
};
use crate::domain::{
    lang::full_name,
    rules::{Calls, Flap, Lifetime, Per, Probability, Selector, Trigger},
};

impl Parser<'_> {
    pub(super) fn condition(&mut self, calls: &[Calls], trigger: &mut Trigger, selected: bool) -> Parsed<()> {
        let mut before = self.lexer.clone();
        let word = self.peek();
        if let Some(percent) = word.strip_suffix('%') {
            let Some(chance) = Probability::parse(percent) else {
                return self.expected("a probability from 0% to 100% with at most four decimals", []);
            };
            if trigger.chance.replace(chance).is_some() {
                return self.wrong("a rule has only one probability");
            }
            self.next();
            return Ok(());
        }
        if word == "per" {
            return self.per(calls, trigger);
        }
        let Some(slot) = trigger.slot(word) else {
            let also = if selected { "and" } else { "where" };
            let per = trigger.per.is_none().then_some("per");
            let chance = trigger.chance.is_none().then_some("50%");
            let left = Trigger::WORDS
                .into_iter()
                .filter(|word| trigger.slot(word).is_some_and(|slot| slot.is_none()));
            let words: Vec<_> = [":", also].into_iter().chain(chance).chain(left).chain(per).collect();
            // A condition as in a filter, which has no word before it, or only the names of volumes.
            let name = word.split(['=', '.']).next().map(full_name).unwrap_or_default();
            let mut ahead = Self { lexer: self.lexer.clone() };
            ahead.next();
            let value = ahead
                .value_after_colon()
                .filter(|_| !Selector::FLAGS.iter().any(|flag| flag.as_str() == name));
            let value = value.map_or_else(String::new, |value| format!("={value}"));
            let meant = if Selector::WORDS.contains(&name) {
                format!(", did you mean \"{also} {word}{value}\"?")
            } else if word.contains('*') {
                format!(", did you mean \"{also} volume={word}\"?")
            } else {
                String::new()
            };
            return self.expected_rather(
                &format!(
                    "\":\" and an action, or {also:?}, N%, nth N, first N, every N, after N, per volume"
                ),
                words,
                meant,
            );
        };
        if slot.is_some() {
            return self.wrong(format!("duplicate {word:?}"));
        }
        self.next();
        *slot = Some(self.number()?);
        if !trigger.can_hold_after(0) {
            let problem =
                format!("the rule never acts:{trigger}; all conditions count the same calls, from arming on");
            return wrong_at(before.column(), problem);
        }
        Ok(())
    }

    /// `per volume|id|connection`.
    fn per(&mut self, calls: &[Calls], trigger: &mut Trigger) -> Parsed<()> {
        if trigger.per.is_some() {
            return self.wrong("duplicate \"per\"");
        }
        self.next();
        let column = self.lexer.column();
        let Some(per) = Per::ALL.into_iter().find(|per| per.as_str() == self.peek()) else {
            return self.expected("what to count by: volume, id or connection", Per::ALL.map(Per::as_str));
        };
        self.next();
        let word = format!("per {}", per.as_str());
        check_applies(column, &word, calls, |operation| per.applies_to(operation))?;
        trigger.per = Some(per);
        Ok(())
    }

    pub(super) fn lifetime(&mut self) -> Parsed<Lifetime> {
        let mut lifetime = Lifetime::default();
        loop {
            let word = self.peek();
            let twice = match word {
                "once" | "until" => lifetime.fires.is_some(),
                "flap" => lifetime.flap.is_some(),
                "for" => lifetime.lasting.is_some(),
                _ => return Ok(lifetime),
            };
            if twice {
                return self.wrong(format!("duplicate limit {word:?}"));
            }
            self.next();
            match word {
                "once" => lifetime.fires = Some(1),
                "until" => lifetime.fires = Some(self.number()?),
                "flap" => lifetime.flap = Some(Flap { up: self.lasting()?, down: self.lasting()? }),
                _ => lifetime.lasting = Some(self.lasting()?),
            }
        }
    }
}
