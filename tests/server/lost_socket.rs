//! A socket file that something else removes or replaces.

use std::{
    fs,
    os::unix::{fs::FileTypeExt, net::UnixListener},
    path::Path,
    sync::Arc,
};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use voltergeist::{
    domain::model::{
        driver::DriverReason,
        entry::{Entry, EntryKind},
        origin::Origin,
    },
    source::{LocalSource, Source as _},
};

use crate::fixture::{Fixture, Heard, http, until};

async fn command(fixture: &Fixture, line: &str) -> Heard {
    fixture.control.exchange(&http("POST", "/v1/commands", "Connection: close\r\n", line)).await
}

#[tokio::test]
async fn a_socket_file_that_was_removed_is_noticed_and_created_again_by_a_command() {
    for line in ["up", "crash keep"] {
        let fixture = Fixture::unix();
        fs::remove_file(fixture.place.path().join("plugins/ghost.sock")).expect("it is there");
        let is_lost = |registration: &str| registration.starts_with("not registered: the socket file");
        fixture.until("it is noticed", |now| is_lost(&now.driver.registration)).await;
        let driver = fixture.hub.driver();
        assert_eq!(driver.fix_command.as_deref(), Some("voltergeist command --name ghost up"));
        assert!(fixture.plugin.connect().await.is_err() && fixture.hub.bind_error().is_some());
        assert_eq!(command(&fixture, line).await.status(), Some(200), "{line}");
        fixture.until("it is registered", |now| now.driver.registration == "registered").await;
        assert!(fixture.plugin.connect().await.is_ok() && fixture.hub.bind_error().is_none());
        assert_eq!(command(&fixture, "up").await.status(), Some(400), "it is up already");
        fixture.end().await;
    }
}

/// What another program can put at the path of the socket.
#[derive(Clone, Copy, Debug)]
enum Other {
    File,
    Directory,
    Socket,
}

impl Other {
    /// With its name, and what to do about it.
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::File, "another file", "move it away"),
        (Self::Directory, "a directory", "move it away"),
        (Self::Socket, "the socket of another plugin", "stop that plugin, or choose another --name"),
    ];

    /// Whether it can be moved away without harm.
    fn can_be_moved(self) -> bool {
        !matches!(self, Self::Socket)
    }

    fn put(self, path: &Path) -> Option<UnixListener> {
        match self {
            Self::File => fs::write(path, "another file").expect("the place is writable"),
            Self::Directory => fs::create_dir(path).expect("the place is writable"),
            Self::Socket => return Some(UnixListener::bind(path).expect("the place is writable")),
        }
        None
    }

    fn is_at(self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|metadata| match self {
            Self::File => metadata.is_file(),
            Self::Directory => metadata.is_dir(),
            Self::Socket => metadata.file_type().is_socket(),
        })
    }
}

/// What `GET /v1/state` says about the driver: its registration, and the command that fixes it.
async fn registration(fixture: &Fixture) -> (String, String) {
    let state = fixture.control.exchange(&http("GET", "/v1/state", "Connection: close\r\n", "")).await.json();
    let text = |field: &str| state["driver"][field].as_str().unwrap_or_default().to_owned();
    (text("registration"), text("fix_command"))
}

/// How many entries say that the socket cannot be bound.
fn failures(fixture: &Fixture) -> usize {
    let failed = |entry: &Arc<Entry>| match &entry.kind {
        EntryKind::Driver(event) => matches!(event.reason, DriverReason::CannotBind { .. }),
        _ => false,
    };
    fixture.hub.entries_after(0, usize::MAX).0.iter().filter(|entry| failed(entry)).count()
}

