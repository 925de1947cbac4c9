//! `assayer verify` as its users meet it: archives, reports, hostile names and what lies behind a verdict.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assayer_verifier::{PublicKey, Signature, sha256, verify};
use serde_json::Value as Json;

fn assayer(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assayer"));
    command.arg("verify").args(arguments);
    command
}

fn run(arguments: &[&str]) -> Output {
    assayer(arguments).output().unwrap()
}

fn run_with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = assayer(arguments);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A program that has seen enough may close its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn lines(output: &Output) -> Vec<Json> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Path below the folder, kind, verdict and code of each line.
fn verdicts(output: &Output, folder: &Path) -> Vec<(String, String, String)> {
    let start = format!("{}/", folder.display());
    let of = |line: Json| {
        let path = line["path"].as_str().unwrap();
        let path = path.strip_prefix(&start).unwrap_or(path).to_owned();
        let kind = line["kind"].as_str().unwrap().to_owned();
        (path, kind, line["verdict"].as_str().unwrap_or("none").to_owned())
    };
    lines(output).into_iter().map(of).collect()
}

fn found(path: &str, kind: &str, verdict: &str) -> (String, String, String) {
    let kind = if kind == "bundle" { "oversight-bundle" } else { kind };
    (path.to_owned(), kind.to_owned(), verdict.to_owned())
}

fn vector(name: &str) -> Json {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/bundles").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn bundle(name: &str) -> String {
    vector(name)["input"]["bundle"].as_str().unwrap().to_owned()
}

fn good() -> String {
    bundle("good/three-events")
}

fn bad() -> String {
    bundle("inclusion/sibling-flipped")
}

fn write(folder: &Path, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn header(kind: tar::EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header
}

fn add(tar: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
    let mut header = header(tar::EntryType::Regular, content.len() as u64);
    tar.append_data(&mut header, name, content).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn archive() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, "a.json", good().as_bytes());
    add(&mut tar, "inner/b.ndjson", format!("{}\n{}\n{{\"cut", good(), bad()).as_bytes());
    add(&mut tar, "notes.txt", b"not evidence");
    let long = format!("{}/c.json", "long".repeat(40));
    add(&mut tar, &long, good().as_bytes());
    tar.append_link(&mut header(tar::EntryType::Symlink, 0), "link.json", "/etc/passwd").unwrap();
    tar.append_link(&mut header(tar::EntryType::Link, 0), "hard.json", "a.json").unwrap();
    let mut device = header(tar::EntryType::Char, 0);
    device.set_path("zero.json").unwrap();
    device.set_cksum();
    tar.append(&device, std::io::empty()).unwrap();
    tar.into_inner().unwrap()
}

#[test]
fn the_members_of_an_archive_are_verified_without_unpacking_it() {
    let folder = tempfile::tempdir().unwrap();
    let long = format!("{}/c.json", "long".repeat(40));
    write(folder.path(), "x.tar", archive());
    write(folder.path(), "y.tgz", gzip(&archive()));
    write(folder.path(), "z.ndjson.gz", gzip(format!("{}\n{}\n", good(), bad()).as_bytes()));
    let output = run(&["--format", "ndjson", folder.path().to_str().unwrap()]);
    let mut expected = Vec::new();
    for name in ["x.tar", "y.tgz"] {
        expected.push(found(&format!("{name}/a.json"), "bundle", "consistent"));
        expected.push(found(&format!("{name}/inner/b.ndjson:1"), "bundle", "consistent"));
        expected.push(found(&format!("{name}/inner/b.ndjson:2"), "bundle", "refuted"));
        expected.push(found(&format!("{name}/inner/b.ndjson:3"), "unknown", "refuted"));
        expected.push(found(&format!("{name}/{long}"), "bundle", "consistent"));
    }
    expected.push(found("z.ndjson.gz:1", "bundle", "consistent"));
    expected.push(found("z.ndjson.gz:2", "bundle", "refuted"));
    assert_eq!((code(&output), verdicts(&output, folder.path())), (1, expected));
    let said = text(&output.stderr);
    for part in
        ["notes.txt: left out", "link.json: left out, being a link", "hard.json: left out, being a link"]
    {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(said.contains("zero.json: left out, being a device"), "{said}");
    // Nothing came out of the archives, and standard input is as good as a file.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    for input in [archive(), gzip(&archive())] {
        let output = run_with_input(&["--format", "ndjson", "-"], &input);
        assert_eq!((code(&output), lines(&output).len()), (1, 5));
    }
}

/// What may be evidence and is not read is no pass, however good the rest is; what is none by its name is left out.
#[test]
fn what_is_packed_once_more_is_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let packed = ["b.tar", "c.tar.gz", "d.TGZ", "e.json.gz", "f.zip", "g.ndjson.zst", "h.tar.xz"];
    let others = ["i.png", "j.txt", "k.txt.gz", "l.log.zst"];
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, "a.json", good().as_bytes());
    for name in packed.iter().chain(&others) {
        add(&mut tar, name, b"whatever is in it");
    }
    let mut sparse = header(tar::EntryType::GNUSparse, 0);
    sparse.set_path("m.json").unwrap();
    sparse.set_cksum();
    tar.append(&sparse, std::io::empty()).unwrap();
    let tar = tar.into_inner().unwrap();
    write(folder.path(), "x.tar", &tar);
    let output = run(&["--format", "ndjson", folder.path().join("x.tar").to_str().unwrap()]);
    let mut expected = vec![found("x.tar/a.json", "bundle", "consistent")];
    let lost = |name: &str| found(name, "unreadable", "none");
    expected.extend(packed.iter().chain(&["m.json"]).map(|name| lost(&format!("x.tar/{name}"))));
    let said = text(&output.stderr);
    assert_eq!((code(&output), verdicts(&output, folder.path())), (2, expected), "{said}");
    for name in others {
        assert!(said.contains(&format!("{name}: left out, being no .json")), "{name}: {said}");
    }
    assert_eq!(said.matches("unpack it first").count(), packed.len(), "{said}");

    // A folder of them: tar and gzip are read there.
    let inner = folder.path().join("inner");
    std::fs::create_dir(&inner).unwrap();
    for name in ["f.zip", "g.ndjson.zst", "j.txt"] {
        write(&inner, name, b"whatever is in it");
    }
    write(&inner, "a.json", good());
    let output = run(&["--format", "ndjson", inner.to_str().unwrap()]);
    let expected = vec![found("a.json", "bundle", "consistent"), lost("f.zip"), lost("g.ndjson.zst")];
    assert_eq!((code(&output), verdicts(&output, &inner)), (2, expected), "{}", text(&output.stderr));
}

