//! Databases and logs of the published registries, whole and corrupted, as recorded in `../shared/interop`. Without
//! these data the cases are skipped, and say so; the program's own cases stand in `tests/registry`.

use std::{
    error::Error,
    path::{Path, PathBuf},
};

use assayer_reference_registry::{DataLocation, LostIdentity, Options, migrate, start, validate};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde_json::Value;

/// What each corrupted copy must be found to be, where the published validator calls it whole or gives up.
/// Where it names classes of its own, those must be found too, with the same counts.
const OURS: &[(&str, &str)] = &[
    ("all-events-deleted", "beacon_leaves_without_event"),
    ("beacon-kind-changed", "unsigned_beacon_rows"),
    ("beacon-row-added", "unsigned_beacon_rows"),
    ("beacon-rows-deleted", "missing_beacon_rows"),
    ("beacon-token-moved-to-other-file", "unsigned_beacon_rows"),
    ("db-empty-file", "missing_tables"),
    ("db-events-table-dropped", "missing_tables"),
    ("db-missing", "database_errors"),
    ("db-not-sqlite", "database_errors"),
    ("db-truncated", "database_errors"),
    ("event-deleted", "beacon_leaves_without_event"),
    ("event-dns-ua-changed", "event_column_mismatches"),
    ("event-id-changed", "event_id_gaps"),
    ("event-issuer-null", "event_identity_mismatches"),
    ("event-timestamp-changed", "event_time_mismatches"),
    ("extra-empty", "event_column_mismatches"),
    ("extra-null", "event_column_mismatches"),
    ("extra-valid-other", "event_column_mismatches"),
    ("manifest-and-rows-recipient-changed-no-events", "manifest_row_mismatches"),
    ("manifest-issuer-pub-column-changed", "manifest_row_mismatches"),
    ("manifest-mldsa-changed", "unsigned_manifest_members"),
    ("manifest-registered-at-changed", "registration_leaf_mismatches"),
    ("manifest-replaced-by-other-issuer", "registration_leaf_mismatches"),
    ("manifest-unsigned-extra-field", "unsigned_manifest_members"),
    ("tlog-bom", "malformed_tlog_records"),
    ("tlog-extra-leaf-appended", "registration_leaves_without_manifest"),
    ("tlog-hash-flipped", "malformed_tlog_records"),
    ("tlog-hash-other", "tlog_leaf_hash_mismatches"),
    ("tlog-index-float", "malformed_tlog_records"),
    ("tlog-invalid-utf8", "malformed_tlog_records"),
    ("tlog-middle-leaf-removed", "noncontiguous_tlog_records"),
    ("tlog-missing", "missing_tlog"),
    ("tlog-register-leaf-forged", "registration_leaf_mismatches"),
    ("tlog-register-leaf-text-only-changed", "tlog_text_mismatches"),
    ("tlog-truncated-last-line", "malformed_tlog_records"),
    ("watermark-rows-deleted", "missing_watermark_rows"),
];

/// Copies that are whole, however unusual.
const WHOLE: &[&str] = &[
    "clean",
    "db-extra-column",
    "db-extra-table",
    "tlog-blank-lines",
    "tlog-crlf",
    "tlog-extra-members",
    "tlog-hex-null",
    "tlog-hex-removed",
    "tlog-no-final-newline",
    "tlog-uppercase-hash",
];

/// What nothing in these files contradicts: a report says so instead (`not_established`).
const BEYOND_REACH: &[&str] = &["corpus-value-changed"];

/// What the recordings themselves left behind that is wrong: five issuers with keys of small order (refused here, accepted
/// there), a post-quantum signature that its suite does not cover, and in Python one manifest whose file_id is a number.
const STATES: &[(&str, &[(&str, u64)])] = &[
    ("py-0.4.7/state-auth", &[]),
    (
        "py-0.4.7/state-main",
        &[
            ("invalid_manifest_signatures", 5),
            ("malformed_manifest_json", 1),
            ("unsigned_manifest_members", 1),
        ],
    ),
    ("py-0.4.12/state-auth", &[]),
    (
        "py-0.4.12/state-main",
        &[
            ("invalid_manifest_signatures", 5),
            ("malformed_manifest_json", 1),
            ("unsigned_manifest_members", 1),
        ],
    ),
    ("rust-0.4.12/state-auth", &[]),
    ("rust-0.4.12/state-main", &[("invalid_manifest_signatures", 5), ("unsigned_manifest_members", 1)]),
];

/// Further damage to what a recording left behind, and the class that counts it.
const FURTHER: &[(&str, &str, &str)] = &[
    ("a blob in a text column", "UPDATE events SET token_id = CAST(token_id AS BLOB) WHERE id = 5", "column_type_mismatches"),
    ("a text in an integer column", "UPDATE events SET timestamp = 'soon' WHERE id = 5", "column_type_mismatches"),
    ("a number between two leaves", "UPDATE events SET tlog_index = tlog_index + 0.5 WHERE id = 5", "events_without_tlog_index"),
    ("no token", "UPDATE beacons SET token_id = NULL WHERE rowid = 1", "column_type_mismatches"),
    ("no file", "UPDATE manifests SET file_id = NULL WHERE rowid = 1", "mismatched_manifest_file_ids"),
    ("a trigger", "CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM beacons; END", "triggers"),
    (
        "no key, and a row twice",
        "CREATE TABLE copied AS SELECT * FROM manifests; DROP TABLE manifests; ALTER TABLE copied RENAME TO manifests;
         INSERT INTO manifests SELECT * FROM manifests LIMIT 1",
        "duplicate_rows",
    ),
    ("a view", "ALTER TABLE corpus RENAME TO behind; CREATE VIEW corpus AS SELECT * FROM behind", "missing_tables"),
    ("no last number", "DELETE FROM sqlite_sequence", "event_id_gaps"),
    ("an unknown kind", "UPDATE events SET kind = 'ftp' WHERE id = 4", "event_column_mismatches"),
    ("a version of somebody else", "PRAGMA user_version = 7", "database_errors"),
    (
        "marks of a deleted manifest",
        "DELETE FROM manifests WHERE file_id = (SELECT file_id FROM watermarks LIMIT 1)",
        "orphan_watermarks",
    ),
];

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/interop/oversight");
    libtest_mimic::run(&arguments, trials(&folder)).exit();
}

