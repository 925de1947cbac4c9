//! Whatever is changed in an archive is noticed: by its sums; and where those were made anew, by what follows from it.

use std::collections::BTreeSet;
use std::path::Path;

use assayer_harness::{
    Against, Archive, Case, Job, Options, Recorded, cases, derive, edition, recheck, run_with, wire,
};
use assayer_reports::Selection;
use assayer_vectors::{SUITE, Suite, load_embedded};
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::read;

/// How many edits of each sort are tried; 520 in all.
const BARE: usize = 240;
const SEALED: usize = 240;
const MEANT: usize = 40;

/// A sequence of numbers that is the same in each run of the tests.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % count.max(1) as u64).unwrap()
    }
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Some checks, one of which fails.
fn selected(suite: &Suite) -> Vec<Case<'_>> {
    let all = cases(suite, edition(suite, "strict").unwrap());
    let named = ["inclusion-proof-of-every-index", "head-signature-over-recomputed-bytes"];
    let mut place = 0;
    let mut taken = all;
    taken.retain(|case| {
        place += 1;
        place <= 8 || named.contains(&case.check.id.as_str())
    });
    taken
}

fn with_job<T>(suite: &Suite, then: impl FnOnce(&Job<'_>) -> T) -> T {
    let cases = selected(suite);
    let edition = edition(suite, "strict").unwrap();
    let wire = wire(suite, &edition.wire).unwrap();
    then(&Job { suite, edition, wire, cases: &cases, selection: Selection::Part })
}

fn recorded(suite: &Suite, folder: &Path) {
    let faults: BTreeSet<String> = BTreeSet::from(["head-signature-flipped".to_owned()]);
    let options = Options { out: Some(folder), ..Options::default() };
    let (report, _) = with_job(suite, |job| run_with(job, &Against::InProcess(faults), &options)).unwrap();
    assert!(report.counts.fail > 0 && report.counts.pass > 5, "{:?}", report.counts);
    crate::keep::keep(folder);
}

/// The paths of the sums.
fn listed(folder: &Path) -> Vec<String> {
    read(folder, "SHA256SUMS").lines().map(|line| line[66..].to_owned()).collect()
}

/// Makes the sums anew, as whoever changed a file would.
fn seal(folder: &Path) {
    let lines = listed(folder).into_iter().map(|path| {
        let sum = sha256(&std::fs::read(folder.join(&path)).unwrap());
        format!("{sum}  {path}\n")
    });
    let text: String = lines.collect();
    std::fs::write(folder.join("SHA256SUMS"), text).unwrap();
}

/// Why an archive is not what it says; `None` if nothing was noticed.
fn noticed(folder: &Path, suite: &Suite, suite_may_differ: bool) -> Option<String> {
    let archive = match Archive::read(folder) {
        Ok(archive) => archive,
        Err(error) => return Some(error.to_string()),
    };
    if let Some(difference) = archive.integrity.first() {
        return Some(difference.to_string());
    }
    let own = suite_may_differ.then(|| archive.suite());
    let judged = match &own {
        Some(Err(error)) => return Some(error.to_string()),
        Some(Ok(own)) => recheck(&archive, own),
        None => recheck(&archive, suite),
    };
    match judged {
        Ok((found, _)) => found.differences.first().map(ToString::to_string),
        Err(error) => Some(error.to_string()),
    }
}

/// One random change of some bytes.
fn changed(bytes: &[u8], numbers: &mut Numbers) -> Vec<u8> {
    let place = numbers.below(bytes.len());
    let mut changed = bytes.to_vec();
    match numbers.below(5) {
        0 => changed[place] ^= 1 << numbers.below(8),
        1 => {
            changed.remove(place);
        }
        2 => changed.insert(place, b" 0a\n"[numbers.below(4)]),
        3 => changed.truncate(place),
        _ => {
            let end = (place + 1 + numbers.below(40)).min(bytes.len());
            changed.extend_from_slice(&bytes[place..end]);
        }
    }
    changed
}

#[test]
fn every_single_edit_is_noticed_also_where_the_sums_were_made_anew() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    assert_eq!(noticed(folder, &suite, true), None);
    let (data, own): (Vec<String>, Vec<String>) =
        listed(folder).into_iter().partition(|path| path.starts_with("suite/"));
    let sums = std::fs::read(folder.join("SHA256SUMS")).unwrap();
    let mut numbers = Numbers(0x5eed_1234_5678_9abc);
    let mut tried = 0;
    while tried < BARE + SEALED {
        let is_sealed = tried >= BARE;
        let path = match numbers.below(20) {
            0 => data[numbers.below(data.len())].clone(),
            1 if !is_sealed => "SHA256SUMS".to_owned(),
            _ => own[numbers.below(own.len())].clone(),
        };
        let before = std::fs::read(folder.join(&path)).unwrap();
        let after = changed(&before, &mut numbers);
        // The same bytes are no edit.
        if after == before {
            continue;
        }
        tried += 1;
        std::fs::write(folder.join(&path), &after).unwrap();
        if is_sealed {
            seal(folder);
        }
        let found = noticed(folder, &suite, path.starts_with("suite/"));
        assert!(found.is_some(), "edit {tried} of {path} was not noticed");
        std::fs::write(folder.join(&path), &before).unwrap();
        std::fs::write(folder.join("SHA256SUMS"), &sums).unwrap();
    }
    assert_eq!(noticed(folder, &suite, false), None, "the archive was not restored");
}

