//! What a key can do, and what an entry of the table of keys consists of.

use crate::console::layout::pane::Pane;

/// Something that a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAction {
    /// Arm or disarm the preset with this label.
    Preset(&'static str),
    /// Forget the selected volume, or restore it.
    Forget,
    /// Take the driver down, or bring it up.
    Outage,
    /// Choose the next kind of outage.
    OutageKind,
    /// Release a held call.
    Release,
    /// Edit the reply of a held call.
    EditReply,
    /// Fail a held call.
    FailCall,
    /// Disarm all rules and bring the driver up.
    ClearAll,
    /// Up one row.
    Up,
    /// Down one row.
    Down,
    /// Up one page.
    PageUp,
    /// Down one page.
    PageDown,
    /// To the first row.
    First,
    /// To the last row; the calls follow again.
    Last,
    /// To the next pane.
    NextPane,
    /// To the pane before.
    PreviousPane,
    /// Give the focused pane all the room, or share it again.
    Zoom,
    /// Move the border between panes that are side by side to the left.
    BorderLeft,
    /// Move it to the right.
    BorderRight,
    /// Move the border between panes above each other up.
    BorderUp,
    /// Move it down.
    BorderDown,
    /// Look closer at what is selected, or do what it offers.
    Open,
    /// One step back.
    Back,
    /// End the selected rule.
    Disarm,
    /// Put the selected rule before the one above it.
    RuleUp,
    /// Put the selected rule behind the one below it.
    RuleDown,
    /// To the next of several instances.
    NextNode,
    /// To all of several instances.
    AllNodes,
    /// Pause or resume the list of calls.
    Pause,
    /// Type a filter.
    Filter,
    /// The next entry that matches the latest filter.
    NextMatch,
    /// The entry before that matches it.
    PreviousMatch,
    /// The latest call with a lint, then the one before.
    Lint,
    /// Type a command.
    CommandLine,
    /// Type a command for the user's shell.
    Shell,
    /// Copy the selected call as JSON.
    CopyJson,
    /// Copy the selected call as a curl command.
    CopyCurl,
    /// Reset counters and journal.
    Reset,
    /// Copy a report of the run.
    CopyReport,
    /// Type a new rule that begins like the selected one.
    NewRule,
    /// Show the calls as a sequence diagram, or as a list.
    Sequence,
    /// Group the calls by the commands that caused them, or show them as a list.
    Group,
    /// Hide the rows of commands, or show them again.
    HideCommands,
    /// Choose the columns of the focused pane, and sort by one.
    Columns,
    /// Type a comment on the selected call.
    Comment,
    /// Set a mark or go to one, after a further key.
    Mark,
    /// Show details of what is selected, without expanding it.
    Inspect,
    /// Toggle the presenter mode.
    Present,
    /// Choose a scenario.
    Scenarios,
    /// Run one step of the scenario.
    NextStep,
    /// Pause or resume the scenario.
    PauseOrContinue,
    /// Stop the scenario, or else the shell command.
    StopPlay,
    /// To the entry before, in a recording.
    StepBack,
    /// To the failure before, in a recording.
    PreviousFailure,
    /// To the next failure, in a recording.
    NextFailure,
    /// To the command before, in a recording.
    PreviousCommand,
    /// To the next command, in a recording.
    NextCommand,
    /// Make the demo faster.
    Faster,
    /// Make the demo slower.
    Slower,
    /// Type a path to save what is shown to.
    Save,
    /// Take the mouse, or give it back to the terminal.
    Mouse,
    /// The next theme.
    Theme,
    /// All keys.
    Help,
    /// Redraw the screen.
    Redraw,
    /// Stop the process.
    Suspend,
    /// Leave, after a question if something is still armed or mounted.
    Quit,
    /// Leave at once, as interrupted.
    QuitNow,
}

/// The panes in which a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyScope {
    /// In every pane.
    Everywhere,
    /// In the list of calls.
    Calls,
    /// In the volumes table.
    Volumes,
    /// In the faults pane.
    Faults,
}

impl From<Pane> for KeyScope {
    fn from(pane: Pane) -> Self {
        match pane {
            Pane::Calls => Self::Calls,
            Pane::Volumes => Self::Volumes,
            Pane::Faults => Self::Faults,
        }
    }
}

/// Under which heading the help shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HelpSection {
    /// Makes the driver misbehave.
    Inject,
    /// Moves around.
    Navigate,
    /// Looks closer.
    Look,
    /// Runs scenarios.
    Scenarios,
    /// Moves in a recording.
    Recording,
    /// About the program.
    Program,
}

impl HelpSection {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 6] =
        [Self::Inject, Self::Look, Self::Scenarios, Self::Recording, Self::Navigate, Self::Program];

    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Inject => "Inject faults",
            Self::Navigate => "Move",
            Self::Look => "Inspect",
            Self::Scenarios => "Scenarios",
            Self::Recording => "Recordings (voltergeist replay)",
            Self::Program => "Program",
        }
    }
}

/// One entry of the table.
#[derive(Clone, Copy, Debug)]
pub struct KeyBinding {
    /// What is done.
    pub action: KeyAction,
    /// Its name in the config file and at the `:` line.
    pub name: &'static str,
    /// Its keys, in the user's notation.
    pub keys: &'static [&'static str],
    /// Where they work.
    pub scope: KeyScope,
    /// Where the help shows it.
    pub section: HelpSection,
    /// What it does, for the help.
    pub help: &'static str,
    /// What it does in one or two words, if the footer shows it where there is room.
    pub hint: Option<&'static str>,
}
