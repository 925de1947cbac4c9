//! Many signatures at once, each judged as by its own equation (`docs/decisions/many-signatures.md`).
//!
//! The equation of a signature is `E = S·B - k·A - R = 0`, without the cofactor. Of all the equations of a batch 128 sums
//! are made, each over a random half. A sum over a random half of things that are not all zero is zero with a
//! probability of at most 1/2, in every group, so all the sums are zero by chance with at most 2^-128.
//!
//! ```text
//! coefficient of a signature   z, 128 bits: bit b says whether it is in sum b
//! halves of the R              Q[b] = sum of R where bit b of z is set
//! all 128 sums are zero   <=   sum of z·S · B  ==  sum of z·k · A  +  sum of 2^b · Q[b]     their parts of prime order
//!                              every Q[b] is of prime order                                 their parts of small order
//! ```
//!
//! The second line needs keys without a part of small order; signatures of other keys do not come here. The sums are
//! those of Bellare, Garay and Rabin, "Fast Batch Verification for Modular Exponentiation and Digital Signatures"
//! (1998): the random subset test for the small orders, the small exponents test for the rest, with the same coefficients.
//!
//! The coefficients are drawn from a hash over every key, R, S and k of the batch, and k is a hash over the message. Whoever
//! wants a bad signature to pass has to search for a batch whose coefficients are lucky: 2^128 batches, each to be hashed, as
//! much as breaking a key takes.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use curve25519_dalek::Scalar;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use sha2::{Digest, Sha512};

use super::{P, VerifiedKey, is_below, is_of_small_order};
use crate::hash::{PublicKey, Signature};

/// Below this number the fixed work of a batch is more than it saves.
const FEWEST: usize = 128;
/// A batch of at least this many that fails in too many places is halved; a smaller one is judged one by one.
const FEWEST_TO_HALVE: usize = 1_024;
/// Culprits are located among so many keys at most: each costs a multiplication for each of the 128 sums.
const MOST_KEYS_TO_LOCATE: usize = 16;
/// So many signatures at most are looked at singly to locate culprits among them.
const MOST_SUSPECTS: usize = 64;

/// The bits of a coefficient, and so the sums of a batch.
const SUMS: usize = u128::BITS as usize;
/// As many sums are made together: each signature is added to one of 256 buckets, and all eight come from these.
const TOGETHER: usize = u8::BITS as usize;
const BUCKETS: usize = 1 << TOGETHER;

/// What has to hold for a signature of which everything but the equation was checked: S is below L, R is a point, canonically
/// encoded and not of small order.
#[derive(Clone, Debug)]
pub(super) struct Equation {
    signature: Signature,
    pub(super) public: PublicKey,
    a: EdwardsPoint,
    r: EdwardsPoint,
    s: Scalar,
    k: Scalar,
}

impl Equation {
    /// The equation of a signature over `message`, or `None` where something else is wrong with it already.
    pub(super) fn of(key: &VerifiedKey, message: &[u8], signature: &Signature) -> Option<Self> {
        let (encoded, s) = signature.0.split_first_chunk::<32>()?;
        let s = Option::from(Scalar::from_canonical_bytes(s.try_into().ok()?))?;
        let mut y = *encoded;
        y[31] &= 0x7F;
        if !is_below(&y, &P) || is_of_small_order(signature) {
            return None;
        }
        let r = CompressedEdwardsY(*encoded).decompress()?;
        let digest =
            Sha512::new().chain_update(encoded).chain_update(key.key.as_bytes()).chain_update(message);
        let k = Scalar::from_bytes_mod_order_wide(&digest.finalize().into());
        Some(Self { signature: *signature, public: key.public(), a: key.key.to_edwards(), r, s, k })
    }

    pub(super) fn is_of(&self, key: &PublicKey, signature: &Signature) -> bool {
        self.public == *key && self.signature == *signature
    }

    /// `S·B - k·A - R`.
    fn difference(&self) -> EdwardsPoint {
        EdwardsPoint::vartime_double_scalar_mul_basepoint(&-self.k, &self.a, &self.s) - self.r
    }
}

