"""Kind `registration`: what a registry does with the body of a registration, on the candidate wire. Every defect is signed as it stands, so
that nothing but it is wrong."""

import copy
import json

import canon
import ed25519 as ed
from registry import DEFAULTS, ISSUER, manifest
from schemas import closed
from writer import VECTORS, write_json

FOLDERS = ["registrations"]
CODES = ["missing_field", "sidecar_mismatch", "signature_invalid"]
IDENTITY = (1).to_bytes(32, "little")
MANIFEST = "oversight-registry-v1 section 1.1"
SIDECARS = "oversight-requirements SI-2"
BOUNDS = "oversight-requirements TR-2"
JSON = "RFC 8259 section 4, RFC 7493 section 2.3"
JCS = "RFC 8785 section 3.2.2.3"


def signed(label, edit=lambda members: None, sign=None):
    """A manifest, edited and then signed."""
    members = manifest(label)
    edit(members)
    message = canon.canonical("jcs-exact-integers", {**DEFAULTS, **members, "signature_ed25519": "", "signature_ml_dsa": ""})
    members["signature_ed25519"] = (sign or ISSUER.sign)(message)
    return members


def body(members, **more):
    def listed(name):
        items = members.get(name)
        return copy.deepcopy(items) if isinstance(items, list) else []

    return {"manifest": members, "beacons": listed("beacons"), "watermarks": listed("watermarks"), **more}


def put(path, value):
    """Sets a member of a manifest, at a path of names and positions."""
    def edit(members):
        *way, last = path
        for step in way:
            members = members[step]
        members[last] = value
    return edit


def small_order(key, commitment):
    """A signature that holds for every message under a key that is the neutral element: S is zero."""
    def edit(members):
        members["issuer_ed25519_pub"] = key.hex()
    return signed("small order", edit, lambda message: (commitment + bytes(32)).hex())


class Cases:
    def __init__(self, writer):
        self.writer = writer

    def add(self, name, why, spec, value, expect="accept", twin=None):
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        expect = expect if expect == "accept" else {"reject": expect}
        self.writer.add(f"registrations/{name}", "registration", why, spec, {"body": text}, expect, twin=twin and f"registrations/{twin}")


def generate(writer):
    cases = Cases(writer)
    cases.add("good/plain", "Every member of the protocol, signed.", MANIFEST, body(signed("plain")))
    numbers(cases)
    nulls(cases)
    unknown_members(cases)
    keys(cases)
    sidecars(cases)
    texts(cases)
    identifiers(cases)
    write_json(VECTORS / "schemas" / "vector-registration.schema.json", schema())


def numbers(cases):
    for name, exact, beyond in (("positive", 2**53, 2**53 + 1), ("negative", -2**53, -2**53 - 1)):
        good = f"good/integer-{name}"
        cases.add(good, "The largest integer that every double is exact up to.", JCS, body(signed(name, put(["policy", "n"], exact))))
        cases.add(f"number/{name}-beyond", "One more than that has no canonical form that all agree on, although it is signed exactly.", JCS,
                  body(signed(f"{name} beyond", put(["policy", "n"], beyond))), "missing_field", good)
    cases.add("number/beyond-64-bits", "An integer of 65 bits.", JCS, body(signed("65 bits", put(["policy", "n"], 2**64))), "missing_field", "good/integer-positive")
    cases.add("number/size-beyond", "The size of a file is no exception.", JCS, body(signed("size", put(["size_bytes"], 2**53 + 1))), "missing_field", "good/plain")
    cases.add("number/fraction-for-integer", "A time of issue is an integer.", MANIFEST,
              json.dumps(body(signed("fraction"))).replace('"issued_at": 1767139200,', '"issued_at": 1767139200.5,'), "missing_field", "good/plain")


def nulls(cases):
    cases.add("good/null-inside-policy", "A null inside of an object that the protocol leaves open is signed as null.", MANIFEST, body(signed("null inside", put(["policy", "x"], None))))
    cases.add("good/null-corpus", "A null beside the manifest counts as absent.", MANIFEST, body(signed("null corpus"), corpus=None))
    for name in ("policy", "l3_policy", "recipient", "beacons", "watermarks", "issuer_id", "signature_ml_dsa"):
        cases.add(f"null/{name.replace('_', '-')}", "A member of the manifest that is null is neither absent nor of its type.", MANIFEST,
                  body(signed(f"null {name}", put([name], None))), "missing_field", "good/plain")
    cases.add("null/recipient-key", "The same inside of the recipient.", MANIFEST, body(signed("null key", put(["recipient", "ed25519_pub"], None))), "missing_field", "good/plain")


def unknown_members(cases):
    cases.add("good/member-of-a-beacon", "A beacon may have members of its own; they are signed.", MANIFEST, body(signed("own member", put(["beacons", 0, "note"], "n"))))
    cases.add("good/member-beside-the-manifest", "What nobody signed and nobody stores is ignored.", "oversight-requirements ST-1", body(signed("beside"), comment="ignored"))
    for name, path in (("at-the-top", ["approved_by"]), ("in-recipient", ["recipient", "role"]), ("in-watermark", ["watermarks", 0, "note"])):
        cases.add(f"unknown-member/{name}", "A member that the registry does not know is refused although it is signed.", MANIFEST,
                  body(signed(f"unknown {name}", put(path, "x"))), "missing_field", "good/plain")

    def not_signed(path):
        members = signed("not signed")
        put(path, "x")(members)
        return body(members)

    cases.add("unknown-member/not-signed", "A member that was put in after the signature was made.", MANIFEST, not_signed(["approved_by"]), "missing_field", "good/plain")


