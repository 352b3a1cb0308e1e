//! Completion: what can stand next in the line that is being typed.
//!
//! The words of the rule language come from its parser, which gets the line with a mark at the cursor and
//! reports what it expected there. So completion never offers what the parser would refuse.

use std::{cmp::Reverse, collections::BTreeSet};

use nucleo_matcher::{
    Config, Matcher, Utf32Str,
    pattern::{CaseMatching, Normalization, Pattern},
};

use crate::{
    console::{
        column::Column,
        input::{
            action::{KeyAction, KeyBinding},
            bindings::KEY_BINDINGS,
        },
        model::fault_list::outage_help,
        themes::Themes,
    },
    domain::{
        lang::{
            command::{Command, CommandError, FORMS, Outage, ScenarioControl},
            filter,
            lexer::quote,
        },
        model::{peer::Peer, volume::Volume},
        rules::{EXAMPLES, meaning},
        text::{describe, shell},
    },
    export::ExportFormat,
    hub::Snapshot,
};

/// A word that can stand next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The word, as it is typed.
    pub word: String,
    /// What it means.
    pub help: String,
}

impl Candidate {
    fn new(word: impl Into<String>, help: impl Into<String>) -> Self {
        Self { word: word.into(), help: help.into() }
    }

    /// Whether the word is complete, so that a space can follow it.
    pub fn is_whole(&self) -> bool {
        !self.word.ends_with(['=', '.', ':', '/'])
    }
}

/// What can stand at the end of a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// Where the word begins that would be replaced, in bytes.
    pub start: usize,
    /// What could stand there, in the order of its offering.
    pub candidates: Vec<Candidate>,
    /// Whether no word begins like that, so that the candidates are whole lines with its letters.
    pub is_search: bool,
}

impl Completion {
    fn of(line: &str, start: usize, candidates: impl IntoIterator<Item = Candidate>) -> Self {
        let begun = &line[start..];
        let fits = |candidate: &Candidate| candidate.word.starts_with(begun);
        let mut candidates: Vec<_> = candidates.into_iter().filter(fits).collect();
        // A word that is there in full is offered beside its longer forms only.
        if candidates.iter().all(|candidate| candidate.word == begun) {
            candidates.clear();
        }
        Self { start, candidates, is_search: false }
    }
}

/// How many volumes are offered at most.
pub const MAX_OFFERED: usize = 1000;

/// A word that no reader knows.
const MARK: char = '\u{1a}';

/// Where the last word begins, behind what ends the one before it.
fn word_start(line: &str, ends: impl Fn(char) -> bool) -> usize {
    // Not every space is one byte.
    line.trim_end_matches(|c| !ends(c)).len()
}

