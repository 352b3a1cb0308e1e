//! The end of a play: whatever the card has done is taken back, on the engine and in the driver.

use std::{collections::BTreeSet, time::Duration};

use super::{
    player::Event,
    report::{Report, ScenarioResult, Seen},
    stage::Stage,
    trace::Line,
};
use crate::{
    domain::{
        lang::command::{Command, Target},
        model::{
            entry::{Cause, CommandRun, EntryKind},
            volume::Change,
        },
    },
    engine::{DockerCommand, Inventory, VolumeCommand},
    state::DriverStatus,
};

/// For what goes on in the background, once nothing holds it: more than a daemon's five tries.
const ATTEMPT_TOLERANCE: Duration = Duration::from_secs(20);

impl Stage<'_> {
    /// Takes back all that the card has done: rules, outages, containers, volumes.
    pub(super) async fn clear(mut self, result: ScenarioResult, tell: &mut impl FnMut(Event<'_>)) -> Report {
        self.report.result = result;
        let hub = &self.context.hub;
        let armed = hub.snapshot().faults;
        for rule in armed.iter().filter(|rule| !self.rules_before.contains(&rule.id)) {
            // A rule that has ended meanwhile needs no disarming.
            let _ = hub.command(&Command::Disarm(Target::Id(rule.id)));
        }
        if hub.driver_state().status != DriverStatus::Up {
            let _ = hub.command(&Command::Up);
            hub.wait_until_applied().await;
        }
        for running in std::mem::take(&mut self.going_on).into_values() {
            let _ = self.context.clock.timeout(Some(ATTEMPT_TOLERANCE), running).await;
        }
        let lines = self.lines();
        let start = lines.first().map_or(jiff::Timestamp::UNIX_EPOCH, |line| line.at);
        let seen = |line: &Line| {
            let passed = Duration::try_from(line.at.duration_since(start)).unwrap_or_default();
            Seen { call: line.to_string(), at: self.context.clock.felt(passed) }
        };
        self.report.calls = lines.iter().map(seen).collect();
        if let Err(problem) = self.remove_all(tell).await {
            self.report.problems.push(problem);
            if self.report.result == ScenarioResult::Passed {
                self.report.result = ScenarioResult::Failed;
            }
        }
        self.report
    }

    /// Looks at the engine as rarely as it can: one that waits for a driver that is gone takes 15 s for each look.
    async fn remove_all(&self, tell: &mut impl FnMut(Event<'_>)) -> Result<(), String> {
        let engine = &self.context.engine;
        // First, so that what is seen next is without the containers, and often the last look.
        engine.sweep().await;
        let mut there = if let Ok(there) = self.context.look(tell).await {
            there
        } else {
            engine.perform(&DockerCommand::DaemonRestart).await;
            self.context.look(tell).await?
        };
        // Once more, since an engine that was away has removed nothing.
        engine.sweep().await;
        // A volume of the engine's own may stand before the driver's, and go first.
        for _ in 0..2 {
            if self.left(&there).is_empty() {
                return Ok(());
            }
            self.remove(&there).await;
            there = self.context.look(tell).await?;
        }
        let denied: Vec<_> = self.volumes_left(&there).filter(|name| self.is_recorded(name)).collect();
        if !denied.is_empty() {
            for name in denied {
                self.drop_volume(name).map_err(|error| error.to_string())?;
            }
            there = self.context.look(tell).await?;
        }
        let left = self.left(&there);
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", "))) }
    }

    /// Removes what is there of the card.
    async fn remove(&self, there: &Inventory) {
        let engine = &self.context.engine;
        for name in self.containers_left(there) {
            engine.perform(&DockerCommand::Rm { force: true, volumes: true, name }).await;
        }
        for name in self.volumes_left(there) {
            if self.context.hub.with_volumes(|volumes| volumes.existing(&name).is_none()) {
                // Only a volume that the driver admits to can be removed; others have no record.
                let _ = self.context.hub.command(&Command::Restore(name.clone()));
            }
            engine.perform(&DockerCommand::Volume(VolumeCommand::Rm { force: true, name })).await;
        }
    }

    /// Takes a volume out of the driver that no engine can remove, because the driver denies it.
    fn drop_volume(&self, name: String) -> std::io::Result<()> {
        let change = Change::Removed { name };
        self.context.hub.change(&change, Cause::Command)?;
        self.context.hub.record(EntryKind::Command(CommandRun {
            command: format!("note the volume of scenario {} goes with it", self.scenario.name),
            result: "its volume is gone".into(),
            changes: vec![change],
        }));
        Ok(())
    }

    fn left(&self, there: &Inventory) -> Vec<String> {
        self.volumes_left(there).chain(self.containers_left(there)).collect()
    }

    fn containers_left(&self, there: &Inventory) -> impl Iterator<Item = String> {
        self.scenario.names().containers.into_iter().filter(|name| there.containers.contains(name))
    }

    /// The card's volumes that the engine or the driver still has.
    fn volumes_left(&self, there: &Inventory) -> impl Iterator<Item = String> {
        let mut names: BTreeSet<_> = self.scenario.names().volumes.into_iter().collect();
        names.retain(|name| there.volumes.contains(name) || self.is_recorded(name));
        names.extend(there.own.iter().cloned());
        names.into_iter()
    }

    fn is_recorded(&self, volume: &str) -> bool {
        self.context.hub.with_volumes(|volumes| volumes.record(volume).is_some())
    }
}