#[test]
fn of_a_cut_archive_the_whole_members_are_verified_and_the_cut_one_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, "a.json", good().as_bytes());
    let between = tar.get_ref().len();
    add(&mut tar, "b.ndjson", format!("{}\n{}\n", good(), good()).as_bytes());
    let whole = tar.into_inner().unwrap();
    let verified = |bytes: &[u8]| {
        let path = write(folder.path(), "x.tar", bytes);
        let output = run(&["--format", "ndjson", path.to_str().unwrap()]);
        (code(&output), verdicts(&output, folder.path()), text(&output.stderr))
    };
    assert_eq!((verified(&whole).0, verified(&whole).1.len()), (0, 3));
    let first = found("x.tar/a.json", "bundle", "consistent");
    // Within the second line of the second member.
    let (exit, found_, said) = verified(&whole[..between + 512 + good().len() + 100]);
    let cut = [
        first.clone(),
        found("x.tar/b.ndjson:1", "bundle", "consistent"),
        found("x.tar/b.ndjson:2", "unreadable", "none"),
    ];
    assert_eq!((exit, &found_[..]), (2, &cut[..]), "{said}");
    assert!(said.contains("the archive ends within this member"), "{said}");
    // Between two members, and within a header.
    for length in [between, between + 100] {
        let (exit, found_, said) = verified(&whole[..length]);
        assert_eq!((exit, found_.len(), &found_[0]), (2, 2, &first), "{length}: {said}");
        assert_eq!(found_[1], found("x.tar", "unreadable", "none"), "{said}");
    }
    // A compressed archive that is cut.
    let packed = gzip(&whole);
    let (exit, _, said) = verified(&packed[..packed.len() / 2]);
    assert_eq!(exit, 2, "{said}");
}

#[test]
fn bombs_and_lies_about_lengths_end_early() {
    let folder = tempfile::tempdir().unwrap();
    let mut zeros = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..128 {
        zeros.write_all(&[b' '; 1 << 20]).unwrap();
    }
    let path = write(folder.path(), "bomb.ndjson.gz", zeros.finish().unwrap());
    let output = run(&["--format", "ndjson", path.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("more than 200 times"), "{said}");
    // A name of eight exabytes.
    let mut name = header(tar::EntryType::GNULongName, 1 << 62);
    name.set_path("././@LongLink").unwrap();
    name.set_cksum();
    let path = write(folder.path(), "name.tar", [&name.as_bytes()[..], &[b'x'; 4096]].concat());
    let output = run(&["--format", "ndjson", path.to_str().unwrap()]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("a name or attributes of"), "{said}");
}

/// Texts that try to be more than text.
const HOSTILE: &str = "<script>alert(1)</script>&\"'\u{1b}[31m\u{7}\u{202e}gnp.exe\u{9b}2J\u{200b}";

fn hostile_bundle() -> String {
    let mut document: Json = serde_json::from_str(&bad()).unwrap();
    document["file_id"] = Json::from(HOSTILE);
    document["manifest"]["issuer_id"] = Json::from(HOSTILE);
    document["tlog_head"]["signed_message"] = Json::from(HOSTILE);
    document[HOSTILE] = Json::from(HOSTILE);
    document["events"][0][HOSTILE] = Json::from(HOSTILE);
    document.to_string()
}

#[test]
fn texts_from_outside_stay_texts_in_every_form_of_output() {
    let mut tar = tar::Builder::new(Vec::new());
    let name = format!("{}.json", HOSTILE.replace('/', "|"));
    add(&mut tar, &name, hostile_bundle().as_bytes());
    add(&mut tar, &name.replace(".json", ".txt"), b"");
    let input = tar.into_inner().unwrap();
    for format in ["text", "json", "ndjson", "html"] {
        let output = run_with_input(&["--explain", "--format", format, "--file-id", HOSTILE, "-"], &input);
        assert_eq!(code(&output), 1, "{}", text(&output.stderr));
        for said in [text(&output.stdout), text(&output.stderr)] {
            for hostile in ['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}', '\u{200b}'] {
                assert!(!said.contains(hostile), "{format}: {hostile:?}: {said}");
            }
        }
        let said = text(&output.stdout);
        assert!(said.contains("alert(1)"), "{format}: {said}");
        if format == "html" {
            assert!(!said.contains("<script"), "{said}");
            assert!(said.contains("&#60;script&#62;alert(1)&#60;/script&#62;&#38;&#34;&#39;"), "{said}");
            assert!(said.contains("\\u{202e}gnp.exe"), "{said}");
        }
    }
}

/// What is wrong with a log beside the documents is said with its place, and the place is a text from outside.
fn heads(name: &str) -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/heads").join(format!("{name}.json"));
    let vector: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let of = |pointer: &str| vector.pointer(pointer).unwrap().as_str().unwrap().to_owned();
    (of("/input/document"), of("/input/trust/registry_keys/0"))
}

/// Whoever has a signed head, which is public, can put anything beside it.
#[test]
fn what_rides_on_a_signed_head_is_a_bundle_that_nobody_signed() {
    let folder = tempfile::tempdir().unwrap();
    let (head, key) = heads("known");
    let mut forged: Json = serde_json::from_str(&head).unwrap();
    forged["file_id"] = "file".into();
    forged["events"] = serde_json::json!([{"kind": "http_img"}]);
    let path = write(folder.path(), "forged.json", forged.to_string());
    let asked = ["--registry-key", &key, "--require", "authentic", "--format", "ndjson"];
    let output = run(&[&[path.to_str().unwrap()][..], &asked].concat());
    assert_eq!(
        (code(&output), verdicts(&output, folder.path())),
        (1, vec![found("forged.json", "bundle", "refuted")])
    );
    let path = write(folder.path(), "head.json", head);
    assert_eq!(code(&run(&[&[path.to_str().unwrap()][..], &asked].concat())), 0);
    let output = run(&[&[path.to_str().unwrap(), "--file-id", "file"][..], &asked].concat());
    assert_ne!(code(&output), 0, "a head is about no file: {}", text(&output.stdout));
}

/// A key that is trusted for a time only signs two histories as any other does.
#[test]
fn a_window_does_not_hide_that_a_key_signed_two_heads_of_one_size() {
    let folder = tempfile::tempdir().unwrap();
    let (both, key) = heads("two-in-conflict");
    let paths: Vec<PathBuf> =
        both.lines().enumerate().map(|(n, head)| write(folder.path(), &format!("{n}.json"), head)).collect();
    let policy = format!("[[registry]]\nkey = \"{key}\"\nuntil = \"2027-01-01T00:00:00Z\"\n");
    let policy = write(folder.path(), "policy.toml", policy);
    let output =
        run(&[paths[0].to_str().unwrap(), paths[1].to_str().unwrap(), "--trust", policy.to_str().unwrap()]);
    assert_eq!(code(&output), 1, "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("head.conflict"), "{}", text(&output.stdout));
}

#[test]
fn a_log_that_is_refused_steers_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let name = Json::from(HOSTILE).to_string();
    let log = write(folder.path(), "leaves.jsonl", format!("{{{name}:1,{name}:2}}\n"));
    let output = run_with_input(&["--log", log.to_str().unwrap(), "-"], good().as_bytes());
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("gnp.exe"), "{said}");
    for hostile in ['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}', '\u{200b}'] {
        assert!(!said.contains(hostile), "{hostile:?}: {said}");
    }
}

