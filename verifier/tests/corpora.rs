//! Public test corpora. The data stands beside the project (`../shared/interop/corpora`, each with its licence) and is
//! not part of it; where it is absent a test skips, visibly.

#![expect(clippy::indexing_slicing, reason = "`serde_json` answers `null` where there is nothing")]

mod es6;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use assayer_verifier::{
    Code, Document, Hash, Limits, PublicKey, Scheme, Signature, TreeHead, canonicalize, sha256, verify,
    verify_batch, verify_consistency, verify_inclusion,
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde_json::Value as Json;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/interop/corpora");
    let tests: [(&str, &str, Run); 11] = [
        ("json-test-suite: what must be read is read", "json-test-suite/test_parsing", must_be_read),
        ("json-test-suite: what must be refused is refused", "json-test-suite/test_parsing", must_be_refused),
        ("json-test-suite: what may be either is as recorded", "json-test-suite/test_parsing", may_be_either),
        ("json-test-suite: texts that parsers change", "json-test-suite/test_transform", may_be_changed),
        ("es6-numbers: the reference sequence of doubles", "es6-numbers", reference_doubles),
        ("cyberphone-jcs: input and output", "cyberphone-jcs/testdata", jcs_samples),
        ("cctv-ed25519: the flags decide", "cctv-ed25519/ed25519", edge_cases_of_signatures),
        ("cctv-ed25519: the same in batches", "cctv-ed25519/ed25519", edge_cases_in_batches),
        ("ed25519-speccheck: the twelve cases", "ed25519-speccheck", twelve_cases),
        ("w3c-eddsa-jcs: each step", "w3c-eddsa-jcs/TestVectors/eddsa-jcs-2022", each_step_of_a_proof),
        ("transparency-merkle: probes", "transparency-merkle/testdata", merkle_probes),
    ];
    let trials = tests.into_iter().map(|(name, folder, run)| {
        let folder = root.join(folder);
        Trial::ignorable_test(name, move || {
            if !folder.is_dir() {
                return Ok(Completion::ignored_with("../shared/interop/corpora is not here"));
            }
            run(&folder).map_err(|error| Failed::from(error.to_string()))
        })
    });
    libtest_mimic::run(&arguments, trials.collect()).exit();
}

type Outcome = Result<Completion, Box<dyn Error>>;
type Run = fn(&Path) -> Outcome;

fn done(expected: usize, seen: usize, wrong: &[String]) -> Outcome {
    if seen != expected {
        return Err(format!("{seen} cases, expected {expected}: {}", wrong.join("\n")).into());
    }
    if wrong.is_empty() {
        Ok(Completion::Completed)
    } else {
        Err(format!("{} of {seen}:\n{}", wrong.len(), wrong.join("\n")).into())
    }
}

/// Files of a folder and its folders, by their path below it.
fn files(root: &Path) -> Result<BTreeMap<String, PathBuf>, Box<dyn Error>> {
    let mut found = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.strip_prefix(root)?.display().to_string(), path);
            }
        }
    }
    Ok(found)
}

fn json(path: &Path) -> Result<Json, Box<dyn Error>> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// What the reader says to each file whose name begins with `prefix`: `ok` or the code.
fn readings(folder: &Path, prefix: &str) -> Result<BTreeMap<String, Code>, Box<dyn Error>> {
    let mut found = BTreeMap::new();
    for (name, path) in files(folder)? {
        if name.starts_with(prefix) {
            let bytes = fs::read(path)?;
            let result = Document::read(&bytes, &Limits::default());
            found.insert(name, result.map_or_else(|error| error.code, |_| Code::Ok));
        }
    }
    Ok(found)
}

/// RFC 8259 allows what RFC 7493 (I-JSON) forbids.
const STRICTER: [(&str, Code); 2] = [
    ("y_object_duplicated_key.json", Code::JsonDuplicateKey),
    ("y_object_duplicated_key_and_value.json", Code::JsonDuplicateKey),
];

