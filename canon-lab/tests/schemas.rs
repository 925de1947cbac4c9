//! The published schemas are those of the types; `UPDATE=1` writes them anew.
#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "a test")]

use std::path::Path;

use assayer_canon_lab::{Canonicalized, Report, Request, Started, Vectors};
use schemars::{JsonSchema, schema_for};

fn check<T: JsonSchema>(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(format!("{name}.schema.json"));
    let text = serde_json::to_string_pretty(&schema_for!(T)).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap_or_default(),
        text,
        "{name}: run again with UPDATE=1, and look at the difference"
    );
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    check::<Request>("request");
    check::<Started>("started");
    check::<Canonicalized>("canonicalized");
    check::<Report>("report");
    check::<Vectors<'static>>("vectors");
}
