//! Keys in the user's notation (`ctrl-c`, `space`, `G`), and the map from keys to actions.

use std::{collections::HashMap, fmt, str::FromStr};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::console::input::{
    action::{KeyAction, KeyBinding, KeyScope},
    bindings::KEY_BINDINGS,
};

/// A key with its modifiers. A letter's case is in the letter, so Shift is left out there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMED: [(&str, KeyCode, &str, &str); 16] = [
    ("space", KeyCode::Char(' '), "Space", "Space"),
    ("enter", KeyCode::Enter, "Enter", "Enter"),
    ("esc", KeyCode::Esc, "Esc", "Esc"),
    ("tab", KeyCode::Tab, "Tab", "Tab"),
    ("shift-tab", KeyCode::BackTab, "Shift-Tab", "Shift-Tab"),
    ("backspace", KeyCode::Backspace, "Backspace", "Backspace"),
    ("delete", KeyCode::Delete, "Delete", "Delete"),
    ("insert", KeyCode::Insert, "Insert", "Insert"),
    ("up", KeyCode::Up, "↑", "Up"),
    ("down", KeyCode::Down, "↓", "Down"),
    ("left", KeyCode::Left, "←", "Left"),
    ("right", KeyCode::Right, "→", "Right"),
    ("home", KeyCode::Home, "Home", "Home"),
    ("end", KeyCode::End, "End", "End"),
    ("pageup", KeyCode::PageUp, "PgUp", "PgUp"),
    ("pagedown", KeyCode::PageDown, "PgDn", "PgDn"),
];

impl Chord {
    /// How it is written in hints.
    pub fn label(self, ascii: bool) -> String {
        let modifiers = [(KeyModifiers::CONTROL, "Ctrl-"), (KeyModifiers::ALT, "Alt-")];
        let mut label: String = modifiers
            .iter()
            .filter(|(modifier, _)| self.modifiers.contains(*modifier))
            .map(|(_, name)| *name)
            .collect();
        match NAMED.iter().find(|(_, code, ..)| *code == self.code) {
            Some((.., pretty, plain)) => label.push_str(if ascii { plain } else { pretty }),
            None => match self.code {
                KeyCode::Char(c) if self.modifiers.is_empty() => label.push(c),
                KeyCode::Char(c) => label.extend(c.to_uppercase()),
                KeyCode::F(n) => label.extend(["F", &n.to_string()]),
                _ => label.push('?'),
            },
        }
        label
    }

    /// As the terminal reports it. For tests that press keys.
    pub fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

impl From<KeyEvent> for Chord {
    fn from(key: KeyEvent) -> Self {
        let modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        match key.code {
            KeyCode::Tab if key.modifiers.contains(KeyModifiers::SHIFT) => {
                Self { code: KeyCode::BackTab, modifiers }
            }
            // Without Shift in the letter, as some terminals report it.
            KeyCode::Char(c) if key.modifiers.contains(KeyModifiers::SHIFT) && c.is_ascii_lowercase() => {
                Self { code: KeyCode::Char(c.to_ascii_uppercase()), modifiers }
            }
            code => Self { code, modifiers },
        }
    }
}

/// A text that names no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no key; write a letter or sign, space enter esc tab backspace delete up down left right home end \
     pageup pagedown f1…f12, with ctrl- alt- or shift- before it"
)]
pub struct NoKey(String);

impl FromStr for Chord {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Self, NoKey> {
        let mut modifiers = KeyModifiers::NONE;
        let mut name = text;
        while let Some((modifier, rest)) = name.split_once('-').filter(|(_, rest)| !rest.is_empty()) {
            modifiers |= match modifier.to_ascii_lowercase().as_str() {
                "ctrl" => KeyModifiers::CONTROL,
                "alt" => KeyModifiers::ALT,
                "shift" => KeyModifiers::SHIFT,
                _ => return Err(NoKey(text.to_owned())),
            };
            name = rest;
        }
        let mut letters = name.chars();
        let code = if let (Some(letter), None) = (letters.next(), letters.next()) {
            KeyCode::Char(letter)
        } else {
            let lower = name.to_ascii_lowercase();
            let named = NAMED.iter().find(|(known, ..)| *known == lower).map(|(_, code, ..)| *code);
            let function = || {
                let number = lower.strip_prefix('f').and_then(|number| number.parse().ok());
                number.filter(|number| (1..=12).contains(number)).map(KeyCode::F)
            };
            named.or_else(function).ok_or_else(|| NoKey(text.to_owned()))?
        };
        Ok(KeyEvent::new(code, modifiers).into())
    }
}

/// Which key does what, and where.
#[derive(Clone, Debug)]
pub struct Keymap {
    actions: HashMap<(KeyScope, Chord), KeyAction>,
    keys: HashMap<KeyAction, Vec<Chord>>,
}

/// Why a user's choice of keys cannot be used. `action` names the entry that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// There is no such action.
    #[error("unknown action {action:?}; docs/keys.md lists them all")]
    NoAction {
        /// The name.
        action: String,
    },
    /// There is no such key.
    #[error("{action}: {error}")]
    NoKey {
        /// The action that should have it.
        action: String,
        /// What was written.
        error: NoKey,
    },
    /// The key does something else already.
    #[error("{action}: the key {key:?} is bound to {other} already; give one of them another key")]
    Taken {
        /// The action that should have it.
        action: String,
        /// The action that has it.
        other: &'static str,
        /// The key.
        key: String,
    },
}

