//! What is done with items that were read: documents, and stretches of a log; pure.

use assayer_verifier::oversight::{
    BundleVerifier, DocumentKind, LogPart, LogVerifier, explain, read_only, verify_consistency_proof,
    verify_equivocation_proof, verify_head, verify_log, verify_proof,
};
use assayer_verifier::{Document, Limits};

use super::{Depth, Finding, Item, Outcome, Question, Skipped, Unreadable};

/// Does the work on items that needs no other item; one for each thread. Pure but for what it remembers, which only makes
/// the same answers come faster.
pub struct Worker<'a> {
    question: Question<'a>,
    bundles: BundleVerifier<'a>,
}

impl<'a> Worker<'a> {
    /// A worker that remembers nothing yet.
    #[must_use]
    pub fn new(question: Question<'a>) -> Self {
        Self { question, bundles: BundleVerifier::new(question.trust, question.limits) }
    }

    /// Does the work on several items, and on the signatures of all bundles among them together. The outcome of each is what
    /// it would be alone, and in its place.
    #[must_use]
    pub fn work(&mut self, items: Vec<Result<Item, Unreadable>>) -> Vec<Result<Outcome, Unreadable>> {
        let mut bundles = Vec::new();
        let outcomes: Vec<_> = items.into_iter().map(|item| self.begin(item, &mut bundles)).collect();
        let mut traces = self.bundles.verify_together(&bundles).into_iter();
        let outcomes = outcomes.into_iter().filter_map(|begun| match begun {
            Begun::Done(outcome) => Some(outcome),
            Begun::Bundle { path } => {
                let kind = Some(DocumentKind::Bundle);
                let finding = |trace| Finding { path, kind, trace, explanation: None };
                traces.next().map(|trace| Ok(Outcome::Finding(finding(trace))))
            }
        });
        outcomes.collect()
    }

    /// Puts a bundle to the others, and does the work on anything else.
    fn begin(&mut self, item: Result<Item, Unreadable>, bundles: &mut Vec<Vec<u8>>) -> Begun {
        let outcome = match item {
            Ok(Item::Document { path, bytes }) => {
                let kind = self.question.kind.or_else(|| kind_of(&bytes, self.question.limits));
                // Explanations are long, and many are not held together.
                if kind == Some(DocumentKind::Bundle) && self.question.depth == Depth::Verdict {
                    bundles.push(bytes);
                    return Begun::Bundle { path };
                }
                Ok(Outcome::Finding(self.verify(path, kind, &bytes)))
            }
            Ok(Item::Records(lines)) => {
                let lines = lines.iter().map(|(number, line)| (*number, line.as_slice()));
                Ok(Outcome::Part(Box::new(LogPart::read(lines, self.question.limits))))
            }
            Ok(Item::LogEnd { path }) => Ok(Outcome::LogEnd { path }),
            Ok(Item::Skipped(skipped)) => Ok(Outcome::Skipped(skipped)),
            Err(unreadable) => Err(unreadable),
        };
        Begun::Done(outcome)
    }

    fn verify(&mut self, path: String, kind: Option<DocumentKind>, bytes: &[u8]) -> Finding {
        let Question { trust, limits, .. } = self.question;
        let trace = match kind {
            Some(DocumentKind::Bundle) => self.bundles.verify(bytes),
            Some(DocumentKind::Consistency) => verify_consistency_proof(bytes, trust, limits),
            Some(DocumentKind::Equivocation) => verify_equivocation_proof(bytes, trust, limits),
            Some(DocumentKind::Head) => verify_head(bytes, trust, limits),
            Some(DocumentKind::Proof) => verify_proof(bytes, trust, limits),
            Some(DocumentKind::Log) => verify_log([bytes], trust, limits).1,
            None => read_only(bytes, limits),
        };
        let explanation = kind
            .filter(|_| self.question.depth == Depth::Explained)
            .map(|kind| explain(kind, bytes, trust, limits));
        Finding { path, kind, trace, explanation }
    }
}

/// What was done with an item before the bundles are verified together.
enum Begun {
    Done(Result<Outcome, Unreadable>),
    Bundle { path: String },
}

/// The kind of a document, by its members; `None` for what cannot be read and for what is of no known kind.
pub(super) fn kind_of(bytes: &[u8], limits: &Limits) -> Option<DocumentKind> {
    DocumentKind::of(Document::read(bytes, limits).ok()?.root())
}

/// What a [`Joiner`] lets through.
#[derive(Debug)]
pub enum Joined {
    /// A finding.
    Finding(Finding),
    /// Something that was left out.
    Skipped(Skipped),
}

/// Joins the parts of a log, in order, and lets findings through.
pub struct Joiner<'a> {
    question: Question<'a>,
    log: Option<LogVerifier>,
}

impl<'a> Joiner<'a> {
    /// A joiner for one stream of outcomes.
    #[must_use]
    pub fn new(question: Question<'a>) -> Self {
        Self { question, log: None }
    }

    /// Takes the next outcome; gives a finding when one is complete, or the path of what was left out.
    pub fn take(&mut self, outcome: Outcome) -> Option<Joined> {
        let fresh = || LogVerifier::new(self.question.trust, self.question.limits);
        match outcome {
            Outcome::Finding(finding) => Some(Joined::Finding(finding)),
            Outcome::Skipped(skipped) => Some(Joined::Skipped(skipped)),
            Outcome::Part(part) => {
                self.log.get_or_insert_with(fresh).add(*part);
                None
            }
            Outcome::LogEnd { path } => {
                let trace = self.log.take().unwrap_or_else(fresh).finish();
                Some(Joined::Finding(Finding {
                    path,
                    kind: Some(DocumentKind::Log),
                    trace,
                    explanation: None,
                }))
            }
        }
    }
}