fn lines(folder: &Path) -> Vec<Recorded> {
    let text = read(folder, "transcript.ndjson");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Writes a transcript, numbered anew, and everything that follows from it: what a forger does who has this program.
fn forged(folder: &Path, suite: &Suite, exchanges: Vec<Recorded>) {
    let numbered = exchanges.into_iter().enumerate();
    let numbered: Vec<Recorded> =
        numbered.map(|(n, recorded)| Recorded { n: n as u64, ..recorded }).collect();
    let text: String =
        numbered.iter().map(|recorded| serde_json::to_string(recorded).unwrap() + "\n").collect();
    std::fs::write(folder.join("transcript.ndjson"), &text).unwrap();
    let mut transcript = Archive::read(folder).unwrap().transcript;
    transcript.exchanges = numbered;
    let sums = (sha256(read(folder, "manifest.json").as_bytes()), sha256(text.as_bytes()));
    let (_, derived) = with_job(suite, |job| derive(job, &transcript, sums.0, sums.1));
    for (name, text) in derived.files() {
        std::fs::write(folder.join(name), text).unwrap();
    }
    seal(folder);
}

/// An exchange that is left out, or stands in another place, is noticed although all that follows was made anew.
#[test]
fn a_transcript_that_is_not_the_plan_is_noticed_although_everything_was_made_anew() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    let whole = lines(folder);
    forged(folder, &suite, whole.clone());
    assert_eq!(noticed(folder, &suite, false), None, "nothing was changed");
    let mut numbers = Numbers(0x0dd_ba11);
    for turn in 0..MEANT / 2 {
        let mut dropped = whole.clone();
        let left_out = dropped.remove(numbers.below(whole.len()));
        forged(folder, &suite, dropped);
        let (name, each) = (&left_out.exchange, left_out.each);
        assert!(noticed(folder, &suite, false).is_some(), "{turn}: {name} {each:?} was left out");
        let (one, other) = (numbers.below(whole.len()), numbers.below(whole.len()));
        let mut swapped = whole.clone();
        swapped.swap(one, other);
        forged(folder, &suite, swapped);
        assert!(
            one == other || noticed(folder, &suite, false).is_some(),
            "{turn}: {one} and {other} were swapped"
        );
    }
}

