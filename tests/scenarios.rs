//! Every shipped scenario on the simulated daemons and, where there is one, on a real dockerd; and the simulated one must
//! have sent the very calls of the real one.

mod support;

use std::{
    process::ExitCode,
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use libtest_mimic::{Arguments, Failed, Trial};
use support::{
    dockerd::Dockerd,
    instance::TestInstance,
    managed,
    sandbox::{Process, Sandbox},
};
use tokio::{
    runtime::Runtime,
    sync::{oneshot, watch},
};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::model::scenario::ScenarioResult,
    engine::{
        docker::{RealDocker, Supervisor},
        simulated::{self, DaemonConfig, Profile},
    },
    engine_api::{Clock, DockerCommand, Engine, Inventory},
    net::{Address, Paths},
    scenario::{self, Progress, Report, RunContext, Scenario, ScenarioLibrary},
};

/// Fast enough for a minute to pass in three seconds, and slow enough for a busy machine to keep up.
const SPEED: f64 = 20.0;
const DRIVER: &str = "ghost";

/// A scenario with something in flight at each step.
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
        .map(|scenario| scenario.expect("a shipped scenario").scenario)
        .collect();
    let obstacle = support::obstacle(support::Engine::Docker);
    let required = support::engines_are_required();
    let dockerd = Arc::new(SharedDockerd::default());
    let live_restore = Arc::new(SharedDockerd::with(&["--live-restore"]));
    let mut trials = Vec::new();
    // A private daemon of its own manages a swarm or a plugin.
    let (special, scenarios): (Vec<_>, Vec<_>) =
        scenarios.into_iter().partition(|scenario| needs_swarm(scenario) || needs_plugin(scenario));
    for scenario in special {
        let name = if needs_swarm(&scenario) { "a_swarm" } else { "a_managed_plugin" };
        let real = Trial::test(format!("{}_on_{name}", scenario.name), move || match obstacle {
            Some(obstacle) => Err(obstacle.into()),
            None if needs_swarm(&scenario) => result(&on_swarm(&scenario)),
            None => on_managed_plugin(&scenario.name),
        });
        trials.push(real.with_ignored_flag(obstacle.is_some() && !required));
    }
    for scenario in scenarios.into_iter().map(Arc::new) {
        for profile in Profile::ALL.into_iter().filter(|profile| scenario.is_for(*profile)) {
            let scenario = Arc::clone(&scenario);
            trials.push(Trial::test(format!("{}_on_{}", scenario.name, profile.as_str()), move || {
                result(&simulated(&scenario, profile))
            }));
        }
        if !scenario.is_for(Profile::Docker20) {
            continue;
        }
        let dockerd = Arc::clone(if scenario.live_restore == Some(true) { &live_restore } else { &dockerd });
        // A minute is a long time to wait for what the simulated daemons show in seconds.
        let slow = scenario.slow;
        let real = Trial::test(format!("{}_on_dockerd", scenario.name), move || {
            if let Some(obstacle) = obstacle {
                return Err(obstacle.into());
            }
            let real = dockerd.play(&scenario, None);
            result(&real)?;
            compare(&real, &simulated(&scenario, Profile::Docker20))
        });
        trials.push(real.with_ignored_flag(slow || obstacle.is_some() && !required));
    }
    let stopped = Trial::test("a_scenario_that_is_stopped_on_dockerd_leaves_nothing_behind", {
        let dockerd = Arc::clone(&dockerd);
        move || {
            let scenario =
                Scenario::parse("stopped", "stopped.toml", STOPPED).map_err(|error| error.to_string())?;
            let scenario = Arc::new(scenario);
            for step in 0..scenario.steps.len() {
                let report = dockerd.play(&scenario, Some(step));
                if report.result != ScenarioResult::Stopped || !report.problems.is_empty() {
                    return Err(format!("stopped at {step}: {report}").into());
                }
            }
            Ok(())
        }
    });
    trials.push(stopped.with_ignored_flag(obstacle.is_some() && !required));
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    dockerd.close();
    live_restore.close();
    conclusion.exit_code()
}

