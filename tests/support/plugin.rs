//! The real voltergeist, serving in a sandbox.

use std::{
    path::{Path, PathBuf},
    rc::Rc,
    time::Duration,
};

use serde_json::Value;

use super::{
    TIMEOUT, http,
    sandbox::{Process, Sandbox},
    wait_for,
};

/// How the daemon finds the plugin.
#[derive(Clone, Copy)]
pub enum Registration {
    /// A Unix socket in `/run/docker/plugins`, voltergeist's default.
    Socket,
    /// A TCP port, named by a file in `/etc/docker/plugins`.
    Spec,
    /// In the place of the plugin that has its name.
    InPlace,
    /// A socket, in front of the plugin of this name.
    Beside(&'static str),
}

pub struct Plugin {
    process: Process,
    sandbox: Rc<Sandbox>,
    name: String,
    registration: Registration,
    control: PathBuf,
    /// `NAME=VALUE` of its environment.
    variables: Vec<String>,
}

impl Plugin {
    /// Starts `voltergeist serve` and waits until its control socket answers.
    pub fn start(sandbox: &Rc<Sandbox>, name: &str, registration: Registration) -> Self {
        Self::start_with(sandbox, name, registration, &[])
    }

    /// The same with variables in its environment.
    pub fn start_with(
        sandbox: &Rc<Sandbox>,
        name: &str,
        registration: Registration,
        variables: &[(&str, &str)],
    ) -> Self {
        let control = sandbox.path(&format!("{name}.control"));
        let variables: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut plugin = Self {
            sandbox: Rc::clone(sandbox),
            name: name.to_owned(),
            registration,
            process: serve(sandbox, name, registration, &control, &variables),
            control,
            variables,
        };
        plugin.wait_until_it_answers();
        plugin
    }

    /// Kills the plugin where it stands.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Kills the process that guards it, and then it.
    pub fn kill_with_guard(&mut self) {
        self.process.kill_with_children();
    }

    /// Stops it until it is to go on.
    pub fn pause(&mut self) {
        self.process.pause();
    }

    pub fn go_on(&mut self) {
        self.process.go_on();
    }

    /// Asks it to end, which it does when it goes on.
    pub fn ask_to_end(&mut self) {
        self.process.ask_to_end();
    }

    /// Starts the killed plugin again.
    pub fn start_again(&mut self) {
        self.process = serve(&self.sandbox, &self.name, self.registration, &self.control, &self.variables);
        self.wait_until_it_answers();
    }

    /// Starts the killed plugin again, with one more variable.
    pub fn start_again_with(&mut self, variable: &str) {
        self.variables.push(variable.to_owned());
        self.start_again();
    }

    /// Kills the plugin where it stands and starts it again on the same volumes.
    pub fn kill_and_start_again(&mut self) {
        self.kill();
        self.start_again();
    }

    fn wait_until_it_answers(&mut self) {
        wait_for(TIMEOUT, || {
            self.process.assert_running();
            http::request(&self.control, "GET", "/v1/state", "").ok()
        })
        .expect("the control socket answers in time");
    }

    /// Where the plugin says that it listens.
    pub fn address(&self) -> String {
        let state = self.state();
        state["driver"]["address"].as_str().expect("the state names the driver's address").to_owned()
    }

    /// What the control API has at a path.
    pub fn get(&self, path: &str) -> String {
        let (status, body) = http::request(&self.control, "GET", path, "").expect("an answer");
        assert_eq!(status, 200, "{body}");
        body
    }

    /// The answer to `GET /v1/state`.
    pub fn state(&self) -> Value {
        serde_json::from_str(&self.get("/v1/state")).expect("the state is JSON")
    }

    /// The state of one volume, if the plugin knows it.
    pub fn volume(&self, name: &str) -> Option<Value> {
        let state = self.state();
        let volumes = state["volumes"].as_array().expect("the state lists volumes");
        volumes.iter().find(|volume| volume["name"] == name).cloned()
    }

    /// How many calls there were of each of these operations.
    pub fn counters<const N: usize>(&self, operations: [&str; N]) -> [u64; N] {
        let state = self.state();
        operations.map(|operation| {
            state["counters"][operation]
                .as_u64()
                .unwrap_or_else(|| panic!("no counter of {operation} in {state}"))
        })
    }

    /// All entries of the journal, oldest first.
    pub fn entries(&self) -> Vec<Value> {
        self.get("/v1/entries")
            .lines()
            .map(|line| serde_json::from_str(line).expect("an entry is JSON"))
            .collect()
    }

    /// The calls of one operation that have ended, oldest first.
    pub fn calls(&self, operation: &str) -> Vec<Value> {
        let ended = |entry: &Value| entry["kind"] == "call" && entry["operation"] == operation;
        self.entries().into_iter().filter(ended).collect()
    }

    /// Waits until so many calls wait because a rule says so.
    pub fn wait_until_waiting(&self, calls: usize) {
        wait_for(TIMEOUT, || (self.state()["held"].as_array()?.len() == calls).then_some(()))
            .unwrap_or_else(|| panic!("not {calls} calls wait: {}", self.state()["held"]));
    }

    /// Runs one command line, as if typed in the console.
    pub fn command(&self, line: &str) -> String {
        let (status, body) = http::request(&self.control, "POST", "/v1/commands", line).expect("an answer");
        assert_eq!(status, 200, "{line:?} was refused: {body}");
        body
    }
}

impl Drop for Plugin {
    fn drop(&mut self) {
        self.process.terminate(Duration::from_secs(10));
    }
}

fn serve(
    sandbox: &Sandbox,
    name: &str,
    registration: Registration,
    control: &Path,
    variables: &[String],
) -> Process {
    let root = sandbox.path(&format!("{name}.volumes")).display().to_string();
    let control = format!("unix://{}", control.display());
    let mut args: Vec<&str> = variables.iter().map(String::as_str).collect();
    args.extend([env!("CARGO_BIN_EXE_voltergeist"), "serve", "--root", &root, "--control", &control]);
    match registration {
        Registration::Socket => args.extend(["--name", name]),
        Registration::Spec => args.extend(["--name", name, "--listen", "tcp://127.0.0.1:0"]),
        Registration::InPlace => args.extend(["--upstream", name]),
        Registration::Beside(upstream) => args.extend(["--name", name, "--upstream", upstream]),
    }
    sandbox.spawn(name, "env", &args)
}
