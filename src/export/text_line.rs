//! An entry as a line for people.

use jiff::tz::TimeZone;

use crate::domain::{
    model::{
        entry::{Call, CallHead, Entry, EntryKind},
        fault::{AppliedFault, FaultSource},
    },
    text::{
        clean,
        describe::{self, remark, reply, time},
        pad,
        symbols::Symbols,
        took, width,
    },
};

/// The columns of an operation and of a volume. A longer name moves what follows, so that nothing is cut off.
const OPERATION: usize = 12;
const VOLUME: usize = 16;

/// The line, without its end. Nothing for what only programs read.
pub fn text_line(entry: &Entry, symbols: &Symbols, zone: &TimeZone) -> Option<String> {
    let said = match &entry.kind {
        EntryKind::Call(call) => self::call(call, symbols),
        EntryKind::Held(held) => {
            let asked = asked(held.head());
            format!("{asked}held  {} {}", symbols.fault, fault(&held.fault))
        }
        EntryKind::Released(released) => format!("{:>5}  released", format!("#{}", released.call)),
        EntryKind::Session(session) => format!("voltergeist {}, seed {}", session.version, session.seed),
        EntryKind::Registration(driver) => {
            let told = format!("driver {} at {}", driver.name, driver.address);
            match &driver.fix_command {
                Some(command) => format!("{told}, {}; to register it: {command}", driver.registration),
                None => told,
            }
        }
        _ => {
            let words: String = remark(entry, symbols).into_iter().map(|words| words.text).collect();
            if words.is_empty() {
                return None;
            }
            words
        }
    };
    Some(format!("{}  {}", time(entry.at, zone, 12), clean(said.trim_end())))
}

fn call(call: &Call, symbols: &Symbols) -> String {
    let asked = asked(call.head());
    let fault =
        call.fault.as_ref().map_or_else(String::new, |by| format!("  {} {}", symbols.fault, fault(by)));
    format!("{asked}{}  {}{fault}", reply(call, None, symbols).text, took(call.duration))
}

fn asked(call: CallHead<'_>) -> String {
    let number = format!("#{}", call.number);
    let volume = clean(call.volume.unwrap_or_default());
    let padded = |text: &str, columns: usize| pad(text, columns.max(width(text)), "");
    format!("{number:>5}  {} {} ", padded(&describe::asked(call), OPERATION), padded(&volume, VOLUME))
}

/// What was done to a call, and by which rule.
fn fault(applied: &AppliedFault) -> String {
    let by = match &applied.source {
        FaultSource::Rule { label: Some(label), .. } => format!(" by {label}"),
        FaultSource::Rule { id, .. } => format!(" by rule {id}"),
        FaultSource::Outage(_) => String::new(),
    };
    format!("{applied}{by}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        model::{
            driver::DriverInfo,
            protocol::{Caller, Operation},
        },
        text::symbols::ASCII,
    };

    fn line(kind: EntryKind) -> Option<String> {
        let at = "2026-01-02T03:04:05.678Z".parse().expect("a time");
        text_line(&Entry::new(1, at, kind), &ASCII, &TimeZone::UTC)
    }

    #[test]
    fn a_call_is_one_line_with_its_rule_and_nothing_that_commands_a_terminal() {
        let call = Call {
            number: 7,
            volume: Some("da\x1b[2Jta".into()),
            fault: Some(AppliedFault::of_rule(3, None, "empty").into()),
            ..Call::ok(Operation::Get, Caller::Docker)
        };
        insta::assert_snapshot!(line(EntryKind::Call(Box::new(call))).expect("it is shown"), @"03:04:05.678     #7  get          da^[[2Jta        answered {}  <0.01 ms  ! empty by rule 3");
    }

    #[test]
    fn a_driver_that_is_not_registered_says_so_and_how_to_register_it() {
        let mut driver = DriverInfo {
            name: "ghost".into(),
            address: "unix:///tmp/ghost.sock".into(),
            registration: "registered".into(),
            ..DriverInfo::default()
        };
        let said = |driver: &DriverInfo| line(EntryKind::Registration(Box::new(driver.clone())));
        assert_eq!(said(&driver).as_deref(), Some("03:04:05.678  driver ghost at unix:///tmp/ghost.sock"));
        driver.registration = "not registered: engines do not look there".into();
        driver.fix_command = Some("sudo sh -c register".into());
        let expected = "03:04:05.678  driver ghost at unix:///tmp/ghost.sock, not registered: engines do not look \
                        there; to register it: sudo sh -c register";
        assert_eq!(said(&driver).as_deref(), Some(expected));
    }

    #[test]
    fn what_only_programs_read_is_left_out() {
        assert_eq!(line(EntryKind::Unknown), None);
        let note = line(EntryKind::Note { text: "first".into() });
        assert_eq!(note.as_deref(), Some("03:04:05.678  # first"));
    }
}
