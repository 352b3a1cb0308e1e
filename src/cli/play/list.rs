//! The list of all scenarios.

use std::{fmt::Write as _, path::PathBuf, process::ExitCode};

use serde::Serialize;

use crate::{
    cli::output::{USAGE, complain, print as print_text},
    domain::lang::json,
    scenario::{LoadedScenario, ScenarioLibrary},
};

/// A scenario in the list.
#[derive(Serialize)]
struct Listed<'c> {
    name: &'c str,
    title: &'c str,
    description: &'c str,
    dangerous: bool,
    slow: bool,
    #[serde(skip_serializing_if = "str::is_empty")]
    engines: String,
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
            engines: scenario.engines(),
            steps: scenario.steps.len(),
            file: file.as_ref(),
        }
    }

    fn flags(&self) -> String {
        let flags = [("dangerous", self.dangerous), ("slow", self.slow), ("your own", self.file.is_some())];
        let flags = flags.iter().filter(|(_, set)| *set).map(|(word, _)| *word);
        let engines = Some(self.engines.as_str()).filter(|engines| !engines.is_empty());
        let flags: Vec<_> = flags.chain(engines).collect();
        if flags.is_empty() { String::new() } else { format!("  ({})", flags.join(", ")) }
    }
}

/// Prints all scenarios, and the errors of invalid files.
pub fn print(library: &ScenarioLibrary, as_json: bool) -> anyhow::Result<ExitCode> {
    let (mut scenarios, mut errors) = (Vec::new(), Vec::new());
    for scenario in library.all() {
        match scenario {
            Ok(scenario) => scenarios.push(scenario),
            Err(error) => errors.push(error),
        }
    }
    let width = scenarios.iter().map(|loaded| loaded.scenario.name.len()).max().unwrap_or(0);
    let mut text = String::new();
    for scenario in scenarios.iter().map(Listed::new) {
        if as_json {
            writeln!(text, "{}", json::line(&scenario)?)?;
        } else {
            writeln!(text, "{:width$}  {}{}", scenario.name, scenario.title, scenario.flags())?;
        }
    }
    print_text(text.as_bytes())?;
    for error in &errors {
        complain(&error.to_string());
    }
    Ok(if errors.is_empty() { ExitCode::SUCCESS } else { USAGE.into() })
}
