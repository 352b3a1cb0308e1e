//! Several instances in one console: which one the keys are for.

use crate::{
    console::{
        input::action::KeyAction,
        model::{app::App, volume_list::CallFacts},
    },
    hub::Snapshot,
};

impl App {
    /// Says that a key needs one instance, where all are chosen or another one.
    pub(super) fn choose_one_first(&mut self) {
        let key = self.key_label(KeyAction::NextNode);
        self.say(format!("that is for one node: choose it with {key}"));
    }

    /// Shows which instance was chosen, or why none.
    pub(super) fn node_chosen(&mut self, result: Result<String, String>, snapshot: &Snapshot) {
        let (Ok(text) | Err(text)) = result;
        self.say(text);
        self.follow_history(snapshot);
        // They are of the volumes of one instance.
        self.call_facts = self.call_facts.take().map(|_| CallFacts::default());
    }
}
