"""Plain judges of documents that are no bundles. Each gives, layer by layer: None (established), ("open", code) or ("refuted", code, pointer)."""

import json
import re

import ed25519 as ed
import judge as of_bundles
import merkle
from strict_json import Defect, Reader

CONSISTENCY, EQUIVOCATION = "assayer-consistency-proof/1", "assayer-equivocation-proof/1"
HASH, SIGNATURE = re.compile("[0-9a-f]{64}"), re.compile("[0-9a-f]{128}")


class Refused(Exception):
    def __init__(self, code, at):
        super().__init__(code, at)
        self.code, self.at = code, at


def judge(kind, text, trust):
    return JUDGES[kind](text, trust)


# Layers that need not be established for the best verdict, unless the caller asks for them.
OPTIONAL = {"append-only", "log-leaf", "log-root", "quorum"}
REQUIRED = {"bundles-together": ["append-only"], "oversight-log": ["log-root"], "oversight-heads": ["append-only"]}


def reading(text):
    """Layers limits and json, and the value if it could be read."""
    try:
        Reader(text.encode("utf-8")).read()
    except Defect as defect:
        assert not defect.code.startswith("limits.")
        return {"limits": None, "json": ("refuted", defect.code, defect.pointer)}, None
    return {"limits": None, "json": None}, json.loads(text)


def verdict(kind, layers, trust):
    states = {layer: result[0] if result else "established" for layer, result in layers.items()}
    if "refuted" in states.values():
        return "refuted"
    required = {layer for layer in states if layer not in OPTIONAL} | {*REQUIRED.get(kind, []), *trust.get("required", [])}
    if trust.get("quorum"):
        required.add("quorum")
    if any(states.get(layer) != "established" for layer in required):
        return "consistent"
    return "equivocation" if kind == "equivocation-proof" else "authentic"


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
    keys, known = trust.get("registry_keys", []), [known for known in known_heads(trust) if known["size"] == head["size"]]
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
    layers["quorum"] = quorum(proof["new"], trust)
    return aged(layers, trust)


def aged(layers, trust):
    """What is no bundle has no time and no file: where the caller bounds the age of evidence, or names a file, it shows none."""
    if "file_id" in trust:
        layers["file-id"] = ("open", "input.not-reached")
    if "freshness" in trust:
        layers["freshness"] = ("open", "time.stale")
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


# ---- tree heads, and vantage points


def known_heads(trust):
    return [*trust.get("heads", []), *(head for vantage in trust.get("vantages", []) for head in vantage["heads"])]


def leaves_of(trust):
    """The leaves of the log that the caller has, which is a good one; None if there is none."""
    return [json.loads(line)["leaf_data"].encode("utf-8") for line in trust["log"].splitlines()] if "log" in trust else None


def root_at(leaves, size):
    return merkle.root(leaves[:size]).hex() if leaves is not None and size <= len(leaves) else None


def tree_head(text, trust):
    layers, head = reading(text)
    if head is None:
        return layers
    keys, message, leaves = trust.get("registry_keys", []), signed_message(head).decode("ascii"), leaves_of(trust)
    assert head["signed_message"] == message
    fits = any(signature_refusal(key, head) is None for key in keys)
    layers["shape"] = nothing_else(head, ["size", "root", "signature", "signed_message"])
    layers["tree-head"] = ("open", "input.not-given") if not keys else None if fits else ("refuted", "head.signature-mismatch", "/signature")
    layers["registry-key"] = None if fits else ("open", "key.not-pinned")
    layers["log-root"] = in_log(head["size"], head["root"], leaves)
    layers["append-only"] = append_only(head, trust.get("heads", []), leaves)
    layers["quorum"] = quorum(head, trust)
    return aged(layers, trust)


def nothing_else(document, names):
    """What nobody signed refutes nothing, and has no place in what is authentic."""
    refused = attempt(members, document, "", [], names)
    return refused and ("open", refused[1])


def in_log(size, root, leaves):
    if leaves is None:
        return ("open", "input.not-given")
    found = root_at(leaves, size)
    return ("open", "log.too-short") if found is None else None if found == root else ("refuted", "log.root-differs", "/root")


