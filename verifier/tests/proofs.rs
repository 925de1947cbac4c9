//! Proofs that are made here are compared with those of an independent Merkle crate, in both directions, for every index
//! and every pair of sizes up to 130; and one bit of a proof is enough to refute it.

#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

use assayer_verifier::oversight::{
    Contradiction, EquivocationProof, Log, SignedHead, Trust, consistency_json, inclusion_json,
    verify_consistency_proof, verify_equivocation_proof, verify_proof,
};
use assayer_verifier::{
    Code, ConsistencyPath, Hash, Limits, Proof, ProofRequest, Prover, PublicKey, Signature, TreeHead,
    Verdict, leaf_hash, verify_consistency, verify_inclusion,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use ed25519_dalek::{Signer, SigningKey};
use proptest::prelude::*;
use sha2::Sha256;

/// RFC 9162 defines everything for sizes of any length; beyond 128 nothing new happens but one more level.
const MOST: u64 = 130;

fn leaf(index: u64) -> String {
    format!("leaf {index}")
}

fn log(leaves: impl Iterator<Item = String>) -> Log {
    let records: Vec<String> = leaves
        .enumerate()
        .map(|(index, data)| {
            let hash = leaf_hash(data.as_bytes());
            format!("{{\"index\":{index},\"leaf_hash\":\"{hash}\",\"leaf_data\":\"{data}\"}}")
        })
        .collect();
    Log::read(records.iter().map(String::as_bytes), &Limits::default()).0
}

fn peer(size: u64) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    (0..size).for_each(|index| tree.push(leaf(index).into_bytes()));
    tree
}

fn bytes(path: &[Hash]) -> Vec<u8> {
    path.iter().flat_map(|hash| hash.0).collect()
}

fn root(head: &TreeHead) -> RootHash<Sha256> {
    RootHash::new(head.root.0.into(), head.size)
}

#[test]
fn every_inclusion_proof_is_that_of_an_independent_crate() {
    let log = log((0..MOST).map(leaf));
    for size in 1..=MOST {
        let tree = peer(size);
        assert_eq!(log.head_at(size).unwrap().root.0[..], tree.root().as_bytes()[..]);
        for index in 0..size {
            let proof = log.prove_inclusion(index, size).unwrap();
            assert_eq!(bytes(&proof.path), tree.prove_inclusion(index as usize).as_bytes());
            let theirs = InclusionProof::try_from_bytes(bytes(&proof.path)).unwrap();
            assert!(root(&proof.head).verify_inclusion(&leaf(index).into_bytes(), index, &theirs).is_ok());
            assert_eq!(verify_inclusion(index, &proof.leaf_hash, &proof.path, &proof.head), Ok(()));
        }
        assert_eq!(log.prove_inclusion(size, size), Err(Code::MerkleIndexOutOfRange));
    }
    assert_eq!(log.prove_inclusion(0, MOST + 1), Err(Code::LogTooShort));
}

#[test]
fn every_consistency_proof_is_that_of_an_independent_crate() {
    let log = log((0..MOST).map(leaf));
    for new in 1..=MOST {
        let tree = peer(new);
        for old in 1..=new {
            let proof = log.prove_consistency(old, new).unwrap();
            assert_eq!(
                bytes(&proof.path),
                tree.prove_consistency((new - old) as usize).as_bytes(),
                "{old} to {new}"
            );
            let theirs = ConsistencyProof::try_from_bytes(bytes(&proof.path)).unwrap();
            assert!(root(&proof.new).verify_consistency(&root(&proof.old), &theirs).is_ok());
            assert_eq!(verify_consistency(&proof.old, &proof.new, &proof.path), Ok(()));
        }
        assert_eq!(log.prove_consistency(0, new), Err(Code::MerkleEmptyOldTree));
        assert_eq!(log.prove_consistency(new + 1, new), Err(Code::MerkleSizeOrder));
    }
    assert_eq!(log.prove_consistency(1, MOST + 1), Err(Code::LogTooShort));
}

