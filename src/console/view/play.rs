//! A scenario card as it is played: each step turns from expected to held or not.
//!
//! The steps stand there as they can be typed, `$ docker …` and `: arm …`, so that an audience can follow.

use std::ops::Range;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::Style,
    text::{Line, Span},
};

use super::{View, put, put_right};
use crate::{
    console::{action::Action, text},
    domain::model::scenario::{ScenarioResult, ScenarioRun, StepRun, StepState},
};

/// How far a step's line is from the left, and what belongs to it.
const INDENT: usize = 4;

/// Draws the latest play.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(play) = view.snapshot.scenario.play.as_deref() else { return ready(view, area, buffer) };
    if !view.screen.shape.has_frames() {
        return strip(view, play, area, buffer);
    }
    let (state, style) = state(view, play);
    let inner = view.frame(
        false,
        &format!("Card {}", text::clean(&play.scenario)),
        &[Span::styled(state, style)],
        area,
        buffer,
    );
    let list = Rect { height: inner.height.saturating_sub(1), ..inner };
    let mut page = Page {
        view,
        width: inner.width.into(),
        is_roomy: inner.height >= 16,
        lines: Vec::new(),
        starts: Vec::new(),
        now: 0..0,
    };
    page.play(play);
    let height = usize::from(list.height);
    // What comes next is in view too, as far as there is room, and what happens now is from its beginning.
    let most = page.lines.len().saturating_sub(height);
    let end = (page.now.end + height / 3).saturating_sub(height);
    let top = end.min(page.now.start.saturating_sub(1)).min(most);
    // The first row tells of what is above it.
    let above = page.starts.iter().filter(|start| **start <= top).count();
    if top > 0 && above > 0 {
        let more = format!("{:indent$}{above} more above", "", indent = INDENT - 1);
        page.lines[top] = Line::styled(more, view.theme.styles.quiet);
    }
    for (row, line) in page.lines.iter().skip(top).take(height).enumerate() {
        put(buffer, list, row as u16, line);
    }
    put(buffer, inner, list.height, &hints(view));
}

/// Says that a card was asked for, and nothing is known of it yet.
fn ready(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let scenario = view.snapshot.scenario.under_way().unwrap_or_default();
    let title = format!("Card {}", text::clean(scenario));
    let inner = view.frame(false, &title, &[], area, buffer);
    put(buffer, inner, 0, &Line::styled(" the stage is being set", view.theme.styles.quiet));
    put(buffer, inner, inner.height.saturating_sub(1), &hints(view));
}

/// How far it is, in few words.
fn state(view: &View<'_>, play: &ScenarioRun) -> (String, Style) {
    let styles = &view.theme.styles;
    if let Some(end) = &play.end {
        return (end.result.words().into(), verdict_style(view, end.result));
    }
    let step = format!("step {} of {}", play.begun(), play.steps.len());
    let dot = view.theme.glyphs.dot;
    match &view.snapshot.scenario.run_request {
        Some(run_request) if run_request.stopped => ("it ends".into(), styles.warning),
        Some(run_request) if run_request.is_paused() => (format!("{step} {dot} PAUSED"), styles.warning),
        _ => (step, styles.text),
    }
}

fn verdict_style(view: &View<'_>, result: ScenarioResult) -> Style {
    match result {
        ScenarioResult::Passed => view.theme.styles.good,
        ScenarioResult::Failed => view.theme.styles.bad,
        ScenarioResult::Skipped | ScenarioResult::Stopped => view.theme.styles.warning,
    }
}

fn sign(view: &View<'_>, state: StepState) -> (&'static str, Style) {
    let (glyphs, styles) = (view.theme.glyphs, &view.theme.styles);
    match state {
        StepState::Pending => (glyphs.dot, styles.quiet),
        StepState::Running => (glyphs.cursor, styles.focus),
        StepState::Passed => (glyphs.held, styles.good),
        StepState::Failed => (glyphs.failed, styles.bad),
    }
}

/// The keys that direct what is played, or close it.
fn hints(view: &View<'_>) -> Line<'static> {
    let actions: &[(Action, &str)] = match &view.snapshot.scenario.run_request {
        None => &[(Action::Back, "closes"), (Action::Scenarios, "another card")],
        Some(run_request) if run_request.stopped => &[],
        Some(run_request) if run_request.is_paused() => {
            &[(Action::NextStep, "next step"), (Action::PausePlay, "go on"), (Action::StopPlay, "stop")]
        }
        Some(_) => {
            &[(Action::PausePlay, "pause"), (Action::NextStep, "step by step"), (Action::StopPlay, "stop")]
        }
    };
    let styles = &view.theme.styles;
    let pair = |(action, does): &(Action, &'static str)| {
        [
            Span::styled(format!(" {}", view.key(*action)), styles.key),
            Span::styled(format!(" {does} "), styles.quiet),
        ]
    };
    actions.iter().flat_map(pair).collect::<Vec<_>>().into()
}

/// Lines of one width, and where in them it happens now.
struct Page<'v> {
    view: &'v View<'v>,
    width: usize,
    is_roomy: bool,
    lines: Vec<Line<'static>>,
    /// Where each step begins.
    starts: Vec<usize>,
    /// The lines about what happens now.
    now: Range<usize>,
}

