//! The line that is being typed, and above it what can stand next, what is wrong, or what a rule would hit.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::{Clear, Widget},
};

use crate::{
    console::{
        input::complete::MAX_OFFERED,
        model::{
            fault_list::forecast_of,
            prompt::{Prompt, PromptKind},
            window,
        },
        view::canvas::{View, mark, put},
    },
    domain::{
        lang::{command::Command, duration},
        rules::Pattern,
        text,
    },
};

/// How many candidates are shown at once.
const MAX_CANDIDATES: usize = 8;

/// Draws both, and says where the cursor is.
pub fn render(view: &View<'_>, prompt: &Prompt, area: Rect, buffer: &mut Buffer) -> Position {
    render_advice(view, prompt, area, buffer);
    let sign = match prompt.kind {
        PromptKind::Command => " : ",
        PromptKind::Filter => " / ",
        PromptKind::Shell => " $ ",
    };
    let width = usize::from(area.width).saturating_sub(sign.len() + 1);
    let scroll = prompt.input.visual_scroll(width);
    let shown = text::fit(scrolled(prompt.text(), scroll), width, "").into_owned();
    Clear.render(area, buffer);
    mark(buffer, area, 0, view.theme.styles.text);
    put(buffer, area, 0, &Line::from(vec![Span::styled(sign, view.theme.styles.key), Span::raw(shown)]));
    let cursor = sign.len() + prompt.input.visual_cursor().saturating_sub(scroll);
    Position::new(area.x + (cursor as u16).min(area.width.saturating_sub(1)), area.y)
}

fn render_advice(view: &View<'_>, prompt: &Prompt, line: Rect, buffer: &mut Buffer) {
    // Above it stay the header, the counters and the tabs, by which one knows where one is.
    let room = line.y.saturating_sub(view.screen.body.y);
    // No wider than the pane that it covers, so that what stands beside that stays whole.
    let beneath = [view.screen.calls, view.screen.detail].into_iter().flatten().find(|pane| pane.x == line.x);
    let beneath = beneath.filter(|_| prompt.kind != PromptKind::Shell);
    let width = beneath.map_or(line.width, |pane| pane.width);
    let advice = advice(view, prompt, usize::from(room), usize::from(width));
    let height = advice.len() as u16;
    let area = Rect { x: line.x, y: line.y - height, width, height };
    // What it covers ends with a line, where there is one left for it.
    if height > 0 && height < room && view.screen.shape.has_frames() {
        let edge = Rect { y: area.y - 1, height: 1, ..area };
        Clear.render(edge, buffer);
        let dashes = view.theme.glyphs.border.horizontal_top.repeat(width.into());
        put(buffer, edge, 0, &Line::styled(dashes, view.theme.styles.border));
    }
    Clear.render(area, buffer);
    buffer.set_style(area, view.theme.styles.text);
    for (row, (line, chosen)) in advice.iter().enumerate() {
        view.put_fitted(buffer, area, row as u16, line);
        if *chosen {
            mark(buffer, area, row as u16, view.theme.styles.selection);
        }
    }
}

