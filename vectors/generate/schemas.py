"""The JSON Schemas (draft 2020-12) of the kinds of vector, and of the soundness matrix."""

from canon import SCHEMES
from canon_groups import WHY
from cases_canon import SOURCES
from judge import LAYERS
from registry import FORMS
from writer import VECTORS, write_json

HEX = {"type": "string", "pattern": "^([0-9a-f]{2})*$"}
HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
SIZE = {"type": "integer", "minimum": 0}
POINTER = {"type": "string", "pattern": "^(/([^~/]|~[01])*)*$"}

# What no scheme reads.
CANON_INPUT = [
    "json.bom", "json.control-character", "json.duplicate-key", "json.empty", "json.end", "json.escape", "json.lone-surrogate", "json.number", "json.syntax", "json.trailing", "json.utf8",
]
CODES = {
    "json": [
        "json.bom", "json.control-character", "json.duplicate-key", "json.empty", "json.end", "json.escape", "json.lone-surrogate", "json.number", "json.syntax",
        "json.trailing", "json.utf8", "limits.bytes", "limits.depth", "limits.number", "limits.values",
    ],
    "canonicalization": ["canon.float", "canon.number-range", *CANON_INPUT],
    "merkle": ["merkle.empty-old-tree", "merkle.index-out-of-range", "merkle.path-length", "merkle.root-mismatch", "merkle.size-order"],
    "signature": [
        "ed25519.key-length", "ed25519.key-not-a-point", "ed25519.key-not-canonical", "ed25519.key-small-order", "ed25519.mismatch", "ed25519.r-small-order",
        "ed25519.s-out-of-range", "ed25519.signature-length",
    ],
}
ED25519 = [code for code in CODES["signature"] if code != "ed25519.mismatch"]

# Which code each layer of a bundle can be refuted with.
LAYER_CODES = {
    "limits": ["limits.depth", "limits.number"],
    "json": ["json.bom", "json.control-character", "json.duplicate-key", "json.empty", "json.end", "json.escape", "json.lone-surrogate", "json.number", "json.syntax", "json.trailing"],
    "shape": ["bundle.member-missing", "bundle.member-type"],
    "file-id": ["bundle.file-id-differs"],
    "issuer-signature": ["manifest.signature-encoding", "manifest.signature-mismatch", "manifest.signature-missing", *ED25519],
    "manifest-members": ["manifest.unsigned-member"],
    "issuer-key": ["key.differs"],
    "suite": ["suite.downgraded"],
    "post-quantum": ["ml-dsa.mismatch", "ml-dsa.signature-encoding", "ml-dsa.signature-length", "post-quantum.signature-missing"],
    "beacon-rows": ["rows.differ", "rows.identity-differs"],
    "watermark-rows": ["rows.differ", "rows.identity-differs"],
    "registry-signature": ["bundle.signature-encoding", "bundle.signature-mismatch", "bundle.signature-missing"],
    "registry-key": ["key.differs"],
    "tree-head": ["head.empty-root", "head.encoding", "head.message-differs", "head.missing", "head.signature-mismatch"],
    "inclusion": [
        "event.index-missing", "event.proof-missing", "merkle.index-out-of-range", "merkle.path-length", "merkle.root-mismatch", "proof.duplicate", "proof.encoding",
        "proof.event-row", "proof.head-differs", "proof.index-differs",
    ],
    "event-binding": ["event.extra", "event.identity-differs", "event.leaf-differs", "event.time-differs"],
    "event-order": ["event.duplicate-index", "event.order"],
    "registration": [
        "log.registration-differs", "log.registration-missing", "proof.head-differs", "proof.index-differs", "receipt.encoding", "receipt.leaf-differs",
        "receipt.signature-mismatch", "registration.issuer-differs",
    ],
    "time": [
        "time-stamp.certificate", "time-stamp.certificate-attribute", "time-stamp.digest-differs", "time-stamp.encoding", "time-stamp.expired",
        "time-stamp.imprint-differs", "time-stamp.refused", "time-stamp.signature-mismatch", "time-stamp.usage",
    ],
    "attestation": [
        "attestation.digest-differs", "attestation.file-differs", "attestation.issuer-differs", "attestation.predicate", "attestation.recipient-differs",
        "attestation.recipient-key-differs", "attestation.signature-mismatch", "attestation.statement", "attestation.subject-differs", "attestation.suite-differs",
        "attestation.watermarks-differ", "dsse.duplicate-signature", "dsse.encoding", "dsse.payload-type", "dsse.size", "json.duplicate-key", "json.syntax",
    ],
    "attestation-log": [
        "checkpoint.differs", "checkpoint.signature-mismatch", "json.duplicate-key", "merkle.index-out-of-range", "merkle.path-length", "merkle.root-mismatch",
        "transparency.encoding", "transparency.entry-differs",
    ],
}
assert list(LAYER_CODES) == LAYERS
# Which code each layer can be left open with, where a case says so.
OPEN_CODES = {
    "registry-key": ["key.not-pinned", "key.outside-window"],
    "issuer-key": ["key.not-pinned"],
    **{layer: ["input.not-reached"] for layer in ("inclusion", "event-order")},
    "event-binding": ["event.identity-earlier", "input.not-reached"],
    "registration": ["log.encoding", "log.registration-differs", "log.too-short", "registration.no-proof"],
    "completeness": ["log.encoding", "log.event-missing", "log.too-short", "registration.no-proof"],
    "log-root": ["input.not-given", "log.too-short"],
    "freshness": ["input.not-given", "time.stale"],
    "suite": ["suite.unknown"],
    "post-quantum": ["input.not-reached", "post-quantum.key-missing"],
    "time": ["key.not-pinned", "time-stamp.algorithm", "time-stamp.before-evidence", "time-stamp.certificate-missing", "time-stamp.untrusted", "time.server-clock"],
    "attestation": ["attestation.key-unknown", "attestation.schema", "input.not-given", "key.not-pinned", "key.outside-window"],
    "attestation-log": ["input.not-given", "input.not-reached", "key.not-pinned", "transparency.entry-kind"],
}
NOTES = [
    "event.after-bundle", "event.before-registration", "event.kind-unknown", "event.token-unsigned", "interop.hex-spelling", "interop.inclusion-name", "interop.key-digest", "interop.legacy-reading", "interop.legacy-scheme",
    "interop.member-absent", "interop.null-dropped", "interop.sealed-form", "interop.rounded-number", "interop.tie-order", "interop.unknown-member",
    "interop.unsigned-slot", "time.after-bundle",
]
FEATURES = ["post-quantum", "rfc3161"]


