//! The diagram as Mermaid, which Markdown pages draw.

use super::{Part, Step};
use crate::domain::{
    entry::{Entry, Kind},
    playbill::PlayEvent,
    protocol::Caller,
    signs::UNICODE,
    telling,
    text::clean,
};

/// The steps as a Mermaid sequence diagram, with the commands between them as notes.
pub fn mermaid(steps: &[Step<'_>], engine: Caller, plugin: &str) -> String {
    let mut diagram = "sequenceDiagram\n".to_owned();
    let mut line = |text: String| diagram.extend(["    ", &text, "\n"]);
    let name = telling::engine(engine);
    line(if name == engine.word() {
        format!("participant {engine}")
    } else {
        format!("participant {engine} as {name}")
    });
    line(format!("participant plugin as {}", plain(plugin)));
    for step in steps {
        match &step.part {
            Part::Pause(pause) => line(format!("Note over {engine},plugin: {}", telling::pause(pause))),
            Part::Request(asked) => line(format!("{engine}->>plugin: {}", plain(asked))),
            Part::Waits(waiting) => {
                line(format!(
                    "Note right of plugin: {} {}, waits",
                    UNICODE.fault,
                    plain(&waiting.fault.action)
                ));
            }
            Part::Reply { call, to } => {
                let deed = call.fault.as_ref().map(|deed| format!("{} {} ", UNICODE.fault, deed.action));
                let ended = telling::reply(call, to.as_deref(), &UNICODE).text;
                let arrow = if call.status.is_some() { "-->>" } else { "--x" };
                line(format!("plugin{arrow}{engine}: {}", plain(&(deed.unwrap_or_default() + &ended))));
            }
            Part::Remark => note(step.entry, engine).into_iter().for_each(&mut line),
        }
    }
    diagram
}

fn note(entry: &Entry, engine: Caller) -> Option<String> {
    match &entry.kind {
        Kind::Command(execution) => Some(format!("Note over plugin: {}", plain(&execution.line))),
        Kind::Note { text } => Some(format!("Note over {engine}: {}", plain(text))),
        Kind::Play(event) => match &**event {
            // A command of the card is noted already.
            PlayEvent::Step { line, .. } if line.starts_with("$ ") => {
                Some(format!("Note over {engine}: {}", plain(line)))
            }
            _ => None,
        },
        Kind::Call(_) | Kind::Waiting(_) | Kind::Fault(_) | Kind::Driver { .. } => None,
    }
}

/// Mermaid ends a message at a semicolon and a line at its break.
fn plain(text: &str) -> String {
    clean(text).replace(';', ",").replace('#', "no. ")
}