fn result(report: &Report) -> Result<(), Failed> {
    if report.passed() {
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
    second_engine: Option<Arc<dyn Engine>>,
    clock: Clock,
    quiet_period: Duration,
    fresh_engine: bool,
) -> RunContext {
    let (_all, allowed_steps) = watch::channel(usize::MAX);
    RunContext {
        engine,
        second_engine,
        hub: Arc::clone(&instance.hub),
        clock,
        quiet_period,
        step_delay: Duration::ZERO,
        fresh_engine,
        allowed_steps,
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
        let live_restore = scenario.live_restore.unwrap_or_default();
        let config = DaemonConfig {
            profile,
            clock,
            live_restore,
            files: Some(volumes),
            ..DaemonConfig::new(DRIVER, address)
        };
        let second = Some(simulated::start(DaemonConfig { seed: 1, ..config.clone() }));
        let engine = simulated::start(config);
        let context = context(&instance, engine, second, clock, Duration::from_millis(20), true);
        let report = scenario::run(scenario, &context, |_| {}, &CancellationToken::new()).await;
        instance.end().await;
        report
    })
}

fn needs_swarm(scenario: &Scenario) -> bool {
    scenario.docker_commands(DRIVER).any(|command| matches!(command, DockerCommand::Service(_)))
}

fn needs_plugin(scenario: &Scenario) -> bool {
    scenario.docker_commands(DRIVER).any(|command| matches!(command, DockerCommand::Plugin(_)))
}

/// A scenario in front of a plugin that the daemon runs, whose socket it replaces.
fn on_managed_plugin(scenario: &str) -> Result<(), Failed> {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start_with_busybox(&sandbox);
    managed::install(&sandbox, &daemon, &[]);
    let host = format!("DOCKER_HOST={}", support::docker::host(&sandbox));
    let mut play = sandbox.command("env");
    play.args([&host, env!("CARGO_BIN_EXE_voltergeist"), "play", scenario]);
    play.args(["--engine", "docker", "--dangerous", "--upstream", "managed"]);
    let output = play.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if !output.status.success() {
        return Err(format!("{}{}", text(&output.stdout), text(&output.stderr)).into());
    }
    let left = daemon.docker("volume ls --quiet").succeeds() + &daemon.docker("ps --all --quiet").succeeds();
    if left.is_empty() { Ok(()) } else { Err(format!("left on the daemon: {left}").into()) }
}

/// A scenario on a fresh dockerd that is the only node of a swarm.
fn on_swarm(scenario: &Scenario) -> Report {
    let (runtime, sandbox) = (runtime(), Sandbox::new());
    let places =
        Paths { sockets: sandbox.path("run/plugins"), specs: vec![sandbox.specs()], ..Paths::default() };
    let instance = runtime.block_on(async {
        TestInstance::start(DRIVER, &sandbox.path("volumes"), Address::Unix(None), places)
    });
    let daemon = Dockerd::start_with_busybox(&sandbox);
    daemon.docker("swarm init --advertise-addr 127.0.0.1").succeeds();
    let host = support::docker::host(&sandbox);
    let engine = RealDocker::connect(Some(&host), Err("it is not restarted here"));
    let engine = runtime.block_on(engine).expect("the daemon answers");
    let context = context(&instance, Arc::new(engine), None, Clock::REAL, Duration::from_millis(300), true);
    let cancel = CancellationToken::new();
    let report = runtime.block_on(scenario::run(scenario, &context, |_| {}, &cancel));
    drop(daemon);
    runtime.block_on(instance.end());
    report
}

/// One private dockerd for all scenarios, on a thread of its own that starts it for the first of them.
#[derive(Default)]
struct SharedDockerd {
    options: &'static [&'static str],
    thread: Mutex<Option<(mpsc::Sender<Order>, thread::JoinHandle<()>)>>,
}

enum Order {
    /// A scenario, the step before which it is stopped, and where the report goes.
    Play(Arc<Scenario>, Option<usize>, mpsc::Sender<Report>),
    Restart(oneshot::Sender<()>),
    Kill(oneshot::Sender<()>),
    Close,
}

