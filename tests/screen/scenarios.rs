//! Scenarios in the console: how one is chosen, how it looks while it is played, and which keys direct it.

use voltergeist::{
    console::model::Effect,
    domain::model::{
        entry::EntryKind,
        protocol::Operation,
        scenario::{End, ScenarioEvent, ScenarioInfo, ScenarioResult, StepSpec},
        speed::DemoSpeed,
    },
};

use super::fixture::{Fixture, TestConsole, call};

const SIZES: [(u16, u16); 3] = [(200, 50), (80, 24), (40, 10)];

/// A driver on whose engine scenarios can be played, one of which is the user's own and no scenario.
pub fn offering() -> Fixture {
    let offer = |name: &str, title: &str, shows: &str| ScenarioInfo {
        name: name.into(),
        title: title.into(),
        description: shows.into(),
        ..ScenarioInfo::default()
    };
    let problem = "scenarios/mine.toml:4: docker: unrecognized subcommand 'creat'; see docs/scenarios.md";
    let mut fixture = Fixture::busy();
    fixture.catalog.scenarios = [
        ScenarioInfo { own: true, problem: Some(problem.into()), ..offer("mine", "", "") },
        offer(
            "labels-lost",
            "One empty Get, and the labels are gone for good",
            "Whatever a plugin answers to a Get that is not a volume means \"no such volume\" to the daemon.\nIt purges \
             what it knew.",
        ),
        offer("lie", "A removal that is only said", "A driver can say that a volume is gone, and keep its labels."),
        ScenarioInfo {
            dangerous: true,
            ..offer("null-entry", "A null in the list ends the daemon", "It reads a null, panics and dies.")
        },
        ScenarioInfo { slow: true, ..offer("slow-remove", "A Remove may take a minute", "No other call may.") },
    ]
    .into();
    fixture
}

fn plan(line: &str, say: Option<&str>, expected: &str) -> StepSpec {
    StepSpec { line: line.into(), say: say.map(str::to_owned), expected: expected.into(), action: None }
}

/// Gives a command that changes what is played.
fn give(fixture: &mut Fixture, line: &str) {
    fixture.command(line, "done", Vec::new());
}

fn note(fixture: &mut Fixture, event: ScenarioEvent) {
    fixture.push(EntryKind::Scenario(Box::new(event)));
}

/// The same, without rules, since those would act on what is played.
fn ready() -> Fixture {
    let mut fixture = offering();
    fixture.end_held(call(Operation::Unmount, "db1"));
    fixture.disarm_all();
    fixture
}

/// The scenario `labels-lost` after its third step has begun.
pub fn playing() -> Fixture {
    let mut fixture = ready();
    let steps = vec![
        plan("$ docker volume create -d voltergeist --label team=ghosts ghost-data", None, "success"),
        plan(": arm get: empty once", Some("From now on, one Get is answered with nothing."), ""),
        plan("$ docker volume inspect ghost-data", None, "failure with \"no such volume\""),
        plan("$ docker volume inspect ghost-data", None, "success, not printing \"ghosts\""),
    ];
    fixture.command("play labels-lost", "labels-lost started", Vec::new());
    let (scenario, title) = ("labels-lost".into(), "One empty Get, and the labels are gone for good".into());
    note(
        &mut fixture,
        ScenarioEvent::Started {
            scenario,
            title,
            engine: "docker".into(),
            needs: Vec::new(),
            steps: steps.clone(),
        },
    );
    for (index, snapshot) in ["ghost-data", "armed rule 4: get: empty once"].into_iter().enumerate() {
        let line = steps[index].line.clone();
        note(&mut fixture, ScenarioEvent::StepStarted { index, line: line.clone() });
        note(
            &mut fixture,
            ScenarioEvent::StepFinished {
                index,
                line,
                exit: None,
                seen: snapshot.into(),
                problems: Vec::new(),
            },
        );
    }
    note(
        &mut fixture,
        ScenarioEvent::StepStarted { index: 2, line: "$ docker volume inspect ghost-data".into() },
    );
    fixture
}

