//! `assayer canon`.

use std::io::{Read, Write};
use std::path::PathBuf;

use assayer_verifier::{Document, Limits, Scheme, canonicalize};
use clap::{Args, Subcommand};

use super::canon_lab::{AdapterArguments, LabArguments, adapter, lab};
use super::limits::LimitArguments;
use super::{Exit, complain};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct CanonArguments {
    #[command(subcommand)]
    command: Option<CanonCommand>,
    /// Canonicalization scheme.
    #[arg(long, default_value = "jcs")]
    scheme: Scheme,
    #[command(flatten)]
    limits: LimitArguments,
    /// JSON text; standard input if absent or `-`.
    file: Option<PathBuf>,
}

#[derive(Subcommand)]
enum CanonCommand {
    /// Compare canonicalizers, in any language: find what they disagree about, and show why in a few bytes.
    Lab(LabArguments),
    /// Speak the adapter protocol of the laboratory on standard input and output.
    Adapter(AdapterArguments),
}

pub(crate) fn run(arguments: &CanonArguments) -> Exit {
    match &arguments.command {
        Some(CanonCommand::Lab(arguments)) => return lab(arguments),
        Some(CanonCommand::Adapter(arguments)) => return adapter(arguments),
        None => {}
    }
    let limits = arguments.limits.limits();
    let input = match input(arguments, &limits) {
        Ok(input) => input,
        Err(error) => {
            complain(error);
            return Exit::Usage;
        }
    };
    let document = match Document::read(&input, &limits) {
        Ok(document) => document,
        Err(error) => {
            complain(format!("{}: {error}", error.code));
            return Exit::Bad;
        }
    };
    match canonicalize(document.root(), arguments.scheme) {
        Ok(bytes) => match std::io::stdout().write_all(&bytes).and_then(|()| std::io::stdout().flush()) {
            Ok(()) => Exit::Good,
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Exit::Good,
            Err(error) => {
                complain(format!("standard output: {error}"));
                Exit::Fault
            }
        },
        Err(error) => {
            complain(format!("{}: {error}", error.code));
            Exit::Bad
        }
    }
}

/// The text that the call names.
fn input(arguments: &CanonArguments, limits: &Limits) -> std::io::Result<Vec<u8>> {
    match arguments.file.as_deref().filter(|file| file.as_os_str() != "-") {
        Some(file) => read_bounded(fs_err::File::open(file)?, limits),
        None => read_bounded(std::io::stdin().lock(), limits),
    }
}

/// Reads at most one byte more than the limit, which is enough to be refused for it.
pub(crate) fn read_bounded(input: impl Read, limits: &Limits) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(limits.bytes as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
