//! The filter after `/`: which entries of the journal to show.
//!
//! An entry must match all terms; `-` before a term negates it. A bare word is searched in the whole text of an entry, and
//! [`TERMS`] lists the terms for one property. A property of a request has the same name as in a rule, and is tested
//! by the rule's own [`Selector`]. Terms about calls never match other entries. `Display` prints a text that parses to
//! the same filter.

mod format;
mod parse;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub use parse::{FilterError, TERMS, meant, values};

use crate::domain::{
    model::{
        entry::{AppliedFault, Call, CallHead, Entry, EntryKind, Outcome},
        protocol::{Caller, Operation, Options, Request},
    },
    rules::{Calls, Pattern, RequestContext, Selector},
    text::{describe, symbols::UNICODE},
};

/// A filter. The empty one matches everything.
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
    Calls(Vec<Calls>),
    Volume(TextMatch),
    Node(Pattern),
    By(Caller),
    Peer(TextMatch),
    /// The other selectors of a rule.
    Selector(Selector),
    Fault(TextMatch),
    /// The three digits; `None` for `x`.
    Status([Option<u8>; 3]),
    /// `None` for `held`: a held call has no outcome yet.
    Outcome(Option<Outcome>),
    Lint(TextMatch),
    EntryKind(&'static str),
    LongerThan(Duration),
    ShorterThan(Duration),
    SeqAbove(u64),
    SeqBelow(u64),
    /// Whatever changed a volume or tried to.
    History(String),
}

/// A text to find: anywhere in a value, or a pattern for the whole value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum TextMatch {
    Contains(String),
    Glob(Pattern),
}

impl TextMatch {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Contains(part) => contains(text, part),
            Self::Glob(pattern) => pattern.matches(text),
        }
    }
}

/// Whether a text contains another, ignoring case.
fn contains(text: &str, part: &str) -> bool {
    part.is_empty()
        || text.as_bytes().windows(part.len()).any(|bytes| bytes.eq_ignore_ascii_case(part.as_bytes()))
}

impl Filter {
    /// The question about a term that one of the words was probably meant to be; empty if none was.
    pub fn did_you_mean(&self) -> String {
        let term = self.terms.iter().find_map(|term| match &term.test {
            Test::Word(word) => meant(word),
            _ => None,
        });
        term.map_or_else(String::new, |term| format!(", did you mean {term}?"))
    }

    /// The history of a volume: what changed it or tried to, and the calls about it that have a fault.
    pub fn history_of(volume: &str) -> Self {
        Self { terms: vec![Term { negated: false, test: Test::History(volume.to_owned()) }] }
    }

    /// The same filter for the entries of one instance.
    #[must_use]
    pub fn of_node(mut self, name: &str) -> Self {
        self.terms.push(Term { negated: false, test: Test::Node(Pattern::exactly(name)) });
        self
    }

    /// The same filter for the entries up to `last`.
    #[must_use]
    pub fn until(mut self, last: u64) -> Self {
        self.terms.push(Term { negated: false, test: Test::SeqBelow(last.saturating_add(1)) });
        self
    }

    /// The same filter without the entries of commands.
    #[must_use]
    pub fn without_commands(mut self) -> Self {
        let kinds = ["command", "engine_command"];
        self.terms.extend(kinds.map(|kind| Term { negated: true, test: Test::EntryKind(kind) }));
        self
    }

    /// Whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it matches an entry.
    pub fn matches(&self, entry: &Entry) -> bool {
        self.terms.iter().all(|term| term.test.matches(entry) != term.negated)
    }
}

/// A call that has ended or is held.
struct TestedCall<'e> {
    head: CallHead<'e>,
    /// What is only known when the call has ended.
    ended: Option<&'e Call>,
}

impl<'e> TestedCall<'e> {
    fn of(entry: &'e Entry) -> Option<Self> {
        Some(Self { head: entry.head()?, ended: entry.call() })
    }

    /// Tests what a rule would have tested when the request arrived.
    fn matches(&self, selector: &Selector) -> bool {
        let options = match selector {
            Selector::Option(..) => self.options(),
            Selector::Mounted | Selector::Unmounted | Selector::Known | Selector::Unknown
                if self.ended.is_none() =>
            {
                return false;
            }
            _ => Options::new(),
        };
        let CallHead { operation, request_line, caller, connection, peer, retry, .. } = self.head;
        let context = RequestContext {
            operation,
            request_line,
            volume: self.head.volume.unwrap_or_default(),
            id: self.head.mount_id.unwrap_or_default(),
            options: &options,
            caller,
            connection,
            peer,
            first_contact: self.ended.is_some_and(|call| call.first_contact),
            known: self.ended.is_some_and(|call| call.known),
            mounted: self.ended.is_some_and(|call| call.mounted),
            retry,
        };
        selector.applies_to(operation) && selector.matches(&context)
    }

