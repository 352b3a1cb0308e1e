//! The config file: settings that need not be typed each time.

use std::{
    fmt::Write as _,
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::settings::Settings;
use crate::{
    app::paths,
    console::{input::action::KeyBinding, input::bindings::KEY_BINDINGS, input::keymap::KeymapError},
    domain::{lang::suggest::did_you_mean, text::excerpt},
};

/// The settings with their defaults and what they mean, without the keys.
const TEMPLATE: &str = include_str!("../../assets/config.toml");

/// A config file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read the config file {path:?}: {error}; name another one with --config FILE")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}: {problem}\n{excerpt}", path.display())]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// The key, and what is wrong and allowed.
        problem: String,
        /// The line, and a mark under what is wrong.
        excerpt: String,
    },
}

/// Reads the file that was named; if none was, the user's own, which need not be there.
pub fn read(named: Option<&Path>) -> Result<Settings, ConfigError> {
    let Some(path) = named.map(Path::to_owned).or_else(|| paths::config("config.toml")) else {
        return Ok(Settings::default());
    };
    match fs::read_to_string(&path) {
        Ok(text) => parse(&text)
            .map_err(|Wrong { at, key, problem }| located(path, &text, &at, key.as_deref(), &problem)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => Ok(Settings::default()),
        Err(error) => Err(ConfigError::Unreadable { path, error }),
    }
}

/// A file to begin with: every setting and every key with its default, commented out.
pub fn template() -> String {
    KEY_BINDINGS.iter().fold(TEMPLATE.to_owned(), |mut text, KeyBinding { name, keys, help, .. }| {
        let _ = writeln!(text, "\n# {help}\n#{name} = {keys:?}");
        text
    })
}

/// What is wrong, and where in the text.
struct Wrong {
    at: Range<usize>,
    key: Option<String>,
    problem: String,
}

fn parse(text: &str) -> Result<Settings, Wrong> {
    let (table, _) = DeTable::parse_recoverable(text);
    let table = table.get_ref();
    let settings: Settings = toml::from_str(text).map_err(|error| {
        let at = error.span().unwrap_or(0..0);
        let problem = error.message().replace("expected u64", "expected a whole number from 0");
        Wrong { key: key_at(table, at.start), problem: problem.replace("a map", "a table"), at }
    })?;
    if let Some([one, other]) = settings.contradiction() {
        let at = table.get(other).map_or(0..0, Spanned::span);
        let problem = format!("contradicts {one}; leave one of them out");
        return Err(Wrong { at, key: Some(other.to_owned()), problem });
    }
    settings.keymap().map_err(|error| {
        let (KeymapError::NoAction { action }
        | KeymapError::NoKey { action, .. }
        | KeymapError::Taken { action, .. }) = &error;
        let problem = match error {
            KeymapError::NoAction { .. } => no_action(action),
            _ => error.to_string().trim_start_matches(&format!("{action}: ")).to_owned(),
        };
        let at = place_of(table, action, &error).unwrap_or(0..0);
        Wrong { at, key: Some(format!("keys.{action}")), problem }
    })?;
    Ok(settings)
}

fn no_action(name: &str) -> String {
    let mut meant = did_you_mean(name, KEY_BINDINGS.iter().map(|control| control.name));
    if meant.is_empty() {
        meant.push(';');
    }
    format!("there is no such action{meant} voltergeist --print-config lists all")
}

/// The key, or the value, that a wrong choice of keys is about.
fn place_of(table: &DeTable<'_>, action: &str, error: &KeymapError) -> Option<Range<usize>> {
    let DeValue::Table(keys) = table.get("keys")?.get_ref() else { return None };
    let (name, value) = keys.iter().find(|(name, _)| name.get_ref() == action)?;
    Some(if matches!(error, KeymapError::NoAction { .. }) { name.span() } else { value.span() })
}

/// The dotted key to which a place in the text belongs.
fn key_at(table: &DeTable<'_>, at: usize) -> Option<String> {
    table.iter().find_map(|(name, value): (&Spanned<_>, &Spanned<DeValue<'_>>)| {
        let within = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, at).map(|inner| format!("{}.{inner}", name.get_ref())),
            _ => None,
        };
        let here = name.span().contains(&at) || value.span().contains(&at);
        within.or_else(|| here.then(|| name.get_ref().to_string()))
    })
}

/// The error as the user sees it: file, line, key, what is wrong, and the line itself.
fn located(path: PathBuf, text: &str, at: &Range<usize>, key: Option<&str>, problem: &str) -> ConfigError {
    let start = at.start.min(text.len());
    let begin = text[..start].rfind('\n').map_or(0, |end| end + 1);
    let line = text[..begin].matches('\n').count() + 1;
    let shown = text[begin..].lines().next().unwrap_or_default();
    let marked = text[start..at.end.clamp(start, begin + shown.len())].chars().count().max(1);
    let margin = format!("{line} | ");
    let excerpt = excerpt(&margin, shown, text[begin..start].chars().count(), marked);
    // Some problems name the key themselves.
    let key = key.filter(|key| !problem.contains(&format!("`{key}`")));
    let problem = key.map_or_else(|| problem.to_owned(), |key| format!("{key}: {problem}"));
    ConfigError::Wrong { path, line, problem, excerpt }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;
    use crate::{
        cli::{args::Cli, settings::DEFAULT_NAME},
        console::{
            self,
            input::keymap::{Chord, Keymap},
        },
    };

    /// The template with every setting in force.
    fn in_force() -> String {
        let template = template();
        let lines = template.lines().map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| c.is_ascii_lowercase()) => setting,
            _ => line,
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    fn settings(text: &str) -> Settings {
        parse(text).unwrap_or_else(|wrong| panic!("{:?}: {}", wrong.key, wrong.problem))
    }

    #[test]
    fn the_template_changes_nothing_as_it_is() {
        assert_eq!(settings(&template()), Settings::default());
    }

    #[test]
    fn the_template_with_everything_in_force_is_the_defaults() {
        let (written, default) = (settings(&in_force()), Settings::default());
        assert_eq!(written.config(DEFAULT_NAME).name, default.config(DEFAULT_NAME).name);
        let look = |settings: &Settings| {
            let options = settings.console(|_| None, || None).expect("it is sound");
            (options.theme.name.into_owned(), options.theme.glyphs.ascii)
        };
        assert_eq!(look(&written), look(&default));
        assert_eq!(
            (written.color, written.ascii),
            (Some(default.color.unwrap_or_default()), Some(default.ascii.unwrap_or_default()))
        );
        assert_eq!(written.mouse, Some(console::ConsoleOptions::default().mouse));
        let keys = |keymap: &Keymap| -> Vec<Vec<Chord>> {
            KEY_BINDINGS.iter().map(|control| keymap.keys(control.action).to_vec()).collect()
        };
        assert_eq!(keys(&written.keymap().expect("no key is bound twice")), keys(&Keymap::default()));
        // These have no default that could be written down, so the template only mentions them.
        let Settings { root, listen, control, record, seed, expire, .. } = written;
        assert_eq!((root, listen, control, record, seed, expire), (None, None, None, None, None, None));
    }

    #[test]
    fn the_template_mentions_every_option() {
        let template = template();
        for option in Cli::command().get_opts().filter_map(clap::Arg::get_long) {
            let is_shown =
                template.contains(&format!("\n#{option} = ")) || template.contains(&format!("`{option} = "));
            assert!(is_shown || ["config", "print-config"].contains(&option), "{option} is missing");
        }
    }
}
