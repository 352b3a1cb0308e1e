//! A voltergeist in the test's own process: its hub at hand, its sockets real.

use std::{path::Path, sync::Arc};

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use voltergeist::{
    app::{Server, ServerConfig},
    domain::{model::entry::Session, state::journal::Bounds},
    hub::Hub,
    net::{Address, Paths},
    plugin::DiskStore,
};

pub struct TestInstance {
    pub hub: Arc<Hub>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
}

impl TestInstance {
    /// Serves volumes of this folder, with the control socket beside it.
    pub fn start(name: &str, volumes: &Path, listen: Address, paths: Paths) -> Self {
        let (disk, records) = DiskStore::open(volumes).expect("the root opens");
        let hub = Hub::new(Session::new(0, records), Box::new(disk.clone()), Bounds::default());
        let control = Address::Unix(Some(volumes.with_extension("control")));
        let plan = ServerConfig { listen, control, paths, ..ServerConfig::new(name) };
        let shutdown = CancellationToken::new();
        let server = Server::bind(&hub, disk, plan).expect("the sockets are free");
        let deadlines = Arc::clone(&hub);
        tokio::spawn(shutdown.clone().run_until_cancelled_owned(async move {
            deadlines.run_deadlines().await;
        }));
        Self { hub, serving: tokio::spawn(server.run(shutdown.clone())), shutdown }
    }

    pub async fn end(self) {
        self.shutdown.cancel();
        self.serving.await.expect("the server ends in order");
    }
}
