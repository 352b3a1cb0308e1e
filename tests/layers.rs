//! Checks the imports of each source file: only layers below, no sibling, and no cycle between files.
//! The layers are described in `docs/architecture.md`.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    fs,
    path::{Path, PathBuf},
};

/// Each top module and the modules that it may import.
const LAYERS: [(&str, &[&str]); 14] = [
    ("domain", &[]),
    ("recording", &["domain"]),
    ("hub", &["domain"]),
    ("engine_api", &["domain"]),
    ("net", &["domain"]),
    ("export", &["domain", "hub", "engine_api"]),
    ("source", &["domain", "hub", "export", "recording", "net"]),
    ("plugin", &["domain", "hub", "net"]),
    ("api", &["domain", "hub", "export", "net"]),
    ("engine", &["domain", "engine_api"]),
    ("scenario", &["domain", "hub", "engine_api"]),
    ("console", &["domain", "hub", "export", "source"]),
    (
        "app",
        &[
            "domain",
            "recording",
            "hub",
            "engine_api",
            "net",
            "export",
            "source",
            "plugin",
            "api",
            "engine",
            "scenario",
            "console",
        ],
    ),
    (
        "cli",
        &[
            "domain",
            "recording",
            "hub",
            "engine_api",
            "net",
            "export",
            "source",
            "plugin",
            "api",
            "engine",
            "scenario",
            "console",
            "app",
        ],
    ),
];

/// What the domain must not use: I/O, clocks, random numbers, locks, async.
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

/// Names that only some modules may use.
const OWNED: [(&str, &[&str]); 8] = [
    ("axum", &["plugin", "api"]),
    ("cap_std", &["plugin"]),
    ("ratatui", &["console"]),
    ("crossterm", &["console"]),
    ("terminput", &["console"]),
    ("bollard", &["engine"]),
    ("clap", &["engine_api", "cli"]),
    ("SignalKind", &["app", "console"]),
];

/// A module path such as `["plugin", "recorder"]`.
type Module = Vec<String>;

/// A source file: its module, its code, and the names that its `use` declarations bind.
struct Source {
    module: Module,
    code: String,
    imports: Vec<Import>,
}

/// One name of a `use` declaration.
struct Import {
    /// The path, without what it is renamed to.
    path: Vec<String>,
    /// The name that it binds.
    name: String,
    is_public: bool,
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the source folder is readable");
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a folder entry is readable").path())
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    files
}

fn module(file: &Path) -> Module {
    let mut parts: Module =
        file.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

/// The code of a file without comments and without the tests at its end, whose `super` is the file itself.
fn code(source: &str) -> String {
    let end = source.find("#[cfg(test)]\nmod tests").unwrap_or(source.len());
    let lines = source[..end].lines();
    lines.map(|line| line.split_once("//").map_or(line, |(code, _)| code)).collect::<Vec<_>>().join("\n")
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where a name occurs in the code as a whole word.
fn occurrences<'c>(code: &'c str, name: &'c str) -> impl Iterator<Item = usize> {
    code.match_indices(name).map(|(start, _)| start).filter(move |start| {
        !code[..*start].ends_with(is_word) && !code[start + name.len()..].starts_with(is_word)
    })
}

/// Splits the tree of a `use` declaration into its paths: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else { return vec![tree.to_owned()] };
    let (prefix, inner) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap_or(tree.len())]);
    let (mut depth, mut start, mut items) = (0_i32, 0, Vec::new());
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&inner[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(&inner[start..]);
    let items = items.into_iter().filter(|item| !item.trim().is_empty());
    items.flat_map(expand).map(|item| format!("{prefix}{item}")).collect()
}