def append_only(head, known, leaves):
    # The empty tree, which every log extends, is nothing to compare with.
    known = [other for other in known if other["size"] > 0 or other["root"] != merkle.root([]).hex() or other["size"] == head["size"]]
    outcomes = [growth(head, other, leaves) for other in known]
    refuted = [outcome for outcome in outcomes if outcome and outcome[0] == "refuted"]
    gaps = [outcome for outcome in outcomes if outcome] or ([] if known else [("open", "input.not-given")])
    return next(iter(refuted + gaps), None)


def growth(head, known, leaves):
    """One head against one that was known before."""
    differs = ("refuted", "log.root-differs", "")
    if known["size"] == head["size"]:
        return None if known["root"] == head["root"] else differs
    shown = root_at(leaves, known["size"]), root_at(leaves, head["size"])
    if None in shown:
        return ("open", "input.not-given")
    return None if shown == (known["root"], head["root"]) else differs


def two_heads(text, trust):
    """Two heads that pinned keys signed, one a line."""
    one, other = map(json.loads, text.splitlines())
    for head in (one, other):
        assert any(signature_refusal(key, head) is None for key in trust["registry_keys"])
    layers = {"limits": None, "json": None, "append-only": None}
    if one["size"] != other["size"]:
        layers["append-only"] = ("open", "input.not-given")
    elif one["root"] != other["root"]:
        layers["append-only"] = ("refuted", "head.conflict", "")
    return layers


def bundles_together(text, trust):
    """What bundles show together, a line each; each by itself is as its signatures say."""
    layers = {"limits": None, "json": None, "append-only": None, "one-manifest": None, "completeness": None}
    roots, sizes, files, whole, events = {}, {}, {}, {}, {}

    def worse(layer, outcome):
        if layers[layer] is None or outcome[0] == "refuted":
            layers[layer] = outcome

    for line in text.splitlines():
        bundle = json.loads(line)
        manifest, key, at = bundle["manifest"], bundle["registry_pub"], of_bundles.generated(bundle)
        assert of_bundles.registry_signature(bundle)[0] is None and of_bundles.issuer_signature(manifest)[0] is None and of_bundles.tree_head(bundle) is None
        size, root = bundle["tlog_head"]["size"], bundle["tlog_head"]["root"]
        if roots.setdefault((key, size), root) != root:
            worse("append-only", ("refuted", "head.conflict", ""))
        else:
            for proof in bundle["tlog_proofs"]:
                for start, length, node in subtrees(proof["proof"]):
                    if whole.setdefault((key, start, length), node) != node:
                        worse("append-only", ("refuted", "head.leaves-differ", ""))
        events.setdefault((key, bundle["file_id"]), []).append((size, {row["tlog_index"] for row in bundle["events"]}))
        sizes.setdefault(key, []).append((at, size))
        issuer, signed = files.setdefault((key, bundle["file_id"]), (manifest["issuer_ed25519_pub"], manifest["signature_ed25519"]))
        if issuer != manifest["issuer_ed25519_pub"]:
            worse("one-manifest", ("refuted", "manifest.issuer-differs", "/manifest/issuer_ed25519_pub"))
        elif signed != manifest["signature_ed25519"]:
            worse("one-manifest", ("open", "manifest.differs"))
    for shown in events.values():
        if any(index < size and index not in listed for size, listed in shown for _, others in shown for index in others):
            worse("completeness", ("refuted", "log.event-missing", "/events"))
    for shown in sizes.values():
        # Head and time of a bundle are read at two moments; docs/auditors.md says how far they may be apart.
        if any(later > earlier + 5 and smaller < larger for earlier, larger in shown for later, smaller in shown):
            worse("append-only", ("open", "head.rollback"))
    return layers


