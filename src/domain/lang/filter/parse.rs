//! Parses a filter. Every error has a column and says what was expected.

use std::str::FromStr;

use strum::VariantNames;

use super::{Filter, Term, Test, TextMatch};
use crate::domain::{
    lang::{duration, full_name, lexer::Lexer, suggest::did_you_mean},
    model::{
        entry::{EntryKind, Outcome},
        lint::Lint,
        protocol::Caller,
    },
    rules::{Calls, Pattern, Selector},
};

/// The terms with what they match, for help and completion.
pub const TERMS: [(&str, &str); 22] = [
    ("operation:", "operation: operation:mount operation:get,list operation:writes (short: op:)"),
    ("volume:", "volume name: volume:db volume:db* (short: vol:)"),
    ("opt.", "option in a Create request: opt.tier opt.tier:gold"),
    ("id:", "mount ID prefix: id:7f3a"),
    ("by:", "caller: by:docker by:podman by:simulated by:other"),
    ("peer:", "process or address that connected: peer:dockerd peer:1234 peer:10.0.0.5"),
    ("connection:", "number of the connection: connection:3"),
    ("first-contact", "the first call of its process or address"),
    ("known", "the driver knew the volume"),
    ("unknown", "the driver did not know the volume"),
    ("mounted", "the volume had an open mount"),
    ("unmounted", "the volume had no open mount"),
    ("retry", "docker's retry: the request body is empty"),
    ("fault:", "rule that fired, by label, ID or action: fault:* fault:empty-get fault:hang"),
    ("status:", "HTTP status: status:500 status:5xx"),
    ("outcome:", "result: outcome:ok outcome:error outcome:cancelled outcome:panicked outcome:held"),
    ("lint:", "protocol warning: lint:* lint:leaked-mount"),
    ("kind:", "kind of entry: kind:call kind:command kind:rule kind:driver kind:note"),
    ("history:", "what changed a volume: history:db1 (short: life:)"),
    ("duration", "time to the reply: duration>100ms duration<1s (short: took)"),
    ("node:", "instance, where a console shows several: node:a"),
    ("seq", "entry number: seq>100 seq<200"),
];

/// The word for a call that has no outcome yet.
pub(super) const HELD: &str = "held";

/// What the term for an option begins with.
pub(super) const OPTION: &str = "opt.";

/// What stands between a key and its value. With `=`, as in a rule, a text is compared as a whole.
const SIGNS: [char; 4] = [':', '=', '<', '>'];

/// The terms that are compared with `<` or `>`.
const COMPARED: [&str; 2] = ["duration", "seq"];

/// Whether a bare word is a term and not a text to search for.
pub(super) fn is_term(word: &str) -> bool {
    Selector::FLAGS.iter().any(|flag| flag.as_str() == word)
        || word.starts_with(OPTION)
        || word
            .find(SIGNS)
            .is_some_and(|end| !word[end..].starts_with('=') || is_key(full_name(&word[..end])))
}

/// Whether a key has a value after a colon or `=`, or is compared.
fn is_key(key: &str) -> bool {
    COMPARED.contains(&key)
        || key.starts_with(OPTION)
        || TERMS.iter().any(|(term, _)| term.strip_suffix(':') == Some(key))
}

/// What is said for an outcome in other words.
const FAILED: [&str; 4] = ["failed", "failure", "failures", "errors"];

/// The term for the outcome that a bare word names or begins to name. As a word it is searched for in the text of an entry.
pub fn meant(word: &str) -> Option<String> {
    const MIN: usize = 3;
    let word = word.to_lowercase();
    let names = |name: &str| word.chars().count() >= MIN && name.starts_with(&word);
    let is_failure = FAILED.into_iter().any(names);
    let outcome = outcomes().map(|(outcome, _)| outcome).find(|outcome| names(outcome));
    is_failure.then_some(Outcome::Error.as_str()).or(outcome).map(|outcome| format!("outcome:{outcome}"))
}

fn outcomes() -> impl Iterator<Item = (&'static str, Option<Outcome>)> + Clone {
    let outcomes = Outcome::ALL.into_iter().map(|outcome| (outcome.as_str(), Some(outcome)));
    outcomes.chain([(HELD, None)])
}

/// Why a filter cannot be parsed, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct FilterError {
    /// The column, from 1, in characters.
    pub column: usize,
    /// What was found and what was expected.
    pub problem: String,
}

impl FromStr for Filter {
    type Err = FilterError;

    fn from_str(text: &str) -> Result<Self, FilterError> {
        let mut lexer = Lexer::new(text);
        let mut filter = Self::default();
        while !lexer.is_at_end() {
            filter.terms.push(next_term(&mut lexer, &[])?);
        }
        Ok(filter)
    }
}

