//! The part of a line that an error is about.

/// How many characters are shown before and after the place.
const BEFORE: usize = 80;
const AFTER: usize = 80;

/// A line after a margin, and below it marks under `marked` characters from `start` on. Of a long line, the part around
/// the place is shown.
pub fn excerpt(margin: &str, line: &str, start: usize, marked: usize) -> String {
    let length = line.chars().count();
    let first = if length > BEFORE + AFTER { start.min(length).saturating_sub(BEFORE) } else { 0 };
    let last = if length > BEFORE + AFTER { (start + AFTER).min(length) } else { length };
    let shown: String = line.chars().skip(first).take(last.saturating_sub(first)).collect();
    let (left, right) = (if first > 0 { "…" } else { "" }, if last < length { "…" } else { "" });
    let before = margin.chars().count() + left.chars().count() + start.saturating_sub(first);
    let marked = marked.clamp(1, AFTER);
    format!("{margin}{left}{shown}{right}\n{}{}", " ".repeat(before), "^".repeat(marked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_line_is_shown_as_it_is() {
        assert_eq!(excerpt("2 | ", "ü = x", 4, 1), "2 | ü = x\n        ^");
        assert_eq!(excerpt("", "ab", 2, 1), "ab\n  ^");
    }

    #[test]
    fn of_a_long_line_the_part_around_the_place_is_shown() {
        let line = format!("{}!{}", "a".repeat(70_000), "b".repeat(70_000));
        let shown = excerpt("> ", &line, 70_000, 1);
        let lines: Vec<_> = shown.lines().collect();
        assert!(lines[0].starts_with("> …aaa") && lines[0].ends_with("bbb…") && shown.len() < 500, "{shown}");
        let column = lines[1].find('^').expect("it is marked");
        assert_eq!(lines[0].chars().nth(column), Some('!'), "{shown}");
        // A place after the end is no reason to fail.
        excerpt("", &line, 1_000_000, 1_000_000);
    }
}
