//! Recorded answers of three independent registries: every bundle, head, proof and range gets the verdict that the
//! recording names. The data stands beside the project (`../shared/interop/oversight`) and is not part of it; where it
//! is absent this test skips, visibly.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use assayer_verifier::oversight::{
    Log, Reading, Trust, signing_bytes, verify_bundle, verify_head, verify_log, verify_proof,
};
use assayer_verifier::{
    Document, Limits, PublicKey, Scheme, Signature, State, Trace, TreeHead, Value, Verdict, VerifiedKey,
    verify,
};
use libtest_mimic::{Arguments, Completion, Failed, Trial};
use serde_json::Value as Json;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/interop/oversight");
    let mut trials = Vec::new();
    for name in ["py-0.4.7", "py-0.4.12", "rust-0.4.12"] {
        let folder = root.join(name);
        let kinds: [(&str, Run); 6] = [
            ("recorded answers", recorded_answers),
            ("tampered bundles", tampered_bundles),
            ("canonicalization matrix", canonicalization_matrix),
            ("the table of manifests", table_of_manifests),
            ("registrations of the matrix", registrations),
            ("mixed logs", mixed_logs),
        ];
        for (kind, run) in kinds {
            let folder = folder.clone();
            trials.push(Trial::ignorable_test(format!("{name}: {kind}"), move || {
                if !folder.is_dir() {
                    return Ok(Completion::ignored_with("../shared/interop/oversight is not here"));
                }
                run(&folder).map_err(|error| Failed::from(error.to_string()))
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

type Outcome = Result<Completion, Box<dyn Error>>;
type Run = fn(&Path) -> Outcome;

fn done(seen: usize, wrong: &[String]) -> Outcome {
    if seen == 0 {
        return Err("the table is empty".into());
    }
    if wrong.is_empty() {
        Ok(Completion::Completed)
    } else {
        Err(format!("{} of {seen}:\n{}", wrong.len(), wrong.join("\n")).into())
    }
}

fn json(path: &Path) -> Result<Json, Box<dyn Error>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?)
}

fn text<'a>(value: &'a Json, name: &str) -> &'a str {
    value.get(name).and_then(Json::as_str).unwrap_or("")
}

/// The registry that made a recording: its key and its final log.
struct Producer {
    key: [PublicKey; 1],
    log: Log,
}

fn producer(state: &Path) -> Result<Producer, Box<dyn Error>> {
    let identity = json(&state.join("registry-identity.public.json"))?;
    let key = PublicKey::from_hex(text(&identity, "ed25519_pub")).ok_or("no key")?;
    let leaves = fs::read(state.join("tlog/leaves.jsonl"))?;
    let lines = leaves.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let (log, layers) = Log::read(lines, &Limits::default());
    if let Some(layer) = layers.iter().find(|layer| layer.state == State::Refuted) {
        return Err(format!("{}: {layer:?}", state.display()).into());
    }
    Ok(Producer { key: [key], log })
}

fn body(exchange: &Json) -> String {
    exchange.pointer("/response/body_text").and_then(Json::as_str).unwrap_or("").to_owned()
}

fn established(trace: &Trace, layer: &str) -> bool {
    trace.layer(layer).is_some_and(|layer| layer.state == State::Established)
}

fn not_refuted(trace: &Trace, layer: &str) -> bool {
    trace.layer(layer).is_some_and(|layer| layer.state != State::Refuted)
}

fn summary(trace: &Trace) -> String {
    let lines = trace
        .refuted()
        .map(|layer| format!("{} {} at {} {:?}", layer.id, layer.code(), layer.at(), layer.problem));
    lines.collect::<Vec<_>>().join("; ")
}

/// `verdicts.json`: one entry for each head, proof, range and bundle.
fn recorded_answers(folder: &Path) -> Outcome {
    let main = producer(&folder.join("state-main"))?;
    let auth = producer(&folder.join("state-auth"))?;
    let table = json(&folder.join("verdicts.json"))?;
    let mut wrong = Vec::new();
    let entries = table.as_array().ok_or("no list")?;
    for entry in entries {
        let exchange = json(&folder.join("exchanges").join(text(entry, "file")))?;
        let producer = if text(&exchange, "instance") == "auth" { &auth } else { &main };
        let body = body(&exchange);
        let faults = match text(entry, "type") {
            "evidence" => bundle_faults(entry, &body, producer),
            "head" => head_faults(entry, &body, producer),
            "proof" => proof_faults(entry, &body, producer),
            "range" => range_faults(entry, &body, producer),
            other => vec![format!("unknown type {other}")],
        };
        wrong.extend(faults.into_iter().map(|fault| format!("{}: {fault}", text(entry, "file"))));
    }
    done(entries.len(), &wrong)
}

fn bundle_faults(entry: &Json, body: &str, producer: &Producer) -> Vec<String> {
    let trust = Trust::default().registry_keys(&producer.key).log(Some(&producer.log));
    let trace = verify_bundle(body.as_bytes(), &trust, &Limits::default());
    let mut faults = Vec::new();
    let mut expect = |what: &str, expected: bool, found: bool| {
        if expected != found {
            faults.push(format!("{what}: expected {expected}; {}", summary(&trace)));
        }
    };
    let flag = |pointer: &str| entry.pointer(pointer).and_then(Json::as_bool).unwrap_or(false);
    let small_order = has_refused_key(body);
    let forms = |name: &str| -> BTreeSet<String> {
        let list = entry.get(name).and_then(Json::as_array).into_iter().flatten();
        list.filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let bundle_forms = forms("bundle_sig_forms");
    let manifest_forms = if small_order { BTreeSet::new() } else { forms("manifest_sig_forms") };
    expect("registry signature", !bundle_forms.is_empty(), established(&trace, "registry-signature"));
    expect("issuer signature", !manifest_forms.is_empty(), established(&trace, "issuer-signature"));
    expect("registry key", flag("/registry_pub_matches"), established(&trace, "registry-key"));
    expect("head", flag("/head/sig") && flag("/head/msg_exact"), established(&trace, "tree-head"));
    expect("head root", flag("/head_root_true"), established(&trace, "log-root"));
    expect("proofs", flag("/proofs_verify") && flag("/proofs_bound"), established(&trace, "inclusion"));
    expect("leaves", flag("/leaf_from_row"), established(&trace, "event-binding"));
    expect("order", flag("/events_sorted"), established(&trace, "event-order"));
    expect("beacons", flag("/beacon_rows_match_manifest"), established(&trace, "beacon-rows"));
    expect("watermarks", flag("/watermark_rows_match_manifest"), established(&trace, "watermark-rows"));
    for other in ["shape", "file-id", "manifest-members", "registration", "completeness"] {
        expect(other, true, established(&trace, other));
    }
    let refuted = [bundle_forms.is_empty(), manifest_forms.is_empty()].contains(&true)
        || !flag("/beacon_rows_match_manifest")
        || !flag("/watermark_rows_match_manifest");
    expect("refuted", refuted, trace.verdict() == Verdict::Refuted);
    if let Some(layer) = trace.layer("registry-signature") {
        let found: BTreeSet<String> =
            layer.schemes.iter().filter_map(|scheme| form(scheme.as_str())).collect();
        if found != without_refused(&bundle_forms, body) {
            faults.push(format!("bundle forms {found:?}, recorded {bundle_forms:?}"));
        }
    }
    if let Some(layer) = trace.layer("issuer-signature") {
        let schemes: BTreeSet<String> =
            layer.schemes.iter().filter_map(|scheme| form(scheme.as_str())).collect();
        let readings: BTreeSet<String> = layer.readings.iter().map(|name| (*name).to_owned()).collect();
        let recorded: (BTreeSet<String>, BTreeSet<String>) = manifest_forms
            .iter()
            .filter_map(|form| form.split_once('/'))
            .map(|(reading, form)| (form.to_owned(), reading_name(reading)))
            .unzip();
        let fits = schemes == without_refused(&recorded.0, body) && readings.is_subset(&recorded.1);
        if !fits || readings.is_empty() != recorded.1.is_empty() {
            faults.push(format!("manifest forms {schemes:?} {readings:?}, recorded {recorded:?}"));
        }
    }
    faults
}

/// The recording knows no key policy: it says that a signature under a key of small order fits.
fn has_refused_key(body: &str) -> bool {
    let document = Document::read(body.as_bytes(), &Limits::default());
    let key = document.ok().and_then(|bundle| {
        let text = bundle.root().at("/manifest/issuer_ed25519_pub").and_then(Value::as_str)?;
        PublicKey::from_hex(&text.to_ascii_lowercase())
    });
    key.is_some_and(|key| VerifiedKey::new(&key).is_err())
}

/// The recording lists the UTF-16 form also where a number has a fraction or an exponent, which that form refuses.
fn without_refused(forms: &BTreeSet<String>, body: &str) -> BTreeSet<String> {
    let document = Document::read(body.as_bytes(), &Limits::default());
    let refused = document.is_ok_and(|document| has_float(document.root()));
    forms.iter().filter(|form| !(refused && form.as_str() == "utf16")).cloned().collect()
}

fn has_float(value: Value<'_>) -> bool {
    (value.number_text().is_some() && !value.is_integer())
        || value.items().any(has_float)
        || value.members().any(|(_, member)| has_float(member))
}

fn form(scheme: &str) -> Option<String> {
    let name = match scheme {
        "python-sort-keys" => "legacy",
        "jcs-exact-integers" => "utf16",
        "serde-jcs-0.1" => "serde",
        "jcs" => "rfc8785",
        _ => return None,
    };
    Some(name.to_owned())
}

fn reading_name(reading: &str) -> String {
    match reading {
        "py" => "drop-nulls",
        "rust" => "keep-nulls",
        _ => "without-newer-members",
    }
    .to_owned()
}

fn head_faults(entry: &Json, body: &str, producer: &Producer) -> Vec<String> {
    let trust = Trust::default().registry_keys(&producer.key).log(Some(&producer.log));
    let trace = verify_head(body.as_bytes(), &trust, &Limits::default());
    let flag = |name: &str| entry.get(name).and_then(Json::as_bool).unwrap_or(false);
    // One registry signs 32 zero bytes as the root of the empty tree: a wrong root, rightly signed.
    let size = Document::read(body.as_bytes(), &Limits::default());
    let size = size.ok().and_then(|head| head.root().get("size").and_then(Value::as_u64));
    let empty = size == Some(0) && !flag("root_true");
    let signed = flag("sig") && flag("msg_exact") && !empty;
    let mut faults = Vec::new();
    if signed != established(&trace, "tree-head") || flag("root_true") != established(&trace, "log-root") {
        faults.push(format!("expected {entry}, found {}", summary(&trace)));
    }
    if empty
        && trace
            .layer("tree-head")
            .is_none_or(|layer| layer.code().as_str() != "head.empty-root" || layer.problems != 1)
    {
        faults.push("the wrong empty root is not named as the only problem".to_owned());
    }
    faults
}

fn proof_faults(entry: &Json, body: &str, producer: &Producer) -> Vec<String> {
    let trust = Trust::default().log(Some(&producer.log));
    let trace = verify_proof(body.as_bytes(), &trust, &Limits::default());
    let flag = |name: &str| entry.get(name).and_then(Json::as_bool).unwrap_or(false);
    let found =
        [established(&trace, "inclusion"), established(&trace, "log-root"), established(&trace, "log-leaf")];
    let expected = [flag("ok"), flag("root_true"), flag("leaf_true")];
    if found == expected { Vec::new() } else { vec![format!("expected {entry}, found {}", summary(&trace))] }
}

fn range_faults(entry: &Json, body: &str, producer: &Producer) -> Vec<String> {
    let heads = [producer.log.head_at(producer.log.leaves().len() as u64)]
        .into_iter()
        .flatten()
        .collect::<Vec<TreeHead>>();
    let trust = Trust::default().heads(&heads);
    let (_, trace) = verify_log([body.as_bytes()], &trust, &Limits::default());
    let flag = |name: &str| entry.get(name).and_then(Json::as_bool).unwrap_or(false);
    let number = |name: &str| entry.get(name).and_then(Json::as_i64);
    // A page that says that it starts at -1 and starts at 0 is refuted for saying so.
    let starts = number("first").is_none() || number("first") == number("start");
    let entries = flag("count_ok") && starts && number("start").is_none_or(|start| start >= 0);
    let huge = entry.get("start").and_then(Json::as_u64).is_none() && number("start").is_none();
    let found = (established(&trace, "entries"), established(&trace, "leaf-hashes"));
    if huge || found == (entries, flag("ok")) {
        Vec::new()
    } else {
        vec![format!("expected {entry}, found {found:?} {}", summary(&trace))]
    }
}

/// `negatives/`: bundles with one defect each, and untouched ones. Some defects show only beside the log.
fn tampered_bundles(folder: &Path) -> Outcome {
    let producer = producer(&folder.join("state-main"))?;
    let index = json(&folder.join("negatives/index.json"))?;
    let entries = index.as_array().ok_or("no list")?;
    let mut wrong = Vec::new();
    for entry in entries {
        let case = json(&folder.join("negatives").join(text(entry, "file")))?;
        let key = [PublicKey::from_hex(text(&case, "pinned_registry_pub")).ok_or("no pinned key")?];
        let trust = Trust::default()
            .registry_keys(&key)
            .log(Some(&producer.log))
            .file_id(Some(text(&case, "requested_file_id")));
        let trace = verify_bundle(text(&case, "body_text").as_bytes(), &trust, &Limits::default());
        let refuted = trace.verdict() == Verdict::Refuted;
        if refuted != (text(entry, "expect") == "reject") {
            wrong.push(format!(
                "{}: expected {}; {}",
                text(entry, "file"),
                text(entry, "expect"),
                summary(&trace)
            ));
        }
    }
    done(entries.len(), &wrong)
}

/// `canon/`: bundles over every odd spelling of a manifest; the matrix names the forms of each bundle signature.
fn canonicalization_matrix(folder: &Path) -> Outcome {
    let mut wrong = Vec::new();
    let mut seen = 0;
    let mut files: Vec<PathBuf> = fs::read_dir(folder.join("canon/exchanges"))?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    files.sort();
    for file in files {
        let exchange = json(&file)?;
        let body = body(&exchange);
        let status = exchange.pointer("/response/status").and_then(Json::as_u64);
        if status != Some(200) || !body.contains("bundle_signature_ed25519") {
            continue;
        }
        seen += 1;
        let trace = verify_bundle(body.as_bytes(), &Trust::default(), &Limits::default());
        // One registry stores and returns members that the issuer did not sign: rightly signed, and refuted for them.
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let unsigned = name.contains("-unknown-") && name.contains("--dropped");
        let refuted: Vec<&str> = trace.refuted().map(|layer| layer.id).collect();
        let expected: &[&str] = if unsigned { &["manifest-members"] } else { &[] };
        if refuted != expected || !established(&trace, "issuer-signature") {
            wrong.push(format!("{name}: {}", summary(&trace)));
        }
    }
    done(seen, &wrong)
}

/// The releases as `vectors/oversight/manifests.json` calls them.
fn release_of(folder: &Path) -> Result<&'static str, Box<dyn Error>> {
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("py-0.4.7") => Ok("python-0.4.7"),
        Some("py-0.4.12") => Ok("python-0.4.12"),
        Some("rust-0.4.12") => Ok("rust-0.4.12"),
        _ => Err("no such release".into()),
    }
}

