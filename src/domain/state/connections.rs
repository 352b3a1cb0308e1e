//! The open connections, and which peers have connected.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use crate::domain::model::{entry::ConnectionEvent, peer::Peer};

/// The connections of engines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connections {
    /// The open ones, by number.
    open: BTreeMap<u64, Option<Arc<Peer>>>,
    /// The latest peers that have connected, each once.
    peers: VecDeque<Arc<Peer>>,
    /// Those of them that have sent a call, in the order of their first. Voltergeist itself only looks whether its socket answers.
    #[serde(default)]
    callers: VecDeque<Arc<Peer>>,
}

/// How many connections of a peer are open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PeerConnections {
    /// Who; `None` where the system does not say.
    pub peer: Option<Arc<Peer>>,
    /// How many.
    pub open: u64,
}

impl Connections {
    /// How many peers are remembered. One that connects again after so many others counts as new.
    const MAX_PEERS: usize = 256;

    /// The same peer if it has connected before.
    pub fn known(&self, peer: &Peer) -> Option<&Arc<Peer>> {
        self.peers.iter().rev().find(|known| ***known == *peer)
    }

    /// Applies an entry about a connection.
    pub fn apply(&mut self, event: &ConnectionEvent) {
        match event {
            ConnectionEvent::Opened { connection, peer, .. } => {
                self.open.insert(*connection, peer.clone());
                if let Some(peer) = peer.as_ref().filter(|peer| self.known(peer).is_none()) {
                    self.peers.push_back(Arc::clone(peer));
                    if self.peers.len() > Self::MAX_PEERS {
                        self.peers.pop_front();
                    }
                }
            }
            ConnectionEvent::Closed { connection } => drop(self.open.remove(connection)),
        }
    }

    /// A peer has sent a call.
    pub fn called(&mut self, peer: Option<&Arc<Peer>>) {
        let Some(peer) = peer else { return };
        // Nearly always it is the one that has called before.
        if self.callers.back().is_some_and(|last| Arc::ptr_eq(last, peer) || last == peer)
            || self.callers.contains(peer)
        {
            return;
        }
        self.callers.push_back(Arc::clone(peer));
        if self.callers.len() > Self::MAX_PEERS {
            self.callers.pop_front();
        }
    }

    /// The latest peers that have sent a call, in the order of the first one of each.
    pub fn callers(&self) -> impl ExactSizeIterator<Item = &Arc<Peer>> {
        self.callers.iter()
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// The latest peers that have connected, oldest first.
    pub fn peers(&self) -> impl ExactSizeIterator<Item = &Arc<Peer>> {
        self.peers.iter()
    }

    /// How many are open by peer, the most first.
    pub fn by_peer(&self) -> Vec<PeerConnections> {
        let mut counts: BTreeMap<Option<&Peer>, PeerConnections> = BTreeMap::new();
        for peer in self.open.values() {
            let count = counts.entry(peer.as_deref());
            count.or_insert_with(|| PeerConnections { peer: peer.clone(), open: 0 }).open += 1;
        }
        let mut counts: Vec<_> = counts.into_values().collect();
        counts.sort_by_key(|count| std::cmp::Reverse(count.open));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32) -> Arc<Peer> {
        Arc::new(Peer::Process { pid, uid: 0, user: None, name: Some("dockerd".into()) })
    }

    #[test]
    fn open_connections_are_counted_by_peer() {
        let mut connections = Connections::default();
        let peers = [Some(process(7)), Some(process(7)), Some(process(8)), None];
        for (connection, peer) in (1..).zip(peers) {
            connections.apply(&ConnectionEvent::Opened { connection, peer, first: false });
        }
        let counts = |connections: &Connections| -> Vec<_> {
            let counts = connections.by_peer().into_iter();
            counts.map(|count| (count.peer.map(|peer| peer.to_string()), count.open)).collect()
        };
        let name = |name: &str| Some(name.to_owned());
        assert_eq!(counts(&connections), [(name("dockerd[7]"), 2), (None, 1), (name("dockerd[8]"), 1)]);
        connections.apply(&ConnectionEvent::Closed { connection: 4 });
        connections.apply(&ConnectionEvent::Closed { connection: 1 });
        assert_eq!(counts(&connections), [(name("dockerd[7]"), 1), (name("dockerd[8]"), 1)]);
        assert_eq!((connections.open(), connections.peers().count()), (2, 2));
    }

    #[test]
    fn who_only_connects_is_no_caller() {
        let mut connections = Connections::default();
        for (connection, pid) in [(1, 7), (2, 8)] {
            let peer = Some(process(pid));
            connections.apply(&ConnectionEvent::Opened { connection, peer, first: true });
        }
        for _ in 0..3 {
            connections.called(Some(&process(8)));
            connections.called(None);
        }
        assert_eq!(connections.callers().collect::<Vec<_>>(), [&process(8)]);
    }

    #[test]
    fn the_memory_for_peers_is_bounded() {
        let mut connections = Connections::default();
        for pid in 0..1000 {
            let peer = Some(process(pid));
            connections.apply(&ConnectionEvent::Opened { connection: 1, peer, first: true });
        }
        assert_eq!(connections.peers().len(), Connections::MAX_PEERS);
        assert!(connections.known(&process(999)).is_some() && connections.known(&process(0)).is_none());
    }
}
