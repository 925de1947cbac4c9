//! The published schemas are those of the types. `ASSAYER_BLESS=1 cargo test -p assayer-harness --test schema` writes them
//! anew.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use schemars::{JsonSchema, schema_for};

fn published<T: JsonSchema>(name: &str) {
    let path = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let text = format!("{:#}\n", serde_json::to_value(schema_for!(T)).unwrap());
    if std::env::var_os("ASSAYER_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), text, "{path} is stale");
}

#[test]
fn the_published_schemas_are_those_of_the_types() {
    published::<assayer_harness::burn_in::BurnIn>("burn-in");
    published::<assayer_harness::burn_in::BurnInRecheck>("burn-in-recheck");
    published::<assayer_harness::Manifest>("manifest");
    published::<assayer_harness::Recheck>("recheck");
    published::<assayer_harness::Recorded>("transcript-line");
    published::<assayer_harness::Verdicts>("verdicts");
}
