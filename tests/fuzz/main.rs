//! Fuzz targets: what comes from outside is read or refused, and nothing panics.
//!
//! The inputs are made by bolero's random engine, without a look at which code they reach: each is an entry of the target's
//! corpus (`tests/fuzz/corpus`) with a few random edits. `cargo test --test fuzz` tries each entry as it is, and then random
//! inputs for one second per target. To choose how many, name the targets and set the number for each of them, in an
//! optimised build:
//!
//! ```console
//! $ export CARGO_PROFILE_TEST_OPT_LEVEL=2
//! $ BOLERO_RANDOM_ITERATIONS=1000000 cargo test --test fuzz -- --nocapture languages:: files::
//! $ BOLERO_RANDOM_TEST_TIME_MS=60000 cargo test --test fuzz -- --nocapture requests::
//! ```
//!
//! With `--nocapture` each target prints its cases and its time. A failure prints the input as a line of the corpus; add it
//! there, so that it is tried from then on. With a nightly toolchain, `cargo bolero test --test fuzz TARGET` lets libFuzzer
//! look for inputs that reach new code.

mod corpus;
mod files;
mod languages;
mod requests;
#[path = "../support/mod.rs"]
mod support;
mod terminal;

/// How many bytes of random input a target gets at most: more edits leave nothing of an entry.
const MAX_INPUT: usize = 26;

/// A sequence of pieces: each byte stands for one, and a few for a character of their own.
fn sequence(bytes: &[u8], pieces: &[&str]) -> String {
    let piece = |byte: &u8| match byte {
        240.. => char::from(*byte).to_string(),
        _ => pieces[usize::from(*byte) % pieces.len()].to_owned(),
    };
    bytes.iter().map(piece).collect()
}
