//! A console on instances of other machines: in networks of their own with a dockerd each, and behind a real SSH server.

mod support;

use std::{
    fs,
    net::{TcpListener, TcpStream},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    process::{Command, ExitCode},
    rc::Rc,
};

use support::{
    TIMEOUT, Test,
    dockerd::Dockerd,
    http,
    pty::Terminal,
    sandbox::{Process, Sandbox},
    wait_for,
};
use tempfile::TempDir;

fn main() -> ExitCode {
    let networks = tests![three_daemons_in_networks_of_their_own_are_one_console];
    let ssh = tests![an_instance_behind_a_real_ssh_server_is_shown_and_found_again];
    let networks = networks.into_iter().map(Test::with_networks);
    support::run(networks.chain(ssh.into_iter().map(Test::with_ssh)).collect())
}

/// A machine: a daemon, and the plugin with its control API on a port that wants a token.
struct Machine {
    daemon: Dockerd,
    _plugin: Process,
    sandbox: Rc<Sandbox>,
}

const DRIVER: &str = "poltergeist";
const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn token(directory: &Path) -> String {
    let file = directory.join("token");
    fs::write(&file, TOKEN).expect("it is written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("it is ours");
    file.display().to_string()
}

impl Machine {
    fn start() -> Self {
        let sandbox = Sandbox::with_network();
        let token = token(&sandbox.path(""));
        let root = sandbox.path("volumes").display().to_string();
        let control = format!("tcp://{}:4322", sandbox.address());
        let args =
            ["serve", "--name", DRIVER, "--root", &root, "--control", &control, "--token-file", &token];
        let plugin = sandbox.spawn("plugin", env!("CARGO_BIN_EXE_voltergeist"), &args);
        Self { daemon: Dockerd::start(&sandbox), _plugin: plugin, sandbox }
    }

    fn node(&self) -> String {
        format!("{}:4322", self.sandbox.address())
    }

    fn create(&self, volume: &str) -> support::docker::Outcome {
        self.daemon.docker(&format!("volume create -d {DRIVER} {volume}"))
    }
}

fn three_daemons_in_networks_of_their_own_are_one_console() {
    let machines = [Machine::start(), Machine::start(), Machine::start()];
    let directory = tempfile::tempdir().expect("a temporary directory");
    let token = token(directory.path());
    let addresses = machines.each_ref().map(|machine| format!("tcp://{}", machine.node()));
    let [a, b, c] = addresses.each_ref().map(String::as_str);
    let args = ["attach", "--token-file", &token, a, b, c];
    let mut console = Terminal::start(200, 50, directory.path(), &args, &[]);
    for machine in &machines {
        console.wait_for_text(&format!("{} ● connected", machine.node()));
    }
    for (machine, volume) in machines.iter().zip(["first", "second", "third"]) {
        machine.create(volume).succeeds();
        console.wait_for_text(volume);
    }
    // A fault at the second one alone, then one at all of them.
    console.press("@");
    console.wait_for_text(&format!("▸{}", machines[1].node()));
    console.press(":arm create: fail \"only here\" as here\r");
    console.wait_for_text("here");
    console.wait_for_text("1 armed");
    let error = machines[1].create("fourth").fails();
    assert!(error.contains("only here"), "{error}");
    machines[0].create("fifth").succeeds();
    console.press("A");
    console.wait_for_text("▸all");
    console.press(":arm create: fail \"everywhere\" as everyone\r");
    console.wait_for_text("4 armed");
    for machine in [&machines[0], &machines[2]] {
        let error = machine.create("sixth").fails();
        assert!(error.contains("everywhere"), "{error}");
    }
    console.press(":disarm all\r");
    console.wait_for_text("none armed");

    // What happens while a network is down is shown when it is up again.
    machines[1].sandbox.set_link("down");
    console.wait_for_text("connecting");
    machines[1].create("meanwhile").succeeds();
    machines[2].create("elsewhere").succeeds();
    console.wait_for_text("elsewhere");
    machines[1].sandbox.set_link("up");
    console.wait_for_text("meanwhile");
    console.wait_until("the connection", |screen| !screen.contents().contains("connecting"));
    assert!(!console.text().contains("missed"), "{}", console.text());
    console.press("q");
    assert!(console.wait_for_end().success());
}

/// An SSH server on a port of its own, with keys of its own.
struct Sshd {
    /// The server, and the sandbox with which its connections end too.
    running: Option<(Process, Rc<Sandbox>)>,
    port: u16,
    place: TempDir,
}

impl Sshd {
    /// `runtime` is `XDG_RUNTIME_DIR` of those who log in.
    fn start(runtime: &Path) -> Self {
        let place = tempfile::tempdir().expect("a temporary directory");
        let path = |name: &str| place.path().join(name).display().to_string();
        for key in ["host-key", "key"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(path(key));
            let status = keygen.status().expect("ssh-keygen is there");
            assert!(status.success(), "{status}");
        }
        // It may be missing where no server has been started by the system.
        fs::create_dir_all("/run/sshd").expect("it can be made");
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("it has an address").port();
        drop(free);
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\nSetEnv XDG_RUNTIME_DIR={}\n",
            path("host-key"),
            path("key.pub"),
            runtime.display()
        );
        fs::write(path("sshd_config"), config).expect("it is written");
        // What people have in ~/.ssh/config, which ssh does not look for in $HOME.
        let config = format!(
            "Host ghosts\n  HostName 127.0.0.1\n  User root\n  Port {port}\n  IdentityFile {}\n  IdentitiesOnly yes\n\
             \x20 UserKnownHostsFile {}\n  StrictHostKeyChecking accept-new\n",
            path("key"),
            path("known_hosts")
        );
        fs::write(path("config"), config).expect("it is written");
        let ssh = path("ssh");
        fs::write(&ssh, format!("#!/bin/sh\nexec /usr/bin/ssh -F {} \"$@\"\n", path("config")))
            .expect("it is written");
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let mut sshd = Self { running: None, port, place };
        sshd.start_again();
        sshd
    }

    /// Ends the server with its connections.
    fn stop(&mut self) {
        self.running = None;
    }

    fn start_again(&mut self) {
        let sandbox = Sandbox::new();
        let config = self.place.path().join("sshd_config").display().to_string();
        let process = sandbox.spawn("sshd", "/usr/sbin/sshd", &["-D", "-e", "-f", &config]);
        self.running = Some((process, sandbox));
        let listens = || TcpStream::connect(("127.0.0.1", self.port)).ok();
        wait_for(TIMEOUT, listens).expect("sshd listens");
    }
}

