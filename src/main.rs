//! The `voltergeist` program. Everything is in the library; see `src/lib.rs` for the map.

use std::process::ExitCode;

/// Entries are made by whichever thread serves a call, and freed by another when the journal drops them;
/// the system's allocator takes its locks for that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    voltergeist::cli::main()
}
