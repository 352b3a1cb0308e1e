//! Groups of calls: those that one engine command caused, found by their order, volume, caller and times.
//!
//! A command line never reaches the plugin; its calls do, and in an order that is known for each (see `grammar`).
//! So create is Get, Create; start is Get, Mount; run is both. Nothing is guessed silently: a group that may be
//! of one command or another has both names. [`CallGroups`] is built from the entries, one after another.

mod builder;
mod grammar;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;

pub use builder::CallGroups;
pub use grammar::GroupStep;
use grammar::{Evidence, HandshakeAge};

use super::{
    retries::{PreviousAttempt, began, between},
    traced_calls::is_generated,
};
use crate::domain::{
    model::{
        entry::{AppliedFault, Entry, Outcome},
        protocol::{Caller, Operation},
    },
    text,
};

/// A call of a group.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its entry: its end, or that it waits.
    pub entry: Arc<Entry>,
    /// What it is a further attempt at.
    pub retries: Option<PreviousAttempt>,
}

impl Member {
    /// What was asked.
    pub fn operation(&self) -> Option<Operation> {
        self.entry.head()?.operation
    }

    /// When it arrived.
    pub fn began(&self) -> Timestamp {
        began(&self.entry)
    }

    /// When it ended; a call that waits has not.
    pub fn ended(&self) -> Option<Timestamp> {
        self.entry.call().map(|_| self.entry.at)
    }

    fn id(&self) -> Option<&str> {
        self.entry.head()?.mount_id
    }

    fn is(&self, outcome: Outcome) -> bool {
        self.entry.call().is_some_and(|call| call.outcome == outcome)
    }
}

/// The calls of one engine command. There is at least one.
#[derive(Clone, Debug)]
pub struct CallGroup {
    id: u64,
    caller: Caller,
    members: Vec<Member>,
    steps: Vec<GroupStep>,
    /// The line in the user's shell that the calls came with, so that their command is known.
    typed: Option<Arc<str>>,
    /// Whether the engine had done the handshake just before, in another group.
    had_handshake: bool,
}

/// Where the time of a group went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// From the first call's arrival to the last one's end.
    pub wall: Duration,
    /// While the plugin had a call.
    pub plugin: Duration,
    /// While the engine waited before it tried again.
    pub retries: Duration,
    /// The rest, between calls.
    pub engine: Duration,
}

impl Timing {
    /// What it is made of, without what is nothing: `plugin 4.0 ms + retries 3.0 s + engine 12 ms`.
    pub fn parts(&self) -> String {
        let parts = [("plugin", self.plugin), ("retries", self.retries), ("engine", self.engine)];
        let shown = parts.into_iter().filter(|(_, time)| *time >= Duration::from_micros(50));
        shown.map(|(what, time)| format!("{what} {}", text::took(time))).collect::<Vec<_>>().join(" + ")
    }
}

impl CallGroup {
    /// The number of its first entry, by which it is found and ordered.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Who gave the command.
    pub fn caller(&self) -> Caller {
        self.caller
    }

    /// The instance that was called, where there are several.
    pub fn node(&self) -> Option<&str> {
        self.members[0].entry.node.as_deref()
    }

    /// The volume that the calls are about, if they are about one.
    pub fn volume(&self) -> Option<&str> {
        self.members.iter().find_map(|member| member.entry.head()?.volume)
    }

