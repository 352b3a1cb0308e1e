//! The key that sets marks and goes to them.

use std::sync::Arc;

use crossterm::event::{KeyCode, KeyEvent};

use crate::{
    console::{
        input::action::KeyAction,
        layout::pane::Pane,
        model::{
            app::{App, WhenClosed},
            copy::name,
            grouped_list::GroupedList,
            marks::place,
            mode::StatusLine,
        },
    },
    domain::text,
    hub::Snapshot,
};

impl App {
    /// Waits for the key that names a mark.
    pub(super) fn begin_mark(&mut self) {
        self.marks.is_pending = true;
        self.say("mark: a letter goes to its mark, a capital sets it here, \' marks for copying");
    }

    /// Takes the key that names a mark.
    pub(super) fn mark_key(&mut self, key: KeyEvent, snapshot: &Snapshot) {
        self.marks.is_pending = false;
        self.status = StatusLine::Empty;
        let KeyCode::Char(letter) = key.code else { return };
        if letter.is_ascii_lowercase() {
            return self.go_to_mark(letter, snapshot);
        }
        let Some(entry) = self.selected().cloned() else {
            self.say("nothing to mark");
            return;
        };
        if letter == '\'' {
            let marked = self.marks.toggle(place(&entry));
            let said = match marked {
                0 => "no entry is marked any more".to_owned(),
                1 => "1 entry marked; y and Y copy it, Esc takes the mark away".to_owned(),
                _ => format!(
                    "{} marked; y and Y copy them, Esc takes the marks away",
                    text::counted(marked, "entry")
                ),
            };
            self.say(said);
        } else if letter.is_ascii_uppercase() {
            let letter = letter.to_ascii_lowercase();
            self.marks.set(letter, place(&entry));
            self.say(format!("mark {letter} is on {}", name(&entry)));
        }
    }

    fn go_to_mark(&mut self, letter: char, snapshot: &Snapshot) {
        let Some(wanted) = self.marks.get(letter) else {
            let capital = letter.to_ascii_uppercase();
            self.say(format!("there is no mark {letter}; \'{capital} sets it"));
            return;
        };
        let Some(entry) = self.calls.all().find(|entry| place(entry) == wanted).map(Arc::clone) else {
            let why = if self.calls.is_filtered() {
                let back = self.key_label(KeyAction::Back);
                format!("does not match the filter; {back} clears it")
            } else {
                "is not shown".to_owned()
            };
            self.say(format!("the call with mark {letter} {why}"));
            return;
        };
        self.focus(Pane::Calls, snapshot);
        self.when_closed = WhenClosed::Stays;
        self.calls.select(Some(&entry));
        if self.grouped_list.is_some() {
            self.grouped_list = Some(GroupedList::of(&self.calls));
        }
    }
}
