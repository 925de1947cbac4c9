"""A toy Oversight registry: enough to issue manifests, keep a log, and hand out signed evidence, under any of three forms."""

import copy
import datetime
import hashlib
import json

import canon
import ed25519 as ed
import merkle

FORMS = ["python-sort-keys", "jcs-exact-integers", "serde-jcs-0.1"]
START = 1767225600  # 2026-01-01T00:00:00Z
SIGNATURE = "bundle_signature_ed25519"
ITEM_MEMBERS = {"layer", "mark_id"}
RECIPIENT_MEMBERS = {"recipient_id", "x25519_pub", "ed25519_pub", "p256_pub"}
DEFAULTS = {
    "version": "OVERSIGHT-v1", "suite": "OSGT-CLASSIC-v1", "original_filename": "", "content_hash": "", "canonical_content_hash": "",
    "content_type": "application/octet-stream", "size_bytes": 0, "issuer_id": "", "issuer_ed25519_pub": "", "watermarks": [], "beacons": [],
    "policy": {}, "l3_policy": {}, "signature_ed25519": "", "signature_ml_dsa": "",
}
MANIFEST_MEMBERS = set(DEFAULTS) | {"file_id", "issued_at", "recipient"}


def digest(label):
    return hashlib.sha256(f"assayer vectors {label}".encode("utf-8")).digest()


def uuid(label):
    data = bytearray(digest(f"uuid {label}")[:16])
    data[6], data[8] = data[6] & 0x0F | 0x40, data[8] & 0x3F | 0x80
    text = data.hex()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def token(label):
    return digest(f"token {label}").hex()[:32]


