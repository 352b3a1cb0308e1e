//! The steps of a diagram in the order of their time, whatever it is drawn with.
//!
//! An entry is written when its call ends, but the request was there before: between the two, others may have come.

use std::{collections::HashSet, sync::Arc};

use jiff::Timestamp;

use crate::domain::{
    analysis::retries::{Pause, Retries, began},
    model::entry::{Call, CallHead, Entry, EntryKind, HeldCall},
    text::{clean, describe},
};

/// One step, from top to bottom.
#[derive(Clone, Debug)]
pub struct DiagramStep<'e> {
    /// When it was.
    pub at: Timestamp,
    /// Of which entry it is a part.
    pub entry: &'e Entry,
    /// What it is.
    pub part: Part<'e>,
}

/// What a step is.
#[derive(Clone, Debug)]
pub enum Part<'e> {
    /// Nothing came for a while, before a further attempt.
    Pause(Pause),
    /// A request arrived: `mount db1`.
    Request(String),
    /// Its call still had no reply when the diagram was drawn.
    Held(&'e HeldCall),
    /// A call ended.
    Reply {
        /// The call.
        call: &'e Call,
        /// What was asked, if something else came after it.
        to: Option<String>,
    },
    /// What is no call.
    Remark,
}

impl DiagramStep<'_> {
    /// How many lines it takes in a drawing.
    pub const fn lines(&self) -> usize {
        if matches!(self.part, Part::Remark) { 2 } else { 1 }
    }

    /// Whether it is the last one of its entry.
    pub const fn is_last(&self) -> bool {
        matches!(self.part, Part::Held(_) | Part::Reply { .. } | Part::Remark)
    }
}

/// The steps of these entries. Which are further attempts at what is known from the whole journal.
pub fn steps<'e>(
    entries: impl Iterator<Item = &'e Arc<Entry>> + Clone,
    retries: &Retries,
) -> Vec<DiagramStep<'e>> {
    // The end of a call contains its request too.
    let ended: HashSet<u64> = entries.clone().filter_map(|entry| entry.continues()).collect();
    let mut steps = Vec::new();
    for entry in entries.filter(|entry| !ended.contains(&entry.seq) && !entry.is_redundant()) {
        let chain = retries.chain(entry.seq);
        let asked = |call: CallHead<'_>| {
            let volume = call.volume.or_else(|| chain?.volume()).map(clean).unwrap_or_default();
            let node = entry.node.as_deref().map_or_else(String::new, |node| format!("{}: ", clean(node)));
            format!("{node}{} {volume}", describe::asked(call)).trim_end().to_owned()
        };
        let request = entry.head().map(asked);
        let last = match &entry.kind {
            EntryKind::Call(call) => Part::Reply { call, to: None },
            EntryKind::Held(held) => Part::Held(held),
            _ => Part::Remark,
        };
        let arrived = began(entry);
        let mut add = |at, part| steps.push(DiagramStep { at, entry, part });
        if let Some(pause) = chain.and_then(|chain| chain.pause_before(entry.seq)) {
            add(arrived, Part::Pause(pause));
        }
        if let Some(request) = request {
            add(arrived, Part::Request(request));
        }
        add(if matches!(last, Part::Reply { .. }) { entry.at } else { arrived }, last);
    }
    // What is of one time stays in the order of the journal.
    steps.sort_by_key(|step| step.at);
    name_what_was_asked(&mut steps);
    steps
}

/// A reply that does not stand below its request says which one it belongs to.
fn name_what_was_asked(steps: &mut [DiagramStep<'_>]) {
    let mut open: Vec<(u64, String)> = Vec::new();
    let mut above = 0;
    for step in steps {
        let seq = step.entry.seq;
        match &mut step.part {
            Part::Request(asked) => open.push((seq, asked.clone())),
            Part::Reply { to, .. } => {
                if let Some(place) = open.iter().position(|(asked, _)| *asked == seq) {
                    let (_, asked) = open.swap_remove(place);
                    *to = (above != seq).then_some(asked);
                }
            }
            Part::Held(_) => open.retain(|(asked, _)| *asked != seq),
            Part::Pause(_) | Part::Remark => {}
        }
        above = seq;
    }
}
