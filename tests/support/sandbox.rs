//! A private corner of the machine: its own mounts, its own processes, one temporary directory.
//!
//! Docker looks for plugins in fixed directories and asks every plugin it finds there, so two daemons on one machine
//! would count each other's calls. In here `/run/docker` and `/etc/docker` are directories of the sandbox, and
//! whatever is started here ends, and whatever is mounted here is gone, when the sandbox is dropped: even when the
//! tests themselves are killed.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    rc::Rc,
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::{TIMEOUT, wait_for};

/// The shell stays the first process of the sandbox and reaps what others leave behind; the end of its input is the
/// end of the sandbox.
const SET_UP: &str = r#"
    set -e
    for name in run etc; do
        mkdir -p "/$name/docker" "$1/$name/plugins"
        mount --bind "$1/$name" "/$name/docker"
    done
    [ ! -d /usr/lib/docker/plugins ] || mount -t tmpfs none /usr/lib/docker/plugins
    echo ready
    cat >/dev/null
"#;

pub struct Sandbox {
    first: Child,
    /// The link to its network, if it has one of its own, and its address there.
    network: Option<(String, String)>,
    dir: TempDir,
}

impl Sandbox {
    pub fn new() -> Rc<Self> {
        Rc::new(Self::with_namespaces(&[]))
    }

    /// One with a network of its own, which is linked to that of this machine. The link goes with it.
    pub fn with_network() -> Rc<Self> {
        let mut sandbox = Self::with_namespaces(&["--net"]);
        let process = sandbox.first.id();
        let (link, subnet) =
            (format!("vg{process}"), format!("10.{}.{}", 200 + process / 250 % 50, process % 250));
        let namespace = process.to_string();
        let ip = |args: &[&str]| run(Command::new("ip").args(args));
        ip(&["link", "add", &link, "type", "veth", "peer", "name", "machine", "netns", &namespace]);
        ip(&["address", "add", &format!("{subnet}.1/30"), "dev", &link]);
        ip(&["link", "set", &link, "up"]);
        let address = format!("{subnet}.2");
        for args in [
            &["address", "add", &format!("{address}/30"), "dev", "machine"][..],
            &["link", "set", "machine", "up"],
            &["link", "set", "lo", "up"],
        ] {
            run(sandbox.command("ip").args(args));
        }
        sandbox.network = Some((link, address));
        Rc::new(sandbox)
    }

    /// Its address in its own network.
    pub fn address(&self) -> &str {
        &self.network.as_ref().expect("it has a network of its own").1
    }

    /// Links its network to that of another sandbox, which then reaches it at its address. The link goes with either.
    pub fn join(&self, other: &Self) {
        let [here, there] = [self, other].map(|sandbox| sandbox.first.id().to_string());
        // Each end has the name of the other.
        let (end, other_end) = (format!("vg{there}"), format!("vg{here}"));
        let mut add = Command::new("ip");
        add.args(["link", "add", &end, "netns", &here, "type", "veth", "peer", "name", &other_end]);
        run(add.args(["netns", &there]));
        for (sandbox, link, address) in [(self, end, other.address()), (other, other_end, self.address())] {
            run(sandbox.command("ip").args(["link", "set", &link, "up"]));
            // Without an address of its own the link is used with the one that the sandbox has.
            let own = sandbox.address();
            run(sandbox.command("ip").args(["route", "add", address, "dev", &link, "src", own]));
        }
    }

    /// Takes its link down or up again.
    pub fn set_link(&self, state: &str) {
        let (link, _) = self.network.as_ref().expect("it has a network of its own");
        run(Command::new("ip").args(["link", "set", link, state]));
    }