/// The one proof that is wrong cannot be left out of many that are right.
#[test]
fn one_of_many_turns_and_all_of_them_are_missed() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    let whole = lines(folder);
    let places: Vec<usize> = (0..whole.len()).filter(|place| whole[*place].each.is_some()).collect();
    assert!(places.len() > 1, "{}", places.len());
    let name = &whole[places[0]].exchange;
    for place in places.iter().copied() {
        let mut dropped = whole.clone();
        dropped.remove(place);
        forged(folder, &suite, dropped);
        let found = noticed(folder, &suite, false).unwrap_or_default();
        assert!(found.starts_with("transcript.ndjson"), "{place}: {found}");
    }
    forged(folder, &suite, whole.iter().filter(|recorded| recorded.exchange != *name).cloned().collect());
    let found = noticed(folder, &suite, false).unwrap_or_default();
    assert!(found.contains("an exchange that the checks need"), "{found}");
    // Nor a part of a reading that was taken again.
    let reading = suite.exchange(name).unwrap().reading.clone();
    let is_of_it = |recorded: &&Recorded| suite.exchange(&recorded.exchange).unwrap().reading == reading;
    let again = whole.iter().filter(is_of_it).map(|recorded| Recorded { attempt: 2, ..recorded.clone() });
    let twice: Vec<Recorded> = whole.iter().cloned().chain(again).collect();
    forged(folder, &suite, twice.clone());
    assert_eq!(noticed(folder, &suite, false), None);
    let mut dropped = twice;
    let last = dropped.iter().rposition(|recorded| recorded.each.is_none()).unwrap();
    dropped.remove(last);
    forged(folder, &suite, dropped);
    assert!(noticed(folder, &suite, false).is_some(), "a part of the second reading was left out");
}

/// A change of a document.
type Edit = Box<dyn Fn(&mut Json)>;
/// One that can be made once.
type Once = Box<dyn FnOnce(&mut Json)>;

/// What can be gained by changing a file, one by one, with the sums made anew.
#[test]
fn flipped_verdicts_and_removed_checks_are_named() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    let sums = std::fs::read(folder.join("SHA256SUMS")).unwrap();
    let flipped = |list: &str| {
        let list = list.to_owned();
        move |document: &mut Json| {
            let item = document[list.as_str()].as_array_mut().unwrap().iter_mut();
            let failed = item.into_iter().find(|item| item["status"] == "fail").unwrap();
            failed["status"] = "pass".into();
        }
    };
    let removed = |list: &str| {
        let list = list.to_owned();
        move |document: &mut Json| drop(document[list.as_str()].as_array_mut().unwrap().pop())
    };
    let edits: [(&str, Edit, &str); 6] = [
        ("report.json", Box::new(flipped("checks")), "/status: recorded \"pass\", derived \"fail\""),
        ("verdicts.json", Box::new(flipped("verdicts")), "/status: recorded \"pass\", derived \"fail\""),
        ("report.json", Box::new(removed("checks")), "recorded nothing"),
        ("verdicts.json", Box::new(removed("verdicts")), "recorded nothing"),
        ("manifest.json", Box::new(removed("checks")), "derived"),
        (
            "report.json",
            Box::new(|report: &mut Json| report["conformant"] = true.into()),
            "/conformant: recorded true",
        ),
    ];
    for (name, edit, says) in edits {
        let before = read(folder, name);
        let mut document: Json = serde_json::from_str(&before).unwrap();
        edit(&mut document);
        std::fs::write(folder.join(name), format!("{}\n", serde_json::to_string_pretty(&document).unwrap()))
            .unwrap();
        assert!(noticed(folder, &suite, false).is_some_and(|text| text.contains("SHA-256")), "{name}");
        seal(folder);
        let found = noticed(folder, &suite, false).unwrap_or_default();
        assert!(found.contains(says), "{name}: {found}");
        std::fs::write(folder.join(name), &before).unwrap();
        std::fs::write(folder.join("SHA256SUMS"), &sums).unwrap();
    }
}

/// Writes the manifest anew after a change, and everything that follows from it.
fn with_manifest(folder: &Path, suite: &Suite, change: impl FnOnce(&mut Json)) {
    let mut manifest: Json = serde_json::from_str(&read(folder, "manifest.json")).unwrap();
    change(&mut manifest);
    let manifest: assayer_harness::Manifest = serde_json::from_value(manifest).unwrap();
    std::fs::write(folder.join("manifest.json"), manifest.to_json()).unwrap();
    forged(folder, suite, lines(folder));
}

