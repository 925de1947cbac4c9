//! `assayer prove`: makes proofs from logs and heads, as files that anybody can verify.

use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use assayer_harness::evidence::{Heads, LeafReader, Problem};
use assayer_verifier::oversight::{consistency_json, inclusion_json};
use assayer_verifier::{Limits, Proof, ProofRequest, Prover, PublicKey};
use clap::{Args, Subcommand};

use super::limits::LimitArguments;
use super::verify::public_key;
use super::{Exit, complain, print};

#[derive(Args)]
pub(crate) struct ProveArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// That the log of NEW leaves extends that of OLD leaves (RFC 9162 section 2.1.4).
    Consistency {
        /// The log: `leaves.jsonl`, or pages of `/tlog/range`, in files or folders.
        #[arg(required = true)]
        log: Vec<PathBuf>,
        /// Size of the older log, at least 1.
        #[arg(long, value_name = "SIZE")]
        old: u64,
        /// Size of the newer log; the whole log if absent.
        #[arg(long, value_name = "SIZE")]
        new: Option<u64>,
        #[command(flatten)]
        target: Target,
    },
    /// That a leaf stands in the log, as `/tlog/proof/INDEX` answers it (RFC 9162 section 2.1.3).
    Inclusion {
        /// The log: `leaves.jsonl`, or pages of `/tlog/range`, in files or folders.
        #[arg(required = true)]
        log: Vec<PathBuf>,
        /// Index of the leaf, from 0.
        #[arg(long)]
        index: u64,
        /// Size of the tree; the whole log if absent.
        #[arg(long, value_name = "SIZE")]
        size: Option<u64>,
        #[command(flatten)]
        target: Target,
    },
    /// That a registry signed two heads that cannot belong to one log, from heads, bundles and logs.
    Equivocation {
        /// Signed heads, bundles and logs, in files or folders.
        #[arg(required = true)]
        paths: Vec<PathBuf>,
        /// The registry's key, 64 hexadecimal digits.
        #[arg(long, value_name = "HEX", value_parser = public_key)]
        registry_key: PublicKey,
        #[command(flatten)]
        target: Target,
    },
}

#[derive(Args)]
struct Target {
    /// Where the proof goes, whole or not at all; standard output if absent.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    limits: LimitArguments,
}

impl Target {
    fn write(&self, proof: &str) -> Result<Exit, Problem> {
        let Some(path) = &self.out else { return Ok(print(proof)) };
        write_whole(path, proof).map_err(|source| Problem::Call(format!("{}: {source}", path.display())))?;
        Ok(Exit::Good)
    }
}

/// Under a name of its own first: what stands at `path` is a whole proof, or what stood there before.
fn write_whole(path: &Path, text: &str) -> std::io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.partial", std::process::id()));
    let partial = path.with_file_name(name);
    let written = fs_err::File::create_new(&partial).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs_err::rename(&partial, path)
    });
    if written.is_err() {
        // The first failure is the one to tell.
        let _ = fs_err::remove_file(&partial);
    }
    written
}

pub(crate) fn run(arguments: &ProveArguments) -> Exit {
    let proved = match &arguments.what {
        What::Consistency { log, old, new, target } => {
            let request = ProofRequest::Consistency { old: *old, new: *new };
            from_log(log, request, &target.limits.limits()).and_then(|proof| target.write(&proof))
        }
        What::Inclusion { log, index, size, target } => {
            let request = ProofRequest::Inclusion { index: *index, size: *size };
            from_log(log, request, &target.limits.limits()).and_then(|proof| target.write(&proof))
        }
        What::Equivocation { paths, registry_key, target } => {
            equivocation(paths, registry_key, &target.limits.limits()).and_then(|proof| target.write(&proof))
        }
    };
    proved.unwrap_or_else(|problem| {
        complain(&problem);
        match problem {
            Problem::Call(_) => Exit::Usage,
            Problem::Log(_) | Problem::Nothing(_) => Exit::Bad,
        }
    })
}

fn from_log(paths: &[PathBuf], request: ProofRequest, limits: &Limits) -> Result<String, Problem> {
    let mut prover = Prover::new([request]);
    LeafReader::new(limits).read(paths, &mut |_, leaf| {
        prover.push(leaf);
        ControlFlow::Continue(())
    })?;
    match prover.finish().pop() {
        Some(Ok(Proof::Consistency(proof))) => Ok(consistency_json(&proof, [None, None])),
        Some(Ok(Proof::Inclusion(proof))) => Ok(inclusion_json(&proof)),
        Some(Err(code)) => Err(Problem::Nothing(code.meaning().to_owned())),
        None => Err(Problem::Nothing("nothing was asked for".to_owned())),
    }
}

fn equivocation(paths: &[PathBuf], key: &PublicKey, limits: &Limits) -> Result<String, Problem> {
    let heads = Heads::read(paths, *key, limits)?;
    heads.prove(limits).map(|proof| proof.to_json())
}
