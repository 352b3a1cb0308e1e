//! Forecasts how an engine reacts to a rule, before the rule is armed.
//!
//! The table is `assets/engine-reactions.toml`. A faulty reply has several classes, from the specific to the general.
//! The forecast is the first class in the table for that operation, else for any operation. Without one, the reaction
//! is unknown.

use std::{collections::BTreeMap, fmt, sync::LazyLock, time::Duration};

use serde::Deserialize;
use serde_json::Value;

use super::{
    action::{Action, ErrorForm, Mountpoint},
    rule::Rule,
};
use crate::domain::{
    lang::command::Outage,
    model::{
        entry::{Call, Outcome},
        protocol::{Caller, Operation},
    },
};

/// How an engine reacts to a class of faulty replies.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngineReaction {
    /// Its name in tests.
    pub id: &'static str,
    /// Docker or podman.
    pub engine: Caller,
    /// The operations; any if empty.
    #[serde(default)]
    pub calls: Vec<Operation>,
    /// The classes of replies; see `classes`.
    pub classes: Vec<&'static str>,
    /// What the engine does.
    pub reaction: &'static str,
    /// Where in its source code.
    pub source: &'static str,
    /// The versions on which it was observed, or whose source was read.
    pub seen_on: Vec<&'static str>,
}

/// The table.
pub static ENGINE_REACTIONS: LazyLock<Vec<EngineReaction>> = LazyLock::new(|| {
    let tables: BTreeMap<&str, Vec<EngineReaction>> =
        toml::from_str(include_str!("../../../assets/engine-reactions.toml"))
            .unwrap_or_else(|error| panic!("engine-reactions.toml: {error}"));
    tables.into_values().flatten().collect()
});

/// How an engine will react; `Display` prints one sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The engine; `Other` for an unknown client.
    pub engine: Caller,
    /// The operation, if the rule has several and the reaction is specific to one.
    pub call: Option<Operation>,
    /// The reaction, if known.
    pub fact: Option<&'static EngineReaction>,
}

impl fmt::Display for Forecast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine, call, fact } = self;
        if *engine == Caller::Other {
            return f.write_str("reaction of this client unknown");
        }
        write!(f, "{engine}")?;
        call.map_or(Ok(()), |call| write!(f, ", on {call}"))?;
        write!(f, ": {}", fact.map_or("reaction unknown", |fact| fact.reaction))
    }
}

/// In this order a rule about several calls is forecast by one of them: the heaviest consequences first.
const BY_WEIGHT: [Operation; 9] = [
    Operation::Mount,
    Operation::Get,
    Operation::Create,
    Operation::Remove,
    Operation::Unmount,
    Operation::List,
    Operation::Activate,
    Operation::Capabilities,
    Operation::Path,
];

/// What a caller will make of a rule: of the first step of its chain that does anything.
pub fn forecast(rule: &Rule, caller: Caller) -> Forecast {
    let engine = engine_of(caller);
    let step = rule.chain().iter().find(|step| !step.is_nothing());
    let action = step.map_or(&Action::Pass, |step| &step.action);
    let is_spent = rule.acts_once() || step.is_some_and(|step| step.times == Some(1));
    let operations: Vec<_> = rule.operations().collect();
    // A reaction to a specific operation comes before one to any operation.
    let weighed = BY_WEIGHT.into_iter().filter(|operation| operations.contains(operation));
    let known = weighed.map(|operation| {
        let mut classes = classes(action, client_timeout(engine, Some(operation)));
        if is_spent && classes == ["connection_lost"] {
            classes.insert(0, "connection_lost_once");
        }
        let own = find(engine, &classes, |fact| fact.calls.contains(&operation));
        let call = own.and((operations.len().max(rule.calls.len()) > 1).then_some(operation));
        (call, own.or_else(|| find(engine, &classes, |fact| fact.calls.is_empty())))
    });
    let (call, fact) = known.into_iter().find(|(_, fact)| fact.is_some()).unwrap_or_default();
    Forecast { engine, call, fact }
}

/// How a caller reacts to an outage.
pub fn forecast_outage(outage: Outage, caller: Caller) -> Forecast {
    let engine = engine_of(caller);
    let fact = find(engine, &[&*outage.command()], |fact| fact.calls.is_empty());
    Forecast { engine, call: None, fact }
}

