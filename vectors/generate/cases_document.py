"""Kind `document`: consistency proofs and proofs of equivocation, as files."""

import json

import judge_document
import merkle
from cases_merkle import flip, hexes, leaves
from documents import PINNED, add, changed, head
from registry import OTHER_REGISTRY, REGISTRY

GROWTH, TREE, HEAD = "RFC 9162 section 2.1.4.2", "RFC 6962 section 2.1", "oversight-registry-v1 section 1.3"
FORMS = "docs/auditors.md, Proofs as files"


def generate(writer):
    consistency_proofs(writer)
    equivocation_proofs(writer)


def consistency_proofs(writer):
    items = leaves(12)
    known = [{"size": 5, "root": merkle.root(items[:5]).hex()}, {"size": 12, "root": merkle.root(items).hex()}]

    def case(name, why, document, trust=PINNED, refuted=(), open=(), twin=None, spec=GROWTH):
        add(writer, f"proofs/consistency/{name}", why, spec, "consistency-proof", document, trust, refuted, open, twin and f"proofs/consistency/{twin}")

    def proof(old, new, sign=True):
        return {"form": judge_document.CONSISTENCY, "old": head(items[:old], sign=sign), "new": head(items[:new], sign=sign), "path": hexes(merkle.consistency(old, items[:new]))}

    good, bare = proof(5, 12), proof(5, 12, sign=False)
    case("signed-heads", "Both heads are signed with the pinned key.", good)
    case("known-heads", "Both heads are known to the caller.", bare, {"heads": known})
    case("one-of-each", "One head is signed, the other is known.", changed(good, "/new/signature", None), {**PINNED, "heads": known[1:]})
    case("same-size", "A tree that did not grow.", proof(5, 5))
    seen = [{"name": "a", "heads": known}, {"name": "b", "heads": known[:1]}]
    case("seen-by-vantage-points", "Vantage points saw the heads of a proof without signatures, and one of them the new one.", bare, {"vantages": seen, "quorum": 1})
    case("quorum-not-reached", "Two vantage points are asked for, and one saw the new head.", good, {**PINNED, "vantages": seen, "quorum": 2}, open=[("quorum", "quorum.not-reached")])
    case("age-bounded", "A proof has no time, and so shows no age.", good, {**PINNED, "freshness": {"now": 1_800_000_000, "most_seconds": 86_400}}, open=[("freshness", "time.stale")])
    case("old-power-of-two", "When the old size is a power of two its root is not in the path.", proof(8, 12))
    case("nobody-vouches", "Without a key and a known head the proof ties two unknown heads to each other.", good, {}, open=[("old-head", "input.not-given"), ("new-head", "input.not-given")])
    case("new-head-unknown", "The old head is known, the new one is not.", bare, {"heads": known[:1]}, open=[("new-head", "input.not-given")])

    for name, why, document, code, at, layer in [
        ("path-short", "A node is missing.", changed(good, "/path", good["path"][1:]), "merkle.path-length", "/path", "consistency"),
        ("path-long", "A node too many.", changed(good, "/path", good["path"] + good["path"][:1]), "merkle.path-length", "/path", "consistency"),
        ("path-flipped", "One bit of a node differs.", changed(good, "/path/1", flip(bytes.fromhex(good["path"][1])).hex()), "merkle.root-mismatch", "/path", "consistency"),
        ("path-reversed", "The nodes stand the other way round.", changed(good, "/path", good["path"][::-1]), "merkle.root-mismatch", "/path", "consistency"),
        ("path-endless", "More hashes than any path has.", changed(good, "/path", good["path"][:1] * 65), "merkle.path-length", "/path", "shape"),
        ("heads-exchanged", "The old head is the larger one.", {**good, "old": good["new"], "new": good["old"]}, "merkle.size-order", "/path", "consistency"),
        ("old-head-of-another", "The old head is signed with another key.", changed(good, "/old", head(items[:5], OTHER_REGISTRY)), "head.signature-mismatch", "/old/signature", "old-head"),
        ("new-head-of-another", "The new head is signed with another key.", changed(good, "/new", head(items, OTHER_REGISTRY)), "head.signature-mismatch", "/new/signature", "new-head"),
        ("form-unknown", "A form that nobody knows.", changed(good, "/form", "assayer-consistency-proof/2"), "proof.encoding", "/form", "shape"),
        ("member-missing", "There is no path.", changed(good, "/path", None), "proof.encoding", "/path", "shape"),
        ("member-unknown", "A member that nobody verifies.", {**good, "comment": "all is well"}, "proof.unknown-member", "/comment", "shape"),
        ("head-member-unknown", "A text said to be signed is not looked at, and so not allowed.", changed(good, "/old/signed_message", "{}"), "proof.unknown-member", "/old/signed_message", "shape"),
        ("size-as-text", "A size is an integer.", changed(good, "/old/size", "5"), "head.encoding", "/old/size", "shape"),
        ("root-upper-case", "A root is written in lower case.", changed(good, "/new/root", good["new"]["root"].upper()), "head.encoding", "/new/root", "shape"),
        ("node-no-hash", "A node is a hash.", changed(good, "/path/0", "00"), "proof.encoding", "/path/0", "shape"),
    ]:
        case(name, why, document, refuted=[(layer, code, at)], twin="signed-heads", spec=GROWTH if layer == "consistency" else FORMS)
    empty = {**good, "old": head([]), "path": []}
    case("old-empty", "Growth from the empty tree proves nothing.", empty, refuted=[("consistency", "merkle.empty-old-tree", "/path")], twin="signed-heads")
    for side, at in (("old", 0), ("new", 1)):
        other = [{**known[at], "root": merkle.leaf_hash(b"other").hex()}]
        case(f"{side}-head-differs", "The caller knows another root of this size.", good, {**PINNED, "heads": other}, refuted=[(f"{side}-head", "proof.head-differs", f"/{side}/root")], twin="signed-heads")
    case("cut", "The file ends too early.", json.dumps(good)[:-1], refuted=[("json", "json.end", "")], twin="signed-heads", spec=FORMS)
    case("member-twice", "Two parsers would read two paths.", json.dumps(good)[:-1] + ', "path": []}', refuted=[("json", "json.duplicate-key", "/path")], twin="signed-heads", spec=FORMS)