    /// The calls, in the order of their arrival.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    fn evidence(&self) -> Evidence {
        let has = |operation| self.members.iter().any(|member| member.operation() == Some(operation));
        let gets = self.members.iter().rfind(|member| member.operation() == Some(Operation::Get));
        Evidence {
            caller: self.caller,
            handshake: match (has(Operation::Activate), has(Operation::Capabilities)) {
                (true, true) => HandshakeAge::JustWithScope,
                (true, false) => HandshakeAge::Just,
                _ if self.had_handshake => HandshakeAge::Recently,
                _ => HandshakeAge::Long,
            },
            is_found: gets.is_some_and(|get| get.is(Outcome::Ok)),
            is_anonymous: self.volume().is_some_and(is_generated),
        }
    }

    /// What the engine did, if nothing was typed.
    pub fn steps(&self) -> &[GroupStep] {
        &self.steps
    }

    /// The commands that it may be of, the likeliest first.
    pub fn commands(&self) -> &'static [&'static str] {
        grammar::commands(&self.steps, self.evidence()).unwrap_or(&["unknown"])
    }

    /// The line in the user's shell that caused the calls, if there was one.
    pub fn typed(&self) -> Option<&str> {
        self.typed.as_deref()
    }

    /// Its name: what was typed, else `create`, or `inspect or create` where the calls allow both.
    pub fn name(&self) -> String {
        self.typed().map_or_else(
            || self.commands().join(" or "),
            |line| text::clean(line.strip_prefix("docker ").unwrap_or(line)).into_owned(),
        )
    }

    /// What each of its names stands for.
    pub fn meanings(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let caller = self.caller;
        self.commands().iter().map(move |command| (*command, grammar::meaning(command, caller)))
    }

    /// The call that says how it went: one that waits, else the first that failed and was not made good by a later
    /// one, else the last.
    pub fn decisive(&self) -> &Member {
        let members = &self.members;
        let is_tried_again = |member: &Member| {
            members.iter().any(|other| other.retries.is_some_and(|tried| tried.seq == member.entry.seq))
        };
        // To create a volume, docker first makes sure that there is none.
        let is_expected = |member: &Member| {
            member.operation() == Some(Operation::Get)
                && members.iter().any(|other| other.operation() == Some(Operation::Create))
        };
        members
            .iter()
            .find(|member| member.ended().is_none())
            .or_else(|| {
                let failed = |member: &&Member| {
                    !member.is(Outcome::Ok) && !is_expected(member) && !is_tried_again(member)
                };
                members.iter().find(failed)
            })
            .unwrap_or(&members[members.len() - 1])
    }

    /// The first of its calls that a fault was applied to.
    pub fn first_fault(&self) -> Option<(Operation, &AppliedFault)> {
        self.members.iter().find_map(|member| {
            let call = member.entry.head()?;
            Some((call.operation?, call.fault?))
        })
    }

    /// Whether a rule acted on any of its calls.
    pub fn has_fault(&self) -> bool {
        self.members.iter().any(|member| member.entry.head().is_some_and(|call| call.fault.is_some()))
    }

    /// Whether a retry in it may belong to another call, since a retry does not say.
    pub fn is_mixed(&self) -> bool {
        self.members.iter().any(|member| member.retries.is_some_and(|tried| tried.is_mixed))
    }

    /// Whether it has the entry of a number.
    pub fn has(&self, seq: u64) -> bool {
        self.position(seq).is_some()
    }

    /// The place of the entry of a number among its calls.
    pub fn position(&self, seq: u64) -> Option<usize> {
        self.members.iter().position(|member| member.entry.seq == seq)
    }

    fn began(&self) -> Timestamp {
        self.members.iter().map(Member::began).min().unwrap_or_default()
    }

    /// When the last of its calls ended, unless one still waits.
    fn ended(&self) -> Option<Timestamp> {
        self.members
            .iter()
            .map(Member::ended)
            .try_fold(Timestamp::MIN, |latest, ended| Some(latest.max(ended?)))
    }

    /// Where its time went, up to `now` if a call still waits.
    pub fn timing(&self, now: Timestamp) -> Timing {
        let mut spans: Vec<_> =
            self.members.iter().map(|member| (member.began(), member.ended().unwrap_or(now))).collect();
        spans.sort();
        let (mut plugin, mut until) = (Duration::ZERO, spans[0].0);
        for (began, ended) in &spans {
            // Calls that overlap take their time together.
            plugin += between((*began).max(until), *ended);
            until = until.max(*ended);
        }
        let pause = |member: &Member| member.retries.map(|tried| between(tried.ended, member.began()));
        let retries = self.members.iter().filter_map(pause).sum();
        let wall = between(spans[0].0, until);
        Timing { wall, plugin, retries, engine: wall.saturating_sub(plugin + retries) }
    }
}
