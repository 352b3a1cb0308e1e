//! The line at the bottom in which a command or a filter is typed.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use tui_input::{Input, InputRequest, backend::crossterm::EventHandler};

/// What the line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A command, after `:`.
    Command,
    /// A filter, after `/`.
    Filter,
}

/// The line while it is typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub purpose: Purpose,
    /// The text and the cursor in it.
    pub input: Input,
    /// How far back in the history the text was taken from; 0 is none of it.
    back: usize,
}

/// What a key did to the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It changed the line, or nothing.
    On,
    /// The line is complete.
    Done(String),
    /// The line is given up.
    Gone,
}

impl Prompt {
    /// A line with a text to begin with.
    pub fn new(purpose: Purpose, text: &str) -> Self {
        Self { purpose, input: Input::new(text.to_owned()), back: 0 }
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent, history: &[String]) -> Typed {
        match key.code {
            KeyCode::Enter => return Typed::Done(self.input.value().trim().to_owned()),
            KeyCode::Esc => return Typed::Gone,
            KeyCode::Backspace if self.input.value().is_empty() => return Typed::Gone,
            KeyCode::Up => self.recall(self.back + 1, history),
            KeyCode::Down => self.recall(self.back.saturating_sub(1), history),
            KeyCode::Char('k') if key.modifiers == KeyModifiers::CONTROL => {
                self.input.handle(InputRequest::DeleteTillEnd);
            }
            _ => {
                self.input.handle_event(&Event::Key(key));
            }
        }
        Typed::On
    }

    /// Types a text that was pasted, as one line.
    pub fn paste(&mut self, text: &str) {
        for c in text.chars().map(|c| if c == '\n' { ' ' } else { c }).filter(|c| !c.is_control()) {
            self.input.handle(InputRequest::InsertChar(c));
        }
    }

    fn recall(&mut self, back: usize, history: &[String]) {
        let line = match back {
            0 => Some(""),
            _ => history.len().checked_sub(back).map(|index| history[index].as_str()),
        };
        if let Some(line) = line {
            self.back = back;
            self.input = Input::new(line.to_owned());
        }
    }
}
