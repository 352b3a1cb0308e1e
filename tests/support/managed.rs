//! The real voltergeist as a plugin that docker runs itself.

use std::{fs, process::Command};

use super::{dockerd::Dockerd, sandbox::Sandbox};

/// Its control socket, as it is seen in the plugin.
const CONTROL: &str = "unix:/data/control.sock";

/// Makes the plugin `managed` out of this program and the libraries that it needs, and enables it.
pub fn install(sandbox: &Sandbox, daemon: &Dockerd, options: &[&str]) {
    let program = env!("CARGO_BIN_EXE_voltergeist");
    let directory = sandbox.path("managed");
    let rootfs = directory.join("rootfs");
    let copy = |from: &str, to: &str| {
        let to = rootfs.join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().expect("a file has a directory")).expect("it can be made");
        fs::copy(from, to).expect("it can be copied");
    };
    copy(program, "/plugin");
    let libraries = Command::new("ldd").arg(program).output().expect("ldd runs").stdout;
    for word in String::from_utf8_lossy(&libraries).split_whitespace().filter(|word| word.starts_with('/')) {
        copy(word, word);
    }
    let socket = "unix:/run/docker/plugins/managed.sock";
    let serve = ["/plugin", "serve", "--root", "/data", "--listen", socket, "--control", CONTROL];
    let entrypoint = [&serve, options].concat();
    let config = serde_json::json!({
        "description": "a test", "documentation": "none",
        "entrypoint": entrypoint,
        "interface": { "types": ["docker.volumedriver/1.0"], "socket": "managed.sock" },
        "network": { "type": "none" },
        "propagatedMount": "/data",
        "linux": { "capabilities": ["CAP_SYS_ADMIN"] },
    });
    fs::write(directory.join("config.json"), config.to_string()).expect("the config can be written");
    daemon.docker(&format!("plugin create managed {}", directory.display())).succeeds();
    daemon.docker("plugin enable managed").succeeds();
}
