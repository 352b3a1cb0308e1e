//! Every shipped card, played on the simulated daemon.

use std::{process::ExitCode, sync::Arc, time::Duration};

use libtest_mimic::{Arguments, Trial};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::journal::Bounds,
    engine::{
        Clock,
        scenario::{self, Cast, Shelf},
        simulated::{self, Config, Profile},
    },
    hub::Hub,
    server::{Address, Disk, Plan, Server},
};

fn main() -> ExitCode {
    let shelf = Shelf::default();
    let mut trials = Vec::new();
    for shelved in shelf.all() {
        let card = Arc::new(shelved.unwrap_or_else(|error| panic!("{error}")).card);
        for profile in [Profile::Docker20, Profile::Docker] {
            let card = Arc::clone(&card);
            let name = format!("{}_holds_on_{}", card.name, profile.word());
            trials.push(Trial::test(name, move || {
                let runtime =
                    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
                let report = runtime.expect("a runtime").block_on(play(&card, profile));
                if report.held() {
                    Ok(())
                } else {
                    let steps: Vec<_> = report.steps.iter().map(ToString::to_string).collect();
                    Err(format!("{report}\n{}", steps.join("\n")).into())
                }
            }));
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

async fn play(card: &scenario::Card, profile: Profile) -> scenario::Report {
    let place = tempfile::tempdir().expect("a temporary folder");
    let volumes = place.path().join("volumes");
    let (disk, records) = Disk::open(&volumes).expect("the root opens");
    let hub = Hub::new(0, records, Box::new(disk.clone()), Bounds::default());
    let socket = place.path().join("plugin.sock");
    let plan = Plan {
        listen: Address::Unix(Some(socket.clone())),
        control: Address::Unix(Some(place.path().join("control.sock"))),
        ..Plan::new("ghost")
    };
    let shutdown = CancellationToken::new();
    let serving =
        tokio::spawn(Server::bind(&hub, disk, plan).expect("the sockets are free").run(shutdown.clone()));
    let clock = Clock::faster(20.0);
    let address = format!("unix://{}", socket.display()).parse().expect("an address");
    let config = Config { profile, clock, files: Some(volumes), ..Config::new("ghost", address) };
    let (_all, allowed) = watch::channel(usize::MAX);
    let cast = Cast {
        engine: simulated::start(config),
        hub: Arc::clone(&hub),
        clock,
        settle: Duration::from_millis(20),
        fresh: true,
        allowed,
    };
    let report = scenario::play(card, &cast, |_| {}, &CancellationToken::new()).await;
    shutdown.cancel();
    serving.await.expect("the server ends in order");
    report
}
