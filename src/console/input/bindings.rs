//! The one table of everything that a key can do.
//!
//! The keys, the help, the hints in the footer, the completion of the `:` line and `docs/keys.md` are
//! all made from [`KEY_BINDINGS`]. A new action is one entry here, and one arm in `App::act`.

use crate::console::input::action::{HelpSection, KeyAction, KeyBinding, KeyScope};

const fn binding(
    action: KeyAction,
    name: &'static str,
    keys: &'static [&'static str],
    scope: KeyScope,
    section: HelpSection,
    help: &'static str,
) -> KeyBinding {
    KeyBinding { action, name, keys, scope, section, help, hint: None }
}

const fn everywhere(
    action: KeyAction,
    name: &'static str,
    keys: &'static [&'static str],
    section: HelpSection,
    help: &'static str,
) -> KeyBinding {
    binding(action, name, keys, KeyScope::Everywhere, section, help)
}

impl KeyBinding {
    const fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

/// The table. Hints appear in the footer in this order, those of the focused pane first.
pub const KEY_BINDINGS: &[KeyBinding] = {
    use HelpSection::{Inject, Look, Navigate, Program, Recording, Scenarios};
    use KeyAction as A;
    use KeyScope::Faults;
    &[
        everywhere(A::Help, "help", &["?", "f1"], Program, "show all keys; Enter runs a line").hint("help"),
        everywhere(A::Preset("fail-mounts"), "fail-mounts", &["m"], Inject, "toggle: fail every Mount")
            .hint("fail mounts"),
        everywhere(A::Preset("empty-get"), "empty-get", &["e"], Inject, "toggle: answer every Get with {}")
            .hint("empty Get"),
        everywhere(
            A::Forget,
            "forget",
            &["x"],
            Inject,
            "toggle: forget the selected volume; the engine still knows it",
        )
        .hint("forget"),
        everywhere(A::Outage, "outage", &["d"], Inject, "toggle: take the driver down").hint("down"),
        everywhere(
            A::OutageKind,
            "outage-kind",
            &["D"],
            Inject,
            "choose the outage type: refuse, unlink, blackhole, reset",
        ),
        everywhere(
            A::Release,
            "release",
            &["r"],
            Inject,
            "release a held call: the selected one, else the oldest",
        )
        .hint("release"),
        everywhere(
            A::EditReply,
            "edit-reply",
            &["v"],
            Inject,
            "edit the reply to a held call in $EDITOR, then send it",
        )
        .hint("edit"),
        everywhere(A::FailCall, "fail-call", &["f"], Inject, "fail a held call with a message").hint("fail"),
        everywhere(
            A::ClearAll,
            "clear-all",
            &["c"],
            Inject,
            "clear all faults: remove every rule, release the calls they hold, bring the driver up",
        )
        .hint("clear all"),
        everywhere(
            A::Open,
            "open",
            &["enter"],
            Look,
            "show details of a call, a group or a volume; in the faults, toggle or edit",
        )
        .hint("open"),
        binding(A::Disarm, "disarm", &["delete", "backspace"], Faults, Inject, "disarm the selected rule")
            .hint("disarm"),
        binding(
            A::RuleUp,
            "rule-up",
            &["K"],
            Faults,
            Inject,
            "move the selected rule up; the first that acts on a call wins",
        )
        .hint("move up"),
        binding(A::RuleDown, "rule-down", &["J"], Faults, Inject, "move the selected rule down")
            .hint("move down"),
        binding(A::NewRule, "new-rule", &["a"], Faults, Inject, "new rule, starting from the selected one")
            .hint("new rule"),
        everywhere(
            A::Filter,
            "filter",
            &["/"],
            Look,
            "filter the calls: operation:mount volume:db* duration>100ms",
        )
        .hint("filter"),
        everywhere(
            A::NextMatch,
            "next-match",
            &["n"],
            Look,
            "to the next entry that matches the latest filter, also after Esc has cleared it",
        ),
        everywhere(A::PreviousMatch, "previous-match", &["N"], Look, "to the previous entry that matches it"),
        everywhere(
            A::Lint,
            "lint",
            &["L"],
            Look,
            "to the latest call with a lint, a protocol warning, and its details; again: the one before",
        )
        .hint("lint"),
        everywhere(
            A::CommandLine,
            "command-line",
            &[":"],
            Inject,
            "command line; Tab completes, Up and Down recall earlier lines",
        )
        .hint("command"),
        everywhere(
            A::Shell,
            "shell",
            &["!"],
            Inject,
            "run a command in your shell; its output and its calls appear here; Tab offers docker commands",
        )
        .hint("shell"),
        everywhere(
            A::Pause,
            "pause",
            &["space"],
            Look,
            "pause or resume the list of calls; recording continues",
        )
        .hint("pause"),
        everywhere(
            A::CopyJson,
            "copy-json",
            &["y"],
            Look,
            "copy the selected call as JSON, or the sequence as Mermaid",
        ),
        everywhere(
            A::CopyCurl,
            "copy-curl",
            &["Y"],
            Look,
            "copy the selected call as a curl command, or the sequence as text",
        ),
        everywhere(
            A::CopyReport,
            "copy-report",
            &["E"],
            Look,
            "copy a report as Markdown; `:save PATH.md` writes it to a file",
        ),
        everywhere(A::Sequence, "sequence", &["s"], Look, "toggle: sequence diagram of the calls")
            .hint("sequence"),
        everywhere(
            A::Group,
            "group",
            &["z"],
            Look,
            "group the calls by the command that caused them; collapse all; back to the list",
        )
        .hint("group"),
        everywhere(
            A::HideCommands,
            "hide-commands",
            &["C"],
            Look,
            "toggle: only calls and events, without the rows of commands",
        ),
        everywhere(
            A::Columns,
            "columns",
            &["o"],
            Look,
            "choose the columns of the calls or the volumes, and sort by one; a click on its head sorts too",
        ),
        everywhere(
            A::Comment,
            "comment",
            &[";"],
            Look,
            "type a note on the selected call; it is kept in the journal",
        ),
        everywhere(
            A::Mark,
            "mark",
            &["'"],
            Look,
            "marks: ' A sets mark a on the selected call, ' a goes to it; ' ' marks calls that y and Y copy",
        ),
        everywhere(A::Inspect, "inspect", &["i"], Look, "show details, also of a group, which Enter expands"),
        everywhere(A::Present, "present", &["p"], Look, "presenter mode: spacing, keystrokes, narration")
            .hint("present"),
        everywhere(
            A::Save,
            "save-shown",
            &["w"],
            Look,
            "save the entries that are shown; the extension sets the format (Tab)",
        ),
        everywhere(
            A::Scenarios,
            "scenarios",
            &["P"],
            Scenarios,
            "choose a scenario: docker commands, step by step, compared with expectations",
        )
        .hint("scenarios"),
        everywhere(A::NextStep, "next-step", &["."], Scenarios, "run one step of the scenario, then pause"),
        everywhere(
            A::PauseOrContinue,
            "pause-play",
            &[","],
            Scenarios,
            "pause or resume the scenario, else the demo",
        ),
        everywhere(
            A::StopScenario,
            "stop-scenario",
            &["X"],
            Scenarios,
            "stop the scenario and clean up; else end the shell command",
        ),
        everywhere(A::Faster, "faster", &["+"], Scenarios, "speed up the demo").hint("faster"),
        everywhere(A::Slower, "slower", &["-"], Scenarios, "slow down the demo, and finally pause it")
            .hint("slower"),
        everywhere(A::NextFailure, "next-failure", &["]"], Recording, "to the next failed call"),
        everywhere(A::PreviousFailure, "previous-failure", &["["], Recording, "to the previous failed call"),
        everywhere(A::NextCommand, "next-command", &["}"], Recording, "to the next command"),
        everywhere(A::PreviousCommand, "previous-command", &["{"], Recording, "to the previous command"),
        everywhere(
            A::StepBack,
            "step-back",
            &["<"],
            Recording,
            "one entry back; . one forward, , and Space pause, + and - set the speed, :seek goes anywhere",
        ),
        everywhere(A::Back, "back", &["esc"], Look, "back: close, clear filter, resume"),
        everywhere(A::Up, "up", &["up", "k"], Navigate, "up one row; turns auto-scroll off"),
        everywhere(A::Down, "down", &["down", "j"], Navigate, "down one row"),
        everywhere(A::PageUp, "page-up", &["pageup", "ctrl-u"], Navigate, "up one page, also in the details"),
        everywhere(
            A::PageDown,
            "page-down",
            &["pagedown", "ctrl-d"],
            Navigate,
            "down one page, also in the details",
        ),
        everywhere(A::First, "first", &["g", "home"], Navigate, "to the first row"),
        everywhere(A::Last, "last", &["G", "end"], Navigate, "to the last row; turns auto-scroll on"),
        everywhere(A::NextPane, "next-pane", &["tab", "right", "l"], Navigate, "to the next pane")
            .hint("next pane"),
        everywhere(
            A::PreviousPane,
            "previous-pane",
            &["shift-tab", "left", "h"],
            Navigate,
            "to the previous pane",
        ),
        everywhere(
            A::NextNode,
            "next-node",
            &["@"],
            Navigate,
            "to the next node of several: its volumes and faults are shown, commands go to it",
        ),
        everywhere(A::AllNodes, "all-nodes", &["A"], Navigate, "to all nodes together: commands go to each"),
        everywhere(A::Zoom, "zoom", &["Z"], Navigate, "toggle: the focused pane has all the room"),
        everywhere(
            A::BorderLeft,
            "border-left",
            &["ctrl-left"],
            Navigate,
            "move the border between panes to the left; the mouse drags it too",
        ),
        everywhere(
            A::BorderRight,
            "border-right",
            &["ctrl-right"],
            Navigate,
            "move the border between panes to the right",
        ),
        everywhere(A::BorderUp, "border-up", &["ctrl-up"], Navigate, "move the border between panes up"),
        everywhere(
            A::BorderDown,
            "border-down",
            &["ctrl-down"],
            Navigate,
            "move the border between panes down",
        ),
        everywhere(
            A::Mouse,
            "mouse",
            &["M"],
            Program,
            "toggle mouse capture; off lets the terminal select text",
        ),
        everywhere(A::Theme, "theme", &["t"], Program, "next theme"),
        everywhere(A::Reset, "reset", &["R"], Program, "reset counters and call list; asks first"),
        everywhere(A::Redraw, "redraw", &["ctrl-l"], Program, "redraw"),
        everywhere(
            A::Suspend,
            "suspend",
            &["ctrl-z"],
            Program,
            "suspend; asks first, because docker then waits for replies",
        ),
        everywhere(
            A::Quit,
            "quit",
            &["q"],
            Program,
            "quit; asks first if rules are armed, mounts open or a scenario is running",
        )
        .hint("quit"),
        everywhere(A::QuitNow, "quit-now", &["ctrl-c"], Program, "quit at once, with exit status 130"),
    ]
};

impl KeyAction {
    /// Its entry in the table.
    pub fn binding(self) -> &'static KeyBinding {
        KEY_BINDINGS
            .iter()
            .find(|binding| binding.action == self)
            .expect("every action has an entry in the table")
    }
}
