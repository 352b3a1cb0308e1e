//! The clean-up after a scenario: removes what it created on the engine and in the driver.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use super::{
    context::Progress,
    report::{Report, TimedCall},
    run::StepRunner,
};
use crate::{
    domain::{
        analysis::traced_calls::TracedCall,
        lang::command::{Command, Target},
        model::{
            entry::{Cause, CommandRun, EntryKind},
            origin::Origin,
            scenario::ScenarioResult,
            volume::Change,
        },
    },
    engine_api::{DockerCommand, Engine, Inventory, PluginCommand, VolumeCommand},
    hub::DriverStatus,
};

/// How long background commands may take once nothing holds them: more than a daemon's five attempts.
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(20);

/// Source: moby, `volume/service/store.go`: the metadata of a volume without a name cannot be written, and so not removed.
const NAMELESS: &str = "the engine keeps a volume with an empty name until it is restarted, and lists it while the driver \
                        is down";

impl StepRunner<'_> {
    /// Removes rules, outages, containers and volumes of the scenario, and completes the report.
    pub(super) async fn clean_up(
        mut self,
        result: ScenarioResult,
        on_progress: &mut impl FnMut(Progress<'_>),
    ) -> Report {
        self.report.result = result;
        let hub = &self.context.hub;
        let rules = hub.snapshot().rules;
        for rule in rules.iter().filter(|rule| !self.rules_before.contains(&rule.id)) {
            // A rule that has ended meanwhile needs no disarming.
            let _ = hub.command(&Command::Disarm(Target::Id(rule.id)), self.origin());
        }
        if hub.desired_state().status != DriverStatus::Up {
            let _ = hub.command(&Command::Up, self.origin());
            hub.wait_until_applied().await;
        }
        for running in std::mem::take(&mut self.running).into_values() {
            let _ = self.context.clock.timeout(Some(BACKGROUND_TIMEOUT), running).await;
        }
        let calls = self.calls();
        let start = calls.first().map_or(jiff::Timestamp::UNIX_EPOCH, |call| call.at);
        let timed = |call: &TracedCall| {
            let elapsed = Duration::try_from(call.at.duration_since(start)).unwrap_or_default();
            TimedCall { call: call.to_string(), at: self.context.clock.engine_time(elapsed) }
        };
        self.report.calls = calls.iter().map(timed).collect();
        if self.trace.wrong_names().contains("") {
            self.report.left.push(NAMELESS.into());
        }
        // A stopped scenario may have left a plugin disabled. One that is enabled stays as it is.
        for command in self.scenario.docker_commands(&hub.driver().name) {
            if let DockerCommand::Plugin(PluginCommand::Disable { name, .. }) = command {
                let enable = DockerCommand::Plugin(PluginCommand::Enable { name });
                self.context.engine.perform(&enable).await;
            }
        }
        // The second one first: the first removes what is left in the driver.
        for engine in self.engines_in_use().into_iter().rev() {
            if let Err(problem) = self.remove_all(&engine, on_progress).await {
                self.report.problems.push(problem);
                if self.report.result == ScenarioResult::Passed {
                    self.report.result = ScenarioResult::Failed;
                }
            }
        }
        self.report
    }

    fn engines_in_use(&self) -> Vec<Arc<dyn Engine>> {
        let engines = if self.scenario.needs_second_engine() { 2 } else { 1 };
        self.context.engines().take(engines).cloned().collect()
    }

    /// Asks for as few inventories as possible: an engine that waits for a driver that is gone takes 15 s for each.
    async fn remove_all(
        &self,
        engine: &Arc<dyn Engine>,
        on_progress: &mut impl FnMut(Progress<'_>),
    ) -> Result<(), String> {
        // First, so that the inventory is without the containers, and often the last one.
        engine.sweep().await;
        let mut inventory = if let Ok(inventory) = self.context.inventory(engine, on_progress).await {
            inventory
        } else {
            engine.perform(&DockerCommand::DaemonRestart).await;
            self.context.inventory(engine, on_progress).await?
        };
        // Again, since an engine that did not answer has removed nothing.
        engine.sweep().await;
        // An engine forgets a name that it has from a wrong reply as soon as it asks for it.
        for name in self.trace.wrong_names().difference(&self.volumes_before).filter(|name| !name.is_empty())
        {
            let name = name.clone();
            engine.perform(&DockerCommand::Volume(VolumeCommand::Rm { force: true, name })).await;
        }
        // Twice, since a local volume of the engine may hide the driver's volume of the same name.
        for _ in 0..2 {
            if self.remaining(&inventory).is_empty() {
                return Ok(());
            }
            self.remove(engine, &inventory).await;
            inventory = self.context.inventory(engine, on_progress).await?;
        }
        let mut hidden: Vec<_> =
            self.remaining_volumes(&inventory).filter(|name| self.is_recorded(name)).collect();
        if self.context.hub.driver().upstream.is_some() {
            // They are another plugin's, and only an engine removes them there.
            hidden.clear();
        }
        if !hidden.is_empty() {
            for name in hidden {
                self.remove_from_driver(name).map_err(|error| error.to_string())?;
            }
            inventory = self.context.inventory(engine, on_progress).await?;
        }
        let remaining = self.remaining(&inventory);
        if remaining.is_empty() { Ok(()) } else { Err(format!("could not remove {}", remaining.join(", "))) }
    }

    /// Removes the scenario's containers and volumes that are in the inventory.
    async fn remove(&self, engine: &Arc<dyn Engine>, inventory: &Inventory) {
        for name in self.remaining_containers(inventory) {
            engine.perform(&DockerCommand::Rm { force: true, volumes: true, name }).await;
        }
        for name in self.remaining_volumes(inventory) {
            if self.context.hub.volumes().existing(&name).is_none() {
                // The engine can remove only a volume that the driver knows. Without a record this fails.
                let _ = self.context.hub.command(&Command::Restore(name.clone()), self.origin());
            }
            engine.perform(&DockerCommand::Volume(VolumeCommand::Rm { force: true, name })).await;
        }
    }

    fn origin(&self) -> Origin {
        Origin::scenario(&self.scenario.name)
    }

    /// Removes a volume from the driver that no engine can remove, because the driver does not admit to it.
    fn remove_from_driver(&self, name: String) -> std::io::Result<()> {
        let change = Change::Removed { name };
        self.context.hub.change(&change, Cause::Command)?;
        self.context.hub.record(EntryKind::Command(Box::new(CommandRun {
            command: format!("note clean-up of scenario {}", self.scenario.name),
            result: "removed its volume".into(),
            origin: Box::new(self.origin()),
            changes: vec![change],
        })));
        Ok(())
    }

    fn remaining(&self, inventory: &Inventory) -> Vec<String> {
        self.remaining_volumes(inventory).chain(self.remaining_containers(inventory)).collect()
    }

    fn remaining_containers(&self, inventory: &Inventory) -> impl Iterator<Item = String> {
        self.scenario.names().containers.into_iter().filter(|name| inventory.containers.contains(name))
    }

    /// The scenario's volumes that the engine or the driver still has.
    fn remaining_volumes(&self, inventory: &Inventory) -> impl Iterator<Item = String> {
        let mut names: BTreeSet<_> = self.scenario.names().volumes.into_iter().collect();
        names.retain(|name| inventory.volumes.contains(name) || self.is_recorded(name));
        names.extend(inventory.own.iter().cloned());
        names.into_iter()
    }

    fn is_recorded(&self, volume: &str) -> bool {
        self.context.hub.volumes().known(volume).is_some()
    }
}