/// Which of the equations hold. All keys must be of prime order ([`EdwardsPoint::is_torsion_free`]).
pub(super) fn judge(equations: &[Equation]) -> Vec<bool> {
    if equations.len() < FEWEST {
        return one_by_one(equations);
    }
    let batch = Batch::of(equations);
    if batch.holds() {
        return vec![true; equations.len()];
    }
    if let Some(verdicts) = batch.locate() {
        return verdicts;
    }
    if equations.len() < FEWEST_TO_HALVE {
        return one_by_one(equations);
    }
    let (left, right) = equations.split_at(equations.len() / 2);
    [judge(left), judge(right)].concat()
}

fn one_by_one(equations: &[Equation]) -> Vec<bool> {
    equations.iter().map(|equation| equation.difference().is_identity()).collect()
}

struct Batch<'e> {
    equations: &'e [Equation],
    coefficients: Vec<u128>,
    /// The sums of the R.
    halves: [EdwardsPoint; SUMS],
    keys: Vec<EdwardsPoint>,
    /// The position in `keys` of the key of each equation.
    key_of: Vec<usize>,
}

impl<'e> Batch<'e> {
    fn of(equations: &'e [Equation]) -> Self {
        let coefficients = coefficients(equations);
        let points: Vec<EdwardsPoint> = equations.iter().map(|equation| equation.r).collect();
        let halves = sums(&points, &coefficients);
        let (mut keys, mut positions) = (Vec::new(), BTreeMap::new());
        let mut position = |equation: &Equation| {
            *positions.entry(equation.public).or_insert_with(|| {
                keys.push(equation.a);
                keys.len() - 1
            })
        };
        let key_of = equations.iter().map(&mut position).collect();
        Self { equations, coefficients, halves, keys, key_of }
    }

    fn holds(&self) -> bool {
        self.holds_in_prime_order() && self.halves.iter().all(is_of_prime_order)
    }

    /// Whether the sum of the equations, each times its coefficient, is zero.
    fn holds_in_prime_order(&self) -> bool {
        let mut of_base = Scalar::ZERO;
        let mut of_keys = vec![Scalar::ZERO; self.keys.len()];
        for ((equation, coefficient), key) in self.equations.iter().zip(&self.coefficients).zip(&self.key_of)
        {
            let coefficient = Scalar::from(*coefficient);
            of_base += coefficient * equation.s;
            if let Some(of_key) = of_keys.get_mut(*key) {
                *of_key -= coefficient * equation.k;
            }
        }
        let multiples =
            EdwardsPoint::vartime_multiscalar_mul(&of_keys, &self.keys) + EdwardsPoint::mul_base(&of_base);
        let of_r = self.halves.iter().rfold(EdwardsPoint::default(), |sum, half| sum + sum + half);
        multiples == of_r
    }

    /// Which of the equations hold, found from the sums that are not zero: a culprit is in none of those that are, but by
    /// chance. `None` where there are too many culprits.
    fn locate(&self) -> Option<Vec<bool>> {
        let differences = self.differences()?;
        let zero = |bit: &usize| differences.get(*bit).is_some_and(IsIdentity::is_identity);
        let zeros = (0..SUMS).filter(zero).fold(0_u128, |zeros, bit| zeros | 1 << bit);
        let mut suspects = Vec::new();
        for (position, coefficient) in self.coefficients.iter().enumerate() {
            if coefficient & zeros == 0 {
                suspects.push((position, *coefficient));
            }
        }
        if suspects.len() > MOST_SUSPECTS {
            return None;
        }
        let mut verdicts = vec![true; self.equations.len()];
        let mut rest = differences;
        for (position, coefficient) in suspects {
            let difference = self.equations.get(position)?.difference();
            *verdicts.get_mut(position)? = difference.is_identity();
            for (bit, sum) in rest.iter_mut().enumerate() {
                if coefficient >> bit & 1 == 1 {
                    *sum -= difference;
                }
            }
        }
        // What is left are the sums over all equations but the culprits'.
        rest.iter().all(IsIdentity::is_identity).then_some(verdicts)
    }

