//! The simulated daemon against a scripted plugin: what it sends at each command, in which order and
//! with which bytes, and what it makes of each reply.

mod calls;
mod faults;
mod groups;
#[path = "../support/instance.rs"]
mod instance;
mod player;
mod plugin;
mod podman;
mod replies;
mod retries;

use std::sync::Arc;

use voltergeist::{
    engine::simulated::{self, DaemonConfig, Profile},
    engine_api::{CliResult, Clock, Engine},
};

use plugin::Plugin;

/// So fast that 15 s of retries take a third of a second, and so slow that no deadline passes by chance.
const SPEED: f64 = 50.0;

fn config(plugin: &Plugin) -> DaemonConfig {
    let address = plugin.address.parse().expect("the plugin's own address");
    DaemonConfig { clock: Clock::faster(SPEED), ..DaemonConfig::new("ghost", address) }
}

fn daemon(plugin: &Plugin, profile: Profile) -> Arc<dyn Engine> {
    simulated::start(DaemonConfig { profile, ..config(plugin) })
}

async fn docker(daemon: &Arc<dyn Engine>, line: &str) -> CliResult {
    let command = line.parse().unwrap_or_else(|error| panic!("{error}"));
    daemon.perform(&command).await
}

/// Gives commands that must succeed, and forgets what the plugin saw of them.
async fn given(daemon: &Arc<dyn Engine>, plugin: &Plugin, lines: &[&str]) {
    for line in lines {
        let outcome = docker(daemon, line).await;
        assert!(outcome.succeeded(), "{line}: {outcome:?}");
    }
    plugin.trace();
}
