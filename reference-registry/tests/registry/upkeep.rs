//! Validation and migration of a registry that has been stopped.

use std::{
    fmt::Write,
    path::Path,
    time::{Duration, Instant},
};

use assayer_reference_registry::{
    DataLocation, MigrationError, Options, Validation, import_log, migrate, validate,
};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Issuer, Registry, members};

fn opened(directory: &Path) -> Registry {
    Registry::with(Options { data: DataLocation::Directory(directory.to_owned()), ..Options::ephemeral() })
}

/// A registry with everything that rows can have, stopped: four files, one registered again with fewer items, one that
/// takes over a token and a mark of its issuer, one with a corpus; events of both kinds, one of an unknown token.
fn stopped() -> TempDir {
    let directory = TempDir::new().unwrap();
    let registry = opened(directory.path());
    let issuer = Issuer::new(1);
    registry.post("/register", &issuer.registration("one")).accepts();
    let mut again = issuer.manifest("two");
    registry.post("/register", &issuer.registration_of(again.clone())).accepts();
    members(&mut again).insert(String::from("beacons"), json!([{"token_id": "two-t1", "kind": "dns"}]));
    registry.post("/register", &issuer.registration_of(again)).accepts();
    let mut takes_over = issuer.manifest("three");
    takes_over["beacons"] = json!([{"token_id": "one-t1", "kind": "http"}]);
    takes_over["watermarks"] = json!([{"layer": "L3_semantic", "mark_id": "one-m3"}]);
    registry.post("/register", &issuer.registration_of(takes_over)).accepts();
    let mut with_corpus = Issuer::new(2).registration("four");
    with_corpus["corpus"] = json!({"perceptual": "p4"});
    registry.post("/register", &with_corpus).accepts();
    for target in ["/p/two-t1.png", "/v/four-t2", "/r/unknown"] {
        assert_eq!(registry.get(target).status, 200);
    }
    registry
        .post("/dns_event", &json!({"token_id": "four-t1", "client_ip": "192.0.2.1", "qname": "é.test"}))
        .accepts();
    registry.stop();
    directory
}

fn validated(directory: &Path) -> Validation {
    validate(&directory.join("registry.sqlite"), directory)
}

fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn a_registry_that_was_stopped_is_valid_and_stays_as_it_is() {
    let directory = stopped();
    let before = files(directory.path());
    let validation = validated(directory.path());
    assert!(validation.is_ok(), "{:#}", validation.to_json());
    let report = validation.to_json();
    assert_eq!(
        report["counts"],
        json!({"manifests": 4, "beacons": 5, "watermarks": 6, "events": 4, "corpus": 1})
    );
    assert_eq!(report["tlog_size"], 9);
    assert_eq!(files(directory.path()), before);
}