/// A scenario that waits for a key before each step, after so many of its two steps.
fn stepping(ended: usize, fails: bool) -> Fixture {
    let mut fixture = ready();
    let steps = vec![
        plan(": arm get: empty once", Some("From now on, one Get is answered with nothing."), ""),
        plan("$ docker volume inspect ghost-data", Some("Docker does not know it."), "failure"),
    ];
    fixture.command("play labels-lost --step", "labels-lost started", Vec::new());
    let (scenario, title) = ("labels-lost".to_owned(), "Labels are lost".to_owned());
    let started = ScenarioEvent::Started {
        scenario,
        title,
        engine: "docker".into(),
        needs: Vec::new(),
        steps: steps.clone(),
    };
    note(&mut fixture, started);
    for (index, step) in steps.iter().enumerate().take(ended) {
        give(&mut fixture, "play next");
        note(&mut fixture, ScenarioEvent::StepStarted { index, line: step.line.clone() });
        let problems = if fails { vec!["it succeeded".to_owned()] } else { Vec::new() };
        let (line, seen) = (step.line.clone(), "seen".to_owned());
        note(&mut fixture, ScenarioEvent::StepFinished { index, line, exit: None, seen, problems });
    }
    fixture
}

#[test]
fn an_audience_reads_the_remark_of_each_step_and_the_key_that_goes_on() {
    let cases = vec![
        (stepping(0, false), vec!["Step 1 of 2: From now on, one Get is answered with", "[.] runs it"]),
        (stepping(1, false), vec!["Step 2 of 2: Docker does not know it. Expected: failure.", "[.] runs it"]),
        (stepping(2, false), vec!["All steps went as expected. [.] removes what the scenario created"]),
        (stepping(1, true), vec!["Not as expected: it succeeded [.] removes what the scenario created"]),
        (failed(), vec!["One empty Get, and the labels are gone for good failed"]),
    ];
    for (fixture, shown) in cases {
        for size in [(200, 50), (120, 36), (80, 24)] {
            let mut console = TestConsole::new(&fixture, size, "default", false);
            console.press("p");
            let screen = console.screen();
            for text in &shown {
                assert!(screen.contains(text), "{size:?}: no {text:?} in\n{screen}");
            }
        }
    }
}

#[test]
fn what_is_left_after_the_last_step_is_the_clean_up() {
    for (ended, fails, hint) in [(1, false, ". next step"), (2, false, ". clean up"), (1, true, ". clean up")]
    {
        let screen = console(&stepping(ended, fails)).screen();
        assert!(screen.contains(hint), "{hint}\n{screen}");
    }
    let mut console = console(&stepping(0, false));
    console.press("p P down");
    assert!(console.screen().contains("Enter step through"), "for an audience\n{}", console.screen());
}

/// A scenario of so many steps, of which so many have been seen and one more has begun.
fn long(steps: usize, snapshot: usize) -> Fixture {
    let mut fixture = ready();
    fixture.command("play labels-lost", "labels-lost started", Vec::new());
    let line = |index: usize| format!("$ docker volume create v{index}");
    let plans = (0..steps).map(|index| plan(&line(index), None, "success")).collect();
    let (scenario, title) = ("labels-lost".into(), "A long one".into());
    note(
        &mut fixture,
        ScenarioEvent::Started { scenario, title, engine: "docker".into(), needs: Vec::new(), steps: plans },
    );
    for index in 0..=snapshot {
        note(&mut fixture, ScenarioEvent::StepStarted { index, line: line(index) });
        if index < snapshot {
            let event = ScenarioEvent::StepFinished {
                index,
                line: line(index),
                exit: None,
                seen: "done".into(),
                problems: Vec::new(),
            };
            note(&mut fixture, event);
        }
    }
    fixture
}

#[test]
fn the_step_that_is_played_is_in_view_and_what_is_above_it_is_counted() {
    for now in 0..20 {
        let screen = TestConsole::new(&long(20, now), (80, 24), "default", false).screen();
        let pane: Vec<&str> =
            screen.lines().skip_while(|line| !line.contains("Scenario labels-lost")).collect();
        let shown = |step: &usize| pane.iter().any(|line| line.contains(&format!(" create v{step} ")));
        assert!(shown(&now), "step {now}\n{screen}");
        let above = (0..now).find(shown).unwrap_or(now);
        let more = format!(" {above} more above");
        assert_eq!(pane.iter().any(|line| line.contains(&more)), above > 0, "{more}\n{screen}");
    }
}

/// The same, after a third step that did not come as expected.
pub fn failed() -> Fixture {
    let mut fixture = playing();
    let (line, snapshot) = ("$ docker volume inspect ghost-data".into(), "\"Name\": \"ghost-data\"".into());
    note(
        &mut fixture,
        ScenarioEvent::StepFinished {
            index: 2,
            line,
            exit: None,
            seen: snapshot,
            problems: vec!["it succeeded".into()],
        },
    );
    let end = End { result: ScenarioResult::Failed, problems: Vec::new() };
    note(&mut fixture, ScenarioEvent::Finished { scenario: "labels-lost".into(), end });
    fixture
}

