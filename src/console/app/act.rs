//! What each action does: one arm for each entry of the table.

use super::{App, Effect, FaultRow, LastKey, Mode, Pane, Question, Reading, Status, faults};
use crate::{
    console::{
        action::Action,
        copy,
        key::Chord,
        prompt::Purpose,
        view::{caption, layout::Screen, welcome::docker_command},
        window::Step,
    },
    domain::{
        lang::{
            command::{Command, Target},
            filter::Filter,
        },
        model::entry::Entry,
        text::sequence,
    },
    state::{Snapshot, report},
};

impl App {
    /// Takes a key while the panes have them. What the bottom line said stays if the key has nothing to say,
    /// but not an error.
    pub(super) fn press(&mut self, chord: Chord, action: Option<Action>, snapshot: &Snapshot) -> Vec<Effect> {
        let key = chord.label(self.theme.glyphs.ascii);
        let Some(action) = action else {
            if !key.is_empty() {
                let help = self.keymap.key(Action::Help, self.theme.glyphs.ascii);
                self.status = Status::say(format!("{key} does nothing here; {help} shows the keys"));
                self.last_key = None;
            }
            return Vec::new();
        };
        let before = std::mem::take(&mut self.status);
        let effects = self.act(action, snapshot);
        let answered = !matches!(self.status, Status::Quiet);
        self.last_key = Some(LastKey { key, action, answered });
        let is_over = matches!(before, Status::Failed { .. }) || action == Action::Back;
        if !answered && !is_over {
            self.status = before;
        }
        effects
    }

    /// Does what a key or a word at the `:` line asks for.
    pub(super) fn act(&mut self, action: Action, snapshot: &Snapshot) -> Vec<Effect> {
        let effect = match action {
            Action::Preset(label) => faults::toggle(label, snapshot).map(Effect::from),
            Action::Forget => self.forget(self.selected_volume(snapshot)),
            Action::Outage => Some(self.turn(snapshot)),
            Action::OutageKind => {
                let key = self.keymap.key(Action::Outage, self.theme.glyphs.ascii);
                self.next_outage(&key, snapshot)
            }
            Action::Release => self.release(snapshot),
            Action::EditReply => self.edit_reply(snapshot),
            Action::FailCall => {
                self.fail(snapshot);
                None
            }
            Action::ClearAll => return self.calm(snapshot),
            Action::Disarm => self.disarm(snapshot),
            Action::Open => self.open(snapshot),
            Action::CopyJson if self.sequence => {
                let sequence = report::mermaid(self.calls.all(), snapshot);
                self.status = Status::say("copied the sequence as a Mermaid diagram");
                Some(Effect::Copy(sequence))
            }
            Action::CopyJson if snapshot.driver.fix_command.is_some() && self.has_heard_nothing() => {
                self.copy_remedy(snapshot)
            }
            Action::CopyJson => self.copy(|entry, _| Some(copy::json(entry)), "the call as JSON", snapshot),
            Action::CopyCurl if self.sequence => {
                let drawing =
                    report::drawing(self.calls.all(), snapshot, self.theme.glyphs.symbols, &self.zone);
                self.status = Status::say("copied the sequence as text");
                Some(Effect::Copy(drawing))
            }
            Action::CopyCurl => self.copy(copy::curl, "a curl command that repeats the call", snapshot),
            Action::CopyReport => {
                self.status = Status::say("copied a report of the run as Markdown");
                Some(Effect::Copy(report::markdown(self.calls.all(), &Filter::default(), snapshot)))
            }
            Action::NewRule => {
                self.new_rule(snapshot);
                None
            }
            Action::Scenarios => {
                self.pick(snapshot);
                None
            }
            Action::NextStep | Action::PausePlay | Action::StopPlay => self.direct(action, snapshot),
            Action::Faster | Action::Slower => self.speed(action, snapshot),
            Action::Redraw => Some(Effect::Redraw),
            Action::Mouse => {
                self.mouse = !self.mouse;
                self.status = Status::say(if self.mouse {
                    "the mouse selects and scrolls"
                } else {
                    "the mouse is the terminal's again, to mark text with"
                });
                Some(Effect::Mouse(self.mouse))
            }
            Action::QuitNow => Some(Effect::Interrupt),
            Action::Quit
                if !faults::is_armed(snapshot)
                    && snapshot.open_mounts == 0
                    && snapshot.scenario.run_request.is_none() =>
            {
                Some(Effect::Leave)
            }
            action => {
                self.move_or_show(action, snapshot);
                None
            }
        };
        effect.into_iter().collect()
    }

