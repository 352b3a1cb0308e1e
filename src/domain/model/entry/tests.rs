//! `docs/schema/entry.v1.json`, generated from the types.

use std::fs;

use schemars::generate::SchemaSettings;
use strum::VariantNames;

use super::{Entry, EntryKind};

#[test]
fn the_json_schema_is_generated_from_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema/entry.v1.json");
    let mut schema =
        SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Entry>();
    schema.insert("$id".to_owned(), "urn:voltergeist:entry:v1".into());
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, &text).expect("the schema can be written");
    }
    let written = fs::read_to_string(path).unwrap_or_default();
    assert!(written == text, "docs/schema/entry.v1.json is old; UPDATE_DOCS=1 cargo test --lib schema");
}

#[test]
fn the_name_of_a_kind_is_the_one_in_json() {
    let schema = schemars::schema_for!(EntryKind).to_value();
    let kinds = schema["oneOf"].as_array().expect("a kind is one of several");
    let mut names: Vec<_> =
        kinds.iter().map(|kind| kind["properties"]["kind"]["const"].as_str().expect("a name")).collect();
    names.push(EntryKind::Unknown.into());
    assert_eq!(names, EntryKind::VARIANTS);
}
