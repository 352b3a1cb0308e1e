//! Whether a scenario can be played on an engine, and whether it fits another plugin that calls are forwarded to.

use super::file::{Scenario, ScenarioAction};
use crate::{
    domain::{
        lang::command::Command,
        model::{entry::Call, protocol::Operation},
    },
    engine_api::{Abilities, DockerCommand},
    hub::Hub,
};

const NO_LIVE_RESTORE: &str = "it needs containers that keep running while the daemon is restarted; set \"live-restore\" in \
                               /etc/docker/daemon.json";
const LIVE_RESTORE: &str = "it needs containers that end with the daemon, and this daemon has live-restore";

/// What a scenario finds beside an engine.
#[derive(Clone, Debug)]
pub struct EngineSetup {
    /// The driver's name.
    pub driver: String,
    /// Whether there is a second engine on the driver.
    pub second_engine: bool,
    /// Whether the engine has never used the driver.
    pub fresh_engine: bool,
}

impl Scenario {
    /// Why it can never be played on an engine, if so. It is known before the first step, so that none is left in between.
    pub fn obstacle(&self, engine: &Abilities, setup: &EngineSetup) -> Option<String> {
        if !self.is_for(engine.profile) {
            let engines = self.engines();
            let engines = if engines.is_empty() { "on dockerd" } else { &engines };
            return Some(format!("it plays only {engines}, and this engine is {}", engine.profile));
        }
        let scenario = self.clone().on_engine(engine.profile);
        if scenario.needs_second_engine() && !setup.second_engine {
            return Some("it needs a second engine on the same driver; play it on the simulated one".into());
        }
        match (scenario.live_restore, engine.live_restore) {
            (Some(true), Some(false)) => return Some(NO_LIVE_RESTORE.into()),
            (Some(false), Some(true)) => return Some(LIVE_RESTORE.into()),
            _ => {}
        }
        let restart = (scenario.fresh_engine && !setup.fresh_engine).then_some(DockerCommand::DaemonRestart);
        let mut commands = scenario.docker_commands(&setup.driver).chain(restart);
        commands.find_map(|command| engine.obstacle(&command))
    }

    /// Why it cannot be played in front of another plugin, if it cannot.
    pub fn upstream_obstacle(&self) -> Option<String> {
        if self.builtin_driver {
            return Some("it shows what only the built-in driver does".into());
        }
        let commands = self.steps.iter().filter(|step| step.action == ScenarioAction::Command);
        let mut refused = commands.filter(|step| {
            let command = step.line.parse().ok();
            matches!(command, Some(Command::Wipe | Command::Crash { keep: false } | Command::Unmount(_)))
        });
        refused.next().map(|step| format!("{:?} is refused in front of another plugin", step.line))
    }
}

/// What a plugin has refused of its own accord since an entry, which explains why a scenario goes another way there.
pub(super) fn refusal(hub: &Hub, after: u64) -> Option<String> {
    let (entries, _) = hub.entries_after(after, usize::MAX);
    entries.iter().filter_map(|entry| entry.call()).find_map(refused)
}

fn refused(call: &Call) -> Option<String> {
    let operation = call.operation.filter(|operation| {
        // A Get may ask for a volume that is not there.
        matches!(operation, Operation::Create | Operation::Mount | Operation::Unmount | Operation::Remove)
    })?;
    // Without a body it is the engine's retry, which a fault has caused.
    let upstream = call.upstream.as_ref().filter(|_| call.request.length > 0)?;
    let error = match (&call.fault, &upstream.reply) {
        (None, _) => call.error.as_deref()?.to_owned(),
        // The engine has got another reply.
        (Some(_), Some(reply)) if upstream.status != 200 => reply.text().trim_end().to_owned(),
        (Some(_), _) => return None,
    };
    let volume = call.volume.as_deref().unwrap_or_default();
    Some(format!("it does not fit this plugin, which refuses to {operation} {volume}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_api::Profile;

    #[test]
    fn what_an_engine_cannot_do_is_known_beforehand_with_the_reason() {
        let able = || Abilities {
            profile: Profile::Docker,
            restart: Ok(()),
            services: Ok(()),
            plugins: Ok(["ghost:latest".to_owned()].into()),
            live_restore: Some(false),
        };
        let setup =
            |driver: &str| EngineSetup { driver: driver.into(), second_engine: false, fresh_engine: false };
        let unable = Abilities { restart: Err("no restart"), services: Err("no swarm"), ..able() };
        let live = Abilities { live_restore: Some(true), ..able() };
        let simulated = Abilities { live_restore: None, ..able() };
        let podman = Abilities { profile: Profile::Podman, ..able() };
        let no_plugins = Abilities { plugins: Err("no plugins"), ..able() };
        let restart = "dangerous = true\n[[step]]\ndocker = \"systemctl restart docker\"";
        let service = "[[step]]\ndocker = \"docker service ls\"";
        let disable = "dangerous = true\n[[step]]\ndocker = \"docker plugin disable {driver}\"";
        let second = "[[step]]\ndocker = \"docker -H second volume ls\"";
        let list = "[[step]]\ndocker = \"docker volume ls\"";
        for (text, engine, driver, expected) in [
            (list.to_owned(), &able(), "ghost", None),
            (list.to_owned(), &podman, "ghost", Some("it plays only on dockerd, and this engine is podman")),
            (restart.to_owned(), &able(), "ghost", None),
            (restart.to_owned(), &unable, "ghost", Some("no restart")),
            (format!("fresh_engine = true\ndangerous = true\n{list}"), &unable, "ghost", Some("no restart")),
            (service.to_owned(), &able(), "ghost", None),
            (service.to_owned(), &unable, "ghost", Some("no swarm")),
            (disable.to_owned(), &able(), "ghost", None),
            (disable.to_owned(), &able(), "other", Some("\"other\" is no plugin that docker runs")),
            (disable.to_owned(), &no_plugins, "ghost", Some("no plugins")),
            (second.to_owned(), &able(), "ghost", Some("it needs a second engine")),
            (format!("live_restore = true\n{list}"), &able(), "ghost", Some("it needs containers that keep")),
            (format!("live_restore = true\n{list}"), &live, "ghost", None),
            (format!("live_restore = false\n{list}"), &live, "ghost", Some("it needs containers that end")),
            (format!("live_restore = false\n{list}"), &simulated, "ghost", None),
        ] {
            let text = format!("title = \"t\"\ndescription = \"s\"\n{text}");
            let scenario = Scenario::parse("mine", "mine.toml", &text).expect("a valid scenario");
            let obstacle = scenario.obstacle(engine, &setup(driver));
            let is_expected = match (&obstacle, expected) {
                (Some(obstacle), Some(expected)) => obstacle.starts_with(expected),
                (obstacle, expected) => obstacle.is_none() && expected.is_none(),
            };
            assert!(is_expected, "{text}: {obstacle:?}, expected {expected:?}");
        }
    }
}
