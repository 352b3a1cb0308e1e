//! Completion in the shell, with what is true at that moment: running instances, their volumes, labels and scenarios.

use std::{ffi::OsStr, io, time::Duration};

use clap_complete::{CompletionCandidate, env::Shells};
use serde::Deserialize;

use crate::{
    app::paths,
    domain::lang::command::{FORMS, Outage, ScenarioControl},
    net::{Address, client::Client},
};

/// The longest that a shell waits for an instance.
const COMPLETION_TIMEOUT: Duration = Duration::from_millis(500);

/// Writes the script that makes a shell ask this program for completions.
pub fn script(shell: &str, out: &mut impl io::Write) -> io::Result<()> {
    let shells = Shells::builtins();
    let shell =
        shells.completer(shell).ok_or_else(|| io::Error::other(format!("no completions for {shell}")))?;
    shell.write_registration("COMPLETE", "voltergeist", "voltergeist", "voltergeist", out)
}

/// The names of the running instances.
pub fn instances() -> Vec<CompletionCandidate> {
    let running = paths::own().running_instances().into_iter();
    running.map(|instance| CompletionCandidate::new(instance.name)).collect()
}

/// The names of the running instances that are not named yet.
pub fn more_instances(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let named: Vec<_> = std::env::args().collect();
    // The last one is the word that is being typed.
    let named = &named[..named.len().saturating_sub(1)];
    let running = paths::own().running_instances().into_iter().map(|instance| instance.name);
    running
        .filter(|name| name.starts_with(&*typed) && !named.contains(name))
        .map(CompletionCandidate::new)
        .collect()
}

/// What can stand at the end of a command line that is given in one word or in several.
pub fn command_word(typed: &OsStr) -> Vec<CompletionCandidate> {
    let typed = typed.to_string_lossy();
    let before = std::env::args().skip_while(|word| word != "command").skip(1);
    let mut words: Vec<String> = before.collect();
    // The last one is the word that is being typed.
    words.pop();
    candidates(&words, &typed, known)
}

/// What an instance knows.
#[derive(Default, Deserialize)]
struct Known {
    volumes: Vec<Named>,
    faults: Vec<Labelled>,
    scenarios: Vec<String>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Labelled {
    id: u32,
    label: Option<String>,
}

fn candidates(words: &[String], typed: &str, known: impl Fn() -> Known) -> Vec<CompletionCandidate> {
    // `command 'forget db1'` and `command forget db1` are the same line.
    let line: Vec<&str> = words.iter().flat_map(|word| word.split_whitespace()).collect();
    let (prefix, begun) = match typed.rfind(' ') {
        Some(space) => typed.split_at(space + 1),
        None => ("", typed),
    };
    let line: Vec<&str> = line.into_iter().chain(prefix.split_whitespace()).collect();
    let offered: Vec<String> = match line[..] {
        [] => FORMS.iter().map(|(word, ..)| (*word).to_owned()).collect(),
        ["forget" | "restore" | "unmount"] => known().volumes.into_iter().map(|volume| volume.name).collect(),
        ["disarm"] => {
            let rules = known().faults.into_iter();
            let rules = rules.map(|rule| rule.label.unwrap_or_else(|| rule.id.to_string()));
            rules.chain(["all".to_owned()]).collect()
        }
        ["play"] => {
            let controls = ScenarioControl::ALL.map(|control| control.as_str().to_owned());
            known().scenarios.into_iter().chain(controls).collect()
        }
        ["down"] => Outage::ALL.map(|outage| outage.as_str().to_owned()).into(),
        ["crash"] => vec!["keep".into(), "lose".into()],
        ["release"] => vec!["all".into()],
        _ => Vec::new(),
    };
    let fitting = offered.into_iter().filter(|word| word.starts_with(begun));
    fitting.map(|word| CompletionCandidate::new(format!("{prefix}{word}"))).collect()
}

/// Asks the instance that a command would go to.
fn known() -> Known {
    let words: Vec<String> = std::env::args().collect();
    let option = |name: &str| {
        let given = words.iter().position(|word| word == name).and_then(|index| words.get(index + 1));
        given.cloned().or_else(|| {
            let assigned = format!("{name}=");
            words.iter().find_map(|word| word.strip_prefix(&assigned)).map(str::to_owned)
        })
    };
    let instances = paths::own().running_instances();
    let name =
        option("--name").or_else(|| std::env::var("VOLTERGEIST_NAME").ok().filter(|name| !name.is_empty()));
    let control = option("--control").and_then(|control| control.parse::<Address>().ok());
    let found = || {
        let named = name.as_deref().unwrap_or(super::settings::DEFAULT_NAME);
        let found = instances.iter().find(|instance| instance.name == named).or_else(|| instances.first());
        found.map(|instance| Address::Unix(Some(instance.socket.clone())))
    };
    let Some(address) = control.or_else(found) else { return Known::default() };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Known::default();
    };
    runtime.block_on(async {
        let client = Client::new(address, None);
        let state = tokio::time::timeout(COMPLETION_TIMEOUT, client.get("/v1/state")).await;
        state
            .ok()
            .and_then(Result::ok)
            .and_then(|state| serde_json::from_slice(&state).ok())
            .unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(words: &[&str], typed: &str) -> Vec<String> {
        let known = || Known {
            volumes: ["db1", "web"].map(|name| Named { name: name.into() }).into(),
            faults: vec![Labelled { id: 1, label: Some("busy".into()) }, Labelled { id: 2, label: None }],
            scenarios: vec!["empty-retry".into()],
        };
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let candidates = candidates(&words, typed, known);
        candidates.iter().map(|candidate| candidate.get_value().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn a_command_is_completed_with_what_the_instance_has() {
        assert_eq!(offered(&[], "dis"), ["disarm"]);
        assert_eq!(offered(&["forget"], "d"), ["db1"]);
        assert_eq!(offered(&[], "forget d"), ["forget db1"]);
        assert_eq!(offered(&["disarm"], ""), ["busy", "2", "all"]);
        assert_eq!(offered(&["play"], "e"), ["empty-retry"]);
        assert_eq!(offered(&["down"], "re"), ["refuse", "reset"]);
        assert!(offered(&["arm", "get:"], "").is_empty());
    }
}
