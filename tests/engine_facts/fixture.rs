//! A plugin, a daemon that knows it, and the words in which tests speak about both.

use std::{fs, rc::Rc};

use voltergeist::domain::{
    model::protocol::Caller,
    rules::{Rule, forecast},
};

use crate::support::{
    dockerd::Dockerd,
    plugin::{Plugin, Registration},
    sandbox::Sandbox,
};

/// The plugin's name.
pub const DRIVER: &str = "poltergeist";

/// The daemon comes first: on its way out it still speaks to the plugin.
pub struct Fixture {
    pub daemon: Dockerd,
    pub plugin: Plugin,
    sandbox: Rc<Sandbox>,
}

impl Fixture {
    /// A daemon without an image.
    pub fn new() -> Self {
        Self::with(Dockerd::start)
    }

    /// A daemon that can run containers.
    pub fn with_busybox() -> Self {
        Self::with(Dockerd::start_with_busybox)
    }

    fn with(start: impl FnOnce(&Rc<Sandbox>) -> Dockerd) -> Self {
        let sandbox = Sandbox::new();
        let plugin = Plugin::start(&sandbox, DRIVER, Registration::Socket);
        Self { daemon: start(&sandbox), plugin, sandbox }
    }

    /// One more plugin for the same daemon.
    pub fn another(&self, name: &str, registration: Registration) -> Plugin {
        Plugin::start(&self.sandbox, name, registration)
    }

    /// Arms a rule alone, for which this fact is foretold.
    pub fn arm(&self, rule: &str, fact: &str) {
        arm(&self.plugin, rule, fact);
    }

    pub fn disarm(&self) {
        self.plugin.command("disarm all");
    }

    pub fn succeeds(&self, line: &str) -> String {
        self.daemon.docker(line).succeeds()
    }

    /// The command fails, and says this.
    pub fn fails(&self, line: &str, with: &str) {
        let error = self.daemon.docker(line).fails();
        assert!(error.contains(with), "{line}: {error}");
    }

    /// Makes a volume with a label, which only the daemon knows.
    pub fn create(&self, volume: &str) {
        self.succeeds(&format!("volume create -d {DRIVER} --label team=ghosts {volume}"));
    }

    /// The labels of a volume: `map[]` if the daemon has lost them.
    pub fn labels(&self, volume: &str) -> String {
        self.succeeds(&format!("volume inspect --format={{{{.Labels}}}} {volume}"))
    }

    /// The names of the plugin's volumes, a line each.
    pub fn listed(&self) -> String {
        self.succeeds("volume ls --quiet --filter driver=poltergeist")
    }

    /// Builds an image by a Dockerfile.
    pub fn build(&self, image: &str, dockerfile: &str) -> String {
        let context = self.sandbox.path(image);
        fs::create_dir(&context).expect("a directory in the sandbox");
        fs::write(context.join("Dockerfile"), dockerfile).expect("the Dockerfile can be written");
        self.succeeds(&format!("build --tag {image} {}", context.display()))
    }

    /// Starts a container that stays. It ends at once when it is asked to, or else the daemon would wait 10 s for it.
    pub fn run_for_long(&self, container: &str, volume: &str) {
        self.succeeds(&format!(
            "run --detach --stop-signal KILL --name {container} -v {volume}:/data busybox top"
        ));
    }

    /// Whether something is mounted at a volume's mountpoint, as the daemon sees it.
    pub fn is_mounted(&self, volume: &str) -> bool {
        let volume = self.plugin.volume(volume).expect("the plugin knows the volume");
        let mountpoint = volume["mountpoint"].as_str().expect("a volume has a mountpoint");
        let mounts = self.sandbox.command("cat").arg("/proc/self/mounts").output().expect("cat starts");
        let mounts = String::from_utf8(mounts.stdout).expect("paths of these tests are UTF-8");
        mounts.lines().any(|line| line.split(' ').nth(1) == Some(mountpoint))
    }

    /// How many mounts of a volume are open in the plugin.
    pub fn open_mounts(&self, volume: &str) -> usize {
        let volume = self.plugin.volume(volume).expect("the plugin knows the volume");
        volume["mounts"].as_array().expect("a volume has mounts").len()
    }
}

/// Arms a rule alone, for which this fact is foretold to the fact's engine.
pub fn arm(plugin: &Plugin, rule: &str, fact: &str) {
    let engine = if fact.starts_with("podman") { Caller::Podman } else { Caller::Docker };
    let parsed: Rule = rule.parse().unwrap_or_else(|error| panic!("{rule}: {error}"));
    let foretold = forecast(&parsed, engine).fact.map(|fact| fact.id);
    assert_eq!(foretold, Some(fact), "{rule}");
    plugin.command("disarm all");
    plugin.command(&format!("arm --yes {rule}"));
}
