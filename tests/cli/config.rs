//! The config file: what it may say, what goes before it, and how errors in it are reported.

use serde_json::json;

use crate::{program::TestHome, support::pty::Terminal};

/// Each is wrong. The program says where and what, and what is allowed.
const WRONG: &[(&str, &str)] = &[
    ("an unknown setting", "# fine\n\nthme = \"light\"\n"),
    ("no setting at all", "light\n"),
    ("an unknown table", "[screen]\ntheme = \"light\"\n"),
    ("a setting of the command line only", "config = \"other.toml\"\n"),
    ("a name that is a number", "name = 3\n"),
    ("a seed that is a text", "seed = \"42\"\n"),
    ("a seed below zero", "seed = -1\n"),
    ("a theme that is not there", "\ntheme = \"neon\"\n"),
    ("a colour that is neither", "color = \"sometimes\"\n"),
    ("ascii as a yes", "ascii = true\n"),
    ("an address without a scheme", "listen = \"/run/haunted.sock\"\n"),
    ("an address without a port", "control = \"tcp://localhost\"\n"),
    ("a duration without a unit", "expire = \"10\"\n"),
    ("a duration of nothing", "expire = \"0s\"\n"),
    ("a setting twice", "seed = 1\nname = \"a\"\nseed = 2\n"),
    ("a text without an end", "name = \"haunted\n"),
    ("an unknown action", "[keys]\npause = \"f9\"\nfly = \"f\"\n"),
    ("an action with a slip", "[keys]\npasue = \"f9\"\n"),
    ("an unknown key", "keys.pause = \"hyper-p\"\n"),
    ("an unknown key among others", "[keys]\npause = [\"f9\", \"f13\"]\n"),
    ("a key that is a number", "[keys]\npause = 3\n"),
    ("a list of keys with a number", "[keys]\npause = [\n  \"f9\",\n  3,\n]\n"),
    ("keys that are no table", "keys = \"p\"\n"),
    ("a key that something else has", "[keys]\npause = \"q\"\n"),
    ("a key for two actions", "[keys]\npause = \"f9\"\nfilter = [\"/\", \"f9\"]\n"),
    ("two ways to begin", "start-down = \"refuse\"\nlisten-after = \"50s\"\n"),
    ("directories of another plugin", "plain = true\nupstream = \"rclone\"\n"),
    ("an action twice", "[keys]\npause = \"f9\"\npause = \"f10\"\n"),
];

