"""Kind `bundle`: suites, the second signature of hybrid manifests, and the other rules of sealed manifests."""

import copy

import mldsa
from cases_bundle import BOTH, MANIFEST, add
from registry import FORMS, ISSUER, OTHER_ISSUER, REGISTRY, Evidence, digest, manifest, token, web

RULES = "oversight-requirements, sealed-manifest rules"
HYBRID, HARDWARE = "OSGT-HYBRID-v1", "OSGT-HW-P256-v1"
AT = "/manifest/signature_ml_dsa"
KEY, OTHER_KEY = mldsa.Key(digest("ml-dsa issuer")), mldsa.Key(digest("ml-dsa other issuer"))
NEEDS = [("post-quantum", "post-quantum")]


def trusted(*keys, issuer=ISSUER, hybrid_only=False):
    return {**BOTH, "ml_dsa_keys": [{"issuer": issuer.hex, "key": key.hex, "hybrid_only": hybrid_only} for key in keys]}


SECOND = trusted(KEY)


def hybrid(label="file", sign=KEY.sign, form="jcs-exact-integers", **members):
    """A hybrid bundle; `sign` gives the second signature from the bytes that the first one covers."""
    evidence = Evidence(label, events=[web()], form=form, signed=manifest(label, suite=HYBRID, **members))
    evidence.body["manifest"]["signature_ml_dsa"] = sign(evidence.issuer_message).hex()
    return evidence.seal()


def generate(writer):
    def good(name, why, evidence, trust=BOTH, spec=RULES, **expectation):
        add(writer, f"good/{name}", why, spec, evidence.text(), trust, **expectation)

    def bad(name, why, code, evidence, trust=SECOND, at=AT, twin="good/hybrid", needs=NEEDS, spec=RULES, **expectation):
        add(writer, name, why, spec, evidence.text(), trust, [(name.split("/")[0], code, at)], twin, needs=needs, **expectation)

    suites(writer, good, bad)
    second_signatures(good, bad)
    second_signatures_without_key(good)
    sealed_forms(good)


def suites(writer, good, bad):
    point = "04" + digest("p256 x").hex() + digest("p256 y").hex()
    recipient = {"recipient_id": "reader@assayer.example", "x25519_pub": "", "p256_pub": point}
    hardware = Evidence(events=[web()], form="serde-jcs-0.1", signed=manifest("file", suite=HARDWARE))
    keyed = Evidence(signed=manifest("hardware", suite=HARDWARE, recipient=recipient))
    good("suite-hardware", "The suite with a P-256 key of the recipient needs no second signature.", keyed)
    good("suite-hardware-without-key", "The recipient has no key of the kind that the suite is for.", hardware, notes=[("interop.sealed-form", "/manifest/recipient/p256_pub")])
    left = [("suite", "suite.unknown", "/manifest/suite"), ("post-quantum", "input.not-reached", "/manifest/suite")]
    for name, suite, why in (
        ("unknown", "OSGT-CLASSIC-v2", "The issuer signed a suite that is not known here."),
        ("letter-case", "osgt-classic-v1", "The name of a suite is compared exactly."),
        ("empty", "", "The suite is an empty text."),
        ("with-space", "OSGT-CLASSIC-v1 ", "A space behind the name of the suite."),
    ):
        good(f"suite-{name}", why, Evidence(events=[web()], signed=manifest("file", suite=suite)), left_open=left)
    unnamed = manifest("file")
    wire = {name: value for name, value in unnamed.items() if name != "suite"}
    good("suite-left-out", "A manifest that names no suite is signed with the classic one.", Evidence(events=[web()], signed=unnamed, wire=wire), notes=[("interop.member-absent", "/manifest/suite")])
    only = trusted(KEY, hybrid_only=True)
    bad("suite/downgraded", "The caller accepts hybrid manifests only from this issuer; this one is classic.", "suite.downgraded", Evidence(events=[web()]), only, "/manifest/suite", "good/hybrid-only", needs=())
    bad("suite/downgraded-to-hardware", "The suite of the recipient's hardware has one signature of the issuer too.", "suite.downgraded", keyed, only, "/manifest/suite", "good/hybrid-only", needs=())
    bad("suite/downgraded-to-unknown", "What a suite that is not known here asks for is not known either: it is not the hybrid one.", "suite.downgraded", Evidence(events=[web()], signed=manifest("file", suite="OSGT-CLASSIC-v2")), only, "/manifest/suite", "good/hybrid-only", needs=(), left_open=[("post-quantum", "input.not-reached", "/manifest/suite")])
    escaped = Evidence(events=[web()]).text().replace('"suite":"OSGT', '"suite":"\\u004fSGT')
    add(writer, "good/suite-escaped", "The suite is written with an escape, which means the same.", RULES, escaped, BOTH)
    add(writer, "suite/downgraded-escaped", "A downgraded suite is one however it is written.", RULES, escaped, only, [("suite", "suite.downgraded", "/manifest/suite")], "good/hybrid-only")
    good("hybrid-only", "The caller accepts hybrid manifests only from this issuer, and this is one.", hybrid(), only, needs=NEEDS)
    good("hybrid-only-of-another", "That another issuer must sign twice is of no concern here.", Evidence(events=[web()]), trusted(KEY, issuer=OTHER_ISSUER, hybrid_only=True))


