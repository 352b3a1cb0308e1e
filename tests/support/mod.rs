//! What the tests against a real engine share: a sandbox, a private dockerd, the real plugin, and the harness that
//! says why when none of them can run here.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod artefacts;
pub mod busybox;
pub mod docker;
pub mod dockerd;
pub mod http;
pub mod instance;
pub mod managed;
pub mod plugin;
pub mod podman;
pub mod pty;
pub mod registry;
pub mod sandbox;
pub mod scenarios;

use std::{
    env,
    path::Path,
    process::{Command, ExitCode},
    thread,
    time::{Duration, Instant},
};

use libtest_mimic::{Arguments, Trial};

/// How long something that takes a second or two may take on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(30);

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

/// A test of the real program, and what it needs.
pub struct Test {
    name: &'static str,
    run: fn(),
    engine: Option<Engine>,
    takes_minutes: bool,
}

/// A real engine, or what else a test needs of the machine.
#[derive(Clone, Copy, PartialEq)]
pub enum Engine {
    Docker,
    Podman,
    /// A dockerd with a volume plugin that nobody here wrote.
    Rclone,
    /// Podman with that plugin.
    PodmanRclone,
    /// A dockerd on a machine of its own: in a network namespace.
    DockerNetwork,
    /// An SSH server.
    Ssh,
    /// A dockerd, and what `packaging/build` makes.
    DockerArtefacts,
    /// That, and a registry.
    DockerRegistry,
    /// Those in networks of their own, and Prometheus.
    Swarm,
    /// The tools of Debian packages, and what `packaging/build` makes.
    Debian,
}

impl Engine {
    const ALL: [Self; 10] = [
        Self::Docker,
        Self::Podman,
        Self::Rclone,
        Self::PodmanRclone,
        Self::DockerNetwork,
        Self::Ssh,
        Self::DockerArtefacts,
        Self::DockerRegistry,
        Self::Swarm,
        Self::Debian,
    ];
}

impl Test {
    /// A test that needs a dockerd, as most do.
    pub const fn new(name: &'static str, run: fn()) -> Self {
        Self { name, run, engine: Some(Engine::Docker), takes_minutes: false }
    }

    /// It needs podman instead.
    pub fn with_podman(self) -> Self {
        Self { engine: Some(Engine::Podman), ..self }
    }

    /// It needs rclone beside dockerd.
    pub fn with_rclone(self) -> Self {
        Self { engine: Some(Engine::Rclone), ..self }
    }

    /// It needs podman and rclone.
    pub fn with_podman_and_rclone(self) -> Self {
        Self { engine: Some(Engine::PodmanRclone), ..self }
    }

    /// It needs dockerds in networks of their own.
    pub fn with_networks(self) -> Self {
        Self { engine: Some(Engine::DockerNetwork), ..self }
    }

    /// It needs an SSH server.
    pub fn with_ssh(self) -> Self {
        Self { engine: Some(Engine::Ssh), ..self }
    }

    /// It needs something else.
    pub fn with(self, engine: Engine) -> Self {
        Self { engine: Some(engine), ..self }
    }

    /// It needs no engine.
    pub fn anywhere(self) -> Self {
        Self { engine: None, ..self }
    }

    /// It waits for an engine to give up, and is ignored unless it is asked for with `--include-ignored`.
    pub fn slow(self) -> Self {
        Self { takes_minutes: true, ..self }
    }
}

/// Test functions under their own names.
#[macro_export]
macro_rules! tests {
    ($($name:ident),* $(,)?) => {
        vec![$($crate::support::Test::new(stringify!($name), $name)),*]
    };
}

/// Whether tests fail where their engine cannot run, instead of being ignored.
pub fn engines_are_required() -> bool {
    env::var("VOLTERGEIST_REQUIRE_ENGINES").is_ok_and(|value| value == "1")
}

