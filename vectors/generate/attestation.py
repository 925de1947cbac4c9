"""Attestations: DSSE envelopes, in-toto statements, entries of a transparency log with a checkpoint; and a plain judge of them."""

import base64
import hashlib
import json

import ed25519 as ed
import merkle
from registry import DEFAULTS
from strict_json import Defect, Reader

PAYLOAD_TYPE, STATEMENT_TYPE = "application/vnd.in-toto+json", "https://in-toto.io/Statement/v1"
ENTRY = "/rekor/log_entry"


def b64(data):
    return base64.b64encode(data).decode("ascii")


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def sha256_hex(data):
    return hashlib.sha256(data).hexdigest()


def signed_bytes(payload_type, payload):
    """The pre-authentication encoding of DSSE version 1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement(manifest, **predicate):
    recipient = manifest["recipient"]
    return {
        "_type": STATEMENT_TYPE,
        "subject": [{"name": f"mark:{mark['mark_id']}", "digest": {"sha256": manifest["content_hash"]}} for mark in manifest["watermarks"]],
        "predicateType": "https://assayer.example/registration/v1",
        "predicate": {
            "file_id": manifest["file_id"], "issuer_pubkey_ed25519": manifest["issuer_ed25519_pub"], "recipient_id": recipient["recipient_id"],
            "recipient_pubkey_sha256": sha256_hex(bytes.fromhex(recipient["x25519_pub"])), "suite": manifest["suite"], "registered_at": 1767225610,
            "watermarks": manifest["watermarks"], **predicate,
        },
    }


def envelope(payload, keys, payload_type=PAYLOAD_TYPE, message=None):
    """An envelope around payload bytes, signed by each key."""
    message = signed_bytes(payload_type, payload) if message is None else message
    signatures = [{"keyid": key.hex, "sig": b64(bytes.fromhex(key.sign(message)))} for key in keys]
    return {"payloadType": payload_type, "payload": b64(payload), "signatures": signatures}


def note_key_id(name, key):
    return hashlib.sha256(name.encode() + b"\n\x01" + key.public).digest()[:4]


def checkpoint(name, key, size, root, message=None, key_id=None):
    """A signed note (C2SP): origin, size, root; the signature line names the origin."""
    text = f"{name}\n{size}\n{b64(root)}\n"
    signature = bytes.fromhex(key.sign((text if message is None else message).encode()))
    return f"{text}\n\u2014 {name} {b64((key_id or note_key_id(name, key)) + signature)}\n"


def entry_of_kind_dsse(sealed):
    payload = base64.b64decode(sealed["payload"])
    signatures = [{"signature": item["sig"], "verifier": b64(b"a key")} for item in sealed["signatures"]]
    spec = {"envelopeHash": {"algorithm": "sha256", "value": sha256_hex(compact(sealed).encode())}, "payloadHash": {"algorithm": "sha256", "value": sha256_hex(payload)}, "signatures": signatures}
    return {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}


def entry_of_kind_hashedrekord(sealed):
    message = signed_bytes(sealed["payloadType"], base64.b64decode(sealed["payload"]))
    spec = {"data": {"hash": {"algorithm": "sha256", "value": sha256_hex(message)}}, "signature": {"content": sealed["signatures"][0]["sig"], "publicKey": {"content": b64(b"a key")}}}
    return {"apiVersion": "0.0.1", "kind": "hashedrekord", "spec": spec}


def log_entry(body, name, key):
    return log_entry_of_text(compact(body), name, key)


def log_entry_of_text(text, name, key, index=3, size=7):
    """A log of `size` entries in which the text stands at `index`; the others are fillers."""
    body = text.encode()
    leaves = [body if i == index else f"entry {i}".encode() for i in range(size)]
    root = merkle.root(leaves)
    proof = {"checkpoint": checkpoint(name, key, size, root), "hashes": [h.hex() for h in merkle.inclusion(index, leaves)], "logIndex": index, "rootHash": root.hex(), "treeSize": size}
    return {"body": b64(body), "integratedTime": 1767225620, "logID": sha256_hex(key.public), "logIndex": index, "verification": {"inclusionProof": proof}}


def strict_base64(text):
    """Bytes of padded base64 of either alphabet, or None."""
    for characters in (None, b"-_"):
        try:
            data = base64.b64decode(text, characters, validate=True)
        except (ValueError, TypeError):
            continue
        if base64.b64encode(data, characters or b"+/").decode() == text:
            return data
    return None


class Refuted(Exception):
    pass


class Left(Exception):
    """Neither established nor refuted."""


def find(bundle):
    rekor = bundle.get("rekor")
    if not isinstance(rekor, dict):
        raise Left("input.not-given", "/rekor")
    places = ["/rekor"] * ("payloadType" in rekor) + [f"/rekor/{name}" for name in ("dsse", "envelope", "dsseEnvelope") if name in rekor]
    if not places:
        raise Left("input.not-given", "/rekor")
    if len(places) > 1:
        raise Refuted("dsse.encoding", places[1])
    return (rekor if places[0] == "/rekor" else rekor[places[0].split("/")[2]]), places[0]


def read_envelope(value, at):
    """(payload type, payload, [(key id, signature)])."""
    for name in ("payloadType", "payload"):
        if not isinstance(value.get(name), str):
            raise Refuted("dsse.encoding", f"{at}/{name}")
    if len(value["payload"]) // 4 * 3 > 1 << 20:
        raise Refuted("dsse.size", f"{at}/payload")
    payload = strict_base64(value["payload"])
    if payload is None:
        raise Refuted("dsse.encoding", f"{at}/payload")
    if not isinstance(value.get("signatures"), list) or not value["signatures"]:
        raise Refuted("dsse.encoding", f"{at}/signatures")
    signatures = []
    for i, item in enumerate(value["signatures"]):
        if i == 16:
            raise Refuted("dsse.size", f"{at}/signatures/{i}")
        signature = strict_base64(item.get("sig"))
        if signature is None:
            raise Refuted("dsse.encoding", f"{at}/signatures/{i}/sig")
        key = item.get("keyid", "")
        if any(signature == s or key and key == k for k, s in signatures):
            raise Refuted("dsse.duplicate-signature", f"{at}/signatures/{i}")
        signatures.append((key, signature))
    return value["payloadType"], payload, signatures


def judge(bundle, trust):
    """What the layer `attestation` must answer: None, a tuple, or a Left."""
    try:
        value, at = find(bundle)
        sealed = read_envelope(value, at)
        payload(sealed, bundle["manifest"], at)
        signers(sealed, bundle["manifest"], trust, at)
        if bundle["rekor"].get("bundle_schema", 2) != 2:
            raise Left("attestation.schema", "/rekor/bundle_schema")
    except Refuted as refuted:
        return refuted.args
    except Left as left:
        return left
    return None


def payload(sealed, manifest, at):
    kind, data, _ = sealed
    if kind != PAYLOAD_TYPE:
        raise Refuted("dsse.payload-type", f"{at}/payloadType")
    try:
        Reader(data).read()
    except Defect as defect:
        raise Refuted(defect.code, f"{at}/payload") from None
    code = contradiction(json.loads(data), manifest)
    if code:
        raise Refuted(code, f"{at}/payload")


def contradiction(said, manifest):
    marks = [(mark["mark_id"], mark["layer"]) for mark in manifest["watermarks"]]
    if said.get("_type") != STATEMENT_TYPE or not said.get("predicateType") or not said.get("subject"):
        return "attestation.statement"
    for subject in said["subject"]:
        if subject["name"] not in [f"mark:{mark}" for mark, _ in marks]:
            return "attestation.subject-differs"
        if subject["digest"].get("sha256") != manifest["content_hash"]:
            return "attestation.digest-differs"
    given, key = said["predicate"], manifest["recipient"]["x25519_pub"]
    if set(given) != {"file_id", "issuer_pubkey_ed25519", "recipient_id", "recipient_pubkey_sha256", "suite", "registered_at", "watermarks"}:
        return "attestation.predicate"
    if given["recipient_pubkey_sha256"] not in (sha256_hex(bytes.fromhex(key)), sha256_hex(key.encode())):
        return "attestation.recipient-key-differs"
    texts = all(isinstance(mark, str) for mark in given["watermarks"])
    listed = given["watermarks"] if texts else [(mark["mark_id"], mark["layer"]) for mark in given["watermarks"]]
    if sorted(listed) != sorted([mark for mark, _ in marks] if texts else marks):
        return "attestation.watermarks-differ"
    expected = {
        "file_id": ("file", manifest["file_id"]), "recipient_id": ("recipient", manifest["recipient"]["recipient_id"]),
        "suite": ("suite", manifest.get("suite", DEFAULTS["suite"])), "issuer_pubkey_ed25519": ("issuer", manifest["issuer_ed25519_pub"]),
    }
    for name, (word, value) in expected.items():
        if given[name] != value:
            return f"attestation.{word}-differs"
    return None if isinstance(given["registered_at"], int) else "attestation.predicate"


def trusted_then(key, data, manifest, trust):
    """A registry's key that is trusted for a time only must have signed in it, by the statement's own time and not before the manifest was issued."""
    windows = [window for window in trust.get("windows", []) if window["key"] == key and key not in trust.get("attestation_keys", [])]
    at = json.loads(data)["predicate"]["registered_at"]
    return not windows or all(any(window.get("from", t) <= t <= window.get("until", t) for window in windows) for t in (at, max(at, manifest["issued_at"])))


def signers(sealed, manifest, trust, at):
    kind, data, signatures = sealed
    named = trust.get("attestation_keys", [])
    keys = named + [key for key in [trust.get("registry_key")] if key]
    place = f"{at}/signatures"
    if not keys:
        raise Left("key.not-pinned", place)
    message = signed_bytes(kind, data)
    fitting = [key for key in keys for _, signature in signatures if ed.judge(bytes.fromhex(key), message, signature) is None]
    if any(trusted_then(key, data, manifest, trust) for key in fitting):
        return
    if fitting:
        raise Left("key.outside-window", place)
    hints = {hint for key in keys for hint in (key, sha256_hex(bytes.fromhex(key)))}
    if named or any(hint in hints for hint, _ in signatures):
        raise Refuted("attestation.signature-mismatch", place)
    raise Left("attestation.key-unknown", place)


def judge_log(bundle, trust):
    """What the layer `attestation-log` must answer."""
    rekor = bundle.get("rekor")
    entry = rekor.get("log_entry") if isinstance(rekor, dict) else None
    if entry is None:
        return Left("input.not-given", ENTRY)
    try:
        value, at = find(bundle)
        entry_is_proven(entry, read_envelope(value, at), trust)
    except Refuted as refuted:
        return refuted.args if refuted.args[1].startswith(ENTRY) else Left("input.not-reached", "/rekor")
    except Left as left:
        return left if left.args[1].startswith(ENTRY) else Left("input.not-reached", "/rekor")
    return None


def entry_is_proven(entry, sealed, trust):
    body = strict_base64(entry.get("body"))
    if body is None:
        raise Refuted("transparency.encoding", f"{ENTRY}/body")
    at = f"{ENTRY}/verification/inclusionProof"
    proof = entry.get("verification", {}).get("inclusionProof")
    if proof is None:
        raise Refuted("transparency.encoding", at)
    path = [bytes.fromhex(text) if len(text) == 64 else None for text in proof["hashes"]]
    if None in path or len(path) > 64:
        raise Refuted("transparency.encoding", f"{at}/hashes")
    code = merkle.judge_inclusion(proof["logIndex"], proof["treeSize"], merkle.leaf_hash(body), path, bytes.fromhex(proof["rootHash"]))
    if code:
        raise Refuted(code, f"{at}/hashes")
    entry_is_about(body, sealed)
    if not proof.get("checkpoint"):
        raise Left("key.not-pinned", f"{at}/checkpoint")
    checkpoint_is_good(proof, trust, f"{at}/checkpoint")


def entry_is_about(body, sealed):
    kind, data, signatures = sealed
    try:
        Reader(body).read()
    except Defect as defect:
        raise Refuted(defect.code, f"{ENTRY}/body") from None
    said = json.loads(body)
    if said["kind"] == "dsse":
        digest, about, listed = said["spec"]["payloadHash"], data, [item["signature"] for item in said["spec"]["signatures"]]
    elif said["kind"] == "hashedrekord":
        digest, about, listed = said["spec"]["data"]["hash"], signed_bytes(kind, data), [said["spec"]["signature"]["content"]]
    else:
        raise Left("transparency.entry-kind", f"{ENTRY}/body")
    if digest != {"algorithm": "sha256", "value": sha256_hex(about)} or not {strict_base64(text) for text in listed} & {s for _, s in signatures}:
        raise Refuted("transparency.entry-differs", f"{ENTRY}/body")


def checkpoint_is_good(proof, trust, at):
    parts = proof["checkpoint"].split("\n\n")
    lines = parts[0].split("\n")
    if len(parts) != 2 or len(lines) < 3 or not parts[1].endswith("\n"):
        raise Refuted("transparency.encoding", at)
    if (lines[1], strict_base64(lines[2])) != (str(proof["treeSize"]), bytes.fromhex(proof["rootHash"])):
        raise Refuted("checkpoint.differs", at)
    claimed = False
    for key in trust.get("log_keys", []):
        public = bytes.fromhex(key["key"])
        for line in parts[1].splitlines():
            _, name, text = line.split(" ")
            data = strict_base64(text)
            if name != key["name"] or data[:4] != hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]:
                continue
            if ed.judge(public, (parts[0] + "\n").encode(), data[4:]) is None:
                return
            claimed = True
    raise Refuted("checkpoint.signature-mismatch", at) if claimed else Left("key.not-pinned", at)