impl Page<'_> {
    fn play(&mut self, play: &ScenarioRun) {
        let styles = &self.view.theme.styles;
        if !play.steps.is_empty() {
            self.say("", 1, &play.title, styles.strong);
            self.say("", 1, &format!("on {}", play.engine), styles.quiet);
        }
        let delay = |page: &mut Self, why: &String| {
            let start = page.lines.len();
            page.say("", 1, why, page.view.theme.styles.warning);
            page.now = start..page.lines.len();
        };
        // It stands where it happens: before the first step, or after the latest.
        if let Some(why) = play.delay.as_ref().filter(|_| play.begun() == 0) {
            delay(self, why);
        }
        for step in &play.steps {
            // Where there is little room, more of the steps matters more.
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
        if let Some(why) = play.delay.as_ref().filter(|_| play.begun() > 0) {
            delay(self, why);
        }
        if let Some(end) = &play.end {
            for problem in &end.problems {
                let start = self.lines.len();
                self.say("", 1, problem, verdict_style(self.view, end.result));
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
        let (sign, style) = sign(self.view, *state);
        let line = match state {
            StepState::Pending => styles.quiet,
            StepState::Running | StepState::Failed => styles.strong,
            StepState::Passed => styles.text,
        };
        let begin = self.lines.len();
        self.say("", INDENT - 1, &plan.line, line);
        if let Some(first) = self.lines.get_mut(begin) {
            let rest = first.spans.split_off(1);
            first.spans = vec![Span::styled(format!(" {sign} "), style)];
            first.spans.extend(rest);
        }
        match state {
            StepState::Pending | StepState::Running if !plan.expected.is_empty() => {
                self.say("expected ", INDENT, &plan.expected, styles.quiet);
            }
            StepState::Passed if !seen.is_empty() => self.say("seen ", INDENT, seen, styles.good),
            StepState::Failed => {
                for (what, text, style) in
                    [("expected ", &plan.expected, styles.quiet), ("seen ", seen, styles.bad)]
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
fn strip(view: &View<'_>, play: &ScenarioRun, area: Rect, buffer: &mut Buffer) {
    /// The row of the hints, where there is one.
    const HINTS: u16 = 3;
    let styles = &view.theme.styles;
    let width = usize::from(area.width);
    let (state, style) = state(view, play);
    let name = Span::styled(format!(" {} ", text::clean(&play.scenario)), styles.strong);
    let symbols = play.steps.iter().map(|step| {
        let (sign, style) = sign(view, step.state);
        Span::styled(sign, style)
    });
    let head = Line::from([name].into_iter().chain(symbols).collect::<Vec<_>>());
    put(buffer, area, 0, &head);
    put_right(buffer, area, 0, head.width(), &Line::styled(state, style));
    let now = play.steps.iter().rev().find(|step| step.state != StepState::Pending).or(play.steps.first());
    let mut lines = Vec::new();
    if let Some(StepRun { plan, state, seen, problems }) = now {
        let (told, style) = match (state, problems.first()) {
            (StepState::Failed, Some(problem)) => (problem, styles.bad),
            (StepState::Passed, _) => (seen, styles.good),
            _ => (&plan.expected, styles.quiet),
        };
        lines = vec![
            (text::clean(&plan.line).into_owned(), styles.text),
            (text::clean(told).into_owned(), style),
        ];
    }
    // What is wrong with all of it goes before what came of one step.
    let wrong =
        play.end.as_ref().and_then(|end| Some((end.problems.first()?, verdict_style(view, end.result))));
    if let Some((problem, style)) = wrong.or(play.delay.as_ref().map(|why| (why, styles.warning))) {
        let problem = text::wrap(&text::clean(problem), width.saturating_sub(1));
        lines = problem.into_iter().map(|line| (line, style)).collect();
    }
    for (row, (told, style)) in (1..HINTS).zip(lines) {
        put(buffer, area, row, &Line::styled(view.fit(&format!(" {told}"), width), style));
    }
    put(buffer, area, HINTS, &hints(view));
}
