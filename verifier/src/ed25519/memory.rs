//! Keys and signatures that were met before, and signatures that are yet to be judged together.

use std::collections::BTreeMap;

use super::VerifiedKey;
use super::batch::{Equation, judge};
use crate::code::Code;
use crate::hash::{PublicKey, Signature};

/// Checks many signatures together, each exactly as [`verify`](super::verify()) does; under keys that recur it takes a fraction
/// of the time.
///
/// In: for each signature the public key (32 bytes), the message, the signature (64 bytes, R then S). Out: for each, in
/// order, `Ok` or the code that [`verify`](super::verify()) gives. That an answer differs has a probability of at most 2^-128.
///
/// ```
/// use assayer_verifier::{Code, PublicKey, Signature, verify_batch};
///
/// // RFC 8032 section 7.1, test 1: a signature of the empty message.
/// let key = PublicKey::from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").unwrap();
/// let signature = Signature::from_hex(concat!(
///     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155",
///     "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
/// ));
/// let signature = signature.unwrap();
/// let signatures: [(PublicKey, &[u8], Signature); 2] = [(key, b"", signature), (key, b"forged", signature)];
/// assert_eq!(verify_batch(&signatures), [Ok(()), Err(Code::Ed25519Mismatch)]);
/// ```
#[must_use]
pub fn verify_batch(signatures: &[(PublicKey, &[u8], Signature)]) -> Vec<Result<(), Code>> {
    let mut memory = Memory::default();
    let verify = |memory: &mut Memory, (key, message, signature): &(PublicKey, &[u8], Signature)| {
        let key = memory.key(key)?;
        memory.verify(&key, message, signature)
    };
    let mut answers = Vec::with_capacity(signatures.len());
    for batch in signatures.chunks(MOST_IN_A_BATCH) {
        memory.put_off();
        let first: Vec<_> =
            batch.iter().map(|signed| (verify(&mut memory, signed), memory.rests())).collect();
        let settled = memory.settle();
        answers.extend(batch.iter().zip(first).map(|(signed, (answer, rests))| {
            if settled.bears(&rests) { answer } else { verify(&mut memory, signed) }
        }));
    }
    answers
}

/// Beyond this number a batch costs memory and gains nothing.
const MOST_IN_A_BATCH: usize = 4_096;
/// How many keys are remembered at most.
const MOST_KEYS: usize = 4_096;
/// How many good signatures are remembered at most, and over how long a message.
const MOST_SIGNATURES: usize = 4_096;
const LONGEST_MESSAGE: usize = 256;
/// From this use on, a key's signatures are judged in batches: to see that it is of prime order takes half as long as verifying one.
const USES_BEFORE_A_BATCH: u32 = 2;

/// Keys and signatures that were met before. It makes the same answers come faster and changes none of them: a key is
/// decoded once, and the signature of a tree head that many bundles share is verified once.
///
/// Between [`Memory::put_off`] and [`Memory::settle`] signatures are taken for good, and judged together at the end.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    keys: BTreeMap<PublicKey, Remembered>,
    /// Good ones only: what each is over, and under which key.
    signatures: BTreeMap<Signature, (PublicKey, Vec<u8>)>,
    open: Option<Open>,
}

#[derive(Clone, Debug)]
struct Remembered {
    key: Result<VerifiedKey, Code>,
    uses: u32,
    /// Whether it has no part of small order; found out when it matters.
    prime_order: Option<bool>,
    /// Which of the candidate texts the last signature was over.
    candidate: usize,
}

/// What was put off.
#[derive(Clone, Debug, Default)]
struct Open {
    equations: Vec<Equation>,
    /// Short messages by the position of their equations.
    short: BTreeMap<Signature, (usize, Vec<u8>)>,
    /// The document at hand rests on these.
    rests_on: Vec<usize>,
    /// The document at hand cannot be judged together with others.
    alone: bool,
}

