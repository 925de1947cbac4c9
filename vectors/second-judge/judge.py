#!/usr/bin/env python3
"""A second judge of the cryptographic checks of an archive, which shares nothing with assayer's verifier.

    python3 judge.py [--json] ARCHIVE...
    python3 judge.py [--json] --under FOLDER

It reads what was sent and answered (transcript.ndjson), computes signatures, leaf hashes, proofs and roots again, and
compares with what the verdicts say (verdicts.json). Exit codes: 0 both judges agree about every archive, 1 they do not,
2 an archive cannot be read or has nothing that could be compared. Of all archives under a folder some may be of runs in
which nothing was signed; at least one has to be of another.

Python's standard library and the package `cryptography`. Written from docs/auditors.md, RFC 6962, RFC 8032 and RFC 8785.
What it does not judge is printed, not passed over: shapes, orders, statuses and texts are for `assayer recheck`.
"""

import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Broken(Exception):
    """A layer does not hold, and why."""


def need(condition, why):
    if not condition:
        raise Broken(why)


# ---- JSON, read so that nothing is lost, and written in the three forms that registries sign ----


def no_duplicates(pairs):
    members = dict(pairs)
    need(len(members) == len(pairs), "a member stands twice")
    return members


def read(text):
    try:
        return json.loads(text, object_pairs_hook=no_duplicates)
    except (ValueError, RecursionError) as error:
        raise Broken(f"no JSON: {error}") from error


def quote(text):
    return json.dumps(text, ensure_ascii=False)


def ecmascript(number):
    """A double as ECMAScript writes it (RFC 8785, section 3.2.2.3)."""
    number = float(number)
    if number == 0:
        return "0"
    sign, text = ("-" if number < 0 else ""), repr(abs(number))
    mantissa, _, exponent = text.partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    shown = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{shown}e{'+' if point > 0 else '-'}{abs(point - 1)}"


def number_exact(number):
    need(isinstance(number, int), "this form has no fractions")
    return str(number)


def number_quoted(number):
    if isinstance(number, int) and -(2**63) <= number < 2**64:
        return str(number)
    return ecmascript(number)


FORMS = {
    # name: (order of keys, text, number)
    "utf16": (lambda key: key.encode("utf-16-be", "surrogatepass"), quote, number_exact),
    "ecmascript": (lambda key: key.encode("utf-16-be", "surrogatepass"), quote, ecmascript),
    "quoted": (lambda key: quote(key).encode("utf-8", "surrogatepass"), quote, number_quoted),
    "legacy": (lambda key: key, lambda text: json.dumps(text).replace("\x7f", "\\u007f"), lambda number: json.dumps(number)),
}


def canonical(value, form):
    order, text, number = FORMS[form]

    def write(value):
        if value is None or isinstance(value, bool):
            return json.dumps(value)
        if isinstance(value, str):
            return text(value)
        if isinstance(value, (int, float)):
            return number(value)
        if isinstance(value, list):
            return "[" + ",".join(map(write, value)) + "]"
        return "{" + ",".join(f"{text(key)}:{write(value[key])}" for key in sorted(value, key=order)) + "}"

    return write(value).encode("utf-8", "surrogatepass")


def all_forms(value):
    for form in FORMS:
        try:
            yield canonical(value, form)
        except Broken:
            continue


# ---- signatures and trees ----


def from_hex(text, length, what):
    need(isinstance(text, str) and re.fullmatch(f"[0-9a-fA-F]{{{2 * length}}}", text), f"{what} is not {length} bytes in hexadecimal")
    return bytes.fromhex(text)


def signed(key, signature, messages):
    """Whether one of the messages was signed."""
    key = Ed25519PublicKey.from_public_bytes(from_hex(key, 32, "the key"))
    signature = from_hex(signature, 64, "the signature")
    for message in messages:
        try:
            key.verify(signature, message)
            return
        except InvalidSignature:
            continue
    raise Broken("the signature fits none of the forms")