def second_signatures(good, bad):
    one = hybrid()
    good("hybrid", "A hybrid manifest with both signatures, over the same bytes.", one, SECOND, needs=NEEDS)
    for form in FORMS:
        foreign = hybrid(f"foreign hybrid {form}", form=form, issuer_id="\u00c9diteur \U0001f680", policy={"\ue000": 1, "\U0001f600": 2})
        good(f"hybrid-{form}", f"Both signatures cover the form {form}.", foreign, SECOND, needs=NEEDS)
    good("hybrid-second-key-of-two", "One of the two keys of the issuer made the second signature.", one, trusted(OTHER_KEY, KEY), needs=NEEDS)

    def tampered(name, why, code, value, **expectation):
        evidence = copy.deepcopy(one)
        evidence.body["manifest"]["signature_ml_dsa"] = value(evidence.body["manifest"]["signature_ml_dsa"])
        bad(f"post-quantum/{name}", why, code, evidence.seal(), **expectation)

    mismatch, encoding = "ml-dsa.mismatch", "ml-dsa.signature-encoding"
    tampered("bit-flipped", "One bit of the challenge differs.", mismatch, lambda s: f"{int(s[:2], 16) ^ 1:02x}" + s[2:])
    tampered("of-3308-bytes", "The last byte of the signature is missing.", "ml-dsa.signature-length", lambda s: s[:-2])
    tampered("of-3310-bytes", "A byte too many.", "ml-dsa.signature-length", lambda s: s + "00")
    tampered("of-44", "A signature of the length of ML-DSA-44.", "ml-dsa.signature-length", lambda s: s[: 2420 * 2])
    tampered("not-hexadecimal", "A signature is written in hexadecimal digits.", encoding, lambda s: "zz" + s[2:], needs=())
    tampered("hint-count", "The hint claims more positions than it may have.", encoding, lambda s: s[:-2] + "38")
    tampered("hint-padding", "An unused place of the hint is not zero.", encoding, lambda s: s[: (48 + 3200 + 54) * 2] + "01" + s[(48 + 3200 + 55) * 2 :])
    tampered("response-too-large", "A coefficient of the response is as large as its encoding allows.", encoding, lambda s: s[:96] + "000000" + s[102:])
    tampered("stripped", "The second signature was taken away; the first one covers it as blank in any case.", "post-quantum.signature-missing", lambda s: "", needs=())
    bad("post-quantum/of-another-key", "Another key made the second signature.", mismatch, hybrid(sign=OTHER_KEY.sign))
    bad("post-quantum/over-another-manifest", "The second signature is over another manifest.", mismatch, hybrid(sign=lambda _: KEY.sign(hybrid("elsewhere").issuer_message)))
    bad("post-quantum/over-hash", "The second signature is over the hash of the bytes.", mismatch, hybrid(sign=lambda message: KEY.sign(digest(message.decode()))))
    bad("post-quantum/with-context", "The second signature was made with a context.", mismatch, hybrid(sign=lambda message: KEY.sign(message, b"oversight")))
    other_form = manifest("two forms", suite=HYBRID, issuer_id="\u00c9diteur")
    legacy = Evidence(events=[web()], signed=other_form, form="python-sort-keys").issuer_message
    mixed = Evidence(events=[web()], signed=other_form, form="jcs-exact-integers")
    mixed.body["manifest"]["signature_ml_dsa"] = KEY.sign(legacy).hex()
    bad("post-quantum/over-another-form", "Each signature is good over a canonical form, but not over the same one.", mismatch, mixed.seal())
    absent = copy.deepcopy(one)
    del absent.body["manifest"]["signature_ml_dsa"]
    bad("post-quantum/absent", "The member of the second signature is missing.", "post-quantum.signature-missing", absent.seal(), BOTH, needs=())

    relabelled = copy.deepcopy(one)
    relabelled.body["manifest"]["suite"] = "OSGT-CLASSIC-v1"
    relabelled.body["manifest"]["signature_ml_dsa"] = ""
    bad("issuer-signature/suite-relabelled", "The suite was changed from hybrid to classic; the first signature covers it.", "manifest.signature-mismatch", relabelled.seal(), at="/manifest/signature_ed25519", needs=(), spec=MANIFEST)