/// One change each, and the class that must count it.
const DAMAGES: &[(&str, &str)] = &[
    ("DELETE FROM manifests WHERE file_id = 'four'", "orphan_events"),
    ("DELETE FROM manifests WHERE file_id = 'four'", "orphan_corpus"),
    ("DELETE FROM manifests WHERE file_id = 'one'", "registration_leaves_without_manifest"),
    ("UPDATE beacons SET recipient_id = 'x' WHERE token_id = 'two-t1'", "beacon_identity_mismatches"),
    ("UPDATE watermarks SET issuer_id = 'x' WHERE mark_id = 'one-m1'", "watermark_identity_mismatches"),
    ("UPDATE events SET issuer_id = NULL WHERE id = 1", "event_identity_mismatches"),
    ("UPDATE events SET issuer_id = 'x' WHERE file_id IS NULL", "event_identity_mismatches"),
    ("UPDATE events SET extra = '{' WHERE id = 1", "malformed_event_extra_json"),
    ("UPDATE events SET extra = '[]' WHERE id = 1", "event_column_mismatches"),
    ("UPDATE events SET user_agent = 'x' WHERE kind = 'dns'", "event_column_mismatches"),
    (
        "UPDATE events SET extra = replace(extra, 'test', 'text') WHERE kind = 'dns'",
        "event_tlog_leaf_mismatches",
    ),
    ("UPDATE events SET timestamp = timestamp + 6 WHERE id = 1", "event_time_mismatches"),
    ("UPDATE events SET tlog_index = 6 WHERE id = 1", "duplicate_event_tlog_indexes"),
    ("UPDATE events SET tlog_index = -1 WHERE id = 1", "negative_event_tlog_indexes"),
    ("UPDATE events SET tlog_index = NULL WHERE id = 1", "events_without_tlog_index"),
    ("UPDATE events SET tlog_index = 9 WHERE id = 1", "event_tlog_indexes_out_of_range"),
    ("DELETE FROM events WHERE id = 2", "beacon_leaves_without_event"),
    ("DELETE FROM events WHERE id = 2", "event_id_gaps"),
    ("DELETE FROM events WHERE id = 4", "event_id_gaps"),
    ("UPDATE corpus SET metadata = '{'", "malformed_corpus_metadata_json"),
    ("UPDATE corpus SET registered_at = 1", "registered_at_mismatches"),
    (
        "UPDATE beacons SET registered_at = registered_at - 6 WHERE token_id = 'two-t1'",
        "registered_at_mismatches",
    ),
    ("UPDATE manifests SET registered_at = 1 WHERE file_id = 'one'", "registration_leaf_mismatches"),
    ("UPDATE manifests SET manifest_json = 'x' WHERE file_id = 'one'", "malformed_manifest_json"),
    (
        "UPDATE manifests SET manifest_json = replace(manifest_json, '4096', '4097') WHERE file_id = 'one'",
        "invalid_manifest_signatures",
    ),
    (
        "UPDATE manifests SET manifest_json = (SELECT manifest_json FROM manifests WHERE file_id = 'four') WHERE file_id = 'one'",
        "mismatched_manifest_file_ids",
    ),
    (
        "UPDATE manifests SET manifest_json = replace(manifest_json, '\"signature_ml_dsa\":\"\"', '\"signature_ml_dsa\":\"00\"') WHERE file_id = 'one'",
        "unsigned_manifest_members",
    ),
    ("UPDATE manifests SET issuer_ed25519_pub = 'x' WHERE file_id = 'one'", "manifest_row_mismatches"),
    ("DELETE FROM beacons WHERE token_id = 'two-t1'", "missing_beacon_rows"),
    ("UPDATE beacons SET kind = 'x' WHERE token_id = 'two-t1'", "unsigned_beacon_rows"),
    ("DELETE FROM watermarks WHERE mark_id = 'four-m1'", "missing_watermark_rows"),
    ("UPDATE watermarks SET layer = 'x' WHERE mark_id = 'four-m1'", "unsigned_watermark_rows"),
    (
        "INSERT INTO beacons SELECT 'new', file_id, recipient_id, issuer_id, kind, registered_at FROM beacons WHERE token_id = 'four-t1'",
        "unsigned_beacon_rows",
    ),
    ("DELETE FROM tlog WHERE leaf_index = 3", "noncontiguous_tlog_records"),
    ("DELETE FROM tlog WHERE leaf_index = 8", "tlog_node_mismatches"),
    ("UPDATE tlog SET leaf_hash = zeroblob(32) WHERE leaf_index = 0", "tlog_leaf_hash_mismatches"),
    ("UPDATE tlog SET leaf_hash = 7 WHERE leaf_index = 0", "malformed_tlog_records"),
    ("UPDATE tlog_nodes SET hashes = zeroblob(length(hashes))", "tlog_node_mismatches"),
    ("DELETE FROM registrations WHERE file_id = 'one'", "registration_row_mismatches"),
    (
        "UPDATE registrations SET registered_at = registered_at + 1 WHERE file_id = 'one'",
        "registration_row_mismatches",
    ),
    ("INSERT INTO attestations VALUES ('one', 0, '{}')", "attestation_mismatches"),
    ("INSERT INTO attestations VALUES ('one', 3, '{}')", "attestation_mismatches"),
    (
        "UPDATE manifests SET manifest_json = '{\"size_bytes\":1,' || substr(manifest_json, 2) WHERE file_id = 'one'",
        "malformed_manifest_json",
    ),
    (
        "CREATE TABLE copied (token_id TEXT COLLATE NOCASE PRIMARY KEY, file_id TEXT NOT NULL, recipient_id TEXT NOT NULL,
             issuer_id TEXT NOT NULL, kind TEXT NOT NULL, registered_at INTEGER NOT NULL);
         INSERT INTO copied SELECT * FROM beacons; DROP TABLE beacons; ALTER TABLE copied RENAME TO beacons",
        "missing_keys",
    ),
    ("INSERT INTO registrations VALUES ('one', 8, '', 0)", "registration_row_mismatches"),
    ("DROP TABLE corpus", "missing_tables"),
    ("ALTER TABLE corpus DROP COLUMN metadata", "missing_columns"),
    ("UPDATE events SET tlog_index = 11 - tlog_index WHERE id IN (1, 2)", "event_tlog_leaf_mismatches"),
    (
        "UPDATE events SET id = -id WHERE id IN (1, 2); UPDATE events SET id = 3 + id, timestamp = timestamp + 30 * id WHERE id < 0",
        "event_order_mismatches",
    ),
    ("UPDATE events SET file_id = 'four' WHERE id = 1", "event_token_mismatches"),
    ("UPDATE events SET token_id = 'four-t1', file_id = 'four', tlog_index = 3 WHERE id = 1", "event_token_mismatches"),
    (
        "UPDATE events SET file_id = NULL, recipient_id = NULL, issuer_id = NULL WHERE id = 4",
        "event_token_mismatches",
    ),
    ("UPDATE events SET kind = 'ftp' WHERE id = 1", "event_column_mismatches"),
    ("DELETE FROM sqlite_sequence", "event_id_gaps"),
    ("UPDATE events SET source_ip = x'00' WHERE id = 1", "column_type_mismatches"),
    ("UPDATE events SET tlog_index = 'five' WHERE id = 1", "events_without_tlog_index"),
    ("UPDATE events SET tlog_index = 'five' WHERE id = 1", "column_type_mismatches"),
    ("UPDATE beacons SET token_id = NULL WHERE token_id = 'two-t1'", "column_type_mismatches"),
    ("UPDATE beacons SET token_id = NULL WHERE token_id = 'two-t1'", "missing_beacon_rows"),
    ("UPDATE watermarks SET layer = x'4c31' WHERE mark_id = 'four-m1'", "column_type_mismatches"),
    ("UPDATE manifests SET file_id = NULL WHERE file_id = 'one'", "mismatched_manifest_file_ids"),
    ("UPDATE manifests SET registered_at = 'soon' WHERE file_id = 'one'", "column_type_mismatches"),
    ("UPDATE manifests SET manifest_json = CAST(manifest_json AS BLOB) WHERE file_id = 'one'", "malformed_manifest_json"),
    (
        "CREATE TABLE copied AS SELECT * FROM beacons; DROP TABLE beacons; ALTER TABLE copied RENAME TO beacons",
        "missing_keys",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM manifests; DROP TABLE manifests; ALTER TABLE copied RENAME TO manifests;
         INSERT INTO manifests SELECT * FROM manifests WHERE file_id = 'one'",
        "duplicate_rows",
    ),
    ("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM events; END", "triggers"),
    ("ALTER TABLE corpus RENAME TO behind; CREATE VIEW corpus AS SELECT * FROM behind", "missing_tables"),
    ("DROP TABLE tlog_nodes", "missing_tables"),
    ("DROP TABLE attestations", "missing_tables"),
    ("INSERT INTO tlog_nodes VALUES (5 << 56, zeroblob(32))", "tlog_node_mismatches"),
    ("UPDATE registrations SET tlog_index = 'one' WHERE file_id = 'one'", "registration_row_mismatches"),
    ("PRAGMA user_version = 99", "database_errors"),
    ("PRAGMA user_version = -1", "database_errors"),
    ("PRAGMA application_id = 7", "database_errors"),
    (
        "UPDATE manifests SET manifest_json = manifest_json || char(10) WHERE file_id = 'one'",
        "manifest_text_mismatches",
    ),
    (
        "UPDATE manifests SET manifest_json = replace(manifest_json, ',\"suite\"', ', \"suite\"') WHERE file_id = 'one'",
        "manifest_text_mismatches",
    ),
    (
        "UPDATE manifests SET manifest_json = replace(manifest_json, 'OVERSIGHT', '\\u004fVERSIGHT') WHERE file_id = 'one'",
        "manifest_text_mismatches",
    ),
    ("UPDATE corpus SET hash_value = ''", "corpus_row_mismatches"),
    ("UPDATE corpus SET hash_value = printf('%257d', 1)", "corpus_row_mismatches"),
    ("UPDATE corpus SET metadata = '{}'", "corpus_row_mismatches"),
    (
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 64)
         INSERT INTO corpus SELECT file_id, hash_kind || x, hash_value, metadata, registered_at FROM corpus, n",
        "corpus_row_mismatches",
    ),
    (
        "INSERT INTO corpus SELECT file_id, hash_kind, hash_value || 'x', metadata, registered_at FROM corpus",
        "corpus_row_mismatches",
    ),
    ("UPDATE corpus SET hash_value = CAST(x'ff' AS TEXT)", "column_type_mismatches"),
    ("UPDATE events SET extra = '{ }' WHERE id = 1", "event_column_mismatches"),
    (
        "UPDATE events SET extra = replace(extra, '{', '{\"qtype\":\"A\",') WHERE kind = 'dns'",
        "malformed_event_extra_json",
    ),
    ("INSERT INTO sqlite_sequence SELECT name, seq + 5 FROM sqlite_sequence WHERE name = 'events'", "event_id_gaps"),
    ("INSERT INTO earlier_beacons SELECT * FROM beacons WHERE token_id = 'two-t1'", "earlier_row_mismatches"),
    (
        "INSERT INTO earlier_watermarks SELECT * FROM watermarks WHERE mark_id = 'four-m1'; DELETE FROM watermarks WHERE mark_id = 'four-m1'",
        "earlier_row_mismatches",
    ),
    (
        "UPDATE beacons SET file_id = 'one' WHERE token_id = 'one-t1'; UPDATE earlier_beacons SET file_id = 'three'",
        "earlier_row_mismatches",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM registrations; DROP TABLE registrations; ALTER TABLE copied RENAME TO registrations",
        "missing_keys",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM tlog_nodes; DROP TABLE tlog_nodes; ALTER TABLE copied RENAME TO tlog_nodes",
        "missing_keys",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM registrations; DROP TABLE registrations; ALTER TABLE copied RENAME TO registrations;
         INSERT INTO registrations SELECT * FROM registrations WHERE file_id = 'one'",
        "duplicate_rows",
    ),
    ("CREATE UNIQUE INDEX u ON corpus (file_id, metadata)", "definition_mismatches"),
    ("CREATE INDEX u ON events (json(extra))", "definition_mismatches"),
    ("CREATE INDEX u ON events (kind) WHERE json(extra) <> ''", "definition_mismatches"),
    (
        "DROP INDEX idx_events_token; CREATE INDEX idx_events_token ON events (token_id) WHERE kind = 'dns'",
        "definition_mismatches",
    ),
    ("DROP INDEX idx_events_file; CREATE INDEX idx_events_file ON events (kind)", "definition_mismatches"),
    ("ALTER TABLE events ADD COLUMN more TEXT GENERATED ALWAYS AS (kind) VIRTUAL", "definition_mismatches"),
    ("ALTER TABLE corpus ADD COLUMN more TEXT CHECK (length(more) < 9)", "definition_mismatches"),
    ("ALTER TABLE corpus ADD COLUMN more TEXT REFERENCES nowhere (x)", "definition_mismatches"),
    (
        "CREATE TABLE copied (file_id TEXT, hash_kind TEXT, hash_value TEXT, metadata TEXT, registered_at INTEGER, PRIMARY KEY (file_id, hash_kind, hash_value)); INSERT INTO copied SELECT * FROM corpus;
         DROP TABLE corpus; ALTER TABLE copied RENAME TO corpus",
        "definition_mismatches",
    ),
    (
        "CREATE TABLE copied (file_id TEXT, hash_kind TEXT, hash_value TEXT, metadata BLOB, registered_at INTEGER NOT NULL, PRIMARY KEY (file_id, hash_kind, hash_value)); INSERT INTO copied SELECT * FROM corpus;
         DROP TABLE corpus; ALTER TABLE copied RENAME TO corpus",
        "definition_mismatches",
    ),
    (
        "CREATE TABLE copied (file_id TEXT, hash_kind TEXT, hash_value TEXT, metadata TEXT, registered_at INTEGER NOT NULL, PRIMARY KEY (file_id, hash_kind, hash_value)) WITHOUT ROWID; SELECT (1); INSERT INTO copied SELECT * FROM corpus;
         DROP TABLE corpus; ALTER TABLE copied RENAME TO corpus",
        "definition_mismatches",
    ),
    (
        "CREATE TABLE copied (file_id TEXT NOT NULL ON CONFLICT IGNORE, hash_kind TEXT, hash_value TEXT, metadata TEXT, registered_at INTEGER NOT NULL, PRIMARY KEY (file_id, hash_kind, hash_value)); INSERT INTO copied SELECT * FROM corpus;
         DROP TABLE corpus; ALTER TABLE copied RENAME TO corpus",
        "definition_mismatches",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM corpus; DROP TABLE corpus;
         CREATE TABLE corpus (file_id TEXT, hash_kind TEXT, hash_value TEXT, metadata TEXT AS (hash_value), registered_at INTEGER NOT NULL,
             PRIMARY KEY (file_id, hash_kind, hash_value));
         INSERT INTO corpus SELECT file_id, hash_kind, hash_value, registered_at FROM copied",
        "definition_mismatches",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM corpus; DROP TABLE corpus;
         CREATE TABLE corpus (file_id TEXT, hash_kind TEXT, hash_value TEXT, metadata TEXT, registered_at INTEGER NOT NULL, more TEXT NOT NULL,
             PRIMARY KEY (file_id, hash_kind, hash_value));
         INSERT INTO corpus SELECT *, '' FROM copied",
        "definition_mismatches",
    ),
    (
        "CREATE TABLE copied AS SELECT * FROM events; DROP TABLE events;
         CREATE TABLE events (id INTEGER PRIMARY KEY, token_id TEXT NOT NULL, file_id TEXT, recipient_id TEXT, issuer_id TEXT, kind TEXT NOT NULL,
             source_ip TEXT, user_agent TEXT, extra TEXT, timestamp INTEGER NOT NULL, qualified_timestamp TEXT, tlog_index INTEGER);
         INSERT INTO events SELECT * FROM copied",
        "definition_mismatches",
    ),
];

