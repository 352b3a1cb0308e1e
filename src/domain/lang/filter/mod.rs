//! The filter after `/`: which entries of the journal somebody wants to see.
//!
//! Terms side by side must all hold; `-` before one turns it round. A word is looked for in everything
//! that an entry says; `op: vol: id: by: fault: status: outcome: lint: kind: life: took seq` ask about one part.
//! What asks about a part of a call never holds for an entry that is none. A filter prints as what it is read from.

mod format;
mod parse;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use parse::{FilterError, KEYS, values};

use crate::domain::{
    model::{
        entry::{AppliedFault, Call, Entry, EntryKind, Outcome},
        protocol::{Caller, Operation},
    },
    rules::Pattern,
    text::{describe, symbols::UNICODE},
};

/// A filter. The empty one lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    terms: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Word(String),
    Calls(Vec<Operation>),
    Volume(Text),
    Id(String),
    By(Caller),
    Fault(Text),
    /// The three digits; none where any will do.
    Status([Option<u8>; 3]),
    Outcome(Option<Outcome>),
    Lint(Text),
    EntryKind(&'static str),
    Longer(Duration),
    Shorter(Duration),
    Later(u64),
    Earlier(u64),
    /// It tells something of one volume's life.
    LifeOf(String),
}

/// A text that is looked for: as a part, or as the whole where it is a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Text {
    KeywordGroup(String),
    Whole(Pattern),
}

impl Text {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::KeywordGroup(part) => contains(text, part),
            Self::Whole(pattern) => pattern.matches(text),
        }
    }
}

/// Whether a text has a part, in upper or lower case.
fn contains(text: &str, part: &str) -> bool {
    part.is_empty()
        || text.as_bytes().windows(part.len()).any(|bytes| bytes.eq_ignore_ascii_case(part.as_bytes()))
}

impl Filter {
    /// What tells a volume's life: what changed it or tried to, and what a rule did to a call about it.
    pub fn life_of(volume: &str) -> Self {
        Self { terms: vec![Term { negated: false, test: Test::LifeOf(volume.to_owned()) }] }
    }

    /// The same, of the entries up to one by its number.
    #[must_use]
    pub fn until(mut self, last: u64) -> Self {
        self.terms.push(Term { negated: false, test: Test::Earlier(last.saturating_add(1)) });
        self
    }

    /// Whether it lets everything through.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it lets an entry through.
    pub fn matches(&self, entry: &Entry) -> bool {
        self.terms.iter().all(|term| term.test.holds(entry) != term.negated)
    }
}

/// What a call and its waiting have in common.
struct Subject<'e> {
    operation: Option<Operation>,
    caller: Caller,
    volume: &'e str,
    id: &'e str,
    fault: Option<&'e AppliedFault>,
}

impl<'e> Subject<'e> {
    fn of(entry: &'e Entry) -> Option<Self> {
        Some(match &entry.kind {
            EntryKind::Call(call) => Self {
                operation: call.operation,
                caller: call.caller,
                volume: call.volume.as_deref().unwrap_or_default(),
                id: call.mount_id.as_deref().unwrap_or_default(),
                fault: call.fault.as_ref(),
            },
            EntryKind::Held(waiting) => Self {
                operation: Some(waiting.operation),
                caller: waiting.caller,
                volume: waiting.volume.as_deref().unwrap_or_default(),
                id: waiting.mount_id.as_deref().unwrap_or_default(),
                fault: Some(&waiting.fault),
            },
            _ => return None,
        })
    }
}

