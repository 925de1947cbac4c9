//! Judging an archive again, without a network: what its files say is compared with what follows from its transcript.

use assayer_reports::{Form, Report, to_json};
use assayer_vectors::Suite;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::differences::{self, Difference, MOST};
use super::{Archive, ArchiveState, Derived, Manifest, VERDICTS_FORM, Verdicts, file, har, order, sha256};
use crate::job::{Job, UnknownName, cases_named, edition, wire};
use crate::own_suite::own_suite;
use crate::plan::cases;
use crate::run::{judged, tool};
use crate::transcript::{Outcome, Recorded, Transcript};

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
    /// Whether everything that the archive says follows from its transcript and suite, byte for byte. If not, there is a
    /// difference, or a file that was not compared.
    pub identical: bool,
    /// Where it does not.
    pub differences: Vec<Difference>,
    /// How many more there are.
    pub more: usize,
    /// Files that another version laid out for people, and that were therefore not compared: what they say is not shown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_compared: Vec<String>,
    /// What else a reader should know before relying on it, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
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
    found.extend(manifest.contradictions());
    found.extend(order::differences(&job, &transcript));
    let mut not_compared = Vec::new();
    if manifest.state == ArchiveState::Complete {
        not_compared = layouts_of_another_version(manifest, &derived);
        // A suite that is not the one of this program was the one of that which recorded it, perhaps, at the same version; and at
        // another version the other way round as well.
        let may_be_otherwise = report.own_suite || manifest.tool != tool();
        let otherwise = may_be_otherwise.then(|| crate::forms::marked_otherwise(suite, &report));
        let (derived, otherwise) = (&derived, otherwise.unwrap_or_default());
        found.extend(of_what_follows(archive, derived, &not_compared, &otherwise));
        found.extend(of_what_does_not_follow(archive, suite, derived));
        found.extend(of_what_is_not_listed(archive, derived));
    }
    let mut remarks = remarks(&transcript, suite, &not_compared);
    if manifest.state == ArchiveState::Incomplete {
        remarks.extend(of_another_end(archive));
    }
    let more = found.len().saturating_sub(MOST);
    let identical = found.is_empty() && not_compared.is_empty();
    found.truncate(MOST);
    let (digest, state) = (archive.digest.clone(), manifest.state);
    let form = RECHECK_FORM.to_owned();
    Ok((Recheck { form, digest, state, identical, differences: found, more, not_compared, remarks }, report))
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

/// Files that are not compared, because another version wrote them: how a report is laid out for people may change from version to
/// version. What programs read has a form with a number, and is compared whoever wrote it.
fn layouts_of_another_version(manifest: &Manifest, derived: &Derived) -> Vec<String> {
    if manifest.tool == tool() {
        return Vec::new();
    }
    let forms = Form::ALL.into_iter().filter(|form| !matches!(form, Form::Json | Form::Ndjson));
    let names = forms.map(Form::file_name).filter(|name| derived.files().any(|(other, _)| other == *name));
    names.map(str::to_owned).collect()
}

/// The files that follow from the transcript.
fn of_what_follows(
    archive: &Archive,
    derived: &Derived,
    not_compared: &[String],
    otherwise: &[(&'static str, String)],
) -> Vec<Difference> {
    let is_marked_otherwise = |name: &str, bytes: &[u8]| {
        otherwise.iter().any(|(other, text)| *other == name && text.as_bytes() == bytes)
    };
    let mut found = Vec::new();
    for (name, text) in derived.files().filter(|(name, _)| !not_compared.iter().any(|other| other == name)) {
        match archive.file(name) {
            Ok(bytes) if is_marked_otherwise(name, &bytes) => {}
            Ok(bytes) => found.extend(differences::of_files(name, &bytes, text.as_bytes())),
            Err(error) => found.push(Difference::new(name, "", error, sha256(text.as_bytes()))),
        }
    }
    found
}

/// Files that are listed, or called like one of the forms of a report, and that no such run has: a badge of a selection, or a page
/// that somebody added.
fn of_what_does_not_follow(archive: &Archive, suite: &Suite, derived: &Derived) -> Vec<Difference> {
    let is_own = suite.digest == archive.transcript.manifest.suite.digest;
    let is_data = |name: &str| {
        let data = name.strip_prefix(file::SUITE).and_then(|rest| rest.strip_prefix('/'));
        // Another suite does not say which files the one that was used had.
        data.is_some_and(|data| !is_own || suite.files.contains_key(data))
    };
    let follows = |name: &str| {
        [file::MANIFEST, file::TRANSCRIPT].contains(&name)
            || is_data(name)
            || derived.files().any(|(other, _)| other == name)
    };
    let is_form = |name: &&String| Form::ALL.into_iter().any(|form| form.file_name() == name.as_str());
    let named = archive.listed.iter().chain(archive.unlisted.iter().filter(is_form));
    let strange = named.filter(|name| !follows(name));
    strange.map(|name| Difference::new(name, "", "a file", "none: it follows from nothing")).collect()
}

/// Files of the archive that its sums leave out: nobody would notice that they were changed, and one run would have several digests.
fn of_what_is_not_listed(archive: &Archive, derived: &Derived) -> Vec<Difference> {
    let is_data = |name: &str| name.split_once('/').is_some_and(|(folder, _)| folder == file::SUITE);
    let is_part = |name: &&String| is_data(name) || derived.files().any(|(other, _)| other == name.as_str());
    let left_out = archive.unlisted.iter().filter(is_part);
    left_out.map(|name| Difference::new(file::SUMS, name, "nothing", "a file of this archive")).collect()
}

/// Files that only a run that came to its end has: a kill may have left them, or somebody put them there.
fn of_another_end(archive: &Archive) -> impl Iterator<Item = String> {
    let others = [file::VERDICTS, file::HAR, file::SUMS, crate::claim::CLAIM_FILE];
    let names = Form::ALL.map(Form::file_name).into_iter().chain(others);
    let there = names.filter(|name| fs_err::symlink_metadata(archive.folder.join(name)).is_ok());
    there.map(|name| {
        format!("{name}: not compared: no such file follows from a run that did not come to its end")
    })
}

/// What is no difference, and should be known before an archive is relied on.
fn remarks(transcript: &Transcript, suite: &Suite, not_compared: &[String]) -> Vec<String> {
    let manifest = &transcript.manifest;
    let mut remarks = Vec::new();
    for name in not_compared {
        remarks.push(format!("{name}: not compared: written by version {}", manifest.tool.version));
    }
    remarks.extend(own_suite(suite));
    let is_answered = |recorded: &Recorded| matches!(recorded.outcome, Outcome::Answered { .. });
    if manifest.has_tls() && manifest.tls_peer.is_none() && transcript.exchanges.iter().any(is_answered) {
        remarks.push(
            "manifest.json: no peer of TLS was recorded, although the target is an https URL".to_owned(),
        );
    }
    remarks
}
