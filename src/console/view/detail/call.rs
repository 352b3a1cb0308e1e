//! A call in full: what came in, what was done, what went out.

use crate::{
    console::view::{
        detail::page::{DetailPage, next_attempt},
        row,
    },
    domain::{
        model::{
            entry::{Call, Entry},
            fault::{AppliedFault, FaultSource},
            lint::Lint,
            protocol::Options,
        },
        rules::{RequestContext, reaction},
        text,
    },
};

/// Writes it.
pub fn write(page: &mut DetailPage<'_>, entry: &Entry, call: &Call, time: &str) {
    let view = page.view;
    let styles = &view.theme.styles;
    let word = call.operation.map_or("unknown request", |operation| operation.as_str());
    page.heading(&format!("{word} {}", call.volume.as_deref().map(text::clean).unwrap_or_default()));
    let (outcome, style) = row::outcome(view, call);
    page.say(&outcome, style);
    next_attempt(page, entry);
    page.say(&format!("at {time} from {}, took {}", call.caller, text::took(call.duration)), styles.text);
    for lint in &call.lints {
        page.say(&format!("lint: {}", lint.as_str()), styles.warning);
        page.say(lint.meaning(), styles.text);
    }
    page.heading("Request");
    let path = call.operation.map_or("", |operation| operation.path());
    page.say(call.request_line.as_deref().unwrap_or(&format!("POST {path}")), styles.text);
    for (name, value) in call.headers.0.iter() {
        page.say(&format!("{name}: {value}"), styles.dim);
    }
    page.body(&call.request);
    page.heading("Rules");
    match &call.fault {
        Some(fault) => {
            let what = match &fault.source {
                FaultSource::Outage(outage) => format!("the driver was down: {}", outage.command()),
                FaultSource::Rule { id, label: Some(label) } => format!("rule {id} ({label}): {fault}"),
                FaultSource::Rule { id, label: None } => format!("rule {id}: {fault}"),
            };
            page.say(&format!("{} {what}", view.theme.glyphs.fault), styles.fault);
            if let Some(forecast) = reaction(call) {
                page.say(&forecast.to_string(), styles.text);
            }
        }
        None => page.say("no rule fired", styles.dim),
    }
    others(page, entry, call);
    page.changes(&call.changes);
    page.heading("Response");
    match call.status {
        Some(status) => {
            page.say(&format!("status {status}"), styles.text);
            page.body(&call.reply);
        }
        None => page.say("no reply", styles.warning),
    }
}

/// Why the other rules that were armed then did not fire. Rules removed since are not listed.
fn others(page: &mut DetailPage<'_>, entry: &Entry, call: &Call) {
    let snapshot = page.view.snapshot;
    let Some(operation) = call.operation else { return };
    let options = call.volume.as_deref().and_then(|name| snapshot.volumes.known(name));
    let none = Options::new();
    let facts = RequestContext {
        operation,
        volume: call.volume.as_deref().unwrap_or_default(),
        id: call.mount_id.as_deref().unwrap_or_default(),
        options: options.map_or(&none, |volume| &volume.options),
        caller: call.caller,
        mounted: call.mounted,
        retry: call.lints.contains(&Lint::EmptyBodyRetry),
    };
    let acted = call.fault.as_ref().and_then(AppliedFault::rule);
    let was_down = call.fault.as_ref().is_some_and(|fault| fault.outage().is_some());
    for rule in snapshot.rules.iter().filter(|rule| Some(rule.id) != acted && rule.since < entry.at) {
        let why = if !rule.rule().matches(&facts) {
            "no match".to_owned()
        } else if was_down {
            "skipped: the driver was down".to_owned()
        } else if let Some(acted) = acted.filter(|acted| *acted < rule.id) {
            format!("skipped: rule {acted} matched first")
        } else {
            "matched, but its trigger did not fire".to_owned()
        };
        page.say(&format!("rule {}: {why}: {}", rule.id, rule.text), page.view.theme.styles.dim);
    }
}
