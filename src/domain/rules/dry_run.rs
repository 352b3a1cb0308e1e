//! The dry run: which calls of the journal a rule would have hit.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{rule::Rule, selector::RequestContext, tracked_rule::TrackedRule};
use crate::domain::model::{
    entry::{Call, Decision, Entry, EntryKind},
    protocol::{Operation, Options, Request},
    volume::{Change, Volumes},
};

/// A call that a rule would have hit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// The instance that has recorded it, where there are several.
    pub node: Option<Arc<str>>,
    /// Its number there.
    pub call: u64,
}

impl From<u64> for Hit {
    fn from(call: u64) -> Self {
        Self { node: None, call }
    }
}

/// Which calls a rule would have hit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DryRun {
    /// In order.
    pub hits: Vec<Hit>,
    /// How many calls there are.
    pub calls: usize,
}

impl DryRun {
    /// The same on several instances.
    pub fn of_nodes(runs: impl IntoIterator<Item = (Arc<str>, Self)>) -> Self {
        let mut all = Self::default();
        for (node, run) in runs {
            all.calls += run.calls;
            all.hits.extend(run.hits.into_iter().map(|hit| Hit { node: Some(Arc::clone(&node)), ..hit }));
        }
        all.hits.sort_unstable();
        all
    }

    /// Whether the rule would have hit the call of an entry.
    pub fn has(&self, entry: &Entry) -> bool {
        let place = |call: &Call| (entry.node.as_deref(), call.number);
        entry.call().is_some_and(|call| {
            let found = self.hits.binary_search_by(|hit| (hit.node.as_deref(), hit.call).cmp(&place(call)));
            found.is_ok()
        })
    }
}

/// Evaluates entries, oldest first, as if a rule had been armed alone before them and had not
/// run out of time. `volumes` are those of now: they have the options of a volume that was created
/// before the oldest entry.
pub fn dry_run<'e>(
    rule: &Rule,
    seed: u64,
    volumes: &Volumes,
    entries: impl IntoIterator<Item = &'e Entry>,
) -> DryRun {
    let mut dry_run = DryRun::default();
    let mut rule = TrackedRule::without_expiry(rule.clone());
    let mut options = OptionsThen { created: BTreeMap::new(), now: volumes };
    for entry in entries {
        if let Some(call) = entry.call() {
            dry_run.calls += 1;
            let options = options.of(call);
            let context = RequestContext::of(call, &options);
            let is_evaluated =
                rule.is_for(&context) && rule.refusal(&context, Timestamp::UNIX_EPOCH).is_none();
            let hit = is_evaluated && {
                let (decision, _) = rule.evaluate(seed, &context);
                rule.count(context.key(), &decision);
                decision == Decision::Fired
            };
            if hit {
                dry_run.hits.push(call.number.into());
            }
        }
        if let EntryKind::Volume(volume) = &entry.kind {
            options.learn(&volume.change);
        }
    }
    // Calls end in another order than they arrive in.
    dry_run.hits.sort_unstable();
    dry_run
}

/// The options that volumes had at some moment of the journal.
struct OptionsThen<'e> {
    created: BTreeMap<&'e str, &'e Options>,
    now: &'e Volumes,
}

impl<'e> OptionsThen<'e> {
    fn learn(&mut self, change: &'e Change) {
        if let Change::Created { name, options, .. } = change {
            self.created.insert(name, options);
        }
    }

