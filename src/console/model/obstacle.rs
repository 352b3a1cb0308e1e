//! Why a key can do nothing here: a recording has no driver, and a console that is read-only sends no commands.

use crate::{console::input::action::KeyAction, domain::model::source_status::SourceStatus, hub::Snapshot};

const NO_DRIVER: &str = "a recording has no driver";
const READ_ONLY: &str = "this console is read-only";
const NOT_HERE: &str = "shell commands run only in the console of the driver itself";

/// Why a key can do nothing here, whatever is selected; none if it can.
pub fn obstacle(action: KeyAction, snapshot: &Snapshot) -> Option<&'static str> {
    let is_recording = snapshot.source.timeline().is_some();
    match action {
        KeyAction::Shell if snapshot.source != SourceStatus::Local => Some(NOT_HERE),
        // These move in a recording.
        KeyAction::NextStep | KeyAction::PauseOrContinue | KeyAction::Faster | KeyAction::Slower
            if is_recording =>
        {
            None
        }
        action if !sends_commands(action) => None,
        _ if is_recording => Some(NO_DRIVER),
        _ if is_read_only(snapshot) => Some(READ_ONLY),
        _ => None,
    }
}

/// Whether no command is sent to what is shown.
fn is_read_only(snapshot: &Snapshot) -> bool {
    let is_read_only = |source: &SourceStatus| match source {
        SourceStatus::Remote(connection) => connection.read_only,
        SourceStatus::Local | SourceStatus::Recording(_) | SourceStatus::Nodes => false,
    };
    is_read_only(&snapshot.source) || snapshot.nodes.iter().any(|node| is_read_only(&node.source))
}

/// Whether a key is there to send a command, at once or when its line is typed.
const fn sends_commands(action: KeyAction) -> bool {
    use KeyAction as A;
    matches!(
        action,
        A::Preset(_)
            | A::Forget
            | A::Outage
            | A::OutageKind
            | A::Release
            | A::EditReply
            | A::FailCall
            | A::ClearAll
            | A::Disarm
            | A::RuleUp
            | A::RuleDown
            | A::NewRule
            | A::Comment
            | A::Scenarios
            | A::NextStep
            | A::PauseOrContinue
            | A::StopScenario
            | A::Faster
            | A::Slower
            | A::Reset
    )
}