#[test]
fn the_page_needs_nothing_but_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.ndjson", format!("{}\n{}\n[]\n", good(), bad()));
    let output = run(&["--format", "html", path.to_str().unwrap()]);
    let page = text(&output.stdout);
    assert_eq!(code(&output), 1);
    for absent in
        ["<script", "src=", "url(", "@import", "<link", "http-equiv=\"refresh", "onclick", "<iframe"]
    {
        assert!(!page.contains(absent), "{absent}");
    }
    let targets = page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    for target in targets {
        let id = target.strip_prefix('#').unwrap();
        assert!(page.contains(&format!("id=\"{id}\"")), "{target} leads nowhere");
    }
    for part in [
        "lang=\"en\"",
        "<main>",
        "<header>",
        "<footer>",
        "<caption>",
        "scope=\"col\"",
        "prefers-color-scheme: dark",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let opened =
        |tag: &str| page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
    for tag in ["article", "details", "section", "table", "dl", "dd", "td", "code", "bdi", "div"] {
        assert_eq!(opened(tag), page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

/// A member of `counts` as each form of output has it.
#[test]
fn all_forms_of_output_agree_on_all_counts() {
    let folder = tempfile::tempdir().unwrap();
    let (registry, issuer) = ("good/three-events", "good/three-events");
    let trust = |name: &str, member: &str| {
        let trust = &vector(name)["input"]["trust"][member];
        trust.as_str().or_else(|| trust[0].as_str()).unwrap().to_owned()
    };
    let (registry, issuer) = (trust(registry, "registry_key"), trust(issuer, "issuer_keys"));
    let inner = folder.path().join("evidence");
    std::fs::create_dir(&inner).unwrap();
    write(&inner, "a.ndjson", format!("{0}\n{0}\n{1}\n[1]\n{{\"cut", good(), bad()));
    let cut = archive();
    write(&inner, "b.tar", &cut[..cut.len() - 1024]);
    write(&inner, "readme.txt", "");
    let path = inner.to_str().unwrap();
    let pinned = ["--registry-key", &registry, "--issuer-key", &issuer];
    for (pins, require) in [(&[][..], "consistent"), (&[][..], "authentic"), (&pinned[..], "authentic")] {
        let with = |format: &str| run(&[&[path, "--require", require, "--format", format], pins].concat());
        let (whole, line, page, words) = (with("json"), with("ndjson"), with("html"), with("text"));
        let exits = [&whole, &line, &page, &words].map(code);
        assert!(exits.iter().all(|exit| *exit == 1), "{exits:?}");
        let report: Json = serde_json::from_slice(&whole.stdout).unwrap();
        assert_eq!(report["documents"], Json::from(lines(&line)));
        let summary = &report["summary"];
        let count = |name: &str| summary[name].as_u64().unwrap();
        let of = |kind: &str, verdict: Option<&str>| {
            let is = |line: &&Json| {
                (kind.is_empty() || line["kind"] == kind) && line["verdict"].as_str() == verdict
            };
            lines(&line).iter().filter(is).count() as u64
        };
        let counts = [
            ("authentic", of("", Some("authentic"))),
            ("consistent", of("", Some("consistent"))),
            ("refuted", of("", Some("refuted"))),
            ("unknown", of("unknown", None)),
            ("unreadable", of("unreadable", None)),
            ("skipped", text(&line.stderr).matches("left out, ").count() as u64),
        ];
        let (page, words) = (text(&page.stdout), text(&words.stdout));
        for (name, counted) in counts {
            assert_eq!((name, count(name)), (name, counted));
            let label = match name {
                "unknown" => "of no known kind",
                "skipped" => "left out",
                name => name,
            };
            assert!(page.contains(&format!("<b>{counted}</b> {label}")), "{name}: {counted}");
            let label = match (name, counted) {
                ("skipped", 1) => "file left out",
                ("skipped", _) => "files left out",
                _ => label,
            };
            assert!(words.contains(&format!("{counted} {label}")), "{name}: {counted}: {words}");
        }
        assert_eq!(count("documents"), counts[..4].iter().map(|(_, counted)| counted).sum::<u64>());
        for reason in summary["reasons"].as_array().unwrap() {
            let reason_code = reason["code"].as_str().unwrap();
            assert!(page.contains(&format!("<code>{reason_code}</code></th>")), "{reason_code}");
            assert!(words.contains(reason_code), "{reason_code}");
        }
    }
}

fn schema(name: &str) -> jsonschema::Validator {
    let path = format!("{}/../reports/schema/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
    let schema: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[test]
fn machine_output_is_of_its_published_schema() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.ndjson", format!("{}\n{}\n[1]\n{{\"cut", good(), bad()));
    write(folder.path(), "b.tar", &archive()[..2_000]);
    let path = folder.path().to_str().unwrap();
    for explain in [&[][..], &["--explain"]] {
        let output =
            run(&[&[path, "--format", "json", "--head", &format!("1:{}", "0".repeat(64))], explain].concat());
        let report: Json = serde_json::from_slice(&output.stdout).unwrap();
        let errors: Vec<String> =
            schema("verification").iter_errors(&report).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let output = run(&[&[path, "--format", "ndjson"], explain].concat());
        let line_schema = schema("verification-line");
        for line in lines(&output) {
            assert!(line_schema.is_valid(&line), "{line}");
        }
        assert!(
            !line_schema
                .is_valid(&serde_json::json!({"path": "a", "kind": "x", "verdict": "good", "layers": []}))
        );
    }
}

#[test]
fn explain_shows_rule_bytes_keys_and_what_is_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.json", good());
    let document: Json = serde_json::from_str(&good()).unwrap();
    let registry = document["registry_pub"].as_str().unwrap();
    let output = run(&[path.to_str().unwrap(), "--explain", "--registry-key", registry]);
    let said = text(&output.stdout);
    let message = document["tlog_head"]["signed_message"].as_str().unwrap();
    let hash = sha256(message.as_bytes());
    for part in [
        &format!("{registry} pinned by you, at /registry_pub"),
        "from the evidence itself, at /manifest/issuer_ed25519_pub",
        &format!("{} bytes, SHA-256 {hash}: fits", message.len()),
        "It does not show that others were shown the same head.",
        "RFC 9162 section 2.1.3.2",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    // Every layer says what it shows and what not.
    let output = run(&[path.to_str().unwrap(), "--explain", "--format", "ndjson"]);
    for layer in lines(&output)[0]["layers"].as_array().unwrap() {
        for member in ["rule", "establishes", "does_not_establish"] {
            assert!(!layer["explained"][member].as_str().unwrap().is_empty(), "{member} of {layer}");
        }
    }
    let root = document["tlog_head"]["root"].as_str().unwrap();
    let changed = good().replacen(
        &format!("\\\"root\\\":\\\"{root}"),
        &format!("\\\"root\\\":\\\"{}", "0".repeat(64)),
        1,
    );
    write(folder.path(), "a.json", changed);
    let said = text(&run(&[path.to_str().unwrap(), "--explain"]).stdout);
    assert!(said.contains("from signed_message in the document, first at byte 9, /root"), "{said}");
}

#[test]
fn dumped_bytes_are_those_that_were_signed() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "../a<b>.json".trim_start_matches("../"), good());
    let out = folder.path().join("bytes");
    let output = run(&[path.to_str().unwrap(), "--dump-bytes", out.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let inner = std::fs::read_dir(&out).unwrap().next().unwrap().unwrap().path();
    let read = |name: &str| std::fs::read(inner.join(name)).unwrap();
    for layer in ["issuer-signature", "registry-signature", "tree-head"] {
        let (bytes, signature) = (read(&format!("{layer}.bin")), read(&format!("{layer}.sig")));
        let key = read(&format!("{layer}.key.der"));
        let key = PublicKey::from_slice(&key[12..]).unwrap();
        assert_eq!(verify(&key, &bytes, &Signature::from_slice(&signature).unwrap()), Ok(()), "{layer}");
    }
    let document: Json = serde_json::from_str(&good()).unwrap();
    let proven = document["tlog_proofs"][0]["proof"]["leaf_hash"].as_str().unwrap();
    assert_eq!(sha256(&read("event-binding-0.bin")).to_hex(), proven);
    let how = text(&read("check.txt"));
    assert!(how.contains("openssl pkeyutl -verify") && how.contains(proven), "{how}");
    // What the file says can be run, where the tools are.
    let tools = Command::new("sh")
        .args(["-c", "command -v openssl sha256sum"])
        .output()
        .is_ok_and(|found| found.status.success());
    if !tools {
        eprintln!("skipped: check.txt was not run, for want of openssl or sha256sum");
        return;
    }
    let ran = Command::new("sh").args(["-e", "check.txt"]).current_dir(&inner).output().unwrap();
    assert!(ran.status.success(), "{}{}", text(&ran.stdout), text(&ran.stderr));
    assert_eq!(
        text(&ran.stdout).matches("Signature Verified Successfully").count(),
        3,
        "{}",
        text(&ran.stdout)
    );
}

#[test]
fn one_document_has_all_its_layers_and_several_have_a_line_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.ndjson", format!("{}\n", good()));
    let path = path.to_str().unwrap();
    let single = text(&run(&[path]).stdout);
    assert!(single.lines().count() > 20 && single.contains("event-order"), "{single}");
    write(folder.path(), "a.ndjson", format!("{}\n{}\n{}\n", good(), bad(), good()));
    let several = text(&run(&[path]).stdout);
    assert!(several.contains("merkle.root-mismatch") && !several.contains("event-order"), "{several}");
    assert_eq!(several.lines().filter(|line| line.ends_with(": consistent")).count(), 2, "{several}");
    let summary = text(&run(&[path, "--summary-only"]).stdout);
    assert!(summary.starts_with("3 documents: 0 authentic, 2 consistent, 1 refuted"), "{summary}");
    assert!(summary.contains("as in") && summary.contains("documents a second"), "{summary}");
}

fn key(name: &str, member: &str) -> String {
    let trust = &vector(name)["input"]["trust"][member];
    trust.as_str().or_else(|| trust[0].as_str()).unwrap().to_owned()
}

/// The document of a vector that is no bundle.
fn document(name: &str) -> String {
    vector(&format!("../{name}"))["input"]["document"].as_str().unwrap().to_owned()
}

/// Code of a layer in the first line of NDJSON.
fn layer_code(output: &Output, id: &str) -> String {
    let line = lines(output).into_iter().next().unwrap_or_default();
    let layer =
        line["layers"].as_array().and_then(|layers| layers.iter().find(|layer| layer["id"] == id).cloned());
    layer.unwrap_or_default()["code"].as_str().unwrap_or_default().to_owned()
}

/// Of what nobody signed a registry is neither acquitted nor accused, wherever its key comes from.
#[test]
fn files_of_vantage_points_are_signed_and_each_brings_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/with-log";
    let registry = key(name, "registry_key");
    let path = write(folder.path(), "a.json", bundle(name));
    let bundle: Json = serde_json::from_str(&bundle(name)).unwrap();
    let head = |change: &dyn Fn(&mut Json)| {
        let mut head = bundle["tlog_head"].clone();
        change(&mut head);
        head.to_string()
    };
    write(folder.path(), "seen.json", head(&|_| {}));
    write(folder.path(), "again.json", head(&|_| {}));
    write(folder.path(), "unsigned.json", head(&|head| head["signature"] = "00".repeat(64).into()));
    write(folder.path(), "lie.json", head(&|head| head["root"] = "11".repeat(32).into()));
    let verify = |files: &[&str], keys: &[&str]| {
        let vantage =
            |(at, file): (usize, &&str)| format!("[[vantage]]\nname = \"{at}\"\nfiles = [\"{file}\"]\n");
        let vantages: String = files.iter().enumerate().map(vantage).collect();
        let policy = format!("[quorum]\nat_least = {}\n{vantages}", files.len());
        let policy = write(folder.path(), "policy.toml", policy);
        let fixed = [path.to_str().unwrap(), "--trust", policy.to_str().unwrap(), "--format", "ndjson"];
        let output = run(&[&fixed[..], keys].concat());
        (code(&output), layer_code(&output, "quorum"), text(&output.stderr))
    };
    let flag = ["--registry-key", &registry];
    let ok = "ok".to_owned();
    assert_eq!(verify(&["seen.json", "again.json"], &flag), (0, ok, String::new()));
    for (files, keys, why) in [
        (&["seen.json"][..], &[][..], "found none"),
        (&["unsigned.json"][..], &flag[..], "no trusted registry key signed this head"),
        (&["lie.json"][..], &flag[..], "no trusted registry key signed this head"),
        (&["seen.json", "seen.json"][..], &flag[..], "expected a file of each, found one of both"),
        (&["seen.json", "./seen.json"][..], &flag[..], "expected a file of each, found one of both"),
    ] {
        let (exit, layer, said) = verify(files, keys);
        assert!(exit == 2 && layer.is_empty() && said.contains(why), "{files:?}: {said}");
    }

    // A head has no time: a key that is trusted no more vouches for none, however the window is written.
    let until = |bounds: &str| {
        let policy = format!(
            "[[registry]]\nkey = \"{registry}\"\n{bounds}\n[quorum]\nat_least = 1\n[[vantage]]\nname = \"a\"\nfiles = [\"seen.json\"]\n"
        );
        let policy = write(folder.path(), "policy.toml", policy);
        let output =
            run(&[path.to_str().unwrap(), "--trust", policy.to_str().unwrap(), "--format", "ndjson"]);
        (code(&output), text(&output.stderr).contains("found one of"))
    };
    assert_eq!(until(""), (0, false));
    assert_eq!(until("until = \"2199-01-01T00:00:00Z\""), (0, false));
    assert_eq!(until("from = \"2025-01-01T00:00:00Z\""), (0, false));
    assert_eq!(until("until = \"2026-01-02T00:00:00Z\""), (2, true), "the bundle's time is within");
    assert_eq!(until("from = \"2199-01-01T00:00:00Z\""), (2, true));
}

#[test]
fn no_more_threads_are_asked_for_than_any_machine_has() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.ndjson", format!("{0}\n{0}\n", good()));
    let path = path.to_str().unwrap();
    for jobs in ["0", "1025", "40000", "200000"] {
        let output = run(&[path, "--jobs", jobs]);
        let said = text(&output.stderr);
        assert!(code(&output) == 2 && said.contains("1..=1024"), "{jobs}: {said}");
    }
    assert_eq!(code(&run(&[path, "--jobs", "1024"])), 0);
}

#[cfg(unix)]
#[test]
fn input_without_an_end_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let sparse = folder.path().join("leaves.jsonl");
    std::fs::File::create(&sparse).unwrap().set_len(1 << 38).unwrap();
    let sparse = sparse.to_str().unwrap();
    let zero = "/dev/zero";
    for call in [&[sparse][..], &["--as", "oversight-log", sparse]] {
        let output = run(&[call, &["--format", "ndjson"]].concat());
        let said = text(&output.stderr);
        assert!(code(&output) == 2 && said.contains("nothing after it is read"), "{call:?}: {said}");
        assert!(said.contains("limits.bytes"), "{call:?}: {said}");
    }
    // Zeros are how an archive ends.
    let output = run(&[zero, "--format", "ndjson"]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("what is there is not read"), "{said}");
    let path = write(folder.path(), "a.json", good());
    let path = path.to_str().unwrap();
    for log in [zero, sparse] {
        let output = run(&[path, "--log", log]);
        let said = text(&output.stderr);
        assert!(code(&output) == 2 && said.contains("expected"), "{log}: {said}");
    }
    let output = run(&[path, "--trust", zero]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("at most 1048576 bytes, found more"), "{said}");
    let vantage = format!("[[vantage]]\nname = \"a\"\nfiles = [\"{zero}\"]\n");
    let policy = write(folder.path(), "policy.toml", vantage);
    let registry = key("good/three-events", "registry_key");
    let output = run(&[path, "--trust", policy.to_str().unwrap(), "--registry-key", &registry]);
    let said = text(&output.stderr);
    assert!(code(&output) == 2 && said.contains("at most 65536 bytes, found more"), "{said}");
}

