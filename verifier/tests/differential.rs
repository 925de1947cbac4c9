//! The same question to independent crates. Where one of them is known to answer otherwise, that is written down here as
//! data, and a defect that is gone fails the test as much as one that is new.

#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

use std::fs;
use std::path::Path;

use assayer_verifier::{
    Document, GrowingTree, Hash, Limits, Scheme, TreeHead, canonicalize, leaf_hash, sha256,
    verify_consistency, verify_inclusion,
};
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use serde_json::Value as Json;
use sha2::Sha256;

/// Canonical text, or `None` where the input is refused.
type Written = Option<String>;

fn ours(text: &str, scheme: Scheme) -> Written {
    let document = Document::read(text.as_bytes(), &Limits::default()).ok()?;
    canonicalize(document.root(), scheme).ok().map(|bytes| String::from_utf8(bytes).unwrap())
}

/// A crate that writes canonical JSON from `serde_json::Value`.
struct Peer {
    name: &'static str,
    /// The scheme of ours that it ought to write.
    scheme: Scheme,
    write: fn(&Json) -> Option<Vec<u8>>,
    /// Inputs on which it does something else: the input, what it writes, what is wrong with it.
    defects: &'static [(&'static str, Option<&'static str>, &'static str)],
}

impl Peer {
    fn written(&self, text: &str) -> Written {
        let value: Json = serde_json::from_str(text).ok()?;
        (self.write)(&value).map(|bytes| String::from_utf8(bytes).unwrap())
    }
}

const DUPLICATE: &str = "the last of two members of one name is kept, without a word";
const DEEP: &str = "more than 127 levels are refused by `serde_json`";
const DEEPER: &str = concat!(
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
    "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
);

