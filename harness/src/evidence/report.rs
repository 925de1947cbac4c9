//! Findings as the report has them.

use assayer_reports::verification::{self as report, Text};
use assayer_verifier::oversight::{Difference, DocumentKind, Explanation, KeyUse, Recomputed};
use assayer_verifier::{Code, Layer, LayerMeaning, Problem, State, Trace, Verdict};

use super::{Depth, Finding, Unreadable};

/// What a report says of a finding, as deep as was asked; `demanded` are the layers that the caller requires beyond the usual
/// ones.
#[must_use]
pub fn report_of(finding: Finding, depth: Depth, demanded: &[Text]) -> report::Document {
    if let Some(error) = beyond_limits(&finding.trace) {
        return report::Document::unreadable(finding.path, error);
    }
    let verdict = finding.verdict().map(|verdict| match verdict {
        Verdict::Authentic => report::Verdict::Authentic,
        Verdict::Consistent => report::Verdict::Consistent,
        Verdict::Equivocation => report::Verdict::Equivocation,
        Verdict::Refuted => report::Verdict::Refuted,
    });
    let kind = Text::Borrowed(finding.kind.map_or("unknown", DocumentKind::as_str));
    let established =
        |id: &&str| finding.trace.layer(id).is_some_and(|layer| layer.state == State::Established);
    let mut open: Vec<Text> = Vec::new();
    for id in finding.trace.required.iter().filter(|id| !established(id)) {
        // Some layers are required for more than one reason.
        if !open.iter().any(|before| before == id) {
            open.push(Text::Borrowed(*id));
        }
    }
    let not_asked = not_asked(&finding, demanded);
    let explanation = finding.explanation.as_ref();
    let layers = finding.trace.layers.into_iter().map(|found| {
        let explained = (depth == Depth::Explained).then(|| Box::new(explained(&found, explanation)));
        report::Layer { explained, ..layer(found) }
    });
    report::Document {
        claim: None,
        path: finding.path,
        kind,
        verdict,
        error: None,
        length: explanation.and_then(|explanation| explanation.length),
        sha256: explanation.and_then(|explanation| explanation.hash).map(|hash| hash.to_hex()),
        open,
        not_asked,
        layers: layers.collect(),
    }
}

/// What is beyond the limits of whoever verifies, where nothing else is wrong: it was not read, which says nothing against it.
fn beyond_limits(trace: &Trace) -> Option<String> {
    // No flag lets a deeper text or a longer number be read: no registry signs one.
    let is_limit = |layer: &Layer| matches!(layer.code(), Code::LimitsBytes | Code::LimitsValues);
    let problem = trace.refuted().next()?.problem.as_ref()?;
    trace.refuted().all(is_limit).then(|| {
        let Problem { code, expected, found, .. } = problem;
        format!("{code}: expected {expected} (--max-bytes, --max-values), found {found}")
    })
}

/// Which of these layers no document of this kind has. Of what could not be read nobody can say.
fn not_asked(finding: &Finding, demanded: &[Text]) -> Vec<Text> {
    let read = |id: &str| finding.trace.layer(id).is_none_or(|layer| layer.state == State::Established);
    if finding.kind.is_none() || finding.is_of_several || !read("limits") || !read("json") {
        return Vec::new();
    }
    demanded.iter().filter(|id| finding.trace.layer(id).is_none()).cloned().collect()
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
        explained: None,
    }
}

fn explained(layer: &Layer, explanation: Option<&Explanation>) -> report::Explained {
    let meaning = LayerMeaning::of(layer.id);
    let details = explanation.map(|explanation| explanation.layers.as_slice()).unwrap_or_default();
    let detail = details.iter().find(|detail| detail.layer == layer.id);
    report::Explained {
        rule: Text::Borrowed(layer.rule),
        recomputed: layer.recomputed.clone(),
        establishes: Text::Borrowed(meaning.map_or("", |meaning| meaning.establishes)),
        does_not_establish: Text::Borrowed(meaning.map_or("", |meaning| meaning.does_not_establish)),
        keys: detail.map(|detail| detail.keys.iter().map(key).collect()).unwrap_or_default(),
        bytes: detail.map(|detail| detail.bytes.iter().map(bytes).collect()).unwrap_or_default(),
        more: detail.map_or(0, |detail| detail.more),
    }
}

fn key(used: &KeyUse) -> report::Key {
    let origin = if used.pinned { report::Origin::Pinned } else { report::Origin::Evidence };
    report::Key { key: used.key.to_hex(), at: used.at.clone(), origin }
}

fn bytes(recomputed: &Recomputed) -> report::Bytes {
    report::Bytes {
        what: recomputed.what.clone(),
        at: recomputed.at.clone(),
        length: recomputed.length,
        sha256: recomputed.hash.to_hex(),
        schemes: recomputed.schemes.iter().map(|scheme| Text::Borrowed(scheme.as_str())).collect(),
        readings: recomputed.readings.iter().copied().map(Text::Borrowed).collect(),
        fits: recomputed.fits,
        difference: recomputed.difference.as_ref().map(difference),
    }
}

fn difference(difference: &Difference) -> report::Difference {
    report::Difference {
        with: difference.with.clone(),
        offset: difference.offset,
        at: difference.at.clone(),
        from: difference.from,
        recomputed_hex: hex::encode(&difference.recomputed),
        recomputed_text: String::from_utf8_lossy(&difference.recomputed).into_owned(),
        other_hex: hex::encode(&difference.other),
        other_text: String::from_utf8_lossy(&difference.other).into_owned(),
    }
}