def closed(properties, required=None):
    return {"type": "object", "properties": properties, "required": list(properties) if required is None else required, "additionalProperties": False}


def listing(items, **more):
    return {"type": "array", "items": items, **more}


def source(**more):
    """A text, either as it is or as the hexadecimal of its bytes."""
    shape = closed({"text": {"type": "string"}, "hex": HEX, **more}, [])
    return {**shape, "oneOf": [{"required": ["text"]}, {"required": ["hex"]}]}


def reject(kind, **more):
    return closed({"reject": {"enum": CODES[kind]}, **more})


WINDOW = closed({"key": HASH, "from": {"type": "integer"}, "until": {"type": "integer"}}, ["key"])
INPUTS = {
    "json": source(limits=closed({"bytes": SIZE, "depth": SIZE, "number": SIZE, "values": SIZE}, [])),
    "merkle": {"oneOf": [
        closed({"operation": {"const": "root"}, "leaves": listing(HEX)}),
        closed({"operation": {"const": "inclusion"}, "tree_size": SIZE, "index": SIZE, "leaf_hash": HASH, "path": listing(HASH), "root": HASH}),
        closed({"operation": {"const": "consistency"}, "old_size": SIZE, "new_size": SIZE, "old_root": HASH, "new_root": HASH, "path": listing(HASH)}),
    ]},
    "signature": closed({"public_key": HEX, "message": HEX, "signature": HEX}),
    "bundle": closed({
        "bundle": {"type": "string"},
        "trust": closed({
            "tsa_roots": {"type": "string"}, "tsa_certificates": {"type": "string"},
            "attestation_keys": listing(HASH, minItems=1), "log_keys": listing(closed({"name": {"type": "string"}, "key": HASH}), minItems=1),
            "ml_dsa_keys": listing(closed({"issuer": HASH, "key": {"type": "string", "pattern": "^[0-9a-f]{3904}$"}, "hybrid_only": {"type": "boolean"}}), minItems=1),
            "registry_key": HASH, "issuer_keys": listing(HASH, minItems=1), "log": {"type": "string"}, "file_id": {"type": "string"},
            "windows": listing(WINDOW, minItems=1), "freshness": closed({"now": {"type": "integer"}, "most_seconds": SIZE}),
        }, []),
    }),
}
FORM_LIST = listing({"enum": FORMS}, minItems=1, uniqueItems=True)


