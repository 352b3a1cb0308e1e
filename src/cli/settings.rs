//! The settings: what can be chosen on the command line, in a variable and in the config file alike.
//!
//! A setting is one field here. Its name is the option `--name`, the variable `VOLTERGEIST_NAME` and the
//! key `name`; the command line goes before the variable, that before the file, and the file before the
//! default.

mod resolve;

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;
use serde::Deserialize;

use super::setting_values::{
    ArmedRule, HeaderTimeout, Keys, StartDown, When, lasting, lasting_text, parsed, rule, rules, theme,
    theme_name, theme_names, zone, zone_name,
};
use crate::{
    app::logging::{LogFormat, LogLevels},
    console::notify::Notify,
    net::{Address, UpstreamName},
};

/// The driver's name, unless another is chosen.
pub const DEFAULT_NAME: &str = "voltergeist";

/// The options. An unset one has its default.
#[expect(clippy::doc_markdown, reason = "the help shows the words as they are written here")]
#[derive(Clone, Debug, Default, PartialEq, Args, Deserialize)]
#[command(next_help_heading = "Plugin")]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The driver's name, as in `--volume-driver NAME`
    ///
    /// Default: voltergeist; in the demo: demo.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,

    /// Where volumes live
    ///
    /// Default: /var/lib/voltergeist/volumes for root, else the user's state directory; in the demo a temporary
    /// directory. Volumes survive a restart.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub root: Option<PathBuf>,

    /// Where engines reach the plugin: unix, unix:PATH or tcp://HOST:PORT
    ///
    /// Default: a Unix socket in /run/docker/plugins, where Docker looks for plugins. For TCP, a .spec file is written,
    /// which Docker finds too.
    #[arg(long, value_name = "ADDRESS")]
    #[serde(deserialize_with = "parsed")]
    pub listen: Option<Address>,

    /// Forward every call to a real plugin: its name as Docker finds it, unix:PATH or tcp://HOST:PORT
    ///
    /// Default: the built-in driver, whose volumes are directories.
    #[arg(long, value_name = "PLUGIN")]
    #[serde(deserialize_with = "parsed")]
    pub upstream: Option<UpstreamName>,

    /// Where scripts reach the control API: unix:PATH or tcp://HOST:PORT
    ///
    /// Default: a Unix socket named after the driver, in /run/voltergeist for root, else in the user's runtime
    /// directory.
    #[arg(long, value_name = "ADDRESS")]
    #[serde(deserialize_with = "parsed")]
    pub control: Option<Address>,

    /// Where commands over a TCP control address may save files
    ///
    /// Default: nowhere. On a Unix socket they may name any file.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, hide_short_help = true)]
    pub save_directory: Option<PathBuf>,

    /// Keep volumes empty when they are mounted, so that an engine fills them from the image [default: false]
    ///
    /// For one volume: docker volume create --opt plain.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    #[arg(hide_short_help = true)]
    pub plain: Option<bool>,

    /// Mount volumes for real: their files are there only while they are mounted, by a bind mount [default: false]
    ///
    /// For one volume: docker volume create --opt mount. Needs root.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    #[arg(hide_short_help = true)]
    pub mount: Option<bool>,

    /// The file with the token for a control API on TCP
    ///
    /// The API requires it; attach and command send it. Required unless the address is loopback.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, hide_short_help = true)]
    pub token_file: Option<PathBuf>,

    /// Close a connection whose client takes longer to send the head of a request; off for no limit [default: 60s]
    ///
    /// Off is for engines that are slow on purpose. Connections without a request may stay open.
    #[arg(long, value_name = "DUR", hide_short_help = true)]
    #[serde(deserialize_with = "parsed")]
    pub header_timeout: Option<HeaderTimeout>,

    /// Write each change of a volume to the disk before replying, so that it survives a loss of power [default: true]
    ///
    /// A kill of voltergeist loses nothing either way. The demo does not sync.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    #[arg(hide_short_help = true)]
    pub sync: Option<bool>,

    /// Append every entry to a file, one JSON line each
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub record: Option<PathBuf>,

    /// Hide the values of an option, such as password, in the recording, on the screen and in the API
    ///
    /// Repeatable. The value is hidden in volumes, bodies and command lines; the driver still has it. A rule can ask
    /// whether a volume has the option, but not for its value.
    #[arg(long, value_name = "KEY", value_delimiter = ',', hide_short_help = true)]
    pub redact: Vec<String>,

    /// Random seed
    ///
    /// The same seed and calls repeat the same faults. Default: a new one at each start.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Default lifetime of rules, such as 90s or 5m
    ///
    /// Default: until disarmed.
    #[arg(long, value_name = "DUR", value_parser = lasting, hide_short_help = true)]
    #[serde(deserialize_with = "lasting_text")]
    pub expire: Option<Duration>,

    /// Arm a rule from the start: RULE [as LABEL]
    ///
    /// Repeatable; in the variable, one rule per line. docs/faults.md explains rules.
    #[arg(long, value_name = "RULE", value_parser = rule, allow_hyphen_values = true, value_delimiter = '\n')]
    #[serde(deserialize_with = "rules")]
    pub arm: Vec<ArmedRule>,

    /// Begin with the driver down: refuse, unlink, blackhole or reset, and for how long, as in unlink:50s
    #[arg(long, value_name = "KIND[:DUR]", hide_short_help = true)]
    #[serde(deserialize_with = "parsed")]
    pub start_down: Option<StartDown>,

    /// Begin to listen after a time, such as 50s: a driver that is late at boot
    ///
    /// The same as --start-down unlink:DUR: until then there is no socket and no registration.
    #[arg(long, value_name = "DUR", value_parser = lasting, hide_short_help = true)]
    #[serde(deserialize_with = "lasting_text")]
    pub listen_after: Option<Duration>,

    /// Keep rules and what they have counted over a restart [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    #[arg(hide_short_help = true)]
    pub keep_rules: Option<bool>,

    /// Append what the program does and what goes wrong to a file
    ///
    /// Calls are no part of it; --record has them.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Log")]
    #[arg(hide_short_help = true)]
    pub log_file: Option<PathBuf>,

    /// What is in the log file: error, warn, info, debug, trace or off; or per module, as info,voltergeist::plugin=debug
    ///
    /// Default: RUST_LOG, and info without it.
    #[arg(long, value_name = "LEVELS", help_heading = "Log", hide_short_help = true)]
    #[serde(deserialize_with = "parsed")]
    pub log_level: Option<LogLevels>,

    /// Whether the log file is text or json [default: text]
    #[arg(long, value_name = "FORMAT", help_heading = "Log", hide_short_help = true)]
    #[serde(deserialize_with = "parsed")]
    pub log_format: Option<LogFormat>,

    /// The colours: auto, default, light, mono, colour-blind, high-contrast or an own one [default: auto]
    ///
    /// auto is light on a light background, else default. An own theme NAME is the file themes/NAME.toml beside the
    /// config file.
    #[arg(long, value_name = "NAME", help_heading = "Screen", value_parser = theme_name)]
    #[arg(add = ArgValueCandidates::new(theme_names))]
    #[serde(deserialize_with = "theme")]
    pub theme: Option<String>,

    /// Whether to use colour; auto follows NO_COLOR [default: auto]
    #[arg(long, value_name = "WHEN", help_heading = "Screen")]
    #[serde(deserialize_with = "parsed")]
    pub color: Option<When>,

    /// Whether to draw with ASCII only; auto follows the locale [default: auto]
    #[arg(long, value_name = "WHEN", help_heading = "Screen", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "always")]
    #[serde(deserialize_with = "parsed")]
    pub ascii: Option<When>,

    /// The zone of the times on the screen, such as UTC or Europe/Berlin
    ///
    /// Default: that of the system. Recordings and the control API always have UTC.
    #[arg(long, value_name = "ZONE", help_heading = "Screen", value_parser = zone_name)]
    #[arg(hide_short_help = true)]
    #[serde(deserialize_with = "zone")]
    pub time_zone: Option<String>,

    /// Whether the mouse selects and scrolls [default: true]
    ///
    /// Off lets the terminal select text; the key M toggles it.
    #[arg(long, value_name = "BOOL", help_heading = "Screen", hide_short_help = true)]
    pub mouse: Option<bool>,

    /// How the terminal notifies you when a call is held: off, bell, osc9 or osc777 [default: off]
    ///
    /// osc9 and osc777 show a desktop notification, in terminals that support them. Nothing is sent while the window has
    /// the focus, as far as the terminal reports it.
    #[arg(long, value_name = "HOW", help_heading = "Screen", hide_short_help = true)]
    #[serde(deserialize_with = "parsed")]
    pub notify: Option<Notify>,

    /// Other keys for some actions; only in the config file.
    #[arg(skip)]
    pub keys: BTreeMap<String, Keys>,
}

