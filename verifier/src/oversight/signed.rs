//! Finding the bytes that a signature fits, among those that several schemes write for one document.
//!
//! To write a large document can take long, so a verification that is to be explained keeps what it wrote: see [`Tried`].

use std::rc::Rc;

use crate::canon::{Form, Nulls, Scheme};
use crate::code::Code;
use crate::ed25519::{Memory, VerifiedKey};
use crate::hash::{Hash, Signature, sha256};
use crate::json::Value;
use crate::number;

/// The bytes that a signature fits, and the names of all candidates that are these bytes.
pub(crate) struct Fit<N> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) names: Vec<N>,
}

/// Pointer of the first number, at any depth, that every scheme which takes it writes as another one: RFC 8785 section 3.2.2.3 has it so, and a reader with
/// exact decimals sees what nobody signed. Integers never get so far (`docs/decisions/rounded-integers.md`).
pub(crate) fn first_rounded(value: Value<'_>) -> Option<String> {
    if value.is_alike_in_all_schemes() {
        return None;
    }
    let is_rounded = |text: &str| !value.is_integer() && number::is_rounded(text);
    if value.number_text().is_some_and(is_rounded) {
        return Some(String::new());
    }
    let in_members = value.members().find_map(|(key, member)| {
        let inner = first_rounded(member)?;
        Some((key.as_str().unwrap_or_default().into_owned(), inner))
    });
    let in_items = || {
        value.items().enumerate().find_map(|(place, item)| Some((place.to_string(), first_rounded(item)?)))
    };
    let (name, inner) = in_members.or_else(in_items)?;
    let mut pointer = String::new();
    crate::json::push_token(&mut pointer, &name);
    Some(pointer + &inner)
}

/// A text that is written when it is needed.
#[derive(Clone, Debug)]
pub(crate) struct Text<'d> {
    form: Rc<Form<'d>>,
    nulls: Nulls,
    scheme: Scheme,
}

impl Text<'_> {
    /// Its bytes; `None` where the scheme cannot write it.
    pub(crate) fn write(&self) -> Option<Vec<u8>> {
        self.form.write(self.scheme, self.nulls).ok()
    }

    /// Whether it can be seen without writing them that this and `other` are the same bytes.
    fn is_plainly(&self, other: &Self) -> bool {
        let same_rules =
            self.scheme == other.scheme && (self.nulls == other.nulls || !self.form.has_null_members());
        same_rules && self.form.is_same(&other.form)
    }

    /// Whether it is `other`, whose bytes are `written`. Writes it only where that is not plain to see.
    fn is(&self, other: &Self, written: &[u8]) -> bool {
        if self.form.has_other_names(self.nulls, &other.form, other.nulls) {
            return false;
        }
        self.is_plainly(other) || self.write().is_some_and(|bytes| bytes == written)
    }
}

/// What several schemes write for one form, each text with the schemes that write it: one text where all write the same.
pub(crate) fn texts<'d>(
    form: Form<'d>,
    nulls: Nulls,
    schemes: &'static [Scheme],
) -> impl Iterator<Item = (&'static [Scheme], Text<'d>)> + use<'d> {
    let together = if form.is_alike_in_all_schemes() { schemes.len() } else { 1 };
    let form = Rc::new(form);
    schemes.chunks(together).filter_map(move |group| {
        let scheme = *group.first()?;
        Some((group, Text { form: Rc::clone(&form), nulls, scheme }))
    })
}

/// A text that was written to try a signature on it, with the names of all candidates that are this text.
#[derive(Clone, Debug)]
pub(crate) struct Tried<N> {
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: Hash,
    pub(crate) names: Vec<N>,
    /// `None` where there was nothing to verify.
    pub(crate) outcome: Option<Result<(), Code>>,
}

