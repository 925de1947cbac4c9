//! `assayer verify`: what is asked. What is answered stands in `verify/output.rs`.

mod claim;
mod output;
mod progress;

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use assayer_harness::evidence::{
    Depth, Item, Joiner, Outcome, Question, Reader, Unreadable, Worker, read_log,
};
use assayer_harness::{ClaimTrust, Policy, PolicyError, in_order_together, known_head};
use assayer_reports::verification as report;
use assayer_verifier::oversight::{DocumentKind, Freshness};
use assayer_verifier::{Hash, PublicKey, TreeHead};
use clap::{Args, ValueEnum};

use super::limits::LimitArguments;
use super::{Exit, complain};
use output::Output;

/// More threads than this are nobody's processors.
const MOST_JOBS: i64 = 1_024;

#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// Files, folders, or `-` for standard input.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Trusted key of the registry, 64 hexadecimal digits; may be given several times.
    #[arg(long, value_name = "HEX", value_parser = public_key)]
    registry_key: Vec<PublicKey>,
    /// The registry's well-known document, which you fetched and kept earlier: its key is trusted; may be given several times.
    #[arg(long, value_name = "FILE")]
    well_known: Vec<PathBuf>,
    /// Trusted key of an issuer, 64 hexadecimal digits; may be given several times.
    #[arg(long, value_name = "HEX", value_parser = public_key)]
    issuer_key: Vec<PublicKey>,
    /// Key of who may claim that a registry conforms, 64 hexadecimal digits; may be given several times.
    #[arg(long, value_name = "HEX", value_parser = public_key)]
    claimant_key: Vec<PublicKey>,
    /// SHA-256 of a suite that you know, for claims; the one of this version is known. May be given several times.
    #[arg(long, value_name = "HEX", value_parser = sha256_hex)]
    suite_digest: Vec<String>,
    /// The archive that a claim is about; if absent, the folder of the claim if that is one.
    #[arg(long, value_name = "DIR")]
    archive: Option<PathBuf>,
    /// Tree head known from elsewhere, as SIZE:ROOT; may be given several times.
    #[arg(long, value_name = "SIZE:ROOT", value_parser = tree_head)]
    head: Vec<TreeHead>,
    /// The file that was asked for.
    #[arg(long, value_name = "ID")]
    file_id: Option<String>,
    /// The log, as `leaves.jsonl` or saved pages of `/tlog/range`: shows registration, completeness and root.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// What is trusted, in a file (see the auditors' page); added to what the other options say.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Any issuer will do: a manifest need only be signed by the key that it names.
    #[arg(long, conflicts_with = "issuer_key")]
    any_issuer: bool,
    /// Take every document for this kind instead of recognizing it.
    #[arg(long = "as", value_enum, value_name = "KIND")]
    kind: Option<Kind>,
    /// Exit with 1 unless every document gets at least this verdict. A proof of equivocation that holds exits with 1, its
    /// registry not being as it must be, unless `equivocation` is asked for. So does a claim of any other result than `PASSED`
    /// or `WARNED`, also if it is authentic.
    #[arg(long, value_enum, default_value = "consistent")]
    require: Required,
    /// Show for every layer the rule, what was recomputed, the keys, and what it does and does not establish.
    #[arg(long)]
    explain: bool,
    /// Write the exact bytes that were signed or hashed into this folder, with how to check them.
    #[arg(long, value_name = "DIR")]
    dump_bytes: Option<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Stop at the first document that is refuted, unreadable, of no known kind or below `--require`.
    #[arg(long, overrides_with = "keep_going")]
    fail_fast: bool,
    /// Verify every document, whatever is found: the default.
    #[arg(long, overrides_with = "fail_fast")]
    keep_going: bool,
    /// Print no documents, only what came out over all of them.
    #[arg(long)]
    summary_only: bool,
    /// How many threads verify, 1 to 1024; as many as there are processors if absent.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=MOST_JOBS))]
    jobs: Option<u16>,
    #[command(flatten)]
    limits: LimitArguments,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    #[value(name = "oversight-bundle")]
    Bundle,
    #[value(name = "consistency-proof")]
    Consistency,
    #[value(name = "equivocation-proof")]
    Equivocation,
    #[value(name = "oversight-head")]
    Head,
    #[value(name = "oversight-proof")]
    Proof,
    #[value(name = "oversight-log")]
    Log,
    #[value(name = "conformance-claim")]
    Claim,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Required {
    Consistent,
    Authentic,
    Equivocation,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Ndjson,
    /// One self-contained page.
    Html,
}

