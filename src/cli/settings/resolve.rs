//! What the settings mean, with the defaults of those that are unset.

use super::Settings;
use crate::{
    app::{
        Config,
        logging::{LogLevels, LogOptions},
        paths,
    },
    cli::setting_values::{StartDown, themes, time_zone},
    console::{
        self,
        color_depth::ColorDepth,
        input::keymap::{Keymap, KeymapError},
        themes::AUTO,
    },
    domain::{
        lang::command::Command,
        model::{directory_options::DirectoryOptions, driver::Outage, speed::EngineSpeed},
        text::symbols::{self, Symbols},
    },
    net::{UpstreamName, client::ClientError, token},
};

impl Settings {
    /// What an instance is started with. `default_name` is the driver's name if none is chosen.
    pub fn config(&self, default_name: &str) -> Config {
        // It is the driver's name too, unless another is chosen.
        let plugin = self.upstream.as_ref().and_then(UpstreamName::plugin);
        let name = self.name.as_deref().or(plugin.as_deref()).unwrap_or(default_name);
        let is_its_name = plugin.as_deref() == Some(name);
        Config {
            name: name.to_owned(),
            root: self.root.clone(),
            listen: self.listen.clone(),
            upstream: None,
            takes_over: is_its_name && self.listen.is_none(),
            control: self.control.clone(),
            save_directory: self.save_directory.clone(),
            directories: DirectoryOptions {
                plain: self.plain.unwrap_or_default(),
                mount: self.mount.unwrap_or_default(),
                ..DirectoryOptions::default()
            },
            token_file: self.token_file.clone(),
            header_timeout: self.header_timeout.unwrap_or_default().0,
            sync: self.sync.unwrap_or(true),
            record: self.record.clone(),
            redact: self.redact.clone(),
            seed: self.seed,
            expire: self.expire,
            commands: self.commands(),
            speed: EngineSpeed::REAL,
            keep_rules: self.keep_rules.unwrap_or_default(),
            panic_on: std::env::var("VOLTERGEIST_PANIC_ON").ok().filter(|volume| !volume.is_empty()),
        }
    }

