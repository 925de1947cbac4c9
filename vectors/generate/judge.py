"""A plain judge of evidence bundles: it checks that every expectation in the bundle cases is exactly what the rules give.

Each layer answers None (established), (code, pointer) when refuted, an Open when nothing given can show it, or "unsettled"
when something before it is missing.
"""

import collections
import datetime
import json
import re

import attestation
import canon
import ed25519 as ed
import merkle
import mldsa
import tsa
from registry import DEFAULTS, FORMS, SIGNATURE, fitting, leaf_of, readings, unknown_members
from strict_json import Defect, Reader

LAYERS = [
    "limits", "json", "shape", "file-id", "issuer-signature", "manifest-members", "issuer-key", "suite", "post-quantum", "beacon-rows", "watermark-rows",
    "registry-signature", "registry-key", "tree-head", "inclusion", "event-binding", "event-order", "registration",
    "time", "attestation", "attestation-log",
]
SHAPE = {
    "file_id": str, "bundle_generated_at": str, "registry_pub": str, "manifest": dict, "beacons": list, "watermarks": list, "events": list, "tlog_proofs": list,
}
# What whoever shows a row reads, and no other layer looks at.
NOTHING = type(None)
ROW_TYPES = {
    ("beacons", "registered_at"): (int, float), ("watermarks", "registered_at"): (int, float), ("events", "id"): (int, float, str), ("events", "token_id"): (str,), ("events", "kind"): (str,),
    ("events", "source_ip"): (str, NOTHING), ("events", "user_agent"): (str, NOTHING),
}
UNSETTLED = "unsettled"
SUITES = ("OSGT-CLASSIC-v1", "OSGT-HYBRID-v1", "OSGT-HW-P256-v1")


class Open(collections.UserList):
    """[code, pointer] of a layer that is neither established nor refuted."""


def judge(text, trust, eager=False):
    """(results by layer, fitting forms by signature layer); an eager judge goes on where something before is missing."""
    results = {layer: UNSETTLED for layer in LAYERS}
    forms = {}
    try:
        Reader(text.encode("utf-8")).read()
    except Defect as defect:
        results["limits" if defect.code.startswith("limits.") else "json"] = (defect.code, defect.pointer)
        return results, forms
    results["limits"] = results["json"] = None
    bundle = json.loads(text)
    results["shape"] = shape(bundle)
    if results["shape"]:
        return results, forms
    manifest = bundle["manifest"]
    results["file-id"] = file_id(bundle, trust)
    results["issuer-signature"], forms["issuer-signature"] = issuer_signature(manifest)
    results["registry-signature"], forms["registry-signature"] = registry_signature(bundle)
    if eager or results["issuer-signature"] is None:
        unknown = unknown_members(manifest)
        results["manifest-members"] = ("manifest.unsigned-member", unknown[0]) if unknown else None
        results["issuer-key"] = issuer_key(manifest, trust)
        results["suite"] = suite(manifest, trust)
        results["post-quantum"] = post_quantum(manifest, trust, results["issuer-signature"] is None)
        size = (bundle.get("tlog_head") or {}).get("size")
        # Receipts stand in for a log that was not given, and are looked at in any case.
        shown = receipts(bundle) if "registration_receipts" in bundle else UNSETTLED
        results["registration"] = shown if isinstance(shown, tuple) or "log" not in trust else registration(manifest, trust, size)
        results["beacon-rows"] = rows(bundle, "beacons", ("token_id", "kind"))
        results["watermark-rows"] = rows(bundle, "watermarks", ("mark_id", "layer"))
    if (eager or results["registry-signature"] is None) and trust.get("registry_key"):
        results["registry-key"] = None if trust["registry_key"] == bundle["registry_pub"] else ("key.differs", "/registry_pub")
        if results["registry-key"] is None and not within_windows(bundle, trust):
            results["registry-key"] = UNSETTLED
    for layer, judged in (("attestation", attestation.judge(bundle, trust)), ("attestation-log", attestation.judge_log(bundle, trust))):
        results[layer] = Open(judged.args) if isinstance(judged, attestation.Left) else judged
    stamped = tsa.judge(bundle, trust, stampable(bundle)) if "time_stamps" in bundle else tsa.Left("time.server-clock", "/events")
    results["time"] = Open(stamped.args) if isinstance(stamped, tsa.Left) else stamped
    results["tree-head"] = tree_head(bundle)
    if results["tree-head"] is None or eager and bundle.get("tlog_head"):
        results["inclusion"] = inclusion(bundle)
    if eager or results["inclusion"] is None:
        results["event-binding"] = event_binding(bundle, trust)
        results["event-order"] = event_order(bundle)
    return results, forms