    fn with_namespaces(namespaces: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("voltergeist-").tempdir().expect("a temporary directory");
        let mut first = Command::new("unshare")
            .args(["--mount", "--pid", "--fork", "--mount-proc", "--kill-child"])
            .args(namespaces)
            .args(["sh", "-c", SET_UP, "sh"])
            .arg(dir.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut line = String::new();
        BufReader::new(first.stdout.take().expect("stdout is piped"))
            .read_line(&mut line)
            .expect("the sandbox's first line");
        assert_eq!(line, "ready\n", "the sandbox could not be set up");
        Self { first, network: None, dir }
    }

    /// A path in the sandbox's directory; it is the same inside and outside.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Where specs are looked for: `/etc/docker/plugins` as seen from outside.
    pub fn specs(&self) -> PathBuf {
        self.path("etc/plugins")
    }

    /// A command that will run in the sandbox, for its arguments to be added.
    pub fn command(&self, program: impl AsRef<Path>) -> Command {
        let namespaces = format!("/proc/{}/ns", self.first.id());
        let mut command = Command::new("nsenter");
        command
            .arg(format!("--mount={namespaces}/mnt"))
            .arg(format!("--pid={namespaces}/pid_for_children"))
            .arg(format!("--net={namespaces}/net"))
            .arg("--")
            .arg(program.as_ref());
        command
    }

    /// Starts a program in the sandbox; what it prints is appended to `NAME.log`.
    pub fn spawn(&self, name: &str, program: impl AsRef<Path>, args: &[&str]) -> Process {
        let log = self.path(&format!("{name}.log"));
        let out = File::options().create(true).append(true).open(&log).expect("a log file");
        let outside = self
            .command(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(out.try_clone().expect("a second handle on the log"))
            .stderr(out)
            .spawn()
            .expect("nsenter starts");
        Process::find(name, log, outside)
    }
}

fn run(command: &mut Command) {
    let status = command.status().expect("it starts");
    assert!(status.success(), "{command:?}: {status}");
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        drop(self.first.stdin.take());
        if !wait_for(TIMEOUT, || self.first.try_wait().ok().flatten()).is_some_and(|end| end.success()) {
            let _ = self.first.kill();
            let _ = self.first.wait();
        }
    }
}

/// A program in the sandbox. It is killed when this is dropped, unless it has ended before.
pub struct Process {
    name: String,
    log: PathBuf,
    /// The nsenter that waits for the program and ends as the program ended.
    outside: Child,
    /// The program as seen from outside. Its own idea of its process ID, in a pid file for instance, is another
    /// number, which out here belongs to somebody else.
    pid: Pid,
}

impl Process {
    fn find(name: &str, log: PathBuf, outside: Child) -> Self {
        let children = format!("/proc/{0}/task/{0}/children", outside.id());
        let pid = wait_for(TIMEOUT, || {
            let text = fs::read_to_string(&children).ok()?;
            Pid::from_raw(text.trim().parse().ok()?)
        });
        let Some(pid) = pid else {
            panic!("{name} did not start:\n{}", tail(&log));
        };
        Self { name: name.to_owned(), log, outside, pid }
    }

    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Panics if the program has ended; for the loops that wait for something from it.
    pub fn assert_running(&mut self) {
        if let Ok(Some(end)) = self.outside.try_wait() {
            panic!("{} ended early ({end}):\n{}", self.name, tail(&self.log));
        }
    }

    /// Asks the program to end, and insists when the deadline passes.
    pub fn terminate(&mut self, deadline: Duration) -> ExitStatus {
        self.ask_to_end();
        if let Some(end) = self.wait(deadline) {
            return end;
        }
        eprintln!("{} did not end within {deadline:?} of SIGTERM; killed", self.name);
        self.kill()
    }

    /// Asks the program to end, and does not wait.
    pub fn ask_to_end(&mut self) {
        self.signal(Signal::TERM);
    }

    /// Waits for the program's end.
    pub fn wait(&mut self, deadline: Duration) -> Option<ExitStatus> {
        wait_for(deadline, || self.outside.try_wait().ok().flatten())
    }

    /// Kills the programs that it has started, and then it.
    pub fn kill_with_children(&mut self) -> ExitStatus {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.pid.as_raw_nonzero())).expect("it runs");
        let lists = tasks.flatten().map(|task| fs::read_to_string(task.path().join("children")));
        let children: Vec<i32> = lists
            .flat_map(|list| {
                list.unwrap_or_default().split_whitespace().map(str::to_owned).collect::<Vec<_>>()
            })
            .map(|child| child.parse().expect("a process ID"))
            .collect();
        assert!(!children.is_empty(), "{} has started no other program", self.name);
        for child in children {
            // A child that nobody has waited for keeps its process ID.
            kill_process(Pid::from_raw(child).expect("a process ID"), Signal::KILL)
                .expect("it can be killed");
        }
        self.kill()
    }

    /// Stops the program, as Ctrl-Z would, until it is to go on.
    pub fn pause(&mut self) {
        self.signal(Signal::STOP);
        let stat = format!("/proc/{}/stat", self.pid.as_raw_nonzero());
        let has_stopped = || fs::read_to_string(&stat).ok()?.rsplit_once(") T ").map(drop);
        wait_for(TIMEOUT, has_stopped).unwrap_or_else(|| panic!("{} does not stop", self.name));
    }

    pub fn go_on(&mut self) {
        // nsenter stops with its program, and lets it go on with itself.
        let _ = kill_process(Pid::from_child(&self.outside), Signal::CONT);
        self.signal(Signal::CONT);
    }

    pub fn kill(&mut self) -> ExitStatus {
        self.signal(Signal::KILL);
        self.go_on();
        self.outside.wait().expect("the end of the program")
    }

    fn signal(&mut self, signal: Signal) {
        // As long as nsenter runs, the process ID cannot have passed to another process.
        if let Ok(None) = self.outside.try_wait() {
            let _ = kill_process(self.pid, signal);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- the end of the log of {}:\n{}", self.name, tail(&self.log));
        }
    }
}

/// The last lines of a log, without dockerd's talk about its connection to containerd.
fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.contains("module=grpc") && !line.contains("loading plugin"))
        .collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