fn must_be_read(folder: &Path) -> Outcome {
    let readings = readings(folder, "y_")?;
    let stricter: BTreeMap<&str, Code> = STRICTER.into_iter().collect();
    let wrong = readings.iter().filter(|(name, code)| {
        let expected = stricter.get(name.as_str()).copied().unwrap_or(Code::Ok);
        **code != expected
    });
    let wrong: Vec<String> = wrong.map(|(name, code)| format!("{name}: {code}")).collect();
    done(95, readings.len(), &wrong)
}

fn must_be_refused(folder: &Path) -> Outcome {
    let readings = readings(folder, "n_")?;
    let wrong = readings
        .iter()
        .filter(|(_, code)| !code.as_str().starts_with("json.") && **code != Code::LimitsDepth);
    let wrong: Vec<String> = wrong.map(|(name, code)| format!("{name}: {code}")).collect();
    done(188, readings.len(), &wrong)
}

/// What a parser is free to do, and this one does: it keeps numbers as texts, so that none is too large to be read.
const EITHER: [(&str, Code); 35] = [
    ("i_number_double_huge_neg_exp.json", Code::Ok),
    ("i_number_huge_exp.json", Code::Ok),
    ("i_number_neg_int_huge_exp.json", Code::Ok),
    ("i_number_pos_double_huge_exp.json", Code::Ok),
    ("i_number_real_neg_overflow.json", Code::Ok),
    ("i_number_real_pos_overflow.json", Code::Ok),
    ("i_number_real_underflow.json", Code::Ok),
    ("i_number_too_big_neg_int.json", Code::Ok),
    ("i_number_too_big_pos_int.json", Code::Ok),
    ("i_number_very_big_negative_int.json", Code::Ok),
    ("i_object_key_lone_2nd_surrogate.json", Code::JsonLoneSurrogate),
    ("i_string_1st_surrogate_but_2nd_missing.json", Code::JsonLoneSurrogate),
    ("i_string_1st_valid_surrogate_2nd_invalid.json", Code::JsonLoneSurrogate),
    ("i_string_UTF-16LE_with_BOM.json", Code::JsonUtf8),
    ("i_string_UTF-8_invalid_sequence.json", Code::JsonUtf8),
    ("i_string_UTF8_surrogate_U+D800.json", Code::JsonUtf8),
    ("i_string_incomplete_surrogate_and_escape_valid.json", Code::JsonLoneSurrogate),
    ("i_string_incomplete_surrogate_pair.json", Code::JsonLoneSurrogate),
    ("i_string_incomplete_surrogates_escape_valid.json", Code::JsonLoneSurrogate),
    ("i_string_invalid_lonely_surrogate.json", Code::JsonLoneSurrogate),
    ("i_string_invalid_surrogate.json", Code::JsonLoneSurrogate),
    ("i_string_invalid_utf-8.json", Code::JsonUtf8),
    ("i_string_inverted_surrogates_U+1D11E.json", Code::JsonLoneSurrogate),
    ("i_string_iso_latin_1.json", Code::JsonUtf8),
    ("i_string_lone_second_surrogate.json", Code::JsonLoneSurrogate),
    ("i_string_lone_utf8_continuation_byte.json", Code::JsonUtf8),
    ("i_string_not_in_unicode_range.json", Code::JsonUtf8),
    ("i_string_overlong_sequence_2_bytes.json", Code::JsonUtf8),
    ("i_string_overlong_sequence_6_bytes.json", Code::JsonUtf8),
    ("i_string_overlong_sequence_6_bytes_null.json", Code::JsonUtf8),
    ("i_string_truncated-utf-8.json", Code::JsonUtf8),
    ("i_string_utf16BE_no_BOM.json", Code::JsonSyntax),
    ("i_string_utf16LE_no_BOM.json", Code::JsonSyntax),
    ("i_structure_500_nested_arrays.json", Code::Ok),
    ("i_structure_UTF-8_BOM_empty_object.json", Code::JsonBom),
];

fn may_be_either(folder: &Path) -> Outcome {
    let readings = readings(folder, "i_")?;
    let recorded: BTreeMap<&str, Code> = EITHER.into_iter().collect();
    let wrong = readings.iter().filter(|(name, code)| recorded.get(name.as_str()) != Some(code));
    let wrong: Vec<String> = wrong.map(|(name, code)| format!("{name}: {code}")).collect();
    done(EITHER.len(), readings.len(), &wrong)
}