const PEERS: [Peer; 3] = [
    Peer {
        name: "serde_json_canonicalizer",
        scheme: Scheme::Jcs,
        write: |value| serde_json_canonicalizer::to_vec(value).ok(),
        defects: &[(r#"{"a":1,"a":2}"#, Some(r#"{"a":2}"#), DUPLICATE), (DEEPER, None, DEEP)],
    },
    Peer {
        name: "serde_jcs",
        scheme: Scheme::Jcs,
        write: |value| serde_jcs::to_vec(value).ok(),
        defects: &[(r#"{"a":1,"a":2}"#, Some(r#"{"a":2}"#), DUPLICATE), (DEEPER, None, DEEP)],
    },
    Peer {
        name: "serde_jcs 0.1",
        scheme: Scheme::SerdeJcs01,
        write: |value| serde_jcs_0_1::to_vec(value).ok(),
        defects: &[(r#"{"a":1,"a":2}"#, Some(r#"{"a":2}"#), DUPLICATE), (DEEPER, None, DEEP)],
    },
];

/// In which way `serde_jcs` 0.1.0 is not RFC 8785: the input, what RFC 8785 writes, what it writes. This is why its scheme
/// has a name of its own (`docs/decisions/canonical-schemes.md`).
const NOT_RFC_8785: &[(&str, &str, &str)] = &[
    (r#"{"a":1,"a b":2}"#, r#"{"a":1,"a b":2}"#, r#"{"a b":2,"a":1}"#),
    (r#"{"a":1,"a!":2}"#, r#"{"a":1,"a!":2}"#, r#"{"a!":2,"a":1}"#),
    (r#"{"":1,"!":2}"#, r#"{"":1,"!":2}"#, r#"{"!":2,"":1}"#),
    (r#"{"\n":1,"A":2}"#, r#"{"\n":1,"A":2}"#, r#"{"A":2,"\n":1}"#),
    (r##"{"\"":1,"#":2}"##, r##"{"\"":1,"#":2}"##, r##"{"#":2,"\"":1}"##),
    (
        "{\"\u{e000}\":1,\"\u{1f600}\":2}",
        "{\"\u{1f600}\":2,\"\u{e000}\":1}",
        "{\"\u{e000}\":1,\"\u{1f600}\":2}",
    ),
    ("9007199254740993", "9007199254740992", "9007199254740993"),
    ("18446744073709551615", "18446744073709552000", "18446744073709551615"),
];

#[test]
fn the_known_defects_of_each_crate_are_still_there_and_are_not_ours() {
    for peer in PEERS {
        for (input, expected, why) in peer.defects {
            assert_eq!(
                peer.written(input).as_deref(),
                *expected,
                "{}: {why}: {input}: is it gone?",
                peer.name
            );
            assert_ne!(ours(input, peer.scheme), peer.written(input), "{}: no defect: {input}", peer.name);
        }
    }
    for (input, standard, other) in NOT_RFC_8785 {
        assert_eq!(ours(input, Scheme::Jcs).as_deref(), Some(*standard), "{input}");
        assert_eq!(ours(input, Scheme::SerdeJcs01).as_deref(), Some(*other), "{input}");
        for peer in PEERS {
            let expected = if peer.scheme == Scheme::Jcs { *standard } else { *other };
            assert_eq!(peer.written(input).as_deref(), Some(expected), "{}: {input}", peer.name);
        }
    }
}

/// Inputs of the canonicalization vectors that have a form under RFC 8785.
fn vectors() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/canonicalization");
    let groups = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let groups = groups.filter(|path| path.extension().is_some_and(|extension| extension == "json"));
    let cases = groups.flat_map(|path| {
        let group: Json = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        group["cases"].as_array().unwrap().clone()
    });
    let written = cases.filter(|case| case["outcomes"]["jcs"]["hex"].is_string());
    written.map(|case| String::from_utf8(unhex(case["hex"].as_str().unwrap())).unwrap()).collect()
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Numbers without end, the same in each run: SHA-256 of a counter.
struct Stream(u64, Vec<u8>);

impl Stream {
    fn byte(&mut self) -> u8 {
        if self.1.is_empty() {
            self.0 += 1;
            self.1 = sha256(&self.0.to_le_bytes()).0.to_vec();
        }
        self.1.pop().unwrap()
    }

    fn below(&mut self, bound: u8) -> u8 {
        self.byte() % bound
    }

    fn eight(&mut self) -> u64 {
        u64::from_le_bytes([(); 8].map(|()| self.byte()))
    }

    /// Where orders and escapes part: below the blank, quotes, around the surrogates, beyond 16 bits.
    fn name(&mut self) -> String {
        let letters = [
            'a',
            'A',
            ' ',
            '!',
            '"',
            '#',
            '\\',
            '/',
            '\n',
            '\u{1}',
            '\u{7f}',
            'é',
            '\u{d7ff}',
            '\u{e000}',
            '\u{ffff}',
            '\u{10000}',
            '😀',
        ];
        (0..self.below(4)).map(|_| letters[usize::from(self.byte()) % letters.len()]).collect()
    }

    fn number(&mut self) -> String {
        match self.below(5) {
            0 => (self.eight() as i64).to_string(),
            1 => self.eight().to_string(),
            2 => self.below(100).to_string(),
            3 => format!("{}e{}", self.below(100), self.below(40)),
            _ => {
                let number = f64::from_bits(self.eight());
                if number.is_finite() { format!("{number:e}") } else { "-0".to_owned() }
            }
        }
    }

    fn value(&mut self, depth: u8) -> String {
        match self.below(if depth == 0 { 3 } else { 6 }) {
            0 => self.number(),
            1 => serde_json::to_string(&self.name()).unwrap(),
            2 => "null".to_owned(),
            3 => format!(
                "[{}]",
                (0..self.below(4)).map(|_| self.value(depth - 1)).collect::<Vec<_>>().join(",")
            ),
            _ => {
                let members: std::collections::BTreeMap<String, String> =
                    (0..self.below(7)).map(|_| (self.name(), self.value(depth - 1))).collect();
                let members = members
                    .iter()
                    .rev()
                    .map(|(name, value)| format!("{}:{value}", serde_json::to_string(name).unwrap()));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }
        }
    }
}

#[test]
fn independent_crates_write_the_same_canonical_bytes() {
    let mut stream = Stream(0, Vec::new());
    let mut inputs = vectors();
    assert!(inputs.len() >= 400, "{}", inputs.len());
    inputs.extend((0..20_000).map(|_| stream.value(4)));
    for peer in PEERS {
        let mut wrong = Vec::new();
        for input in inputs.iter().filter(|input| peer.defects.iter().all(|(known, ..)| known != input)) {
            let (ours, theirs) = (ours(input, peer.scheme), peer.written(input));
            if ours != theirs {
                wrong.push(format!("{input}\n  here  {ours:?}\n  there {theirs:?}"));
            }
        }
        wrong.truncate(20);
        assert!(wrong.is_empty(), "{}: \n{}", peer.name, wrong.join("\n"));
    }
}

/// Two verifiers of one proof: whatever index, sizes and path, they say the same.
#[test]
fn an_independent_crate_refuses_the_same_merkle_proofs() {
    const MOST: u64 = 20;
    let leaf = |index: u64| index.to_string().into_bytes();
    let mut heads = vec![GrowingTree::new()];
    for index in 0..MOST {
        let mut next = heads.last().cloned().unwrap();
        next.push(leaf_hash(&leaf(index)));
        heads.push(next);
    }
    let head = |size: u64| heads.get(size as usize).map(GrowingTree::head).unwrap();
    let theirs = |head: &TreeHead| RootHash::<Sha256>::new(head.root.0.into(), head.size);
    let path =
        |bytes: &[u8]| bytes.chunks_exact(32).map(|hash| Hash::from_slice(hash).unwrap()).collect::<Vec<_>>();
    let (mut accepted, mut compared) = (0, 0);
    for size in 1..=MOST {
        let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        (0..size).for_each(|index| tree.push(leaf(index)));
        for made_for in 0..size {
            let proof = tree.prove_inclusion(made_for as usize);
            for (said, said_size) in (0..=size).flat_map(|said| (1..=MOST).map(move |size| (said, size))) {
                let (mine, other) = (head(said_size), theirs(&head(said_size)));
                let here =
                    verify_inclusion(said, &leaf_hash(&leaf(made_for)), &path(proof.as_bytes()), &mine)
                        .is_ok();
                let copy = InclusionProof::from_bytes(proof.as_bytes().to_vec());
                let there = other.verify_inclusion(&leaf(made_for), said, &copy).is_ok();
                assert_eq!(here, there, "leaf {made_for} of {size}, said to be {said} of {said_size}");
                (accepted, compared) = (accepted + u64::from(here), compared + 1);
            }
        }
        for made_for in 1..size {
            let proof = tree.prove_consistency((size - made_for) as usize);
            for (old, new) in (0..=size).flat_map(|old| (1..=MOST).map(move |new| (old, new))) {
                let here = verify_consistency(&head(old), &head(new), &path(proof.as_bytes())).is_ok();
                let copy = ConsistencyProof::try_from_bytes(proof.as_bytes().to_vec()).unwrap();
                let there = theirs(&head(new)).verify_consistency(&theirs(&head(old)), &copy).is_ok();
                assert_eq!(here, there, "{made_for} to {size}, said to be {old} to {new}");
                (accepted, compared) = (accepted + u64::from(here), compared + 1);
            }
        }
    }
    let good: u64 = (1..=MOST).map(|size| size + size - 1).sum();
    assert!(accepted >= good && compared > 50 * good, "{accepted} of {compared}, {good} made");
}
