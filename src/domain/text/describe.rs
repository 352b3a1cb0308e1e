//! An entry in words, each with its tone: what every view and every page says of it alike.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

use super::{clean, symbols::Symbols};
use crate::domain::text;
use crate::domain::{
    analysis::retries::Pause,
    model::{
        driver::{DriverEvent, DriverReason},
        entry::{Call, CallHead, Entry, EntryKind, Gap, HeldCall, Outcome, RuleEvent, ShellEvent},
        origin::Origin,
        protocol::{Caller, method_in},
        scenario::{End, ScenarioEvent, ScenarioResult},
        volume::Change,
    },
    rules::client_timeout,
};

/// In which tone something is said: a screen has a style for each, a page has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Without more.
    Text,
    /// Details.
    Dim,
    /// What counts.
    Bold,
    /// It went well.
    Good,
    /// It went wrong.
    Bad,
    /// It needs a look.
    Warning,
    /// What a rule did.
    Fault,
    /// A command that was given.
    Command,
}

/// Some words in one tone. Nothing in them can command a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StyledText {
    /// The words.
    pub text: String,
    /// Their tone.
    pub tone: Tone,
}

impl StyledText {
    /// Says something that may come from outside.
    pub fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: clean(text.as_ref()).into_owned(), tone }
    }
}

/// How a call ended.
pub fn outcome(call: &Call, symbols: &Symbols) -> StyledText {
    let mut outcome = unmasked_outcome(call, symbols);
    if call.upstream.as_ref().is_some_and(|upstream| upstream.masked) {
        outcome.text.insert_str(0, "masked ");
    }
    outcome
}

fn unmasked_outcome(call: &Call, symbols: &Symbols) -> StyledText {
    let error = call.error.as_deref().unwrap_or_default().trim();
    match call.outcome {
        // A reply that a rule changed can be anything, so it is shown unchanged.
        Outcome::Ok if call.fault.is_some() => {
            StyledText::new(format!("answered {}", call.reply.text().trim()), Tone::Text)
        }
        Outcome::Ok => {
            let id = clean(call.mount_id.as_deref().unwrap_or_default());
            let id = text::fit(&id, 8, symbols.ellipsis);
            StyledText::new(format!("ok  {id}").trim_end(), Tone::Good)
        }
        Outcome::Error => {
            let status = match call.status {
                Some(200) => String::new(),
                // Go's own texts begin with the status already.
                Some(status) if error.starts_with(&status.to_string()) => String::new(),
                Some(status) => format!("{status} "),
                None => "no reply: ".to_owned(),
            };
            // A plain no is a part of the protocol: docker asks for a volume before it creates one.
            let is_plain = call.fault.is_none() && call.status == Some(200);
            let tone = if is_plain { Tone::Text } else { Tone::Bad };
            StyledText::new(format!("{} {status}{error}", symbols.failed), tone)
        }
        Outcome::Cancelled => {
            StyledText::new(format!("{} client disconnected", symbols.cancelled), Tone::Warning)
        }
        Outcome::Panicked => StyledText::new(format!("{} PANICKED {error}", symbols.failed), Tone::Bad),
    }
}

/// How a call ended, and what was odd about it; after what was asked, where that is not seen beside it.
pub fn reply(call: &Call, to: Option<&str>, symbols: &Symbols) -> StyledText {
    let outcome = outcome(call, symbols);
    let to = to.map_or_else(String::new, |asked| format!("{asked}: "));
    let lints: String = call.lints.iter().flat_map(|lint| [" (", lint.as_str(), ")"]).collect();
    StyledText::new(format!("{to}{}{lints}", outcome.text), outcome.tone)
}

/// An engine as one that takes part in a diagram.
pub fn engine(caller: Caller) -> &'static str {
    match caller {
        Caller::Simulated => "docker (simulated)",
        caller => caller.as_str(),
    }
}

