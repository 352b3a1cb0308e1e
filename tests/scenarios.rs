//! Every shipped card on the simulated daemons and, where there is one, on a real dockerd; and the simulated one must
//! have sent the very calls of the real one.

mod support;

use std::{
    process::ExitCode,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use libtest_mimic::{Arguments, Failed, Trial};
use support::{dockerd::Dockerd, instance::TestInstance, sandbox::Sandbox};
use tokio::{
    runtime::Runtime,
    sync::{oneshot, watch},
};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    engine::{
        Clock, Engine, Inventory,
        docker::{RealDocker, Supervisor},
        scenario::{self, Event, Report, RunContext, Scenario, ScenarioLibrary, ScenarioResult},
        simulated::{self, Config, Profile},
    },
    net::{Address, Paths},
};

/// Fast enough for a minute to pass in three seconds, and slow enough for a busy machine to keep up.
const SPEED: f64 = 20.0;
const DRIVER: &str = "ghost";

/// A card with something under way at each step.
const STOPPED: &str = r#"
    title = "stopped"
    description = "nothing"
    [[step]]
    docker = "docker run -d --name ghost-box -v ghost-data:/data --volume-driver {driver} busybox top"
    [[step]]
    docker = "docker run -d -v /anonymous --volume-driver {driver} busybox top"
    [[step]]
    docker = "docker run --rm busybox sleep 5"
    background = "sleep"
    [[step]]
    command = "arm get: hang as deaf"
    [[step]]
    docker = "docker volume inspect ghost-data"
    background = "inspect"
    [[step]]
    wait_for = "sleep"
    [[step]]
    wait_for = "inspect"
"#;

fn main() -> ExitCode {
    let scenarios: Vec<_> = ScenarioLibrary::default()
        .all()
        .into_iter()
        .map(|scenario| scenario.expect("a shipped card").scenario)
        .collect();
    let obstacle = support::obstacle(support::Engine::Docker);
    let required = support::engines_are_required();
    let engine_choice = Arc::new(EngineChoice::default());
    let mut trials = Vec::new();
    for scenario in scenarios.into_iter().map(Arc::new) {
        for profile in [Profile::Docker20, Profile::Docker] {
            let scenario = Arc::clone(&scenario);
            trials.push(Trial::test(format!("{}_on_{}", scenario.name, profile.as_str()), move || {
                result(&simulated(&scenario, profile))
            }));
        }
        let engine_choice = Arc::clone(&engine_choice);
        // A minute is a long time to wait for what the simulated daemons show in seconds.
        let slow = scenario.slow;
        let real = Trial::test(format!("{}_on_dockerd", scenario.name), move || {
            if let Some(obstacle) = obstacle {
                return Err(obstacle.into());
            }
            let real = engine_choice.play(&scenario, None);
            result(&real)?;
            compare(&real, &simulated(&scenario, Profile::Docker20))
        });
        trials.push(real.with_ignored_flag(slow || obstacle.is_some() && !required));
    }
    let stopped = Trial::test("a_card_that_is_stopped_on_dockerd_leaves_nothing_behind", {
        let engine_choice = Arc::clone(&engine_choice);
        move || {
            let scenario =
                Scenario::read("stopped", "stopped.toml", STOPPED).map_err(|error| error.to_string())?;
            let scenario = Arc::new(scenario);
            for step in 0..scenario.steps.len() {
                let report = engine_choice.play(&scenario, Some(step));
                if report.result != ScenarioResult::Stopped || !report.problems.is_empty() {
                    return Err(format!("stopped at {step}: {report}").into());
                }
            }
            Ok(())
        }
    });
    trials.push(stopped.with_ignored_flag(obstacle.is_some() && !required));
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    engine_choice.close();
    conclusion.exit_code()
}

fn result(report: &Report) -> Result<(), Failed> {
    if report.held() {
        return Ok(());
    }
    let steps: Vec<_> = report.steps.iter().map(ToString::to_string).collect();
    Err(format!("{report}\n{}", steps.join("\n")).into())
}

/// Call by call the same, and the retries in the same slots.
fn compare(real: &Report, simulated: &Report) -> Result<(), Failed> {
    let calls = |report: &Report| report.calls.iter().map(|seen| seen.call.clone()).collect::<Vec<_>>();
    if calls(real) != calls(simulated) {
        return Err(format!("dockerd:   {:#?}\nsimulated: {:#?}", calls(real), calls(simulated)).into());
    }
    let pause = |report: &Report, index: usize| {
        let at = |index: usize| report.calls[index].at.as_secs_f64();
        at(index) - at(index - 1)
    };
    for (index, _) in real.calls.iter().enumerate().filter(|(_, seen)| seen.call.ends_with("(no body)")) {
        let (real, simulated) = (pause(real, index), pause(simulated, index));
        if (real - simulated).abs() > 0.8 {
            return Err(
                format!("call {index} came {real} s after the one before, simulated {simulated} s").into()
            );
        }
    }
    Ok(())
}

