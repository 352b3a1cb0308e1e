//! The line that is typed: what it does while it is typed, and when it is complete.

use crossterm::event::KeyEvent;

use super::{App, Effect, Mode, Question, Status, asked::Asked, faults};
use crate::{
    console::prompt::{Prompt, Purpose, Typed},
    domain::{
        command::{Command, Target},
        query::{Query, QueryError},
    },
    hub::Snapshot,
};

impl App {
    /// Begins a line.
    pub(super) fn begin(&mut self, purpose: Purpose, text: &str, seen: &Snapshot) {
        self.edited = None;
        self.mode = Mode::Type(Prompt::new(purpose, text, seen));
    }

    /// Takes a key while a line is typed. A line that is no good stays, with what is wrong with it.
    pub(super) fn type_key(&mut self, key: KeyEvent, seen: &Snapshot) -> Vec<Effect> {
        let Mode::Type(prompt) = &mut self.mode else { return Vec::new() };
        let history = match prompt.purpose {
            Purpose::Command => &self.lines,
            Purpose::Filter => &self.filters,
        };
        let line = match prompt.key(key, history, seen) {
            Typed::Nothing => return Vec::new(),
            Typed::Changed => return self.retyped(),
            Typed::Done(line) => Some(line),
            Typed::Gone => None,
        };
        let Mode::Type(mut prompt) = std::mem::replace(&mut self.mode, Mode::Browse) else {
            return Vec::new();
        };
        self.rehearsal = None;
        let done = match (&line, prompt.purpose) {
            (Some(line), Purpose::Command) => self.run_line(line, seen),
            (None, Purpose::Command) => Ok(Vec::new()),
            (line, Purpose::Filter) => {
                self.filter(line.as_ref().unwrap_or(&prompt.begun)).map(|()| Vec::new())
            }
        };
        if let (Err(why), Some(_)) = (&done, &line) {
            prompt.refuse(why.clone());
            self.mode = Mode::Type(prompt);
        } else if let Some(line) = line {
            match prompt.purpose {
                Purpose::Command => self.lines.keep(&line),
                Purpose::Filter => self.filters.keep(&line),
            }
            self.handed_in = Some(prompt);
        }
        done.unwrap_or_default()
    }

    /// Takes in what came of a command. One that was typed and is refused can be mended.
    pub(super) fn done(&mut self, line: String, result: Result<String, String>, seen: &Snapshot) {
        if let Some(pressed) = &mut self.last_key {
            pressed.answered = true;
        }
        let handed_in = self.handed_in.take();
        if handed_in.is_none() {
            self.lines.keep(&line);
        }
        self.status = match (result, handed_in) {
            (Ok(text), _) => {
                let forecast = faults::forecast_of(&line, seen).filter(|_| !line.contains("--dry-run")).map(
                    |forecast| {
                        let done = if line.starts_with("down") { &text } else { "armed" };
                        format!("{done}. {forecast}")
                    },
                );
                Status::Said { line: Some(line), text: forecast.unwrap_or(text) }
            }
            (Err(why), Some(mut prompt)) => {
                prompt.refuse(why);
                self.mode = Mode::Type(prompt);
                Status::Quiet
            }
            (Err(why), None) => Status::Failed { line, why },
        };
    }

    /// Follows a line while it is typed: a filter acts at once, and a rule is held against the journal.
    pub(super) fn retyped(&mut self) -> Vec<Effect> {
        let Mode::Type(prompt) = &self.mode else { return Vec::new() };
        let text = prompt.text().to_owned();
        let (problem, effects) = match prompt.purpose {
            Purpose::Filter => (self.filter(&text).err(), Vec::new()),
            Purpose::Command => match Asked::read(&text, self.theme.glyphs.ascii) {
                Ok(Asked::Command(command)) => match *command {
                    Command::Arm { rule, .. } => (None, vec![Effect::Rehearse(Box::new(rule))]),
                    _ => (None, Vec::new()),
                },
                Ok(_) => (None, Vec::new()),
                Err(error) => (Some(error), Vec::new()),
            },
        };
        if effects.is_empty() {
            self.rehearsal = None;
        }
        if let Mode::Type(prompt) = &mut self.mode {
            prompt.problem = problem;
        }
        effects
    }

    /// Shows only some entries. What is no filter changes nothing.
    fn filter(&mut self, text: &str) -> Result<(), String> {
        let query = text.parse().map_err(|error: QueryError| error.to_string())?;
        self.calls.filter(query);
        text.trim().clone_into(&mut self.filter_text);
        Ok(())
    }

    /// Shows all entries again.
    pub(super) fn unfilter(&mut self) {
        self.calls.filter(Query::default());
        self.filter_text.clear();
    }

    /// Does what a typed line says: a command, or one of the console's own actions by its name.
    fn run_line(&mut self, line: &str, seen: &Snapshot) -> Result<Vec<Effect>, String> {
        if line.is_empty() {
            return Ok(Vec::new());
        }
        match Asked::read(line, self.theme.glyphs.ascii)? {
            Asked::Command(command) => return Ok(self.confirmed(*command, seen)),
            Asked::Action(action) => return Ok(self.act(action, seen)),
            Asked::Theme(theme) => {
                self.status = Status::say(format!("theme {}", theme.name));
                self.theme = *theme;
            }
            Asked::Filter(text) => self.filter(&text)?,
        }
        Ok(Vec::new())
    }

    /// A command that can end an engine, or that nothing undoes, is carried out after a question only.
    pub(super) fn confirmed(&mut self, command: Command, seen: &Snapshot) -> Vec<Effect> {
        let edited = self.edited.take().and_then(|id| seen.faults.iter().find(|rule| rule.id == id));
        match command {
            command if command.is_dangerous() => {
                self.mode = Mode::Ask(Question::Run(Box::new(command.confirmed())));
                Vec::new()
            }
            Command::Play { card, stepwise, dangerous: false } if seen.playbill.can_harm(&card) => {
                let command = Command::Play { card, stepwise, dangerous: true };
                self.mode = Mode::Ask(Question::Run(Box::new(command)));
                Vec::new()
            }
            Command::Wipe | Command::Reset | Command::Crash { keep: false } => {
                self.mode = Mode::Ask(Question::Run(Box::new(command)));
                Vec::new()
            }
            // One with the same label is replaced anyway; any other would stay beside what came of it.
            Command::Arm { ref label, dry_run: false, .. }
                if edited.is_some_and(|rule| {
                    rule.label.is_none() || rule.label.as_deref() != label.as_deref()
                }) =>
            {
                let ended = edited.map(|rule| Command::Disarm(Target::Id(rule.id)).into());
                [command.into()].into_iter().chain(ended).collect()
            }
            command => vec![command.into()],
        }
    }
}
