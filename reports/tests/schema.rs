//! The published schema is that of the model. `ASSAYER_BLESS=1 cargo test -p assayer-reports` writes it anew.

#[test]
fn the_published_schema_is_that_of_the_model() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/report.schema.json");
    let schema = assayer_reports::schema();
    if std::env::var_os("ASSAYER_BLESS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), schema, "{path} is stale");
}
