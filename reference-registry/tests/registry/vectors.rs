//! Vectors of kind `registration` (`vectors/registrations`): made without a line of this registry.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::support::Registry;

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        entries.flat_map(|path| if path.is_dir() { below(&path) } else { vec![path] }).collect();
    files.sort();
    files
}

#[test]
fn each_registration_is_taken_or_refused_as_its_vector_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/registrations");
    let (registry, json) = (Registry::honest(), [("content-type", "application/json")]);
    let (mut accepted, mut refused) = (0, 0);
    for path in below(&folder) {
        let vector: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let answer =
            registry.send("POST", "/register", &json, vector["input"]["body"].as_str().unwrap().as_bytes());
        let text = String::from_utf8_lossy(&answer.body);
        let found = answer.json()["error"]["code"].as_str().map(str::to_owned);
        let expected = vector["expect"]["reject"].as_str().map(str::to_owned);
        assert_eq!(found, expected, "{}: {text}", path.display());
        assert_eq!(answer.status, if expected.is_some() { 400 } else { 200 }, "{}: {text}", path.display());
        *(if expected.is_some() { &mut refused } else { &mut accepted }) += 1;
    }
    assert!(accepted >= 14 && refused >= 45, "{accepted} {refused}");
    assert_eq!(registry.size(), accepted, "what is refused leaves no trace");
    registry.stop();
}