fn console(fixture: &Fixture) -> TestConsole {
    TestConsole::new(fixture, (120, 40), "default", false)
}

fn lines(effects: &[Effect]) -> Vec<String> {
    let line = |effect: &Effect| match effect {
        Effect::Run(command) => command.to_string(),
        other => format!("{other:?}"),
    };
    effects.iter().map(line).collect()
}

#[test]
fn without_colour_and_in_ascii_a_step_still_says_how_it_went() {
    for (fixture, symbols) in [
        (playing(), ["+ $ docker volume create", "> $ docker volume inspect"]),
        (failed(), ["x $ docker volume inspect", "failed"]),
    ] {
        let screen = TestConsole::new(&fixture, (120, 40), "mono", true).screen();
        for sign in symbols {
            assert!(screen.contains(sign), "no {sign:?} in\n{screen}");
        }
    }
}

#[test]
fn the_picker_plays_what_is_chosen() {
    let fixture = offering();
    for (keys, expected) in [
        ("P enter", vec![]),
        ("P down enter", vec!["play labels-lost"]),
        ("P down tab enter", vec!["play labels-lost --step"]),
        ("P down tab tab enter", vec!["play labels-lost"]),
        ("P pagedown enter", vec!["play slow-remove"]),
        ("P pagedown down up enter", vec!["play null-entry"]),
        ("P l a b enter", vec!["play labels-lost"]),
        ("P l i e enter", vec!["play lie"]),
        ("P l a b backspace backspace backspace down enter", vec!["play labels-lost"]),
        ("P z z z enter", vec![]),
        ("P esc enter", vec![]),
        ("P esc P down enter", vec!["play labels-lost"]),
        (": s c e n a r i o s enter down enter", vec!["play labels-lost"]),
        (": p l a y space l i e enter", vec!["play lie"]),
    ] {
        assert_eq!(lines(&console(&fixture).press(keys)), expected, "{keys}");
    }
}

#[test]
fn the_picker_says_what_a_scenario_shows_or_why_it_cannot_be_played() {
    let mut fixture = offering();
    fixture.catalog.is_real = true;
    for (keys, shown) in [
        ("P", "scenarios/mine.toml:4: docker: unrecognized subcommand"),
        ("P down", "Whatever a plugin answers"),
        ("P n u l l", "Can harm the engine; asks first."),
        ("P n u l l enter", "Play null-entry?"),
        ("P n u l l enter", "The scenario can harm the engine, or what else runs on it."),
        ("P n u l l enter", "It shows: A null in the list ends the daemon."),
        ("P z z z", "No match."),
        ("P enter", "✗ scenarios/mine.toml:4: docker: unrecognized subcommand"),
        ("P", "Tab step through"),
        ("P", "5 of 5"),
        ("P u n r e c o g n i z e d", "1 of 5"),
    ] {
        let mut console = console(&fixture);
        console.press(keys);
        assert!(console.screen().contains(shown), "after {keys}: no {shown:?} in\n{}", console.screen());
    }
    let mut nobody = console(&Fixture::busy());
    nobody.press("P");
    assert!(nobody.screen().contains("no scenarios here"), "{}", nobody.screen());
}

#[test]
fn the_picker_offers_to_play_only_what_it_has_found() {
    let mut console = console(&offering());
    console.press("P l a b e l s");
    assert!(console.screen().contains("Enter play  Tab step through"), "{}", console.screen());
    console.press("tab");
    assert!(console.screen().contains("Enter step through  Tab play"), "{}", console.screen());
    console.press("z z");
    let screen = console.screen();
    assert!(!screen.contains("Tab play") && !screen.contains("step through"), "{screen}");
}

#[test]
fn a_scenario_that_is_not_for_the_engine_comes_last_with_the_reason() {
    let mut fixture = offering();
    let mut scenarios = fixture.catalog.scenarios.to_vec();
    scenarios[1].obstacle = Some("the daemon manages no swarm; docker swarm init makes one".into());
    fixture.catalog.scenarios = scenarios.into();
    for (keys, played) in [("P down enter", "play lie"), ("P pagedown enter", "play labels-lost")] {
        assert_eq!(lines(&console(&fixture).press(keys)), [played], "{keys}");
    }
    for size in SIZES {
        let mut console = TestConsole::new(&fixture, size, "default", false);
        console.press("P pagedown");
        let screen = console.screen();
        assert!(screen.contains("labels-lost  not on this"), "{size:?}\n{screen}");
        if size.0 > 40 {
            assert!(
                screen.contains("Not on this engine: the daemon manages no swarm;"),
                "{size:?}\n{screen}"
            );
        }
    }
}

