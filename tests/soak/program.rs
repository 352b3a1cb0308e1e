//! The real program in a terminal, and another one that may be its upstream.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{TIMEOUT, http, pty::Terminal, wait_for};

/// What is soaked.
pub struct Program {
    directory: TempDir,
    pub terminal: Terminal,
}

impl Program {
    pub fn start(upstream: Option<&Upstream>) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let upstream = upstream.map(|upstream| format!("unix:{}", upstream.socket.display()));
        let mut args = vec!["--sync=false", "--seed", "7"];
        args.extend(upstream.iter().flat_map(|upstream| ["--upstream", upstream]));
        let mut terminal = Terminal::start(120, 40, directory.path(), &args, &[]);
        terminal.wait_for_text("No calls yet");
        Self { directory, terminal }
    }

    pub fn plugin(&self) -> PathBuf {
        self.directory.path().join("plugin.sock")
    }

    pub fn control(&self) -> PathBuf {
        self.directory.path().join("control.sock")
    }

    fn request(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        http::request(&self.control(), method, path, body).expect("the control API answers")
    }

    pub fn command(&self, line: &str) {
        let (status, text) = self.request("POST", "/v1/commands", line);
        assert_eq!(status, 200, "{line}: {text}");
    }

    /// Runs a command that may be refused, as where it is done already.
    pub fn try_command(&self, line: &str) {
        let (status, text) = self.request("POST", "/v1/commands", line);
        assert!([200, 400].contains(&status), "{line}: {text}");
    }

    pub fn state(&self) -> Value {
        serde_json::from_str(&self.request("GET", "/v1/state", "").1).expect("it is JSON")
    }

    /// How much memory it has, in KiB.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.terminal.pid())).expect("it runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a line of that kind");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }

    pub fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.terminal.pid())).expect("it runs").count()
    }

    /// The finished requests of all operations and outcomes, once no request is open any more.
    pub fn counted(&self) -> u64 {
        let is_quiet = || {
            let state = self.state();
            (state["connections"] == 0 && state["held"] == serde_json::json!([])).then_some(())
        };
        wait_for(TIMEOUT, is_quiet).expect("every connection ends");
        let metrics = self.request("GET", "/metrics", "").1;
        let counters = metrics.lines().filter(|line| line.starts_with("voltergeist_requests_total{"));
        let count = |line: &str| line.rsplit(' ').next().and_then(|n| n.parse::<u64>().ok());
        counters.map(|line| count(line).expect("a count")).sum()
    }
}

/// Another instance without a screen.
pub struct Upstream {
    directory: TempDir,
    pub socket: PathBuf,
    child: Option<Child>,
    pub starts: u64,
}

impl Upstream {
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let socket = directory.path().join("plugin.sock");
        let mut upstream = Self { directory, socket, child: None, starts: 0 };
        upstream.start();
        upstream.wait();
        upstream
    }

    /// Kills it, and leaves its socket file where it is.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it runs");
            child.wait().expect("it ends");
        }
    }

    pub fn start(&mut self) {
        let at = |name: &str| self.directory.path().join(name).display().to_string();
        let mut command = Command::new(env!("CARGO_BIN_EXE_voltergeist"));
        command.args(["serve", "--sync=false", "--root", &at("volumes"), "--listen"]);
        command.args([&format!("unix:{}", at("plugin.sock")), "--control"]);
        command.arg(format!("unix:{}", at("control.sock"))).env("XDG_CONFIG_HOME", self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.child = Some(command.spawn().expect("voltergeist starts"));
        self.starts += 1;
    }

    /// Waits until it answers.
    pub fn wait(&self) {
        let list = || http::request(&self.socket, "POST", "/VolumeDriver.List", "{}").ok();
        wait_for(TIMEOUT, list).expect("the upstream answers");
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until a plugin answers.
pub fn wait_for_plugin(socket: &Path) {
    let connected = || std::os::unix::net::UnixStream::connect(socket).ok();
    wait_for(TIMEOUT, connected).expect("the plugin listens");
}
