//! A voltergeist in the test's own process: its hub at hand, its sockets real.

use std::{path::Path, sync::Arc};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use voltergeist::{
    domain::journal::Bounds,
    hub::Hub,
    server::{Address, Disk, Places, Plan, Server},
};

pub struct Haunt {
    pub hub: Arc<Hub>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl Haunt {
    /// Serves volumes of this folder, with the control socket beside it.
    pub fn start(name: &str, volumes: &Path, listen: Address, places: Places) -> Self {
        let (disk, records) = Disk::open(volumes).expect("the root opens");
        let hub = Hub::new(0, records, Box::new(disk.clone()), Bounds::default());
        let control = Address::Unix(Some(volumes.with_extension("control")));
        let plan = Plan { listen, control, places, ..Plan::new(name) };
        let shutdown = CancellationToken::new();
        let server = Server::bind(&hub, disk, plan).expect("the sockets are free");
        Self { hub, serving: tokio::spawn(server.run(shutdown.clone())), shutdown }
    }

    pub async fn end(self) {
        self.shutdown.cancel();
        self.serving.await.expect("the server ends in order");
    }
}
