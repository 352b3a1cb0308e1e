//! The line that is typed: what it does while it is typed, and when it is complete.

use crossterm::event::KeyEvent;

use super::{App, Effect, Mode, Question, Status};
use crate::{
    console::{
        complete,
        prompt::{Prompt, Purpose, Typed},
        theme::Theme,
    },
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

    /// Takes a key while a line is typed.
    pub(super) fn type_key(&mut self, key: KeyEvent, seen: &Snapshot) -> Vec<Effect> {
        let Mode::Type(prompt) = &mut self.mode else { return Vec::new() };
        let purpose = prompt.purpose;
        let typed = prompt.key(key, &self.history, seen);
        if matches!(typed, Typed::Gone | Typed::Done(_)) {
            self.mode = Mode::Browse;
            self.rehearsal = None;
        }
        match (typed, purpose) {
            (Typed::Nothing, _) | (Typed::Gone, Purpose::Command) => Vec::new(),
            (Typed::Changed, _) => self.retyped(),
            (Typed::Gone, Purpose::Filter) => {
                self.unfilter();
                Vec::new()
            }
            (Typed::Done(line), Purpose::Command) => self.run_line(line, seen),
            (Typed::Done(line), Purpose::Filter) => {
                if let Err(why) = self.filter(&line) {
                    self.status = Status::Failed { line: format!("filter {line}"), why };
                }
                Vec::new()
            }
        }
    }

    /// Follows a line while it is typed: a filter acts at once, and a rule is held against the journal.
    pub(super) fn retyped(&mut self) -> Vec<Effect> {
        let Mode::Type(prompt) = &self.mode else { return Vec::new() };
        let text = prompt.text().to_owned();
        let (problem, effects) = match prompt.purpose {
            Purpose::Filter => (self.filter(&text).err(), Vec::new()),
            Purpose::Command => match text.parse() {
                Ok(Command::Arm { rule, .. }) => (None, vec![Effect::Rehearse(Box::new(rule))]),
                Ok(_) => (None, Vec::new()),
                Err(error) => (Some(error.to_string()), Vec::new()),
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
    fn run_line(&mut self, line: String, seen: &Snapshot) -> Vec<Effect> {
        if line.is_empty() {
            return Vec::new();
        }
        self.history.retain(|earlier| *earlier != line);
        self.history.push(line.clone());
        let error = match line.parse::<Command>() {
            Ok(command) => return self.confirmed(command, seen),
            Err(error) => error.to_string(),
        };
        let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((&line, ""));
        let done = match (word, rest.trim()) {
            ("theme", name) if !name.is_empty() => self.choose_theme(name),
            ("filter", text) if !text.is_empty() => self.filter(text),
            (word, "") => match complete::own_action(word) {
                Some(action) => return self.act(action, seen),
                None => Err(error),
            },
            _ => Err(error),
        };
        if let Err(why) = done {
            self.status = Status::Failed { line, why };
        }
        Vec::new()
    }

    fn choose_theme(&mut self, name: &str) -> Result<(), String> {
        self.theme = Theme::named(name, self.theme.glyphs.ascii).map_err(|error| error.to_string())?;
        self.status = Status::say(format!("theme {name}"));
        Ok(())
    }

    /// A command that can end an engine, or that nothing undoes, is carried out after a question only.
    fn confirmed(&mut self, command: Command, seen: &Snapshot) -> Vec<Effect> {
        let edited = self.edited.take().and_then(|id| seen.faults.iter().find(|rule| rule.id == id));
        match command {
            command if command.is_dangerous() => {
                self.mode = Mode::Ask(Question::Run(Box::new(command.confirmed())));
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