fn imports(code: &str) -> Vec<Import> {
    let mut imports = Vec::new();
    for start in occurrences(code, "use") {
        let line = code[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let visibility = code[line..start].trim();
        let Some(end) = code[start..].find(';') else { continue };
        // The word may also occur in a string.
        let is_tree =
            |text: &str| text.chars().all(|c| is_word(c) || c.is_whitespace() || ":{},*".contains(c));
        let is_declaration = visibility.is_empty() || visibility.starts_with("pub");
        if !is_declaration || !is_tree(&code[start..start + end]) {
            continue;
        }
        for path in expand(&code[start + "use".len()..start + end]) {
            let (path, renamed) = path
                .split_once(" as ")
                .map_or((path.as_str(), None), |(path, name)| (path, Some(name.trim().to_owned())));
            let mut path: Vec<String> = path.split("::").map(|part| part.trim().to_owned()).collect();
            if path.last().is_some_and(|last| last == "self") {
                path.pop();
            }
            let name = renamed.or_else(|| path.last().cloned()).unwrap_or_default();
            imports.push(Import { path, name, is_public: !visibility.is_empty() });
        }
    }
    imports
}

impl Source {
    fn new(file: &Path, source: &str) -> Self {
        let code = code(source);
        Self { module: module(file), imports: imports(&code), code }
    }

    /// The path from the root of the crate, if it is one of this crate.
    fn absolute(&self, path: &[String]) -> Option<Module> {
        let first = path.first()?;
        let declares = |name: &str| occurrences(&self.code, name).any(|at| self.code[..at].ends_with("mod "));
        let mut module = match first.as_str() {
            "crate" => Vec::new(),
            "self" => self.module.clone(),
            "super" => self.module[..self.module.len().checked_sub(1)?].to_vec(),
            name if declares(name) => [self.module.clone(), vec![name.to_owned()]].concat(),
            _ => return None,
        };
        for part in &path[1..] {
            if part == "super" {
                module.pop();
            } else {
                module.push(part.clone());
            }
        }
        Some(module)
    }

    /// The paths that it writes out: those of `use` declarations, and others that start with `crate` or `super`.
    fn paths(&self) -> Vec<Module> {
        let mut paths: Vec<Module> = Vec::new();
        for root in ["crate", "super"] {
            let is_inline = |before: &str| !before.ends_with("::") && !before.trim_end().ends_with("use");
            for start in occurrences(&self.code, root).filter(|at| is_inline(&self.code[..*at])) {
                let path: String =
                    self.code[start..].chars().take_while(|&c| is_word(c) || c == ':').collect();
                let path: Vec<String> =
                    path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
                // `pub(super)` names no path.
                paths.extend(self.absolute(&path).filter(|_| path.len() > 1));
            }
        }
        // A module's re-exports of what is inside it are no imports.
        let is_reexport = |import: &Import, path: &Module| import.is_public && path.starts_with(&self.module);
        let imported = self
            .imports
            .iter()
            .filter_map(|import| self.absolute(&import.path).filter(|path| !is_reexport(import, path)));
        paths.extend(imported);
        paths
    }

    /// What it uses against the table of layers.
    fn violations(&self) -> Vec<String> {
        let Some((layer, below)) =
            LAYERS.iter().find(|(layer, _)| self.module.first().is_some_and(|first| first == layer))
        else {
            return Vec::new();
        };
        let tops: BTreeSet<String> =
            self.paths().into_iter().filter_map(|path| path.into_iter().next()).collect();
        let modules = tops
            .into_iter()
            .filter(|top| LAYERS.iter().any(|(known, _)| known == top))
            .filter(|top| top != layer && !below.contains(&top.as_str()));
        let uses = |name: &str| occurrences(&self.code, name).next().is_some();
        let impure = IMPURE.iter().filter(|name| *layer == "domain" && uses(name));
        let owned = OWNED.iter().filter(|(name, owners)| !owners.contains(layer) && uses(name));
        let names = impure.copied().chain(owned.map(|(name, _)| *name)).map(str::to_owned);
        modules.chain(names).map(|used| format!("{} imports {used}", self.module.join("::"))).collect()
    }
}

/// The modules that each module imports.
fn graph(sources: &[Source]) -> BTreeMap<Module, BTreeSet<Module>> {
    let by_module: BTreeMap<&Module, &Source> =
        sources.iter().map(|source| (&source.module, source)).collect();
    // The file that defines what a path names: through re-exports, down to the last module on it.
    let resolve = |path: Module| {
        let mut path = path;
        for _ in 0..8 {
            let known =
                (1..=path.len()).rev().find(|length| by_module.contains_key(&path[..*length].to_vec()))?;
            let (holder, rest) = path.split_at(known);
            let source = by_module[&holder.to_vec()];
            let bound =
                rest.first().and_then(|name| source.imports.iter().find(|import| import.name == *name));
            let target = bound.and_then(|import| source.absolute(&import.path));
            match target {
                Some(target) => path = [target, rest[1..].to_vec()].concat(),
                None => return Some(holder.to_vec()),
            }
        }
        None
    };
    let edges = |source: &Source| {
        let targets = source.paths().into_iter().filter_map(resolve);
        targets.filter(|target| *target != source.module).collect()
    };
    sources.iter().map(|source| (source.module.clone(), edges(source))).collect()
}

/// The shortest cycle through each module that is on one.
fn cycles(graph: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Vec<Module>> {
    let shortest = |start: &Module| {
        let mut before: BTreeMap<&Module, &Module> = BTreeMap::new();
        let mut queue = VecDeque::from([start]);
        while let Some(at) = queue.pop_front() {
            for next in graph.get_key_value(at).into_iter().flat_map(|(_, targets)| targets) {
                if next == start {
                    let mut cycle = vec![at.clone()];
                    let mut at = at;
                    while let Some(previous) = before.get(at) {
                        at = previous;
                        cycle.push(at.clone());
                    }
                    cycle.reverse();
                    return Some(cycle);
                }
                if !before.contains_key(next) {
                    before.insert(next, at);
                    queue.push_back(next);
                }
            }
        }
        None
    };
    let first_smallest = |mut cycle: Vec<Module>| {
        let smallest = (0..cycle.len()).min_by_key(|&at| cycle[at].clone()).unwrap_or(0);
        cycle.rotate_left(smallest);
        cycle
    };
    graph.keys().filter_map(shortest).map(first_smallest).collect()
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let sources: Vec<Source> = files(&root)
        .iter()
        .map(|path| {
            let source = fs::read_to_string(path).expect("a source file is readable");
            Source::new(path.strip_prefix(&root).expect("it is below src"), &source)
        })
        .filter(|source| !source.module.iter().any(|part| part == "tests"))
        .collect();
    assert!(sources.len() > 10, "the sources were not found");
    sources
}

#[test]
fn a_file_imports_only_layers_below() {
    let found: Vec<String> = sources().iter().flat_map(Source::violations).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_module_has_a_layer() {
    for source in sources() {
        if let Some(top) = source.module.first() {
            assert!(LAYERS.iter().any(|(known, _)| known == top), "{top} has no layer");
        }
    }
}

#[test]
fn no_files_import_each_other_in_a_cycle() {
    let found: Vec<String> = cycles(&graph(&sources()))
        .into_iter()
        .map(|cycle| {
            let modules = cycle.iter().chain(cycle.first());
            modules.map(|module| module.join("::")).collect::<Vec<_>>().join(" → ")
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_violation_is_found_however_it_is_written() {
    for (file, source) in [
        ("domain/volume.rs", "use crate::hub::Hub;"),
        ("domain/volume.rs", "use tokio::sync::Notify;"),
        ("domain/volume.rs", "fn f() { let at = Timestamp::now(); }"),
        ("domain/rules/rule.rs", "use super::super::super::hub;"),
        ("domain/volume.rs", "use std::fs;"),
        ("hub/mod.rs", "use crate::{domain::volume::Volume, plugin::DiskStore};"),
        ("hub/snapshot.rs", "use super::super::console::App;"),
        ("plugin/recorder.rs", "fn f() { crate::console::run(); }"),
        ("plugin/recorder.rs", "use ratatui::Frame;"),
        ("engine/workload.rs", "use axum::Router;"),
        ("scenario/run.rs", "use crate::engine::docker;"),
        ("console/app.rs", "use crate::{\n    engine,\n};"),
        ("app/mod.rs", "pub use crate::cli::main;"),
    ] {
        assert_ne!(
            Source::new(Path::new(file), source).violations(),
            Vec::<String>::new(),
            "{file}: {source}"
        );
    }
}

#[test]
fn an_import_from_a_layer_below_is_no_violation() {
    for (file, source) in [
        ("domain/command.rs", "use super::rules::Rule;"),
        ("domain/entry.rs", "// as tokio does\nuse std::time::Duration;"),
        ("hub/snapshot.rs", "use crate::domain::{entry::Entry, volume::Volume};"),
        ("plugin/recorder.rs", "use axum::Router;\nuse crate::{domain::entry::Kind, hub::Hub};"),
        ("cli/mod.rs", "use crate::{app, console, engine, plugin};"),
    ] {
        assert_eq!(
            Source::new(Path::new(file), source).violations(),
            Vec::<String>::new(),
            "{file}: {source}"
        );
    }
}

/// The cycles of files given as path and content.
fn cycles_of(files: &[(&str, &str)]) -> Vec<String> {
    let sources: Vec<Source> = files.iter().map(|(file, text)| Source::new(Path::new(file), text)).collect();
    let name =
        |cycle: &Vec<Module>| cycle.iter().map(|module| module.join("::")).collect::<Vec<_>>().join(" ");
    cycles(&graph(&sources)).iter().map(name).collect()
}

#[test]
fn a_cycle_is_found_through_reexports_and_inline_paths() {
    let direct =
        [("a/b.rs", "use super::c::C;"), ("a/c.rs", "fn f() { super::b::g(); }"), ("a/mod.rs", "mod b;")];
    assert_eq!(cycles_of(&direct), ["a::b a::c"]);
    let reexported = [
        ("a/mod.rs", "mod b;\nmod c;\npub use c::C;"),
        ("a/b.rs", "use crate::a::C;"),
        ("a/c.rs", "use super::b;"),
    ];
    assert_eq!(cycles_of(&reexported), ["a::b a::c"]);
    let parent = [("a/mod.rs", "mod b;\nuse b::B;\npub struct A;"), ("a/b.rs", "use super::A;")];
    assert_eq!(cycles_of(&parent), ["a a::b"]);
}

#[test]
fn reexports_and_types_of_the_parent_are_no_cycle() {
    let siblings = [
        ("a/mod.rs", "mod b;\nmod c;\npub use b::B;\npub use c::C;"),
        ("a/b.rs", "use super::C;"),
        ("a/c.rs", ""),
    ];
    assert_eq!(cycles_of(&siblings), Vec::<String>::new());
    let children = [("a/mod.rs", "mod b;\npub use b::B;\npub struct A;"), ("a/b.rs", "use super::A;")];
    assert_eq!(cycles_of(&children), Vec::<String>::new());
}
