//! Every dependency has a licence that `deny.toml` allows.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

/// Whether an SPDX expression can be met with these licences: one side of each `OR`, both sides of each `AND`.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    // `/` is what crates wrote before SPDX.
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    let met = any_of(&mut rest, allowed);
    met && rest.is_empty()
}

fn any_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = all_of(words, allowed);
    while let ["OR", rest @ ..] = words {
        *words = rest;
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut &[&str], allowed: &[String]) -> bool {
    let mut met = one(words, allowed);
    while let ["AND", rest @ ..] = words {
        *words = rest;
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &[String]) -> bool {
    match words {
        ["(", rest @ ..] => {
            *words = rest;
            let met = any_of(words, allowed);
            *words = words.strip_prefix(&[")"]).expect("a parenthesis is closed");
            met
        }
        [name, "WITH", exception, rest @ ..] => {
            let name = format!("{name} WITH {exception}");
            *words = rest;
            allowed.contains(&name)
        }
        [name, rest @ ..] => {
            // `MPL-2.0+`: that version or a later one.
            let name = name.trim_end_matches('+');
            let met = allowed.iter().any(|licence| licence == name);
            *words = rest;
            met
        }
        [] => false,
    }
}

#[test]
fn every_dependency_has_an_allowed_licence() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let rules = fs::read_to_string(root.join("deny.toml")).expect("deny.toml is there");
    let rules: toml::Table = rules.parse().expect("deny.toml is TOML");
    let allowed = rules["licenses"]["allow"].as_array().expect("a list of licences");
    let allowed: Vec<String> =
        allowed.iter().map(|name| name.as_str().expect("the name of a licence").to_owned()).collect();
    // The lock file also has what no feature of ours brings in.
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--prefix=none", "--target=x86_64-unknown-linux-gnu"])
        .args(["--edges=normal,build,dev", "--format={p}\t{l}"])
        .current_dir(root)
        .output()
        .expect("cargo starts");
    let text = String::from_utf8(output.stdout).expect("cargo writes text");
    let packages: BTreeSet<(&str, &str)> = text
        .lines()
        // What was listed before is marked.
        .filter_map(|line| line.trim_end_matches(" (*)").split_once('\t'))
        .collect();
    assert!(packages.len() > 100, "only {} packages found", packages.len());
    let forbidden: Vec<String> = packages
        .iter()
        .filter(|(_, licence)| !is_met(licence, &allowed))
        .map(|(package, licence)| format!("{package}: {licence}"))
        .collect();
    assert!(forbidden.is_empty(), "deny.toml does not allow\n{}", forbidden.join("\n"));
}

#[test]
fn an_expression_needs_one_side_of_or_and_both_of_and() {
    let allowed = ["MIT", "Zlib"].map(str::to_owned);
    for met in ["MIT", "GPL-3.0 OR MIT", "GPL-3.0/MIT", "(GPL-3.0 OR MIT) AND Zlib"] {
        assert!(is_met(met, &allowed), "{met}");
    }
    for unmet in ["", "GPL-3.0", "MIT AND GPL-3.0", "(MIT OR Zlib) AND GPL-3.0", "MIT WITH Exception"] {
        assert!(!is_met(unmet, &allowed), "{unmet}");
    }
}
