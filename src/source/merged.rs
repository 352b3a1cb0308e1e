//! Several running instances as one source: their entries in one list by time, the state of each beside it.
//!
//! Each instance is a [`RemoteSource`] with a state of its own. The list has numbers of its own, and its entries carry the
//! instance's name. An entry waits a little before it goes into the list, since an earlier one of another instance may still
//! be on its way; one that comes later than that stays where it arrives. After a connection was lost, the list is made
//! again, so that what was missed goes to its place.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::{BoxFuture, join_all, select_all, try_join_all};
use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use tokio::{task::JoinHandle, time::sleep};

use super::{RemoteSource, Source, save_here};
use crate::{
    domain::{
        lang::command::Command,
        model::{
            entry::{Entry, EntryKind, ShellEvent},
            origin::Origin,
            source_status::{NodeChoice, SourceStatus},
        },
        rules::{DryRun, Rule},
        state::journal::{Bounds, Journal},
    },
    hub::{ChangeSender, Changes, Snapshot},
};

/// How long an entry waits for earlier ones of other instances.
const ENTRY_DELAY: SignedDuration = SignedDuration::from_millis(100);

/// An instance.
struct MergedNode {
    name: Arc<str>,
    source: Arc<RemoteSource>,
}

struct SharedSources {
    nodes: Vec<MergedNode>,
    merged: Mutex<Merged>,
    changes: ChangeSender,
}

/// The list, and how far each instance is in it.
struct Merged {
    journal: Journal,
    epoch: u64,
    /// The instance that is shown and gets the commands; none for all of them.
    chosen: Option<usize>,
    /// The connection and the number of the last entry that was taken, by instance.
    taken: Vec<(u64, u64)>,
    /// The numbers in the list of entries that a later one continues, by instance and number there.
    numbers: HashMap<(usize, u64), u64>,
}

/// Shows several instances together.
pub struct MergedSource {
    shared: Arc<SharedSources>,
    merging: JoinHandle<()>,
}

impl Drop for MergedSource {
    fn drop(&mut self) {
        self.merging.abort();
    }
}

impl MergedSource {
    /// A source over instances with their names. There is at least one.
    pub fn new(nodes: Vec<(String, Arc<RemoteSource>)>) -> Arc<Self> {
        let nodes: Vec<_> =
            nodes.into_iter().map(|(name, source)| MergedNode { name: name.into(), source }).collect();
        let merged = Merged {
            journal: Journal::new(Bounds::default()),
            epoch: 0,
            chosen: Some(0),
            taken: vec![(0, 0); nodes.len()],
            numbers: HashMap::new(),
        };
        let shared =
            Arc::new(SharedSources { nodes, merged: Mutex::new(merged), changes: ChangeSender::default() });
        shared.take_in();
        let merging = tokio::spawn(merge(Arc::clone(&shared)));
        Arc::new(Self { shared, merging })
    }
}

/// Keeps the list up to date.
async fn merge(shared: Arc<SharedSources>) {
    let mut changes: Vec<_> = shared.nodes.iter().map(|node| node.source.changes()).collect();
    loop {
        let is_held_back = shared.take_in();
        shared.changes.send();
        if is_held_back {
            sleep(ENTRY_DELAY.unsigned_abs()).await;
        } else {
            select_all(changes.iter_mut().map(|changes| Box::pin(changes.changed()))).await.0.ok();
        }
    }
}

/// An entry on its way into the list: its time, its instance's place, itself.
type Arrival = (Timestamp, usize, Arc<Entry>);

impl SharedSources {
    /// Takes in what is new, and says whether some of that has to wait.
    fn take_in(&self) -> bool {
        let mut merged = self.merged.lock();
        let (mut arrivals, mut is_held_back, mut is_other) = (Vec::new(), false, false);
        for (index, node) in self.nodes.iter().enumerate() {
            let Some(news) = node.source.new_entries(merged.taken[index]) else { continue };
            is_other |= news.connection != merged.taken[index].0;
            let limit = news.now.and_then(|now| now.checked_sub(ENTRY_DELAY).ok()).unwrap_or(Timestamp::MAX);
            let first = arrivals.len();
            arrivals.extend(in_order(index, news.entries));
            if !is_other {
                let due = arrivals[first..].partition_point(|(at, ..)| *at <= limit);
                is_held_back |= first + due < arrivals.len();
                arrivals.truncate(first + due);
            }
        }
        if is_other || arrivals.iter().any(|(.., entry)| entry.is_journal_reset()) {
            merged.begin_again();
            arrivals.clear();
            for (index, node) in self.nodes.iter().enumerate() {
                let Some(news) = node.source.new_entries((0, 0)) else { continue };
                merged.taken[index].0 = news.connection;
                arrivals.extend(in_order(index, news.entries));
            }
            is_held_back = false;
        }
        arrivals.sort_by_key(|(at, ..)| *at);
        for (_, index, entry) in arrivals {
            merged.push(index, &self.nodes[index].name, &entry);
        }
        is_held_back
    }
}

/// Entries of an instance with the times by which they are sorted: its own order stays, also where its clock was set.
fn in_order(index: usize, entries: Vec<Arc<Entry>>) -> impl Iterator<Item = Arrival> {
    entries.into_iter().scan(Timestamp::MIN, move |latest, entry| {
        *latest = entry.at.max(*latest);
        Some((*latest, index, entry))
    })
}

impl Merged {
    /// Empties the list. What it gets then has other numbers.
    fn begin_again(&mut self) {
        self.journal = Journal::new(self.journal.bounds());
        self.numbers.clear();
        self.epoch += 1;
    }

