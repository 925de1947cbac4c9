"""The soundness matrix: single edits of good bundles of each producer, and what must refute each of them.

The edits are derived by program. What they must lead to is decided twice, and never by the verifier: by the judge in
`soundness_judge.py`, and by a rule for who could have made the edit (`RULES`). An edit that nothing refutes needs a reason
from `REASONS`, or the generator stops.
"""

import re

import soundness_edits
import soundness_page
from soundness_base import TRUSTS, bases
from soundness_judge import judge, refuted, verdict
from writer import VECTORS, write_lines

PLAIN = ["registry-key", "issuer-key", "file-id"]
FURTHER = [[*PLAIN, "log"], [*PLAIN, "head-now"], [*PLAIN, "head-then"], [*PLAIN, "log", "head-now"]]

# Who could have made an edit, and the layers of which at least one must then be refuted: by the place of the edit.
ACTORS = {
    "anybody": "holds no key",
    "registry": "holds the registry's key and signs the bundle again, and the head where it is another; the log stays as it is",
    "registry-and-log": "holds the registry's key and builds the log anew around the edit",
    "issuer": "holds the issuer's key and signs the manifest again, but not the bundle",
    "issuer-and-registry": "holds both keys",
    "outsider": "signs with keys of their own",
}
# By actor and a regular expression over `class place`; the first that fits holds.
RULES = [
    ("anybody", r"^number-of-rows", ["json", "registry-signature", "event-binding", "inclusion", "tree-head"]),
    ("anybody", r"", ["limits", "json", "shape", "registry-signature"]),
    ("issuer", r"", ["registry-signature"]),
    ("registry", r"^issuer-exchanged", ["issuer-key"]),
    ("registry", r"^manifest-of-another-recipient", ["event-binding"]),
    ("registry", r" /manifest", ["issuer-signature", "manifest-members", "file-id", "shape"]),
    ("registry", r" /file_id", ["file-id", "shape"]),
    ("registry", r" /registry_pub", ["registry-key", "registry-signature", "shape"]),
    ("registry", r" /bundle_generated_at", ["shape"]),
    ("registry", r"/registered_at", ["beacon-rows", "watermark-rows", "registry-signature", "shape"]),
    ("registry", r" /beacons", ["beacon-rows", "shape"]),
    ("registry", r" /watermarks", ["watermark-rows", "shape"]),
    ("registry", r" /events", ["event-binding", "event-order", "inclusion", "shape"]),
    ("registry", r"^mixed-of-another-log /tlog_head", ["inclusion", "event-binding"]),
    ("registry", r" /tlog_head", ["tree-head", "inclusion"]),
    ("registry", r" /tlog_proofs", ["inclusion", "event-binding", "shape"]),
    ("outsider", r"", ["registry-key", "issuer-key", "registry-signature"]),
]

NOTHING, UNKNOWN = "neutral", "not-detectable"
LOG = "the log shows it: its leaves lead to another root, or hold what the bundle leaves out"
# Edits that refute nothing: actor, class or place (a regular expression over `class place`), outcome, why.
REASONS = [
    ("anybody", r"^number-", NOTHING, "one number, spelled another way: under this producer's form the signed bytes are the same"),
    ("anybody", r"^(escape|white-space|member-order)", NOTHING, "a way to write the same value: the signed bytes are recomputed from the value"),
    ("anybody", r"", NOTHING, "the value is the same"),
    ("registry", r"/disclaimer", UNKNOWN, "only the registry says it, and signs it; nobody else has a copy"),
    ("registry", r"/bundle_generated_at", UNKNOWN, "the registry's own clock; `max_age_days` of a trust policy and key windows bound it, a time stamp of an authority would show it"),
    ("registry", r"/(beacons|watermarks)/\d+/registered_at", UNKNOWN, "a time that only the registry says; no leaf holds it"),
    ("registry", r"/events/\d+/id\b", UNKNOWN, "the number of a row in the registry's database; no leaf holds it"),
    ("registry", r"/events/\d+/timestamp", UNKNOWN, "within the five seconds that two readings of a clock may differ; the leaf holds the other time"),
    ("registry", r"/manifest/signature_ml_dsa", NOTHING, "both signature members are blank in the bytes that the issuer signed, whatever they hold"),
    ("registry", r"hex-.*/manifest/signature_ed25519", NOTHING, "the same signature, spelled as the registries too would read it; it is noted (`interop.hex-spelling`)"),
    ("registry", r"^(unknown-member|bundle-changed /tlog_head|proof-entry-changed /tlog_proofs/1/proof)", UNKNOWN, "a further member that only the registry says; in event rows it is noted (`interop.unknown-member`)"),
    ("registry", r"^array-.* /(beacons|watermarks|tlog_proofs)", NOTHING, "rows and proofs are compared as sets: their order says nothing"),
    ("registry", r"^manifest-.* /manifest/\w+$", NOTHING, "what is absent is signed as its default, which is what stood there"),
    ("registry", r"^dns-event-.* /events/1/user_agent", NOTHING, "a DNS event has no user agent: absent, null and empty say the same"),
    ("registry", r"^alike-space /events/1/extra", NOTHING, "white space in the JSON that this text holds; the leaf holds what it says"),
    ("registry", r"^event-dropped", UNKNOWN, "a bundle holds the events that the registry chose; " + LOG),
    ("registry", r"^proof-(under|order)", NOTHING, "the same proofs, written another way"),
    ("registry", r"^head-earlier-with-proofs", UNKNOWN, "an earlier head of the same log, with proofs that lead to it; a later head kept from elsewhere, and `max_age_days` of a trust policy, show that it is old"),
    ("registry", r"^manifest-exchanged", UNKNOWN, "the issuer signed this one, too; the leaf of the registration does not name a manifest"),
    ("registry", r"^head-missing", UNKNOWN, "without events a head may be absent: the bundle is then at most consistent"),
    ("registry-and-log", r"", UNKNOWN, "whoever builds the log anew can say anything that nobody else recorded; a head that was known before shows it, and so does a copy of the log"),
    ("issuer-and-registry", r"", UNKNOWN, "both parties agree on it; only what others kept from earlier shows that it was otherwise"),
    ("outsider", r"", UNKNOWN, "a registry of one's own agrees with itself; only a key that is known from elsewhere shows it"),
]


