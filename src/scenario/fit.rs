//! Whether a scenario fits another plugin that calls are forwarded to.

use super::file::{Action, Scenario};
use crate::{
    domain::{
        lang::command::Command,
        model::{entry::Call, protocol::Operation},
    },
    hub::Hub,
};

impl Scenario {
    /// Why it cannot be played in front of another plugin, if it cannot.
    pub fn misfit(&self) -> Option<String> {
        if self.builtin_driver {
            return Some("it shows what only the built-in driver does".into());
        }
        let commands = self.steps.iter().filter(|step| step.action == Action::Command);
        let mut refused = commands.filter(|step| {
            let command = step.line.parse().ok();
            matches!(command, Some(Command::Wipe | Command::Crash { keep: false } | Command::Unmount(_)))
        });
        refused.next().map(|step| format!("{:?} is refused in front of another plugin", step.line))
    }
}

/// What a plugin has refused of its own accord since an entry, which explains why a scenario goes another way there.
pub(super) fn refusal(hub: &Hub, after: u64) -> Option<String> {
    let (entries, _) = hub.entries_after(after, usize::MAX);
    entries.iter().filter_map(|entry| entry.call()).find_map(refused)
}

fn refused(call: &Call) -> Option<String> {
    let operation = call.operation.filter(|operation| {
        // A Get may ask for a volume that is not there.
        matches!(operation, Operation::Create | Operation::Mount | Operation::Unmount | Operation::Remove)
    })?;
    // Without a body it is the engine's retry, which a fault has caused.
    let upstream = call.upstream.as_ref().filter(|_| call.request.length > 0)?;
    let error = match (&call.fault, &upstream.reply) {
        (None, _) => call.error.as_deref()?.to_owned(),
        // The engine has got another reply.
        (Some(_), Some(reply)) if upstream.status != 200 => reply.text().trim_end().to_owned(),
        (Some(_), _) => return None,
    };
    let volume = call.volume.as_deref().unwrap_or_default();
    Some(format!("it does not fit this plugin, which refuses to {operation} {volume}: {error}"))
}