def subtrees(proof):
    """What the recursion of RFC 6962 section 2.1.2 meets below the root: start, number of leaves and hash of each half that is of a power of two of leaves."""
    path = [bytes.fromhex(item) for item in proof["proof"]]
    leaf = bytes.fromhex(proof["leaf_hash"])
    assert merkle.judge_inclusion(proof["index"], proof["tree_size"], leaf, path, bytes.fromhex(proof["root"])) is None
    met = []

    def halves(m, n, start, path):
        if n == 1:
            return
        k = merkle.split(n)
        left = merkle.climb(m, k, leaf, path[:-1]) if m < k else path[-1]
        right = path[-1] if m < k else merkle.climb(m - k, n - k, leaf, path[:-1])
        met.extend([(start, k, left), (start + k, n - k, right)])
        if m < k:
            halves(m, k, start, path[:-1])
        else:
            halves(m - k, n - k, start + k, path[:-1])

    halves(proof["index"], proof["tree_size"], 0, path)
    return [(start, length, node) for start, length, node in met if length & (length - 1) == 0]


def quorum(head, trust):
    seen = [(vantage["name"], known["size"], known["root"]) for vantage in trust.get("vantages", []) for known in vantage["heads"]]
    roots = {}
    for _, size, root in [*seen, ("document", head["size"], head["root"])]:
        if roots.setdefault(size, root) != root:
            return ("refuted", "quorum.conflict", "")
    if "vantages" not in trust:
        return ("open", "input.not-given")
    agree = {name for name, size, _ in seen if size == head["size"]}
    return None if len(agree) >= max(trust.get("quorum", 0), 1) else ("open", "quorum.not-reached")


# ---- logs


class Log:
    """A log, line by line; the first problem of each layer is kept."""

    def __init__(self):
        self.layers = {"limits": None, "json": None, "entries": None, "leaf-hashes": None}
        self.leaves, self.count, self.next, self.unread, self.whole = [], 0, None, 0, True

    def refute(self, layer, code, at):
        self.layers[layer] = self.layers[layer] or ("refuted", code, at)

    def line(self, number, text):
        try:
            Reader(text.encode("utf-8")).read()
        except Defect as defect:
            self.unread += 1
            return self.refute("json", defect.code, f"line {number}: {defect.pointer}" if defect.pointer else f"line {number}")
        document, at = json.loads(text), f"line {number}: "
        if not isinstance(document, dict) or "entries" not in document:
            return self.read(number, document, at)
        entries = document["entries"]
        if not isinstance(entries, list):
            return self.refute("entries", "log.encoding", f"{at}/entries")
        if document["count"] != len(entries):
            self.refute("entries", "log.count", f"{at}/count")
        if entries and document["start"] != entries[0]["index"]:
            self.refute("entries", "log.index-gap", f"{at}/start")
        for position, entry in enumerate(entries):
            self.read(number, entry, f"{at}/entries/{position}")

    def read(self, number, record, at):
        record = record if isinstance(record, dict) else {}
        index, stated, data, digits = (record.get(name) for name in ("index", "leaf_hash", "leaf_data", "leaf_data_hex"))
        for name, good in [
            ("index", is_integer(index)), ("leaf_hash", isinstance(stated, str) and HASH.fullmatch(stated.lower())), ("leaf_data", isinstance(data, str)),
            ("leaf_data_hex", digits is None or isinstance(digits, str) and re.fullmatch("([0-9a-f]{2})*", digits)),
        ]:
            if not good:
                self.unread += 1
                return self.refute("entries", "log.encoding", f"{at}/{name}")
        leaf = data.encode("utf-8") if digits is None else bytes.fromhex(digits)
        if leaf != data.encode("utf-8"):
            self.refute("leaf-hashes", "log.leaf-text-differs", f"{at}/leaf_data")
        if merkle.leaf_hash(leaf).hex() != stated.lower():
            self.refute("leaf-hashes", "log.leaf-hash-differs", f"{at}/leaf_hash")
        self.record(number, index, leaf)

    def record(self, number, index, leaf):
        expected = index if self.count == 0 else self.next
        if index not in (expected, expected + self.unread):
            self.refute("entries", "log.index-gap", f"line {number}: /index")
        if self.unread or index != len(self.leaves):
            self.whole = False
        if self.whole:
            self.leaves.append(leaf)
        self.count, self.next, self.unread = self.count + 1, index + 1, 0


