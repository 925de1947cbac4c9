//! The soundness matrix (`vectors/soundness`): single edits of good bundles, and what must refute each of them. What is
//! expected was decided by the generator, which shares nothing with the verifier; here it is only compared.

#![expect(
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use assayer_verifier::oversight::{BUNDLE_LAYERS, Log, Trust, verify_bundle};
use assayer_verifier::{Code, Hash, Limits, PublicKey, State, Trace, TreeHead};
use serde_json::Value as Json;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/soundness")
}

fn read(path: &Path) -> Json {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn text<'v>(value: &'v Json, name: &str) -> &'v str {
    value[name].as_str().unwrap_or_else(|| panic!("no text {name} in {value}"))
}

fn list<'v>(value: &'v Json, name: &str) -> &'v [Json] {
    value[name].as_array().unwrap_or_else(|| panic!("no list {name} in {value}"))
}

/// A good bundle, with what may be known about it.
struct Base {
    bundle: String,
    registry_keys: [PublicKey; 1],
    issuer_keys: [PublicKey; 1],
    file_id: String,
    log: Log,
    heads: BTreeMap<&'static str, TreeHead>,
}

impl Base {
    fn of(base: &Json) -> Self {
        let known = &base["trust"];
        let key = |name: &str| [PublicKey::from_hex(text(known, name)).unwrap()];
        let head = |name: &'static str| {
            let head = &known[name];
            (
                name,
                TreeHead {
                    size: head["size"].as_u64().unwrap(),
                    root: Hash::from_hex(text(head, "root")).unwrap(),
                },
            )
        };
        let (log, layers) = Log::read(text(known, "log").lines().map(str::as_bytes), &Limits::default());
        assert!(layers.iter().all(|layer| layer.state == State::Established), "{layers:?}");
        Self {
            bundle: text(base, "bundle").to_owned(),
            registry_keys: key("registry-key"),
            issuer_keys: key("issuer-key"),
            file_id: text(known, "file-id").to_owned(),
            log,
            heads: ["head-now", "head-then"].map(head).into(),
        }
    }

    /// The trace of a text, for a caller who knows what `names` name.
    fn verify(&self, bundle: &[u8], names: &Json) -> Trace {
        let names: BTreeSet<&str> = names.as_array().unwrap().iter().filter_map(Json::as_str).collect();
        let knows = |name: &str| names.contains(name);
        let heads: Vec<TreeHead> =
            self.heads.iter().filter(|(name, _)| knows(name)).map(|(_, head)| *head).collect();
        let trust = Trust::default()
            .registry_keys(if knows("registry-key") { &self.registry_keys } else { &[] })
            .issuer_keys(if knows("issuer-key") { &self.issuer_keys } else { &[] })
            .file_id(knows("file-id").then_some(&self.file_id))
            .log(knows("log").then_some(&self.log))
            .heads(&heads);
        verify_bundle(bundle, &trust, &Limits::default())
    }
}

/// All of the matrix.
struct Matrix {
    bases: BTreeMap<String, Base>,
    trust: Json,
    actors: BTreeSet<String>,
    groups: Vec<Json>,
}

impl Matrix {
    /// Each edit with the name of its class.
    fn edits(&self) -> impl Iterator<Item = (&str, &Json)> {
        let classes = self.groups.iter().flat_map(|group| list(group, "classes"));
        classes.flat_map(|class| list(class, "edits").iter().map(|edit| (text(class, "class"), edit)))
    }
}

static MATRIX: LazyLock<Matrix> = LazyLock::new(|| {
    let bases = read(&folder().join("bases.json"));
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name != "bases.json"));
    paths.sort();
    Matrix {
        bases: list(&bases, "bases")
            .iter()
            .map(|base| (text(base, "base").to_owned(), Base::of(base)))
            .collect(),
        trust: bases["trust"].clone(),
        actors: bases["by"].as_object().unwrap().keys().cloned().collect(),
        groups: paths.iter().map(|path| read(path)).collect(),
    }
});

/// The edited text: some bytes of the good one replaced by others.
fn edited(good: &str, edit: &Json) -> Vec<u8> {
    let mut bytes = good.as_bytes().to_vec();
    for splice in list(edit, "splices").iter().rev() {
        let (at, remove) =
            (splice["at"].as_u64().unwrap() as usize, splice["remove"].as_u64().unwrap() as usize);
        let insert = match splice["insert"].as_str() {
            Some(text) => text.as_bytes().to_vec(),
            None => unhex(text(splice, "insert_hex")),
        };
        bytes.splice(at..at + remove, insert);
    }
    bytes
}

