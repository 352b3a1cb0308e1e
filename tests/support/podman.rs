//! Podman in a sandbox: no daemon, and nothing of the machine's own podman.

use std::{fs, path::Path, rc::Rc};

use super::{
    busybox,
    docker::{Outcome, Running},
    sandbox::Sandbox,
};

/// Here podman remembers layers, wherever its root is.
const HIDE_CACHE: &str = "mkdir -p /var/lib/containers && mount -t tmpfs none /var/lib/containers";

pub struct Podman {
    sandbox: Rc<Sandbox>,
}

impl Podman {
    /// A podman that knows one plugin, by a name and its socket, and has the image `busybox:latest`.
    pub fn new(sandbox: &Rc<Sandbox>, plugin: &str, socket: &Path) -> Self {
        let tmp = sandbox.path("podman.tmp");
        let (tmp, socket) = (tmp.display(), socket.display());
        let config = format!(
            "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\nlock_type = \"file\"\n\
             tmp_dir = \"{tmp}\"\n[engine.volume_plugins]\n{plugin} = \"{socket}\"\n",
        );
        fs::write(sandbox.path("containers.conf"), config).expect("podman's configuration");
        let mut hide = sandbox.command("sh");
        hide.args(["-c", HIDE_CACHE]);
        Running::start(hide).finish().succeeds();
        let podman = Self { sandbox: Rc::clone(sandbox) };
        podman.podman(&format!("import {} busybox:latest", busybox::archive(sandbox).display())).succeeds();
        podman
    }

    /// Lets podman wait so many seconds for the plugin, instead of 5.
    pub fn wait_for_plugin(&self, seconds: u32) {
        let path = self.sandbox.path("containers.conf");
        let config = fs::read_to_string(&path).expect("podman's configuration");
        let longer = format!("[engine]\nvolume_plugin_timeout = {seconds}\n");
        fs::write(path, config.replacen("[engine]\n", &longer, 1)).expect("podman's configuration");
    }

    /// Runs a podman command, given as the words after `podman`, to its end.
    pub fn podman(&self, line: &str) -> Outcome {
        self.start_podman(line).finish()
    }

    /// Starts a podman command that is expected to take a while.
    pub fn start_podman(&self, line: &str) -> Running {
        let mut podman = self.sandbox.command("podman");
        podman.env("CONTAINERS_CONF", self.sandbox.path("containers.conf"));
        podman.arg("--root").arg(self.sandbox.path("podman.root"));
        podman.arg("--runroot").arg(self.sandbox.path("podman.run"));
        podman.args(["--storage-driver", "vfs"]).args(line.split_whitespace());
        Running::start(podman)
    }

    /// Runs a command in a container that has a volume at `/data`, and waits until nothing is left of the container:
    /// of its own accord podman cleans up some time after the command has ended.
    pub fn run_with(&self, volume: &str, command: &str) -> Outcome {
        // Without the limits it would raise them, which not every machine allows.
        let limits = "--ulimit nofile=1024:1024 --ulimit nproc=1024:1024";
        let run = format!("run --name guest --network none {limits} -v {volume}:/data busybox {command}");
        let outcome = self.podman(&run);
        let _ = self.podman("rm --force guest");
        outcome
    }
}
