//! The list of all cards.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use serde::Serialize;

use crate::{
    cli,
    engine::scenario::{Shelf, Shelved},
};

/// A card in the list.
#[derive(Serialize)]
struct Listed<'c> {
    name: &'c str,
    title: &'c str,
    description: &'c str,
    dangerous: bool,
    slow: bool,
    steps: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<&'c PathBuf>,
}

impl<'c> Listed<'c> {
    fn new(Shelved { card, file }: &'c Shelved) -> Self {
        Self {
            name: &card.name,
            title: &card.title,
            description: &card.shows,
            dangerous: card.dangerous,
            slow: card.slow,
            steps: card.steps.len(),
            file: file.as_ref(),
        }
    }

    fn remarks(&self) -> String {
        let remarks = [("dangerous", self.dangerous), ("slow", self.slow), ("your own", self.file.is_some())];
        let remarks: Vec<_> = remarks.iter().filter(|(_, holds)| *holds).map(|(word, _)| *word).collect();
        if remarks.is_empty() { String::new() } else { format!("  ({})", remarks.join(", ")) }
    }
}

/// Prints all cards, and tells what is wrong with the others.
pub fn print(shelf: &Shelf, json: bool) -> anyhow::Result<ExitCode> {
    let (mut cards, mut wrong) = (Vec::new(), Vec::new());
    for card in shelf.all() {
        match card {
            Ok(card) => cards.push(card),
            Err(error) => wrong.push(error),
        }
    }
    let width = cards.iter().map(|shelved| shelved.card.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for card in cards.iter().map(Listed::new) {
        if json {
            writeln!(text, "{}", serde_json::to_string(&card)?)?;
        } else {
            writeln!(text, "{:width$}  {}{}", card.name, card.title, card.remarks())?;
        }
    }
    cli::print(text.as_bytes())?;
    for error in &wrong {
        eprintln!("voltergeist: {error}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { cli::USAGE.into() })
}