/// Whatever the file is called: the good lines are verified, the bad one is named.
#[test]
fn a_bad_first_line_hides_no_good_ones() {
    let folder = tempfile::tempdir().unwrap();
    let pretty: Json = serde_json::from_str(&good()).unwrap();
    let pretty = serde_json::to_string_pretty(&pretty).unwrap();
    let expected = |name: &str| {
        let good = |line: usize| found(&format!("{name}:{line}"), "bundle", "consistent");
        vec![found(&format!("{name}:1"), "unknown", "refuted"), good(2), good(3)]
    };
    for first in ["{\"cut", "\u{feff}{}", "nonsense", "[1,", "}"] {
        let input = format!("{first}\n{0}\n{0}\n", good());
        let path = write(folder.path(), "a.txt", &input);
        let output = run(&["--format", "ndjson", path.to_str().unwrap()]);
        assert_eq!((code(&output), verdicts(&output, folder.path())), (1, expected("a.txt")), "{first}");
        let output = run_with_input(&["--format", "ndjson", "-"], input.as_bytes());
        assert_eq!((code(&output), verdicts(&output, folder.path())), (1, expected("-")), "{first}");
    }
    // What is one document in several lines stays one.
    for (input, verdict) in [
        (pretty.clone(), "oversight-bundle consistent"),
        (pretty[..pretty.len() / 2].to_owned(), "unknown refuted"),
        (format!("[\n{}\n]\n", good()), "unknown none"),
        (format!("[\n{0},\n{0}\n]\n", good()), "unknown none"),
        ("{\n{}\n}".to_owned(), "unknown refuted"),
    ] {
        let output = run_with_input(&["--format", "ndjson", "-"], input.as_bytes());
        let found: Vec<String> = verdicts(&output, folder.path())
            .into_iter()
            .map(|(path, kind, verdict)| format!("{path} {kind} {verdict}"))
            .collect();
        assert_eq!(found, [format!("- {verdict}")], "{input}");
    }
}

