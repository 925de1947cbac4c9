//! Laws that hold for every input, tried on generated ones. The laws for arbitrary bytes are in `properties/laws.rs`,
//! which the fuzz targets (`fuzz/`) share.

#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

#[path = "properties/laws.rs"]
mod laws;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assayer_verifier::oversight::{Trust, verify_bundle};
use assayer_verifier::{
    Code, Document, GrowingTree, Hash, Limits, PublicKey, Scheme, TreeHead, Verdict, canonicalize, leaf_hash,
    node_hash, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;
use serde_json::Value as Json;

/// A JSON value before it is spelled. Numbers are texts; the members of objects have different names.
#[derive(Clone, Debug)]
enum Tree {
    Word(&'static str),
    Number(String),
    String(String),
    Array(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,3}",
        // Where orders and escapes differ: controls, quotes, DEL, both sides of the surrogates, beyond 16 bits.
        "[\\x00-\\x24\\\\/\u{7f}\u{80}\u{e9}e\u{301}\u{d7ff}\u{e000}\u{fb01}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
        any::<String>(),
    ]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        (-20..20_i64).prop_map(|number| number.to_string()),
        any::<u64>().prop_map(f64::from_bits).prop_filter_map("finite", float_text),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
    ]
}

fn float_text(number: f64) -> Option<String> {
    number.is_finite().then(|| format!("{number:e}"))
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        prop::sample::select(vec!["null", "true", "false"]).prop_map(Tree::Word),
        number().prop_map(Tree::Number),
        text().prop_map(Tree::String),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Tree::Array),
            prop::collection::btree_map(text(), inner, 0..24).prop_map(Tree::Object),
        ]
    })
}

/// Choices for one spelling, taken in turn.
struct Speller<'c> {
    choices: std::iter::Cycle<std::slice::Iter<'c, u8>>,
    out: String,
}

fn spell(tree: &Tree, choices: &[u8]) -> String {
    let mut speller = Speller { choices: choices.iter().cycle(), out: String::new() };
    speller.value(tree);
    speller.out
}

impl Speller<'_> {
    fn choose(&mut self, among: usize) -> usize {
        usize::from(*self.choices.next().unwrap()) % among
    }

    fn space(&mut self) {
        let spaces = ["", "", "", "", " ", "\n", "\r\n", "\t  "];
        let chosen = self.choose(spaces.len());
        self.out.push_str(spaces[chosen]);
    }

    fn value(&mut self, tree: &Tree) {
        self.space();
        match tree {
            Tree::Word(text) => self.out.push_str(text),
            Tree::Number(text) => self.out.push_str(text),
            Tree::String(text) => self.string(text),
            Tree::Array(items) => {
                self.out.push('[');
                self.space();
                for (position, item) in items.iter().enumerate() {
                    self.out.push_str(if position > 0 { "," } else { "" });
                    self.value(item);
                }
                self.out.push(']');
            }
            Tree::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                for at in (1..members.len()).rev() {
                    let other = self.choose(at + 1);
                    members.swap(at, other);
                }
                self.out.push('{');
                self.space();
                for (position, (name, member)) in members.into_iter().enumerate() {
                    self.out.push_str(if position > 0 { "," } else { "" });
                    self.space();
                    self.string(name);
                    self.space();
                    self.out.push(':');
                    self.value(member);
                }
                self.out.push('}');
            }
        }
        self.space();
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for character in text.chars() {
            let short = match character {
                '"' => Some("\\\""),
                '\\' => Some("\\\\"),
                '/' => Some("\\/"),
                '\u{8}' => Some("\\b"),
                '\u{c}' => Some("\\f"),
                '\n' => Some("\\n"),
                '\r' => Some("\\r"),
                '\t' => Some("\\t"),
                _ => None,
            };
            let must = matches!(character, '"' | '\\' | '\0'..='\u{1f}');
            match (self.choose(4), short) {
                (0, Some(short)) => self.out.push_str(short),
                (1, _) => self.units(character, false),
                (2, _) => self.units(character, true),
                (_, _) if must => self.units(character, false),
                (_, _) => self.out.push(character),
            }
        }
        self.out.push('"');
    }

    fn units(&mut self, character: char, upper: bool) {
        for unit in character.encode_utf16(&mut [0; 2]) {
            let text = if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
            self.out.push_str(&text);
        }
    }
}

