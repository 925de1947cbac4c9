//! What survives, what is written together, and what is refused at start.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Barrier},
    time::Duration,
};

use crate::support::{self, Issuer, Registry};
use assayer_reference_registry::{
    DataLocation, IdentityError, LogError, LogFileError, LostIdentity, Options, StartError, StoreError,
    Timeouts, export_log, import_log, start,
};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

fn options(directory: &Path) -> Options {
    Options { data: DataLocation::Directory(directory.to_owned()), ..Options::ephemeral() }
}

fn opened(directory: &TempDir) -> Registry {
    Registry::with(options(directory.path()))
}

fn database(directory: &TempDir) -> Connection {
    Connection::open(directory.path().join("registry.sqlite")).unwrap()
}

fn start_error(directory: &TempDir) -> StartError {
    tokio::runtime::Runtime::new().unwrap().block_on(start(options(directory.path()))).unwrap_err()
}

#[test]
fn a_restart_keeps_identity_and_log() {
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    registry.post("/register", &Issuer::new(1).registration("file")).accepts();
    assert_eq!(registry.get("/r/file-t1").status, 200);
    let (head, bundle) = (registry.get("/tlog/head").accepts(), registry.evidence("file"));
    registry.stop();

    let registry = opened(&directory);
    assert_eq!(registry.get("/tlog/head").accepts(), head);
    let again = registry.evidence("file");
    for name in ["registry_pub", "manifest", "beacons", "watermarks", "events", "tlog_proofs"] {
        assert_eq!(bundle[name], again[name], "{name}");
    }
    assert_eq!(registry.get("/r/file-t1").status, 200);
    assert_eq!(registry.size(), 3);
    registry.stop();
}

/// What a commit costs grows with the pages that it writes: whoever adds a table or an index sees here what that does.
#[test]
fn a_registration_writes_few_pages() {
    // 1,307 when this was written; an index more is about 100.
    const MOST: u64 = 1350;
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    let pages = || {
        let log = std::fs::metadata(directory.path().join("registry.sqlite-wal")).unwrap();
        log.len() / (24 + 4096)
    };
    let (before, issuer) = (pages(), Issuer::new(1));
    for number in 0..100 {
        registry.post("/register", &issuer.registration(&format!("file-{number}"))).accepts();
    }
    let written = pages() - before;
    assert!(written <= MOST, "{written} pages");
    registry.stop();
}