/// Texts that parsers are known to change while they read them. Here they are read as they stand, or refused.
const TRANSFORMS: [(&str, Result<&str, Code>); 22] = [
    ("number_-9223372036854775808.json", Ok("[-9223372036854775808]")),
    ("number_-9223372036854775809.json", Ok("[-9223372036854775809]")),
    ("number_1.0.json", Ok("[1.0]")),
    ("number_1.000000000000000005.json", Ok("[1.000000000000000005]")),
    ("number_1000000000000000.json", Ok("[1000000000000000]")),
    ("number_10000000000000000999.json", Ok("[10000000000000000999]")),
    ("number_1e-999.json", Ok("[1E-999]")),
    ("number_1e6.json", Ok("[1E6]")),
    ("number_9223372036854775807.json", Ok("[9223372036854775807]")),
    ("number_9223372036854775808.json", Ok("[9223372036854775808]")),
    ("object_key_nfc_nfd.json", Ok("{\"\u{e9}\":\"NFC\",\"e\u{301}\":\"NFD\"}")),
    ("object_key_nfd_nfc.json", Ok("{\"e\u{301}\":\"NFD\",\"\u{e9}\":\"NFC\"}")),
    ("object_same_key_different_values.json", Err(Code::JsonDuplicateKey)),
    ("object_same_key_same_value.json", Err(Code::JsonDuplicateKey)),
    ("object_same_key_unclear_values.json", Err(Code::JsonDuplicateKey)),
    ("string_1_escaped_invalid_codepoint.json", Err(Code::JsonLoneSurrogate)),
    ("string_1_invalid_codepoint.json", Err(Code::JsonUtf8)),
    ("string_2_escaped_invalid_codepoints.json", Err(Code::JsonLoneSurrogate)),
    ("string_2_invalid_codepoints.json", Err(Code::JsonUtf8)),
    ("string_3_escaped_invalid_codepoints.json", Err(Code::JsonLoneSurrogate)),
    ("string_3_invalid_codepoints.json", Err(Code::JsonUtf8)),
    ("string_with_escaped_NULL.json", Ok("[\"A\\u0000B\"]")),
];

fn may_be_changed(folder: &Path) -> Outcome {
    let recorded: BTreeMap<&str, Result<&str, Code>> = TRANSFORMS.into_iter().collect();
    let mut wrong = Vec::new();
    let texts = files(folder)?;
    for (name, path) in &texts {
        let bytes = fs::read(path)?;
        let document = Document::read(&bytes, &Limits::default());
        let found =
            document.as_ref().map(|document| document.root().raw().trim()).map_err(|error| error.code);
        if recorded.get(name.as_str()) != Some(&found) {
            wrong.push(format!("{name}: {found:?}"));
        }
    }
    done(TRANSFORMS.len(), texts.len(), &wrong)
}

