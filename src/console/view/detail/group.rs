//! A group in full: the possible commands, its timing, and its calls with the gaps between them.

use std::time::Duration;

use crate::{
    console::view::{
        detail::page::{DetailPage, next_attempt},
        groups, row,
    },
    domain::{
        analysis::{groups::CallGroup, retries::between},
        model::{entry::EntryKind, lint::Lint},
        text,
    },
};

/// From this length on, the engine's time between two calls is shown.
const PAUSE: Duration = Duration::from_millis(10);

/// Writes it.
pub fn write(page: &mut DetailPage<'_>, group: &CallGroup) {
    let view = page.view;
    let styles = &view.theme.styles;
    let members = group.members();
    let volume = text::clean(group.volume().unwrap_or_default());
    page.heading(format!("{} {volume}", group.name()).trim_end());
    let mut lints: Vec<(Lint, String)> = Vec::new();
    for call in members.iter().filter_map(|member| member.entry.call()) {
        for lint in &call.lints {
            match lints.iter_mut().find(|(other, _)| other == lint) {
                Some((_, calls)) => calls.extend([", ", &call.number.to_string()]),
                None => lints.push((*lint, format!(" in call {}", call.number))),
            }
        }
    }
    for (lint, calls) in lints {
        page.lint(lint, &calls);
    }
    let (outcome, style) = groups::outcome(view, group);
    page.say(&outcome, style);
    next_attempt(page, &group.decisive().entry);
    let time = row::time(view, members[0].began(), 12);
    page.say(&format!("at {time} from {}", group.caller()), styles.text);
    if let Some(line) = group.typed() {
        page.say(&format!("$ {line}"), styles.bold);
    }
    for (command, meaning) in group.meanings().filter(|_| group.typed().is_none()) {
        page.say(&format!("{command}: {meaning}"), styles.dim);
    }
    page.heading("Timing");
    let timing = group.timing(view.snapshot.at);
    page.say(&format!("{} = {}", text::took(timing.wall), timing.parts()), styles.text);
    page.heading(&text::counted(members.len() as u64, "call"));
    let (first, mut until) = (members[0].began(), None);
    for member in members {
        let began = member.began();
        let pause = until.map(|until| between(until, began)).unwrap_or_default();
        if let Some(tried) = member.retries {
            let mixed =
                if tried.is_mixed { "; or it repeats another call, a retry does not say" } else { "" };
            page.say(
                &format!("retry after {}{mixed}", text::took(between(tried.ended, began))),
                styles.warning,
            );
        } else if pause >= PAUSE {
            page.say(&format!("the engine, {}", text::took(pause)), styles.dim);
        }
        let (applied, ending) = match &member.entry.kind {
            EntryKind::Call(call) => (call.fault.as_deref(), row::outcome(view, call)),
            EntryKind::Held(held) => (Some(&held.fault), row::held(view, &member.entry, held)),
            _ => continue,
        };
        let word = member.operation().map_or("?", |operation| operation.as_str());
        let fault = applied
            .map_or_else(String::new, |applied| format!("{} {}  ", view.theme.glyphs.fault, applied.action));
        let took = between(began, member.ended().unwrap_or(view.snapshot.at));
        let at = between(first, began).as_secs_f64();
        let style = if applied.is_some() { styles.fault } else { ending.1 };
        page.say(&format!("{at:>7.3} s  {word:12}  {fault}{}  {}", ending.0, text::took(took)), style);
        until = until.max(member.ended());
    }
}