#[test]
fn the_identity_file_is_private_and_has_three_members() {
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    let path = directory.path().join("registry-identity.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let identity: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let names: Vec<&String> = identity.as_object().unwrap().keys().collect();
    assert_eq!(names, ["ed25519_priv", "ed25519_pub", "created_at"]);
    let well_known = registry.get("/.well-known/oversight-registry").accepts();
    assert_eq!(identity["ed25519_pub"], well_known["ed25519_pub"]);
    registry.stop();
}

#[test]
fn an_identity_whose_halves_differ_is_refused() {
    let directory = TempDir::new().unwrap();
    opened(&directory).stop();
    let path = directory.path().join("registry-identity.json");
    let mut identity: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    identity["ed25519_pub"] = json!(Issuer::new(9).public());
    std::fs::write(&path, identity.to_string()).unwrap();
    assert!(matches!(start_error(&directory), StartError::Identity(IdentityError::Mismatch)));
    std::fs::write(&path, "{}").unwrap();
    assert!(matches!(start_error(&directory), StartError::Identity(IdentityError::Json(_))));
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert!(matches!(start_error(&directory), StartError::Identity(IdentityError::Io(_))));
}

/// An index whose expression fails for every row: the registry runs no triggers.
fn fails_on_insert(table: &str) -> String {
    format!("CREATE INDEX broken ON {table} (json('no JSON'))")
}

#[test]
fn leaf_and_rows_are_written_together_or_not_at_all() {
    for table in ["manifests", "beacons", "watermarks", "corpus", "tlog"] {
        let directory = TempDir::new().unwrap();
        opened(&directory).stop();
        database(&directory).execute_batch(&fails_on_insert(table)).unwrap();
        let registry = opened(&directory);
        let mut registration = Issuer::new(1).registration("file");
        registration["corpus"] = json!({"perceptual": "hash"});
        registry.post("/register", &registration).refuses(500, "server_error");
        assert_eq!(registry.size(), 0, "{table}");
        registry.get("/evidence/file").refuses(404, "not_found");
        assert_eq!(registry.get("/tlog/range").accepts()["count"], 0);
        registry.stop();
        for table in ["manifests", "beacons", "watermarks", "corpus", "tlog"] {
            let count = format!("SELECT count(*) FROM {table}");
            assert_eq!(database(&directory).query_row(&count, [], |row| row.get(0)), Ok(0));
        }
        database(&directory).execute_batch("DROP INDEX broken").unwrap();
        let registry = opened(&directory);
        assert_eq!(registry.post("/register", &registration).accepts()["tlog_index"], 0);
        registry.stop();
    }
}

#[test]
fn an_event_that_cannot_be_stored_is_not_logged() {
    let directory = TempDir::new().unwrap();
    opened(&directory).stop();
    database(&directory).execute_batch(&fails_on_insert("events")).unwrap();
    let registry = opened(&directory);
    registry.get("/r/t").refuses(500, "server_error");
    registry.post("/dns_event", &json!({"token_id": "t"})).refuses(500, "server_error");
    assert_eq!(registry.size(), 0);
    registry.stop();
}

#[test]
fn a_damaged_log_is_a_start_error() {
    for (damage, is_expected) in [
        (
            "UPDATE tlog SET leaf = x'7b7d' WHERE leaf_index = 1",
            (|error| matches!(error, LogError::HashMismatch { index: 1 })) as fn(&LogError) -> bool,
        ),
        ("DELETE FROM tlog WHERE leaf_index = 0", |error| {
            matches!(error, LogError::Gap { expected: 0, found: 1 })
        }),
        ("DELETE FROM tlog WHERE leaf_index = 2", |error| {
            matches!(error, LogError::EventBeyondLog { size: 2, found: 2 })
        }),
    ] {
        let directory = TempDir::new().unwrap();
        let registry = opened(&directory);
        (0..3).for_each(|number| assert_eq!(registry.get(&format!("/r/{number}")).status, 200));
        registry.stop();
        database(&directory).execute_batch(damage).unwrap();
        match start_error(&directory) {
            StartError::Store(StoreError::Log(error)) => assert!(is_expected(&error), "{error}"),
            error => panic!("{error:?}"),
        }
    }
}

fn exported(directory: &TempDir) -> Vec<u8> {
    let mut lines = Vec::new();
    export_log(&directory.path().join("registry.sqlite"), &mut lines).unwrap();
    lines
}

#[test]
fn a_log_is_exported_while_it_is_served_and_imported_elsewhere() {
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    registry.post("/register", &Issuer::new(1).registration("file")).accepts();
    (0..70).for_each(|number| assert_eq!(registry.get(&format!("/r/{number}")).status, 200));
    let lines = exported(&directory);
    let head = registry.get("/tlog/head").accepts();
    registry.stop();
    let last: Value = serde_json::from_slice(lines.split(|byte| *byte == b'\n').nth(70).unwrap()).unwrap();
    assert_eq!(last["index"], 70);
    assert_eq!(hex::encode(last["leaf_data"].as_str().unwrap()), last["leaf_data_hex"]);

    let elsewhere = TempDir::new().unwrap();
    assert_eq!(import_log(&elsewhere.path().join("new/folder/registry.sqlite"), &lines[..]).unwrap(), 71);
    let db = elsewhere.path().join("registry.sqlite");
    assert_eq!(import_log(&db, &lines[..]).unwrap(), 71);
    assert!(matches!(import_log(&db, &lines[..]), Err(LogFileError::HasLog { found: 71 })));
    assert!(matches!(start_error(&elsewhere), StartError::LostIdentity { size: 71, .. }));
    let lost_identity = LostIdentity::Replaced;
    let registry = Registry::with(Options { lost_identity, ..options(elsewhere.path()) });
    let imported = registry.get("/tlog/head").accepts();
    assert_eq!((&imported["root"], &imported["size"]), (&head["root"], &head["size"]));
    registry.stop();
    assert_eq!(exported(&elsewhere), lines);
}

#[test]
fn a_damaged_file_of_leaves_is_not_imported_in_part() {
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    (0..5).for_each(|number| assert_eq!(registry.get(&format!("/r/{number}")).status, 200));
    registry.stop();
    let lines = String::from_utf8(exported(&directory)).unwrap();
    let damaged = [
        lines.replace("\"index\":3", "\"index\":4"),
        lines.replacen("ocsp", "ocsq", 1),
        lines.replace("\"index\":4", "\"index\":4.0"),
        lines[..lines.len() - 9].to_owned(),
        lines.lines().skip(1).collect::<Vec<_>>().join("\n"),
        format!("\u{feff}{lines}"),
    ];
    for text in damaged {
        let elsewhere = TempDir::new().unwrap();
        let db = elsewhere.path().join("registry.sqlite");
        let refused = import_log(&db, text.as_bytes());
        assert!(matches!(refused, Err(LogFileError::Record { .. })), "{refused:?}");
        assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0);
        opened(&elsewhere).stop();
        assert!(import_log(&db, text.as_bytes()).is_err());
        let leaves = database(&elsewhere).query_row("SELECT count(*) FROM tlog", [], |row| row.get(0));
        assert_eq!(leaves, Ok(0));
    }
}

