//! `assayer verify`.

use std::fmt::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anstyle::{AnsiColor, Style};
use assayer_harness::evidence::{
    Finding, Item, Joined, Joiner, Outcome, Question, Unreadable, Worker, read_log, read_path, read_stream,
};
use assayer_harness::{Policy, PolicyError, in_order};
use assayer_verifier::oversight::{DocumentKind, Freshness, Trust};
use assayer_verifier::{Hash, Layer, Limits, PublicKey, State, TreeHead, Verdict};
use clap::{Args, ValueEnum};
use serde_json::{Value as Json, json};

use super::{Exit, complain, print};

#[derive(Args)]
pub(crate) struct VerifyArguments {
    /// Files, folders, or `-` for standard input.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Trusted key of the registry, 64 hexadecimal digits; may be given several times.
    #[arg(long, value_name = "HEX", value_parser = public_key)]
    registry_key: Vec<PublicKey>,
    /// Trusted key of an issuer, 64 hexadecimal digits; may be given several times.
    #[arg(long, value_name = "HEX", value_parser = public_key)]
    issuer_key: Vec<PublicKey>,
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
    /// Exit with 1 unless every document gets at least this verdict.
    #[arg(long, value_enum, default_value = "consistent")]
    require: Required,
    /// Show for every layer the rule, what was recomputed, and what it does and does not establish.
    #[arg(long)]
    explain: bool,
    /// Form of the output.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// How many documents are verified at once; as many as there are processors if absent.
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    #[value(name = "oversight-bundle")]
    Bundle,
    #[value(name = "oversight-head")]
    Head,
    #[value(name = "oversight-proof")]
    Proof,
    #[value(name = "oversight-log")]
    Log,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Required {
    Consistent,
    Authentic,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
    Ndjson,
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    let lower = text.to_ascii_lowercase();
    let key = PublicKey::from_hex(&lower).ok_or("expected 64 hexadecimal digits")?;
    assayer_verifier::VerifiedKey::new(&key).map_err(|code| code.meaning().to_owned())?;
    Ok(key)
}

fn tree_head(text: &str) -> Result<TreeHead, String> {
    let expected = "expected SIZE:ROOT, as 17:<64 lower-case hexadecimal digits>";
    let (size, root) = text.split_once(':').ok_or(expected)?;
    let size = size.parse().map_err(|_| expected)?;
    Ok(TreeHead { size, root: Hash::from_hex(root).ok_or(expected)? })
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
    let limits = Limits::default();
    let log = arguments.log.as_deref().map(|path| read_log(path, &limits)).transpose()?;
    let policy = policy(arguments).map_err(|error| error.to_string())?;
    let now = jiff::Timestamp::now().as_second();
    let trust = Trust {
        registry_keys: &policy.registry_keys,
        issuer_keys: &policy.issuer_keys,
        heads: &policy.heads,
        file_id: arguments.file_id.as_deref(),
        log: log.as_ref(),
        windows: &policy.windows,
        any_issuer: policy.any_issuer,
        required: &policy.required,
        freshness: policy.most_seconds.map(|most_seconds| Freshness { now, most_seconds }),
    };
    let kind = arguments.kind.map(|kind| match kind {
        Kind::Bundle => DocumentKind::Bundle,
        Kind::Head => DocumentKind::Head,
        Kind::Proof => DocumentKind::Proof,
        Kind::Log => DocumentKind::Log,
    });
    Ok(verify_all(arguments, Question { trust: &trust, kind, limits: &limits }))
}

/// Reads here, verifies on several threads, and prints in the order of reading.
fn verify_all(arguments: &VerifyArguments, question: Question<'_>) -> Exit {
    let mut output = Output::new(arguments);
    let read = |hand_in: &mut dyn FnMut(Result<Item, Unreadable>)| {
        for path in &arguments.paths {
            if path.as_os_str() == "-" {
                read_stream("-", std::io::stdin().lock(), question.kind, question.limits, hand_in);
            } else {
                read_path(path, question.kind, question.limits, hand_in);
            }
        }
    };
    let worker = || {
        let mut worker = Worker::new(question);
        move |item: Result<Item, Unreadable>| item.map(|item| worker.work(item))
    };
    let mut joiner = Joiner::new(question);
    in_order(threads(arguments), read, worker, |outcome: Result<Outcome, Unreadable>| {
        if let Some(joined) = outcome.map(|outcome| joiner.take(outcome)).transpose() {
            output.take(joined);
        }
    });
    output.finish()
}

/// The policy of the file, if there is one, and what the options add to it.
fn policy(arguments: &VerifyArguments) -> Result<Policy, PolicyError> {
    let mut policy = arguments.trust.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    policy.registry_keys.extend(&arguments.registry_key);
    policy.issuer_keys.extend(&arguments.issuer_key);
    policy.heads.extend(&arguments.head);
    policy.any_issuer |= arguments.any_issuer;
    Ok(policy)
}

fn threads(arguments: &VerifyArguments) -> usize {
    let available = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    arguments.jobs.unwrap_or_else(available).get()
}

/// Prints findings as they come, and keeps the count.
struct Output<'a> {
    arguments: &'a VerifyArguments,
    documents: Vec<Json>,
    counts: Counts,
    printed: Exit,
}