impl Filter {
    /// Parses what stands after `where` in an expectation: terms with `and` between them, up to something else. A text to
    /// search for is none of them.
    pub(in crate::domain::lang) fn parse_selectors(
        lexer: &mut Lexer<'_>,
        ends: &[char],
    ) -> Result<Self, FilterError> {
        let mut filter = Self::default();
        loop {
            let mut before = lexer.clone();
            let found = lexer.peek(ends);
            let term = next_term(lexer, ends)?;
            if matches!(term.test, Test::Word(_)) {
                let terms = TERMS.map(|(term, _)| term.trim_end_matches(':'));
                let name = found.split(SIGNS).next().unwrap_or_default();
                let found =
                    if found.is_empty() { "unexpected end".to_owned() } else { format!("found {found:?}") };
                let meant = did_you_mean(name, terms);
                let comma = if meant.is_empty() { "," } else { ";" };
                let problem =
                    format!("{found}{meant}{comma} expected a term such as volume=db*: {}", terms.join(" "));
                return Err(FilterError { column: before.column(), problem });
            }
            filter.terms.push(term);
            if lexer.peek(ends) != "and" {
                return Ok(filter);
            }
            lexer.word(ends);
        }
    }
}

fn next_term(lexer: &mut Lexer<'_>, ends: &[char]) -> Result<Term, FilterError> {
    let negated = lexer.take('-') || lexer.take('!');
    let column = lexer.column();
    let wrong = |TermError { at, problem }| FilterError { column: column + at, problem };
    Ok(Term { negated, test: next_test(lexer, ends).map_err(wrong)? })
}

/// The values that a term can have, for completion. `key` ends with its colon.
pub fn values(key: &str) -> Vec<&'static str> {
    match full_name(key.trim_end_matches(':')) {
        "operation" => Calls::WORDS.into(),
        "by" => Caller::ALL.map(Caller::as_str).into(),
        "fault" => vec!["*"],
        "status" => vec!["200", "4xx", "5xx"],
        "outcome" => outcomes().map(|(word, _)| word).collect(),
        "lint" => std::iter::once("*").chain(Lint::ALL.map(Lint::as_str)).collect(),
        "kind" => EntryKind::VARIANTS.into(),
        _ => Vec::new(),
    }
}

/// What is wrong with a term.
struct TermError {
    /// Where in the term, in characters.
    at: usize,
    problem: String,
}

impl From<String> for TermError {
    fn from(problem: String) -> Self {
        Self { at: 0, problem }
    }
}

impl From<&str> for TermError {
    fn from(problem: &str) -> Self {
        problem.to_owned().into()
    }
}

/// A word, a quoted text, or a key with either as its value.
fn next_test(lexer: &mut Lexer<'_>, ends: &[char]) -> Result<Test, TermError> {
    let unterminated = |()| "invalid quoted text; end it with \" and escape as in JSON";
    if let Some(words) = lexer.quoted() {
        return Ok(words.map(Test::Word).map_err(unterminated)?);
    }
    let quotable = [&['"'], ends].concat();
    refuse_second_sign(lexer.peek(&quotable))?;
    if !lexer.peek(&quotable).ends_with([':', '=']) {
        return test(lexer.word(ends));
    }
    let key = lexer.word(&quotable);
    let quoted = if lexer.is_at_space() { None } else { lexer.quoted() };
    test(&format!("{key}{}", quoted.transpose().map_err(unterminated)?.unwrap_or_default()))
}

/// As in an expectation, `==` may be meant; but it would ask for a name that begins with `=`.
fn refuse_second_sign(word: &str) -> Result<(), TermError> {
    match word.find([':', '=']) {
        Some(sign) if word[sign + 1..].starts_with('=') && is_key(full_name(&word[..sign])) => {
            let problem = "write one =; a value that begins with = is quoted".to_owned();
            Err(TermError { at: word[..=sign].chars().count(), problem })
        }
        _ => Ok(()),
    }
}

fn test(word: &str) -> Result<Test, TermError> {
    let Some(end) = word.find(SIGNS) else {
        if let Some(flag) = Selector::FLAGS.into_iter().find(|flag| flag.as_str() == word) {
            return Ok(Test::Selector(flag));
        }
        return match word.strip_prefix(OPTION) {
            Some(key) => Ok(Test::Selector(Selector::Option(option_key(key)?, None))),
            None => Ok(Test::Word(word.to_owned())),
        };
    };
    let (typed, sign, value) = (&word[..end], &word[end..=end], &word[end + 1..]);
    let key = full_name(typed);
    let is_known = match sign {
        ":" | "=" => is_key(key),
        _ => COMPARED.contains(&key),
    };
    if !is_known && sign == "=" {
        return Ok(Test::Word(word.to_owned()));
    }
    if !is_known {
        let terms = TERMS.map(|(term, _)| term);
        let meant = did_you_mean(&format!("{key}:"), terms);
        let problem =
            format!("unknown term {typed:?}{meant}; terms: {}; quote it to search for it", terms.join(" "));
        return Err(problem.into());
    }
    let value_at = word[..=end].chars().count();
    read_term(key, sign, value).map_err(|TermError { at, problem }| TermError { at: value_at + at, problem })
}

