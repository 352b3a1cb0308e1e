//! The help: every key and what it does, made from the one table.

use ratatui::{
    buffer::Buffer,
    text::{Line, Span},
    widgets::{Block, Clear, Widget},
};

use super::{View, put};
use crate::console::{
    action::{CONTROLS, Control, Group, Place},
    key::Keymap,
    text,
    theme::Theme,
};

/// Rows around the text: the frame.
const FRAME: u16 = 2;
/// Columns for the keys.
const KEYS: usize = 16;

/// Draws it over everything else.
pub fn render(view: &View<'_>, top: usize, buffer: &mut Buffer) {
    let area = buffer.area;
    let styles = &view.theme.styles;
    Clear.render(area, buffer);
    buffer.set_style(area, styles.text);
    let lines = lines(&view.app.keymap, view.theme, usize::from(area.width.saturating_sub(FRAME)));
    let height = usize::from(area.height.saturating_sub(FRAME));
    let more = lines.len() > top + height;
    let block = Block::bordered()
        .border_set(view.theme.glyphs.focus)
        .border_style(styles.focus)
        .title(" voltergeist: help ")
        .title(Line::from(if more { " more below " } else { "" }).right_aligned())
        .title_bottom(Line::from(" Esc closes ").right_aligned());
    let inner = block.inner(area);
    block.render(area, buffer);
    for (row, line) in lines.iter().skip(top).take(height).enumerate() {
        put(buffer, inner, row as u16, line);
    }
}

/// The furthest that it can be scrolled.
pub fn last_top(keymap: &Keymap, theme: &Theme, size: (u16, u16)) -> usize {
    let lines = lines(keymap, theme, usize::from(size.0.saturating_sub(FRAME)));
    lines.len().saturating_sub(size.1.saturating_sub(FRAME).into())
}

fn lines(keymap: &Keymap, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let styles = &theme.styles;
    let mut lines = Vec::new();
    let says = [
        "voltergeist is a volume driver. Every request that docker makes of it appears in the list of calls; the \
         faults make it misbehave. What a key does, a command line says: it is echoed at the bottom, and can be \
         typed after : again.",
    ];
    for says in says {
        lines.extend(
            text::wrap(says, width.saturating_sub(2)).into_iter().map(|line| Line::raw(format!(" {line}"))),
        );
    }
    for group in Group::ALL {
        lines.push(Line::default());
        lines.push(Line::styled(format!(" {}", group.title()), styles.strong));
        for control in CONTROLS.iter().filter(|control| control.group == group) {
            lines.extend(control_lines(control, keymap, theme, width));
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled(" Commands, after :", styles.strong));
    for (word, form, help) in crate::domain::command::FORMS {
        let head = format!(" {word} {form}");
        let room = (width / 2).max(KEYS);
        if text::width(&head) < room && width >= 72 {
            lines.push(Line::from(vec![
                Span::styled(text::pad(&head, room, theme.glyphs.ellipsis), styles.key),
                Span::raw(help),
            ]));
        } else {
            lines.extend(
                text::wrap(head.trim(), width.saturating_sub(2))
                    .into_iter()
                    .map(|line| Line::styled(format!(" {line}"), styles.key)),
            );
            lines.extend(
                text::wrap(help, width.saturating_sub(5))
                    .into_iter()
                    .map(|line| Line::raw(format!("    {line}"))),
            );
        }
    }
    lines
}

fn control_lines(control: &Control, keymap: &Keymap, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let keys: Vec<String> =
        keymap.keys(control.action).iter().map(|key| key.label(theme.glyphs.ascii)).collect();
    if keys.is_empty() {
        return Vec::new();
    }
    let place = match control.place {
        Place::Everywhere => "",
        Place::Calls => "in the calls: ",
        Place::Volumes => "in the volumes: ",
        Place::Faults => "in the faults: ",
    };
    let help = text::wrap(&format!("{place}{}", control.help), width.saturating_sub(KEYS + 1));
    help.into_iter()
        .enumerate()
        .map(|(index, help)| {
            let keys = if index == 0 { format!(" {}", keys.join(" ")) } else { String::new() };
            Line::from(vec![
                Span::styled(text::pad(&keys, KEYS, theme.glyphs.ellipsis), theme.styles.key),
                Span::raw(help),
            ])
        })
        .collect()
}