/// Replaces a file, seals, and says what was noticed; then all is as before.
fn noticed_in(folder: &Path, suite: &Suite, name: &str, bytes: &[u8]) -> Option<String> {
    let (before, sums) = (std::fs::read(folder.join(name)).unwrap(), read(folder, "SHA256SUMS"));
    std::fs::write(folder.join(name), bytes).unwrap();
    seal(folder);
    let found = noticed(folder, suite, false);
    std::fs::write(folder.join(name), before).unwrap();
    std::fs::write(folder.join("SHA256SUMS"), sums).unwrap();
    found
}

/// Another version may lay pages out otherwise, but not what programs read; and what was not compared is told, file by file.
#[test]
fn what_another_version_laid_out_is_told_and_all_else_is_compared() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    let judged = || recheck(&Archive::read(folder).unwrap(), &suite).unwrap().0;
    assert!(judged().identical && judged().not_compared.is_empty());
    with_manifest(folder, &suite, |manifest| manifest["tool"]["version"] = "0.0.9".into());
    let found = judged();
    assert_eq!(found.not_compared, ["report.txt", "junit.xml", "report.md", "report.html"]);
    assert!(!found.identical && found.differences.is_empty(), "{:?}", found.differences);
    for name in ["transcript.har", "report.ndjson", "report.json", "verdicts.json"] {
        let found = noticed_in(folder, &suite, name, b"{}\n").unwrap_or_default();
        assert!(found.starts_with(name), "{name}: {found}");
    }
    let output = crate::output(&["recheck", folder.to_str().unwrap()]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("report.html: not compared: written by version 0.0.9"), "{said}");
}

/// A file that no such run has is a difference, with a right sum too; what is not listed is named, however deep it is.
#[test]
fn what_follows_from_nothing_is_no_part_of_an_archive() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    let deep = folder.join("a/b/c/d/e");
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("page.html"), "conformant").unwrap();
    assert_eq!(Archive::read(folder).unwrap().unlisted, ["a/b/c/d/e/page.html"]);
    assert_eq!(noticed(folder, &suite, false), None);
    std::fs::remove_dir_all(folder.join("a")).unwrap();
    let sums = read(folder, "SHA256SUMS");
    for name in ["badge.svg", "page.html", "suite/page.html", "suite/checks/a/b.yaml"] {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, "conformant").unwrap();
        if name == "badge.svg" {
            let found = noticed(folder, &suite, false).unwrap_or_default();
            assert!(found.contains("it follows from nothing"), "not listed: {found}");
        }
        let mut listed: Vec<String> = sums.lines().map(|line| format!("{line}\n")).collect();
        listed.push(format!("{}  {name}\n", sha256(b"conformant")));
        listed.sort_by(|one, other| one[66..].cmp(&other[66..]));
        std::fs::write(folder.join("SHA256SUMS"), listed.concat()).unwrap();
        let found = noticed(folder, &suite, false).unwrap_or_default();
        assert!(found.starts_with(name) && found.contains("it follows from nothing"), "{name}: {found}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(folder.join("SHA256SUMS"), &sums).unwrap();
    }
}

/// The sums leave out nothing that an archive consists of: the rest of it could be changed, and its digest would be another.
#[test]
fn what_the_sums_leave_out_is_noticed() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    let sums = read(folder, "SHA256SUMS");
    for name in ["report.html", "junit.xml", "report.ndjson", "suite/suite.yaml"] {
        let kept: Vec<String> =
            sums.lines().filter(|line| line[66..] != *name).map(|line| format!("{line}\n")).collect();
        std::fs::write(folder.join("SHA256SUMS"), kept.concat()).unwrap();
        let found = noticed(folder, &suite, false).unwrap_or_default();
        assert_eq!(found, format!("SHA256SUMS {name}: recorded nothing, derived a file of this archive"));
    }
}

