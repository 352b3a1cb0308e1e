//! The managed plugin on each node of a swarm: three daemons in networks of their own, which are linked.

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, ExitCode, Output, Stdio},
    rc::Rc,
};

use serde_json::Value;
use support::{
    Engine, TIMEOUT, artefacts,
    dockerd::Dockerd,
    pty::Terminal,
    registry::Registry,
    sandbox::{Process, Sandbox},
    wait_for,
};

fn main() -> ExitCode {
    let tests = tests![a_swarm_runs_the_plugin_on_each_node_and_a_fault_at_one_of_them];
    support::run(tests.into_iter().map(|test| test.with(Engine::Swarm)).collect())
}

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

struct Node {
    daemon: Dockerd,
    sandbox: Rc<Sandbox>,
}

impl Node {
    fn start(sandbox: &Rc<Sandbox>) -> Self {
        write_token(&sandbox.path("etc/voltergeist.token"));
        // Only an experimental daemon runs plugins as services.
        let options = &["--experimental", "--insecure-registry", "10.0.0.0/8"];
        let daemon = Dockerd::start_with_busybox_and(sandbox, options);
        Self { daemon, sandbox: Rc::clone(sandbox) }
    }

    fn docker(&self, line: &str) -> String {
        self.daemon.docker(line).succeeds()
    }

    /// Its ID in the swarm.
    fn id(&self) -> String {
        self.docker("info --format {{.Swarm.NodeID}}")
    }

    /// Its control API.
    fn control(&self) -> String {
        format!("{}:4322", self.sandbox.address())
    }

    fn check(&self, token: &Path, expectations: &[&str]) -> Output {
        let mut check = Command::new(env!("CARGO_BIN_EXE_voltergeist"));
        check.args(["check", &format!("tcp://{}", self.control()), "--wait", "30s", "--token-file"]);
        check.arg(token).args(expectations).output().expect("it runs")
    }
}

fn write_token(file: &Path) {
    fs::write(file, TOKEN).expect("it is written");
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).expect("it is ours");
}

fn comes_to(nodes: &[&Node], token: &Path, expectations: &[&str]) {
    for node in nodes {
        let output = node.check(token, expectations);
        assert!(output.status.success(), "{}: {output:?}", node.control());
    }
}

/// Publishes the plugin, and creates the service that runs it on each node.
fn install_plugin(manager: &Node, remote: &str) {
    let plugin = artefacts::path("swarm-plugin");
    manager.docker(&format!("plugin create {remote} {}", plugin.display()));
    manager.docker(&format!("plugin push {remote}"));
    manager.docker(&format!("plugin rm {remote}"));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/packaging/swarm/plugin-service");
    let mut specification = Command::new(script);
    specification.args([remote, "voltergeist"]).stdout(Stdio::piped());
    let specification = specification.spawn().expect("it runs").stdout.expect("stdout is piped");
    // As in the documents.
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--fail-with-body", "--unix-socket"]);
    curl.arg(manager.sandbox.path("docker.sock"));
    curl.args(["-H", "Content-Type: application/json", "--data", "@-", "http://x/services/create"]);
    let output = curl.stdin(specification).output().expect("curl is there");
    assert!(output.status.success(), "{output:?}");
}

/// The state and the error of each task of a service, latest first, on a node.
fn tasks(manager: &Node, service: &str, node: &str) -> String {
    let format = "--format {{.CurrentState}};{{.Error}}";
    manager.docker(&format!("service ps --no-trunc --filter node={node} {format} {service}"))
}

/// Prometheus, which asks these nodes every second.
struct Prometheus {
    process: Process,
    address: String,
}

impl Prometheus {
    fn start(sandbox: &Sandbox, nodes: &[Node], token: &Path) -> Self {
        let targets: Vec<_> = nodes.iter().map(Node::control).collect();
        let config = serde_json::json!({
            "global": { "scrape_interval": "1s" },
            "scrape_configs": [{
                "job_name": "voltergeist",
                "authorization": { "credentials_file": token },
                "static_configs": [{ "targets": targets }],
            }],
        });
        let file = sandbox.path("prometheus.yml");
        // JSON is YAML too.
        fs::write(&file, config.to_string()).expect("it can be written");
        // It has a network of its own, so that any port is free.
        let address = format!("{}:9090", sandbox.address());
        let args = [
            format!("--config.file={}", file.display()),
            format!("--storage.tsdb.path={}", sandbox.path("prometheus").display()),
            format!("--web.listen-address={address}"),
        ];
        let process = sandbox.spawn("prometheus", "prometheus", &args.each_ref().map(String::as_str));
        Self { process, address }
    }