#[test]
fn every_damage_is_counted_in_its_class_and_the_row_is_named() {
    let directory = stopped();
    for (damage, class) in DAMAGES {
        let copy = TempDir::new().unwrap();
        for (name, bytes) in files(directory.path()) {
            std::fs::write(copy.path().join(name), bytes).unwrap();
        }
        Connection::open(copy.path().join("registry.sqlite")).unwrap().execute_batch(damage).unwrap();
        let report = validated(copy.path()).to_json();
        assert_eq!(report["ok"], false, "{damage}");
        assert!(report[class].as_u64().unwrap() > 0, "{damage}: {report:#}");
        let named = report["failures"].as_array().unwrap().iter().find(|failure| failure["class"] == *class);
        assert!(named.is_some_and(|failure| !failure["why"].as_str().unwrap().is_empty()), "{damage}");
    }
}

/// What is found is shown as it stands in the files, for people who do not read Rust.
#[test]
fn failures_say_what_was_found_in_the_words_of_the_files() {
    let cases = [
        ("UPDATE events SET kind = 'é\"' WHERE id = 1", r#"kind is "http_img", the row says "é\"""#),
        (
            "UPDATE events SET timestamp = 0.5 WHERE id = 1",
            r#"timestamp is no integer, qualified_timestamp "2"#,
        ),
        (
            "UPDATE events SET source_ip = NULL WHERE id = 1",
            r#"source_ip is "127.0.0.1", the row says no text"#,
        ),
        (
            "UPDATE beacons SET recipient_id = 'x' WHERE token_id = 'two-t1'",
            r#"recipient_id and issuer_id are "x" and "issuer", those of the manifest's row "recipient" and "issuer""#,
        ),
        (
            "UPDATE corpus SET registered_at = 1",
            r#"registered_at is 1, at which the log has no registration of "four""#,
        ),
    ];
    for (damage, expected) in cases {
        let directory = stopped();
        run(&directory, damage);
        let validation = validated(directory.path());
        let said: Vec<&str> = validation.failures().iter().map(|failure| failure.why.as_str()).collect();
        assert!(said.iter().any(|why| why.contains(expected)), "{expected}: {said:?}");
    }
    let directory = stopped();
    run(&directory, "UPDATE events SET tlog_index = '6x' WHERE id = 2");
    let report = validated(directory.path()).to_json();
    assert_eq!((&report["column_type_mismatches"], &report["tlog_node_mismatches"]), (&json!(1), &json!(0)));
}

/// A line of `leaves.jsonl` with this leaf, as it would stand there.
fn line(index: usize, leaf: &str) -> Value {
    let hash = hex::encode(crate::support::leaf_hash(leaf.as_bytes()));
    json!({"index": index, "leaf_hash": hash, "leaf_data": leaf, "leaf_data_hex": hex::encode(leaf)})
}

type Edit = fn(&mut Vec<String>);

/// Changes to the leaves, each written out again with right indexes and hashes, and what the rows are told besides.
const LEAF_DAMAGES: &[(&str, Edit, &str, &str)] = &[
    ("the last leaf twice", |leaves| leaves.push(leaves[8].clone()), "", "beacon_leaves_without_event"),
    ("two events change places", |leaves| leaves.swap(5, 6), "", "event_tlog_leaf_mismatches"),
    (
        "an event comes before the file it is of",
        |leaves| leaves.swap(4, 6),
        "UPDATE events SET tlog_index = 4 WHERE id = 2",
        "event_token_mismatches",
    ),
    (
        "a member more",
        |leaves| leaves[5] = leaves[5].replacen('{', "{\"a\":1,", 1),
        "",
        "unknown_tlog_leaves",
    ),
    (
        "a member twice",
        |leaves| leaves[5] = leaves[5].replacen('{', "{\"event\":\"register\",", 1),
        "",
        "unknown_tlog_leaves",
    ),
    ("a line break", |leaves| leaves[5].push('\n'), "", "unknown_tlog_leaves"),
    (
        "a registration once more, after a day",
        |leaves| {
            let at = leaves[8].find("\"timestamp\":\"").unwrap() + 13;
            leaves[8].replace_range(at..at + 4, "2099");
            leaves.push(leaves[0].clone());
        },
        "",
        "unknown_tlog_leaves",
    ),
    ("a space", |leaves| leaves[5] = leaves[5].replacen(':', ": ", 1), "", "unknown_tlog_leaves"),
    (
        "no time",
        |leaves| leaves[1] = leaves[1].replace("\"timestamp\":\"2", "\"timestamp\":\"x"),
        "",
        "unknown_tlog_leaves",
    ),
];

fn with_leaves(edit: Edit, statement: &str) -> TempDir {
    let directory = published();
    let path = directory.path().join("tlog/leaves.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    let leaf =
        |line: &str| serde_json::from_str::<Value>(line).unwrap()["leaf_data"].as_str().unwrap().to_owned();
    let mut leaves: Vec<String> = text.lines().map(leaf).collect();
    edit(&mut leaves);
    let lines: Vec<String> =
        leaves.iter().enumerate().map(|(index, leaf)| line(index, leaf).to_string()).collect();
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
    run(&directory, statement);
    directory
}

#[test]
fn leaves_that_were_rewritten_with_their_hashes_are_noticed() {
    let whole = validated(with_leaves(|_| (), "").path());
    assert!(whole.is_ok(), "{:#}", whole.to_json());
    for (what, edit, statement, class) in LEAF_DAMAGES {
        let report = validated(with_leaves(*edit, statement).path()).to_json();
        assert!(report[class].as_u64().unwrap() > 0, "{what}: {report:#}");
    }
}

/// Anybody may report events of tokens that no file has, and an issuer may register a file as often as he likes. Rows times leaves would
/// be minutes here.
#[test]
fn a_validation_looks_up_what_many_leaves_and_rows_have_in_common() {
    let directory = with_leaves(
        |leaves| (0..4000).for_each(|_| leaves.push(leaves[1].clone())),
        "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 4000)
         INSERT INTO events SELECT NULL, 'unknown' || x, NULL, NULL, NULL, kind, source_ip, user_agent, extra, timestamp, qualified_timestamp, 8
         FROM events, n WHERE id = 1
         UNION ALL SELECT NULL, token_id, file_id, 'another', issuer_id, kind, source_ip, user_agent, extra, timestamp, qualified_timestamp, 8
         FROM events, n WHERE id = 1",
    );
    // No measurement: 0.3 seconds, and 43 if each row reads all leaves.
    let started = Instant::now();
    let report = validated(directory.path()).to_json();
    assert_eq!(report["event_identity_mismatches"], 4000, "{report:#}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
}

/// Puts something in the place of a file.
type Put = fn(&Path);

/// A pipe would hold the program up for good and a device fill its memory; a link to the device is as good as either, and ends where a pipe
/// would not.
#[test]
fn what_is_no_file_and_what_has_no_end_is_not_read() {
    let zero: Put = |path| {
        drop(std::fs::remove_file(path));
        std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    };
    let blanks: Put = |path| append(path, &vec![b' '; 1 << 16]);
    let pipe: Put = |path| {
        drop(std::fs::remove_file(path));
        assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
    };
    let cases: [(&str, Put, &str, &str); 5] = [
        ("registry-identity.json", blanks, "identity_file_errors", "expected at most 65536 bytes"),
        ("registry-identity.json", zero, "identity_file_errors", "expected a regular file"),
        ("registry-identity.json", pipe, "identity_file_errors", "expected a regular file"),
        ("tlog/leaves.jsonl", zero, "malformed_tlog_records", "expected a regular file"),
        ("tlog/leaves.jsonl", pipe, "malformed_tlog_records", "expected a regular file"),
    ];
    for (name, damage, class, why) in cases {
        let (directory, target) = (published(), TempDir::new().unwrap());
        damage(&directory.path().join(name));
        let report = validated(directory.path()).to_json();
        assert!(report[class] == 1 && report["failures"].to_string().contains(why), "{name}: {report:#}");
        let error = migrated(&directory, &target, true).unwrap_err();
        let said = with_causes(&error);
        assert!(said.contains(why) && said.contains(name) && !said.contains("target"), "{said}");
    }
    let directory = stopped();
    std::fs::create_dir(directory.path().join("tlog")).unwrap();
    pipe(&directory.path().join("tlog/leaves.jsonl"));
    assert_eq!(validated(directory.path()).to_json()["log_file_mismatches"], 1);
    // A file in the place of its folder is no log.
    let directory = published();
    std::fs::remove_dir_all(directory.path().join("tlog")).unwrap();
    std::fs::write(directory.path().join("tlog"), b"").unwrap();
    assert_eq!(validated(directory.path()).to_json()["missing_tlog"], 1);
    assert!(matches!(
        migrated(&directory, &TempDir::new().unwrap(), false),
        Err(MigrationError::MissingLog(_))
    ));
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| (*error).source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Nothing else holds the leaf of an earlier registration to a manifest: its own says what no registry writes.
#[test]
fn members_of_leaves_have_the_types_that_registries_write() {
    let cases = [
        ("\"n_beacons\":", "2", "-1"),
        ("\"n_beacons\":", "2", "\"2\""),
        ("\"n_beacons\":", "2", "null"),
        ("\"n_beacons\":", "2", "2.5"),
        ("\"n_watermarks\":", "2", "1000000000000000000000000000000"),
        ("\"recipient_id\":", "\"recipient\"", "null"),
        ("\"recipient_id\":", "\"recipient\"", "7"),
        ("\"issuer_id\":", "\"issuer\"", "[1]"),
    ];
    for (name, old, new) in cases {
        let directory = with_leaves(|_| (), "");
        let path = directory.path().join("tlog/leaves.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let leaf: Value = serde_json::from_str(&lines[1]).unwrap();
        let leaf = leaf["leaf_data"].as_str().unwrap();
        let changed = leaf.replace(&format!("{name}{old}"), &format!("{name}{new}"));
        assert_ne!(leaf, changed, "{name}");
        lines[1] = line(1, &changed).to_string();
        std::fs::write(path, lines.join("\n") + "\n").unwrap();
        let report = validated(directory.path()).to_json();
        let name = name.trim_matches(['"', ':']);
        let why = format!("{name} is {new}, expected").replace('"', "\\\"");
        assert_eq!(report["unknown_tlog_leaves"], 1, "{name} {new}: {report:#}");
        assert!(report["failures"].to_string().contains(&why), "{why}: {report:#}");
    }
}

fn append(path: &Path, bytes: &[u8]) {
    let old = std::fs::read(path).unwrap_or_default();
    std::fs::write(path, [&old, bytes].concat()).unwrap();
}

#[test]
fn what_stands_behind_or_beside_the_files_is_seen_for_what_it_is() {
    let cases: [(&str, &[u8], &str); 4] = [
        ("registry.sqlite", b"garbage", "database_errors"),
        ("registry.sqlite", &[0; 4096], "database_errors"),
        ("tlog/leaves.jsonl", b"garbage", "malformed_tlog_records"),
        ("tlog/leaves.jsonl", b"{}\n", "malformed_tlog_records"),
    ];
    for (name, bytes, class) in cases {
        let directory = published();
        append(&directory.path().join(name), bytes);
        let report = validated(directory.path()).to_json();
        assert!(report[class].as_u64().unwrap() > 0, "{name}: {report:#}");
    }
    let directory = published();
    run(&directory, "DROP INDEX idx_events_token");
    let report = validated(directory.path()).to_json();
    assert_eq!((&report["ok"], &report["note_counts"]["missing_index"]), (&json!(true), &json!(1)));
}

#[test]
fn what_a_registry_would_not_have_written_so_is_damage() {
    // A record with two indexes, of which the last is right.
    let directory = published();
    let path = directory.path().join("tlog/leaves.jsonl");
    let lines = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, lines.replacen('{', r#"{"index":7,"#, 1)).unwrap();
    assert_eq!(validated(directory.path()).to_json()["malformed_tlog_records"], 1);
    // A database that can be read, and never written to again.
    let directory = published();
    let mut bytes = std::fs::read(directory.path().join("registry.sqlite")).unwrap();
    bytes[18] = 9;
    std::fs::write(directory.path().join("registry.sqlite"), bytes).unwrap();
    assert_eq!(validated(directory.path()).to_json()["database_errors"], 1);
}

/// What others keep in the same file is theirs, and faster look-ups harm nobody.
#[test]
fn what_stands_beside_the_tables_of_a_registry_is_left_alone() {
    let directory = stopped();
    run(
        &directory,
        "CREATE TABLE notes (x TEXT UNIQUE CHECK (x <> '') REFERENCES manifests (file_id)); CREATE UNIQUE INDEX notes_x ON notes (x);
         CREATE INDEX events_kind ON events (kind); CREATE VIEW seen AS SELECT * FROM events; ALTER TABLE events ADD COLUMN more TEXT",
    );
    assert!(validated(directory.path()).is_ok(), "{:#}", validated(directory.path()).to_json());
}

/// The file of a log that was taken over stays in the data directory: it has the beginning of the log, or somebody changed one of the two.
#[test]
fn a_log_in_the_database_goes_on_where_the_file_beside_it_ends() {
    let (source, target) = (published(), TempDir::new().unwrap());
    migrated(&source, &target, false).unwrap();
    let lines = std::fs::read_to_string(source.path().join("tlog/leaves.jsonl")).unwrap();
    let lines: Vec<&str> = lines.lines().collect();
    let report = |lines: &[&str]| {
        std::fs::create_dir_all(target.path().join("tlog")).unwrap();
        std::fs::write(target.path().join("tlog/leaves.jsonl"), lines.join("\n") + "\n").unwrap();
        validated(target.path()).to_json()
    };
    let whole = report(&lines);
    assert_eq!((&whole["ok"], &whole["note_counts"]["log_file_behind"]), (&json!(true), &Value::Null));
    let behind = report(&lines[..5]);
    assert_eq!((&behind["ok"], &behind["note_counts"]["log_file_behind"]), (&json!(true), &json!(1)));
    let tenth = line(9, r#"{"event":"register"}"#).to_string();
    let longer = [&lines[..], &[tenth.as_str()]].concat();
    let fourth = line(3, "{}").to_string();
    let other = [&lines[..3], &[fourth.as_str()], &lines[4..]].concat();
    let swapped = [&lines[..3], &[lines[4], lines[3]], &lines[5..]].concat();
    for (what, lines, count) in [
        ("longer", longer, 1),
        ("another leaf", other, 1),
        ("swapped", swapped, 2),
        ("garbage", vec!["x"], 1),
    ] {
        let report = report(&lines);
        assert_eq!(report["log_file_mismatches"], count, "{what}: {report:#}");
    }
}

#[test]
fn what_sqlite_ignores_is_a_note() {
    // Nothing in it was committed.
    for name in ["registry.sqlite-journal", "registry.sqlite-wal"] {
        let directory = published();
        append(&directory.path().join(name), b"garbage");
        let report = validated(directory.path()).to_json();
        assert_eq!(
            (&report["ok"], &report["note_counts"]["unclosed_database"]),
            (&json!(true), &json!(1)),
            "{report:#}"
        );
    }
}

#[test]
fn events_of_an_earlier_registration_keep_its_recipient() {
    let directory = TempDir::new().unwrap();
    let registry = opened(directory.path());
    let issuer = Issuer::new(1);
    let mut manifest = issuer.manifest("one");
    registry.post("/register", &issuer.registration_of(manifest.clone())).accepts();
    assert_eq!(registry.get("/p/one-t1.png").status, 200);
    manifest["recipient"]["recipient_id"] = json!("another");
    registry.post("/register", &issuer.registration_of(manifest)).accepts();
    assert_eq!(registry.get("/p/one-t1.png").status, 200);
    registry.stop();
    let report = validated(directory.path()).to_json();
    assert_eq!(
        (&report["ok"], &report["note_counts"]["earlier_registration"]),
        (&json!(true), &json!(1)),
        "{report:#}"
    );
    run(&directory, "UPDATE events SET recipient_id = 'recipient' WHERE id = 2");
    assert_eq!(validated(directory.path()).to_json()["event_identity_mismatches"], 1);
}

/// The field has seconds where older files of this registry have a text.
#[test]
fn an_identity_of_the_field_is_taken_over() {
    let source = published();
    let path = source.path().join("registry-identity.json");
    let mut identity: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert!(identity["created_at"].is_i64());
    for created_at in [json!(1_795_195_258), json!("2026-01-01T00:00:00Z")] {
        identity["created_at"] = created_at;
        std::fs::write(&path, identity.to_string()).unwrap();
        let target = TempDir::new().unwrap();
        assert_eq!(migrated(&source, &target, false).unwrap()["identity"], true);
        assert!(validated(target.path()).is_ok());
    }
}

#[test]
fn an_identity_whose_halves_differ_is_reported_and_keeps_its_secret() {
    let directory = stopped();
    let path = directory.path().join("registry-identity.json");
    let mut identity: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let secret = identity["ed25519_priv"].as_str().unwrap().to_owned();
    identity["ed25519_pub"] = json!("00".repeat(32));
    std::fs::write(&path, identity.to_string()).unwrap();
    let report = validated(directory.path()).to_json();
    assert_eq!((&report["ok"], &report["identity_file_errors"]), (&json!(false), &json!(1)));
    assert!(!report.to_string().contains(&secret));
}

/// Published registries publish the key as it stands in the file.
#[test]
fn an_identity_in_capitals_is_reported() {
    let directory = stopped();
    let path = directory.path().join("registry-identity.json");
    let identity: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    for name in ["ed25519_pub", "ed25519_priv"] {
        let mut identity = identity.clone();
        identity[name] = json!(identity[name].as_str().unwrap().to_uppercase());
        std::fs::write(&path, identity.to_string()).unwrap();
        assert_eq!(validated(directory.path()).to_json()["identity_file_errors"], 1, "{name}");
    }
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let directory = TempDir::new().unwrap();
    let report = validated(directory.path()).to_json();
    assert_eq!((&report["ok"], &report["database_errors"]), (&json!(false), &json!(1)));
    assert_eq!(files(directory.path()), []);
}

/// The registry of [`stopped`] as the published ones keep theirs: five tables, and the log in a file of lines.
fn published() -> TempDir {
    let directory = stopped();
    let database = Connection::open(directory.path().join("registry.sqlite")).unwrap();
    let mut lines = String::new();
    let mut statement = database.prepare("SELECT leaf_index, leaf_hash, leaf FROM tlog ORDER BY 1").unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let (index, hash, leaf): (i64, Vec<u8>, Vec<u8>) =
            (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        let text = String::from_utf8(leaf.clone()).unwrap();
        let line = json!({"index": index, "leaf_hash": hex::encode(hash), "leaf_data": text, "leaf_data_hex": hex::encode(leaf)});
        writeln!(lines, "{line}").unwrap();
    }
    drop(rows);
    drop(statement);
    std::fs::create_dir(directory.path().join("tlog")).unwrap();
    std::fs::write(directory.path().join("tlog/leaves.jsonl"), lines).unwrap();
    database
        .execute_batch(
            "DROP TABLE tlog; DROP TABLE tlog_nodes; DROP TABLE registrations; DROP TABLE earlier_beacons;
             DROP TABLE earlier_watermarks; PRAGMA user_version = 0; PRAGMA application_id = 0;",
        )
        .unwrap();
    directory
}

fn migrated(source: &TempDir, target: &TempDir, dry_run: bool) -> Result<Value, MigrationError> {
    let db = target.path().join("registry.sqlite");
    migrate(&source.path().join("registry.sqlite"), &db, target.path(), dry_run)
        .map(|migration| migration.to_json())
}

#[test]
fn a_migrated_registry_answers_as_its_source_did() {
    let (source, target) = (published(), TempDir::new().unwrap());
    let before = files(source.path());
    let counts = migrated(&source, &target, true).unwrap();
    assert_eq!(
        (&counts["dry_run"], &counts["manifests"], &counts["tlog_leaves"]),
        (&json!(true), &json!(4), &json!(9))
    );
    assert_eq!(files(target.path()), []);

    let mut done = migrated(&source, &target, false).unwrap();
    assert_eq!(done["already_migrated"], false);
    done["dry_run"] = json!(true);
    assert_eq!(done, counts);
    assert_eq!(files(source.path()), before);
    assert!(validated(target.path()).is_ok(), "{:#}", validated(target.path()).to_json());
    for dry_run in [true, false] {
        assert_eq!(migrated(&source, &target, dry_run).unwrap()["already_migrated"], true);
    }

    let original = stopped();
    let (expected, found) = (opened(original.path()), opened(target.path()));
    for file_id in ["two", "four"] {
        let (expected, found) = (expected.evidence(file_id), found.evidence(file_id));
        for name in ["manifest", "file_id"] {
            assert_eq!(found[name], expected[name], "{name}");
        }
        assert_eq!(found["events"].as_array().unwrap().len(), expected["events"].as_array().unwrap().len());
    }
    assert_eq!(found.size(), 9);
    assert_eq!(found.get("/p/two-t1.png").status, 200);
    expected.stop();
    found.stop();
    assert!(validated(target.path()).is_ok());
}

#[test]
fn a_registry_of_this_make_is_taken_over_with_the_rows_that_it_keeps_aside() {
    let (source, target) = (stopped(), TempDir::new().unwrap());
    migrated(&source, &target, false).unwrap();
    assert!(validated(target.path()).is_ok(), "{:#}", validated(target.path()).to_json());
    let (expected, found) = (opened(source.path()), opened(target.path()));
    for file_id in ["one", "two", "three", "four"] {
        let (expected, found) = (expected.evidence(file_id), found.evidence(file_id));
        for name in ["manifest", "beacons", "watermarks", "events"] {
            assert_eq!(found[name], expected[name], "{file_id} {name}");
        }
    }
    expected.stop();
    found.stop();
    assert_eq!(migrated(&source, &target, false).unwrap()["already_migrated"], true);
    run(&target, "DELETE FROM earlier_beacons");
    assert!(matches!(migrated(&source, &target, false), Err(MigrationError::TargetDiffers(_))));
    // It is held to what only this registry keeps as strictly as its source.
    assert_eq!(validated(target.path()).to_json()["missing_beacon_rows"], 1);
}

/// What other registries do, and this one never: in a database that it has written alone it is damage, in theirs a note, or nothing.
const STRICT: [(&str, &str); 6] = [
    ("DELETE FROM earlier_beacons", "missing_beacon_rows"),
    ("DELETE FROM earlier_watermarks", "missing_watermark_rows"),
    (
        "UPDATE manifests SET manifest_json = json_set(manifest_json, '$.signature_ed25519',
             upper(manifest_json ->> '$.signature_ed25519')) WHERE file_id = 'one'",
        "invalid_manifest_signatures",
    ),
    (
        "UPDATE beacons SET registered_at = registered_at + 1 WHERE token_id = 'two-t1'",
        "registered_at_mismatches",
    ),
    ("UPDATE events SET timestamp = timestamp + 1 WHERE id = 1", "event_time_mismatches"),
    (
        "UPDATE events SET id = 9 WHERE id = 1; UPDATE events SET id = 1 WHERE id = 2; UPDATE events SET id = 2 WHERE id = 9",
        "event_order_mismatches",
    ),
];

#[test]
fn nothing_is_tolerated_of_a_database_that_this_registry_has_written_alone() {
    for (damage, class) in STRICT {
        let directory = stopped();
        run(&directory, damage);
        assert!(validated(directory.path()).to_json()[class].as_u64().unwrap() > 0, "{damage}");
        run(&directory, "PRAGMA application_id = 0");
        assert!(validated(directory.path()).is_ok(), "{damage}: {:#}", validated(directory.path()).to_json());
    }
}

#[test]
fn a_manifest_that_would_be_served_otherwise_than_signed_is_refused_and_noted() {
    let directory = stopped();
    run(
        &directory,
        "UPDATE manifests SET manifest_json = replace(manifest_json, '4096', '9007199254740993') WHERE file_id = 'one'",
    );
    let registry = opened(directory.path());
    registry.get("/evidence/one").refuses(500, "server_error");
    registry.post("/attribute", &json!({"mark_id": "one-m1"})).refuses(500, "server_error");
    registry.get("/evidence/two").accepts();
    registry.stop();
    let notes = validated(directory.path()).to_json()["notes"].to_string();
    assert!(notes.contains("file_id=one cannot be served"), "{notes}");
}

/// Published registries leave members out that are null before they verify, and keep them in what they store: honest issuers send some.
#[test]
fn members_that_are_null_and_unsigned_are_noted() {
    for (old, new, named) in [
        ("\"recipient_id\":", "\"p256_pub\":null,\"recipient_id\":", "/recipient/p256_pub"),
        ("\"kind\":\"", "\"e/v\":null,\"kind\":\"", "/beacons/0/e~1v"),
    ] {
        let directory = published();
        let statement =
            "UPDATE manifests SET manifest_json = replace(manifest_json, ?1, ?2) WHERE file_id = 'two'";
        let database = Connection::open(directory.path().join("registry.sqlite")).unwrap();
        assert_eq!(database.execute(statement, [old, new]), Ok(1));
        drop(database);
        let report = validated(directory.path()).to_json();
        assert_eq!(
            (&report["ok"], &report["note_counts"]["unsigned_nulls"]),
            (&json!(true), &json!(1)),
            "{report:#}"
        );
        assert!(report["notes"].to_string().contains(&format!("file_id=two: {named}: null")), "{report:#}");
    }
}

type Damage = fn(&TempDir);

/// What a migration says of a source, and what was done to that.
const SOURCES: [(&str, Damage); 9] = [
    // It may have tables that nobody would carry over.
    ("registry.sqlite: user_version is 77", |source| {
        run(source, "PRAGMA user_version = 77; CREATE TABLE later (x)");
    }),
    ("registry.sqlite: application_id is 9", |source| run(source, "PRAGMA application_id = 9")),
    ("no table corpus", |source| {
        run(source, "ALTER TABLE corpus RENAME TO behind; CREATE VIEW corpus AS SELECT * FROM behind");
    }),
    ("the source's table beacons has a row that no registry keeps", |source| {
        run(
            source,
            "CREATE TABLE copied AS SELECT * FROM beacons; DROP TABLE beacons; ALTER TABLE copied RENAME TO beacons",
        );
        run(source, "INSERT INTO beacons SELECT * FROM beacons WHERE token_id = 'four-t1'");
    }),
    ("no table beacons", |source| run(source, "DROP TABLE beacons")),
    ("no column metadata", |source| run(source, "ALTER TABLE corpus DROP COLUMN metadata")),
    ("leaves.jsonl is not there", |source| {
        std::fs::remove_file(source.path().join("tlog/leaves.jsonl")).unwrap()
    }),
    ("line 2: expected index 1, found 2", |source| {
        let path = source.path().join("tlog/leaves.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> =
            text.lines().enumerate().filter(|(n, _)| *n != 1).map(|(_, line)| line).collect();
        std::fs::write(path, lines.join("\n")).unwrap();
    }),
    ("does not belong to", |source| {
        std::fs::write(
            source.path().join("registry-identity.json"),
            json!({"ed25519_priv": "00".repeat(32), "ed25519_pub": "00".repeat(32), "created_at": ""})
                .to_string(),
        )
        .unwrap();
    }),
];

#[test]
fn a_source_that_is_incomplete_or_damaged_leaves_nothing_behind() {
    for (expected, damage) in SOURCES {
        let (source, target) = (published(), TempDir::new().unwrap());
        damage(&source);
        for dry_run in [true, false] {
            match migrated(&source, &target, dry_run) {
                Err(error) => assert!(with_causes(&error).contains(expected), "{expected}: {error:?}"),
                // Counts can be compared without a log.
                Ok(counts) => assert!(dry_run && counts["tlog_leaves"].is_null(), "{expected}"),
            }
        }
        assert_eq!(files(target.path()), [], "{expected}");
    }
}

fn run(source: &TempDir, statement: &str) {
    Connection::open(source.path().join("registry.sqlite")).unwrap().execute_batch(statement).unwrap();
}

#[test]
fn what_is_there_already_is_never_replaced() {
    let (source, target) = (published(), TempDir::new().unwrap());
    let other = opened(target.path());
    other.post("/register", &Issuer::new(3).registration("other")).accepts();
    other.stop();
    let before = files(target.path());
    for dry_run in [true, false] {
        let refused = migrated(&source, &target, dry_run);
        assert!(matches!(refused, Err(MigrationError::IdentityDiffers(_))), "{refused:?}");
    }
    assert_eq!(files(target.path()), before);
    std::fs::remove_file(target.path().join("registry-identity.json")).unwrap();
    for dry_run in [true, false] {
        let refused = migrated(&source, &target, dry_run);
        assert!(matches!(refused, Err(MigrationError::TargetDiffers(_))), "{refused:?}");
    }
    let db = target.path().join("registry.sqlite");
    std::fs::write(&db, b"garbage").unwrap();
    for dry_run in [true, false] {
        assert!(migrated(&source, &target, dry_run).is_err());
    }
    assert_eq!(std::fs::read(db).unwrap(), b"garbage");
    assert!(matches!(migrated(&source, &source, false), Err(MigrationError::SameFile)));
}

/// SQLite takes what lies beside a database for that of whatever gets its name, and would write it into the new one.
#[test]
fn what_an_older_database_left_is_not_written_into_a_new_one() {
    let source = published();
    for suffix in ["-wal", "-shm", "-journal"] {
        for dry_run in [true, false] {
            let target = TempDir::new().unwrap();
            let left = target.path().join(format!("registry.sqlite{suffix}"));
            std::fs::write(&left, b"left").unwrap();
            let error = migrated(&source, &target, dry_run).unwrap_err().to_string();
            assert!(error.contains("which does not exist, found") && error.contains(suffix), "{error}");
            let db = target.path().join("registry.sqlite");
            let error = import_log(&db, &b""[..]).unwrap_err().to_string();
            assert!(error.contains("which does not exist, found") && error.contains(suffix), "{error}");
            assert_eq!(files(target.path()), [(format!("registry.sqlite{suffix}"), b"left".to_vec())]);
        }
    }
}