/// The pause before a further attempt. No other engine than docker makes one.
pub fn pause(pause: &Pause) -> String {
    let lasted = format!("{:.1}", pause.lasted.as_secs_f64());
    let lasted = lasted.strip_suffix(".0").unwrap_or(&lasted);
    let count = pause.of.map_or_else(String::new, |of| format!(" (attempt {} of {of})", pause.number));
    format!("{lasted} s, docker tries again{count}")
}

/// How long a call has been held, and how long until its client times out.
pub fn held_for(held: &HeldCall, waited: Option<Duration>) -> StyledText {
    let Some(waited) = waited else { return StyledText::new("held", Tone::Dim) };
    let left = client_timeout(held.caller, held.operation).map(|limit| limit.saturating_sub(waited));
    let left = left.map_or_else(String::new, |left| format!(", times out in {}", text::clock_left(left)));
    StyledText::new(format!("held {}{left}", text::clock(waited)), Tone::Warning)
}

/// What was asked, in the words of the rule language, or the request line of what is no method of a plugin.
pub fn asked(call: CallHead<'_>) -> String {
    match (call.operation, call.request_line) {
        (Some(operation), _) => operation.as_str().to_owned(),
        (None, Some(line)) => clean(method_in(line).unwrap_or(line)).into_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// An entry that is no call: the event first, then its result.
pub fn remark(entry: &Entry, symbols: &Symbols) -> Vec<StyledText> {
    match &entry.kind {
        EntryKind::Call(_)
        | EntryKind::Held(_)
        | EntryKind::Released(_)
        | EntryKind::Connection(_)
        | EntryKind::Session(_)
        | EntryKind::Registration(_)
        | EntryKind::Volume(_)
        | EntryKind::Unknown => Vec::new(),
        EntryKind::Command(run) => {
            let mut said = vec![
                StyledText::new(format!(": {}", run.command), Tone::Command),
                StyledText::new(format!("  {} {}", symbols.arrow, run.result), Tone::Text),
            ];
            // What is done here, its user knows.
            if matches!(*run.origin, Origin::Api { .. }) {
                said.push(StyledText::new(format!("  {}", run.origin), Tone::Dim));
            }
            said
        }
        EntryKind::EngineCommand(run) => {
            // What every error of docker begins with leaves no room for what it is.
            let result = run.result.replacen("Error response from daemon: ", "", 1);
            let tone = if run.ok { Tone::Text } else { Tone::Warning };
            vec![
                StyledText::new(format!("$ {}", run.command), Tone::Bold),
                StyledText::new(format!("  {} {result}", symbols.arrow), tone),
            ]
        }
        EntryKind::Shell(event) => {
            let (result, tone) = match event {
                ShellEvent::Started { .. } => ("running".to_owned(), Tone::Warning),
                ShellEvent::Finished(result) => {
                    let tone = if result.is_ok() { Tone::Text } else { Tone::Warning };
                    let says = result.main_line().replacen("Error response from daemon: ", "", 1);
                    let says = if says.is_empty() { says } else { format!(": {says}") };
                    (format!("{result}{says}"), tone)
                }
            };
            vec![
                StyledText::new(format!("$ {}", event.command()), Tone::Bold),
                StyledText::new(format!("  {} {result}", symbols.arrow), tone),
            ]
        }
        EntryKind::Rule(event) => {
            let (rule, change) = match &**event {
                RuleEvent::Armed { rule, .. } => (rule, "is armed"),
                RuleEvent::Moved { rule, .. } => (rule, "is moved"),
                RuleEvent::Disarmed(rule) => (rule, "is disarmed"),
                RuleEvent::Spent(rule) => (rule, "is spent"),
                RuleEvent::Expired(rule) => (rule, "expired"),
                RuleEvent::Evaluated(_) => return Vec::new(),
            };
            vec![
                StyledText::new(format!("{} rule {} {change}", symbols.fault, rule.id), Tone::Fault),
                StyledText::new(format!("  {}", rule.text), Tone::Text),
            ]
        }
        EntryKind::Driver(event) => vec![StyledText::new(driver(event), Tone::Warning)],
        EntryKind::Scenario(event) => vec![scenario(event, symbols)],
        EntryKind::Note { text } => vec![StyledText::new(format!("# {text}"), Tone::Text)],
        EntryKind::Gap(gap) => vec![StyledText::new(self::gap(gap), Tone::Warning)],
    }
}

/// A change of a volume, after its name.
pub fn change(change: &Change, name: &str) -> String {
    match change {
        Change::Created { .. } => format!("{name}created"),
        Change::Removed { .. } => format!("{name}removed with its files"),
        Change::Mounted { id, .. } => format!("{name}mounted by {id}"),
        Change::Unmounted { id, .. } => format!("{name}unmounted by {id}"),
        Change::Forgotten { .. } => format!("{name}forgotten"),
        Change::Restored { .. } => format!("{name}restored"),
        Change::Masked { mask, .. } => format!("{name}masked as {}", mask.as_str()),
        Change::Unmasked { .. } => format!("{name}not masked any more"),
        Change::MountsCleared { .. } => format!("{name}unmounted everywhere"),
        Change::AllDeleted => "all volumes and files deleted".into(),
        Change::StateLost => "all volumes lost; files kept".into(),
    }
}

/// A change of the driver's status.
pub fn driver(event: &DriverEvent) -> String {
    let status = event.status;
    match &event.reason {
        DriverReason::Crash => "the driver crashed and is back".to_owned(),
        DriverReason::OutageOver => format!("the driver is {status}: the outage is over"),
        DriverReason::CannotBind { address, error } => {
            format!("the driver cannot be {status} at {address}: {error}; it is tried again until it works")
        }
        DriverReason::Command | DriverReason::Recovered => format!("the driver is {status}"),
    }
}

/// What a recording lacks.
pub fn gap(Gap { first, missed, reason }: &Gap) -> String {
    let entries = text::counted(*missed, "entry");
    format!("the recording lacks {entries} from number {}: {reason}", text::grouped(*first))
}

fn scenario(event: &ScenarioEvent, symbols: &Symbols) -> StyledText {
    match event {
        ScenarioEvent::Started { scenario, title, engine, .. } => {
            StyledText::new(format!("scenario {scenario}: {title}; on {engine}"), Tone::Bold)
        }
        ScenarioEvent::StepStarted { line, .. } => StyledText::new(line, Tone::Bold),
        ScenarioEvent::StepFinished { seen, problems, .. } => match problems.first() {
            Some(problem) => StyledText::new(format!("{} {problem}", symbols.failed), Tone::Bad),
            None => StyledText::new(format!("{} {seen}", symbols.passed), Tone::Good),
        },
        ScenarioEvent::Delayed { why } => StyledText::new(why, Tone::Warning),
        ScenarioEvent::Finished { scenario, end: End { result, problems } } => {
            let problem = problems.first().map_or_else(String::new, |problem| format!("; {problem}"));
            let tone = match result {
                ScenarioResult::Passed => Tone::Good,
                ScenarioResult::Failed => Tone::Bad,
                ScenarioResult::Skipped | ScenarioResult::Stopped => Tone::Warning,
            };
            StyledText::new(format!("scenario {scenario}: {}{problem}", result.words()), tone)
        }
    }
}

/// The time of day, with milliseconds in 12 columns.
pub fn time(at: Timestamp, zone: &TimeZone, width: usize) -> String {
    let at = zone.to_datetime(at);
    let (hour, minute, second, milli) =
        (at.hour(), at.minute(), at.second(), at.subsec_nanosecond() / 1_000_000);
    match width {
        12.. => format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"),
        _ => format!("{hour:02}:{minute:02}:{second:02}"),
    }
}
