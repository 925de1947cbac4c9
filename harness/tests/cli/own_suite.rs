//! Suites that have the name of ours, and are not ours.

use std::path::Path;

use assayer_harness::titles;
use assayer_reports::{Form, Report};
use assayer_vectors::{SUITE, load_folder};
use serde_json::Value as Json;

use crate::claim::{claim_of, key_file, public};
use crate::{archived, change_one, code, copy, put, run, tamper, text};

/// A suite that asks less may have the name of ours, but not its weight.
#[test]
fn a_suite_of_our_name_that_is_not_ours_is_told_wherever_its_edition_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suites").join(SUITE);
    let (same, weak) = (folder.path().join("same"), folder.path().join("weak"));
    copy(&suites, &same);
    copy(&suites, &weak);
    change_one(&weak, "health-200", "A", "An");
    let key = key_file(folder.path(), "key.pem", 7);
    let edition = |suite: &Path, name: &str| {
        let suite = suite.to_str().unwrap();
        archived(folder.path(), name, &["--edition", "0.4.12", "--suite-dir", suite, "--sign", &key])
    };
    let (ours, own) = (edition(&same, "ours"), edition(&weak, "own"));
    for form in Form::ALL {
        let mark = match form {
            Form::Json => "\"own_suite\": true",
            Form::Ndjson => "\"own_suite\":true",
            _ => "0.4.12 (own suite)",
        };
        let marked = |archive: &str| {
            std::fs::read_to_string(Path::new(archive).join(form.file_name())).unwrap().contains(mark)
        };
        assert_eq!((marked(&ours), marked(&own)), (false, true), "{form:?}");
    }
    let report = std::fs::read_to_string(format!("{own}/report.txt")).unwrap();
    assert!(report.contains("is not the suite of assayer"), "{report}");
    let said = |archive: &str| text(&run(&["recheck", archive]).stderr);
    assert!(said(&own).contains("own suite: oversight-v1 with SHA-256"), "{}", said(&own));
    assert!(!said(&ours).contains("own suite"), "{}", said(&ours));
    let site = folder.path().join("site");
    assert_eq!(code(&run(&["matrix", &ours, &own, "--out", site.to_str().unwrap()])), 0);
    let matrix: Json = serde_json::from_slice(&std::fs::read(site.join("matrix.json")).unwrap()).unwrap();
    let is_own = |place: usize| matrix["implementations"][place]["own_suite"].as_bool();
    assert_eq!((is_own(0), is_own(1)), (Some(false), Some(true)));
    let index = std::fs::read_to_string(site.join("index.html")).unwrap();
    assert_eq!(index.matches("(own suite)").count(), 1);

    let claim = |archive: &str| format!("{archive}/claim.dsse.json");
    let (_, _, layers) = claim_of(&claim(&ours), &[]);
    assert_eq!(layers("suite"), ("established".to_owned(), "ok".to_owned()));
    let (_, line, layers) = claim_of(&claim(&own), &["--claimant-key", &public(7)]);
    assert_eq!(layers("suite"), ("not-established".to_owned(), "claim.unknown-suite".to_owned()));
    let digest = line["claim"]["suite_digest"].as_str().unwrap().to_owned();
    let (_, _, layers) = claim_of(&claim(&own), &["--suite-digest", &digest]);
    assert_eq!(layers("suite").0, "established");
}

/// A build with another suite at the same version marks nothing in what it writes: that accuses nobody, and is told.
#[test]
fn pages_of_a_build_with_another_suite_have_no_mark_and_that_is_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/suites").join(SUITE), &other);
    change_one(&other, "health-200", "A", "An");
    let only = ["--edition", "0.4.12", "--suite-dir", other.to_str().unwrap()];
    let archive = archived(folder.path(), "run", &only);
    let suite = load_folder(&other).unwrap();
    let text_of = |name: &str| std::fs::read_to_string(Path::new(&archive).join(name)).unwrap();
    let report: Report = serde_json::from_str(&text_of("report.json")).unwrap();
    let unmarked = Report { own_suite: false, ..report };
    for form in Form::ALL {
        // What that build has is what a report without the mark renders to.
        let page = form.render(&unmarked, &titles(&suite)).unwrap();
        let page = if form == Form::Text { anstream::adapter::strip_str(&page).to_string() } else { page };
        assert_ne!(page, text_of(form.file_name()), "{form:?}");
        put(&archive, form.file_name(), &page);
    }
    let output = run(&["recheck", &archive]);
    let said = text(&output.stderr);
    assert!(code(&output) == 0 && !said.contains("recorded"), "{said}");
    assert!(said.contains("own suite: oversight-v1 with SHA-256"), "{said}");
    // That is all that may differ.
    for name in ["report.html", "report.ndjson", "badge.svg"] {
        let page = text_of(name);
        put(&archive, name, &page.replacen("0.4.12", "0.4.13", 1));
        let output = run(&["recheck", &archive]);
        assert!(code(&output) == 1 && text(&output.stderr).contains(name), "{name}");
        put(&archive, name, &page);
    }
    // Nor may a suite that is ours be told to be another.
    let ours = archived(folder.path(), "ours", &["--edition", "0.4.12"]);
    tamper(&ours, "report.json", "  \"wire\":", "  \"own_suite\": true,\n  \"wire\":");
    let output = run(&["recheck", &ours]);
    assert!(code(&output) == 1 && text(&output.stderr).contains("/own_suite"), "{}", text(&output.stderr));
}