/// A Data Integrity proof (`eddsa-jcs-2022`), from the document to the signature, with every value between.
fn each_step_of_a_proof(folder: &Path) -> Outcome {
    let text = |name: &str| -> Result<String, Box<dyn Error>> {
        Ok(fs::read_to_string(folder.join(name))?.trim().to_owned())
    };
    let jcs = |text: &str| -> Result<Vec<u8>, Box<dyn Error>> {
        Ok(canonicalize(Document::read(text.as_bytes(), &Limits::default())?.root(), Scheme::Jcs)?)
    };
    let signed = json(&folder.join("signedJCS.json"))?;
    let mut unsigned = signed.clone();
    let mut config =
        unsigned.as_object_mut().and_then(|document| document.remove("proof")).ok_or("no proof")?;
    let value = config.as_object_mut().and_then(|config| config.remove("proofValue")).ok_or("no value")?;
    let document = jcs(&unsigned.to_string())?;
    let proof = jcs(&text("proofConfigJCS.json")?)?;
    let hashes = [sha256(&proof), sha256(&document)];
    let method = member(&config, "verificationMethod")?;
    let name = method.split('#').nth(1).and_then(|name| name.strip_prefix('z')).ok_or("no key")?;
    let key = base58(name)?;
    // 0xED 0x01 is the multicodec of an Ed25519 key.
    let key = key.strip_prefix(&[0xED, 1]).and_then(PublicKey::from_slice).ok_or("no Ed25519 key")?;
    let signature = unhex(&text("sigHexJCS.txt")?)?;
    let message: Vec<u8> = hashes.iter().flat_map(|hash| hash.0).collect();
    let steps = [
        ("the canonical document", document == text("canonDocJCS.txt")?.as_bytes()),
        ("its hash", hashes[1].to_hex() == text("docHashJCS.txt")?),
        ("the canonical proof", proof == text("proofCanonJCS.txt")?.as_bytes()),
        ("the proof of the signed document", proof == jcs(&config.to_string())?),
        ("its hash", hashes[0].to_hex() == text("proofHashJCS.txt")?),
        ("both hashes", message == unhex(&text("combinedHashJCS.txt")?)?),
        ("the value in base 58", value == text("sigBTC58JCS.txt")?),
        ("the signature", base58(text("sigBTC58JCS.txt")?.trim_start_matches('z'))? == signature),
    ];
    let mut wrong: Vec<String> =
        steps.iter().filter(|(_, holds)| !holds).map(|(step, _)| (*step).to_owned()).collect();
    let signature = Signature::from_slice(&signature).ok_or("no signature")?;
    let swapped: Vec<u8> = hashes.iter().rev().flat_map(|hash| hash.0).collect();
    for (what, message, expected) in
        [("as signed", &message, Ok(())), ("hashes swapped", &swapped, Err(Code::Ed25519Mismatch))]
    {
        if verify(&key, message, &signature) != expected {
            wrong.push(format!("the signature, {what}"));
        }
    }
    done(8, steps.len(), &wrong)
}

/// Base 58 as Bitcoin writes it, without a checksum; a leading digit zero is a byte of zero.
fn base58(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let alphabet = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
    let mut bytes: Vec<u8> = Vec::new();
    for digit in text.bytes() {
        let mut carry = alphabet.iter().position(|known| *known == digit).ok_or("no digit of base 58")?;
        for byte in bytes.iter_mut().rev() {
            carry += usize::from(*byte) * 58;
            *byte = u8::try_from(carry % 256)?;
            carry /= 256;
        }
        while carry > 0 {
            bytes.insert(0, u8::try_from(carry % 256)?);
            carry /= 256;
        }
    }
    let zeros = text.bytes().take_while(|digit| *digit == b'1').count();
    Ok([vec![0; zeros], bytes].concat())
}

/// The first million doubles; `examples/es6_numbers.rs` does a hundred million.
fn reference_doubles(folder: &Path) -> Outcome {
    let listed = fs::read_to_string(folder.join("static-u64.txt"))?;
    let mut passed = Vec::new();
    es6::check(&listed, 1_000_000, &mut |lines| passed.push(lines))?;
    done(4, passed.len(), &[])
}

fn jcs_samples(folder: &Path) -> Outcome {
    let mut wrong = Vec::new();
    let inputs = files(&folder.join("input"))?;
    for (name, path) in &inputs {
        let bytes = fs::read(path)?;
        let document = Document::read(&bytes, &Limits::default())?;
        let written = canonicalize(document.root(), Scheme::Jcs)?;
        let expected = fs::read(folder.join("output").join(name))?;
        let hex = fs::read_to_string(folder.join("outhex").join(name).with_extension("txt"))?;
        let written_hex: Vec<String> = written.iter().map(|byte| format!("{byte:02x}")).collect();
        if written != expected || !hex.split_whitespace().eq(written_hex.iter().map(String::as_str)) {
            wrong.push(format!("{name}: {}", String::from_utf8_lossy(&written)));
        }
    }
    done(6, inputs.len(), &wrong)
}

fn member<'v>(value: &'v Json, name: &str) -> Result<&'v str, Box<dyn Error>> {
    value.get(name).and_then(Json::as_str).ok_or_else(|| format!("no text {name} in {value}").into())
}

/// The policy of `ed25519.rs`, said in the flags of the corpus. A component of small order beside one of large order is
/// accepted in A and in R; what is left over by the cofactorless equation is not.
const REFUSED: [&str; 5] =
    ["low_order_A", "low_order_R", "low_order_residue", "non_canonical_A", "non_canonical_R"];

