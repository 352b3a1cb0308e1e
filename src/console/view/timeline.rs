//! The place in a recording, in the first row.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    text::{Line, Span},
};

use crate::{
    console::{
        input::action::KeyAction,
        view::canvas::{View, put_right},
    },
    domain::{
        model::source_status::{PlaybackState, Timeline},
        text::{self, describe},
    },
};

/// The narrowest bar that shows anything.
const MIN_BAR: usize = 8;

/// Draws it: name, run, entry, time, a bar, and whether it is played.
pub fn render(view: &View<'_>, timeline: &Timeline, area: Rect, buffer: &mut Buffer) {
    let (styles, width) = (&view.theme.styles, usize::from(area.width));
    let (number, runs) = timeline.run;
    let of = format!("{} of {}", text::grouped(timeline.seq), text::grouped(timeline.last_seq));
    let time = |width| describe::time(view.snapshot.at, &view.app.zone, width);
    let run = if runs > 1 { format!("  run {number} of {runs}") } else { String::new() };
    let playback = playback(view, timeline);
    let name = text::clean(&timeline.name).into_owned();
    let name = Span::styled(format!("  {name}"), styles.dim);
    let title = Span::styled(" voltergeist", styles.bold);
    let place = |width| {
        [
            Span::styled(format!("{run}  "), styles.text),
            Span::styled(of.clone(), styles.bold),
            Span::styled(format!("  {}", time(width)), styles.text),
        ]
    };
    let forms: [Vec<Span<'_>>; 4] = [
        [title.clone(), name.clone()].into_iter().chain(place(12)).collect(),
        [name].into_iter().chain(place(12)).collect(),
        place(12).into(),
        place(8)[1..].to_vec(),
    ];
    let room = width.saturating_sub(playback.width() + 2);
    let last = forms.len() - 1;
    let form =
        forms.iter().position(|spans| spans.iter().map(Span::width).sum::<usize>() <= room).unwrap_or(last);
    let mut line = Line::from(forms[form].clone());
    let mut left = room.saturating_sub(line.width() + 2);
    let hints = hints(view);
    let hints = (left >= hints.width() + 2 * MIN_BAR).then_some(hints);
    left -= hints.as_ref().map_or(0, Line::width);
    if left >= MIN_BAR {
        line.push_span(Span::raw("  "));
        line.spans.extend(bar(view, timeline, left.min(60)));
    }
    if let Some(hints) = hints {
        line.spans.extend(hints.spans);
    }
    view.put_fitted(buffer, area, 0, &line);
    put_right(buffer, area, 0, line.width(), &playback);
}

/// The keys that go on and back, where there is room for them.
fn hints(view: &View<'_>) -> Line<'static> {
    let styles = &view.theme.styles;
    let keys = [
        (KeyAction::PreviousFailure, KeyAction::NextFailure, "failure"),
        (KeyAction::PreviousCommand, KeyAction::NextCommand, "command"),
        (KeyAction::StepBack, KeyAction::NextStep, "entry"),
    ];
    let pairs = keys.into_iter().flat_map(|(back, forward, what)| {
        let keys = format!("  {} {}", view.key(back), view.key(forward));
        [Span::styled(keys, styles.key), Span::styled(format!(" {what}"), styles.dim)]
    });
    pairs.collect()
}

fn bar(view: &View<'_>, timeline: &Timeline, width: usize) -> [Span<'static>; 2] {
    let done = u128::from(timeline.seq) * width as u128 / u128::from(timeline.last_seq.max(1));
    let done = usize::try_from(done).unwrap_or(width).min(width);
    let [full, empty] = if view.theme.glyphs.ascii { ["=", "-"] } else { ["━", "─"] };
    let styles = &view.theme.styles;
    [Span::styled(full.repeat(done), styles.graph), Span::styled(empty.repeat(width - done), styles.dim)]
}

fn playback(view: &View<'_>, timeline: &Timeline) -> Line<'static> {
    let styles = &view.theme.styles;
    let (text, style) = match (&timeline.problem, timeline.is_searching, timeline.playback.state) {
        (Some(problem), ..) => (text::clean(problem).into_owned(), styles.bad),
        (None, true, _) => (format!("searching{}", view.theme.glyphs.ellipsis), styles.warning),
        (None, false, PlaybackState::Paused) => (timeline.playback.to_string(), styles.warning),
        (None, false, PlaybackState::Playing | PlaybackState::Following) => {
            (timeline.playback.to_string(), styles.good)
        }
    };
    Line::styled(format!("{text} "), style)
}
