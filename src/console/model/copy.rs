//! What is put on the clipboard. The bottom line names it, or says why there is nothing to copy.

use crate::{
    console::{
        clipboard::{self, docker_command},
        input::action::KeyAction,
        layout::pane::Pane,
        model::{
            app::App,
            event::Effect,
            fault_list::{self, FaultRow},
        },
    },
    domain::{
        model::{
            entry::{Entry, EntryKind},
            protocol::Operation,
        },
        rules::PRESETS,
        text::{self, describe},
    },
    export,
    hub::Snapshot,
};

/// What is copied, and its text.
type Copied = (String, String);

impl App {
    /// Copies what is selected: as data, or as a command that does it again.
    pub(super) fn copy(&mut self, action: KeyAction, snapshot: &Snapshot) -> Option<Effect> {
        let is_command = action == KeyAction::CopyCurl;
        let copied = match self.focus {
            Pane::Calls if self.rows().follows() && self.has_heard_nothing(snapshot) => {
                match &snapshot.driver.fix_command {
                    Some(_) if !is_command => return self.copy_fix_command(snapshot),
                    _ => Ok(("the docker command".to_owned(), docker_command(&snapshot.driver))),
                }
            }
            Pane::Calls if self.sequence => Ok(self.sequence_text(is_command, snapshot)),
            Pane::Calls => self.entry_text(is_command, snapshot),
            Pane::Volumes => self.volume_text(is_command, snapshot),
            Pane::Faults => self.fault_text(snapshot),
        };
        match copied {
            Ok((what, text)) => {
                self.say(format!("copied {what}"));
                Some(Effect::Copy(text))
            }
            Err(why) => {
                self.say(why);
                None
            }
        }
    }

    fn sequence_text(&self, is_text: bool, snapshot: &Snapshot) -> Copied {
        if is_text {
            let drawing = export::text(self.calls.all(), snapshot, self.theme.glyphs.symbols, &self.zone);
            ("the sequence as text".into(), drawing)
        } else {
            ("the sequence as a Mermaid diagram".into(), export::mermaid(self.calls.all(), snapshot))
        }
    }

    /// The marked entries, one a line, or the selected one.
    fn entry_text(&self, is_command: bool, snapshot: &Snapshot) -> Result<Copied, String> {
        let marked: Vec<_> = self.calls.all().filter(|entry| self.marks.is_together(entry)).collect();
        if !marked.is_empty() {
            let copied: Result<Vec<_>, _> =
                marked.iter().map(|entry| one_text(entry, is_command, snapshot)).collect();
            let texts: Vec<_> = copied?.into_iter().map(|(_, text)| text).collect();
            let what = if is_command { "commands that repeat them" } else { "JSON lines" };
            let (shown, all) = (texts.len() as u64, self.marks.together());
            let entries = match text::counted(shown, "marked entry") {
                entries if shown == all => entries,
                _ => format!("{shown} of {}", text::counted(all, "marked entry")),
            };
            let hidden = if shown < all { "; the others are not shown" } else { "" };
            return Ok((format!("{entries} as {what}{hidden}"), texts.join("\n")));
        }
        if self.marks.together() > 0 {
            return Err("none of the marked entries is shown; Esc takes the marks away".into());
        }
        let entry = self.selected().ok_or("nothing to copy: no entry matches the filter")?;
        one_text(entry, is_command, snapshot)
    }

    fn volume_text(&self, is_command: bool, snapshot: &Snapshot) -> Result<Copied, String> {
        let volume = self.selected_volume(snapshot).ok_or("no volume to copy")?;
        let name = text::clean(&volume.name);
        if is_command {
            let command =
                format!("docker volume inspect {}", text::shell::quote_bytes(volume.name.as_bytes()));
            return Ok((format!("a docker command that inspects {name}"), command));
        }
        let json = serde_json::to_string(&**volume).map_err(|error| error.to_string())?;
        Ok((format!("volume {name} as JSON"), json))
    }

    fn fault_text(&self, snapshot: &Snapshot) -> Result<Copied, String> {
        let rows = fault_list::rows(snapshot);
        let (what, line) = match rows.get(self.fault.row) {
            Some(FaultRow::Preset(index)) => {
                let preset = &PRESETS[*index];
                (preset.title.to_owned(), format!("arm {} as {}", preset.rule, preset.label))
            }
            Some(FaultRow::Rule(id)) => {
                let rule = snapshot.rules.iter().find(|rule| rule.id == *id);
                let rule = rule.ok_or("no rule selected")?;
                (format!("rule {id}"), format!("arm {}", rule.with_label()))
            }
            Some(FaultRow::Outage) => ("the outage".to_owned(), format!("down {}", self.outage)),
            Some(FaultRow::Forget) | None => return Err("select a rule to copy its line".into()),
        };
        Ok((format!("the line that arms {what}"), line))
    }

    /// Whether nobody has called yet.
    pub fn has_heard_nothing(&self, snapshot: &Snapshot) -> bool {
        let has_called = |operation| snapshot.counters.operation(operation) > 0;
        let nobody = !Operation::ALL.into_iter().any(has_called) && snapshot.held.is_empty();
        nobody && !self.calls.is_filtered()
    }

    /// Copies the command that would register the driver, if it is not.
    pub(super) fn copy_fix_command(&mut self, snapshot: &Snapshot) -> Option<Effect> {
        let fix_command = snapshot.driver.fix_command.clone()?;
        self.say("copied the command that registers the driver");
        Some(Effect::Copy(fix_command))
    }
}

/// An entry as data, or as a command that does it again.
fn one_text(entry: &Entry, is_command: bool, snapshot: &Snapshot) -> Result<Copied, String> {
    let what = name(entry);
    if !is_command {
        return Ok((format!("{what} as JSON"), clipboard::json(entry)));
    }
    match &entry.kind {
        EntryKind::Command(run) => Ok((format!("{what} as a line"), run.command.clone())),
        EntryKind::EngineCommand(run) => Ok((format!("{what} as a line"), run.command.clone())),
        EntryKind::Shell(event) => Ok((format!("{what} as a line"), event.command().to_owned())),
        EntryKind::Held(_) => Err(format!("{what} is held; its request can be copied when it has ended")),
        _ => {
            let command = clipboard::curl(entry, snapshot.of_entry(entry));
            let command =
                command.ok_or_else(|| format!("{what} is no request, so there is no curl command"))?;
            Ok((format!("a curl command that repeats {what}"), command))
        }
    }
}

/// An entry as a message names it.
pub(super) fn name(entry: &Entry) -> String {
    match &entry.kind {
        EntryKind::Call(call) => {
            let volume = call.volume.as_deref().map(text::clean).unwrap_or_default();
            let word = describe::asked(call.head());
            format!("call {} ({word} {volume})", call.number).replace(" )", ")")
        }
        EntryKind::Held(held) => format!("call {} ({})", held.number, describe::asked(held.head())),
        EntryKind::Command(_) => "the command".to_owned(),
        EntryKind::EngineCommand(_) => "the engine command".to_owned(),
        EntryKind::Shell(_) => "the shell command".to_owned(),
        _ => format!("entry {}", entry.seq),
    }
}
