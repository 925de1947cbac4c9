//! The published schema of the transcript is that of its type. `ASSAYER_BLESS=1 cargo test -p assayer-harness --test
//! schema` writes it anew.

#[test]
fn the_published_schema_is_that_of_the_transcript() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/transcript.schema.json");
    let schema = schemars::schema_for!(assayer_harness::Transcript);
    let text = format!("{:#}\n", serde_json::to_value(&schema).unwrap());
    if std::env::var_os("ASSAYER_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), text, "{path} is stale");
}
