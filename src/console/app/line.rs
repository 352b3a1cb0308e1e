//! The line that is typed: what it does while it is typed, and when it is complete.

use crossterm::event::KeyEvent;

use super::{App, Effect, Mode, Question, Status, asked::Asked, faults};
use crate::{
    console::prompt::{Prompt, PromptEvent, Purpose},
    domain::lang::{
        command::{Command, Target},
        filter::{Filter, FilterError},
    },
    state::Snapshot,
};

impl App {
    /// Begins a line.
    pub(super) fn begin(&mut self, purpose: Purpose, text: &str, snapshot: &Snapshot) {
        self.edited = None;
        self.mode = Mode::Type(Prompt::new(purpose, text, snapshot));
    }

    /// Takes a key while a line is typed. A line that is no good stays, with what is wrong with it.
    pub(super) fn type_key(&mut self, key: KeyEvent, snapshot: &Snapshot) -> Vec<Effect> {
        let Mode::Type(prompt) = &mut self.mode else { return Vec::new() };
        let history = match prompt.purpose {
            Purpose::Command => &self.lines,
            Purpose::Filter => &self.filters,
        };
        let line = match prompt.key(key, history, snapshot) {
            PromptEvent::Nothing => return Vec::new(),
            PromptEvent::Changed => return self.retyped(),
            PromptEvent::Done(line) => Some(line),
            PromptEvent::Gone => None,
        };
        let Mode::Type(mut prompt) = std::mem::replace(&mut self.mode, Mode::Browse) else {
            return Vec::new();
        };
        self.dry_run = None;
        let done = match (&line, prompt.purpose) {
            (Some(line), Purpose::Command) => self.run_line(line, snapshot),
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
    pub(super) fn done(&mut self, line: String, result: Result<String, String>, snapshot: &Snapshot) {
        if let Some(pressed) = &mut self.last_key {
            pressed.answered = true;
        }
        let handed_in = self.handed_in.take();
        if handed_in.is_none() {
            self.lines.keep(&line);
        }
        self.status = match (result, handed_in) {
            (Ok(text), _) => {
                let forecast = faults::forecast_of(&line, snapshot)
                    .filter(|_| !line.contains("--dry-run"))
                    .map(|forecast| {
                        let done = if line.starts_with("down") { &text } else { "armed" };
                        format!("{done}. {forecast}")
                    });
                Status::StyledText { line: Some(line), text: forecast.unwrap_or(text) }
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
            self.dry_run = None;
        }
        if let Mode::Type(prompt) = &mut self.mode {
            prompt.problem = problem;
        }
        effects
    }

    /// Shows only some entries. What is no filter changes nothing.
    fn filter(&mut self, text: &str) -> Result<(), String> {
        let filter = text.parse().map_err(|error: FilterError| error.to_string())?;
        self.calls.set_filter(filter);
        text.trim().clone_into(&mut self.filter_text);
        Ok(())
    }

    /// Shows all entries again.
    pub(super) fn unfilter(&mut self) {
        self.calls.set_filter(Filter::default());
        self.filter_text.clear();
    }

    /// Does what a typed line says: a command, or one of the console's own actions by its name.
    fn run_line(&mut self, line: &str, snapshot: &Snapshot) -> Result<Vec<Effect>, String> {
        if line.is_empty() {
            return Ok(Vec::new());
        }
        match Asked::read(line, self.theme.glyphs.ascii)? {
            Asked::Command(command) => return Ok(self.confirmed(*command, snapshot)),
            Asked::Action(action) => return Ok(self.act(action, snapshot)),
            Asked::Theme(theme) => {
                self.status = Status::say(format!("theme {}", theme.name));
                self.theme = *theme;
            }
            Asked::Filter(text) => self.filter(&text)?,
        }
        Ok(Vec::new())
    }

    /// A command that can end an engine, or that nothing undoes, is carried out after a question only.
    pub(super) fn confirmed(&mut self, command: Command, snapshot: &Snapshot) -> Vec<Effect> {
        let edited = self.edited.take().and_then(|id| snapshot.faults.iter().find(|rule| rule.id == id));
        match command {
            command if command.is_dangerous() => {
                self.mode = Mode::Ask(Question::Run(Box::new(command.confirmed())));
                Vec::new()
            }
            Command::Play { scenario, stepwise, dangerous: false }
                if snapshot.catalog.can_harm(&scenario) =>
            {
                let command = Command::Play { scenario, stepwise, dangerous: true };
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
