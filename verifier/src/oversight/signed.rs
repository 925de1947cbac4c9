//! Finding the bytes that a signature fits, among those that several schemes write for one document.

use crate::canon::{Form, Nulls, Scheme};
use crate::code::Code;
use crate::ed25519::{Memory, VerifiedKey};
use crate::hash::{Hash, Signature, sha256};

/// The bytes that a signature fits, and the names of all candidates that are these bytes.
pub(crate) struct Fit<N> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) names: Vec<N>,
}

/// What several schemes write for one form, each text with the schemes that write it: one text where all write the same.
pub(crate) fn texts<'d>(
    form: Form<'d>,
    nulls: Nulls,
    schemes: &'static [Scheme],
) -> impl Iterator<Item = (&'static [Scheme], Vec<u8>)> + use<'d> {
    let together = if form.is_alike_in_all_schemes() { schemes.len() } else { 1 };
    schemes
        .chunks(together)
        .filter_map(move |group| Some((group, form.write(group.first().copied()?, nulls).ok()?)))
}

/// Tries candidates one at a time; each different text is verified once, and no two are held that do not fit.
///
/// One signature fits one text, so after the first that fits the others are only compared with it.
///
/// # Errors
/// The reason of the last one that does not fit, or `ed25519.mismatch` if there is no candidate.
pub(crate) fn fitting<N, G: IntoIterator<Item = N>>(
    candidates: impl Iterator<Item = (G, Vec<u8>)>,
    memory: &mut Memory,
    key: &VerifiedKey,
    signature: &Signature,
) -> Result<Fit<N>, Code> {
    if memory.puts_off() {
        return likely(candidates, memory, key, signature);
    }
    let mut refused: Vec<Hash> = Vec::new();
    let mut reason = Code::Ed25519Mismatch;
    let mut found: Option<Fit<N>> = None;
    for (position, (names, bytes)) in candidates.enumerate() {
        if let Some(fit) = &mut found {
            if fit.bytes == bytes {
                fit.names.extend(names);
            }
            continue;
        }
        // Most signatures fit the first text, which then need not be hashed.
        if !refused.is_empty() && refused.contains(&sha256(&bytes)) {
            continue;
        }
        match memory.verify(key, &bytes, signature) {
            Ok(()) => {
                memory.was_candidate(key, position);
                found = Some(Fit { bytes, names: names.into_iter().collect() });
            }
            Err(code) => {
                reason = code;
                refused.push(sha256(&bytes));
            }
        }
    }
    found.ok_or(reason)
}

/// The same while signatures are put off: one text is taken for the one that fits, and judged later. It is the one at the
/// place where the last signature of this key had its own; where that is wrong, the document is verified again.
fn likely<N, G: IntoIterator<Item = N>>(
    candidates: impl Iterator<Item = (G, Vec<u8>)>,
    memory: &mut Memory,
    key: &VerifiedKey,
    signature: &Signature,
) -> Result<Fit<N>, Code> {
    let likely = memory.likely_candidate(key);
    let mut before: Vec<(G, Hash)> = Vec::new();
    let mut found: Option<Fit<N>> = None;
    for (position, (names, bytes)) in candidates.enumerate() {
        if let Some(fit) = &mut found {
            if fit.bytes == bytes {
                fit.names.extend(names);
            }
        } else if position < likely {
            before.push((names, sha256(&bytes)));
        } else if memory.verify(key, &bytes, signature).is_ok() {
            let same = (!before.is_empty()).then(|| sha256(&bytes));
            let before = before.drain(..).filter(|(_, hash)| Some(*hash) == same);
            let names = before.flat_map(|(names, _)| names).chain(names).collect();
            found = Some(Fit { bytes, names });
        } else {
            break;
        }
    }
    found.ok_or_else(|| {
        memory.leave_alone();
        Code::Ed25519Mismatch
    })
}
