//! A call in full: what came in, what was done, what went out.

use jiff::SignedDuration;

use crate::{
    console::view::{
        detail::page::{DetailPage, next_attempt},
        row,
    },
    domain::{
        model::{
            entry::{Call, Entry, RuleDecision},
            fault::{AppliedFault, FaultSource},
        },
        rules::{DisarmedRule, Rule, reaction},
        text::{self, describe},
    },
};

/// How many rules that were disarmed before the call are listed.
const MAX_DISARMED: usize = 3;

/// Writes it.
pub fn write(page: &mut DetailPage<'_>, entry: &Entry, call: &Call, time: &str) {
    let view = page.view;
    let styles = &view.theme.styles;
    let word = describe::asked(call.head());
    page.heading(&format!("{word} {}", call.volume.as_deref().map(text::clean).unwrap_or_default()));
    for lint in &call.lints {
        page.lint(*lint, "");
    }
    let (outcome, style) = row::outcome(view, call);
    page.say(&outcome, style);
    next_attempt(page, entry);
    page.say(&format!("at {time} from {}, took {}", call.caller, text::took(call.duration)), styles.text);
    if let Some(peer) = &call.peer {
        let first = if call.first_contact { ", its first call" } else { "" };
        page.say(&format!("connection {} of {peer}{first}", call.connection), styles.dim);
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
            if fault.unaltered {
                page.say("it changed nothing in this reply, which has no such part", styles.text);
            }
            if let Some(forecast) = reaction(call) {
                page.say(&forecast.to_string(), styles.text);
            }
        }
        None => page.say("no rule fired", styles.dim),
    }
    others(page, entry, call);
    page.changes(&call.changes);
    if let Some(upstream) = &call.upstream {
        page.heading("Upstream");
        let ours = call.duration.saturating_sub(upstream.duration);
        let times = format!("took {}, voltergeist {} more", text::took(upstream.duration), text::took(ours));
        page.say(&format!("status {}, {times}", upstream.status), styles.text);
        if upstream.masked {
            page.say("masked: a command pretends that volumes are or are not there", styles.warning);
        }
        match &upstream.reply {
            Some(reply) => page.body(reply),
            None => page.say("its reply was passed on unchanged", styles.dim),
        }
    }
    page.heading("Response");
    match call.status {
        Some(status) => {
            page.say(&format!("status {status}"), styles.text);
            page.body(&call.reply);
        }
        None => page.say("no reply", styles.warning),
    }
}

/// Why the other rules for this operation did not act.
fn others(page: &mut DetailPage<'_>, entry: &Entry, call: &Call) {
    let snapshot = page.view.snapshot.of_entry(entry);
    let dim = page.view.theme.styles.dim;
    let acted = call.fault.as_deref().and_then(AppliedFault::rule);
    let text_of = |id: u32| {
        let listed = snapshot.rules.iter().find(|rule| rule.id == id).map(|rule| &rule.text);
        let disarmed =
            || snapshot.disarmed.iter().find(|gone| gone.rule.id == id).map(|gone| &gone.rule.text);
        listed.or_else(disarmed).map_or_else(String::new, |text| format!(" ({text})"))
    };
    let decisions = call.evaluation.iter().flat_map(|rules| &**rules);
    for RuleDecision { id, decision } in decisions.filter(|rule| Some(rule.id) != acted) {
        page.say(&format!("rule {id}{}: {}", text_of(*id), text::decision(decision)), dim);
    }
    let arrived = entry.at.checked_sub(SignedDuration::try_from(call.duration).unwrap_or_default());
    let is_for = |gone: &&DisarmedRule| {
        let rule = gone.rule.text.parse::<Rule>();
        rule.is_ok_and(|rule| rule.is_for(call.operation, call.request_line.as_deref()))
    };
    let before =
        snapshot.disarmed.iter().filter(|gone| arrived.as_ref().is_ok_and(|arrived| gone.at <= *arrived));
    for DisarmedRule { rule, .. } in before.rev().filter(is_for).take(MAX_DISARMED) {
        page.say(&format!("rule {} ({}): disarmed", rule.id, rule.text), dim);
    }
}
