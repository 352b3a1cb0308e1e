//! Each artefact of `packaging/build`, used as its users use it.

mod support;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Command, ExitCode, Output},
    rc::Rc,
};

use serde_json::Value;
use support::{
    Engine, TIMEOUT, artefacts, busybox, docker, dockerd::Dockerd, http, registry::Registry,
    sandbox::Sandbox, wait_for,
};

fn main() -> ExitCode {
    let docker = tests![
        the_managed_plugin_takes_commands_and_settings_and_keeps_data_and_rules,
        the_image_serves_the_docker_that_runs_it,
    ];
    let registry = tests![an_upgrade_of_the_managed_plugin_keeps_data_and_rules];
    let debian = tests![
        the_debian_package_is_installed_runs_and_is_purged,
        the_binary_needs_no_other_file,
        the_bill_of_materials_names_what_is_locked,
    ];
    let docker = docker.into_iter().map(|test| test.with(Engine::DockerArtefacts));
    let registry = registry.into_iter().map(|test| test.with(Engine::DockerRegistry));
    let debian = debian.into_iter().map(|test| test.with(Engine::Debian));
    support::run(docker.chain(registry).chain(debian).collect())
}

/// What a program printed, errors included; panics if it did not end with this status.
fn ends(output: Output, status: i32) -> String {
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    assert_eq!(output.status.code(), Some(status), "{text}");
    text
}

/// The packaged program in the sandbox, for its arguments to be added.
fn packaged(sandbox: &Sandbox) -> Command {
    let mut program = sandbox.command("env");
    program.arg(format!("DOCKER_HOST={}", docker::host(sandbox))).arg(artefacts::path("voltergeist"));
    program
}

/// The control socket of the only plugin, as the host sees it.
fn plugin_control(sandbox: &Sandbox, daemon: &Dockerd) -> PathBuf {
    let plugins = daemon.api("/plugins");
    let id = plugins[0]["Id"].as_str().expect("a plugin has an ID");
    // The way through the sandbox is too long for a socket.
    let short = sandbox.path("plugin-sockets");
    symlink(sandbox.path("run/plugins").join(id), &short).expect("a link");
    short.join("voltergeist.control")
}

fn state(control: &Path) -> Value {
    let answer = wait_for(TIMEOUT, || http::request(control, "GET", "/v1/state", "").ok());
    let (status, body) = answer.expect("the control socket answers");
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("the state is JSON")
}

fn labels(state: &Value) -> Vec<&str> {
    let rules = state["faults"].as_array().expect("a list of rules");
    rules.iter().filter_map(|rule| rule["label"].as_str()).collect()
}

const RUN: &str = "run --rm --network none --volume data:/data";

fn the_managed_plugin_takes_commands_and_settings_and_keeps_data_and_rules() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start_with_busybox(&sandbox);
    let plugin = artefacts::path("plugin");
    daemon.docker(&format!("plugin create voltergeist {}", plugin.display())).succeeds();
    daemon.docker("plugin enable voltergeist").succeeds();
    daemon.docker("volume create --driver voltergeist data").succeeds();
    daemon.docker(&format!("{RUN} busybox touch /data/kept")).succeeds();

    // From the host, by the plugin's name with and without its tag.
    for name in ["voltergeist", "voltergeist:latest"] {
        let mut program = packaged(&sandbox);
        program.args(["check", name, "mount == 1", "unmount == 1"]);
        ends(program.output().expect("it runs"), 0);
    }
    let command = |line: &str| {
        let output = packaged(&sandbox).args(["command", line]).output().expect("it runs");
        ends(output, 0)
    };
    command("arm mount: fail \"boom\" as broken");
    let error = daemon.docker(&format!("{RUN} busybox ls /data")).fails();
    assert!(error.contains("boom"), "{error}");
    let control = plugin_control(&sandbox, &daemon);
    let mode = fs::metadata(&control).expect("the control socket is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let attach = format!(
        "stty rows 40 columns 120; DOCKER_HOST={} {} attach voltergeist:latest",
        docker::host(&sandbox),
        artefacts::path("voltergeist").display()
    );
    let mut console =
        sandbox.spawn("attach", "env", &["TERM=xterm-256color", "script", "-qefc", &attach, "/dev/null"]);
    wait_for(TIMEOUT, || {
        console.assert_running();
        console.log().contains("broken").then_some(())
    })
    .expect("the console shows the rule");
    console.terminate(TIMEOUT);

    // Settings, with rules and volumes as they were.
    let error = daemon.docker("plugin set voltergeist VOLTERGEIST_SEED=7").fails();
    assert!(error.contains("disable plugin before setting"), "{error}");
    daemon.docker("plugin disable --force voltergeist").succeeds();
    daemon.docker("plugin set voltergeist VOLTERGEIST_SEED=7 VOLTERGEIST_EXPIRE=").succeeds();
    let error = daemon.docker("plugin set voltergeist VOLTERGEIST_ROOT=/tmp").fails();
    assert!(error.contains("not settable"), "{error}");
    daemon.docker("plugin enable voltergeist").succeeds();
    let now = state(&control);
    assert_eq!((&now["seed"], labels(&now)), (&7.into(), vec!["broken"]));
    command("disarm broken");
    assert_eq!(daemon.docker(&format!("{RUN} busybox ls /data/kept")).succeeds(), "/data/kept");

    // A real mount needs a capability that the package does not ask for.
    daemon.docker("volume create --driver voltergeist --opt mount real").succeeds();
    daemon.docker("run --rm --network none --volume real:/data busybox true").fails();
    daemon.docker("volume rm data real").succeeds();
    daemon.docker("plugin disable voltergeist").succeeds();
    daemon.docker("plugin rm voltergeist").succeeds();
    assert!(!control.exists());
}

