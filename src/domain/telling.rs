//! An entry in words, each with its tone: what every view and every page says of it alike.

use std::{borrow::Cow, time::Duration};

use jiff::{Timestamp, tz::TimeZone};

use super::{
    entry::{Call, Entry, FaultFate, Kind, Outcome, Waiting},
    fault::patience,
    playbill::{End, PlayEvent, Verdict},
    protocol::Caller,
    retry::Pause,
    signs::Signs,
    text::{self, clean},
};

/// Between a line that was typed at an engine and what came of it, in the text of a note.
const CAME_OF_IT: &str = "  → ";

/// In which tone something is said: a screen has a style for each, a page has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Without more.
    Text,
    /// For whoever looks closer.
    Quiet,
    /// What counts.
    Strong,
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
pub struct Said {
    /// The words.
    pub text: String,
    /// Their tone.
    pub tone: Tone,
}

impl Said {
    /// Says something that may come from outside.
    pub fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: clean(text.as_ref()).into_owned(), tone }
    }
}

/// How a call ended.
pub fn outcome(call: &Call, signs: &Signs) -> Said {
    let error = call.error.as_deref().unwrap_or_default().trim();
    match call.outcome {
        // What a rule let go out may be anything, so it is shown as it was.
        Outcome::Answered if call.fault.is_some() => {
            Said::new(format!("answered {}", call.reply.text().trim()), Tone::Text)
        }
        Outcome::Answered => {
            let id = clean(call.id.as_deref().unwrap_or_default());
            let id = text::fit(&id, 8, signs.ellipsis);
            Said::new(format!("ok  {id}").trim_end(), Tone::Good)
        }
        Outcome::Failed => {
            let status = match call.status {
                Some(200) => String::new(),
                // Go's own texts begin with the status already.
                Some(status) if error.starts_with(&status.to_string()) => String::new(),
                Some(status) => format!("{status} "),
                None => "no answer: ".to_owned(),
            };
            // A plain no is a part of the protocol: docker asks for a volume before it creates one.
            let is_plain = call.fault.is_none() && call.status == Some(200);
            let tone = if is_plain { Tone::Text } else { Tone::Bad };
            Said::new(format!("{} {status}{error}", signs.failed), tone)
        }
        Outcome::Abandoned => Said::new(format!("{} the caller gave up", signs.abandoned), Tone::Warning),
        Outcome::Panicked => Said::new(format!("{} PANICKED {error}", signs.failed), Tone::Bad),
    }
}

/// How a call ended, and what was odd about it; after what was asked, where that is not seen beside it.
pub fn reply(call: &Call, to: Option<&str>, signs: &Signs) -> Said {
    let outcome = outcome(call, signs);
    let to = to.map_or_else(String::new, |asked| format!("{asked}: "));
    let lints: String = call.lints.iter().flat_map(|lint| [" (", lint.word(), ")"]).collect();
    Said::new(format!("{to}{}{lints}", outcome.text), outcome.tone)
}

/// An engine as one that takes part in a diagram.
pub const fn engine(caller: Caller) -> &'static str {
    match caller {
        Caller::Simulated => "docker (simulated)",
        caller => caller.word(),
    }
}

/// The pause before a further attempt. No other engine than docker makes one.
pub fn pause(pause: &Pause) -> String {
    let lasted = format!("{:.1}", pause.lasted.as_secs_f64());
    let lasted = lasted.strip_suffix(".0").unwrap_or(&lasted);
    let count = pause.of.map_or_else(String::new, |of| format!(" (attempt {} of {of})", pause.number));
    format!("{lasted} s, docker tries again{count}")
}

/// How long a call has waited, and how long its caller will bear it yet; none if it waits no longer.
pub fn waits(waiting: &Waiting, waited: Option<Duration>) -> Said {
    let Some(waited) = waited else { return Said::new("waited", Tone::Quiet) };
    let left = patience(waiting.caller, waiting.operation).map(|limit| limit.saturating_sub(waited));
    let left = left.map_or_else(String::new, |left| format!(", given up in {}", text::clock(left)));
    Said::new(format!("WAITS {}{left}", text::clock(waited)), Tone::Warning)
}