#[test]
fn a_log_whose_first_lines_are_cut_is_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let whole = document("logs/whole");
    let cut =
        |(at, line): (usize, &str)| if at < 2 { format!("{}\n", &line[..40]) } else { format!("{line}\n") };
    let log: String = whole.lines().enumerate().map(cut).collect();
    for name in ["leaves.jsonl", "leaves.txt"] {
        let path = write(folder.path(), name, &log);
        let output = run(&["--format", "ndjson", path.to_str().unwrap()]);
        let expected = vec![found(name, "oversight-log", "refuted")];
        assert_eq!((code(&output), verdicts(&output, folder.path())), (1, expected));
        assert_eq!(layer_code(&output, "json"), "json.end");
    }
    // Nor is the end of a line a part of a document.
    let path = write(folder.path(), "a.ndjson", format!("{}\r\n{{\"cut\r\n{}\n", good(), good()));
    let output = run(&["--format", "ndjson", path.to_str().unwrap()]);
    let second = &lines(&output)[1];
    let codes: Vec<&str> =
        second["layers"].as_array().unwrap().iter().filter_map(|layer| layer["code"].as_str()).collect();
    assert!(codes.contains(&"json.end"), "{codes:?}");
}

/// Pages that are named without a folder are of the folder that the program runs in.
#[test]
fn no_finding_is_without_a_path() {
    let folder = tempfile::tempdir().unwrap();
    for (at, line) in document("logs/whole").lines().take(2).enumerate() {
        write(folder.path(), &format!("p{at}.json"), line);
    }
    let output =
        assayer(&["p0.json", "p1.json", "--format", "ndjson"]).current_dir(folder.path()).output().unwrap();
    assert_eq!(verdicts(&output, folder.path()), [found(".", "oversight-log", "consistent")]);
}

/// The log of a registry in which nothing has happened yet.
#[test]
fn an_empty_log_is_a_log() {
    let folder = tempfile::tempdir().unwrap();
    let empty = write(folder.path(), "leaves.jsonl", "");
    let empty = empty.to_str().unwrap();
    let root = sha256(b"").to_hex();
    let verify = |head: &str| {
        let call =
            ["--as", "oversight-log", empty, "--head", head, "--require", "authentic", "--format", "ndjson"];
        let output = run(&call);
        (code(&output), verdicts(&output, folder.path()), layer_code(&output, "log-root"))
    };
    let says = |verdict: &str| vec![found("leaves.jsonl", "oversight-log", verdict)];
    assert_eq!(verify(&format!("0:{root}")), (0, says("authentic"), "ok".to_owned()));
    assert_eq!(verify(&format!("1:{root}")), (1, says("consistent"), "log.too-short".to_owned()));
    // Beside a bundle with events it is too short, and shows nothing.
    let path = write(folder.path(), "a.json", good());
    let output = run(&[path.to_str().unwrap(), "--log", empty, "--format", "ndjson"]);
    assert_eq!(layer_code(&output, "log-root"), "log.too-short", "{}", text(&output.stderr));
    let nothing = folder.path().join("nothing");
    std::fs::create_dir(&nothing).unwrap();
    assert_eq!(code(&run(&[path.to_str().unwrap(), "--log", nothing.to_str().unwrap()])), 2);
}

/// No log has a head of no leaves with another root, so that nobody can know one: it is mistyped, or its source is wrong.
#[test]
fn a_known_head_of_no_leaves_has_their_root() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.json", good());
    let path = path.to_str().unwrap();
    let (none, other) = (sha256(b"").to_hex(), "00".repeat(32));
    let key = key("good/three-events", "registry_key");
    let signed = format!("{{\"size\":0,\"root\":\"{other}\",\"signature\":\"{}\"}}", "00".repeat(64));
    write(folder.path(), "seen.json", signed);
    let policy = |name: &str, text: &str| write(folder.path(), name, text).to_str().unwrap().to_owned();
    let listed = |root: &str| policy(root, &format!("[[head]]\nsize = 0\nroot = \"{root}\"\n"));
    let vantage = "[[vantage]]\nname = \"a\"\n";
    let seen = policy("seen", &format!("{vantage}[[vantage.head]]\nsize = 0\nroot = \"{other}\"\n"));
    let saved = policy("saved", &format!("{vantage}files = [\"seen.json\"]\n"));
    let flag = |root: &str| format!("0:{root}");
    for call in
        [["--head", &flag(&other)], ["--trust", &listed(&other)], ["--trust", &seen], ["--trust", &saved]]
    {
        let output = run(&[&[path, "--registry-key", &key][..], &call].concat());
        let said = text(&output.stderr);
        assert_eq!((code(&output), text(&output.stdout)), (2, String::new()), "{call:?}: {said}");
        assert!(said.contains(&none) && said.contains(&format!("found {other}")), "{call:?}: {said}");
    }
    for call in [["--head", &flag(&none)], ["--trust", &listed(&none)]] {
        assert_eq!(code(&run(&[&[path][..], &call].concat())), 0, "{call:?}");
    }
}