#[test]
fn a_database_of_a_later_registry_is_left_alone() {
    let directory = TempDir::new().unwrap();
    opened(&directory).stop();
    database(&directory).pragma_update(None, "user_version", 3).unwrap();
    let error = start_error(&directory);
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(cause.contains("user_version 3"), "{error}: {cause}");
    let version: i64 = database(&directory).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 3);
}

/// The limit is that of the test: another writer keeps the database locked for longer.
#[test]
fn a_request_that_takes_too_long_is_given_up_and_the_registry_goes_on() {
    let directory = TempDir::new().unwrap();
    let timeouts = Timeouts { request: Duration::from_millis(300), ..Timeouts::default() };
    let registry = Registry::with(Options { timeouts, ..options(directory.path()) });
    let issuer = Issuer::new(1);
    registry.post("/register", &issuer.registration("before")).accepts();
    let other = database(&directory);
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let answer = registry.post("/register", &issuer.registration("slow"));
    answer.refuses(503, "server_error");
    assert_eq!(answer.header("connection"), Some("close"));
    registry.get("/tlog/head").accepts();
    registry.get("/evidence/before").accepts();
    other.execute_batch("ROLLBACK").unwrap();
    registry.post("/register", &issuer.registration("after")).accepts();
    // Nobody was told that it is registered; it may be, once.
    assert!((2..=3).contains(&registry.size()));
    registry.stop();
}

#[test]
fn two_registries_cannot_share_a_database() {
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    assert!(matches!(start_error(&directory), StartError::Store(StoreError::InUse { .. })));
    registry.post("/register", &Issuer::new(1).registration("file")).accepts();
    registry.stop();
}

#[test]
fn a_link_to_a_database_is_no_way_around_its_lock() {
    let (directory, elsewhere) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let registry = opened(&directory);
    let name = "registry.sqlite";
    std::os::unix::fs::symlink(directory.path().join(name), elsewhere.path().join(name)).unwrap();
    assert!(matches!(start_error(&elsewhere), StartError::Store(StoreError::InUse { .. })));
    registry.stop();
    // Nor is a link to one that does not exist yet.
    std::fs::remove_file(directory.path().join(name)).unwrap();
    let through = opened(&elsewhere);
    assert!(matches!(start_error(&directory), StartError::Store(StoreError::InUse { .. })));
    through.stop();
}

/// Under a new key every client that has pinned the old one would see a fork.
#[test]
fn an_identity_that_is_lost_is_not_replaced_unasked() {
    let directory = TempDir::new().unwrap();
    let identity = directory.path().join("registry-identity.json");
    let registry = opened(&directory);
    registry.stop();
    std::fs::remove_file(&identity).unwrap();
    let registry = opened(&directory);
    assert_eq!(registry.get("/r/t").status, 200);
    registry.stop();
    std::fs::remove_file(&identity).unwrap();
    let error = start_error(&directory);
    assert!(matches!(error, StartError::LostIdentity { size: 1, .. }), "{error}");
    assert!(error.to_string().contains("registry-identity.json"), "{error}");
    assert!(!identity.exists());
    let lost_identity = LostIdentity::Replaced;
    Registry::with(Options { lost_identity, ..options(directory.path()) }).stop();
    assert!(identity.exists());
}

