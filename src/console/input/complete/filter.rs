//! What can stand next in a filter.

use super::{
    candidate::{Candidate, Completion, word_start},
    state::{peers, volumes},
};
use crate::{domain::lang::filter, hub::Snapshot};

/// What can stand next in a filter.
pub fn filter_line(line: &str, snapshot: &Snapshot) -> Completion {
    let start = word_start(line, char::is_whitespace);
    let start = start + line[start..].len() - line[start..].trim_start_matches(['-', '!']).len();
    let Some(colon) = line[start..].find(':') else {
        let keys = filter::TERMS.map(|(key, help)| Candidate::new(key, help));
        let mut completion = Completion::of(line, start, keys);
        let is_term = filter::TERMS.iter().any(|(key, _)| *key == &line[start..]);
        if completion.candidates.is_empty() && !is_term {
            let outcome = filter::meant(&line[start..]);
            completion.candidates.extend(outcome.map(|term| Candidate::new(term, "calls by their result")));
        }
        return completion;
    };
    let (key, list) = line[start..].split_at(colon + 1);
    let value = start + key.len() + list.rfind(',').map_or(0, |comma| comma + 1);
    let words = filter::values(key).into_iter().map(|word| Candidate::new(word, ""));
    match key {
        "volume:" | "vol:" => Completion::of(line, value, volumes(snapshot, &line[value..], |_| true)),
        "peer:" => Completion::of(line, value, peers(snapshot)),
        "fault:" => {
            let labels = snapshot.rules.iter().filter_map(|rule| rule.label.as_ref());
            Completion::of(line, value, words.chain(labels.map(|label| Candidate::new(&**label, ""))))
        }
        _ => Completion::of(line, value, words),
    }
}