def log(text, trust):
    replay = Log()
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            replay.line(number, line)
    layers = replay.layers
    if layers["json"]:
        for layer in ("entries", "leaf-hashes"):
            layers[layer] = layers[layer] or ("open", "input.not-reached")
    known = known_heads(trust) + own_heads(trust, replay.leaves)
    reached = [head for head in known if head["size"] <= len(replay.leaves)]
    if any(merkle.root(replay.leaves[: head["size"]]).hex() != head["root"] for head in reached):
        layers["log-root"] = ("refuted", "log.root-differs", "")
    elif len(reached) < len(known):
        layers["log-root"] = ("open", "log.too-short" if replay.whole else "input.not-reached")
    else:
        layers["log-root"] = None if known else ("open", "input.not-given")
    if not reached or not replay.whole:
        layers["log-end"] = ("open", "input.not-given")
    else:
        at_end = max(head["size"] for head in reached) == replay.count
        layers["log-end"] = None if at_end else ("open", "log.beyond-head")
    layers["quorum"] = quorum_of_log(replay, trust)
    return aged(layers, trust)


def own_heads(trust, leaves):
    """Signed heads of this log: those of a key of which one at least is, or all where no key has one."""
    signed = trust.get("signed_heads", [])
    own = {head["key"] for head in signed if head["size"] and root_at(leaves, head["size"]) == head["root"]}
    return [head for head in signed if head["key"] in own or not own]


def quorum_of_log(replay, trust):
    if "vantages" not in trust:
        return ("open", "input.not-given")
    agree, roots = 0, {}
    for vantage in trust["vantages"]:
        compared = [head["root"] == root_at(replay.leaves, head["size"]) for head in vantage["heads"] if head["size"] <= len(replay.leaves)]
        roots_agree = all(roots.setdefault(head["size"], head["root"]) == head["root"] for head in vantage["heads"])
        if not all(compared) or not roots_agree:
            return ("refuted", "quorum.conflict", "")
        # To the empty tree every log leads.
        agree += any(same and head["size"] > 0 for same, head in zip(compared, (head for head in vantage["heads"] if head["size"] <= len(replay.leaves))))
    return None if agree >= max(trust.get("quorum", 0), 1) else ("open", "quorum.not-reached")


# ---- inclusion proofs


def inclusion_proof(text, trust):
    layers, proof = reading(text)
    layers["shape"] = nothing_else(proof, ["index", "leaf_hash", "proof", "root", "tree_size"])
    if not is_integer(proof["tree_size"]):
        return {**layers, "inclusion": ("refuted", "proof.encoding", "/tree_size")}
    leaves, root = leaves_of(trust), proof["root"]
    refusal = inclusion(proof["index"], {"size": proof["tree_size"], "root": root}, proof["leaf_hash"], proof["proof"])
    layers["inclusion"] = refusal and ("refuted", refusal, "/proof")
    known = [head["root"] for head in known_heads(trust) if head["size"] == proof["tree_size"]]
    layers["head-known"] = ("open", "input.not-given") if not known else None if set(known) == {root} else ("refuted", "proof.head-differs", "/root")
    layers["log-root"] = in_log(proof["tree_size"], root, leaves)
    layers["log-leaf"] = leaf_in_log(proof, leaves)
    layers["quorum"] = quorum({"size": proof["tree_size"], "root": root}, trust)
    return aged(layers, trust)


def leaf_in_log(proof, leaves):
    if leaves is None or proof["index"] >= len(leaves):
        return ("open", "input.not-given" if leaves is None else "log.too-short")
    return None if merkle.leaf_hash(leaves[proof["index"]]).hex() == proof["leaf_hash"] else ("refuted", "log.leaf-differs", "/leaf_hash")


def unknown(text, _):
    layers, _ = reading(text)
    return {**layers, "kind": ("open", "document.kind")}


JUDGES = {
    "bundles-together": bundles_together, "consistency-proof": consistency_proof, "equivocation-proof": equivocation_proof, "oversight-head": tree_head, "oversight-heads": two_heads,
    "oversight-log": log, "oversight-proof": inclusion_proof, "unknown": unknown,
}
