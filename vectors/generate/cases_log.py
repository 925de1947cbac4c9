"""Kind `log`: logs as they are downloaded, proofs beside a log, and documents of no known kind."""

import json

import merkle
from cases_merkle import leaves
from schemas import POINTER, SIZE, HASH, closed, listing
from strict_json import Defect, Reader
from writer import VECTORS, write_json

FOLDERS = ["logs"]
TREE, RANGE, CONTIGUOUS = "oversight-registry-v1 section 2", "oversight-requirements TL-2", "oversight-requirements TL-4"
# Which code each layer can be refuted with, and which it can be left open with.
REFUSALS = {
    "json": {"json.end"},
    "entries": {"log.count", "log.encoding", "log.index-gap"},
    "leaf-hashes": {"log.leaf-hash-differs", "log.leaf-text-differs"},
    "inclusion": {"merkle.root-mismatch"},
    "head-known": {"proof.head-differs"},
    "log-root": {"log.root-differs"},
    "log-leaf": {"log.leaf-differs"},
    "append-only": {"head.conflict"},
}
OPEN = {
    "entries": {"input.not-reached"}, "leaf-hashes": {"input.not-reached"}, "log-root": {"input.not-given", "input.not-reached", "log.too-short"},
    "log-end": {"input.not-given", "log.beyond-head"}, "log-leaf": {"input.not-given", "log.too-short"}, "head-known": {"input.not-given"}, "kind": {"document.kind"},
}
ITEMS = leaves(7)


def record(index, data=None, **members):
    data = ITEMS[index] if data is None else data
    record = {"index": index, "leaf_hash": merkle.leaf_hash(data).hex(), "leaf_data": data.decode(), "leaf_data_hex": data.hex(), **members}
    return {name: value for name, value in record.items() if value is not ...}


def page(start, records, **members):
    return {"start": start, "count": len(records), "entries": records, **members}


def head(items):
    return {"size": len(items), "root": merkle.root(items).hex()}


def proof(index, items, **members):
    path = [node.hex() for node in merkle.inclusion(index, items)]
    return {"index": index, "leaf_hash": merkle.leaf_hash(items[index]).hex(), "proof": path, "root": merkle.root(items).hex(), "tree_size": len(items), **members}


