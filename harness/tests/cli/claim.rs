//! Claims: `assayer check --sign`, `assayer claim`, and what `assayer verify` says of them.

use std::net::TcpListener;
use std::path::Path;

use serde_json::Value as Json;

use crate::{archived, code, json, run, tamper, text, write};

/// A key file as `openssl genpkey` writes it; the path.
pub(crate) fn key_file(folder: &Path, name: &str, seed: u8) -> String {
    use ed25519_dalek::pkcs8::EncodePrivateKey;
    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    let pem = key.to_pkcs8_pem(Default::default()).unwrap();
    write(folder, name, pem.as_bytes()).to_str().unwrap().to_owned()
}

pub(crate) fn public(seed: u8) -> String {
    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    assayer_verifier::PublicKey(key.verifying_key().to_bytes()).to_hex()
}

#[test]
fn a_badge_and_a_claim_stand_only_for_a_complete_run() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path(), "key.pem", 7);
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let out = folder.path().join("never");
    let part = ["check", "--only", "health-*", "--url", &format!("http://{closed}")];
    for more in [&["--format", "badge"][..], &["--out", out.to_str().unwrap(), "--sign", &key]] {
        let output = run(&[&part[..], more].concat());
        let said = text(&output.stderr);
        // Exit code 2 and not 3: nothing was sent.
        assert!(code(&output) == 2 && said.contains("found a selection"), "{said}");
        assert!(output.stdout.is_empty() && !out.exists());
    }
    let output =
        run(&["check", "--format", "badge", "--edition", "0.4.7", "--url", &format!("http://{closed}")]);
    assert_eq!((code(&output), output.stdout.len()), (3, 0), "{}", text(&output.stderr));
}