/// What is made to fill memory is named by its length or its line, and not read to its end.
#[test]
fn an_archive_that_is_longer_than_any_run_is_not_read_whole() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    let long = format!("[{}0]\n", "{},".repeat(1 << 20));
    let found = noticed_in(folder, &suite, "report.json", long.as_bytes()).unwrap_or_default();
    assert!(found.contains("report.json: recorded 3145732 bytes"), "{found}");
    let line = |n: usize| {
        let outcome = r#"{"not-sent":{"because":"x"}}"#;
        format!(
            r#"{{"n":{n},"at_ms":0,"exchange":"health","attempt":1,"effect":"none","outcome":{outcome}}}"#
        ) + "\n"
    };
    let lines: String = (0..=50_000).map(line).collect();
    let found = noticed_in(folder, &suite, "transcript.ndjson", lines.as_bytes()).unwrap_or_default();
    assert!(found.contains("line 50001: expected at most 50000 exchanges"), "{found}");
}

#[test]
fn members_of_a_manifest_that_contradict_each_other_are_named() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    let before = read(folder, "manifest.json");
    let peer = |sum: String| {
        serde_json::json!({"protocol": "TLSv1_3", "cipher_suite": "TLS13_AES_128_GCM_SHA256",
            "certificates": [{"sha256": sum, "der_hex": "3000"}]})
    };
    let (right, wrong) = (peer(sha256(&[0x30, 0])), peer(sha256(b"another")));
    let of_tls = |peer: Json| {
        move |manifest: &mut Json| {
            manifest["target"] = "https://registry.example".into();
            manifest["tls_peer"] = peer;
        }
    };
    let local = right.clone();
    let edits: [(Once, &str); 6] = [
        (Box::new(of_tls(right)), ""),
        (Box::new(of_tls(wrong)), "/tls_peer/certificates/0/sha256"),
        (Box::new(move |manifest: &mut Json| manifest["tls_peer"] = local), "/tls_peer"),
        (
            Box::new(|manifest: &mut Json| manifest["clock"]["finished_at"] = "2001-01-01T00:00:00Z".into()),
            "/clock/finished_at",
        ),
        (Box::new(|manifest: &mut Json| manifest["clock"]["finished_at"] = Json::Null), "/clock/finished_at"),
        (
            Box::new(|manifest: &mut Json| manifest["clock"]["started_at"] = "yesterday".into()),
            "/clock/started_at",
        ),
    ];
    for (edit, at) in edits {
        with_manifest(folder, &suite, edit);
        let (found, _) = recheck(&Archive::read(folder).unwrap(), &suite).unwrap();
        let places: Vec<&str> = found.differences.iter().map(|difference| difference.at.as_str()).collect();
        match at {
            "" => assert_eq!(places, Vec::<&str>::new()),
            at => assert!(places.contains(&at), "{at}: {:?}", found.differences),
        }
        std::fs::write(folder.join("manifest.json"), &before).unwrap();
    }
    // Without a peer nothing is shown to be wrong, but it should be known.
    with_manifest(folder, &suite, |manifest| manifest["target"] = "https://registry.example".into());
    let (found, _) = recheck(&Archive::read(folder).unwrap(), &suite).unwrap();
    assert!(found.identical && found.remarks[0].contains("no peer of TLS"), "{:?}", found.remarks);
}

/// A link to a device has no end, and a link to elsewhere is not of the archive.
#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_not_read() {
    let suite = load_embedded(SUITE).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    recorded(&suite, folder);
    for (name, target) in [
        ("report.html", "/dev/zero"),
        ("manifest.json", "/dev/zero"),
        ("transcript.ndjson", "/dev/zero"),
        ("SHA256SUMS", "/dev/zero"),
        ("report.txt", "report.md"),
        ("suite/suite.yaml", "/dev/zero"),
    ] {
        let path = folder.join(name);
        let before = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(target, &path).unwrap();
        let found = noticed(folder, &suite, true).unwrap_or_default();
        assert!(found.contains("expected a regular file"), "{name}: {found}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, before).unwrap();
    }
    // The suite is read by what loads suites, which follows links, but not to a device.
    let data = folder.join("suite/suite.yaml");
    std::fs::remove_file(&data).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &data).unwrap();
    let error = Archive::read(folder).unwrap().suite().unwrap_err().to_string();
    assert!(error.contains("expected a regular file"), "{error}");
}
