//! The line that is typed: what it does while it is typed, and when it is complete.

use crossterm::event::KeyEvent;

use crate::{
    console::{
        input::command_line::LineInput,
        model::{
            app::App,
            event::Effect,
            fault_list::{self, FaultRow},
            mode::{Mode, Question, StatusLine, StatusSource},
            prompt::{Prompt, PromptEvent, PromptKind, Replaced, Submitted},
        },
    },
    domain::model::source_status::SourceStatus,
    domain::{
        lang::{
            command::{Command, Target},
            filter::{Filter, FilterError},
        },
        model::origin::Origin,
    },
    hub::Snapshot,
};

impl App {
    /// Begins a line.
    pub(super) fn begin(&mut self, purpose: PromptKind, text: &str, snapshot: &Snapshot) {
        self.edited = None;
        self.status = StatusLine::Empty;
        self.mode = Mode::Type(Prompt::new(purpose, text, &self.themes, snapshot));
    }

    /// Takes a key while a line is typed. A line that is no good stays, with what is wrong with it.
    pub(super) fn type_key(&mut self, key: KeyEvent, snapshot: &Snapshot) -> Vec<Effect> {
        let Mode::Type(prompt) = &mut self.mode else { return Vec::new() };
        let history = match prompt.kind {
            PromptKind::Command => &self.lines,
            PromptKind::Filter => &self.filters,
            PromptKind::Shell => &self.shell_lines,
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
        self.dry_run.clear();
        let done = match (&line, prompt.kind) {
            (Some(line), PromptKind::Command) => self.run_line(line, snapshot),
            (Some(line), PromptKind::Shell) => Ok(self.run_shell(line)),
            (None, PromptKind::Command | PromptKind::Shell) => Ok(Vec::new()),
            (line, PromptKind::Filter) => {
                self.filter(line.as_ref().unwrap_or(&prompt.initial)).map(|()| Vec::new())
            }
        };
        if let (Err(why), Some(_)) = (&done, &line) {
            prompt.refuse(why.clone());
            self.mode = Mode::Type(prompt);
        } else if let Some(line) = line {
            match prompt.kind {
                PromptKind::Command => self.lines.keep(&line),
                PromptKind::Filter => self.filters.keep(&line),
                PromptKind::Shell => self.shell_lines.keep(&line),
            }
            self.submitted = Some(Submitted { prompt, command: None });
        }
        done.unwrap_or_default()
    }

    /// Notes which command was made from the line that was typed last.
    pub(super) fn link_submitted(&mut self, effects: &[Effect], snapshot: &Snapshot) {
        let commands = effects.iter().filter_map(|effect| match effect {
            Effect::Run(command) => Some(command),
            _ => None,
        });
        let commands: Vec<_> = commands.map(ToString::to_string).collect();
        if let (Some(submitted), Some(command)) = (&mut self.submitted, commands.first()) {
            submitted.command.get_or_insert_with(|| command.clone());
        }
        for command in commands {
            self.expect(&command, snapshot);
        }
    }

    /// A command of this console is on its way: its entry is no news.
    pub fn expect(&mut self, command: &str, snapshot: &Snapshot) {
        // Each instance that it goes to records it.
        let targets = if snapshot.is_all() { snapshot.nodes.len() } else { 1 };
        self.own_commands.expect(std::iter::repeat_n(command.to_owned(), targets));
    }

    /// Whether a command is the one that was typed last.
    pub fn is_submitted(&self, command: &Command) -> bool {
        let line = self.submitted.as_ref().and_then(|submitted| submitted.command.as_deref());
        line == Some(&command.to_string())
    }

    /// The key that was pressed last, as the origin of a command.
    pub fn last_key_origin(&self) -> Origin {
        Origin::Key { key: self.last_key.as_ref().map_or("", |last| &last.key).into() }
    }

    /// Says that a command takes long.
    pub(super) fn still_running(&mut self, line: &str, waiting: usize) {
        let others = match waiting {
            0 => String::new(),
            1 => "; 1 more command waits".into(),
            _ => format!("; {waiting} more commands wait"),
        };
        self.say(format!("{line} is still running{others}"));
    }

    /// The status line now says something that came after the last key.
    pub(super) fn note_answer(&mut self) {
        self.status_source = StatusSource::Later;
        if let Some(pressed) = &mut self.last_key {
            pressed.answered = true;
        }
    }

    /// Shows the result of a command. If it failed and was typed, its line is opened again for correction.
    pub(super) fn command_done(&mut self, line: String, result: Result<String, String>, snapshot: &Snapshot) {
        self.note_answer();
        self.status_since = snapshot.at;
        if result.is_err() {
            self.own_commands.failed(&line);
        }
        let replaced = self.replaced.clone();
        // The line that armed the rule in its new form says it all.
        if result.is_ok()
            && replaced.as_ref().is_some_and(|replaced| replaced.disarmed.as_ref() == Some(&line))
        {
            self.replaced = None;
            return;
        }
        let edited = replaced.filter(|replaced| replaced.armed == line).map(|replaced| replaced.id);
        // The rule in its new form is the selected one.
        if let (Some(id), Some(newest)) = (edited, snapshot.rules.iter().map(|rule| rule.id).max())
            && self.chosen_fault == FaultRow::Rule(id)
        {
            self.chosen_fault = FaultRow::Rule(newest);
        }
        let submitted = self.submitted.take_if(|submitted| submitted.command.as_ref() == Some(&line));
        self.status = match (result, submitted.map(|submitted| submitted.prompt)) {
            (Ok(text), _) => {
                let forecast = fault_list::forecast_of(&line, snapshot)
                    // What each of several instances has answered matters more.
                    .filter(|_| !line.contains("--dry-run") && !snapshot.is_all())
                    .map(|forecast| {
                        let prefix = match edited {
                            _ if line.starts_with("down") => text.clone(),
                            Some(id) => format!("rule {id} edited"),
                            None => "armed".to_owned(),
                        };
                        format!("{prefix}. {forecast}")
                    });
                StatusLine::Message { line: Some(line), text: forecast.unwrap_or(text) }
            }
            (Err(why), Some(mut prompt)) => {
                prompt.refuse(why);
                self.mode = Mode::Type(prompt);
                StatusLine::Empty
            }
            (Err(why), None) => StatusLine::Error { line, why },
        };
    }

    /// Follows a line while it is typed: a filter applies at once, and a rule gets a dry run.
    pub(super) fn retyped(&mut self) -> Vec<Effect> {
        let Mode::Type(prompt) = &self.mode else { return Vec::new() };
        let text = prompt.text().to_owned();
        let (problem, rule) = match prompt.kind {
            PromptKind::Filter => (self.filter(&text).err(), None),
            PromptKind::Shell => (None, None),
            PromptKind::Command => match LineInput::read(&text, &self.themes) {
                Ok(LineInput::Command(command)) => match *command {
                    Command::Arm { rule, .. } => (None, Some(rule)),
                    _ => (None, None),
                },
                Ok(_) => (None, None),
                Err(error) => (Some(error), None),
            },
        };
        if let Mode::Type(prompt) = &mut self.mode {
            prompt.problem = problem;
        }
        let dry_run = if let Some(rule) = rule {
            self.dry_run.request(Box::new(rule))
        } else {
            self.dry_run.clear();
            None
        };
        dry_run.into_iter().collect()
    }

    /// Shows only some entries. What is no filter changes nothing.
    fn filter(&mut self, text: &str) -> Result<(), String> {
        let filter: Filter = text.parse().map_err(|error: FilterError| error.to_string())?;
        if filter != Filter::default() {
            self.latest_filter = filter.clone();
        }
        self.calls.set_filter(filter);
        text.trim().clone_into(&mut self.filter_text);
        Ok(())
    }

    /// Shows all entries again.
    pub(super) fn unfilter(&mut self) {
        self.calls.set_filter(Filter::default());
        self.filter_text.clear();
    }

    /// Runs a typed line: a command, or an action of the console by its name.
    pub(super) fn run_line(&mut self, line: &str, snapshot: &Snapshot) -> Result<Vec<Effect>, String> {
        if line.is_empty() {
            return Ok(Vec::new());
        }
        match LineInput::read(line, &self.themes)? {
            LineInput::Command(command) => return Ok(self.ask_or_run(*command, snapshot)),
            LineInput::Action(action) => return Ok(self.act(action, snapshot)),
            LineInput::Theme(theme) => {
                self.say(format!("theme {}", theme.name));
                self.theme = *theme;
            }
            LineInput::Filter(text) => self.filter(&text)?,
            LineInput::Shell(line) => return Ok(self.run_shell(&line)),
            LineInput::Sort(Some(sort)) => self.sort_by(sort),
            LineInput::Sort(None) => self.unsort(),
            LineInput::Node(choice) => return Ok(vec![Effect::ChooseNode(choice)]),
            LineInput::Seek(target) => {
                let seek = target.resolve(snapshot.at, &self.zone);
                return Ok(vec![self.seek(seek)]);
            }
        }
        Ok(Vec::new())
    }

    /// Runs a command, after a question if it can end an engine or cannot be undone.
    pub(super) fn ask_or_run(&mut self, command: Command, snapshot: &Snapshot) -> Vec<Effect> {
        let edited = self.edited.take().and_then(|id| snapshot.rules.iter().find(|rule| rule.id == id));
        match command {
            // Nothing is lost there: its source says why it cannot be run.
            command if snapshot.source.timeline().is_some() => vec![command.into()],
            Command::Quit if snapshot.source != SourceStatus::Local => self.ask(Command::Quit),
            command if command.is_dangerous() => self.ask(command.confirmed()),
            Command::Play { scenario, stepwise, dangerous: false }
                if snapshot.catalog.can_harm(&scenario) =>
            {
                self.ask(Command::Play { scenario, stepwise, dangerous: true })
            }
            // In front of another plugin it is refused with the reason.
            command @ (Command::Wipe | Command::Crash { keep: false })
                if snapshot.driver.upstream.is_some() =>
            {
                vec![command.into()]
            }
            Command::Wipe => {
                self.mode = Mode::Ask(Question::Wipe { typed: String::new() });
                Vec::new()
            }
            Command::Reset | Command::Crash { keep: false } => self.ask(command),
            // A rule with the same label is replaced anyway; any other would stay armed beside the new one.
            Command::Arm { ref label, dry_run: false, .. }
                if edited.is_some_and(|rule| {
                    rule.label.is_none() || rule.label.as_deref() != label.as_deref()
                }) =>
            {
                let ended = edited.map(|rule| Command::Disarm(Target::Id(rule.id)));
                self.replaced = edited.map(|rule| Replaced {
                    id: rule.id,
                    armed: command.to_string(),
                    disarmed: ended.as_ref().map(ToString::to_string),
                });
                [command].into_iter().chain(ended).map(Effect::from).collect()
            }
            command => {
                self.replaced =
                    edited.map(|rule| Replaced { id: rule.id, armed: command.to_string(), disarmed: None });
                vec![command.into()]
            }
        }
    }

    /// Asks before a command is run.
    fn ask(&mut self, command: Command) -> Vec<Effect> {
        self.mode = Mode::Ask(Question::Run(Box::new(command)));
        Vec::new()
    }
}