#[test]
fn a_claim_is_verified_in_five_layers_that_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path(), "key.pem", 7);
    let archive = archived(folder.path(), "run", &["--sign", &key]);
    let claim = format!("{archive}/claim.dsse.json");
    let lines = std::fs::read_to_string(format!("{archive}/transcript.ndjson")).unwrap();
    let well_known = lines.lines().find(|line| line.contains("\"exchange\":\"well-known\"")).unwrap();
    let at = well_known.find("ed25519_pub\\\":\\\"").unwrap() + 16;
    let (claimant, registry) = (public(7), &well_known[at..at + 64]);
    let pem = std::fs::read_to_string(&key).unwrap();
    let layers = |path: &str, more: &[&str]| {
        let output = run(&[&["verify", path, "--format", "ndjson"], more].concat());
        assert!(!text(&output.stdout).contains(pem.lines().nth(1).unwrap()));
        let line = json(&output);
        assert_eq!(line["kind"], "conformance-claim");
        let states = line["layers"].as_array().unwrap().iter();
        let states: Vec<String> = states.map(|layer| layer["state"].as_str().unwrap().to_owned()).collect();
        (code(&output), line["verdict"].as_str().unwrap().to_owned(), states)
    };
    let states = |letters: &str| -> Vec<String> {
        let word = |letter| match letter {
            'e' => "established",
            'r' => "refuted",
            _ => "not-established",
        };
        letters.chars().map(|letter| word(letter).to_owned()).collect()
    };
    let both = ["--claimant-key", &claimant, "--registry-key", registry];
    assert_eq!(layers(&claim, &both), (0, "authentic".to_owned(), states("eeeee")));
    assert_eq!(layers(&claim, &[]), (0, "consistent".to_owned(), states("neeen")));
    let other = public(8);
    assert_eq!(layers(&claim, &["--claimant-key", &other, "--registry-key", registry]).2, states("reeee"));
    assert_eq!(layers(&claim, &["--claimant-key", &claimant, "--registry-key", &other]).2, states("eeeer"));

    // Found in the folder, beside what is no evidence; and a folder further up.
    for around in [archive.as_str(), folder.path().to_str().unwrap()] {
        let found =
            run(&[&["verify", around, "--format", "ndjson", "--require", "authentic"], &both[..]].concat());
        let lines: Vec<Json> =
            text(&found.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((code(&found), lines.len()), (0, 1), "{lines:?}");
        assert_eq!(
            (&lines[0]["kind"], &lines[0]["verdict"]),
            (&"conformance-claim".into(), &"authentic".into())
        );
        let said = text(&found.stderr);
        assert!(said.contains("transcript.ndjson: left out, being part of the archive of a run"), "{said}");
    }

    // Alone, away from its archive.
    let alone = write(folder.path(), "alone.json", std::fs::read(&claim).unwrap());
    assert_eq!(layers(alone.to_str().unwrap(), &both), (0, "consistent".to_owned(), states("ennen")));

    // A claim of more than the archive shows, signed by the right key.
    let run_of = assayer_harness::Intact::read(Path::new(&archive)).unwrap();
    let signer = assayer_harness::signing_key(Path::new(&key)).unwrap();
    let honest = assayer_harness::statement(&run_of).unwrap();
    let mut more = honest.clone();
    more.predicate.passed_tests.push("no-such-check".to_owned());
    let more = write(folder.path(), "more.json", assayer_harness::sign(&more, &signer));
    let with_archive = [&both[..], &["--archive", &archive]].concat();
    assert_eq!(layers(more.to_str().unwrap(), &with_archive), (1, "refuted".to_owned(), states("eeree")));
    // A claim about another archive.
    let mut elsewhere = honest;
    elsewhere.subject[0].digest.insert("sha256".to_owned(), "00".repeat(32));
    let elsewhere = write(folder.path(), "elsewhere.json", assayer_harness::sign(&elsewhere, &signer));
    assert_eq!(layers(elsewhere.to_str().unwrap(), &with_archive).2, states("ereee"));

    // A file whose sum is wrong; then a verdict that was flipped with its sum.
    let page = format!("{archive}/report.txt");
    let before = std::fs::read(&page).unwrap();
    std::fs::write(&page, "all is well\n").unwrap();
    assert_eq!(layers(&claim, &both).2[1], "refuted");
    std::fs::write(&page, before).unwrap();
    assert_eq!(layers(&claim, &both).2, states("eeeee"));
    tamper(&archive, "report.json", "\"conformant\": true", "\"conformant\": false");
    assert_eq!(layers(&claim, &both).2, states("erree"));

    // What is no key is not repeated.
    let secret = write(folder.path(), "secret.pem", "a-secret-that-is-no-key");
    let output = run(&["claim", &archive, "--sign", secret.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("PKCS #8") && !said.contains("a-secret"), "{said}");
}

/// What nobody compared with anything is signed like the rest of it, and is no part of what was derived.
#[test]
fn a_claim_that_says_more_than_its_archive_is_not_authentic() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path(), "key.pem", 7);
    let archive = archived(folder.path(), "run", &["--edition", "0.4.12"]);
    let signer = assayer_harness::signing_key(Path::new(&key)).unwrap();
    let honest =
        assayer_harness::statement(&assayer_harness::Intact::read(Path::new(&archive)).unwrap()).unwrap();
    let state = |name: &str, statement| {
        let claim = write(folder.path(), name, assayer_harness::sign(&statement, &signer));
        let (_, line, of) = claim_of(claim.to_str().unwrap(), &["--archive", &archive]);
        let layer = line["layers"].as_array().unwrap().iter().find(|layer| layer["id"] == "re-derivation");
        (of("re-derivation").1, layer.unwrap()["at"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(state("honest.json", honest.clone()), ("ok".to_owned(), String::new()));
    let mut digest = honest.clone();
    digest.subject[0].digest.insert("sha512".to_owned(), "00".repeat(64));
    let at = "/subject/0/digest/sha512";
    assert_eq!(state("digest.json", digest), ("claim.more".to_owned(), at.to_owned()));
    let mut operator = honest;
    operator.subject[0].annotations.insert("operator/name".to_owned(), "somebody".to_owned());
    let at = "/subject/0/annotations";
    assert_eq!(state("operator.json", operator), ("claim.more".to_owned(), at.to_owned()));
}

/// What `assayer verify` says of a claim: exit code, verdict, and state and code of each layer by name.
pub(crate) fn claim_of(path: &str, more: &[&str]) -> (i32, Json, impl Fn(&str) -> (String, String) + use<>) {
    let output = run(&[&["verify", path, "--format", "ndjson"], more].concat());
    let line = json(&output);
    let layers = line["layers"].as_array().unwrap().clone();
    let of = move |id: &str| {
        let layer = layers.iter().find(|layer| layer["id"] == id).unwrap();
        (layer["state"].as_str().unwrap().to_owned(), layer["code"].as_str().unwrap().to_owned())
    };
    (code(&output), line, of)
}

/// A claim that holds is not one that says what was hoped for.
#[test]
fn a_claim_says_what_it_claims_and_one_of_a_failure_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let key = key_file(folder.path(), "key.pem", 7);
    let signed = |name: &str, more: &[&str]| {
        archived(folder.path(), name, &[&["--edition", "0.4.12", "--sign", &key], more].concat())
    };
    let (good, bad) = (signed("good", &[]), signed("bad", &["--fault", "health-status-missing"]));
    let claim = |archive: &str| format!("{archive}/claim.dsse.json");
    for (archive, exit, favourable) in [(&good, 0, true), (&bad, 1, false)] {
        let (found, line, _) = claim_of(&claim(archive), &[]);
        let claimed = &line["claim"];
        let result = claimed["result"].as_str().unwrap();
        assert_eq!((found, ["PASSED", "WARNED"].contains(&result)), (exit, favourable), "{line}");
        assert_eq!(
            (&claimed["target"], line["verdict"].as_str()),
            (&"in-process".into(), Some("consistent"))
        );
        assert!(claimed["target_signed"].as_u64() < claimed["verdicts"].as_u64(), "{claimed}");
        let words = format!("{result} by in-process on ");
        for form in ["text", "html"] {
            let said = text(&run(&["verify", &claim(archive), "--format", form]).stdout);
            assert!(said.contains(&words) && said.contains("oversight-v1@0.4.12"), "{said}");
            assert!(said.contains("verdicts rest on what the target signed"), "{said}");
            assert_eq!(said.contains("not claim that the target conforms"), !favourable, "{said}");
        }
    }
    let summary = json(&run(&["verify", &claim(&good), &claim(&bad), "--format", "json"]))["summary"].clone();
    assert_eq!(
        (&summary["unfavourable"], &summary["reasons"][0]["code"]),
        (&1.into(), &"claim.unfavourable".into())
    );

    // An archive of another version: its pages were not compared, so nobody signs for them here, and no claim on it is authentic.
    let version = format!("\"version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    let manifest = || std::fs::read(Path::new(&good).join("manifest.json")).unwrap();
    let sum = |bytes: &[u8]| assayer_verifier::sha256(bytes).to_hex();
    let signer = assayer_harness::signing_key(Path::new(&key)).unwrap();
    let mut statement =
        assayer_harness::statement(&assayer_harness::Intact::read(Path::new(&good)).unwrap()).unwrap();
    let before = sum(&manifest());
    for name in ["manifest.json", "report.json", "transcript.har"] {
        tamper(&good, name, &version, "\"version\": \"0.0.9\"");
    }
    let compact = version.replace(": ", ":");
    tamper(&good, "report.ndjson", &compact, "\"version\":\"0.0.9\"");
    tamper(&good, "verdicts.json", &before, &sum(&manifest()));
    tamper(&good, "report.html", "onformant", "onformant, and more");
    let output = run(&["claim", &good, "--sign", &key]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("written by another version"), "{said}");
    statement.subject[0]
        .digest
        .insert("sha256".to_owned(), sum(&std::fs::read(format!("{good}/SHA256SUMS")).unwrap()));
    statement.predicate.configuration[0].annotations.insert("assayer".to_owned(), "0.0.9".to_owned());
    let forged = write(folder.path(), "forged.json", assayer_harness::sign(&statement, &signer));
    let (_, _, layers) = claim_of(forged.to_str().unwrap(), &["--archive", &good]);
    assert_eq!(layers("self-consistency").0, "established");
    assert_eq!(layers("re-derivation"), ("not-established".to_owned(), "claim.other-version".to_owned()));
}
