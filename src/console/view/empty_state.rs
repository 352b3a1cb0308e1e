//! The first minute: what to do when nobody has called yet.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use crate::{
    console::{
        clipboard::docker_command,
        input::action::Action,
        view::canvas::{View, put},
    },
    domain::text,
};

/// Draws it in the place of the calls.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let styles = &view.theme.styles;
    let width = usize::from(area.width).saturating_sub(2);
    let mut lines: Vec<(String, Style)> = Vec::new();
    let mut say = |text: &str, style: Style| {
        lines.extend(text::wrap(text, width).into_iter().map(|line| (line, style)));
    };
    let mut copy = view.key(Action::CopyJson);
    if let Some(fix_command) = &view.snapshot.driver.fix_command {
        let first = format!("docker does not find this driver yet. First, type ({copy} copies it)");
        copy = view.key(Action::CopyCurl);
        say(&first, styles.warning);
        say(&text::clean(fix_command), styles.strong);
        say("", styles.text);
    }
    say(&format!("Nobody has called yet. In another terminal, type ({copy} copies it)"), styles.text);
    say(&docker_command(&view.snapshot.driver.name), styles.strong);
    say("", styles.text);
    let fault = view.key(Action::Preset("fail-mounts"));
    say(
        &format!(
            "Every request that docker makes appears here. Then press {fault} to make mounts fail, and type it again: \
             docker shows the error. {fault} once more ends it."
        ),
        styles.text,
    );
    for (row, (line, style)) in lines.into_iter().enumerate() {
        put(buffer, area, row as u16, &Line::styled(format!(" {line}"), style));
    }
}
