//! What each action does: one arm for each entry of the table.

use crate::{
    console::{
        input::{action::KeyAction, keymap::Chord},
        layout::{
            pane::{Pane, PaneRoom},
            screen::MIN_NARRATION_HEIGHT,
        },
        model::{
            app::App,
            event::Effect,
            fault_list::{self, FaultRow},
            mode::{HelpState, LastKey, Mode, Question, StatusLine, StatusSource},
            obstacle::obstacle,
            prompt::PromptKind,
            window::ListStep,
        },
    },
    domain::{
        lang::{
            command::{Command, Target},
            filter::Filter,
        },
        model::source_status::{NodeChoice, SourceStatus},
        text::sequence,
    },
    export,
    hub::Snapshot,
};

impl App {
    /// Handles a key while no dialog is open.
    pub(super) fn press(
        &mut self,
        chord: Chord,
        action: Option<KeyAction>,
        snapshot: &Snapshot,
    ) -> Vec<Effect> {
        let key = chord.label(self.theme.glyphs.ascii);
        let Some(action) = action else {
            if !key.is_empty() {
                let help = self.key_label(KeyAction::Help);
                self.say(format!("{key} is not bound; {help} shows the keys"));
                (self.last_key, self.status_source) = (None, StatusSource::Key);
            }
            return Vec::new();
        };
        self.press_key(key, action, snapshot)
    }

    /// Does what a key stands for. The result of a command stays in the status line if the key says nothing, but not an
    /// error or what the key before has said. A line that is typed takes its place.
    pub(super) fn press_key(&mut self, key: String, action: KeyAction, snapshot: &Snapshot) -> Vec<Effect> {
        let before = std::mem::take(&mut self.status);
        let is_over = matches!(before, StatusLine::Error { .. })
            || self.status_source == StatusSource::Key
            || action == KeyAction::Back;
        let effects = self.act(action, snapshot);
        let answered = self.status != StatusLine::Empty;
        self.status_source = if answered { StatusSource::Key } else { StatusSource::Later };
        if answered {
            self.status_since = snapshot.at;
        } else if !is_over && !matches!(self.mode, Mode::Type(_)) {
            self.status = before;
        }
        self.key_line = effects.iter().find_map(|effect| match effect {
            Effect::Run(command) => Some(command.to_string()),
            _ => None,
        });
        self.last_key = Some(LastKey { key, action, at: snapshot.at, answered });
        effects
    }

