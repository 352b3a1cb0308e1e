//! The line at the bottom in which a command or a filter is typed, with its history and its completion.

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use serde::{Deserialize, Serialize};
use tui_input::{Input, InputRequest, backend::crossterm::EventHandler};

use crate::{
    console::{
        input::complete::{self, Completion},
        themes::Themes,
    },
    hub::Snapshot,
};

/// What the line is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromptKind {
    /// A command, after `:`.
    Command,
    /// A filter, after `/`.
    Filter,
    /// A command for the user's shell, after `!`, with the volume that is selected and the driver's name.
    Shell,
}

/// The line while it is typed.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// What it is for.
    pub kind: PromptKind,
    /// The text and the cursor in it.
    pub input: Input,
    /// What is wrong with the text, as far as it is known.
    pub problem: Option<String>,
    /// Whether it was handed in as it stands, and refused.
    pub refused: bool,
    /// The text that it began with.
    pub initial: String,
    /// What can stand next.
    pub completion: Completion,
    /// Which of the candidates was put into the line by Tab.
    pub chosen: Option<usize>,
    /// How far back in the history the text was taken from; 0 is none of it.
    back: usize,
    /// What was typed before the history was looked through.
    draft: String,
    /// The volume that is selected, for the commands that fit it.
    volume: String,
    /// The themes that can be chosen.
    themes: Themes,
    /// Whether it ends with a quote that nobody has typed.
    is_closed: bool,
}

/// Earlier lines, the latest last, and none of them twice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History(Vec<String>);

impl History {
    /// Remembers a line as the latest.
    pub fn keep(&mut self, line: &str) {
        if !line.is_empty() {
            self.0.retain(|earlier| earlier != line);
            self.0.push(line.to_owned());
        }
    }

    /// The latest `count` lines of this and of a later history.
    #[must_use]
    pub fn followed_by(mut self, later: &Self, count: usize) -> Self {
        later.0.iter().for_each(|line| self.keep(line));
        self.0.drain(..self.0.len().saturating_sub(count));
        self
    }
}

/// A line that was typed and run.
#[derive(Clone, Debug)]
pub(super) struct Submitted {
    /// As it was typed.
    pub prompt: Prompt,
    /// The command that it became, as it is printed.
    pub command: Option<String>,
}

/// The commands that put a rule in the place of an edited one.
#[derive(Clone, Debug)]
pub(super) struct Replaced {
    pub id: u32,
    pub armed: String,
    pub disarmed: Option<String>,
}

/// What a key did to the line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PromptEvent {
    /// Nothing, or it moved the cursor.
    Nothing,
    /// It changed the text.
    Changed,
    /// The line is complete.
    Done(String),
    /// The line is given up.
    Gone,
}

impl Prompt {
    /// A line with a text to begin with.
    pub fn new(kind: PromptKind, text: &str, themes: &Themes, snapshot: &Snapshot) -> Self {
        let mut prompt = Self {
            kind,
            input: Input::new(text.to_owned()),
            problem: None,
            refused: false,
            initial: text.to_owned(),
            completion: Completion::default(),
            chosen: None,
            back: 0,
            draft: String::new(),
            volume: String::new(),
            themes: themes.clone(),
            is_closed: false,
        };
        prompt.complete(snapshot);
        prompt
    }

    /// A line for the shell, with the volume that is selected.
    pub fn shell(volume: &str, themes: &Themes, snapshot: &Snapshot) -> Self {
        let mut prompt = Self::new(PromptKind::Shell, "", themes, snapshot);
        volume.clone_into(&mut prompt.volume);
        prompt.complete(snapshot);
        prompt
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.input.value()
    }

    /// Puts the cursor before the closing quote at the end of the text. Typing the quote moves past it.
    pub fn step_into_quotes(&mut self) {
        self.input.handle(InputRequest::GoToPrevChar);
        self.completion = Completion::default();
        self.is_closed = true;
    }

    /// Whether a quote is typed where one was put to close the text.
    fn is_typed_over(&self, code: KeyCode) -> bool {
        let around: Vec<char> = self.text().chars().skip(self.input.cursor().saturating_sub(1)).collect();
        self.is_closed && code == KeyCode::Char('"') && matches!(around[..], [before, '"'] if before != '\\')
    }