#[tokio::test]
async fn no_command_claims_a_socket_whose_path_is_taken() {
    for (other, name, remedy) in Other::ALL {
        let fixture = Fixture::unix();
        let socket = fixture.place.path().join("plugins/ghost.sock");
        fixture.command("down unlink").await;
        let listener = other.put(&socket);
        // Each of them a second time: a failure is no news then.
        for (line, answer) in [
            ("up", "the driver is not reachable: "),
            ("up", "the driver is not reachable: "),
            ("crash keep", "the driver restarted, but is not reachable: "),
            ("crash keep", "the driver restarted, but is not reachable: "),
            ("down refuse", "the driver is down, but its socket is not as asked: "),
            ("down blackhole for 1h", "the driver is down, but its socket is not as asked: "),
            ("up", "the driver is not reachable: "),
        ] {
            let before = failures(&fixture);
            let heard = command(&fixture, line).await;
            assert_eq!(heard.status(), Some(409), "{other:?}, {line}: {heard:?}");
            assert_eq!(failures(&fixture), before + 1, "{other:?}, {line}");
            let expected = format!("{answer}{name} is at its path; {remedy}; voltergeist keeps trying\n");
            assert_eq!(heard.body(), expected, "{other:?}, {line}");
            let local = LocalSource::new(Arc::clone(&fixture.hub));
            let result = local.run(line.parse().expect("a command"), Origin::Line).await;
            assert_eq!(result.expect("it is run").trim(), expected.trim(), "{other:?}, {line}");
        }
        let (registered, fix) = registration(&fixture).await;
        assert_eq!(registered, format!("not registered: {name} is at its path; {remedy}"));
        let moved = format!("sudo mv -nT {0} {0}.old", socket.display());
        assert_eq!(fix, if other.can_be_moved() { moved } else { String::new() });
        assert!(other.is_at(&socket), "{other:?}");
        drop(listener);
        fs::rename(&socket, socket.with_extension("old")).expect("it is there");
        until("it listens", || fixture.hub.bind_error().is_none()).await;
        assert!(fixture.plugin.connect().await.is_ok());
        assert_eq!(registration(&fixture).await, ("registered".to_owned(), String::new()));
        assert_eq!(command(&fixture, "up").await.status(), Some(400), "it is up already");
        fixture.end().await;
    }
}

#[tokio::test]
async fn what_takes_the_path_of_an_open_socket_is_noticed_and_left_alone() {
    for (other, name, _) in Other::ALL {
        let fixture = Fixture::unix();
        let socket = fixture.place.path().join("plugins/ghost.sock");
        // In one step, so that nothing sees the path without a file.
        let aside = socket.with_extension("other");
        let listener = other.put(&aside);
        renameat_with(CWD, &aside, CWD, &socket, RenameFlags::EXCHANGE).expect("both are there");
        fixture.until("it is noticed", |now| now.driver.registration != "registered").await;
        let path = socket.display();
        let moved = format!("sudo mv -nT {path} {path}.old && ");
        let moved = if other.can_be_moved() { &moved } else { "" };
        let fix = format!("{moved}voltergeist command --name ghost up");
        let registered = format!("not registered: the socket file was replaced by {name}");
        assert_eq!(registration(&fixture).await, (registered, fix));
        for line in ["crash keep", "up"] {
            let heard = command(&fixture, line).await;
            assert_eq!(heard.status(), Some(409), "{other:?}, {line}: {heard:?}");
        }
        assert!(other.is_at(&socket), "{other:?}");
        drop(listener);
        let _place = fixture.end().await;
        assert!(other.is_at(&socket), "{other:?}");
    }
}

#[tokio::test]
async fn a_request_that_is_no_http_is_a_call_too() {
    let fixture = Fixture::unix();
    let long = format!("POST / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(500));
    for (number, (request, status)) in [("no request\r\n\r\n", 400), (&*long, 431)].into_iter().enumerate() {
        let heard = fixture.plugin.exchange(request).await;
        assert_eq!(heard.status(), Some(status));
        fixture.until("it is counted", |now| now.counters.unknown_requests == number as u64 + 1).await;
        assert_eq!(fixture.last_call().status, Some(status));
    }
    fixture.end().await;
}