/// The engine whose reactions apply to a caller.
fn engine_of(caller: Caller) -> Caller {
    if caller == Caller::Simulated { Caller::Docker } else { caller }
}

/// How the caller reacts to the fault that was applied to a finished call.
pub fn reaction(call: &Call) -> Option<Forecast> {
    let fault = call.fault.as_ref().filter(|fault| !fault.unaltered)?;
    if let Some(outage) = fault.outage() {
        return Some(forecast_outage(outage, call.caller));
    }
    let was_held = ["hold", "hang", "delay"].iter().any(|word| fault.action.starts_with(word));
    let done = match (call.outcome, fault.release_action()) {
        (Outcome::Ok | Outcome::Error, Some(action)) => action.to_owned(),
        // It was held, so the reply was late.
        (Outcome::Ok | Outcome::Error, None) if was_held => {
            format!("delay {}ms", call.duration.as_millis())
        }
        _ => fault.action.to_string(),
    };
    let rule = format!("{}: {done}", call.operation?).parse().ok()?;
    Some(forecast(&rule, call.caller))
}

fn find(
    engine: Caller,
    classes: &[&str],
    about: impl Fn(&EngineReaction) -> bool,
) -> Option<&'static EngineReaction> {
    classes.iter().find_map(|class| {
        ENGINE_REACTIONS
            .iter()
            .find(|fact| fact.engine == engine && about(fact) && fact.classes.contains(class))
    })
}

/// How long an engine waits for a reply; `None`: for ever, or unknown.
pub const fn client_timeout(engine: Caller, operation: Option<Operation>) -> Option<Duration> {
    match (engine, operation) {
        (Caller::Docker | Caller::Simulated, Some(Operation::Activate)) | (Caller::Other, _) | (_, None) => {
            None
        }
        (Caller::Docker | Caller::Simulated, Some(Operation::Create | Operation::Mount)) => {
            Some(Duration::from_secs(120))
        }
        (Caller::Docker | Caller::Simulated, _) => Some(Duration::from_secs(60)),
        (Caller::Podman, _) => Some(Duration::from_secs(5)),
    }
}

/// The classes of a reply, from the specific to the general: a form of an action, or
/// `empty_reply` (nothing in it), `malformed` (not the expected JSON), `unexpected` (anything but the expected reply),
/// `connection_lost` (no reply), `connection_lost_once` (the same, and the retry is answered), `delayed` (within the
/// engine's time limit) and `hang` (after it, or never).
fn classes(action: &Action, client_timeout: Option<Duration>) -> Vec<&'static str> {
    let is_too_late = |time: Duration| client_timeout.is_some_and(|client_timeout| client_timeout <= time);
    match action {
        Action::Fail { form: ErrorForm::Inband, .. } => vec!["fail inband", "fail", "unexpected"],
        Action::Fail { form: ErrorForm::Json500, .. } => {
            vec!["fail json500", "fail status", "fail", "unexpected"]
        }
        Action::Fail { .. } => vec!["fail status", "fail", "unexpected"],
        Action::Reply { body, form } => classes_of_reply(body, *form),
        Action::Empty | Action::Null => vec!["empty_reply", "unexpected"],
        Action::Garbage | Action::Truncate | Action::WrongType => {
            vec![action.as_str(), "malformed", "unexpected"]
        }
        Action::Reset | Action::Eof => vec!["connection_lost"],
        Action::Hold | Action::Barrier { within: None, .. } => vec!["hang"],
        Action::Barrier { within: Some(within), .. } if is_too_late(*within) => vec!["hang"],
        Action::Delay { from: time, .. } | Action::Drip { over: time } if is_too_late(*time) => vec!["hang"],
        Action::Delay { .. } | Action::Drip { .. } | Action::Barrier { .. } => vec!["delayed"],
        Action::Mountpoint(Mountpoint::Empty) => vec!["mountpoint empty", "mountpoint"],
        Action::Mountpoint(Mountpoint::Missing) => vec!["mountpoint missing", "mountpoint"],
        Action::Mountpoint(Mountpoint::Relative) => vec!["mountpoint relative", "mountpoint"],
        Action::Mountpoint(Mountpoint::Path(_)) => vec!["mountpoint path", "mountpoint"],
        Action::BadTime => vec!["bad-time", "unexpected"],
        other => vec![other.as_str()],
    }
}