fn context(
    instance: &TestInstance,
    engine: Arc<dyn Engine>,
    clock: Clock,
    wait_until_applied: Duration,
    fresh: bool,
) -> RunContext {
    let (_all, allowed) = watch::channel(usize::MAX);
    RunContext {
        engine,
        hub: Arc::clone(&instance.hub),
        clock,
        wait_until_applied,
        beat: Duration::ZERO,
        fresh,
        allowed,
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn simulated(scenario: &Scenario, profile: Profile) -> Report {
    runtime().block_on(async {
        let place = tempfile::tempdir().expect("a temporary folder");
        let (volumes, socket) = (place.path().join("volumes"), place.path().join("plugin.sock"));
        let instance =
            TestInstance::start(DRIVER, &volumes, Address::Unix(Some(socket.clone())), Paths::default());
        let clock = Clock::faster(SPEED);
        let address = format!("unix://{}", socket.display()).parse().expect("an address");
        let config = Config { profile, clock, files: Some(volumes), ..Config::new(DRIVER, address) };
        let context = context(&instance, simulated::start(config), clock, Duration::from_millis(20), true);
        let report = scenario::play(scenario, &context, |_| {}, &CancellationToken::new()).await;
        instance.end().await;
        report
    })
}

/// One private dockerd for all cards, on a thread of its own that starts it for the first of them.
#[derive(Default)]
struct EngineChoice(Mutex<Option<(mpsc::Sender<Order>, thread::JoinHandle<()>)>>);

enum Order {
    /// A card, before which step it is stopped, and where the report goes.
    Play(Arc<Scenario>, Option<usize>, mpsc::Sender<Report>),
    Restart(oneshot::Sender<()>),
    Kill(oneshot::Sender<()>),
    Close,
}

impl EngineChoice {
    /// Plays cards one after the other: they share the daemon.
    fn play(&self, scenario: &Arc<Scenario>, stop_at: Option<usize>) -> Report {
        let mut stage = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (desired_state, _) = stage.get_or_insert_with(|| {
            let (desired_state, taken) = mpsc::channel();
            let again = desired_state.clone();
            (desired_state, thread::spawn(move || run(&taken, &again)))
        });
        let (report, played) = mpsc::channel();
        desired_state.send(Order::Play(Arc::clone(scenario), stop_at, report)).expect("the theatre is open");
        played.recv().expect("the theatre plays to the end")
    }

    fn close(&self) {
        let stage = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some((desired_state, house)) = stage {
            desired_state.send(Order::Close).expect("the theatre is open");
            house.join().expect("the theatre closes in order");
        }
    }
}

/// The orders of plays, passed on to the thread that owns the daemon.
struct Stagehand(mpsc::Sender<Order>);

impl Stagehand {
    fn ask(&self, order: fn(oneshot::Sender<()>) -> Order) -> BoxFuture<'_, Result<(), String>> {
        let (done, heard) = oneshot::channel();
        let sent = self.0.send(order(done));
        async move {
            sent.map_err(|error| error.to_string())?;
            heard.await.map_err(|error| error.to_string())
        }
        .boxed()
    }
}

impl Supervisor for Stagehand {
    fn restart(&self) -> BoxFuture<'_, Result<(), String>> {
        self.ask(Order::Restart)
    }

    fn kill(&self) -> BoxFuture<'_, Result<(), String>> {
        self.ask(Order::Kill)
    }
}

fn run(desired_state: &mpsc::Receiver<Order>, again: &mpsc::Sender<Order>) {
    let runtime = runtime();
    let sandbox = Sandbox::new();
    let places =
        Paths { sockets: sandbox.path("run/plugins"), specs: vec![sandbox.specs()], ..Paths::default() };
    let instance = runtime.block_on(async {
        TestInstance::start(DRIVER, &sandbox.path("volumes"), Address::Unix(None), places)
    });
    let mut daemon = Dockerd::start(&sandbox);
    let host = support::docker::host(&sandbox);
    let hand: Arc<dyn Supervisor> = Arc::new(Stagehand(again.clone()));
    let engine = runtime.block_on(RealDocker::connect(Some(&host), Some(hand))).expect("the daemon answers");
    let context = context(&instance, Arc::new(engine), Clock::REAL, Duration::from_millis(300), false);
    while let Ok(order) = desired_state.recv() {
        match order {
            Order::Play(scenario, stop_at, report) => {
                let context = context.clone();
                runtime.spawn(async move {
                    let cancel = CancellationToken::new();
                    let tell = |event: Event<'_>| {
                        if matches!(event, Event::Begun { index, .. } if Some(index) == stop_at) {
                            cancel.cancel();
                        }
                    };
                    let mut played = scenario::play(&scenario, &context, tell, &cancel).await;
                    let left = context.engine.inventory().await;
                    if left != Ok(Inventory::default()) {
                        played.problems.push(format!("left on the daemon: {left:?}"));
                        played.result = ScenarioResult::Failed;
                    }
                    report.send(played).expect("somebody waits for the report");
                });
            }
            Order::Restart(done) => {
                daemon.restart();
                let _ = done.send(());
            }
            Order::Kill(done) => {
                daemon.kill_and_start_again();
                let _ = done.send(());
            }
            Order::Close => break,
        }
    }
    runtime.block_on(instance.end());
}
