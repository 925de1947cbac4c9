//! Judging an archive again, without a network: what its files say is compared with what follows from its transcript.

use assayer_reports::{Form, Report, Tool, to_json};
use assayer_vectors::Suite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::differences::{self, Difference, MOST};
use super::{Archive, ArchiveState, Derived, VERDICTS_FORM, Verdicts, file, har, sha256};
use crate::job::{Job, UnknownName, cases_named, edition, wire};
use crate::plan::{cases, exchanges};
use crate::run::{judged, tool};
use crate::transcript::Transcript;

/// Version of the form of [`Recheck`].
pub const RECHECK_FORM: &str = "assayer-recheck/1";

/// What came of judging an archive again.
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Recheck {
    /// Form of this document: `assayer-recheck/1`.
    pub form: String,
    /// SHA-256 (hexadecimal) of `SHA256SUMS`; absent if the archive is incomplete.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Whether the run came to its end. Of one that did not, there is no report to compare with.
    pub state: ArchiveState,
    /// Whether everything that the archive says follows from its transcript and suite, byte for byte.
    pub identical: bool,
    /// Where it does not.
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub more: usize,
}

/// What follows from a transcript: the report, and the files of the archive.
///
/// In: the job that the transcript's manifest names, and SHA-256 of manifest and transcript as they stand in the archive.
#[must_use]
pub fn derive(
    job: &Job<'_>,
    transcript: &Transcript,
    manifest_sha256: String,
    transcript_sha256: String,
) -> (Report, Derived) {
    let (report, verdicts) = judged(job, transcript);
    let verdicts = Verdicts { form: VERDICTS_FORM.to_owned(), manifest_sha256, transcript_sha256, verdicts };
    let derived = Derived {
        verdicts: verdicts.to_json(),
        report: to_json(&report),
        forms: crate::forms::files(job.suite, &report),
        har: har(transcript),
    };
    (report, derived)
}

/// Judges an archive again with a suite: its own ([`Archive::suite`]), or another.
///
/// Out: the report that follows, and how it differs from the one in the archive.
///
/// # Errors
/// [`UnknownName`] where the suite does not have what the manifest names.
pub fn recheck(archive: &Archive, suite: &Suite) -> Result<(Recheck, Report), UnknownName> {
    let transcript = settled(suite, archive.transcript.clone());
    let manifest = &transcript.manifest;
    let edition = edition(suite, &manifest.edition)?;
    let wire = wire(suite, &manifest.wire)?;
    let selected = cases_named(suite, edition, &manifest.checks)?;
    let selection = crate::job::selection(&selected, &cases(suite, edition));
    let job = Job { suite, edition, wire, cases: &selected, selection };
    let sums = (archive.manifest_sha256.clone(), archive.transcript_sha256.clone());
    let (report, derived) = derive(&job, &transcript, sums.0, sums.1);
    let mut found = archive.integrity.clone();
    found.extend(of_the_manifest(&job, &transcript));
    found.extend(of_the_order(&job, &transcript));
    if manifest.state == ArchiveState::Complete {
        found.extend(of_what_follows(archive, &derived, &manifest.tool));
    }
    let more = found.len().saturating_sub(MOST);
    let identical = found.is_empty();
    found.truncate(MOST);
    let (digest, state) = (archive.digest.clone(), manifest.state);
    let form = RECHECK_FORM.to_owned();
    Ok((Recheck { form, digest, state, identical, differences: found, more }, report))
}

/// Of a run that did not come to its end, what can be judged: an exchange that may have been recorded in part, and a second
/// reading that was not finished, would accuse a target of what the recorder did not do.
fn settled(suite: &Suite, mut transcript: Transcript) -> Transcript {
    if transcript.manifest.state == ArchiveState::Complete {
        return transcript;
    }
    let Some(last) = transcript.exchanges.last().cloned() else { return transcript };
    let group = |name: &str| suite.exchange(name).and_then(|exchange| exchange.together.as_ref());
    let joint = group(&last.exchange);
    transcript.exchanges.retain(|recorded| {
        let is_of_the_last = recorded.exchange == last.exchange
            || (joint.is_some() && group(&recorded.exchange) == joint)
            || last.attempt > 1;
        recorded.attempt < last.attempt || !is_of_the_last
    });
    transcript
}

