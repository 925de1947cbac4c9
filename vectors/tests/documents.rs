//! Vectors of kind `document` fit their schema, and the files in them fit the published schema of their form exactly where
//! nothing is wrong with their shape.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn schema(name: &str) -> jsonschema::Validator {
    let text = fs::read_to_string(root().join("schemas").join(format!("{name}.schema.json"))).unwrap();
    jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap()
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn documents_fit_their_schemas_where_their_shape_is_sound() {
    let vector_schema = schema("vector-document");
    let mut paths = Vec::new();
    for folder in ["heads", "logs", "proofs"] {
        files(&root().join(folder), &mut paths);
    }
    let mut sides = [0, 0];
    for path in paths {
        let vector: Json = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        let errors: Vec<String> = vector_schema.iter_errors(&vector).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:?}", path.display());
        let text = vector.pointer("/input/document").and_then(Json::as_str).unwrap();
        let refuted = vector.pointer("/expect/refuted").and_then(Json::as_array).unwrap();
        // A text that is no strict JSON is not for a schema to judge.
        if refuted.iter().any(|layer| layer.get("layer").is_some_and(|layer| layer == "json")) {
            continue;
        }
        let form = vector.pointer("/input/as").and_then(Json::as_str).unwrap();
        // Heads and logs are not of a form of ours.
        if !["consistency-proof", "equivocation-proof"].contains(&form) {
            continue;
        }
        let sound = !refuted.iter().any(|layer| layer.get("layer").is_some_and(|layer| layer == "shape"));
        // To a JSON Schema 3.0 is an integer; the verifier takes only what is written as one.
        let fits = schema(form).is_valid(&serde_json::from_str(text).unwrap()) && !text.contains("3.0");
        assert_eq!(fits, sound, "{}", path.display());
        *sides.get_mut(usize::from(sound)).unwrap() += 1;
    }
    assert!(sides.iter().all(|count| *count >= 15), "{sides:?}");
}