def seconds(text):
    """Seconds since 1970."""
    at = datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ")
    return int(at.replace(tzinfo=datetime.timezone.utc).timestamp())


def generated(bundle):
    """The time that a bundle gives for itself."""
    return seconds(bundle["bundle_generated_at"])


def within_windows(bundle, trust):
    """A key that no window names is trusted at any time."""
    windows = [window for window in trust.get("windows", []) if window["key"] == bundle["registry_pub"]]
    if not windows:
        return True
    at = generated(bundle)
    latest = max([at, *signed_instants(bundle, trust)])
    return all(any(window.get("from", t) <= t <= window.get("until", t) for window in windows) for t in (at, latest))


def signed_instants(bundle, trust):
    """Every instant that the registry's signature covers: it was made after all of them (docs/decisions/key-windows.md)."""
    rows = bundle["events"] or []
    stamps = [tsa.MADE.get(stamp.get("token"), {}).get("at") for stamp in bundle.get("time_stamps", [])]
    leaves = [json.loads(line)["leaf_data"] for line in trust.get("log", "").splitlines()[: (bundle.get("tlog_head") or {}).get("size", 0)]]
    leaves += [bytes.fromhex(receipt["leaf_data_hex"]) for receipt in bundle.get("registration_receipts", [])]
    return [
        *(row["timestamp"] for row in rows), *(seconds(row["qualified_timestamp"]) for row in rows),
        *(row["registered_at"] for name in ("beacons", "watermarks", "registration_receipts") for row in bundle.get(name, [])),
        bundle["manifest"]["issued_at"], *(stamp for stamp in stamps if stamp is not None), *(seconds(json.loads(leaf)["timestamp"]) for leaf in leaves),
    ]


def is_stale(bundle, trust):
    """Older than the caller allows, or more than five minutes from the future."""
    if "freshness" not in trust:
        return False
    return not -300 <= trust["freshness"]["now"] - generated(bundle) <= trust["freshness"]["most_seconds"]


def shape(bundle):
    if not isinstance(bundle, dict):
        return "bundle.member-type", ""
    for name, kind in SHAPE.items():
        if name not in bundle:
            return "bundle.member-missing", f"/{name}"
        if not isinstance(bundle[name], kind):
            return "bundle.member-type", f"/{name}"
    for name in ("beacons", "watermarks", "events", "tlog_proofs"):
        for i, item in enumerate(bundle[name]):
            if not isinstance(item, dict):
                return "bundle.member-type", f"/{name}/{i}"
            for member, value in item.items():
                if type(value) not in ROW_TYPES.get((name, member), (type(value),)):
                    return "bundle.member-type", f"/{name}/{i}/{member}"
    return None


def file_id(bundle, trust):
    if bundle["file_id"] != bundle["manifest"].get("file_id"):
        return "bundle.file-id-differs", "/manifest/file_id"
    asked = trust.get("file_id", bundle["file_id"])
    return None if bundle["file_id"] == asked else ("bundle.file-id-differs", "/file_id")


def lenient_unhex(text):
    """As `unhex`, and capitals and white space between two bytes are taken: the manifest is the issuer's text."""
    return unhex(re.sub(r"[ \t\r\n]+", "", text).lower()) if all(len(part) % 2 == 0 for part in text.split()) else None


def unhex(text):
    return bytes.fromhex(text) if re.fullmatch(r"([0-9a-f]{2})*", text) else None


def signature_layer(candidates, key, text, prefix, at_signature, at_key, unhex=unhex):
    if not text:
        return (f"{prefix}.signature-missing", at_signature), []
    signature, public = unhex(text), unhex(key)
    if signature is None:
        return (f"{prefix}.signature-encoding", at_signature), []
    fits = fitting(candidates, lambda message: ed.judge(public, message, signature) is None)
    if fits:
        return None, fits
    code = ed.judge(public, canon.canonical("python-sort-keys-utf8", None), signature)
    if code == "ed25519.mismatch":
        return (f"{prefix}.signature-mismatch", at_signature), []
    return (code, at_key if ".key-" in code else at_signature), []


def issuer_signature(manifest):
    return signature_layer(readings(manifest), manifest["issuer_ed25519_pub"], manifest.get("signature_ed25519"), "manifest", "/manifest/signature_ed25519", "/manifest/issuer_ed25519_pub", lenient_unhex)


