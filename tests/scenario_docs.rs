//! The page about scenarios lists the shipped scenarios, and its example is valid.

use std::{collections::BTreeSet, fmt::Write as _, fs, path::Path};

use voltergeist::scenario::{Scenario, ScenarioLibrary};

const HEAD: &str = "## The scenarios\n\n";

fn root(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn scenarios() -> Vec<Scenario> {
    ScenarioLibrary::default()
        .all()
        .into_iter()
        .map(|scenario| scenario.unwrap_or_else(|error| panic!("{error}")).scenario)
        .collect()
}

/// The list, generated from the scenarios.
fn list() -> String {
    let mut list = String::from("| scenario | what happens | |\n|---|---|---|\n");
    for scenario in scenarios() {
        let engines = scenario.engines();
        let Scenario { name, title, dangerous, slow, .. } = scenario;
        let flags = [(dangerous, "dangerous"), (slow, "slow"), (!engines.is_empty(), engines.as_str())];
        let flags: Vec<_> = flags.into_iter().filter_map(|(set, flag)| set.then_some(flag)).collect();
        let _ = writeln!(
            list,
            "| [`{name}`](../assets/scenarios/{name}.toml) | {title} | {} |",
            flags.join(", ")
        );
    }
    list
}

#[test]
fn the_list_of_scenarios_is_generated_from_the_files() {
    let path = root("docs/scenarios.md");
    let page = fs::read_to_string(&path).expect("the page is there");
    let (before, written) = page.split_once(HEAD).expect("the page has a list");
    let list = list();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, format!("{before}{HEAD}{list}")).expect("the page can be written");
        return;
    }
    assert_eq!(written, list, "docs/scenarios.md is old; UPDATE_DOCS=1 cargo test --test scenario_docs");
}

#[test]
fn the_example_is_a_scenario() {
    let page = fs::read_to_string(root("docs/scenarios.md")).expect("the page is there");
    let (_, rest) = page.split_once("```toml\n").expect("the page has an example");
    let (example, _) = rest.split_once("```").expect("the example ends");
    let scenario =
        Scenario::parse("example", "docs/scenarios.md", example).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.steps.len(), 3);
}

#[test]
fn every_scenario_file_is_shipped() {
    let files = fs::read_dir(root("assets/scenarios")).expect("the scenarios are there");
    let files: BTreeSet<String> = files
        .map(|file| {
            file.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
        })
        .collect();
    let shipped: BTreeSet<String> = scenarios().into_iter().map(|scenario| scenario.name).collect();
    assert_eq!(files, shipped);
}
