//! The command line: what is asked, and what the answer is as an exit code.

mod baseline;
mod burn_in;
mod canon;
mod canon_lab;
mod check;
mod claim;
mod diff;
mod format;
mod limits;
mod list;
mod matrix;
mod prove;
mod recheck;
mod selftest;
mod serve;
mod verify;

use std::process::ExitCode;

use assayer_vectors::{LoadError, Suite, load_embedded, load_folder};
use clap::{Parser, Subcommand};

/// Exit codes: documented, stable, total.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything judged is as it must be.
    Good,
    /// A required check failed, or a document was refuted.
    Bad,
    /// The call or its data is wrong.
    Usage,
    /// The target could not be asked.
    Inconclusive,
    /// The harness itself is at fault.
    Fault,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Good => 0,
            Exit::Bad => 1,
            Exit::Usage => 2,
            Exit::Inconclusive => 3,
            Exit::Fault => 4,
        })
    }
}

/// Checks registries of signed evidence, and the evidence itself, without trusting the operator.
#[derive(Parser)]
#[command(name = "assayer", version, max_term_width = 100, arg_required_else_help = true)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a registry: record what it answers, judge it, report.
    Check(Box<check::CheckArguments>),
    /// Reviewed expected failures.
    Baseline(baseline::BaselineArguments),
    /// Watch a registry over a window of time before traffic is switched to it: the steps of the deployment guide.
    BurnIn(Box<burn_in::BurnInArguments>),
    /// Judge a recorded run again, offline.
    Recheck(recheck::RecheckArguments),
    /// Compare two archives: what changed, check by check, and whether the target or the suite did.
    Diff(diff::DiffArguments),
    /// Put archives of several implementations side by side, as a static site.
    Matrix(matrix::MatrixArguments),
    /// Sign what an archive supports.
    Claim(claim::ClaimArguments),
    /// List checks, requirements, editions or faults, without running anything.
    List(list::ListArguments),
    /// Make a proof from logs and heads, as a file that anybody can verify.
    Prove(prove::ProveArguments),
    /// Verify evidence offline: bundles, heads, proofs, logs.
    Verify(Box<verify::VerifyArguments>),
    /// Write the canonical bytes of a JSON text to standard output, and nothing else.
    Canon(canon::CanonArguments),
    /// Try the checks on registries whose faults are known: which check notices which fault.
    Selftest(selftest::SelftestArguments),
    /// Serve the reference registry.
    Serve(serve::ServeArguments),
}

pub(crate) fn main() -> ExitCode {
    // `assayer | head` ends quietly instead of with a panic.
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Good };
            let _ = error.print();
            return code.into();
        }
    };
    let exit = match arguments.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Baseline(arguments) => baseline::run(&arguments),
        Command::BurnIn(arguments) => burn_in::run(&arguments),
        Command::Recheck(arguments) => recheck::run(&arguments),
        Command::Diff(arguments) => diff::run(&arguments),
        Command::Matrix(arguments) => matrix::run(&arguments),
        Command::Claim(arguments) => claim::run(&arguments),
        Command::List(arguments) => list::run(&arguments),
        Command::Prove(arguments) => prove::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Canon(arguments) => canon::run(&arguments),
        Command::Selftest(arguments) => selftest::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
    };
    exit.into()
}

/// Says what is wrong, on standard error.
pub(crate) fn complain(message: impl std::fmt::Display) {
    // A message may name what stands in a document: a pointer, a path.
    let message = message.to_string();
    anstream::eprintln!("assayer: {}", assayer_reports::verification::harmless(&message));
}

/// Writes to standard output; a reader that has gone away is no error.
pub(crate) fn print(text: &str) -> Exit {
    use std::io::Write;
    match anstream::stdout().write_all(text.as_bytes()) {
        Ok(()) => Exit::Good,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Good,
        Err(error) => {
            complain(format!("standard output: {error}"));
            Exit::Fault
        }
    }
}

/// The suite that the arguments name.
pub(crate) fn load(suite: &str, folder: Option<&std::path::Path>) -> Result<Suite, LoadError> {
    match folder {
        Some(folder) => load_folder(folder),
        None => load_embedded(suite),
    }
}

/// Splits `suite@edition`; either part may be left out.
pub(crate) fn edition_name<'n>(suite: &'n str, edition: &'n str) -> (&'n str, &'n str) {
    edition.split_once('@').unwrap_or((suite, edition))
}

/// An environment variable; empty counts as absent.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A secret from the environment.
///
/// # Errors
/// A text that does not repeat it, for one that cannot be sent or not be kept out of the output.
pub(crate) fn secret(name: &str) -> Result<Option<String>, String> {
    /// A shorter text stands in answers by accident, and would have to be blotted out of them.
    const SHORTEST: usize = 8;
    if std::env::var_os(name).is_some_and(|value| value.to_str().is_none()) {
        return Err(format!("{name}: expected visible ASCII characters"));
    }
    let Some(secret) = variable(name) else { return Ok(None) };
    if secret.len() < SHORTEST {
        return Err(format!("{name}: expected at least {SHORTEST} characters, found {}", secret.len()));
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("{name}: expected visible ASCII characters"));
    }
    Ok(Some(secret))
}
