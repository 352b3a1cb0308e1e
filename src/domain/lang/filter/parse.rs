//! Reading a filter: its words, and what is wrong with those that are none.

use std::str::FromStr;

use super::{Filter, Term, Test, Text};
use crate::domain::{
    lang::{duration, lexer::Lexer, suggest::did_you_mean},
    model::{
        entry::Outcome,
        lint::Lint,
        protocol::{Caller, Operation},
    },
    rules::{Calls, Pattern},
};

/// What each key asks about, for help and completion.
pub const KEYS: [(&str, &str); 12] = [
    ("op:", "the call: op:mount op:get,list op:writes"),
    ("vol:", "the volume's name: vol:db vol:db*"),
    ("id:", "the beginning of the mount ID: id:7f3a"),
    ("by:", "who called: by:docker by:podman by:simulated by:other"),
    ("fault:", "the rule that acted: fault:* fault:empty-get fault:hang"),
    ("status:", "the HTTP status: status:500 status:5xx"),
    ("outcome:", "how it ended: outcome:ok error cancelled panicked held"),
    ("lint:", "what was odd: lint:* lint:leaked-mount"),
    ("kind:", "what it is: kind:call command rule driver note"),
    ("life:", "what tells a volume's life: life:db1"),
    ("took", "how long it took: took>100ms took<1s"),
    ("seq", "its number in the journal: seq>100 seq<200"),
];

const OUTCOMES: [(&str, Option<Outcome>); 5] = [
    ("ok", Some(Outcome::Ok)),
    ("error", Some(Outcome::Error)),
    ("cancelled", Some(Outcome::Cancelled)),
    ("panicked", Some(Outcome::Panicked)),
    ("held", None),
];

const KINDS: [&str; 12] = [
    "session",
    "registration",
    "call",
    "held",
    "released",
    "volume",
    "rule",
    "driver",
    "command",
    "engine_command",
    "scenario",
    "note",
];

/// Why a text is no filter, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct FilterError {
    /// Where, from 1, in characters.
    pub column: usize,
    /// What was found and what was expected.
    pub problem: String,
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut lexer = Lexer::new(text);
        let mut terms = Vec::new();
        while !lexer.is_at_end() {
            let negated = lexer.take('-') || lexer.take('!');
            let column = lexer.column();
            let wrong = |Wrong { at, problem }| FilterError { column: column + at, problem };
            terms.push(Term { negated, test: read_next(&mut lexer).map_err(wrong)? });
        }
        Ok(Self { terms })
    }
}

/// The words that can stand behind a key, for completion.
pub fn values(key: &str) -> Vec<&'static str> {
    match key {
        "op:" => Calls::all().map(Calls::as_str).collect(),
        "by:" => Caller::ALL.map(Caller::as_str).into(),
        "fault:" => vec!["*"],
        "status:" => vec!["200", "4xx", "5xx"],
        "outcome:" => OUTCOMES.map(|(word, _)| word).into(),
        "lint:" => std::iter::once("*").chain(Lint::ALL.map(Lint::as_str)).collect(),
        "kind:" => KINDS.into(),
        _ => Vec::new(),
    }
}

/// The word of an outcome.
pub(super) fn outcome_word(outcome: Option<Outcome>) -> &'static str {
    OUTCOMES.iter().find(|(_, known)| *known == outcome).map_or("held", |(word, _)| word)
}

/// What is wrong with a term.
struct Wrong {
    /// Where in it, in characters.
    at: usize,
    problem: String,
}

impl From<String> for Wrong {
    fn from(problem: String) -> Self {
        Self { at: 0, problem }
    }
}

/// A word, a text in quotes, or a key with either behind it.
fn read_next(lexer: &mut Lexer<'_>) -> Result<Test, Wrong> {
    let ends_badly = |()| "the quoted text does not end well".to_owned();
    if let Some(words) = lexer.quoted() {
        return Ok(words.map(Test::Word).map_err(ends_badly)?);
    }
    if !lexer.peek(&['"']).ends_with(':') {
        return read(lexer.word(&[]));
    }
    let key = lexer.word(&['"']);
    let quoted = if lexer.is_at_space() { None } else { lexer.quoted() };
    read(&format!("{key}{}", quoted.transpose().map_err(ends_badly)?.unwrap_or_default()))
}

