//! Evidence on disk. Reading (I/O, one item at a time, bounded) stands apart from verifying (pure), so that many items
//! can be verified at once while they are still being read.
//!
//! ```text
//! Reader --Item--> Worker, one a thread, several items at once --Outcome--> Joiner --Joined--> whoever prints
//! ```

mod archive;
mod compressed;
mod context;
mod dump;
mod lines;
mod log;
mod prove;
mod read;
mod report;
mod work;

pub use context::read_log;
pub use dump::{DumpError, dump};
pub use prove::{EachLeaf, Heads, LeafReader, Problem};
pub use read::{Reader, Sink};
pub use report::report_of;
pub use work::{ARRAY, Joined, Joiner, Worker};

use assayer_reports::verification::Document as Found;
use assayer_verifier::oversight::{DocumentKind, Explanation, LogPart, Trust};
use assayer_verifier::{Limits, Trace, Verdict};

use crate::claim::ClaimTrust;

/// Something to verify, as read.
#[derive(Debug)]
pub enum Item {
    /// One document.
    Document {
        /// Path, with `:LINE` for a document of a file of lines.
        path: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Some records of a log.
    Records {
        /// Number of the first line.
        line: u64,
        /// Whole lines, with their ends.
        lines: Vec<u8>,
    },
    /// The end of a log whose records came before.
    LogEnd {
        /// Path of the log.
        path: String,
        /// Whether other documents may follow, whose heads the log is to be compared with.
        more: bool,
    },
    /// Something that is not taken for evidence: a file of another kind, a link to a folder.
    Skipped(Skipped),
}

impl Item {
    /// How many bytes of memory it holds on to, about, and for a document that is to be explained, more: it is written in each
    /// of the ways in which it may have been signed, and what was written is held until all are compared.
    #[must_use]
    pub fn weight(&self, depth: Depth) -> usize {
        /// Up to twenty bytes for each byte were measured, of which most are given back when the document is done.
        const EXPLAINED: usize = 8;
        match self {
            Self::Document { path, bytes } if depth == Depth::Explained => {
                path.len() + EXPLAINED * bytes.len()
            }
            Self::Document { path, bytes } => path.len() + bytes.len(),
            Self::Records { lines, .. } => lines.capacity(),
            Self::LogEnd { path, .. } => path.len(),
            Self::Skipped(skipped) => skipped.path.len(),
        }
    }
}

/// What was left out, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path.
    pub path: String,
    /// Why, as a fragment that ends a sentence about it.
    pub why: &'static str,
}

/// What became of an item.
#[derive(Debug)]
pub enum Outcome {
    /// A document was verified.
    Finding(Finding),
    /// A claim that a target conforms was verified.
    Claim(Box<Found>),
    /// Records were read and hashed.
    Part(Box<LogPart>),
    /// A page of a log, or a record on its own, was read and hashed.
    Page {
        /// Its path.
        path: String,
        /// What is in it.
        part: Box<LogPart>,
    },
    /// A log is at its end.
    LogEnd {
        /// Path of the log.
        path: String,
        /// As [`Item::LogEnd`] has it.
        more: bool,
    },
    /// As [`Item::Skipped`].
    Skipped(Skipped),
}

/// A path that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}")]
pub struct Unreadable {
    /// The path.
    pub path: String,
    /// Why.
    pub source: std::io::Error,
}

/// One item, and what was found.
#[derive(Debug)]
pub struct Finding {
    /// Path, with `:LINE` for a document of a file of lines.
    pub path: String,
    /// Kind, as recognized or as the caller said.
    pub kind: Option<DocumentKind>,
    /// The layers; for a document of no known kind those of reading it.
    pub trace: Trace,
    /// What lies behind the layers, where that was asked for.
    pub explanation: Option<Explanation>,
    /// Whether it is of several documents together, beyond what is found of each.
    pub is_of_several: bool,
}

impl Finding {
    /// The verdict; `None` for a readable document of no known kind, of which nothing can be said.
    #[must_use]
    pub fn verdict(&self) -> Option<Verdict> {
        match (self.kind, self.trace.verdict()) {
            (_, Verdict::Refuted) => Some(Verdict::Refuted),
            (None, _) => None,
            (Some(_), verdict) => Some(verdict),
        }
    }
}

/// What the caller asks for.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What is trusted.
    pub trust: &'a Trust<'a>,
    /// The kind that every document is taken for; recognized by its members if absent.
    pub kind: Option<DocumentKind>,
    /// Bounds on each document.
    pub limits: &'a Limits,
    /// How much is wanted.
    pub depth: Depth,
    /// What claims are verified with; the archive of each is that which it lies in, if none is named.
    pub claims: ClaimTrust<'a>,
}

/// How much is wanted of each document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Depth {
    /// The layers and the verdict.
    #[default]
    Verdict,
    /// What lies behind them as well, which costs about as much again.
    Explained,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else twenty dear documents are explained at once, in more memory than all of them may take.
    #[test]
    fn a_document_that_is_to_be_explained_weighs_what_explaining_takes() {
        let document = Item::Document { path: String::new(), bytes: vec![0; 1_000] };
        assert_eq!([Depth::Verdict, Depth::Explained].map(|depth| document.weight(depth)), [1_000, 8_000]);
    }
}
