//! The filter after `/`: which entries of the journal somebody wants to see.
//!
//! Terms side by side must all hold; `-` before one turns it round. A word is looked for in everything
//! that an entry says; `op: vol: id: by: fault: status: outcome: lint: kind: took` ask about one part. What
//! asks about a part of a call never holds for an entry that is none.

use std::time::Duration;

use super::{
    duration,
    entry::{Call, Deed, Entry, Kind, Outcome},
    fault::{Calls, Pattern},
    lint::Lint,
    protocol::{Caller, Operation},
    scanner::{Scanner, nearest},
};

/// What each key asks about, for help and completion.
pub const KEYS: [(&str, &str); 10] = [
    ("op:", "the call: op:mount op:get,list op:writes"),
    ("vol:", "the volume's name: vol:db vol:db*"),
    ("id:", "the beginning of the mount ID: id:7f3a"),
    ("by:", "who called: by:docker by:podman by:simulated by:other"),
    ("fault:", "the rule that acted: fault:* fault:empty-get fault:hang"),
    ("status:", "the HTTP status: status:500 status:5xx"),
    ("outcome:", "how it ended: outcome:answered failed abandoned panicked waiting"),
    ("lint:", "what was odd: lint:* lint:leaked-mount"),
    ("kind:", "what it is: kind:call command fault driver note"),
    ("took", "how long it took: took>100ms took<1s"),
];

const OUTCOMES: [(&str, Option<Outcome>); 5] = [
    ("answered", Some(Outcome::Answered)),
    ("failed", Some(Outcome::Failed)),
    ("abandoned", Some(Outcome::Abandoned)),
    ("panicked", Some(Outcome::Panicked)),
    ("waiting", None),
];

const KINDS: [&str; 6] = ["call", "waiting", "command", "fault", "driver", "note"];

/// A filter. The empty one lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
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
    Kind(&'static str),
    Longer(Duration),
    Shorter(Duration),
    /// It tells something of one volume's life.
    LifeOf(String),
}

/// A text that is looked for: as a part, or as the whole where it is a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Text {
    Part(String),
    Whole(Pattern),
}

impl Text {
    fn matches(&self, text: &str) -> bool {
        match self {
            Self::Part(part) => contains(text, part),
            Self::Whole(pattern) => pattern.matches(text),
        }
    }
}

/// Whether a text has a part, in upper or lower case.
fn contains(text: &str, part: &str) -> bool {
    part.is_empty()
        || text.as_bytes().windows(part.len()).any(|bytes| bytes.eq_ignore_ascii_case(part.as_bytes()))
}

/// Why a text is no filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct QueryError {
    /// Where, from 1, in characters.
    pub column: usize,
    /// What was found and what was expected.
    pub problem: String,
}

impl std::str::FromStr for Query {
    type Err = QueryError;

    fn from_str(text: &str) -> Result<Self, QueryError> {
        let mut scanner = Scanner::new(text);
        let mut terms = Vec::new();
        while !scanner.is_at_end() {
            let column = scanner.column();
            let negated = scanner.take('-') || scanner.take('!');
            let asked = match scanner.quoted() {
                Some(Ok(words)) => Ok(Test::Word(words)),
                Some(Err(())) => Err("the quoted text does not end well".to_owned()),
                None => read(scanner.word(&[])),
            };
            terms.push(Term { negated, test: asked.map_err(|problem| QueryError { column, problem })? });
        }
        Ok(Self { terms })
    }
}

/// The words that can stand behind a key, for completion.
pub fn values(key: &str) -> Vec<&'static str> {
    match key {
        "op:" => Calls::all().map(Calls::word).collect(),
        "by:" => Caller::ALL.map(Caller::word).into(),
        "fault:" => vec!["*"],
        "status:" => vec!["200", "4xx", "5xx"],
        "outcome:" => OUTCOMES.map(|(word, _)| word).into(),
        "lint:" => std::iter::once("*").chain(Lint::ALL.map(Lint::word)).collect(),
        "kind:" => KINDS.into(),
        _ => Vec::new(),
    }
}

