"""Kind `document`: whatever is no bundle. What its cases share, the vocabulary of their layers, and their schemas."""

import copy
import json

import judge_document
import merkle
from registry import REGISTRY
from schemas import HASH, SIZE, closed, listing
from writer import VECTORS, write_json

FOLDERS = ["bundles-together", "heads", "logs", "proofs"]
PINNED = {"registry_keys": [REGISTRY.hex]}
KINDS = ["bundles-together", "consistency-proof", "equivocation-proof", "oversight-head", "oversight-heads", "oversight-log", "oversight-proof", "unknown"]
SHAPE_CODES = {"proof.encoding", "proof.unknown-member", "head.encoding", "merkle.path-length"}
# Which code each layer can be refuted with, and which it can be left open with.
REFUSALS = {
    "json": {"json.bom", "json.duplicate-key", "json.end"},
    "shape": SHAPE_CODES,
    "consistency": {"merkle.empty-old-tree", "merkle.path-length", "merkle.root-mismatch", "merkle.size-order"},
    "old-head": {"head.empty-root", "head.signature-mismatch", "proof.head-differs", "ed25519.key-small-order"},
    "new-head": {"head.empty-root", "head.signature-mismatch", "proof.head-differs", "ed25519.key-small-order"},
    "tree-head": {"head.signature-mismatch"},
    "registry-key": {"key.differs"},
    "contradiction": {
        "equivocation.heads-agree", "equivocation.leaves-agree", "equivocation.prefix-agrees", "equivocation.sizes-differ", "merkle.empty-old-tree",
        "merkle.index-out-of-range", "merkle.path-length", "merkle.root-mismatch", "merkle.size-order",
    },
    "quorum": {"quorum.conflict"},
    "entries": {"log.count", "log.encoding", "log.index-gap"},
    "leaf-hashes": {"log.leaf-hash-differs", "log.leaf-text-differs"},
    "inclusion": {"merkle.index-out-of-range", "merkle.path-length", "merkle.root-mismatch", "proof.encoding"},
    "head-known": {"proof.head-differs"},
    "log-root": {"log.root-differs"},
    "log-leaf": {"log.leaf-differs"},
    "append-only": {"head.conflict", "head.leaves-differ", "log.root-differs"},
    "completeness": {"log.event-missing"},
    "one-manifest": {"manifest.issuer-differs"},
}
OPEN = {
    "old-head": {"input.not-given"}, "new-head": {"input.not-given"}, "registry-key": {"key.not-pinned"}, "tree-head": {"input.not-given"},
    "append-only": {"head.rollback", "input.not-given"}, "one-manifest": {"manifest.differs"}, "quorum": {"input.not-given", "quorum.not-reached"}, "entries": {"input.not-reached"}, "leaf-hashes": {"input.not-reached"},
    "log-root": {"input.not-given", "input.not-reached", "log.too-short"}, "log-end": {"input.not-given", "log.beyond-head"}, "log-leaf": {"input.not-given", "log.too-short"},
    "head-known": {"input.not-given"}, "shape": {"proof.unknown-member"}, "file-id": {"input.not-reached"}, "kind": {"document.kind"}, "freshness": {"time.stale"},
}
NOTES = {"entries": {"interop.hex-spelling"}, "log-root": {"interop.next-root", "log.other-key"}}


def add(writer, id, why, spec, kind, document, trust, refuted=(), open=(), twin=None, notes=()):
    """Writes a case after the judge has found exactly what the case says."""
    text = document if isinstance(document, str) else json.dumps(document)
    layers = judge_document.judge(kind, text, trust)
    found = [(layer, *result[1:]) for layer, result in layers.items() if result and result[0] == "refuted"]
    left_open = [(layer, result[1]) for layer, result in layers.items() if result and result[0] == "open"]
    assert found == list(refuted), f"{id}: expected {refuted}, found {found}"
    # Without vantage points every layer about them is open, which no case need repeat.
    implied = [("quorum", "input.not-given")] if "quorum" in layers and "vantages" not in trust else []
    assert sorted(left_open) == sorted([*open, *implied]), f"{id}: expected {open}, found {left_open}"
    expect = {
        "verdict": judge_document.verdict(kind, layers, trust),
        "refuted": [{"layer": layer, "code": code, "at": at} for layer, code, at in found],
        "open": [{"layer": layer, "code": code} for layer, code in left_open],
        "established": [layer for layer, result in layers.items() if result is None],
    }
    if notes:
        expect["notes"] = [{"layer": layer, "code": code} for layer, code in notes]
    writer.add(id, "document", why, spec, {"as": kind, "document": text, "trust": trust}, expect, twin=twin)


def head(items, key=REGISTRY, root=None, sign=True):
    value = {"size": len(items), "root": (root or merkle.root(items)).hex()}
    if sign:
        value["signature"] = key.sign(judge_document.signed_message(value))
    return value


def changed(document, pointer, value):
    """A copy with another value at the pointer; `None` takes the member away."""
    document = copy.deepcopy(document)
    *way, last = pointer.split("/")[1:]
    parent = document
    for step in way:
        parent = parent[int(step)] if isinstance(parent, list) else parent[step]
    if value is None:
        del parent[last]
    else:
        parent[int(last) if isinstance(parent, list) else last] = value
    return document


