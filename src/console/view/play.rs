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
    domain::playbill::{Play, Scene, SceneState, Verdict},
};

/// How far a step's line is from the left, and what belongs to it.
const INDENT: usize = 4;

/// Draws the latest play.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let Some(play) = view.seen.playbill.play.as_deref() else { return ready(view, area, buffer) };
    if !view.screen.shape.has_frames() {
        return strip(view, play, area, buffer);
    }
    let (state, style) = state(view, play);
    let inner = view.frame(
        false,
        &format!("Card {}", text::clean(&play.card)),
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
    let card = view.seen.playbill.under_way().unwrap_or_default();
    let title = format!("Card {}", text::clean(card));
    let inner = view.frame(false, &title, &[], area, buffer);
    put(buffer, inner, 0, &Line::styled(" the stage is being set", view.theme.styles.quiet));
    put(buffer, inner, inner.height.saturating_sub(1), &hints(view));
}

/// How far it is, in few words.
fn state(view: &View<'_>, play: &Play) -> (String, Style) {
    let styles = &view.theme.styles;
    if let Some(end) = &play.end {
        return (end.verdict.words().into(), verdict_style(view, end.verdict));
    }
    let step = format!("step {} of {}", play.begun(), play.scenes.len());
    let dot = view.theme.glyphs.dot;
    match &view.seen.playbill.cue {
        Some(cue) if cue.stopped => ("it ends".into(), styles.warning),
        Some(cue) if cue.is_paused() => (format!("{step} {dot} PAUSED"), styles.warning),
        _ => (step, styles.text),
    }
}

fn verdict_style(view: &View<'_>, verdict: Verdict) -> Style {
    match verdict {
        Verdict::Held => view.theme.styles.good,
        Verdict::Failed => view.theme.styles.bad,
        Verdict::Skipped | Verdict::Stopped => view.theme.styles.warning,
    }
}

fn sign(view: &View<'_>, state: SceneState) -> (&'static str, Style) {
    let (glyphs, styles) = (view.theme.glyphs, &view.theme.styles);
    match state {
        SceneState::Ahead => (glyphs.dot, styles.quiet),
        SceneState::Running => (glyphs.cursor, styles.focus),
        SceneState::Held => (glyphs.held, styles.good),
        SceneState::Broken => (glyphs.failed, styles.bad),
    }
}

/// The keys that direct what is played, or close it.
fn hints(view: &View<'_>) -> Line<'static> {
    let actions: &[(Action, &str)] = match &view.seen.playbill.cue {
        None => &[(Action::Back, "closes"), (Action::Cards, "another card")],
        Some(cue) if cue.stopped => &[],
        Some(cue) if cue.is_paused() => {
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
    fn play(&mut self, play: &Play) {
        let styles = &self.view.theme.styles;
        if !play.scenes.is_empty() {
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
        for scene in &play.scenes {
            // Where there is little room, more of the steps matters more.
            if self.is_roomy {
                self.lines.push(Line::default());
            }
            let start = self.lines.len();
            self.starts.push(start);
            self.scene(scene);
            if scene.state != SceneState::Ahead {
                self.now = start..self.lines.len();
            }
        }
        if let Some(why) = play.delay.as_ref().filter(|_| play.begun() > 0) {
            delay(self, why);
        }
        if let Some(end) = &play.end {
            for problem in &end.problems {
                let start = self.lines.len();
                self.say("", 1, problem, verdict_style(self.view, end.verdict));
                self.now = start..self.lines.len();
            }
        }
    }

    fn scene(&mut self, scene: &Scene) {
        let styles = &self.view.theme.styles;
        let Scene { plan, state, seen, problems } = scene;
        if let Some(say) = &plan.say {
            self.say("", INDENT, say, styles.warning);
        }
        let (sign, style) = sign(self.view, *state);
        let line = match state {
            SceneState::Ahead => styles.quiet,
            SceneState::Running | SceneState::Broken => styles.strong,
            SceneState::Held => styles.text,
        };
        let begin = self.lines.len();
        self.say("", INDENT - 1, &plan.line, line);
        if let Some(first) = self.lines.get_mut(begin) {
            let rest = first.spans.split_off(1);
            first.spans = vec![Span::styled(format!(" {sign} "), style)];
            first.spans.extend(rest);
        }
        match state {
            SceneState::Ahead | SceneState::Running if !plan.expected.is_empty() => {
                self.say("expected ", INDENT, &plan.expected, styles.quiet);
            }
            SceneState::Held if !seen.is_empty() => self.say("seen ", INDENT, seen, styles.good),
            SceneState::Broken => {
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
fn strip(view: &View<'_>, play: &Play, area: Rect, buffer: &mut Buffer) {
    /// The row of the hints, where there is one.
    const HINTS: u16 = 3;
    let styles = &view.theme.styles;
    let width = usize::from(area.width);
    let (state, style) = state(view, play);
    let name = Span::styled(format!(" {} ", text::clean(&play.card)), styles.strong);
    let signs = play.scenes.iter().map(|scene| {
        let (sign, style) = sign(view, scene.state);
        Span::styled(sign, style)
    });
    let head = Line::from([name].into_iter().chain(signs).collect::<Vec<_>>());
    put(buffer, area, 0, &head);
    put_right(buffer, area, 0, head.width(), &Line::styled(state, style));
    let now = play.scenes.iter().rev().find(|scene| scene.state != SceneState::Ahead).or(play.scenes.first());
    let mut lines = Vec::new();
    if let Some(Scene { plan, state, seen, problems }) = now {
        let (told, style) = match (state, problems.first()) {
            (SceneState::Broken, Some(problem)) => (problem, styles.bad),
            (SceneState::Held, _) => (seen, styles.good),
            _ => (&plan.expected, styles.quiet),
        };
        lines = vec![
            (text::clean(&plan.line).into_owned(), styles.text),
            (text::clean(told).into_owned(), style),
        ];
    }
    // What is wrong with all of it goes before what came of one step.
    let wrong =
        play.end.as_ref().and_then(|end| Some((end.problems.first()?, verdict_style(view, end.verdict))));
    if let Some((problem, style)) = wrong.or(play.delay.as_ref().map(|why| (why, styles.warning))) {
        let problem = text::wrap(&text::clean(problem), width.saturating_sub(1));
        lines = problem.into_iter().map(|line| (line, style)).collect();
    }
    for (row, (told, style)) in (1..HINTS).zip(lines) {
        put(buffer, area, row, &Line::styled(view.fit(&format!(" {told}"), width), style));
    }
    put(buffer, area, HINTS, &hints(view));
}