/// What a document that was read while signatures are put off rests on.
#[derive(Clone, Debug)]
pub(crate) struct Rests {
    on: Vec<usize>,
    alone: bool,
}

/// Which of the signatures that were put off are good.
#[derive(Debug)]
pub(crate) struct Settled(Vec<bool>);

impl Settled {
    /// Whether everything that was taken for good is good.
    pub(crate) fn bears(&self, rests: &Rests) -> bool {
        !rests.alone && rests.on.iter().all(|position| self.0.get(*position) == Some(&true))
    }
}

impl Memory {
    /// As [`VerifiedKey::new`].
    pub(crate) fn key(&mut self, key: &PublicKey) -> Result<VerifiedKey, Code> {
        if self.keys.len() >= MOST_KEYS && !self.keys.contains_key(key) {
            self.keys.clear();
        }
        let fresh = || Remembered { key: VerifiedKey::new(key), uses: 0, prime_order: None, candidate: 0 };
        self.keys.entry(*key).or_insert_with(fresh).key.clone()
    }

    /// As [`VerifiedKey::verify`]; while signatures are put off, `Ok` means that it is yet to be judged.
    pub(crate) fn verify(
        &mut self,
        key: &VerifiedKey,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), Code> {
        let public = key.public();
        let seen = |(under, over): &(PublicKey, Vec<u8>)| *under == public && over == message;
        if self.signatures.get(signature).is_some_and(seen) || self.put_off_one(key, message, signature) {
            return Ok(());
        }
        key.verify(message, signature)?;
        self.remember(public, message, signature);
        Ok(())
    }

    fn remember(&mut self, public: PublicKey, message: &[u8], signature: &Signature) {
        if message.len() > LONGEST_MESSAGE {
            return;
        }
        if self.signatures.len() >= MOST_SIGNATURES {
            self.signatures.clear();
        }
        self.signatures.insert(*signature, (public, message.to_vec()));
    }

    /// Whether signatures are put off.
    pub(crate) fn puts_off(&self) -> bool {
        self.open.is_some()
    }

    /// From now on signatures are put off.
    pub(crate) fn put_off(&mut self) {
        self.open = Some(Open::default());
    }

    /// Puts off one signature, if it can be judged together with others.
    fn put_off_one(&mut self, key: &VerifiedKey, message: &[u8], signature: &Signature) -> bool {
        let Some(open) = &mut self.open else { return false };
        let public = key.public();
        if let Some((position, over)) = open.short.get(signature)
            && over == message
            && open.equations.get(*position).is_some_and(|equation| equation.is_of(&public, signature))
        {
            open.rests_on.push(*position);
            return true;
        }
        let Some(remembered) = self.keys.get_mut(&public) else { return false };
        remembered.uses = remembered.uses.saturating_add(1);
        if remembered.uses < USES_BEFORE_A_BATCH
            || !*remembered.prime_order.get_or_insert_with(|| key.key.to_edwards().is_torsion_free())
        {
            return false;
        }
        let Some(equation) = Equation::of(key, message, signature) else { return false };
        let position = open.equations.len();
        open.equations.push(equation);
        open.rests_on.push(position);
        if message.len() <= LONGEST_MESSAGE {
            open.short.entry(*signature).or_insert_with(|| (position, message.to_vec()));
        }
        true
    }

    /// The document at hand must be verified again by itself.
    pub(crate) fn leave_alone(&mut self) {
        if let Some(open) = &mut self.open {
            open.alone = true;
        }
    }

    /// What the document that was just read rests on.
    pub(crate) fn rests(&mut self) -> Rests {
        let open = self
            .open
            .as_mut()
            .map(|open| (std::mem::take(&mut open.rests_on), std::mem::take(&mut open.alone)));
        let (on, alone) = open.unwrap_or((Vec::new(), true));
        Rests { on, alone }
    }