/// Where nothing was verified nothing was refuted, nor is it a pass: the call is wrong, or its data is.
#[test]
fn what_holds_no_document_is_unreadable() {
    let folder = tempfile::tempdir().unwrap();
    let tar = |members: &[(&str, &[u8])]| {
        let mut tar = tar::Builder::new(Vec::new());
        members.iter().for_each(|(name, content)| add(&mut tar, name, content));
        tar.into_inner().unwrap()
    };
    let (empty, others) = (tar(&[]), tar(&[("notes.txt", b"not evidence")]));
    for (name, content) in [
        ("a.json", &b""[..]),
        ("blank.ndjson", b"\n \r\n"),
        ("leaves.jsonl", b""),
        ("b.json.gz", &gzip(b"")),
        ("empty.tar", &empty),
        ("empty.tgz", &gzip(&empty)),
        ("others.tar", &others),
        ("folder/notes.txt", b"not evidence"),
        ("nothing/", b""),
    ] {
        let at = folder.path().join(name.split_once('/').map_or(name, |(inner, _)| inner));
        match name.split_once('/') {
            Some((_, file)) => {
                std::fs::create_dir(&at).unwrap();
                if !file.is_empty() {
                    write(&at, file, content);
                }
            }
            None => drop(write(folder.path(), name, content)),
        }
        let nothing_in = |output: &Output, path: &str| {
            let said = text(&output.stderr);
            assert_eq!(code(output), 2, "{name}: {said}");
            assert!(said.contains("expected at least one document, found none"), "{name}: {said}");
            assert!(verdicts(output, folder.path()).contains(&found(path, "unreadable", "none")), "{name}");
        };
        let path = at.strip_prefix(folder.path()).unwrap().to_str().unwrap();
        nothing_in(&run(&["--format", "ndjson", at.to_str().unwrap()]), path);
        // Beside a good document as well.
        let good = write(folder.path(), "good.json", good());
        nothing_in(&run(&["--format", "ndjson", good.to_str().unwrap(), at.to_str().unwrap()]), path);
        if at.is_file() {
            nothing_in(&run_with_input(&["--format", "ndjson", "-"], content), "-");
            nothing_in(&run(&["--as", "oversight-bundle", "--format", "ndjson", at.to_str().unwrap()]), path);
        }
    }
    let claim = folder.path().join("a.json");
    assert_eq!(code(&run(&["--as", "conformance-claim", claim.to_str().unwrap()])), 2);
    // Zeros in place of a document are a damaged document.
    let zeros = write(folder.path(), "zeros.json", [0; 4096]);
    assert_eq!(code(&run(&[zeros.to_str().unwrap()])), 1);
}

/// Where only logs are read, and put off until all else was, a path that holds one is not empty.
#[test]
fn a_path_with_nothing_but_a_log_holds_a_document() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "leaves.jsonl", document("logs/whole"));
    let output = run(&["--format", "ndjson", folder.path().to_str().unwrap()]);
    let log = found("leaves.jsonl", "oversight-log", "consistent");
    assert_eq!((code(&output), verdicts(&output, folder.path())), (0, vec![log]), "{}", text(&output.stderr));
}

#[test]
fn nothing_but_zeros_follows_the_end_mark_of_an_archive() {
    let folder = tempfile::tempdir().unwrap();
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, "a.json", good().as_bytes());
    let whole = tar.into_inner().unwrap();
    let (members, block) = (&whole[..whole.len() - 1024], [0; 512]);
    let verified = |bytes: Vec<u8>| {
        let path = write(folder.path(), "x.tar", bytes);
        let output = run(&["--format", "ndjson", path.to_str().unwrap()]);
        (code(&output), verdicts(&output, folder.path()), text(&output.stderr))
    };
    let first = found("x.tar/a.json", "bundle", "consistent");
    let (exit, found_, said) = verified([&whole[..], &[0; 9 * 1024]].concat());
    assert_eq!((exit, found_), (0, vec![first.clone()]), "{said}");
    for bytes in
        [[&whole[..], &whole].concat(), [members, &block, &whole].concat(), [&whole[..], &[0, 0, 1]].concat()]
    {
        let (exit, found_, said) = verified(bytes);
        assert_eq!((exit, found_), (2, vec![first.clone(), found("x.tar", "unreadable", "none")]), "{said}");
        assert!(said.contains(&format!("end mark at byte {}", members.len())), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn links_that_lead_nowhere_are_not_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "good.json", good());
    std::os::unix::fs::symlink("nowhere.json", folder.path().join("dangling.json")).unwrap();
    std::os::unix::fs::symlink("loop.json", folder.path().join("loop.json")).unwrap();
    let output = run(&["--format", "ndjson", folder.path().to_str().unwrap()]);
    let lost = |name: &str| found(name, "unreadable", "none");
    let expected = vec![lost("dangling.json"), found("good.json", "bundle", "consistent"), lost("loop.json")];
    assert_eq!((code(&output), verdicts(&output, folder.path())), (2, expected));
}

/// A standing policy asks for layers that no such proof has.
#[test]
fn a_proof_of_equivocation_that_was_asked_for_is_enough_under_any_policy() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.json", document("proofs/equivocation/prefix"));
    let registry = key("good/with-log", "registry_key");
    let seen =
        format!("[[vantage]]\nname = \"a\"\n[[vantage.head]]\nsize = 99\nroot = \"{}\"\n", "11".repeat(32));
    let policy = format!(
        "require = [\"registration\"]\n[quorum]\nat_least = 1\n[[registry]]\nkey = \"{registry}\"\n{seen}"
    );
    let policy = write(folder.path(), "policy.toml", policy);
    let call = [path.to_str().unwrap(), "--trust", policy.to_str().unwrap()];
    assert_eq!(code(&run(&[&call[..], &["--require", "equivocation"]].concat())), 0);
    assert_eq!(code(&run(&call)), 1);
}

#[test]
fn what_is_short_of_what_is_required_weighs_more_than_what_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.json", good());
    let unknown = write(folder.path(), "unknown.json", "[1]");
    let (path, nowhere) = (path.to_str().unwrap(), folder.path().join("nowhere.json"));
    for other in [nowhere.to_str().unwrap(), unknown.to_str().unwrap()] {
        assert_eq!(code(&run(&[path, other])), 2, "{other}");
        assert_eq!(code(&run(&[path, other, "--require", "authentic"])), 1, "{other}");
        let [registry, issuer] =
            ["registry_key", "issuer_keys"].map(|member| key("good/three-events", member));
        let keys = ["--registry-key", &registry, "--issuer-key", &issuer];
        assert_eq!(code(&run(&[&[path, other, "--require", "authentic"], &keys[..]].concat())), 2, "{other}");
    }
}

