//! `voltergeist serve`: no screen, but every entry as a JSON line on stdout.

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
use tokio::{runtime::Handle, sync::oneshot, time::sleep};
use tokio_util::sync::CancellationToken;

use super::{follow::follow, warnings};
use crate::state::Hub;

/// How long a reader may take for what is left at the end.
const LAST_LINES: Duration = Duration::from_secs(2);

/// Writes lines until somebody ends it, or nobody reads them any more.
pub async fn serve(hub: &Arc<Hub>, shutdown: &CancellationToken) -> anyhow::Result<()> {
    warnings::to_stderr();
    let late = async {
        shutdown.cancelled().await;
        sleep(LAST_LINES).await;
    };
    let missed = tokio::select! {
        missed = write(Arc::clone(hub), shutdown.clone()) => missed,
        () = until_quit(hub, shutdown) => Ok(0),
        () = reader_gone() => Ok(0),
        () = late => Ok(0),
    };
    match missed {
        Ok(0) => Ok(()),
        Ok(missed) => {
            eprintln!("voltergeist: {missed} entries were not written, because stdout was read too slowly");
            Ok(())
        }
        // Whoever reads has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(error).context("cannot write to stdout"),
    }
}

/// On a thread of its own, since a reader that is slow, or stops, holds up the writer.
async fn write(hub: Arc<Hub>, shutdown: CancellationToken) -> io::Result<u64> {
    let (done, written) = oneshot::channel();
    let runtime = Handle::current();
    thread::spawn(move || {
        let lines = follow(hub, BufWriter::new(io::stdout()), shutdown);
        drop(done.send(runtime.block_on(lines)));
    });
    written.await.unwrap_or_else(|_| Err(io::Error::other("the writer panicked")))
}

/// Waits until nobody reads stdout any more, so that not the next entry has to find that out.
async fn reader_gone() {
    let (tell, gone) = oneshot::channel();
    thread::spawn(move || {
        let stdout = io::stdout();
        // Nothing is asked for, so that only an error or a hang-up ends the wait.
        let mut watched = [PollFd::new(&stdout, PollFlags::empty())];
        while poll(&mut watched, None) == Err(Errno::INTR) {}
        let _ = tell.send(());
    });
    if gone.await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// Waits until a command says `quit`, and then for the last lines.
async fn until_quit(hub: &Hub, shutdown: &CancellationToken) {
    let mut desired_state = hub.desired_state();
    drop(desired_state.wait_for(|desired_state| desired_state.quitting).await);
    shutdown.cancel();
    std::future::pending::<()>().await;
}
