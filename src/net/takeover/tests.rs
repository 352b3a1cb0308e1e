use tempfile::TempDir;

use super::*;

struct Plugin {
    place: TempDir,
    listener: UnixListener,
}

impl Plugin {
    fn start() -> Self {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let listener = UnixListener::bind(place.path().join("p.sock")).expect("it can be bound");
        listener.set_nonblocking(true).expect("it can be polled");
        Self { place, listener }
    }

    fn path(&self) -> PathBuf {
        self.place.path().join("p.sock")
    }

    /// Whether a connection to the path reaches the plugin.
    fn is_reached(&self) -> bool {
        while self.listener.accept().is_ok() {}
        let _connection = std::os::unix::net::UnixStream::connect(self.path());
        self.listener.accept().is_ok()
    }

    fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.place.path()).expect("the directory exists");
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("it is readable").file_name().to_string_lossy().into())
            .collect();
        files.sort();
        files
    }

    fn is_untouched(&self) -> bool {
        self.is_reached() && self.files() == ["p.sock"]
    }
}

#[test]
fn a_place_is_taken_and_given_back_with_its_mode() {
    let plugin = Plugin::start();
    fs::set_permissions(plugin.path(), fs::Permissions::from_mode(0o640)).expect("it can be changed");
    let mut takeover = Takeover::prepare(&plugin.path()).expect("it is free");
    let _ours = takeover.take().expect("it can be taken");
    assert_eq!(takeover.at_path(), AtPath::Ours);
    assert!(!plugin.is_reached());
    let mode = |path: &Path| fs::metadata(path).expect("it exists").mode() & 0o7777;
    assert_eq!(mode(&plugin.path()), 0o640);
    assert_eq!(plugin.files(), ["..p.voltergeist.lock", ".p.voltergeist", "p.sock"]);
    assert!(matches!(Takeover::prepare(&plugin.path()), Err(BindError::TakenOver(_))));
    assert_eq!(restore(&plugin.path()).expect("it can be read"), Restored::InUse);
    assert_eq!(taken_in(plugin.place.path()), [plugin.path()]);
    drop(takeover);
    assert!(plugin.is_untouched(), "{:?}", plugin.files());
    assert_eq!(restore(&plugin.path()).expect("it can be read"), Restored::Nothing);
    assert_eq!(mode(&plugin.path()), 0o640);
}

/// A process that is killed leaves its files and its unlocked lock file.
fn kill(takeover: Takeover) {
    let name = takeover.places.aside.file_name().expect("it has a name").to_string_lossy().into_owned();
    let lock = takeover.places.aside.with_file_name(format!(".{name}.lock"));
    let text = fs::read_to_string(&lock).expect("it can be read");
    let directory = lock.parent().expect("it has a directory").to_owned();
    let kept = tempfile::tempdir_in(directory.parent().expect("it has a parent")).expect("a directory");
    let mut files = Vec::new();
    for entry in fs::read_dir(&directory).expect("it exists").flatten() {
        let moved = kept.path().join(entry.file_name());
        fs::rename(entry.path(), &moved).expect("it can be moved");
        files.push((moved, entry.path()));
    }
    drop(takeover);
    for (moved, path) in files {
        fs::rename(moved, path).expect("it can be moved back");
    }
    fs::write(lock, text).expect("it can be written");
}

#[test]
fn what_a_killed_process_leaves_is_restored_at_each_step() {
    for step in ["bound", "taken", "taken again", "removed", "opened again"] {
        let plugin = Plugin::start();
        let mut takeover = Takeover::prepare(&plugin.path()).expect("it is free");
        let aside = takeover.places.aside.clone();
        let ours = match step {
            "bound" => UnixListener::bind(&aside).expect("it can be bound"),
            _ => takeover.take().expect("it can be taken"),
        };
        let second = match step {
            "removed" => {
                takeover.remove();
                None
            }
            "taken again" => Some(takeover.take().expect("it can be taken")),
            "opened again" => {
                let unfinished = takeover.places.unfinished.clone();
                let listener = UnixListener::bind(&unfinished).expect("it can be bound");
                let file = FileId::of(&unfinished).expect("it exists").to_string();
                takeover.lock.append(&file).expect("it can be written");
                Some(listener)
            }
            _ => None,
        };
        kill(takeover);
        drop((ours, second));
        assert_eq!(restore(&plugin.path()).expect("it works"), Restored::Done, "{step}");
        assert!(plugin.is_untouched(), "{step}: {:?}", plugin.files());
    }
}

#[test]
fn a_plugin_that_starts_again_is_left_at_its_path() {
    let plugin = Plugin::start();
    let mut takeover = Takeover::prepare(&plugin.path()).expect("it is free");
    let _ours = takeover.take().expect("it can be taken");
    let Plugin { place, listener } = plugin;
    drop(listener);
    fs::remove_file(place.path().join("p.sock")).expect("the plugin removes what is at its path");
    assert_eq!(takeover.at_path(), AtPath::Nothing);
    let listener = UnixListener::bind(place.path().join("p.sock")).expect("it binds again");
    listener.set_nonblocking(true).expect("it can be polled");
    let plugin = Plugin { place, listener };
    assert_eq!(takeover.at_path(), AtPath::Another);
    let _again = takeover.take().expect("it can be taken again");
    assert!(!plugin.is_reached());
    drop(takeover);
    assert!(plugin.is_untouched(), "{:?}", plugin.files());
}

