//! `assayer prove`: proofs that are made from logs and heads.

use std::path::Path;

use serde_json::Value as Json;

use crate::{code, document, findings, key, run, vector, write};

#[test]
fn proofs_are_made_from_a_log_and_verified() {
    let log = vector("good/with-log")["input"]["trust"]["log"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "leaves.jsonl", &log);
    let path = path.to_str().unwrap();
    let out = folder.path().join("proof.json");
    let out = out.to_str().unwrap();
    let prove = |more: &[&str]| code(&run(&[&["prove"], more, &["--out", out]].concat()));
    let heads = |proof: &Json| {
        ["old", "new"]
            .map(|side| format!("{}:{}", proof[side]["size"], proof[side]["root"].as_str().unwrap()))
    };

    assert_eq!(prove(&["consistency", path, "--old", "3"]), 0);
    let proof: Json = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    let [old, new] = heads(&proof);
    let verify = |more: &[&str]| code(&run(&[&["verify", out, "--require", "authentic"], more].concat()));
    assert_eq!((verify(&["--head", &old, "--head", &new]), verify(&["--head", &old])), (0, 1));
    assert_eq!(verify(&["--log", path]), 0);

    assert_eq!(prove(&["inclusion", path, "--index", "2", "--size", "4"]), 0);
    let proof: Json = serde_json::from_str(&std::fs::read_to_string(out).unwrap()).unwrap();
    let head = format!("4:{}", proof["root"].as_str().unwrap());
    assert_eq!(verify(&["--head", &head]), 0);

    // What cannot be proved leaves what stood there before.
    let before = std::fs::read_to_string(out).unwrap();
    for wrong in [["--old", "0"], ["--old", "1000"]] {
        assert_eq!(prove(&[&["consistency", path], &wrong[..]].concat()), 1);
    }
    let bad = write(folder.path(), "bad.jsonl", log.replace("2026-", "2025-"));
    assert_eq!(prove(&["consistency", bad.to_str().unwrap(), "--old", "2"]), 1);
    assert_eq!(prove(&["consistency", "nowhere.jsonl", "--old", "2"]), 2);
    assert_eq!(std::fs::read_to_string(out).unwrap(), before);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "no partial file is left");
}

/// From two heads of one size; and from a log and a signed head that is not of it.
#[test]
fn two_histories_become_a_proof_of_equivocation() {
    let folder = tempfile::tempdir().unwrap();
    let key = key("good/with-log", "registry_key");
    let head = |vector: &str, side: &str, name: &str| {
        let proof: Json = serde_json::from_str(&document(vector)).unwrap();
        let mut head = proof[side].clone();
        head["signed_message"] = format!("{{\"root\":{},\"size\":{}}}", head["root"], head["size"]).into();
        write(folder.path(), name, head.to_string()).to_str().unwrap().to_owned()
    };
    let out = folder.path().join("equivocation.json");
    let out = out.to_str().unwrap();
    let prove = |paths: &[&str]| {
        code(&run(&[&["prove", "equivocation"], paths, &["--registry-key", &key, "--out", out]].concat()))
    };
    let holds = || code(&run(&["verify", out, "--registry-key", &key, "--require", "equivocation"]));

    let (a, b) =
        (head("equivocation/same-size", "old", "a.json"), head("equivocation/same-size", "new", "b.json"));
    assert_eq!((prove(&[&a, &b]), holds()), (0, 0));
    let output = run(&["verify", &a, &b, "--registry-key", &key, "--format", "ndjson"]);
    let found = findings(&output);
    assert_eq!((code(&output), found.len()), (1, 3), "{found:?}");
    assert!(
        found[2]["path"].as_str().unwrap().contains("b.json") && found[2]["verdict"] == "refuted",
        "{found:?}"
    );

    // Another registry, trusted as well, has a log of its own: nobody contradicts anybody.
    let other_key = "5b66a0f9a7d0e7c965148b5022637cc5c62a5410ad9fbc113659f29e27b98d79";
    let other = head("equivocation/heads-of-two-keys", "new", "other.json");
    let both = ["--registry-key", &key, "--registry-key", other_key, "--require", "authentic"];
    let output = run(&[&["verify", &a, &other, "--format", "ndjson"], &both[..]].concat());
    assert_eq!((code(&output), findings(&output).len()), (0, 2), "{:?}", findings(&output));

    let (fork, new) =
        (head("equivocation/prefix", "old", "fork.json"), head("equivocation/prefix", "new", "new.json"));
    let leaves: String = (0..9)
        .map(|index| {
            let data = format!("leaf {index}");
            let hash = assayer_verifier::leaf_hash(data.as_bytes());
            format!("{{\"index\":{index},\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{data}\"}}\n")
        })
        .collect();
    let log = write(folder.path(), "leaves.jsonl", leaves);
    std::fs::remove_file(out).unwrap();
    assert_eq!(prove(&[&fork, &new]), 1, "heads of two sizes alone contradict nothing");
    assert!(!Path::new(out).exists());
    assert_eq!((prove(&[&fork, &new, log.to_str().unwrap()]), holds()), (0, 0));
    assert_eq!(prove(&[&a, &new, log.to_str().unwrap()]), 1, "a log that grew");
}

/// Different leaves at one index, as two bundles prove them: one proves the leaf itself, or has it beside one that it proves.
#[test]
fn two_bundles_with_different_leaves_at_one_index_become_a_proof_of_equivocation() {
    let folder = tempfile::tempdir().unwrap();
    let key = key("good/with-log", "registry_key");
    let out = folder.path().join("equivocation.json");
    let out = out.to_str().unwrap();
    let together = |name: &str| {
        let vector: Json = serde_json::from_str(
            &std::fs::read_to_string(format!(
                "{}/../vectors/bundles-together/{name}.json",
                env!("CARGO_MANIFEST_DIR")
            ))
            .unwrap(),
        )
        .unwrap();
        let name = format!("{name}.ndjson");
        write(folder.path(), &name, vector["input"]["document"].as_str().unwrap())
            .to_str()
            .unwrap()
            .to_owned()
    };
    for name in ["leaf-of-another-file", "last-leaf-exchanged"] {
        let bundles = together(name);
        let output = run(&["verify", &bundles, "--registry-key", &key]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(said.contains("head.leaves-differ") && said.contains("assayer prove equivocation"), "{said}");
        let prove = ["prove", "equivocation", &bundles, "--registry-key", &key, "--out", out];
        assert_eq!(code(&run(&prove)), 0, "{name}");
        let holds = ["verify", out, "--registry-key", &key, "--require", "equivocation"];
        assert_eq!(code(&run(&holds)), 0, "{name}");
    }
    let grown = together("grown");
    assert_eq!(code(&run(&["prove", "equivocation", &grown, "--registry-key", &key, "--out", out])), 1);
}
