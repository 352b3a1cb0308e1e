//! The help: every key and what it does, made from the one table.

use ratatui::{
    buffer::Buffer,
    style::Style,
    text::{Line, Span},
    widgets::{Block, Clear, Widget},
};

use super::View;
use crate::console::{
    action::{Action, CONTROLS, Control, Group, Place},
    key::Keymap,
    text,
    theme::Theme,
};

/// Rows around the text: the frame.
const FRAME: u16 = 2;
/// Draws it over everything else.
pub fn render(view: &View<'_>, top: usize, buffer: &mut Buffer) {
    let area = buffer.area;
    let styles = &view.theme.styles;
    Clear.render(area, buffer);
    buffer.set_style(area, styles.text);
    let remedy = view.seen.driver.remedy.as_deref();
    let width = usize::from(area.width.saturating_sub(FRAME));
    let lines = lines(&view.app.keymap, view.theme, remedy, width);
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
        view.put_fitted(buffer, inner, row as u16, line);
    }
}

/// The furthest that it can be scrolled.
pub fn last_top(keymap: &Keymap, theme: &Theme, remedy: Option<&str>, size: (u16, u16)) -> usize {
    let lines = lines(keymap, theme, remedy, usize::from(size.0.saturating_sub(FRAME)));
    lines.len().saturating_sub(size.1.saturating_sub(FRAME).into())
}

fn lines(keymap: &Keymap, theme: &Theme, remedy: Option<&str>, width: usize) -> Vec<Line<'static>> {
    let styles = &theme.styles;
    let mut lines = Vec::new();
    if let Some(remedy) = remedy {
        let copy = keymap.key(Action::CopyJson, theme.glyphs.ascii);
        let says =
            format!("docker does not find this driver yet. This would register it ({copy} copies it):");
        let mut say = |text: &str, style: Style| {
            let wrapped = text::wrap(text, width.saturating_sub(2));
            lines.extend(wrapped.into_iter().map(|line| Line::styled(format!(" {line}"), style)));
        };
        say(&says, styles.warning);
        say(&text::clean(remedy), styles.strong);
        lines.push(Line::default());
    }
    let column = key_column(keymap, theme);
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
            lines.extend(control_lines(control, keymap, theme, (column, width)));
        }
    }
    lines.push(Line::default());
    lines.push(Line::styled(" Commands, after :", styles.strong));
    for (word, form, help) in crate::domain::command::FORMS {
        let head = format!(" {word} {form}");
        let room = width / 2;
        if text::width(&head) < room && width >= 72 {
            lines.extend(columns(&head, help, (room, width), theme));
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

/// The keys of a control, as they are written in the help.
fn keys_of(control: &Control, keymap: &Keymap, theme: &Theme) -> String {
    let keys: Vec<_> = keymap.keys(control.action).iter().map(|key| key.label(theme.glyphs.ascii)).collect();
    keys.join(" ")
}

/// The columns that the longest keys need, with a gap on either side.
fn key_column(keymap: &Keymap, theme: &Theme) -> usize {
    let widths = CONTROLS.iter().map(|control| text::width(&keys_of(control, keymap, theme)));
    widths.max().unwrap_or(0) + 3
}

/// `columns` are those of the keys and of the whole line.
fn control_lines(
    control: &Control,
    keymap: &Keymap,
    theme: &Theme,
    (column, width): (usize, usize),
) -> Vec<Line<'static>> {
    let keys = keys_of(control, keymap, theme);
    if keys.is_empty() {
        return Vec::new();
    }
    let place = match control.place {
        Place::Everywhere => "",
        Place::Calls => "in the calls: ",
        Place::Volumes => "in the volumes: ",
        Place::Faults => "in the faults: ",
    };
    columns(&format!(" {keys}"), &format!("{place}{}", control.help), (column, width), theme)
}

/// Two columns: what is typed, and what it does in as many lines as that needs.
fn columns(head: &str, help: &str, (column, width): (usize, usize), theme: &Theme) -> Vec<Line<'static>> {
    let help = text::wrap(help, width.saturating_sub(column + 1));
    help.into_iter()
        .enumerate()
        .map(|(index, help)| {
            let head = if index == 0 { head } else { "" };
            Line::from(vec![
                Span::styled(text::pad(head, column, theme.glyphs.ellipsis), theme.styles.key),
                Span::raw(help),
            ])
        })
        .collect()
}
