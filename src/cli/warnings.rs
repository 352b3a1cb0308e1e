//! The program's own warnings: on stderr where there is no screen, and as notes in the journal where there is one, since
//! a line on stderr would tear the picture.

use std::{
    io::{self, Write},
    sync::Arc,
};

use tokio::sync::mpsc;
use tracing::{Level, Subscriber};

use crate::{domain::model::entry::EntryKind, state::Hub};

/// Tells them on stderr.
pub fn to_stderr() {
    tracing_subscriber::fmt().with_writer(io::stderr).init();
}

/// Makes a note of each.
pub fn to_journal(hub: &Arc<Hub>) {
    let (tell, mut told) = mpsc::unbounded_channel();
    // A second console in one process would tell the first one's journal, and that is all that could go wrong.
    let _ = tracing::subscriber::set_global_default(notes(tell));
    let hub = Arc::clone(hub);
    tokio::spawn(async move {
        while let Some(text) = told.recv().await {
            hub.record(EntryKind::Note { text });
        }
    });
}

/// Sends each warning as a line. Through a channel, since whoever warns may hold the very lock that a note needs.
fn notes(tell: mpsc::UnboundedSender<String>) -> impl Subscriber {
    tracing_subscriber::fmt()
        .with_max_level(Level::WARN)
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || Line(tell.clone()))
        .finish()
}

/// Takes one warning, which is written in one piece.
struct Line(mpsc::UnboundedSender<String>);

impl Write for Line {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        // Whoever would read it is gone at the end of the program.
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
    fn a_warning_is_one_line_and_what_is_less_is_none() {
        let (tell, mut told) = mpsc::unbounded_channel();
        tracing::subscriber::with_default(notes(tell), || {
            tracing::info!("all is well");
            tracing::warn!(error = "no space", "cannot delete it; it is tried again");
        });
        let expected = "warning: cannot delete it; it is tried again error=\"no space\"";
        assert_eq!(told.try_recv().as_deref(), Ok(expected));
        assert!(told.try_recv().is_err());
    }
}
