//! What a line after `:` asks for: a command of the driver, or something of the console's own.

use crate::{
    console::{action::Action, complete, theme::Theme},
    domain::lang::{
        command::{Command, CommandError},
        filter::{Filter, FilterError},
        suggest::did_you_mean,
    },
};

/// What a line asks for.
pub(super) enum Asked {
    /// A command.
    Command(Box<Command>),
    /// What a key does, by its name.
    Action(Action),
    /// `theme NAME`
    Theme(Box<Theme>),
    /// `filter TEXT`
    Filter(String),
}

impl Asked {
    /// Reads a line; else says what is wrong with it. `ascii` is how a theme is to write its signs.
    pub(super) fn read(line: &str, ascii: bool) -> Result<Self, String> {
        let error = match line.parse::<Command>() {
            Ok(command) => return Ok(Self::Command(Box::new(command))),
            Err(error) => error,
        };
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line, ""));
        match (word, rest.trim(), error) {
            ("theme", name, _) if !name.is_empty() => Theme::named(name, ascii)
                .map(|theme| Self::Theme(Box::new(theme)))
                .map_err(|error| error.to_string()),
            ("filter", text, _) if !text.is_empty() => match text.parse::<Filter>() {
                Ok(_) => Ok(Self::Filter(text.to_owned())),
                Err(FilterError { column, problem }) => {
                    Err(FilterError { column: column + self::column(line, text) - 1, problem }.to_string())
                }
            },
            (_, rest, CommandError::Unknown { found }) => match complete::own_action(&found) {
                Some(action) if rest.is_empty() => Ok(Self::Action(action)),
                Some(_) => {
                    Err(format!("column {}: {rest:?} is too much; {found} stands alone", column(line, rest)))
                }
                None => Err(unknown(&found)),
            },
            (_, _, error) => Err(error.to_string()),
        }
    }
}

/// The column of a part at the end of a line.
fn column(line: &str, end: &str) -> usize {
    line.trim_end().chars().count() - end.chars().count() + 1
}

/// The console knows more words than the driver does.
fn unknown(found: &str) -> String {
    let mut meant = did_you_mean(found, complete::words());
    if meant.is_empty() {
        "; Tab on an empty line offers them all".clone_into(&mut meant);
    }
    format!("column 1: unknown command {found:?}{meant}")
}
