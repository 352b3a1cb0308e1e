//! A word that is offered, and what is offered at the end of a line.

/// A word that can stand next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The word, as it is typed.
    pub word: String,
    /// What it means.
    pub help: String,
}

impl Candidate {
    pub(super) fn new(word: impl Into<String>, help: impl Into<String>) -> Self {
        Self { word: word.into(), help: help.into() }
    }

    /// Whether the word is complete, so that a space can follow it.
    pub fn is_whole(&self) -> bool {
        !self.word.ends_with(['=', '.', ':', '/'])
    }
}

/// What can stand at the end of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins that would be replaced, in bytes.
    pub start: usize,
    /// What could stand there, in the order of its offering.
    pub candidates: Vec<Candidate>,
    /// Whether no word begins like that, so that the candidates are whole lines with its letters.
    pub is_search: bool,
}

impl Completion {
    pub(super) fn of(line: &str, start: usize, candidates: impl IntoIterator<Item = Candidate>) -> Self {
        let begun = &line[start..];
        let fits = |candidate: &Candidate| candidate.word.starts_with(begun);
        let mut candidates: Vec<_> = candidates.into_iter().filter(fits).collect();
        // A word that is there in full is offered beside its longer forms only.
        if candidates.iter().all(|candidate| candidate.word == begun) {
            candidates.clear();
        }
        Self { start, candidates, is_search: false }
    }
}

/// Where the last word begins, after what ends the one before it.
pub(super) fn word_start(line: &str, ends: impl Fn(char) -> bool) -> usize {
    // Not every space is one byte.
    line.trim_end_matches(|c| !ends(c)).len()
}
