//! The words that a command line can begin with: commands, and actions of the console.

use crate::{
    console::{
        input::{
            action::{KeyAction, KeyBinding},
            bindings::KEY_BINDINGS,
        },
        model::obstacle::obstacle,
    },
    domain::lang::command::FORMS,
    hub::Snapshot,
};

/// The commands of the console alone, as [`FORMS`] has those of the driver.
const OWN_FORMS: [(&str, &str, &str); 5] = [
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
pub(super) fn names() -> impl Iterator<Item = &'static KeyBinding> {
    KEY_BINDINGS.iter().filter(|binding| forms().all(|(word, ..)| word != binding.name))
}

/// Whether a line that begins with a word can do anything here. In a recording there is no driver.
pub(super) fn can_begin(word: &str, snapshot: &Snapshot) -> bool {
    const IN_A_RECORDING: [&str; 2] = ["save", "speed"];
    match own_action(word) {
        Some(action) => obstacle(action, snapshot).is_none(),
        None if snapshot.source.timeline().is_none() || IN_A_RECORDING.contains(&word) => true,
        None => FORMS.iter().all(|(command, ..)| *command != word),
    }
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
