//! The console's state, and the one function that changes it.
//!
//! `update` takes an event and what was on the screen, and returns what is to be done outside as
//! [`Effect`]s: it touches neither the hub nor the terminal, so that every key is tested as a row of a
//! table.

use std::{sync::Arc, time::Duration};

use crossterm::event::{KeyEvent, KeyEventKind};
use jiff::Timestamp;
use ratatui::layout::Rect;

use crate::{
    console::{
        column::ColumnChoice,
        input::{
            action::KeyAction,
            keymap::{Chord, Keymap},
        },
        layout::{
            borders::{Border, Borders},
            pane::{Pane, PaneRoom},
            screen::{LayoutInput, Screen},
        },
        model::{
            click::{Click, Clicked},
            dry_run::DryRuns,
            event::{Effect, Event},
            fault_list::{self, FaultRow},
            grouped_list::GroupedList,
            list::{EntryList, VolumeHistory},
            marks::Marks,
            mode::{HelpRun, LastKey, Mode, Question, StatusLine, StatusSource},
            own_commands::OwnCommands,
            prompt::{History, Replaced, Submitted},
            volume_list::{CallFacts, VolumeOrder},
            window::Cursor,
        },
        notify::WindowFocus,
        theme::Theme,
        themes::Themes,
    },
    domain::{
        analysis::retries::Retries,
        lang::{command::Outage, filter::Filter},
        model::scenario::ScenarioRun,
        text,
    },
    hub::{DriverStatus, Snapshot},
};

/// How often what changes with time alone is drawn.
pub const TICK: Duration = Duration::from_secs(1);

/// How far what is open can be scrolled.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScrollLimits {
    /// The last line that can be the first of the help.
    pub help: usize,
    /// The same of the open call, group or volume.
    pub detail: usize,
}

/// What the list does when the open call is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WhenClosed {
    /// It stays where it is.
    Stays,
    /// It follows its newest row again, as it did when the call was opened.
    Follows,
}

/// The console's state.
#[derive(Clone, Debug)]
pub struct App {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// The pane that has the keys.
    pub focus: Pane,
    /// The list of calls.
    pub calls: EntryList,
    /// The calls in groups, while they are shown so.
    pub grouped_list: Option<GroupedList>,
    /// What the engines try again.
    pub retries: Retries,
    /// The name of the selected volume, and the place of the view.
    pub volume: (Option<String>, usize),
    /// The place in the faults pane.
    pub fault: Cursor,
    /// What is selected there.
    pub(super) chosen_fault: FaultRow,
    /// How far the view of what is selected is scrolled, if it is open.
    pub detail: Option<usize>,
    /// What the list does when the open call is closed.
    pub(super) when_closed: WhenClosed,
    /// The history of the selected volume, if it is open.
    pub history: Option<VolumeHistory>,
    /// What has the keys first.
    pub mode: Mode,
    /// The bottom line, as it was set last. See [`App::shown_status`].
    pub status: StatusLine,
    /// When it was set.
    pub(super) status_since: Timestamp,
    /// Where it comes from.
    pub status_source: StatusSource,
    /// The kind of outage that the next one will be.
    pub outage: Outage,
    /// Styles and symbols.
    pub theme: Theme,
    /// The themes that can be chosen.
    pub themes: Themes,
    /// Which key does what.
    pub keymap: Keymap,
    /// The zone that times are shown in.
    pub zone: jiff::tz::TimeZone,
    /// Whether the window has the keys, as far as the terminal says so.
    pub window_focus: WindowFocus,
    /// Whether the mouse selects and scrolls.
    pub mouse: bool,
    /// Whether the calls are drawn as a sequence diagram.
    pub sequence: bool,
    /// Whether the presenter mode is on.
    pub presenting: bool,
    /// Which columns are shown, and by which one the rows are sorted.
    pub columns: ColumnChoice,
    /// The order of the volumes.
    pub volume_order: VolumeOrder,
    /// What the calls have said about volumes, while a column shows it.
    pub call_facts: Option<CallFacts>,
    /// How the panes share the room.
    pub room: PaneRoom,
    /// Where the user has moved the borders between panes.
    pub borders: Borders,
    /// The border that the mouse is moving.
    pub(super) dragged: Option<Border>,
    /// The last key that did something.
    pub last_key: Option<LastKey>,
    /// The line of the command that the last key stands for.
    pub(super) key_line: Option<String>,
    /// The filter, as it was typed.
    pub filter_text: String,
    /// The latest filter that was applied, also after it was cleared.
    pub(super) latest_filter: Filter,
    /// What the rule that is being typed would have matched.
    pub dry_run: DryRuns,
    /// How far the open help and the open detail can be scrolled, as the views say.
    pub scroll_limits: ScrollLimits,
    /// The marks on calls.
    pub marks: Marks,
    /// The rows of the open help that can be run, and what each does.
    pub help_rows: Vec<(usize, HelpRun)>,
    /// The hint or a column header that is clicked on.
    pub clicked: Option<Clicked>,
    /// The click that opened something. The second one of a double click must not close it again.
    pub(super) opened_by_click: Option<Click>,
    /// The scenario run that was closed after its end.
    pub(super) closed_run: Option<Arc<ScenarioRun>>,
    /// The rule that is being edited: what is typed takes its place.
    pub(super) edited: Option<u32>,
    /// The edit of a rule that is under way.
    pub(super) replaced: Option<Replaced>,
    /// Which entries and commands are news to the user.
    pub(super) own_commands: OwnCommands,
    /// The line that was typed last, until its result is known or another key is pressed.
    pub(super) submitted: Option<Submitted>,
    /// The command lines that were typed, also in earlier runs, and the filters.
    pub lines: History,
    /// The filters that were typed.
    pub filters: History,
    /// The shell commands that were typed.
    pub shell_lines: History,
    /// The user's shell.
    pub shell: String,
    /// The line that runs in the user's shell.
    pub shell_line: Option<String>,
}

