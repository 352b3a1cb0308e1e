//! The documents point at what is there.

use std::{fs, path::Path};

/// The targets of a Markdown text's links, without what is on the web or within the same page.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.split_once('#').map_or(target, |(file, _)| file))
        .filter(|target| !target.is_empty() && !target.contains("://"))
}

#[test]
fn every_link_between_files_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> =
        ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(|page| root.join(page)).into();
    let folders = ["docs", "docs/decisions"].map(|folder| root.join(folder));
    for folder in folders.iter().filter(|folder| folder.exists()) {
        let entries = fs::read_dir(folder).expect("the documents are readable");
        let files = entries.map(|entry| entry.expect("a folder entry is readable").path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    let mut broken = Vec::new();
    let mut links = 0;
    for page in pages {
        let text = fs::read_to_string(&page).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let folder = page.parent().expect("a page is in a folder");
        for target in targets(&text) {
            links += 1;
            if !folder.join(target).exists() {
                broken.push(format!("{} → {target}", page.display()));
            }
        }
    }
    assert!(links > 20, "only {links} links were found");
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