fn table_of_releases() -> Result<Json, Box<dyn Error>> {
    json(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/oversight/manifests.json"))
}

fn list<'a>(value: &'a Json, name: &str) -> impl Iterator<Item = &'a Json> {
    value.get(name).and_then(Json::as_array).into_iter().flatten()
}

/// The table of the project beside what the release answered: it registers the same manifests, and for each policy the same bytes of it.
fn table_of_manifests(folder: &Path) -> Outcome {
    let (release, table) = (release_of(folder)?, table_of_releases()?);
    let matrix = json(&folder.join("canon/canon_matrix.json"))?;
    let (mut seen, mut wrong) = (0, Vec::new());
    for case in list(&table, "cases").filter(|case| case.get("recorded").is_some()) {
        let recorded = matrix
            .as_array()
            .into_iter()
            .flatten()
            .find(|entry| text(entry, "case") == text(case, "recorded"));
        let recorded = recorded.ok_or_else(|| format!("{}: no such recording", text(case, "recorded")))?;
        seen += 1;
        let accepted: Vec<&str> = list(recorded, "accepted").filter_map(Json::as_str).collect();
        let bytes = |name: &&str| {
            recorded.pointer(&format!("/results/{name}/signed_policy_bytes")).and_then(Json::as_str)
        };
        let expected: BTreeSet<&str> = accepted.iter().filter_map(bytes).collect();
        let found = policies(case, release);
        let is_policy = text(case, "id").starts_with("policy/");
        if found.is_empty() != accepted.is_empty() || is_policy && found != expected {
            wrong.push(format!("{}: recorded {expected:?}, in the table {found:?}", text(case, "id")));
        }
    }
    done(seen, &wrong)
}