def generate(writer):
    def case(kind, name, why, spec, documents, trust, refuted=(), open=(), notes=(), twin=None):
        texts = [document if isinstance(document, str) else json.dumps(document) for document in documents]
        faults, gaps = JUDGES[kind](texts, trust)
        assert set(faults.items()) == {(layer, code) for layer, code, _ in refuted}, (name, faults)
        if kind == "log":
            # What a log leaves open follows from its leaves and the known heads alone.
            open = sorted(gaps)
        assert gaps == set(open), (name, gaps)
        # A log beside a proof is not required; that somebody vouches for its root is.
        required = [layer for layer, _ in open if kind != "proof" or layer == "head-known"]
        expect = {
            "verdict": "refuted" if refuted else "consistent" if required else "authentic",
            "refuted": [{"layer": layer, "code": code, "at": at} for layer, code, at in refuted],
            "open": [{"layer": layer, "code": code} for layer, code in open],
            "notes": [{"code": code, "at": at} for code, at in notes],
        }
        writer.add(f"logs/{name}", "log", why, spec, {"as": kind, "documents": texts, "trust": trust}, expect, twin=twin and f"logs/{twin}")

    records = [record(index) for index in range(len(ITEMS))]
    known = {"heads": [head(ITEMS)]}
    case("log", "records", "Records as they stand in a file, one a line, up to a known head.", TREE, records, known)
    case("log", "pages", "The same as two pages of a download.", RANGE, [page(0, records[:4]), page(4, records[4:])], known)
    case("log", "without-hex", "The hexadecimal form of a leaf may be absent or null.", TREE, [record(0, leaf_data_hex=...), record(1, leaf_data_hex=None), *records[2:]], known)
    case("log", "hash-in-capitals", "A leaf hash in capitals is the same hash, and is noted.", TREE, [record(0, leaf_hash=records[0]["leaf_hash"].upper()), *records[1:]], known,
         notes=[("interop.hex-spelling", "/leaf_hash")])
    case("log", "head-unknown", "Without a known head the log agrees with itself only.", TREE, records, {})
    case("log", "head-on-the-way", "A head that the log had earlier.", TREE, records, {"heads": [head(ITEMS[:3])]})
    case("log", "stretch", "A stretch from the middle of a log has no root of its own.", RANGE, records[2:], known)

    def broken(name, why, spec, documents, layer, code, at, twin="records"):
        case("log", name, why, spec, documents, known, refuted=[(layer, code, at)], twin=twin)

    rest = records[1:]
    broken("count-differs", "A page holds fewer entries than it says.", RANGE, [page(0, records, count=8)], "entries", "log.count", "/count", "pages")
    broken("start-differs", "A page says that it starts elsewhere.", RANGE, [page(1, records)], "entries", "log.index-gap", "/start", "pages")
    broken("entries-no-list", "The entries of a page are no list.", RANGE, [page(0, {})], "entries", "log.encoding", "/entries", "pages")
    broken("index-gap", "A record is left out.", CONTIGUOUS, records[:2] + records[3:], "entries", "log.index-gap", "index 3")
    broken("index-repeated", "A record stands there twice.", CONTIGUOUS, records[:3] + records[2:], "entries", "log.index-gap", "index 2")
    broken("index-as-text", "An index is an integer.", RANGE, [page(0, records[:6] + [{**record(6), "index": "6"}])], "entries", "log.encoding", "/entries/6/index", "pages")
    broken("hash-short", "A leaf hash has 32 bytes.", TREE, [page(0, records[:6] + [record(6, leaf_hash="00")])], "entries", "log.encoding", "/entries/6/leaf_hash", "pages")
    broken("data-absent", "A record has the text of its leaf.", RANGE, [page(0, records[:6] + [record(6, leaf_data=...)])], "entries", "log.encoding", "/entries/6/leaf_data", "pages")
    broken("data-hex-in-capitals", "The exact leaf is written in lower case.", TREE, [page(0, records[:6] + [record(6, leaf_data_hex="4C")])], "entries", "log.encoding", "/entries/6/leaf_data_hex", "pages")
    broken("hash-differs", "A leaf hash is not that of the leaf.", "oversight-requirements TL-3", [record(0, leaf_hash=records[1]["leaf_hash"]), *rest], "leaf-hashes", "log.leaf-hash-differs", "/leaf_hash")
    broken("text-differs", "The text of a leaf is not what its bytes say.", "oversight-requirements TL-3", [record(0, leaf_data="another leaf"), *rest], "leaf-hashes", "log.leaf-text-differs", "/leaf_data")
    other = [record(0), record(1, b"rewritten"), *records[2:]]
    broken("leaf-replaced", "A leaf was replaced, with its hash: the root is another.", TREE, other, "log-root", "log.root-differs", "")
    broken("record-cut-off", "A record ends too early.", TREE, [json.dumps(records[0])[:-9], *rest], "json", "json.end", "/leaf_data_hex")

    early = {"heads": [{**head(ITEMS[:3]), "root": head(ITEMS[:4])["root"]}]}
    case("log", "head-of-one-leaf-more", "A head whose root is that of one leaf more, as a race would make it.", TREE, records, early,
         refuted=[("log-root", "log.root-differs", "")], notes=[("interop.next-root", "")], twin="head-on-the-way")
    conflict = [head(ITEMS[:3]), {**head(ITEMS[:3]), "root": head(ITEMS[:4])["root"]}]
    case("heads", "heads-in-conflict", "Two heads of one size have different roots.", TREE, [json.dumps(one) for one in conflict], {}, refuted=[("append-only", "head.conflict", "")], twin="head-on-the-way")
    lines = "".join(json.dumps(one) + "\n" for one in records)
    beside = {**known, "log": lines}
    case("proof", "proof-beside-log", "A proof, a known head, and the log of both.", "RFC 9162 section 2.1.3.2", [proof(2, ITEMS)], beside)
    case("proof", "proof-alone", "A proof shows inclusion in a tree that nobody vouches for.", "RFC 9162 section 2.1.3.2", [proof(2, ITEMS)], {},
         open=[("head-known", "input.not-given"), ("log-root", "input.not-given"), ("log-leaf", "input.not-given")])
    short = "".join(json.dumps(one) + "\n" for one in records[:2])
    case("proof", "proof-beside-short-log", "The log ends before the leaf.", TREE, [proof(2, ITEMS)], {**known, "log": short}, open=[("log-root", "log.too-short"), ("log-leaf", "log.too-short")])
    forged = [*ITEMS[:2], b"forged", *ITEMS[3:]]
    case("proof", "proof-of-another-leaf", "The log has another leaf at that index, and leads to another root.", TREE, [proof(2, forged)], {"log": lines},
         refuted=[("log-root", "log.root-differs", "/root"), ("log-leaf", "log.leaf-differs", "/leaf_hash")], open=[("head-known", "input.not-given")], twin="proof-alone")
    case("proof", "proof-of-another-tree", "A head of this size is known, with another root.", TREE, [proof(2, forged)], known,
         refuted=[("head-known", "proof.head-differs", "/root")], open=[("log-root", "input.not-given"), ("log-leaf", "input.not-given")], twin="proof-alone")
    case("proof", "proof-flipped", "One sibling is another.", "RFC 9162 section 2.1.3.2", [proof(2, ITEMS, proof=proof(2, forged[::-1])["proof"])], beside, refuted=[("inclusion", "merkle.root-mismatch", "/proof")], twin="proof-beside-log")
    case("any", "kind-unknown", "Good JSON that is evidence of no kind that is known here.", "docs/decisions/malformed-input.md", [{"hello": "world"}], {}, open=[("kind", "document.kind")])
    check_vocabulary(writer)
    write_json(VECTORS / "schemas" / "vector-log.schema.json", schema())


