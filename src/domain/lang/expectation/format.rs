//! Prints an expectation as a text that parses to the same one.

use std::fmt;

use super::{Expectation, Measure, Operator, Percentile, Selection, Value};
use crate::domain::{
    lang::{duration, filter::Filter},
    rules::Calls,
};

impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Comparison { left, operator, right } => write!(f, "{left} {operator} {right}"),
            Self::Sequence { calls, which } => {
                f.write_str("sequence")?;
                calls.iter().try_for_each(|call| write!(f, " {}", call.as_str()))?;
                f.write_str(&condition(which))
            }
        }
    }
}

fn condition(which: &Filter) -> String {
    let terms: Vec<_> = which.terms().collect();
    if terms.is_empty() { String::new() } else { format!(" where {}", terms.join(" and ")) }
}

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(time) => f.write_str(&duration::print(*time)),
            Self::Measure(measure) => write!(f, "{measure}"),
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(selection) if selection.which.is_empty() => write!(f, "{selection}"),
            Self::Count(selection) => write!(f, "count({selection})"),
            Self::Time(Percentile::ALL, selection) => write!(f, "max({selection})"),
            Self::Time(Percentile(thousandths), selection) => {
                write!(f, "p{}", thousandths / 10)?;
                if thousandths % 10 > 0 {
                    write!(f, ".{}", thousandths % 10)?;
                }
                write!(f, "({selection})")
            }
            word => {
                let known = Self::WORDS.iter().find(|(_, measure)| measure == word);
                f.write_str(known.map_or("", |(word, _)| word))
            }
        }
    }
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls: Vec<_> = self.calls.iter().map(Calls::as_str).collect();
        write!(f, "{}{}", calls.join(", "), condition(&self.which))
    }
}