#[test]
fn what_was_put_into_the_database_does_not_act_on_rows() {
    let directory = TempDir::new().unwrap();
    opened(&directory).stop();
    let trigger = "CREATE TRIGGER gone AFTER INSERT ON events BEGIN DELETE FROM events; END";
    database(&directory).execute_batch(trigger).unwrap();
    let registry = opened(&directory);
    assert_eq!(registry.get("/r/t").status, 200);
    registry.stop();
    let count = database(&directory).query_row("SELECT count(*) FROM events", [], |row| row.get(0));
    assert_eq!(count, Ok(1));
    for replaced in ["", "CREATE VIEW manifests AS SELECT * FROM gone"] {
        let sql = format!("ALTER TABLE manifests RENAME TO gone; {replaced}");
        database(&directory).execute_batch(&sql).unwrap();
        assert!(matches!(start_error(&directory), StartError::Store(StoreError::Sqlite(_))), "{replaced}");
        let back = "DROP VIEW IF EXISTS manifests; ALTER TABLE gone RENAME TO manifests";
        database(&directory).execute_batch(back).unwrap();
    }
}

/// The lock is a file, and files can be deleted. What is checked in each transaction then still holds.
#[test]
fn two_registries_that_share_a_database_all_the_same_keep_one_log() {
    let directory = TempDir::new().unwrap();
    let first = opened(&directory);
    std::fs::remove_file(directory.path().join("registry.sqlite.lock")).unwrap();
    let second = opened(&directory);
    let issuer = Issuer::new(1);
    for number in 0..40 {
        for (registry, name) in [(&first, "first"), (&second, "second")] {
            let registration = issuer.registration(&format!("{name}-{number}"));
            registry.post("/register", &registration).accepts();
            registry
                .post("/register", &Issuer::new(2).registration("first-0"))
                .refuses(409, "issuer_mismatch");
        }
    }
    first.get("/r/t");
    second.get("/r/t");
    assert_eq!(second.get("/tlog/range?limit=1000").accepts()["count"], 82);
    assert_eq!(second.get("/tlog/proof/81").accepts()["tree_size"], 82);
    second.stop();
    first.stop();
    let registry = opened(&directory);
    assert_eq!(registry.size(), 82);
    registry.stop();
}

#[test]
fn a_leaf_that_somebody_else_put_into_the_database_is_not_built_upon() {
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    assert_eq!(registry.get("/r/t").status, 200);
    let head = registry.get("/tlog/head").accepts();
    database(&directory).execute_batch("INSERT INTO tlog VALUES (1, x'00', x'7b7d')").unwrap();
    registry.get("/r/t").refuses(500, "server_error");
    registry.get("/tlog/range").refuses(500, "server_error");
    assert_eq!(registry.get("/tlog/head").accepts(), head);
    database(&directory).execute_batch("DELETE FROM tlog WHERE leaf_index = 1").unwrap();
    assert_eq!(registry.get("/r/t").status, 200);
    assert_eq!(registry.size(), 2);
    registry.stop();
}

#[test]
fn damage_at_the_beginning_of_a_long_log_is_found_while_it_is_served() {
    let directory = TempDir::new().unwrap();
    opened(&directory).stop();
    let leaves = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 69999)
         INSERT INTO tlog SELECT i, x'00', CAST('{}' AS BLOB) FROM n";
    let connection = database(&directory);
    connection.execute_batch(leaves).unwrap();
    connection.execute("UPDATE tlog SET leaf_hash = ?1", [support::leaf_hash(b"{}")]).unwrap();
    drop(connection);
    opened(&directory).stop();
    database(&directory).execute_batch("UPDATE tlog SET leaf = x'7b207d' WHERE leaf_index = 7").unwrap();
    let registry = opened(&directory);
    let found = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        registry.get("/tlog/head").status == 500
    });
    assert!(found, "a damaged log is served");
    registry.get("/r/t").refuses(500, "server_error");
    registry.get("/tlog/range").refuses(500, "server_error");
    registry.stop();
}

