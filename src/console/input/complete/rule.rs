//! What can stand next in a rule.

use super::{
    candidate::{Candidate, Completion, word_start},
    state::{peers, volumes},
};
use crate::{
    domain::{
        lang::command::{Command, CommandError},
        rules::meaning,
    },
    hub::Snapshot,
};

/// A word that no reader knows.
const MARK: char = '\u{1a}';

/// What the reader of rules had expected at the end of the line.
pub(super) fn rule(line: &str, snapshot: &Snapshot) -> Completion {
    let start = word_start(line, |c| c.is_whitespace() || ":,=".contains(c));
    let before = &line[..start];
    if before.ends_with("volume=") {
        return Completion::of(line, start, volumes(snapshot, &line[start..], |_| true));
    }
    if before.ends_with("peer=") {
        return Completion::of(line, start, peers(snapshot));
    }
    let Err(CommandError::Rule(error)) = format!("{before}{MARK}").parse::<Command>() else {
        return Completion { start, ..Completion::default() };
    };
    let here = before.chars().count() + 1 == error.column;
    // The same words without a sign stand after `per`.
    let are_selectors = error.expected.iter().any(|word| word == "opt");
    let words = error.expected.iter().filter(|_| here).map(|word| {
        let sign = match word.as_str() {
            "volume" | "id" | "by" | "peer" | "connection" if are_selectors => "=",
            "opt" => ".",
            _ => "",
        };
        Candidate::new(format!("{word}{sign}"), meaning(word, &error.expected).unwrap_or_default())
    });
    Completion::of(line, start, words)
}