pub(super) fn public_key(text: &str) -> Result<PublicKey, String> {
    let lower = text.to_ascii_lowercase();
    let key = PublicKey::from_hex(&lower).ok_or("expected 64 hexadecimal digits")?;
    assayer_verifier::VerifiedKey::new(&key).map_err(|code| code.meaning().to_owned())?;
    Ok(key)
}

fn sha256_hex(text: &str) -> Result<String, String> {
    let hash = Hash::from_hex(&text.to_ascii_lowercase()).ok_or("expected 64 hexadecimal digits")?;
    Ok(hash.to_hex())
}

fn tree_head(text: &str) -> Result<TreeHead, String> {
    let form = "expected SIZE:ROOT, as 17:<64 lower-case hexadecimal digits>";
    let (size, root) = text.split_once(':').ok_or_else(|| format!("{form}, found no colon"))?;
    let most = u64::MAX;
    let size =
        size.parse().map_err(|_| format!("{form}; SIZE: expected a number to {most}, found `{size}`"))?;
    let hash = Hash::from_hex(root).ok_or_else(|| format!("{form}; ROOT: found `{root}`"))?;
    known_head(size, hash).map_err(|error| format!("{form}; ROOT: {error}"))
}

pub(crate) fn run(arguments: &VerifyArguments) -> Exit {
    match verify(arguments) {
        Ok(exit) => exit,
        Err(message) => {
            complain(message);
            Exit::Usage
        }
    }
}

fn verify(arguments: &VerifyArguments) -> Result<Exit, String> {
    let limits = arguments.limits.limits();
    let log = arguments.log.as_deref().map(|path| read_log(path, &limits)).transpose()?;
    let policy = policy(arguments).map_err(|error| error.to_string())?;
    let now = jiff::Timestamp::now().as_second();
    let trust = policy
        .trust()
        .file_id(arguments.file_id.as_deref())
        .log(log.as_ref())
        .freshness(policy.most_seconds.map(|most_seconds| Freshness { now, most_seconds }));
    let kind = arguments.kind.and_then(|kind| match kind {
        Kind::Bundle => Some(DocumentKind::Bundle),
        Kind::Consistency => Some(DocumentKind::Consistency),
        Kind::Equivocation => Some(DocumentKind::Equivocation),
        Kind::Head => Some(DocumentKind::Head),
        Kind::Proof => Some(DocumentKind::Proof),
        Kind::Log => Some(DocumentKind::Log),
        Kind::Claim => None,
    });
    let claims = ClaimTrust {
        claimants: &arguments.claimant_key,
        registries: &policy.registry_keys,
        archive: arguments.archive.as_deref(),
        suites: &arguments.suite_digest,
    };
    let mut output = Output::new(arguments, run_of(arguments, &policy));
    if matches!(arguments.kind, Some(Kind::Claim)) {
        let _ = arguments.paths.iter().try_for_each(|path| output.document_of(claim::verify(path, claims)));
        return Ok(output.finish());
    }
    let question = Question { trust: &trust, kind, limits: &limits, depth: depth(arguments), claims };
    Ok(verify_all(arguments, question, output))
}