fn trials(folder: &Path) -> Vec<Trial> {
    let corrupted = folder.join("rust-0.4.12/migrate-validate");
    let Ok(cases) = std::fs::read_dir(&corrupted) else {
        return vec![Trial::ignorable_test("published databases", || {
            Ok(Completion::ignored_with("../shared/interop/oversight is not here"))
        })];
    };
    let mut folders: Vec<PathBuf> = cases.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort();
    let mut trials = Vec::new();
    for case in folders {
        let name = case.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if let Some(name) = name.strip_prefix("validate-").map(String::from) {
            trials.push(Trial::test(format!("validates {name}"), move || {
                is_judged_right(&name, &case).map_err(|error| Failed::from(error.to_string()))
            }));
        }
    }
    for (what, statement, class) in FURTHER {
        let state = folder.join("rust-0.4.12/state-main");
        trials.push(Trial::test(format!("finds {what}"), move || {
            is_found(&state, statement, class).map_err(|error| Failed::from(error.to_string()))
        }));
    }
    for (name, expected) in STATES {
        let state = folder.join(name);
        trials.push(Trial::test(format!("takes over {name}"), move || {
            is_taken_over(&state, expected).map_err(|error| Failed::from(error.to_string()))
        }));
    }
    trials
}

fn is_found(state: &Path, statement: &str, class: &str) -> Result<(), Box<dyn Error>> {
    let copy = tempfile::TempDir::new()?;
    let db = copy.path().join("registry.sqlite");
    std::fs::copy(state.join("registry.sqlite"), &db)?;
    rusqlite::Connection::open(&db)?.execute_batch(statement)?;
    // The recording has nothing of these classes (`STATES`).
    match at(&validate(&db, state).to_json(), class).as_u64() {
        Some(1..) => Ok(()),
        found => Err(format!("{class} is {found:?}").into()),
    }
}

/// Migrates, finds the same things wrong before and after, and serves the log on.
fn is_taken_over(state: &Path, expected: &[(&str, u64)]) -> Result<(), Box<dyn Error>> {
    let (target, source) = (tempfile::tempdir()?, state.join("registry.sqlite"));
    let db = target.path().join("registry.sqlite");
    let before = std::fs::read(&source)?;
    let migration = migrate(&source, &db, target.path(), false)?.to_json();
    for report in [validate(&source, state).to_json(), validate(&db, target.path()).to_json()] {
        let found =
            report.as_object().into_iter().flatten().filter(|(name, value)| {
                value.as_u64().is_some_and(|count| count > 0) && *name != "tlog_size"
            });
        let found: Vec<(&str, u64)> =
            found.map(|(name, count)| (name.as_str(), count.as_u64().unwrap_or(0))).collect();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        let mut found = found;
        found.sort_unstable();
        if found != expected {
            return Err(format!("expected {expected:?}, found {found:?}\n{report:#}").into());
        }
        if at(&report, "tlog_size") != at(&migration, "tlog_leaves") {
            return Err(format!(
                "{} leaves were carried over, there are {}",
                at(&migration, "tlog_leaves"),
                at(&report, "tlog_size")
            )
            .into());
        }
    }
    if std::fs::read(&source)? != before {
        return Err("the source was changed".into());
    }
    // What was recorded has no private key in it.
    let lost_identity = LostIdentity::Replaced;
    let data = DataLocation::Directory(target.path().to_owned());
    let options = Options { data, lost_identity, ..Options::ephemeral() };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        start(options).await?.stop().await;
        Ok(())
    })
}

fn is_judged_right(name: &str, case: &Path) -> Result<(), Box<dyn Error>> {
    let report = validate(&case.join("registry.sqlite"), case).to_json();
    let recorded: Value = serde_json::from_slice(&std::fs::read(case.join("output.json"))?)?;
    let count = |report: &Value, class: &str| report.get(class).and_then(Value::as_u64).unwrap_or(0);
    let mut wrong = Vec::new();
    let is_whole = WHOLE.contains(&name) || BEYOND_REACH.contains(&name);
    if *at(&report, "ok") != Value::Bool(is_whole) {
        wrong.push(format!("ok is {}", at(&report, "ok")));
    }
    let ours = OURS.iter().filter(|(case, _)| *case == name);
    for (_, class) in ours.clone().filter(|(_, class)| count(&report, class) == 0) {
        wrong.push(format!("nothing in {class}"));
    }
    let theirs = at(&recorded, "report").as_object().into_iter().flatten().filter(|(class, value)| {
        value.is_u64() && !class.starts_with("tlog_size") && count(at(&recorded, "report"), class) > 0
    });
    let mut named = ours.count();
    for (class, expected) in theirs {
        named += 1;
        if count(&report, class) < expected.as_u64().unwrap_or(0) {
            wrong.push(format!("{class} is {}, expected {expected}", count(&report, class)));
        }
    }
    if !is_whole && named == 0 {
        wrong.push(String::from("this test does not say what the case is"));
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n{report:#}", wrong.join("\n")).into()) }
}

fn at<'a>(document: &'a Value, name: &str) -> &'a Value {
    document.get(name).unwrap_or(&Value::Null)
}
