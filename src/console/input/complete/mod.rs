//! Completion: what can stand next in the line that is being typed.
//!
//! The words of the rule language come from its parser, which gets the line with a mark at the cursor and
//! reports what it expected there. So completion never offers what the parser would refuse.

mod candidate;
mod filter;
mod forms;
mod rule;
mod search;
mod shell;
mod state;

pub use candidate::{Candidate, Completion};
pub use filter::filter_line as filter;
pub use forms::{forms, own_action, words};
pub use shell::shell_line as shell;
pub use state::MAX_OFFERED;

use self::{
    candidate::word_start,
    forms::{can_begin, names},
    rule::rule,
    search::found,
    state::{nodes, rules, volumes},
};
use crate::{
    console::{column::Column, model::fault_list::outage_help, themes::Themes},
    domain::{
        lang::command::{Outage, ScenarioControl},
        model::volume::Volume,
        text::describe,
    },
    export::ExportFormat,
    hub::Snapshot,
};

/// What can stand next in a command line.
pub fn command(line: &str, themes: &Themes, snapshot: &Snapshot) -> Completion {
    let start = word_start(line, char::is_whitespace);
    let mut words = line[..start].split_whitespace();
    let Some(first) = words.next() else {
        let forms = forms().filter(|(word, ..)| can_begin(word, snapshot));
        let forms = forms.map(|(word, form, help)| Candidate::new(word, format!("{form}  {help}").trim()));
        let names = names().filter(|binding| can_begin(binding.name, snapshot));
        let names = names.map(|binding| Candidate::new(binding.name, binding.help));
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
            let held = snapshot.held.iter().filter(|entry| entry.node == snapshot.node);
            let held = held.filter_map(|entry| {
                let call = entry.head()?;
                let what = format!("{} {}", describe::asked(call), call.volume.unwrap_or_default());
                Some(Candidate::new(call.number.to_string(), what))
            });
            Completion::of(line, start, [Candidate::new("all", "every held call")].into_iter().chain(held))
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
            let catalog = snapshot
                .catalog
                .scenarios
                .iter()
                .map(|scenario| Candidate::new(&*scenario.name, &*scenario.title));
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

/// What can stand after a command of the console alone, after so many words.
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

const fn scenario_control_help(direction: ScenarioControl) -> &'static str {
    match direction {
        ScenarioControl::Pause => "pause before the next step",
        ScenarioControl::Next => "run one step",
        ScenarioControl::Continue => "run the remaining steps",
        ScenarioControl::Stop => "stop the scenario and clean up",
    }
}