/// The policy in each message that a release takes.
fn policies<'c>(case: &'c Json, release: &str) -> BTreeSet<&'c str> {
    let taken =
        case.pointer(&format!("/releases/{release}")).into_iter().flat_map(|told| list(told, "accepts"));
    let messages = taken.filter_map(|at| case.pointer(&format!("/signed/{at}/text")).and_then(Json::as_str));
    let policy =
        |message: &'c str| Some(message.split_once("\"policy\":")?.1.rsplit_once(",\"recipient\"")?.0);
    messages.map(|message| policy(message).unwrap_or(message)).collect()
}

/// Every registration of the matrix, also those refused: it was accepted exactly if the signature fits what the release's scheme and
/// readings write.
fn registrations(folder: &Path) -> Outcome {
    let (release, table) = (release_of(folder)?, table_of_releases()?);
    let rules = table.pointer(&format!("/releases/{release}")).ok_or("no rules")?;
    let besides: BTreeSet<&str> = list(&table, "cases")
        .filter(|case| case.pointer(&format!("/releases/{release}/besides")) == Some(&Json::Bool(true)))
        .map(|case| text(case, "recorded"))
        .collect();
    let rounded: BTreeSet<&str> = list(&table, "cases")
        .filter(|case| list(case, "signed").any(|message| list(message, "fits").next().is_none()))
        .map(|case| text(case, "recorded"))
        .collect();
    let (mut seen, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(folder.join("canon/exchanges"))? {
        let path = entry?.path();
        let exchange = json(&path)?;
        let asked = exchange.pointer("/request/body_text").and_then(Json::as_str).unwrap_or("");
        // What a strict reader refuses is no manifest to the verifier.
        let Ok(document) = Document::read(asked.as_bytes(), &Limits::default()) else { continue };
        let Some(manifest) = document.root().get("manifest") else { continue };
        seen += 1;
        let accepted = exchange.pointer("/response/status").and_then(Json::as_u64) == Some(200);
        let kind = text(&exchange, "kind").trim_start_matches("canon-").trim_start_matches("shape-");
        let case = kind.split_once("--").map_or("", |(case, _)| case);
        let expected =
            (fits(manifest, rules) && !besides.contains(case)) || accepted && rounded.contains(case);
        if expected != accepted {
            wrong.push(format!("{}: accepted {accepted}", path.display()));
        }
    }
    done(seen, &wrong)
}

/// Whether the issuer's signature fits what a release writes.
fn fits(manifest: Value<'_>, rules: &Json) -> bool {
    let member = |name: &str| manifest.get(name).and_then(Value::as_str);
    let key = member("issuer_ed25519_pub").and_then(|text| PublicKey::from_hex(&text));
    let signature = member("signature_ed25519").and_then(|text| Signature::from_hex(&text));
    let (Some(key), Some(signature), Ok(scheme)) = (key, signature, text(rules, "scheme").parse::<Scheme>())
    else {
        return false;
    };
    let readings = Reading::ALL
        .into_iter()
        .filter(|reading| list(rules, "readings").any(|name| name == reading.as_str()));
    let mut messages = readings.filter_map(|reading| signing_bytes(manifest, reading, scheme));
    messages.any(|message| verify(&key, &message, &signature).is_ok())
}

/// Logs and manifests of one registry, served by another after an upgrade or a migration.
fn mixed_logs(folder: &Path) -> Outcome {
    let mut wrong = Vec::new();
    let mut seen = 0;
    for entry in fs::read_dir(folder)? {
        let set = entry?.path();
        let name = set.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !(name.starts_with("after-") || name == "nonloopback" || name == "probes") {
            continue;
        }
        let mut files: Vec<PathBuf> =
            fs::read_dir(&set)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
        files.sort();
        for file in files {
            let exchange = json(&file)?;
            let body = body(&exchange);
            if exchange.pointer("/response/status").and_then(Json::as_u64) != Some(200) {
                continue;
            }
            if body.contains("bundle_signature_ed25519") {
                seen += 1;
                let trace = verify_bundle(body.as_bytes(), &Trust::default(), &Limits::default());
                let rest =
                    ["issuer-signature", "registry-signature", "tree-head", "inclusion", "event-binding"];
                if !rest.iter().all(|layer| established(&trace, layer)) || trace.verdict() == Verdict::Refuted
                {
                    wrong.push(format!("{}: {}", file.display(), summary(&trace)));
                }
            } else if body.contains("\"tree_size\"") {
                seen += 1;
                let trace = verify_proof(body.as_bytes(), &Trust::default(), &Limits::default());
                if !established(&trace, "inclusion") || !not_refuted(&trace, "head-known") {
                    wrong.push(format!("{}: {}", file.display(), summary(&trace)));
                }
            }
        }
    }
    done(seen, &wrong)
}
