//! The simulated daemon and the demo on the real server: what is armed there bites here.

use std::{sync::Arc, time::Duration};

use tempfile::TempDir;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::model::{entry::EntryKind, origin::Origin, protocol::Caller},
    engine::{
        simulated::{self, DaemonConfig, Profile},
        workload::{self, WorkloadConfig, WorkloadRate},
    },
    engine_api::{CliResult, Clock, DockerCommand, Engine},
    hub::Hub,
    net::{Address, Paths},
};

use crate::{SPEED, docker, instance::TestInstance};

/// A whole voltergeist in this process.
pub struct FaultyDriver {
    instance: TestInstance,
    address: String,
    _place: TempDir,
}

impl FaultyDriver {
    pub fn new() -> Self {
        let place = TempDir::new().expect("a temporary folder");
        let socket = place.path().join("plugin.sock");
        let listen = Address::Unix(Some(socket.clone()));
        let instance = TestInstance::start("ghost", &place.path().join("volumes"), listen, Paths::default());
        Self { instance, address: format!("unix://{}", socket.display()), _place: place }
    }

    pub fn daemon(&self) -> Arc<dyn Engine> {
        self.engine(Profile::default())
    }

    pub fn engine(&self, profile: Profile) -> Arc<dyn Engine> {
        let config = DaemonConfig::new("ghost", self.address.parse().expect("the server's own address"));
        simulated::start(DaemonConfig { profile, clock: Clock::faster(SPEED), ..config })
    }

    pub fn hub(&self) -> &Arc<Hub> {
        &self.instance.hub
    }

    fn command(&self, line: &str) {
        let command = line.parse().unwrap_or_else(|error| panic!("{line}: {error}"));
        self.hub().command(&command, Origin::Line).unwrap_or_else(|error| panic!("{line}: {error}"));
    }

    /// The calls so far, as `get db1`.
    fn calls(&self) -> Vec<String> {
        let (entries, _) = self.hub().entries_after(0, usize::MAX);
        let calls = entries.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Call(call) => {
                assert_eq!(call.caller, Caller::Simulated);
                let word = call.operation.expect("a call of the protocol").as_str();
                Some(format!("{word} {}", call.volume.as_deref().unwrap_or_default()).trim_end().to_owned())
            }
            _ => None,
        });
        calls.collect()
    }

    pub async fn end(self) {
        self.instance.end().await;
    }
}

#[tokio::test]
async fn a_life_of_a_container_is_a_life_of_its_volume() {
    let haunted = FaultyDriver::new();
    let daemon = haunted.daemon();
    for line in [
        "docker volume create -d ghost -o tier=gold v",
        "docker run -d --name c -v v:/data busybox top",
        "docker cp c:/data/. /tmp",
        "docker stop c",
        "docker rm c",
        "docker volume rm v",
    ] {
        let outcome = docker(&daemon, line).await;
        assert!(outcome.succeeded(), "{line}: {outcome:?}");
    }
    assert_eq!(
        haunted.calls(),
        [
            "activate",
            "capabilities",
            "get v",
            "create v",
            "get v",
            "get v",
            "mount v",
            "get v",
            "mount v",
            "get v",
            "unmount v",
            "get v",
            "unmount v",
            "get v",
            "get v",
            "remove v"
        ]
    );
    assert!(haunted.hub().volumes().is_empty());
    haunted.end().await;
}

async fn run_workload(haunted: &FaultyDriver, seed: u64, commands: usize) -> Vec<String> {
    let config = WorkloadConfig {
        clock: Clock::faster(SPEED),
        ..WorkloadConfig::new(&haunted.address, "ghost", seed)
    };
    let (_set, rate) = watch::channel(WorkloadRate::Every(Duration::from_millis(5)));
    let enough = CancellationToken::new();
    let results = std::cell::RefCell::new(Vec::new());
    let on_result = |command: &DockerCommand, result: &CliResult| {
        results.borrow_mut().push(format!("{command} -> {result}"));
        if results.borrow().len() == commands {
            enough.cancel();
        }
    };
    workload::run(config, rate, watch::Sender::new(false), on_result, enough.clone())
        .await
        .expect("the address is one");
    results.into_inner()
}