    /// The 128 sums of the equations themselves.
    fn differences(&self) -> Option<[EdwardsPoint; SUMS]> {
        if self.keys.len() > MOST_KEYS_TO_LOCATE {
            return None;
        }
        let of = |scalar: &dyn Fn(usize, &Equation) -> Scalar| {
            let scalars =
                self.equations.iter().enumerate().map(|(position, equation)| scalar(position, equation));
            sums(&scalars.collect::<Vec<_>>(), &self.coefficients)
        };
        let of_base = of(&|_, equation| equation.s);
        let of_keys: Vec<[Scalar; SUMS]> = (0..self.keys.len())
            .map(|key| {
                let is_of_key = |position| self.key_of.get(position) == Some(&key);
                of(&|position, equation| if is_of_key(position) { -equation.k } else { Scalar::ZERO })
            })
            .collect();
        let mut differences = self.halves;
        for (bit, difference) in differences.iter_mut().enumerate() {
            let scalars =
                of_keys.iter().map(|sums| sums.get(bit).copied()).collect::<Option<Vec<Scalar>>>()?;
            let multiples = EdwardsPoint::vartime_multiscalar_mul(&scalars, &self.keys);
            *difference = multiples + EdwardsPoint::mul_base(of_base.get(bit)?) - *difference;
        }
        Some(differences)
    }
}

/// `L·point` is zero. `L - 1` is the largest scalar, and `-1` as a scalar.
fn is_of_prime_order(point: &EdwardsPoint) -> bool {
    let almost = EdwardsPoint::vartime_double_scalar_mul_basepoint(&-Scalar::ONE, point, &Scalar::ZERO);
    (almost + point).is_identity()
}

/// What the coefficients are drawn for, so that no other use of SHA-512 draws the same.
const PURPOSE: &[u8] = b"assayer: coefficients of a batch of Ed25519 signatures, 1";

/// SHA-512 over the whole batch, then SHA-512 over that and a counter: four coefficients each.
fn coefficients(equations: &[Equation]) -> Vec<u128> {
    let mut all = Sha512::new().chain_update(PURPOSE).chain_update(equations.len().to_le_bytes());
    for equation in equations {
        all.update(equation.public.0);
        all.update(equation.signature.0);
        all.update(equation.k.as_bytes());
    }
    let seed = all.finalize();
    let mut drawn = Vec::with_capacity(equations.len().next_multiple_of(4));
    let mut counter = 0_u64;
    while drawn.len() < equations.len() {
        let block: [u8; 64] =
            Sha512::new().chain_update(seed).chain_update(counter.to_le_bytes()).finalize().into();
        drawn.extend(block.as_chunks::<16>().0.iter().map(|bytes| u128::from_le_bytes(*bytes)));
        counter += 1;
    }
    drawn.truncate(equations.len());
    drawn
}

/// For each bit of the coefficients the sum of the values for which it is set.
fn sums<T: Copy + Default + for<'t> AddAssign<&'t T>>(values: &[T], coefficients: &[u128]) -> [T; SUMS] {
    let mut sums = [T::default(); SUMS];
    for (group, sums) in sums.chunks_exact_mut(TOGETHER).enumerate() {
        let mut buckets = [T::default(); BUCKETS];
        for (value, coefficient) in values.iter().zip(coefficients) {
            // Bucket 0 is in no sum, but it costs less than to tell it apart.
            let byte = coefficient.to_le_bytes().get(group).copied().unwrap_or_default();
            if let Some(bucket) = buckets.get_mut(usize::from(byte)) {
                *bucket += value;
            }
        }
        fold(&mut buckets, sums);
    }
    sums
}

