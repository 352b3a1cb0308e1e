//! In front of a volume plugin that nobody here wrote, `rclone serve docker`, with a real dockerd and real FUSE mounts.

mod support;

use std::{
    fs,
    path::PathBuf,
    process::{Command, ExitCode},
    rc::Rc,
};

use support::{
    PATIENCE, Test, docker,
    dockerd::Dockerd,
    http,
    plugin::{Plugin, Registration},
    sandbox::{Process, Sandbox},
    wait_for,
};

fn main() -> ExitCode {
    let tests = tests![
        a_volume_is_used_as_without_voltergeist,
        plugin_and_daemon_restart_in_any_order,
        the_place_is_taken_from_a_daemon_that_is_connected_and_given_back,
        each_family_of_faults_acts_on_it,
        masks_hide_a_volume_and_leave_its_data,
        a_killed_voltergeist_is_out_of_the_way_at_once,
        beside_it_under_another_name,
        a_managed_plugin_is_taken_over_and_found_again,
        a_tcp_plugin_is_served_beside_under_another_name,
    ];
    let slow = tests![a_hundred_kills_under_load_leave_no_trace].into_iter().map(Test::slow);
    support::run(tests.into_iter().chain(slow).map(Test::with_rclone).collect())
}

/// The daemon comes first: on its way out it still speaks to the plugin.
struct Stage {
    daemon: Dockerd,
    voltergeist: Option<Plugin>,
    rclone: Process,
    sandbox: Rc<Sandbox>,
}

impl Stage {
    /// A daemon that has used rclone, without voltergeist.
    fn without_voltergeist() -> Self {
        let sandbox = Sandbox::new();
        let rclone = start_rclone(&sandbox);
        let daemon = Dockerd::start_with_busybox(&sandbox);
        let stage = Self { daemon, voltergeist: None, rclone, sandbox };
        stage.create("data");
        stage
    }

    /// The same with voltergeist in the place of rclone.
    fn new() -> Self {
        let mut stage = Self::without_voltergeist();
        stage.start_voltergeist();
        stage
    }

    fn start_voltergeist(&mut self) {
        self.voltergeist = Some(Plugin::start(&self.sandbox, "rclone", Registration::InPlace));
    }

    fn voltergeist(&self) -> &Plugin {
        self.voltergeist.as_ref().expect("it was started")
    }

    fn succeeds(&self, line: &str) -> String {
        self.daemon.docker(line).succeeds()
    }

    fn fails(&self, line: &str, with: &str) {
        let error = self.daemon.docker(line).fails();
        assert!(error.contains(with), "{line}: {error}");
    }

    /// A volume whose files are in a directory of the sandbox.
    fn create(&self, volume: &str) {
        let files = self.files(volume);
        fs::create_dir_all(&files).expect("the directory can be made");
        // rclone 1.60 forgets a volume with `type` and `path` when it restarts.
        self.succeeds(&format!("volume create -d rclone -o remote={} {volume}", files.display()));
    }

    fn files(&self, volume: &str) -> PathBuf {
        self.sandbox.path(&format!("files-{volume}"))
    }

    /// Writes to a volume and reads it back in another container.
    fn write_and_read(&self, text: &str) {
        self.succeeds(&format!(
            "run --network none --rm -v data:/data busybox cp /etc/hostname /data/{text}"
        ));
        let listed = self.succeeds("run --network none --rm -v data:/data busybox ls /data");
        assert!(listed.contains(text), "{listed}");
        assert!(self.files("data").join(text).exists(), "rclone has written it");
    }

    fn restart_rclone(&mut self) {
        self.rclone.terminate(PATIENCE);
        self.rclone = start_rclone(&self.sandbox);
    }

    /// Waits until calls reach rclone through voltergeist again.
    fn wait_until_in_place(&self) {
        let gets = || self.voltergeist().counters(["get"])[0];
        let before = gets();
        wait_for(PATIENCE, || {
            self.daemon.docker("volume inspect data").succeeds();
            (gets() > before).then_some(())
        })
        .expect("voltergeist is in front again");
    }