def equivocation_proofs(writer):
    items = leaves(9)
    fork = leaves(3) + [b"another leaf"] + leaves(9)[4:]

    def case(name, why, document, trust=PINNED, refuted=(), open=(), twin=None, spec=TREE):
        add(writer, f"proofs/equivocation/{name}", why, spec, "equivocation-proof", document, trust, refuted, open, twin and f"proofs/equivocation/{twin}")

    def proof(old, new, contradiction, key=REGISTRY):
        return {"form": judge_document.EQUIVOCATION, "registry_key": key.hex, "old": old, "new": new, "contradiction": contradiction}

    def prefix(size, of):
        return {"kind": "prefix", "root": merkle.root(of[:size]).hex(), "path": hexes(merkle.consistency(size, of))}

    def leaf(index, old, new):
        return {
            "kind": "leaf", "index": index, "old_leaf_hash": merkle.leaf_hash(old[index]).hex(), "old_path": hexes(merkle.inclusion(index, old)),
            "new_leaf_hash": merkle.leaf_hash(new[index]).hex(), "new_path": hexes(merkle.inclusion(index, new)),
        }

    same = proof(head(items[:5]), head(fork[:5]), {"kind": "same-size"})
    by_prefix = proof(head(fork[:5]), head(items), prefix(5, items))
    by_leaf = proof(head(fork[:5]), head(items), leaf(3, fork[:5], items))
    case("same-size", "Two roots of one size.", same)
    case("prefix", "The newer tree begins with five leaves of another root than the one that was signed for five.", by_prefix)
    case("prefix-power-of-two", "The old size is a power of two.", proof(head(fork[:8]), head(items), prefix(8, items)))
    case("leaf", "Two leaves at one index.", by_leaf)
    case("leaf-same-size", "Two leaves at one index of two trees of one size.", proof(head(fork), head(items), leaf(3, fork, items)))
    case("leaf-single", "The older tree has one leaf, and the newer begins with another.", proof(head([b"first"]), head(items), leaf(0, [b"first"], items)))
    case("size-and-next-root", "A head whose root is that of one leaf more, as racing releases have signed: still two statements that cannot both be true.", proof(head(items[:5]), head(items[:5], root=merkle.root(items[:6])), {"kind": "same-size"}))
    case("without-pin", "Anybody can contradict himself under a key of his own.", same, {}, open=[("registry-key", "key.not-pinned")])

    def forged(name, why, document, layer, code, at, twin="same-size", trust=PINNED, spec=TREE):
        case(name, why, document, trust, refuted=[(layer, code, at)], twin=twin, spec=spec)

    forged("heads-of-two-keys", "The heads are of two registries.", changed(same, "/new", head(fork[:5], OTHER_REGISTRY)), "new-head", "head.signature-mismatch", "/new/signature", spec=HEAD)
    forged("old-head-of-another-key", "The older head is of another registry.", changed(same, "/old", head(items[:5], OTHER_REGISTRY)), "old-head", "head.signature-mismatch", "/old/signature", spec=HEAD)
    forged("signature-flipped", "One bit of a signature differs.", changed(same, "/new/signature", flip(bytes.fromhex(same["new"]["signature"])).hex()), "new-head", "head.signature-mismatch", "/new/signature", spec=HEAD)
    forged("root-exchanged", "A root that was not signed.", changed(by_prefix, "/old/root", merkle.leaf_hash(b"invented").hex()), "old-head", "head.signature-mismatch", "/old/signature", "prefix", spec=HEAD)
    forged("pinned-another", "The key is another than the caller's.", same, "registry-key", "key.differs", "/registry_key", trust={"registry_keys": [OTHER_REGISTRY.hex]}, spec=HEAD)
    forged("same-head-twice", "A head does not contradict itself.", changed(same, "/new", same["old"]), "contradiction", "equivocation.heads-agree", "/new")
    forged("sizes-differ", "Two heads of different sizes are what a log that grows has.", proof(head(items[:5]), head(items), {"kind": "same-size"}), "contradiction", "equivocation.sizes-differ", "/contradiction")
    forged("prefix-agrees", "The older head is that of a prefix: the log grew.", proof(head(items[:5]), head(items), prefix(5, items)), "contradiction", "equivocation.prefix-agrees", "/contradiction/root", "prefix")
    forged("prefix-path-flipped", "A consistency proof that fails proves nothing.", changed(by_prefix, "/contradiction/path/0", flip(bytes.fromhex(by_prefix["contradiction"]["path"][0])).hex()), "contradiction", "merkle.root-mismatch", "/contradiction/path", "prefix", spec=GROWTH)
    forged("prefix-root-invented", "The root of the prefix must follow from the path.", changed(by_prefix, "/contradiction/root", merkle.leaf_hash(b"invented").hex()), "contradiction", "merkle.root-mismatch", "/contradiction/path", "prefix", spec=GROWTH)
    forged("prefix-path-short", "A node is missing.", changed(by_prefix, "/contradiction/path", by_prefix["contradiction"]["path"][1:]), "contradiction", "merkle.path-length", "/contradiction/path", "prefix", spec=GROWTH)
    forged("failed-consistency-proof", "That a path does not lead from the signed old root to the new one shows nothing.", changed(by_prefix, "/contradiction/root", by_prefix["old"]["root"]), "contradiction", "merkle.root-mismatch", "/contradiction/path", "prefix", spec=GROWTH)
    forged("prefix-of-nothing", "The empty log is a prefix of every log.", proof(head([]), head(items), {"kind": "prefix", "root": merkle.leaf_hash(b"any").hex(), "path": []}), "contradiction", "merkle.empty-old-tree", "/contradiction/path", "prefix", spec=GROWTH)
    forged("leaves-agree", "The same leaf twice.", proof(head(fork[:5]), head(items), leaf(2, fork[:5], items)), "contradiction", "equivocation.leaves-agree", "/contradiction/new_leaf_hash", "leaf")
    forged("leaf-beyond-old", "An index that only the newer tree has.", changed(by_leaf, "/contradiction/index", 5), "contradiction", "merkle.index-out-of-range", "/contradiction/old_path", "leaf")
    forged("leaf-of-neighbour", "The leaves are of two indexes.", changed(changed(by_leaf, "/contradiction/new_leaf_hash", merkle.leaf_hash(items[4]).hex()), "/contradiction/new_path", hexes(merkle.inclusion(4, items))), "contradiction", "merkle.root-mismatch", "/contradiction/new_path", "leaf")
    forged("leaf-path-short", "A sibling is missing.", changed(by_leaf, "/contradiction/old_path", by_leaf["contradiction"]["old_path"][1:]), "contradiction", "merkle.path-length", "/contradiction/old_path", "leaf")
    forged("node-as-leaf", "An inner node is no leaf: its path is too short.", changed(changed(by_leaf, "/contradiction/new_leaf_hash", merkle.root(items[2:4]).hex()), "/contradiction/new_path", by_leaf["contradiction"]["new_path"][1:]), "contradiction", "merkle.path-length", "/contradiction/new_path", "leaf")
    forged("heads-out-of-order", "The older head is the smaller one.", {**by_leaf, "old": by_leaf["new"], "new": by_leaf["old"]}, "contradiction", "merkle.size-order", "/old/size", "leaf")
    zero = head([], root=bytes(32))
    forged("empty-trees", "A wrong root of the empty tree is a wrong head, and no fork.", proof(head([]), zero, {"kind": "same-size"}), "new-head", "head.empty-root", "/new/root", spec="docs/decisions/empty-trees.md")
    forged("empty-trees-exchanged", "A wrong root of the empty tree is a wrong head, and no fork.", proof(zero, head([]), {"kind": "same-size"}), "old-head", "head.empty-root", "/old/root", spec="docs/decisions/empty-trees.md")

    identity = "01" + "00" * 31
    weak = {**same, "registry_key": identity}
    for side in ("old", "new"):
        weak[side] = {**weak[side], "signature": identity + "00" * 32}
    case("key-of-small-order", "A key under which anybody's signature fits.", weak, refuted=[("old-head", "ed25519.key-small-order", "/registry_key"), ("new-head", "ed25519.key-small-order", "/registry_key"), ("registry-key", "key.differs", "/registry_key")], twin="same-size", spec=HEAD)

    def malformed(name, why, document, code, at, twin="same-size", layer="shape"):
        case(name, why, document, refuted=[(layer, code, at)], twin=twin, spec=FORMS)

    malformed("signature-missing", "Both heads are signed.", changed(same, "/old/signature", None), "proof.encoding", "/old/signature")
    malformed("key-missing", "The key that signed is named.", changed(same, "/registry_key", None), "proof.encoding", "/registry_key")
    malformed("signed-message", "No text in the file is taken for what was signed.", changed(same, "/new/signed_message", "{}"), "proof.unknown-member", "/new/signed_message")
    malformed("kind-unknown", "A contradiction of no known kind.", changed(same, "/contradiction/kind", "rumour"), "proof.encoding", "/contradiction/kind")
    malformed("contradiction-null", "There is no contradiction.", {**same, "contradiction": None}, "proof.encoding", "/contradiction/kind")
    malformed("evidence-beyond-kind", "Two heads of one size need no path.", changed(same, "/contradiction/path", []), "proof.unknown-member", "/contradiction/path")
    malformed("index-negative", "An index is not negative.", changed(by_leaf, "/contradiction/index", -1), "proof.encoding", "/contradiction/index", "leaf")
    malformed("index-fraction", "An index is an integer.", json.dumps(by_leaf).replace('"index": 3', '"index": 3.0'), "proof.encoding", "/contradiction/index", "leaf")
    malformed("path-endless", "More hashes than any path has.", changed(by_leaf, "/contradiction/old_path", by_leaf["contradiction"]["old_path"][:1] * 65), "merkle.path-length", "/contradiction/old_path", "leaf")
    malformed("size-beyond-64-bits", "A size has at most 64 bits.", changed(same, "/new/size", 2**64), "head.encoding", "/new/size")