def leaf_hash(data):
    return hashlib.sha256(b"\0" + data).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def root_of(leaves):
    """RFC 6962, section 2.1, as it stands there."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node(root_of(leaves[:split]), root_of(leaves[split:]))


def root_from_path(index, size, leaf, path):
    """The root that a path leads to: downwards through the splits of RFC 6962, so each sibling's side is known."""
    need(0 <= index < size, f"leaf {index} of {size}")
    turns = []
    while size > 1:
        split = 1 << ((size - 1).bit_length() - 1)
        turns.append(index >= split)
        index, size = (index - split, size - split) if index >= split else (index, split)
    need(len(turns) == len(path), f"expected {len(turns)} hashes, found {len(path)}")
    for is_right, sibling in zip(reversed(turns), path):
        leaf = node(sibling, leaf) if is_right else node(leaf, sibling)
    return leaf


def inclusion(proof):
    need(isinstance(proof, dict) and isinstance(proof.get("proof"), list), "no proof")
    need(all(type(proof.get(name)) is int for name in ("index", "tree_size")), "a proof needs index and tree_size")
    path = [from_hex(item, 32, "a hash of the path") for item in proof["proof"]]
    found = root_from_path(proof["index"], proof["tree_size"], from_hex(proof.get("leaf_hash"), 32, "leaf_hash"), path)
    need(found == from_hex(proof.get("root"), 32, "root"), "the path leads to another root")


# ---- layers: each takes the document and what it is judged under ----


def head_of(document):
    head = document.get("tlog_head", document)
    need(isinstance(head, dict) and type(head.get("size")) is int, "no tree head")
    return head


def is_readable(head):
    if not isinstance(head, dict) or type(head.get("size")) is not int or head["size"] < 0:
        return False
    return isinstance(head.get("root"), str) and re.fullmatch("[0-9a-fA-F]{64}", head["root"]) is not None


def tree_head(document, under):
    head = head_of(document)
    message = f'{{"root":"{head.get("root")}","size":{head["size"]}}}'
    root = from_hex(head.get("root"), 32, "root")
    # An empty log has the hash of nothing, or what some registries write for it.
    need(head["size"] > 0 or root in (root_of([]), bytes(32)), "an empty log with a root")
    need(head.get("signed_message") == message, "signed_message does not restate size and root")
    keys = [document["registry_pub"]] if "registry_pub" in document else under["registry_keys"]
    need(keys, "no key")
    signed(keys[0].lower(), head.get("signature"), [message.encode()])


def registry_key(document, under):
    if "registry_pub" in document:
        need(document["registry_pub"].lower() in under["registry_keys"], "another key")
    else:
        tree_head(document, under)


def registry_signature(document, _):
    rest = {name: value for name, value in document.items() if name != "bundle_signature_ed25519"}
    signed(document.get("registry_pub"), document.get("bundle_signature_ed25519"), all_forms(rest))


def without_nulls(value):
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


DEFAULTS = {
    "version": "OVERSIGHT-v1", "suite": "OSGT-CLASSIC-v1", "original_filename": "", "content_hash": "", "canonical_content_hash": "",
    "content_type": "application/octet-stream", "size_bytes": 0, "issuer_id": "", "issuer_ed25519_pub": "", "watermarks": [],
    "beacons": [], "policy": {}, "l3_policy": {},
}  # fmt: skip


MEMBERS = {*DEFAULTS, "file_id", "issued_at", "recipient", "signature_ed25519", "signature_ml_dsa"}


def manifest_readings(manifest):
    """How registries write a manifest again before they look at its signature."""
    blank = {**manifest, "signature_ed25519": "", "signature_ml_dsa": ""}
    # One implementation drops members that it does not know.
    known = {name: value for name, value in blank.items() if name in MEMBERS}
    for reading in (blank, {**DEFAULTS, **blank}, known, {**DEFAULTS, **known}):
        for value in (reading, without_nulls(reading)):
            yield value
            yield {
                name: item
                for name, item in value.items()
                if not (name == "canonical_content_hash" and item == "" or name == "l3_policy" and item == {})
            }


def manifest_of(document):
    need(isinstance(document.get("manifest"), dict), "no manifest")
    return document["manifest"]


def issuer_signature(document, _):
    manifest = manifest_of(document)
    messages = (message for reading in manifest_readings(manifest) for message in all_forms(reading))
    signed(manifest.get("issuer_ed25519_pub"), manifest.get("signature_ed25519"), messages)


def issuer_key(document, under):
    need(str(manifest_of(document).get("issuer_ed25519_pub")).lower() in under["issuer_keys"], "another issuer")