def judge_log(texts, trust):
    faults, gaps, items, contiguous = {}, set(), [], True
    for text in texts:
        try:
            Reader(text.encode()).read()
        except Defect as defect:
            faults.setdefault("json", defect.code)
            gaps |= {("entries", "input.not-reached"), ("leaf-hashes", "input.not-reached")}
            contiguous = False
            continue
        document = json.loads(text)
        if "entries" in document and not isinstance(document["entries"], list):
            faults.setdefault("entries", "log.encoding")
            continue
        if "entries" in document:
            if document["count"] != len(document["entries"]):
                faults.setdefault("entries", "log.count")
            if document["entries"] and document["entries"][0]["index"] != document["start"]:
                faults.setdefault("entries", "log.index-gap")
        for one in document.get("entries", [document]):
            bytes_of = leaf_of(one)
            if bytes_of is None:
                faults.setdefault("entries", "log.encoding")
                continue
            if merkle.leaf_hash(bytes_of).hex() != one["leaf_hash"].lower():
                faults.setdefault("leaf-hashes", "log.leaf-hash-differs")
            if bytes_of != one["leaf_data"].encode():
                faults.setdefault("leaf-hashes", "log.leaf-text-differs")
            if items and one["index"] != items[-1][0] + 1:
                faults.setdefault("entries", "log.index-gap")
                contiguous = False
            items.append((one["index"], bytes_of))
    tree = [item for _, item in items]
    whole = contiguous and (not items or items[0][0] == 0)
    heads = sorted(trust.get("heads", []), key=lambda known: known["size"])
    compared = [known for known in heads if whole and known["size"] <= len(tree)]
    if any(merkle.root(tree[: known["size"]]).hex() != known["root"] for known in compared):
        faults["log-root"] = "log.root-differs"
    elif not heads:
        gaps.add(("log-root", "input.not-given"))
    elif len(compared) < len(heads):
        gaps.add(("log-root", "log.too-short" if whole else "input.not-reached"))
    if not compared:
        gaps.add(("log-end", "input.not-given"))
    elif compared[-1]["size"] < len(tree):
        gaps.add(("log-end", "log.beyond-head"))
    return faults, gaps


