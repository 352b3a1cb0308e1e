//! The real program in a home of its own, with nothing of this machine in it.

use std::{
    io::Read as _,
    path::PathBuf,
    process::{Child, Command, ExitStatus, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{TIMEOUT, http, wait_for};

/// A place where config file, volumes and sockets are.
pub struct TestHome(TempDir);

impl TestHome {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("it is in the home")).expect("the home is writable");
        std::fs::write(&path, text).expect("the home is writable");
        path
    }

    /// Writes the config file that is found without being named.
    pub fn configure(&self, text: &str) {
        self.write("config/voltergeist/config.toml", text);
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_voltergeist"));
        command.args(args).env_clear().env("HOME", self.0.path()).env("COLUMNS", "80");
        for (variable, place) in
            [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state"), ("XDG_RUNTIME_DIR", "runtime")]
        {
            command.env(variable, self.path(place));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it to its end, and returns exit status, stdout and stderr.
    pub fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().expect("voltergeist runs");
        let text = |bytes| String::from_utf8(bytes).expect("its words are UTF-8");
        (status.code(), text(stdout), text(stderr))
    }

    fn places(&self) -> [String; 6] {
        let at = |name| self.path(name).display().to_string();
        [
            "--root".into(),
            at("volumes"),
            "--listen".into(),
            format!("unix:{}", at("plugin.sock")),
            "--control".into(),
            format!("unix:{}", at("control.sock")),
        ]
    }

    /// Starts it in this home, and waits until its control socket answers.
    pub fn start(&self, args: &[&str], env: &[(&str, &str)]) -> Instance<'_> {
        let mut command = self.command(args);
        command.args(self.places()).envs(env.iter().copied());
        let mut instance = Instance { child: command.spawn().expect("voltergeist starts"), home: self };
        let answered = wait_for(TIMEOUT, || {
            assert!(instance.child.try_wait().expect("it can be waited for").is_none(), "it ended early");
            http::request(&self.path("control.sock"), "GET", "/v1/state", "").ok()
        });
        assert!(answered.is_some(), "the control socket does not answer");
        instance
    }

    /// Sends a command line to the instance that runs in this home.
    pub fn send(&self, line: &str) -> (Option<i32>, String, String) {
        let control = format!("unix:{}", self.path("control.sock").display());
        self.run(&["command", "--control", &control, line])
    }
}

/// The program while it runs.
pub struct Instance<'h> {
    pub child: Child,
    home: &'h TestHome,
}

impl Instance<'_> {
    pub fn state(&self) -> Value {
        let (_, body) =
            http::request(&self.home.path("control.sock"), "GET", "/v1/state", "").expect("a state");
        serde_json::from_str(&body).expect("the state is JSON")
    }

    pub fn call(&self, path: &str, body: &str) -> (u16, String) {
        http::request(&self.home.path("plugin.sock"), "POST", path, body).expect("the plugin answers")
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a small number")).expect("a number");
        kill_process(pid, signal).expect("it runs");
    }

    pub fn wait_for_end(&mut self) -> ExitStatus {
        wait_for(TIMEOUT, || self.child.try_wait().expect("it can be waited for")).expect("it does not end")
    }

    /// What it has written to stdout, after its end.
    pub fn lines(&mut self) -> Vec<Value> {
        let mut text = String::new();
        let mut stdout = self.child.stdout.take().expect("stdout is a pipe");
        stdout.read_to_string(&mut text).expect("its words are UTF-8");
        text.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect()
    }
}

impl Drop for Instance<'_> {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
