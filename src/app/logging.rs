//! Warnings of the program itself: on stderr, or as notes in the journal while the console has the terminal.

use std::{
    io::{self, Write},
    sync::Arc,
};

use tokio::sync::mpsc;
use tracing::{Level, Subscriber};

use crate::{domain::model::entry::EntryKind, hub::Hub};

/// Writes warnings to stderr.
pub fn to_stderr() {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
}

/// Records each warning as a note.
pub fn to_journal(hub: &Arc<Hub>) {
    let (sender, mut warnings) = mpsc::unbounded_channel();
    // It fails only if there is a subscriber already, and then that one gets the warnings.
    let _ = tracing::subscriber::set_global_default(subscriber(sender));
    let hub = Arc::clone(hub);
    tokio::spawn(async move {
        while let Some(text) = warnings.recv().await {
            hub.record(EntryKind::Note { text });
        }
    });
}

/// Sends each warning as a line. A channel, since the lock that a note needs may be held where the warning is emitted.
fn subscriber(sender: mpsc::UnboundedSender<String>) -> impl Subscriber {
    tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || WarningWriter(sender.clone()))
        .finish()
}

/// Gets one warning, in one piece.
struct WarningWriter(mpsc::UnboundedSender<String>);

impl Write for WarningWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // The receiver is gone only when the program ends.
        let _ = self.0.send(format!("warning: {}", String::from_utf8_lossy(text).trim_end()));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_is_one_line_and_lower_levels_are_ignored() {
        let (sender, mut warnings) = mpsc::unbounded_channel();
        tracing::subscriber::with_default(subscriber(sender), || {
            tracing::info!("all is well");
            tracing::warn!(error = "no space", "cannot delete it; will retry");
        });
        let expected = "warning: cannot delete it; will retry error=\"no space\"";
        assert_eq!(warnings.try_recv().as_deref(), Ok(expected));
        assert!(warnings.try_recv().is_err());
    }
}
