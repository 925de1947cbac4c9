//! `assayer verify`: documents from files, folders and streams; logs, policies, quorums, proofs.

use std::path::Path;
use std::process::Output;

use serde_json::Value as Json;

use crate::{bundle, code, document, findings, json, key, pages, run, run_with_input, text, vector, write};

#[test]
fn bundles_are_verified_from_files_folders_lines_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let good = bundle("good/three-events");
    let bad = bundle("inclusion/sibling-flipped");
    write(folder.path(), "a.json", &good);
    let pretty = format!("{:#}", serde_json::from_str::<Json>(&good).unwrap());
    write(folder.path(), "b.json", pretty);
    write(folder.path(), "c.ndjson", format!("{good}\n\n{bad}\n{{\"cut off"));
    write(folder.path(), "ignored.txt", "not evidence");
    let output = run(&["verify", "--format", "ndjson", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), 1);
    let lines: Vec<Json> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let verdicts: Vec<(String, String)> = lines
        .iter()
        .map(|line| {
            let path =
                Path::new(line["path"].as_str().unwrap()).file_name().unwrap().to_string_lossy().into_owned();
            (path, line["verdict"].as_str().unwrap().to_owned())
        })
        .collect();
    let expected = [
        ("a.json", "consistent"),
        ("b.json", "consistent"),
        ("c.ndjson:1", "consistent"),
        ("c.ndjson:3", "refuted"),
        ("c.ndjson:4", "refuted"),
    ];
    assert_eq!(verdicts, expected.map(|(path, verdict)| (path.to_owned(), verdict.to_owned())));
    let inclusion =
        lines[3]["layers"].as_array().unwrap().iter().find(|layer| layer["id"] == "inclusion").unwrap();
    assert_eq!(
        (&inclusion["state"], &inclusion["code"]),
        (&Json::from("refuted"), &Json::from("merkle.root-mismatch"))
    );
    assert!(inclusion["at"].as_str().unwrap().starts_with("/tlog_proofs/"));

    let output = run_with_input(&["verify", "-"], good.as_bytes());
    assert_eq!(code(&output), 0, "{}", text(&output.stdout));
}

/// Enough bundles for a batch of signatures, with forged ones, other documents and unreadable lines among them: neither the number of
/// threads nor what else is in a batch changes a line.
#[test]
fn documents_that_are_verified_together_are_reported_as_each_alone() {
    let folder = tempfile::tempdir().unwrap();
    let good = bundle("good/three-events");
    let head = serde_json::from_str::<Json>(&good).unwrap()["tlog_head"].to_string();
    let others = [
        bundle("inclusion/sibling-flipped"),
        good.replace("\"file_id\"", "\"file_iD\""),
        head,
        "no JSON".to_owned(),
        good.replacen("\"bundle_generated_at\":\"2", "\"bundle_generated_at\":\"3", 1),
    ];
    let lines: Vec<&String> =
        (0..400).map(|n| if n % 23 == 7 { &others[n / 23 % others.len()] } else { &good }).collect();
    let together = write(
        folder.path(),
        "together.ndjson",
        lines.iter().map(|line| format!("{line}\n")).collect::<String>(),
    );
    let found = |path: &Path, jobs: &str| {
        let output = run(&["verify", path.to_str().unwrap(), "--format", "ndjson", "--jobs", jobs]);
        let lines = text(&output.stdout);
        let lines = lines.lines().map(|line| {
            let mut line: Json = serde_json::from_str(line).unwrap();
            let path = line["path"].take();
            (path.as_str().unwrap().rsplit_once(':').map(|(_, number)| number.to_owned()), line)
        });
        lines.collect::<Vec<_>>()
    };
    let one = found(&together, "1");
    assert_eq!(one, found(&together, "3"));
    let expected = |line: &String| {
        let alone = write(folder.path(), "alone.ndjson", line);
        found(&alone, "1").remove(0).1
    };
    let (good_alone, others_alone) = (expected(&good), others.each_ref().map(expected));
    assert_eq!(one.len(), lines.len());
    for (n, (number, line)) in one.iter().enumerate() {
        assert_eq!(number.as_deref(), Some((n + 1).to_string().as_str()));
        let alone = if n % 23 == 7 { &others_alone[n / 23 % others.len()] } else { &good_alone };
        assert_eq!(line, alone, "line {}", n + 1);
    }
}