    /// The options in a Create request. No other entry has a volume's options.
    fn options(&self) -> Options {
        let request = self.ended.filter(|call| call.operation == Some(Operation::Create));
        request.and_then(|call| Request::parse(&call.request.bytes).ok()).unwrap_or_default().options
    }
}

impl Test {
    fn matches(&self, entry: &Entry) -> bool {
        let head = |test: &dyn Fn(CallHead<'_>) -> bool| entry.head().is_some_and(test);
        let call = |test: &dyn Fn(&Call) -> bool| entry.call().is_some_and(test);
        match self {
            Self::Word(word) => has_text(entry, word),
            Self::Calls(calls) => {
                let is_one = |call: CallHead<'_>| {
                    let line = call.request_line.unwrap_or_default();
                    calls.iter().any(|calls| calls.include(call.operation, line))
                };
                head(&is_one)
            }
            Self::Volume(name) => head(&|call| name.matches(call.volume.unwrap_or_default())),
            Self::Node(name) => entry.node.as_deref().is_some_and(|node| name.matches(node)),
            Self::By(caller) => head(&|call| Selector::is_by(*caller, call.caller)),
            Self::Peer(text) => {
                head(&|call| call.peer.is_some_and(|peer| peer.is_known_as(|known| text.matches(known))))
            }
            Self::Selector(selector) => TestedCall::of(entry).is_some_and(|call| call.matches(selector)),
            Self::Fault(wanted) => head(&|call| call.fault.is_some_and(|fault| is_fault(wanted, fault))),
            Self::Status(digits) => {
                call(&|call| call.status.is_some_and(|status| has_digits(status, *digits)))
            }
            Self::Outcome(Some(outcome)) => call(&|call| call.outcome == *outcome),
            Self::Outcome(None) => matches!(entry.kind, EntryKind::Held(_)),
            Self::Lint(name) => call(&|call| call.lints.iter().any(|lint| name.matches(lint.as_str()))),
            Self::EntryKind(kind) => *kind == <&str>::from(&entry.kind),
            Self::LongerThan(limit) => call(&|call| call.duration > *limit),
            Self::ShorterThan(limit) => call(&|call| call.duration < *limit),
            Self::SeqAbove(limit) => entry.seq > *limit,
            Self::SeqBelow(limit) => entry.seq < *limit,
            Self::History(volume) => {
                entry.changes().iter().any(|change| change.name().is_none_or(|name| name == volume))
                    || head(&|call| {
                        let only_reads =
                            matches!(call.operation, Some(Operation::Get | Operation::Path) | None);
                        call.volume == Some(volume) && (!only_reads || call.fault.is_some())
                    })
            }
        }
    }
}

fn is_fault(wanted: &TextMatch, fault: &AppliedFault) -> bool {
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

/// Whether an entry has a text anywhere.
fn has_text(entry: &Entry, word: &str) -> bool {
    if let Some(head) = entry.head() {
        let texts = [
            head.operation.map_or("", Operation::as_str),
            head.caller.as_str(),
            head.volume.unwrap_or_default(),
            head.mount_id.unwrap_or_default(),
            head.fault.map_or("", |fault| &fault.action),
            head.fault.and_then(AppliedFault::label).unwrap_or_default(),
            head.fault.and_then(AppliedFault::release_action).unwrap_or_default(),
        ];
        let is_found = match &entry.kind {
            EntryKind::Call(call) => {
                contains(call.outcome.as_str(), word)
                    || [&call.error, &call.request_line]
                        .into_iter()
                        .flatten()
                        .any(|text| contains(text, word))
                    || call.lints.iter().any(|lint| contains(lint.as_str(), word))
                    || contains(&describe::outcome(call, &UNICODE).text, word)
            }
            _ => ["held", "waits"].into_iter().any(|text| contains(text, word)),
        };
        let is_peer = || head.peer.is_some_and(|peer| contains(&peer.to_string(), word));
        return is_found || texts.into_iter().any(|text| contains(text, word)) || is_peer();
    }
    let shown = describe::remark(entry, &UNICODE).into_iter().any(|shown| contains(&shown.text, word));
    shown
        || matches!(&entry.kind, EntryKind::Scenario(event) if event.texts().into_iter().any(|text| contains(text, word)))
}