def outcome(codes_by_layer, required=None):
    return {"oneOf": [closed({"layer": {"const": layer}, "code": {"enum": codes}, "at": POINTER}, required) for layer, codes in codes_by_layer.items()]}


EXPECTATIONS = {
    "json": {"oneOf": [{"const": "accept"}, reject("json", offset=SIZE, pointer=POINTER)]},
    "merkle": {"oneOf": [{"const": "accept"}, reject("merkle")]},
    "signature": {"oneOf": [{"const": "accept"}, reject("signature")]},
    "bundle": closed({
        "verdict": {"enum": ["authentic", "consistent", "refuted"]},
        "refuted": listing(outcome(LAYER_CODES)),
        "open": listing(outcome(OPEN_CODES, ["layer", "code"]), minItems=1),
        "established": listing({"enum": LAYERS}, uniqueItems=True),
        "schemes": closed({"registry-signature": FORM_LIST, "issuer-signature": FORM_LIST}, []),
        "notes": listing(closed({"code": {"enum": NOTES}, "at": POINTER}), minItems=1),
        "needs": listing(closed({"layer": {"enum": LAYERS}, "feature": {"enum": FEATURES}}), minItems=1),
    }, ["verdict", "refuted", "established", "schemes"]),
}
OUTPUTS = {
    "merkle": closed({"root": HASH}),
}
# What a rejecting case looks like, and which accepted cases have an output.
REFUSED = {"properties": {"expect": {"type": "object"}}}
REFUTED = {"properties": {"expect": {"properties": {"verdict": {"const": "refuted"}}}}}
WITH_OUTPUT = {"merkle": {"properties": {"input": {"properties": {"operation": {"const": "root"}}}}}}


def schema(kind):
    properties = {
        "why": {"type": "string", "pattern": "\\.$"}, "spec": {"type": "string", "minLength": 1}, "kind": {"const": kind}, "input": INPUTS[kind], "expect": EXPECTATIONS[kind],
        "twin": {"type": "string", "pattern": "^[a-z0-9./-]+$"},
    }
    required = ["why", "spec", "kind", "input", "expect"]
    accepted = {"not": {"required": ["twin"]}}
    if kind in OUTPUTS:
        properties["output"] = OUTPUTS[kind]
        accepted = {"allOf": [accepted, {"if": WITH_OUTPUT[kind], "then": {"required": ["output"]}, "else": {"not": {"required": ["output"]}}}]}
    refused = {"required": ["twin"], "not": {"required": ["output"]}}
    rules = {"if": REFUTED if kind == "bundle" else REFUSED, "then": refused, "else": accepted}
    if kind == "bundle":
        no_fault = {"properties": {"expect": {"properties": {"refuted": {"maxItems": 0}, "schemes": {"required": ["registry-signature", "issuer-signature"]}}}}}
        rules["then"] = {**refused, "properties": {"expect": {"properties": {"refuted": {"minItems": 1}}}}}
        rules["else"] = {"allOf": [accepted, no_fault]}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": f"A test vector of kind {kind}", **closed(properties, required), **rules}


NAME = {"type": "string", "pattern": "^[a-z0-9.-]+$"}
CASE = {"type": "string", "pattern": "^[a-z]+/[a-z0-9.-]+$"}
TEXT = {"type": "string", "minLength": 1}
# Who could have made an edit of the soundness matrix, and what a caller may know.
ACTOR = {"enum": ["anybody", "registry", "registry-and-log", "issuer", "issuer-and-registry", "outsider"]}
KNOWN = listing({"enum": ["registry-key", "issuer-key", "file-id", "log", "head-now", "head-then"]}, uniqueItems=True)
REFUTATIONS = {"type": "object", "propertyNames": NAME, "additionalProperties": NAME}