fn canonical(text: &str, scheme: Scheme) -> Result<Vec<u8>, Code> {
    let document =
        Document::read(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {text}"));
    canonicalize(document.root(), scheme).map_err(|error| error.code)
}

/// What the reader refuses though RFC 8259 allows it: the stricter rules of `json.rs`.
fn stricter(code: Code) -> bool {
    matches!(
        code,
        Code::JsonDuplicateKey
            | Code::LimitsBytes
            | Code::LimitsDepth
            | Code::LimitsNumber
            | Code::LimitsValues
    )
}

fn agrees_with_serde(input: &[u8]) {
    let other = serde_json::from_slice::<Json>(input);
    match (Document::read(input, &Limits::default()), other) {
        (Ok(_), Ok(_)) => {}
        (Err(error), Ok(_)) => assert!(stricter(error.code), "{error}"),
        // It refuses numbers that overflow a double and nesting beyond 128 levels, and both are JSON.
        (Ok(document), Err(other)) => {
            let known = ["number out of range", "recursion limit exceeded"];
            assert!(
                known.iter().any(|known| other.to_string().contains(known)),
                "{other}: {}",
                document.text()
            );
        }
        (Err(_), Err(_)) => {}
    }
}

fn vector_inputs(folder: &str) -> Vec<(String, Json)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors").join(folder);
    let mut files: Vec<PathBuf> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap())
    };
    files.iter().map(read).collect()
}

/// A bundle that is authentic under the keys of its vector.
struct Good {
    name: String,
    text: String,
    registry_keys: Vec<PublicKey>,
    issuer_keys: Vec<PublicKey>,
}

impl Good {
    fn verdict(&self, text: &[u8]) -> Verdict {
        let (registry_keys, issuer_keys) = (&self.registry_keys, &self.issuer_keys);
        let trust = Trust::default().registry_keys(registry_keys).issuer_keys(issuer_keys);
        verify_bundle(text, &trust, &Limits::default()).verdict()
    }
}

static GOOD: LazyLock<Vec<Good>> = LazyLock::new(|| {
    let keys = |value: &Json| -> Vec<PublicKey> {
        let texts = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        texts.iter().filter_map(Json::as_str).map(|text| PublicKey::from_hex(text).unwrap()).collect()
    };
    let good = |(name, vector): (String, Json)| Good {
        name,
        text: vector["input"]["bundle"].as_str().unwrap().to_owned(),
        registry_keys: keys(&vector["input"]["trust"]["registry_key"]),
        issuer_keys: keys(&vector["input"]["trust"]["issuer_keys"]),
    };
    let all: Vec<Good> = vector_inputs("bundles/good").into_iter().map(good).collect();
    all.into_iter().filter(|good| good.verdict(good.text.as_bytes()) == Verdict::Authentic).collect()
});

/// The value that a text stands for: two spellings of one value are equal here. Everything in a bundle is signed, the
/// signature aside; so a text that was not refused stands for the very value that was signed.
fn value_of(text: &[u8]) -> Option<Json> {
    serde_json::from_slice(text).ok()
}

/// A changed bundle is refuted, or says the same as before.
fn refuted_or_the_same(good: &Good, changed: &[u8]) {
    let verdict = good.verdict(changed);
    let same = value_of(changed).is_some_and(|value| Some(value) == value_of(good.text.as_bytes()));
    if verdict == Verdict::Refuted {
        return;
    }
    assert_eq!(verdict, Verdict::Authentic, "{}", good.name);
    assert!(same, "{}: authentic, and not what was signed: {}", good.name, String::from_utf8_lossy(changed));
}