/// The classes of a custom reply. A valid reply has only the class `reply`.
fn classes_of_reply(body: &str, form: ErrorForm) -> Vec<&'static str> {
    let first = serde_json::Deserializer::from_str(body).into_iter::<Value>().next();
    match (form, first) {
        (ErrorForm::Json500, Some(Ok(_))) => vec!["fail json500", "fail status", "fail", "unexpected"],
        (ErrorForm::Inband, Some(Ok(reply))) => match (&reply["Err"], &reply) {
            (Value::String(error), _) if !error.is_empty() => vec!["fail inband", "fail", "unexpected"],
            (_, Value::Null) => vec!["empty_reply", "unexpected"],
            (_, Value::Object(nothing)) if nothing.is_empty() => vec!["empty_reply", "unexpected"],
            (_, Value::Object(_)) => vec!["reply"],
            (_, Value::Array(_)) => vec!["wrong-type", "malformed", "unexpected"],
            _ => vec!["malformed", "unexpected"],
        },
        (ErrorForm::Inband, _) => vec!["malformed", "unexpected"],
        _ => vec!["fail status", "fail", "unexpected"],
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::model::fault::{AppliedFault, Release, ReleasedBy};

    #[test]
    fn a_forecast_is_one_sentence_about_the_calling_engine() {
        let said = |rule: &str, caller| forecast(&rule.parse().expect(rule), caller).to_string();
        for (rule, docker, podman) in [
            (
                "mount: reset",
                "docker: retries after 1, 2, 4 and 8 s with an empty body; gives up after 15 s",
                "podman: fails at once: it does not retry",
            ),
            (
                "mount: eof once",
                "docker: retries after 1 s with an empty body, which names no volume: fails with the driver's refusal of that",
                "podman: fails at once: it does not retry",
            ),
            (
                "any: delay 2s",
                "docker: waits: the limit is 2 min for create and mount, 1 min for the others",
                "podman: waits: the limit is 5 s for the whole answer",
            ),
            (
                "create: fail \"x\" as inband",
                "docker: fails with the message alone",
                "podman: takes this as success: it looks at the status alone",
            ),
            (
                "get: fail \"x\"",
                "docker: takes it as \"no such volume\", and forgets its labels, options and references for good",
                "podman: takes the volume as absent on create, fails on inspect and ls, and on rm forgets it all the same",
            ),
            (
                "remove: delay 60s",
                "docker: waits 1 min, and volume ls with it, then fails: context deadline exceeded",
                "podman: gives up after 5 s and does not retry",
            ),
            (
                "remove: 3x pass then delay 59s..90s",
                "docker: waits: the limit is 2 min for create and mount, 1 min for the others",
                "podman: gives up after 5 s and does not retry",
            ),
            (
                "writes, get: empty",
                "docker, on mount: starts the container with its own bundle directory (config.json, rootfs) mounted read-write as the volume",
                "podman, on mount: starts the container with its own directory (config.json, secrets) mounted as the volume",
            ),
            ("mount: pass", "docker: notices nothing", "podman: notices nothing"),
            (
                "get: stale",
                "docker: believes it: a volume that is new is missing, and one that was removed is there",
                "podman: reaction unknown",
            ),
        ] {
            assert_eq!(said(rule, Caller::Docker), docker, "{rule}");
            assert_eq!(said(rule, Caller::Simulated), docker, "{rule}");
            assert_eq!(said(rule, Caller::Podman), podman, "{rule}");
            assert!(said(rule, Caller::Other).starts_with("reaction of this client unknown"), "{rule}");
        }
    }

    #[test]
    fn the_reaction_to_a_call_depends_on_the_fault_that_was_applied() {
        let text = |fault: &str, action: &str, seconds, outcome| {
            let release = Release { by: ReleasedBy::Command, action: Some(action.into()) };
            let released = (!action.is_empty()).then_some(release);
            let call = Call {
                fault: Some(AppliedFault { released, ..AppliedFault::of_rule(1, None, fault) }.into()),
                duration: Duration::from_secs(seconds),
                outcome,
                ..Call::ok(Operation::Remove, Caller::Docker)
            };
            reaction(&call).and_then(|forecast| Some(forecast.fact?.id))
        };
        for (fault, action, seconds, outcome, expected) in [
            ("fail \"so then what\"", "", 0, Outcome::Error, Some("docker-remove-fail")),
            ("hold", "fail \"no\"", 3, Outcome::Error, Some("docker-remove-fail")),
            ("hold", "reply {} after", 3, Outcome::Ok, Some("docker-remove-empty-reply")),
            ("hang", "", 3, Outcome::Ok, Some("docker-delayed")),
            ("hang", "", 60, Outcome::Cancelled, Some("docker-remove-hang")),
            ("delay 2s", "reset", 1, Outcome::Error, Some("docker-connection-lost")),
            ("hold", "reply {\"x\":1}", 3, Outcome::Ok, None),
        ] {
            assert_eq!(text(fault, action, seconds, outcome), expected, "{fault} {action}");
        }
        let cut = Call {
            fault: Some(AppliedFault::of_outage(Outage::Reset).into()),
            outcome: Outcome::Error,
            ..Call::ok(Operation::Remove, Caller::Docker)
        };
        assert_eq!(reaction(&cut), Some(forecast_outage(Outage::Reset, Caller::Docker)));
        assert_eq!(reaction(&Call::ok(Operation::Remove, Caller::Docker)), None, "nothing was done to it");
    }

    #[test]
    fn each_reaction_has_its_own_id_and_can_be_forecast() {
        let what = [
            "pass",
            "fail \"x\"",
            "fail \"x\" as inband",
            "fail \"x\" as json500",
            "empty",
            "garbage",
            "truncate",
            "wrong-type",
            "two-bodies",
            "reset",
            "reset once",
            "hang",
            "delay 1s",
            "mountpoint empty",
            "mountpoint missing",
            "mountpoint relative",
            "mountpoint /x",
            "rename x",
            "scope x",
            "implements x",
            "bad-time",
            "null-entry",
            "stale",
            "lie",
        ];
        let calls = Operation::ALL.map(Operation::as_str);
        let rules = what.iter().flat_map(|what| {
            calls.iter().map(move |call| format!("{call}: {what}").parse::<Rule>()).filter_map(Result::ok)
        });
        let forecasts =
            rules.clone().flat_map(|rule| [Caller::Docker, Caller::Podman].map(|by| forecast(&rule, by)));
        let outages = Outage::ALL
            .iter()
            .flat_map(|kind| [Caller::Docker, Caller::Podman].map(|by| forecast_outage(*kind, by)));
        let reached: BTreeSet<_> =
            forecasts.chain(outages).filter_map(|forecast| Some(forecast.fact?.id)).collect();
        let ids: BTreeSet<_> = ENGINE_REACTIONS.iter().map(|fact| fact.id).collect();
        assert_eq!(reached, ids);
        assert_eq!(ids.len(), ENGINE_REACTIONS.len());
        let limits = [None, Some(Duration::ZERO)];
        let of_actions =
            rules.flat_map(|rule| limits.map(|limit| classes(&rule.chain()[0].action, limit))).flatten();
        let of_outages = Outage::ALL.map(|kind| &*kind.command().leak());
        let known: BTreeSet<_> = of_actions.chain(of_outages).chain(["connection_lost_once"]).collect();
        let listed: BTreeSet<_> =
            ENGINE_REACTIONS.iter().flat_map(|fact| fact.classes.iter().copied()).collect();
        assert_eq!(listed.difference(&known).next(), None, "a class that no reply has");
        for fact in ENGINE_REACTIONS.iter() {
            assert!(fact.id.starts_with(fact.engine.as_str()), "{}", fact.id);
            assert!(!fact.seen_on.is_empty() && !fact.source.is_empty(), "{}", fact.id);
            assert!(
                fact.reaction.starts_with(char::is_lowercase) && !fact.reaction.ends_with('.'),
                "{}",
                fact.id
            );
        }
    }
}
