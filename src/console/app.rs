//! The console's state, and the one function that changes it.
//!
//! `update` takes an event and what was on the screen, and returns what is to be done outside as
//! [`Effect`]s: it touches neither the hub nor the terminal, so that every key is tested as a row of a
//! table.

use std::sync::Arc;

use crossterm::event::{KeyEvent, KeyEventKind};

use super::{
    action::{Action, Place},
    complete, copy,
    key::{Chord, Keymap},
    listing::Listing,
    prompt::{Prompt, Purpose, Typed},
    theme::Theme,
    view::{calls::docker_command, layout::Screen},
    window::{Cursor, Step},
};
use crate::{
    domain::{
        command::{Command, Outage, Released, Target},
        entry::Entry,
        fault::{PRESETS, Rehearsal, Rule, RuleState, forecast},
        protocol::Caller,
        query::{Query, QueryError},
        volume::Volume,
    },
    hub::{Snapshot, Standing},
};

/// Something that happens to the console.
#[derive(Clone, Debug)]
pub enum Event {
    /// A key.
    Key(KeyEvent),
    /// A pasted text.
    Paste(String),
    /// The terminal has another size: columns and rows.
    Resize(u16, u16),
    /// New entries, and the numbers of those that the journal keeps.
    Entries(Vec<Arc<Entry>>, std::ops::Range<u64>),
    /// A rule that is being typed was held against the journal.
    Rehearsed(Rehearsal),
    /// A command was carried out, or was not.
    Done {
        /// Its line.
        line: String,
        /// What came of it, or why nothing did.
        result: Result<String, String>,
    },
}

impl From<Command> for Effect {
    fn from(command: Command) -> Self {
        Self::Run(Box::new(command))
    }
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Carry out a command.
    Run(Box<Command>),
    /// Tell which calls of the journal a rule would have hit.
    Rehearse(Box<Rule>),
    /// Put a text on the clipboard.
    Copy(String),
    /// Draw every cell anew.
    Redraw,
    /// Give the terminal back and stop the process.
    Suspend,
    /// Leave.
    Leave,
}

/// The panes, in the order of Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The calls, or the view of one of them.
    Calls,
    /// The volumes.
    Volumes,
    /// The faults.
    Faults,
}

impl Pane {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Calls, Self::Volumes, Self::Faults];

    fn step(self, by: usize) -> Self {
        Self::ALL[(self as usize + by) % Self::ALL.len()]
    }
}

/// What has the keys before the panes do.
#[derive(Clone, Debug)]
pub enum Mode {
    /// Nothing: the panes have them.
    Browse,
    /// The help, scrolled by so many lines.
    Help(usize),
    /// A question that waits for yes or no.
    Ask(Question),
    /// A line that is being typed.
    Type(Prompt),
}

/// What is asked before it is done.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// Leave, although rules are armed or mounts open.
    Leave,
    /// Stop the process.
    Suspend,
    /// Carry out a command that cannot be undone.
    Run(Box<Command>),
}

/// What the bottom line says.
#[derive(Clone, Debug, Default)]
pub enum Status {
    /// Nothing.
    #[default]
    Quiet,
    /// What came of a command or a key.
    Said {
        /// The command line, if it was one.
        line: Option<String>,
        /// What came of it.
        text: String,
    },
    /// Why a command was not carried out.
    Failed {
        /// The command line.
        line: String,
        /// Why.
        why: String,
    },
}

impl Status {
    fn say(text: impl Into<String>) -> Self {
        Self::Said { line: None, text: text.into() }
    }
}

/// The console's state.
#[derive(Clone, Debug)]
pub struct App {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The pane that has the keys.
    pub focus: Pane,
    /// The list of calls.
    pub calls: Listing,
    /// The name of the selected volume, and the place of the view.
    pub volume: (Option<String>, usize),
    /// The place in the faults pane.
    pub fault: Cursor,
    /// How far the view of the selected call is scrolled, if it is open.
    pub inspector: Option<usize>,
    /// What has the keys first.
    pub mode: Mode,
    /// The bottom line.
    pub status: Status,
    /// The kind of outage that the next one will be.
    pub outage: Outage,
    /// Styles and signs.
    pub theme: Theme,
    /// Which key does what.
    pub keymap: Keymap,
    /// The zone that times are shown in.
    pub zone: jiff::tz::TimeZone,
    /// The filter, as it was typed.
    pub filter_text: String,
    /// What the rule that is being typed would have hit.
    pub rehearsal: Option<Rehearsal>,
    history: Vec<String>,
}