impl Settings {
    /// These, and for what they leave unset, those of a lower layer.
    #[must_use]
    pub fn or(self, below: Self) -> Self {
        Self {
            name: self.name.or(below.name),
            root: self.root.or(below.root),
            listen: self.listen.or(below.listen),
            upstream: self.upstream.or(below.upstream),
            control: self.control.or(below.control),
            save_directory: self.save_directory.or(below.save_directory),
            plain: self.plain.or(below.plain),
            mount: self.mount.or(below.mount),
            token_file: self.token_file.or(below.token_file),
            header_timeout: self.header_timeout.or(below.header_timeout),
            sync: self.sync.or(below.sync),
            record: self.record.or(below.record),
            redact: if self.redact.is_empty() { below.redact } else { self.redact },
            seed: self.seed.or(below.seed),
            expire: self.expire.or(below.expire),
            arm: if self.arm.is_empty() { below.arm } else { self.arm },
            // Either says how the driver begins, so a higher layer replaces both.
            start_down: self.start_down.or(below.start_down.filter(|_| self.listen_after.is_none())),
            listen_after: self.listen_after.or(below.listen_after.filter(|_| self.start_down.is_none())),
            keep_rules: self.keep_rules.or(below.keep_rules),
            log_file: self.log_file.or(below.log_file),
            log_level: self.log_level.or(below.log_level),
            log_format: self.log_format.or(below.log_format),
            theme: self.theme.or(below.theme),
            color: self.color.or(below.color),
            ascii: self.ascii.or(below.ascii),
            time_zone: self.time_zone.or(below.time_zone),
            mouse: self.mouse.or(below.mouse),
            notify: self.notify.or(below.notify),
            keys: below.keys.into_iter().chain(self.keys).collect(),
        }
    }

    /// The first two settings that are made though only one of them can be followed.
    pub fn contradiction(&self) -> Option<[&'static str; 2]> {
        let pairs = [
            (["start-down", "listen-after"], self.start_down.is_some() && self.listen_after.is_some()),
            // These are about the directories of the built-in driver.
            (["upstream", "plain"], self.upstream.is_some() && self.plain == Some(true)),
            (["upstream", "mount"], self.upstream.is_some() && self.mount == Some(true)),
        ];
        pairs.into_iter().find(|(_, both)| *both).map(|(names, _)| names)
    }
}