#[test]
fn trust_that_contradicts_itself_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let name = "good/three-events";
    let path = write(folder.path(), "a.json", good());
    let issuer = key(name, "issuer_keys");
    let named = format!("[[issuer]]\nkey = \"{issuer}\"\n");
    let [one, other] = ["11", "22"].map(|digits| digits.repeat(32));
    let known = format!("[[head]]\nsize = 3\nroot = \"{one}\"\n");
    let heads = [format!("3:{one}"), format!("3:{other}")];
    for (policy, flags) in [
        (named.clone(), &["--any-issuer"][..]),
        (format!("any_issuer = true\n{named}"), &[][..]),
        ("any_issuer = true".to_owned(), &["--issuer-key", &issuer][..]),
        (String::new(), &["--head", &heads[0], "--head", &heads[1]][..]),
        (known.clone(), &["--head", &heads[1]][..]),
        (known.clone() + &known.replace(&one, &other), &[][..]),
    ] {
        let file = write(folder.path(), "policy.toml", &policy);
        let output = run(&[&[path.to_str().unwrap(), "--trust", file.to_str().unwrap()], flags].concat());
        let said = text(&output.stderr);
        assert!(code(&output) == 2 && said.contains("contradicts itself"), "{policy} {flags:?}: {said}");
    }
}

#[test]
fn a_layer_that_is_open_is_named_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.json", good());
    let policy = "require = [\"quorum\", \"shape\"]\n[quorum]\nat_least = 1\n[[vantage]]\nname = \"a\"\n";
    let policy = write(folder.path(), "policy.toml", policy);
    let output = run(&[path.to_str().unwrap(), "--trust", policy.to_str().unwrap()]);
    let said = text(&output.stdout);
    let line = said.lines().find(|line| line.contains("not established:")).unwrap();
    assert_eq!(line.matches("quorum").count(), 1, "{line}");
}

#[test]
fn what_is_wrong_with_a_call_is_said_with_what_was_expected_and_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "a.json", good());
    let path = path.to_str().unwrap();
    let mut huge = header(tar::EntryType::Regular, u64::MAX);
    huge.set_path("b.json").unwrap();
    huge.set_cksum();
    let mut tar = tar::Builder::new(Vec::new());
    add(&mut tar, "a.json", good().as_bytes());
    let members = tar.into_inner().unwrap();
    let tar = write(folder.path(), "x.tar", [&members[..members.len() - 1024], huge.as_bytes()].concat());
    let array = write(folder.path(), "array.json", format!("[{},{}]", good(), good()));
    let binary = write(folder.path(), "policy.toml", [b'a', b'\n', 0xff]);
    let large = format!("18446744073709551616:{}", "11".repeat(32));
    let missing = folder.path().join("missing.json");
    let missing = missing.to_str().unwrap();
    for (call, parts) in [
        (
            &[path, "--head", &large][..],
            &["expected a number to 18446744073709551615", "found `18446744073709551616`"][..],
        ),
        (&[path, "--head", "3:11"][..], &["expected SIZE:ROOT", "ROOT: found `11`"][..]),
        (
            &[path, "--trust", binary.to_str().unwrap()][..],
            &["expected TOML in UTF-8, found a byte at 2"][..],
        ),
        (&[path, "--log", path][..], &["expected a log", "expected an integer", "found nothing"][..]),
        (&[missing][..], &["missing.json: No such file"][..]),
        (&[tar.to_str().unwrap()][..], &["the member after `", "x.tar/a.json`"][..]),
        (&[array.to_str().unwrap()][..], &["one a line (NDJSON)"][..]),
    ] {
        let output = run(call);
        let said = text(&output.stderr) + &text(&output.stdout);
        assert_eq!(code(&output), 2, "{call:?}: {said}");
        for part in parts {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

/// A page that names an option which is none leads nobody anywhere.
#[test]
fn the_page_on_soundness_names_options_that_exist() {
    let page =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/soundness.md")).unwrap();
    let help = text(&run(&["--help"]).stdout);
    for option in page.split('`').filter(|code| code.starts_with("--")) {
        let option = option.split_whitespace().next().unwrap();
        assert!(help.contains(option), "{option}");
    }
}

/// A good bundle whose registry is pinned, its log, and the log with its last leaf rewritten: the bundle's head is not of that.
fn bundle_and_logs() -> (String, String, String) {
    let vector = vector("good/with-log");
    let log = vector["input"]["trust"]["log"].as_str().unwrap().to_owned();
    let mut lines: Vec<&str> = log.lines().collect();
    let leaf = "{}";
    let hash = assayer_verifier::leaf_hash(leaf.as_bytes());
    let last = format!("{{\"index\":{},\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{leaf}\"}}", lines.len() - 1);
    *lines.last_mut().unwrap() = &last;
    let forged = lines.join("\n") + "\n";
    (vector["input"]["bundle"].as_str().unwrap().to_owned(), log, forged)
}

/// What nobody may miss stands in the short text as well.
#[test]
fn the_short_text_says_what_was_set_aside_and_what_was_rounded() {
    let folder = tempfile::tempdir().unwrap();
    let (bundle, log, _) = bundle_and_logs();
    write(folder.path(), "bundle.json", &bundle);
    write(folder.path(), "leaves.jsonl", &log);
    let proof: Json = serde_json::from_str(&document("proofs/equivocation/heads-of-two-keys")).unwrap();
    let mut head = proof["new"].clone();
    head["signed_message"] = format!("{{\"root\":{},\"size\":{}}}", head["root"], head["size"]).into();
    write(folder.path(), "other.json", head.to_string());
    let key = key("good/with-log", "registry_key");
    let other = "5b66a0f9a7d0e7c965148b5022637cc5c62a5410ad9fbc113659f29e27b98d79";
    let call = [folder.path().to_str().unwrap(), "--registry-key", &key, "--registry-key", other];
    let output = run(&call);
    let said = text(&output.stdout);
    let line = said.lines().find(|line| line.contains("log.other-key")).unwrap_or_default();
    assert!(line.trim_start().starts_with("set aside") && line.contains(other), "{said}");

    write(folder.path(), "other.json", self::bundle("good/number-spelled-longer"));
    let said = text(&run(&call).stdout);
    let line = said.lines().find(|line| line.contains("interop.rounded-number")).unwrap_or_default();
    assert!(line.contains("/manifest/policy/n: 0.1000000000000000055511151231257827"), "{said}");
}

/// Heads count for a log whichever is named first, and wherever both stand.
#[test]
fn a_log_is_compared_with_the_heads_of_the_call_in_any_order() {
    let folder = tempfile::tempdir().unwrap();
    let (bundle, log, forged) = bundle_and_logs();
    let key = vector("good/with-log")["input"]["trust"]["registry_key"].as_str().unwrap().to_owned();
    let page = |log: &str| {
        let entries: Vec<Json> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        serde_json::json!({"start": 0, "count": entries.len(), "entries": entries}).to_string()
    };
    let tar = |log: &str| {
        let mut tar = tar::Builder::new(Vec::new());
        add(&mut tar, "a.jsonl", log.as_bytes());
        add(&mut tar, "b.json", bundle.as_bytes());
        tar.into_inner().unwrap()
    };
    let pretty = |log: &str| {
        let value: Json = serde_json::from_str(&page(log)).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    };
    let root = |output: &Output| {
        let log = lines(output).into_iter().find(|line| line["kind"] == "oversight-log").unwrap();
        let layers = log["layers"].as_array().unwrap().clone();
        let root = layers.into_iter().find(|layer| layer["id"] == "log-root").unwrap();
        root["code"].as_str().unwrap().to_owned()
    };
    let later = write(folder.path(), "z.json", &bundle);
    let later = later.to_str().unwrap();
    for (log, expected) in [(log, "ok"), (forged, "log.root-differs")] {
        let forms: [(&str, Vec<u8>); 5] = [
            ("a.jsonl", log.clone().into_bytes()),
            ("a.json", page(&log).into_bytes()),
            ("pretty.json", pretty(&log).into_bytes()),
            ("a.jsonl.gz", gzip(log.as_bytes())),
            ("a.tar", tar(&log)),
        ];
        for (name, content) in forms {
            let path = write(folder.path(), name, &content);
            let path = path.to_str().unwrap();
            let flags = ["--format", "ndjson", "--registry-key", &key];
            for order in [[path, later], [later, path]] {
                let output = run(&[&order[..], &flags[..]].concat());
                assert_eq!(root(&output), expected, "{order:?} {}", text(&output.stderr));
                let documents = lines(&output).len();
                assert_eq!(
                    documents,
                    if name == "a.tar" { 3 } else { 2 },
                    "{order:?}: {}",
                    text(&output.stdout)
                );
            }
            let output = run_with_input(&[&["-", later][..], &flags[..]].concat(), &content);
            assert_eq!(root(&output), expected, "{name} on standard input");
        }
    }
}

/// An archive on standard input is read once: what comes too late for a log in it is not passed over in silence.
#[test]
fn a_head_behind_a_log_that_is_read_once_leaves_its_root_open() {
    let (bundle, log, _) = bundle_and_logs();
    let key = vector("good/with-log")["input"]["trust"]["registry_key"].as_str().unwrap().to_owned();
    let more: String = (log.lines().count()..log.lines().count() + 3)
        .map(|index| {
            let hash = assayer_verifier::leaf_hash(b"{}");
            format!("{{\"index\":{index},\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{{}}\"}}\n")
        })
        .collect();
    for (log, expected) in [(log.clone(), "ok"), (log + &more, "input.not-reached")] {
        let mut tar = tar::Builder::new(Vec::new());
        add(&mut tar, "a.jsonl", log.as_bytes());
        add(&mut tar, "b.json", bundle.as_bytes());
        let tar = tar.into_inner().unwrap();
        let output = run_with_input(&["-", "--format", "ndjson", "--registry-key", &key], &tar);
        let log = lines(&output).into_iter().find(|line| line["kind"] == "oversight-log").unwrap();
        let layers = log["layers"].as_array().unwrap();
        let root = layers.iter().find(|layer| layer["id"] == "log-root").unwrap();
        assert_eq!(root["code"], expected, "{log}");
    }
}

fn together(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../vectors/bundles-together")
        .join(format!("{name}.json"));
    let vector: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    vector["input"]["document"].as_str().unwrap().to_owned()
}

/// What bundles show only together is a finding of its own, with the paths of both.
#[test]
fn contradictions_between_the_bundles_of_one_call_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("grown", None, 0),
        ("smaller-later", Some(("head.rollback", "consistent")), 0),
        ("registered-again", Some(("manifest.differs", "consistent")), 0),
        ("manifest-of-another-issuer", Some(("manifest.issuer-differs", "refuted")), 1),
        ("two-roots-of-one-size", Some(("head.conflict", "refuted")), 1),
        ("leaf-exchanged", Some(("head.leaves-differ", "refuted")), 1),
        ("leaf-exchanged-that-neither-shows", Some(("head.leaves-differ", "refuted")), 1),
        ("event-left-out-later", Some(("log.event-missing", "refuted")), 1),
        ("more-events-later", None, 0),
    ];
    for (name, expected, exit) in cases {
        let path = write(folder.path(), &format!("{name}.ndjson"), together(name));
        let output = run(&[path.to_str().unwrap(), "--format", "ndjson"]);
        let lines = lines(&output);
        let both = format!("{0}:1 and {0}:2", path.display());
        let finding = lines.iter().find(|line| line["path"] == both.as_str());
        let found = finding.map(|line| {
            let layers = line["layers"].as_array().unwrap();
            (layers.last().unwrap()["code"].as_str().unwrap(), line["verdict"].as_str().unwrap())
        });
        assert_eq!((found, code(&output)), (expected, exit), "{name}: {}", text(&output.stdout));
        assert_eq!(lines.len(), 2 + usize::from(expected.is_some()), "{name}");
        let summary =
            text(&run(&[path.to_str().unwrap(), "--summary-only", "--require", "authentic"]).stdout);
        assert_eq!(
            summary.contains(expected.map_or("head.rollback", |found| found.0)),
            expected.is_some(),
            "{summary}"
        );
    }
}

