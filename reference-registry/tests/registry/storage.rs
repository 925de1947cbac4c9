//! What survives, what is written together, and what is refused at start.

use std::{
    os::unix::fs::PermissionsExt,
    path::Path,
    sync::{Arc, Barrier},
};

use crate::support::{self, Issuer, Registry};
use assayer_reference_registry::{
    DataLocation, IdentityError, LogError, Options, StartError, StoreError, start,
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
}

#[test]
fn leaf_and_rows_are_written_together_or_not_at_all() {
    for table in ["manifests", "beacons", "watermarks", "corpus", "tlog"] {
        let directory = TempDir::new().unwrap();
        opened(&directory).stop();
        let trigger = format!(
            "CREATE TRIGGER broken BEFORE INSERT ON {table} BEGIN SELECT raise(ABORT, 'the disk is full'); END"
        );
        database(&directory).execute_batch(&trigger).unwrap();
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
        database(&directory).execute_batch("DROP TRIGGER broken").unwrap();
        let registry = opened(&directory);
        assert_eq!(registry.post("/register", &registration).accepts()["tlog_index"], 0);
        registry.stop();
    }
}

#[test]
fn an_event_that_cannot_be_stored_is_not_logged() {
    let directory = TempDir::new().unwrap();
    opened(&directory).stop();
    let trigger = "CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT raise(ABORT, 'no'); END";
    database(&directory).execute_batch(trigger).unwrap();
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

#[test]
fn two_registries_cannot_share_a_database() {
    let directory = TempDir::new().unwrap();
    let registry = opened(&directory);
    assert!(matches!(start_error(&directory), StartError::Store(StoreError::InUse { .. })));
    registry.post("/register", &Issuer::new(1).registration("file")).accepts();
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