fn edge_cases_of_signatures(folder: &Path) -> Outcome {
    let vectors = json(&folder.join("ed25519vectors.json"))?;
    let vectors = vectors.as_array().ok_or("no list")?;
    let mut wrong = Vec::new();
    let mut accepted = 0;
    for vector in vectors {
        let key = PublicKey::from_hex(member(vector, "key")?).ok_or("no key")?;
        let signature = Signature::from_hex(member(vector, "sig")?).ok_or("no signature")?;
        let found = verify(&key, member(vector, "msg")?.as_bytes(), &signature);
        let flags: BTreeSet<&str> =
            vector["flags"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        let has = |flag: &str| flags.contains(flag);
        // The key is judged before the signature.
        let expected: &[Code] = if has("non_canonical_A") {
            &[Code::Ed25519KeyNotCanonical, Code::Ed25519KeyNotAPoint]
        } else if has("low_order_A") {
            &[Code::Ed25519KeySmallOrder, Code::Ed25519KeyNotAPoint]
        } else if has("low_order_R") {
            &[Code::Ed25519RSmallOrder]
        } else if REFUSED.iter().any(|flag| has(flag)) {
            &[Code::Ed25519Mismatch]
        } else {
            accepted += 1;
            &[Code::Ok]
        };
        let found = found.map_or_else(|code| code, |()| Code::Ok);
        if !expected.contains(&found) {
            wrong.push(format!("{}: expected {expected:?}, found {found}: {flags:?}", vector["number"]));
        }
    }
    if accepted != 43 {
        wrong.push(format!("{accepted} are to be accepted, not 43"));
    }
    done(914, vectors.len(), &wrong)
}

/// Among good signatures, at places all over the batch, each edge case is answered as by itself.
fn edge_cases_in_batches(folder: &Path) -> Outcome {
    let vectors = json(&folder.join("ed25519vectors.json"))?;
    let vectors = vectors.as_array().ok_or("no list")?;
    let mut cases = Vec::new();
    for vector in vectors {
        let key = PublicKey::from_hex(member(vector, "key")?).ok_or("no key")?;
        let signature = Signature::from_hex(member(vector, "sig")?).ok_or("no signature")?;
        cases.push((key, member(vector, "msg")?.as_bytes(), signature));
    }
    let signing = ed25519_dalek::SigningKey::from_bytes(&[3; 32]);
    let public = PublicKey(signing.verifying_key().to_bytes());
    let messages: Vec<[u8; 8]> = (0..200_u64).map(u64::to_le_bytes).collect();
    let good = messages.iter().map(|message| {
        let signature = ed25519_dalek::Signer::sign(&signing, message);
        (public, message.as_slice(), Signature(signature.to_bytes()))
    });
    let good: Vec<_> = good.collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    // Some batches hold one or two cases, where the culprits are located; others hold many.
    for (round, cases) in cases.chunks(3).chain(cases.chunks(40)).enumerate() {
        let mut batch = good.clone();
        for (number, case) in cases.iter().enumerate() {
            batch.insert((round * 71 + number * 37) % batch.len(), *case);
        }
        seen += cases.len();
        for ((key, message, signature), found) in batch.iter().zip(verify_batch(&batch)) {
            let alone = verify(key, message, signature);
            if found != alone {
                wrong.push(format!(
                    "round {round}: {signature} by {key}: {alone:?} alone, {found:?} in a batch"
                ));
            }
        }
    }
    done(2 * 914, seen, &wrong)
}

/// Of the twelve only the fourth is accepted: A and R of mixed order, and the cofactorless equation holds.
const SPECCHECK: [Code; 12] = [
    Code::Ed25519KeySmallOrder,
    Code::Ed25519KeySmallOrder,
    Code::Ed25519RSmallOrder,
    Code::Ok,
    Code::Ed25519Mismatch,
    Code::Ed25519Mismatch,
    Code::Ed25519SOutOfRange,
    Code::Ed25519SOutOfRange,
    Code::Ed25519RSmallOrder,
    Code::Ed25519RSmallOrder,
    Code::Ed25519KeyNotAPoint,
    Code::Ed25519KeyNotAPoint,
];

fn twelve_cases(folder: &Path) -> Outcome {
    let cases = json(&folder.join("cases.json"))?;
    let cases = cases.as_array().ok_or("no list")?;
    let mut wrong = Vec::new();
    for (number, (case, expected)) in cases.iter().zip(SPECCHECK).enumerate() {
        let key = PublicKey::from_hex(member(case, "pub_key")?).ok_or("no key")?;
        let signature = Signature::from_hex(member(case, "signature")?).ok_or("no signature")?;
        let message = unhex(member(case, "message")?)?;
        let found = verify(&key, &message, &signature).map_or_else(|code| code, |()| Code::Ok);
        if found != expected {
            wrong.push(format!("{number}: expected {expected}, found {found}"));
        }
    }
    done(12, cases.len(), &wrong)
}

fn unhex(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let pairs = (0..text.len()).step_by(2).map(|at| text.get(at..at + 2).ok_or("an odd digit"));
    pairs.map(|pair| Ok(u8::from_str_radix(pair?, 16)?)).collect()
}

/// RFC 4648 section 4; the probes are written with padding.
fn base64(text: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for digit in text.trim_end_matches('=').bytes() {
        let value = alphabet.iter().position(|known| *known == digit).ok_or("no base64 digit")?;
        buffer = buffer << 6 | u32::try_from(value)?;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(buffer >> bits & 0xFF)?);
        }
    }
    Ok(bytes)
}