def soundness_schemas():
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    head = closed({"size": SIZE, "root": HASH})
    trust = closed({"registry-key": HASH, "issuer-key": HASH, "file-id": TEXT, "log": TEXT, "head-now": head, "head-then": head})
    base = closed({"base": NAME, "scheme": {"enum": FORMS}, "bundle": TEXT, "trust": trust})
    texts = {"type": "object", "additionalProperties": TEXT}
    yield "soundness-bases", {**draft, "title": "The good bundles of the soundness matrix", **closed({"by": texts, "knows": texts, "trust": KNOWN, "bases": listing(base, minItems=3)})}
    splice = closed({"at": SIZE, "remove": SIZE, "insert": {"type": "string"}, "insert_hex": HEX}, ["at", "remove"])
    edit = closed({
        "base": NAME, "by": ACTOR, "at": POINTER, "what": TEXT, "splices": listing({**splice, "oneOf": [{"required": ["insert"]}, {"required": ["insert_hex"]}]}, minItems=1),
        "verdict": {"enum": ["authentic", "consistent", "refuted"]}, "refuted": REFUTATIONS, "outcome": {"enum": ["refuted", "neutral", "not-detectable"]}, "trust": KNOWN, "why": TEXT,
        "shown_by": listing(closed({"trust": KNOWN, "refuted": {**REFUTATIONS, "minProperties": 1}})),
    }, ["base", "by", "at", "what", "splices", "verdict", "refuted", "outcome"])
    edit["if"] = {"properties": {"outcome": {"const": "refuted"}}}
    edit["then"] = {"properties": {"verdict": {"const": "refuted"}, "refuted": {"minProperties": 1}}, "not": {"anyOf": [{"required": ["why"]}, {"required": ["shown_by"]}]}}
    edit["else"] = {"properties": {"verdict": {"enum": ["authentic", "consistent"]}, "refuted": {"maxProperties": 0}}, "required": ["why"]}
    known = closed({"class": NAME, "title": TEXT, "edits": listing(edit, minItems=1)})
    yield "soundness-group", {**draft, "title": "A group of edits of the soundness matrix", **closed({"group": NAME, "title": TEXT, "classes": listing(known, minItems=1)})}


def canonicalization_schema():
    sources = listing({"enum": list(SOURCES)}, minItems=2, uniqueItems=True)
    outcome = {"oneOf": [closed({"hex": HEX, "sha256": HASH, "sources": sources}), closed({"reject": {"enum": CODES["canonicalization"]}, "twin": CASE, "sources": sources})]}
    case = closed({"id": CASE, "why": {"type": "string", "pattern": "\\.$"}, "spec": TEXT, "hex": HEX, "text": TEXT, "outcomes": closed({scheme: outcome for scheme in SCHEMES})}, ["id", "why", "spec", "hex", "outcomes"])
    group = closed({"group": {"enum": list(WHY)}, "why": TEXT, "sources": closed({source: TEXT for source in SOURCES}), "cases": listing(case, minItems=10)})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A group of test vectors of canonicalization", **group}


def check_vocabulary(writer, canonicalization):
    """Every code of the closed vocabulary is exercised by a case, and no case uses another."""
    used = {kind: set() for kind in INPUTS}
    left_open, notes = set(), set()
    for case in writer.cases.values():
        expect = case["expect"]
        if case["kind"] in ("document", "log", "registration"):
            continue  # these have a vocabulary of their own
        if case["kind"] == "bundle":
            used["bundle"] |= {(fault["layer"], fault["code"]) for fault in expect["refuted"]}
            left_open |= {(layer["layer"], layer["code"]) for layer in expect.get("open", [])}
            notes |= {note["code"] for note in expect.get("notes", [])}
        elif expect != "accept":
            used[case["kind"]].add(expect["reject"])
    used["canonicalization"] = canonicalization
    for kind, codes in CODES.items():
        assert used[kind] == set(codes), (kind, used[kind] ^ set(codes))
    allowed = {(layer, code) for layer, codes in LAYER_CODES.items() for code in codes}
    assert used["bundle"] == allowed, used["bundle"] ^ allowed
    may_be_open = {(layer, code) for layer, codes in OPEN_CODES.items() for code in codes}
    assert left_open == may_be_open, left_open ^ may_be_open
    assert notes == set(NOTES), notes ^ set(NOTES)


def write():
    for kind in INPUTS:
        write_json(VECTORS / "schemas" / f"vector-{kind}.schema.json", schema(kind))
    write_json(VECTORS / "schemas" / "vector-canonicalization.schema.json", canonicalization_schema())
    for name, soundness in soundness_schemas():
        write_json(VECTORS / "schemas" / f"{name}.schema.json", soundness)