/// The same proofs from leaves that go by once, with the sizes known or only the end.
#[test]
fn a_prover_that_keeps_few_hashes_makes_the_same_proofs() {
    let log = log((0..MOST).map(leaf));
    for size in (1..=33).chain([63, 64, 65, 100, MOST]) {
        let to = [Some(size), None];
        let consistency =
            to.into_iter().flat_map(|new| (1..=size).map(move |old| ProofRequest::Consistency { old, new }));
        let inclusion = to
            .into_iter()
            .flat_map(|end| (0..size).map(move |index| ProofRequest::Inclusion { index, size: end }));
        let requests: Vec<ProofRequest> = consistency.chain(inclusion).collect();
        let mut prover = Prover::new(requests.iter().copied());
        (0..size).for_each(|index| prover.push(leaf_hash(leaf(index).as_bytes())));
        assert_eq!(Some(prover.head()), log.head_at(size));
        for (request, answer) in requests.iter().zip(prover.finish()) {
            let expected = match *request {
                ProofRequest::Consistency { old, .. } => {
                    log.prove_consistency(old, size).map(Proof::Consistency)
                }
                ProofRequest::Inclusion { index, .. } => {
                    log.prove_inclusion(index, size).map(Proof::Inclusion)
                }
            };
            assert_eq!(answer, expected, "{request:?}");
        }
    }
}

fn registry() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

fn sign(key: &SigningKey, head: TreeHead) -> SignedHead {
    let message = format!("{{\"root\":\"{}\",\"size\":{}}}", head.root, head.size);
    SignedHead { head, signature: Signature(key.sign(message.as_bytes()).to_bytes()) }
}

/// Two logs that part at `fork`.
fn forked(fork: u64, size: u64) -> [Log; 2] {
    [
        log((0..size).map(leaf)),
        log((0..size).map(|index| if index < fork { leaf(index) } else { format!("other {index}") })),
    ]
}

/// A proof of equivocation by a prefix: the holder of a whole log needs no leaf of the other.
fn by_prefix(key: &SigningKey, logs: &[Log; 2], old: u64, new: u64) -> Result<EquivocationProof, Code> {
    let heads = [logs[1].head_at(old).unwrap(), logs[0].head_at(new).unwrap()].map(|head| sign(key, head));
    let ConsistencyPath { old, path, .. } = logs[0].prove_consistency(old, new)?;
    let contradiction = Contradiction::Prefix { root: old.root, path };
    EquivocationProof::new(public(key), heads, contradiction).map_err(|none| none.0)
}

fn by_leaf(
    key: &SigningKey,
    logs: &[Log; 2],
    index: u64,
    sizes: [u64; 2],
) -> Result<EquivocationProof, Code> {
    let [old, new] = [1, 0].map(|at: usize| logs[at].prove_inclusion(index, sizes[1 - at]));
    let (old, new) = (old?, new?);
    let heads = [old.head, new.head].map(|head| sign(key, head));
    let contradiction =
        Contradiction::Leaf { index, old: (old.leaf_hash, old.path), new: (new.leaf_hash, new.path) };
    EquivocationProof::new(public(key), heads, contradiction).map_err(|none| none.0)
}

fn verdict(text: &str) -> Verdict {
    let keys = [public(&registry())];
    let trust = Trust::default().registry_keys(&keys);
    verify_equivocation_proof(text.as_bytes(), &trust, &Limits::default()).verdict()
}