def utc(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


# What each signature that was made here is over, by key and signature: judges look it up instead of verifying anew.
SIGNED = {}


class Key:
    def __init__(self, label):
        self.seed = digest(f"key {label}")
        self.public = ed.public_key(self.seed)
        self.hex = self.public.hex()

    def sign(self, message):
        signature = ed.sign(self.seed, message)
        SIGNED[self.public, signature] = message
        return signature.hex()


REGISTRY, OTHER_REGISTRY = Key("registry"), Key("other registry")
ISSUER, OTHER_ISSUER = Key("issuer"), Key("other issuer")


def manifest(label, issuer_hex=ISSUER.hex, **members):
    """An issuer's manifest with every member that the protocol knows."""
    content = digest(f"content {label}").hex()
    base = {
        "file_id": uuid(label), "issued_at": START - 86400, "version": "OVERSIGHT-v1", "suite": "OSGT-CLASSIC-v1",
        "original_filename": "minutes.txt", "content_hash": content, "canonical_content_hash": content, "content_type": "text/plain",
        "size_bytes": 2048, "issuer_id": "issuer@assayer.example", "issuer_ed25519_pub": issuer_hex,
        "recipient": {"recipient_id": "reader@assayer.example", "x25519_pub": digest("x25519").hex()},
        "watermarks": [{"layer": "L1_zero_width", "mark_id": token(f"mark {label}")[:16]}, {"layer": "L2_whitespace", "mark_id": token(f"mark2 {label}")[:16]}],
        "beacons": [{"token_id": token(f"{label} 0"), "kind": "dns"}, {"token_id": token(f"{label} 1"), "kind": "http_img"}],
        "policy": {"registry_url": "https://registry.assayer.example", "jurisdiction": "GLOBAL"}, "l3_policy": {},
        "signature_ed25519": "", "signature_ml_dsa": "",
    }
    base.update(members)
    return base


def blanked(value):
    return {**value, "signature_ed25519": "", "signature_ml_dsa": ""}


def web(token_number=1, kind="http_img", agent="reader/1.0", at=60, **members):
    return {"token": token_number, "kind": kind, "agent": agent, "at": at, **members}


def dns(token_number=0, qname="t.beacons.assayer.example", qtype="A", at=60, **members):
    return {"token": token_number, "kind": "dns", "qname": qname, "qtype": qtype, "at": at, **members}


class Evidence:
    """An evidence bundle in the making: change `body`, then `seal`."""

    def __init__(self, label="file", events=(), form="jcs-exact-integers", issuer_form=None, leaf_form=None, issuer=ISSUER, signed=None, wire=None,
                 register_issuer=None, proof_member="proof", order=None, manifest_signature=None, stored_kind=None):
        self.form, self.issuer, self.registry, self.proof_member = form, issuer, REGISTRY, proof_member
        self.leaf_form = leaf_form or form
        signed = signed or manifest(label, issuer.hex if issuer else ISSUER.hex)
        self.issuer_message = canon.canonical(issuer_form or form, signed)
        wire = copy.deepcopy(signed if wire is None else wire)
        if manifest_signature is None:
            manifest_signature = issuer.sign(self.issuer_message)
        elif callable(manifest_signature):
            manifest_signature = manifest_signature(self.issuer_message)
        wire["signature_ed25519"] = manifest_signature
        self.build(wire, list(events), register_issuer, order, stored_kind)
        self.seal()

    def build(self, wire, events, register_issuer, order, stored_kind):
        file_id, recipient, issuer_id = wire["file_id"], wire["recipient"]["recipient_id"], wire["issuer_id"]
        identity = {"file_id": file_id, "recipient_id": recipient, "issuer_id": issuer_id}
        tokens = [item["token_id"] for item in wire["beacons"]]
        records = [register_leaf("another file", "reader@assayer.example", "issuer@assayer.example", OTHER_ISSUER.hex, 1, 0, START)]
        records.append(register_leaf(file_id, recipient, issuer_id, register_issuer or wire["issuer_ed25519_pub"], len(tokens), len(wire["watermarks"]), START + 10))
        rows = []
        for number, event in enumerate(events):
            records.append(stray_leaf(number, START + event["at"]))
            row = event_row(number, event, tokens, identity, len(records), self.form)
            records.append(leaf_of(row))
            rows.append(row)
        records += [stray_leaf(100 + i, START + 4000 + i) for i in range(4)]
        self.leaves = [canon.canonical(self.leaf_form, record) for record in records]
        if order:
            rows = [rows[i] for i in order]
        registered = START + 10
        self.body = {
            "file_id": file_id,
            "bundle_generated_at": utc(START + 5000),
            "registry_pub": self.registry.hex,
            "manifest": wire,
            "beacons": [{"token_id": item["token_id"], **identity, "kind": stored_kind or item["kind"], "registered_at": registered} for item in wire["beacons"]],
            "watermarks": [{"mark_id": item["mark_id"], "layer": item["layer"], **identity, "registered_at": registered} for item in wire["watermarks"]],
            "events": rows,
            "tlog_head": self.head(),
            "tlog_proofs": [self.proof(i, row["tlog_index"]) for i, row in enumerate(rows)],
            "disclaimer": "A record of provenance, made for testing.",
        }

    def head(self, size=None, key=None):
        leaves = self.leaves[:size]
        root = merkle.root(leaves).hex()
        message = json.dumps({"root": root, "size": len(leaves)}, separators=(",", ":"))
        return {"size": len(leaves), "root": root, "signature": (key or self.registry).sign(message.encode()), "signed_message": message}

    def proof(self, event_row, index, size=None):
        leaves = self.leaves[:size]
        inner = {
            "index": index, "leaf_hash": merkle.leaf_hash(leaves[index]).hex(), "proof": [p.hex() for p in merkle.inclusion(index, leaves)],
            "root": merkle.root(leaves).hex(), "tree_size": len(leaves),
        }
        return {"event_row": event_row, "tlog_index": index, self.proof_member: inner}

    def receipt(self, index=1, key=None, signed_as=None, **changes):
        """A receipt for the register leaf at an index, as the announced dialect puts it into bundles."""
        leaf = self.leaves[index]
        receipt = {
            "file_id": self.body["file_id"], "issuer_pub": json.loads(leaf).get("issuer_pub", ""), "leaf_data_hex": leaf.hex(), "leaf_hash": merkle.leaf_hash(leaf).hex(),
            "tlog_index": index, "registered_at": START + 10, **changes,
        }
        signature = (key or self.registry).sign(canon.canonical(self.form, receipt if signed_as is None else signed_as))
        return {**receipt, "signature": signature, "proof": self.proof(0, index)[self.proof_member]}

    def with_receipts(self, *receipts):
        self.body["registration_receipts"] = list(receipts) if receipts else [self.receipt()]
        return self.seal()

    def seal(self, message=None, key=None):
        """Signs the body again, as only the registry can."""
        self.message = canon.canonical(self.form, self.body) if message is None else message
        self.signature = (key or self.registry).sign(self.message)
        return self

    def copy(self):
        return copy.deepcopy(self)

    def value(self):
        return self.body if self.signature is None else {**self.body, SIGNATURE: self.signature}

    def text(self):
        """The transport bytes: insertion order from the Python servers, sorted members from the Rust one."""
        return json.dumps(self.value(), ensure_ascii=False, separators=(",", ":"), sort_keys=self.form == "serde-jcs-0.1")

    def log(self, with_hex=True):
        lines = []
        for index, leaf in enumerate(self.leaves):
            line = {"index": index, "leaf_hash": merkle.leaf_hash(leaf).hex(), "leaf_data": leaf.decode("utf-8")}
            if with_hex:
                line["leaf_data_hex"] = leaf.hex()
            lines.append(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
        return "".join(lines)


def register_leaf(file_id, recipient, issuer_id, issuer_pub, beacons, watermarks, at):
    return {"event": "register", "file_id": file_id, "recipient_id": recipient, "issuer_id": issuer_id, "issuer_pub": issuer_pub, "n_beacons": beacons, "n_watermarks": watermarks, "timestamp": utc(at)}


def stray_leaf(number, at):
    return {"event": "beacon", "kind": "license", "token_id": token(f"stray {number}"), "file_id": None, "recipient_id": None, "source_ip": "198.51.100.7", "user_agent": "", "timestamp": utc(at)}


def event_row(number, event, tokens, identity, index, form):
    at = START + event["at"]
    is_dns = event["kind"] == "dns"
    extra = "{}"
    if is_dns and form == "serde-jcs-0.1":
        extra = json.dumps({"qname": event["qname"], "qtype": event["qtype"]}, ensure_ascii=False, separators=(",", ":"))
    elif is_dns:
        extra = json.dumps({"qtype": event["qtype"], "qname": event["qname"]})
    row = {
        "id": number + 1, "token_id": tokens[event["token"]], **identity, "kind": event["kind"], "source_ip": event.get("ip", "203.0.113.9"),
        "user_agent": "" if is_dns else event["agent"], "extra": event.get("extra", extra), "timestamp": at, "qualified_timestamp": utc(at), "tlog_index": index,
    }
    row.update(event.get("row", {}))
    return row


def leaf_of(row):
    """The log leaf that an event row stands for."""
    leaf = {"event": "beacon", "kind": row["kind"], "token_id": row["token_id"], "file_id": row["file_id"], "recipient_id": row["recipient_id"], "source_ip": row["source_ip"], "timestamp": row["qualified_timestamp"]}
    if row["kind"] == "dns":
        extra = json.loads(row["extra"])
        return {**leaf, "qname": extra["qname"], "qtype": extra["qtype"]}
    return {**leaf, "user_agent": row["user_agent"]}


def readings(manifest):
    """What the issuer may have signed, by form: the manifest as each implementation parses and writes it again."""
    return {"python-sort-keys": python_readings(manifest), "jcs-exact-integers": python_readings(manifest), "serde-jcs-0.1": rust_readings(manifest)}


def python_readings(manifest):
    if unknown_members(manifest):
        return []
    return [blanked({**DEFAULTS, **without_nulls(manifest)})]


def rust_readings(manifest):
    for pointer in unknown_members(manifest):
        manifest = without(manifest, pointer.split("/")[2:])
    full = blanked({**DEFAULTS, **manifest})
    older = dict(full)
    if older["canonical_content_hash"] == "":
        del older["canonical_content_hash"]
    if older["l3_policy"] == {}:
        del older["l3_policy"]
    return [full, older]


def unknown_members(manifest):
    """JSON Pointers, from the bundle's root, of members that the protocol does not know and no signature covers."""
    found = [f"/manifest/{name}" for name in manifest if name not in MANIFEST_MEMBERS]
    recipient = manifest.get("recipient")
    if isinstance(recipient, dict):
        found += [f"/manifest/recipient/{name}" for name in recipient if name not in RECIPIENT_MEMBERS]
    for i, item in enumerate(manifest.get("watermarks", [])):
        found += [f"/manifest/watermarks/{i}/{name}" for name in item if name not in ITEM_MEMBERS]
    return found


def without(value, path):
    value = copy.deepcopy(value)
    parent = value
    for step in path[:-1]:
        parent = parent[int(step)] if isinstance(parent, list) else parent[step]
    del parent[path[-1]]
    return value


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def fitting(candidates, check):
    """The forms of which a candidate has bytes that `check` accepts, in the fixed order."""
    fits = []
    for form in FORMS:
        for candidate in candidates[form]:
            try:
                message = canon.canonical(form, candidate)
            except canon.Refused:
                continue
            if check(message):
                fits.append(form)
                break
    return fits