def proofs_of(document):
    need(isinstance(document.get("tlog_proofs"), list), "no tlog_proofs")
    for item in document["tlog_proofs"]:
        need(isinstance(item, dict), "a proof that is no object")
        yield item, item.get("proof", item.get("inclusion"))


def proven_events(document):
    """(row, event, proof) of each proof, which holds and is of this event."""
    head, events = document.get("tlog_head"), document.get("events")
    need(isinstance(events, list) and all(isinstance(event, dict) for event in events), "no events")
    for item, proof in proofs_of(document):
        inclusion(proof)
        row = item.get("event_row")
        need(row in range(len(events)), "a proof of no event")
        need(proof["index"] == item.get("tlog_index") == events[row].get("tlog_index"), "a proof of another leaf")
        # A head that is none is for the layer tree-head; a proof still leads to its own root.
        if is_readable(head):
            need((proof["tree_size"], proof["root"].lower()) == (head["size"], head["root"].lower()), "a proof for another head")
        yield row, events[row], proof


def included(document, _):
    if "tlog_proofs" not in document:
        return inclusion(document)
    head_of(document)
    rows = sorted(row for row, _, _ in proven_events(document))
    need(rows == list(range(len(document["events"]))), "expected one proof for each event")


def leaf_of(event):
    names = ("kind", "token_id", "file_id", "recipient_id", "source_ip")
    leaf = {"event": "beacon", "timestamp": event.get("qualified_timestamp"), **{name: event.get(name) for name in names}}
    if event.get("kind") != "dns":
        return {**leaf, "user_agent": event.get("user_agent")}
    extra = read(event.get("extra") or "{}")
    return {**leaf, "qname": extra.get("qname"), "qtype": extra.get("qtype")}


def event_binding(document, _):
    manifest, bound, names = document.get("manifest"), set(), {}
    # Without a manifest there is nothing to belong to; that there is none is for issuer-signature.
    if isinstance(manifest, dict):
        names = {"file_id": manifest.get("file_id"), "issuer_id": manifest.get("issuer_id")}
        names["recipient_id"] = (manifest.get("recipient") or {}).get("recipient_id")
    for row, event, proof in proven_events(document):
        need(all(event.get(name) == value for name, value in names.items()), "an event of another manifest")
        need("extra" in event, "a row that lacks a member")
        need(proof["leaf_hash"].lower() in {leaf_hash(text).hex() for text in all_forms(leaf_of(event))}, f"event {row} is not what was logged")
        bound.add(row)
    need(len(bound) == len(document["events"]), "an event without a proof")


def leaf_bytes(entry):
    need(isinstance(entry, dict), "an entry that is no object")
    if entry.get("leaf_data_hex") is not None:
        data = bytes.fromhex(entry["leaf_data_hex"])
        need(data.decode("utf-8", "replace") == entry.get("leaf_data"), "leaf_data and leaf_data_hex differ")
        return data
    return entry["leaf_data"].encode()


def leaf_hashes(document, _):
    need(isinstance(document.get("entries"), list), "no entries")
    for entry in document["entries"]:
        need(leaf_hash(leaf_bytes(entry)).hex() == str(entry.get("leaf_hash")).lower(), "a leaf hash of other data")


def log_of(under):
    need(under["log"] is not None, "no log")
    return under["log"]


def log_root(document, under):
    head, leaves = head_of(document), log_of(under)
    need(head["size"] <= len(leaves), "the log is shorter than its head")
    need(root_of([leaf_hash(leaf) for leaf in leaves[: head["size"]]]).hex() == head["root"].lower(), "the log has another root")


def log_leaf(document, under):
    leaves = log_of(under)
    need(type(document.get("index")) is int and 0 <= document["index"] < len(leaves), "no such leaf")
    need(leaf_hash(leaves[document["index"]]).hex() == str(document.get("leaf_hash")).lower(), "another leaf stands there")


def registration(document, under):
    log_root(document, under)
    manifest = manifest_of(document)
    recipient = manifest.get("recipient") or {}
    expected = {
        "event": "register", "file_id": manifest.get("file_id"), "recipient_id": recipient.get("recipient_id"),
        "issuer_id": manifest.get("issuer_id"), "issuer_pub": manifest.get("issuer_ed25519_pub"),
        "n_beacons": len(manifest.get("beacons") or []), "n_watermarks": len(manifest.get("watermarks") or []),
    }  # fmt: skip
    for leaf in log_of(under):
        found = read(leaf)
        if isinstance(found, dict) and all(found.get(name) == value for name, value in expected.items()):
            return
    raise Broken("no leaf says that it was registered")


