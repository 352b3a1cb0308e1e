//! Text for a grid of cells: foreign text made safe, cut to a width, and numbers in few letters.
//!
//! Names, options and errors come from outside. What could move the cursor, change colours or turn
//! the direction of writing is shown as what it is, and never reaches the terminal.

use std::{borrow::Cow, time::Duration};

use unicode_truncate::UnicodeTruncateStr;
use unicode_width::UnicodeWidthStr;

/// Makes foreign text safe to show: `^[` for escape, `<U+202E>` for what a caret cannot say.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0'..='\x1f' => cleaned.extend(['^', char::from(c as u8 + b'@')]),
            '\x7f' => cleaned.push_str("^?"),
            c if is_unsafe(c) => cleaned.extend(["<U+", &format!("{:04X}", c as u32), ">"]),
            c => cleaned.push(c),
        }
    }
    Cow::Owned(cleaned)
}

/// The same for a text of several lines: line ends and tabs stay.
pub fn clean_lines(text: &str) -> Cow<'_, str> {
    let is_unsafe_here = |c| is_unsafe(c) && !matches!(c, '\n' | '\t');
    if !text.chars().any(is_unsafe_here) {
        return Cow::Borrowed(text);
    }
    let mut cleaned = String::with_capacity(text.len() + 8);
    for part in text.split_inclusive(['\n', '\t']) {
        let end = part.trim_end_matches(['\n', '\t']).len();
        cleaned.extend([&clean(&part[..end]), &part[end..]]);
    }
    Cow::Owned(cleaned)
}

/// Control characters, marks that turn the direction of writing, and what takes no cell of its own
/// and could hide in a name.
pub(in crate::domain) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// How many cells a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Cuts a text to at most `width` cells, with a mark where something is missing.
pub fn fit<'t>(text: &'t str, width: usize, ellipsis: &str) -> Cow<'t, str> {
    if text.len() <= width || text.width() <= width {
        return Cow::Borrowed(text);
    }
    let mark = if ellipsis.width() <= width { ellipsis } else { "" };
    let (start, _) = text.unicode_truncate(width - mark.width());
    Cow::Owned(format!("{start}{mark}"))
}

/// Cuts or fills a text to exactly `width` cells.
pub fn pad(text: &str, width: usize, ellipsis: &str) -> String {
    let text = fit(text, width, ellipsis);
    let gap = width.saturating_sub(text.width());
    format!("{text}{:gap$}", "")
}

/// The same, with the text at the right.
pub fn pad_left(text: &str, width: usize, ellipsis: &str) -> String {
    let text = fit(text, width, ellipsis);
    let gap = width.saturating_sub(text.width());
    format!("{:gap$}{text}", "")
}

/// A measured time, in the unit that needs few digits: `0.02 ms`, `0.2 ms`, `35 ms`, `1.2 s`, `2:05`.
pub fn took(duration: Duration) -> String {
    let micros = duration.as_micros();
    match micros {
        0..=4 => "<0.01 ms".to_owned(),
        5..=94 => format!("0.{:02} ms", (micros + 5) / 10),
        95..=9_949 => format!("{}.{} ms", (micros + 50) / 1000, (micros + 50) % 1000 / 100),
        9_950..=999_499 => format!("{} ms", (micros + 500) / 1000),
        999_500..=59_949_999 => format!("{:.1} s", duration.as_secs_f64()),
        _ => clock(duration),
    }
}

/// A time as it is compared, to the microsecond: `0.007 ms`, `50.04 ms`, `1.5 s`.
pub fn exact(duration: Duration) -> String {
    let (number, unit) = if duration < Duration::from_secs(1) {
        (format!("{}.{:03}", duration.as_millis(), duration.subsec_micros() % 1000), "ms")
    } else {
        (format!("{}.{:06}", duration.as_secs(), duration.subsec_micros()), "s")
    };
    format!("{} {unit}", number.trim_end_matches('0').trim_end_matches('.'))
}

