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

impl KeyBinding {
    const fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

/// The table. Hints appear in the footer in this order, those of the focused pane first.
pub const KEY_BINDINGS: &[KeyBinding] = {
    use HelpSection::{Inject, Look, Navigate, Program, Recording, Scenarios};
    use KeyAction as A;
    use KeyScope::{Everywhere, Faults};
    &[
        binding(A::Help, "help", &["?", "f1"], Everywhere, Program, "show all keys").hint("help"),
        binding(
            A::Preset("fail-mounts"),
            "fail-mounts",
            &["m"],
            Everywhere,
            Inject,
            "toggle: fail every Mount",
        )
        .hint("fail mounts"),
        binding(
            A::Preset("empty-get"),
            "empty-get",
            &["e"],
            Everywhere,
            Inject,
            "toggle: answer every Get with {}",
        )
        .hint("empty Get"),
        binding(
            A::Forget,
            "forget",
            &["x"],
            Everywhere,
            Inject,
            "toggle: forget the selected volume; the engine still knows it",
        )
        .hint("forget"),
        binding(A::Outage, "outage", &["d"], Everywhere, Inject, "toggle: take the driver down").hint("down"),
        binding(
            A::OutageKind,
            "outage-kind",
            &["D"],
            Everywhere,
            Inject,
            "choose the outage type: refuse, unlink, blackhole, reset",
        ),
        binding(
            A::Release,
            "release",
            &["r"],
            Everywhere,
            Inject,
            "release a held call: the selected one, else the oldest",
        )
        .hint("release"),
        binding(
            A::EditReply,
            "edit-reply",
            &["v"],
            Everywhere,
            Inject,
            "edit the reply to a held call in $EDITOR, then send it",
        )
        .hint("edit"),
        binding(A::FailCall, "fail-call", &["f"], Everywhere, Inject, "fail a held call with a message")
            .hint("fail"),
        binding(
            A::ClearAll,
            "clear-all",
            &["c"],
            Everywhere,
            Inject,
            "clear all faults: disarm every rule, bring the driver up",
        )
        .hint("clear all"),
        binding(
            A::Open,
            "open",
            &["enter"],
            Everywhere,
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
        ),
        binding(A::RuleDown, "rule-down", &["J"], Faults, Inject, "move the selected rule down"),
        binding(A::NewRule, "new-rule", &["a"], Faults, Inject, "new rule, starting from the selected one")
            .hint("new rule"),
        binding(
            A::Filter,
            "filter",
            &["/"],
            Everywhere,
            Look,
            "filter the calls: operation:mount volume:db* duration>100ms",
        )
        .hint("filter"),
        binding(
            A::NextMatch,
            "next-match",
            &["n"],
            Everywhere,
            Look,
            "to the next entry that matches the latest filter, also after Esc has cleared it",
        ),
        binding(
            A::PreviousMatch,
            "previous-match",
            &["N"],
            Everywhere,
            Look,
            "to the previous entry that matches it",
        ),
        binding(
            A::CommandLine,
            "command-line",
            &[":"],
            Everywhere,
            Inject,
            "command line; Tab completes, Up and Down recall earlier lines",
        )
        .hint("command"),
        binding(
            A::Shell,
            "shell",
            &["!"],
            Everywhere,
            Inject,
            "run a command in your shell; its output and its calls appear here; Tab offers docker commands",
        )
        .hint("shell"),
        binding(
            A::Pause,
            "pause",
            &["space"],
            Everywhere,
            Look,
            "pause or resume the list of calls; recording continues",
        )
        .hint("pause"),
        binding(
            A::CopyJson,
            "copy-json",
            &["y"],
            Everywhere,
            Look,
            "copy the selected call as JSON, or the sequence as Mermaid",
        ),
        binding(
            A::CopyCurl,
            "copy-curl",
            &["Y"],
            Everywhere,
            Look,
            "copy the selected call as a curl command, or the sequence as text",
        ),
        binding(
            A::CopyReport,
            "copy-report",
            &["E"],
            Everywhere,
            Look,
            "copy a report as Markdown; `:save PATH.md` writes it to a file",
        ),
        binding(A::Sequence, "sequence", &["s"], Everywhere, Look, "toggle: sequence diagram of the calls")
            .hint("sequence"),
        binding(
            A::Group,
            "group",
            &["z"],
            Everywhere,
            Look,
            "group the calls by the command that caused them; collapse all; back to the list",
        )
        .hint("group"),
        binding(
            A::HideCommands,
            "hide-commands",
            &["C"],
            Everywhere,
            Look,
            "toggle: only calls and events, without the rows of commands",
        ),
        binding(
            A::Comment,
            "comment",
            &[";"],
            Everywhere,
            Look,
            "type a note on the selected call; it is kept in the journal",
        ),
        binding(
            A::Inspect,
            "inspect",
            &["i"],
            Everywhere,
            Look,
            "show details, also of a group, which Enter expands",
        ),
        binding(
            A::Present,
            "present",
            &["p"],
            Everywhere,
            Look,
            "presenter mode: spacing, keystrokes, narration",
        )
        .hint("present"),
        binding(
            A::Save,
            "save-shown",
            &["w"],
            Everywhere,
            Look,
            "save the entries that are shown; the extension sets the format (Tab)",
        ),
        binding(
            A::Scenarios,
            "scenarios",
            &["P"],
            Everywhere,
            Scenarios,
            "choose a scenario: docker commands, step by step, compared with expectations",
        )
        .hint("scenarios"),
        binding(
            A::NextStep,
            "next-step",
            &["."],
            Everywhere,
            Scenarios,
            "run one step of the scenario, then pause",
        ),
        binding(
            A::PausePlay,
            "pause-play",
            &[","],
            Everywhere,
            Scenarios,
            "pause or resume the scenario, else the demo",
        ),
        binding(
            A::StopPlay,
            "stop-scenario",
            &["X"],
            Everywhere,
            Scenarios,
            "stop the scenario and clean up; else end the shell command",
        ),
        binding(A::Faster, "faster", &["+"], Everywhere, Scenarios, "speed up the demo").hint("faster"),
        binding(
            A::Slower,
            "slower",
            &["-"],
            Everywhere,
            Scenarios,
            "slow down the demo, and finally pause it",
        )
        .hint("slower"),
        binding(A::NextFailure, "next-failure", &["]"], Everywhere, Recording, "to the next failed call"),
        binding(
            A::PreviousFailure,
            "previous-failure",
            &["["],
            Everywhere,
            Recording,
            "to the previous failed call",
        ),
        binding(A::NextCommand, "next-command", &["}"], Everywhere, Recording, "to the next command"),
        binding(
            A::PreviousCommand,
            "previous-command",
            &["{"],
            Everywhere,
            Recording,
            "to the previous command",
        ),
        binding(
            A::StepBack,
            "step-back",
            &["<"],
            Everywhere,
            Recording,
            "one entry back; . one forward, , and Space pause, + and - set the speed, :seek goes anywhere",
        ),
        binding(A::Back, "back", &["esc"], Everywhere, Look, "back: close, clear filter, resume"),
        binding(A::Up, "up", &["up", "k"], Everywhere, Navigate, "up one row; turns auto-scroll off"),
        binding(A::Down, "down", &["down", "j"], Everywhere, Navigate, "down one row"),
        binding(
            A::PageUp,
            "page-up",
            &["pageup", "ctrl-u"],
            Everywhere,
            Navigate,
            "up one page, also in the details",
        ),
        binding(
            A::PageDown,
            "page-down",
            &["pagedown", "ctrl-d"],
            Everywhere,
            Navigate,
            "down one page, also in the details",
        ),
        binding(A::First, "first", &["g", "home"], Everywhere, Navigate, "to the first row"),
        binding(
            A::Last,
            "last",
            &["G", "end"],
            Everywhere,
            Navigate,
            "to the last row; turns auto-scroll on",
        ),
        binding(A::NextPane, "next-pane", &["tab", "right", "l"], Everywhere, Navigate, "to the next pane")
            .hint("next pane"),
        binding(
            A::PreviousPane,
            "previous-pane",
            &["shift-tab", "left", "h"],
            Everywhere,
            Navigate,
            "to the previous pane",
        ),
        binding(A::Zoom, "zoom", &["Z"], Everywhere, Navigate, "toggle: the focused pane has all the room"),
        binding(
            A::BorderLeft,
            "border-left",
            &["ctrl-left"],
            Everywhere,
            Navigate,
            "move the border between panes to the left; the mouse drags it too",
        ),
        binding(
            A::BorderRight,
            "border-right",
            &["ctrl-right"],
            Everywhere,
            Navigate,
            "move the border between panes to the right",
        ),
        binding(
            A::BorderUp,
            "border-up",
            &["ctrl-up"],
            Everywhere,
            Navigate,
            "move the border between panes up",
        ),
        binding(
            A::BorderDown,
            "border-down",
            &["ctrl-down"],
            Everywhere,
            Navigate,
            "move the border between panes down",
        ),
        binding(
            A::Mouse,
            "mouse",
            &["M"],
            Everywhere,
            Program,
            "toggle mouse capture; off lets the terminal select text",
        ),
        binding(A::Theme, "theme", &["t"], Everywhere, Program, "next theme"),
        binding(A::Reset, "reset", &["R"], Everywhere, Program, "reset counters and call list; asks first"),
        binding(A::Redraw, "redraw", &["ctrl-l"], Everywhere, Program, "redraw"),
        binding(
            A::Suspend,
            "suspend",
            &["ctrl-z"],
            Everywhere,
            Program,
            "suspend; asks first, because docker then waits for replies",
        ),
        binding(
            A::Quit,
            "quit",
            &["q"],
            Everywhere,
            Program,
            "quit; asks first if rules are armed, mounts open or a scenario is running",
        )
        .hint("quit"),
        binding(
            A::QuitNow,
            "quit-now",
            &["ctrl-c"],
            Everywhere,
            Program,
            "quit at once, with exit status 130",
        ),
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