    /// Does the action of a key or of its name at the `:` line.
    pub(super) fn act(&mut self, action: KeyAction, snapshot: &Snapshot) -> Vec<Effect> {
        if let Some(effects) = self.timeline_key(action, snapshot) {
            return effects;
        }
        if let Some(why) = obstacle(action, snapshot) {
            let key = self.key_label(action);
            self.say(format!("{key} does nothing here: {why}"));
            return Vec::new();
        }
        let is_about_fault = self.focus == Pane::Faults
            && matches!(
                action,
                KeyAction::Open
                    | KeyAction::Disarm
                    | KeyAction::RuleUp
                    | KeyAction::RuleDown
                    | KeyAction::NewRule
            );
        if is_about_fault && self.is_fault_gone(snapshot) {
            return Vec::new();
        }
        let effect = match action {
            KeyAction::Preset(label) => fault_list::toggle_command(label, snapshot).map(Effect::from),
            KeyAction::Forget => self.forget(snapshot),
            KeyAction::Outage => Some(self.toggle_outage(snapshot)),
            KeyAction::OutageKind => {
                let key = self.key_label(KeyAction::Outage);
                self.next_outage(&key, snapshot)
            }
            KeyAction::Release => self.release(snapshot),
            KeyAction::EditReply => self.edit_reply(snapshot),
            KeyAction::ClearAll => return self.clear_all(snapshot),
            KeyAction::Disarm => self.disarm(snapshot),
            KeyAction::RuleUp => self.move_rule(true, snapshot),
            KeyAction::RuleDown => self.move_rule(false, snapshot),
            KeyAction::Open => self.open(snapshot),
            KeyAction::CopyJson | KeyAction::CopyCurl => self.copy(action, snapshot),
            KeyAction::CopyReport => {
                self.say("copied a report of the run as Markdown");
                Some(Effect::Copy(export::markdown(self.calls.all(), &Filter::default(), snapshot)))
            }
            KeyAction::StopScenario
                if self.shell_line.is_some() && snapshot.scenario.play_request.is_none() =>
            {
                Some(Effect::EndShell)
            }
            KeyAction::NextStep | KeyAction::PauseOrContinue | KeyAction::StopScenario => {
                self.control_scenario(action, snapshot)
            }
            KeyAction::NextNode => Some(Effect::ChooseNode(NodeChoice::Next)),
            KeyAction::AllNodes => Some(Effect::ChooseNode(NodeChoice::All)),
            KeyAction::Faster | KeyAction::Slower => self.speed(action, snapshot),
            KeyAction::Redraw => Some(Effect::Redraw),
            KeyAction::Mouse => {
                self.mouse = !self.mouse;
                self.say(if self.mouse {
                    "mouse capture on"
                } else {
                    "mouse capture off; select text normally"
                });
                Some(Effect::Mouse(self.mouse))
            }
            KeyAction::QuitNow => Some(Effect::Interrupt),
            KeyAction::Quit
                if snapshot.source != SourceStatus::Local
                    || (!fault_list::is_armed(snapshot)
                        && snapshot.volumes.open_mounts() == 0
                        && snapshot.scenario.play_request.is_none()
                        && self.shell_line.is_none()) =>
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
    fn move_or_show(&mut self, action: KeyAction, snapshot: &Snapshot) {
        match action {
            KeyAction::Up => self.step(ListStep::Up(1), snapshot),
            KeyAction::Down => self.step(ListStep::Down(1), snapshot),
            KeyAction::First => self.step(ListStep::First, snapshot),
            KeyAction::Last => self.step(ListStep::Last, snapshot),
            KeyAction::PageUp => self.page(false, snapshot),
            KeyAction::PageDown => self.page(true, snapshot),
            KeyAction::NextPane => self.focus(self.focus.step(1), snapshot),
            KeyAction::PreviousPane => self.focus(self.focus.step(Pane::ALL.len() - 1), snapshot),
            KeyAction::Back => self.back(snapshot),
            KeyAction::Zoom => {
                self.room = match self.room {
                    PaneRoom::Shared => PaneRoom::Zoomed,
                    PaneRoom::Zoomed => PaneRoom::Shared,
                };
            }
            KeyAction::BorderLeft => self.move_border(false, false, snapshot),
            KeyAction::BorderRight => self.move_border(false, true, snapshot),
            KeyAction::BorderUp => self.move_border(true, false, snapshot),
            KeyAction::BorderDown => self.move_border(true, true, snapshot),
            KeyAction::Pause => {
                let last = snapshot.kept.end.saturating_sub(1);
                self.calls.pause((!self.calls.is_paused()).then_some(last), snapshot.rows);
            }
            KeyAction::FailCall => self.fail(snapshot),
            KeyAction::NewRule => self.new_rule(snapshot),
            KeyAction::Scenarios => self.pick(snapshot),
            KeyAction::Filter => self.begin(PromptKind::Filter, &self.filter_text.clone(), snapshot),
            KeyAction::Shell => self.begin_shell(snapshot),
            KeyAction::NextMatch => self.go_to_match(true, snapshot),
            KeyAction::PreviousMatch => self.go_to_match(false, snapshot),
            KeyAction::Lint => self.go_to_lint(snapshot),
            KeyAction::CommandLine => self.begin(PromptKind::Command, "", snapshot),
            KeyAction::Save => {
                let time = self.zone.to_datetime(snapshot.at).strftime("%Y%m%d-%H%M%S");
                let shown = self.history.as_ref().map_or(&self.calls, |history| &history.entries);
                let extension = if self.sequence { "txt" } else { "jsonl" };
                let path = format!("voltergeist-{time}.{extension}");
                let save = Command::Save { path, which: shown.shown() };
                self.begin(PromptKind::Command, &save.to_string(), snapshot);
            }
            KeyAction::Reset => self.mode = Mode::Ask(Question::Run(Box::new(Command::Reset))),
            KeyAction::Suspend => self.mode = Mode::Ask(Question::Suspend),
            KeyAction::Quit => self.mode = Mode::Ask(Question::Leave),
            KeyAction::Sequence => {
                self.sequence = !self.sequence;
                self.grouped_list = None;
                self.follow_columns();
                if self.sequence && self.screen(snapshot).is_some_and(|screen| !screen.is_sequence) {
                    let least = sequence::LEAST;
                    self.say(format!("the sequence needs {least} columns"));
                }
            }
            KeyAction::Group => self.toggle_groups(),
            KeyAction::HideCommands => {
                let hides = !self.calls.hides_commands();
                self.calls.hide_commands(hides);
                let what = if hides { "hidden" } else { "shown" };
                self.say(format!("commands are {what}"));
            }
            KeyAction::Columns => self.pick_columns(),
            KeyAction::Comment => {
                let call = self.selected().and_then(|entry| entry.call_number());
                let on = call.map_or_else(String::new, |call| format!("on call {call}: "));
                self.begin(PromptKind::Command, &format!("note {on}"), snapshot);
            }
            KeyAction::Mark => self.begin_mark(),
            KeyAction::Inspect => self.inspect(snapshot),
            KeyAction::Present => {
                self.presenting = !self.presenting;
                if self.presenting && self.screen(snapshot).is_some_and(|screen| screen.narration.height == 0)
                {
                    let least = MIN_NARRATION_HEIGHT;
                    self.say(format!("the narration needs {least} rows"));
                }
            }
            KeyAction::Help => self.mode = Mode::Help(HelpState::default()),
            KeyAction::Theme => {
                self.theme = self.themes.after(&self.theme.name).clone();
                self.say(format!("theme {}", self.theme.name));
            }
            _ => {}
        }
    }

    fn disarm(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        if let Some(FaultRow::Rule(id)) = fault_list::rows(snapshot).get(self.fault.row) {
            return Some(Command::Disarm(Target::Id(*id)).into());
        }
        self.say("no rule selected");
        None
    }
}
