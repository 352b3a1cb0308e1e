//! In front of a volume plugin that nobody here wrote, `rclone serve docker`, with a real dockerd and real FUSE mounts.

mod support;

use std::{
    fs,
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    process::ExitCode,
    rc::Rc,
    time::Instant,
};

use support::{
    TIMEOUT, Test,
    docker::{self, Load, Run},
    dockerd::Dockerd,
    http, managed,
    plugin::{Plugin, Registration},
    podman::Podman,
    sandbox::{Process, Sandbox},
    wait_for,
};

fn main() -> ExitCode {
    let tests = tests![
        a_volume_is_used_as_without_voltergeist,
        plugin_and_daemon_restart_in_any_order,
        the_place_is_taken_from_a_daemon_that_is_connected_and_given_back,
        each_family_of_faults_acts_on_it,
        replies_of_rclone_are_altered,
        work_of_rclone_is_left_out_or_done_beside_the_fault,
        a_barrier_holds_mounts_of_rclone_until_there_are_two,
        masks_hide_a_volume_and_leave_its_data,
        a_connection_that_was_made_past_it_is_ended_too,
        a_killed_plugin_refuses_connections_at_once,
        connections_that_wait_in_the_queue_are_served,
        a_killed_voltergeist_is_out_of_the_way_at_once,
        what_is_left_when_the_guard_is_killed_too_is_restored,
        scenarios_that_fit_are_played_in_its_place,
        an_instance_in_front_of_it_plays_scenarios,
        scenarios_are_played_in_front_of_a_plugin_that_wants_no_options,
        beside_it_under_another_name,
        a_managed_plugin_is_taken_over_and_found_again,
        a_tcp_plugin_is_served_beside_under_another_name,
    ];
    let podman = tests![podman_uses_it_through_voltergeist].into_iter().map(Test::with_podman_and_rclone);
    let slow = tests![a_hundred_kills_under_load_leave_no_trace].into_iter().map(Test::slow);
    support::run(tests.into_iter().chain(slow).map(Test::with_rclone).chain(podman).collect())
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
        self.succeeds(&self.create_line(volume));
    }

    fn create_line(&self, volume: &str) -> String {
        let files = self.files(volume);
        fs::create_dir_all(&files).expect("the directory can be made");
        // rclone 1.60 forgets a volume with `type` and `path` when it restarts.
        format!("volume create -d rclone -o remote={} {volume}", files.display())
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
        self.rclone.terminate(TIMEOUT);
        self.rclone = start_rclone(&self.sandbox);
    }

    /// Waits until calls reach rclone through voltergeist again.
    fn wait_until_in_place(&self) {
        let gets = || self.voltergeist().counters(["get"])[0];
        let before = gets();
        wait_for(TIMEOUT, || {
            self.daemon.docker("volume inspect data").succeeds();
            (gets() > before).then_some(())
        })
        .expect("voltergeist is in front again");
    }

    /// Waits until the connections that the daemon had to rclone are ended.
    fn wait_until_earlier_ended(&self) {
        wait_for(TIMEOUT, || {
            let entries = self.voltergeist().entries();
            let text = |entry: &serde_json::Value| entry["text"].as_str().unwrap_or_default().to_owned();
            entries.iter().any(|entry| text(entry).contains("earlier connection")).then_some(())
        })
        .expect("the daemon's connection is ended");
    }

    /// Asks rclone itself, at its own path.
    fn assert_rclone_answers(&self) {
        let socket = self.sandbox.path("run/plugins/rclone.sock");
        let (status, body) = http::request(&socket, "POST", "/VolumeDriver.List", "").expect("it answers");
        assert!(status == 200 && body.contains("\"data\""), "{status} {body}");
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
    wait_for(TIMEOUT, || {
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
        stage.wait_until_earlier_ended();
        stage.succeeds("volume inspect data");
        assert_eq!(stage.voltergeist().counters(["get"]), [1], "round {round}");
        stage.voltergeist = None;
        assert!(stage.is_restored(), "{:?}", stage.sockets());
        stage.succeeds("volume inspect data");
    }
}

fn a_connection_that_was_made_past_it_is_ended_too() {
    let mut stage = Stage::new();
    stage.wait_until_earlier_ended();
    stage.voltergeist.as_mut().expect("it runs").pause();
    stage.restart_rclone();
    // Straight to rclone, on a connection that the daemon keeps.
    stage.succeeds("volume inspect data");
    stage.voltergeist.as_mut().expect("it runs").go_on();
    stage.wait_until_in_place();
    stage.write_and_read("through-voltergeist");
}

fn a_killed_plugin_refuses_connections_at_once() {
    let mut stage = Stage::new();
    stage.wait_until_earlier_ended();
    stage.rclone.kill();
    wait_for(TIMEOUT, || {
        let entries = stage.voltergeist().entries();
        entries
            .iter()
            .any(|entry| entry["text"].to_string().contains("does not listen any more"))
            .then_some(())
    })
    .expect("it is noticed without a call");
    // So the request keeps its body until rclone is back.
    let inspect = stage.daemon.start_docker("volume inspect data");
    stage.rclone = start_rclone(&stage.sandbox);
    inspect.finish().succeeds();
    stage.wait_until_in_place();
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

impl Stage {
    /// Runs a docker command while a rule is armed, which must act.
    fn under(&self, rule: &str, line: &str) -> docker::Outcome {
        let injected = || self.voltergeist().state()["faults_injected"].as_u64();
        let before = injected();
        self.voltergeist().command(&format!("arm {rule}"));
        let outcome = self.daemon.docker(line);
        assert!(injected() > before, "{rule} did not act: {}", outcome.all_output());
        self.voltergeist().command("disarm all");
        outcome
    }

    /// The volumes that rclone has, by its own reply.
    fn volumes_of_rclone(&self) -> String {
        self.voltergeist().command("disarm all");
        let socket = self.sandbox.path("run/plugins/rclone.sock");
        http::request(&socket, "POST", "/VolumeDriver.List", "").expect("it answers").1
    }
}

fn replies_of_rclone_are_altered() {
    let stage = Stage::new();
    let inspect = "volume inspect data";
    let run = "run --network none --rm -v data:/data busybox ls -d /data /data/kept";
    stage.write_and_read("kept");
    for (rule, line, shown) in [
        ("get: set Volume.Status.tier=7", inspect, "\"tier\": 7"),
        ("get: unset Volume.Mountpoint", inspect, "\"Mountpoint\": \"\""),
        (
            "get: reply {\"Volume\":{\"Name\":\"{volume}\",\"Mountpoint\":\"/elsewhere\"}}",
            inspect,
            "/elsewhere",
        ),
        ("get: two-bodies", inspect, "rclone-base"),
        ("list: set Volumes.*.Name=other", "volume ls", "other"),
        ("mount: two-bodies", run, "/data/kept"),
        ("mount: delay 1s", run, "/data/kept"),
    ] {
        let output = stage.under(rule, line).succeeds();
        assert!(output.contains(shown), "{rule}: {output}");
    }
    for (rule, line, error) in [
        ("mount: wrong-type", run, "cannot unmarshal array"),
        ("mount: set Err=\"full of {volume}\"", run, "full of data"),
        ("mount: null", run, "/data/kept: No such file"),
        ("mount: mountpoint relative", run, "no such file"),
        // The retry has no body, which rclone refuses.
        ("mount: eof once", run, "VolumeDriver.Mount"),
        ("get: bad-time", inspect, "no such volume"),
    ] {
        let output = stage.under(rule, line).fails();
        assert!(output.contains(error), "{rule}: {output}");
    }
    // An engine asks for these once; what is at the socket answers everybody alike.
    let socket = stage.sandbox.path("run/plugins/rclone.sock");
    for (rule, path, body) in [
        ("capabilities: scope galactic", "/VolumeDriver.Capabilities", "\"galactic\""),
        ("activate: implements nothing", "/Plugin.Activate", "\"Implements\":[]"),
        ("list: null-entry --yes", "/VolumeDriver.List", ",null]"),
    ] {
        stage.voltergeist().command(&format!("arm {rule}"));
        let (status, reply) = http::request(&socket, "POST", path, "").expect("it answers");
        assert!(status == 200 && reply.contains(body), "{rule}: {status} {reply}");
        stage.voltergeist().command("disarm all");
    }
    stage.write_and_read("after-all");
}

fn work_of_rclone_is_left_out_or_done_beside_the_fault() {
    let stage = Stage::new();
    let has = |volume: &str| stage.volumes_of_rclone().contains(&format!("\"{volume}\""));
    // A success without the work.
    stage.under("create: lie", &stage.create_line("lied")).succeeds();
    assert!(!has("lied"));
    // The work, and then an error.
    stage.under("create: fail \"too late\" after", &stage.create_line("late")).fails();
    assert!(has("late"));
    stage.under("remove: fail \"too late\" after", "volume rm late").fails();
    assert!(!has("late"));
    // An error, and no work.
    stage.create("kept");
    stage.under("remove: fail \"no\"", "volume rm kept").fails();
    assert!(has("kept"));
    // A connection that is lost after the work: docker tries again.
    stage.under("remove: reset after once", "volume rm kept").fails();
    assert!(!has("kept"));
    // rclone refuses the second of two creates, and docker gets the reply to it.
    let twice = stage.under("create: pass twice", &stage.create_line("twice"));
    assert!(has("twice"), "{}", twice.all_output());
    // The unmount that rclone never gets leaves its mount.
    let run = "run --network none --rm -v twice:/data busybox true";
    stage.under("unmount: lie", run).succeeds();
    stage.fails("volume rm twice", "use");
}

fn a_barrier_holds_mounts_of_rclone_until_there_are_two() {
    let stage = Stage::new();
    stage.create("second");
    stage.voltergeist().command("arm mount: hold until 2 within 60s");
    let run = |with: &str| stage.daemon.start_docker(&format!("run --network none {with}"));
    let first = run("--rm -v data:/data busybox ls /data");
    stage.voltergeist().wait_until_waiting(1);
    // It outlives the first: rclone hangs when two volumes are unmounted at once.
    let second = run("--detach --name second -v second:/data busybox top");
    for run in [first, second] {
        run.finish().succeeds();
    }
    assert_eq!(stage.voltergeist().calls("mount").len(), 2);
    stage.succeeds("rm --force second");
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

fn connections_that_wait_in_the_queue_are_served() {
    let mut stage = Stage::new();
    let queue = |stage: &mut Stage| {
        stage.voltergeist.as_mut().expect("it runs").pause();
        let socket = stage.sandbox.path("run/plugins/rclone.sock");
        [0; 8].map(|_| http::send(&socket, "POST", "/VolumeDriver.List", "").expect("it is in the queue"))
    };
    let assert_answered = |requests: [UnixStream; 8], when: &str| {
        for request in requests {
            let (status, body) = http::answer(request).unwrap_or_else(|error| panic!("{when}: {error}"));
            assert!(status == 200 && body.contains("\"data\""), "{when}: {status} {body}");
        }
    };
    for _ in 0..3 {
        let before = stage.voltergeist().counters(["list"])[0];
        let requests = queue(&mut stage);
        stage.restart_rclone();
        stage.voltergeist.as_mut().expect("it runs").go_on();
        assert_answered(requests, "after a restart");
        assert_eq!(stage.voltergeist().counters(["list"])[0], before + 8);
        stage.wait_until_in_place();
    }
    let requests = queue(&mut stage);
    let voltergeist = stage.voltergeist.as_mut().expect("it runs");
    voltergeist.ask_to_end();
    voltergeist.go_on();
    assert_answered(requests, "at the end");
    stage.voltergeist = None;
    assert!(stage.is_restored(), "{:?}", stage.sockets());
}

fn a_killed_voltergeist_is_out_of_the_way_at_once() {
    kill_under_load(10);
}

fn a_hundred_kills_under_load_leave_no_trace() {
    kill_under_load(100);
}

fn kill_under_load(times: usize) {
    let mut stage = Stage::new();
    let load = Load::start(&stage.sandbox, 3, "volume inspect data");
    let mut kills = Vec::new();
    for round in 1..=times {
        // Calls are on their way through it.
        wait_for(TIMEOUT, || (stage.voltergeist().counters(["get"])[0] >= 3).then_some(()))
            .expect("the load comes through voltergeist");
        let before = Instant::now();
        stage.voltergeist.as_mut().expect("it runs").kill();
        wait_for(TIMEOUT, || stage.is_restored().then_some(()))
            .unwrap_or_else(|| panic!("round {round}: {:?}", stage.sockets()));
        kills.push(before..Instant::now());
        stage.assert_rclone_answers();
        stage.voltergeist.as_mut().expect("it ran").start_again();
    }
    let runs = load.stop();
    // What was in flight is tried again, without a body, as after a kill of the plugin itself: it may fail.
    let in_flight = |run: &Run| kills.iter().any(|kill| run.started < kill.end && kill.start < run.ended);
    let failed: Vec<&Run> = runs.iter().filter(|run| !run.outcome.is_success()).collect();
    eprintln!("{times} kills, {} commands, {} in flight at a kill failed", runs.len(), failed.len());
    for run in &failed {
        assert!(in_flight(run), "no kill explains this: {}", run.outcome.all_output());
    }
    assert!(failed.len() < runs.len() / 2, "{} of {} commands failed", failed.len(), runs.len());
    stage.write_and_read("after-all");
    stage.voltergeist = None;
    assert!(stage.is_restored(), "{:?}", stage.sockets());
}

fn what_is_left_when_the_guard_is_killed_too_is_restored() {
    let mut stage = Stage::new();
    stage.write_and_read("first");
    stage.voltergeist.as_mut().expect("it runs").kill_with_guard();
    assert!(!stage.is_restored(), "nobody could restore it");
    // The connection is refused, so docker tries again with the body.
    let inspect = stage.daemon.start_docker("volume inspect data");
    stage.voltergeist.as_mut().expect("it ran").start_again();
    inspect.finish().succeeds();
    stage.wait_until_in_place();
    stage.write_and_read("second");

    stage.voltergeist.as_mut().expect("it runs").kill_with_guard();
    let listed = stage.sandbox.command(env!("CARGO_BIN_EXE_voltergeist")).arg("plugins").output();
    let listed = String::from_utf8(listed.expect("it runs").stdout).expect("it prints text");
    let advice = "was killed in front of it: sudo voltergeist restore /run/docker/plugins/rclone.sock";
    assert!(listed.contains(advice), "{listed}");
    let restore = || {
        let output = stage.sandbox.command(env!("CARGO_BIN_EXE_voltergeist")).arg("restore").output();
        String::from_utf8(output.expect("it runs").stdout).expect("it prints text")
    };
    assert_eq!(restore(), "/run/docker/plugins/rclone.sock: restored\n");
    assert_eq!(restore(), "nothing to restore\n");
    assert!(stage.is_restored(), "{:?}", stage.sockets());
    stage.write_and_read("third");
}

/// Those that fit and those that do not: rclone wants options to create a volume, and not others than its own.
const SCENARIOS: [(&str, &str, &str); 4] = [
    ("option-conflict", "passed", ""),
    ("orphan", "skipped", "it does not fit this plugin, which refuses to create ghost-data: "),
    ("named-volume", "skipped", "it shows what only the built-in driver does"),
    (
        "labels-lost",
        "skipped",
        "it does not fit this plugin, which refuses to create ghost-data: unsupported",
    ),
];

fn scenarios_that_fit_are_played_in_its_place() {
    let stage = Stage::without_voltergeist();
    let host = format!("DOCKER_HOST={}", docker::host(&stage.sandbox));
    let play = ["play", "--engine", "docker", "--upstream", "rclone", "--json"];
    let mut command = stage.sandbox.command("env");
    command.args([&host, env!("CARGO_BIN_EXE_voltergeist")]).args(play);
    let output = command.args(SCENARIOS.map(|(name, ..)| name)).output().expect("it runs");
    let (lines, text) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let reports = lines.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
    let reports: Vec<serde_json::Value> = reports.collect();
    assert_eq!(reports.len(), SCENARIOS.len(), "{lines}{text}");
    for (report, (name, result, problem)) in reports.iter().zip(SCENARIOS) {
        assert_eq!((&report["name"], &report["result"]), (&name.into(), &result.into()), "{text}");
        assert!(report["problems"].to_string().contains(problem), "{report}");
    }
    assert!(!text.contains("docker keeps looking for the driver"), "{text}");
    assert!(stage.is_restored(), "{:?}", stage.sockets());
    assert_eq!(stage.succeeds("volume ls --quiet"), "data", "nothing of a scenario is left");
    stage.write_and_read("after-all");
}

fn an_instance_in_front_of_it_plays_scenarios() {
    let mut stage = Stage::without_voltergeist();
    let host = docker::host(&stage.sandbox);
    let sandbox = Rc::clone(&stage.sandbox);
    let variables = [("DOCKER_HOST", host.as_str())];
    stage.voltergeist = Some(Plugin::start_with(&sandbox, "rclone", Registration::InPlace, &variables));
    for (name, result, problem) in SCENARIOS {
        stage.voltergeist().command(&format!("play {name}"));
        let finished = wait_for(TIMEOUT * 2, || {
            let is_meant = |entry: &serde_json::Value| {
                entry["kind"] == "scenario" && entry["event"] == "finished" && entry["scenario"] == name
            };
            stage.voltergeist().entries().into_iter().find(is_meant)
        })
        .unwrap_or_else(|| panic!("{name} does not end"));
        assert_eq!(finished["result"], result, "{finished}");
        assert!(finished["problems"].to_string().contains(problem), "{finished}");
    }
    assert_eq!(stage.succeeds("volume ls --quiet"), "data", "nothing of a scenario is left");
}

fn scenarios_are_played_in_front_of_a_plugin_that_wants_no_options() {
    let sandbox = Sandbox::new();
    let second = Plugin::start(&sandbox, "second", Registration::Socket);
    let daemon = Dockerd::start_with_busybox(&sandbox);
    let host = format!("DOCKER_HOST={}", docker::host(&sandbox));
    let mut command = sandbox.command("env");
    command.args([&host, env!("CARGO_BIN_EXE_voltergeist"), "play", "--engine", "docker"]);
    command.args(["--upstream", "second", "leaked-mount", "data-lost", "found-references", "labels-lost"]);
    let output = command.output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(daemon.docker("volume ls --quiet").succeeds(), "", "nothing of a scenario is left");
    assert!(second.counters(["create"])[0] >= 4, "the plugin has done the work");
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

fn podman_uses_it_through_voltergeist() {
    let sandbox = Sandbox::new();
    let _rclone = start_rclone(&sandbox);
    let files = sandbox.path("files");
    fs::create_dir_all(&files).expect("the directory can be made");
    let podman = Podman::new(&sandbox, "rclone", Path::new("/run/docker/plugins/rclone.sock"));
    let create = format!("volume create --driver rclone --opt remote={} data", files.display());
    podman.podman(&create).succeeds();
    let voltergeist = Plugin::start(&sandbox, "rclone", Registration::InPlace);
    podman.run_with("data", "touch /data/made").succeeds();
    assert!(files.join("made").exists(), "rclone has written it");
    let [mounts, unmounts] = voltergeist.counters(["mount", "unmount"]);
    assert_eq!((mounts, unmounts), (1, 1));
    let mount = voltergeist.calls("mount").pop().expect("a mount");
    assert_eq!((&mount["caller"], &mount["upstream"]["status"]), (&"podman".into(), &200.into()));
    voltergeist.command("arm mount: fail \"boom\"");
    let error = podman.run_with("data", "true").fails();
    assert!(error.contains("boom"), "{error}");
    drop(voltergeist);
    assert!(podman.run_with("data", "ls /data").succeeds().contains("made"));
}

fn a_managed_plugin_is_taken_over_and_found_again() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start(&sandbox);
    managed::install(&sandbox, &daemon, &[]);
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
    wait_for(TIMEOUT, || gets(&mut voltergeist)).expect("it answers");
    let mut reached = |what: &str| {
        let before = gets(&mut voltergeist).expect("it answers");
        wait_for(TIMEOUT, || {
            daemon.docker("volume inspect data").succeeds();
            (gets(&mut voltergeist)? > before).then_some(())
        })
        .unwrap_or_else(|| panic!("calls do not come {what}"));
    };
    reached("at first");
    daemon.docker("plugin disable --force managed").succeeds();
    daemon.docker("plugin enable managed").succeeds();
    reached("after the plugin was disabled");
    voltergeist.terminate(TIMEOUT);
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
