//! The step of a scenario that an audience sees now: its remark, what is expected, and the key that goes on.

use ratatui::style::Style;

use crate::{
    console::{input::action::KeyAction, model::obstacle::obstacle, view::canvas::View},
    domain::model::scenario::{ScenarioResult, ScenarioRun, StepRun, StepState},
};

/// The scenario that is played or has just ended, in words and their styles; none if there is none on the screen.
pub fn spans(view: &View<'_>) -> Option<Vec<(String, Style)>> {
    let snapshot = view.snapshot;
    let run = snapshot.scenario.latest_run.as_deref().filter(|_| view.app.shows_run(snapshot))?;
    let styles = &view.theme.styles;
    if let Some(end) = &run.end {
        let style = if end.result == ScenarioResult::Passed { styles.good } else { styles.warning };
        let why = end.problems.first().map_or_else(String::new, |problem| format!(": {problem}"));
        return Some(vec![(format!("{} {}{why}", run.title, end.result.words()), style)]);
    }
    let waits =
        snapshot.scenario.play_request.as_ref().is_some_and(|request| {
            request.is_paused() && (request.allowed <= run.begun() || run.steps_ended())
        });
    let key = |does: &str| {
        // In a recording the key moves by an entry.
        let can_press = waits
            && snapshot.source.timeline().is_none()
            && obstacle(KeyAction::NextStep, snapshot).is_none();
        let key = format!("[{}] ", view.key(KeyAction::NextStep));
        if can_press { vec![(key, styles.key), (does.to_owned(), styles.dim)] } else { Vec::new() }
    };
    if run.waits_for_cleanup() {
        let failed = run.steps.iter().find(|step| step.state == StepState::Failed);
        let mut said = match failed {
            None => vec![("All steps went as expected. ".to_owned(), styles.good)],
            Some(step) => vec![(format!("Not as expected: {} ", problem(step)), styles.bad)],
        };
        said.extend(key("removes what the scenario created"));
        return Some(said);
    }
    let index = shown(run, waits);
    let step = run.steps.get(index)?;
    let mut said = vec![(format!("Step {} of {}: ", index + 1, run.steps.len()), styles.bold)];
    said.push((step.plan.say.as_ref().unwrap_or(&step.plan.line).clone() + " ", styles.text));
    // The exact calls are in the scenario's pane, for those who read closely.
    let expected = step.plan.expected.split("calls:").next().unwrap_or_default().trim_end_matches([' ', ',']);
    if step.state == StepState::Failed {
        said.push((format!("Not as expected: {} ", problem(step)), styles.bad));
    } else if !expected.is_empty() {
        said.push((format!("Expected: {expected}. "), styles.dim));
    }
    said.extend(key("runs it"));
    Some(said)
}

/// The step that is played, else the one that waits for a key, else the latest that has ended.
fn shown(run: &ScenarioRun, waits: bool) -> usize {
    let running = run.steps.iter().position(|step| step.state == StepState::Running);
    let next = run.steps.iter().position(|step| step.state == StepState::Pending).filter(|_| waits);
    running.or(next).unwrap_or_else(|| run.begun().saturating_sub(1))
}

fn problem(step: &StepRun) -> &str {
    step.problems.first().map_or(step.seen.as_str(), String::as_str)
}
