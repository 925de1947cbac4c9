"""Plain judges of documents that are no bundles. Each gives, layer by layer: None (established), ("open", code) or ("refuted", code, pointer)."""

import json
import re

import ed25519 as ed
import merkle
from strict_json import Defect, Reader

CONSISTENCY, EQUIVOCATION = "assayer-consistency-proof/1", "assayer-equivocation-proof/1"
HASH, SIGNATURE = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{128}")


class Refused(Exception):
    def __init__(self, code, at):
        super().__init__(code, at)
        self.code, self.at = code, at


def judge(kind, text, trust):
    return {"consistency-proof": consistency_proof, "equivocation-proof": equivocation_proof}[kind](text, trust)


def reading(text):
    """Layers limits and json, and the value if it could be read."""
    try:
        Reader(text.encode("utf-8")).read()
    except Defect as defect:
        assert not defect.code.startswith("limits.")
        return {"limits": None, "json": ("refuted", defect.code, defect.pointer)}, None
    return {"limits": None, "json": None}, json.loads(text)


def verdict(layers, claim="authentic"):
    states = [result[0] if result else "established" for result in layers.values()]
    if "refuted" in states:
        return "refuted"
    return claim if all(state == "established" for state in states) else "consistent"


def attempt(check, *arguments):
    try:
        check(*arguments)
    except Refused as refused:
        return ("refuted", refused.code, refused.at)
    return None


# ---- shapes


def members(value, at, names, optional=()):
    if not isinstance(value, dict):
        raise Refused("proof.encoding", at)
    for name in names:
        if name not in value:
            raise Refused("proof.encoding", f"{at}/{name}")
    for name in value:
        if name not in names and name not in optional:
            raise Refused("proof.unknown-member", f"{at}/{name}")


def is_integer(value):
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**64


def matches(pattern, value):
    return isinstance(value, str) and pattern.fullmatch(value)


def head_shape(value, at, signed):
    members(value, at, ["size", "root"], ["signature"])
    if not is_integer(value["size"]):
        raise Refused("head.encoding", f"{at}/size")
    if not matches(HASH, value["root"]):
        raise Refused("head.encoding", f"{at}/root")
    if "signature" in value and not matches(SIGNATURE, value["signature"]):
        raise Refused("head.encoding", f"{at}/signature")
    if signed and "signature" not in value:
        raise Refused("proof.encoding", f"{at}/signature")


def hash_shape(value, at):
    if not matches(HASH, value):
        raise Refused("proof.encoding", at)


def path_shape(value, at):
    if not isinstance(value, list):
        raise Refused("proof.encoding", at)
    if len(value) > 64:
        raise Refused("merkle.path-length", at)
    for position, item in enumerate(value):
        hash_shape(item, f"{at}/{position}")


def form(value, expected):
    if value["form"] != expected:
        raise Refused("proof.encoding", "/form")


def consistency_shape(proof):
    members(proof, "", ["form", "old", "new", "path"])
    form(proof, CONSISTENCY)
    head_shape(proof["old"], "/old", False)
    head_shape(proof["new"], "/new", False)
    path_shape(proof["path"], "/path")


def equivocation_shape(proof):
    members(proof, "", ["form", "registry_key", "old", "new", "contradiction"])
    form(proof, EQUIVOCATION)
    hash_shape(proof["registry_key"], "/registry_key")
    head_shape(proof["old"], "/old", True)
    head_shape(proof["new"], "/new", True)
    evidence, at = proof["contradiction"], "/contradiction"
    kind = evidence.get("kind") if isinstance(evidence, dict) else None
    if kind == "same-size":
        members(evidence, at, ["kind"])
    elif kind == "prefix":
        members(evidence, at, ["kind", "root", "path"])
        hash_shape(evidence["root"], f"{at}/root")
        path_shape(evidence["path"], f"{at}/path")
    elif kind == "leaf":
        members(evidence, at, ["kind", "index", "old_leaf_hash", "old_path", "new_leaf_hash", "new_path"])
        if not is_integer(evidence["index"]):
            raise Refused("proof.encoding", f"{at}/index")
        for side in ("old", "new"):
            hash_shape(evidence[f"{side}_leaf_hash"], f"{at}/{side}_leaf_hash")
            path_shape(evidence[f"{side}_path"], f"{at}/{side}_path")
    else:
        raise Refused("proof.encoding", f"{at}/kind")