def keys(cases):
    second_spelling = (2**255 - 19 + 1).to_bytes(32, "little")
    points = sorted({ed.encode(point) for point in ed.small_order_points()})
    why = "A key of small order: one signature fits many manifests, and nobody holds a private key."
    for number, point in enumerate(points):
        cases.add(f"key/small-order-{number}", why, "RFC 8032 section 5.1.7", body(small_order(point, IDENTITY)), "signature_invalid", "good/plain")
    cases.add("key/second-spelling", "The neutral element in its other spelling.", "RFC 8032 section 5.1.3", body(small_order(second_spelling, IDENTITY)), "signature_invalid", "good/plain")
    cases.add("key/capitals", "A key has one spelling: lower-case hexadecimal.", MANIFEST, body(signed("capitals", put(["issuer_ed25519_pub"], ISSUER.hex.upper()))), "signature_invalid", "good/plain")
    cases.add("key/empty", "A key has to be there.", "oversight-requirements RE-1", body(signed("no key", put(["issuer_ed25519_pub"], ""))), "missing_field", "good/plain")

    def flipped(message):
        signature = bytearray.fromhex(ISSUER.sign(message))
        signature[40] ^= 1
        return signature.hex()

    cases.add("signature/bit-flipped", "One bit of the signature.", "RFC 8032 section 5.1.7", body(signed("flipped", sign=flipped)), "signature_invalid", "good/plain")
    order = lambda message: ISSUER.sign(message)[:64] + (int.from_bytes(bytes.fromhex(ISSUER.sign(message)[64:]), "little") + ed.L).to_bytes(32, "little").hex()
    cases.add("signature/order-added", "The other spelling of a good signature: S and the order of the group.", "RFC 8032 section 5.1.7", body(signed("order", sign=order)), "signature_invalid", "good/plain")


def sidecars(cases):
    plain = signed("sidecars")
    turned = body(plain)
    turned["beacons"] = [dict(reversed(item.items())) for item in reversed(turned["beacons"])]
    cases.add("good/sidecars-in-another-order", "Items in another order, and their members too.", SIDECARS, turned)
    for name, items in (("item-more", lambda items: items + [{"token_id": "t", "kind": "dns"}]), ("item-twice", lambda items: items + items[:1]), ("item-less", lambda items: items[1:]),
                        ("null-added", lambda items: [{**items[0], "x": None}, *items[1:]])):
        changed = body(plain)
        changed["beacons"] = items(changed["beacons"])
        cases.add(f"sidecar/{name}", "The list beside the manifest is not the signed one.", SIDECARS, changed, "sidecar_mismatch", "good/sidecars-in-another-order")


def texts(cases):
    text = json.dumps(body(signed("texts")), ensure_ascii=False)
    cases.add("good/white-space", "White space around the value.", "RFC 8259 section 2", f" \t\r\n{text}\n")
    refused = {
        "duplicate-member": ("A member given twice, with one value.", text.replace('"beacons":', '"watermarks": [], "beacons":', 1)),
        "duplicate-in-manifest": ("The same inside of the manifest.", text.replace('"policy":', '"policy": {}, "policy":', 1)),
        "duplicate-by-escape": ("The same, where only an escape hides it.", text.replace('"policy":', '"polic\\u0079": {}, "policy":', 1)),
        "trailing": ("Another value after the first.", text + "{}"),
        "byte-order-mark": ("A byte order mark.", "\ufeff" + text),
        "half": ("Half of a text.", text[: len(text) // 2]),
        "no-object": ("A list.", f"[{text}]"),
        "lone-surrogate": ("Half of a surrogate pair.", text.replace("minutes.txt", "\\ud800", 1)),
        "not-a-number": ("NaN is no JSON.", text.replace('"size_bytes": 2048', '"size_bytes": NaN', 1)),
    }
    for name, (why, refused_text) in refused.items():
        cases.add(f"json/{name}", why, JSON, refused_text, "missing_field", "good/white-space")


def identifiers(cases):
    for name, path in (("file-id", ["file_id"]), ("issuer-id", ["issuer_id"]), ("recipient-id", ["recipient", "recipient_id"]), ("token-id", ["beacons", 0, "token_id"]), ("mark-id", ["watermarks", 0, "mark_id"])):
        whole = f"good/{name}-of-256-bytes"
        cases.add(whole, "The longest identifier: 256 bytes, here of 128 characters.", BOUNDS, body(signed(name, put(path, "\u00df" * 128))))
        cases.add(f"identifier/{name}-of-257-bytes", "One byte more.", BOUNDS, body(signed(name, put(path, "\u00df" * 128 + "x"))), "missing_field", whole)


def schema():
    properties = {
        "why": {"type": "string", "pattern": "\\.$"}, "spec": {"type": "string", "minLength": 1}, "kind": {"const": "registration"},
        "input": closed({"body": {"type": "string", "minLength": 1}}),
        "expect": {"oneOf": [{"const": "accept"}, closed({"reject": {"enum": CODES}})]},
        "twin": {"type": "string", "pattern": "^[a-z0-9./-]+$"},
    }
    rules = {"if": {"properties": {"expect": {"type": "object"}}}, "then": {"required": ["twin"]}, "else": {"not": {"required": ["twin"]}}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A test vector of kind registration", **closed(properties, ["why", "spec", "kind", "input", "expect"]), **rules}