impl App {
    /// A console that has seen nothing yet.
    pub fn new(size: (u16, u16), theme: Theme, keymap: Keymap, zone: jiff::tz::TimeZone) -> Self {
        Self {
            size,
            focus: Pane::Calls,
            calls: EntryList::default(),
            grouped_list: None,
            retries: Retries::default(),
            volume: (None, 0),
            fault: Cursor::default(),
            chosen_fault: FaultRow::Preset(0),
            detail: None,
            when_closed: WhenClosed::Stays,
            history: None,
            mode: Mode::Browse,
            status: StatusLine::Empty,
            status_since: Timestamp::MIN,
            status_source: StatusSource::default(),
            outage: Outage::Refuse,
            themes: Themes::shipped(theme.glyphs.ascii),
            theme,
            keymap,
            zone,
            window_focus: WindowFocus::Unknown,
            mouse: true,
            sequence: false,
            presenting: false,
            columns: ColumnChoice::default(),
            volume_order: VolumeOrder::default(),
            call_facts: None,
            room: PaneRoom::Shared,
            borders: Borders::default(),
            dragged: None,
            last_key: None,
            key_line: None,
            filter_text: String::new(),
            latest_filter: Filter::default(),
            dry_run: DryRuns::default(),
            scroll_limits: ScrollLimits::default(),
            marks: Marks::default(),
            help_rows: Vec::new(),
            clicked: None,
            opened_by_click: None,
            closed_run: None,
            edited: None,
            replaced: None,
            own_commands: OwnCommands::default(),
            submitted: None,
            lines: History::default(),
            filters: History::default(),
            shell_lines: History::default(),
            shell: "sh".to_owned(),
            shell_line: None,
        }
    }

    /// Takes an event in view of what is on the screen.
    pub fn update(&mut self, event: Event, snapshot: &Snapshot) -> Vec<Effect> {
        let before = self.status.clone();
        let is_pressed = matches!((&self.mode, &event), (Mode::Browse, Event::Key(_) | Event::Mouse(..)));
        self.order_volumes(snapshot);
        self.follow_fault(snapshot);
        let row = self.fault.row;
        let effects = self.handle(event, snapshot);
        self.order_volumes(snapshot);
        if self.fault.row != row {
            self.choose_fault(snapshot);
        }
        if self.status != before {
            self.status_since = snapshot.at;
            if !is_pressed {
                self.note_answer();
            }
        }
        self.link_submitted(&effects, snapshot);
        effects
    }

    /// Whether a line is the command that the last key stands for, and was not typed.
    pub fn is_of_last_key(&self, line: &str) -> bool {
        self.key_line.as_deref() == Some(line)
    }

