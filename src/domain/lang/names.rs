//! The names of what rules and filters test. A property has one name in both; its short forms are read as that name.

const SHORT_FORMS: [(&str, &str); 4] =
    [("op", "operation"), ("vol", "volume"), ("took", "duration"), ("life", "history")];

/// The full name for a short form; any other word is returned as it is.
pub fn full_name(word: &str) -> &str {
    SHORT_FORMS.iter().find(|(short, _)| *short == word).map_or(word, |(_, full)| full)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{lang::filter, rules::Selector};

    #[test]
    fn a_short_form_stands_for_a_term_and_is_none_itself() {
        let terms = filter::TERMS.map(|(term, _)| term.trim_end_matches([':', '.']));
        for (short, full) in SHORT_FORMS {
            assert!(terms.contains(&full) && !terms.contains(&short), "{short} {full}");
            assert_eq!((full_name(short), full_name(full)), (full, full));
        }
    }

    #[test]
    fn a_filter_has_every_selector_of_a_rule_under_its_name() {
        let terms = filter::TERMS.map(|(term, _)| term.trim_end_matches([':', '.']));
        assert_eq!(Selector::WORDS.iter().find(|word| !terms.contains(word)), None);
    }
}
