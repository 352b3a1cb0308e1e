//! Texts as the docker command line prints them, whichever engine is behind it.

use serde_json::{Value, json};

use crate::engine_api::CliResult;

/// `docker volume ls`: rows of driver and name.
pub(super) fn volume_table(rows: &[(String, String)]) -> String {
    let width = rows.iter().map(|(driver, _)| driver.len()).max().unwrap_or(0).max(6) + 4;
    let head = ("DRIVER".to_owned(), "VOLUME NAME".to_owned());
    let rows = std::iter::once(&head).chain(rows);
    rows.map(|(driver, name)| format!("{driver:width$}{name}")).collect::<Vec<_>>().join("\n")
}

/// `docker ps`: rows of name and status.
pub(super) fn container_table(rows: &[(String, String)]) -> String {
    let head = ("NAMES".to_owned(), "STATUS".to_owned());
    let rows: Vec<_> = std::iter::once(&head).chain(rows).collect();
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or(0) + 3;
    rows.iter().map(|(name, status)| format!("{name:width$}{status}")).collect::<Vec<_>>().join("\n")
}

/// One thing, as `docker inspect` prints it.
pub(super) fn inspected(thing: &Value) -> CliResult {
    CliResult::success(format!("{:#}", json!([thing])))
}

/// A failed `docker run`: the complaint with the end of the line and a hint after it, and the exit code, which is guessed from the words.
pub(super) fn run_failure(message: &str, hint: &str) -> CliResult {
    let message = message.trim().trim_end_matches('.');
    let code = match message {
        message
            if message.contains("executable file not found")
                || message.contains("no such file or directory") =>
        {
            127
        }
        message if message.contains("permission denied") => 126,
        _ => 125,
    };
    CliResult::failure(code, format!("docker: Error response from daemon: {message}{hint}"))
}

/// Any other failure.
pub(super) fn failure(message: &str) -> CliResult {
    CliResult::failure(1, format!("Error response from daemon: {}", message.trim()))
}
