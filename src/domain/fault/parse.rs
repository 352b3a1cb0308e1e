//! How rules are read. Every error says in which column what was found, and what was expected.
//!
//! ```text
//! RULE     = CALLS ["where" SELECTOR {"and" SELECTOR}] {WHEN} ":" STEP {"then" STEP} {LIMIT}
//! CALLS    = CALL {"," CALL}
//! WHEN     = N"%" | "nth" N | "first" N | "every" N | "after" N
//! STEP     = [N"x"] ACTION ["as" SHAPE] ["before" | "after" | "twice"]
//! LIMIT    = "once" | "until" N | "flap" DUR DUR | "for" DUR
//! ```
//!
//! A value is a bare word, or a text in double quotes that is escaped as in JSON.

use std::time::Duration;

use super::{
    action::{Action, ErrorShape, Mountpoint, Phase},
    calls::Calls,
    lifetime::{Flap, Lifetime},
    rule::{Rule, RuleError, Step},
    selector::{Pattern, Selector},
    trigger::{Chance, Trigger},
};
use crate::domain::{
    duration,
    protocol::{Caller, Operation},
    scanner::{Scanner, nearest},
};

type Parsed<T> = Result<T, RuleError>;

/// What ends a word of the language.
const ENDS: [char; 3] = [':', ',', '"'];
/// What ends a bare value. A comma belongs to it, as patterns have them.
const VALUE_ENDS: [char; 2] = [':', '"'];

/// Whether a value can stand without quotes: it has no character that ends it, and is no word with a meaning.
pub(super) fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('-')
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || VALUE_ENDS.contains(&c))
        && !is_reserved(text)
}

fn is_reserved(word: &str) -> bool {
    ["as", "then"].contains(&word)
        || Lifetime::WORDS.contains(&word)
        || Phase::SAID.iter().any(|phase| phase.word() == word)
}

/// Reads a rule and nothing behind it.
pub(super) fn rule(text: &str) -> Parsed<Rule> {
    let mut parser = Parser { scanner: Scanner::new(text) };
    let rule = parser.rule()?;
    parser.end(&rule).map(|()| rule)
}

/// Reads a rule and the label behind it.
pub(super) fn labelled(text: &str) -> Parsed<(Rule, Option<String>)> {
    let mut parser = Parser { scanner: Scanner::new(text) };
    let rule = parser.rule()?;
    let label = if parser.take("as") { Some(parser.label()?) } else { None };
    parser.end(&rule).map(|()| (rule, label))
}

struct Parser<'t> {
    scanner: Scanner<'t>,
}

impl<'t> Parser<'t> {
    fn wrong<T>(&mut self, problem: impl Into<String>) -> Parsed<T> {
        Err(RuleError { column: self.scanner.column(), problem: problem.into(), expected: Vec::new() })
    }

