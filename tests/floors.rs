//! The house has floors, and nothing reaches upwards or sideways: each file is held to the rooms and
//! crates that its own room may use. The map is in `src/lib.rs`.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// A room, and the other rooms that it may use.
const ROOMS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("state", &["domain"]),
    ("net", &["domain"]),
    ("plugin", &["domain", "net", "state"]),
    ("api", &["domain", "net", "state"]),
    ("engine", &["domain", "state"]),
    ("feed", &["domain", "state"]),
    ("console", &["domain", "state"]),
    ("app", &["domain", "net", "state", "plugin", "api", "engine"]),
    ("cli", &["domain", "net", "state", "plugin", "api", "engine", "feed", "console", "app"]),
];

/// What would make the domain impure: I/O, clocks, chance, locks and the world of the other floors.
const IMPURE: [&str; 17] = [
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::os",
    "Instant",
    "SystemTime",
    "Timestamp::now",
    "tokio",
    "axum",
    "hyper",
    "ratatui",
    "crossterm",
    "parking_lot",
    "cap_std",
    "rustix",
];

/// The crates that only some rooms may name, beside `cli`; and signals, which only `cli` may.
const OWNED: [(&str, &[&str]); 6] = [
    ("axum", &["plugin", "api"]),
    ("cap_std", &["plugin"]),
    ("ratatui", &["console"]),
    ("crossterm", &["console"]),
    ("bollard", &["engine"]),
    ("SignalKind", &["cli"]),
];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the source folder is readable");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder entry is readable").path())
        .flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

/// The module path of a file below `src`: `plugin/socket.rs` is `["plugin", "wire"]`.
fn module(file: &Path) -> Vec<String> {
    let mut parts: Vec<String> =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// The code of a file: without comments and without the tests at its end, whose `super` is the file itself.
fn code(source: &str) -> String {
    let end = source.find("#[cfg(test)]\nmod tests").unwrap_or(source.len());
    let lines = source[..end].lines();
    lines.map(|line| line.split_once("//").map_or(line, |(code, _)| code)).collect::<Vec<_>>().join("\n")
}

/// Whether a name stands in the code as a word of its own.
fn names(code: &str, name: &str) -> bool {
    let boundary = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    code.match_indices(name).any(|(start, _)| {
        boundary(code[..start].chars().next_back()) && boundary(code[start + name.len()..].chars().next())
    })
}

/// The rooms that a file names, through `crate::` or by climbing out with `super::`.
fn rooms_used(module: &[String], code: &str) -> Vec<String> {
    let word =
        |text: &str| -> String { text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let mut used: Vec<String> = Vec::new();
    for (start, _) in code.match_indices("crate::") {
        let rest = code[start + "crate::".len()..].trim_start();
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = &group[..group.find(';').unwrap_or(group.len())];
                let mut depth = 0_usize;
                let mut fresh = true;
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth = depth.saturating_sub(1),
                        ',' => fresh = true,
                        _ if fresh && depth == 0 && c.is_alphabetic() => {
                            used.push(word(&group[at..]));
                            fresh = false;
                        }
                        _ => {}
                    }
                }
            }
            None => used.push(word(rest)),
        }
    }
    for (start, _) in code.match_indices("super::") {
        if code[..start].ends_with("super::") {
            continue;
        }
        let mut climbed = 0;
        let mut rest = &code[start..];
        while let Some(above) = rest.strip_prefix("super::") {
            climbed += 1;
            rest = above;
        }
        if climbed >= module.len() {
            used.push(word(rest));
        }
    }
    used.retain(|room| ROOMS.iter().any(|(known, _)| known == room));
    used
}

/// What a file names that its room may not use.
fn trespasses(file: &Path, source: &str) -> Vec<String> {
    let module = module(file);
    let Some((room, below)) =
        ROOMS.iter().find(|(room, _)| module.first().is_some_and(|first| first == room))
    else {
        return Vec::new();
    };
    let code = code(source);
    let rooms = rooms_used(&module, &code)
        .into_iter()
        .filter(|used| used != room && !below.contains(&used.as_str()))
        .map(|used| format!("{} uses the room {used}", file.display()));
    let impure = IMPURE.iter().filter(|name| *room == "domain" && names(&code, name));
    let owned = OWNED
        .iter()
        .filter(|(name, owners)| !owners.contains(room) && *room != "cli" && names(&code, name))
        .map(|(name, _)| name);
    let foreign = impure.chain(owned).map(|name| format!("{} uses {name}", file.display()));
    rooms.chain(foreign).collect()
}

#[test]
fn no_file_reaches_upwards_or_sideways() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = sources(&root);
    assert!(files.len() > 10, "the sources were not found");
    let found: Vec<String> = files
        .iter()
        .flat_map(|path| {
            let source = fs::read_to_string(path).expect("a source file is readable");
            trespasses(path.strip_prefix(&root).expect("it was found below src"), &source)
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_room_is_on_the_map() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in sources(&root) {
        let module = module(file.strip_prefix(&root).expect("it was found below src"));
        if let Some(room) = module.first() {
            assert!(ROOMS.iter().any(|(known, _)| known == room), "{room} is on no floor");
        }
    }
}

#[test]
fn a_trespass_is_found_however_it_is_written() {
    for (file, source) in [
        ("domain/model/volume.rs", "use crate::state::Hub;"),
        ("domain/model/volume.rs", "use tokio::sync::Notify;"),
        ("domain/model/volume.rs", "fn f() { let at = Timestamp::now(); }"),
        ("domain/rules/rule.rs", "use super::super::super::state;"),
        ("domain/model/volume.rs", "use std::fs;"),
        ("state/mod.rs", "use crate::{domain::volume::Volume, plugin::DiskStore};"),
        ("state/snapshot.rs", "use super::super::console::App;"),
        ("plugin/recorder.rs", "fn f() { crate::console::run(); }"),
        ("plugin/recorder.rs", "use ratatui::Frame;"),
        ("plugin/recorder.rs", "use crate::api::ControlServer;"),
        ("api/mod.rs", "use crate::plugin::DiskStore;"),
        ("net/listener.rs", "use crate::state::Hub;"),
        ("net/listener.rs", "use axum::Router;"),
        ("engine/demo.rs", "use axum::Router;"),
        ("console/app.rs", "use crate::engine;"),
    ] {
        assert_ne!(trespasses(Path::new(file), source), Vec::<String>::new(), "{file}: {source}");
    }
}

#[test]
fn what_a_room_may_use_is_no_trespass() {
    for (file, source) in [
        ("domain/command.rs", "use super::fault::Rule;"),
        ("domain/entry.rs", "// as tokio does\nuse std::time::Duration;"),
        ("state/snapshot.rs", "use crate::domain::{entry::Entry, volume::Volume};"),
        ("plugin/recorder.rs", "use axum::Router;\nuse crate::{domain::entry::Kind, hub::Hub};"),
        ("cli/mod.rs", "use crate::{console, engine, server};"),
    ] {
        assert_eq!(trespasses(Path::new(file), source), Vec::<String>::new(), "{file}: {source}");
    }
}