#[test]
fn two_logs_that_part_give_a_proof_exactly_where_they_differ() {
    let key = registry();
    for fork in 0..9 {
        let logs = forked(fork, 11);
        for old in 1..11 {
            for new in old..=11 {
                let agrees = old <= fork;
                let found = by_prefix(&key, &logs, old, new);
                let expected = match (agrees, old == new) {
                    (true, true) => Some(Code::EquivocationHeadsAgree),
                    (true, false) => Some(Code::EquivocationPrefixAgrees),
                    (false, _) => None,
                };
                assert_eq!(found.as_ref().err().copied(), expected, "{old} of {new}, parted at {fork}");
                if let Ok(proof) = found {
                    assert_eq!(verdict(&proof.to_json()), Verdict::Equivocation);
                }
                for index in 0..old {
                    let found =
                        by_leaf(&key, &logs, index, [old, new]).map(|proof| verdict(&proof.to_json()));
                    if index >= fork {
                        assert_eq!(found, Ok(Verdict::Equivocation), "leaf {index} of {old} and {new}");
                    } else {
                        assert!(found.is_err(), "leaf {index} of {old} and {new}, parted at {fork}");
                    }
                }
            }
        }
    }
}

#[test]
fn heads_of_another_key_make_no_proof() {
    let logs = forked(3, 9);
    let heads = [logs[0].head_at(5), logs[1].head_at(5)].map(Option::unwrap);
    let other = SigningKey::from_bytes(&[8; 32]);
    let same = |heads| EquivocationProof::new(public(&registry()), heads, Contradiction::SameSize);
    assert!(same(heads.map(|head| sign(&registry(), head))).is_ok());
    let mixed = [sign(&registry(), heads[0]), sign(&other, heads[1])];
    assert_eq!(same(mixed).unwrap_err().0, Code::Ed25519Mismatch);
}

/// Flips one bit of a hexadecimal digit, staying a digit: what is changed is a value and not the encoding.
fn flip(text: &str, nth: usize, bit: u8) -> String {
    let mut bytes = text.as_bytes().to_vec();
    let digits: Vec<usize> = text
        .match_indices('"')
        .map(|(at, _)| at)
        .collect::<Vec<_>>()
        .chunks(2)
        .filter(|ends| ends[1] - ends[0] > 64)
        .flat_map(|ends| ends[0] + 1..ends[1])
        .collect();
    let at = digits[nth % digits.len()];
    let value = u8::from_str_radix(&text[at..=at], 16).unwrap() ^ 1 << (bit % 4);
    bytes[at] = b"0123456789abcdef"[usize::from(value)];
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_bit_of_any_proof_refutes_it(
        old in 1..60_u64, more in 1..60_u64, index in any::<u64>(), nth in any::<usize>(), bit in any::<u8>(),
        fork in any::<prop::sample::Index>(),
    ) {
        let (key, new, limits) = (registry(), old + more, Limits::default());
        let keys = [public(&key)];
        let logs = forked(fork.index(old as usize) as u64, new);
        let proof = logs[0].prove_consistency(old, new).unwrap();
        let signatures = [proof.old, proof.new].map(|head| Some(sign(&key, head).signature));
        let trust = Trust::default().registry_keys(&keys);
        let text = consistency_json(&proof, signatures);
        let judged = |text: &str| verify_consistency_proof(text.as_bytes(), &trust, &limits).verdict();
        prop_assert_eq!(judged(&text), Verdict::Authentic);
        prop_assert_eq!(judged(&flip(&text, nth, bit)), Verdict::Refuted);

        let proof = logs[0].prove_inclusion(index % new, new).unwrap();
        let heads = [proof.head];
        let known = Trust::default().heads(&heads);
        let text = inclusion_json(&proof);
        let judged = |text: &str| verify_proof(text.as_bytes(), &known, &limits).verdict();
        prop_assert_eq!(judged(&text), Verdict::Authentic);
        prop_assert_eq!(judged(&flip(&text, nth, bit)), Verdict::Refuted);

        for proof in [by_prefix(&key, &logs, old, new), by_leaf(&key, &logs, old - 1, [old, new])] {
            let text = proof.unwrap_or_else(|code| panic!("{code}")).to_json();
            prop_assert_eq!(verdict(&text), Verdict::Equivocation);
            prop_assert_eq!(verdict(&flip(&text, nth, bit)), Verdict::Refuted);
        }
    }
}
