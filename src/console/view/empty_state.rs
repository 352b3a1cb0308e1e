//! The first minute: what to do when nobody has called yet.

use ratatui::{buffer::Buffer, layout::Rect, style::Style, text::Line};

use crate::{
    console::{
        clipboard::docker_command,
        input::action::KeyAction,
        view::canvas::{View, put},
    },
    domain::text::{self, shell},
};

/// Draws it in the place of the calls.
pub fn render(view: &View<'_>, area: Rect, buffer: &mut Buffer) {
    let styles = &view.theme.styles;
    let width = usize::from(area.width).saturating_sub(2);
    let mut lines: Vec<(String, Style)> = Vec::new();
    let mut say = |text: &str, style: Style| {
        lines.extend(text::wrap(text, width).into_iter().map(|line| (line, style)));
    };
    let mut copy = view.key(KeyAction::CopyJson);
    if let Some(fix_command) = &view.snapshot.driver.fix_command {
        let first = format!("docker does not find this driver yet. First, run ({copy} copies it)");
        copy = view.key(KeyAction::CopyCurl);
        say(&first, styles.warning);
        say(&text::clean(fix_command), styles.bold);
        say("", styles.text);
    }
    say(&format!("No calls yet. In another terminal, run ({copy} copies it)"), styles.text);
    say(&docker_command(&view.snapshot.driver.name), styles.bold);
    say("", styles.text);
    let fault = view.key(KeyAction::Preset("fail-mounts"));
    say(
        &format!(
            "Every request from docker appears here. Then press {fault} to fail mounts and run it again: docker shows \
             the error. Press {fault} again to stop."
        ),
        styles.text,
    );
    others(view, &mut lines, width);
    for (row, (line, style)) in lines.into_iter().enumerate() {
        put(buffer, area, row as u16, &Line::styled(format!(" {line}"), style));
    }
}

/// The other plugins of the machine, and the command that puts voltergeist in front of each.
fn others(view: &View<'_>, lines: &mut Vec<(String, Style)>, width: usize) {
    let (driver, styles) = (&view.snapshot.driver, &view.theme.styles);
    if driver.others.is_empty() || driver.upstream.is_some() {
        return;
    }
    lines.push((String::new(), styles.text));
    let heading = "Other plugins of this machine, and how to put voltergeist in front of them:";
    lines.extend(text::wrap(heading, width).into_iter().map(|line| (line, styles.text)));
    let column = driver.others.iter().map(|other| text::width(&text::clean(&other.name))).max().unwrap_or(0);
    for other in &driver.others {
        let name = text::clean(&other.name);
        let (about, style) = if other.listening == Some(false) {
            ("dead: docker waits 15 s for it in each volume ls".to_owned(), styles.warning)
        } else {
            (format!("voltergeist --upstream {}", shell::quote(&name)), styles.bold)
        };
        lines.push((format!("{}  {about}", view.pad(&name, column)), style));
    }
}