    /// The log file, if there is to be one. `variable` looks up the environment.
    pub fn log(&self, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Option<LogOptions>> {
        let Some(path) = self.log_file.clone() else { return Ok(None) };
        let usual = variable("RUST_LOG").filter(|levels| !levels.is_empty());
        let levels = match (&self.log_level, usual) {
            (Some(levels), _) => levels.clone(),
            (None, Some(levels)) => levels.parse().map_err(|error| anyhow::anyhow!("RUST_LOG: {error}"))?,
            (None, None) => LogLevels::default(),
        };
        Ok(Some(LogOptions { path, levels, format: self.log_format.unwrap_or_default() }))
    }

    /// The symbols of texts and the zone of their times.
    pub fn text(
        &self,
        variable: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<(&'static Symbols, jiff::tz::TimeZone)> {
        let ascii = self.ascii.unwrap_or_default().decide(|| console::wants_ascii(&variable));
        Ok((if ascii { &symbols::ASCII } else { &symbols::UNICODE }, self.zone()?))
    }

    fn zone(&self) -> anyhow::Result<jiff::tz::TimeZone> {
        self.time_zone.as_deref().map_or_else(|| Ok(jiff::tz::TimeZone::system()), time_zone)
    }

    /// The token for a control API on TCP.
    pub fn token(&self) -> Result<Option<String>, ClientError> {
        self.token_file.as_deref().map(token::read).transpose()
    }

    /// What is run before the first request.
    fn commands(&self) -> Vec<Command> {
        let late = self.listen_after.map(|after| StartDown { kind: Outage::Unlink, lasting: Some(after) });
        let down =
            self.start_down.or(late).map(|StartDown { kind, lasting }| Command::Down { kind, lasting });
        self.arm.iter().filter_map(|rule| rule.0.clone()).chain(down).collect()
    }

    /// Which key does what.
    pub fn keymap(&self) -> Result<Keymap, KeymapError> {
        Keymap::new(self.keys.iter().map(|(action, keys)| (action.as_str(), keys.0.as_slice())))
    }

    /// The appearance of the console; `auto` values are decided by the environment, and by whether the background of
    /// the terminal is light, as far as that is known.
    pub fn console(
        &self,
        variable: impl Fn(&str) -> Option<String>,
        is_light: impl FnOnce() -> Option<bool>,
    ) -> anyhow::Result<console::ConsoleOptions> {
        // Set and not empty, as https://no-color.org has it.
        let no_colour = || {
            variable("NO_COLOR").is_some_and(|value| !value.is_empty())
                || variable("TERM").is_some_and(|terminal| terminal == "dumb")
        };
        let colour = self.color.unwrap_or_default().decide(|| !no_colour());
        let ascii = self.ascii.unwrap_or_default().decide(|| console::wants_ascii(&variable));
        let theme = match self.theme.as_deref().unwrap_or(AUTO) {
            _ if !colour => "mono",
            AUTO if is_light() == Some(true) => "light",
            AUTO => "default",
            name => name,
        };
        let themes = themes(ascii).map_err(anyhow::Error::msg)?.in_depth(ColorDepth::of(&variable));
        Ok(console::ConsoleOptions {
            theme: themes.named(theme)?,
            themes,
            keymap: self.keymap()?,
            zone: self.zone()?,
            mouse: self.mouse.unwrap_or(true),
            notify: self.notify.unwrap_or_default(),
            editor: console::editor::find(&variable),
            shell: variable("SHELL").filter(|shell| !shell.is_empty()).unwrap_or_else(|| "sh".into()),
            memory: paths::state("console.json"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::setting_values::When;

    #[test]
    fn a_light_background_gets_the_light_theme_unless_one_is_chosen() {
        let look = |settings: Settings, is_light| {
            settings.console(|_| None, || is_light).expect("they are sound").theme.name
        };
        let named = |name: &str| Settings { theme: Some(name.to_owned()), ..Settings::default() };
        let mono = Settings { color: Some(When::Never), ..Settings::default() };
        assert_eq!(look(Settings::default(), Some(true)), "light");
        assert_eq!(look(named("auto"), Some(true)), "light");
        assert_eq!(look(named("auto"), Some(false)), "default");
        assert_eq!(look(named("auto"), None), "default");
        assert_eq!(look(named("high-contrast"), Some(true)), "high-contrast");
        assert_eq!(look(mono, Some(true)), "mono");
    }

    #[test]
    fn colour_and_ascii_follow_the_environment_unless_they_are_chosen() {
        let utf8 = ("LANG", "C.UTF-8");
        for (color, ascii, environment, expected) in [
            (None, None, &[utf8][..], ("default", false)),
            (None, None, &[], ("default", true)),
            (None, None, &[utf8, ("NO_COLOR", "1")], ("mono", false)),
            (None, None, &[utf8, ("NO_COLOR", "")], ("default", false)),
            (None, None, &[utf8, ("TERM", "dumb")], ("mono", false)),
            (None, None, &[utf8, ("TERM", "xterm")], ("default", false)),
            (Some(When::Always), None, &[utf8, ("NO_COLOR", "1")], ("default", false)),
            (Some(When::Never), None, &[utf8], ("mono", false)),
            (None, Some(When::Always), &[utf8], ("default", true)),
            (None, Some(When::Never), &[("LC_ALL", "C")], ("default", false)),
        ] {
            let variable = |name: &str| {
                environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
            };
            let settings = Settings { color, ascii, ..Settings::default() };
            let options = settings.console(variable, || None).expect("the defaults are sound");
            let theme = options.theme;
            assert_eq!((&*theme.name, theme.glyphs.ascii), expected, "{color:?} {ascii:?} {environment:?}");
        }
    }
}
