//! A private dockerd in a sandbox.

use std::rc::Rc;

use serde_json::Value;

use super::{
    TIMEOUT, busybox,
    docker::{self, Outcome, Running},
    http,
    sandbox::{Process, Sandbox},
    wait_for,
};

pub struct Dockerd {
    process: Process,
    sandbox: Rc<Sandbox>,
    options: &'static [&'static str],
}

impl Dockerd {
    /// Starts a daemon that has no images, and waits until it answers.
    pub fn start(sandbox: &Rc<Sandbox>) -> Self {
        Self::start_with(sandbox, &[])
    }

    /// The same with more options, which it has in each of its lives.
    pub fn start_with(sandbox: &Rc<Sandbox>, options: &'static [&'static str]) -> Self {
        let process = spawn(sandbox, options);
        let mut daemon = Self { process, sandbox: Rc::clone(sandbox), options };
        daemon.wait_until_it_answers();
        daemon
    }

    /// Starts another one beside it, with plugins and images of its own places, and waits until its socket is there.
    pub fn start_second(sandbox: &Rc<Sandbox>) -> Process {
        let mut process = spawn_with(sandbox, "2", &docker::second_host(sandbox), &[]);
        let answers = || {
            process.assert_running();
            http::request(&sandbox.path("docker2.sock"), "GET", "/_ping", "").ok()
        };
        wait_for(TIMEOUT, answers).expect("the second dockerd answers in time");
        process
    }

    /// Starts a daemon that has the image `busybox:latest`.
    pub fn start_with_busybox(sandbox: &Rc<Sandbox>) -> Self {
        Self::start_with_busybox_and(sandbox, &[])
    }

    /// The same with more options.
    pub fn start_with_busybox_and(sandbox: &Rc<Sandbox>, options: &'static [&'static str]) -> Self {
        let daemon = Self::start_with(sandbox, options);
        let mut import = docker::docker(sandbox);
        import.args(["import", "--change", r#"CMD ["sh"]"#]);
        import.arg(busybox::archive(sandbox)).arg("busybox:latest");
        Running::start(import).finish().succeeds();
        daemon
    }

    /// Stops the daemon in an orderly way and starts it again on the same data.
    pub fn restart(&mut self) {
        self.process.terminate(TIMEOUT);
        self.process = spawn(&self.sandbox, self.options);
        self.wait_until_it_answers();
    }

    /// Kills the daemon, as a crash would, and starts it again on the same data.
    pub fn kill_and_start_again(&mut self) {
        self.kill_and_let_start();
        self.wait_until_it_answers();
    }

    /// The same, for a daemon that may never come to answer.
    pub fn kill_and_let_start(&mut self) {
        self.process.kill();
        self.process = spawn(&self.sandbox, self.options);
    }

    /// Waits until the daemon answers, and fails when it has ended instead.
    pub fn wait_until_it_answers(&mut self) {
        wait_for(TIMEOUT, || {
            self.process.assert_running();
            let mut version = docker::docker(&self.sandbox);
            let answer = version.arg("version").output().expect("docker starts");
            answer.status.success().then_some(())
        })
        .expect("dockerd answers in time");
    }

    /// Runs a docker command, given as the words after `docker`, to its end.
    pub fn docker(&self, line: &str) -> Outcome {
        self.start_docker(line).finish()
    }

    /// Starts a docker command that is expected to take a while.
    pub fn start_docker(&self, line: &str) -> Running {
        let mut command = docker::docker(&self.sandbox);
        command.args(line.split_whitespace());
        Running::start(command)
    }

    /// Asks the Engine API itself, for what the docker command drops.
    pub fn api(&self, path: &str) -> Value {
        let (status, body) =
            http::request(&self.sandbox.path("docker.sock"), "GET", path, "").expect("dockerd answers");
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).expect("dockerd answers in JSON")
    }

    /// Waits until the daemon has ended by itself.
    pub fn wait_for_end(&mut self) {
        self.process.wait(TIMEOUT).expect("dockerd ends in time");
    }

    /// Waits until the daemon has written a line that has all these words to its log.
    pub fn wait_for_log(&self, words: &[&str]) {
        wait_for(TIMEOUT, || (self.logged(words) > 0).then_some(()))
            .unwrap_or_else(|| panic!("dockerd never logged a line with {words:?}"));
    }

    /// How many lines that have all these words the daemon has written to its log, in all its lives.
    pub fn logged(&self, words: &[&str]) -> usize {
        let has_all = |line: &str| words.iter().all(|word| line.contains(word));
        self.process.log().lines().filter(|line| has_all(line)).count()
    }
}

impl Drop for Dockerd {
    fn drop(&mut self) {
        self.process.terminate(TIMEOUT);
    }
}

fn spawn(sandbox: &Sandbox, options: &[&str]) -> Process {
    spawn_with(sandbox, "", &docker::host(sandbox), options)
}

fn spawn_with(sandbox: &Sandbox, number: &str, host: &str, options: &[&str]) -> Process {
    let path = |name: &str| sandbox.path(&format!("{name}{number}")).display().to_string();
    let args = [
        "--data-root",
        &path("data"),
        "--exec-root",
        &path("exec"),
        "--pidfile",
        &path("dockerd.pid"),
        "--host",
        host,
        "--iptables=false",
        "--bridge=none",
    ];
    sandbox.spawn(&format!("dockerd{number}"), "dockerd", &[&args, options].concat())
}