/// What can stand next in a command line.
pub fn command(line: &str, themes: &Themes, snapshot: &Snapshot) -> Completion {
    let start = word_start(line, char::is_whitespace);
    let mut words = line[..start].split_whitespace();
    let Some(first) = words.next() else {
        let forms = forms().map(|(word, form, help)| Candidate::new(word, format!("{form}  {help}").trim()));
        let names = names().map(|binding| Candidate::new(binding.name, binding.help));
        let begun = Completion::of(line, start, forms.chain(names));
        let is_word = self::words().any(|word| word == &line[start..]);
        return if begun.candidates.is_empty() && !is_word {
            found(&line[start..], themes, snapshot)
        } else {
            begun
        };
    };
    let others = words.count();
    match (first, others) {
        ("arm", _) => rule(line, snapshot),
        _ if line.starts_with("release") && line.contains(':') => rule(line, snapshot),
        ("disarm", 0) => {
            let all = [Candidate::new("all", "every rule")];
            Completion::of(line, start, all.into_iter().chain(rules(snapshot)))
        }
        ("move", 0 | 2) => Completion::of(line, start, rules(snapshot)),
        ("move", 1) => Completion::of(line, start, [Candidate::new("before", "RULE")]),
        ("release", 0) => {
            let waiting = snapshot.held.iter().filter(|entry| entry.node == snapshot.node);
            let waiting = waiting.filter_map(|entry| {
                let call = entry.head()?;
                let what = format!("{} {}", describe::asked(call), call.volume.unwrap_or_default());
                Some(Candidate::new(call.number.to_string(), what))
            });
            Completion::of(line, start, [Candidate::new("all", "every held call")].into_iter().chain(waiting))
        }
        ("forget", 0) => {
            Completion::of(line, start, volumes(snapshot, &line[start..], |volume| volume.exists))
        }
        ("restore", 0) => {
            Completion::of(line, start, volumes(snapshot, &line[start..], |volume| !volume.exists))
        }
        ("unmount", 0) => Completion::of(line, start, volumes(snapshot, &line[start..], Volume::is_mounted)),
        ("down", 0) => Completion::of(
            line,
            start,
            Outage::ALL.map(|kind| Candidate::new(kind.as_str(), outage_help(kind))),
        ),
        ("down", 1) => Completion::of(
            line,
            start,
            [Candidate::new("for", "DURATION, as in 15s, until it comes up again")],
        ),
        ("crash", 0) => Completion::of(
            line,
            start,
            [Candidate::new("keep", "volumes kept"), Candidate::new("lose", "volumes lost")],
        ),
        ("save", 0) => endings(line, start),
        ("save", 1) => Completion::of(line, start, [Candidate::new("where", "FILTER, as after /")]),
        ("save", _) => filter(line, snapshot),
        ("play", 0) => {
            let directions =
                ScenarioControl::ALL.into_iter().filter(|_| snapshot.scenario.play_request.is_some());
            let directions = directions
                .map(|direction| Candidate::new(direction.as_str(), scenario_control_help(direction)));
            let catalog =
                snapshot.catalog.scenarios.iter().map(|offer| Candidate::new(&*offer.name, &*offer.title));
            Completion::of(line, start, directions.chain(catalog))
        }
        ("play", _) => Completion::of(
            line,
            start,
            [
                Candidate::new("--step", "each step waits for `play next`"),
                Candidate::new("--dangerous", "allow a scenario that can harm the engine"),
            ],
        ),
        ("speed", 0) => Completion::of(
            line,
            start,
            [
                Candidate::new("pause", "pause the demo"),
                Candidate::new("continue", "resume at the previous speed"),
                Candidate::new("0.5", "half speed"),
                Candidate::new("1", "normal speed"),
                Candidate::new("2", "double speed"),
            ],
        ),
        _ => Completion::of(line, start, own_words(first, others, themes, snapshot)),
    }
}

/// What can stand behind a command of the console alone, after so many words.
fn own_words(command: &str, others: usize, themes: &Themes, snapshot: &Snapshot) -> Vec<Candidate> {
    match (command, others) {
        ("seek", 0) => vec![
            Candidate::new("start", "the first entry"),
            Candidate::new("end", "the last entry, and what is added to the file"),
        ],
        ("sort", 0) => Column::ALL.map(|column| Candidate::new(column.name(), column.help())).into(),
        ("sort", 1) => vec![Candidate::new("reverse", "the other way round")],
        ("node", 0) => nodes(snapshot).collect(),
        ("theme", 0) => themes.names().map(|name| Candidate::new(name, "")).collect(),
        _ => Vec::new(),
    }
}

/// How many lines a search offers.
const MAX_FOUND: usize = 40;

/// The lines that have the letters of a word in order, or about it: commands, keys by name, examples of rules, scenarios,
/// volumes and themes. The best match comes first.
fn found(word: &str, themes: &Themes, snapshot: &Snapshot) -> Completion {
    if word.is_empty() {
        return Completion::default();
    }
    // Each with the text in which the letters are looked for.
    let named = names().map(|binding| (binding.name.to_owned(), Candidate::new(binding.name, binding.help)));
    let forms = forms().map(|(word, form, help)| (format!("{word} {form}"), Candidate::new(word, help)));
    let scenarios = snapshot.catalog.scenarios.iter();
    let scenarios = scenarios
        .map(|offer| (offer.name.clone(), Candidate::new(format!("play {}", offer.name), &*offer.title)));
    let rules = EXAMPLES
        .iter()
        .map(|(rule, meaning)| (String::new(), Candidate::new(format!("arm {rule}"), *meaning)));
    let own = |line: String, help| (line.clone(), Candidate::new(line, help));
    // Letters in order are looked for among as many volumes as are offered.
    let forgets = volumes(snapshot, if snapshot.volumes.len() > MAX_OFFERED { word } else { "" }, |volume| {
        volume.exists
    })
    .map(|volume| own(format!("forget {}", volume.word), "forget the volume"));
    let themes = themes.names().map(|name| own(format!("theme {name}"), "choose the theme"));
    let all = named.chain(forms).chain(rules).chain(scenarios).chain(forgets).chain(themes);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let wanted = Pattern::parse(word, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, Candidate)> = all
        .filter_map(|(text, candidate)| {
            // What is typed says more than its explanation, in which only the whole text counts.
            let by_line =
                wanted.score(Utf32Str::new(&text, &mut buffer), &mut matcher).map(|score| score + 1);
            let is_in_help = candidate.help.to_lowercase().contains(&word.to_lowercase());
            let score = by_line.or_else(|| is_in_help.then_some(1))?;
            Some((score, candidate))
        })
        .collect();
    scored.sort_by_key(|(score, candidate)| (Reverse(*score), candidate.word.len()));
    let candidates = scored.into_iter().take(MAX_FOUND).map(|(_, candidate)| candidate).collect();
    Completion { start: 0, candidates, is_search: true }
}

