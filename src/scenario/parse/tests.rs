//! What is accepted, and where an error is.

use super::*;
use crate::engine_api::Profile;

const HEAD: &str = "title = \"t\"\ndescription = \"s\"\n";

fn parse(text: &str) -> Result<Scenario, ScenarioError> {
    Scenario::parse("scenario", "scenario.toml", text)
}

#[test]
fn a_file_gives_actions_and_expectations() {
    let steps = r#"
        [[step]]
        docker = "docker volume create -d {driver} ghost"
        calls = ["get ghost", "create ghost"]

        [[step]]
        docker = "docker volume rm ghost"
        background = "rm"

        [[step]]
        sleep = "2s"

        [[step]]
        wait_for = "rm"
        fails_with = "no"
    "#;
    let scenario =
        parse(&format!("{HEAD}call_counts = {{ create = 1 }}\n{steps}")).expect("a valid scenario");
    let actions: Vec<_> = scenario.steps.iter().map(|step| &step.action).collect();
    assert_eq!(
        actions,
        [
            &ScenarioAction::Docker { background: None },
            &ScenarioAction::Docker { background: Some("rm".into()) },
            &ScenarioAction::Sleep(std::time::Duration::from_secs(2)),
            &ScenarioAction::WaitFor("rm".into()),
        ]
    );
    assert_eq!(scenario.steps[3].expect.fails_with, ["no"]);
    assert_eq!(scenario.steps[0].filled("d", "a"), "docker volume create -d d ghost");
    assert_eq!(scenario.names().volumes, ["ghost".to_owned()].into());
}

#[test]
fn a_scenario_and_a_step_can_be_for_some_engines_only() {
    let steps = r#"
        on = ["20.10", "current"]
        [[step]]
        on = "20.10"
        sleep = "1s"
        [[step]]
        sleep = "2s"
    "#;
    let scenario = parse(&format!("{HEAD}{steps}")).expect("a valid scenario");
    let is_for = Profile::ALL.map(|engine| scenario.is_for(engine));
    assert_eq!(is_for, [true, true, false]);
    assert_eq!(scenario.engines(), "on 20.10 and current");
    let steps = Profile::ALL.map(|engine| scenario.clone().on_engine(engine).steps.len());
    assert_eq!(steps, [2, 1, 1]);
}

#[test]
fn an_error_has_file_line_and_key() {
    for (body, expected) in [
        ("title = 5", "scenario.toml:1: title: invalid type: integer `5`, expected a string"),
        ("titel = \"t\"", "scenario.toml:1: titel: unknown field `titel`, expected one of"),
        ("title = \"t\"\ndescription = \"s\"", "missing field `step`"),
        ("title = \"t", "scenario.toml:1: title: "),
        (
            "title = \"t\"\ndescription = \"s\"\ncall_counts = { mounts = 1 }\n[[step]]\nsleep = \"1s\"",
            "scenario.toml:3: call_counts: unknown operation \"mounts\"",
        ),
        (
            "title = \"t\"\ndescription = \"s\"\non = \"19.03\"\n[[step]]\nsleep = \"1s\"",
            "scenario.toml:3: on: unknown engine \"19.03\"; choose 20.10, current, podman",
        ),
        (
            "title = \"t\"\ndescription = \"s\"\nfresh_engine = true\n[[step]]\nsleep = \"1s\"",
            "scenario.toml:3: fresh_engine: requires dangerous = true",
        ),
    ] {
        let error = parse(body).expect_err(body).to_string();
        assert!(error.contains(expected), "{body}: {error}");
    }
    for (step, expected) in [
        ("docker = \"docker volume creat x\"", "scenario.toml:4: docker: unrecognized subcommand 'creat'"),
        (
            "sleep = \"1s\"\nexpect = [\"mont == 1\"]",
            "scenario.toml:5: expect: \"mont == 1\": column 1: found \"mont\", did you mean \"mount\"?",
        ),
        ("say = \"hm\"", "scenario.toml:3: step: a step needs exactly one of"),
        ("sleep = \"1s\"\ncommand = \"up\"", "scenario.toml:3: step: a step needs exactly one of"),
        ("sleep = \"soon\"", "scenario.toml:4: sleep: invalid duration \"soon\""),
        (
            "command = \"dwon\"",
            "scenario.toml:4: command: column 1: unknown command \"dwon\", did you mean \"down\"?",
        ),
        ("command = \"quit\"", "scenario.toml:4: command: a scenario cannot quit"),
        ("command = \"wipe\"", "scenario.toml:4: command: requires dangerous = true, since it removes"),
        (
            "command = \"arm --yes list: null-entry\"",
            "scenario.toml:4: command: requires dangerous = true, since it can crash",
        ),
        (
            "docker = \"systemctl restart docker\"",
            "scenario.toml:4: docker: requires dangerous = true, since it can stop",
        ),
        (
            "docker = \"docker plugin disable me/mine\"",
            "scenario.toml:4: docker: requires dangerous = true, since the plugin",
        ),
        (
            "docker = \"docker run -v /etc:/x busybox\"",
            "scenario.toml:4: docker: a scenario cannot mount a host directory",
        ),
        (
            "wait_for = \"run\"",
            "scenario.toml:4: wait_for: no docker command runs in the background as \"run\"",
        ),
        ("sleep = \"1s\"\nbackground = \"b\"", "scenario.toml:5: background: only a docker command"),
        (
            "sleep = \"1s\"\nfails_with = \"no\"",
            "scenario.toml:3: sleep: fails_with, may_fail, output_contains and output_lacks need",
        ),
        (
            "docker = \"docker volume ls\"\nmay_fail = true\nfails_with = \"no\"",
            "scenario.toml:3: may_fail: contradicts fails_with",
        ),
        (
            "docker = \"docker volume ls\"\nbackground = \"b\"",
            "background: missing a later step with wait_for = \"b\"",
        ),
    ] {
        let error = parse(&format!("{HEAD}[[step]]\n{step}")).expect_err(step).to_string();
        assert!(error.contains(expected), "{step}: {error}");
    }
}