    fn waits_for(&mut self, query: &str, value: &str) {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--get", &format!("http://{}/api/v1/query", self.address)]);
        curl.args(["--data-urlencode", &format!("query={query}")]);
        let mut last = None;
        wait_for(TIMEOUT, || {
            self.process.assert_running();
            let body: Value = serde_json::from_slice(&curl.output().ok()?.stdout).ok()?;
            let found = body["data"]["result"][0]["value"][1] == value;
            last = Some(body);
            found.then_some(())
        })
        .unwrap_or_else(|| panic!("{query} is not {value}: {last:?}"));
    }
}

fn a_swarm_runs_the_plugin_on_each_node_and_a_fault_at_one_of_them() {
    let sandboxes = [Sandbox::with_network(), Sandbox::with_network(), Sandbox::with_network()];
    let [one, two, three] = &sandboxes;
    for (here, there) in [(one, two), (one, three), (two, three)] {
        here.join(there);
    }
    let registry = Registry::start_at(one, format!("{}:5000", one.address()));
    let nodes = sandboxes.each_ref().map(Node::start);
    let manager = &nodes[0];
    let address = one.address();
    manager.docker(&format!("swarm init --advertise-addr {address}"));
    let token = manager.docker("swarm join-token --quiet worker");
    for node in &nodes[1..] {
        let own = node.sandbox.address();
        node.docker(&format!("swarm join --advertise-addr {own} --token {token} {address}:2377"));
    }
    install_plugin(manager, &format!("{}/voltergeist:1", registry.address));

    let ids = nodes.each_ref().map(Node::id);
    for id in &ids {
        // A node reports its drivers every 20 s, and until then no task with such a volume starts there.
        let line = format!("node inspect --format {{{{.Description.Engine.Plugins}}}} {id}");
        wait_for(TIMEOUT * 2, || manager.docker(&line).contains("Volume voltergeist").then_some(()))
            .expect("each node reports the driver");
    }

    // One console; a fault on the second node alone.
    let directory = tempfile::tempdir().expect("a temporary directory");
    let token = directory.path().join("token");
    write_token(&token);
    let addresses = nodes.each_ref().map(|node| format!("tcp://{}", node.control()));
    let token_text = token.display().to_string();
    let args = ["attach", "--token-file", &token_text, &addresses[0], &addresses[1], &addresses[2]];
    let mut console = Terminal::start(200, 50, directory.path(), &args, &[]);
    for node in &nodes {
        console.wait_for_text(&format!("{} ● connected", node.control()));
    }
    console.press("@");
    console.wait_for_text(&format!("▸{}", nodes[1].control()));
    console.press(":arm mount: fail \"busy here\" as broken\r");
    console.wait_for_text("1 armed");

    manager.docker(
        "service create --detach --no-resolve-image --name web --mode global --network host --mount \
         type=volume,source=data,target=/data,volume-driver=voltergeist busybox:latest top",
    );
    let [first, second, third] = nodes.each_ref();
    let running = |id: &str| {
        wait_for(TIMEOUT, || tasks(manager, "web", id).starts_with("Running").then_some(()))
            .unwrap_or_else(|| panic!("not running: {}", tasks(manager, "web", id)));
    };
    running(&ids[0]);
    running(&ids[2]);
    wait_for(TIMEOUT, || tasks(manager, "web", &ids[1]).contains("busy here").then_some(()))
        .unwrap_or_else(|| panic!("no error: {}", tasks(manager, "web", &ids[1])));
    comes_to(&[first, third], &token, &["create == 1", "mount == 1", "open-mounts == 1"]);
    comes_to(&[second], &token, &["count(mount where status=5xx) >= 2", "open-mounts == 0"]);
    console.press("/op:mount\r");
    console.wait_until("the failed mounts of one node and the mounts of the others", |screen| {
        let text = screen.contents();
        // The column may be too narrow for the port.
        let shows = |node: &Node, outcome: &str| {
            let words = [node.sandbox.address(), " data ", outcome];
            text.lines().any(|line| words.iter().all(|word| line.contains(word)))
        };
        shows(first, " ok ") && shows(second, "busy here") && shows(third, " ok ")
    });
    assert!(!tasks(manager, "web", &ids[1]).contains("Running"));

    console.press(":disarm all\r");
    running(&ids[1]);
    comes_to(&[first, second, third], &token, &["create == 1", "open-mounts == 1"]);
    console.press("q");
    assert!(console.wait_for_end().success());

    let mut prometheus = Prometheus::start(one, &nodes, &token);
    prometheus.waits_for("sum(voltergeist_open_mounts)", "3");
    prometheus.waits_for("sum(voltergeist_requests_total{operation=\"create\"})", "3");
    prometheus.waits_for("sum(voltergeist_requests_total{operation=\"mount\",outcome=\"ok\"})", "3");

    manager.docker("service rm web");
    comes_to(&[first, second, third], &token, &["open-mounts == 0", "unmount == 1", "lint == 0"]);
    prometheus.waits_for("sum(voltergeist_open_mounts)", "0");
}
