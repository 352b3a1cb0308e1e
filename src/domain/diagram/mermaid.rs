//! The diagram as Mermaid, which Markdown pages draw.

use std::sync::Arc;

use crate::domain::{
    entry::{Entry, Kind, Outcome},
    playbill::PlayEvent,
    protocol::Caller,
    text::clean,
};

/// The calls as a Mermaid sequence diagram, with the commands between them as notes.
pub fn mermaid<'e>(entries: impl Iterator<Item = &'e Arc<Entry>>, engine: Caller, plugin: &str) -> String {
    // Mermaid ends a message at a semicolon and a line at its break.
    let plain = |text: &str| clean(text).replace(';', ",").replace('#', "no. ");
    let mut diagram =
        format!("sequenceDiagram\n    participant {engine}\n    participant plugin as {}\n", plain(plugin));
    let mut line = |text: String| diagram.extend(["    ", &text, "\n"]);
    for entry in entries {
        match &entry.kind {
            Kind::Call(call) => {
                let word = call.operation.map_or_else(|| "?".to_owned(), |operation| operation.to_string());
                let volume = call.volume.as_deref().unwrap_or_default();
                line(format!("{engine}->>plugin: {}", plain(format!("{word} {volume}").trim_end())));
                if let Some(deed) = &call.fault {
                    let what = match deed.outage() {
                        Some(outage) => outage.command(),
                        None => format!("rule {}: {}", deed.id, deed.action),
                    };
                    line(format!("Note right of plugin: {}", plain(&what)));
                }
                let end = match call.outcome {
                    Outcome::Answered => "ok",
                    Outcome::Abandoned => "the caller gave up",
                    Outcome::Failed | Outcome::Panicked => "failed",
                };
                let error = plain(call.error.as_deref().unwrap_or(end).trim());
                let status = call.status.map_or_else(String::new, |status| format!("{status} "));
                let arrow = if call.status.is_some() { "-->>" } else { "--x" };
                line(format!("plugin{arrow}{engine}: {status}{error}"));
            }
            Kind::Waiting(waiting) => {
                let volume = waiting.volume.as_deref().unwrap_or_default();
                line(format!(
                    "{engine}->>plugin: {}",
                    plain(format!("{} {volume}", waiting.operation).trim_end())
                ));
                line(format!("Note right of plugin: waits, {}", plain(&waiting.fault.action)));
            }
            Kind::Command(execution) => line(format!("Note over plugin: {}", plain(&execution.line))),
            Kind::Note { text } => line(format!("Note over {engine}: {}", plain(text))),
            Kind::Play(event) => {
                // A command of the card is noted already.
                if let PlayEvent::Step { line: typed, .. } = &**event
                    && typed.starts_with("$ ")
                {
                    line(format!("Note over {engine}: {}", plain(typed)));
                }
            }
            Kind::Fault(_) | Kind::Driver { .. } => {}
        }
    }
    diagram
}
