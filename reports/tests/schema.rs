//! The published schemas are those of the models. `ASSAYER_BLESS=1 cargo test -p assayer-reports` writes them anew.

use assayer_reports::verification;

fn published(name: &str, schema: &str) {
    let path = format!("{}/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("ASSAYER_BLESS").is_some() {
        assert!(std::fs::write(&path, schema).is_ok(), "{path} cannot be written");
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), schema, "{path} is stale");
}

#[test]
fn the_published_schemas_are_those_of_the_models() {
    published("baseline", &assayer_reports::baseline_schema());
    published("kill-matrix", &assayer_reports::matrix_schema());
    published("diff", &assayer_reports::diff_schema());
    published("matrix", &assayer_reports::comparison_schema());
    published("report", &assayer_reports::schema());
    published("report-line", &assayer_reports::line_schema());
    published("verification", &verification::schema());
    published("verification-line", &verification::line_schema());
}
