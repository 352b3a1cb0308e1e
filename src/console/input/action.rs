//! What a key can do, and what an entry of the table of keys consists of.

use crate::console::layout::pane::Pane;

/// Something that a key does.
#[expect(missing_docs, reason = "the help in the table of keys says it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyAction {
    /// With the preset's label.
    Preset(&'static str),
    Forget,
    Outage,
    OutageKind,
    Release,
    EditReply,
    FailCall,
    ClearAll,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextPane,
    PreviousPane,
    Zoom,
    BorderLeft,
    BorderRight,
    BorderUp,
    BorderDown,
    Open,
    Back,
    Disarm,
    RuleUp,
    RuleDown,
    NextNode,
    AllNodes,
    Pause,
    Filter,
    NextMatch,
    PreviousMatch,
    Lint,
    CommandLine,
    Shell,
    CopyJson,
    CopyCurl,
    Reset,
    CopyReport,
    NewRule,
    Sequence,
    Group,
    HideCommands,
    Columns,
    Comment,
    Mark,
    Inspect,
    Present,
    Scenarios,
    NextStep,
    PauseOrContinue,
    StopScenario,
    StepBack,
    PreviousFailure,
    NextFailure,
    PreviousCommand,
    NextCommand,
    Faster,
    Slower,
    Save,
    Mouse,
    Theme,
    Help,
    Redraw,
    Suspend,
    Quit,
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