#[test]
fn every_document_is_verified_unless_the_first_bad_one_is_to_end_it() {
    let folder = tempfile::tempdir().unwrap();
    let (good, bad) = (bundle("good/three-events"), bundle("inclusion/sibling-flipped"));
    let path = write(folder.path(), "a.ndjson", format!("{good}\n{bad}\n{good}\n"));
    let path = path.to_str().unwrap();
    for (flags, documents, stopped) in [
        (&[][..], 3, false),
        (&["--keep-going"], 3, false),
        (&["--fail-fast"], 2, true),
        (&["--fail-fast", "--keep-going"], 3, false),
    ] {
        let output = run(&[&["verify", path, "--format", "json"], flags].concat());
        let report = json(&output);
        assert_eq!((code(&output), &report["summary"]["stopped"]), (1, &Json::from(stopped)), "{flags:?}");
        assert_eq!(report["summary"]["documents"], documents, "{flags:?}");
        assert_eq!(report["documents"].as_array().unwrap().len(), documents, "{flags:?}");
    }
    // What is below `--require` ends it as well.
    let output = run(&["verify", path, "--format", "json", "--fail-fast", "--require", "authentic"]);
    assert_eq!((code(&output), &json(&output)["summary"]["documents"]), (1, &Json::from(1)));
    let output = run(&["verify", path, "--format", "json", "--summary-only"]);
    assert_eq!((code(&output), json(&output)["documents"].as_array().unwrap().len()), (1, 0));
    assert_eq!(json(&output)["summary"]["reasons"][0]["example"], format!("{path}:2"));
}

#[test]
fn authentic_needs_both_keys() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/three-events";
    let path = write(folder.path(), "a.json", bundle(name));
    let (registry, issuer) = (key(name, "registry_key"), key(name, "issuer_keys"));
    let path = path.to_str().unwrap();
    let both =
        ["verify", path, "--require", "authentic", "--registry-key", &registry, "--issuer-key", &issuer];
    assert_eq!(code(&run(&both)), 0);
    assert_eq!(code(&run(&both[..6])), 1);
    assert_eq!(code(&run(&["verify", path])), 0);
    assert_eq!(code(&run(&["verify", path, "--registry-key", &issuer])), 1);
}

/// A key in the wrong option is refuted like any other, and the report says what was mixed up.
#[test]
fn keys_in_each_others_place_are_said_to_be_swapped() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/three-events";
    let path = write(folder.path(), "a.json", bundle(name));
    let (registry, issuer) = (key(name, "registry_key"), key(name, "issuer_keys"));
    let other = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let found = |keys: [&[&str]; 2], layer: &str| {
        let options = ["--registry-key", "--issuer-key"].into_iter().zip(keys);
        let options = options.flat_map(|(option, keys)| keys.iter().flat_map(move |key| [option, *key]));
        let call: Vec<&str> =
            ["verify", path.to_str().unwrap(), "--format", "ndjson"].into_iter().chain(options).collect();
        let output = run(&call);
        let line = json(&output);
        let layers = line["layers"].as_array().unwrap();
        let layer = layers.iter().find(|found| found["id"] == layer).unwrap();
        assert_eq!((code(&output), &layer["code"]), (1, &Json::from("key.differs")), "{call:?}");
        let (key, hint) = layer["found"].as_str().unwrap().rsplit_once('"').unwrap();
        assert!([&registry, &issuer].contains(&&key[1..].to_owned()), "{key}");
        hint.to_owned()
    };
    let both =
        |whose: &str| format!(", trusted as the {whose}'s, and the other way round: the two are swapped");
    let (registry, issuer) = (&*registry, &*issuer);
    for trusted in [&[issuer][..], &[other, issuer]] {
        assert_eq!(found([trusted, &[registry]], "registry-key"), both("issuer"));
        assert_eq!(found([trusted, &[registry]], "issuer-key"), both("registry"));
    }
    let only = "; what is trusted as the registry's is the issuer's here";
    assert_eq!(found([&[issuer], &[]], "registry-key"), only);
    assert_eq!(found([&[issuer], &[issuer]], "registry-key"), only);
    let only = "; what is trusted as the issuer's is the registry's here";
    assert_eq!(found([&[registry], &[registry]], "issuer-key"), only);
    assert_eq!(
        found([&[other], &[registry]], "registry-key"),
        ", trusted as the issuer's, not as the registry's"
    );
    assert_eq!(
        found([&[issuer], &[other]], "issuer-key"),
        ", trusted as the registry's, not as the issuer's"
    );
    assert_eq!(found([&[other], &[other]], "registry-key"), "");
    assert_eq!(found([&[other], &[other]], "issuer-key"), "");
}