/// What was recorded before the clock was set back is in the future.
#[test]
fn a_clock_that_was_set_back_loses_and_reorders_nothing() {
    let directory = TempDir::new().unwrap();
    let (registry, issuer) = (opened(&directory), Issuer::new(1));
    registry.post("/register", &issuer.registration("file")).accepts();
    assert_eq!(registry.get("/r/file-t1").status, 200);
    registry.stop();
    let ahead = "UPDATE events SET timestamp = timestamp + 86400; UPDATE beacons SET registered_at = registered_at + 86400;
         UPDATE watermarks SET registered_at = registered_at + 86400; UPDATE manifests SET registered_at = registered_at + 86400";
    database(&directory).execute_batch(ahead).unwrap();
    let registry = opened(&directory);
    assert_eq!(registry.get("/r/file-t1").status, 200);
    let mut manifest = issuer.manifest("newer");
    manifest["beacons"] = json!([{"token_id": "file-t1", "kind": "dns"}]);
    registry.post("/register", &issuer.registration_of(manifest)).accepts();
    assert_eq!(registry.post("/attribute", &json!({"token_id": "file-t1"})).accepts()["file_id"], "newer");
    let events = registry.evidence("file")["events"].as_array().unwrap().clone();
    let times: Vec<i64> = events.iter().map(|event| event["timestamp"].as_i64().unwrap()).collect();
    assert!(times.len() == 2 && times.is_sorted(), "{times:?}");
    assert_eq!(registry.size(), 4);
    registry.stop();
}

#[test]
fn a_client_that_stalls_does_not_keep_the_data_open() {
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    let mut stalled = std::net::TcpStream::connect(registry.running.address()).unwrap();
    let request =
        "POST /register HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{";
    std::io::Write::write_all(&mut stalled, request.as_bytes()).unwrap();
    registry.get("/health").accepts();
    registry.stop();
    opened(&directory).stop();
}

#[test]
fn of_two_issuers_who_register_at_once_one_wins() {
    let registry = Registry::honest();
    let address = registry.running.address();
    for pair in 0..60 {
        let file_id = format!("file-{pair}");
        let barrier = Arc::new(Barrier::new(2));
        let attempts = [1, 2].map(|issuer| {
            let (barrier, body) =
                (Arc::clone(&barrier), Issuer::new(issuer).registration(&file_id).to_string());
            std::thread::spawn(move || {
                barrier.wait();
                let headers = [("content-type", "application/json")];
                support::send(address, "POST", "/register", &headers, body.as_bytes())
            })
        });
        let answers = attempts.map(|attempt| attempt.join().unwrap());
        let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
        answers[1 - winner].refuses(409, "issuer_mismatch");
        let key = Issuer::new(if winner == 0 { 1 } else { 2 }).public();
        assert_eq!(registry.evidence(&file_id)["manifest"]["issuer_ed25519_pub"], key);
    }
    assert_eq!(registry.size(), 60);
    registry.stop();
}

#[test]
fn heads_and_proofs_agree_while_the_log_grows() {
    let registry = Registry::honest();
    let address = registry.running.address();
    registry.post("/register", &Issuer::new(1).registration("file")).accepts();
    let writers: Vec<_> = (0..3)
        .map(|_| {
            std::thread::spawn(move || {
                (0..60).for_each(|_| {
                    assert_eq!(support::send(address, "GET", "/r/file-t1", &[], b"").status, 200);
                })
            })
        })
        .collect();
    for _ in 0..30 {
        let bundle = registry.evidence("file");
        let head = &bundle["tlog_head"];
        let proofs = bundle["tlog_proofs"].as_array().unwrap();
        assert_eq!(bundle["events"].as_array().unwrap().len(), proofs.len());
        for proof in proofs {
            assert_eq!(
                (&proof["proof"]["root"], &proof["proof"]["tree_size"]),
                (&head["root"], &head["size"])
            );
        }
    }
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    assert_eq!(registry.size(), 181);
    let events = registry.evidence("file")["events"].clone();
    let indexes: Vec<u64> =
        events.as_array().unwrap().iter().map(|event| event["tlog_index"].as_u64().unwrap()).collect();
    assert!(indexes.is_sorted());
    registry.stop();
}
