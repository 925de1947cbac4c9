//! What a run found, as JSON for programs and as text for people.

use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::{Answer, Identity, Outcome};
use crate::lab::{Found, Violation};

/// The result of a run, as `assayer canon lab --format json` prints it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Name and version of this form.
    pub form: &'static str,
    /// The engines, in the order in which they were given.
    pub engines: Vec<EngineReport>,
    /// Engines that were asked for and are not to be had on this machine, with the reason.
    pub absent: Vec<AbsentReport>,
    /// How many texts were generated; the same number gives the same texts.
    pub seed: u64,
    /// How often something happened.
    pub counts: CountsReport,
    /// What the engines disagree about: one for each pair and cause.
    pub divergences: Vec<DivergenceReport>,
    /// Laws that an engine breaks by itself.
    pub violations: Vec<ViolationReport>,
    /// What makes the run say less than it seems to.
    pub warnings: Vec<String>,
}

/// An engine.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EngineReport {
    /// Name in this report; a number is put behind it where two engines give the same.
    pub name: String,
    /// Version.
    pub version: String,
    /// The scheme that it means to follow.
    pub scheme: String,
}

/// An engine that is not there.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AbsentReport {
    /// The command.
    pub command: String,
    /// What is missing.
    pub why: String,
}

/// How often something happened.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CountsReport {
    /// Texts generated.
    pub generated: u64,
    /// Pairs of outcomes compared.
    pub compared: u64,
    /// Texts that every engine accepted.
    pub accepted_by_all: u64,
    /// Texts about which at least two engines differ.
    pub divergent: u64,
    /// Texts on which at least one engine broke.
    pub broke: u64,
}

/// Two engines disagree.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DivergenceReport {
    /// The cause.
    pub class: &'static str,
    /// The rule that decides, with its source.
    pub rule: &'static str,
    /// The two engines.
    pub engines: [String; 2],
    /// The text in hexadecimal, as small as it could be made.
    pub input: String,
    /// The text to be read by people: ASCII, other bytes as `\xNN`.
    pub shown: String,
    /// Whether no single reduction of the text still shows it.
    pub minimal: bool,
    /// What stayed the same while it was made smaller: `difference` or also `cause`.
    pub within: &'static str,
    /// How many generated texts showed it, as far as it could be told without making each smaller.
    pub seen: u64,
    /// Whether the text shows it to engines that were asked nothing before: `alone`; `after` those texts in `after`; or `never`, where no
    /// such texts were found.
    pub repeats: &'static str,
    /// With `after`: texts in hexadecimal that are asked before, in order; the fewest that were found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<String>,
    /// With `never`: how many of the texts that were asked before were tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tried: Option<usize>,
    /// What each engine makes of the text.
    pub outcomes: std::collections::BTreeMap<String, OutcomeReport>,
    /// Byte offset of the first difference between the bytes of the two engines, where both accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_difference: Option<usize>,
}

/// What an engine makes of a text: one member.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OutcomeReport {
    /// Canonical bytes in hexadecimal.
    Ok(String),
    /// Why it is refused.
    Reject(String),
    /// What broke.
    Error(String),
}

/// A law that an engine breaks.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ViolationReport {
    /// `deterministic`, `idempotent`, `injective`, `order-independent`, `prompt` or `scheme`.
    pub law: &'static str,
    /// For `scheme`, the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<&'static str>,
    /// The engine.
    pub engine: String,
    /// The text in hexadecimal; it is the smallest that was generated, not made smaller.
    pub input: String,
    /// The text to be read by people.
    pub shown: String,
    /// What came.
    pub found: OutcomeReport,
    /// What the law asks for, in hexadecimal; for `injective` the other text with the same bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
}

/// A file of vectors.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Vectors<'r> {
    /// Name and version of this form.
    pub form: &'static str,
    /// The vectors.
    pub vectors: Vec<Vector<'r>>,
}

/// A text and what is made of it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Vector<'r> {
    /// The cause of the difference.
    pub class: &'static str,
    /// The rule that decides.
    pub rule: &'static str,
    /// The text in hexadecimal.
    pub input: &'r str,
    /// What each engine makes of it.
    pub outcomes: &'r std::collections::BTreeMap<String, OutcomeReport>,
}

impl From<&Answer> for OutcomeReport {
    fn from(answer: &Answer) -> Self {
        match &answer.outcome {
            Outcome::Bytes(bytes) => Self::Ok(hex::encode(bytes)),
            Outcome::Reject => Self::Reject(answer.why.clone()),
            Outcome::Error => Self::Error(answer.why.clone()),
        }
    }
}

