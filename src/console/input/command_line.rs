//! What a line after `:` means: a command, or an action of the console.

use crate::{
    console::{
        column::{Column, Sort},
        input::{action::KeyAction, complete},
        theme::Theme,
        themes::Themes,
    },
    domain::{
        lang::{
            command::{Command, CommandError},
            filter::{Filter, FilterError},
            seek::{SeekError, SeekTarget},
            suggest::did_you_mean,
        },
        model::source_status::NodeChoice,
    },
};

/// The meaning of a line.
pub enum LineInput {
    /// A command.
    Command(Box<Command>),
    /// What a key does, by its name.
    Action(KeyAction),
    /// `theme NAME`
    Theme(Box<Theme>),
    /// `filter TEXT`
    Filter(String),
    /// `! LINE`
    Shell(String),
    /// `node NAME`
    Node(NodeChoice),
    /// `seek PLACE`
    Seek(SeekTarget),
    /// `sort [COLUMN [reverse]]`; without a column, the usual order.
    Sort(Option<Sort>),
}

impl LineInput {
    /// Parses a line, or returns what is wrong with it.
    pub fn read(line: &str, themes: &Themes) -> Result<Self, String> {
        if let Some(line) = line.trim_start().strip_prefix('!') {
            return Ok(Self::Shell(line.trim().to_owned()));
        }
        let error = match line.parse::<Command>() {
            Ok(command) => return Ok(Self::Command(Box::new(command))),
            Err(error) => error,
        };
        let (word, rest) = line.trim().split_once(char::is_whitespace).unwrap_or((line, ""));
        match (word, rest.trim(), error) {
            ("theme", name, _) if !name.is_empty() => themes
                .named(name)
                .map(|theme| Self::Theme(Box::new(theme)))
                .map_err(|error| error.to_string()),
            ("seek", text, _) => text
                .parse()
                .map(Self::Seek)
                .map_err(|error: SeekError| format!("column {}: {error}", column(line, text))),
            ("sort", text, _) => sort(text)
                .map(Self::Sort)
                .map_err(|(at, problem)| format!("column {}: {problem}", column(line, text) + at)),
            ("node", name, _) if !name.is_empty() => Ok(Self::Node(name.into())),
            ("filter", text, _) if !text.is_empty() => match text.parse::<Filter>() {
                Ok(_) => Ok(Self::Filter(text.to_owned())),
                Err(FilterError { column, problem }) => {
                    Err(FilterError { column: column + self::column(line, text) - 1, problem }.to_string())
                }
            },
            (_, rest, CommandError::Unknown { found, is_rule }) => match complete::own_action(&found) {
                Some(action) if rest.is_empty() => Ok(Self::Action(action)),
                Some(_) => Err(format!(
                    "column {}: unexpected {rest:?}; {found} takes no argument",
                    column(line, rest)
                )),
                None if is_rule => Err(CommandError::Unknown { found, is_rule }.to_string()),
                None => Err(unknown(&found)),
            },
            (_, _, error) => Err(error.to_string()),
        }
    }
}

/// The order that a text names, or what is wrong from which of its characters on.
fn sort(text: &str) -> Result<Option<Sort>, (usize, String)> {
    let mut words = text.split_whitespace();
    let Some(name) = words.next() else { return Ok(None) };
    let Ok(column) = name.parse::<Column>() else {
        let names = Column::ALL.map(Column::name);
        let mut meant = did_you_mean(name, names);
        if meant.is_empty() {
            meant = format!("; there are {}", names.join(", "));
        }
        return Err((0, format!("unknown column {name:?}{meant}")));
    };
    match (words.next(), words.next()) {
        (None, _) => Ok(Some(Sort::by(column, false))),
        (Some("reverse"), None) => Ok(Some(Sort::by(column, true))),
        _ => Err((name.len() + 1, "expected \"reverse\" or nothing after the column".to_owned())),
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
        "; Tab on an empty line lists them".clone_into(&mut meant);
    }
    format!("column 1: unknown command {found:?}{meant}")
}
