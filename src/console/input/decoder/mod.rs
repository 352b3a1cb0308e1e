//! What is typed, from the bytes of a terminal: which bytes belong together, and when to stop waiting for more.
//!
//! A sequence may be cut off, and a paste may have no end: what a terminal sends then must not take later keys with it,
//! Ctrl-C least of all. So a control character ends every sequence, and after a pause an unfinished one is given up.

mod token;

use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use terminput_crossterm::to_crossterm;

use token::{ESCAPE, Token, next_token};

const PASTE_BEGIN: &[u8] = b"\x1b[200~";
const PASTE_END: &[u8] = b"\x1b[201~";
const CTRL_C: u8 = 0x03;
/// Ctrl-C in the kitty keyboard protocol.
const KITTY_CTRL_C: &[u8] = b"\x1b[99;5u";
/// How much of a paste is kept.
const MAX_PASTE: usize = 1024 * 1024;

/// After this pause, an escape character is a key of its own.
const ESCAPE_PAUSE: Duration = Duration::from_millis(5);
/// After this pause, `ESC [` is Alt with a key, and Ctrl-C in an unfinished paste was typed.
const KEY_PAUSE: Duration = Duration::from_millis(50);
/// After this pause, the rest of a sequence does not come any more.
const SEQUENCE_PAUSE: Duration = Duration::from_millis(500);
/// After this pause, the end of a paste does not come any more.
const PASTE_PAUSE: Duration = Duration::from_secs(2);

/// Turns the bytes of a terminal into events.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The beginning of something.
    pending: Vec<u8>,
    /// What was pasted so far, if a paste has begun.
    paste: Option<Vec<u8>>,
    /// The last bytes that have come, as many as a Ctrl-C may have.
    last: Vec<u8>,
}

impl Decoder {
    /// Takes bytes, and appends the events in them.
    pub fn push(&mut self, bytes: &[u8], events: &mut Vec<Event>) {
        self.last.extend_from_slice(&bytes[bytes.len().saturating_sub(KITTY_CTRL_C.len())..]);
        self.last.drain(..self.last.len().saturating_sub(KITTY_CTRL_C.len()));
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        while !rest.is_empty() {
            let Some(taken) = self.take(rest, events) else { break };
            rest = &rest[taken..];
        }
        self.pending.extend_from_slice(rest);
    }

    /// How long to wait for more bytes before [`Decoder::pause`], if something is unfinished.
    pub fn timeout(&self) -> Option<Duration> {
        match (&self.paste, &self.pending[..]) {
            (Some(_), _) if self.ends_with_ctrl_c() => Some(KEY_PAUSE),
            (Some(_), _) => Some(PASTE_PAUSE),
            (None, []) => None,
            (None, [ESCAPE]) => Some(ESCAPE_PAUSE),
            (None, [_, _]) => Some(KEY_PAUSE),
            (None, _) => Some(SEQUENCE_PAUSE),
        }
    }

    /// Nothing has come for as long as [`Decoder::timeout`] says: ends what is unfinished.
    pub fn pause(&mut self, events: &mut Vec<Event>) {
        let pending = std::mem::take(&mut self.pending);
        if let Some(mut paste) = self.paste.take() {
            paste.extend_from_slice(&pending);
            events.push(if self.ends_with_ctrl_c() {
                Event::Key(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL))
            } else {
                pasted(&paste)
            });
        } else if let [ESCAPE, typed @ ..] = &pending[..] {
            match typed {
                [] => events.push(Event::Key(KeyCode::Esc.into())),
                [key] if key.is_ascii() => {
                    events.push(Event::Key(KeyEvent::new(KeyCode::Char((*key).into()), KeyModifiers::ALT)));
                }
                _ => {}
            }
        }
    }

    /// Whether Ctrl-C came last: in a paste, it was typed if nothing follows it.
    fn ends_with_ctrl_c(&self) -> bool {
        self.last.ends_with(&[CTRL_C]) || self.last.ends_with(KITTY_CTRL_C)
    }

    /// Takes what comes first, and returns how many bytes that was. None if more bytes decide what it is.
    fn take(&mut self, bytes: &[u8], events: &mut Vec<Event>) -> Option<usize> {
        if let Some(paste) = &mut self.paste {
            let end = memchr::memmem::find(bytes, PASTE_END);
            // The last bytes may be the beginning of its end.
            let text = end.unwrap_or((bytes.len() + 1).saturating_sub(PASTE_END.len()));
            let room = MAX_PASTE.saturating_sub(paste.len());
            paste.extend_from_slice(&bytes[..text.min(room)]);
            if end.is_some() {
                events.push(pasted(paste));
                self.paste = None;
                return Some(text + PASTE_END.len());
            }
            return (text > 0).then_some(text);
        }
        match next_token(bytes) {
            Token::Complete(length) if &bytes[..length] == PASTE_BEGIN => {
                self.paste = Some(Vec::new());
                Some(length)
            }
            Token::Complete(length) if is_mouse_outside(&bytes[..length]) => Some(length),
            Token::Complete(length) => {
                let event = terminput::Event::parse_from(&bytes[..length]);
                events.extend(event.ok().flatten().and_then(|event| to_crossterm(event).ok()));
                Some(length)
            }
            Token::Ignored(length) => Some(length),
            Token::Incomplete => None,
        }
    }
}

/// Whether a sequence is that of a mouse in column or row 0. They are counted from 1, and the parser subtracts without a
/// check.
fn is_mouse_outside(sequence: &[u8]) -> bool {
    let [ESCAPE, b'[', parameters @ .., b'M' | b'm'] = sequence else { return false };
    let number = |text: &[u8]| str::from_utf8(text).ok()?.parse::<u16>().ok();
    parameters.split(|byte| *byte == b';').skip(1).take(2).any(|place| number(place) == Some(0))
}

fn pasted(bytes: &[u8]) -> Event {
    Event::Paste(String::from_utf8_lossy(bytes).into_owned())
}

#[cfg(test)]
mod tests;
