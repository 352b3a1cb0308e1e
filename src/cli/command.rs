//! `voltergeist command`: one command line to a running instance.

use anyhow::bail;

use super::{output::print, settings::Settings};
use crate::{
    domain::text::excerpt,
    net::{
        Address,
        client::{Client, ClientError},
    },
};

/// Sends a line and prints its result, in words or as JSON.
pub async fn send(address: &Address, settings: &Settings, json: bool, line: String) -> anyhow::Result<()> {
    let client = Client::new(address.clone(), settings.token()?.as_deref());
    let accept = if json { "application/json" } else { "text/plain" };
    match client.post("/v1/commands", line.clone(), accept).await {
        Ok(result) => {
            let text = String::from_utf8_lossy(&result);
            print(format!("{}\n", text.trim()).as_bytes())?;
            Ok(())
        }
        Err(ClientError::Refused { text, .. }) => bail!("{text}{}", with_caret(&line, &text)),
        Err(error) => Err(error.into()),
    }
}

/// The line with a caret under the column that the error names: the shell may have changed what was typed.
fn with_caret(line: &str, problem: &str) -> String {
    let column = problem.strip_prefix("column ").and_then(|rest| rest.split_once(':'));
    match column.and_then(|(column, _)| column.parse::<usize>().ok()) {
        Some(column) => format!("\n{}", excerpt("", line, column.saturating_sub(1), 1)),
        None => String::new(),
    }
}