impl SharedDockerd {
    /// A daemon that is started with more options.
    fn with(options: &'static [&'static str]) -> Self {
        Self { options, ..Self::default() }
    }

    /// Plays one scenario at a time: they share the daemon.
    fn play(&self, scenario: &Arc<Scenario>, stop_at: Option<usize>) -> Report {
        let options = self.options;
        let mut thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (orders, _) = thread.get_or_insert_with(|| {
            let (orders, taken) = mpsc::channel();
            let again = orders.clone();
            (orders, thread::spawn(move || run(&taken, &again, options)))
        });
        let (report, played) = mpsc::channel();
        orders.send(Order::Play(Arc::clone(scenario), stop_at, report)).expect("the thread runs");
        played.recv().expect("a report")
    }

    fn close(&self) {
        let thread = self.thread.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some((orders, thread)) = thread {
            orders.send(Order::Close).expect("the thread runs");
            thread.join().expect("the thread ends without a panic");
        }
    }
}

/// Passes orders to the thread that owns the daemon.
struct ThreadSupervisor(mpsc::Sender<Order>);

impl ThreadSupervisor {
    fn ask(&self, order: fn(oneshot::Sender<()>) -> Order) -> BoxFuture<'_, Result<(), String>> {
        let (done, result) = oneshot::channel();
        let sent = self.0.send(order(done));
        async move {
            sent.map_err(|error| error.to_string())?;
            result.await.map_err(|error| error.to_string())
        }
        .boxed()
    }
}

impl Supervisor for ThreadSupervisor {
    fn restart(&self) -> BoxFuture<'_, Result<(), String>> {
        self.ask(Order::Restart)
    }

    fn kill(&self) -> BoxFuture<'_, Result<(), String>> {
        self.ask(Order::Kill)
    }
}

/// A second daemon that finds the same driver, as on another host.
fn start_second(sandbox: &Rc<Sandbox>, runtime: &Runtime) -> (Process, Arc<dyn Engine>) {
    let daemon = Dockerd::start_second(sandbox);
    let host = support::docker::second_host(sandbox);
    let engine = RealDocker::connect(Some(&host), Err("it is not restarted here"));
    (daemon, Arc::new(runtime.block_on(engine).expect("the second daemon answers")))
}

fn run(orders: &mpsc::Receiver<Order>, again: &mpsc::Sender<Order>, options: &'static [&'static str]) {
    let runtime = runtime();
    let sandbox = Sandbox::new();
    let places =
        Paths { sockets: sandbox.path("run/plugins"), specs: vec![sandbox.specs()], ..Paths::default() };
    let instance = runtime.block_on(async {
        TestInstance::start(DRIVER, &sandbox.path("volumes"), Address::Unix(None), places)
    });
    let mut daemon = Dockerd::start_with(&sandbox, options);
    let host = support::docker::host(&sandbox);
    let supervisor: Arc<dyn Supervisor> = Arc::new(ThreadSupervisor(again.clone()));
    let engine =
        runtime.block_on(RealDocker::connect(Some(&host), Ok(supervisor))).expect("the daemon answers");
    let mut second = None;
    let context = context(&instance, Arc::new(engine), None, Clock::REAL, Duration::from_millis(300), false);
    while let Ok(order) = orders.recv() {
        match order {
            Order::Play(scenario, stop_at, report) => {
                let mut context = context.clone();
                if scenario.needs_second_engine() {
                    let (_, engine) = second.get_or_insert_with(|| start_second(&sandbox, &runtime));
                    context.second_engine = Some(Arc::clone(engine));
                }
                runtime.spawn(async move {
                    let cancel = CancellationToken::new();
                    let on_progress = |progress: Progress<'_>| {
                        if matches!(progress, Progress::StepStarted { index, .. } if Some(index) == stop_at) {
                            cancel.cancel();
                        }
                    };
                    let mut played = scenario::run(&scenario, &context, on_progress, &cancel).await;
                    let left = context.engine.inventory().await;
                    if left != Ok(Inventory::default()) {
                        played.problems.push(format!("left on the daemon: {left:?}"));
                        played.result = ScenarioResult::Failed;
                    }
                    report.send(played).expect("the report is awaited");
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
