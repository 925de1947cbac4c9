"""The good bundles from which the soundness matrix derives its edits: one of each producer, and one in plain ASCII."""

import copy
import difflib
import json

import canon
import merkle
from registry import ISSUER, REGISTRY, SIGNATURE, Evidence, digest, dns, manifest, web

# What the caller may know, by name.
TRUSTS = {
    "registry-key": "the registry's key",
    "issuer-key": "the issuer's key",
    "file-id": "the file that was asked for",
    "log": "the honest log, up to the head of the bundle",
    "head-now": "the honest head of the size that the bundle names",
    "head-then": "an honest head from before the last events",
}
PRODUCERS = {"python-0.4.7": "python-sort-keys", "python-0.4.12": "jcs-exact-integers", "rust-0.4.12": "serde-jcs-0.1"}
ORDERLY = {"\ue000": 1, "\U0001f600": 2, "a": 3, "a b": 4}


def evidence(label, form, foreign=True):
    """A file with three events, in a log that goes on after them."""
    policy = {"registry_url": "https://registry.assayer.example", "jurisdiction": "GLOBAL", "notes": ["first", "second"], "reads": 12}
    members = {"policy": policy, "l3_policy": {"mode": "off"}}
    recipient = {"recipient_id": "reader@assayer.example", "x25519_pub": digest(f"x25519 {label}").hex(), "ed25519_pub": digest(f"reader {label}").hex()}
    if foreign:
        policy.update(ORDERLY, exact=2**53 + 1)
        recipient["recipient_id"] = "Zo\u00eb \u8aad\u8005"
        members.update(issuer_id="\u00c9diteur \U0001f680", original_filename="re\u0301sume\u0301 \u00e9t\u00e9 \u2028\x7f.txt")
    signed = manifest(f"soundness {label}", recipient=recipient, **members)
    agent, name = ("caf\u00e9/1.0", "b\u00fccher.example") if foreign else ("reader/1.0", "t.beacons.assayer.example")
    return Evidence(events=[web(agent=agent, at=60), dns(qname=name, at=75), web(kind="ocsp", agent="", at=90)], form=form, signed=signed)


def in_one_log(first, second):
    """Puts the leaves of `second` behind those of `first`; both bundles are then of one log and one head."""
    before = len(first.leaves)
    for row in second.body["events"]:
        row["tlog_index"] += before
    first.leaves = second.leaves = first.leaves + second.leaves
    for one in (first, second):
        rebuild(one)


def rebuild(one, size=None):
    """Head and proofs anew, from the leaves."""
    one.body["tlog_head"] = one.head(size)
    one.body["tlog_proofs"] = [one.proof(number, row["tlog_index"], size) for number, row in enumerate(one.body["events"])]
    return one.seal()


class Base:
    """A good bundle, its text, what there is to be trusted, and another bundle of the same log."""

    def __init__(self, name, form, foreign):
        self.name, self.form = name, form
        self.evidence, self.other = evidence(name, form, foreign), evidence(f"{name} other", form, foreign)
        in_one_log(self.evidence, self.other)
        self.size = len(self.evidence.leaves)
        self.leaves = list(self.evidence.leaves)
        self.text = self.evidence.text()
        self.data = self.text.encode("utf-8")
        self.segments = self.cut(self.evidence.value())
        assert self.dump(self.evidence.value()) == self.data

    def value(self):
        return copy.deepcopy(self.evidence.value())

    def dump(self, value):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=self.form == "serde-jcs-0.1").encode("utf-8")

    def signed_again(self, value, key=REGISTRY):
        body = {name: item for name, item in value.items() if name != SIGNATURE}
        return {**body, SIGNATURE: key.sign(canon.canonical(self.form, body))}

    def head(self, size):
        return {"size": size, "root": merkle.root(self.leaves[:size]).hex()}

    def trust(self, names):
        """What the judge is told."""
        known = {
            "registry-key": {"registry_key": REGISTRY.hex}, "issuer-key": {"issuer_keys": [ISSUER.hex]}, "file-id": {"file_id": self.evidence.body["file_id"]},
            "log": {"log": self.leaves},
        }
        trust = {name: value for given in names if given in known for name, value in known[given].items()}
        sizes = [size for name, size in (("head-now", self.size), ("head-then", 4)) if name in names]
        return {**trust, "heads": [(size, merkle.root(self.leaves[:size])) for size in sizes]}

    def published(self):
        trust = {
            "registry-key": REGISTRY.hex, "issuer-key": ISSUER.hex, "file-id": self.evidence.body["file_id"], "log": self.evidence.log(with_hex=False),
            "head-now": self.head(self.size), "head-then": self.head(4),
        }
        return {"base": self.name, "scheme": self.form, "bundle": self.text, "trust": trust}

    def cut(self, value):
        """The text in pieces, one for each member of the bundle."""
        names = sorted(value) if self.form == "serde-jcs-0.1" else list(value)
        pieces = [("{" if number == 0 else ",") + self.dump({name: value[name]}).decode()[1:-1] for number, name in enumerate(names)]
        return list(zip(names, pieces)) + [("", "}")]

    def splices(self, data):
        """Which bytes of the good text are replaced by which: few and short ones."""
        try:
            value = json.loads(data)
            pieces = self.cut(value)
            assert "".join(piece for _, piece in pieces).encode() == data
        except (ValueError, AssertionError, AttributeError, TypeError):
            return [splice(0, self.data, data)]
        found, at = [], 0
        before, after = self.segments, pieces
        matcher = difflib.SequenceMatcher(None, [name for name, _ in before], [name for name, _ in after], autojunk=False)
        for kind, a, b, c, d in matcher.get_opcodes():
            pairs = list(zip(before[a:b], after[c:d])) if kind == "equal" else [(("", "".join(p for _, p in before[a:b])), ("", "".join(p for _, p in after[c:d])))]
            for (_, old), (_, new) in pairs:
                old, new = old.encode(), new.encode()
                if old != new:
                    found.append(splice(at, old, new))
                at += len(old)
        assert patched(self.data, found) == data, "splices do not lead to the edited text"
        return found


def splice(at, old, new):
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    # Never within a character, so that what is inserted is text.
    while start and (is_continuation(old, start) or is_continuation(new, start)):
        start -= 1
    while end and is_continuation(old, len(old) - end):
        end -= 1
    inserted = new[start:len(new) - end]
    where = {"at": at + start, "remove": len(old) - end - start}
    try:
        return {**where, "insert": inserted.decode("utf-8")}
    except UnicodeDecodeError:
        return {**where, "insert_hex": inserted.hex()}


def is_continuation(data, at):
    return at < len(data) and 0x80 <= data[at] < 0xC0


def patched(data, splices):
    for one in reversed(splices):
        inserted = one["insert"].encode("utf-8") if "insert" in one else bytes.fromhex(one["insert_hex"])
        data = data[: one["at"]] + inserted + data[one["at"] + one["remove"] :]
    return data


def bases():
    found = {name: Base(name, form, True) for name, form in PRODUCERS.items()}
    found["plain"] = Base("plain", "jcs-exact-integers", False)
    return found

