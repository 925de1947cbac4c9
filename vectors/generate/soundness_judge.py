"""A second judge of evidence bundles, for bundles of any shape: it tells of each edit which layers refute it, and why.

It follows `docs/decisions` and `docs/auditors.md`. Where `judge.py` takes the types of a bundle for granted, this one takes
nothing for granted, because an edit may leave anything in any place. A layer answers None (established), OPEN, or the code of
its first problem.
"""

import datetime
import functools
import json
import re
from decimal import Decimal

import canon
import ed25519 as ed
import merkle
from registry import DEFAULTS, MANIFEST_MEMBERS, SIGNATURE, SIGNED
from strict_json import Defect, Reader

OPEN = "open"
# Those that must be established for `authentic`, in the order in which they are judged.
REQUIRED = [
    "limits", "json", "shape", "file-id", "issuer-signature", "manifest-members", "issuer-key", "suite", "post-quantum", "beacon-rows", "watermark-rows",
    "registry-signature", "registry-key", "tree-head", "inclusion", "event-binding", "event-order",
]
LAYERS = [*REQUIRED, "registration", "completeness", "log-root", "append-only"]
NAMES = ("file_id", "recipient_id", "issuer_id")
RECIPIENT = ("recipient_id", "x25519_pub", "ed25519_pub", "p256_pub")
TEXTS = ("file_id", "version", "suite", "original_filename", "content_hash", "canonical_content_hash", "content_type", "issuer_id", "issuer_ed25519_pub")
ABSENT = object()


class Float(float):
    """A number that is not written as an integer; it remembers how it is written."""

    def __new__(cls, text):
        self = super().__new__(cls, text)
        self.text = text
        return self


def judge(data, trust):
    """The layers of a bundle given as bytes. `trust`: registry_key, issuer_keys, file_id, log (leaves), heads [(size, root)]."""
    found = {layer: OPEN for layer in LAYERS}
    defect = first_defect(data)
    if defect is not None:
        layer = "limits" if defect.code.startswith("limits.") else "json"
        found["limits"] = None if layer == "json" else defect.code
        found["json"] = defect.code if layer == "json" else OPEN
        return found
    bundle = json.loads(data.decode("utf-8"), parse_float=Float)
    found["limits"] = found["json"] = None
    found["shape"] = shape(bundle)
    if not isinstance(bundle, dict):
        return found
    manifest = bundle.get("manifest")
    manifest = manifest if isinstance(manifest, dict) else None
    key = plain_hex(bundle.get("registry_pub"), 32)
    events, proofs = objects(bundle, "events"), objects(bundle, "tlog_proofs")
    found["file-id"] = file_id(bundle, manifest, trust)
    if manifest is not None:
        found["issuer-signature"] = issuer_signature(manifest)
        found["manifest-members"] = "manifest.unsigned-member" if unknown_member(manifest) else None
        found["issuer-key"] = issuer_key(manifest, trust)
        found["suite"], found["post-quantum"] = suite(manifest)
        found["beacon-rows"] = rows(manifest, bundle, "beacons", ("token_id", "kind"))
        found["watermark-rows"] = rows(manifest, bundle, "watermarks", ("mark_id", "layer"))
    if key is not None:
        found["registry-signature"] = registry_signature(bundle, key)
        found["registry-key"] = OPEN if "registry_key" not in trust else None if trust["registry_key"] == bundle["registry_pub"] else "key.differs"
    found["tree-head"], head = tree_head(bundle, key, events)
    if events is not None and proofs is not None:
        found["inclusion"], proven = inclusion(events, proofs, head)
        found["event-binding"] = event_binding(manifest, events, proven)
    if events is not None:
        found["event-order"] = event_order(events)
    found.update(log_layers(bundle, manifest, events, head, trust))
    return found


@functools.lru_cache(maxsize=4)
def first_defect(data):
    try:
        Reader(data).read()
    except Defect as defect:
        return defect
    return None


def refuted(found):
    return {layer: code for layer, code in found.items() if code not in (None, OPEN)}


def verdict(found):
    if refuted(found):
        return "refuted"
    return "authentic" if all(found[layer] is None for layer in REQUIRED) else "consistent"


def suite(manifest):
    """The layers `suite` and `post-quantum`, where no key for a second signature is trusted."""
    name = manifest.get("suite", DEFAULTS["suite"])
    if name == "OSGT-HYBRID-v1":
        empty = manifest.get("signature_ml_dsa") in (None, "")
        return None, "post-quantum.signature-missing" if empty else OPEN
    return (None, None) if name in ("OSGT-CLASSIC-v1", "OSGT-HW-P256-v1") else (OPEN, OPEN)