#[tokio::test]
async fn the_demo_touches_every_call_that_a_daemon_makes_and_keeps_few_volumes() {
    let haunted = FaultyDriver::new();
    run_workload(&haunted, 1, 120).await;
    let calls = haunted.calls();
    for word in ["activate", "capabilities", "create", "get", "list", "mount", "unmount", "remove"] {
        assert!(calls.iter().any(|call| call.starts_with(word)), "no {word} in {calls:?}");
    }
    assert!(haunted.hub().volumes().len() <= 5);
    haunted.end().await;
}

#[tokio::test]
async fn an_undisturbed_demo_has_no_lints() {
    let haunted = FaultyDriver::new();
    run_workload(&haunted, 4, 600).await;
    let entries = haunted.hub().entries_after(0, usize::MAX).0;
    let with_lints: Vec<_> =
        entries.iter().filter_map(|entry| entry.call()).filter(|call| !call.lints.is_empty()).collect();
    assert!(with_lints.is_empty(), "{with_lints:#?}");
    haunted.end().await;
}

#[tokio::test]
async fn the_demo_goes_on_under_every_fault_and_never_piles_up() {
    for line in [
        "arm mount: fail \"no\"",
        "arm unmount: fail \"no\"",
        "arm remove: fail \"no\"",
        "arm create: fail \"no\"",
        "arm get: empty",
        "arm any 30%: fail \"no\"",
        "arm --yes list: null-entry",
        "arm any 20%: reset",
    ] {
        let haunted = FaultyDriver::new();
        haunted.command(line);
        let results = run_workload(&haunted, 2, 60).await;
        assert_eq!(results.len(), 60, "{line}");
        assert!(haunted.hub().volumes().len() <= 5, "{line}: {results:#?}");
        haunted.end().await;
    }
}

#[tokio::test]
async fn a_paused_demo_gives_no_command() {
    let haunted = FaultyDriver::new();
    let (changed, rate) = watch::channel(WorkloadRate::Paused);
    let shutdown = CancellationToken::new();
    let config = WorkloadConfig::new(&haunted.address, "ghost", 3);
    let (rests, mut resting) = watch::channel(false);
    let life = workload::run(config, rate, rests, |_, _| shutdown.cancel(), shutdown.clone());
    let later = async {
        resting.wait_for(|rests| *rests).await.expect("the demo lives");
        assert!(haunted.calls().is_empty());
        changed.send_replace(WorkloadRate::Every(Duration::ZERO));
    };
    let (lived, ()) = tokio::join!(life, later);
    lived.expect("the address is one");
    assert!(!haunted.calls().is_empty());
    haunted.end().await;
}
#[tokio::test]
async fn what_is_armed_in_the_hub_is_reported_by_the_daemon() {
    for (before, arm, line, expected) in [
        (
            "docker volume create -d ghost v",
            "arm mount: fail \"device busy\"",
            "docker run -v v:/data busybox true",
            "docker: Error response from daemon: error while mounting volume '': VolumeDriver.Mount: device busy",
        ),
        (
            "docker volume create -d ghost v",
            "arm get: empty",
            "docker volume inspect v",
            "Error response from daemon: get v: no such volume",
        ),
        (
            "docker volume create -d ghost w",
            "arm create first 1: reset after",
            "docker volume create -d ghost v",
            "Error response from daemon: create v: the request names no volume",
        ),
        (
            "docker volume create -d ghost v",
            "arm get: reset",
            "docker volume inspect v",
            "Error response from daemon: get v: error while checking if volume \"v\" exists in driver \"ghost\": Post \"http://plugin.moby.localhost/VolumeDriver.Get\": ",
        ),
    ] {
        let haunted = FaultyDriver::new();
        let daemon = haunted.daemon();
        assert!(docker(&daemon, before).await.succeeded(), "{before}");
        haunted.command(arm);
        let outcome = docker(&daemon, line).await;
        assert!(outcome.stderr.starts_with(expected), "{arm}: {outcome:?}");
        haunted.end().await;
    }
}
