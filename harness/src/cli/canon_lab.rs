//! `assayer canon lab` and `assayer canon adapter`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use assayer_canon_lab::{
    AbsentReport, Adapter, AdapterError, Builtin, Engine, Patience, Plan, Report, run, serve,
};
use assayer_verifier::Scheme;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::{Exit, complain, print};

#[derive(Args)]
pub(crate) struct LabArguments {
    /// A canonicalizer: a command that speaks the adapter protocol, or `builtin:NAME`; give at least two.
    #[arg(long, value_name = "CMD", required = true)]
    adapter: Vec<String>,
    /// Hold every engine to this scheme as well.
    #[arg(long)]
    scheme: Option<Scheme>,
    /// How many texts are generated.
    #[arg(long, value_name = "N", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    cases: u64,
    /// The same seed gives the same texts.
    #[arg(long, value_name = "S", default_value_t = 1)]
    seed: u64,
    /// Seconds that one answer may take.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    patience: u64,
    /// Stop after the portion of texts in which a difference was found.
    #[arg(long)]
    first: bool,
    /// Folder for `report.json`, `vectors.json` and `report.md`; it must not hold them already.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Form of the output.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Args)]
pub(crate) struct AdapterArguments {
    /// A scheme, or `serde_jcs`, `serde_jcs_0_1`, `serde_json_canonicalizer`.
    #[arg(default_value = "jcs")]
    engine: String,
}

/// Speaks the adapter protocol, so that the verifier's own canonicalizer can be tried by others.
pub(crate) fn adapter(arguments: &AdapterArguments) -> Exit {
    let Some(mut engine) = Builtin::named(&arguments.engine) else {
        complain(unknown(&arguments.engine));
        return Exit::Usage;
    };
    match serve(&mut engine, std::io::stdin().lock(), std::io::stdout().lock()) {
        Ok(()) => Exit::Good,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Good,
        Err(error) => {
            complain(format!("adapter: {error}"));
            Exit::Usage
        }
    }
}

fn unknown(name: &str) -> String {
    format!("there is no engine `{name}`, expected one of {}", Builtin::NAMES.join(", "))
}

pub(crate) fn lab(arguments: &LabArguments) -> Exit {
    match compare(arguments) {
        Ok(exit) => exit,
        Err(message) => {
            complain(message);
            Exit::Usage
        }
    }
}

fn compare(arguments: &LabArguments) -> Result<Exit, String> {
    if let Some(folder) = &arguments.out {
        refuse_to_overwrite(folder)?;
    }
    let (mut engines, absent) = start(arguments)?;
    if engines.len() < 2 {
        let names: Vec<String> =
            absent.iter().map(|absent| format!("; absent: {} ({})", absent.command, absent.why)).collect();
        return Err(format!(
            "a comparison needs at least two engines, found {}{} (builtin:jcs is always there)",
            engines.len(),
            names.concat()
        ));
    }
    let LabArguments { cases, seed, scheme, first, .. } = *arguments;
    let plan = Plan { cases, seed, scheme, first };
    let bar = bar(arguments.cases);
    let found =
        run(&mut engines, &plan, &mut |done| bar.set_position(done)).map_err(|error| error.to_string())?;
    bar.finish_and_clear();
    let report = Report::new(&found, arguments.seed, absent);
    let json = serde_json::to_string_pretty(&report).map_err(|error| error.to_string())? + "\n";
    if let Some(folder) = &arguments.out {
        write(folder, &report, &json).map_err(|error| error.to_string())?;
    }
    let printed = match arguments.format {
        Format::Json => print(&json),
        Format::Text => print(&report.text()),
    };
    if printed != Exit::Good {
        return Ok(printed);
    }
    Ok(if report.divergences.is_empty() && report.violations.is_empty() { Exit::Good } else { Exit::Bad })
}

type Engines = Vec<Box<dyn Engine>>;

/// What could be started, and what is not to be had here.
fn start(arguments: &LabArguments) -> Result<(Engines, Vec<AbsentReport>), String> {
    let (mut engines, mut absent) = (Engines::new(), Vec::new());
    let patience = Patience { answer: Duration::from_secs(arguments.patience), ..Patience::default() };
    for command in &arguments.adapter {
        if let Some(name) = command.strip_prefix("builtin:") {
            engines.push(Box::new(Builtin::named(name).ok_or_else(|| unknown(name))?));
            continue;
        }
        match Adapter::start(command, patience) {
            Ok(adapter) => engines.push(Box::new(adapter)),
            Err(AdapterError::Absent { command, why }) => {
                complain(format!("absent: {command}: {why}"));
                absent.push(AbsentReport { command, why });
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok((engines, absent))
}

/// Shown on a terminal only.
fn bar(cases: u64) -> ProgressBar {
    let template = "{bar:40} {pos}/{len} texts, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(cases).with_style(style)
}

const FILES: [&str; 3] = ["report.json", "vectors.json", "report.md"];

fn refuse_to_overwrite(folder: &Path) -> Result<(), String> {
    let standing = FILES.iter().map(|name| folder.join(name)).find(|path| path.exists());
    standing.map_or(Ok(()), |path| Err(format!("{}: expected no such file, found one", path.display())))
}

fn write(folder: &Path, report: &Report, json: &str) -> std::io::Result<()> {
    fs_err::create_dir_all(folder)?;
    let vectors = serde_json::to_string_pretty(&report.vectors()).map_err(std::io::Error::other)? + "\n";
    let page = format!("# Canonicalization: what these engines disagree about\n\n{}", report.table());
    for (name, text) in FILES.iter().zip([json, &vectors, &page]) {
        fs_err::write(folder.join(name), text)?;
    }
    Ok(())
}