# ---- what is claimed


def signed_message(head):
    return json.dumps({"root": head["root"], "size": head["size"]}, separators=(",", ":")).encode("ascii")


def signature_refusal(key, head):
    return ed.judge(bytes.fromhex(key), signed_message(head), bytes.fromhex(head["signature"]))


def unhex(path):
    return [bytes.fromhex(item) for item in path]


def consistency(old_size, old_root, new, path):
    return merkle.judge_consistency(old_size, new["size"], bytes.fromhex(old_root), bytes.fromhex(new["root"]), unhex(path))


def inclusion(index, head, leaf, path):
    return merkle.judge_inclusion(index, head["size"], bytes.fromhex(leaf), unhex(path), bytes.fromhex(head["root"]))


def vouched(head, trust, at):
    keys, known = trust.get("registry_keys", []), [known for known in trust.get("heads", []) if known["size"] == head["size"]]
    signed = keys and "signature" in head
    if signed and all(signature_refusal(key, head) for key in keys):
        return ("refuted", "head.signature-mismatch", f"{at}/signature")
    if any(other["root"] != head["root"] for other in known):
        return ("refuted", "proof.head-differs", f"{at}/root")
    return None if signed or known else ("open", "input.not-given")


def consistency_proof(text, trust):
    layers, proof = reading(text)
    if proof is None:
        return layers
    layers["shape"] = attempt(consistency_shape, proof)
    if layers["shape"]:
        return layers
    refusal = consistency(proof["old"]["size"], proof["old"]["root"], proof["new"], proof["path"])
    layers["consistency"] = refusal and ("refuted", refusal, "/path")
    layers["old-head"] = vouched(proof["old"], trust, "/old")
    layers["new-head"] = vouched(proof["new"], trust, "/new")
    return layers


def signed(head, key, at):
    if head["size"] == 0 and head["root"] != merkle.root([]).hex():
        return ("refuted", "head.empty-root", f"{at}/root")
    refusal = signature_refusal(key, head)
    if refusal and refusal.startswith("ed25519.key-"):
        return ("refuted", refusal, "/registry_key")
    return refusal and ("refuted", "head.signature-mismatch", f"{at}/signature")


def contradiction(proof):
    old, new, evidence = proof["old"], proof["new"], proof["contradiction"]
    if old["size"] > new["size"]:
        raise Refused("merkle.size-order", "/old/size")
    if (old["size"], old["root"]) == (new["size"], new["root"]):
        raise Refused("equivocation.heads-agree", "/new")
    if evidence["kind"] == "same-size" and old["size"] != new["size"]:
        raise Refused("equivocation.sizes-differ", "/contradiction")
    if evidence["kind"] == "prefix":
        refusal = consistency(old["size"], evidence["root"], new, evidence["path"])
        if refusal:
            raise Refused(refusal, "/contradiction/path")
        if evidence["root"] == old["root"]:
            raise Refused("equivocation.prefix-agrees", "/contradiction/root")
    if evidence["kind"] == "leaf":
        for side, head in (("old", old), ("new", new)):
            refusal = inclusion(evidence["index"], head, evidence[f"{side}_leaf_hash"], evidence[f"{side}_path"])
            if refusal:
                raise Refused(refusal, f"/contradiction/{side}_path")
        if evidence["old_leaf_hash"] == evidence["new_leaf_hash"]:
            raise Refused("equivocation.leaves-agree", "/contradiction/new_leaf_hash")


def equivocation_proof(text, trust):
    layers, proof = reading(text)
    if proof is None:
        return layers
    layers["shape"] = attempt(equivocation_shape, proof)
    if layers["shape"]:
        return layers
    key, keys = proof["registry_key"], trust.get("registry_keys", [])
    layers["old-head"] = signed(proof["old"], key, "/old")
    layers["new-head"] = signed(proof["new"], key, "/new")
    layers["registry-key"] = ("open", "key.not-pinned") if not keys else None if key in keys else ("refuted", "key.differs", "/registry_key")
    layers["contradiction"] = attempt(contradiction, proof)
    return layers