fn unhex(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Refuted layers with their codes.
fn refuted(trace: &Trace) -> BTreeMap<&str, &str> {
    trace.refuted().map(|layer| (layer.id, layer.code().as_str())).collect()
}

fn expected(value: &Json) -> BTreeMap<&str, &str> {
    let layers = value["refuted"].as_object().unwrap();
    layers.iter().map(|(layer, code)| (layer.as_str(), code.as_str().unwrap())).collect()
}

/// What is wrong with the trace of an edit, if anything.
fn compare(edit: &Json) -> Result<(), String> {
    let base = &MATRIX.bases[text(edit, "base")];
    let bundle = edited(&base.bundle, edit);
    let trust = edit.get("trust").unwrap_or(&MATRIX.trust);
    let trace = base.verify(&bundle, trust);
    if refuted(&trace) != expected(edit) || trace.verdict().as_str() != text(edit, "verdict") {
        let (verdict, layers) = (text(edit, "verdict"), expected(edit));
        let found = trace.verdict().as_str();
        return Err(format!("expected {verdict} {layers:?}, found {found} {:?}", refuted(&trace)));
    }
    for shown in edit["shown_by"].as_array().into_iter().flatten() {
        let trace = base.verify(&bundle, &shown["trust"]);
        if refuted(&trace) != expected(shown) {
            let found = refuted(&trace);
            return Err(format!(
                "knowing {}: expected {:?}, found {found:?}",
                shown["trust"],
                expected(shown)
            ));
        }
    }
    Ok(())
}

#[test]
fn every_edit_is_refuted_by_the_named_layers_or_does_what_is_said_of_it() {
    let wrong: Vec<String> = MATRIX
        .edits()
        .filter_map(|(class, edit)| {
            let error = compare(edit).err()?;
            let names = ["base", "by", "at", "what"].map(|name| text(edit, name));
            Some(format!("{class} {}: {error}", names.join(" | ")))
        })
        .collect();
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_good_bundles_are_authentic() {
    assert!(MATRIX.bases.len() >= 3);
    for (name, base) in &MATRIX.bases {
        for more in [&[][..], &["log"], &["head-now"], &["head-then", "log"]] {
            let mut trust = MATRIX.trust.clone();
            trust.as_array_mut().unwrap().extend(more.iter().map(|name| Json::from(*name)));
            let trace = base.verify(base.bundle.as_bytes(), &trust);
            assert_eq!(trace.verdict().as_str(), "authentic", "{name} {more:?}: {:?}", refuted(&trace));
        }
    }
}

/// Layers that no edit of these bundles refutes: what they would need is not in a bundle, or not in one of these (the
/// vectors of `bundles/` refute them).
const NEVER_REFUTED: [&str; 7] =
    ["attestation", "attestation-log", "freshness", "post-quantum", "quorum", "suite", "time"];

#[test]
fn the_matrix_keeps_the_rules_of_the_house() {
    let classes: BTreeSet<&str> = MATRIX.edits().map(|(class, _)| class).collect();
    assert!(MATRIX.edits().count() >= 300 && classes.len() >= 60, "{} classes", classes.len());
    let mut layers = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut tried = BTreeSet::new();
    for (class, edit) in MATRIX.edits() {
        let base = &MATRIX.bases[text(edit, "base")];
        let bundle = edited(&base.bundle, edit);
        assert_ne!(bundle, base.bundle.as_bytes(), "{class}: an edit changes something");
        let trust = edit.get("trust").unwrap_or(&MATRIX.trust).to_string();
        let by = text(edit, "by");
        assert!(seen.insert((text(edit, "base"), by, trust, bundle)), "{class}: {edit} twice");
        assert!(MATRIX.actors.contains(by), "{class}: {by}");
        tried.insert((text(edit, "base"), by));
        let shown = edit["shown_by"].as_array().into_iter().flatten();
        for (layer, code) in shown.chain([edit]).flat_map(expected) {
            assert!(BUNDLE_LAYERS.contains(&layer), "{class}: {layer}");
            assert!(code.parse::<Code>().is_ok(), "{class}: {code}");
            layers.insert(layer);
        }
        match text(edit, "outcome") {
            "refuted" => assert!(!expected(edit).is_empty() && edit.get("why").is_none(), "{class}: {edit}"),
            "neutral" | "not-detectable" => {
                assert!(expected(edit).is_empty() && text(edit, "why").len() > 10, "{class}: {edit}");
            }
            other => panic!("{class}: {other}"),
        }
    }
    let unrefuted: BTreeSet<&str> =
        BUNDLE_LAYERS.into_iter().filter(|layer| !layers.contains(layer)).collect();
    assert_eq!(unrefuted, NEVER_REFUTED.into(), "layers that no edit refutes");
    assert_eq!(tried.len(), (MATRIX.bases.len() - 1) * MATRIX.actors.len() + 1, "each producer, each actor");
}