#[test]
fn malformed_evidence_is_refuted_with_layer_and_place() {
    for (input, layer, code_text) in [
        (&b"\xFF"[..], "json", "json.utf8"),
        (b"not json", "json", "json.syntax"),
        (b"{\"manifest\":{},\"manifest\":{}}", "json", "json.duplicate-key"),
    ] {
        let output = run_with_input(&["verify", "--format", "ndjson", "-"], input);
        assert_eq!(code(&output), 1, "{}", text(input));
        let line: Json = json(&output);
        assert_eq!(line["verdict"], "refuted");
        let layers = line["layers"].as_array().unwrap();
        assert!(layers.iter().any(|found| found["id"] == layer && found["code"] == code_text), "{line}");
    }
    let deep = "[".repeat(100_000);
    assert_eq!(code(&run_with_input(&["verify", "-"], deep.as_bytes())), 1);
    // Good JSON that is no evidence is not refuted: nothing can be said of it.
    let output = run_with_input(&["verify", "--format", "ndjson", "-"], b"{\"name\":\"package\"}");
    assert_eq!((code(&output), json(&output)["verdict"].is_null()), (2, true));
}

/// Of a large document nothing is said but that it is large, which is nobody's fault; whoever knows that it is large reads it.
#[test]
fn how_large_a_document_may_be_is_for_the_caller_to_say() {
    let folder = tempfile::tempdir().unwrap();
    let good = bundle("good/three-events");
    let large = format!("{good}{}", " ".repeat(9 << 20));
    let large = write(folder.path(), "large.json", large).to_str().unwrap().to_owned();
    let small = write(folder.path(), "small.json", &good).to_str().unwrap().to_owned();
    let unread = |arguments: &[&str], path: &str| {
        let output = run(&[&["verify", "--format", "ndjson"], arguments, &[path]].concat());
        let found = findings(&output)[0].clone();
        (code(&output), found["verdict"].is_null(), found["error"].as_str().unwrap_or_default().to_owned())
    };
    let (exit, is_open, error) = unread(&[], &large);
    assert!(exit == 2 && is_open, "{exit} {error}");
    assert!(error.starts_with("limits.bytes: ") && error.contains("--max-bytes"), "{error}");
    assert_eq!(unread(&["--max-bytes", "10000000"], &large), (0, false, String::new()));
    let (exit, is_open, error) = unread(&["--max-values", "20"], &small);
    assert!(exit == 2 && is_open && error.starts_with("limits.values: "), "{exit} {error}");
    // Beside something that is refuted it does not hide that.
    let forged = write(folder.path(), "forged.json", good.replace("\"size_bytes\"", "\"size_byte\""));
    let output = run(&["verify", &large, forged.to_str().unwrap()]);
    assert_eq!(code(&output), 1, "{}", text(&output.stdout));
    for arguments in [["--max-bytes", "0"], ["--max-bytes", "8MiB"], ["--max-values", "99999999999"]] {
        let output = run(&[&["verify"], &arguments[..], &[&small]].concat());
        assert_eq!(code(&output), 2, "{arguments:?}");
        assert!(text(&output.stderr).contains(arguments[0]), "{}", text(&output.stderr));
    }
    let output = run_with_input(&["canon", "--max-values", "3"], b"{\"b\":[1,2]}");
    assert_eq!(code(&output), 1);
    assert!(text(&output.stderr).contains("limits.values"), "{}", text(&output.stderr));
}