def registry_signature(bundle):
    body = {name: value for name, value in bundle.items() if name != SIGNATURE}
    return signature_layer({form: [body] for form in FORMS}, bundle["registry_pub"], bundle.get(SIGNATURE), "bundle", f"/{SIGNATURE}", "/registry_pub")


def issuer_key(manifest, trust):
    key, at = lenient_unhex(manifest["issuer_ed25519_pub"]).hex(), "/manifest/issuer_ed25519_pub"
    if "issuer_keys" in trust and key not in trust["issuer_keys"]:
        return "key.differs", at
    return None if "issuer_keys" in trust else UNSETTLED


def ml_dsa_keys(manifest, trust):
    return [key for key in trust.get("ml_dsa_keys", []) if key["issuer"] == manifest["issuer_ed25519_pub"]]


def suite(manifest, trust):
    name, at = manifest.get("suite", DEFAULTS["suite"]), "/manifest/suite"
    if name != "OSGT-HYBRID-v1" and any(key["hybrid_only"] for key in ml_dsa_keys(manifest, trust)):
        return "suite.downgraded", at
    return None if name in SUITES else Open(["suite.unknown", at])


def post_quantum(manifest, trust, signed):
    """The second signature, over the bytes under the one form that the first signature fits."""
    name, at = manifest.get("suite", DEFAULTS["suite"]), "/manifest/signature_ml_dsa"
    if name not in SUITES:
        return Open(["input.not-reached", "/manifest/suite"])
    if name != "OSGT-HYBRID-v1":
        return None
    if not manifest.get("signature_ml_dsa"):
        return "post-quantum.signature-missing", at
    keys = [bytes.fromhex(key["key"]) for key in ml_dsa_keys(manifest, trust)]
    if not keys:
        return Open(["post-quantum.key-missing", at])
    signature = unhex(manifest["signature_ml_dsa"])
    if signature is None:
        return "ml-dsa.signature-encoding", at
    if not signed:
        return Open(["input.not-reached", at])
    if len(signature) != mldsa.SIGNATURE_BYTES:
        return "ml-dsa.signature-length", at
    if not mldsa.is_well_formed(signature):
        return "ml-dsa.signature-encoding", at
    messages = signed_messages(manifest)
    return None if any(mldsa.verifies(key, message, signature) for key in keys for message in messages) else ("ml-dsa.mismatch", at)


def signed_messages(manifest):
    """The texts, one as a rule, that the issuer's Ed25519 signature covers."""
    key, signature = unhex(manifest["issuer_ed25519_pub"]), unhex(manifest["signature_ed25519"])
    found = []
    fitting(readings(manifest), lambda message: ed.judge(key, message, signature) is None and not found.append(message))
    return set(found)


def stampable(bundle):
    """The bytes that a time stamp can be over, by the place that it names."""
    head = bundle["tlog_head"]
    (message,) = signed_messages(bundle["manifest"])
    return {"/tlog_head": b'{"root":"%s","size":%d}' % (head["root"].encode(), head["size"]), "/manifest": message}


def registration(manifest, trust, size):
    lines = trust.get("log", "").splitlines()
    if size is None or len(lines) < size or "log" not in trust:
        return UNSETTLED
    leaves = [json.loads(json.loads(line)["leaf_data"]) for line in lines]
    own = [leaf for leaf in leaves if leaf["event"] == "register" and leaf.get("file_id") == manifest["file_id"]]
    if not own:
        return "log.registration-missing", "/manifest/file_id"
    if own[-1]["issuer_pub"] != manifest["issuer_ed25519_pub"]:
        return "log.registration-differs", "/manifest/issuer_ed25519_pub"
    if own[0]["issuer_pub"] != own[-1]["issuer_pub"]:
        return "registration.issuer-differs", "/manifest/issuer_ed25519_pub"
    doubtful = any(may_register(line, manifest["file_id"]) for line in lines[:size])
    return UNSETTLED if doubtful or len({leaf["issuer_pub"] for leaf in own}) > 1 else None


def is_strict(text):
    try:
        Reader(text.encode("utf-8")).read()
    except Defect:
        return False
    return True