fn read(word: &str) -> Result<Test, Wrong> {
    let Some(end) = word.find([':', '<', '>']) else { return Ok(Test::Word(word.to_owned())) };
    let (key, sign, value) = (&word[..end], &word[end..=end], &word[end + 1..]);
    let wanted = format!("{key}{sign}");
    let known = KEYS
        .iter()
        .map(|(known, _)| *known)
        .find(|known| *known == wanted || (["took", "seq"].contains(known) && *known == key));
    let Some(known) = known else {
        let keys = KEYS.map(|(key, _)| key);
        let meant = did_you_mean(&format!("{key}:"), keys);
        let problem =
            format!("{key:?} is no key{meant}; one of: {}; or quote it to look for it", keys.join(" "));
        return Err(problem.into());
    };
    let behind_key = wanted.chars().count();
    asked(known, sign, value).map_err(|Wrong { at, problem }| Wrong { at: behind_key + at, problem })
}

/// What a key asks with a value behind its sign.
fn asked(key: &str, sign: &str, value: &str) -> Result<Test, Wrong> {
    if value.is_empty() {
        return Err(format!("after {key} there is nothing to look for").into());
    }
    Ok(match (key, sign) {
        ("took", ":") => return Err("took is compared: took>100ms or took<1s".to_owned().into()),
        ("took", _) => {
            let duration = duration::parse(value)
                .ok_or_else(|| format!("{value:?} is no duration, as 200ms, 15s or 2m are"))?;
            if sign == ">" { Test::Longer(duration) } else { Test::Shorter(duration) }
        }
        ("seq", ":") => return Err("seq is compared: seq>100 or seq<200".to_owned().into()),
        ("seq", _) => {
            let number = value.parse().map_err(|_| format!("{value:?} is no number, as in seq>100"))?;
            if sign == ">" { Test::Later(number) } else { Test::Earlier(number) }
        }
        ("op:", _) => Test::Calls(operations(value)?),
        ("vol:", _) => Test::Volume(text(value)?),
        ("id:", _) => Test::Id(value.to_owned()),
        ("by:", _) => Test::By(one_of(value, Caller::ALL.map(|caller| (caller.as_str(), caller)), "caller")?),
        ("fault:", _) => Test::Fault(text(value)?),
        ("status:", _) => Test::Status(status(value)?),
        ("outcome:", _) => Test::Outcome(one_of(value, OUTCOMES, "outcome")?),
        ("lint:", _) => Test::Lint(text(value)?),
        ("life:", _) => Test::LifeOf(value.to_owned()),
        _ => Test::EntryKind(one_of(value, KINDS.map(|kind| (kind, kind)), "kind of entry")?),
    })
}

fn one_of<T: Copy, const N: usize>(value: &str, known: [(&str, T); N], what: &str) -> Result<T, String> {
    let words = known.map(|(word, _)| word);
    known.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning).ok_or_else(|| {
        format!("{value:?} is no {what}{}; one of: {}", did_you_mean(value, words), words.join(" "))
    })
}

fn operations(value: &str) -> Result<Vec<Operation>, Wrong> {
    let mut operations = Vec::new();
    let mut at = 0;
    for word in value.split(',') {
        let Some(calls) = Calls::all().find(|calls| calls.as_str() == word) else {
            let meant = did_you_mean(word, Calls::all().map(Calls::as_str));
            return Err(Wrong { at, problem: format!("{word:?} is no call{meant}") });
        };
        operations.extend_from_slice(calls.operations());
        at += word.chars().count() + 1;
    }
    Ok(operations)
}

fn text(value: &str) -> Result<Text, String> {
    if value.contains(['*', '?', '[', '{']) {
        return Pattern::new(value).map(Text::Whole).map_err(|error| error.to_string());
    }
    Ok(Text::KeywordGroup(value.to_owned()))
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