/// A hash; `None` where it has not 32 bytes, which cannot be said in the types here, and so is refused when it is read.
fn hash(value: &Json) -> Result<Option<Hash>, Box<dyn Error>> {
    Ok(Hash::from_slice(&base64(value.as_str().unwrap_or_default())?))
}

fn path(value: &Json) -> Result<Option<Vec<Hash>>, Box<dyn Error>> {
    value.as_array().into_iter().flatten().map(hash).collect()
}

/// Probes that are accepted there and refused here, and why.
const DIVERGENCES: [(&str, &str); 1] = [(
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
    "its two roots are equal texts of 12 bytes; a root has 32",
)];

fn merkle_probes(folder: &Path) -> Outcome {
    let mut wrong = Vec::new();
    let mut seen = 0;
    let divergences: BTreeMap<&str, &str> = DIVERGENCES.into_iter().collect();
    for (kind, check) in [("inclusion", inclusion as fn(&Json) -> _), ("consistency", consistency)] {
        for (name, file) in files(&folder.join(kind))? {
            let probe = json(&file)?;
            let found: Result<(), Option<Code>> = check(&probe)?;
            let id = format!("{kind}/{name}");
            // A divergence that is none any more is an error, too.
            let expected = (probe["wantErr"] == false) != divergences.contains_key(id.as_str());
            seen += 1;
            if found.is_ok() != expected {
                wrong.push(format!("{id}: expected {expected}, found {found:?}"));
            }
        }
    }
    done(196, seen, &wrong)
}

type Checked = Result<Result<(), Option<Code>>, Box<dyn Error>>;

fn inclusion(probe: &Json) -> Checked {
    let (Some(index), Some(size)) = (probe["leafIdx"].as_u64(), probe["treeSize"].as_u64()) else {
        return Ok(Err(None));
    };
    let parts = (hash(&probe["root"])?, hash(&probe["leafHash"])?, path(&probe["proof"])?);
    let (Some(root), Some(leaf), Some(path)) = parts else { return Ok(Err(None)) };
    Ok(verify_inclusion(index, &leaf, &path, &TreeHead { size, root }).map_err(Some))
}

/// Probes from size 0 are refused here, whatever is wanted (`docs/decisions/empty-old-tree.md`).
fn consistency(probe: &Json) -> Checked {
    let (Some(old), Some(new)) = (probe["size1"].as_u64(), probe["size2"].as_u64()) else {
        return Ok(Err(None));
    };
    let parts = (hash(&probe["root1"])?, hash(&probe["root2"])?, path(&probe["proof"])?);
    let (Some(old_root), Some(new_root), Some(path)) = parts else { return Ok(Err(None)) };
    let (old, new) = (TreeHead { size: old, root: old_root }, TreeHead { size: new, root: new_root });
    Ok(verify_consistency(&old, &new, &path).map_err(Some))
}
