//! The values of settings, as they are written on the command line, in a variable and in the config file.

use std::{fmt, str::FromStr, time::Duration};

use clap::ValueEnum;
use clap_complete::CompletionCandidate;
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use crate::{
    app::{DEFAULT_HEADER_TIMEOUT, paths},
    console::themes::{AUTO, Themes},
    domain::{
        lang::{command::Command, duration, suggest::did_you_mean},
        model::driver::Outage,
    },
};

/// A rule as after `arm`, with its label and flags; none of an empty line, which a variable with several can have.
#[derive(Clone, Debug, PartialEq)]
pub struct ArmedRule(pub(super) Option<Command>);

pub(super) fn rule(text: &str) -> Result<ArmedRule, String> {
    let rule = Some(text).filter(|text| !text.trim().is_empty()).map(Command::parse_arm);
    rule.transpose().map(ArmedRule).map_err(|error| error.to_string())
}

/// One rule, or several.
pub(super) fn rules<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ArmedRule>, D::Error> {
    let Keys(rules) = Keys::deserialize(deserializer)?;
    rules.iter().map(|text| rule(text).map_err(D::Error::custom)).collect()
}

/// An outage to begin with: `refuse`, or `unlink:50s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartDown {
    pub(super) kind: Outage,
    pub(super) lasting: Option<Duration>,
}

impl FromStr for StartDown {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, lasting) = text.split_once(':').map_or((text, None), |(kind, time)| (kind, Some(time)));
        let kinds = Outage::ALL.map(Outage::as_str);
        let Some(kind) = Outage::ALL.into_iter().find(|outage| outage.as_str() == kind) else {
            let meant = did_you_mean(kind, kinds);
            return Err(format!("{kind:?} is no outage{meant}; choose {}", kinds.join(", ")));
        };
        let lasting = lasting.map(self::lasting).transpose()?;
        Ok(Self { kind, lasting })
    }
}

/// How long the head of a request may take: `10s`, or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeaderTimeout(pub(super) Option<Duration>);

impl Default for HeaderTimeout {
    fn default() -> Self {
        Self(Some(DEFAULT_HEADER_TIMEOUT))
    }
}

impl FromStr for HeaderTimeout {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let limit = if text == "off" { None } else { Some(lasting(text)) };
        limit.transpose().map(Self).map_err(|_| "write a duration as 10s or 1m, or off")
    }
}

/// Whether to do something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    /// If the environment suggests it
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(word: &str) -> Result<Self, &'static str> {
        <Self as ValueEnum>::from_str(word, false).map_err(|_| "choose \"auto\", \"always\" or \"never\"")
    }
}

impl When {
    pub(super) fn decide(self, seems_right: impl FnOnce() -> bool) -> bool {
        match self {
            Self::Auto => seems_right(),
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// The keys of an action: `"f5"`, or `["f5", "space"]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Keys(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Keys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeysVisitor;

        impl<'de> Visitor<'de> for KeysVisitor {
            type Value = Keys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(r#"a key as "f5", or some as ["f5", "space"]"#)
            }

            fn visit_str<E>(self, key: &str) -> Result<Keys, E> {
                Ok(Keys(vec![key.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, keys: A) -> Result<Keys, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(keys)).map(Keys)
            }
        }

        deserializer.deserialize_any(KeysVisitor)
    }
}

/// How long, as users write it. No time at all would end a rule before it began.
pub(super) fn lasting(text: &str) -> Result<Duration, &'static str> {
    duration::parse(text)
        .filter(|lasting| !lasting.is_zero())
        .ok_or("write a duration as 200ms, 90s, 5m or 1h")
}

pub(super) fn lasting_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    lasting(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

pub(super) fn time_zone(name: &str) -> anyhow::Result<jiff::tz::TimeZone> {
    jiff::tz::TimeZone::get(name)
        .map_err(|_| anyhow::anyhow!("unknown time zone {name:?}; write it as UTC or Europe/Berlin"))
}

pub(super) fn zone_name(name: &str) -> anyhow::Result<String> {
    time_zone(name).map(|_| name.to_owned())
}

pub(super) fn zone<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    zone_name(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

pub(super) fn parsed<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

pub(super) fn theme<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    theme_name(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

/// The name of a theme, or `auto`.
pub(super) fn theme_name(name: &str) -> Result<String, String> {
    if name != AUTO {
        themes(false)?.named(name).map_err(|error| format!("{error}, {AUTO}"))?;
    }
    Ok(name.to_owned())
}

/// The themes that come with the program, and those in the user's configuration directory.
pub(super) fn themes(ascii: bool) -> Result<Themes, String> {
    let shipped = Themes::shipped(ascii);
    let Some(directory) = paths::config("themes") else { return Ok(shipped) };
    shipped.with_own(&directory).map_err(|error| error.to_string())
}

/// The names of the themes, for completion in a shell.
pub(super) fn theme_names() -> Vec<CompletionCandidate> {
    let themes = themes(false).unwrap_or_else(|_| Themes::shipped(false));
    themes.names().chain([AUTO]).map(CompletionCandidate::new).collect()
}
