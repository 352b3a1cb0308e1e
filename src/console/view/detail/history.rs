//! The history of a volume.

use ratatui::{
    style::Style,
    text::{Line, Span},
};

use crate::{
    console::{
        model::list::VolumeHistory,
        view::{canvas::View, detail::page::DetailPage, row},
    },
    domain::{
        analysis::retries::began,
        model::{
            directory_options::DirectoryOptions,
            entry::{Entry, EntryKind},
            volume::{Change, Mask, Volume},
        },
        text::{self, describe},
    },
};

/// How many of the latest entries are shown.
const MAX_ENTRIES: usize = 500;

/// Writes it.
pub fn write(page: &mut DetailPage<'_>, volume: &Volume, history: &VolumeHistory) {
    let view = page.view;
    let styles = &view.theme.styles;
    page.heading(&text::clean(&volume.name));
    let created = view.app.zone.to_datetime(volume.created).strftime("%Y-%m-%d %H:%M:%S");
    if let Some(mask) = volume.mask {
        let pretends = match mask {
            Mask::Forgotten => "did not know it",
            Mask::Conjured => "knew it",
        };
        page.say(&format!("masked: Get and List answer as if the upstream {pretends}"), styles.fault);
    } else if volume.exists {
        page.say(&format!("created {created}"), styles.text);
    } else {
        page.say("forgotten: the driver denies it, the engine still knows it", styles.fault);
    }
    for (key, value) in &volume.options {
        page.say(&format!("option {key}={value}"), styles.text);
    }
    if let Some(files) = driver_files(view, volume) {
        page.say(files, styles.dim);
    }
    for (id, times) in &volume.mounts {
        let times = if *times > 1 { format!(", {times} times") } else { String::new() };
        page.say(&format!("mounted by {id}{times}"), styles.good);
    }
    page.heading("History");
    let entries: Vec<_> = history.entries.visible(MAX_ENTRIES).collect();
    if entries.is_empty() {
        page.say("no entries in the journal", styles.dim);
    }
    for entry in entries {
        let time = row::time(view, began(entry), 8);
        let (said, style) = event(view, entry, &volume.name);
        let wrapped = text::wrap(&text::clean(&said), page.width.saturating_sub(14));
        for (index, said) in wrapped.into_iter().enumerate() {
            let time = if index == 0 { time.clone() } else { String::new() };
            page.lines.push(Line::from(vec![
                Span::styled(format!("   {time:8}  "), styles.dim),
                Span::styled(said, style),
            ]));
        }
    }
}

/// What the files are that the built-in driver writes into a mounted volume.
fn driver_files(view: &View<'_>, volume: &Volume) -> Option<&'static str> {
    let is_forwarded = view.snapshot.driver.upstream.is_some();
    let options = DirectoryOptions::read(&volume.options, DirectoryOptions::default()).ok()?;
    (!is_forwarded && !options.plain).then_some(
        "its files test and mountID are the driver's: its address, and the ID of the last mount; the option plain leaves \
         them out",
    )
}

/// The text of an entry in a volume's history.
fn event(view: &View<'_>, entry: &Entry, volume: &str) -> (String, Style) {
    let styles = &view.theme.styles;
    let changed: Vec<String> = entry
        .changes()
        .iter()
        .filter(|change| change.name().is_none_or(|name| name == volume))
        .map(|change| match change {
            // Enough of an ID to distinguish it from others.
            Change::Mounted { id, .. } => format!("mounted by {}", view.fit(id, 13)),
            Change::Unmounted { id, .. } => format!("unmounted by {}", view.fit(id, 13)),
            change => describe::change(change, ""),
        })
        .collect();
    let changed = changed.join(", ");
    match &entry.kind {
        EntryKind::Call(call) => {
            let (outcome, style) = row::outcome(view, call);
            let word = describe::asked(call.head());
            let fault = call.fault.as_ref().map(|fault| format!("{} {fault} ", view.theme.glyphs.fault));
            let fault = fault.unwrap_or_default();
            match changed.as_str() {
                "" => (format!("{word} {fault}{outcome}"), style),
                changed if fault.is_empty() => (format!("{changed}, by {}", call.caller), styles.text),
                changed => (format!("{changed}, by {}; {fault}{outcome}", call.caller), styles.fault),
            }
        }
        EntryKind::Held(held) => (
            format!(
                "{} {} {} held",
                describe::asked(held.head()),
                view.theme.glyphs.fault,
                held.fault.action
            ),
            styles.warning,
        ),
        EntryKind::Command(run) => (format!("{changed}  : {}", run.command), styles.command),
        _ => (changed, styles.text),
    }
}