    /// Takes a key.
    pub fn key(&mut self, key: KeyEvent, history: &History, snapshot: &Snapshot) -> PromptEvent {
        let before = self.text().to_owned();
        match key.code {
            KeyCode::Enter => return PromptEvent::Done(self.text().trim().to_owned()),
            KeyCode::Esc => return PromptEvent::Gone,
            KeyCode::Backspace if before.is_empty() => return PromptEvent::Done(before),
            KeyCode::Tab => self.choose(1, snapshot),
            KeyCode::BackTab => self.choose(self.completion.candidates.len().saturating_sub(1), snapshot),
            KeyCode::Up => self.recall(self.back + 1, history),
            KeyCode::Down => self.recall(self.back.saturating_sub(1), history),
            KeyCode::Char('k') if key.modifiers == KeyModifiers::CONTROL => {
                self.input.handle(InputRequest::DeleteTillEnd);
            }
            code if self.is_typed_over(code) => {
                self.is_closed = false;
                self.input.handle(InputRequest::GoToEnd);
                self.complete(snapshot);
            }
            _ => {
                self.input.handle_event(&Event::Key(key));
            }
        }
        if self.text() == before {
            return PromptEvent::Nothing;
        }
        self.refused = false;
        if !matches!(key.code, KeyCode::Up | KeyCode::Down) {
            self.back = 0;
        }
        if !matches!(key.code, KeyCode::Tab | KeyCode::BackTab) {
            self.complete(snapshot);
        }
        PromptEvent::Changed
    }

    /// Takes back a line that was handed in and is no good.
    pub fn refuse(&mut self, why: String) {
        self.problem = Some(why);
        self.refused = true;
    }

    /// Types a text that was pasted, as one line.
    pub fn paste(&mut self, text: &str, snapshot: &Snapshot) {
        self.refused = false;
        let one_line = text.trim_end().chars().map(|c| if c == '\n' { ' ' } else { c });
        let pasted: String = one_line.filter(|c| !c.is_control()).collect();
        // At once, and not by character: each of these would go through the whole line.
        let (mut line, cursor) = (self.text().to_owned(), self.input.cursor());
        let at = line.char_indices().nth(cursor).map_or(line.len(), |(at, _)| at);
        line.insert_str(at, &pasted);
        let after = cursor + pasted.chars().count();
        self.input = std::mem::take(&mut self.input).with_value(line).with_cursor(after);
        self.complete(snapshot);
    }

    fn complete(&mut self, snapshot: &Snapshot) {
        self.chosen = None;
        let at_end = self.input.cursor() == self.text().chars().count();
        self.completion = match self.kind {
            _ if !at_end => Completion::default(),
            PromptKind::Command => complete::command(self.text(), &self.themes, snapshot),
            PromptKind::Filter => complete::filter(self.text(), snapshot),
            PromptKind::Shell => complete::shell(self.text(), &self.volume, snapshot),
        };
    }

    /// Puts the next candidate into the line. What was typed stays known, so that Tab can go through all. The only
    /// candidate is a whole word, so a space follows and the next word can be completed.
    fn choose(&mut self, by: usize, snapshot: &Snapshot) {
        let count = self.completion.candidates.len();
        if let [only] = &self.completion.candidates[..] {
            let space = if only.is_whole() { " " } else { "" };
            self.input = Input::new(format!("{}{}{space}", &self.text()[..self.completion.start], only.word));
            return self.complete(snapshot);
        }
        if count == 0 {
            return;
        }
        let chosen = self.chosen.map_or(if by == 1 { 0 } else { count - 1 }, |chosen| (chosen + by) % count);
        self.chosen = Some(chosen);
        let line =
            format!("{}{}", &self.text()[..self.completion.start], self.completion.candidates[chosen].word);
        self.input = Input::new(line);
    }

    fn recall(&mut self, back: usize, history: &History) {
        if back == self.back || back > history.0.len() {
            return;
        }
        if self.back == 0 {
            self.draft = self.text().to_owned();
        }
        self.back = back;
        let line = if back == 0 { &self.draft } else { &history.0[history.0.len() - back] };
        self.input = Input::new(line.clone());
    }
}