fn read(word: &str) -> Result<Test, String> {
    let Some(end) = word.find([':', '<', '>']) else { return Ok(Test::Word(word.to_owned())) };
    let (key, sign, value) = (&word[..end], &word[end..=end], &word[end + 1..]);
    if key == "took" {
        if sign == ":" {
            return Err("took is compared: took>100ms or took<1s".to_owned());
        }
        let duration = duration::parse(value)
            .ok_or_else(|| format!("{value:?} is no duration, as 200ms, 15s or 2m are"))?;
        return Ok(if sign == ">" { Test::Longer(duration) } else { Test::Shorter(duration) });
    }
    let key =
        KEYS.iter().map(|(known, _)| *known).find(|known| *known == format!("{key}{sign}")).ok_or_else(
            || {
                let keys = KEYS.map(|(key, _)| key);
                let meant = nearest(&format!("{key}:"), keys)
                    .map_or_else(String::new, |key| format!(", did you mean {key:?}?"));
                format!("{key:?} is no key{meant}; one of: {}; or quote it to look for it", keys.join(" "))
            },
        )?;
    if value.is_empty() {
        return Err(format!("after {key} there is nothing to look for"));
    }
    Ok(match key {
        "op:" => Test::Calls(operations(value)?),
        "vol:" => Test::Volume(text(value)?),
        "id:" => Test::Id(value.to_owned()),
        "by:" => Test::By(one_of(value, Caller::ALL.map(|caller| (caller.word(), caller)), "caller")?),
        "fault:" => Test::Fault(text(value)?),
        "status:" => Test::Status(status(value)?),
        "outcome:" => Test::Outcome(one_of(value, OUTCOMES, "outcome")?),
        "lint:" => Test::Lint(text(value)?),
        _ => Test::Kind(one_of(value, KINDS.map(|kind| (kind, kind)), "kind of entry")?),
    })
}

fn one_of<T: Copy, const N: usize>(value: &str, known: [(&str, T); N], what: &str) -> Result<T, String> {
    let words = known.map(|(word, _)| word);
    known.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning).ok_or_else(|| {
        let meant =
            nearest(value, words).map_or_else(String::new, |word| format!(", did you mean {word:?}?"));
        format!("{value:?} is no {what}{meant}; one of: {}", words.join(" "))
    })
}

fn operations(value: &str) -> Result<Vec<Operation>, String> {
    let mut operations = Vec::new();
    for word in value.split(',') {
        let calls = Calls::all().find(|calls| calls.word() == word).ok_or_else(|| {
            let meant = nearest(word, Calls::all().map(Calls::word));
            let meant = meant.map_or_else(String::new, |word| format!(", did you mean {word:?}?"));
            format!("{word:?} is no call{meant}")
        })?;
        operations.extend_from_slice(calls.operations());
    }
    Ok(operations)
}

fn text(value: &str) -> Result<Text, String> {
    if value.contains(['*', '?', '[', '{']) {
        return Pattern::new(value).map(Text::Whole).map_err(|error| error.to_string());
    }
    Ok(Text::Part(value.to_owned()))
}

fn status(value: &str) -> Result<[Option<u8>; 3], String> {
    let wrong = || format!("{value:?} is no status, as 500 or 5xx are");
    let digits: Vec<Option<u8>> = value
        .bytes()
        .map(|digit| match digit {
            b'0'..=b'9' => Ok(Some(digit - b'0')),
            b'x' | b'X' => Ok(None),
            _ => Err(wrong()),
        })
        .collect::<Result<_, _>>()?;
    digits.try_into().map_err(|_| wrong())
}

