//! The search over everything that can be typed, by letters in order or by what it is about.

use std::cmp::Reverse;

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use super::{
    candidate::{Candidate, Completion},
    forms::{can_begin, forms, names},
    state::{MAX_OFFERED, volumes},
};
use crate::{console::themes::Themes, domain::rules::EXAMPLES, hub::Snapshot};

/// How many lines a search offers.
const MAX_FOUND: usize = 40;

/// The lines that have the letters of a word in order, or about it: commands, keys by name, examples of rules, scenarios,
/// volumes and themes. The best match comes first.
pub(super) fn found(word: &str, themes: &Themes, snapshot: &Snapshot) -> Completion {
    if word.is_empty() {
        return Completion::default();
    }
    // Each with the text in which the letters are looked for.
    let named = names().map(|binding| (binding.name.to_owned(), Candidate::new(binding.name, binding.help)));
    let forms = forms().map(|(word, form, help)| (format!("{word} {form}"), Candidate::new(word, help)));
    let scenarios = snapshot.catalog.scenarios.iter();
    let scenarios = scenarios.map(|scenario| {
        (scenario.name.clone(), Candidate::new(format!("play {}", scenario.name), &*scenario.title))
    });
    let rules = EXAMPLES
        .iter()
        .map(|(rule, meaning)| (String::new(), Candidate::new(format!("arm {rule}"), *meaning)));
    let own = |line: String, help| (line.clone(), Candidate::new(line, help));
    // Letters in order are looked for among as many volumes as are offered.
    let forgets = volumes(snapshot, if snapshot.volumes.len() > MAX_OFFERED { word } else { "" }, |volume| {
        volume.exists
    })
    .map(|volume| own(format!("forget {}", volume.word), "forget the volume"));
    let themes = themes.names().map(|name| own(format!("theme {name}"), "choose the theme"));
    let all = named.chain(forms).chain(rules).chain(scenarios).chain(forgets).chain(themes);
    let first = |line: &str| line.split(' ').next().is_some_and(|word| can_begin(word, snapshot));
    let all = all.filter(|(_, candidate)| first(&candidate.word));
    let mut matcher = Matcher::new(Config::DEFAULT);
    let wanted = Pattern::parse(word, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, Candidate)> = all
        .filter_map(|(text, candidate)| {
            // What is typed says more than its explanation, in which only the whole text counts.
            let by_line =
                wanted.score(Utf32Str::new(&text, &mut buffer), &mut matcher).map(|score| score + 1);
            let is_in_help = candidate.help.to_lowercase().contains(&word.to_lowercase());
            let score = by_line.or_else(|| is_in_help.then_some(1))?;
            Some((score, candidate))
        })
        .collect();
    scored.sort_by_key(|(score, candidate)| (Reverse(*score), candidate.word.len()));
    let candidates = scored.into_iter().take(MAX_FOUND).map(|(_, candidate)| candidate).collect();
    Completion { start: 0, candidates, is_search: true }
}
