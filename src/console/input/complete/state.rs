//! The names of what there is: volumes, instances, rules and peers.

use std::collections::BTreeSet;

use super::candidate::Candidate;
use crate::{
    domain::{
        lang::lexer::quote,
        model::{peer::Peer, volume::Volume},
    },
    hub::Snapshot,
};

/// How many volumes are offered at most.
pub const MAX_OFFERED: usize = 1000;

/// The volumes whose names begin like a word, as far as they are offered.
pub(super) fn volumes<'s, W: Fn(&Volume) -> bool + 's>(
    snapshot: &'s Snapshot,
    begun: &str,
    which: W,
) -> impl Iterator<Item = Candidate> + use<'s, W> {
    // In quotes, a backslash stands before some characters.
    let name =
        begun.strip_prefix('"').map_or(begun, |quoted| quoted.split(['\\', '"']).next().unwrap_or_default());
    let named = snapshot.volumes.beginning_with(name).filter(move |volume| which(volume));
    named.take(MAX_OFFERED).map(|volume| {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '"';
        let word = if volume.name.chars().all(plain) { volume.name.clone() } else { quote(&volume.name) };
        Candidate::new(word, "")
    })
}

/// The instances that can be chosen.
pub(super) fn nodes(snapshot: &Snapshot) -> impl Iterator<Item = Candidate> {
    let names = snapshot.nodes.iter().filter_map(|node| node.node.as_deref());
    let names = names.map(|name| Candidate::new(name, "its volumes and faults"));
    names.chain([Candidate::new("all", "all nodes together")])
}

/// The rules by label and number.
pub(super) fn rules(snapshot: &Snapshot) -> impl Iterator<Item = Candidate> {
    snapshot.rules.iter().flat_map(|rule| {
        let label = rule.label.iter().map(|label| Candidate::new(&**label, &*rule.text));
        label.chain([Candidate::new(rule.id.to_string(), &*rule.text)])
    })
}

/// The processes and addresses that have connected.
pub(super) fn peers(snapshot: &Snapshot) -> impl Iterator<Item = Candidate> {
    let names = snapshot.peers.iter().flat_map(|peer| match &**peer {
        Peer::Process { pid, name, .. } => [name.as_deref().map(str::to_owned), Some(pid.to_string())],
        Peer::Address(address) => [Some(address.to_string()), None],
    });
    let names: BTreeSet<_> = names.flatten().collect();
    names.into_iter().map(|name| Candidate::new(if name.contains(':') { quote(&name) } else { name }, ""))
}