#[test]
fn a_log_is_verified_line_by_line_against_known_heads() {
    let name = "good/with-log";
    let trust = &vector(name)["input"]["trust"];
    let log = trust["log"].as_str().unwrap().to_owned();
    let bundle: Json = serde_json::from_str(&bundle(name)).unwrap();
    let head = format!("{}:{}", bundle["tlog_head"]["size"], bundle["tlog_head"]["root"].as_str().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "leaves.jsonl", &log);
    let path = path.to_str().unwrap();
    let layer = |output: &Output, id: &str| {
        let line = json(output);
        line["layers"].as_array().unwrap().iter().find(|layer| layer["id"] == id).unwrap().clone()
    };
    let ndjson = ["verify", path, "--format", "ndjson"];
    let output = run(&[&ndjson[..], &["--head", &head]].concat());
    assert_eq!((code(&output), layer(&output, "log-root")["state"].as_str()), (0, Some("established")));
    let other = format!("1:{}", "0".repeat(64));
    let output = run(&[&ndjson[..], &["--head", &other]].concat());
    assert_eq!((code(&output), layer(&output, "log-root")["code"].as_str()), (1, Some("log.root-differs")));

    // A leaf that is taken out, and one that is changed, are named with their line.
    let lines: Vec<&str> = log.lines().collect();
    write(folder.path(), "leaves.jsonl", [lines[0], lines[2]].join("\n"));
    let output = run(&ndjson);
    let entries = layer(&output, "entries");
    assert_eq!((code(&output), entries["code"].as_str()), (1, Some("log.index-gap")));
    write(folder.path(), "leaves.jsonl", log.replace("2026-", "2025-"));
    let output = run(&ndjson);
    let hashes = layer(&output, "leaf-hashes");
    assert_eq!((code(&output), hashes["at"].as_str()), (1, Some("line 1: /leaf_data")), "{hashes}");
    write(folder.path(), "leaves.jsonl", format!("{}\n{}\n{{\"cut", lines[0], lines[1]));
    let output = run(&ndjson);
    assert_eq!((code(&output), layer(&output, "json")["at"].as_str()), (1, Some("line 3")));
}

/// Pages of one folder are one log, whatever their names sort to; a signed head in the same call vouches for it.
#[test]
fn pages_of_one_folder_are_one_log_in_any_order() {
    let name = "good/with-log";
    let log = vector(name)["input"]["trust"]["log"].as_str().unwrap().to_owned();
    let key = key(name, "registry_key");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a-bundle.json", bundle(name));
    let pages = pages(&log, 2);
    assert!(pages.len() >= 3, "{}", pages.len());
    for (position, page) in pages.iter().enumerate() {
        write(folder.path(), &format!("range-{}.json", (position + 1) % pages.len()), page);
    }
    let verify =
        || run(&["verify", folder.path().to_str().unwrap(), "--registry-key", &key, "--format", "ndjson"]);
    let output = verify();
    let found = findings(&output);
    let words: Vec<_> = found
        .iter()
        .map(|finding| (finding["kind"].as_str().unwrap(), finding["verdict"].as_str().unwrap()))
        .collect();
    assert_eq!(words, [("oversight-bundle", "consistent"), ("oversight-log", "authentic")], "{found:?}");

    // The same folder as the log beside the bundle.
    let beside = tempfile::tempdir().unwrap();
    for (position, page) in pages.iter().enumerate() {
        write(beside.path(), &format!("range-{}.json", (position + 1) % pages.len()), page);
    }
    let bundle = folder.path().join("a-bundle.json");
    let log = ["--log", beside.path().to_str().unwrap(), "--format", "ndjson"];
    let output = run(&[&["verify", bundle.to_str().unwrap()], &log[..]].concat());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let layers = findings(&output)[0]["layers"].clone();
    let registration = layers.as_array().unwrap().iter().find(|layer| layer["id"] == "registration").unwrap();
    assert_eq!(registration["state"], "established");

    // A page that is altered is named by its file; one that is missing is a gap.
    let altered = pages[1].replace("2026-", "2025-");
    write(folder.path(), "range-2.json", &altered);
    let output = verify();
    let layers = findings(&output)[1]["layers"].clone();
    let hashes = layers.as_array().unwrap().iter().find(|layer| layer["id"] == "leaf-hashes").unwrap();
    assert_eq!(
        (code(&output), hashes["at"].as_str()),
        (1, Some("range-2.json: /entries/0/leaf_data")),
        "{hashes}"
    );
    std::fs::remove_file(folder.path().join("range-2.json")).unwrap();
    let output = verify();
    let layers = findings(&output)[1]["layers"].clone();
    let entries = layers.as_array().unwrap().iter().find(|layer| layer["id"] == "entries").unwrap();
    assert_eq!((code(&output), entries["code"].as_str()), (1, Some("log.index-gap")), "{entries}");
}

