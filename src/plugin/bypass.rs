//! What bypasses us: connections that engines have made to the plugin while its own socket was at its path.

use std::sync::Arc;

use crate::{
    domain::{model::entry::EntryKind, text::counted},
    hub::Hub,
    net::{Listener, end_earlier_connections},
};

/// Ends them, if the listener is in the place of a plugin, and says how that went.
pub fn end(hub: &Arc<Hub>, listener: &Listener) {
    let Some((path, aside)) = listener.takeover_paths() else { return };
    let hub = Arc::clone(hub);
    tokio::task::spawn_blocking(move || {
        let text = match end_earlier_connections(&path, &aside) {
            Ok(0) => return,
            Ok(ended) => format!(
                "{} to the plugin ended, so that the engine connects to voltergeist",
                counted(ended as u64, "earlier connection")
            ),
            Err(error) => format!(
                "cannot end the connections that the engine already has to the plugin ({error}): calls on them bypass \
                 voltergeist until it connects again"
            ),
        };
        hub.record(EntryKind::Note { text });
    });
}
