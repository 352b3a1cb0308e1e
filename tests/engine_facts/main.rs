//! What real engines make of a plugin that misbehaves, seen from their command lines.
//!
//! Each row of `assets/engine-reactions.toml` that says it was seen on an engine is checked here: a test arms a rule, makes sure
//! that this row is what is foretold for it, and then looks. `table` keeps the two together.

#[path = "../support/mod.rs"]
mod support;

mod activate;
mod capabilities;
mod connection;
mod create;
mod fixture;
mod get;
mod groups;
mod lints;
mod list;
mod lives;
mod mount;
mod options;
mod path;
mod podman;
mod real_mounts;
mod remove;
mod reports;
mod rules;
mod table;
mod unmount;

use std::process::ExitCode;

fn main() -> ExitCode {
    let tests = [
        table::tests(),
        activate::tests(),
        capabilities::tests(),
        create::tests(),
        get::tests(),
        list::tests(),
        path::tests(),
        mount::tests(),
        options::tests(),
        unmount::tests(),
        remove::tests(),
        connection::tests(),
        lints::tests(),
        lives::tests(),
        real_mounts::tests(),
        groups::tests(),
        rules::tests(),
        reports::tests(),
        podman::tests(),
    ];
    support::run(tests.into_iter().flatten().collect())
}