    fn handle(&mut self, event: Event, snapshot: &Snapshot) -> Vec<Effect> {
        match event {
            Event::Key(key) if key.kind == KeyEventKind::Release => {}
            Event::Key(key) => return self.key(key, snapshot),
            Event::Mouse(mouse, at) => match self.clicked.take() {
                Some(Clicked::Hint(action)) => {
                    let key = self.key_label(action);
                    return self.press_key(key, action, snapshot);
                }
                Some(Clicked::Head(column)) => self.sort_by(self.columns.next_sort(column)),
                None => return self.mouse(mouse, at, snapshot).into_iter().collect(),
            },
            Event::Paste(text) if self.screen(snapshot).is_some() => {
                if let Mode::Type(prompt) = &mut self.mode {
                    prompt.paste(&text, snapshot);
                    return self.retyped();
                }
            }
            Event::Paste(_) => {}
            Event::Resize(width, height) => self.size = (width, height),
            Event::Entries(entries, kept) => self.take_entries(&entries, &kept, snapshot),
            Event::Restarted => self.restart(snapshot),
            Event::NodeChosen(result) => self.node_chosen(result, snapshot),
            Event::SeekDone(result) => self.seek_done(result),
            Event::DryRunDone { number, result } => {
                return self.dry_run.finish(number, result.ok()).into_iter().collect();
            }
            Event::CommandDone { line, result } => self.command_done(line, result, snapshot),
            Event::ShellEnded(result) => self.shell_ended(result),
            Event::InvalidReply { edit, problem } => {
                self.mode = Mode::Ask(Question::SendInvalid { edit, problem });
            }
            Event::StillRunning { line, waiting } => self.still_running(&line, waiting),
        }
        Vec::new()
    }

    /// The key of an action, as it is written in hints.
    pub fn key_label(&self, action: KeyAction) -> String {
        self.keymap.key(action, self.theme.glyphs.ascii)
    }

    /// Sets the status line to a remark.
    pub(super) fn say(&mut self, text: impl Into<String>) {
        self.status = StatusLine::say(text);
    }

    fn key(&mut self, key: KeyEvent, snapshot: &Snapshot) -> Vec<Effect> {
        let chord = Chord::from(key);
        let action = self.keymap.action(self.focus.into(), chord);
        if action == Some(KeyAction::QuitNow) {
            return vec![Effect::Interrupt];
        }
        if self.screen(snapshot).is_none() {
            return self.unseen_key(key, action, snapshot);
        }
        match &mut self.mode {
            Mode::Browse if self.marks.is_pending => self.mark_key(key, snapshot),
            Mode::Browse => {
                self.submitted = None;
                return self.press(chord, action, snapshot);
            }
            Mode::Help(_) => return self.help_key(key, action, snapshot),
            Mode::Ask(_) => return self.answer_key(key, snapshot),
            Mode::Type(_) => return self.type_key(key, snapshot),
            Mode::Pick(_) => return self.pick_key(key, snapshot),
            Mode::Columns(_) => self.columns_key(key, action),
        }
        Vec::new()
    }

    /// Takes a key while the terminal is too small to show what it does: only those that leave or draw again do something.
    fn unseen_key(&mut self, key: KeyEvent, action: Option<KeyAction>, snapshot: &Snapshot) -> Vec<Effect> {
        match (&self.mode, action) {
            (_, Some(KeyAction::Redraw)) => vec![Effect::Redraw],
            (Mode::Ask(Question::Leave), _) => self.answer_key(key, snapshot),
            (Mode::Browse | Mode::Help(_) | Mode::Columns(_), Some(KeyAction::Quit)) => {
                self.act(KeyAction::Quit, snapshot)
            }
            _ => Vec::new(),
        }
    }

    /// Where everything is on the terminal, if it is large enough.
    pub fn screen(&self, snapshot: &Snapshot) -> Option<Screen> {
        self.screen_in(Rect::new(0, 0, self.size.0, self.size.1), snapshot)
    }

    /// Where everything is in an area, if it is large enough.
    pub fn screen_in(&self, area: Rect, snapshot: &Snapshot) -> Option<Screen> {
        let (about, result) = self.shown_status(snapshot.at).parts(self.theme.glyphs);
        let is_typing = matches!(self.mode, Mode::Type(_));
        let armed = fault_list::armed(snapshot).count();
        let is_down = snapshot.driver_state.status != DriverStatus::Up;
        let input = LayoutInput {
            snapshot,
            focus: self.focus,
            open: self.detail.map(|_| self.focus),
            alarms: armed + usize::from(is_down) + usize::from(!snapshot.held.is_empty()),
            armed,
            volume_lines: snapshot.volume_lines(),
            status_width: if is_typing { 0 } else { text::width(&about) + text::width(&result) },
            shows_run: self.shows_run(snapshot),
            sequence: self.sequence,
            presenting: self.presenting,
            room: self.room,
            borders: self.borders,
        };
        Screen::new(area, &input)
    }
}
