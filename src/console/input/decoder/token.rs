//! Which bytes belong together.

/// What begins every sequence.
pub const ESCAPE: u8 = 0x1b;

/// How long a sequence can be.
const MAX_SEQUENCE: usize = 64;
/// How long a reply of the terminal in words can be, such as its colours.
const MAX_STRING: usize = 4096;

/// What comes first.
#[derive(Debug, PartialEq, Eq)]
pub enum Token {
    /// A key or a whole sequence of so many bytes.
    Complete(usize),
    /// So many bytes that mean nothing.
    Ignored(usize),
    /// The beginning of one.
    Incomplete,
}

/// What comes first in bytes, of which there is at least one.
pub fn next_token(bytes: &[u8]) -> Token {
    match bytes {
        [ESCAPE] | [ESCAPE, b'O'] => Token::Incomplete,
        [ESCAPE, b'[', rest @ ..] => control_sequence(rest),
        [ESCAPE, b'O', b'@'..=b'~', ..] => Token::Complete(3),
        [ESCAPE, b'O', ..] => Token::Ignored(2),
        [ESCAPE, b']' | b'P' | b'X' | b'^' | b'_', rest @ ..] => string(rest),
        // Alt with a key. Two escape characters are two keys, and so are Esc and Ctrl-C.
        [ESCAPE, next, ..] if *next == ESCAPE || *next == 0x03 => Token::Complete(1),
        [ESCAPE, rest @ ..] => match character(rest) {
            Token::Complete(length) => Token::Complete(1 + length),
            Token::Ignored(length) => Token::Ignored(1 + length),
            Token::Incomplete => Token::Incomplete,
        },
        _ => character(bytes),
    }
}

/// A control sequence after `ESC [`: parameters, and a last byte.
fn control_sequence(rest: &[u8]) -> Token {
    match rest {
        // The function keys of the Linux console.
        [b'['] => return Token::Incomplete,
        [b'[', b'A'..=b'E', ..] => return Token::Complete(4),
        // The mouse of old terminals: three bytes for the button and the place.
        [b'M', place @ ..] => {
            return match place.iter().take(3).position(|byte| *byte < b' ') {
                Some(control) => Token::Ignored(3 + control),
                None if place.len() < 3 => Token::Incomplete,
                None => Token::Complete(6),
            };
        }
        _ => {}
    }
    match rest.iter().take(MAX_SEQUENCE).position(|byte| !matches!(byte, b' '..=b'?')) {
        Some(last) if matches!(rest[last], b'@'..=b'~') => Token::Complete(2 + last + 1),
        // What follows is something else.
        Some(other) => Token::Ignored(2 + other),
        None if rest.len() < MAX_SEQUENCE => Token::Incomplete,
        None => Token::Ignored(2 + MAX_SEQUENCE),
    }
}

/// A reply in words, which ends with BEL or `ESC \`.
fn string(rest: &[u8]) -> Token {
    match rest.iter().take(MAX_STRING).position(|byte| *byte < b' ') {
        Some(end) => match rest[end..] {
            [0x07, ..] => Token::Ignored(2 + end + 1),
            [ESCAPE, b'\\', ..] => Token::Ignored(2 + end + 2),
            [ESCAPE] => Token::Incomplete,
            _ => Token::Ignored(2 + end),
        },
        None if rest.len() < MAX_STRING => Token::Incomplete,
        None => Token::Ignored(2 + MAX_STRING),
    }
}

/// A character in UTF-8.
fn character(bytes: &[u8]) -> Token {
    let length = match bytes[0] {
        0..=0x7f => return Token::Complete(1),
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Token::Ignored(1),
    };
    let following = bytes[1..].iter().take(length - 1);
    let continued = following.take_while(|byte| matches!(byte, 0x80..=0xbf)).count();
    if 1 + continued == length {
        Token::Complete(length)
    } else if 1 + continued == bytes.len() {
        Token::Incomplete
    } else {
        Token::Ignored(1 + continued)
    }
}
