//! Suggestions for a misspelled word.

/// The word that was probably meant: the nearest, if at most two letters and less than half of them are wrong. Of two
/// that are equally near, the one with the same first letter.
pub fn nearest<'w>(word: &str, candidates: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    candidates
        .into_iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, known)| *distance <= 2 && distance * 2 < known.chars().count())
        .min_by_key(|(distance, known)| (*distance, known.chars().next() != word.chars().next(), *known))
        .map(|(_, known)| known)
}

/// The question about the nearest word, to follow what was found; empty if no word is near.
pub fn did_you_mean<'w>(word: &str, candidates: impl IntoIterator<Item = &'w str>) -> String {
    nearest(word, candidates).map_or_else(String::new, |known| format!(", did you mean {known:?}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_has_at_most_two_wrong_letters() {
        let words = ["refuse", "reset", "up", "any", "mount", "count"];
        for (found, expected) in [
            ("resett", Some("reset")),
            ("rfeuse", Some("refuse")),
            ("xx", None),
            ("blackhole", None),
            ("mnt", Some("mount")),
            ("ay", Some("any")),
            ("ad", None),
            ("mont", Some("mount")),
            ("munt", Some("mount")),
        ] {
            assert_eq!(nearest(found, words), expected, "{found}");
        }
        assert_eq!(did_you_mean("mont", words), ", did you mean \"mount\"?");
        assert_eq!(did_you_mean("xx", words), "");
    }
}