    /// The actions that change nothing but the console itself.
    fn move_or_show(&mut self, action: Action, snapshot: &Snapshot) {
        match action {
            Action::Up => self.step(Step::Up(1), snapshot),
            Action::Down => self.step(Step::Down(1), snapshot),
            Action::First => self.step(Step::First, snapshot),
            Action::Last => self.step(Step::Last, snapshot),
            Action::PageUp => self.page(false, snapshot),
            Action::PageDown => self.page(true, snapshot),
            Action::NextPane => self.focus(self.focus.step(1), snapshot),
            Action::PreviousPane => self.focus(self.focus.step(Pane::ALL.len() - 1), snapshot),
            Action::Back => self.back(snapshot),
            Action::Pause => {
                let last = snapshot.kept.end.saturating_sub(1);
                self.calls.freeze((!self.calls.is_frozen()).then_some(last), snapshot.rows);
            }
            Action::Filter => self.begin(Purpose::Filter, &self.filter_text.clone(), snapshot),
            Action::CommandLine => self.begin(Purpose::Command, "", snapshot),
            Action::Save => {
                let time = self.zone.to_datetime(snapshot.at).strftime("%Y%m%d-%H%M%S");
                let shown = self.life.as_ref().map_or(&self.calls, |life| &life.entries);
                let release_action = if self.sequence { "txt" } else { "jsonl" };
                let path = format!("voltergeist-{time}.{release_action}");
                let save = Command::Save { path, which: shown.shown() };
                self.begin(Purpose::Command, &save.to_string(), snapshot);
            }
            Action::Reset => self.mode = Mode::Ask(Question::Run(Box::new(Command::Reset))),
            Action::Suspend => self.mode = Mode::Ask(Question::Suspend),
            Action::Quit => self.mode = Mode::Ask(Question::Leave),
            Action::Sequence => {
                self.sequence = !self.sequence;
                self.grouped_list = None;
                if self.sequence && Screen::of(self, snapshot).is_some_and(|screen| !screen.is_sequence) {
                    let least = sequence::LEAST;
                    self.status = Status::say(format!("a sequence needs {least} columns"));
                }
            }
            Action::Group => self.fold(),
            Action::Inspect => self.inspect(snapshot),
            Action::Present => {
                self.presenting = !self.presenting;
                if self.presenting
                    && Screen::of(self, snapshot).is_some_and(|screen| screen.caption.height == 0)
                {
                    let least = caption::LEAST;
                    self.status = Status::say(format!("an explanation needs {least} rows"));
                }
            }
            Action::Help => self.mode = Mode::Help(Reading::default()),
            Action::Theme => {
                self.theme = self.theme.next();
                self.status = Status::say(format!("theme {}", self.theme.name));
            }
            _ => {}
        }
    }

    fn disarm(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        if let Some(FaultRow::Rule(id)) = faults::rows(snapshot).get(self.fault.row) {
            return Some(Command::Disarm(Target::Id(*id)).into());
        }
        self.status = Status::say("the selected line is no armed rule");
        None
    }

    /// Whether the first minute's advice is on the screen.
    fn has_heard_nothing(&self) -> bool {
        self.calls.is_empty() && !self.calls.is_filtered()
    }

    /// Copies the command that would register the driver, if it is not.
    pub(super) fn copy_remedy(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let fix_command = snapshot.driver.fix_command.clone()?;
        self.status = Status::say("copied the command that registers the driver");
        Some(Effect::Copy(fix_command))
    }

    fn copy(
        &mut self,
        form: impl FnOnce(&Entry, &Snapshot) -> Option<String>,
        what: &str,
        snapshot: &Snapshot,
    ) -> Option<Effect> {
        if self.has_heard_nothing() {
            self.status = Status::say("copied the docker command");
            return Some(Effect::Copy(docker_command(&snapshot.driver.name)));
        }
        let text = self.selected().and_then(|entry| form(entry, snapshot));
        self.status = Status::say(match &text {
            Some(_) => format!("copied {what}"),
            None => "there is no call to copy".into(),
        });
        text.map(Effect::Copy)
    }
}
