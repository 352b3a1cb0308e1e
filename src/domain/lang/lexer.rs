//! The scanner: reads a line word by word and knows in which column it is.
//!
//! Commands and rules are both read with it, so that both quote alike and count columns alike.

use serde::de::IgnoredAny;

use super::json;

/// A line, and how far into it one is.
#[derive(Clone, Debug)]
pub struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Lexer<'t> {
    /// At the beginning of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Everything that is left, spaces skipped.
    pub fn rest(&mut self) -> &'t str {
        let rest = &self.text[self.at..];
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed
    }

    /// The column of what comes next, from 1, in characters.
    pub fn column(&mut self) -> usize {
        self.rest();
        self.text[..self.at].chars().count() + 1
    }

    /// Goes on by some bytes of [`Self::rest`], and returns them.
    fn advance(&mut self, bytes: usize) -> &'t str {
        let start = self.at;
        self.at += bytes;
        &self.text[start..self.at]
    }

    /// The next word, up to a space or one of `ends`. Empty at the end, or where such a character comes next.
    pub fn word(&mut self, ends: &[char]) -> &'t str {
        let rest = self.rest();
        let end = rest.find(|c: char| c.is_whitespace() || ends.contains(&c)).unwrap_or(rest.len());
        self.advance(end)
    }

    /// What [`Self::word`] would read.
    pub fn peek(&self, ends: &[char]) -> &'t str {
        self.clone().word(ends)
    }

    /// Takes a character if it comes next.
    pub fn take(&mut self, wanted: char) -> bool {
        let taken = self.rest().starts_with(wanted);
        if taken {
            self.advance(wanted.len_utf8());
        }
        taken
    }

    /// Takes a character if it comes next without a space between.
    pub fn take_adjacent(&mut self, wanted: char) -> bool {
        self.text[self.at..].starts_with(wanted) && self.take(wanted)
    }

    /// Whether a space comes next.
    pub fn is_at_space(&self) -> bool {
        self.text[self.at..].starts_with(char::is_whitespace)
    }

    /// A text in double quotes, escaped as in JSON, if one begins here. An error if it does not end well.
    pub fn quoted(&mut self) -> Option<Result<String, ()>> {
        let rest = self.rest();
        if !rest.starts_with('"') {
            return None;
        }
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        Some(match stream.next() {
            Some(Ok(text)) => {
                self.advance(stream.byte_offset());
                Ok(text)
            }
            _ => Err(()),
        })
    }

    /// A JSON document in one line, however it is laid out here. An error has its place, in characters from the
    /// document's beginning.
    pub fn document(&mut self) -> Result<String, (usize, String)> {
        let rest = self.rest();
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
        let Some(Err(error)) = stream.next() else {
            let text = self.advance(stream.byte_offset());
            return json::compact(text).ok_or((0, "a number or a text in it cannot be read".to_owned()));
        };
        let said = error.to_string();
        let problem = said.split(" at line ").next().unwrap_or_default().to_owned();
        if error.is_eof() {
            return Err((rest.trim_end().chars().count(), problem));
        }
        let lines: usize =
            rest.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let mut end = (lines + error.column().saturating_sub(1)).min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        Err((rest[..end].chars().count(), problem))
    }

    /// Takes everything that is left.
    pub fn take_rest(&mut self) -> &'t str {
        let rest = self.rest();
        self.advance(rest.len())
    }

    /// Whether nothing is left.
    pub fn is_at_end(&mut self) -> bool {
        self.rest().is_empty()
    }
}

/// A text in double quotes, as [`Lexer::quoted`] reads it.
pub fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn columns_count_characters_and_not_bytes() {
        let mut lexer = Lexer::new("größe:  \"ü\\\"\" x");
        assert_eq!((lexer.word(&[':']), lexer.column()), ("größe", 6));
        assert!(lexer.take(':'));
        assert_eq!(lexer.column(), 9);
        assert_eq!(lexer.quoted(), Some(Ok("ü\"".into())));
        assert_eq!((lexer.column(), lexer.word(&[]), lexer.is_at_end()), (15, "x", true));
    }

    proptest! {
        #[test]
        fn a_quoted_text_is_read_as_it_was(text in any::<String>()) {
            prop_assert_eq!(Lexer::new(&quote(&text)).quoted(), Some(Ok(text)));
        }
    }
}