fn an_upgrade_of_the_managed_plugin_keeps_data_and_rules() {
    let sandbox = Sandbox::new();
    let registry = Registry::start(&sandbox);
    let daemon = Dockerd::start_with_busybox(&sandbox);
    let plugin = sandbox.path("plugin");
    let copied = Command::new("cp").arg("-r").arg(artefacts::path("plugin")).arg(&plugin).status();
    assert!(copied.expect("cp runs").success());
    let [one, two] = ["1", "2"].map(|tag| format!("{}/voltergeist:{tag}", registry.address));
    let publish = |name: &str| {
        daemon.docker(&format!("plugin create {name} {}", plugin.display())).succeeds();
        daemon.docker(&format!("plugin push {name}")).succeeds();
        daemon.docker(&format!("plugin rm {name}")).succeeds();
    };
    publish(&one);
    let config = fs::read_to_string(plugin.join("config.json")).expect("a configuration");
    let newer = config.replace("\"A volume plugin", "\"Version two of a volume plugin");
    assert_ne!(config, newer);
    fs::write(plugin.join("config.json"), newer).expect("it can be written");
    publish(&two);

    daemon.docker(&format!("plugin install --grant-all-permissions {one}")).succeeds();
    daemon.docker(&format!("volume create --driver {one} data")).succeeds();
    daemon.docker(&format!("{RUN} busybox touch /data/kept")).succeeds();
    let arm =
        packaged(&sandbox).args(["command", "--name", &one, "arm create: fail \"no room\" as full"]).output();
    ends(arm.expect("it runs"), 0);
    daemon.docker(&format!("plugin disable --force {one}")).succeeds();
    daemon
        .docker(&format!("plugin upgrade --grant-all-permissions --skip-remote-check {one} {two}"))
        .succeeds();
    daemon.docker(&format!("plugin enable {one}")).succeeds();
    let described = daemon.docker(&format!("plugin inspect {one}")).succeeds();
    assert!(described.contains("Version two"), "{described}");
    assert_eq!(daemon.docker(&format!("{RUN} busybox ls /data/kept")).succeeds(), "/data/kept");
    assert_eq!(labels(&state(&plugin_control(&sandbox, &daemon))), ["full"]);
    let error = daemon.docker(&format!("volume create --driver {one} more")).fails();
    assert!(error.contains("no room"), "{error}");
}

