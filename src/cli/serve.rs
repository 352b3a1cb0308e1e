//! `voltergeist serve`: no screen; every entry as a JSON line on stdout.

use std::{
    io::{self, BufWriter, ErrorKind},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::Context;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use tokio::{sync::oneshot, time::sleep};
use tokio_util::sync::CancellationToken;

use super::output::complain;
use crate::{
    app::{Services, logging, recording::follow},
    hub::Hub,
};

/// How long the reader may take for the last lines.
const LAST_LINES_TIMEOUT: Duration = Duration::from_secs(2);

/// Writes lines until the end is requested, or until the reader closes the pipe.
pub async fn serve(services: &Services) -> anyhow::Result<()> {
    logging::to_stderr();
    // The last lines are those of a scenario that is cleaned up.
    let (hub, last) = (services.hub(), &services.cleaned_up);
    let timed_out = async {
        last.cancelled().await;
        sleep(LAST_LINES_TIMEOUT).await;
    };
    let missed = tokio::select! {
        missed = follow(Arc::clone(hub), BufWriter::new(io::stdout()), last.clone()) => missed,
        () = until_quit(hub, last) => Ok(0),
        () = reader_closed() => Ok(0),
        () = timed_out => Ok(0),
    };
    match missed {
        Ok(0) => Ok(()),
        Ok(missed) => {
            complain(&format!("{missed} entries were not written, because stdout was read too slowly"));
            Ok(())
        }
        // The reader does not want more.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error).context("cannot write to stdout"),
    }
}

/// Waits until the reader of stdout closes the pipe, even if nothing is written.
async fn reader_closed() {
    let (sender, closed) = oneshot::channel();
    thread::spawn(move || {
        let stdout = io::stdout();
        // No event is asked for, so that only an error or a hang-up ends the wait.
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        let _ = sender.send(());
    });
    if closed.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// After the command `quit`, stops writing; never returns, since the last lines are still to be written.
async fn until_quit(hub: &Hub, last: &CancellationToken) {
    let mut desired_state = hub.desired_state();
    drop(desired_state.wait_for(|desired_state| desired_state.quitting).await);
    last.cancel();
    std::future::pending::<()>().await;
}