fn an_instance_behind_a_real_ssh_server_is_shown_and_found_again() {
    let there = tempfile::tempdir().expect("a temporary directory");
    let mut instance = Terminal::start(120, 40, there.path(), &["--name", "haunt"], &[]);
    instance.wait_for_text("haunt");
    let run = there.path().join("voltergeist");
    fs::create_dir(&run).expect("it is new");
    symlink(there.path().join("control.sock"), run.join("haunt-there.control.sock")).expect("it is new");
    let mut sshd = Sshd::start(there.path());
    let here = tempfile::tempdir().expect("a temporary directory");
    let path = format!("{}:{}", sshd.place.path().display(), std::env::var("PATH").unwrap_or_default());
    let address = "ssh://ghosts/haunt-there";
    let mut console = Terminal::start(160, 40, here.path(), &["attach", address], &[("PATH", &path)]);
    console.wait_for_text("connected");
    console.wait_for_text(address);
    let create = |name: &str| {
        let body = format!(r#"{{"Name":"{name}"}}"#);
        http::request(&there.path().join("plugin.sock"), "POST", "/VolumeDriver.Create", &body)
            .expect("an answer")
    };
    create("db1");
    console.wait_for_text("db1");
    console.press("m");
    console.wait_for_text("disarm");
    instance.wait_for_text("fail-mounts");

    sshd.stop();
    console.wait_for_text("connecting");
    create("db2");
    sshd.start_again();
    console.wait_for_text("db2");
    console.wait_until("the connection", |screen| !screen.contents().contains("connecting"));
    console.press("q");
    assert!(console.wait_for_end().success());

    // A name that nothing has there is said in the words of the program.
    let mut unknown =
        Terminal::start(160, 40, here.path(), &["attach", "ssh://ghosts/nobody"], &[("PATH", &path)]);
    unknown.wait_for_text("no instance runs there under this name");
    assert!(!unknown.wait_for_end().success());
}