def may_register(line, file_id):
    """Whether a leaf may be of a registration of the file, and is not written as one."""
    text = json.loads(line)["leaf_data"]
    leaf = json.loads(text)
    named = leaf.get("file_id")
    if not is_strict(text):
        return True
    if leaf.get("event") in ("beacon", "register"):
        return leaf["event"] == "register" and not isinstance(named, str)
    return not isinstance(named, str) or named == file_id


def is_unclear(line):
    """Whether a leaf does not say in a known way what it is of."""
    text = json.loads(line)["leaf_data"]
    leaf = json.loads(text)
    if not is_strict(text):
        return True
    if leaf.get("event") == "register":
        return not isinstance(leaf.get("file_id"), str)
    names = [leaf.get("file_id", [])] + ([leaf.get("token_id")] if leaf.get("file_id", []) is None else [])
    return leaf.get("event") != "beacon" or not all(name is None or isinstance(name, str) or is_number(name) for name in names)


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_astray(line, bundle, log):
    """Whether a leaf is of a token that the issuer signed, of no event of the bundle, and of no file that was registered with a beacon by then."""
    record = json.loads(line)
    leaf = json.loads(record["leaf_data"])
    signed = {beacon["token_id"] for beacon in bundle["manifest"]["beacons"]}
    if leaf.get("event") != "beacon" or str(leaf["token_id"]) not in signed or record["index"] in {row["tlog_index"] for row in bundle["events"]}:
        return False
    before = [json.loads(json.loads(known)["leaf_data"]) for known in log[: record["index"]]]
    return not any(known.get("event") == "register" and known.get("file_id") == leaf["file_id"] and known["n_beacons"] > 0 for known in before if leaf["file_id"] is not None)


RECEIPT = ("file_id", "issuer_pub", "leaf_data_hex", "leaf_hash", "tlog_index", "registered_at")


def receipts(bundle):
    """The announced dialect: each receipt is signed, of this file, and its leaf is in the log of the bundle's head."""
    at = "/registration_receipts"
    if not isinstance(bundle["registration_receipts"], list) or not bundle["registration_receipts"]:
        return "receipt.encoding", at
    shown = {}
    for i, receipt in enumerate(bundle["registration_receipts"]):
        fault = receipt_fault(bundle, receipt)
        if fault:
            return fault[0], f"{at}/{i}/{fault[1]}"
        shown[receipt["tlog_index"]] = receipt["issuer_pub"]
    keys, at = [key for _, key in sorted(shown.items())], "/manifest/issuer_ed25519_pub"
    if keys[-1] != bundle["manifest"]["issuer_ed25519_pub"]:
        return "log.registration-differs", at
    return ("registration.issuer-differs", at) if keys[0] != keys[-1] else UNSETTLED if len(set(keys)) > 1 else None


def receipt_fault(bundle, receipt):
    signed = {name: receipt[name] for name in RECEIPT if name in receipt}
    fault, _ = signature_layer({form: [signed] for form in FORMS}, bundle["registry_pub"], receipt.get("signature"), "receipt", "signature", "/registry_pub")
    if fault:
        return ("receipt.encoding" if fault[0].endswith(("-missing", "-encoding", "-length")) else fault[0]), "signature"
    if type(receipt.get("registered_at")) not in (int, float):
        return "receipt.encoding", "registered_at"
    leaf = unhex(receipt.get("leaf_data_hex", "-"))
    if leaf is None:
        return "receipt.encoding", "leaf_data_hex"
    if merkle.leaf_hash(leaf).hex() != receipt["leaf_hash"]:
        return "receipt.leaf-differs", "leaf_hash"
    record = json.loads(leaf)
    if record["event"] != "register" or record["file_id"] != receipt["file_id"] or record["file_id"] != bundle["manifest"]["file_id"] or record["issuer_pub"] != receipt["issuer_pub"]:
        return "receipt.leaf-differs", "leaf_data_hex"
    proof, head = receipt["proof"], bundle["tlog_head"]
    if proof["index"] != receipt["tlog_index"]:
        return "proof.index-differs", "proof/index"
    if proof["leaf_hash"] != receipt["leaf_hash"]:
        return "receipt.leaf-differs", "proof/leaf_hash"
    if proof["tree_size"] != head["size"] or proof["root"] != head["root"]:
        return "proof.head-differs", "proof/root"
    return None