/// The same name with each extension, which sets the format.
fn endings(line: &str, start: usize) -> Completion {
    let name = &line[start..];
    let file = name.rfind('/').map_or(0, |slash| slash + 1);
    if name.len() == file {
        return Completion { start, ..Completion::default() };
    }
    let stem = name[file..].rfind('.').filter(|dot| *dot > 0).map_or(name, |dot| &name[..file + dot]);
    let named =
        |(ending, _, help): (&str, ExportFormat, &str)| Candidate::new(format!("{stem}.{ending}"), help);
    Completion { start, candidates: ExportFormat::EXTENSIONS.map(named).into(), is_search: false }
}

/// The commands of the console alone, as [`FORMS`] has those of the driver.
pub const OWN_FORMS: [(&str, &str, &str); 5] = [
    ("theme", "[NAME]", "choose a theme; without a name, the next one"),
    ("filter", "[TEXT]", "filter the entries, as after /"),
    (
        "sort",
        "[COLUMN [reverse]]",
        "sort the calls or the volumes by a column; without one, in their usual order",
    ),
    ("node", "NAME|all", "show one of several instances, or all; commands go there"),
    ("seek", "N|TIME|±DUR|start|end", "go to an entry or a time of a recording: 4711, 12:03:04, -30s"),
];

/// All commands with the forms that follow them, for help and completion.
pub fn forms() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    FORMS.into_iter().chain(OWN_FORMS)
}

/// The actions that can be called by their names: every one that no command is named like.
fn names() -> impl Iterator<Item = &'static KeyBinding> {
    KEY_BINDINGS.iter().filter(|binding| forms().all(|(word, ..)| word != binding.name))
}

/// Every word that a line can begin with.
pub fn words() -> impl Iterator<Item = &'static str> {
    forms().map(|(word, ..)| word).chain(names().map(|binding| binding.name))
}

/// The console's own action that a word at the `:` line stands for.
pub fn own_action(word: &str) -> Option<KeyAction> {
    let is_a_command = FORMS.iter().any(|(known, ..)| *known == word);
    let named = KEY_BINDINGS.iter().find(|binding| binding.name == word && !is_a_command);
    named.map(|binding| binding.action)
}

const fn scenario_control_help(direction: ScenarioControl) -> &'static str {
    match direction {
        ScenarioControl::Pause => "pause before the next step",
        ScenarioControl::Next => "run one step",
        ScenarioControl::Continue => "run the remaining steps",
        ScenarioControl::Stop => "stop the scenario and clean up",
    }
}

/// The volumes whose names begin like a word, as far as they are offered.
fn volumes<'s, W: Fn(&Volume) -> bool + 's>(
    snapshot: &'s Snapshot,
    begun: &str,
    which: W,
) -> impl Iterator<Item = Candidate> + use<'s, W> {
    // In quotes, a backslash stands before some characters.
    let name =
        begun.strip_prefix('"').map_or(begun, |quoted| quoted.split(['\\', '"']).next().unwrap_or_default());
    let named = snapshot.volumes.beginning_with(name).filter(move |volume| which(volume));
    named.take(MAX_OFFERED).map(|volume| {
        let plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '"';
        let word = if volume.name.chars().all(plain) { volume.name.clone() } else { quote(&volume.name) };
        Candidate::new(word, "")
    })
}

/// The instances that can be chosen.
fn nodes(snapshot: &Snapshot) -> impl Iterator<Item = Candidate> {
    let names = snapshot.nodes.iter().filter_map(|node| node.node.as_deref());
    let names = names.map(|name| Candidate::new(name, "its volumes and faults"));
    names.chain([Candidate::new("all", "all nodes together")])
}