fn the_image_serves_the_docker_that_runs_it() {
    let sandbox = Sandbox::new();
    let daemon = Dockerd::start_with_busybox(&sandbox);
    let archive = artefacts::path("voltergeist-image.tar");
    let mut import = docker::docker(&sandbox);
    import.args(["import", "--change", r#"ENTRYPOINT ["/voltergeist"]"#, "--change", r#"CMD ["serve"]"#]);
    import.arg(archive).arg("imported");
    ends(import.output().expect("docker runs"), 0);
    let context = artefacts::path("image");
    daemon.docker(&format!("build --quiet --tag built {}", context.display())).succeeds();
    let (volumes, control) = (sandbox.path("volumes"), sandbox.path("control"));
    for image in ["imported", "built"] {
        // As in the documents, with directories of the sandbox for those of the machine.
        daemon
            .docker(&format!(
                "run --detach --name ghost --network none --env VOLTERGEIST_ROOT={volumes} \
                 --volume /run/docker/plugins:/run/docker/plugins --volume {control}:/run/voltergeist \
                 --volume {volumes}:{volumes} {image}",
                volumes = volumes.display(),
                control = control.display(),
            ))
            .succeeds();
        let socket = control.join("voltergeist.sock");
        state(&socket);
        daemon.docker("volume create --driver voltergeist data").succeeds();
        daemon.docker(&format!("{RUN} busybox touch /data/kept")).succeeds();
        assert!(volumes.join("data/kept").exists(), "{image}");
        let (status, answer) =
            http::request(&socket, "POST", "/v1/commands", "arm mount: fail \"boom\"").expect("an answer");
        assert_eq!(status, 200, "{answer}");
        let error = daemon.docker(&format!("{RUN} busybox true")).fails();
        assert!(error.contains("boom"), "{error}");
        daemon.docker("volume rm data").succeeds();
        daemon.docker("stop --time 20 ghost").succeeds();
        // It ended in order: by the signal, with its sockets removed.
        assert_eq!(daemon.docker("inspect --format {{.State.ExitCode}} ghost").succeeds(), "143");
        assert!(!socket.exists() && !sandbox.path("run/plugins/voltergeist.sock").exists());
        daemon.docker("rm ghost").succeeds();
    }
}

/// The directory of a machine that has nothing but busybox and the state of dpkg.
fn machine(sandbox: &Rc<Sandbox>) -> PathBuf {
    busybox::archive(sandbox);
    let root = sandbox.path("image");
    let state = root.join("var/lib/dpkg");
    for directory in ["info", "updates", "triggers"] {
        fs::create_dir_all(state.join(directory)).expect("a directory");
    }
    for file in ["status", "available"] {
        fs::write(state.join(file), "").expect("a file");
    }
    // The shell of busybox prefers its own rm, which knows fewer options than that of Debian.
    for program in ["/bin/sh", "/bin/rm"] {
        fs::remove_file(root.join(&program[1..])).expect("busybox has it");
        let libraries = ends(Command::new("ldd").arg(program).output().expect("ldd runs"), 0);
        for file in libraries.split_whitespace().filter(|word| word.starts_with('/')).chain([program]) {
            let copy = root.join(file.trim_start_matches('/'));
            fs::create_dir_all(copy.parent().expect("a file has a directory")).expect("a directory");
            fs::copy(file, copy).expect("it can be copied");
        }
    }
    root
}

fn files(root: &Path) -> BTreeSet<String> {
    let found = Command::new("find").arg(root).args(["-iname", "*voltergeist*"]).output();
    let text = ends(found.expect("find runs"), 0);
    text.lines().map(|line| line.trim_start_matches(&root.display().to_string()).to_owned()).collect()
}

fn the_debian_package_is_installed_runs_and_is_purged() {
    let sandbox = Sandbox::new();
    let root = machine(&sandbox);
    let package = fs::read_dir(artefacts::path(".")).expect("the artefacts").flatten().find_map(|file| {
        let path = file.path();
        path.extension().is_some_and(|extension| extension == "deb").then_some(path)
    });
    let package = package.expect("a Debian package");
    let dpkg = |args: &[&str]| {
        let root = format!("--root={}", root.display());
        // Its state and its log are in that directory too.
        let output = sandbox.command("dpkg").args([&root, "--force-not-root"]).args(args).output();
        ends(output.expect("dpkg runs"), 0)
    };
    dpkg(&["--install", &package.display().to_string()]);
    let installed = files(&root);
    for file in [
        "/usr/bin/voltergeist",
        "/lib/systemd/system/voltergeist.service",
        "/usr/share/man/man1/voltergeist.1.gz",
        "/usr/share/bash-completion/completions/voltergeist",
        "/usr/share/zsh/vendor-completions/_voltergeist",
        "/usr/share/fish/vendor_completions.d/voltergeist.fish",
    ] {
        assert!(installed.contains(file), "{file} is missing: {installed:?}");
    }
    let manual = Command::new("zcat").arg(root.join("usr/share/man/man1/voltergeist.1.gz")).output();
    assert!(ends(manual.expect("zcat runs"), 0).contains(".TH voltergeist"));
    let unit = fs::read_to_string(root.join("lib/systemd/system/voltergeist.service")).expect("the unit");
    let line = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("a command");

    // What the unit starts, with a setting of the config file.
    let config = root.join("etc/voltergeist/config.toml");
    fs::write(&config, "name = \"packaged\"\nroot = \"/var/lib/voltergeist/volumes\"\n")
        .expect("it can be written");
    let mut words = vec![root.to_str().expect("a path in UTF-8")];
    words.extend(line.split(' '));
    let mut service = sandbox.spawn("service", "chroot", &words);
    let now = state(&root.join("run/voltergeist/packaged.sock"));
    assert_eq!(now["driver"]["name"], "packaged");
    let plugin = root.join("run/docker/plugins/packaged.sock");
    let created = http::request(&plugin, "POST", "/VolumeDriver.Create", r#"{"Name":"data"}"#);
    assert_eq!(created.expect("the plugin answers").0, 200);
    // To systemd, the end by its signal is no failure.
    let end = service.terminate(TIMEOUT).code().expect("it ends by itself");
    assert!(unit.contains(&format!("\nSuccessExitStatus={end}\n")), "{end}");

    dpkg(&["--remove", "voltergeist"]);
    assert!(!root.join("usr/bin/voltergeist").exists());
    assert!(config.exists() && root.join("var/lib/voltergeist/volumes/data").exists(), "both are kept");
    dpkg(&["--purge", "voltergeist"]);
    let left: Vec<_> = files(&root).into_iter().filter(|file| !file.starts_with("/run/")).collect();
    assert!(left.is_empty(), "{left:?}");
}

fn the_binary_needs_no_other_file() {
    let sandbox = Sandbox::new();
    let root = sandbox.path("empty");
    for directory in ["tmp", "proc"] {
        fs::create_dir_all(root.join(directory)).expect("a directory");
    }
    fs::copy(artefacts::path("voltergeist"), root.join("voltergeist")).expect("it can be copied");
    let mut mount = sandbox.command("mount");
    mount.args(["-t", "proc", "none"]).arg(root.join("proc"));
    ends(mount.output().expect("mount runs"), 0);
    let run = |args: &[&str]| {
        let output = sandbox.command("chroot").arg(&root).arg("/voltergeist").args(args).output();
        ends(output.expect("chroot runs"), 0)
    };
    assert_eq!(run(&["--version"]).trim(), concat!("voltergeist ", env!("CARGO_PKG_VERSION")));
    assert!(run(&["play", "empty-retry"]).contains("✓ empty-retry"));
}

fn the_bill_of_materials_names_what_is_locked() {
    let text = fs::read_to_string(artefacts::path("voltergeist.cdx.json")).expect("it is there");
    let bill: Value = serde_json::from_str(&text).expect("it is JSON");
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.5".into()));
    assert_eq!(bill["metadata"]["component"]["name"], "voltergeist");
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock: toml::Table =
        fs::read_to_string(root.join("Cargo.lock")).expect("a lock file").parse().expect("it is TOML");
    let locked: BTreeSet<(&str, &str)> = lock["package"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|package| Some((package["name"].as_str()?, package["version"].as_str()?)))
        .collect();
    let components = bill["components"].as_array().expect("a list of components");
    let named: BTreeSet<(&str, &str)> = components
        .iter()
        .filter_map(|component| Some((component["name"].as_str()?, component["version"].as_str()?)))
        .collect();
    assert!(named.len() > 100 && named.is_subset(&locked), "{:?}", named.difference(&locked));
    let has = |name: &str| named.iter().any(|(component, _)| *component == name);
    assert!(has("tokio") && has("mimalloc") && !has("insta") && !has("clap_derive"));
    let mut sums = Command::new("sha256sum");
    sums.args(["--check", "--strict", "SHA256SUMS"]).current_dir(artefacts::path("."));
    ends(sums.output().expect("sha256sum runs"), 0);
}
