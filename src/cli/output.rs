//! What is printed in several places, and the exit status for wrong usage.

use std::io::{self, ErrorKind, Write as _};

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