/// A running time as on a clock: `0:07`, `12:00`, `1:00:00`.
pub fn clock(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// A time that is left, rounded up: `0:00` is not shown before the end.
pub fn clock_left(left: Duration) -> String {
    clock(left + Duration::from_millis(999))
}

/// A number with thin groups of three, so that a long one can be read: `84 112`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number with its noun: `1 call`, `2 calls`, `3 entries`.
pub fn counted(number: u64, noun: &str) -> String {
    let plural = match (number, noun.strip_suffix('y')) {
        (1, _) => noun.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{noun}s"),
    };
    format!("{} {plural}", grouped(number))
}

/// Breaks a text into lines of at most `width` cells, at spaces where there are any.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    for paragraph in text.split('\n') {
        let mut rest = paragraph;
        while rest.width() > width {
            // A character that is wider than the line stands alone.
            let first = rest.chars().next().map_or(0, char::len_utf8);
            let (line, _) = rest.unicode_truncate(width);
            let end = line.len().max(first);
            let space = rest[..end].rfind(' ').map(|space| space + 1);
            let (line, after) = rest.split_at(space.filter(|space| space * 2 > end).unwrap_or(end));
            lines.push(line.trim_end().to_owned());
            rest = after;
        }
        lines.push(rest.to_owned());
    }
    lines
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_could_command_the_terminal_is_spelled_out() {
        for (foreign, shown) in [
            ("db1", "db1"),
            ("größe 東京", "größe 東京"),
            ("\x1b[31mred", "^[[31mred"),
            ("a\nb\tc\x7f", "a^Jb^Ic^?"),
            ("\u{9b}31m", "<U+009B>31m"),
            ("gnp.\u{202e}exe", "gnp.<U+202E>exe"),
            ("zero\u{200b}width", "zero<U+200B>width"),
        ] {
            assert_eq!(clean(foreign), shown);
        }
    }

    #[test]
    fn a_text_keeps_its_lines() {
        assert_eq!(clean_lines("one\n\ttwo\n"), "one\n\ttwo\n");
        assert_eq!(clean_lines("\x1b[2J\n\n\u{9b}\t\r\nend"), "^[[2J\n\n<U+009B>\t^M\nend");
    }

    #[test]
    fn a_time_is_written_with_few_digits() {
        for (micros, text) in [
            (0, "<0.01 ms"),
            (4, "<0.01 ms"),
            (23, "0.02 ms"),
            (95, "0.1 ms"),
            (240, "0.2 ms"),
            (9_949, "9.9 ms"),
            (9_960, "10 ms"),
            (35_400, "35 ms"),
            (999_499, "999 ms"),
            (1_200_000, "1.2 s"),
            (59_940_000, "59.9 s"),
            (125_000_000, "2:05"),
            (3_600_000_000, "1:00:00"),
        ] {
            assert_eq!(took(Duration::from_micros(micros)), text, "{micros}");
        }
    }

    #[test]
    fn a_long_number_is_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (84_112, "84 112"), (1_000_000, "1 000 000")] {
            assert_eq!(grouped(number), text);
        }
    }

    proptest! {
        #[test]
        fn a_cut_text_never_takes_more_cells_than_it_may(text in ".{0,40}", cells in 0_usize..30) {
            let text = clean(&text);
            prop_assert!(width(&fit(&text, cells, "…")) <= cells);
            prop_assert_eq!(width(&pad(&text, cells, "…")), cells);
            prop_assert_eq!(width(&pad_left(&text, cells, "…")), cells);
        }

        #[test]
        fn wrapped_lines_hold_every_word(text in "[a-z東 ]{0,80}", cells in 2_usize..30) {
            let lines = wrap(&text, cells);
            prop_assert!(lines.iter().all(|line| width(line) <= cells));
            let squeeze = |text: &str| text.replace(' ', "");
            prop_assert_eq!(squeeze(&lines.concat()), squeeze(&text));
        }
    }
}