    fn of(&self, call: &Call) -> std::borrow::Cow<'e, Options> {
        use std::borrow::Cow;
        let name = call.volume.as_deref().unwrap_or_default();
        if call.operation == Some(Operation::Create) {
            return Cow::Owned(Request::parse(&call.request.bytes).unwrap_or_default().options);
        }
        let created = self.created.get(name).copied();
        let options = created.or_else(|| self.now.known(name).map(|volume| &volume.options));
        options.map_or_else(Cow::default, Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{
        entry::{Cause, Evaluation, RuleEvent, VolumeChange},
        protocol::Caller,
        speed::EngineSpeed,
        volume::Volume,
    };

    /// Calls 1, 2, …, each from words `OPERATION [VOLUME [OPTION]]`, and notes.
    fn journal(lines: &[&str]) -> Vec<Entry> {
        let mut kinds = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            let mut words = line.split(' ');
            let operation = words.next().and_then(|word| word.parse::<Operation>().ok());
            let Some(operation) = operation else {
                kinds.push(EntryKind::Note { text: (*line).into() });
                continue;
            };
            let volume = words.next().map(str::to_owned);
            let options: Options =
                words.next().map(|key| (key.to_owned(), "1".to_owned())).into_iter().collect();
            let body = serde_json::json!({ "Name": volume, "Opts": options }).to_string();
            let number = index as u64 + 1;
            if let (Operation::Create, Some(name)) = (operation, volume.clone()) {
                let change = Change::Created { name, options, at: Timestamp::UNIX_EPOCH };
                kinds.push(EntryKind::Volume(Box::new(VolumeChange { cause: Cause::Call(number), change })));
            }
            kinds.push(EntryKind::Call(Box::new(Call {
                number,
                volume: volume.map(String::into_boxed_str),
                mounted: line.contains("busy"),
                request: body.into_bytes().into(),
                ..Call::ok(operation, Caller::Docker)
            })));
        }
        let entry = |(index, kind)| Entry::new(index as u64 + 1, Timestamp::UNIX_EPOCH, kind);
        kinds.into_iter().enumerate().map(entry).collect()
    }

    #[test]
    fn a_rehearsed_rule_hits_what_it_would_have_hit_when_armed() {
        let entries = journal(&[
            "create db1 tier",
            "get db1",
            "noted",
            "get busy",
            "get cache",
            "create db1 size",
            "get db1",
            "list",
            "get gone",
            "mount old",
        ]);
        let old = Volume {
            name: "old".into(),
            options: [("tier".to_owned(), "gold".to_owned())].into(),
            created: Timestamp::UNIX_EPOCH,
            exists: true,
            mounts: BTreeMap::new(),
            mask: None,
        };
        let volumes: Volumes = [old].into_iter().collect();
        for (rule, expected) in [
            ("any: null", &[1, 2, 4, 5, 6, 7, 8, 9, 10][..]),
            ("get: null", &[2, 4, 5, 7, 9]),
            ("get: pass", &[]),
            ("get every 2: null", &[4, 7]),
            ("get: null once", &[2]),
            ("get: null until 2 for 1ms flap 1ms 1ms", &[2, 4]),
            ("get: 2x null then pass", &[2, 4]),
            ("get where volume=db*: null", &[2, 7]),
            ("get where mounted: null", &[4]),
            ("any where opt.tier: null", &[1, 2, 10]),
            ("any where opt.tier=gold: null", &[10]),
            ("create where opt.size: null", &[6]),
            ("any where retry: null", &[]),
        ] {
            let dry_run = dry_run(&rule.parse().expect(rule), 7, &volumes, &entries);
            assert_eq!(
                dry_run,
                DryRun { hits: expected.iter().map(|call| Hit::from(*call)).collect(), calls: 9 },
                "{rule}"
            );
        }
    }

    #[test]
    fn a_dry_run_draws_as_the_armed_rule_does() {
        let lines = vec!["get v"; 200];
        let rule: Rule = "get 30%: null for 1h".parse().expect("a rule");
        let dry_run = dry_run(&rule, 7, &Volumes::default(), &journal(&lines));
        let mut set = crate::domain::rules::RuleSet::new(7, None);
        set.apply(
            &set.arming(&rule, None, Timestamp::UNIX_EPOCH, EngineSpeed::REAL),
            Timestamp::UNIX_EPOCH,
            |_| false,
        );
        let entries = journal(&lines);
        let mut hits = Vec::new();
        for call in entries.iter().filter_map(Entry::call) {
            let options = Options::new();
            let context = RequestContext::of(call, &options);
            let (rules, injection) = set.decide(&context, Timestamp::UNIX_EPOCH);
            let volume = call.volume.clone();
            let evaluation = Evaluation {
                call: call.number,
                operation: call.operation,
                request_line: None,
                volume,
                mount_id: None,
                connection: call.connection,
                rules,
            };
            set.apply(&RuleEvent::Evaluated(evaluation), Timestamp::UNIX_EPOCH, |_| false);
            hits.extend(injection.map(|_| Hit::from(call.number)));
        }
        assert_eq!(dry_run.hits, hits);
        assert!((30..90).contains(&hits.len()), "{}", hits.len());
    }
}