#[test]
fn a_scenario_that_can_harm_is_played_after_a_question_and_only_where_it_can() {
    let harmless = offering();
    let mut real = offering();
    real.catalog.is_real = true;
    for (fixture, keys, expected) in [
        (&real, "P n u l l enter", vec![]),
        (&real, "P n u l l enter n", vec![]),
        (&real, "P n u l l enter y", vec!["play null-entry --dangerous"]),
        (&real, "P n u l l tab enter y", vec!["play null-entry --step --dangerous"]),
        (&real, ": p l a y space n u l l - e n t r y enter y", vec!["play null-entry --dangerous"]),
        (&real, "P l i e enter", vec!["play lie"]),
        (&harmless, "P n u l l enter", vec!["play null-entry"]),
    ] {
        assert_eq!(lines(&console(fixture).press(keys)), expected, "{keys}");
    }
}

#[test]
fn names_that_begin_with_what_is_typed_come_before_those_that_have_it() {
    let mut fixture = Fixture::busy();
    let names = ["get-empty-response", "empty", "empty-retry"];
    fixture.catalog.scenarios =
        names.map(|name| ScenarioInfo { name: name.into(), ..ScenarioInfo::default() }).into_iter().collect();
    for (typed, expected) in [
        ("e m p t y", "play empty"),
        ("e m p t y - r", "play empty-retry"),
        ("e m p t y - r e s", "play get-empty-response"),
        ("y - r e t", "play empty-retry"),
    ] {
        assert_eq!(lines(&console(&fixture).press(&format!("P {typed} enter"))), [expected], "{typed}");
    }
}

/// What is shown while an engine waits for a driver that is gone.
const SLOW: &str = "docker waits for a gone driver, it seems: each list takes 15 s";

#[test]
fn why_an_engine_waits_is_shown_until_the_next_step_or_the_end() {
    let mut begun = ready();
    give(&mut begun, "play labels-lost");
    let (scenario, title) = ("labels-lost".into(), "A short one".into());
    let steps = vec![plan("$ docker volume ls", None, "success")];
    note(
        &mut begun,
        ScenarioEvent::Started { scenario, title, engine: "docker".into(), needs: Vec::new(), steps },
    );
    for (mut fixture, over) in [
        (begun, ScenarioEvent::StepStarted { index: 0, line: String::new() }),
        (
            long(20, 12),
            ScenarioEvent::Finished {
                scenario: "labels-lost".into(),
                end: End { result: ScenarioResult::Stopped, problems: Vec::new() },
            },
        ),
    ] {
        // Without its entry in the list of calls, which says the same.
        let is_shown = |fixture: &Fixture, size| {
            let mut console = TestConsole::new(fixture, size, "default", false);
            console.press("/");
            console.type_text("kind:call", fixture);
            console.press("enter");
            console.screen().contains("gone")
        };
        for size in SIZES {
            assert!(!is_shown(&fixture, size), "{size:?}");
        }
        note(&mut fixture, ScenarioEvent::Delayed { why: SLOW.into() });
        let run = |fixture: &Fixture| fixture.state().scenario().latest_run.clone().expect("a run");
        assert_eq!(run(&fixture).delay.as_deref(), Some(SLOW));
        for size in SIZES {
            let screen = TestConsole::new(&fixture, size, "default", false).screen();
            assert!(is_shown(&fixture, size), "{size:?}\n{screen}");
        }
        note(&mut fixture, over);
        assert_eq!(run(&fixture).delay, None);
    }
}

#[test]
fn keys_direct_what_is_played() {
    let mut paused = playing();
    give(&mut paused, "play pause");
    let mut demo = offering();
    demo.demo(DemoSpeed::default());
    let mut still = offering();
    still.demo(DemoSpeed { times: 2.0, paused: true });
    let mut both = playing();
    both.demo(DemoSpeed::default());
    for (fixture, keys, expected) in [
        (&playing(), ",", vec!["play pause"]),
        (&paused, ",", vec!["play continue"]),
        (&paused, ".", vec!["play next"]),
        (&playing(), ".", vec!["play next"]),
        (&playing(), "X", vec!["play stop"]),
        (&offering(), ", . X", vec![]),
        (&demo, ",", vec!["speed pause"]),
        (&demo, "+", vec!["speed 2"]),
        (&demo, "-", vec!["speed 0.5"]),
        (&still, ",", vec!["speed continue"]),
        (&still, "+", vec!["speed continue"]),
        (&still, "-", vec![]),
        (&demo, ": s p e e d space 4 enter", vec!["speed 4"]),
        (&both, ",", vec!["play pause"]),
        (&offering(), "+ -", vec![]),
        (&playing(), "q", vec![]),
        (&playing(), "q y", vec!["Leave"]),
    ] {
        assert_eq!(lines(&console(fixture).press(keys)), expected, "{keys}");
    }
}

