//! A scenario run: each step with its expectation and its result.
//!
//! Steps are shown as they can be typed, `$ docker …` and `: arm …`.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use crate::{
    console::{
        input::action::KeyAction,
        model::obstacle::obstacle,
        view::canvas::{View, put, put_right},
    },
    domain::{
        model::scenario::{ScenarioResult, ScenarioRun, StepRun, StepState},
        text,
    },
};

/// How far a step's line is from the left, and what belongs to it.
const INDENT: usize = 4;

/// Draws the latest run.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(run) = view.snapshot.scenario.latest_run.as_deref() else {
        return preparing(view, area, buffer);
    };
    if !view.screen.shape.has_frames() {
        return compact(view, run, area, buffer);
    }
    let (state, style) = state(view, run);
    let inner = view.frame(
        false,
        &format!("Scenario {}", text::clean(&run.scenario)),
        &[Span::styled(state, style)],
        area,
        buffer,
    );
    let list = Rect { height: inner.height.saturating_sub(1), ..inner };
    let mut page = ScenarioPage {
        view,
        width: inner.width.into(),
        is_roomy: inner.height >= 16,
        lines: Vec::new(),
        starts: Vec::new(),
        now: 0..0,
    };
    page.steps_of(run);
    let height = usize::from(list.height);
    // Keeps the start of the current step in view, and the next steps if there is room.
    let most = page.lines.len().saturating_sub(height);
    let end = (page.now.end + height / 3).saturating_sub(height);
    let top = end.min(page.now.start.saturating_sub(1)).min(most);
    // The first row counts the steps above it.
    let above = page.starts.iter().filter(|start| **start <= top).count();
    if top > 0 && above > 0 {
        let more = format!("{:indent$}{above} more above", "", indent = INDENT - 1);
        page.lines[top] = Line::styled(more, view.theme.styles.dim);
    }
    for (row, line) in page.lines.iter().skip(top).take(height).enumerate() {
        put(buffer, list, row as u16, line);
    }
    put(buffer, inner, list.height, &hints(view));
}

/// Shows that a scenario is being prepared.
fn preparing(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let scenario = view.snapshot.scenario.under_way().unwrap_or_default();
    let title = format!("Scenario {}", text::clean(scenario));
    let inner = view.frame(false, &title, &[], area, buffer);
    put(
        buffer,
        inner,
        0,
        &Line::styled(format!(" preparing scenario{}", view.theme.glyphs.ellipsis), view.theme.styles.dim),
    );
    put(buffer, inner, inner.height.saturating_sub(1), &hints(view));
}

/// How far it is, in few words.
fn state(view: &View<'_>, run: &ScenarioRun) -> (String, Style) {
    let styles = &view.theme.styles;
    if let Some(end) = &run.end {
        return (end.result.words().into(), result_style(view, end.result));
    }
    let step = format!("step {}/{}", run.begun(), run.steps.len());
    let dot = view.theme.glyphs.dot;
    match &view.snapshot.scenario.play_request {
        Some(play_request) if play_request.stopped => ("stopping".into(), styles.warning),
        Some(play_request) if play_request.is_paused() => (format!("{step} {dot} PAUSED"), styles.warning),
        _ => (step, styles.text),
    }
}

fn result_style(view: &View<'_>, result: ScenarioResult) -> Style {
    match result {
        ScenarioResult::Passed => view.theme.styles.good,
        ScenarioResult::Failed => view.theme.styles.bad,
        ScenarioResult::Skipped | ScenarioResult::Stopped => view.theme.styles.warning,
    }
}

fn symbol(view: &View<'_>, state: StepState) -> (&'static str, Style) {
    let (glyphs, styles) = (view.theme.glyphs, &view.theme.styles);
    match state {
        StepState::Pending => (glyphs.dot, styles.dim),
        StepState::Running => (glyphs.cursor, styles.focus),
        StepState::Passed => (glyphs.passed, styles.good),
        StepState::Failed => (glyphs.failed, styles.bad),
    }
}

/// The keys that control the run, or close it.
fn hints(view: &View<'_>) -> Line<'static> {
    let ends = view.snapshot.scenario.latest_run.as_ref().is_some_and(|run| run.waits_for_cleanup());
    let actions: &[(KeyAction, &str)] = match &view.snapshot.scenario.play_request {
        // There, the keys of a scenario are those of the recording.
        Some(_) if view.snapshot.source.timeline().is_some() => &[],
        None => &[(KeyAction::Back, "closes"), (KeyAction::Scenarios, "another scenario")],
        Some(play_request) if play_request.stopped => &[],
        Some(play_request) if play_request.is_paused() && ends => &[(KeyAction::NextStep, "clean up")],
        Some(play_request) if play_request.is_paused() => &[
            (KeyAction::NextStep, "next step"),
            (KeyAction::PauseOrContinue, "continue"),
            (KeyAction::StopScenario, "stop"),
        ],
        Some(_) => &[
            (KeyAction::PauseOrContinue, "pause"),
            (KeyAction::NextStep, "step by step"),
            (KeyAction::StopScenario, "stop"),
        ],
    };
    let actions = actions.iter().filter(|(action, _)| obstacle(*action, view.snapshot).is_none());
    actions.flat_map(|(action, does)| view.hint(&view.key(*action), does)).collect()
}

/// Lines of one width, and where in them it happens now.
struct ScenarioPage<'v> {
    view: &'v View<'v>,
    width: usize,
    is_roomy: bool,
    lines: Vec<Line<'static>>,
    /// Where each step begins.
    starts: Vec<usize>,
    /// The lines about what happens now.
    now: Range<usize>,
}