/// The upper half of the buckets has the highest bit set: their sum is that bit's. Then each is added to the one
/// that differs in that bit only, and what is left is the same with one bit less.
fn fold<T: Copy + Default + for<'t> AddAssign<&'t T>>(mut buckets: &mut [T], sums: &mut [T]) {
    for sum in sums.iter_mut().rev() {
        let (lower, upper) = buckets.split_at_mut(buckets.len() / 2);
        for (low, high) in lower.iter_mut().zip(upper) {
            *sum += high;
            *low += high;
        }
        buckets = lower;
    }
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use ed25519_dalek::{Signature as DalekSignature, VerifyingKey};

    use super::*;

    /// What is wrong with a signature: what is added to its S, and the part of small order of its R.
    #[derive(Clone, Copy, Default)]
    struct Defect {
        s: i8,
        torsion: usize,
    }

    /// Signatures by `keys` keys in turn, as somebody makes them who holds the private keys and means harm.
    fn signatures(count: usize, keys: u64, defects: &[(usize, Defect)]) -> Vec<Equation> {
        let sign = |position: usize| {
            let defect = defects.iter().find(|(at, _)| *at == position).map(|(_, defect)| *defect);
            let defect = defect.unwrap_or_default();
            let secret = Scalar::from(position as u64 % keys + 5);
            let a = EdwardsPoint::mul_base(&secret);
            let key = VerifiedKey::new(&PublicKey(a.compress().0)).unwrap();
            let nonce = Scalar::from_bytes_mod_order([1; 32]) + Scalar::from(position as u64);
            let r = (EdwardsPoint::mul_base(&nonce) + EIGHT_TORSION[defect.torsion]).compress().0;
            let message = position.to_le_bytes();
            let digest = Sha512::new().chain_update(r).chain_update(key.key.as_bytes()).chain_update(message);
            let k = Scalar::from_bytes_mod_order_wide(&digest.finalize().into());
            let shift = Scalar::from(defect.s.unsigned_abs());
            let s = nonce + k * secret + if defect.s < 0 { -shift } else { shift };
            let mut signature = [0; 64];
            signature[..32].copy_from_slice(&r);
            signature[32..].copy_from_slice(s.as_bytes());
            let equation = Equation::of(&key, &message, &Signature(signature)).unwrap();
            let strict = VerifyingKey::from_bytes(&key.public().0).unwrap();
            let strict = strict.verify_strict(&message, &DalekSignature::from_bytes(&signature)).is_ok();
            assert_eq!(equation.difference().is_identity(), strict);
            equation
        };
        (0..count).map(sign).collect()
    }

    fn expected(count: usize, defects: &[(usize, Defect)]) -> Vec<bool> {
        (0..count).map(|position| defects.iter().all(|(at, _)| *at != position)).collect()
    }

    fn shifted(at: usize, s: i8) -> (usize, Defect) {
        (at, Defect { s, torsion: 0 })
    }

    fn twisted(at: usize, torsion: usize) -> (usize, Defect) {
        (at, Defect { s: 0, torsion })
    }

    #[test]
    fn a_batch_of_good_signatures_holds_under_one_key_and_under_many() {
        for keys in [1, 2, 17, 150] {
            let equations = signatures(150, keys, &[]);
            assert!(Batch::of(&equations).holds());
            assert_eq!(judge(&equations), vec![true; 150]);
        }
    }

    #[test]
    fn a_culprit_is_found_wherever_it_stands() {
        for at in [0, 1, 64, 127, 149] {
            let all = [shifted(at, 1), shifted(at, -1), twisted(at, 1), twisted(at, 2), twisted(at, 4)];
            for defect in all {
                let equations = signatures(150, 3, &[defect]);
                let batch = Batch::of(&equations);
                assert!(!batch.holds());
                assert_eq!(batch.locate(), Some(expected(150, &[defect])));
                assert_eq!(judge(&equations), expected(150, &[defect]));
            }
        }
    }

    /// Equal and opposite defects are zero in every sum that holds both.
    #[test]
    fn defects_that_cancel_out_are_both_found() {
        let mut pairs = vec![[shifted(3, 1), shifted(140, -1)]];
        for torsion in 1..8 {
            pairs.push([twisted(3, torsion), twisted(140, 8 - torsion)]);
        }
        for defects in pairs {
            for keys in [1, 3] {
                let equations = signatures(150, keys, &defects);
                let sum: EdwardsPoint = equations.iter().map(Equation::difference).sum();
                assert!(sum.is_identity());
                assert!(!Batch::of(&equations).holds());
                assert_eq!(judge(&equations), expected(150, &defects));
            }
        }
    }

    /// The equation without the sums of small order says nothing about these.
    #[test]
    fn small_orders_are_seen_in_the_second_line_only() {
        let all: Vec<_> = (0..150).map(|at| twisted(at, 4)).collect();
        let mut passed = 0;
        for most in 1..40 {
            let equations = signatures(150, 1, &all[..most]);
            let batch = Batch::of(&equations);
            assert!(!batch.holds());
            assert_eq!(judge(&equations), expected(150, &all[..most]));
            passed += usize::from(batch.holds_in_prime_order());
        }
        assert!(passed > 5, "{passed}");
    }

    #[test]
    fn a_few_culprits_are_located_and_many_are_judged_one_by_one() {
        for count in [2, 3, 30, 150] {
            let defects: Vec<_> = (0..count).map(|n| shifted(n * 150 / count, 1)).collect();
            let equations = signatures(150, 2, &defects);
            assert_eq!(Batch::of(&equations).locate().is_some(), count <= 3);
            assert_eq!(judge(&equations), expected(150, &defects));
        }
        let equations = signatures(150, 40, &[shifted(9, 1)]);
        assert_eq!(Batch::of(&equations).locate(), None);
        assert_eq!(judge(&equations), expected(150, &[shifted(9, 1)]));
    }

    #[test]
    fn a_large_batch_that_fails_is_halved() {
        let defects: Vec<_> = (0..20).map(|n| shifted(n * 5, 1)).collect();
        let equations = signatures(FEWEST_TO_HALVE + 1, 2, &defects);
        assert_eq!(judge(&equations), expected(FEWEST_TO_HALVE + 1, &defects));
    }

    /// Every part of every equation is hashed: a change of one changes all the coefficients.
    #[test]
    fn coefficients_are_drawn_for_the_whole_batch() {
        let equations = signatures(9, 2, &[]);
        let drawn = coefficients(&equations);
        assert_eq!(drawn, coefficients(&equations));
        let changes: [fn(&mut Equation); 4] = [
            |equation| equation.signature.0[0] ^= 1,
            |equation| equation.signature.0[40] ^= 1,
            |equation| equation.public.0[0] ^= 1,
            |equation| equation.k += Scalar::ONE,
        ];
        let mut all = drawn.clone();
        for at in 0..equations.len() {
            for change in changes {
                let mut changed = equations.clone();
                change(&mut changed[at]);
                all.extend(coefficients(&changed));
            }
        }
        all.extend(coefficients(&equations[..8]));
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_sum_is_over_the_values_whose_bit_is_set() {
        let values: Vec<Scalar> = (0..600_u64).map(|n| Scalar::from(n * n + 1)).collect();
        let coefficients = coefficients(&signatures(600, 1, &[]));
        for (bit, sum) in sums(&values, &coefficients).iter().enumerate() {
            let chosen = values.iter().zip(&coefficients).filter(|(_, z)| **z >> bit & 1 == 1);
            assert_eq!(*sum, chosen.map(|(value, _)| value).sum());
        }
        let points = [ED25519_BASEPOINT_POINT, EIGHT_TORSION[1]];
        let found = sums(&points, &[1 << 127 | 1, 1]);
        assert_eq!(found[0], points[0] + points[1]);
        assert_eq!(found[127], points[0]);
        assert!(found[1..127].iter().all(IsIdentity::is_identity));
    }

    #[test]
    fn a_point_with_a_part_of_small_order_is_not_of_prime_order() {
        let point = EdwardsPoint::mul_base(&Scalar::from(77_u8));
        for torsion in EIGHT_TORSION {
            assert_eq!(is_of_prime_order(&(point + torsion)), torsion.is_identity());
        }
    }
}