# Values


def is_integer(value, least, most):
    return type(value) is int and least <= value <= most


def is_u64(value):
    return is_integer(value, 0, 2**64 - 1)


def is_i64(value):
    return is_integer(value, -(2**63), 2**63 - 1)


def raw(value):
    """How a value is written, white space apart."""
    return value.text if isinstance(value, Float) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def plain_hex(value, length):
    """The bytes of a text in plain lower-case hexadecimal of that many bytes."""
    return bytes.fromhex(value) if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{%d}" % (2 * length), value) else None


def lenient_hex(value):
    """Either case, white space between pairs; None for what is no hexadecimal text."""
    if not isinstance(value, str):
        return None
    groups = re.split(r"[ \t\n\r\f]+", value)
    if not all(re.fullmatch(r"([0-9a-fA-F]{2})*", group) for group in groups):
        return None
    return bytes.fromhex("".join(groups))


def instant(value):
    """Seconds since 1970 of YYYY-MM-DDThh:mm:ssZ."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z", value):
        return None
    try:
        return int(datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc).timestamp())
    except ValueError:
        return None


def objects(bundle, name):
    items = bundle.get(name)
    return items if isinstance(items, list) and all(isinstance(item, dict) for item in items) else None


# Canonical bytes and signatures

judged = functools.cache(ed.judge)


def bad_key(key):
    """The code of the rule that a public key breaks, if any."""
    code = judged(key, b"", ed.encode(ed.BASE) + bytes(32))
    return code if ".key-" in (code or "") else None


def rounds(value, scheme):
    """Whether the scheme would write an integer as another integer."""
    if isinstance(value, dict):
        return any(rounds(item, scheme) for item in value.values())
    if isinstance(value, list):
        return any(rounds(item, scheme) for item in value)
    if not isinstance(value, int) or isinstance(value, bool) or scheme not in ("jcs", "serde-jcs-0.1"):
        return False
    if scheme == "serde-jcs-0.1" and -(2**63) <= value < 2**64:
        return False
    try:
        return Decimal(canon.through_double(value)) != value
    except canon.Refused:
        return True


def texts(value):
    """The canonical texts of a value, one after the other, over all schemes that can write it."""
    for scheme in canon.SCHEMES:
        try:
            if not rounds(value, scheme):
                yield canon.canonical(scheme, value)
        except (canon.Refused, OverflowError):
            continue


def misfit(key, signature, messages):
    """None when the signature is over one of the messages, else the code of the first rule that it breaks."""
    over = SIGNED.get((key, signature))
    if over is not None:
        return None if over in messages else "ed25519.mismatch"
    codes = [judged(key, message, signature) for message in dict.fromkeys(messages)] or [judged(key, b"", signature) or "ed25519.mismatch"]
    return None if None in codes else codes[-1]


def issuer_signature(manifest):
    text = manifest.get("signature_ed25519")
    if text is None or text == "":
        return "manifest.signature-missing"
    key = lenient_hex(manifest.get("issuer_ed25519_pub"))
    if key is None:
        return "manifest.signature-encoding"
    if bad_key(key):
        return bad_key(key)
    signature = lenient_hex(text)
    if signature is None:
        return "manifest.signature-encoding"
    if len(signature) != 64:
        return "ed25519.signature-length"
    messages = (message for reading in readings(manifest) for message in texts(reading))
    code = misfit(key, signature, messages)
    return "manifest.signature-mismatch" if code == "ed25519.mismatch" else code


def readings(manifest):
    """What the issuer may have signed: the manifest as the two families of registries parse and write it again."""
    typed = keep_nulls(manifest)
    found = [drop_nulls(manifest), typed]
    if typed is not None:
        older = {name: item for name, item in typed.items() if (name, raw(item)) not in (("canonical_content_hash", '""'), ("l3_policy", "{}"))}
        found.append(older)
    # In Python 1 and 1.0 are equal, but they are not written alike.
    return list({raw(reading): reading for reading in found if reading is not None}.values())


def drop_nulls(manifest):
    if unknown_member(manifest):
        return None
    reading = {}
    for name in sorted(MANIFEST_MEMBERS):
        value = manifest.get(name, ABSENT)
        if name.startswith("signature_"):
            reading[name] = ""
        elif name == "recipient":
            if value is ABSENT or not value:
                continue
            if not isinstance(value, dict):
                return None
            reading[name] = value
        elif value is ABSENT:
            if name not in DEFAULTS:
                return None
            reading[name] = DEFAULTS[name]
        elif name == "watermarks" and not isinstance(value, list):
            return None
        else:
            reading[name] = value
    return without_nulls(reading)


def without_nulls(value):
    if isinstance(value, dict):
        return {key: without_nulls(item) for key, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def keep_nulls(manifest):
    reading = {}
    for name in sorted(MANIFEST_MEMBERS):
        value = manifest.get(name, ABSENT)
        if name == "recipient":
            if value is ABSENT or value is None:
                continue
            value = typed_recipient(value)
        elif name.startswith("signature_"):
            value = "" if value is ABSENT or isinstance(value, str) else None
        elif value is ABSENT:
            value = DEFAULTS.get(name, 0 if name == "issued_at" else "")
        elif name in TEXTS:
            value = value if isinstance(value, str) else None
        elif name in ("issued_at", "size_bytes"):
            value = typed_integer(name, value)
        elif name == "watermarks":
            value = typed_watermarks(value)
        elif name == "beacons":
            value = value if isinstance(value, list) else None
        else:
            reading[name] = value
            continue
        if value is None:
            return None
        reading[name] = value
    return reading


def typed_recipient(value):
    if not isinstance(value, dict) or "recipient_id" not in value:
        return None
    found = {name: value.get(name, "") for name in RECIPIENT[:2]}
    found.update({name: value[name] for name in RECIPIENT[2:] if value.get(name) is not None})
    return found if all(isinstance(item, str) for item in found.values()) else None


def typed_watermarks(value):
    if not isinstance(value, list):
        return None
    items = [{name: item.get(name) if isinstance(item, dict) else None for name in ("layer", "mark_id")} for item in value]
    return items if all(isinstance(part, str) for item in items for part in item.values()) else None


def typed_integer(name, value):
    fits = is_i64 if name == "issued_at" else is_u64
    if not is_number(value):
        return None
    if fits(value):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 9.3e18 and fits(int(value)):
        return int(value)
    return None


def unknown_member(manifest):
    if any(name not in MANIFEST_MEMBERS for name in manifest):
        return True
    recipient, marks = manifest.get("recipient"), manifest.get("watermarks")
    if isinstance(recipient, dict) and any(name not in RECIPIENT for name in recipient):
        return True
    marks = marks if isinstance(marks, list) else []
    return any(name not in ("layer", "mark_id") for item in marks if isinstance(item, dict) for name in item)


def issuer_key(manifest, trust):
    if "issuer_keys" not in trust:
        return OPEN
    key = lenient_hex(manifest.get("issuer_ed25519_pub"))
    return None if key is not None and key.hex() in trust["issuer_keys"] else "key.differs"


def registry_signature(bundle, key):
    text = bundle.get(SIGNATURE)
    if text is None or text == "":
        return "bundle.signature-missing"
    signature = plain_hex(text, 64)
    if signature is None:
        return "bundle.signature-encoding"
    if bad_key(key):
        return bad_key(key)
    body = {name: value for name, value in bundle.items() if name != SIGNATURE}
    return "bundle.signature-mismatch" if misfit(key, signature, texts(body)) else None


# Members and rows


def shape(bundle):
    if not isinstance(bundle, dict):
        return "bundle.member-type"
    for name, fits in (
        ("file_id", lambda value: isinstance(value, str)),
        ("bundle_generated_at", lambda value: instant(value) is not None),
        ("registry_pub", lambda value: plain_hex(value, 32) is not None),
        ("manifest", lambda value: isinstance(value, dict)),
        *((name, lambda _, name=name: objects(bundle, name) is not None) for name in ("beacons", "watermarks", "events", "tlog_proofs")),
    ):
        if name not in bundle:
            return "bundle.member-missing"
        if not fits(bundle[name]):
            return "bundle.member-type"
    text, number = (lambda value: isinstance(value, str)), (lambda value: isinstance(value, (int, float)) and not isinstance(value, bool))
    or_null = lambda value: value is None or isinstance(value, str)
    times = {"registered_at": number}
    of_events = {"id": lambda value: number(value) or text(value), "token_id": text, "kind": text, "source_ip": or_null, "user_agent": or_null}
    for name, types in (("beacons", times), ("watermarks", times), ("events", of_events)):
        if any(not fits(row[member]) for row in bundle[name] for member, fits in types.items() if member in row):
            return "bundle.member-type"
    return None


def file_id(bundle, manifest, trust):
    if not isinstance(bundle.get("file_id"), str) or manifest is None:
        return OPEN
    signed = manifest.get("file_id", ABSENT)
    signed = None if signed is ABSENT else signed if isinstance(signed, str) else raw(signed)
    asked = trust.get("file_id", bundle["file_id"])
    return None if signed == bundle["file_id"] == asked else "bundle.file-id-differs"


def part(item, name):
    value = item.get(name) if isinstance(item, dict) else None
    return value if isinstance(value, str) else raw(value) if is_number(value) else None


def pair(item, parts):
    first, second = (part(item, name) for name in parts)
    return None if first is None or second is None else (first, second)


def rows(manifest, bundle, name, parts):
    stored = objects(bundle, name)
    if stored is None:
        return OPEN
    signed = manifest.get(name)
    signed = [pair(item, parts) for item in signed] if isinstance(signed, list) else []
    given = [pair(row, parts) for row in stored]
    if None in signed or sorted(signed) != sorted(given, key=lambda item: item or ()):
        return "rows.differ"
    return "rows.identity-differs" if any(wrong_identity(row, manifest) for row in stored) else None


def wrong_identity(row, manifest):
    recipient = manifest.get("recipient")
    recipient = recipient.get("recipient_id") if isinstance(recipient, dict) else None
    signed = {"file_id": manifest.get("file_id"), "recipient_id": recipient, "issuer_id": manifest.get("issuer_id")}
    return not all(same_identity(signed[name], row.get(name)) for name in NAMES)


def same_identity(signed, stored):
    if signed is None or signed == "":
        return stored in (None, "", "unknown")
    if isinstance(signed, str):
        return stored == signed
    return stored == raw(signed) if isinstance(stored, str) else stored is not None and raw(stored) == raw(signed)


# Log: head, proofs, events


def tree_head(bundle, key, events):
    head = bundle.get("tlog_head")
    if head is None:
        return "head.missing" if "tlog_head" not in bundle or events else OPEN, None
    head = head if isinstance(head, dict) else {}
    size, root = head.get("size"), plain_hex(head.get("root"), 32)
    if not is_u64(size) or root is None:
        return "head.encoding", None
    message = '{"root":"%s","size":%d}' % (root.hex(), size)
    known = (size, root)
    if head.get("signed_message") != message:
        return "head.message-differs", known
    if size == 0 and root != merkle.sha256(b""):
        return "head.empty-root", known
    signature = plain_hex(head.get("signature"), 64)
    if signature is None:
        return "head.encoding", known
    if key is None:
        return OPEN, known
    return "head.signature-mismatch" if misfit(key, signature, [message.encode()]) else None, known


def inclusion(events, proofs, head):
    proven, named, first = {}, set(), None
    for item in proofs:
        code, proof = one_proof(item, events, head, named)
        first = first or code
        if code is None:
            proven[item["event_row"]] = proof
    for position, row in enumerate(events):
        if not is_u64(row.get("tlog_index")):
            first = first or "event.index-missing"
        elif position not in named:
            first = first or "event.proof-missing"
    if first is None and head is None and events:
        return OPEN, proven
    return first, proven


def one_proof(item, events, head, named):
    row = item.get("event_row")
    if not is_u64(row) or row >= len(events):
        return "proof.event-row", None
    if row in named:
        return "proof.duplicate", None
    named.add(row)
    if "proof" in item and "inclusion" in item and raw(item["proof"]) != raw(item["inclusion"]):
        return "proof.duplicate", None
    proof = item.get("proof", item.get("inclusion"))
    proof = proof if isinstance(proof, dict) else {}
    path = proof.get("proof")
    if not isinstance(path, list):
        return "proof.encoding", None
    if len(path) > 64:
        return "merkle.path-length", None
    path = [plain_hex(sibling, 32) for sibling in path]
    leaf, root = plain_hex(proof.get("leaf_hash"), 32), plain_hex(proof.get("root"), 32)
    index, size, stated = proof.get("index"), proof.get("tree_size"), item.get("tlog_index")
    if None in path or leaf is None or root is None or not all(map(is_u64, (index, size, stated))):
        return "proof.encoding", None
    expected = events[row].get("tlog_index")
    if not is_u64(expected) or not stated == index == expected:
        return "proof.index-differs", None
    if head is not None and head != (size, root):
        return "proof.head-differs", None
    return merkle.judge_inclusion(index, size, leaf, path, root), leaf


def event_binding(manifest, events, proven):
    for position, row in enumerate(events):
        extra = bad_extra(row)
        if position in proven and not extra and proven[position] not in map(merkle.leaf_hash, texts(leaf_of(row))):
            return "event.leaf-differs"
        if manifest is not None and wrong_identity(row, manifest):
            return "event.identity-differs"
        if extra:
            return "event.extra"
        at, seconds = instant(row.get("qualified_timestamp")), row.get("timestamp")
        if at is None or not is_i64(seconds) or abs(seconds - at) > 5:
            return "event.time-differs"
    return None if len(proven) == len(events) else OPEN


def is_dns(row):
    return row.get("kind") == "dns"


def extra_of(row):
    try:
        text = row.get("extra")
        Reader(text.encode("utf-8")).read()
        return json.loads(text, parse_float=Float)
    except (AttributeError, Defect):
        return None


def bad_extra(row):
    extra = extra_of(row)
    if not isinstance(extra, dict) or is_dns(row) and row.get("user_agent") not in (None, ""):
        return True
    return set(extra) != ({"qname", "qtype"} if is_dns(row) else set())


def leaf_of(row):
    leaf = {"event": "beacon", "timestamp": row.get("qualified_timestamp"), **{name: row.get(name) for name in ("kind", "token_id", "file_id", "recipient_id", "source_ip")}}
    if is_dns(row):
        extra = extra_of(row) or {}
        return {**leaf, "qname": extra.get("qname"), "qtype": extra.get("qtype")}
    return {**leaf, "user_agent": row.get("user_agent")}


def event_order(events):
    places = [row["tlog_index"] for row in events if is_u64(row.get("tlog_index"))]
    if len(places) != len(set(places)):
        return "event.duplicate-index"
    for before, row in zip(events, events[1:]):
        # What is no number comes before all numbers.
        at = [(value is not None, value or 0) for value in (number(before, "timestamp"), number(row, "timestamp"))]
        rises = [goes_up(before, row, name) for name in ("id", "tlog_index")]
        if at[0] > at[1] or at[0] == at[1] and not any(rises):
            return "event.order"
    return None


def number(row, name):
    value = row.get(name)
    return value if is_i64(value) else None


def goes_up(before, row, name):
    first, second = number(before, name), number(row, name)
    return second is not None and (first is None or first < second)


def log_layers(bundle, manifest, events, head, trust):
    """Layers that only a log or a head from elsewhere can decide."""
    log, heads = trust.get("log"), trust.get("heads", [])
    found = {name: OPEN for name in ("registration", "completeness", "log-root", "append-only")}
    root_at = lambda size: merkle.root(log[:size]) if log is not None and size <= len(log) else None
    if head is not None and root_at(head[0]) is not None:
        found["log-root"] = None if root_at(head[0]) == head[1] else "log.root-differs"
        if found["log-root"] is None:
            found["registration"] = OPEN if manifest is None else registration(manifest, log[: head[0]])
            found["completeness"] = OPEN if events is None else completeness(bundle, events, log[: head[0]])
    if head is not None and heads:
        found["append-only"] = append_only(head, heads, root_at)
    return found


def append_only(head, heads, root_at):
    state = None
    for size, root in heads:
        if size == head[0]:
            if root != head[1]:
                return "log.root-differs"
        elif root_at(size) is None or root_at(head[0]) is None:
            state = OPEN
        elif (root_at(size), root_at(head[0])) != (root, head[1]):
            return "log.root-differs"
    return state


def of_file(leaf, event, file_id):
    return leaf.get("event") == event and "file_id" in leaf and raw(leaf["file_id"]) == raw(file_id)


def registration(manifest, log):
    leaves = [leaf for leaf in map(json.loads, log) if of_file(leaf, "register", manifest.get("file_id"))]
    if not leaves:
        return "log.registration-missing"
    leaf, recipient = leaves[-1], manifest.get("recipient")
    recipient = recipient.get("recipient_id") if isinstance(recipient, dict) else None
    key = manifest.get("issuer_ed25519_pub")
    counts = [len(manifest[name]) if isinstance(manifest.get(name), list) else 0 for name in ("beacons", "watermarks")]
    same = (
        same_identity(recipient, leaf["recipient_id"])
        and same_identity(manifest.get("issuer_id"), leaf["issuer_id"])
        and isinstance(key, str) and key.lower() == leaf["issuer_pub"].lower()
        and counts == [leaf["n_beacons"], leaf["n_watermarks"]]
    )
    return None if same else "log.registration-differs"


def completeness(bundle, events, log):
    listed = {row.get("tlog_index") for row in events if is_u64(row.get("tlog_index"))}
    of_log = [index for index, leaf in enumerate(map(json.loads, log)) if of_file(leaf, "beacon", bundle.get("file_id"))]
    return None if set(of_log) <= listed else "log.event-missing"