/// A head has no time: a key that is trusted for a time only does not vouch for it.
#[test]
fn a_key_with_a_window_makes_no_head_authentic() {
    let folder = tempfile::tempdir().unwrap();
    let key = key("good/with-log", "registry_key");
    let growth = write(folder.path(), "growth.json", document("consistency/signed-heads"));
    let proof: Json = serde_json::from_str(&document("consistency/signed-heads")).unwrap();
    let mut head = proof["old"].clone();
    head["signed_message"] = format!("{{\"root\":{},\"size\":{}}}", head["root"], head["size"]).into();
    let head = write(folder.path(), "head.json", head.to_string());
    for (window, expected) in [("", 0), ("until = \"2999-01-01T00:00:00Z\"", 1)] {
        let policy =
            write(folder.path(), "policy.toml", format!("[[registry]]\nkey = \"{key}\"\n{window}\n"));
        for path in [&growth, &head] {
            let (path, policy) = (path.to_str().unwrap(), policy.to_str().unwrap());
            let output = run(&["verify", "--trust", policy, "--require", "authentic", path]);
            assert_eq!(code(&output), expected, "{path} {window}: {}", text(&output.stdout));
            assert_eq!(code(&run(&["verify", "--trust", policy, path])), 0, "{path} {window}");
        }
    }
}

/// What a policy asks for holds for heads and logs as well, or is said to be meant for others.
#[test]
fn a_policy_holds_for_heads_and_logs_too() {
    let folder = tempfile::tempdir().unwrap();
    let [head, log] = ["../heads/known", "../logs/whole"].map(vector);
    let key = &head["input"]["trust"]["registry_keys"][0];
    let pinned = format!("[[registry]]\nkey = {key}\n");
    let seen = |place: &str, size: u64, root: &str| {
        format!("[[vantage]]\nname = \"{place}\"\n[[vantage.head]]\nsize = {size}\nroot = \"{root}\"\n")
    };
    let at = |size: u64| {
        let heads = log["input"]["trust"]["heads"].as_array().unwrap();
        heads.iter().find(|head| head["size"] == size).unwrap()["root"].as_str().unwrap()
    };
    let two = "[quorum]\nat_least = 2\n";
    let of = |document: &Json| document["input"]["document"].as_str().unwrap().to_owned();
    let (head, lines) = (of(&head), of(&log));
    for (name, document, policy, expected) in [
        ("head.json", &head, pinned.clone(), (0, "authentic", "append-only input.not-given")),
        (
            "head.json",
            &head,
            format!("max_age_days = 1\n{pinned}"),
            (1, "consistent", "freshness time.stale"),
        ),
        (
            "head.json",
            &head,
            format!("require = [\"append-only\"]\n{pinned}"),
            (1, "consistent", "append-only input.not-given"),
        ),
        (
            "head.json",
            &head,
            format!("require = [\"registration\"]\n{pinned}"),
            (2, "authentic", "quorum input.not-given"),
        ),
        (
            "leaves.jsonl",
            &lines,
            format!("{two}{}{}", seen("a", 3, at(3)), seen("b", 8, at(8))),
            (0, "authentic", "quorum ok"),
        ),
        (
            "leaves.jsonl",
            &lines,
            format!("{two}{}{}", seen("a", 9, at(8)), seen("b", 8, at(8))),
            (1, "consistent", "quorum quorum.not-reached"),
        ),
        (
            "leaves.jsonl",
            &lines,
            format!("{two}{}{}", seen("a", 3, at(8)), seen("b", 8, at(8))),
            (1, "refuted", "quorum quorum.conflict"),
        ),
    ] {
        let (path, policy_path) =
            (write(folder.path(), name, document), write(folder.path(), "policy.toml", &policy));
        let (path, policy_path) = (path.to_str().unwrap(), policy_path.to_str().unwrap());
        let call = ["verify", path, "--trust", policy_path, "--require", "authentic", "--format", "ndjson"];
        let output = run(&call);
        let finding = findings(&output).first().unwrap().clone();
        let layers = finding["layers"].as_array().unwrap();
        let ends =
            |layer: &Json| format!("{} {}", layer["id"].as_str().unwrap(), layer["code"].as_str().unwrap());
        let (exit, verdict, layer) = expected;
        assert_eq!((code(&output), finding["verdict"].as_str().unwrap()), (exit, verdict), "{policy}");
        assert!(layers.iter().map(ends).any(|found| found == layer), "{policy}: {layers:?}");
    }
}

