//! A registry. Docker uses it without TLS at a loopback address, or with `--insecure-registry`.

use std::{
    fs,
    net::{TcpListener, TcpStream},
};

use super::{
    TIMEOUT,
    sandbox::{Process, Sandbox},
    wait_for,
};

pub struct Registry {
    /// `HOST:PORT`.
    pub address: String,
    _process: Process,
}

impl Registry {
    /// Starts one at a loopback address, and waits until it listens.
    pub fn start(sandbox: &Sandbox) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("it has an address").to_string();
        drop(free);
        Self::start_at(sandbox, address)
    }

    /// Starts one at this address of the sandbox.
    pub fn start_at(sandbox: &Sandbox, address: String) -> Self {
        let config = sandbox.path("registry.yml");
        let storage = sandbox.path("registry");
        let text = format!(
            "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
            storage.display()
        );
        fs::write(&config, text).expect("the configuration can be written");
        let mut process =
            sandbox.spawn("registry", "docker-registry", &["serve", &config.display().to_string()]);
        wait_for(TIMEOUT, || {
            process.assert_running();
            TcpStream::connect(&address).ok()
        })
        .expect("the registry listens in time");
        Self { address, _process: process }
    }
}