/// A layer that the policy requires is asked of the documents that can have it; of the others it is said that it was not.
#[test]
fn what_a_policy_requires_is_asked_of_those_that_can_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let head =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/heads/known.json"))
            .unwrap();
    let head: Json = serde_json::from_str(&head).unwrap();
    let key = head["input"]["trust"]["registry_keys"][0].as_str().unwrap();
    let policy = format!("require = [\"registration\"]\nany_issuer = true\n[[registry]]\nkey = \"{key}\"\n");
    let policy = write(folder.path(), "policy.toml", policy);
    let evidence = folder.path().join("evidence");
    std::fs::create_dir(&evidence).unwrap();
    write(&evidence, "head.json", head["input"]["document"].as_str().unwrap());
    write(&evidence, "bundle.json", bundle("good/one-event"));
    let log = write(folder.path(), "leaves.jsonl", bundle_and_logs().1);
    let arguments = |more: &[&str]| {
        let given = [evidence.to_str().unwrap(), "--trust", policy.to_str().unwrap()];
        let given = [&given[..], &["--log", log.to_str().unwrap(), "--require", "authentic"], more].concat();
        given.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let run = |more: &[&str]| {
        let arguments = arguments(more);
        run(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let output = run(&["--format", "ndjson"]);
    let of = |name: &str| {
        let path = evidence.join(name).display().to_string();
        lines(&output).into_iter().find(|line| line["path"] == path.as_str()).unwrap()
    };
    assert_eq!(of("head.json")["not_asked"], serde_json::json!(["registration"]));
    assert_eq!(of("bundle.json").get("not_asked"), None);
    assert_eq!(of("bundle.json")["verdict"], "authentic", "{}", text(&output.stdout));
    let said = text(&run(&[]).stdout);
    assert!(
        said.contains("not asked of it, since no oversight-head has such a layer: registration"),
        "{said}"
    );
    let demand = "registration was required: established in 1 of 1 document that can have it; 1 other cannot";
    assert!(said.contains(demand), "{said}");
    let json: Json = serde_json::from_slice(&run(&["--format", "json"]).stdout).unwrap();
    assert_eq!(json["summary"]["demands"][0]["not_asked"], 1, "{}", json["summary"]);
}