/// A row of the faults pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FaultRow {
    /// A preset, by its place in the list.
    Preset(usize),
    /// The selected volume can be forgotten.
    Forget,
    /// The driver can be taken down.
    Outage,
    /// An armed rule, by its number.
    Rule(u32),
}

impl App {
    /// A console that has seen nothing yet.
    pub fn new(size: (u16, u16), theme: Theme, keymap: Keymap, zone: jiff::tz::TimeZone) -> Self {
        Self {
            size,
            focus: Pane::Calls,
            calls: Listing::default(),
            volume: (None, 0),
            fault: Cursor::default(),
            inspector: None,
            mode: Mode::Browse,
            status: Status::Quiet,
            outage: Outage::Refuse,
            theme,
            keymap,
            zone,
            filter_text: String::new(),
            rehearsal: None,
            history: Vec::new(),
        }
    }

    /// Takes an event in view of what is on the screen.
    pub fn update(&mut self, event: Event, seen: &Snapshot) -> Vec<Effect> {
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => return self.key(key, seen),
            Event::Paste(text) => {
                if let Mode::Type(prompt) = &mut self.mode {
                    prompt.paste(&text, seen);
                    return self.retyped();
                }
            }
            Event::Resize(width, height) => self.size = (width, height),
            Event::Entries(entries, kept) => self.calls.take(&entries, &kept),
            Event::Rehearsed(rehearsal) => self.rehearsal = Some(rehearsal),
            Event::Done { line, result } => {
                self.status = match result {
                    Ok(text) => {
                        let forecast = forecast_of(&line, seen).map(|forecast| format!("armed. {forecast}"));
                        Status::Said { line: Some(line), text: forecast.unwrap_or(text) }
                    }
                    Err(why) => Status::Failed { line, why },
                };
            }
        }
        Vec::new()
    }

    fn key(&mut self, key: KeyEvent, seen: &Snapshot) -> Vec<Effect> {
        let chord = Chord::from(key);
        let action = self.keymap.action(self.place(), chord);
        if action == Some(Action::QuitNow) {
            return vec![Effect::Leave];
        }
        match &mut self.mode {
            Mode::Browse => action.map_or_else(Vec::new, |action| self.act(action, seen)),
            Mode::Help(top) => {
                match action {
                    Some(Action::Up) => *top = top.saturating_sub(1),
                    Some(Action::Down) => *top += 1,
                    Some(Action::PageUp) => *top = top.saturating_sub(usize::from(self.size.1 / 2)),
                    Some(Action::PageDown | Action::Pause) => *top += usize::from(self.size.1 / 2),
                    Some(Action::First) => *top = 0,
                    Some(Action::Last) => *top = usize::MAX,
                    Some(Action::Help | Action::Back | Action::Quit | Action::Open) => {
                        self.mode = Mode::Browse;
                    }
                    _ => {}
                }
                if let Mode::Help(top) = &mut self.mode {
                    *top = (*top).min(super::view::help::last_top(&self.keymap, &self.theme, self.size));
                }
                Vec::new()
            }
            Mode::Ask(question) => {
                let question = question.clone();
                match chord.to_string().as_str() {
                    "y" | "Y" | "enter" => {
                        self.mode = Mode::Browse;
                        vec![match question {
                            Question::Leave => Effect::Leave,
                            Question::Suspend => Effect::Suspend,
                            Question::Run(command) => Effect::Run(command),
                        }]
                    }
                    "n" | "N" | "esc" | "q" => {
                        self.mode = Mode::Browse;
                        Vec::new()
                    }
                    _ => Vec::new(),
                }
            }
            Mode::Type(prompt) => {
                let purpose = prompt.purpose;
                match prompt.key(key, &self.history, seen) {
                    Typed::Nothing => Vec::new(),
                    Typed::Changed => self.retyped(),
                    Typed::Gone => {
                        self.mode = Mode::Browse;
                        self.rehearsal = None;
                        if purpose == Purpose::Filter {
                            self.unfilter();
                        }
                        Vec::new()
                    }
                    Typed::Done(line) => {
                        self.mode = Mode::Browse;
                        self.rehearsal = None;
                        match purpose {
                            Purpose::Command => self.run_line(line, seen),
                            Purpose::Filter => {
                                if let Err(why) = self.filter(&line) {
                                    self.status = Status::Failed { line: format!("filter {line}"), why };
                                }
                                Vec::new()
                            }
                        }
                    }
                }
            }
        }
    }

    /// Follows a line while it is typed: a filter acts at once, and a rule is held against the journal.
    fn retyped(&mut self) -> Vec<Effect> {
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

    fn unfilter(&mut self) {
        self.calls.filter(Query::default());
        self.filter_text.clear();
    }

    fn place(&self) -> Place {
        match self.focus {
            Pane::Calls => Place::Calls,
            Pane::Volumes => Place::Volumes,
            Pane::Faults => Place::Faults,
        }
    }

    /// Does what a typed line says: a command, or one of the console's own actions by its name.
    fn run_line(&mut self, line: String, seen: &Snapshot) -> Vec<Effect> {
        if line.is_empty() {
            return Vec::new();
        }
        self.history.retain(|earlier| *earlier != line);
        self.history.push(line.clone());
        let error = match line.parse::<Command>() {
            Ok(command) => return self.confirmed(command),
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

    /// A command that can end an engine is carried out after a question only.
    fn confirmed(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Arm { rule, label, dry_run: false, confirmed: false } if rule.is_dangerous() => {
                let command = Command::Arm { rule, label, dry_run: false, confirmed: true };
                self.mode = Mode::Ask(Question::Run(Box::new(command)));
                Vec::new()
            }
            command => vec![Effect::from(command)],
        }
    }

    /// Does what a key asks for.
    fn act(&mut self, action: Action, seen: &Snapshot) -> Vec<Effect> {
        let mut effects = Vec::new();
        match action {
            Action::Preset(label) => effects.extend(toggle(label, seen).map(Effect::from)),
            Action::Forget => match self.selected_volume(seen) {
                Some(volume) if volume.known => {
                    effects.push(Effect::from(Command::Forget(volume.name.clone())));
                }
                Some(volume) => effects.push(Effect::from(Command::Restore(volume.name.clone()))),
                None => self.status = Status::say("there is no volume to forget yet"),
            },
            Action::Outage => effects.push(Effect::from(match seen.reachability.standing {
                Standing::Up => Command::Down { kind: self.outage, lasting: None },
                Standing::Down { .. } => Command::Up,
            })),
            Action::OutageKind => {
                self.outage = Outage::ALL[(self.outage as usize + 1) % Outage::ALL.len()];
                match seen.reachability.standing {
                    Standing::Up => {
                        let key = self.keymap.key(Action::Outage, self.theme.glyphs.ascii);
                        self.status = Status::say(format!(
                            "{key} will take the driver down: {}",
                            outage_help(self.outage)
                        ));
                    }
                    Standing::Down { .. } => {
                        effects.push(Effect::from(Command::Down { kind: self.outage, lasting: None }));
                    }
                }
            }
            Action::Release => effects.extend(self.release(seen)),
            Action::CalmAll => effects.extend(self.calm(seen)),
            Action::Up => self.step(Step::Up(1), seen),
            Action::Down => self.step(Step::Down(1), seen),
            Action::PageUp => self.step(Step::Up(self.page(seen)), seen),
            Action::PageDown => self.step(Step::Down(self.page(seen)), seen),
            Action::First => self.step(Step::First, seen),
            Action::Last => self.step(Step::Last, seen),
            Action::NextPane => self.focus = self.focus.step(1),
            Action::PreviousPane => self.focus = self.focus.step(Pane::ALL.len() - 1),
            Action::Open => effects.extend(self.open(seen)),
            Action::Back => self.back(),
            Action::Disarm => match self.fault_rows(seen).get(self.fault.row) {
                Some(FaultRow::Rule(id)) => effects.push(Effect::from(Command::Disarm(Target::Id(*id)))),
                _ => self.status = Status::say("the selected line is no armed rule"),
            },
            Action::Pause => {
                let last = seen.kept.end.saturating_sub(1);
                self.calls.freeze((!self.calls.is_frozen()).then_some(last));
            }
            Action::Filter => self.mode = Mode::Type(Prompt::new(Purpose::Filter, &self.filter_text, seen)),
            Action::CommandLine => self.mode = Mode::Type(Prompt::new(Purpose::Command, "", seen)),
            Action::CopyJson => {
                effects.extend(self.copy(|entry, _| Some(copy::json(entry)), "the call as JSON", seen));
            }
            Action::CopyCurl => {
                effects.extend(self.copy(copy::curl, "a curl command that repeats the call", seen));
            }
            Action::Reset => self.mode = Mode::Ask(Question::Run(Box::new(Command::Reset))),
            Action::Theme => {
                self.theme = self.theme.next();
                self.status = Status::say(format!("theme {}", self.theme.name));
            }
            Action::Help => self.mode = Mode::Help(0),
            Action::Redraw => effects.push(Effect::Redraw),
            Action::Suspend => self.mode = Mode::Ask(Question::Suspend),
            Action::Quit if !is_armed(seen) && seen.open_mounts == 0 => effects.push(Effect::Leave),
            Action::Quit => self.mode = Mode::Ask(Question::Leave),
            Action::QuitNow => effects.push(Effect::Leave),
        }
        effects
    }

    /// The rows of the faults pane.
    pub fn fault_rows(&self, seen: &Snapshot) -> Vec<FaultRow> {
        let own = seen.faults.iter().filter(|armed| preset_of(armed.label.as_deref()).is_none());
        (0..PRESETS.len())
            .map(FaultRow::Preset)
            .chain([FaultRow::Forget, FaultRow::Outage])
            .chain(own.map(|armed| FaultRow::Rule(armed.id)))
            .collect()
    }

    /// The place of the selected volume: where its name is, or would be.
    pub fn volume_row(&self, seen: &Snapshot) -> usize {
        let before = |name: &String| seen.volumes.partition_point(|volume| volume.name < *name);
        self.volume.0.as_ref().map_or(0, before).min(seen.volumes.len().saturating_sub(1))
    }

    /// The selected volume, if there are any.
    pub fn selected_volume<'s>(&self, seen: &'s Snapshot) -> Option<&'s Arc<Volume>> {
        seen.volumes.get(self.volume_row(seen))
    }

    fn page(&self, seen: &Snapshot) -> usize {
        let screen = Screen::of(self, seen);
        screen.map_or(1, |screen| screen.rows(self.focus).saturating_sub(1).max(1))
    }

    fn step(&mut self, step: Step, seen: &Snapshot) {
        let Some(screen) = Screen::of(self, seen) else { return };
        let height = screen.rows(self.focus);
        match (self.focus, &mut self.inspector) {
            (Pane::Calls, Some(top)) => {
                *top = match step {
                    Step::Up(rows) => top.saturating_sub(rows),
                    Step::Down(rows) => top.saturating_add(rows),
                    Step::First => 0,
                    Step::Last => usize::MAX,
                };
                let last = super::view::inspector::last_top(self, seen, &screen);
                self.inspector = self.inspector.map(|top| top.min(last));
            }
            (Pane::Calls, None) => self.calls.go(step, height),
            (Pane::Volumes, _) => {
                let mut cursor = Cursor { row: self.volume_row(seen), top: self.volume.1 };
                cursor.go(step, seen.volumes.len(), height);
                self.volume = (seen.volumes.get(cursor.row).map(|volume| volume.name.clone()), cursor.top);
            }
            (Pane::Faults, _) => self.fault.go(step, self.fault_rows(seen).len(), height),
        }
    }

    fn open(&mut self, seen: &Snapshot) -> Option<Effect> {
        match self.focus {
            Pane::Calls => {
                self.inspector = if self.inspector.is_some() { None } else { Some(0) };
                None
            }
            Pane::Volumes => None,
            Pane::Faults => match self.fault_rows(seen).get(self.fault.row)? {
                FaultRow::Preset(index) => toggle(PRESETS[*index].label, seen).map(Effect::from),
                FaultRow::Forget => self.act(Action::Forget, seen).pop(),
                FaultRow::Outage => self.act(Action::Outage, seen).pop(),
                FaultRow::Rule(id) => {
                    let armed = seen.faults.iter().find(|armed| armed.id == *id)?;
                    let label = armed.label.as_ref().map_or_else(String::new, |label| format!(" as {label}"));
                    let line = format!("arm {}{label}", armed.text);
                    self.mode = Mode::Type(Prompt::new(Purpose::Command, &line, seen));
                    None
                }
            },
        }
    }

    fn back(&mut self) {
        if self.inspector.take().is_none() {
            if self.calls.is_frozen() {
                self.calls.freeze(None);
            } else if self.calls.is_filtered() {
                self.unfilter();
            } else {
                self.status = Status::Quiet;
            }
        }
    }

    fn release(&mut self, seen: &Snapshot) -> Option<Effect> {
        if seen.waiting.is_empty() {
            self.status = Status::say("no call is waiting");
            return None;
        }
        let selected =
            self.calls.selected().filter(|entry| seen.waiting.iter().any(|waiting| waiting.seq == entry.seq));
        let which = selected.map_or(Released::Oldest, |entry| Released::Seq(entry.seq));
        Some(Effect::from(Command::Release(which)))
    }

    fn calm(&mut self, seen: &Snapshot) -> Vec<Effect> {
        let mut effects = Vec::new();
        if is_armed(seen) {
            effects.push(Effect::from(Command::Disarm(Target::All)));
        }
        if seen.reachability.standing != Standing::Up {
            effects.push(Effect::from(Command::Up));
        }
        if effects.is_empty() {
            self.status = Status::say("all is calm: no rule is armed, and the driver is up");
        }
        effects
    }

    fn copy(
        &mut self,
        form: impl FnOnce(&Entry, &Snapshot) -> Option<String>,
        what: &str,
        seen: &Snapshot,
    ) -> Option<Effect> {
        if self.calls.is_empty() && !self.calls.is_filtered() {
            self.status = Status::say("copied the docker command");
            return Some(Effect::Copy(docker_command(&seen.driver.name)));
        }
        let text = self.calls.selected().and_then(|entry| form(entry, seen));
        self.status = Status::say(match &text {
            Some(_) => format!("copied {what}"),
            None => "there is no call to copy".into(),
        });
        text.map(Effect::Copy)
    }

    /// Whether something on the screen changes by the mere passing of time, so that a slow tick must draw it.
    pub fn is_ticking(&self, seen: &Snapshot) -> bool {
        let counts_down = matches!(seen.reachability.standing, Standing::Down { until: Some(_), .. });
        let rate = seen.tally.rate(seen.at);
        let runs_out =
            seen.faults.iter().any(|rule| rule.state == RuleState::Armed && rule.remaining.until.is_some());
        counts_down
            || runs_out
            || !seen.waiting.is_empty()
            || rate.iter().rev().take(super::view::SPARK).any(|count| *count > 0)
    }
}