impl Test {
    fn holds(&self, entry: &Entry) -> bool {
        let about = |holds: &dyn Fn(Subject<'_>) -> bool| Subject::of(entry).is_some_and(holds);
        let call = |holds: &dyn Fn(&Call) -> bool| entry.call().is_some_and(holds);
        match self {
            Self::Word(word) => says(entry, word),
            Self::Calls(calls) => about(&|call| call.operation.is_some_and(|one| calls.contains(&one))),
            Self::Volume(name) => about(&|call| name.matches(call.volume)),
            Self::Id(prefix) => about(&|call| call.id.starts_with(prefix)),
            Self::By(caller) => about(&|call| call.caller == *caller),
            Self::Fault(wanted) => about(&|call| call.fault.is_some_and(|fault| has_fault(wanted, fault))),
            Self::Status(digits) => {
                call(&|call| call.status.is_some_and(|status| has_digits(status, *digits)))
            }
            Self::Outcome(Some(outcome)) => call(&|call| call.outcome == *outcome),
            Self::Outcome(None) => matches!(entry.kind, EntryKind::Held(_)),
            Self::Lint(name) => call(&|call| call.lints.iter().any(|lint| name.matches(lint.as_str()))),
            Self::EntryKind(kind) => *kind == kind_of(entry),
            Self::Longer(than) => call(&|call| call.duration > *than),
            Self::Shorter(than) => call(&|call| call.duration < *than),
            Self::Later(than) => entry.seq > *than,
            Self::Earlier(than) => entry.seq < *than,
            Self::LifeOf(volume) => {
                entry.changes().iter().any(|change| change.name().is_none_or(|name| name == volume))
                    || about(&|call| {
                        let only_asks =
                            matches!(call.operation, Some(Operation::Get | Operation::Path) | None);
                        call.volume == volume && (!only_asks || call.fault.is_some())
                    })
            }
        }
    }
}

fn has_fault(wanted: &Text, fault: &AppliedFault) -> bool {
    wanted.matches(fault.label().unwrap_or_default())
        || wanted.matches(&fault.action)
        || fault.rule().is_some_and(|id| wanted.matches(&id.to_string()))
}

fn has_digits(status: u16, wanted: [Option<u8>; 3]) -> bool {
    let digits = [status / 100, status / 10 % 10, status % 10];
    wanted
        .into_iter()
        .zip(digits)
        .all(|(wanted, digit)| wanted.is_none_or(|wanted| u16::from(wanted) == digit))
}

const fn kind_of(entry: &Entry) -> &'static str {
    match entry.kind {
        EntryKind::Session(_) => "session",
        EntryKind::Registration(_) => "registration",
        EntryKind::Call(_) => "call",
        EntryKind::Held(_) => "held",
        EntryKind::Released(_) => "released",
        EntryKind::Volume(_) => "volume",
        EntryKind::Rule(_) => "rule",
        EntryKind::Driver(_) => "driver",
        EntryKind::Command(_) => "command",
        EntryKind::EngineCommand(_) => "engine_command",
        EntryKind::Scenario(_) => "scenario",
        EntryKind::Note { .. } => "note",
    }
}

/// Whether an entry says a word anywhere.
fn says(entry: &Entry, word: &str) -> bool {
    if let Some(subject) = Subject::of(entry) {
        let said = [
            subject.operation.map_or("", Operation::as_str),
            subject.caller.as_str(),
            subject.volume,
            subject.id,
            subject.fault.map_or("", |fault| &fault.action),
            subject.fault.and_then(AppliedFault::label).unwrap_or_default(),
            subject.fault.and_then(AppliedFault::release_action).unwrap_or_default(),
        ];
        let ended = match &entry.kind {
            EntryKind::Call(call) => {
                contains(parse::outcome_word(Some(call.outcome)), word)
                    || [&call.error, &call.request_line]
                        .into_iter()
                        .flatten()
                        .any(|text| contains(text, word))
                    || call.lints.iter().any(|lint| contains(lint.as_str(), word))
                    || contains(&describe::outcome(call, &UNICODE).text, word)
            }
            _ => ["waiting", "waits"].into_iter().any(|text| contains(text, word)),
        };
        return ended || said.into_iter().any(|text| contains(text, word));
    }
    let shown = describe::remark(entry, &UNICODE).into_iter().any(|said| contains(&said.text, word));
    shown
        || matches!(&entry.kind, EntryKind::Scenario(event) if event.texts().into_iter().any(|text| contains(text, word)))
}
