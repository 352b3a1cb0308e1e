//! The page that all of it is written on: headings and wrapped lines of one width.

use ratatui::{style::Style, text::Line};

use crate::{
    console::view::canvas::View,
    domain::{
        lang::json,
        model::{
            entry::{Body, CallHead, Entry},
            lint::Lint,
            volume::Change,
        },
        text::{self, describe},
    },
};

/// Lines that are collected with one width.
pub struct DetailPage<'v> {
    pub view: &'v View<'v>,
    pub width: usize,
    pub lines: Vec<Line<'static>>,
}

impl<'v> DetailPage<'v> {
    pub fn new(view: &'v View<'v>, width: usize) -> Self {
        Self { view, width, lines: Vec::new() }
    }

    pub fn heading(&mut self, heading: &str) {
        if !self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        self.lines.push(Line::styled(format!(" {heading}"), self.view.theme.styles.bold));
    }

    pub fn say(&mut self, said: &str, style: Style) {
        let wrapped =
            said.lines().flat_map(|line| text::wrap(&text::clean(line), self.width.saturating_sub(4)));
        self.lines.extend(wrapped.map(|line| Line::styled(format!("   {line}"), style)));
    }

    pub fn body(&mut self, body: &Body) {
        let styles = &self.view.theme.styles;
        if body.length == 0 {
            return self.say("no body", styles.dim);
        }
        self.say(&printed(body), styles.text);
        if body.length > body.bytes.len() {
            let cut = format!(
                "{} bytes, the first {} are kept",
                text::grouped(body.length as u64),
                text::grouped(body.bytes.len() as u64)
            );
            self.say(&cut, styles.dim);
        }
    }

    /// What a command printed.
    pub fn output(&mut self, output: &Body) {
        let styles = &self.view.theme.styles;
        if output.length == 0 {
            return self.say("no output", styles.dim);
        }
        self.say(&output.text().replace('\t', "    "), styles.text);
        if output.length > output.bytes.len() {
            self.say(&format!("and {} bytes more", output.length - output.bytes.len()), styles.dim);
        }
    }

    /// How a call, or any of several, has broken the protocol. It stands at the top of a page, where it is in view in any
    /// terminal.
    pub fn lint(&mut self, lint: Lint, calls: &str) {
        let styles = &self.view.theme.styles;
        self.say(&format!("lint: {}{calls}", lint.as_str()), styles.warning);
        self.say(lint.meaning(), styles.text);
    }

    /// Changes of volumes, a line each.
    pub fn changes(&mut self, changes: &[Change]) {
        for change in changes {
            let name = change.name().map_or_else(String::new, |name| format!("volume {name:?} "));
            self.say(&describe::change(change, &name), self.view.theme.styles.text);
        }
    }
}

/// What the engine does after a call, as it is known now.
pub fn next_attempt(page: &mut DetailPage<'_>, entry: &Entry) {
    let view = page.view;
    let Some(CallHead { caller, .. }) = entry.head() else { return };
    if let Some(next) = view.app.retries.next_attempt(entry, view.snapshot.at) {
        let style = if next.is_open() { view.theme.styles.warning } else { view.theme.styles.text };
        page.say(&format!("{caller} {next}"), style);
        if view.app.retries.chain(entry.seq).is_some_and(|chain| chain.is_mixed) {
            let mixed =
                "another call was cut off at the same time; a retry does not say which one it repeats";
            page.say(mixed, view.theme.styles.dim);
        }
    }
}

/// A body as it can be read: JSON indented, other text as it is, and bytes that are no text in hexadecimal.
fn printed(body: &Body) -> String {
    if let Ok(text) = std::str::from_utf8(&body.bytes) {
        json::indented(text).unwrap_or_else(|| text.to_owned())
    } else {
        let mut dump = String::new();
        for chunk in body.bytes.chunks(16).take(64) {
            for byte in chunk {
                dump.extend([&format!("{byte:02x}"), " "]);
            }
            dump.push('\n');
        }
        dump
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_indented_as_it_was_sent() {
        for (sent, shown) in [
            (r#"{"Name":"v","Opts":null}"#, "{\n  \"Name\": \"v\",\n  \"Opts\": null\n}"),
            ("{}\n", "{}"),
            (r#"{"a":1,"a":2}"#, "{\n  \"a\": 1,\n  \"a\": 2\n}"),
            ("{} {}", "{} {}"),
            ("\"text\"", "\"text\""),
            (r#"{"b":[1, {}],"a":"x\"{,"}"#, "{\n  \"b\": [\n    1,\n    {}\n  ],\n  \"a\": \"x\\\"{,\"\n}"),
            ("not found\n", "not found\n"),
            ("{\"Name\":", "{\"Name\":"),
        ] {
            assert_eq!(printed(&sent.as_bytes().to_vec().into()), shown, "{sent}");
        }
    }

    #[test]
    fn what_is_no_text_is_shown_in_hexadecimal() {
        assert_eq!(printed(&vec![0xff, 0x00, 0x41].into()), "ff 00 41 \n");
    }
}