impl ScenarioPage<'_> {
    fn steps_of(&mut self, run: &ScenarioRun) {
        let styles = &self.view.theme.styles;
        if !run.steps.is_empty() {
            self.say("", 1, &run.title, styles.bold);
            self.say("", 1, &format!("on {}", run.engine), styles.dim);
        }
        let delay = |page: &mut Self, why: &String| {
            let start = page.lines.len();
            page.say("", 1, why, page.view.theme.styles.warning);
            page.now = start..page.lines.len();
        };
        // It stands where it happens: before the first step, or after the latest.
        if let Some(why) = run.delay.as_ref().filter(|_| run.begun() == 0) {
            delay(self, why);
        }
        for step in &run.steps {
            // In little room, more steps matter more than gaps.
            if self.is_roomy {
                self.lines.push(Line::default());
            }
            let start = self.lines.len();
            self.starts.push(start);
            self.step(step);
            if step.state != StepState::Pending {
                self.now = start..self.lines.len();
            }
        }
        if let Some(why) = run.delay.as_ref().filter(|_| run.begun() > 0) {
            delay(self, why);
        }
        if let Some(end) = &run.end {
            for problem in &end.problems {
                let start = self.lines.len();
                self.say("", 1, problem, result_style(self.view, end.result));
                self.now = start..self.lines.len();
            }
        }
    }

    fn step(&mut self, step: &StepRun) {
        let styles = &self.view.theme.styles;
        let StepRun { plan, state, seen, problems } = step;
        if let Some(say) = &plan.say {
            self.say("", INDENT, say, styles.warning);
        }
        let (symbol, style) = symbol(self.view, *state);
        let line = match state {
            StepState::Pending => styles.dim,
            StepState::Running | StepState::Failed => styles.bold,
            StepState::Passed => styles.text,
        };
        let begin = self.lines.len();
        self.say("", INDENT - 1, &plan.line, line);
        if let Some(first) = self.lines.get_mut(begin) {
            let rest = first.spans.split_off(1);
            first.spans = vec![Span::styled(format!(" {symbol} "), style)];
            first.spans.extend(rest);
        }
        match state {
            StepState::Pending | StepState::Running if !plan.expected.is_empty() => {
                self.say("expected ", INDENT, &plan.expected, styles.dim);
            }
            StepState::Passed if !seen.is_empty() => self.say("actual ", INDENT, seen, styles.good),
            StepState::Failed => {
                for (what, text, style) in
                    [("expected ", &plan.expected, styles.dim), ("actual ", seen, styles.bad)]
                {
                    if !text.is_empty() {
                        self.say(what, INDENT, text, style);
                    }
                }
                for problem in problems {
                    self.say("", INDENT, problem, styles.bad);
                }
            }
            _ => {}
        }
    }

    /// A text in as many lines as it needs, each a span of indentation and one of words.
    fn say(&mut self, what: &str, indent: usize, said: &str, style: Style) {
        let said = format!("{what}{}", text::clean(said));
        let room = self.width.saturating_sub(indent + 1);
        self.lines.extend(
            text::wrap(&said, room)
                .into_iter()
                .map(|line| Line::from(vec![Span::raw(" ".repeat(indent)), Span::styled(line, style)])),
        );
    }
}

/// The same in a few rows: how far it is, and what happens now.
fn compact(view: &View<'_>, run: &ScenarioRun, area: Rect, buffer: &mut Buffer) {
    /// The row of the hints, where there is one.
    const HINTS: u16 = 3;
    let styles = &view.theme.styles;
    let width = usize::from(area.width);
    let (state, style) = state(view, run);
    let name = Span::styled(format!(" {} ", text::clean(&run.scenario)), styles.bold);
    let symbols = run.steps.iter().map(|step| {
        let (symbol, style) = symbol(view, step.state);
        Span::styled(symbol, style)
    });
    let head = Line::from([name].into_iter().chain(symbols).collect::<Vec<_>>());
    put(buffer, area, 0, &head);
    put_right(buffer, area, 0, head.width(), &Line::styled(state, style));
    let now = run.steps.iter().rev().find(|step| step.state != StepState::Pending).or(run.steps.first());
    let mut lines = Vec::new();
    if let Some(StepRun { plan, state, seen, problems }) = now {
        let (text, style) = match (state, problems.first()) {
            (StepState::Failed, Some(problem)) => (problem, styles.bad),
            (StepState::Passed, _) => (seen, styles.good),
            _ => (&plan.expected, styles.dim),
        };
        lines = vec![
            (text::clean(&plan.line).into_owned(), styles.text),
            (text::clean(text).into_owned(), style),
        ];
    }
    // A problem of the run comes before the result of one step.
    let wrong =
        run.end.as_ref().and_then(|end| Some((end.problems.first()?, result_style(view, end.result))));
    if let Some((problem, style)) = wrong.or(run.delay.as_ref().map(|why| (why, styles.warning))) {
        let problem = text::wrap(&text::clean(problem), width.saturating_sub(1));
        lines = problem.into_iter().map(|line| (line, style)).collect();
    }
    for (row, (text, style)) in (1..HINTS).zip(lines) {
        put(buffer, area, row, &Line::styled(view.fit(&format!(" {text}"), width), style));
    }
    put(buffer, area, HINTS, &hints(view));
}