/// Every different text among the candidates, in their order, each written and verified once; one signature fits one text.
pub(crate) fn all<'d, N, G: IntoIterator<Item = N>>(
    candidates: impl Iterator<Item = (G, Text<'d>)>,
    mut verify: impl FnMut(&[u8]) -> Option<Result<(), Code>>,
) -> Vec<Tried<N>> {
    let mut found: Vec<(Text<'d>, Tried<N>)> = Vec::new();
    let mut fits = false;
    for (names, text) in candidates {
        if let Some((_, same)) = found.iter_mut().find(|(other, _)| text.is_plainly(other)) {
            same.names.extend(names);
            continue;
        }
        let Some(bytes) = text.write() else { continue };
        if let Some((_, same)) = found.iter_mut().find(|(_, other)| other.bytes == bytes) {
            same.names.extend(names);
            continue;
        }
        let outcome = if fits { Some(Err(Code::Ed25519Mismatch)) } else { verify(&bytes) };
        fits |= outcome == Some(Ok(()));
        let (hash, names) = (sha256(&bytes), names.into_iter().collect());
        found.push((text, Tried { bytes, hash, names, outcome }));
    }
    found.into_iter().map(|(_, tried)| tried).collect()
}

/// The one that fits.
fn fit_among<N: Clone>(tried: &[Tried<N>]) -> Result<Fit<N>, Code> {
    let fit = tried.iter().find(|tried| tried.outcome == Some(Ok(())));
    let reason =
        || tried.iter().rev().find_map(|tried| tried.outcome?.err()).unwrap_or(Code::Ed25519Mismatch);
    fit.map(|fit| Fit { bytes: fit.bytes.clone(), names: fit.names.clone() }).ok_or_else(reason)
}

/// Tries candidates one at a time; each different text is verified once, and no two are held that do not fit, but where the
/// caller wants to have them all `kept`.
///
/// One signature fits one text, so after the first that fits the others are only compared with it.
///
/// # Errors
/// The reason of the last one that does not fit, or `ed25519.mismatch` if there is no candidate.
pub(crate) fn fitting<'d, N: Clone, G: IntoIterator<Item = N>>(
    candidates: impl Iterator<Item = (G, Text<'d>)>,
    memory: &mut Memory,
    key: &VerifiedKey,
    signature: &Signature,
    kept: Option<&mut Option<Vec<Tried<N>>>>,
) -> Result<Fit<N>, Code> {
    if let Some(kept) = kept {
        let verify = |bytes: &[u8]| Some(memory.verify(key, bytes, signature));
        return fit_among(kept.insert(all(candidates, verify)));
    }
    if memory.puts_off() {
        return likely(candidates, memory, key, signature);
    }
    let mut refused: Vec<(Text<'d>, Hash)> = Vec::new();
    let mut reason = Code::Ed25519Mismatch;
    let mut found: Option<(Text<'d>, Fit<N>)> = None;
    for (position, (names, text)) in candidates.enumerate() {
        if let Some((fitting, fit)) = &mut found {
            if text.is(fitting, &fit.bytes) {
                fit.names.extend(names);
            }
            continue;
        }
        if refused.iter().any(|(other, _)| text.is_plainly(other)) {
            continue;
        }
        let Some(bytes) = text.write() else { continue };
        // Most signatures fit the first text, which then need not be hashed.
        let hash = (!refused.is_empty()).then(|| sha256(&bytes));
        if refused.iter().any(|(_, other)| Some(*other) == hash) {
            continue;
        }
        match memory.verify(key, &bytes, signature) {
            Ok(()) => {
                memory.was_candidate(key, position);
                found = Some((text, Fit { bytes, names: names.into_iter().collect() }));
            }
            Err(code) => {
                reason = code;
                refused.push((text, hash.unwrap_or_else(|| sha256(&bytes))));
            }
        }
    }
    found.map(|(_, fit)| fit).ok_or(reason)
}

/// The same while signatures are put off: one text is taken for the one that fits, and judged later. It is the one at the
/// place where the last signature of this key had its own; where that is wrong, the document is verified again.
fn likely<'d, N, G: IntoIterator<Item = N>>(
    candidates: impl Iterator<Item = (G, Text<'d>)>,
    memory: &mut Memory,
    key: &VerifiedKey,
    signature: &Signature,
) -> Result<Fit<N>, Code> {
    let likely = memory.likely_candidate(key);
    let mut before: Vec<(G, Text<'d>)> = Vec::new();
    let mut found: Option<(Text<'d>, Fit<N>)> = None;
    for (position, (names, text)) in candidates.enumerate() {
        if let Some((fitting, fit)) = &mut found {
            if text.is(fitting, &fit.bytes) {
                fit.names.extend(names);
            }
        } else if position < likely {
            before.push((names, text));
        } else if let Some(bytes) = text.write()
            && memory.verify(key, &bytes, signature).is_ok()
        {
            let same = before.drain(..).filter(|(_, earlier)| earlier.is(&text, &bytes));
            let names = same.flat_map(|(names, _)| names).chain(names).collect();
            found = Some((text, Fit { bytes, names }));
        } else {
            break;
        }
    }
    found.map(|(_, fit)| fit).ok_or_else(|| {
        memory.leave_alone();
        Code::Ed25519Mismatch
    })
}
