//! What bypasses us: connections that engines have made to the plugin while its own socket was at its path.

use std::{io, sync::Arc};

use crate::{
    domain::{model::entry::EntryKind, text::counted},
    hub::Hub,
    net::{EarlierConnections, Listener, end_earlier_connections},
};

/// Ends them, if the listener is in the place of a plugin, and says how that went.
pub fn end(hub: &Arc<Hub>, listener: &Listener) {
    let Some((path, aside)) = listener.takeover_paths() else { return };
    let hub = Arc::clone(hub);
    tokio::task::spawn_blocking(move || {
        let is_root = rustix::process::geteuid().is_root();
        for text in notes(end_earlier_connections(&path, &aside), is_root) {
            hub.record(EntryKind::Note { text });
        }
    });
}

/// What is said about them.
fn notes(result: io::Result<EarlierConnections>, is_root: bool) -> Vec<String> {
    let (ended, left) = match result {
        Ok(EarlierConnections { ended, left }) => (ended, left.map(|(count, error)| (Some(count), error))),
        Err(error) => (0, Some((None, error))),
    };
    let ended = (ended > 0).then(|| {
        format!(
            "{} to the plugin ended, so that the engine connects to voltergeist",
            counted(ended as u64, "earlier connection")
        )
    });
    let left = left.map(|(count, error)| {
        let connections = match count {
            Some(count) => format!("{} that docker already has", counted(count as u64, "connection")),
            None => "the connections that docker already has".to_owned(),
        };
        // Root lacks it in a container, or under a policy.
        let remedy = if error.kind() == io::ErrorKind::PermissionDenied && !is_root {
            "run voltergeist as root, or restart docker to be sure"
        } else {
            "restart docker to be sure"
        };
        format!(
            "cannot end {connections} to the plugin ({error}): calls on them bypass voltergeist until docker connects \
             again; {remedy}"
        )
    });
    ended.into_iter().chain(left).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_says_who_must_connect_again_and_what_to_do() {
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let left = |error| Ok(EarlierConnections { ended: 1, left: Some((2, error)) });
        let said = notes(left(denied()), false);
        assert_eq!(
            said,
            [
                "1 earlier connection to the plugin ended, so that the engine connects to voltergeist",
                "cannot end 2 connections that docker already has to the plugin (permission denied): calls on them \
                 bypass voltergeist until docker connects again; run voltergeist as root, or restart docker to be sure"
            ]
        );
        for said in [notes(left(denied()), true), notes(Err(io::ErrorKind::Unsupported.into()), false)] {
            let last = said.last().expect("something is left");
            assert!(last.ends_with("until docker connects again; restart docker to be sure"), "{last}");
        }
        assert!(notes(Ok(EarlierConnections { ended: 0, left: None }), true).is_empty());
    }
}