/// The manifest against the suite, and against itself.
fn of_the_manifest(job: &Job<'_>, transcript: &Transcript) -> Vec<Difference> {
    let manifest = &transcript.manifest;
    let mut found = Vec::new();
    let mut differs = |at: &str, recorded: &str, derived: &str| {
        if recorded != derived {
            found.push(Difference::new(file::MANIFEST, at, recorded, derived));
        }
    };
    differs("/suite/name", &manifest.suite.name, &job.suite.name);
    differs("/suite/digest", &manifest.suite.digest, &job.suite.digest);
    differs(
        "/suite/requirements_digest",
        &manifest.suite.requirements_digest,
        &job.suite.requirements_digest,
    );
    if manifest.selection != job.selection {
        let text = |selection| format!("{selection:?}").to_lowercase();
        differs("/selection", &text(manifest.selection), &text(job.selection));
    }
    let names: Vec<&String> = job.cases.iter().map(|case| &case.check.id).collect();
    if !manifest.checks.iter().eq(names.iter().copied()) {
        differs("/checks", &manifest.checks.join(" "), "the checks in the order of the edition, once each");
    }
    found
}

/// The transcript against the plan: which exchanges are there, in which order, with which effect, at which time.
fn of_the_order(job: &Job<'_>, transcript: &Transcript) -> Vec<Difference> {
    let planned: Vec<&str> =
        exchanges(job.suite, job.cases).iter().map(|exchange| exchange.id.as_str()).collect();
    let place = |name: &str| planned.iter().position(|known| *known == name);
    let mut found = Vec::new();
    let mut differs = |n: u64, recorded: String, derived: String| {
        found.push(Difference::new(file::TRANSCRIPT, &format!("line {}", n + 1), recorded, derived));
    };
    let mut before: Option<(u32, usize, Option<u64>)> = None;
    for recorded in &transcript.exchanges {
        let exchange = job.suite.exchange(&recorded.exchange);
        let (Some(exchange), Some(place)) = (exchange, place(&recorded.exchange)) else {
            differs(recorded.n, recorded.exchange.clone(), "an exchange that the checks need".to_owned());
            continue;
        };
        if exchange.effect != recorded.effect {
            differs(recorded.n, format!("{:?}", recorded.effect), format!("{:?}", exchange.effect));
        }
        let here = (recorded.attempt, place, recorded.each);
        if before.is_some_and(|before| before >= here) {
            let text = "an exchange that comes later in the plan than the one before".to_owned();
            differs(recorded.n, recorded.exchange.clone(), text);
        }
        before = Some(here);
    }
    if transcript.manifest.state == ArchiveState::Complete {
        let is_there = |name: &str| transcript.exchanges.iter().any(|recorded| recorded.exchange == name);
        let is_repeated = |name: &str| job.suite.exchange(name).is_some_and(|known| known.each.is_some());
        for name in planned.iter().filter(|name| !is_there(name) && !is_repeated(name)) {
            found.push(Difference::new(
                file::TRANSCRIPT,
                name,
                "nothing",
                "an exchange that the checks need",
            ));
        }
    }
    found
}

/// The files that follow from the transcript.
fn of_what_follows(archive: &Archive, derived: &Derived, recorded_by: &Tool) -> Vec<Difference> {
    let mut found = Vec::new();
    for (name, text) in derived.files() {
        // How a report is laid out for people, and a transcript for other tools, may change from version to version; the sums
        // show whether they are as they were written.
        let is_layout = |form: Form| form != Form::Json && form.file_name() == name;
        if (name == file::HAR || Form::ALL.into_iter().any(is_layout)) && *recorded_by != tool() {
            continue;
        }
        match archive.file(name) {
            Ok(bytes) => found.extend(differences::of_files(name, &bytes, text.as_bytes())),
            Err(error) => found.push(Difference::new(name, "", error, sha256(text.as_bytes()))),
        }
    }
    found
}