def rows(bundle, name, members):
    manifest = bundle["manifest"]
    # The column is text: a number that was signed comes back as its text. What is no text and no number agrees with nothing.
    text = lambda value: str(value) if type(value) in (str, int) else None
    signed = [tuple(text(item.get(member)) for member in members) for item in manifest.get(name, DEFAULTS[name])]
    listed = [tuple(text(row[member]) for member in members) for row in bundle[name]]
    if any(None in item for item in signed) or sorted(signed) != sorted(listed):
        return "rows.differ", f"/{name}"
    for i, row in enumerate(bundle[name]):
        wrong = wrong_identity(row, manifest)
        if wrong:
            return "rows.identity-differs", f"/{name}/{i}/{wrong}"
    return None


def wrong_identity(row, manifest):
    expected = {"file_id": manifest["file_id"], "recipient_id": manifest["recipient"]["recipient_id"], "issuer_id": manifest["issuer_id"]}
    return next((name for name, value in expected.items() if row[name] != value), None)


def tree_head(bundle):
    head = bundle.get("tlog_head")
    if head is None:
        return "head.missing", "/tlog_head"
    for name, length in (("root", 32), ("signature", 64)):
        data = unhex(head[name])
        if data is None or len(data) != length:
            return "head.encoding", f"/tlog_head/{name}"
    if head["size"] == 0 and head["root"] != merkle.sha256(b"").hex():
        return "head.empty-root", "/tlog_head/root"
    if head["signed_message"] != '{"root":"%s","size":%d}' % (head["root"], head["size"]):
        return "head.message-differs", "/tlog_head/signed_message"
    if ed.judge(unhex(bundle["registry_pub"]), head["signed_message"].encode(), unhex(head["signature"])):
        return "head.signature-mismatch", "/tlog_head/signature"
    return None


def inner(proof):
    return proof["proof"] if "proof" in proof else proof["inclusion"]


def inclusion(bundle):
    events, proofs, head = bundle["events"], bundle["tlog_proofs"], bundle["tlog_head"]
    for i, event in enumerate(events):
        if event["tlog_index"] is None:
            return "event.index-missing", f"/events/{i}/tlog_index"
    seen = set()
    for i, proof in enumerate(proofs):
        code = proof_fault(proof, events, head, seen)
        if code:
            return code, f"/tlog_proofs/{i}"
    for i in range(len(events)):
        if i not in seen:
            return "event.proof-missing", f"/events/{i}"
    return None


def proof_fault(proof, events, head, seen):
    row, path = proof["event_row"], inner(proof)
    if proof.get("inclusion", path) != path:
        return "proof.duplicate"
    if not 0 <= row < len(events):
        return "proof.event-row"
    if row in seen:
        return "proof.duplicate"
    seen.add(row)
    if not proof["tlog_index"] == path["index"] == events[row]["tlog_index"]:
        return "proof.index-differs"
    hashes = [unhex(text) for text in [path["leaf_hash"], path["root"], *path["proof"]]]
    if any(data is None or len(data) != 32 for data in hashes):
        return "proof.encoding"
    if path["tree_size"] != head["size"] or path["root"] != head["root"]:
        return "proof.head-differs"
    return merkle.judge_inclusion(path["index"], path["tree_size"], hashes[0], hashes[2:], hashes[1])


def event_binding(bundle, trust):
    proven = {proof["event_row"]: inner(proof)["leaf_hash"] for proof in bundle["tlog_proofs"]}
    left = None
    for i, row in enumerate(bundle["events"]):
        if i not in proven:
            continue
        manifest = bundle["manifest"]
        fault = binding_fault(row, proven[i], manifest)
        if fault and fault[0] == "event.identity-differs" and "log" in trust and was_registered_so(row, manifest, trust["log"], bundle["tlog_head"]["size"]):
            left = left or Open(["event.identity-earlier", f"/events/{i}/{fault[1]}"])
            then = {**manifest, "issuer_id": row["issuer_id"], "recipient": {**manifest["recipient"], "recipient_id": row["recipient_id"]}}
            fault = binding_fault(row, proven[i], then)
        if fault:
            code, member = fault
            return code, f"/events/{i}" + (f"/{member}" if member else "")
    return left


def was_registered_so(row, manifest, log, size):
    """The last registration before the event was the issuer's and for whom the row names, and there was another one after it."""
    leaves = [json.loads(bytes.fromhex(json.loads(line)["leaf_data_hex"])) for line in log.splitlines()[:size]]
    of_file = [(i, leaf) for i, leaf in enumerate(leaves) if leaf["event"] == "register" and leaf["file_id"] == manifest["file_id"]]
    before = [leaf for i, leaf in of_file if i < row["tlog_index"]]
    if not before or not any(i > row["tlog_index"] for i, _ in of_file):
        return False
    return before[-1]["issuer_pub"].lower() == manifest["issuer_ed25519_pub"].lower() and all(before[-1][name] == row[name] for name in ("file_id", "recipient_id", "issuer_id"))