/// k of n vantage points; one that saw another log refutes, however many agree.
#[test]
fn a_quorum_of_vantage_points_vouches_for_a_head_and_a_conflict_refutes_it() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/with-log";
    let (registry, issuer) = (key(name, "registry_key"), key(name, "issuer_keys"));
    let bundle: Json = serde_json::from_str(&bundle(name)).unwrap();
    let path = write(folder.path(), "bundle.json", bundle.to_string());
    write(folder.path(), "seen.json", bundle["tlog_head"].to_string());
    let mut unsigned = bundle["tlog_head"].clone();
    unsigned["size"] = 1.into();
    write(folder.path(), "unsigned.json", unsigned.to_string());
    let (size, root) = (&bundle["tlog_head"]["size"], bundle["tlog_head"]["root"].as_str().unwrap());
    let keys = format!("[[registry]]\nkey = \"{registry}\"\n[[issuer]]\nkey = \"{issuer}\"\n");
    let verify = |quorum: &str| {
        let policy = write(folder.path(), "policy.toml", format!("{keys}{quorum}"));
        let output = run(&[
            "verify",
            path.to_str().unwrap(),
            "--trust",
            policy.to_str().unwrap(),
            "--format",
            "ndjson",
        ]);
        let layer = findings(&output).first().and_then(|finding| {
            let layers = finding["layers"].as_array()?.clone();
            layers
                .into_iter()
                .find(|layer| layer["id"] == "quorum")
                .map(|layer| layer["code"].as_str().unwrap().to_owned())
        });
        let verdict =
            findings(&output).first().map(|finding| finding["verdict"].as_str().unwrap().to_owned());
        (code(&output), verdict.unwrap_or_default(), layer.unwrap_or_default())
    };
    let said = |code: i32, verdict: &str, layer: &str| (code, verdict.to_owned(), layer.to_owned());
    let of = |name: &str, root: &str| {
        format!("[[vantage]]\nname = \"{name}\"\n[[vantage.head]]\nsize = {size}\nroot = \"{root}\"\n")
    };
    let file = |name: &str, file: &str| format!("[[vantage]]\nname = \"{name}\"\nfiles = [\"{file}\"]\n");
    let two = "[quorum]\nat_least = 2\n";
    let other = "0".repeat(64);
    assert_eq!(verify(&[two, &file("a", "seen.json"), &of("b", root)].concat()), said(0, "authentic", "ok"));
    let empty = "[[vantage]]\nname = \"b\"\n";
    assert_eq!(
        verify(&[two, &file("a", "seen.json"), empty].concat()),
        said(1, "consistent", "quorum.not-reached")
    );
    let conflict = [two, &file("a", "seen.json"), &of("b", root), &of("c", &other)].concat();
    assert_eq!(verify(&conflict), said(1, "refuted", "quorum.conflict"));
    assert_eq!(verify(""), said(0, "authentic", "input.not-given"));
    for wrong in [
        [two, &file("a", "seen.json")].concat(),
        [two, &of("a", root), &of("a", root)].concat(),
        ["[quorum]\nat_least = 0\n", &of("a", root)].concat(),
        file("a", "unsigned.json"),
        file("a", "nowhere.json"),
    ] {
        assert_eq!(verify(&wrong).0, 2, "{wrong}");
    }
}

