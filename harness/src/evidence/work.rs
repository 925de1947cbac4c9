//! What is done with items that were read: documents, and stretches of a log; pure.

use assayer_verifier::oversight::{
    BundleVerifier, DocumentKind, LogPart, LogVerifier, explain, read_only, verify_consistency_proof,
    verify_equivocation_proof, verify_head, verify_proof,
};
use assayer_verifier::{Document, Limits, Trace};

use assayer_reports::verification::Document as Found;

use super::log::Together;
use super::{Depth, Finding, Item, Outcome, Question, Skipped, Unreadable};
use crate::claim::{is_claim, verify_claim_at};

/// How what is found in place of a document begins, where it is an array.
pub const ARRAY: &str = "an array";

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
        let mut texts = Vec::new();
        let begun: Vec<_> = items.into_iter().map(|item| self.begin(item, &mut texts)).collect();
        let found = if self.question.kind.is_some() {
            self.bundles.verify_together(&texts).into_iter().map(Ok).collect()
        } else {
            self.bundles.verify_bundles_among(&texts)
        };
        let mut found = found.into_iter().zip(texts);
        let outcomes = begun.into_iter().filter_map(|begun| match begun {
            Begun::Done(outcome) => Some(outcome),
            Begun::Waits { path } => found.next().map(|(found, bytes)| {
                Ok(match found {
                    Err(kind) => self.document(path, kind, &bytes),
                    Ok(trace) => {
                        let kind = Some(DocumentKind::Bundle);
                        Outcome::Finding(Finding {
                            path,
                            kind,
                            trace,
                            explanation: None,
                            is_of_several: false,
                        })
                    }
                })
            }),
        });
        outcomes.collect()
    }

    /// Puts what may be a bundle to the others, and does the work on anything else.
    fn begin(&mut self, item: Result<Item, Unreadable>, texts: &mut Vec<Vec<u8>>) -> Begun {
        let Question { kind, limits, depth, .. } = self.question;
        let outcome = match item {
            // Explanations are long, and many are not held together.
            Ok(Item::Document { path, bytes }) if depth == Depth::Verdict && may_be_bundle(kind) => {
                texts.push(bytes);
                return Begun::Waits { path };
            }
            Ok(Item::Document { path, bytes }) if may_be_bundle(kind) => {
                Ok(self.explained_bundle(path, &bytes))
            }
            Ok(Item::Document { path, bytes }) => Ok(self.document(path, kind, &bytes)),
            Ok(Item::Records { line, lines }) => {
                Ok(Outcome::Part(Box::new(LogPart::read(line, &lines, limits))))
            }
            Ok(Item::LogEnd { path, more }) => Ok(Outcome::LogEnd { path, more }),
            Ok(Item::Skipped(skipped)) => Ok(Outcome::Skipped(skipped)),
            Err(unreadable) => Err(unreadable),
        };
        Begun::Done(outcome)
    }

    /// A document that is read once if it is a bundle, of which the explanation and the verdict share what they recompute.
    fn explained_bundle(&mut self, path: String, bytes: &[u8]) -> Outcome {
        match self.bundles.explain(bytes) {
            Ok((trace, explanation)) => {
                let (kind, explanation) = (Some(DocumentKind::Bundle), Some(explanation));
                Outcome::Finding(Finding { path, kind, trace, explanation, is_of_several: false })
            }
            // What the caller takes for a bundle is verified as one.
            Err(kind) => self.document(path, self.question.kind.or(kind), bytes),
        }
    }

    fn document(&mut self, path: String, kind: Option<DocumentKind>, bytes: &[u8]) -> Outcome {
        let Question { trust, limits, .. } = self.question;
        let trace = match kind {
            Some(DocumentKind::Bundle) => self.bundles.verify(bytes),
            Some(DocumentKind::Consistency) => verify_consistency_proof(bytes, trust, limits),
            Some(DocumentKind::Equivocation) => verify_equivocation_proof(bytes, trust, limits),
            Some(DocumentKind::Head) => verify_head(bytes, trust, limits),
            Some(DocumentKind::Proof) => verify_proof(bytes, trust, limits),
            Some(DocumentKind::Log) => {
                return Outcome::Page { path, part: Box::new(LogPart::read_page(bytes, limits)) };
            }
            None if is_claim(bytes) => {
                return Outcome::Claim(Box::new(verify_claim_at(path, bytes, self.question.claims)));
            }
            // A kind that is not known here is none.
            Some(_) | None => of_no_kind(bytes, limits),
        };
        let explanation = kind
            .filter(|_| self.question.depth == Depth::Explained)
            .map(|kind| explain(kind, bytes, trust, limits));
        Outcome::Finding(Finding { path, kind, trace, explanation, is_of_several: false })
    }
}

/// What was done with an item before the bundles are verified together.
enum Begun {
    Done(Result<Outcome, Unreadable>),
    Waits { path: String },
}

/// Whether a document may be a bundle, by what the caller takes it for.
fn may_be_bundle(kind: Option<DocumentKind>) -> bool {
    matches!(kind, None | Some(DocumentKind::Bundle))
}

/// What is found of a document of no known kind.
fn of_no_kind(bytes: &[u8], limits: &Limits) -> Trace {
    let mut trace = read_only(bytes, limits);
    let kind = trace.layers.iter_mut().find(|layer| layer.id == "kind");
    if let Some(problem) = kind.and_then(|layer| layer.problem.as_mut())
        && bytes.trim_ascii_start().starts_with(b"[")
    {
        problem.found = format!("{ARRAY}; several documents in one file stand one a line (NDJSON)");
    }
    trace
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
    /// What was found of a claim.
    Claim(Box<Found>),
    /// Something that was left out.
    Skipped(Skipped),
}

/// Joins what belongs together: the parts of a log, in order, and the heads and pages of one call. Lets findings through.
pub struct Joiner<'a> {
    together: Together<'a>,
    log: Option<LogVerifier<'a>>,
}

impl<'a> Joiner<'a> {
    /// A joiner for one stream of outcomes.
    #[must_use]
    pub fn new(question: Question<'a>) -> Self {
        Self { together: Together::new(question), log: None }
    }

    /// Takes the next outcome; gives what is complete: a finding, and others where it contradicts an earlier one.
    pub fn take(&mut self, outcome: Outcome) -> Vec<Joined> {
        match outcome {
            Outcome::Finding(finding) => {
                let conflicts = self.together.notice(&finding);
                std::iter::once(finding).chain(conflicts).map(Joined::Finding).collect()
            }
            Outcome::Claim(found) => vec![Joined::Claim(found)],
            Outcome::Skipped(skipped) => vec![Joined::Skipped(skipped)],
            Outcome::Part(part) => {
                self.log.get_or_insert_with(|| self.together.verifier()).add(*part);
                Vec::new()
            }
            Outcome::Page { path, part } => {
                self.together.page(path, *part);
                Vec::new()
            }
            Outcome::LogEnd { path, more } => {
                let verifier = self.log.take().unwrap_or_else(|| self.together.verifier());
                self.together.log_ends(path, verifier, more).map(Joined::Finding).into_iter().collect()
            }
        }
    }

    /// What is complete only now that everything was read: logs in pages, and what all documents say together.
    pub fn finish(self) -> Vec<Joined> {
        self.together.finish().into_iter().map(Joined::Finding).collect()
    }
}
