//! The one table of everything that a key can do.
//!
//! The keys, the help, the hints in the footer, the completion of the `:` line and `docs/keys.md` are
//! all made from [`CONTROLS`]. A new action is one entry here, and one arm in `App::act`.

/// Something that a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Arm or disarm the preset with this label.
    Preset(&'static str),
    /// Forget the selected volume, or restore it.
    Forget,
    /// Take the driver down, or bring it up.
    Outage,
    /// Choose the next kind of outage.
    OutageKind,
    /// Let the waiting call go.
    Release,
    /// Edit the reply of the waiting call.
    EditReply,
    /// Fail the waiting call.
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
    /// Look closer at what is selected, or do what it offers.
    Open,
    /// One step back.
    Back,
    /// End the selected rule.
    Disarm,
    /// Freeze the list of calls, or let it go on.
    Pause,
    /// Type a filter.
    Filter,
    /// Type a command.
    CommandLine,
    /// Copy the selected call as JSON.
    CopyJson,
    /// Copy the selected call as a curl command.
    CopyCurl,
    /// Start counters and journal anew.
    Reset,
    /// Copy a report of the run.
    CopyReport,
    /// Type a new rule that begins like the selected one.
    NewRule,
    /// Show the calls as a sequence diagram, or as a list.
    Sequence,
    /// Fold the calls into the commands that caused them, or show them as a list.
    Group,
    /// Look at what is selected, without unfolding it.
    Inspect,
    /// Show it to a room, or to oneself.
    Present,
    /// Choose a scenario card.
    Scenarios,
    /// Play one more step of the scenario.
    NextStep,
    /// Let the card wait before its next step, or go on.
    PausePlay,
    /// End the card.
    StopPlay,
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
    /// Draw everything anew.
    Redraw,
    /// Stop the process.
    Suspend,
    /// Leave, after a question if something is still armed or mounted.
    Quit,
    /// Leave at once, as interrupted.
    QuitNow,
}

/// Where a key works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// In every pane.
    Everywhere,
    /// In the list of calls.
    Calls,
    /// In the volumes table.
    Volumes,
    /// In the faults pane.
    Faults,
}

/// Under which heading the help shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Makes the driver misbehave.
    Inject,
    /// Moves around.
    Navigate,
    /// Looks closer.
    Look,
    /// Plays scenario cards.
    Scenarios,
    /// About the program.
    Program,
}

impl Group {
    /// All of them, in the order of the help.
    pub const ALL: [Self; 5] = [Self::Inject, Self::Look, Self::Scenarios, Self::Navigate, Self::Program];

    /// The heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Inject => "Inject faults",
            Self::Navigate => "Move around",
            Self::Look => "Look closer",
            Self::Scenarios => "Play scenario cards",
            Self::Program => "The program",
        }
    }
}

/// One entry of the table.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// What is done.
    pub action: Action,
    /// Its name in the config file and at the `:` line.
    pub name: &'static str,
    /// Its keys, in the user's notation.
    pub keys: &'static [&'static str],
    /// Where they work.
    pub place: Place,
    /// Where the help shows it.
    pub group: Group,
    /// What it does, for the help.
    pub help: &'static str,
    /// What it does in one or two words, if the footer shows it where there is room.
    pub hint: Option<&'static str>,
}

const fn control(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    place: Place,
    group: Group,
    help: &'static str,
) -> Control {
    Control { action, name, keys, place, group, help, hint: None }
}

impl Control {
    const fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }
}