/// Runs the tests, or reports them as ignored where their engine cannot run.
pub fn run(tests: Vec<Test>) -> ExitCode {
    let required = engines_are_required();
    let obstacles = Engine::ALL.map(|engine| {
        let needed = tests.iter().any(|test| test.engine == Some(engine));
        (engine, if needed { obstacle(engine) } else { None })
    });
    for (_, obstacle) in obstacles {
        if let (Some(obstacle), false) = (obstacle, required) {
            eprintln!("some are ignored, since {obstacle}");
        }
    }
    let trials = tests.into_iter().map(|test| {
        let obstacle = obstacles.into_iter().find(|(engine, _)| test.engine == Some(*engine));
        let obstacle = obstacle.and_then(|(_, obstacle)| obstacle);
        let trial = Trial::test(test.name, move || {
            if let Some(obstacle) = obstacle {
                return Err(obstacle.into());
            }
            (test.run)();
            Ok(())
        });
        trial.with_ignored_flag(test.takes_minutes || (obstacle.is_some() && !required))
    });
    let mut arguments = Arguments::from_args();
    // They wait for daemons more than they work.
    arguments.test_threads.get_or_insert(6);
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// What keeps an engine from running on this machine.
pub fn obstacle(engine: Engine) -> Option<&'static str> {
    if !rustix::process::geteuid().is_root() {
        return Some("an engine in a sandbox needs root");
    }
    let works = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output();
        output.is_ok_and(|output| output.status.success())
    };
    let needed = [
        (works("nsenter", &["--version"]), "there is no nsenter (Debian: util-linux)"),
        (works("unshare", &["--mount", "--pid", "--fork", "true"]), "namespaces cannot be made here"),
        (busybox::is_static(), "there is no static /bin/busybox (Debian: busybox-static)"),
    ];
    let docker = || {
        vec![
            (works("dockerd", &["--version"]), "there is no dockerd (Debian: docker.io)"),
            (works("docker", &["--version"]), "there is no docker command (Debian: docker.io)"),
        ]
    };
    let rclone = || {
        vec![
            (works("rclone", &["version"]), "there is no rclone (Debian: rclone)"),
            (works("fusermount3", &["--version"]), "there is no fusermount3 (Debian: fuse3)"),
            (Path::new("/dev/fuse").exists(), "there is no /dev/fuse"),
        ]
    };
    let podman = || vec![(works("podman", &["--version"]), "there is no podman (Debian: podman)")];
    let network = || {
        vec![
            (works("ip", &["-V"]), "there is no ip (Debian: iproute2)"),
            (
                works(
                    "unshare",
                    &["--net", "ip", "link", "add", "name", "vg0", "type", "veth", "peer", "name", "vg1"],
                ),
                "network namespaces cannot be joined here",
            ),
        ]
    };
    let ssh = || {
        vec![
            (works("ssh", &["-V"]), "there is no ssh (Debian: openssh-client)"),
            (Path::new("/usr/sbin/sshd").exists(), "there is no sshd (Debian: openssh-server)"),
        ]
    };
    let artefacts = || {
        vec![(
            artefacts::path("SHA256SUMS").exists(),
            "nothing is in target/artefacts (packaging/build makes it)",
        )]
    };
    let registry = || {
        vec![(
            works("docker-registry", &["--version"]),
            "there is no docker-registry (Debian: docker-registry)",
        )]
    };
    let prometheus =
        || vec![(works("prometheus", &["--version"]), "there is no prometheus (Debian: prometheus)")];
    let own = match engine {
        Engine::DockerNetwork => [docker(), network()].concat(),
        Engine::Ssh => ssh(),
        Engine::Docker => docker(),
        Engine::Rclone => [docker(), rclone()].concat(),
        Engine::Podman => podman(),
        Engine::PodmanRclone => [podman(), rclone()].concat(),
        Engine::DockerArtefacts => [docker(), artefacts()].concat(),
        Engine::DockerRegistry => [docker(), artefacts(), registry()].concat(),
        Engine::Swarm => [docker(), network(), artefacts(), registry(), prometheus()].concat(),
        Engine::Debian => [vec![(works("dpkg", &["--version"]), "there is no dpkg")], artefacts()].concat(),
    };
    needed.into_iter().chain(own).find_map(|(met, obstacle)| (!met).then_some(obstacle))
}