/// The rules by label and number.
fn rules(snapshot: &Snapshot) -> impl Iterator<Item = Candidate> {
    snapshot.rules.iter().flat_map(|rule| {
        let label = rule.label.iter().map(|label| Candidate::new(&**label, &*rule.text));
        label.chain([Candidate::new(rule.id.to_string(), &*rule.text)])
    })
}

/// The processes and addresses that have connected.
fn peers(snapshot: &Snapshot) -> impl Iterator<Item = Candidate> {
    let names = snapshot.peers.iter().flat_map(|peer| match &**peer {
        Peer::Process { pid, name, .. } => [name.as_deref().map(str::to_owned), Some(pid.to_string())],
        Peer::Address(address) => [Some(address.to_string()), None],
    });
    let names: BTreeSet<_> = names.flatten().collect();
    names.into_iter().map(|name| Candidate::new(if name.contains(':') { quote(&name) } else { name }, ""))
}

/// What the reader of rules had expected at the end of the line.
fn rule(line: &str, snapshot: &Snapshot) -> Completion {
    let start = word_start(line, |c| c.is_whitespace() || ":,=".contains(c));
    let before = &line[..start];
    if before.ends_with("volume=") {
        return Completion::of(line, start, volumes(snapshot, &line[start..], |_| true));
    }
    if before.ends_with("peer=") {
        return Completion::of(line, start, peers(snapshot));
    }
    let Err(CommandError::Rule(error)) = format!("{before}{MARK}").parse::<Command>() else {
        return Completion { start, ..Completion::default() };
    };
    let here = before.chars().count() + 1 == error.column;
    // The same words without a sign stand after `per`.
    let are_selectors = error.expected.iter().any(|word| word == "opt");
    let words = error.expected.iter().filter(|_| here).map(|word| {
        let sign = match word.as_str() {
            "volume" | "id" | "by" | "peer" | "connection" if are_selectors => "=",
            "opt" => ".",
            _ => "",
        };
        Candidate::new(format!("{word}{sign}"), meaning(word, &error.expected).unwrap_or_default())
    });
    Completion::of(line, start, words)
}

/// Docker commands that fit the selected volume, ready to be edited.
pub fn shell(line: &str, volume: &str, snapshot: &Snapshot) -> Completion {
    let volume = if volume.is_empty() { "demo" } else { volume };
    let (volume, driver) = (shell::quote_bytes(volume.as_bytes()), &snapshot.driver.name);
    let commands = [
        (
            format!("docker run --rm -v {volume}:/data --volume-driver {driver} busybox ls -l /data"),
            "mount it in a container",
        ),
        (format!("docker volume inspect {volume}"), "look it up"),
        (format!("docker volume create -d {driver} {volume}"), "create it"),
        (format!("docker volume rm {volume}"), "remove it"),
        (format!("docker volume ls -f driver={driver}"), "list the volumes of this driver"),
        (format!("docker ps -a -f volume={volume}"), "list the containers that use it"),
    ];
    Completion::of(line, 0, commands.into_iter().map(|(command, help)| Candidate::new(command, help)))
}

/// What can stand next in a filter.
pub fn filter(line: &str, snapshot: &Snapshot) -> Completion {
    let start = word_start(line, char::is_whitespace);
    let start = start + line[start..].len() - line[start..].trim_start_matches(['-', '!']).len();
    let Some(colon) = line[start..].find(':') else {
        let keys = filter::TERMS.map(|(key, help)| Candidate::new(key, help));
        return Completion::of(line, start, keys);
    };
    let (key, list) = line[start..].split_at(colon + 1);
    let value = start + key.len() + list.rfind(',').map_or(0, |comma| comma + 1);
    let words = filter::values(key).into_iter().map(|word| Candidate::new(word, ""));
    match key {
        "volume:" | "vol:" => Completion::of(line, value, volumes(snapshot, &line[value..], |_| true)),
        "peer:" => Completion::of(line, value, peers(snapshot)),
        "fault:" => {
            let labels = snapshot.rules.iter().filter_map(|rule| rule.label.as_ref());
            Completion::of(line, value, words.chain(labels.map(|label| Candidate::new(&**label, ""))))
        }
        _ => Completion::of(line, value, words),
    }
}
