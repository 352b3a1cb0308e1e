//! The Rust version that we declare is not lower than any that a dependency declares.

use std::process::Command;

use serde_json::Value;

/// Numbers of a version, to compare: `1.88` is `1.88.0`.
fn numbers(version: &str) -> [u32; 3] {
    let mut numbers = version.split('.').map(|number| number.parse().expect("a version consists of numbers"));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        // Other platforms are left out: their crates need not be on this machine.
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform=x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    metadata["packages"].as_array().expect("metadata lists packages").clone()
}

#[test]
fn no_dependency_needs_a_newer_rust_than_we_declare() {
    let declared = env!("CARGO_PKG_RUST_VERSION");
    let packages = packages();
    assert!(packages.len() > 100, "only {} packages found", packages.len());
    let newer: Vec<String> = packages
        .iter()
        .filter_map(|package| {
            let needed = package["rust_version"].as_str()?;
            (numbers(needed) > numbers(declared))
                .then(|| format!("{} {} needs Rust {needed}", package["name"], package["version"]))
        })
        .collect();
    assert!(newer.is_empty(), "Cargo.toml declares Rust {declared}, but\n{}", newer.join("\n"));
}

#[test]
fn versions_are_compared_by_their_numbers() {
    assert!(numbers("1.100") > numbers("1.88.0"));
    assert_eq!(numbers("1.88"), numbers("1.88.0"));
}