def head_known(document, under):
    head = (document.get("tree_size"), str(document.get("root")).lower())
    need(head in under["heads"], "for none of the heads")


def append_only(_, under):
    leaves = [leaf_hash(leaf) for leaf in log_of(under)]
    for size, root in under["heads"]:
        need(size <= len(leaves) and root_of(leaves[:size]).hex() == root, f"the first {size} leaves have another root")


LAYERS = {
    "append-only": append_only,
    "event-binding": event_binding,
    "head-known": head_known,
    "inclusion": included,
    "issuer-key": issuer_key,
    "issuer-signature": issuer_signature,
    "leaf-hashes": leaf_hashes,
    "log-leaf": log_leaf,
    "log-root": log_root,
    "registration": registration,
    "registry-key": registry_key,
    "registry-signature": registry_signature,
    "tree-head": tree_head,
}


# ---- the archive ----


class Archive:
    def __init__(self, folder):
        self.folder = Path(folder)
        self.manifest = json.loads((self.folder / "manifest.json").read_bytes())
        lines = (self.folder / "transcript.ndjson").read_bytes().splitlines()
        self.lines = [json.loads(line) for line in lines]
        self.verdicts = json.loads((self.folder / "verdicts.json").read_bytes())["verdicts"]

    def answer(self, line):
        """Status and text of the answer; `None` if there was none."""
        answered = self.lines[line]["outcome"].get("answered")
        if answered is None:
            return None
        answer = answered["answer"]
        body = answer.get("body_text")
        return answer["status"], body if body is not None else bytes.fromhex(answer.get("body_hex") or "")

    def named(self, exchange, attempt):
        """The lines of an exchange, those of its latest attempt that is not after this one."""
        all_of = [line for line in self.lines if line["exchange"] == exchange and line["attempt"] <= attempt]
        latest = max((line["attempt"] for line in all_of), default=0)
        return [line["n"] for line in all_of if line["attempt"] == latest]

    def document(self, line):
        answer = self.answer(line)
        need(answer is not None, "no answer")
        document = read(answer[1])
        need(isinstance(document, dict), "no object")
        return document

    def value(self, reference, attempt):
        """`$name#/pointer`: a value of the run, or a part of an answer."""
        name, _, pointer = reference.removeprefix("$").partition("#")
        value = self.manifest["names"].get(name)
        if value is None:
            lines = self.named(name, attempt)
            need(lines, f"{name} was not sent")
            value = self.document(lines[0])
        for part in pointer.split("/")[1:]:
            value = value.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
        need(isinstance(value, str), f"{reference} is no text")
        return value

    def log(self, exchange, attempt):
        leaves = []
        for line in self.named(exchange, attempt):
            page = self.document(line)
            leaf_hashes(page, None)
            for entry in page["entries"]:
                need(entry.get("index") == len(leaves), "the log has a gap")
                leaves.append(leaf_bytes(entry))
        return leaves

    def under(self, expectation, attempt):
        given = expectation.get("under") or {}
        key = lambda name: [self.value(given[name], attempt).lower()] if given.get(name) else []
        heads = [head_of(self.document(line)) for name in given.get("heads") or [] for line in self.named(name, attempt)]
        return {
            "registry_keys": key("registry_key"),
            "issuer_keys": key("issuer_key"),
            "heads": [(head["size"], str(head.get("root")).lower()) for head in heads],
            "log": self.log(given["log"], attempt) if given.get("log") else None,
        }


def is_excused(expectation, status, body):
    """Whether the answer is an error that may stand instead of what is expected."""
    codes = expectation.get("unless_error")
    return bool(codes) and not 200 <= status < 300 and any(code in str(body) for code in codes)


