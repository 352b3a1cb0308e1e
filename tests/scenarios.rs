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
use support::{dockerd::Dockerd, haunt::Haunt, sandbox::Sandbox};
use tokio::{
    runtime::Runtime,
    sync::{oneshot, watch},
};
use tokio_util::sync::CancellationToken;
use voltergeist::{
    engine::{
        Clock, Engine, Inventory,
        docker::{RealDocker, Supervisor},
        scenario::{self, Card, Cast, Event, Report, Shelf, Verdict},
        simulated::{self, Config, Profile},
    },
    server::{Address, Places},
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
    let cards: Vec<_> =
        Shelf::default().all().into_iter().map(|card| card.expect("a shipped card").card).collect();
    let obstacle = support::obstacle(support::Engine::Docker);
    let required = support::engines_are_required();
    let theatre = Arc::new(Theatre::default());
    let mut trials = Vec::new();
    for card in cards.into_iter().map(Arc::new) {
        for profile in [Profile::Docker20, Profile::Docker] {
            let card = Arc::clone(&card);
            trials.push(Trial::test(format!("{}_on_{}", card.name, profile.word()), move || {
                verdict(&simulated(&card, profile))
            }));
        }
        let theatre = Arc::clone(&theatre);
        // A minute is a long time to wait for what the simulated daemons show in seconds.
        let slow = card.slow;
        let real = Trial::test(format!("{}_on_dockerd", card.name), move || {
            if let Some(obstacle) = obstacle {
                return Err(obstacle.into());
            }
            let real = theatre.play(&card, None);
            verdict(&real)?;
            compare(&real, &simulated(&card, Profile::Docker20))
        });
        trials.push(real.with_ignored_flag(slow || obstacle.is_some() && !required));
    }
    let stopped = Trial::test("a_card_that_is_stopped_on_dockerd_leaves_nothing_behind", {
        let theatre = Arc::clone(&theatre);
        move || {
            let card = Card::read("stopped", "stopped.toml", STOPPED).map_err(|error| error.to_string())?;
            let card = Arc::new(card);
            for step in 0..card.steps.len() {
                let report = theatre.play(&card, Some(step));
                if report.verdict != Verdict::Stopped || !report.problems.is_empty() {
                    return Err(format!("stopped at {step}: {report}").into());
                }
            }
            Ok(())
        }
    });
    trials.push(stopped.with_ignored_flag(obstacle.is_some() && !required));
    let conclusion = libtest_mimic::run(&Arguments::from_args(), trials);
    theatre.close();
    conclusion.exit_code()
}

fn verdict(report: &Report) -> Result<(), Failed> {
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

fn cast(haunt: &Haunt, engine: Arc<dyn Engine>, clock: Clock, settle: Duration, fresh: bool) -> Cast {
    let (_all, allowed) = watch::channel(usize::MAX);
    Cast { engine, hub: Arc::clone(&haunt.hub), clock, settle, beat: Duration::ZERO, fresh, allowed }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

fn simulated(card: &Card, profile: Profile) -> Report {
    runtime().block_on(async {
        let place = tempfile::tempdir().expect("a temporary folder");
        let (volumes, socket) = (place.path().join("volumes"), place.path().join("plugin.sock"));
        let haunt = Haunt::start(DRIVER, &volumes, Address::Unix(Some(socket.clone())), Places::default());
        let clock = Clock::faster(SPEED);
        let address = format!("unix://{}", socket.display()).parse().expect("an address");
        let config = Config { profile, clock, files: Some(volumes), ..Config::new(DRIVER, address) };
        let cast = cast(&haunt, simulated::start(config), clock, Duration::from_millis(20), true);
        let report = scenario::play(card, &cast, |_| {}, &CancellationToken::new()).await;
        haunt.end().await;
        report
    })
}

/// One private dockerd for all cards, on a thread of its own that starts it for the first of them.
#[derive(Default)]
struct Theatre(Mutex<Option<(mpsc::Sender<Order>, thread::JoinHandle<()>)>>);

enum Order {
    /// A card, before which step it is stopped, and where the report goes.
    Play(Arc<Card>, Option<usize>, mpsc::Sender<Report>),
    Restart(oneshot::Sender<()>),
    Kill(oneshot::Sender<()>),
    Close,
}

impl Theatre {
    /// Plays cards one after the other: they share the daemon.
    fn play(&self, card: &Arc<Card>, stop_at: Option<usize>) -> Report {
        let mut stage = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (orders, _) = stage.get_or_insert_with(|| {
            let (orders, taken) = mpsc::channel();
            let again = orders.clone();
            (orders, thread::spawn(move || run(&taken, &again)))
        });
        let (report, played) = mpsc::channel();
        orders.send(Order::Play(Arc::clone(card), stop_at, report)).expect("the theatre is open");
        played.recv().expect("the theatre plays to the end")
    }

    fn close(&self) {
        let stage = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
        if let Some((orders, house)) = stage {
            orders.send(Order::Close).expect("the theatre is open");
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

fn run(orders: &mpsc::Receiver<Order>, again: &mpsc::Sender<Order>) {
    let runtime = runtime();
    let sandbox = Sandbox::new();
    let places =
        Places { sockets: sandbox.path("run/plugins"), specs: vec![sandbox.specs()], ..Places::default() };
    let haunt = runtime
        .block_on(async { Haunt::start(DRIVER, &sandbox.path("volumes"), Address::Unix(None), places) });
    let mut daemon = Dockerd::start(&sandbox);
    let host = support::docker::host(&sandbox);
    let hand: Arc<dyn Supervisor> = Arc::new(Stagehand(again.clone()));
    let engine = runtime.block_on(RealDocker::connect(Some(&host), Some(hand))).expect("the daemon answers");
    let cast = cast(&haunt, Arc::new(engine), Clock::REAL, Duration::from_millis(300), false);
    while let Ok(order) = orders.recv() {
        match order {
            Order::Play(card, stop_at, report) => {
                let cast = cast.clone();
                runtime.spawn(async move {
                    let cancel = CancellationToken::new();
                    let tell = |event: Event<'_>| {
                        if matches!(event, Event::Begun { index, .. } if Some(index) == stop_at) {
                            cancel.cancel();
                        }
                    };
                    let mut played = scenario::play(&card, &cast, tell, &cancel).await;
                    let left = cast.engine.inventory().await;
                    if left != Ok(Inventory::default()) {
                        played.problems.push(format!("left on the daemon: {left:?}"));
                        played.verdict = Verdict::Failed;
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
    runtime.block_on(haunt.end());
}