#[test]
fn what_the_keys_of_a_play_do_is_on_the_screen() {
    let mut paused = playing();
    give(&mut paused, "play pause");
    let mut asked = ready();
    give(&mut asked, "play labels-lost");
    let mut stopped = playing();
    give(&mut stopped, "play stop");
    let mut demo = offering();
    demo.demo(DemoSpeed { times: 0.5, paused: false });
    let mut still = offering();
    still.demo(DemoSpeed { times: 2.0, paused: true });
    let mut both = playing();
    both.demo(DemoSpeed::default());
    for (fixture, keys, shown) in [
        (&playing(), "", "step 3/4"),
        (&playing(), "", ", pause  . step by step  X stop"),
        (&paused, "", "step 3/4 · PAUSED"),
        (&paused, "", ". next step  , continue  X stop"),
        (&asked, "", "preparing scenario"),
        (&stopped, "", "stopping"),
        (&failed(), "", "failed"),
        (&failed(), "", "expected failure with \"no such volume\""),
        (&failed(), "", "actual \"Name\": \"ghost-data\""),
        (&playing(), "q", "labels-lost is running; it is stopped and cleaned up"),
        (&offering(), ".", "no scenario is running; P chooses one"),
        (&demo, "", "demo 0.5x"),
        (&still, "", "demo paused"),
        (&both, "", "demo paused"),
        (&still, "-", "the demo is already paused"),
        (&offering(), "+", "speed keys work only in the demo"),
    ] {
        let mut console = console(fixture);
        console.press(keys);
        assert!(console.screen().contains(shown), "after {keys:?}: no {shown:?} in\n{}", console.screen());
    }
}

#[test]
fn the_speed_of_a_demo_is_shown_even_on_a_small_screen() {
    for (speed, shown) in
        [(DemoSpeed::default(), "demo 1x"), (DemoSpeed { times: 1.0, paused: true }, "paused")]
    {
        let mut fixture = offering();
        fixture.demo(speed);
        for size in SIZES {
            let screen = TestConsole::new(&fixture, size, "default", false).screen();
            assert!(screen.contains(shown), "{size:?}: no {shown:?} in\n{screen}");
        }
    }
}

#[test]
fn a_play_that_is_over_is_closed_and_the_next_one_is_shown() {
    let mut fixture = failed();
    let mut console = console(&fixture);
    assert!(console.screen().contains("Scenario labels-lost"));
    console.press("esc");
    assert!(!console.screen().contains("Scenario labels-lost"), "{}", console.screen());
    let steps = vec![plan("$ docker volume ls", None, "success")];
    note(
        &mut fixture,
        ScenarioEvent::Started {
            scenario: "list".into(),
            title: String::new(),
            engine: "docker".into(),
            needs: Vec::new(),
            steps,
        },
    );
    console.look(&fixture);
    assert!(console.screen().contains("Scenario list"), "{}", console.screen());
}

#[test]
fn a_scenario_that_could_not_be_played_says_why_at_any_size() {
    let mut fixture = offering();
    let problem = "mine.toml:4: docker: unrecognized subcommand 'creat'".to_owned();
    let end = End { result: ScenarioResult::Skipped, problems: vec![problem] };
    note(&mut fixture, ScenarioEvent::Finished { scenario: "mine".into(), end });
    for size in [(200, 50), (80, 24), (40, 12)] {
        let screen = TestConsole::new(&fixture, size, "default", false).screen();
        for shown in ["mine", "skipped", "mine.toml:4: docker: unrecognized"] {
            assert!(screen.contains(shown), "{size:?}: no {shown:?} in\n{screen}");
        }
    }
}

#[test]
fn no_size_breaks_the_scenarios() {
    for fixture in [playing(), failed(), offering()] {
        for keys in ["", "P", "P z", "tab", "tab tab", "up enter", "p"] {
            for width in [39, 40, 80, 120, 250] {
                for height in [9, 10, 12, 16, 20, 70] {
                    let mut console = TestConsole::new(&fixture, (width, height), "default", false);
                    console.press(keys);
                    console.screen();
                }
            }
        }
    }
}
