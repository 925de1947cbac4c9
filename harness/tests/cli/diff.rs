//! `assayer diff`.

use std::path::Path;
use std::process::Output;

use assayer_vectors::SUITE;
use serde_json::Value as Json;

use crate::{archived, change_all, change_one, code, copy, json, run, tamper, text, write};

/// Whoever asks less shows less, also where the whole of an edition was run.
#[test]
fn a_newer_run_of_an_edition_that_asks_less_does_not_show_that_nothing_became_worse() {
    let folder = tempfile::tempdir().unwrap();
    let more = archived(folder.path(), "more", &["--edition", "0.4.12"]);
    let less = archived(folder.path(), "less", &["--edition", "0.4.7"]);
    let weaker = run(&["diff", &more, &less, "--format", "json"]);
    assert_eq!((code(&weaker), json(&weaker)["is_narrower"].as_bool()), (1, Some(true)));
    let expected = "the newer run (oversight-v1@0.4.7) leaves out checks of the older (oversight-v1@0.4.12)";
    assert!(text(&weaker.stderr).contains(expected), "{}", text(&weaker.stderr));
    for form in ["text", "markdown"] {
        let said = text(&run(&["diff", &more, &less, "--format", form]).stdout).replace("&#64;", "@");
        assert!(said.contains(expected), "{said}");
    }
    let stronger = run(&["diff", &less, &more, "--format", "json"]);
    assert_eq!((code(&stronger), json(&stronger)["is_narrower"].as_bool()), (0, Some(false)));
}

/// Name of the check, kind of change and cause of everything that changed.
fn changes(output: &Output) -> Vec<(String, String, String)> {
    let word = |change: &Json, name: &str| change[name].as_str().unwrap().to_owned();
    let report = json(output);
    let changes = report["changes"].as_array().unwrap();
    changes
        .iter()
        .map(|change| (word(change, "check"), word(change, "kind"), word(change, "cause")))
        .collect()
}

#[test]
fn a_change_of_the_target_is_told_apart_from_a_change_of_the_suite() {
    let folder = tempfile::tempdir().unwrap();
    let only = ["--edition", "0.4.12", "--only", "health-*", "--only", "well-known-*"];
    let good = archived(folder.path(), "good", &only);
    let bad = archived(folder.path(), "bad", &[&only[..], &["--fault", "health-status-missing"]].concat());
    let diff = |older: &str, newer: &str| run(&["diff", older, newer, "--format", "json"]);
    let same = diff(&good, &good);
    assert_eq!((code(&same), changes(&same)), (0, vec![]));
    let triple = |check: &str, kind: &str, cause: &str| (check.to_owned(), kind.to_owned(), cause.to_owned());
    let worse = diff(&good, &bad);
    assert_eq!(
        (code(&worse), changes(&worse)),
        (1, vec![triple("health-has-status", "regressed", "target")])
    );
    // A newer run that leaves out what is red shows nothing of it.
    let fewer = ["--edition", "0.4.12", "--only", "well-known-*", "--fault", "health-status-missing"];
    let fewer = archived(folder.path(), "fewer", &fewer);
    let narrower = diff(&good, &fewer);
    assert_eq!((code(&narrower), json(&narrower)["is_narrower"].as_bool()), (1, Some(true)));
    let said = text(&narrower.stderr);
    assert!(said.contains("the newer run (a selection of oversight-v1@0.4.12) leaves out checks"), "{said}");
    let wider = diff(&fewer, &good);
    assert_eq!((code(&wider), json(&wider)["is_narrower"].as_bool()), (0, Some(false)));
    let better = diff(&bad, &good);
    assert_eq!((code(&better), changes(&better)), (0, vec![triple("health-has-status", "fixed", "target")]));

    // Another suite: a check that asks for more, and one that is called otherwise.
    let suite = folder.path().join("suite");
    std::fs::create_dir(&suite).unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suites").join(SUITE), &suite);
    change_all(&suite, "well-known-has-version", "well-known-version-named");
    change_one(&suite, "health-200", "status: 200", "status: 204");
    write(
        &suite,
        "renames.yaml",
        "checks: [{from: well-known-has-version, to: well-known-version-named}]\nexchanges: []\n",
    );
    let newer =
        archived(folder.path(), "newer", &[&only[..], &["--suite-dir", suite.to_str().unwrap()]].concat());
    let drift = diff(&good, &newer);
    assert_eq!((code(&drift), changes(&drift)), (1, vec![triple("health-200", "regressed", "suite")]));
    // Without the table the renamed check is one that went and one that came.
    std::fs::remove_file(suite.join("renames.yaml")).unwrap();
    let newer =
        archived(folder.path(), "unnamed", &[&only[..], &["--suite-dir", suite.to_str().unwrap()]].concat());
    let found = changes(&diff(&good, &newer));
    assert!(found.contains(&triple("well-known-has-version", "removed", "suite")), "{found:?}");
    assert!(found.contains(&triple("well-known-version-named", "added", "suite")), "{found:?}");
    for form in ["text", "markdown"] {
        let output = run(&["diff", &good, &newer, "--format", form]);
        assert!(text(&output.stdout).contains("1 regressed, 1 added, 1 removed"), "{}", text(&output.stdout));
    }

    // What an archive says is not believed.
    tamper(&bad, "verdicts.json", "\"fail\"", "\"pass\"");
    let output = run(&["diff", &good, &bad]);
    assert!(
        code(&output) == 1 && text(&output.stderr).contains("is not what it says"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!(code(&run(&["diff", &good, "no/such/archive"])), 2);
}