    /// What is in the directory of sockets.
    fn sockets(&self) -> Vec<String> {
        let entries = fs::read_dir(self.sandbox.path("run/plugins")).expect("the plugins' directory");
        let mut names: Vec<_> =
            entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn is_restored(&self) -> bool {
        self.sockets() == ["rclone.sock"]
    }
}

fn start_rclone(sandbox: &Sandbox) -> Process {
    let path = |name| sandbox.path(name).display().to_string();
    let config = sandbox.path("rclone.conf");
    fs::write(&config, "").expect("the config can be written");
    fs::create_dir_all(sandbox.path("rclone-base")).expect("the directory can be made");
    let (base, cache, config) = (path("rclone-base"), path("rclone-cache"), path("rclone.conf"));
    let args = ["serve", "docker", "--base-dir", &base, "--cache-dir", &cache, "--config", &config];
    let mut rclone = sandbox.spawn("rclone-serve", "rclone", &args);
    let socket = sandbox.path("run/plugins/rclone.sock");
    wait_for(PATIENCE, || {
        rclone.assert_running();
        std::os::unix::net::UnixStream::connect(&socket).ok()
    })
    .expect("rclone listens");
    rclone
}

fn a_volume_is_used_as_without_voltergeist() {
    let stage = Stage::new();
    stage.write_and_read("hello");
    stage.create("second");
    assert!(stage.succeeds("volume ls").contains("second"));
    assert!(stage.succeeds("volume inspect second").contains("rclone-base"));
    stage.succeeds("create --name box -v data:/data busybox true");
    stage.succeeds("cp box:/data/hello /tmp/voltergeist-rclone-cp");
    stage.succeeds("rm box");
    stage.succeeds("volume rm second");
    assert!(!stage.succeeds("volume ls").contains("second"));
    let voltergeist = stage.voltergeist();
    let [creates, mounts, unmounts, removes] = voltergeist.counters(["create", "mount", "unmount", "remove"]);
    assert_eq!((creates, removes), (1, 1));
    assert!(mounts >= 3 && mounts == unmounts, "{mounts} mounts, {unmounts} unmounts");
    let volume = voltergeist.volume("data").expect("the shadow has the volume");
    assert_eq!(volume["mounts"].as_array().map(Vec::len), Some(0));
    let mount = voltergeist.calls("mount").pop().expect("a mount");
    assert_eq!((&mount["upstream"]["status"], &mount["outcome"]), (&200.into(), &"ok".into()));
}

fn plugin_and_daemon_restart_in_any_order() {
    let mut stage = Stage::new();
    stage.write_and_read("first");
    stage.restart_rclone();
    stage.wait_until_in_place();
    stage.write_and_read("second");
    stage.daemon.restart();
    stage.wait_until_in_place();
    stage.write_and_read("third");
    stage.restart_rclone();
    stage.daemon.restart();
    stage.wait_until_in_place();
    stage.write_and_read("fourth");
    stage.voltergeist = None;
    assert!(stage.is_restored(), "{:?}", stage.sockets());
    stage.write_and_read("fifth");
}

fn the_place_is_taken_from_a_daemon_that_is_connected_and_given_back() {
    let mut stage = Stage::without_voltergeist();
    for round in 1..=3 {
        stage.succeeds("volume inspect data");
        stage.start_voltergeist();
        wait_for(PATIENCE, || {
            let entries = stage.voltergeist().entries();
            let text = |entry: &serde_json::Value| entry["text"].as_str().unwrap_or_default().to_owned();
            entries.iter().any(|entry| text(entry).contains("earlier connection")).then_some(())
        })
        .expect("the daemon's connection is ended");
        stage.succeeds("volume inspect data");
        assert_eq!(stage.voltergeist().counters(["get"]), [1], "round {round}");
        stage.voltergeist = None;
        assert!(stage.is_restored(), "{:?}", stage.sockets());
        stage.succeeds("volume inspect data");
    }
}

fn each_family_of_faults_acts_on_it() {
    let stage = Stage::new();
    let run = "run --network none --rm -v data:/data busybox ls /data";
    let arm = |rule: &str| {
        stage.voltergeist().command("disarm all");
        stage.voltergeist().command(&format!("arm {rule}"));
    };
    arm("mount: fail \"boom\"");
    stage.fails(run, "boom");
    arm("mount: garbage");
    stage.fails(run, "error while mounting volume");
    arm("mount: truncate");
    stage.fails(run, "error while mounting volume");
    arm("mount: mountpoint missing");
    stage.fails(run, "no such file");
    arm("mount: mountpoint /etc");
    assert!(stage.succeeds(run).contains("passwd"));
    arm("mount: empty");
    assert!(stage.succeeds(run).contains("rootfs"), "the engine mounts its own directory");
    arm("get: rename other");
    stage.succeeds("volume inspect data");
    arm("list: empty");
    stage.succeeds("volume ls");
    arm("mount: drip 300ms");
    stage.succeeds(run);
    arm("mount: reset once");
    // The retry has no body, which rclone refuses.
    stage.daemon.docker(run).fails();
    arm("get: stale");
    stage.succeeds("volume inspect data");
    arm("mount: hang");
    let hanging = stage.daemon.start_docker(run);
    stage.voltergeist().wait_until_waiting(1);
    stage.voltergeist().command("release all");
    hanging.finish().succeeds();
    stage.voltergeist().command("disarm all");
    for outage in ["refuse", "unlink", "reset", "blackhole"] {
        stage.voltergeist().command(&format!("down {outage}"));
        let inspect = stage.daemon.start_docker("volume inspect data");
        stage.voltergeist().command("up");
        inspect.finish().succeeds();
    }
    stage.voltergeist().command("crash keep");
    stage.write_and_read("after-all");
    assert!(stage.voltergeist().state()["faults_injected"].as_u64() >= Some(12));
}

fn masks_hide_a_volume_and_leave_its_data() {
    let stage = Stage::new();
    stage.write_and_read("kept");
    stage.succeeds("volume ls");
    stage.voltergeist().command("forget data");
    assert!(!stage.succeeds("volume ls --quiet --filter driver=rclone").contains("data"));
    stage.voltergeist().command("restore data");
    assert!(stage.succeeds("volume ls --quiet --filter driver=rclone").contains("data"));
    stage.voltergeist().command("conjure phantom");
    assert!(stage.succeeds("volume ls --quiet --filter driver=rclone").contains("phantom"));
    stage.voltergeist().command("forget phantom");
    assert!(stage.files("data").join("kept").exists());
    stage.write_and_read("again");
}

fn a_killed_voltergeist_is_out_of_the_way_at_once() {
    kill_under_load(10);
}

fn a_hundred_kills_under_load_leave_no_trace() {
    kill_under_load(100);
}

fn kill_under_load(times: usize) {
    let mut stage = Stage::new();
    for round in 1..=times {
        let load: Vec<_> = (0..4).map(|_| stage.daemon.start_docker("volume inspect data")).collect();
        stage.voltergeist.as_mut().expect("it runs").kill();
        wait_for(PATIENCE, || stage.is_restored().then_some(()))
            .unwrap_or_else(|| panic!("round {round}: {:?}", stage.sockets()));
        // What was in flight is tried again, without a body, as after a kill of the plugin itself: it may fail.
        for inspect in load {
            drop(inspect.finish());
        }
        stage.succeeds("volume inspect data");
        stage.voltergeist.as_mut().expect("it ran").start_again();
    }
    stage.write_and_read("after-all");
}

fn beside_it_under_another_name() {
    let stage = Stage::without_voltergeist();
    let beside = Plugin::start(&stage.sandbox, "haunted", Registration::Beside("rclone"));
    fs::create_dir_all(stage.files("other")).expect("the directory can be made");
    stage.succeeds(&format!("volume create -d haunted -o remote={} other", stage.files("other").display()));
    stage.succeeds("run --network none --rm -v other:/data busybox touch /data/made");
    assert!(stage.files("other").join("made").exists());
    assert!(beside.counters(["mount"])[0] >= 1);
    let sockets = stage.sockets();
    let is_there = |name: &str| sockets.iter().any(|socket| socket == name);
    assert!(is_there("haunted.sock") && is_there("rclone.sock"), "{sockets:?}");
    drop(stage.daemon);
    assert!(
        beside.state()["driver"]["upstream"].as_str().is_some_and(|upstream| upstream.contains("rclone"))
    );
}

/// Makes a plugin that docker runs out of this program and the libraries that it needs.
fn create_managed_plugin(sandbox: &Sandbox) -> PathBuf {
    let program = env!("CARGO_BIN_EXE_voltergeist");
    let directory = sandbox.path("managed");
    let rootfs = directory.join("rootfs");
    let copy = |from: &str, to: &str| {
        let to = rootfs.join(to.trim_start_matches('/'));
        fs::create_dir_all(to.parent().expect("a file has a directory")).expect("it can be made");
        fs::copy(from, to).expect("it can be copied");
    };
    copy(program, "/plugin");
    let libraries = Command::new("ldd").arg(program).output().expect("ldd runs").stdout;
    for word in String::from_utf8_lossy(&libraries).split_whitespace().filter(|word| word.starts_with('/')) {
        copy(word, word);
    }
    let config = serde_json::json!({
        "description": "a test", "documentation": "none",
        "entrypoint": [
            "/plugin", "serve", "--root", "/data", "--listen", "unix:/run/docker/plugins/managed.sock",
            "--control", "unix:/data/control.sock",
        ],
        "interface": { "types": ["docker.volumedriver/1.0"], "socket": "managed.sock" },
        "network": { "type": "none" },
        "propagatedMount": "/data",
        "linux": { "capabilities": [] },
    });
    fs::write(directory.join("config.json"), config.to_string()).expect("the config can be written");
    directory
}

fn a_managed_plugin_is_taken_over_and_found_again() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    let directory = create_managed_plugin(&sandbox);
    daemon.docker(&format!("plugin create managed {}", directory.display())).succeeds();
    daemon.docker("plugin enable managed").succeeds();
    daemon.docker("volume create -d managed data").succeeds();
    let control = sandbox.path("managed.control");
    let host = format!("DOCKER_HOST={}", docker::host(&sandbox));
    let address = format!("unix:{}", control.display());
    let program = env!("CARGO_BIN_EXE_voltergeist");
    let args = [&host, program, "serve", "--upstream", "managed", "--control", &address];
    let mut voltergeist = sandbox.spawn("voltergeist", "env", &args);
    let gets = |voltergeist: &mut Process| {
        voltergeist.assert_running();
        let (_, state) = http::request(&control, "GET", "/v1/state", "").ok()?;
        let state: serde_json::Value = serde_json::from_str(&state).ok()?;
        state["counters"]["get"].as_u64()
    };
    wait_for(PATIENCE, || gets(&mut voltergeist)).expect("it answers");
    let mut reached = |what: &str| {
        let before = gets(&mut voltergeist).expect("it answers");
        wait_for(PATIENCE, || {
            daemon.docker("volume inspect data").succeeds();
            (gets(&mut voltergeist)? > before).then_some(())
        })
        .unwrap_or_else(|| panic!("calls do not come {what}"));
    };
    reached("at first");
    daemon.docker("plugin disable --force managed").succeeds();
    daemon.docker("plugin enable managed").succeeds();
    reached("after the plugin was disabled");
    voltergeist.terminate(PATIENCE);
    daemon.docker("volume inspect data").succeeds();
}

