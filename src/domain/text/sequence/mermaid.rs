//! The diagram as Mermaid, which Markdown pages draw.

use super::{DiagramStep, Part};
use crate::domain::{
    model::{
        entry::{Entry, EntryKind},
        protocol::Caller,
        scenario::ScenarioEvent,
    },
    text::{clean, describe, symbols::UNICODE},
};

/// The steps as a Mermaid sequence diagram, with the commands between them as notes.
pub fn mermaid(steps: &[DiagramStep<'_>], engine: Caller, plugin: &str) -> String {
    let mut sequence = "sequenceDiagram\n".to_owned();
    let mut line = |text: String| sequence.extend(["    ", &text, "\n"]);
    let name = describe::engine(engine);
    line(if name == engine.as_str() {
        format!("participant {engine}")
    } else {
        format!("participant {engine} as {name}")
    });
    line(format!("participant plugin as {}", plain(plugin)));
    for step in steps {
        match &step.part {
            Part::Pause(pause) => line(format!("Note over {engine},plugin: {}", describe::pause(pause))),
            Part::Request(asked) => line(format!("{engine}->>plugin: {}", plain(asked))),
            Part::Held(held) => {
                line(format!("Note right of plugin: {} {}, waits", UNICODE.fault, plain(&held.fault.action)));
            }
            Part::Reply { call, to } => {
                let fault = call.fault.as_ref().map(|fault| format!("{} {} ", UNICODE.fault, fault));
                let ended = describe::reply(call, to.as_deref(), &UNICODE).text;
                let arrow = if call.status.is_some() { "-->>" } else { "--x" };
                line(format!("plugin{arrow}{engine}: {}", plain(&(fault.unwrap_or_default() + &ended))));
            }
            Part::Remark => note(step.entry, engine).into_iter().for_each(&mut line),
        }
    }
    sequence
}

fn note(entry: &Entry, engine: Caller) -> Option<String> {
    match &entry.kind {
        EntryKind::Command(run) => Some(format!("Note over plugin: {}", plain(&run.command))),
        EntryKind::Note { text } => Some(format!("Note over {engine}: {}", plain(text))),
        EntryKind::Gap(gap) => Some(format!("Note over plugin: {}", plain(&describe::gap(gap)))),
        EntryKind::Scenario(event) => match &**event {
            // A command of the scenario is noted already.
            ScenarioEvent::StepStarted { line, .. } if line.starts_with("$ ") => {
                Some(format!("Note over {engine}: {}", plain(line)))
            }
            _ => None,
        },
        EntryKind::EngineCommand(run) => {
            Some(format!("Note over {engine}: {}", plain(&format!("$ {}", run.command))))
        }
        EntryKind::Shell(event) => {
            Some(format!("Note over {engine}: {}", plain(&format!("$ {}", event.command()))))
        }
        _ => None,
    }
}

/// Mermaid ends a message at a semicolon and a line at its break.
fn plain(text: &str) -> String {
    clean(text).replace(';', ",").replace('#', "no. ")
}
