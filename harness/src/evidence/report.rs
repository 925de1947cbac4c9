//! Findings as the report has them.

use assayer_reports::verification::{self as report, Text};
use assayer_verifier::oversight::DocumentKind;
use assayer_verifier::{Layer, State, Verdict};

use super::{Finding, Unreadable};

/// What a report says of a finding.
#[must_use]
pub fn report_of(finding: Finding) -> report::Document {
    let verdict = finding.verdict().map(|verdict| match verdict {
        Verdict::Authentic => report::Verdict::Authentic,
        Verdict::Consistent => report::Verdict::Consistent,
        Verdict::Equivocation => report::Verdict::Equivocation,
        Verdict::Refuted => report::Verdict::Refuted,
    });
    let kind = Text::Borrowed(finding.kind.map_or("unknown", DocumentKind::as_str));
    let established =
        |id: &&str| finding.trace.layer(id).is_some_and(|layer| layer.state == State::Established);
    let open = finding.trace.required.iter().filter(|id| !established(id));
    report::Document {
        path: finding.path,
        kind,
        verdict,
        error: None,
        open: open.map(|id| Text::Borrowed(*id)).collect(),
        layers: finding.trace.layers.into_iter().map(layer).collect(),
    }
}

impl From<Unreadable> for report::Document {
    fn from(unreadable: Unreadable) -> Self {
        Self::unreadable(unreadable.path, unreadable.source.to_string())
    }
}

fn layer(layer: Layer) -> report::Layer {
    let code = layer.code();
    let note = |note: assayer_verifier::Note| report::Note {
        code: Text::Borrowed(note.code.as_str()),
        at: note.at,
        text: note.text,
    };
    let (at, expected, found) = match layer.problem {
        Some(problem) => (problem.at, Some(problem.expected), Some(problem.found)),
        None => (String::new(), None, None),
    };
    report::Layer {
        id: Text::Borrowed(layer.id),
        state: match layer.state {
            State::Established => report::State::Established,
            State::NotEstablished => report::State::NotEstablished,
            State::Refuted => report::State::Refuted,
        },
        code: Text::Borrowed(code.as_str()),
        at,
        expected,
        found,
        problems: (layer.problems > 1).then_some(layer.problems),
        schemes: layer.schemes.iter().map(|scheme| Text::Borrowed(scheme.as_str())).collect(),
        readings: layer.readings.into_iter().map(Text::Borrowed).collect(),
        notes: layer.notes.into_iter().map(note).collect(),
        meaning: Text::Borrowed(code.meaning()),
        rule: Text::Borrowed(layer.rule),
        recomputed: layer.recomputed,
    }
}
