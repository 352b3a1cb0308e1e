//! Files of rules: one a line, as after `arm`.

use std::{fmt::Write as _, fs, io};

use crate::{
    domain::{lang::command::Command, model::origin::Origin, text::counted},
    hub::{CommandFailed, CommandOutput, Hub, Snapshot},
};

/// The rules of a snapshot in their order, also those that have ended.
pub fn write(snapshot: &Snapshot) -> String {
    let head = "# Rules of voltergeist, in their order. The command load arms them.\n".to_owned();
    snapshot.rules.iter().fold(head, |mut text, rule| {
        let flag = if rule.rule().is_dangerous() { "--yes " } else { "" };
        let _ = writeln!(text, "{flag}{}", rule.with_label());
        text
    })
}

/// Arms the rules of a file. If one cannot be armed, none is.
pub fn load(hub: &Hub, path: &str, confirmed: bool, origin: Origin) -> Result<CommandOutput, CommandFailed> {
    let failed = |error: io::Error| CommandFailed::Load { path: path.to_owned(), error };
    let text = fs::read_to_string(path).map_err(failed)?;
    let mut rules = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |error| CommandFailed::LoadedLine {
            path: path.to_owned(),
            line: index + 1,
            error: Box::new(error),
        };
        let mut rule: Command = Command::parse_arm(line).map_err(|error| wrong(error.into()))?;
        if confirmed {
            rule = rule.confirmed();
        }
        if rule.is_dangerous() {
            let load = Command::Load { path: path.to_owned(), confirmed: true };
            return Err(wrong(CommandFailed::Unconfirmed(load.to_string())));
        }
        rules.push(rule);
    }
    for rule in &rules {
        hub.command(rule, origin.clone())?;
    }
    let text = format!("{} armed from {path}", counted(rules.len() as u64, "rule"));
    let command = Command::Load { path: path.to_owned(), confirmed };
    Ok(hub.record_command(&command, text, origin))
}