    /// Judges everything that was put off. Signatures are verified at once again from here on.
    pub(crate) fn settle(&mut self) -> Settled {
        let open = self.open.take().unwrap_or_default();
        let verdicts = judge(&open.equations);
        for (signature, (position, message)) in &open.short {
            if let (Some(true), Some(equation)) = (verdicts.get(*position), open.equations.get(*position)) {
                self.remember(equation.public, message, signature);
            }
        }
        Settled(verdicts)
    }

    /// Which of the candidate texts a signature of this key is probably over: as the last one that was verified.
    pub(crate) fn likely_candidate(&self, key: &VerifiedKey) -> usize {
        self.keys.get(&key.public()).map_or(0, |remembered| remembered.candidate)
    }

    /// A signature of this key was over the candidate text at this position.
    pub(crate) fn was_candidate(&mut self, key: &VerifiedKey, position: usize) {
        if let Some(remembered) = self.keys.get_mut(&key.public()) {
            remembered.candidate = position;
        }
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::{Signer, SigningKey};

    use super::*;

    fn signed(seed: u8, message: &[u8]) -> (PublicKey, Signature) {
        let key = SigningKey::from_bytes(&[seed; 32]);
        (PublicKey(key.verifying_key().to_bytes()), Signature(key.sign(message).to_bytes()))
    }

    /// Each message in turn is the signed one, another, or the signed one under a changed signature.
    #[test]
    fn a_memory_answers_as_if_it_remembered_nothing() {
        let mut memory = Memory::default();
        for round in 0..100_usize {
            let message = vec![b'm'; if round % 2 == 0 { 300 } else { 7 + round / 8 }];
            for seed in [1, 2, 3] {
                let (public, good) = signed(seed, &message);
                let key = memory.key(&public).unwrap();
                let changed = |at: usize, bit: u8| {
                    let mut bytes = good.0;
                    bytes[at] ^= bit;
                    Signature(bytes)
                };
                for (message, signature) in [
                    (&message[..], good),
                    (b"other", good),
                    (&message, changed(63, 0x80)),
                    (&message, changed(round % 32, 1)),
                    (&message, changed(32 + round % 31, 1)),
                ] {
                    let alone = key.verify(message, &signature);
                    assert_eq!(memory.verify(&key, message, &signature), alone);
                }
            }
        }
    }

    #[test]
    fn what_was_put_off_bears_only_what_rests_on_good_signatures() {
        let mut memory = Memory::default();
        let (public, head) = signed(1, b"head");
        let (other, _) = signed(2, b"");
        let key = memory.key(&public).unwrap();
        memory.put_off();
        // The first use of a key is not put off.
        let second = memory.key(&other).unwrap();
        assert_eq!(memory.verify(&key, b"first", &signed(1, b"first").1), Ok(()));
        assert_eq!(memory.verify(&second, b"first", &signed(2, b"first").1), Ok(()));
        assert!(memory.open.as_ref().unwrap().equations.is_empty());
        let mut rests = Vec::new();
        for document in 0..200_u32 {
            let message = document.to_le_bytes();
            let (_, signature) = signed(1, if document == 77 { b"something else" } else { &message });
            assert_eq!(memory.verify(&key, b"head", &head), Ok(()));
            assert_eq!(memory.verify(&key, &message, &signature), Ok(()));
            rests.push(memory.rests());
        }
        // The head's signature is good, but not over this, and not under that key.
        assert_eq!(memory.verify(&key, b"another head", &head), Ok(()));
        rests.push(memory.rests());
        assert_eq!(memory.verify(&second, b"head", &head), Ok(()));
        rests.push(memory.rests());
        assert_eq!(memory.open.as_ref().unwrap().equations.len(), 203);
        let settled = memory.settle();
        let borne: Vec<bool> = rests.iter().map(|rests| settled.bears(rests)).collect();
        assert_eq!(borne, (0..202).map(|document| document != 77 && document < 200).collect::<Vec<_>>());
        // Good heads are remembered, others are not.
        assert!(memory.signatures.contains_key(&head));
        assert_eq!(memory.verify(&key, b"another head", &head), Err(Code::Ed25519Mismatch));
    }
}
