//! The latest run of a scenario: its commands are known.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::write::{Draft, DraftStep};
use crate::domain::{
    analysis::traced_calls::{TracedCall, trace},
    model::{
        entry::{Entry, EntryKind},
        protocol::Caller,
        scenario::{ScenarioEvent, StepAction, StepKey},
        volume::Volumes,
    },
};

/// A step that has ended, and the numbers of its calls.
struct EndedStep {
    index: usize,
    exit: Option<u8>,
    seen: String,
    calls: Vec<u64>,
}

/// The latest run, if there was one, as far as its steps have ended.
pub fn draft(entries: &[Arc<Entry>]) -> Option<Draft> {
    let start =
        entries.iter().rposition(|entry| matches!(event(entry), Some(ScenarioEvent::Started { .. })))?;
    let Some(ScenarioEvent::Started { title, needs, steps, .. }) = event(&entries[start]) else {
        return None;
    };
    let actions: Option<Vec<&StepAction>> = steps.iter().map(|step| step.action.as_ref()).collect();
    let (before, played) = entries.split_at(steps_begin(entries, start));
    // What follows is its clean-up.
    let end = played.iter().position(|entry| matches!(event(entry), Some(ScenarioEvent::Finished { .. })));
    let played = &played[..end.unwrap_or(played.len())];
    // Others may use the volumes that existed before.
    let foreign = volumes_after(before);
    let is_foreign =
        |entry: &&Arc<Entry>| entry.about().0.is_some_and(|volume| foreign.known(volume).is_some());
    let own: Vec<_> = played.iter().filter(|entry| !is_foreign(entry)).cloned().collect();
    let (ended, volumes) = ended_steps(&own);
    let calls = trace(&own);
    let entry_of: BTreeMap<u64, &Arc<Entry>> =
        own.iter().filter_map(|entry| Some((entry.call_number()?, entry))).collect();
    let is_fresh = needs.iter().any(|need| need.starts_with("fresh_engine"));
    let counted = |number: &u64| calls.get(number).filter(|call| is_fresh || !call.is_handshake());
    let mut draft = Draft { title: title.clone(), needs: needs.clone(), ..Draft::default() };
    let mut running: Vec<&str> = Vec::new();
    let actions = actions?;
    for step in &ended {
        let StepAction { key, text, background } = actions.get(step.index)?;
        let was_running = !running.is_empty();
        running.extend(background.as_deref());
        running.retain(|label| *key != StepKey::WaitFor || label != text);
        let errors = step.calls.iter().filter_map(|number| entry_of.get(number)?.call()?.error.as_deref());
        let of_step: Vec<&TracedCall> = step.calls.iter().filter_map(counted).collect();
        draft.steps.push(DraftStep {
            say: steps[step.index].say.clone(),
            background: background.clone(),
            fails_with: step.exit.filter(|exit| *exit != 0).map(|_| error_in(&step.seen, errors)),
            // What runs in the background calls at any time.
            calls: (running.is_empty() && !was_running)
                .then(|| of_step.iter().map(ToString::to_string).collect()),
            ..DraftStep::new(*key, text)
        });
        draft.calls.extend(of_step.into_iter().cloned());
    }
    for label in running {
        draft.steps.push(DraftStep::new(StepKey::WaitFor, label));
    }
    draft.is_podman = own.iter().any(|entry| entry.call().is_some_and(|call| call.caller == Caller::Podman));
    let named = draft.calls.iter().filter_map(|call| call.volume.clone()).filter(|volume| volume != "?");
    let open = |volume: &str| volumes.known(volume).map_or(0, |volume| volume.open_mounts());
    draft.open_mounts =
        named.map(|volume| (open(&volume), volume)).map(|(open, volume)| (volume, open)).collect();
    Some(draft)
}

fn event(entry: &Entry) -> Option<&ScenarioEvent> {
    if let EntryKind::Scenario(event) = &entry.kind { Some(event) } else { None }
}

/// Where the first step begins. Until then, it was waited for others.
fn steps_begin(entries: &[Arc<Entry>], start: usize) -> usize {
    let is_step = |entry: &Arc<Entry>| matches!(event(entry), Some(ScenarioEvent::StepStarted { .. }));
    entries[start..].iter().position(is_step).map_or(entries.len(), |at| start + at)
}

/// The volumes after some entries.
fn volumes_after(entries: &[Arc<Entry>]) -> Volumes {
    let mut volumes = Volumes::default();
    for entry in entries {
        match &entry.kind {
            EntryKind::Session(session) => volumes.clone_from(&session.volumes),
            EntryKind::Volume(change) => volumes.apply(&change.change),
            _ => {}
        }
    }
    volumes
}

/// The steps with their calls, as they were attributed while it was played: a call belongs to the step in which it is
/// first seen. And the volumes at their end.
fn ended_steps(entries: &[Arc<Entry>]) -> (Vec<EndedStep>, Volumes) {
    let (mut ended, mut seen, mut calls) = (Vec::new(), BTreeSet::new(), Vec::new());
    let (mut volumes, mut at_end) = (Volumes::default(), Volumes::default());
    for entry in entries {
        match &entry.kind {
            EntryKind::Volume(change) => volumes.apply(&change.change),
            EntryKind::Scenario(event) => {
                if let ScenarioEvent::StepFinished { index, exit, seen, .. } = &**event {
                    calls.sort_unstable();
                    let calls = std::mem::take(&mut calls);
                    ended.push(EndedStep { index: *index, exit: *exit, seen: seen.clone(), calls });
                    at_end = volumes.clone();
                }
            }
            _ => {}
        }
        calls.extend(entry.call_number().filter(|number| seen.insert(*number)));
    }
    (ended, at_end)
}

/// What of an error is the same in each run: what the driver said, if it is in it.
fn error_in<'e>(shown: &str, mut errors: impl Iterator<Item = &'e str>) -> String {
    let shown = shown.to_lowercase();
    let is_shown = |error: &&str| shown.contains(&error.trim().to_lowercase());
    errors.find(is_shown).map(|error| error.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::domain::model::{entry::Call, protocol::Operation, scenario::StepSpec};

    #[test]
    fn what_is_asked_before_the_first_step_belongs_to_none() {
        let action =
            StepAction { key: StepKey::Docker, text: "docker volume inspect a".into(), background: None };
        let step = StepSpec { line: String::new(), say: None, expected: String::new(), action: Some(action) };
        let scenario = |event| EntryKind::Scenario(Box::new(event));
        let call = |number, operation| {
            let mut call = Call { number, ..Call::ok(operation, Caller::Docker) };
            call.volume = (operation == Operation::Get).then(|| "a".into());
            EntryKind::Call(Box::new(call))
        };
        let kinds = [
            scenario(ScenarioEvent::Started {
                scenario: "s".into(),
                title: "S".into(),
                engine: "docker".into(),
                needs: Vec::new(),
                steps: vec![step],
            }),
            call(1, Operation::List),
            scenario(ScenarioEvent::StepStarted { index: 0, line: String::new() }),
            call(2, Operation::Get),
            scenario(ScenarioEvent::StepFinished {
                index: 0,
                line: String::new(),
                exit: Some(0),
                seen: String::new(),
                problems: Vec::new(),
            }),
            call(3, Operation::List),
        ];
        let entries: Vec<_> = (1..)
            .zip(kinds)
            .map(|(seq, kind)| Arc::new(Entry::new(seq, Timestamp::UNIX_EPOCH, kind)))
            .collect();
        let draft = draft(&entries).expect("a scenario was played");
        assert_eq!(draft.steps[0].calls, Some(vec!["get a".to_owned()]));
    }
}