impl Default for Keymap {
    fn default() -> Self {
        Self::new([]).expect("the keys of the table do not collide, as a test shows")
    }
}

impl Keymap {
    /// The keys of the table, except for the actions that are given others.
    pub fn new<'c>(chosen: impl IntoIterator<Item = (&'c str, &'c [String])>) -> Result<Self, KeymapError> {
        let parsed = |keys: &[&str]| keys.iter().map(|key| key.parse()).collect::<Result<Vec<Chord>, _>>();
        let mut keys: Vec<Option<Vec<Chord>>> = vec![None; KEY_BINDINGS.len()];
        for (action, chords) in chosen {
            let index = KEY_BINDINGS
                .iter()
                .position(|binding| binding.name == action)
                .ok_or_else(|| KeymapError::NoAction { action: action.to_owned() })?;
            let chords: Vec<&str> = chords.iter().map(String::as_str).collect();
            let chords =
                parsed(&chords).map_err(|error| KeymapError::NoKey { action: action.to_owned(), error })?;
            keys[index] = Some(chords);
        }
        let mut bound: Vec<(&KeyBinding, bool, Vec<Chord>)> = KEY_BINDINGS
            .iter()
            .zip(keys)
            .map(|(binding, chosen)| match chosen {
                Some(chords) => (binding, true, chords),
                None => (binding, false, parsed(binding.keys).expect("a test reads every key of the table")),
            })
            .collect();
        // Configured keys come last, so that a collision is reported for them.
        bound.sort_by_key(|(_, chosen, _)| *chosen);
        let mut map = Self { actions: HashMap::new(), keys: HashMap::new() };
        for (binding, _, chords) in bound {
            for chord in &chords {
                if let Some(other) = map.actions.insert((binding.scope, *chord), binding.action) {
                    return Err(KeymapError::Taken {
                        action: binding.name.to_owned(),
                        other: other.binding().name,
                        key: chord.to_string(),
                    });
                }
            }
            map.keys.insert(binding.action, chords);
        }
        Ok(map)
    }

    /// What a key does in a place: what it does there, or else everywhere.
    pub fn action(&self, scope: KeyScope, chord: Chord) -> Option<KeyAction> {
        let everywhere = || self.actions.get(&(KeyScope::Everywhere, chord));
        self.actions.get(&(scope, chord)).or_else(everywhere).copied()
    }

    /// The keys that do something.
    pub fn keys(&self, action: KeyAction) -> &[Chord] {
        self.keys.get(&action).map_or(&[], Vec::as_slice)
    }

    /// The first key that does something, as it is written in hints.
    pub fn key(&self, action: KeyAction, ascii: bool) -> String {
        self.keys(action).first().map_or_else(String::new, |chord| chord.label(ascii))
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (modifier, name) in [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-")] {
            if self.modifiers.contains(modifier) {
                f.write_str(name)?;
            }
        }
        match NAMED.iter().find(|(_, code, ..)| *code == self.code) {
            Some((name, ..)) => f.write_str(name),
            None => match self.code {
                KeyCode::Char(c) => write!(f, "{c}"),
                KeyCode::F(n) => write!(f, "f{n}"),
                _ => Ok(()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_table_can_be_read_and_none_is_bound_twice() {
        let map = Keymap::new([]).expect("the table is sound");
        for binding in KEY_BINDINGS {
            for key in binding.keys {
                let chord: Chord = key.parse().unwrap_or_else(|error| panic!("{}: {error}", binding.name));
                assert_eq!(chord.to_string(), *key, "{} is written in the common form", binding.name);
                assert_eq!(map.action(binding.scope, chord), Some(binding.action));
            }
        }
    }

    #[test]
    fn a_terminal_may_report_shift_or_not() {
        for (event, key) in [
            (KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT), "G"),
            (KeyEvent::new(KeyCode::Char('g'), KeyModifiers::SHIFT), "G"),
            (KeyEvent::new(KeyCode::Char('?'), KeyModifiers::SHIFT), "?"),
            (KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT), "shift-tab"),
            (KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT), "shift-tab"),
            (KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL), "ctrl-c"),
        ] {
            assert_eq!(Chord::from(event), key.parse().expect(key), "{event:?}");
        }
    }

    #[test]
    fn a_chosen_key_replaces_those_of_the_table() {
        let chosen = ["f9".to_owned()];
        let map = Keymap::new([("pause", chosen.as_slice())]).expect("f9 is free");
        let space = "space".parse().expect("a key");
        assert_eq!(map.action(KeyScope::Everywhere, space), None);
        assert_eq!(map.key(KeyAction::Pause, false), "F9");
    }

    #[test]
    fn a_wrong_choice_is_reported_by_name() {
        for (action, key, expected) in [
            ("fly", "p", "unknown action \"fly\""),
            ("pause", "hyper-p", "pause: \"hyper-p\" is no key"),
            ("pause", "f13", "pause: \"f13\" is no key"),
            ("pause", "q", "pause: the key \"q\" is bound to quit already"),
        ] {
            let error = Keymap::new([(action, [key.to_owned()].as_slice())]).expect_err(action).to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