/// That the proof is good is the worst that can be said of a registry: it must never look like success.
#[test]
fn a_proof_of_equivocation_that_holds_is_no_success_unless_it_was_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let key = key("good/with-log", "registry_key");
    let good = write(folder.path(), "equivocation.json", document("equivocation/prefix"));
    let good = good.to_str().unwrap();
    let verify = |path: &str, more: &[&str]| {
        let output = run(&[&["verify", "--format", "json", path][..], more].concat());
        let word = json(&output)["documents"][0]["verdict"].as_str().unwrap().to_owned();
        (code(&output), word)
    };
    let pinned = ["--registry-key", &key];
    let asked = [&pinned[..], &["--require", "equivocation"]].concat();
    assert_eq!(verify(good, &pinned), (1, "equivocation".to_owned()));
    assert_eq!(verify(good, &asked), (0, "equivocation".to_owned()));
    assert_eq!(verify(good, &[]), (1, "consistent".to_owned()));
    assert_eq!(verify(good, &["--require", "equivocation"]), (1, "consistent".to_owned()));
    let output = run(&["verify", good, "--registry-key", &key]);
    assert!(text(&output.stdout).contains("EQUIVOCATION ESTABLISHED"), "{}", text(&output.stdout));

    let forged = write(folder.path(), "forged.json", document("equivocation/failed-consistency-proof"));
    let forged = forged.to_str().unwrap();
    assert_eq!(verify(forged, &pinned), (1, "refuted".to_owned()));
    assert_eq!(verify(forged, &asked), (1, "refuted".to_owned()));
    // A bundle is no proof of equivocation, whatever its verdict.
    let bundle = write(folder.path(), "bundle.json", bundle("good/one-event"));
    assert_eq!(verify(bundle.to_str().unwrap(), &asked).0, 1);

    let growth = write(folder.path(), "growth.json", document("consistency/signed-heads"));
    let growth = growth.to_str().unwrap();
    assert_eq!(verify(growth, &pinned), (0, "authentic".to_owned()));
    assert_eq!(verify(growth, &[]), (0, "consistent".to_owned()));
}