/// What was asked, in the words of the rule language, or the request line of what is no call of the protocol.
pub fn call_word(call: &Call) -> String {
    match (call.operation, &call.request_line) {
        (Some(operation), _) => operation.word().to_owned(),
        (None, Some(line)) => clean(line).into_owned(),
        (None, None) => "?".to_owned(),
    }
}

/// An entry that is no call: what was said first, then what came of it.
pub fn remark(entry: &Entry, signs: &Signs) -> Vec<Said> {
    match &entry.kind {
        Kind::Call(_) | Kind::Waiting(_) => Vec::new(),
        Kind::Command(execution) => vec![
            Said::new(format!(": {}", execution.line), Tone::Command),
            Said::new(format!("  {} {}", signs.arrow, execution.effect), Tone::Text),
        ],
        Kind::Fault(event) => {
            let fate = match event.event {
                FaultFate::Armed => "is armed",
                FaultFate::Disarmed => "is disarmed",
                FaultFate::Spent => "is spent",
                FaultFate::Expired => "is over, its time has passed",
            };
            vec![
                Said::new(format!("{} rule {} {fate}", signs.fault, event.id), Tone::Fault),
                Said::new(format!("  {}", event.rule), Tone::Text),
            ]
        }
        Kind::Driver { standing } => {
            let is = if standing.starts_with("cannot") { "" } else { "is " };
            vec![Said::new(format!("the driver {is}{standing}"), Tone::Warning)]
        }
        Kind::Play(event) => vec![play(event, signs)],
        // What was typed at an engine, with what came of it.
        Kind::Note { text } if text.starts_with("$ ") => match text.split_once(CAME_OF_IT) {
            Some((line, outcome)) => vec![
                Said::new(line, Tone::Strong),
                // What every error of docker begins with leaves no room for what it is.
                Said::new(
                    format!("  {} {}", signs.arrow, outcome.replacen("Error response from daemon: ", "", 1)),
                    Tone::Warning,
                ),
            ],
            None => vec![Said::new(text, Tone::Strong)],
        },
        Kind::Note { text } => vec![Said::new(format!("# {text}"), Tone::Text)],
    }
}

/// The whole text of a note, with the sign that there is for what came of a typed line.
pub fn note<'n>(text: &'n str, signs: &Signs) -> Cow<'n, str> {
    match text.split_once(CAME_OF_IT) {
        Some((line, outcome)) if text.starts_with("$ ") => {
            format!("{line}  {} {outcome}", signs.arrow).into()
        }
        _ => text.into(),
    }
}

fn play(event: &PlayEvent, signs: &Signs) -> Said {
    match event {
        PlayEvent::Begun { card, title, engine, .. } => {
            Said::new(format!("card {card}: {title}; on {engine}"), Tone::Strong)
        }
        PlayEvent::Step { line, .. } => Said::new(line, Tone::Strong),
        PlayEvent::Seen { seen, problems, .. } => match problems.first() {
            Some(problem) => Said::new(format!("{} {problem}", signs.failed), Tone::Bad),
            None => Said::new(format!("{} {seen}", signs.held), Tone::Good),
        },
        PlayEvent::Delayed { why } => Said::new(why, Tone::Warning),
        PlayEvent::Ended { card, end: End { verdict, problems } } => {
            let problem = problems.first().map_or_else(String::new, |problem| format!("; {problem}"));
            let tone = match verdict {
                Verdict::Held => Tone::Good,
                Verdict::Failed => Tone::Bad,
                Verdict::Skipped | Verdict::Stopped => Tone::Warning,
            };
            Said::new(format!("card {card}: {}{problem}", verdict.words()), tone)
        }
    }
}

/// The time of day, as exactly as `width` columns allow.
pub fn time(at: Timestamp, zone: &TimeZone, width: usize) -> String {
    let at = zone.to_datetime(at);
    let (hour, minute, second, milli) =
        (at.hour(), at.minute(), at.second(), at.subsec_nanosecond() / 1_000_000);
    match width {
        12.. => format!("{hour:02}:{minute:02}:{second:02}.{milli:03}"),
        8..=11 => format!("{hour:02}:{minute:02}:{second:02}"),
        _ => format!("{minute:02}:{second:02}"),
    }
}
