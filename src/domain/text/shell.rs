//! Quoting for a shell.

use std::borrow::Cow;

use crate::domain::text;

/// A text as one word of any POSIX shell. What needs no quotes gets none: `tier=gold`.
pub fn quote(word: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,@+%".contains(&byte);
    // zsh reads a leading `=` as the name of a program.
    if !word.is_empty() && !word.starts_with('=') && word.bytes().all(plain) {
        return word.into();
    }
    shlex::Quoter::new().allow_nul(true).quote(word).expect("only a NUL cannot be quoted")
}

/// Bytes as one word of bash, with nothing in it that a terminal would obey. They must not contain NUL: no word can.
pub fn quote_bytes(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(text::is_unsafe) => quote(text),
        _ => format!("$'{}'", bytes.utf8_chunks().map(|chunk| escaped(&chunk)).collect::<String>()).into(),
    }
}

fn escaped(chunk: &std::str::Utf8Chunk<'_>) -> String {
    let mut word = String::new();
    let hex =
        |word: &mut String, bytes: &[u8]| word.extend(bytes.iter().map(|byte| format!("\\x{byte:02x}")));
    for c in chunk.valid().chars() {
        match c {
            '\n' => word.push_str("\\n"),
            '\r' => word.push_str("\\r"),
            '\t' => word.push_str("\\t"),
            '\'' | '\\' => word.extend(['\\', c]),
            // An interactive bash could expand its history at `!`.
            c if c == '!' || text::is_unsafe(c) => hex(&mut word, c.encode_utf8(&mut [0; 4]).as_bytes()),
            c => word.push(c),
        }
    }
    hex(&mut word, chunk.invalid());
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_word_gets_only_the_quotes_that_it_needs() {
        for (text, word) in [
            ("/run/x.sock", "/run/x.sock"),
            ("tier=gold", "tier=gold"),
            ("=ls", "'=ls'"),
            ("", "''"),
            ("two words", "'two words'"),
            ("it's", "\"it's\""),
            ("$HOME;rm", "'$HOME;rm'"),
        ] {
            assert_eq!(quote(text), word);
        }
    }

    #[test]
    fn bytes_that_are_no_plain_text_are_escaped() {
        for (bytes, word) in [
            (&b"two words"[..], "'two words'"),
            (b"it's\n", r"$'it\'s\n'"),
            (b"\x1b[31m\\", r"$'\x1b[31m\\'"),
            (b"\xffa", r"$'\xffa'"),
            ("ü\u{202e}!".as_bytes(), r"$'ü\xe2\x80\xae\x21'"),
        ] {
            assert_eq!(quote_bytes(bytes), word);
        }
    }

    proptest! {
        #[test]
        fn a_quoted_word_is_split_into_the_same_word(text in any::<String>()) {
            prop_assert_eq!(shlex::split(&quote(&text)), Some(vec![text]));
        }
    }
}
