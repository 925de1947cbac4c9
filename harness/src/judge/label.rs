//! What a verdict rests on: what the target signed, or what the prober saw.

use assayer_reports::{Label, Status};
use assayer_vectors::{Document as Kind, Expectation};

use super::Judge;
use crate::plan::Case;

/// Layers that follow from one document and keys alone: if that is signed, so is what they say.
const WITHIN_ONE_DOCUMENT: [&str; 14] = [
    "beacon-rows",
    "event-binding",
    "event-order",
    "file-id",
    "inclusion",
    "issuer-key",
    "issuer-signature",
    "manifest-members",
    "registry-key",
    "registry-signature",
    "shape",
    "suite",
    "tree-head",
    "watermark-rows",
];

impl<'t> Judge<'t> {
    /// What a verdict rests on: on the target's signature only where it is a pass and nothing but layers of signed documents
    /// was asked for. That something is wrong with a document is never shown by its signature.
    pub(super) fn label(&self, case: &Case<'_>, status: Status) -> Label {
        let is_signed = |expectation: &Expectation| self.rests_on_a_signature(expectation).unwrap_or(false);
        if status == Status::Pass && !case.expect.is_empty() && case.expect.iter().all(is_signed) {
            Label::TargetSigned
        } else {
            Label::ProberObserved
        }
    }

    fn rests_on_a_signature(&self, expectation: &Expectation) -> Option<bool> {
        let bare = Expectation {
            exchange: expectation.exchange.clone(),
            established: expectation.established.clone(),
            under: expectation.under.clone(),
            ..Expectation::default()
        };
        let key = expectation.under.as_ref()?.registry_key.as_ref()?;
        let asks_for_layers = serde_json::to_value(&bare).ok()? == serde_json::to_value(expectation).ok()?;
        let signature = match self.document_kind(&expectation.exchange)? {
            Kind::OversightBundle => "registry-signature",
            Kind::OversightHead => "tree-head",
            Kind::OversightConsistency | Kind::OversightProof | Kind::OversightLog => return None,
        };
        let within = |layer: &String| WITHIN_ONE_DOCUMENT.contains(&layer.as_str());
        let judged = !expectation.established.is_empty() && expectation.established.iter().all(within);
        // The signature itself need not be what the check asks for.
        let signed = Expectation {
            established: vec![signature.to_owned(), "registry-key".to_owned()],
            under: Some(assayer_vectors::Under { registry_key: Some(key.clone()), ..Default::default() }),
            ..bare
        };
        let answers = self.answers(&expectation.exchange).ok()?;
        Some(asks_for_layers && judged && self.established(&signed, &answers).is_ok())
    }
}
