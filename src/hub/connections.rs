//! Connections: each is recorded when it is accepted and when it ends.

use std::sync::Arc;

use super::Hub;
use crate::domain::model::{
    entry::{ConnectionEvent, EntryKind},
    peer::Peer,
};

/// An open connection. Its end is recorded when this is dropped.
pub struct OpenConnection {
    hub: Arc<Hub>,
    /// Its number.
    pub number: u64,
    /// Who connected, if the system says.
    pub peer: Option<Arc<Peer>>,
    /// Whether this peer had not connected before.
    pub is_first: bool,
}

impl Hub {
    /// Records an accepted connection.
    pub fn open_connection(self: &Arc<Self>, number: u64, peer: Option<Peer>) -> OpenConnection {
        let mut inner = self.locked.lock();
        let known = peer.as_ref().and_then(|peer| inner.state.connections().known(peer)).cloned();
        let is_first = peer.is_some() && known.is_none();
        let peer = known.or_else(|| peer.map(Arc::new));
        let event = ConnectionEvent::Opened { connection: number, peer: peer.clone(), first: is_first };
        inner.push(self.now(), EntryKind::Connection(event));
        drop(inner);
        self.changes.send();
        OpenConnection { hub: Arc::clone(self), number, peer, is_first }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.hub.record(EntryKind::Connection(ConnectionEvent::Closed { connection: self.number }));
    }
}
