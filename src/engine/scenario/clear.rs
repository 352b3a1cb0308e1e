//! The end of a play: whatever the card has done is taken back, on the engine and in the driver.

use std::time::Duration;

use super::{
    report::{Report, Seen, Verdict},
    stage::Stage,
    trace::Line,
};
use crate::{
    domain::{
        command::{Command, Target},
        entry::{Execution, Kind},
        volume::Change,
    },
    engine::{DockerCommand, VolumeCommand},
    hub::{Standing, Window},
};

/// For what goes on in the background, once nothing holds it: more than a daemon's five tries.
const GRACE: Duration = Duration::from_secs(20);

impl Stage<'_> {
    /// Takes back all that the card has done: rules, outages, containers, volumes.
    pub(super) async fn clear(mut self, verdict: Verdict) -> Report {
        self.report.verdict = verdict;
        let hub = &self.cast.hub;
        let armed = hub.glance(&Window::default()).faults;
        for rule in armed.iter().filter(|rule| !self.rules_before.contains(&rule.id)) {
            // A rule that has ended meanwhile needs no disarming.
            let _ = hub.command(&Command::Disarm(Target::Id(rule.id)));
        }
        if hub.reachability().standing != Standing::Up {
            let _ = hub.command(&Command::Up);
            hub.settle().await;
        }
        for running in std::mem::take(&mut self.going_on).into_values() {
            let _ = self.cast.clock.timeout(Some(GRACE), running).await;
        }
        let lines = self.lines();
        let start = lines.first().map_or(jiff::Timestamp::UNIX_EPOCH, |line| line.at);
        let seen = |line: &Line| {
            let passed = Duration::try_from(line.at.duration_since(start)).unwrap_or_default();
            Seen { call: line.to_string(), at: self.cast.clock.felt(passed) }
        };
        self.report.calls = lines.iter().map(seen).collect();
        if let Err(problem) = self.remove_all().await {
            self.report.problems.push(problem);
            if self.report.verdict == Verdict::Held {
                self.report.verdict = Verdict::Failed;
            }
        }
        self.report
    }

    async fn remove_all(&self) -> Result<(), String> {
        let engine = &self.cast.engine;
        if engine.inventory().await.is_err() {
            engine.perform(&DockerCommand::DaemonRestart).await;
        }
        let there = engine.inventory().await?;
        let containers = self.card.names().containers.into_iter();
        let containers = containers.filter(|name| there.containers.contains(name));
        for name in containers {
            engine.perform(&DockerCommand::Rm { force: true, volumes: true, name }).await;
        }
        engine.sweep().await;
        // A volume of the engine's own may stand before the driver's, and go first.
        for _ in 0..2 {
            for name in self.volumes_left().await? {
                if self.cast.hub.with_volumes(|volumes| volumes.known(&name).is_none()) {
                    // Only a volume that the driver admits to can be removed; others have no record.
                    let _ = self.cast.hub.command(&Command::Restore(name.clone()));
                }
                engine.perform(&DockerCommand::Volume(VolumeCommand::Rm { force: true, name })).await;
            }
        }
        for name in self.volumes_left().await? {
            self.drop_volume(name).map_err(|error| error.to_string())?;
        }
        let containers = engine.inventory().await?.containers;
        let mut left = self.volumes_left().await?;
        left.extend(self.card.names().containers.into_iter().filter(|name| containers.contains(name)));
        if left.is_empty() { Ok(()) } else { Err(format!("left behind: {}", left.join(", "))) }
    }

    /// Takes a volume out of the driver that no engine can remove, because the driver denies it.
    fn drop_volume(&self, name: String) -> std::io::Result<()> {
        let change = Change::Removed { name };
        self.cast.hub.change(&change)?;
        self.cast.hub.record(Kind::Command(Execution {
            line: format!("note the volume of scenario {} goes with it", self.card.name),
            effect: "its volume is gone".into(),
            changes: vec![change],
        }));
        Ok(())
    }

    /// The card's volumes that the engine or the driver still has.
    async fn volumes_left(&self) -> Result<Vec<String>, String> {
        let there = self.cast.engine.inventory().await?;
        let recorded = |name: &str| self.cast.hub.with_volumes(|volumes| volumes.record(name).is_some());
        let mine = self.card.names().volumes.into_iter();
        Ok(mine.filter(|name| there.volumes.contains(name) || recorded(name)).collect())
    }
}