#[test]
fn a_wrong_file_is_reported_with_line_and_key_and_what_is_allowed() {
    let messages = WRONG.iter().map(|(what, text)| {
        let home = TestHome::new();
        let path = home.write("bad.toml", text).display().to_string();
        let (status, stdout, stderr) = home.run(&["command", "--config", &path, "up"]);
        assert_eq!((status, stdout.as_str()), (Some(2), ""), "{what}: {stderr}");
        let place = format!("voltergeist: {path}:");
        assert!(stderr.starts_with(&place), "{what}: {stderr}");
        format!("# {what}\n{}", stderr.replace(&path, "bad.toml"))
    });
    insta::assert_snapshot!(messages.collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_file_that_cannot_be_read_is_reported_by_name() {
    let home = TestHome::new();
    let path = home.path("nowhere.toml").display().to_string();
    for arguments in [&["demo", "--config", &path][..], &["command", "--config", &path, "up"]] {
        let (status, _, stderr) = home.run(arguments);
        assert_eq!(status, Some(2), "{stderr}");
        assert!(stderr.contains("nowhere.toml") && stderr.contains("--config FILE"), "{stderr}");
    }
}

#[test]
fn the_command_line_goes_before_the_variable_and_that_before_the_file() {
    for (file, variable, option, expected) in [
        (None, None, None, "voltergeist"),
        (Some("file"), None, None, "file"),
        (Some("file"), Some("variable"), None, "variable"),
        (Some("file"), Some("variable"), Some("option"), "option"),
        (Some("file"), None, Some("option"), "option"),
        (None, Some("variable"), None, "variable"),
    ] {
        let home = TestHome::new();
        if let Some(name) = file {
            home.configure(&format!("name = {name:?}\n"));
        }
        let env: Vec<_> = variable.iter().map(|name| ("VOLTERGEIST_NAME", *name)).collect();
        let args: Vec<_> =
            ["serve"].into_iter().chain(option.iter().flat_map(|name| ["--name", name])).collect();
        let state = home.start(&args, &env).state();
        assert_eq!(state["driver"]["name"], expected, "{file:?} {variable:?} {option:?}");
    }
}

/// The names of all settings, as the printed config has them.
fn settings(home: &TestHome) -> Vec<String> {
    let (_, printed, _) = home.run(&["--print-config"]);
    let printed = printed.split("# Key bindings").next().unwrap_or_default();
    let examples = printed.split('`').skip(1).step_by(2);
    let lines = printed.lines().filter_map(|line| line.strip_prefix('#'));
    let names = examples.chain(lines).filter_map(|text| text.split_once(" = "));
    let is_name = |name: &&str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let mut names: Vec<_> = names.map(|(name, _)| name).filter(is_name).map(str::to_owned).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let home = TestHome::new();
    let names = [settings(&home), vec!["config".into(), "panic-on".into()]].concat();
    assert!(names.len() > 22 && names.contains(&"arm".into()), "{names:?}");
    let variable = |name: &String| format!("VOLTERGEIST_{}", name.replace('-', "_").to_uppercase());
    let variables: Vec<_> = names.iter().map(variable).collect();
    for variable in &variables {
        let mut command = home.command(&["command", "up"]);
        let output = command.env(variable, "").output().expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{variable}: only an instance is missing: {error}");
    }
    home.configure("seed = 7\nname = \"file\"\narm = \"get: empty\"\n");
    let lines = [("VOLTERGEIST_ARM", "\nlist: null\n\nmount: empty as hollow\n")];
    assert_eq!(home.start(&["serve"], &lines).state()["faults"][1]["label"], "hollow");
    let empty: Vec<_> = variables.iter().map(|variable| (variable.as_str(), "")).collect();
    let instance = home.start(&["serve"], &empty);
    let state = instance.state();
    assert_eq!((&state["seed"], &state["driver"]["name"]), (&json!(7), &json!("file")), "{state}");
    assert_eq!(state["faults"][0]["rule"], "get: empty");
    assert_eq!(instance.call("/VolumeDriver.List", "{}").0, 200);
}

#[test]
fn of_two_ways_to_begin_the_command_line_goes_before_the_variable() {
    let late = ("VOLTERGEIST_LISTEN_AFTER", "50s");
    for (args, env, expected) in [
        (&["--start-down", "refuse", "--listen-after", "1s"][..], &[][..], "--start-down and --listen-after"),
        (
            &[],
            &[("VOLTERGEIST_START_DOWN", "refuse"), late],
            "VOLTERGEIST_START_DOWN and VOLTERGEIST_LISTEN_AFTER",
        ),
        (&["--upstream", "rclone", "--mount"], &[], "--upstream and --mount"),
        (&["--upstream", "rclone"], &[("VOLTERGEIST_PLAIN", "true")], "--upstream and VOLTERGEIST_PLAIN"),
    ] {
        let home = TestHome::new();
        let mut command = home.command(&[&["command"], args, &["up"]].concat());
        let output = command.envs(env.iter().copied()).output().expect("it runs");
        let error = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{error}");
        assert!(
            error.contains(&format!("{expected} contradict each other; leave one of them out")),
            "{error}"
        );
    }
    let home = TestHome::new();
    home.configure("start-down = \"reset\"\n");
    let status =
        |args: &[&str], env: &[(&str, &str)]| home.start(args, env).state()["driver"]["status"].clone();
    assert_eq!(status(&["serve"], &[]), "down reset");
    assert_eq!(status(&["serve"], &[("VOLTERGEIST_START_DOWN", "blackhole")]), "down blackhole");
    let refuse = ["serve", "--start-down", "refuse"];
    assert_eq!(status(&refuse, &[late]), "down refuse");
    let unlinked = status(&["serve", "--listen-after", "50s"], &[("VOLTERGEIST_START_DOWN", "blackhole")]);
    assert!(unlinked.as_str().is_some_and(|status| status.starts_with("down unlink")), "{unlinked}");
}

#[test]
fn a_file_and_the_command_line_must_not_contradict_each_other() {
    let home = TestHome::new();
    home.configure("upstream = \"unix:/run/none.sock\"\n");
    let output = home.command(&["serve", "--mount"]).output().expect("it runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{error}");
    assert!(
        error.contains(
            "upstream and mount contradict each other, and one of them is in the config file; leave one of them \
             out, or set --mount=false"
        ),
        "{error}"
    );
    home.configure("upstream = \"unix:/run/none.sock\"\nname = \"x\"\n");
    let output = home.command(&["command", "--mount=false", "up"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "only an instance is missing");
}

#[test]
fn a_named_file_goes_before_the_users_own() {
    let home = TestHome::new();
    home.configure("name = \"own\"\nseed = 1\n");
    let other = home.write("other.toml", "name = \"other\"\n").display().to_string();
    assert_eq!(home.start(&["serve"], &[]).state()["seed"], 1);
    let named = home.start(&["serve", "--config", &other], &[]).state();
    assert_eq!(named["driver"]["name"], "other");
    let variable = home.start(&["serve"], &[("VOLTERGEIST_CONFIG", &other)]).state();
    assert_eq!(variable["driver"]["name"], "other");
}

#[test]
fn what_the_file_says_is_done() {
    let home = TestHome::new();
    let record = home.path("calls.jsonl");
    home.configure(&format!("seed = 42\nexpire = \"1h\"\nrecord = {:?}\n", record.display().to_string()));
    let instance = home.start(&["serve"], &[]);
    assert_eq!(home.send("arm get: empty").0, Some(0));
    let state = instance.state();
    assert_eq!(state["seed"], 42);
    assert_ne!(state["faults"][0]["remaining"]["until"], json!(null));
    drop(instance);
    assert!(record.exists());
}

#[test]
fn the_printed_config_is_a_good_file_and_needs_none() {
    let home = TestHome::new();
    home.configure("this is no config\n");
    let (status, printed, _) = home.run(&["--print-config"]);
    assert_eq!(status, Some(0));
    home.configure(&printed);
    let (status, _, stderr) = home.run(&["command", "up"]);
    assert_eq!(status, Some(1), "only an instance is missing: {stderr}");
}

#[test]
fn a_key_of_the_file_is_on_the_screen_and_does_what_it_says() {
    let home = TestHome::new();
    home.write("voltergeist/config.toml", "[keys]\nquit = \"f10\"\nhelp = []\n");
    let mut terminal = Terminal::start(120, 40, &home.path(""), &[], &[]);
    terminal.wait_for_text("F10 quit");
    assert!(!terminal.text().contains("? help"), "{}", terminal.text());
    terminal.press("\x1b[21~");
    assert!(terminal.wait_for_end().success());
    terminal.assert_restored();
}
