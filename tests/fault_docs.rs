//! The pages about faults and lints say what the program does: their examples run, and no word of the language is missing.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use jiff::{SignedDuration, Timestamp};
use voltergeist::domain::{
    model::{
        entry::{Evaluation, RuleEvent},
        lint::Lint,
        peer::Peer,
        protocol::{Caller, Operation, Options},
        speed::EngineSpeed,
    },
    rules::{
        Action, Calls, ENGINE_REACTIONS, EngineReaction, ErrorForm, Lifetime, Phase, RequestContext, Rule,
        RuleSet, Selector, Trigger,
    },
};

const FAULTS: &str = include_str!("../docs/faults.md");
const LINTS: &str = include_str!("../docs/lints.md");

const REACTIONS_HEAD: &str = "\
# How engines react to a faulty reply

Made from [`assets/engine-reactions.toml`](../assets/engine-reactions.toml). voltergeist shows the reaction before a rule is armed. A
row for the call itself comes before one for `any`. Of the classes that a reply has, the most particular one that has a row counts.
A row that was only read in an engine's source says so; all others are checked by tests against real engines.

A class is an action of a rule, or one of:

| class | the reply |
|---|---|
| `empty_reply` | has nothing in it |
| `malformed` | is not the expected JSON |
| `unexpected` | is anything but the expected one |
| `fail inband`, `fail status`, `fail json500` | is an error, in this form |
| `connection_lost` | does not come: the connection ends |
| `connection_lost_once` | does not come, but the retry is answered |
| `delayed` | comes within the engine's time limit |
| `hang` | comes after it, or never |

| id | engine | calls | classes | what it does | source | seen on |
|---|---|---|---|---|---|---|
";

/// The lines of the fenced `rule` blocks.
fn examples() -> Vec<&'static str> {
    let blocks = FAULTS.split("```rule\n").skip(1);
    blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines()).collect()
}

/// Whether a rule acts on any of many calls: all operations by all callers on all sorts of volumes, for an hour.
fn acts(rule: &Rule) -> bool {
    let options: Options =
        [("tier", "gold"), ("a key", "x:y")].map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let peer = Peer::Process { pid: 1, uid: 0, user: None, name: Some("dockerd".into()) };
    let mut set = RuleSet::new(7, None);
    let apply = |set: &mut RuleSet, event: &RuleEvent| set.apply(event, Timestamp::UNIX_EPOCH, |_| false);
    let armed = set.arming(rule, None, Timestamp::UNIX_EPOCH, EngineSpeed::REAL);
    apply(&mut set, &armed);
    let mut requests = Vec::new();
    let nine = Operation::ALL.map(|operation| (Some(operation), None));
    let other = (None, Some("POST /NetworkDriver.GetCapabilities"));
    for (operation, request_line) in nine.into_iter().chain([other]) {
        for (volume, odd) in [("db1", true), ("cache-2", false), ("two words", false), ("", false)] {
            requests.extend(Caller::ALL.map(|caller| RequestContext {
                operation,
                request_line,
                volume,
                id: "7f3a",
                connection: 3,
                peer: Some(&peer),
                first_contact: odd,
                known: odd,
                mounted: odd,
                retry: odd,
                ..RequestContext::new(Operation::Get, caller, &options)
            }));
        }
    }
    (0..3600).any(|second| {
        let at = Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        requests.iter().any(|request| {
            let (rules, injection) = set.decide(request, at);
            let evaluation = Evaluation {
                call: 1,
                operation: request.operation,
                request_line: request.request_line.map(Box::from),
                volume: Some(request.volume.into()),
                mount_id: Some(request.id.into()),
                connection: request.connection,
                rules: rules.into_iter().filter(|rule| rule.decision.is_evaluated()).collect(),
            };
            apply(&mut set, &RuleEvent::Evaluated(evaluation));
            injection.is_some()
        })
    })
}

#[test]
fn every_example_is_a_rule_that_acts() {
    let examples = examples();
    assert!(examples.len() > 40, "{examples:?}");
    for example in examples {
        let rule: Rule = example.parse().unwrap_or_else(|error| panic!("{example}: {error}"));
        assert_eq!(rule.to_string().parse(), Ok(rule.clone()), "{example}");
        let only_passes = rule.chain().iter().all(voltergeist::domain::rules::ChainStep::is_nothing);
        assert_eq!(acts(&rule), !only_passes, "{example}");
    }
}

#[test]
fn every_action_has_a_section_with_an_example_of_it() {
    let sections: BTreeMap<_, _> = FAULTS
        .split("\n### ")
        .skip(1)
        .filter_map(|section| section.split("\n## ").next()?.split_once('\n'))
        .collect();
    for action in Action::WORDS {
        let section = sections.get(action).unwrap_or_else(|| panic!("{action} has no section"));
        assert!(
            ["On the wire", "dockerd", "podman", "```rule"].iter().all(|part| section.contains(part)),
            "{action}"
        );
        let example = section.split("```rule\n").nth(1).and_then(|rest| rest.lines().next()).expect(action);
        let rule: Rule = example.parse().expect(example);
        assert!(rule.chain().iter().any(|step| step.action.as_str() == action), "{action}: {example}");
    }
    assert_eq!(sections.len(), Action::WORDS.len());
}

#[test]
fn every_word_of_the_language_is_explained() {
    let code = FAULTS.split('`').skip(1).step_by(2);
    let explained: Vec<_> = code.flat_map(|code| code.split([' ', '=', '.', ','])).collect();
    let words = Selector::WORDS.into_iter().chain(Trigger::WORDS).chain(Lifetime::WORDS);
    let words = words.chain(Calls::WORDS).chain(Phase::KEYWORDS.map(Phase::as_str));
    for word in words.chain(ErrorForm::ALL.map(ErrorForm::as_str)).chain(Caller::ALL.map(Caller::as_str)) {
        assert!(word.split('.').all(|part| explained.contains(&part)), "{word}");
    }
}

#[test]
fn every_lint_is_explained_in_their_order_as_the_console_explains_it() {
    let items = LINTS.split("\n* `").skip(1).filter_map(|item| item.split_once("`: "));
    let plain = |text: &str| text.replace('`', "").split_whitespace().collect::<Vec<_>>().join(" ");
    let explained: Vec<_> = items.map(|(word, text)| (word, plain(text))).collect();
    assert_eq!(explained, Lint::ALL.map(|lint| (lint.as_str(), lint.meaning().to_owned())));
}

/// The page about the reactions of engines, made from the table.
fn reactions() -> String {
    let list = |words: &[&str]| words.join(", ");
    let mut page = String::from(REACTIONS_HEAD);
    for EngineReaction { id, engine, calls, classes, reaction, source, seen_on } in ENGINE_REACTIONS.iter() {
        let calls: Vec<_> = calls.iter().map(|call| call.as_str()).collect();
        let calls = if calls.is_empty() { "any".to_owned() } else { list(&calls) };
        let _ = writeln!(
            page,
            "| {id} | {engine} | {calls} | {} | {reaction} | {source} | {} |",
            list(classes),
            list(seen_on)
        );
    }
    page
}

#[test]
fn the_page_about_engine_reactions_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/engine-reactions.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, reactions()).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).expect("the page is there");
    assert_eq!(
        written,
        reactions(),
        "docs/engine-reactions.md is out of date; UPDATE_DOCS=1 cargo test --test fault_docs"
    );
}
