//! `assayer canon` and the laboratory.

use crate::{code, run, run_with_input, text};

#[test]
fn canonical_bytes_and_nothing_else_go_to_standard_output() {
    let output = run_with_input(&["canon"], br#" {"b": 1.0, "a": "\u00e9"} "#);
    assert_eq!((code(&output), text(&output.stdout).as_str()), (0, r#"{"a":"é","b":1}"#));
    let output =
        run_with_input(&["canon", "--scheme", "python-sort-keys", "-"], br#"{"b": 1.0, "a": "\u00e9"}"#);
    assert_eq!(text(&output.stdout), r#"{"a":"\u00e9","b":1.0}"#);
    let output = run_with_input(&["canon", "--scheme", "jcs-exact-integers"], b"1.5");
    assert_eq!((code(&output), output.stdout.len()), (1, 0));
    assert!(text(&output.stderr).contains("canon.float"));
}

#[test]
fn the_laboratory_shows_what_two_canonicalizers_disagree_about() {
    let output = run(&[
        "canon",
        "lab",
        "--adapter",
        "builtin:jcs",
        "--adapter",
        "builtin:python-sort-keys",
        "--cases",
        "3000",
        "--format",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["counts"]["generated"], 3000);
    let divergences = report["divergences"].as_array().unwrap();
    let delete = divergences.iter().find(|found| found["class"] == "escape.delete").unwrap();
    assert_eq!(delete["input"], "227f22");
    assert_eq!(delete["outcomes"]["assayer:jcs"]["ok"], "227f22");
    assert_eq!(delete["outcomes"]["assayer:python-sort-keys"]["ok"], hex::encode("\"\\u007f\""));

    let same = run(&[
        "canon",
        "lab",
        "--adapter",
        "builtin:jcs",
        "--adapter",
        "builtin:jcs",
        "--cases",
        "500",
        "--scheme",
        "jcs",
    ]);
    assert_eq!(same.status.code(), Some(0), "{}", String::from_utf8_lossy(&same.stdout));
}

#[test]
fn the_laboratory_needs_two_engines_and_names_the_absent() {
    let one = run(&["canon", "lab", "--adapter", "builtin:jcs"]);
    let absent =
        run(&["canon", "lab", "--adapter", "builtin:jcs", "--adapter", "no-such-program-of-anybody x"]);
    let unknown = run(&["canon", "lab", "--adapter", "builtin:jcs", "--adapter", "builtin:nobody"]);
    for (output, says) in [
        (&one, "at least two engines, found 1"),
        (&absent, "absent: no-such-program"),
        (&unknown, "there is no engine `nobody`"),
    ] {
        assert_eq!(output.status.code(), Some(2));
        assert!(
            String::from_utf8_lossy(&output.stderr).contains(says),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
