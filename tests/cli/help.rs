//! What the program says about itself, at 80 columns.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use crate::program::TestHome;

fn said(args: &[&str]) -> String {
    let (status, stdout, stderr) = TestHome::new().run(args);
    assert_eq!((status, stderr.as_str()), (Some(0), ""), "{args:?}");
    stdout.replace(env!("CARGO_PKG_VERSION"), "[version]")
}

#[test]
fn the_short_help_is_one_screen() {
    let help = said(&["-h"]);
    assert!(help.lines().count() <= 48, "it is {} lines long", help.lines().count());
    insta::assert_snapshot!(help);
}

#[test]
fn the_long_help_has_groups_and_examples() {
    insta::assert_snapshot!(said(&["--help"]));
}

#[test]
fn a_command_has_its_own_help() {
    insta::assert_snapshot!(said(&["command", "-h"]));
}

#[test]
fn a_command_shows_the_options_that_do_something_for_it_and_takes_them_all() {
    let help = said(&["command", "--help"]);
    for option in ["--name", "--control", "--config"] {
        assert!(help.contains(option), "no {option} in {help}");
    }
    for option in ["--theme", "--seed", "--root", "--listen", "--record"] {
        assert!(!help.contains(option), "{option} in {help}");
    }
    let (status, _, stderr) = TestHome::new().run(&["command", "--seed", "7", "note x"]);
    assert_eq!(status, Some(1), "no instance runs, but the option is known: {stderr}");
    let demo = said(&["demo", "--help"]);
    assert!(demo.contains("--seed") && demo.contains("in a temporary directory, where"), "{demo}");
    assert!(!demo.contains("/run/docker/plugins"), "{demo}");
}

#[test]
fn a_wrong_command_line_gets_a_correction() {
    let (status, _, stderr) = TestHome::new().run(&["completions", "foo"]);
    assert_eq!(status, Some(2));
    assert!(stderr.contains("[possible values: bash, zsh, fish]"), "{stderr}");
    let (status, _, stderr) = TestHome::new().run(&["play", "--all", "x"]);
    assert_eq!(status, Some(2));
    assert!(
        stderr.contains("play [OPTIONS] [SCENARIO]...\n") && stderr.contains("play [OPTIONS] --all\n"),
        "{stderr}"
    );
}

#[test]
fn help_can_be_asked_for_as_a_command() {
    assert_eq!(said(&["help"]), said(&["--help"]));
    assert_eq!(said(&["help", "command"]), said(&["command", "--help"]));
}

#[test]
fn the_manual_page_contains_all_that_the_help_does() {
    insta::assert_snapshot!(said(&["man"]));
}

#[test]
fn no_line_of_the_help_is_wider_than_the_terminal() {
    for args in [&["-h"][..], &["--help"], &["command", "--help"]] {
        for line in said(args).lines() {
            assert!(line.chars().count() <= 80, "{args:?}: {line}");
        }
    }
}

#[test]
fn completions_know_every_command_and_option() {
    let help = said(&["--help"]);
    let options = help.lines().filter_map(|line| line.trim_start().strip_prefix("--"));
    let options: Vec<&str> =
        options.map(|option| option.split([' ', '=', '[']).next().unwrap_or_default()).collect();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(options.len() > 10 && commands.contains(&"demo"), "{options:?} {commands:?}");
    let offered = [completed(&["--"]), completed(&[""])].concat();
    for word in
        options.iter().map(|option| format!("--{option}")).chain(commands.iter().map(|&word| word.into()))
    {
        assert!(offered.contains(&word), "{word} is missing: {offered:?}");
    }
    for shell in ["bash", "zsh", "fish"] {
        assert!(said(&["completions", shell]).contains("COMPLETE"), "{shell}");
    }
}

/// What the program offers a shell for the last of these words.
fn completed(words: &[&str]) -> Vec<String> {
    let home = TestHome::new();
    let mut program = home.command(&["--", "voltergeist"]);
    program.args(words).env("COMPLETE", "bash").env("_CLAP_COMPLETE_INDEX", words.len().to_string());
    let output = program.env("_CLAP_IFS", "\n").output().expect("the program starts");
    String::from_utf8_lossy(&output.stdout).lines().map(|word| word.trim_end().to_owned()).collect()
}

#[test]
fn bash_completes_a_theme() {
    let home = TestHome::new();
    let script = home.write("completions", &said(&["completions", "bash"]));
    let directory = Path::new(env!("CARGO_BIN_EXE_voltergeist")).parent().expect("a directory").display();
    let asked = format!(
        "PATH={directory}:$PATH COMP_WORDS=(voltergeist --theme hi) COMP_CWORD=2 COMP_TYPE=9; \
         _clap_complete_voltergeist voltergeist hi --theme; echo \"${{COMPREPLY[@]}}\""
    );
    let bash = Command::new("bash")
        .args(["-c", &format!("source {}; {asked}", script.display())])
        .stderr(Stdio::inherit())
        .output();
    let Ok(bash) = bash else { return eprintln!("there is no bash here") };
    assert_eq!(String::from_utf8_lossy(&bash.stdout).trim(), "high-contrast");
}