fn chosen(choice: prop::sample::Index) -> &'static Good {
    choice.get(&GOOD)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_000, ..ProptestConfig::default() })]

    #[test]
    fn re_spelling_a_value_leaves_every_canonical_form_as_it_is(
        tree in tree(),
        first in prop::collection::vec(any::<u8>(), 1..200),
        second in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let (first, second) = (spell(&tree, &first), spell(&tree, &second));
        for scheme in Scheme::ALL {
            prop_assert_eq!(canonical(&first, scheme), canonical(&second, scheme), "{}", scheme);
        }
        laws::json_reader(first.as_bytes());
    }

    #[test]
    fn jcs_is_what_an_independent_implementation_writes(
        tree in tree(),
        choices in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let text = spell(&tree, &choices);
        let other = serde_json::from_str::<Json>(&text).ok().map(|value| serde_json_canonicalizer::to_vec(&value).unwrap());
        // Numbers that overflow a double are refused by both.
        prop_assert_eq!(canonical(&text, Scheme::Jcs).ok(), other);
    }

    #[test]
    fn the_reader_accepts_what_serde_json_accepts_but_for_the_stricter_rules(
        tree in tree(),
        choices in prop::collection::vec(any::<u8>(), 1..200),
        cut in any::<prop::sample::Index>(),
        inserted in prop_oneof!["[\\[\\]{},:\"\\\\0-9eE.+tfnu \n-]{1,3}", any::<String>()],
    ) {
        let text = spell(&tree, &choices);
        agrees_with_serde(text.as_bytes());
        let cut = cut.index(text.len() + 1);
        let (before, after) = (&text.as_bytes()[..cut], &text.as_bytes()[cut..]);
        agrees_with_serde(before);
        agrees_with_serde(after);
        agrees_with_serde(&[before, inserted.as_bytes(), after].concat());
        if let [_, rest @ ..] = after {
            agrees_with_serde(&[before, rest].concat());
        }
    }

    #[test]
    fn arbitrary_bytes_keep_the_laws(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        laws::json_reader(&bytes);
        laws::canonicalize(&bytes);
        laws::verify_bundle(&bytes);
        laws::verify_log(&bytes);
        laws::verify_proof_file(&bytes);
        agrees_with_serde(&bytes);
    }

    #[test]
    fn trees_keep_the_laws(tree in tree(), choices in prop::collection::vec(any::<u8>(), 1..200)) {
        let text = spell(&tree, &choices);
        laws::canonicalize(format!("{}{text}", choices[0] as char).as_bytes());
        laws::verify_bundle(text.as_bytes());
        laws::verify_log(text.as_bytes());
    }

    #[test]
    fn a_bundle_with_one_byte_changed_is_refuted_or_says_the_same(
        good in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        flip in 1..=u8::MAX,
        one_bit in any::<bool>(),
    ) {
        let good = chosen(good);
        let mut changed = good.text.clone().into_bytes();
        let at = at.index(changed.len());
        changed[at] ^= if one_bit { 1 << (flip % 8) } else { flip };
        refuted_or_the_same(good, &changed);
    }

    #[test]
    fn a_bundle_with_bytes_cut_or_inserted_is_refuted_or_says_the_same(
        good in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        length in 0..40_usize,
        inserted in prop_oneof![Just(String::new()), "[ \n\t]{1,5}", "[\\[\\]{},:\"\\\\0-9a-f]{1,4}", any::<String>()],
    ) {
        let good = chosen(good);
        let text = good.text.as_bytes();
        let at = at.index(text.len());
        let rest = text.get(at + length..).unwrap_or_default();
        refuted_or_the_same(good, &[&text[..at], inserted.as_bytes(), rest].concat());
        refuted_or_the_same(good, &text[..at]);
    }

    #[test]
    fn merkle_proofs_of_large_trees_verify_and_no_others_do(
        new in 1..=1_u64 << 20,
        old in any::<prop::sample::Index>(),
        index in any::<prop::sample::Index>(),
        bit in 0..256_usize,
        spoiled in any::<prop::sample::Index>(),
    ) {
        let old = 1 + old.index(new as usize) as u64;
        let index = index.index(new as usize) as u64;
        let tree = |size: u64| TreeHead { size, root: root(0, size) };
        let path = inclusion(index, 0, new);
        prop_assert_eq!(verify_inclusion(index, &leaf(index), &path, &tree(new)), Ok(()));
        let proof = consistency(old, 0, new, true);
        prop_assert_eq!(verify_consistency(&tree(old), &tree(new), &proof), Ok(()));
        for (path, is_inclusion) in [(path, true), (proof, false)] {
            if path.is_empty() {
                continue;
            }
            let mut changed = path.clone();
            changed[spoiled.index(path.len())].0[bit / 8] ^= 1 << (bit % 8);
            let verify = |path: &[Hash]| {
                if is_inclusion {
                    verify_inclusion(index, &leaf(index), path, &tree(new))
                } else {
                    verify_consistency(&tree(old), &tree(new), path)
                }
            };
            prop_assert_eq!(verify(&changed), Err(Code::MerkleRootMismatch));
            prop_assert_eq!(verify(&path[1..]), Err(Code::MerklePathLength));
        }
    }
}

