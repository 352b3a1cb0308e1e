//! Each entry finds the group that it belongs to as it arrives.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use super::{CallGroup, GroupStep, Member, grammar};
use crate::domain::{
    analysis::retries::{PreviousAttempt, Retries, began, between},
    model::{
        entry::{CallHead, Entry, EntryKind, Outcome, ShellEvent},
        protocol::{Caller, Operation},
    },
};

/// How long an engine may take from one call of a command to the next: to set a container up, or for it to end.
const GAP: Duration = Duration::from_secs(2);
/// How long after its reply the end of a call may be recorded.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_millis(50);
/// How many groups of a volume are looked at for what comes next.
const RECENT: usize = 8;
/// How many volumes are remembered at least, before those are forgotten that nothing can follow any more.
const VOLUMES: usize = 1024;
/// No more volumes than this are remembered.
const MOST_VOLUMES: usize = 65_536;
/// How many calls that are waiting or were cut off are remembered.
const OPEN: usize = 1024;
/// A group has no more calls than this; what follows begins a new one.
const CALLS: usize = 256;

/// The groups of a journal, in the order of their first entries.
#[derive(Clone, Debug, Default)]
pub struct CallGroups {
    all: VecDeque<CallGroup>,
    memories: HashMap<EngineKey, EngineMemory>,
    retries: Retries,
    /// The groups that a later entry of one of their calls goes to, by the number of the earlier one.
    open: BTreeMap<u64, u64>,
    merged: Vec<u64>,
    /// The line that runs in the user's shell, and the group of the calls that came since; by instance.
    typed: HashMap<Option<Arc<str>>, TypedLine>,
}

/// A line and the group of its calls.
type TypedLine = (Arc<str>, Option<u64>);

/// An engine, and the instance that it calls where there are several.
type EngineKey = (Option<Arc<str>>, Caller);

/// What is remembered of an engine.
#[derive(Clone, Debug, Default)]
struct EngineMemory {
    /// The handshake that waits for the command that it is for.
    handshake: Option<u64>,
    /// When the latest handshake ended.
    handshake_ended: Option<Timestamp>,
    /// The latest List.
    list: Option<u64>,
    /// The latest groups of each volume, the newest last.
    volumes: HashMap<Box<str>, Vec<u64>>,
    /// When there are so many volumes, the old ones are looked for.
    crowded: usize,
}

/// A call as it is sorted in.
struct IncomingCall<'e> {
    entry: &'e Arc<Entry>,
    engine: EngineKey,
    operation: Operation,
    volume: Option<&'e str>,
    began: Timestamp,
    /// Whether a mount of the same ID was open.
    is_again: bool,
}

impl<'e> IncomingCall<'e> {
    fn of(entry: &'e Arc<Entry>) -> Option<Self> {
        let CallHead { caller, operation: Some(operation), volume, .. } = entry.head()? else { return None };
        let is_again = entry.call().is_some_and(|call| call.id_mounted);
        // Of callers that are no engine nothing is known.
        (caller != Caller::Other).then(|| Self {
            entry,
            engine: (entry.node.clone(), caller),
            operation,
            volume,
            began: began(entry),
            is_again,
        })
    }
}

impl CallGroups {
    /// Takes in the next entry, and says in which group it is; in none if no engine's command caused it.
    pub fn push(&mut self, entry: &Arc<Entry>) -> Option<u64> {
        self.merged.clear();
        match &entry.kind {
            EntryKind::Shell(ShellEvent::Started { command }) => {
                self.typed.insert(entry.node.clone(), (command.as_str().into(), None));
            }
            EntryKind::Shell(ShellEvent::Finished(_)) => drop(self.typed.remove(&entry.node)),
            _ => {}
        }
        let previous = self.retries.push(entry);
        let call = IncomingCall::of(entry)?;
        let waited = entry.call().and_then(|call| call.held_seq);
        let id = match (waited.and_then(|seq| self.ended(entry, seq)), previous) {
            (Some(id), _) => id,
            (None, Some(previous)) => {
                let id = self.open.remove(&previous.seq);
                let joined = id.and_then(|id| self.join(id, &call, Some(previous)));
                joined.unwrap_or_else(|| self.sort_in(&call))
            }
            (None, None) => self.sort_in(&call),
        };
        if entry.call().is_none_or(|call| call.status.is_none()) {
            self.open.insert(entry.seq, id);
            if self.open.len() > OPEN {
                self.open.pop_first();
            }
        }
        Some(id)
    }

    /// The groups that the latest entry showed to be a part of the one that it is in.
    pub fn merged(&self) -> &[u64] {
        &self.merged
    }

    /// Drops what the journal has dropped: a group goes with its first entry.
    pub fn drop_before(&mut self, seq: u64) {
        while self.all.front().is_some_and(|group| group.id < seq) {
            self.all.pop_front();
        }
        self.retries.drop_before(seq);
    }

