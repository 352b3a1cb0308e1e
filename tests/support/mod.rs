//! What the tests against a real engine share: a sandbox, a private dockerd, the real plugin, and the harness that
//! says why when none of them can run here.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod busybox;
pub mod docker;
pub mod dockerd;
pub mod http;
pub mod plugin;
pub mod pty;
pub mod sandbox;

use std::{
    env,
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::{Arguments, Trial};

/// How long something that takes a second or two may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Polls until the condition gives something, or the deadline has passed.
pub fn wait_for<T>(deadline: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let start = Instant::now();
    loop {
        let found = condition();
        if found.is_some() || start.elapsed() > deadline {
            return found;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// Test functions under their own names.
#[macro_export]
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        vec![$((stringify!($name), $name as fn())),*]
    };
}

/// Runs the tests, or reports them as ignored where an engine cannot run. With `VOLTERGEIST_REQUIRE_DOCKERD=1` they
/// fail there instead.
pub fn run(tests: Vec<(&'static str, fn())>) -> ExitCode {
    let obstacle = obstacle();
    let required = env::var("VOLTERGEIST_REQUIRE_DOCKERD").is_ok_and(|value| value == "1");
    if let (Some(obstacle), false) = (obstacle, required) {
        eprintln!("ignored, since {obstacle}");
    }
    let trials = tests.into_iter().map(|(name, test)| {
        let ignored = obstacle.is_some() && !required;
        let trial = Trial::test(name, move || {
            if let Some(obstacle) = obstacle {
                return Err(obstacle.into());
            }
            test();
            Ok(())
        });
        trial.with_ignored_flag(ignored)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit_code()
}

/// What keeps an engine from running on this machine.
pub fn obstacle() -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("dockerd needs root");
    }
    let works = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        output.is_ok_and(|output| output.status.success())
    };
    let needed = [
        (works("dockerd", &["--version"]), "there is no dockerd (Debian: docker.io)"),
        (works("docker", &["--version"]), "there is no docker command (Debian: docker.io)"),
        (works("nsenter", &["--version"]), "there is no nsenter (Debian: util-linux)"),
        (works("unshare", &["--mount", "--pid", "--fork", "true"]), "namespaces cannot be made here"),
        (busybox::is_static(), "there is no static /bin/busybox (Debian: busybox-static)"),
    ];
    needed.into_iter().find_map(|(met, obstacle)| (!met).then_some(obstacle))
}