    fn push(&mut self, index: usize, name: &Arc<str>, entry: &Entry) {
        let seq = self.journal.next_seq();
        let continued = entry.continues().map(|earlier| (index, earlier));
        let number = |earlier| self.numbers.get(&(index, earlier)).copied();
        let own = Arc::new(entry.merged(seq, name, number));
        if let Some(continued) = continued {
            self.numbers.remove(&continued);
        }
        if matches!(entry.kind, EntryKind::Held(_) | EntryKind::Shell(ShellEvent::Started { .. })) {
            self.numbers.insert((index, entry.seq), seq);
        }
        self.taken[index].1 = entry.seq;
        self.journal.push(&own);
    }
}

impl MergedSource {
    /// The instances that a command goes to.
    fn targets(&self) -> Vec<&MergedNode> {
        let chosen = self.shared.merged.lock().chosen;
        match chosen {
            Some(index) => vec![&self.shared.nodes[index]],
            None => self.shared.nodes.iter().collect(),
        }
    }

    /// The state of an instance, with the numbers of the list.
    fn node_snapshot(node: &MergedNode, index: usize, merged: &Merged) -> Snapshot {
        let snapshot = node.source.snapshot();
        let number = |entry: &Arc<Entry>| {
            let seq = *merged.numbers.get(&(index, entry.seq))?;
            merged.journal.get(seq).cloned()
        };
        let held = snapshot.held.iter().filter_map(number).collect();
        Snapshot { held, node: Some(Arc::clone(&node.name)), ..snapshot }
    }
}

impl Source for MergedSource {
    fn snapshot(&self) -> Snapshot {
        let merged = self.shared.merged.lock();
        let nodes: Vec<_> = self
            .shared
            .nodes
            .iter()
            .enumerate()
            .map(|(index, node)| Self::node_snapshot(node, index, &merged))
            .collect();
        let journal = &merged.journal;
        // What was taken of what each has recorded since it was cleared.
        let taken = merged.taken.iter().zip(&nodes).map(|((_, last), node)| {
            let first = node.kept.start - node.dropped;
            (last + 1).saturating_sub(first)
        });
        let taken: u64 = taken.sum();
        let chosen = match merged.chosen {
            Some(index) => nodes.get(index).cloned(),
            None => Snapshot::of_all(&nodes),
        };
        let mut held: Vec<_> = nodes.iter().flat_map(|node| node.held.iter().cloned()).collect();
        held.sort_by_key(|entry| entry.seq);
        Snapshot {
            kept: journal.first_seq()..journal.next_seq(),
            rows: journal.listed(),
            dropped: taken.saturating_sub(journal.len() as u64),
            held,
            source: SourceStatus::Nodes,
            epoch: merged.epoch,
            nodes,
            ..chosen.expect("there is at least one")
        }
    }

    fn entries_after(&self, seq: u64, limit: usize) -> Vec<Arc<Entry>> {
        self.shared.merged.lock().journal.after(seq).take(limit).cloned().collect()
    }

    fn changes(&self) -> Changes {
        self.shared.changes.subscribe()
    }

    fn run(&self, command: Command, origin: Origin) -> BoxFuture<'static, Result<String, String>> {
        if let Command::Save { path, which } = command {
            return save_here(self, path, which, " on this machine");
        }
        let targets = self.targets();
        let results: Vec<_> = targets
            .iter()
            .map(|node| (Arc::clone(&node.name), node.source.run(command.clone(), origin.clone())))
            .collect();
        let is_one = results.len() == 1;
        Box::pin(async move {
            let results = results.into_iter().map(|(name, result)| async { (name, result.await) });
            let mut results = join_all(results).await;
            if is_one && let Some((_, result)) = results.pop() { result } else { together(&results) }
        })
    }

    fn dry_run(&self, rule: Rule) -> BoxFuture<'static, Result<DryRun, String>> {
        let run = |node: &MergedNode| (Arc::clone(&node.name), node.source.dry_run(rule.clone()));
        let runs: Vec<_> = self.targets().into_iter().map(run).collect();
        Box::pin(async move {
            let runs = runs.into_iter().map(|(name, run)| async { Ok((name, run.await?)) });
            try_join_all(runs).await.map(DryRun::of_nodes)
        })
    }

    fn choose_node(&self, choice: &NodeChoice) -> Result<String, String> {
        let nodes = &self.shared.nodes;
        let mut merged = self.shared.merged.lock();
        merged.chosen = match choice {
            NodeChoice::All => None,
            NodeChoice::Next => Some(merged.chosen.map_or(0, |index| (index + 1) % nodes.len())),
            NodeChoice::One(name) => {
                let found = nodes.iter().position(|node| node.name == *name);
                let names = || nodes.iter().map(|node| &*node.name).collect::<Vec<_>>().join(" ");
                Some(found.ok_or_else(|| format!("no node {name:?} is shown; choose: {} all", names()))?)
            }
        };
        let chosen = merged.chosen;
        drop(merged);
        self.shared.changes.send();
        Ok(match chosen {
            Some(index) => format!("volumes, faults and commands: {}", nodes[index].name),
            None => format!("volumes, faults and commands: all {} nodes", nodes.len()),
        })
    }
}

/// The results of a command that went to all instances: those that are equal once, and each that is not with its names.
fn together(results: &[(Arc<str>, Result<String, String>)]) -> Result<String, String> {
    let mut texts: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, result) in results {
        let (Ok(text) | Err(text)) = result;
        match texts.iter_mut().find(|(known, _)| known == text) {
            Some((_, names)) => names.push(name),
            None => texts.push((text, vec![name])),
        }
    }
    let texts: Vec<_> =
        texts.into_iter().map(|(text, names)| format!("{}: {text}", names.join(", "))).collect();
    let text = texts.join("; ");
    if results.iter().any(|(_, result)| result.is_ok()) { Ok(text) } else { Err(text) }
}