/// A term with its value.
fn read_term(key: &str, sign: &str, value: &str) -> Result<Test, TermError> {
    if value.is_empty() {
        return Err(format!("missing value after {key}{sign}").into());
    }
    if let Some(key) = key.strip_prefix(OPTION) {
        return Ok(Test::Selector(Selector::Option(option_key(key)?, Some(pattern(value)?))));
    }
    Ok(match (key, sign) {
        ("duration", ":" | "=") => return Err("compare with < or >: duration>100ms or duration<1s".into()),
        ("duration", _) => {
            let duration = duration::parse(value)
                .ok_or_else(|| format!("invalid duration {value:?}; examples: 200ms 15s 2m"))?;
            if sign == ">" { Test::LongerThan(duration) } else { Test::ShorterThan(duration) }
        }
        ("seq", ":" | "=") => return Err("compare with < or >: seq>100 or seq<200".into()),
        ("seq", _) => {
            let number = value.parse().map_err(|_| format!("invalid number {value:?}; example: seq>100"))?;
            if sign == ">" { Test::SeqAbove(number) } else { Test::SeqBelow(number) }
        }
        ("operation", _) => Test::Calls(calls(value)?),
        ("node", _) => Test::Node(pattern(value)?),
        ("volume", _) => Test::Volume(text(sign, value)?),
        ("peer", _) => Test::Peer(text(sign, value)?),
        ("connection", _) => {
            let number =
                value.parse().map_err(|_| format!("invalid number {value:?}; example: connection:3"))?;
            Test::Selector(Selector::Connection(number))
        }
        ("id", _) => Test::Selector(Selector::Id(value.to_owned())),
        ("by", _) => Test::By(one_of(value, Caller::ALL.map(|caller| (caller.as_str(), caller)), "caller")?),
        ("fault", _) => Test::Fault(text(sign, value)?),
        ("status", _) => Test::Status(status(value)?),
        ("outcome", _) => Test::Outcome(one_of(value, outcomes(), "outcome")?),
        ("lint", _) => Test::Lint(text(sign, value)?),
        ("history", _) => Test::History(value.to_owned()),
        _ => {
            let kinds = EntryKind::VARIANTS.iter().map(|kind| (*kind, *kind));
            Test::EntryKind(one_of(value, kinds, "kind of entry")?)
        }
    })
}

fn one_of<T>(
    value: &str,
    known: impl IntoIterator<Item = (&'static str, T), IntoIter: Clone>,
    what: &str,
) -> Result<T, String> {
    let mut known = known.into_iter();
    let words: Vec<_> = known.clone().map(|(word, _)| word).collect();
    known.find(|(word, _)| *word == value).map(|(_, meaning)| meaning).ok_or_else(|| {
        let meant = did_you_mean(value, words.iter().copied());
        format!("unknown {what} {value:?}{meant}; expected one of: {}", words.join(" "))
    })
}

fn option_key(key: &str) -> Result<String, String> {
    if key.is_empty() || key.contains('"') {
        return Err("expected an option key without quotes, as in opt.tier or opt.tier:gold".to_owned());
    }
    Ok(key.to_owned())
}

fn calls(value: &str) -> Result<Vec<Calls>, TermError> {
    let mut calls = Vec::new();
    let mut at = 0;
    for word in value.split(',') {
        let Ok(known) = word.parse() else {
            let meant = Calls::did_you_mean(word);
            let [words @ .., method] = Calls::WORDS;
            let problem = format!(
                "unknown operation {word:?}{meant}; expected one of: {}, or a method, as in {method}",
                words.join(" ")
            );
            return Err(TermError { at, problem });
        };
        calls.push(known);
        at += word.chars().count() + 1;
    }
    Ok(calls)
}

fn text(sign: &str, value: &str) -> Result<TextMatch, String> {
    if sign == "=" || is_pattern(value) {
        return pattern(value).map(TextMatch::Glob);
    }
    Ok(TextMatch::Contains(value.to_owned()))
}

/// Whether a value after a colon is a pattern.
pub(super) fn is_pattern(value: &str) -> bool {
    value.contains(['*', '?', '[', '{'])
}

fn pattern(value: &str) -> Result<Pattern, String> {
    Pattern::new(value).map_err(|error| format!("invalid pattern {value:?}: {error}"))
}

fn status(value: &str) -> Result<[Option<u8>; 3], String> {
    let invalid = || format!("invalid status {value:?}; examples: 500 5xx");
    let digits: Vec<Option<u8>> = value
        .bytes()
        .map(|digit| match digit {
            b'0'..=b'9' => Ok(Some(digit - b'0')),
            b'x' | b'X' => Ok(None),
            _ => Err(invalid()),
        })
        .collect::<Result<_, _>>()?;
    digits.try_into().map_err(|_| invalid())
}