#[derive(Default)]
struct Counts {
    authentic: usize,
    consistent: usize,
    refuted: usize,
    unknown: usize,
    unreadable: usize,
    skipped: usize,
}

impl Counts {
    fn documents(&self) -> usize {
        self.authentic + self.consistent + self.refuted + self.unknown
    }
}

impl<'a> Output<'a> {
    fn new(arguments: &'a VerifyArguments) -> Self {
        Self { arguments, documents: Vec::new(), counts: Counts::default(), printed: Exit::Good }
    }

    fn take(&mut self, outcome: Result<Joined, Unreadable>) {
        let finding = match outcome {
            Ok(Joined::Finding(finding)) => finding,
            Ok(Joined::Skipped(path)) => {
                complain(format!("{path}: left out, being no .json, .jsonl or .ndjson file"));
                self.counts.skipped += 1;
                return;
            }
            Err(error) => {
                complain(error);
                self.counts.unreadable += 1;
                return;
            }
        };
        *match finding.verdict() {
            Some(Verdict::Authentic) => &mut self.counts.authentic,
            Some(Verdict::Consistent) => &mut self.counts.consistent,
            Some(Verdict::Refuted) => &mut self.counts.refuted,
            None => &mut self.counts.unknown,
        } += 1;
        let printed = match self.arguments.format {
            Format::Text => print(&text(&finding, self.arguments.explain)),
            Format::Ndjson => print(&format!("{}\n", document(&finding))),
            Format::Json => {
                self.documents.push(document(&finding));
                Exit::Good
            }
        };
        if printed != Exit::Good {
            self.printed = printed;
        }
    }

    fn finish(self) -> Exit {
        let counts = &self.counts;
        let summary = json!({
            "documents": counts.documents(), "authentic": counts.authentic, "consistent": counts.consistent,
            "refuted": counts.refuted, "unknown": counts.unknown, "unreadable": counts.unreadable, "skipped": counts.skipped,
        });
        let printed = match self.arguments.format {
            Format::Json => {
                let all =
                    json!({"form": "assayer-verify/1", "summary": summary, "documents": self.documents});
                print(&format!("{all:#}\n"))
            }
            Format::Text if counts.documents() != 1 => print(&format!(
                "{} documents: {} authentic, {} consistent, {} refuted, {} of no known kind; {} files left out\n",
                counts.documents(),
                counts.authentic,
                counts.consistent,
                counts.refuted,
                counts.unknown,
                counts.skipped
            )),
            Format::Text | Format::Ndjson => Exit::Good,
        };
        if self.printed != Exit::Good {
            return self.printed;
        }
        if printed != Exit::Good {
            return printed;
        }
        let short = self.arguments.require == Required::Authentic && counts.authentic < counts.documents();
        if counts.refuted > 0 {
            Exit::Bad
        } else if counts.unreadable > 0 || counts.unknown > 0 || counts.documents() == 0 {
            if counts.documents() == 0 && counts.unreadable == 0 {
                complain("there is no document to verify");
            }
            Exit::Usage
        } else if short {
            complain(format!(
                "{} of {} documents are not authentic",
                counts.documents() - counts.authentic,
                counts.documents()
            ));
            Exit::Bad
        } else {
            Exit::Good
        }
    }
}

fn kind_name(finding: &Finding) -> &'static str {
    finding.kind.map_or("unknown", DocumentKind::as_str)
}

/// One document for programs.
fn document(finding: &Finding) -> Json {
    let layers: Vec<Json> = finding.trace.layers.iter().map(layer_json).collect();
    json!({
        "path": finding.path, "kind": kind_name(finding), "verdict": finding.verdict().map(Verdict::as_str),
        "layers": layers,
    })
}

