//! The rehearsal: which calls of the journal a rule would have hit.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    armed::{Armed, Decision},
    rule::Rule,
    selector::RequestContext,
};
use crate::domain::model::{
    entry::{Call, Entry},
    protocol::{Operation, Options, Request},
    volume::{Change, Volumes},
};

/// Which calls a rule would have hit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DryRun {
    /// The sequence numbers of their entries.
    pub hits: Vec<u64>,
    /// How many calls there are.
    pub calls: usize,
}

/// Holds a rule against entries, oldest first, as if it had been armed alone before them and had not
/// run out of time. `volumes` are those of now: they tell the options of a volume that was created
/// before the oldest entry.
pub fn dry_run<'e>(
    rule: &Rule,
    seed: u64,
    volumes: &Volumes,
    entries: impl IntoIterator<Item = &'e Entry>,
) -> DryRun {
    let mut dry_run = DryRun::default();
    let mut armed = Armed::without_expiry(rule.clone());
    let mut options = OptionsThen { created: BTreeMap::new(), now: volumes };
    for entry in entries {
        if let Some((call, operation)) = entry.call().and_then(|call| Some((call, call.operation?))) {
            dry_run.calls += 1;
            let hit = rule.is_about(operation) && {
                let options = options.of(call, operation);
                let facts = facts(call, operation, &options);
                armed.matches(&facts, Timestamp::UNIX_EPOCH)
                    && matches!(armed.ask(seed, call.number), Some(Decision::Acted(_)))
            };
            if hit {
                dry_run.hits.push(entry.seq);
            }
        }
        options.learn(entry.changes());
    }
    dry_run
}

/// What the rule could see when the call arrived.
fn facts<'c>(call: &'c Call, operation: Operation, options: &'c Options) -> RequestContext<'c> {
    RequestContext {
        operation,
        volume: call.volume.as_deref().unwrap_or_default(),
        id: call.id.as_deref().unwrap_or_default(),
        options,
        caller: call.caller,
        mounted: call.mounted,
        retry: call.body.length == 0 && call.caller.sends_body_for(operation),
    }
}

/// The options that volumes had at some moment of the journal.
struct OptionsThen<'e> {
    created: BTreeMap<&'e str, &'e Options>,
    now: &'e Volumes,
}

impl<'e> OptionsThen<'e> {
    fn learn(&mut self, changes: &'e [Change]) {
        for change in changes {
            if let Change::Created { name, options, .. } = change {
                self.created.insert(name, options);
            }
        }
    }

    fn of(&self, call: &Call, operation: Operation) -> std::borrow::Cow<'e, Options> {
        use std::borrow::Cow;
        let name = call.volume.as_deref().unwrap_or_default();
        if operation == Operation::Create {
            return Cow::Owned(Request::parse(&call.body.bytes).unwrap_or_default().options);
        }
        let created = self.created.get(name).copied();
        let options = created.or_else(|| self.now.record(name).map(|volume| &volume.options));
        options.map_or_else(Cow::default, Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::model::{entry::EntryKind, protocol::Caller, volume::Volume};

    /// Entries 1, 2, …: a call each in the words `OPERATION [VOLUME [OPTION]]`, or a note.
    fn journal(lines: &[&str]) -> Vec<Entry> {
        let entry = |(index, line): (usize, &&str)| {
            let seq = index as u64 + 1;
            let mut words = line.split(' ');
            let operation = words.next().and_then(|word| word.parse::<Operation>().ok());
            let Some(operation) = operation else {
                return Entry {
                    seq,
                    at: Timestamp::UNIX_EPOCH,
                    kind: EntryKind::Note { text: (*line).into() },
                };
            };
            let volume = words.next().map(str::to_owned);
            let options: Options =
                words.next().map(|key| (key.to_owned(), "1".to_owned())).into_iter().collect();
            let body = serde_json::json!({ "Name": volume, "Opts": options }).to_string();
            let created = volume.clone().filter(|_| operation == Operation::Create);
            let call = Call {
                number: seq,
                volume: volume.map(String::into_boxed_str),
                mounted: line.contains("busy"),
                body: body.into_bytes().into(),
                changes: created
                    .map(|name| Change::Created { name, options, at: Timestamp::UNIX_EPOCH })
                    .into_iter()
                    .collect(),
                ..Call::answered(operation, Caller::Docker)
            };
            Entry { seq, at: Timestamp::UNIX_EPOCH, kind: EntryKind::Call(Box::new(call)) }
        };
        lines.iter().enumerate().map(entry).collect()
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
            known: true,
            mounts: BTreeMap::new(),
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
            assert_eq!(dry_run, DryRun { hits: expected.to_vec(), calls: 9 }, "{rule}");
        }
    }

    #[test]
    fn a_rehearsal_draws_as_the_armed_rule_does() {
        let lines = vec!["get v"; 200];
        let rule: Rule = "get 30%: null for 1h".parse().expect("a rule");
        let dry_run = dry_run(&rule, 7, &Volumes::default(), &journal(&lines));
        let mut book = crate::domain::rules::RuleSet::new(7);
        book.arm(rule, None, Timestamp::UNIX_EPOCH);
        let entries = journal(&lines);
        let hits: Vec<u64> = entries
            .iter()
            .filter_map(|entry| {
                let call = entry.call()?;
                let options = Options::new();
                let facts = facts(call, Operation::Get, &options);
                book.decide(&facts, call.number, Timestamp::UNIX_EPOCH).0.map(|_| entry.seq)
            })
            .collect();
        assert_eq!(dry_run.hits, hits);
        assert!((30..90).contains(&hits.len()), "{}", hits.len());
    }
}
