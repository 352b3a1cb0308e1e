//! What is printed in several places, and the exit status for wrong usage.

use std::{
    io::{self, ErrorKind, Write as _},
    thread,
};

use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use tokio::sync::oneshot;

use crate::domain::text::clean_lines;

/// The exit status for a wrong command line or config file.
pub const USAGE: u8 = 2;

/// Printed if the clean-up after a scenario was cut short.
pub const NOT_REMOVED: &str =
    "some containers or volumes may remain; see docker ps -a --filter label=voltergeist.scenario";

/// Prints a text. A reader that has closed the pipe is no error.
pub fn print(text: &[u8]) -> io::Result<()> {
    let text = String::from_utf8_lossy(text);
    match io::stdout().write_all(clean_lines(&text).as_bytes()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Prints an error or a warning on stderr. That stderr is gone, with its terminal perhaps, is no error.
pub fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "voltergeist: {}", clean_lines(text));
}

/// Waits until the reader of stdout closes the pipe, or the terminal is gone, even if nothing is written.
pub async fn stdout_closed() {
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