fn layer_json(layer: &Layer) -> Json {
    let mut value = json!({
        "id": layer.id, "state": layer.state.as_str(), "code": layer.code().as_str(), "at": layer.at(),
    });
    if let Some(members) = value.as_object_mut() {
        let mut add = |name: &str, member: Json| {
            members.insert(name.to_owned(), member);
        };
        if let Some(problem) = &layer.problem {
            add("expected", json!(problem.expected));
            add("found", json!(problem.found));
        }
        if layer.problems > 1 {
            add("problems", json!(layer.problems));
        }
        if !layer.schemes.is_empty() {
            add("schemes", layer.schemes.iter().map(|scheme| json!(scheme.as_str())).collect());
        }
        if !layer.readings.is_empty() {
            add("readings", json!(layer.readings));
        }
        if !layer.notes.is_empty() {
            let note = |note: &assayer_verifier::Note| json!({"code": note.code.as_str(), "at": note.at, "text": note.text});
            add("notes", layer.notes.iter().map(note).collect());
        }
    }
    value
}

/// One document for people.
fn text(finding: &Finding, explain: bool) -> String {
    let mut out = String::new();
    let (word, colour) = match finding.verdict() {
        Some(Verdict::Authentic) => ("authentic", AnsiColor::Green),
        Some(Verdict::Consistent) => ("consistent", AnsiColor::Cyan),
        Some(Verdict::Refuted) => ("refuted", AnsiColor::Red),
        None => ("not evidence of a known kind", AnsiColor::Yellow),
    };
    let style = Style::new().bold().fg_color(Some(colour.into()));
    let _ = writeln!(out, "{}: {}: {style}{word}{style:#}", shown(&finding.path), kind_name(finding));
    for layer in &finding.trace.layers {
        layer_lines(&mut out, layer, explain);
    }
    if finding.verdict() == Some(Verdict::Consistent) {
        let open: Vec<&str> = finding
            .trace
            .required
            .iter()
            .copied()
            .filter(|id| finding.trace.layer(id).is_none_or(|layer| layer.state != State::Established))
            .collect();
        let _ = writeln!(out, "  not authentic, because these are not established: {}", open.join(", "));
    }
    out
}

fn layer_lines(out: &mut String, layer: &Layer, explain: bool) {
    let colour = match layer.state {
        State::Established => AnsiColor::Green,
        State::NotEstablished => AnsiColor::Yellow,
        State::Refuted => AnsiColor::Red,
    };
    let style = colour.on_default();
    let mut detail = Vec::new();
    if !layer.schemes.is_empty() {
        let names: Vec<&str> = layer.schemes.iter().map(|scheme| scheme.as_str()).collect();
        detail.push(format!("under {}", names.join(", ")));
    }
    if let Some(problem) = &layer.problem {
        let at = if problem.at.is_empty() { String::new() } else { format!(" at {}", shown(&problem.at)) };
        detail.push(format!("{}{at}: {}", problem.code, problem.code.meaning()));
    }
    let detail = if detail.is_empty() { String::new() } else { format!("  {}", detail.join("; ")) };
    let _ = writeln!(out, "  {style}{:<16}{style:#}{:<19}{detail}", layer.state.as_str(), layer.id);
    let mut line = |name: &str, text: &str| {
        let _ = writeln!(out, "                  {name:<11}{}", shown(text));
    };
    if let Some(problem) = layer.problem.as_ref().filter(|_| layer.state == State::Refuted || explain) {
        line("expected", &problem.expected);
        line("found", &problem.found);
    }
    if layer.problems > 1 {
        line("problems", &format!("{} in all, the first is shown", layer.problems));
    }
    if explain {
        line("rule", layer.rule);
        if !layer.recomputed.is_empty() {
            line("recomputed", &layer.recomputed);
        }
        if !layer.readings.is_empty() {
            line("read as", &layer.readings.join(", "));
        }
    }
    for note in &layer.notes {
        line("note", &format!("{} at {}: {}", note.code, note.at, note.text));
    }
}

/// A text from outside must not steer the terminal, nor fill it.
fn shown(text: &str) -> String {
    const MOST: usize = 240;
    let mut line: String =
        text.chars().take(MOST).map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect();
    if text.chars().nth(MOST).is_some() {
        line.push('…');
    }
    line
}
