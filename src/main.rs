//! The voltergeist binary.
fn main() {}