def binding_fault(row, proven, manifest):
    wrong = wrong_identity(row, manifest)
    if wrong:
        return "event.identity-differs", wrong
    if not extra_is_in_order(row):
        return "event.extra", "extra"
    if not agent_is_in_order(row):
        return "event.extra", "user_agent"
    if not any(merkle.leaf_hash(canon.canonical(form, leaf_of(row))).hex() == proven for form in FORMS):
        return "event.leaf-differs", None
    at = datetime.datetime.strptime(row["qualified_timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
    # Honest servers read the clock twice; docs/decisions/event-times.md says how far the readings may be apart.
    return None if abs(row["timestamp"] - int(at.timestamp())) <= 5 else ("event.time-differs", "timestamp")


def agent_is_in_order(row):
    """The leaf of a DNS event has no user agent, so its row can prove none."""
    return row["kind"] != "dns" or row["user_agent"] in ("", None)


def extra_is_in_order(row):
    if row["kind"] != "dns":
        return row["extra"] == "{}"
    try:
        Reader(row["extra"].encode("utf-8")).read()
    except Defect:
        return False
    extra = json.loads(row["extra"])
    return isinstance(extra, dict) and set(extra) == {"qname", "qtype"}


def event_order(bundle):
    indexes = set()
    for i, row in enumerate(bundle["events"]):
        if row["tlog_index"] in indexes:
            return "event.duplicate-index", f"/events/{i}/tlog_index"
        indexes.add(row["tlog_index"])
        before = bundle["events"][i - 1] if i else None
        tie = before and row["timestamp"] == before["timestamp"]
        if before and (row["timestamp"] < before["timestamp"] or tie and row["id"] < before["id"] and row["tlog_index"] < before["tlog_index"]):
            return "event.order", f"/events/{i}"
    return None


def verdict(results, trust, text):
    if any(isinstance(result, tuple) for result in results.values()):
        return "refuted"
    needed = (results["suite"], results["post-quantum"], results.get("event-binding"))
    pinned = trust.get("registry_key") and trust.get("issuer_keys")
    return "authentic" if pinned and needed == (None, None, None) and results["registry-key"] is None and not is_stale(json.loads(text), trust) else "consistent"


def left_open(results, trust, text):
    """Layers that are left open, with the reason, as far as a rule says which."""
    found = {("time", "time.server-clock")}
    if "log" not in trust:
        found |= {("registration", "registration.no-proof"), ("completeness", "registration.no-proof"), ("log-root", "input.not-given")}
    bundle = json.loads(text)
    size = bundle["tlog_head"]["size"]
    if "log" in trust and len(trust["log"].splitlines()) < size:
        found |= {("registration", "log.too-short"), ("completeness", "log.too-short"), ("log-root", "log.too-short")}
    elif "log" in trust:
        if results["registration"] == UNSETTLED:
            own = [leaf for leaf in (json.loads(json.loads(line)["leaf_data"]) for line in trust["log"].splitlines()[:size]) if leaf.get("event") == "register" and leaf.get("file_id") == bundle["file_id"]]
            found.add(("registration", "log.registration-differs" if len({leaf["issuer_pub"] for leaf in own}) > 1 else "log.encoding"))
        if any(map(is_unclear, trust["log"].splitlines()[:size])):
            found.add(("completeness", "log.encoding"))
        elif any(is_astray(line, bundle, trust["log"].splitlines()[:size]) for line in trust["log"].splitlines()[:size]):
            found.add(("completeness", "log.event-missing"))
    found.add(("freshness", "input.not-given") if "freshness" not in trust else ("freshness", "time.stale") if is_stale(bundle, trust) else None)
    for name in [name for name, result in results.items() if result == UNSETTLED]:
        if name in ("registry-key", "issuer-key"):
            pinned = trust.get({"registry-key": "registry_key", "issuer-key": "issuer_keys"}[name])
            found.add((name, "key.outside-window" if pinned else "key.not-pinned"))
        # What a member of the wrong type has for its subject cannot be judged.
        elif results["shape"] and bundle.get("events") is None and name in ("inclusion", "event-binding", "event-order"):
            found.add((name, "input.not-reached"))
    return found - {None}
