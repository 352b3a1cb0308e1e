//! What an engine can do, as far as is known before a scenario is played on it.

use std::collections::BTreeSet;

use super::{DockerCommand, PluginCommand, Profile};

/// What an engine can do. An error says why it cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Abilities {
    /// Which engine it is.
    pub profile: Profile,
    /// Whether it can be restarted.
    pub restart: Result<(), &'static str>,
    /// Whether it runs services.
    pub services: Result<(), &'static str>,
    /// The plugins that it runs itself.
    pub plugins: Result<BTreeSet<String>, &'static str>,
    /// Whether containers keep running while it is restarted; `None` if it is as a scenario needs it.
    pub live_restore: Option<bool>,
}

impl Abilities {
    /// Why a command can never work on the engine, if so.
    pub fn obstacle(&self, command: &DockerCommand) -> Option<String> {
        let able = match command {
            DockerCommand::Plugin(command) => return self.plugin_obstacle(command),
            DockerCommand::Service(_) => self.services,
            command if command.restarts_daemon() => self.restart,
            _ => Ok(()),
        };
        able.err().map(str::to_owned)
    }

    fn plugin_obstacle(&self, command: &PluginCommand) -> Option<String> {
        let plugins = match &self.plugins {
            Ok(plugins) => plugins,
            Err(reason) => return Some((*reason).to_owned()),
        };
        let (PluginCommand::Disable { name, .. } | PluginCommand::Enable { name }) = command else {
            return None;
        };
        // Docker adds the tag where none is given.
        let is_there = plugins.contains(name) || plugins.contains(&format!("{name}:latest"));
        (!is_there).then(|| format!("{name:?} is no plugin that docker runs; docker plugin ls lists those"))
    }
}
