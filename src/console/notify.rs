//! Notifies the user by the terminal when a call is held while the window does not have the focus.

use std::str::FromStr;

use crate::{
    domain::{
        model::entry::EntryKind,
        text::{clean, describe::asked},
    },
    hub::Snapshot,
};

/// How the terminal notifies the user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Notify {
    /// It does not.
    #[default]
    Off,
    /// It rings the bell.
    Bell,
    /// It shows a desktop notification, as kitty, foot and Windows Terminal do (OSC 9).
    Osc9,
    /// The same in the form of urxvt, foot, Ghostty and VTE (OSC 777).
    Osc777,
}

impl FromStr for Notify {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "off" => Ok(Self::Off),
            "bell" => Ok(Self::Bell),
            "osc9" => Ok(Self::Osc9),
            "osc777" => Ok(Self::Osc777),
            _ => Err("choose \"off\", \"bell\", \"osc9\" or \"osc777\""),
        }
    }
}

impl Notify {
    /// What is written to the terminal.
    fn sequence(self, text: &str) -> String {
        // A semicolon would end the text of OSC 777.
        let text = clean(text).replace(';', ",");
        match self {
            Self::Off => String::new(),
            Self::Bell => "\x07".to_owned(),
            Self::Osc9 => format!("\x1b]9;{text}\x1b\\"),
            Self::Osc777 => format!("\x1b]777;notify;voltergeist;{text}\x1b\\"),
        }
    }
}

/// Whether the window has the keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WindowFocus {
    /// The terminal has not said so.
    #[default]
    Unknown,
    /// It has them.
    Gained,
    /// It does not.
    Lost,
}

/// Which held calls the user was notified of.
#[derive(Debug, Default)]
pub struct Notifier {
    how: Notify,
    /// The entry of the newest one.
    newest: u64,
}

impl Notifier {
    /// Notifies in one way. What is held already is no news.
    pub fn new(how: Notify) -> Self {
        Self { how, newest: 0 }
    }

    /// What is to be written, if a call is held since the last time. Not while the window has the keys, as far as the
    /// terminal says so.
    pub fn newly_held(&mut self, snapshot: &Snapshot, focus: WindowFocus) -> Option<String> {
        let newest = snapshot.held.iter().max_by_key(|entry| entry.seq)?;
        let is_new = newest.seq > self.newest;
        self.newest = self.newest.max(newest.seq);
        let EntryKind::Held(held) = &newest.kind else { return None };
        if !is_new || focus == WindowFocus::Gained || self.how == Notify::Off {
            return None;
        }
        let volume = held.volume.as_deref().unwrap_or_default();
        Some(
            self.how.sequence(
                format!("call {} is held: {} {volume}", held.number, asked(held.head())).trim_end(),
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_has_its_bytes_and_no_text_ends_it_early() {
        assert_eq!(Notify::Off.sequence("held"), "");
        assert_eq!(Notify::Bell.sequence("held"), "\x07");
        assert_eq!(Notify::Osc9.sequence("held \x1b\\db"), "\x1b]9;held ^[\\db\x1b\\");
        assert_eq!(Notify::Osc777.sequence("a;b"), "\x1b]777;notify;voltergeist;a,b\x1b\\");
    }
}