def judge_heads(texts, _):
    first, second = map(json.loads, texts)
    return ({"append-only": "head.conflict"} if first["size"] == second["size"] and first["root"] != second["root"] else {}), set()


def leaf_of(one):
    """The bytes of a record's leaf, or None when the record is not encoded as it must be."""
    text, hexadecimal = one.get("leaf_data"), one.get("leaf_data_hex")
    sound = type(one.get("index")) is int and isinstance(text, str) and len(one.get("leaf_hash", "")) == 64
    if not sound or hexadecimal is not None and hexadecimal != hexadecimal.lower():
        return None
    return text.encode() if hexadecimal is None else bytes.fromhex(hexadecimal)


def judge_proof(texts, trust):
    faults, gaps = {}, set()
    given = json.loads(texts[0])
    path, root = [bytes.fromhex(node) for node in given["proof"]], bytes.fromhex(given["root"])
    code = merkle.judge_inclusion(given["index"], given["tree_size"], bytes.fromhex(given["leaf_hash"]), path, root)
    if code:
        faults["inclusion"] = code
    known = [head for head in trust.get("heads", []) if head["size"] == given["tree_size"]]
    if not known:
        gaps.add(("head-known", "input.not-given"))
    elif known[0]["root"] != given["root"]:
        faults["head-known"] = "proof.head-differs"
    log = [json.loads(line)["leaf_data"].encode() for line in trust["log"].splitlines()] if "log" in trust else None
    if log is None or len(log) < given["tree_size"]:
        gaps.add(("log-root", "input.not-given" if log is None else "log.too-short"))
    elif merkle.root(log[: given["tree_size"]]) != root:
        faults["log-root"] = "log.root-differs"
    if log is None or len(log) <= given["index"]:
        gaps.add(("log-leaf", "input.not-given" if log is None else "log.too-short"))
    elif merkle.leaf_hash(log[given["index"]]).hex() != given["leaf_hash"]:
        faults["log-leaf"] = "log.leaf-differs"
    return faults, gaps


JUDGES = {"log": judge_log, "proof": judge_proof, "heads": judge_heads, "any": lambda *_: ({}, {("kind", "document.kind")})}


def check_vocabulary(writer):
    """Every code of a layer is exercised by a case, and no case uses another."""
    cases = [case["expect"] for case in writer.cases.values() if case["kind"] == "log"]
    for member, codes in (("refuted", REFUSALS), ("open", OPEN)):
        used = {(one["layer"], one["code"]) for expect in cases for one in expect[member]}
        assert used == {(layer, code) for layer, names in codes.items() for code in names}, (member, used)


def schema():
    def problem(codes, **more):
        return {"oneOf": [closed({"layer": {"const": layer}, "code": {"enum": sorted(names)}, **more}) for layer, names in codes.items()]}

    heads = listing(closed({"size": SIZE, "root": HASH}), minItems=1)
    place = {"type": "string", "pattern": "^(index [0-9]+|(/([^~/]|~[01])*)*)$"}
    properties = {
        "why": {"type": "string", "pattern": "\\.$"}, "spec": {"type": "string", "minLength": 1}, "kind": {"const": "log"},
        "input": closed({"as": {"enum": ["log", "proof", "heads", "any"]}, "documents": listing({"type": "string"}, minItems=1), "trust": closed({"heads": heads, "log": {"type": "string"}}, [])}),
        "expect": closed({
            "verdict": {"enum": ["authentic", "consistent", "refuted"]}, "refuted": listing(problem(REFUSALS, at=place)), "open": listing(problem(OPEN)),
            "notes": listing(closed({"code": {"type": "string"}, "at": POINTER})),
        }),
        "twin": {"type": "string", "pattern": "^[a-z0-9./-]+$"},
    }
    refuted = {"properties": {"expect": {"properties": {"verdict": {"const": "refuted"}}}}}
    twin = {"if": refuted, "then": {"required": ["twin"]}, "else": {"not": {"required": ["twin"]}}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A test vector of kind log", **closed(properties, ["why", "spec", "kind", "input", "expect"]), **twin}
