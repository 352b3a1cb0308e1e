//! Where the server listens, what it replaces, what it never touches, and how engines find it.

use std::{
    fs,
    net::TcpListener,
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::Path,
    sync::Arc,
};

use tempfile::TempDir;
use voltergeist::{
    domain::model::protocol::Operation,
    net::{Address, BindError, Paths},
};

use crate::fixture::{Fixture, paths, place, tcp};

fn make(path: &Path) {
    fs::create_dir_all(path).expect("the place is writable");
}

fn denied(place: Arc<TempDir>, change: impl FnOnce(&mut voltergeist::app::ServerConfig)) -> BindError {
    match Fixture::at(place, change) {
        Ok(_) => panic!("the server binds"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn a_unix_socket_is_found_by_its_name() {
    let fixture = Fixture::unix();
    let socket = fixture.place.path().join("plugins/ghost.sock");
    let driver = fixture.hub.driver();
    assert_eq!(driver.address, format!("unix://{}", socket.display()));
    assert_eq!((driver.registration.as_str(), driver.fix_command), ("registered", None));
    let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!(mode(&socket), 0o660);
    assert_eq!(mode(&fixture.place.path().join("control/ghost.sock")), 0o600);
    assert_eq!(mode(&fixture.place.path().join("control")), 0o700);
    fixture.end().await;
}

#[tokio::test]
async fn a_tcp_port_is_found_by_its_spec() {
    let fixture = Fixture::tcp();
    let spec = fs::read_to_string(fixture.place.path().join("etc/ghost.spec")).expect("it is written");
    let driver = fixture.hub.driver();
    assert_eq!(spec, driver.address);
    assert!(spec.starts_with("tcp://127.0.0.1:") && !spec.ends_with(":0"), "{spec}");
    assert_eq!((driver.registration.as_str(), driver.fix_command), ("registered", None));
    fixture.end().await;
}

#[tokio::test]
async fn a_port_on_all_interfaces_is_shown_as_one_of_this_machine() {
    let fixture = Fixture::with(|plan| plan.listen = Address::Tcp("0.0.0.0:0".into()));
    assert!(fixture.snapshot().driver.address.starts_with("tcp://127.0.0.1:"));
    fixture.ask(Operation::List, "{}").await;
    fixture.end().await;
}

#[tokio::test]
async fn what_a_dead_instance_has_left_is_replaced() {
    let place = place();
    let sockets = paths(place.path()).sockets;
    make(&sockets);
    make(&place.path().join("etc"));
    drop(UnixListener::bind(sockets.join("ghost.sock")).expect("it is free"));
    fs::write(sockets.join(".ghost.sock.lock"), "").expect("it is free");
    let fixture = Fixture::at(Arc::clone(&place), |_| {}).expect("the socket is stale");
    fixture.ask(Operation::List, "{}").await;
    fixture.end().await;

    let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    fs::write(place.path().join("etc/ghost.spec"), format!("tcp://{gone}\n")).expect("it is free");
    let fixture = Fixture::at(place, |plan| plan.listen = tcp()).expect("the spec is stale");
    assert_eq!(fixture.snapshot().driver.registration, "registered");
    fixture.end().await;
}

#[tokio::test]
async fn a_living_plugin_of_another_program_is_never_touched() {
    let place = place();
    let sockets = paths(place.path()).sockets;
    make(&sockets);
    make(&place.path().join("etc"));
    let socket = sockets.join("ghost.sock");
    let listener = UnixListener::bind(&socket).expect("it is free");
    let error = denied(Arc::clone(&place), |_| {});
    assert!(matches!(&error, BindError::InUse(path) if path.ends_with("/plugins/ghost.sock")), "{error}");
    assert!(socket.exists());
    drop(listener);
    fs::remove_file(&socket).expect("it is there");

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let spec = format!("tcp://{}", listener.local_addr().expect("it is bound"));
    fs::write(place.path().join("etc/ghost.spec"), &spec).expect("it is free");
    let error = denied(Arc::clone(&place), |plan| plan.listen = tcp());
    assert!(matches!(&error, BindError::InUse(path) if path.ends_with("/etc/ghost.spec")), "{error}");
    assert_eq!(fs::read_to_string(place.path().join("etc/ghost.spec")).expect("it is there"), spec);

    fs::write(sockets.join("ghost.sock"), "no socket").expect("it is free");
    let error = denied(place, |_| {});
    assert!(matches!(&error, BindError::NotASocket(_)), "{error}");
}

#[tokio::test]
async fn a_second_instance_does_not_steal_even_while_the_first_is_down() {
    for listen in [Address::Unix(None), tcp()] {
        for outage in ["up", "down refuse", "down unlink", "down blackhole", "down reset"] {
            let first = Fixture::with(|plan| plan.listen = listen.clone());
            if outage != "up" {
                first.command(outage).await;
            }
            let second = place();
            let shared = paths(first.place.path());
            let error = denied(second, |plan| {
                plan.listen = listen.clone();
                plan.paths = Paths { control: plan.paths.control.clone(), ..shared };
            });
            assert!(matches!(error, BindError::InUse(_)), "{outage}: {error}");
            if outage != "up" {
                first.command("up").await;
            }
            first.ask(Operation::List, "{}").await;
            first.end().await;
        }
    }
}

#[tokio::test]
async fn a_control_socket_that_is_in_use_is_named_as_one() {
    let first = Fixture::unix();
    let control = first.place.path().join("control/ghost.sock");
    for is_named in [true, false] {
        let error = denied(place(), |plan| {
            if is_named {
                plan.control = Address::Unix(Some(control.clone()));
            } else {
                plan.paths.control = paths(first.place.path()).control;
            }
        });
        let expected = format!(
            "the control socket unix://{} is in use by another voltergeist or program; stop it, or choose another \
             --control",
            control.display()
        );
        assert_eq!(error.to_string(), expected);
    }
    first.ask(Operation::List, "{}").await;
    first.end().await;
}

#[tokio::test]
async fn of_many_that_start_at_once_one_wins_and_is_whole() {
    let place = place();
    let shared = paths(place.path());
    let starts = (0..8).map(|_| {
        let shared = shared.clone();
        tokio::task::spawn_blocking(move || {
            let own = Arc::new(TempDir::new().expect("a place for the test"));
            Fixture::at(own, |plan| plan.paths = shared)
        })
    });
    let mut won = Vec::new();
    for start in starts.collect::<Vec<_>>() {
        match start.await.expect("it does not panic") {
            Ok(fixture) => won.push(fixture),
            Err(error) => assert!(matches!(error, BindError::InUse(_)), "{error}"),
        }
    }
    assert_eq!(won.len(), 1);
    won[0].ask(Operation::List, "{}").await;
    won.remove(0).end().await;
    assert_eq!(fs::read_dir(&shared.sockets).expect("it was made").count(), 0);
}

#[tokio::test]
async fn what_another_has_put_in_our_place_stays_at_our_end() {
    let fixture = Fixture::unix();
    let socket = fixture.place.path().join("plugins/ghost.sock");
    fs::rename(&socket, fixture.place.path().join("moved.sock")).expect("it is there");
    let _other = UnixListener::bind(&socket).expect("it is free");
    let _place = fixture.end().await;
    assert!(socket.exists());

    let fixture = Fixture::tcp();
    let spec = fixture.place.path().join("etc/ghost.spec");
    fs::write(&spec, "tcp://127.0.0.1:1").expect("it is writable");
    let place = fixture.end().await;
    assert_eq!(
        fs::read_to_string(place.path().join("etc/ghost.spec")).expect("it stays"),
        "tcp://127.0.0.1:1"
    );
}

#[tokio::test]
async fn a_socket_that_hides_our_spec_is_reported() {
    let place = place();
    let sockets = paths(place.path()).sockets;
    make(&sockets);
    let hiding = sockets.join("ghost.sock");
    drop(UnixListener::bind(&hiding).expect("it is free"));
    let fixture = Fixture::at(place, |plan| plan.listen = tcp()).expect("the port is free");
    let driver = fixture.hub.driver();
    assert_eq!(driver.registration, format!("hidden: engines find {} first", hiding.display()));
    assert_eq!(driver.fix_command, Some(format!("sudo rm {}", hiding.display())));
    fixture.end().await;
}

#[tokio::test]
async fn a_socket_elsewhere_says_what_would_register_it_and_sees_when_that_is_done() {
    let place = place();
    let elsewhere = place.path().join("it's here.sock");
    let listen =
        |plan: &mut voltergeist::app::ServerConfig| plan.listen = Address::Unix(Some(elsewhere.clone()));
    let fixture = Fixture::at(Arc::clone(&place), listen).expect("it is free");
    let driver = fixture.hub.driver();
    assert_eq!(driver.registration, "not registered: engines do not look there");
    let fix_command = driver.fix_command.expect("there is one");
    let script = fix_command.strip_prefix("sudo ").expect("it needs rights");
    let done = std::process::Command::new("sh").args(["-c", script]).status().expect("there is a shell");
    assert!(done.success(), "{fix_command}");
    fixture.end().await;
    let fixture = Fixture::at(place, listen).expect("it is free");
    assert_eq!(fixture.snapshot().driver.registration, "registered");
    fixture.end().await;
}

#[tokio::test]
async fn a_name_that_is_no_file_name_is_refused() {
    for name in ["", "..", "a/b"] {
        let error = denied(place(), |plan| plan.name = name.into());
        assert!(matches!(error, BindError::Name { .. }), "{name}: {error}");
    }
}

/// Paths in which not even root may write.
fn without_rights(plan: &mut voltergeist::app::ServerConfig) {
    plan.paths.sockets = "/sys/voltergeist/plugins".into();
    plan.paths.specs = vec!["/sys/voltergeist/etc".into()];
    plan.paths.control = "/sys/voltergeist/control".into();
}

#[tokio::test]
async fn without_rights_it_listens_in_the_runtime_directory_and_says_what_would_register_it() {
    let fixture = Fixture::with(without_rights);
    let runtime = fixture.place.path().join("runtime");
    let driver = fixture.hub.driver();
    assert_eq!(driver.address, format!("unix://{}/ghost.sock", runtime.display()));
    assert_eq!(driver.registration, "not registered: cannot write to /sys/voltergeist/plugins");
    let fix_command = driver.fix_command.expect("there is one");
    assert!(
        fix_command.starts_with("sudo sh -c 'mkdir -p /sys/voltergeist/etc && echo unix://"),
        "{fix_command}"
    );
    assert!(runtime.join("ghost.control.sock").exists());
    assert_eq!(fs::metadata(&runtime).expect("it is made").permissions().mode() & 0o777, 0o700);
    fixture.ask(Operation::List, "{}").await;
    fixture.end().await;

    let fixture = Fixture::with(|plan| {
        without_rights(plan);
        plan.listen = tcp();
    });
    let driver = fixture.hub.driver();
    assert!(driver.registration.starts_with("not registered: cannot write to /sys/"), "{driver:?}");
    fixture.ask(Operation::List, "{}").await;
    fixture.end().await;
}

#[tokio::test]
async fn a_runtime_directory_that_others_may_write_to_is_not_used() {
    let place = place();
    let runtime = place.path().join("runtime");
    make(&runtime);
    fs::set_permissions(&runtime, fs::Permissions::from_mode(0o777)).expect("it is ours");
    let error = denied(place, without_rights);
    assert!(matches!(&error, BindError::NotPrivate(path) if *path == runtime), "{error}");
}
