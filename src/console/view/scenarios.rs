//! The card picker: all scenario cards that the filter leaves, and what the selected one description.

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    text::{Line, Span},
    widgets::{Block, Clear, Widget},
};

use super::{View, mark, put};
use crate::{
    console::{app::Picker, text},
    domain::model::scenario::ScenarioInfo,
};

/// The most columns that it takes.
const WIDEST: u16 = 110;
/// How many lines tell what the selected card description, where there is room.
const TOLD: u16 = 4;

/// Draws it over everything else, and says where the cursor is.
pub fn render(view: &View<'_>, picker: &Picker, buffer: &mut Buffer) -> Position {
    let styles = &view.theme.styles;
    let area = area(buffer.area);
    Clear.render(area, buffer);
    buffer.set_style(area, styles.text);
    let catalog = picker.catalog(view.snapshot);
    let of = view.snapshot.catalog.scenarios.len();
    let block = Block::bordered()
        .border_set(view.theme.glyphs.focus)
        .border_style(styles.focus)
        .title(" Scenario cards ")
        .title(Line::from(format!(" {} of {of} ", catalog.len())).right_aligned());
    let inner = block.inner(area);
    block.render(area, buffer);
    let width = usize::from(inner.width);
    let filter = text::clean(picker.filter.value()).into_owned();
    put(
        buffer,
        inner,
        0,
        &Line::from(vec![
            Span::styled(" / ", styles.key),
            Span::raw(view.fit(&filter, width.saturating_sub(4))),
        ]),
    );
    let list = Rect { y: inner.y + 1, height: rows(buffer.area), ..inner };
    let selected = picker.cursor.row.min(catalog.len().saturating_sub(1));
    let names = catalog.iter().map(|offer| text::width(&offer.name)).max().unwrap_or(0).min(width / 2);
    for (row, index) in picker.cursor.visible(catalog.len(), list.height.into()).enumerate() {
        let offer = catalog[index];
        let title = match offer.problem {
            Some(_) => Span::styled(format!("{} cannot be played", view.theme.glyphs.failed), styles.bad),
            None => Span::raw(text::clean(&offer.title).into_owned()),
        };
        let name = format!(" {}  ", view.pad(&text::clean(&offer.name), names));
        let mut spans = vec![Span::styled(name, styles.strong), title];
        for (holds, word) in [(offer.dangerous, "dangerous"), (offer.slow, "slow"), (offer.own, "your own")] {
            spans.extend(holds.then(|| Span::styled(format!("  {word}"), styles.warning)));
        }
        view.put_fitted(buffer, list, row as u16, &Line::from(spans));
        if index == selected {
            mark(buffer, list, row as u16, styles.selection);
        }
    }
    let description = match catalog.get(selected) {
        None => "No card has all these words.".to_owned(),
        Some(ScenarioInfo { problem: Some(problem), .. }) => problem.clone(),
        Some(ScenarioInfo { description, dangerous: true, .. }) if view.snapshot.catalog.is_real => {
            format!("It can harm the engine, so there is a question first. {description}")
        }
        Some(offer) => offer.description.clone(),
    };
    let told = Rect { y: list.bottom(), height: (inner.bottom() - list.bottom()).saturating_sub(1), ..inner };
    let description = description.split_whitespace().collect::<Vec<_>>().join(" ");
    for (row, line) in text::wrap(&text::clean(&description), width.saturating_sub(2)).iter().enumerate() {
        put(buffer, told, row as u16 + 1, &Line::raw(format!(" {line}")));
    }
    let [play, other] = if picker.stepwise { ["play by step", "at once"] } else { ["play", "by step"] };
    let mut hints = Vec::new();
    for (key, does) in [("Enter", play), ("Tab", other), ("Esc", "close")] {
        hints.extend([
            Span::styled(format!(" {key}"), styles.key),
            Span::styled(format!(" {does} "), styles.quiet),
        ]);
    }
    put(buffer, inner, inner.height.saturating_sub(1), &Line::from(hints));
    let cursor = 3 + text::width(&filter).min(width.saturating_sub(4));
    Position::new(inner.x + cursor as u16, inner.y)
}

fn area(screen: Rect) -> Rect {
    let width = screen.width.min(WIDEST);
    let height = if screen.height > 30 { screen.height - 8 } else { screen.height };
    Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    }
}

/// How many cards are in view on a screen.
pub fn rows(screen: Rect) -> u16 {
    let inner = area(screen).height.saturating_sub(2);
    // The filter, the hints, and a gap before what is told.
    let told = if inner > 12 { TOLD + 1 } else { 0 };
    inner.saturating_sub(2 + told)
}