/// No text is shown at length.
fn shown(bytes: &[u8]) -> String {
    const MOST: usize = 120;
    let start = bytes.get(..MOST.min(bytes.len())).unwrap_or_default();
    let more = if bytes.len() > MOST { format!("… ({} bytes)", bytes.len()) } else { String::new() };
    format!("{}{more}", escaped(start))
}

/// As `escape_ascii`, without a backslash before quote marks: texts are JSON.
fn escaped(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        match byte {
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => {
                let _ = write!(text, "\\x{byte:02x}");
            }
        }
        text
    })
}

/// The names under which the engines stand in a report: all different.
fn names(engines: &[Identity]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for engine in engines {
        let same = engines.iter().filter(|other| other.name == engine.name).count();
        let before = names
            .iter()
            .filter(|name| **name == engine.name || name.starts_with(&format!("{}#", engine.name)))
            .count();
        names.push(if same > 1 { format!("{}#{}", engine.name, before + 1) } else { engine.name.clone() });
    }
    names
}

impl Report {
    /// The report of a run; `absent` names what was asked for and is not there.
    #[must_use]
    pub fn new(found: &Found, seed: u64, absent: Vec<AbsentReport>) -> Self {
        let names = names(&found.engines);
        let name = |at: usize| names.get(at).cloned().unwrap_or_default();
        let engines = found.engines.iter().zip(&names).map(|(engine, name)| EngineReport {
            name: name.clone(),
            version: engine.version.clone(),
            scheme: engine.scheme.clone(),
        });
        let divergences = found.divergences.iter().map(|divergence| {
            let [first, second] = divergence.engines;
            let bytes = |at: usize| divergence.answers.get(at).and_then(|answer| answer.outcome.bytes());
            DivergenceReport {
                class: divergence.class.as_str(),
                rule: divergence.class.rule(),
                engines: [name(first), name(second)],
                input: hex::encode(&divergence.text),
                shown: shown(&divergence.text),
                minimal: divergence.minimal,
                within: divergence.within.as_str(),
                seen: divergence.seen,
                repeats: divergence.repeats.as_str(),
                after: divergence.repeats.texts().iter().map(hex::encode).collect(),
                tried: divergence.repeats.tried(),
                outcomes: names
                    .iter()
                    .cloned()
                    .zip(divergence.answers.iter().map(OutcomeReport::from))
                    .collect(),
                first_difference: bytes(first)
                    .zip(bytes(second))
                    .map(|(first, second)| first_difference(first, second)),
            }
        });
        let counts = found.counts;
        Self {
            form: "assayer-canon-lab/1",
            engines: engines.collect(),
            absent,
            seed,
            counts: CountsReport {
                generated: counts.generated,
                compared: counts.compared,
                accepted_by_all: counts.accepted_by_all,
                divergent: counts.divergent,
                broke: counts.broke,
            },
            divergences: divergences.collect(),
            violations: found
                .violations
                .iter()
                .map(|violation| violation_report(violation, name(violation.engine)))
                .collect(),
            warnings: warnings(found, &names),
        }
    }

    /// The report for people: totals, then each difference with the bytes of both sides.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for engine in &self.engines {
            let _ = writeln!(out, "engine      {} {} ({})", engine.name, engine.version, engine.scheme);
        }
        for absent in &self.absent {
            let _ = writeln!(out, "absent      {}: {}", absent.command, absent.why);
        }
        let counts = &self.counts;
        let _ = writeln!(
            out,
            "texts       {} generated (seed {}), {} pairs compared, {} accepted by all, {} divergent",
            counts.generated, self.seed, counts.compared, counts.accepted_by_all, counts.divergent
        );
        for warning in &self.warnings {
            let _ = writeln!(out, "warning     {warning}");
        }
        for divergence in &self.divergences {
            divergence.write(&mut out);
        }
        for violation in &self.violations {
            violation.write(&mut out);
        }
        let _ =
            writeln!(out, "\n{} divergences, {} laws broken", self.divergences.len(), self.violations.len());
        out
    }

    /// The differences as vectors: what each engine makes of each text, for others to try theirs on.
    #[must_use]
    pub fn vectors(&self) -> Vectors<'_> {
        // What others try theirs on has to show it by itself.
        let alone = self.divergences.iter().filter(|divergence| divergence.repeats == "alone");
        let vectors = alone.map(|divergence| Vector {
            class: divergence.class,
            rule: divergence.rule,
            input: &divergence.input,
            outcomes: &divergence.outcomes,
        });
        Vectors { form: "assayer-canon-lab-vectors/1", vectors: vectors.collect() }
    }

    /// The differences as a table in Markdown.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = String::from(
            "| cause | engines | input | bytes of the first | bytes of the second |\n|---|---|---|---|---|\n",
        );
        for divergence in &self.divergences {
            let side = |name: &String| {
                divergence.outcomes.get(name).map_or_else(String::new, |outcome| cell(&outcome.shown()))
            };
            let [first, second] = &divergence.engines;
            let input = cell(&divergence.shown);
            let _ = writeln!(
                out,
                "| {} | {first}, {second} | {input} | {} | {} |",
                divergence.class,
                side(first),
                side(second)
            );
        }
        out
    }
}