def check_vocabulary(writer):
    """Every code of a layer is exercised by a case, and no case uses another."""
    cases = [case["expect"] for case in writer.cases.values() if case["kind"] == "document"]
    used = {(fault["layer"], fault["code"]) for expect in cases for fault in expect["refuted"]}
    left_open = {(gap["layer"], gap["code"]) for expect in cases for gap in expect["open"]}
    assert used == {(layer, code) for layer, codes in REFUSALS.items() for code in codes}, used ^ {(layer, code) for layer, codes in REFUSALS.items() for code in codes}
    assert left_open == {(layer, code) for layer, codes in OPEN.items() for code in codes}, left_open ^ {(layer, code) for layer, codes in OPEN.items() for code in codes}
    notes = {(note["layer"], note["code"]) for expect in cases for note in expect.get("notes", [])}
    assert notes == {(layer, code) for layer, codes in NOTES.items() for code in codes}, notes


def write_schemas():
    write_json(VECTORS / "schemas" / "vector-document.schema.json", vector_schema())
    write_json(VECTORS / "schemas" / "consistency-proof.schema.json", consistency_schema())
    write_json(VECTORS / "schemas" / "equivocation-proof.schema.json", equivocation_schema())


KEYS = listing(HASH, minItems=1)
SIGNATURE = {"type": "string", "pattern": "^[0-9a-f]{128}$"}
INTEGER = {**SIZE, "maximum": 2**64 - 1}
PATH = listing(HASH, maxItems=64)
HEAD_SHAPE = closed({"size": INTEGER, "root": HASH})
# A JSON Pointer, behind the line that it is of where there are several.
PLACE = {"type": "string", "pattern": "^(line [0-9]+(: )?)?(/([^~/]|~[01])*)*$"}


def vector_schema():
    def fault(codes, **more):
        return {"oneOf": [closed({"layer": {"const": layer}, "code": {"enum": sorted(names)}, **more}) for layer, names in codes.items()]}

    layers = list(dict.fromkeys(["limits", *REFUSALS, *OPEN]))
    properties = {
        "why": {"type": "string", "pattern": "\\.$"}, "spec": {"type": "string", "minLength": 1}, "kind": {"const": "document"},
        "input": closed({
            "as": {"enum": KINDS}, "document": {"type": "string"},
            "trust": closed({
                "registry_keys": KEYS, "heads": listing(HEAD_SHAPE, minItems=1), "log": {"type": "string"}, "file_id": {"type": "string"}, "quorum": SIZE, "required": listing({"enum": layers}),
                "freshness": closed({"now": {"type": "integer"}, "most_seconds": SIZE}),
                "signed_heads": listing(closed({"key": HASH, "size": INTEGER, "root": HASH}), minItems=1),
                "vantages": listing(closed({"name": {"type": "string"}, "heads": listing(HEAD_SHAPE)}), minItems=1),
            }, []),
        }),
        "expect": closed({
            "verdict": {"enum": ["authentic", "consistent", "equivocation", "refuted"]}, "refuted": listing(fault(REFUSALS, at=PLACE)),
            "open": listing(fault(OPEN)), "established": listing({"enum": layers}, uniqueItems=True), "notes": listing(fault(NOTES), minItems=1),
        }, ["verdict", "refuted", "open", "established"]),
        "twin": {"type": "string", "pattern": "^[a-z0-9./-]+$"},
    }
    refuted = {"properties": {"expect": {"properties": {"verdict": {"const": "refuted"}}}}}
    with_twin = {"required": ["twin"], "properties": {"expect": {"properties": {"refuted": {"minItems": 1}}}}}
    without = {"not": {"required": ["twin"]}, "properties": {"expect": {"properties": {"refuted": {"maxItems": 0}}}}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A test vector of kind document", **closed(properties, ["why", "spec", "kind", "input", "expect"]), "if": refuted, "then": with_twin, "else": without}


def consistency_schema():
    stated = closed({"size": INTEGER, "root": HASH, "signature": SIGNATURE}, ["size", "root"])
    shape = closed({"form": {"const": judge_document.CONSISTENCY}, "old": stated, "new": stated, "path": PATH})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A consistency proof between two tree heads (RFC 9162 section 2.1.4)", **shape}


def equivocation_schema():
    signed = closed({"size": INTEGER, "root": HASH, "signature": SIGNATURE})
    contradiction = {"oneOf": [
        closed({"kind": {"const": "same-size"}}),
        closed({"kind": {"const": "prefix"}, "root": HASH, "path": PATH}),
        closed({"kind": {"const": "leaf"}, "index": INTEGER, "old_leaf_hash": HASH, "old_path": PATH, "new_leaf_hash": HASH, "new_path": PATH}),
    ]}
    shape = closed({"form": {"const": judge_document.EQUIVOCATION}, "registry_key": HASH, "old": signed, "new": signed, "contradiction": contradiction})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A proof that two signed tree heads cannot belong to one log", **shape}