def layers_of(archive, verdict):
    """(exchange, layer, why it does not hold or None) for each layer that this judge knows."""
    attempt = verdict["attempt"]
    for judged in verdict["judged"]:
        expectation = judged["expectation"]
        known = [layer for layer in expectation.get("established") or [] if layer in LAYERS]
        # The lines of what it refers to are there too; they are looked up where they are needed.
        own = [line for line in judged["lines"] if archive.lines[line]["exchange"] == expectation["exchange"]]
        for line in own if known else []:
            answer = archive.answer(line)
            if answer is not None and is_excused(expectation, *answer):
                continue
            for layer in known:
                try:
                    LAYERS[layer](archive.document(line), archive.under(expectation, attempt))
                    why = None
                except Broken as error:
                    why = str(error)
                except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
                    why = f"not as it must be: {error!r}"
                yield archive.lines[line]["exchange"], layer, why


ACCUSED = re.compile(r"(?P<exchange>[\w.-]+)(?:\[\d+\])?: (?P<layer>[a-z-]+) (?:refuted|not-established) \(")


def is_confirmed(archive, verdict, exchange, layer, broken):
    """Whether what one judge accuses does not hold for the other either."""
    if any((exchange, layer) == known[:2] for known in broken):
        return True
    # A comparison of heads names a layer that no expectation asks for.
    asked = {"judged": [], "attempt": verdict["attempt"]}
    for judged in verdict["judged"]:
        lines = [line for line in judged["lines"] if archive.lines[line]["exchange"] == exchange]
        under = judged["expectation"].get("under")
        asked["judged"].append({"lines": lines, "expectation": {"exchange": exchange, "established": [layer], "under": under}})
    return any(why is not None for _, _, why in layers_of(archive, asked))


def compare(archive):
    """What the two judges say, check by check."""
    found = {"judged": 0, "layers": 0, "accused": 0, "elsewhere": [], "disagreements": []}
    for verdict in archive.verdicts:
        if verdict["status"] == "not-applicable":
            continue
        layers = list(layers_of(archive, verdict))
        if not layers:
            continue
        found["judged"] += 1
        found["layers"] += len(layers)
        broken = [(exchange, layer, why) for exchange, layer, why in layers if why is not None]
        accused = ACCUSED.search(verdict["reason"])
        if verdict["status"] == "pass":
            for exchange, layer, why in broken:
                found["disagreements"].append(f"{verdict['check']}: passed, but {layer} of {exchange} does not hold: {why}")
        elif accused and accused["layer"] in LAYERS:
            found["accused"] += 1
            if not is_confirmed(archive, verdict, accused["exchange"], accused["layer"], broken):
                found["disagreements"].append(
                    f"{verdict['check']}: {verdict['status']} for {accused['layer']} of {accused['exchange']}, which holds"
                )
        else:
            found["elsewhere"].append(verdict["check"])
    return found


def archives_under(folder):
    return sorted(str(path.parent) for path in Path(folder).rglob("verdicts.json"))


def main(arguments):
    as_json, is_tree = "--json" in arguments, "--under" in arguments
    folders = [argument for argument in arguments if argument not in ("--json", "--under")]
    if is_tree:
        folders = [found for folder in folders for found in archives_under(folder)]
    if not folders:
        print(__doc__, file=sys.stderr)
        return 2
    code, results = 0, {}
    for folder in folders:
        try:
            found = compare(Archive(folder))
        except (OSError, ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            print(f"{folder}: this is no archive that can be judged: {error!r}", file=sys.stderr)
            return 2
        results[folder] = found
        if found["judged"] == 0 and not is_tree:
            print(f"{folder}: there is nothing to compare", file=sys.stderr)
            return 2
        if found["disagreements"]:
            code = 1
        if not as_json and found["judged"]:
            word = "agree" if not found["disagreements"] else "DISAGREE"
            print(f"{folder}: the judges {word}: {found['judged']} checks, {found['layers']} layers, {found['accused']} accused")
            for line in found["disagreements"]:
                print(f"  {line}")
            if found["elsewhere"]:
                print(f"  did not pass for another reason, which is not judged here: {', '.join(found['elsewhere'])}")
    if not any(found["judged"] for found in results.values()):
        print("there is nothing to compare", file=sys.stderr)
        return 2
    if as_json:
        print(json.dumps(results, indent=2))
    else:
        empty = sum(found["judged"] == 0 for found in results.values())
        print(f"{len(results)} archives, {empty} of them with nothing that is signed")
        print(f"layers that are judged here: {', '.join(sorted(LAYERS))}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