impl Query {
    /// What tells a volume's life: what changed it or tried to, and what a rule did to a call about it.
    pub fn life_of(volume: &str) -> Self {
        Self { terms: vec![Term { negated: false, test: Test::LifeOf(volume.to_owned()) }] }
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
    fault: Option<&'e Deed>,
}

impl<'e> Subject<'e> {
    fn of(entry: &'e Entry) -> Option<Self> {
        Some(match &entry.kind {
            Kind::Call(call) => Self {
                operation: call.operation,
                caller: call.caller,
                volume: call.volume.as_deref().unwrap_or_default(),
                id: call.id.as_deref().unwrap_or_default(),
                fault: call.fault.as_ref(),
            },
            Kind::Waiting(waiting) => Self {
                operation: Some(waiting.operation),
                caller: waiting.caller,
                volume: waiting.volume.as_deref().unwrap_or_default(),
                id: waiting.id.as_deref().unwrap_or_default(),
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
            Self::Fault(wanted) => about(&|call| call.fault.is_some_and(|deed| is_deed(wanted, deed))),
            Self::Status(digits) => {
                call(&|call| call.status.is_some_and(|status| has_digits(status, *digits)))
            }
            Self::Outcome(Some(outcome)) => call(&|call| call.outcome == *outcome),
            Self::Outcome(None) => matches!(entry.kind, Kind::Waiting(_)),
            Self::Lint(name) => call(&|call| call.lints.iter().any(|lint| name.matches(lint.word()))),
            Self::Kind(kind) => *kind == kind_of(entry),
            Self::Longer(than) => call(&|call| call.took > *than),
            Self::Shorter(than) => call(&|call| call.took < *than),
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

fn is_deed(wanted: &Text, deed: &Deed) -> bool {
    let label = deed.label.as_deref().unwrap_or_default();
    wanted.matches(label) || wanted.matches(&deed.action) || wanted.matches(&deed.id.to_string())
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
        Kind::Call(_) => "call",
        Kind::Waiting(_) => "waiting",
        Kind::Command(_) => "command",
        Kind::Fault(_) => "fault",
        Kind::Driver { .. } => "driver",
        Kind::Note { .. } => "note",
    }
}

/// Whether an entry says a word anywhere.
fn says(entry: &Entry, word: &str) -> bool {
    if let Some(subject) = Subject::of(entry) {
        let said = [
            subject.operation.map_or("", Operation::word),
            subject.caller.word(),
            subject.volume,
            subject.id,
            subject.fault.map_or("", |deed| &deed.action),
            subject.fault.and_then(|deed| deed.label.as_deref()).unwrap_or_default(),
        ];
        let ended = entry.call().is_some_and(|call| {
            [&call.error, &call.request_line].into_iter().flatten().any(|text| contains(text, word))
                || call.lints.iter().any(|lint| contains(lint.word(), word))
        });
        return ended || said.into_iter().any(|text| contains(text, word));
    }
    match &entry.kind {
        Kind::Command(execution) => contains(&execution.line, word) || contains(&execution.effect, word),
        Kind::Fault(event) => contains(&event.rule, word),
        Kind::Driver { standing } => contains(standing, word),
        Kind::Note { text } => contains(text, word),
        Kind::Call(_) | Kind::Waiting(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{entry::Execution, volume::Change};

    fn call() -> Call {
        Call {
            volume: Some("db1".into()),
            id: Some("7f3a".into()),
            fault: Some(Deed { id: 3, label: Some("slow".into()), action: "delay 200ms".into() }),
            outcome: Outcome::Failed,
            status: Some(503),
            error: Some("Device busy".into()),
            took: Duration::from_millis(201),
            lints: vec![Lint::LeakedMount],
            ..Call::answered(Operation::Mount, Caller::Docker)
        }
    }

    fn entry(kind: Kind) -> Entry {
        Entry { seq: 1, at: Timestamp::UNIX_EPOCH, kind }
    }

    #[test]
    fn each_term_asks_about_its_part() {
        let call = entry(Kind::Call(Box::new(call())));
        for (query, expected) in [
            ("", true),
            ("db", true),
            ("busy", true),
            ("nothing", false),
            ("\"device busy\"", true),
            ("op:mount", true),
            ("op:get,mount", true),
            ("op:writes", true),
            ("op:unmount", false),
            ("vol:db", true),
            ("vol:db*", true),
            ("vol:*b", false),
            ("id:7f", true),
            ("id:f3", false),
            ("by:docker", true),
            ("by:podman", false),
            ("fault:*", true),
            ("fault:slow", true),
            ("fault:delay*", true),
            ("fault:3", true),
            ("fault:hang", false),
            ("status:5xx", true),
            ("status:503", true),
            ("status:4xx", false),
            ("outcome:failed", true),
            ("outcome:waiting", false),
            ("lint:*", true),
            ("lint:leaked", true),
            ("lint:path*", false),
            ("kind:call", true),
            ("took>100ms", true),
            ("took<100ms", false),
            ("-db", false),
            ("!op:get", true),
            ("op:mount -fault:*", false),
            ("op:mount status:5xx took>0.2s vol:db* -by:podman", true),
        ] {
            let parsed: Query = query.parse().unwrap_or_else(|error| panic!("{query}: {error}"));
            assert_eq!(parsed.matches(&call), expected, "{query}");
        }
    }

    #[test]
    fn what_asks_about_a_call_holds_for_no_other_entry() {
        let command = entry(Kind::Command(Execution {
            line: "forget db1".into(),
            effect: "gone".into(),
            changes: Vec::new(),
        }));
        for (query, expected) in
            [("db1", true), ("kind:command", true), ("op:any", false), ("-op:any", true), ("vol:*", false)]
        {
            assert_eq!(query.parse::<Query>().expect(query).matches(&command), expected, "{query}");
        }
    }

    #[test]
    fn a_wrong_filter_is_told_where_and_what() {
        for (query, expected) in [
            ("op:mont", "column 1: \"mont\" is no call, did you mean \"mount\"?"),
            ("db  status:9", "column 5: \"9\" is no status"),
            ("vold:db", "column 1: \"vold\" is no key, did you mean \"vol:\"?"),
            ("vol:", "column 1: after vol: there is nothing"),
            ("vol:[", "column 1: "),
            ("took:5s", "column 1: took is compared"),
            ("took>5", "column 1: \"5\" is no duration"),
            ("-by:me", "column 1: \"me\" is no caller"),
            ("\"open", "column 1: the quoted text"),
            ("a=b outcome:fialed", "column 5: \"fialed\" is no outcome, did you mean \"failed\"?"),
        ] {
            let error = query.parse::<Query>().expect_err(query).to_string();
            assert!(error.starts_with(expected), "{query}: {error}");
        }
    }

    #[test]
    fn a_life_is_told_by_what_changes_it() {
        let ended = |call: Call| entry(Kind::Call(Box::new(call)));
        let asked = Call { operation: Some(Operation::Get), fault: None, ..call() };
        let command =
            |changes| entry(Kind::Command(Execution { line: String::new(), effect: String::new(), changes }));
        let forgotten = |name: &str| command(vec![Change::Forgotten { name: name.into() }]);
        let life = Query::life_of("db1");
        for (told, expected) in [
            (ended(call()), true),
            (ended(asked.clone()), false),
            (ended(Call { fault: call().fault, ..asked }), true),
            (ended(Call { volume: Some("db12".into()), ..call() }), false),
            (forgotten("db1"), true),
            (forgotten("db2"), false),
            (command(vec![Change::Wiped]), true),
            (command(Vec::new()), false),
        ] {
            assert_eq!(life.matches(&told), expected, "{told:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_reader(text in ".{0,40}") {
            if let Ok(query) = text.parse::<Query>() {
                query.matches(&entry(Kind::Call(Box::new(call()))));
            }
        }
    }
}