    /// What comes next is not what was expected. `words` are the words that could have stood there.
    fn expected<'w, T>(&mut self, what: &str, words: impl IntoIterator<Item = &'w str>) -> Parsed<T> {
        let found = self.scanner.peek(&ENDS);
        let head = found.split(['=', '.']).next().unwrap_or_default();
        let words: Vec<&str> = words.into_iter().filter(|word| *word != found).collect();
        let meant = nearest(head, words.iter().copied())
            .map(|word| format!("; did you mean {word:?}?"))
            .unwrap_or_default();
        let found = match (found, self.scanner.rest().chars().next()) {
            (_, None) => "the rule ends here".to_owned(),
            ("", Some(sign)) => format!("found {sign:?}"),
            (word, _) => format!("found {word:?}"),
        };
        let expected = words.into_iter().map(str::to_owned).collect();
        self.wrong(format!("{found}, expected {what}{meant}"))
            .map_err(|error| RuleError { expected, ..error })
    }

    fn peek(&self) -> &'t str {
        self.scanner.peek(&ENDS)
    }

    fn next(&mut self) -> &'t str {
        self.scanner.word(&ENDS)
    }

    /// Takes a word if it comes next.
    fn take(&mut self, word: &str) -> bool {
        let taken = self.peek() == word;
        if taken {
            self.next();
        }
        taken
    }

    fn rule(&mut self) -> Parsed<Rule> {
        let calls = self.calls()?;
        let mut selectors = Vec::new();
        let mut trigger = Trigger::default();
        while !self.scanner.take(':') {
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
            return Err(RuleError { column: 1, problem: problem.into(), expected: Vec::new() });
        }
        Ok(rule)
    }

    fn calls(&mut self) -> Parsed<Vec<Calls>> {
        let mut calls = Vec::new();
        loop {
            let Some(known) = Calls::all().find(|calls| calls.word() == self.peek()) else {
                let words: Vec<_> = Calls::all().map(Calls::word).collect();
                return self.expected(&format!("a call: {}", words.join(" ")), words);
            };
            self.next();
            calls.push(known);
            if !self.scanner.take(',') {
                return Ok(calls);
            }
        }
    }

    fn condition(&mut self, trigger: &mut Trigger, selected: bool) -> Parsed<()> {
        let mut before = self.scanner.clone();
        let word = self.peek();
        if let Some(percent) = word.strip_suffix('%') {
            let Some(chance) = Chance::parse(percent) else {
                return self.expected("a chance between 0% and 100%, with at most four decimals", []);
            };
            if trigger.chance.replace(chance).is_some() {
                return self.wrong("there is a chance already; a rule has one");
            }
            self.next();
            return Ok(());
        }
        let Some(slot) = trigger.slot(word) else {
            let also = if selected { "\"and\"" } else { "\"where\"" };
            let words = Trigger::WORDS.into_iter().chain(["where", "and"]);
            return self.expected(
                &format!("a colon and what is to happen, or {also}, N%, nth N, first N, every N, after N"),
                words,
            );
        };
        if slot.is_some() {
            return self.wrong(format!("{word:?} stands twice"));
        }
        self.next();
        *slot = Some(self.number()?);
        if !trigger.can_hold() {
            let problem = format!("with this the rule never acts:{trigger}; all of them count from arming");
            return Err(RuleError { column: before.column(), problem, expected: Vec::new() });
        }
        Ok(())
    }

    fn number(&mut self) -> Parsed<u64> {
        match self.peek().parse() {
            Ok(number) if number > 0 => {
                self.next();
                Ok(number)
            }
            _ => self.expected("a whole number from 1", []),
        }
    }

    fn duration(&mut self) -> Parsed<Duration> {
        let Some(duration) = duration::parse(self.peek()) else {
            return self.expected("a duration such as 200ms, 15s or 2m", []);
        };
        self.next();
        Ok(duration)
    }

    fn lasting(&mut self) -> Parsed<Duration> {
        let mut before = self.scanner.clone();
        let duration = self.duration()?;
        if duration.is_zero() {
            let problem = "this is no time at all, expected a longer duration".to_owned();
            return Err(RuleError { column: before.column(), problem, expected: Vec::new() });
        }
        Ok(duration)
    }

    /// A text in quotes, if one begins here.
    fn quoted(&mut self) -> Parsed<Option<String>> {
        match self.scanner.quoted() {
            Some(Err(())) => self.wrong("the quoted text does not end well; quote as in JSON: \\\" and \\\\"),
            text => Ok(text.and_then(Result::ok)),
        }
    }

    /// A value, bare or in quotes.
    fn value(&mut self, what: &str, ends: &[char]) -> Parsed<String> {
        if let Some(text) = self.quoted()? {
            return Ok(text);
        }
        match self.scanner.peek(ends) {
            word if is_plain(word) => Ok(self.scanner.word(ends).to_owned()),
            word if is_reserved(word) => {
                self.expected(&format!("{what}; one that is named so stands in quotes"), [])
            }
            _ => self.expected(&format!("{what}, bare or in quotes"), []),
        }
    }

    fn selector(&mut self, calls: &[Calls]) -> Parsed<Selector> {
        let mut before = self.scanner.clone();
        let mut words = self.scanner.clone();
        let word = words.word(&[':', ',', '"', '=', '.']);
        if !Selector::WORDS.contains(&word) {
            let what = "volume=GLOB, opt.KEY[=GLOB], id=PREFIX, by=CALLER, mounted, unmounted or retry";
            return self.expected(what, Selector::WORDS);
        }
        self.scanner = words;
        let selector = match word {
            "volume" => Selector::Volume(self.given("a pattern for the name", Self::pattern)?),
            "id" => Selector::Id(
                self.given("the ID's beginning", |parser, what| parser.value(what, &VALUE_ENDS))?,
            ),
            "by" => Selector::By(self.given("the caller", |parser, _| parser.caller())?),
            "opt" => {
                if !self.scanner.take_adjacent('.') {
                    return self.expected("\".\" and the option's key", []);
                }
                let key = self.value("the option's key", &[':', '"', '='])?;
                let is_given = self.scanner.clone().take_adjacent('=');
                let value = is_given.then(|| self.given("a pattern for the option", Self::pattern));
                Selector::Option(key, value.transpose()?)
            }
            "mounted" => Selector::Mounted,
            "unmounted" => Selector::Unmounted,
            _ => Selector::Retry,
        };
        fit(before.column(), word, calls, selector.fits())?;
        Ok(selector)
    }

    /// What stands after `=`.
    fn given<T>(&mut self, what: &str, read: impl FnOnce(&mut Self, &str) -> Parsed<T>) -> Parsed<T> {
        if self.scanner.take_adjacent('=') && !self.scanner.is_at_space() {
            read(self, what)
        } else {
            self.expected(&format!("\"=\" and {what} without a space between"), [])
        }
    }

    fn pattern(&mut self, what: &str) -> Parsed<Pattern> {
        let mut before = self.scanner.clone();
        let text = self.value(what, &VALUE_ENDS)?;
        Pattern::new(&text).map_err(|error| RuleError {
            column: before.column(),
            problem: format!("{text:?} is no pattern: {}", error.kind()),
            expected: Vec::new(),
        })
    }

    fn caller(&mut self) -> Parsed<Caller> {
        let words = Caller::ALL.map(Caller::word);
        match Caller::ALL.into_iter().find(|caller| caller.word() == self.peek()) {
            Some(caller) => {
                self.next();
                Ok(caller)
            }
            None => self.expected(&format!("a caller: {}", words.join(" ")), words),
        }
    }

    fn chain(&mut self, calls: &[Calls]) -> Parsed<Vec<Step>> {
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
        let column = self.scanner.column();
        let action = self.action()?;
        fit(column, action.word(), calls, action.fits())?;
        let said = Phase::SAID.into_iter().find(|phase| phase.word() == self.peek());
        if let Some(phase) = said.filter(|phase| !action.phases().contains(phase)) {
            return self.wrong(format!(
                "{:?} alters the natural answer, so the work cannot come {:?} it; it fits: after, twice",
                action.word(),
                phase.word()
            ));
        }
        let phase = said.inspect(|_| {
            self.next();
        });
        Ok(Step { times, phase: phase.unwrap_or(action.phases()[0]), action })
    }

    fn action(&mut self) -> Parsed<Action> {
        let word = self.peek();
        if !Action::WORDS.contains(&word) {
            return self.expected(&format!("what is to happen: {}", Action::WORDS.join(" ")), Action::WORDS);
        }
        self.next();
        if let Some(plain) = Action::PLAIN.into_iter().find(|action| action.word() == word) {
            return Ok(plain);
        }
        Ok(match word {
            "fail" => self.fail()?,
            "delay" => self.delay()?,
            "drip" => Action::Drip { over: self.duration()? },
            "mountpoint" => Action::Mountpoint(self.mountpoint()?),
            "rename" => Action::Rename(self.value("the other name", &VALUE_ENDS)?),
            "scope" => Action::Scope(self.value("the scope", &VALUE_ENDS)?),
            _ => Action::Implements(self.interfaces()?),
        })
    }

    fn fail(&mut self) -> Parsed<Action> {
        let Some(message) = self.quoted()? else {
            return self.expected("the message in double quotes", []);
        };
        let mut ahead = self.scanner.clone();
        let shape = (ahead.word(&ENDS) == "as")
            .then(|| ErrorShape::ALL.into_iter().find(|shape| shape.word() == ahead.peek(&ENDS)))
            .flatten();
        if shape.is_some() {
            self.next();
            self.next();
        }
        Ok(Action::Fail { message, shape: shape.unwrap_or_default() })
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
            _ => self.expected("a duration, or a range of them such as 200ms..800ms", []),
        }
    }

    fn mountpoint(&mut self) -> Parsed<Mountpoint> {
        if let Some(named) = Mountpoint::NAMED.into_iter().find(|named| named.word() == self.peek()) {
            self.next();
            return Ok(named);
        }
        if self.scanner.rest().starts_with(['/', '"']) {
            return self.value("a path", &VALUE_ENDS).map(Mountpoint::Path);
        }
        self.expected(
            "empty, missing, relative, a path that begins with /, or one in quotes",
            Mountpoint::NAMED.iter().map(Mountpoint::word),
        )
    }

    fn interfaces(&mut self) -> Parsed<Vec<String>> {
        if self.take("nothing") {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        loop {
            names.push(self.value("the interfaces with commas between, or nothing", &ENDS)?);
            if !self.scanner.take(',') {
                return Ok(names);
            }
        }
    }

    fn lifetime(&mut self) -> Parsed<Lifetime> {
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
                return self.wrong(format!("{word:?} sets a limit that is set already"));
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

    /// A label is a word that cannot be taken for a number, for all rules, or for the shape of an error.
    fn label(&mut self) -> Parsed<String> {
        let label = self.scanner.peek(&[]);
        let is_word = label.starts_with(char::is_alphabetic)
            && label.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        if !is_word || label == "all" {
            return self.expected("a label: a letter, then letters, digits, - _ and ., and not \"all\"", []);
        }
        if let Some(shape) = nearest(label, ErrorShape::ALL.map(ErrorShape::word)) {
            return self.wrong(format!(
                "the shape {shape:?} stands right after the message of \"fail\"; expected a label that is not so near to it"
            ));
        }
        Ok(self.scanner.word(&[]).to_owned())
    }

    fn end(&mut self, rule: &Rule) -> Parsed<()> {
        if self.scanner.is_at_end() {
            return Ok(());
        }
        if self.peek() == "then" {
            return self.expected(
                "the end: once, until, flap and for end the whole rule; count a step as in 2x hang then pass",
                [],
            );
        }
        if Phase::SAID.iter().any(|phase| phase.word() == self.peek()) {
            return self.expected("the end; before, after or twice stands once, right behind its action", []);
        }
        if self.peek() == "as" {
            let shapes = ErrorShape::ALL.map(ErrorShape::word).join(" ");
            return self.expected(
                &format!("the end; \"as\" and a shape ({shapes}) stand right after a message"),
                [],
            );
        }
        if rule.lifetime != Lifetime::default() {
            return self.expected("another limit or the end", Lifetime::WORDS);
        }
        let words = Lifetime::WORDS.into_iter().chain(["then"]).chain(Phase::SAID.map(Phase::word));
        self.expected("before, after, twice, then, once, until N, for DUR, flap UP DOWN or the end", words)
    }
}

/// What stands in the rule must fit every call that it names, and at least one of each group.
fn fit(column: usize, word: &str, calls: &[Calls], fits: &[Operation]) -> Parsed<()> {
    let misfit =
        calls.iter().find(|calls| !calls.operations().iter().any(|operation| fits.contains(operation)));
    misfit.map_or(Ok(()), |calls| {
        let fitting: Vec<_> = fits.iter().map(|operation| operation.word()).collect();
        let problem = format!("{word:?} does not fit {:?}; it fits: {}", calls.word(), fitting.join(" "));
        Err(RuleError { column, problem, expected: Vec::new() })
    })
}