class Matrix:
    """Collects edits by group and class, and decides about each."""

    def __init__(self):
        self.groups, self.bases, self.seen = {}, bases(), set()
        for base in self.bases.values():
            for trust in [PLAIN, *FURTHER]:
                found = judge(base.data, base.trust(trust))
                assert verdict(found) == "authentic", (base.name, trust, found)

    def group(self, name, title):
        self.groups[name] = {"group": name, "title": title, "classes": {}}
        self.here = self.groups[name]["classes"]

    def add(self, name, title, base, actor, at, what, data, trust=PLAIN):
        """One edit. `at` is the JSON Pointer of what is edited, `data` the bytes of the edited bundle."""
        assert data != base.data, (name, at, what, "changes nothing")
        if (base.name, actor, data, tuple(trust)) in self.seen:
            return
        self.seen.add((base.name, actor, data, tuple(trust)))
        found = judge(data, base.trust(trust))
        edit = {"base": base.name, "by": actor, "at": at, "what": what, "splices": base.splices(data), "verdict": verdict(found), "refuted": refuted(found)}
        if trust != PLAIN:
            edit["trust"] = trust
        if not edit["refuted"]:
            edit["outcome"], edit["why"] = reason(actor, f"{name} {at}")
            if edit["outcome"] == UNKNOWN:
                edit["shown_by"] = shown_by(base, data)
        else:
            edit["outcome"] = "refuted"
            check_rule(actor, name, at, what, edit["refuted"])
        known = self.here.setdefault(name, {"class": name, "title": title, "edits": []})
        assert known["title"] == title, name
        known["edits"].append(edit)

    def value(self, name, title, base, actor, at, what, value, trust=PLAIN):
        """As `add`, of an edited value; the registry signs it again if it is the actor."""
        if actor in ("registry", "registry-and-log", "issuer-and-registry"):
            value = base.signed_again(value)
        self.add(name, title, base, actor, at, what, base.dump(value), trust)


def shown_by(base, data):
    """What a caller would have to know for the edit to be refuted: only what refutes a layer that less knowledge does not."""
    shown, layers = [], set()
    for trust in FURTHER:
        found = refuted(judge(data, base.trust(trust)))
        if not set(found) <= layers:
            shown.append({"trust": trust, "refuted": found})
            layers |= set(found)
    return shown


def reason(actor, place):
    for who, pattern, outcome, why in REASONS:
        if who == actor and re.search(pattern, place):
            return outcome, why
    raise AssertionError(f"nothing refutes {place} by {actor}, and no reason is given")


def check_rule(actor, name, at, what, found):
    for who, pattern, layers in RULES:
        if who == actor and re.search(pattern, f"{name} {at}"):
            assert any(layer in found for layer in layers), (name, actor, at, what, found)
            return


def generate():
    matrix = Matrix()
    soundness_edits.all_edits(matrix)
    groups = [{**group, "classes": list(group["classes"].values())} for group in matrix.groups.values()]
    write_lines(VECTORS / "soundness" / "bases.json", {"by": ACTORS, "knows": TRUSTS, "trust": PLAIN, "bases": [base.published() for base in matrix.bases.values()]}, 4)
    for group in groups:
        write_lines(VECTORS / "soundness" / f"{group['group']}.json", group, 4)
    soundness_page.write(groups, ACTORS)
    edits = [edit for group in groups for known in group["classes"] for edit in known["edits"]]
    counts = {outcome: sum(edit["outcome"] == outcome for edit in edits) for outcome in ("refuted", NOTHING, UNKNOWN)}
    print(f"soundness: {len(edits)} edits in {sum(len(group['classes']) for group in groups)} classes: {counts}")