/// At most `room` lines, each with whether it is the chosen one.
fn advice(view: &View<'_>, prompt: &Prompt, room: usize, width: usize) -> Vec<(Line<'static>, bool)> {
    let styles = &view.theme.styles;
    let mut lines = Vec::new();
    let candidates = &prompt.completion.candidates;
    // A filter acts while it is typed, so what is wrong with it matters at once; a command is not there yet.
    let matters = prompt.refused
        || prompt.kind == PromptKind::Filter
        || candidates.is_empty()
        || prompt.completion.is_search;
    let problem = prompt.problem.as_ref().filter(|_| matters);
    if let Some(problem) = problem.filter(|_| !prompt.text().is_empty()) {
        let problem = sentence_lines(view, problem, width);
        lines.extend(problem.into_iter().map(|line| (Line::styled(line, styles.bad), false)));
    }
    let (dry_run, is_pending) = (view.app.dry_run.latest(), view.app.dry_run.is_pending());
    if dry_run.is_some() || is_pending {
        let ellipsis = view.theme.glyphs.ellipsis;
        let matched = dry_run.map_or_else(
            || ellipsis.to_owned(),
            |dry_run| {
                let hits = text::counted(dry_run.hits.len() as u64, "call");
                let none = no_such_volume(view, prompt.text());
                format!("{hits} of the {} so far{none}", text::grouped(dry_run.calls as u64))
            },
        );
        let style = if is_pending { styles.dim } else { styles.fault };
        lines.push((Line::styled(format!("   would have hit {matched}"), style), false));
    }
    if let Some(forecast) =
        forecast_of(prompt.text(), view.snapshot).filter(|_| prompt.kind == PromptKind::Command)
    {
        lines.extend(sentence_lines(view, &forecast, width).into_iter().map(|line| (Line::raw(line), false)));
    }
    for hint in rule_hints(prompt) {
        lines.extend(
            sentence_lines(view, &hint, width)
                .into_iter()
                .map(|line| (Line::styled(line, styles.dim), false)),
        );
    }
    let words = candidates.iter().map(|candidate| text::width(&text::clean(&candidate.word)));
    // A whole command matters more than what it is for.
    let widest = if prompt.kind == PromptKind::Shell { width * 3 / 4 } else { width / 2 };
    let column = words.max().unwrap_or(0).clamp(8, widest.max(8));
    let help_room = width.saturating_sub(column + 5);
    // What is cut in its row is shown whole below, for the one that Tab has chosen or the only one.
    let single = if candidates.len() == 1 { Some(0) } else { prompt.chosen };
    if let Some(candidate) = single.and_then(|index| candidates.get(index)) {
        let help = text::clean(&candidate.help);
        if text::width(&help) > help_room {
            let whole = sentence_lines(view, &help, width);
            lines.splice(0..0, whole.into_iter().map(|line| (Line::styled(line, styles.dim), false)));
        }
    }
    let room_left = room.saturating_sub(lines.len());
    let is_whole = candidates.len() <= MAX_CANDIDATES.min(room_left);
    let most = if is_whole { candidates.len() } else { MAX_CANDIDATES.min(room_left.saturating_sub(1)) };
    let shown = window::visible(candidates.len(), prompt.chosen, 0, most);
    let more = candidates.len() - shown.end;
    let offered = shown.map(|index| {
        let candidate = &candidates[index];
        let word = view.pad(&text::clean(&candidate.word), column);
        let help = text::clean(&candidate.help).into_owned();
        let line = Line::from(vec![
            Span::styled(format!("   {word}  "), styles.command),
            Span::styled(view.fit(&help, help_room), styles.dim),
        ]);
        (line, prompt.chosen == Some(index))
    });
    let mut advice: Vec<_> = offered.collect();
    if more > 0 {
        let at_least = if candidates.len() >= MAX_OFFERED { "at least " } else { "" };
        let more = format!("   {} {at_least}{more} more", view.theme.glyphs.ellipsis);
        advice.push((Line::styled(more, styles.dim), false));
    }
    advice.extend(lines);
    advice.truncate(room);
    advice
}

/// A sentence in at most three lines, with an ellipsis if it is longer.
fn sentence_lines(view: &View<'_>, sentence: &str, width: usize) -> Vec<String> {
    const MAX_LINES: usize = 3;
    let room = width.saturating_sub(3);
    let mut lines = text::wrap(&text::clean(sentence), room);
    if lines.len() > MAX_LINES {
        lines.truncate(MAX_LINES);
        let ellipsis = view.theme.glyphs.ellipsis;
        let last = &mut lines[MAX_LINES - 1];
        *last = view.fit(&format!("{last} {ellipsis}"), room);
    }
    lines.into_iter().map(|line| format!("   {line}")).collect()
}

/// What may be misread in a rule that is typed.
fn rule_hints(prompt: &Prompt) -> Vec<String> {
    if prompt.kind != PromptKind::Command {
        return Vec::new();
    }
    let Ok(Command::Arm { rule, .. }) = prompt.text().parse() else { return Vec::new() };
    let ends = rule.holds_for().map(|lasting| {
        let lasting = duration::print(lasting);
        format!("the rule ends after {lasting} and releases what it holds; `delay {lasting}` holds each call for {lasting}")
    });
    let counts = rule.counts_volumes_together().then(|| {
        "counts the calls of all its volumes together; `per volume` before the colon counts each volume's"
            .to_owned()
    });
    ends.into_iter().chain(counts).collect()
}

/// That no volume is named as a rule that is typed wants it.
fn no_such_volume(view: &View<'_>, line: &str) -> String {
    let Ok(Command::Arm { rule, .. }) = line.parse() else { return String::new() };
    let is_named = |pattern: &Pattern| {
        // Only those that begin like the pattern can match, so that many others cost nothing.
        let plain = pattern.text().split(['*', '?', '[', '{', '\\']).next().unwrap_or_default();
        view.snapshot.volumes.beginning_with(plain).any(|volume| pattern.matches(&volume.name))
    };
    let unmet = rule.volume_patterns().find(|pattern| !is_named(pattern));
    unmet.map_or_else(String::new, |name| format!("; there is no volume {} now", text::clean(name.text())))
}

/// What is left of a text when so many cells are scrolled away.
fn scrolled(text: &str, cells: usize) -> &str {
    let mut passed = 0;
    for (start, c) in text.char_indices() {
        if passed >= cells {
            return &text[start..];
        }
        passed += text::width(c.encode_utf8(&mut [0; 4]));
    }
    if cells == 0 { text } else { "" }
}
