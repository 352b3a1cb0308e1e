//! `voltergeist serve`: no screen; every entry as a line on stdout.

use std::io::{self, BufWriter, ErrorKind};

use anyhow::Context;

use super::output::{complain, stdout_closed};
use crate::{
    app::{
        Services,
        line_output::{LineFormat, Writer},
    },
    domain::{model::entry::EntryKind, text::counted},
    hub::Hub,
};

/// The lines on stdout.
pub struct ServedLines {
    writer: Writer,
    /// How many entries were missed, if the writer has ended.
    ended: Option<io::Result<u64>>,
}

/// Writes lines until the end is requested, or until the reader closes the pipe.
pub async fn serve(services: &Services, format: LineFormat) -> ServedLines {
    let hub = services.hub();
    for entry in hub.entries_after(0, usize::MAX).0 {
        if let EntryKind::Note { text } = &entry.kind {
            complain(text);
        }
    }
    let mut writer = Writer::start(hub, (BufWriter::new(io::stdout()), format), &services.ended);
    let ended = tokio::select! {
        ended = writer.ended() => Some(ended),
        () = services.shutdown.requested.cancelled() => None,
        () = until_quit(hub) => None,
        () = stdout_closed() => None,
    };
    ServedLines { writer, ended }
}

impl ServedLines {
    /// Waits until the last lines are written, and says how many were not.
    pub async fn finish(mut self) -> anyhow::Result<()> {
        let missed = match self.ended {
            Some(ended) => ended,
            None => self.writer.finish().await,
        };
        match missed {
            Ok(0) => Ok(()),
            Ok(missed) => {
                complain(&format!("{missed} entries were not written, because stdout was read too slowly"));
                Ok(())
            }
            // The reader does not want more, or was ended.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                let unwritten = counted(self.writer.unwritten(), "entry");
                complain(&format!("stdout was closed; not written: at most {unwritten}"));
                Ok(())
            }
            Err(error) => Err(error).context("cannot write to stdout"),
        }
    }
}

/// Waits for the command `quit`.
async fn until_quit(hub: &Hub) {
    let mut desired_state = hub.watch_desired_state();
    drop(desired_state.wait_for(|desired_state| desired_state.quitting).await);
}