/// Code in a table cell.
pub(crate) fn cell(text: &str) -> String {
    if text.is_empty() { "(nothing)".to_owned() } else { format!("`` {} ``", text.replace('|', "\\|")) }
}

impl OutcomeReport {
    fn shown(&self) -> String {
        match self {
            Self::Ok(bytes) => shown(&hex::decode(bytes).unwrap_or_default()),
            Self::Reject(why) => format!("refused: {}", shown(why.as_bytes())),
            Self::Error(why) => format!("broke: {}", shown(why.as_bytes())),
        }
    }
}

impl DivergenceReport {
    fn write(&self, out: &mut String) {
        let minimal = if self.minimal { "" } else { ", may not be the smallest" };
        let _ =
            writeln!(out, "\n{}  ({} bytes{minimal}; {} texts)", self.class, self.input.len() / 2, self.seen);
        let _ = writeln!(out, "  input     {}", self.shown);
        self.write_repeats(out);
        for name in &self.engines {
            if let Some(outcome) = self.outcomes.get(name) {
                let _ = writeln!(out, "  {name:<28} {}", outcome.shown());
            }
        }
        if let Some(at) = self.first_difference {
            let _ = writeln!(out, "  differ at byte {at}");
        }
        let _ = writeln!(out, "  rule      {}", self.rule);
    }
}

impl DivergenceReport {
    /// What has to be asked before, where the text alone does not show it.
    fn write_repeats(&self, out: &mut String) {
        const MOST: usize = 5;
        match self.tried {
            None if self.after.is_empty() => {}
            None => {
                let count = self.after.len();
                let _ = writeln!(
                    out,
                    "  not repeatable alone: it shows when engines just started are asked {count} texts before"
                );
                for text in self.after.iter().take(MOST) {
                    let _ = writeln!(out, "  before    {}", shown(&hex::decode(text).unwrap_or_default()));
                }
                if count > MOST {
                    let _ = writeln!(out, "  before    … and {} more, in the report's `after`", count - MOST);
                }
            }
            Some(0) => {
                let _ = writeln!(out, "  not repeatable: asked once more they agree");
            }
            Some(tried) => {
                let _ = writeln!(
                    out,
                    "  not repeatable alone, nor after the {tried} texts that were asked before it"
                );
            }
        }
    }
}

impl ViolationReport {
    fn write(&self, out: &mut String) {
        let class = self.class.map_or_else(String::new, |class| format!(" ({class})"));
        let _ = writeln!(out, "\n{} is not {}{class}", self.engine, self.law);
        let _ = writeln!(out, "  input     {}", self.shown);
        let _ = writeln!(out, "  found     {}", self.found.shown());
        if let Some(expected) = &self.expected {
            let word = if self.law == "injective" { "also of" } else { "expected" };
            let _ = writeln!(out, "  {word:<9} {}", shown(&hex::decode(expected).unwrap_or_default()));
        }
    }
}

fn first_difference(first: &[u8], second: &[u8]) -> usize {
    let same = first.iter().zip(second).take_while(|(a, b)| a == b);
    same.count()
}

fn violation_report(violation: &Violation, engine: String) -> ViolationReport {
    ViolationReport {
        law: violation.law.as_str(),
        class: violation.class.map(|class| class.as_str()),
        engine,
        input: hex::encode(&violation.text),
        shown: shown(&violation.text),
        found: OutcomeReport::from(&violation.found),
        expected: violation.expected.as_ref().map(hex::encode),
    }
}

fn warnings(found: &Found, names: &[String]) -> Vec<String> {
    let mut warnings = Vec::new();
    let share = found.accepted_share();
    if share < Found::ENOUGH {
        warnings.push(format!(
            "only {:.0} % of the texts were accepted by every engine: less than {:.0} % were compared by their bytes",
            share * 100.0,
            Found::ENOUGH * 100.0
        ));
    }
    for (engine, answered) in &found.given_up {
        let name = names.get(*engine).map_or("an engine", String::as_str);
        warnings.push(format!(
            "{name} broke too often, or was too often late, and was given up: it was asked about {answered} of {} texts",
            found.counts.generated
        ));
    }
    if found.counts.broke > 0 {
        warnings.push(format!("on {} texts an engine broke", found.counts.broke));
    }
    warnings
}