#[test]
fn a_path_with_any_name_is_found_again() {
    for name in ["p", "p.socket", "p.sock"] {
        let place = tempfile::tempdir().expect("a temporary directory can be made");
        let path = place.path().join(name);
        let _plugin = UnixListener::bind(&path).expect("it can be bound");
        let mut takeover = Takeover::prepare(&path).expect("it is free");
        let ours = takeover.take().expect("it can be taken");
        assert_eq!(taken_in(place.path()), [path.as_path()]);
        kill(takeover);
        drop(ours);
        assert_eq!(taken_in(place.path()), [path.as_path()]);
        assert_eq!(restore(&path).expect("it works"), Restored::Done);
        assert!(is_listening(&path).expect("it is readable"));
    }
}

#[test]
fn a_lock_file_without_a_path_is_skipped() {
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    for text in ["", "64 1 2.3\n", "p.sock\n"] {
        fs::write(place.path().join("..p.voltergeist.lock"), text).expect("it can be written");
        assert!(taken_in(place.path()).is_empty(), "{text}");
    }
}

#[test]
fn what_was_left_at_one_of_two_names_is_restored_before_the_other_is_taken() {
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    let (first, second) = (place.path().join("p"), place.path().join("p.sock"));
    let _plugins = [&first, &second].map(|path| UnixListener::bind(path).expect("it can be bound"));
    let mut killed = Takeover::prepare(&first).expect("it is free");
    let ours = killed.take().expect("it can be taken");
    kill(killed);
    drop(ours);
    let takeover = Takeover::prepare(&second).expect("it is free");
    assert!(is_listening(&first).expect("it is readable"));
    assert_eq!(taken_in(place.path()), [takeover.path()]);
}

#[test]
fn a_place_in_a_directory_that_was_made_again_has_one_taker() {
    let plugin = Plugin::start();
    let mut takeover = Takeover::prepare(&plugin.path()).expect("it is free");
    let _ours = takeover.take().expect("it can be taken");
    fs::remove_dir_all(plugin.place.path()).expect("it can be removed");
    fs::create_dir(plugin.place.path()).expect("it can be made again");
    let listener = UnixListener::bind(plugin.path()).expect("it can be bound");
    listener.set_nonblocking(true).expect("it can be polled");
    let plugin = Plugin { listener, ..plugin };
    let _again = takeover.take().expect("it can be taken again");
    assert!(matches!(Takeover::prepare(&plugin.path()), Err(BindError::TakenOver(_))));
    assert!(is_listening(takeover.upstream()).expect("it is readable"));
    assert_eq!(plugin.files(), ["..p.voltergeist.lock", ".p.voltergeist", "p.sock"]);
    // Even without the lock file.
    fs::remove_file(plugin.place.path().join("..p.voltergeist.lock")).expect("it is there");
    assert!(matches!(Takeover::prepare(&plugin.path()), Err(BindError::TakenOver(_))));
    assert!(is_listening(takeover.upstream()).expect("it is readable"));
    drop(takeover);
    assert!(plugin.is_untouched(), "{:?}", plugin.files());
}

#[test]
fn a_place_that_another_process_has_taken_meanwhile_is_not_taken_again() {
    let plugin = Plugin::start();
    let mut first = Takeover::prepare(&plugin.path()).expect("it is free");
    let _ours = first.take().expect("it can be taken");
    first.give_back().expect("it can be given back");
    fs::remove_file(plugin.place.path().join("..p.voltergeist.lock")).expect("it is there");
    let mut second = Takeover::prepare(&plugin.path()).expect("it is free");
    let _others = second.take().expect("it can be taken");
    let error = first.take().expect_err("it is refused").to_string();
    assert!(error.contains("another voltergeist"), "{error}");
    drop(first);
    assert_eq!(second.at_path(), AtPath::Ours);
    assert!(is_listening(second.upstream()).expect("it is readable"));
    drop(second);
    assert!(plugin.is_untouched(), "{:?}", plugin.files());
}

#[test]
fn a_plugin_that_restarts_while_its_place_is_given_back_is_reached() {
    for _ in 0..300 {
        let mut plugin = Plugin::start();
        let path = plugin.path();
        let mut takeover = Takeover::prepare(&path).expect("it is free");
        let _ours = takeover.take().expect("it can be taken");
        let start = std::sync::Barrier::new(2);
        plugin.listener = thread::scope(|scope| {
            let ended = std::mem::replace(&mut plugin.listener, unreachable_listener());
            let restarted = scope.spawn(|| {
                drop(ended);
                start.wait();
                drop(fs::remove_file(&path));
                UnixListener::bind(&path).expect("nothing is at the path")
            });
            start.wait();
            takeover.give_back().expect("it can be given back");
            restarted.join().expect("it starts")
        });
        plugin.listener.set_nonblocking(true).expect("it can be polled");
        assert!(plugin.is_reached(), "{:?}", plugin.files());
        drop(takeover);
        assert!(plugin.is_untouched(), "{:?}", plugin.files());
    }
}

/// A listener that has no path any more.
fn unreachable_listener() -> UnixListener {
    let place = tempfile::tempdir().expect("a temporary directory can be made");
    UnixListener::bind(place.path().join("gone")).expect("it can be bound")
}