fn a_tcp_plugin_is_served_beside_under_another_name() {
    let sandbox = Sandbox::new();
    let upstream = Plugin::start(&sandbox, "tcp-plugin", Registration::Spec);
    let daemon = Dockerd::start(&sandbox);
    let program = env!("CARGO_BIN_EXE_voltergeist");
    let refused = |name: &str| {
        let output = sandbox.command(program).args(["serve", "--upstream", name]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let error = refused("tcp-plugin");
    assert!(error.contains("give --name OTHER to serve beside it"), "{error}");
    fs::write(sandbox.specs().join("secure.json"), r#"{"Addr":"https://localhost:1","TLSConfig":{}}"#)
        .expect("the spec can be written");
    let error = refused("secure");
    assert!(error.contains("demands TLS"), "{error}");
    assert!(refused("nobody").contains("voltergeist plugins lists them"));
    let json = format!(r#"{{"Addr":"{}"}}"#, upstream.address());
    fs::write(sandbox.specs().join("json-plugin.json"), json).expect("the spec can be written");
    for name in ["tcp-plugin", "json-plugin"] {
        let beside = Plugin::start(&sandbox, "haunted", Registration::Beside(name));
        daemon.docker(&format!("volume create -d haunted {name}-data")).succeeds();
        assert_eq!(beside.counters(["create"]), [1]);
        beside.command("arm get: fail \"boom\"");
        daemon.docker(&format!("volume inspect {name}-data")).fails();
    }
    assert_eq!(upstream.counters(["create"]), [2]);

    let listed = sandbox.command(program).args(["plugins", "--json"]).output().expect("it runs");
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("it prints JSON");
    let names: Vec<_> = listed.as_array().expect("a list").iter().map(|one| &one["name"]).collect();
    assert_eq!(names, ["json-plugin", "secure", "tcp-plugin"]);
    assert_eq!((&listed[1]["listening"], &listed[2]["listening"]), (&false.into(), &true.into()));
    assert!(listed[1]["cost"].as_str().is_some_and(|cost| cost.contains("15 s")), "{listed}");
}