/// Reads here, verifies on several threads, and prints in the order of reading.
fn verify_all(arguments: &VerifyArguments, question: Question<'_>, mut output: Output<'_>) -> Exit {
    let done = AtomicU64::new(0);
    let read = |hand_in: &mut dyn FnMut(Result<Item, Unreadable>) -> ControlFlow<()>| {
        let reader = Reader::new(question.kind, question.limits, hand_in).counting(&done).logs_last();
        read_all(reader, &arguments.paths);
    };
    let worker = || {
        let mut worker = Worker::new(question);
        move |items| worker.work(items)
    };
    let mut joiner = Joiner::new(question);
    let weight =
        |item: &Result<Item, Unreadable>| item.as_ref().map_or(0, |item| item.weight(question.depth));
    let mut flow = ControlFlow::Continue(());
    in_order_together(threads(arguments), weight, read, worker, |outcome: Result<Outcome, Unreadable>| {
        flow = match outcome {
            Ok(outcome) => {
                joiner.take(outcome).into_iter().try_for_each(|joined| output.take(Ok(joined), &done))
            }
            Err(unreadable) => output.take(Err(unreadable), &done),
        };
        flow
    });
    if flow.is_continue() {
        let _ = joiner.finish().into_iter().try_for_each(|joined| output.take(Ok(joined), &done));
    }
    output.finish()
}

/// What can be read only once comes after the files, so that a log in it is compared with their heads; logs in files come last.
fn read_all(mut reader: Reader<'_>, paths: &[PathBuf]) {
    let (streams, files): (Vec<&PathBuf>, Vec<&PathBuf>) = paths.iter().partition(|path| is_stream(path));
    let ended = files.into_iter().chain(streams).try_for_each(|path| {
        if path.as_os_str() == "-" { reader.stream("-", std::io::stdin().lock()) } else { reader.path(path) }
    });
    if ended.is_continue() {
        let _ = reader.logs();
    }
}

/// Standard input, a pipe or a device.
fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-" || path.metadata().is_ok_and(|kind| !kind.is_file() && !kind.is_dir())
}

/// What was asked, for the report.
fn run_of(arguments: &VerifyArguments, policy: &Policy) -> report::Run {
    let hex = |keys: &[PublicKey]| keys.iter().map(|key| key.to_hex()).collect();
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    report::Run {
        tool: assayer_reports::Tool {
            name: "assayer".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        at: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        required: match arguments.require {
            Required::Consistent => report::Required::Consistent,
            Required::Authentic => report::Required::Authentic,
            Required::Equivocation => report::Required::Equivocation,
        },
        trust: report::Trusted {
            registry_keys: hex(&policy.registry_keys),
            issuer_keys: hex(&policy.issuer_keys),
            any_issuer: policy.any_issuer,
            heads: policy.heads.iter().map(|head| format!("{}:{}", head.size, head.root)).collect(),
            file_id: arguments.file_id.clone(),
            log: path(&arguments.log),
            policy: path(&arguments.trust),
            layers: policy.required.iter().map(|id| (*id).into()).collect(),
        },
    }
}

/// The policy of the file, if there is one, and what the options add to it.
fn policy(arguments: &VerifyArguments) -> Result<Policy, PolicyError> {
    let mut registry_keys = arguments.registry_key.clone();
    for path in &arguments.well_known {
        registry_keys.push(Policy::well_known_key(path)?);
    }
    let read = |path| Policy::read(path, &registry_keys);
    arguments.trust.as_deref().map(read).transpose()?.unwrap_or_default().with(Policy {
        registry_keys,
        issuer_keys: arguments.issuer_key.clone(),
        heads: arguments.head.clone(),
        any_issuer: arguments.any_issuer,
        ..Policy::default()
    })
}

/// The page explains always: it is read by people, and far from the documents.
fn depth(arguments: &VerifyArguments) -> Depth {
    let explained = arguments.explain || arguments.format == Format::Html || arguments.dump_bytes.is_some();
    if explained { Depth::Explained } else { Depth::Verdict }
}

fn threads(arguments: &VerifyArguments) -> usize {
    let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    arguments.jobs.map_or_else(available, usize::from)
}