#[test]
fn a_trust_policy_says_what_is_authentic() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/with-log";
    let path = write(folder.path(), "a.json", bundle(name));
    let log = write(folder.path(), "leaves.jsonl", vector(name)["input"]["trust"]["log"].as_str().unwrap());
    let (registry, issuer) = (key(name, "registry_key"), key(name, "issuer_keys"));
    let generated: Json = serde_json::from_str(&bundle(name)).unwrap();
    let day = &generated["bundle_generated_at"].as_str().unwrap()[..10];
    let verify = |policy: &str, more: &[&str]| {
        let policy = write(folder.path(), "policy.toml", policy);
        let fixed =
            ["verify", "--require", "authentic", "--trust", policy.to_str().unwrap(), path.to_str().unwrap()];
        code(&run(&[&fixed[..], more].concat()))
    };
    let key_of = |table: &str, key: &str, more: &str| format!("[[{table}]]\nkey = \"{key}\"\n{more}\n");
    let trusted = key_of("registry", &registry, "") + &key_of("issuer", &issuer, "");
    assert_eq!(verify(&trusted, &[]), 0);
    assert_eq!(verify(&key_of("registry", &registry, ""), &[]), 1);
    assert_eq!(verify(&format!("any_issuer = true\n{}", key_of("registry", &registry, "")), &[]), 0);
    assert_eq!(verify(&key_of("registry", &registry, ""), &["--any-issuer"]), 0);
    // The key is trusted on that day only, and until the day before.
    let on_the_day = format!("from = \"{day}T00:00:00Z\"\nuntil = \"{day}T23:59:59Z\"");
    let window = |window: &str| key_of("registry", &registry, window) + &key_of("issuer", &issuer, "");
    assert_eq!(verify(&window(&on_the_day), &[]), 0);
    assert_eq!(verify(&window("until = \"2000-01-01T00:00:00Z\""), &[]), 1);
    // More can be asked for: what only the log shows, and freshness.
    assert_eq!(verify(&format!("require = [\"registration\"]\n{trusted}"), &[]), 1);
    assert_eq!(
        verify(&format!("require = [\"registration\"]\n{trusted}"), &["--log", log.to_str().unwrap()]),
        0
    );
    assert_eq!(verify(&format!("max_age_days = 0\n{trusted}"), &[]), 1);
    assert_eq!(verify(&format!("max_age_days = 100000\n{trusted}"), &[]), 0);
    for wrong in [
        "require = [\"nothing\"]",
        "surprise = 1",
        "[[registry]]\nkey = \"abc\"",
        "any_issuer = ",
        "[[head]]\nsize = 1\nroot = \"x\"",
    ] {
        assert_eq!(verify(wrong, &[]), 2, "{wrong}");
    }
}

/// Who writes down what is required and forgets `--require` is told all the same, and notes are not lost among many documents.
#[test]
fn a_demand_that_is_not_met_is_no_success_and_notes_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.json", bundle("good/three-events"));
    let path = path.to_str().unwrap();
    let ends = |policy: &str| {
        let policy = write(folder.path(), "policy.toml", policy);
        let output = run(&["verify", path, "--trust", policy.to_str().unwrap()]);
        (code(&output), text(&output.stderr))
    };
    assert_eq!(ends("require = [\"inclusion\"]\n").0, 0);
    for unmet in ["require = [\"completeness\"]\n", "max_age_days = 1\n"] {
        let (exit, said) = ends(unmet);
        assert!(
            exit == 1 && said.contains("1 of 1 document is not what the policy requires"),
            "{unmet}: {said}"
        );
    }
    let noted = write(folder.path(), "b.json", bundle("good/kind-unknown"));
    let output = run(&["verify", path, noted.to_str().unwrap()]);
    let said = text(&output.stdout);
    assert!(said.contains("1  event.kind-unknown           noted, as in "), "{said}");
}

#[test]
fn a_well_known_document_that_was_kept_gives_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.json", bundle("good/three-events"));
    let ends = |name: &str, document: &str| {
        let known = write(folder.path(), name, document);
        let output = run(&[
            "verify",
            path.to_str().unwrap(),
            "--format",
            "ndjson",
            "--well-known",
            known.to_str().unwrap(),
        ]);
        let of = |id: &str| {
            let layers = findings(&output).first().map(|found| found["layers"].as_array().unwrap().clone());
            let layer = layers.into_iter().flatten().find(|layer| layer["id"] == id);
            layer.map(|layer| layer["state"].as_str().unwrap().to_owned())
        };
        (code(&output), of("registry-key"), text(&output.stderr))
    };
    let registry = key("good/three-events", "registry_key");
    let established = ends("good.json", &format!("{{\"ed25519_pub\":\"{registry}\",\"version\":\"v1\"}}"));
    assert_eq!((established.0, established.1.as_deref()), (0, Some("established")), "{}", established.2);
    let other = format!("{{\"ed25519_pub\":\"{}\"}}", "58".to_owned() + &"66".repeat(31));
    assert_eq!(ends("other.json", &other).0, 1);
    for wrong in ["{}", "{\"ed25519_pub\":\"00\"}", "[", "{\"ed25519_pub\":7}"] {
        let (exit, _, said) = ends("wrong.json", wrong);
        assert!(exit == 2 && said.contains("expected"), "{wrong}: {said}");
    }
}