def second_signatures_without_key(good):
    key_missing = [("post-quantum", "post-quantum.key-missing", AT)]
    good("hybrid-without-key", "The key of the second signature stands nowhere in a bundle; without one given nobody can check it.", hybrid(), left_open=key_missing)
    good("hybrid-key-of-another-issuer", "A key is trusted for the issuer that it is given for.", hybrid(), trusted(KEY, issuer=OTHER_ISSUER), left_open=key_missing)
    good("hybrid-garbage-without-key", "What stands in the slot can be no signature; recorded registries accept it.", hybrid(sign=lambda _: b"\xab" * 32), left_open=key_missing)


def sealed_forms(good):
    def noted(name, why, at, code="interop.sealed-form", wire=None, **members):
        signed = manifest("sealed", **members)
        evidence = Evidence(signed=signed, wire=wire and wire(signed))
        good(f"sealed-{name}", why, evidence, notes=[(code, f"/manifest{at}")])

    noted("version", "A version that the specification does not know.", "/version", version="OVERSIGHT-v2")
    noted("file-id", "A file id that is no UUID of version 4.", "/file_id", file_id="e008bfab-9116-13e0-83c8-a2d0d9304e52")
    noted("file-id-upper-case", "A file id in upper case.", "/file_id", file_id="E008BFAB-9116-43E0-83C8-A2D0D9304E52")
    noted("content-hash", "A content hash that is no SHA-256.", "/content_hash", content_hash="00ff")
    noted("token", "A token of less than 128 bits.", "/beacons/1/token_id", beacons=[{"token_id": token("long"), "kind": "dns"}, {"token_id": "00ff", "kind": "dns"}])
    noted("mark", "A mark of more than 64 bits.", "/watermarks/0/mark_id", watermarks=[{"layer": "L1_zero_width", "mark_id": token("mark")}])
    noted("recipient-key", "The recipient has no X25519 key.", "/recipient/x25519_pub", recipient={"recipient_id": "reader@assayer.example", "x25519_pub": ""})
    noted("version-left-out", "A manifest that names no version is signed with the only one.", "/version", "interop.member-absent", lambda m: {name: value for name, value in m.items() if name != "version"})