/// What the engine that calls will make of the rule that a line arms, if it arms one.
pub fn forecast_of(line: &str, seen: &Snapshot) -> Option<String> {
    let Ok(Command::Arm { rule, .. }) = line.parse() else { return None };
    let engines = [Caller::Docker, Caller::Simulated, Caller::Podman];
    // Before anybody has called, docker is the one to expect.
    let engine = engines.into_iter().rev().max_by_key(|engine| seen.tally.caller(*engine));
    Some(forecast(&rule, engine?).to_string())
}

fn is_armed(seen: &Snapshot) -> bool {
    seen.faults.iter().any(|rule| rule.state == RuleState::Armed)
}

/// The command that arms a preset, or disarms it if it is armed.
fn toggle(label: &str, seen: &Snapshot) -> Option<Command> {
    if seen.faults.iter().any(|rule| rule.label.as_deref() == Some(label) && rule.state == RuleState::Armed) {
        return Some(Command::Disarm(Target::Label(label.to_owned())));
    }
    let preset = PRESETS.iter().find(|preset| preset.label == label)?;
    let rule = preset.rule.parse().ok()?;
    Some(Command::Arm { rule, label: Some(label.to_owned()), dry_run: false, confirmed: false })
}

/// The place of the preset that is armed under a label.
pub fn preset_of(label: Option<&str>) -> Option<usize> {
    PRESETS.iter().position(|preset| Some(preset.label) == label)
}

/// A kind of outage in words.
pub const fn outage_help(outage: Outage) -> &'static str {
    match outage {
        Outage::Refuse => "refuse (the socket is there, nobody listens)",
        Outage::Unlink => "unlink (the socket file and the registration are gone)",
        Outage::Blackhole => "blackhole (it connects and never answers)",
        Outage::Reset => "reset (every connection is reset)",
    }
}
