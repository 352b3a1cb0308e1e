//! The list of all cards.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use serde::Serialize;

use crate::{
    cli,
    engine::scenario::{LoadedScenario, ScenarioLibrary},
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
    fn new(LoadedScenario { scenario, file }: &'c LoadedScenario) -> Self {
        Self {
            name: &scenario.name,
            title: &scenario.title,
            description: &scenario.description,
            dangerous: scenario.dangerous,
            slow: scenario.slow,
            steps: scenario.steps.len(),
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
pub fn print(library: &ScenarioLibrary, json: bool) -> anyhow::Result<ExitCode> {
    let (mut scenarios, mut wrong) = (Vec::new(), Vec::new());
    for scenario in library.all() {
        match scenario {
            Ok(scenario) => scenarios.push(scenario),
            Err(error) => wrong.push(error),
        }
    }
    let width = scenarios.iter().map(|loaded| loaded.scenario.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios.iter().map(Listed::new) {
        if json {
            writeln!(text, "{}", serde_json::to_string(&scenario)?)?;
        } else {
            writeln!(text, "{:width$}  {}{}", scenario.name, scenario.title, scenario.remarks())?;
        }
    }
    cli::print(text.as_bytes())?;
    for error in &wrong {
        eprintln!("voltergeist: {error}");
    }
    Ok(if wrong.is_empty() { ExitCode::SUCCESS } else { cli::USAGE.into() })
}