/// The table. Hints appear in the footer in this order, those of the focused pane first.
pub const CONTROLS: &[Control] = {
    use Action as A;
    use Group::{Inject, Look, Navigate, Program, Scenarios};
    use Place::{Everywhere, Faults};
    &[
        control(A::Help, "help", &["?", "f1"], Everywhere, Program, "all keys, with what they do")
            .hint("help"),
        control(
            A::Preset("fail-mounts"),
            "fail-mounts",
            &["m"],
            Everywhere,
            Inject,
            "make every mount fail, or stop that",
        )
        .hint("fail mounts"),
        control(
            A::Preset("empty-get"),
            "empty-get",
            &["g"],
            Everywhere,
            Inject,
            "answer every Get with {}, or stop that",
        )
        .hint("empty Get"),
        control(
            A::Forget,
            "forget",
            &["x"],
            Everywhere,
            Inject,
            "forget the selected volume behind the engine's back, or restore it",
        )
        .hint("forget"),
        control(A::Outage, "outage", &["d"], Everywhere, Inject, "take the driver down, or bring it up")
            .hint("down"),
        control(
            A::OutageKind,
            "outage-kind",
            &["D"],
            Everywhere,
            Inject,
            "choose how it is down: refuse, unlink, blackhole, reset",
        ),
        control(
            A::Release,
            "release",
            &["r"],
            Everywhere,
            Inject,
            "let the waiting call go: the selected one, or the oldest",
        )
        .hint("let go"),
        control(
            A::EditReply,
            "edit-reply",
            &["v"],
            Everywhere,
            Inject,
            "edit the waiting call's reply in $EDITOR, and send it when the editor ends",
        )
        .hint("edit reply"),
        control(
            A::FailCall,
            "fail-call",
            &["f"],
            Everywhere,
            Inject,
            "fail the waiting call: type the message",
        )
        .hint("fail call"),
        control(
            A::ClearAll,
            "calm-all",
            &["c"],
            Everywhere,
            Inject,
            "end all of it: disarm every rule, bring the driver up",
        )
        .hint("calm all"),
        control(
            A::Open,
            "open",
            &["enter"],
            Everywhere,
            Look,
            "look closer: at a call, at a volume's life; in the faults, arm or edit",
        )
        .hint("open"),
        control(A::Disarm, "disarm", &["delete", "backspace"], Faults, Inject, "disarm the selected rule")
            .hint("disarm"),
        control(
            A::NewRule,
            "new-rule",
            &["n"],
            Faults,
            Inject,
            "type a new rule that begins like the selected one",
        )
        .hint("new rule"),
        control(
            A::Filter,
            "filter",
            &["/"],
            Everywhere,
            Look,
            "show only some calls: operation:mount volume:db* status:5xx duration>100ms",
        )
        .hint("filter"),
        control(
            A::CommandLine,
            "command-line",
            &[":"],
            Everywhere,
            Inject,
            "type a command; Tab completes, arrows bring back earlier ones",
        )
        .hint("command"),
        control(
            A::Pause,
            "pause",
            &["space"],
            Everywhere,
            Look,
            "freeze the list of calls; counters go on, nothing is lost",
        )
        .hint("pause"),
        control(
            A::CopyJson,
            "copy-json",
            &["y"],
            Everywhere,
            Look,
            "copy the selected call as JSON; the sequence as Mermaid",
        ),
        control(
            A::CopyCurl,
            "copy-curl",
            &["Y"],
            Everywhere,
            Look,
            "copy the selected call as a curl command; the sequence as text",
        ),
        control(
            A::CopyReport,
            "copy-report",
            &["E"],
            Everywhere,
            Look,
            "copy a report of the run as Markdown; :save PATH.md writes it",
        ),
        control(
            A::Sequence,
            "sequence",
            &["s"],
            Everywhere,
            Look,
            "show the calls as a sequence diagram, or as a list again",
        )
        .hint("sequence"),
        control(
            A::Group,
            "episodes",
            &["z"],
            Everywhere,
            Look,
            "fold the calls into the commands that caused them; fold all; a list again",
        )
        .hint("episodes"),
        control(
            A::Inspect,
            "inspect",
            &["i"],
            Everywhere,
            Look,
            "look closer, also at an episode, which Enter unfolds",
        ),
        control(
            A::Present,
            "present",
            &["p"],
            Everywhere,
            Look,
            "for a room: larger spacing, the keys pressed, and what happens in words",
        )
        .hint("present"),
        control(
            A::Save,
            "save-shown",
            &["e"],
            Everywhere,
            Look,
            "save the entries that are shown: the end of the name says as what, Tab offers",
        ),
        control(
            A::Scenarios,
            "cards",
            &["P"],
            Everywhere,
            Scenarios,
            "choose a scenario card: what docker does, step by step, held against what was expected",
        )
        .hint("cards"),
        control(
            A::NextStep,
            "next-step",
            &["."],
            Everywhere,
            Scenarios,
            "play one more step of the card, then wait",
        ),
        control(
            A::PausePlay,
            "pause-play",
            &[","],
            Everywhere,
            Scenarios,
            "let the card wait before its next step, or go on; without a card, the demo's life",
        ),
        control(
            A::StopPlay,
            "stop-card",
            &["X"],
            Everywhere,
            Scenarios,
            "end the card, and remove what it has made",
        ),
        control(A::Faster, "faster", &["+"], Everywhere, Scenarios, "make the demo's life faster")
            .hint("faster"),
        control(
            A::Slower,
            "slower",
            &["-"],
            Everywhere,
            Scenarios,
            "make the demo's life slower, in the end let it stand still",
        )
        .hint("slower"),
        control(A::Back, "back", &["esc"], Everywhere, Look, "one step back: close, end the filter, go on"),
        control(A::Up, "up", &["up", "k"], Everywhere, Navigate, "up one row; the calls stop following"),
        control(A::Down, "down", &["down", "j"], Everywhere, Navigate, "down one row"),
        control(
            A::PageUp,
            "page-up",
            &["pageup", "ctrl-u"],
            Everywhere,
            Navigate,
            "up one page, also in what is open",
        ),
        control(
            A::PageDown,
            "page-down",
            &["pagedown", "ctrl-d"],
            Everywhere,
            Navigate,
            "down one page, also in what is open",
        ),
        control(A::First, "first", &["home"], Everywhere, Navigate, "to the first row"),
        control(
            A::Last,
            "last",
            &["end", "G"],
            Everywhere,
            Navigate,
            "to the last row; the calls follow again",
        ),
        control(A::NextPane, "next-pane", &["tab", "right", "l"], Everywhere, Navigate, "to the next pane")
            .hint("next pane"),
        control(
            A::PreviousPane,
            "previous-pane",
            &["shift-tab", "left", "h"],
            Everywhere,
            Navigate,
            "to the pane before",
        ),
        control(
            A::Mouse,
            "mouse",
            &["M"],
            Everywhere,
            Program,
            "give the mouse back to the terminal to mark text, or take it again",
        ),
        control(A::Theme, "theme", &["t"], Everywhere, Program, "change the colours"),
        control(
            A::Reset,
            "reset",
            &["R"],
            Everywhere,
            Program,
            "start counters and journal anew; asks first",
        ),
        control(A::Redraw, "redraw", &["ctrl-l"], Everywhere, Program, "draw the screen anew"),
        control(
            A::Suspend,
            "suspend",
            &["ctrl-z"],
            Everywhere,
            Program,
            "stop the program; asks first, because docker then waits for it",
        ),
        control(
            A::Quit,
            "quit",
            &["q"],
            Everywhere,
            Program,
            "quit; asks first if rules are armed, mounts open or a card is played",
        )
        .hint("quit"),
        control(
            A::QuitNow,
            "quit-now",
            &["ctrl-c"],
            Everywhere,
            Program,
            "quit at once; the exit status is 130, as that of an interrupted program",
        ),
    ]
};

impl Action {
    /// Its entry in the table.
    pub fn control(self) -> &'static Control {
        CONTROLS
            .iter()
            .find(|control| control.action == self)
            .expect("every action has an entry in the table")
    }
}
