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
        // What is repeated may have been repeated less often; the verdicts and the manifest bound that.
        let once: Vec<usize> = (0..whole.len()).filter(|place| whole[*place].each.is_none()).collect();
        let place = once[numbers.below(once.len())];
        let mut dropped = whole.clone();
        let left_out = dropped.remove(place);
        let is_the_only_one = !dropped.iter().any(|recorded| recorded.exchange == left_out.exchange);
        forged(folder, &suite, dropped);
        if is_the_only_one {
            assert!(noticed(folder, &suite, false).is_some(), "{turn}: {} was left out", left_out.exchange);
        }
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

/// A change of a document.
type Edit = Box<dyn Fn(&mut Json)>;

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