    /// All of them, in the order of their first entries.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &CallGroup> + ExactSizeIterator {
        self.all.iter()
    }

    /// The group of a number.
    pub fn get(&self, id: u64) -> Option<&CallGroup> {
        self.index(id).map(|index| &self.all[index])
    }

    /// The group that has an entry.
    pub fn with(&self, seq: u64) -> Option<&CallGroup> {
        let later = self.all.partition_point(|group| group.id <= seq);
        self.all.range(..later).rev().find(|group| group.has(seq))
    }

    fn index(&self, id: u64) -> Option<usize> {
        self.all.binary_search_by_key(&id, CallGroup::id).ok()
    }

    fn memory(&mut self, engine: &EngineKey) -> &mut EngineMemory {
        self.memories.entry(engine.clone()).or_default()
    }

    /// Puts the end of a call in the place of its waiting.
    fn ended(&mut self, entry: &Arc<Entry>, waited: u64) -> Option<u64> {
        let id = self.open.remove(&waited)?;
        let index = self.index(id)?;
        let group = &mut self.all[index];
        let place = group.position(waited)?;
        group.members[place].entry = Arc::clone(entry);
        Some(id)
    }

    /// Adds a call to a group, if that is still there and has room.
    fn join(&mut self, id: u64, call: &IncomingCall<'_>, retries: Option<PreviousAttempt>) -> Option<u64> {
        let index = self.index(id)?;
        let group = &mut self.all[index];
        if group.members.len() >= CALLS {
            return None;
        }
        let place = group.members.partition_point(|member| member.began() <= call.began);
        group.members.insert(place, Member { entry: Arc::clone(call.entry), retries });
        Some(id)
    }

    fn begin(&mut self, call: &IncomingCall<'_>) -> u64 {
        let handshake_ended = self.memory(&call.engine).handshake_ended;
        let id = call.entry.seq;
        self.all.push_back(CallGroup {
            id,
            caller: call.engine.1,
            members: vec![Member { entry: Arc::clone(call.entry), retries: None }],
            steps: Vec::new(),
            typed: None,
            had_handshake: handshake_ended.is_some_and(|ended| between(ended, call.began) <= GAP),
        });
        id
    }

    /// The group that a first attempt belongs to: one that goes on with it, or a new one.
    fn sort_in(&mut self, call: &IncomingCall<'_>) -> u64 {
        if let Some((line, group)) = self.typed.get(&call.entry.node).cloned() {
            let joined = group.and_then(|id| self.join(id, call, None));
            let id = joined.unwrap_or_else(|| self.begin(call));
            if let Some(index) = self.index(id) {
                self.all[index].typed = Some(Arc::clone(&line));
            }
            self.typed.insert(call.entry.node.clone(), (line, Some(id)));
            return id;
        }
        match call.operation {
            Operation::Activate => {
                let id = self.begin(call);
                let memory = self.memory(&call.engine);
                (memory.handshake, memory.handshake_ended) = (Some(id), Some(call.entry.at));
                id
            }
            Operation::Capabilities => self.capabilities(call),
            Operation::List => {
                let id = self.after_handshake(call);
                self.memory(&call.engine).list = Some(id);
                self.step(id, GroupStep::List);
                id
            }
            Operation::Get | Operation::Path => {
                let id = self.after_handshake(call);
                self.step(
                    id,
                    if call.operation == Operation::Get { GroupStep::Look } else { GroupStep::Path },
                );
                self.remember(call, id);
                id
            }
            Operation::Create => self.act(call, GroupStep::Create),
            Operation::Mount => {
                self.act(call, if call.is_again { GroupStep::MountAgain } else { GroupStep::Mount })
            }
            Operation::Unmount => self.act(call, GroupStep::Unmount),
            Operation::Remove => self.act(call, GroupStep::Remove),
        }
    }

    /// The scope is asked for at the handshake, or for each volume of a List.
    fn capabilities(&mut self, call: &IncomingCall<'_>) -> u64 {
        let EngineMemory { handshake, list, .. } = *self.memory(&call.engine);
        let joined = [handshake, list]
            .into_iter()
            .flatten()
            .find_map(|id| self.follows(id, call.began).then(|| self.join(id, call, None)).flatten());
        let id = joined.unwrap_or_else(|| self.begin(call));
        let memory = self.memory(&call.engine);
        memory.handshake_ended = Some(call.entry.at);
        if Some(id) != list {
            memory.handshake = Some(id);
        }
        id
    }

    /// The handshake belongs to the command that it was for: the first that follows.
    fn after_handshake(&mut self, call: &IncomingCall<'_>) -> u64 {
        let handshake = self.memory(&call.engine).handshake.take();
        let joined =
            handshake.filter(|id| self.follows(*id, call.began)).and_then(|id| self.join(id, call, None));
        joined.unwrap_or_else(|| self.begin(call))
    }

    fn step(&mut self, id: u64, step: GroupStep) {
        if let Some(index) = self.index(id) {
            self.all[index].steps.push(step);
        }
    }

    /// Whether something that began then may go on with a group.
    fn follows(&self, id: u64, began: Timestamp) -> bool {
        let Some(ended) = self.get(id).map(CallGroup::ended) else { return false };
        // While a call waits, the engine does nothing else for that command.
        ended.is_some_and(|ended| {
            ended.checked_sub(CLOCK_SKEW).is_ok_and(|ended| ended <= began) && between(ended, began) <= GAP
        })
    }

    /// A call that does something: with the Get before it, and with what that goes on with.
    fn act(&mut self, call: &IncomingCall<'_>, step: GroupStep) -> u64 {
        let recent = self.recent(call);
        let look = recent.iter().rev().copied().find(|id| {
            let is_look = self.get(*id).is_some_and(|group| group.steps == [GroupStep::Look]);
            is_look && self.follows(*id, call.began)
        });
        let mut id = match look.and_then(|id| self.join(id, call, None)) {
            Some(id) => {
                if let Some(index) = self.index(id) {
                    self.all[index].steps.pop();
                }
                id
            }
            None => self.after_handshake(call),
        };
        self.step(id, step);
        for earlier in recent.into_iter().rev().filter(|earlier| Some(*earlier) != look) {
            id = self.merge(earlier, id).unwrap_or(id);
        }
        self.remember(call, id);
        id
    }

    /// Makes one group of two, if they read as one command.
    fn merge(&mut self, earlier: u64, later: u64) -> Option<u64> {
        let (first, second) = (self.index(earlier)?, self.index(later)?);
        let (one, two) = (&self.all[first], &self.all[second]);
        if earlier >= later || one.members.len() + two.members.len() > CALLS {
            return None;
        }
        let mut steps = [&*one.steps, &*two.steps].concat();
        // What an engine could not unmount is still mounted to the driver, and not to the engine.
        if let GroupStep::MountAgain = steps[one.steps.len()]
            && one
                .members
                .last()
                .is_some_and(|last| last.operation() == Some(Operation::Unmount) && last.is(Outcome::Error))
        {
            steps[one.steps.len()] = GroupStep::Mount;
        }
        grammar::commands(&steps, one.evidence())?;
        if !self.follows(earlier, two.began()) || !ids_agree(one, two) {
            return None;
        }
        let two = self.all.remove(second)?;
        let one = &mut self.all[first];
        one.steps = steps;
        one.members.extend(two.members);
        self.merged.push(later);
        self.open.values_mut().filter(|id| **id == later).for_each(|id| *id = earlier);
        Some(earlier)
    }

    /// The latest groups of the volume that a call is about.
    fn recent(&mut self, call: &IncomingCall<'_>) -> Vec<u64> {
        let volumes = &self.memory(&call.engine).volumes;
        volumes.get(call.volume.unwrap_or_default()).cloned().unwrap_or_default()
    }

    fn remember(&mut self, call: &IncomingCall<'_>, id: u64) {
        let name = call.volume.unwrap_or_default();
        let first = self.all.front().map_or(u64::MAX, CallGroup::id);
        let memory = self.memory(&call.engine);
        if let Some(recent) = memory.volumes.get_mut(name) {
            recent.retain(|other| *other != id && *other >= first);
            if recent.len() == RECENT {
                recent.remove(0);
            }
            recent.push(id);
        } else {
            memory.volumes.insert(name.into(), vec![id]);
        }
        if memory.volumes.len() > memory.crowded.max(VOLUMES) {
            self.tidy(&call.engine, call.began);
        }
    }

    /// Forgets the volumes that nothing can go on with any more.
    fn tidy(&mut self, engine: &EngineKey, now: Timestamp) {
        let mut volumes = std::mem::take(&mut self.memory(engine).volumes);
        volumes.retain(|_, recent| {
            let goes_on = |id: &u64| {
                self.get(*id)
                    .is_some_and(|group| group.ended().is_none_or(|ended| between(ended, now) <= GAP))
            };
            recent.last().is_some_and(goes_on)
        });
        if volumes.len() > MOST_VOLUMES / 2 {
            volumes.clear();
        }
        let crowded = volumes.len() * 2;
        let memory = self.memory(engine);
        (memory.volumes, memory.crowded) = (volumes, crowded);
    }
}

/// Whether what is unmounted in the later part is what was mounted last in the earlier one.
fn ids_agree(earlier: &CallGroup, later: &CallGroup) -> bool {
    let id = |group: &CallGroup, operation| {
        let member = group.members.iter().rfind(|member| member.operation() == Some(operation));
        member.map(|member| member.id().map(str::to_owned))
    };
    let ends = later.steps.first() == Some(&GroupStep::Unmount)
        && matches!(earlier.steps.last(), Some(GroupStep::Mount | GroupStep::MountAgain));
    !ends || id(earlier, Operation::Mount) == id(later, Operation::Unmount)
}