/// Leaves that are alike in runs of 2^11, so that most subtrees of a large tree are among a few known ones.
fn leaf(index: u64) -> Hash {
    leaf_hash(&(index >> 11 & 1).to_be_bytes())
}

/// RFC 6962 section 2.1 over the leaves from `start` on; perfect subtrees within a run are looked up.
fn root(start: u64, size: u64) -> Hash {
    if size == 1 {
        return leaf(start);
    }
    if size.is_power_of_two() && size <= 1 << 11 {
        return RUNS[(start >> 11 & 1) as usize][size.trailing_zeros() as usize];
    }
    let left = split(size);
    node_hash(&root(start, left), &root(start + left, size - left))
}

static RUNS: LazyLock<[Vec<Hash>; 2]> = LazyLock::new(|| {
    [0, 1 << 11].map(|start| {
        let doubled = |hash: &Hash| Some(node_hash(hash, hash));
        std::iter::successors(Some(leaf(start)), doubled).take(12).collect()
    })
});

fn split(size: u64) -> u64 {
    size.next_power_of_two() / 2
}

fn inclusion(index: u64, start: u64, size: u64) -> Vec<Hash> {
    if size == 1 {
        return Vec::new();
    }
    let left = split(size);
    let (mut below, other) = if index < left {
        (inclusion(index, start, left), root(start + left, size - left))
    } else {
        (inclusion(index - left, start + left, size - left), root(start, left))
    };
    below.push(other);
    below
}

/// RFC 6962 section 2.1.2.
fn consistency(old: u64, start: u64, size: u64, whole: bool) -> Vec<Hash> {
    if old == size {
        return if whole { Vec::new() } else { vec![root(start, size)] };
    }
    let left = split(size);
    let (mut below, other) = if old <= left {
        (consistency(old, start, left, whole), root(start + left, size - left))
    } else {
        (consistency(old - left, start + left, size - left, false), root(start, left))
    };
    below.push(other);
    below
}

/// The index arithmetic above is a shortcut; a tree that grows leaf by leaf takes none.
#[test]
fn the_shortcut_of_the_large_trees_is_right() {
    let mut tree = GrowingTree::new();
    for index in 0..5_000 {
        tree.push(leaf(index));
        if index % 97 == 0 || index.is_power_of_two() || (4_090..4_100).contains(&index) {
            assert_eq!(tree.head().root, root(0, index + 1), "{index}");
        }
    }
}

#[test]
fn most_of_the_good_bundles_are_authentic_and_can_be_changed() {
    assert!(GOOD.len() >= 35, "{}", GOOD.len());
}

/// Every byte of one bundle, one bit each: which bit, depends on the place.
#[test]
fn no_byte_of_a_bundle_can_be_changed_unnoticed() {
    let good = GOOD.iter().find(|good| good.name == "no-beacons-no-watermarks").unwrap();
    for at in 0..good.text.len() {
        let mut changed = good.text.clone().into_bytes();
        changed[at] ^= 1 << (at % 8);
        assert_eq!(good.verdict(&changed), Verdict::Refuted, "byte {at}");
    }
}

type Law = fn(&[u8]);

/// The fuzz targets start from these; they keep the laws in every build.
#[test]
fn the_seeds_of_the_fuzz_targets_keep_the_laws() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds");
    let targets: [(&str, Law); 5] = [
        ("canonicalize", laws::canonicalize),
        ("json_reader", laws::json_reader),
        ("verify_bundle", laws::verify_bundle),
        ("verify_log", laws::verify_log),
        ("verify_proof_file", laws::verify_proof_file),
    ];
    for (target, law) in targets {
        let files: Vec<_> = fs::read_dir(seeds.join(target)).unwrap().collect();
        assert!(files.len() >= 6, "{target}: {} seeds", files.len());
        for file in files {
            law(&fs::read(file.unwrap().path()).unwrap());
        }
    }
}
