//! Parses an expectation. Every error has a column, what was found and what was expected.

use std::str::FromStr;

use super::{Expectation, Measure, Operator, Percentile, Selection, Value};
use crate::domain::{
    lang::{
        duration,
        filter::{Filter, FilterError},
        lexer::Lexer,
        suggest::did_you_mean,
    },
    rules::Calls,
};

/// Why an expectation cannot be parsed, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct ExpectationError {
    /// The column, from 1, in characters.
    pub column: usize,
    /// What was found and what was expected.
    pub problem: String,
}

impl From<FilterError> for ExpectationError {
    fn from(FilterError { column, problem }: FilterError) -> Self {
        Self { column, problem }
    }
}

type Parsed<T> = Result<T, ExpectationError>;

/// The characters that end a word.
const ENDS: [char; 8] = ['(', ')', ',', '<', '>', '=', '!', '"'];
/// The words before a selection in parentheses.
const FUNCTIONS: [&str; 5] = ["count", "p50", "p90", "p99", "max"];
const EXAMPLES: &str = "mount == unmount, count(get where status=5xx) == 3, p99(get) < 50ms";

impl FromStr for Expectation {
    type Err = ExpectationError;

    fn from_str(text: &str) -> Parsed<Self> {
        let mut parser = ExpectationParser(Lexer::new(text));
        let expectation = if parser.take("sequence") { parser.sequence()? } else { parser.comparison()? };
        if parser.0.is_at_end() { Ok(expectation) } else { parser.expected("the end", []) }
    }
}

struct ExpectationParser<'t>(Lexer<'t>);

impl ExpectationParser<'_> {
    fn wrong<T>(column: usize, problem: impl Into<String>) -> Parsed<T> {
        Err(ExpectationError { column, problem: problem.into() })
    }

    /// An error: the next word is not what was expected. `words` are the possible ones.
    fn expected<'w, T>(&mut self, what: &str, words: impl IntoIterator<Item = &'w str>) -> Parsed<T> {
        let found = self.0.peek(&ENDS);
        let meant = did_you_mean(found, words);
        let comma = if meant.is_empty() { "," } else { ";" };
        let found = match (found, self.0.rest().chars().next()) {
            (_, None) => "unexpected end".to_owned(),
            ("", Some(character)) => format!("found {:?}", character.to_string()),
            (word, _) => format!("found {word:?}"),
        };
        Self::wrong(self.0.column(), format!("{found}{meant}{comma} expected {what}"))
    }

    fn take(&mut self, word: &str) -> bool {
        let taken = self.0.peek(&ENDS) == word;
        if taken {
            self.0.word(&ENDS);
        }
        taken
    }

    fn sequence(&mut self) -> Parsed<Expectation> {
        let mut calls = vec![self.call()?];
        while !self.0.is_at_end() {
            if self.take("where") {
                let which = Filter::parse_selectors(&mut self.0, &[])?;
                return Ok(Expectation::Sequence { calls, which });
            }
            calls.push(self.call()?);
        }
        Ok(Expectation::Sequence { calls, which: Filter::default() })
    }

    fn call(&mut self) -> Parsed<Calls> {
        let Ok(call) = self.0.peek(&ENDS).parse() else {
            let [words @ .., method] = Calls::WORDS;
            let what = format!("an operation: {}, or a method, as in {method}", words.join(" "));
            return self.expected(&what, Calls::WORDS);
        };
        self.0.word(&ENDS);
        Ok(call)
    }

    fn comparison(&mut self) -> Parsed<Expectation> {
        let left = self.value()?;
        let operator = self.operator()?;
        let column = self.0.column();
        let right = self.value()?;
        if !matches!(left, Value::Measure(_)) && !matches!(right, Value::Measure(_)) {
            return Self::wrong(1, format!("nothing is measured on either side; examples: {EXAMPLES}"));
        }
        match (left.is_time(), right.is_time()) {
            (true, false) => {
                Self::wrong(column, format!("{left} is a duration; compare it with another, such as 50ms"))
            }
            (false, true) => Self::wrong(column, format!("{left} is a number, and {right} is a duration")),
            _ => Ok(Expectation::Comparison { left, operator, right }),
        }
    }

    fn operator(&mut self) -> Parsed<Operator> {
        let rest = self.0.rest();
        let Some(operator) = Operator::ALL.into_iter().find(|operator| rest.starts_with(operator.as_str()))
        else {
            let operators = Operator::ALL.map(Operator::as_str).join(" ");
            return self.expected(&format!("a comparison: {operators}"), []);
        };
        for character in operator.as_str().chars() {
            self.0.take(character);
        }
        Ok(operator)
    }

    fn value(&mut self) -> Parsed<Value> {
        let word = self.0.peek(&ENDS);
        if word.starts_with(|c: char| c.is_ascii_digit()) {
            let value = word.parse().map(Value::Number).ok();
            let Some(value) = value.or_else(|| duration::parse(word).map(Value::Time)) else {
                return self.expected("a whole number, or a duration such as 50ms, 2s or 1m", []);
            };
            self.0.word(&ENDS);
            return Ok(value);
        }
        if let Some((_, measure)) = Measure::WORDS.iter().find(|(known, _)| *known == word) {
            self.0.word(&ENDS);
            return Ok(Value::Measure(measure.clone()));
        }
        if word == "count" {
            return Ok(Value::Measure(Measure::Count(self.argument()?)));
        }
        if let Some(percentile) = percentile(word) {
            return Ok(Value::Measure(Measure::Time(percentile, self.argument()?)));
        }
        if word.parse::<Calls>().is_ok() {
            return Ok(Value::Measure(Measure::Count(self.selection(&[])?)));
        }
        let measures = Measure::WORDS.map(|(word, _)| word);
        let words = FUNCTIONS.into_iter().chain(measures).chain(Calls::WORDS).chain(["sequence"]);
        let what = format!(
            "a number, a duration, an operation, count(…), p99(…), max(…), {} or sequence; examples: {EXAMPLES}",
            measures.join(", ")
        );
        self.expected(&what, words)
    }

    /// A selection in parentheses, after the word that comes next.
    fn argument(&mut self) -> Parsed<Selection> {
        self.0.word(&ENDS);
        if !self.0.take('(') {
            return self.expected("\"(\" and calls, as in count(get where volume=db*)", []);
        }
        let selection = self.selection(&[')'])?;
        if self.0.take(')') { Ok(selection) } else { self.expected("\")\"", ["where"]) }
    }

    fn selection(&mut self, ends: &[char]) -> Parsed<Selection> {
        let mut calls = vec![self.call()?];
        while self.0.take(',') {
            calls.push(self.call()?);
        }
        let which =
            if self.take("where") { Filter::parse_selectors(&mut self.0, ends)? } else { Filter::default() };
        Ok(Selection { calls, which })
    }
}

/// `p99`, `p99.9` or `max`.
fn percentile(word: &str) -> Option<Percentile> {
    if word == "max" {
        return Some(Percentile::ALL);
    }
    let (whole, tenths) = word.strip_prefix('p')?.split_once('.').unwrap_or((word.get(1..)?, "0"));
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit());
    if !is_number(whole) || !is_number(tenths) || tenths.len() > 1 {
        return None;
    }
    let percentile = whole.parse::<u16>().ok()?.checked_mul(10)?.checked_add(tenths.parse().ok()?)?;
    (1..=1000).contains(&percentile).then_some(Percentile(percentile))
}

impl Value {
    fn is_time(&self) -> bool {
        matches!(self, Self::Time(_) | Self::Measure(Measure::Time(..)))
    }
}
