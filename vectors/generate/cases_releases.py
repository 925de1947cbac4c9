"""vectors/oversight/manifests.json: which manifests verify under which scheme and release, and docs/oversight-manifests.md.

The rules are those of `oversight_releases`; a test of the verifier compares with what the releases really answered, where the
recordings are at hand (`recorded` names the case there).
"""

import hashlib
import json

from canon import SCHEMES
from oversight_releases import READINGS, RELEASES, Refused, fits, read, verdict
from registry import ISSUER, digest
from writer import VECTORS, write_json, write_lines

PATH = VECTORS / "oversight" / "manifests.json"
PAGE = VECTORS.parent / "docs" / "oversight-manifests.md"
SPEC = "oversight-registry-v1 section "
FORMS, SHAPES, VALUES = SPEC + "1.0", SPEC + "1.1", SPEC + "6"

# (name, text of the policy, what it is about, name of the recorded case)
POLICIES = [
    ("plain", '{"k":"v"}', "Text of ASCII letters.", "ascii"),
    ("latin", '{"k":"\u00e9"}', "A letter beyond ASCII.", "nonascii-raw"),
    ("latin-escaped", '{"k":"\\u00e9"}', "The same letter, escaped on the wire.", "nonascii-escaped-on-wire"),
    ("latin-escaped-capital", '{"k":"\\u00E9"}', "The same, with a capital digit in the escape.", "nonascii-upper-escape-on-wire"),
    ("emoji", '{"k":"\U0001f600"}', "A character beyond U+FFFF.", "emoji-value"),
    ("emoji-escaped", '{"k":"\\ud83d\\ude00"}', "The same as two escapes on the wire.", "emoji-escaped-on-wire"),
    ("name-private-use-and-emoji", '{"\ue000":1,"\U0001f600":2}', "Names that code points and UTF-16 code units order differently.", "keys-supp-vs-bmp-high"),
    ("name-space-after-prefix", '{"a":1,"a b":2}', "A name that goes on with a space: below the closing quote mark.", "keys-prefix-space"),
    ("name-exclamation-after-prefix", '{"a":1,"a!":2}', "A name that goes on with an exclamation mark.", "keys-prefix-bang"),
    ("name-hash-after-prefix", '{"a":1,"a#":2}', "A name that goes on with a hash sign: above the quote mark.", "keys-prefix-hash"),
    ("name-empty-and-exclamation", '{"":1,"!":2}', "The empty name.", "keys-empty-vs-bang"),
    ("name-control-and-letter", '{"\\n":1,"A":2}', "A name that is written with an escape.", "keys-control-vs-letter"),
    ("name-quote-and-hash", '{"\\"":1,"#":2}', "A name that is a quote mark.", "keys-quote-vs-hash"),
    ("name-backslash-and-bracket", '{"\\\\":1,"]":2}', "A name that is a backslash.", "keys-backslash-vs-bracket"),
    ("name-nul-after-prefix", '{"a":1,"a\\u0000":2}', "A name that goes on with U+0000.", "keys-nul-suffix"),
    ("float-one", '{"x":1.0}', "A whole number with a fraction.", "float-1.0"),
    ("float-and-a-half", '{"x":1.5}', "A fraction that every form writes alike, if it writes it.", "float-1.5"),
    ("float-zero-at-the-end", '{"x":0.10}', "A zero that adds nothing.", "float-0.1"),
    ("float-hundred", '{"x":1e2}', "A whole number with an exponent.", "float-1e2"),
    ("float-small", '{"x":1E-7}', "An exponent of one digit.", "float-1E-7"),
    ("float-ten-to-21", '{"x":1e21}', "The first exponent of ECMAScript.", "float-1e21"),
    ("float-ten-to-20", '{"x":1e20}', "An exponent in Python only.", "float-1e20"),
    ("float-beyond-doubles", '{"x":1e400}', "A number that no double holds.", "float-1e400"),
    ("float-smallest", '{"x":5e-324}', "The smallest double.", "float-tiny"),
    ("float-hundred-thousandth", '{"x":0.00001}', "Digits in ECMAScript, an exponent in Python.", "float-sci-py"),
    ("integer-two-to-53-plus-one", '{"x":9007199254740993}', "The first integer that no double holds.", "int-2p53p1"),
    ("integer-i64-largest", '{"x":9223372036854775807}', "The largest signed integer of 64 bits.", "int-i64max"),
    ("integer-u64-largest", '{"x":18446744073709551615}', "The largest unsigned integer of 64 bits.", "int-u64max"),
    ("integer-two-to-64", '{"x":18446744073709551616}', "The first integer beyond 64 bits.", "int-2p64"),
    ("integer-i64-smallest", '{"x":-9223372036854775808}', "The smallest signed integer of 64 bits.", "int-i64min"),
    ("integer-below-i64", '{"x":-9223372036854775809}', "The first below.", "int-i64min-1"),
    ("integer-ten-to-30", '{"x":1000000000000000000000000000000}', "An integer of 31 digits.", "int-1e30-digits"),
    ("integer-401-digits", '{"x":1' + "0" * 400 + "}", "An integer of 401 digits.", "int-400-digits"),
    ("integer-5001-digits", '{"x":1' + "0" * 5000 + "}", "An integer beyond what Python reads.", "int-5000-digits"),
    ("minus-zero", '{"x":-0}', "Minus zero, as an integer.", "minus-0"),
    ("minus-zero-float", '{"x":-0.0}', "Minus zero, with a fraction.", "minus-0.0"),
    ("backspace-long", '{"k":"\\u0008"}', "A control character that has a short escape.", "control-0008-long"),
    ("unit-separator-capital", '{"k":"\\u001F"}', "A control character that has none.", "control-001f"),
    ("control-on-the-wire", '{"k":"\x01"}', "A control character that is not escaped on the wire.", "control-raw-on-wire"),
    ("delete", '{"k":"\x7f"}', "DEL: escaped by one form.", "del-raw"),
    ("delete-escaped", '{"k":"\\u007f"}', "DEL, escaped on the wire.", "del-escaped-on-wire"),
    ("line-separator", '{"k":"\u2028"}', "A line separator.", "u2028"),
    ("solidus-escaped", '{"k":"a\\/b"}', "A solidus, escaped on the wire.", "slash-escaped-on-wire"),
    ("name-twice", '{"a":1,"a":2}', "A name that stands twice.", "duplicate-keys"),
    ("name-twice-escaped", '{"a":1,"\\u0061":2}', "The same, once escaped.", "duplicate-keys-escaped"),
    ("surrogate", '{"k":"\\ud800"}', "Half of a surrogate pair.", "lone-surrogate"),
    ("surrogate-in-name", '{"\\udc00":1}', "The same in a name.", "lone-surrogate-key"),
    ("surrogates-reversed", '{"k":"\\ude00\\ud83d"}', "Both halves in the wrong order.", "reversed-surrogates"),
    ("null-member", '{"a":null,"b":1}', "A member that is null.", "null-member"),
    ("null-item", '{"a":[null,1]}', "An item that is null.", "null-in-list"),
    ("null-member-in-item", '{"a":[{"b":null}]}', "A member that is null, inside an array.", "null-in-object-in-list"),
    ("nan", '{"x":NaN}', "What is no JSON number.", "NaN"),
    ("infinity", '{"x":-Infinity}', "What is no JSON number, either.", "Infinity"),
    ("null", "null", "A policy that is null.", None),
    ("list", "[1,2]", "A policy that is an array.", "policy-list"),
    ("string", '"p"', "A policy that is a string.", "policy-string"),
    ("integer", "7", "A policy that is a number.", "policy-int"),
    ("white-space", '{ "b" : 1 ,\n "a" : [ ] }', "White space between tokens.", "whitespace"),
    ("noncharacters", '{"k":"\uffff\ufdd0"}', "Code points that are no characters.", "nonchar"),
    ("decomposed", '{"k":"e\u0301"}', "A decomposed letter, which nothing normalizes.", "nfd-not-normalised"),
]

GONE = object()
RECIPIENT = {"recipient_id": "r", "x25519_pub": "00"}
BASE = {
    "file_id": "f", "issued_at": 1750000000, "version": "OVERSIGHT-v1", "suite": "OSGT-CLASSIC-v1", "original_filename": "a.txt", "content_hash": digest("releases").hex(),
    "canonical_content_hash": digest("releases").hex(), "content_type": "text/plain", "size_bytes": 12, "issuer_id": "i", "issuer_ed25519_pub": ISSUER.hex, "recipient": RECIPIENT,
    "watermarks": [], "beacons": [], "policy": {}, "l3_policy": {"a": 1}, "signature_ed25519": "", "signature_ml_dsa": "",
}

# (name, changed members, what it is about, name of the recorded case)
CHANGES = [
    ("as-it-is", {}, "Every member is there.", "signatures-blank"),
    ("no-second-signature", {"signature_ml_dsa": GONE}, "The second signature is missing, and signed as empty.", "no-ml-dsa-member"),
    ("second-signature", {"signature_ml_dsa": "abcd"}, "The second signature is signed as empty whatever it is.", "ml-dsa-content"),
    ("unknown-member", {"zz": "x"}, "A member that nobody knows.", "unknown-top-level"),
    ("unknown-member-of-recipient", {"recipient": {**RECIPIENT, "zz": "x"}}, "A member of the recipient that nobody knows.", "unknown-recipient-member"),
    ("unknown-member-of-watermark", {"watermarks": [{"layer": "L1", "mark_id": "aa", "zz": "x"}]}, "A member of a watermark that nobody knows.", "unknown-watermark-member"),
    ("no-l3-policy", {"l3_policy": GONE}, "An issuer that is older than this member.", "missing-l3_policy"),
    ("no-canonical-content-hash", {"canonical_content_hash": GONE}, "The same with another member; the release that leaves out what is empty leaves out both.", "missing-canonical_content_hash"),
    ("neither-newer-member", {"canonical_content_hash": GONE, "l3_policy": GONE}, "The same with both.", "missing-both-new"),
    ("both-newer-members-empty", {"canonical_content_hash": "", "l3_policy": {}}, "Both are there and empty.", "empty-both-present"),
    ("l3-policy-empty", {"l3_policy": {}}, "One is there and empty, the other is not.", "empty-l3-only-present"),
    *[(f"no-{name.replace('_', '-')}", {name: GONE}, "A member is missing, and its default is signed or none.", f"missing-{name}") for name in
      ("version", "suite", "content_type", "original_filename", "content_hash", "size_bytes", "issued_at", "issuer_id", "policy", "beacons", "watermarks", "recipient")],
    ("recipient-null", {"recipient": None}, "No recipient.", "recipient-null"),
    ("recipient-empty", {"recipient": {}}, "A recipient without members.", "recipient-empty"),
    ("recipient-string", {"recipient": "x"}, "A recipient that is a string.", "recipient-string"),
    ("recipient-false", {"recipient": False}, "A recipient that is false.", "recipient-false"),
    ("recipient-signing-key-null", {"recipient": {**RECIPIENT, "ed25519_pub": None}}, "An optional key is null.", "recipient-ed25519-null"),
    ("recipient-signing-key", {"recipient": {**RECIPIENT, "ed25519_pub": "ab"}}, "An optional key is there.", "recipient-ed25519-set"),
    ("recipient-p256-null", {"recipient": {**RECIPIENT, "p256_pub": None}}, "A newer optional key is null.", "recipient-p256-null"),
    ("recipient-p256", {"recipient": {**RECIPIENT, "p256_pub": "04"}}, "A newer optional key is there.", "recipient-p256-set"),
    ("recipient-without-key", {"recipient": {"recipient_id": "r"}}, "A recipient without the key that it needs.", "recipient-no-x25519"),
    ("recipient-without-id", {"recipient": {"x25519_pub": "00"}}, "A recipient without a name.", "recipient-no-id"),
    ("recipient-id-integer", {"recipient": {"recipient_id": 5, "x25519_pub": "00"}}, "A recipient whose name is a number.", "recipient-id-int"),
    ("beacons-null", {"beacons": None}, "Beacons that are null.", "beacons-null"),
    ("watermarks-null", {"watermarks": None}, "Watermarks that are null.", "watermarks-null"),
    ("l3-policy-null", {"l3_policy": None}, "A policy of layer 3 that is null.", "l3_policy-null"),
    ("policy-null", {"policy": None}, "A policy that is null.", "policy-null-shape"),
    ("filename-null", {"original_filename": None}, "A text that is null.", "filename-null"),
    ("null-in-beacon", {"beacons": [{"token_id": "t", "kind": "dns", "x": None}]}, "A member of a beacon that is null.", "beacon-null-member"),
    ("size-negative", {"size_bytes": -1}, "A size below zero.", "size-negative"),
    ("size-string", {"size_bytes": "12"}, "A size that is a text.", "size-string"),
    ("size-float", {"size_bytes": 12.0}, "A size with a fraction of zero.", "size-float-int"),
    ("size-two-to-63", {"size_bytes": 2**63}, "A size beyond signed integers.", "size-2p63"),
    ("size-two-to-64", {"size_bytes": 2**64}, "A size beyond 64 bits.", "size-2p64"),
    ("size-true", {"size_bytes": True}, "A size that is true.", "size-bool"),
    ("issued-negative", {"issued_at": -5}, "A time before 1970.", "issued-negative"),
    ("issued-string", {"issued_at": "2026"}, "A time that is a text.", "issued-string"),
    ("issued-two-to-63", {"issued_at": 2**63}, "A time beyond 64 bits.", "issued-2p63"),
    ("issued-float", {"issued_at": 1750000000.0}, "A time with a fraction of zero.", None),
    ("version-other", {"version": "OVERSIGHT-v2"}, "Another version.", "version-other"),
    ("suite-other", {"suite": "NOPE"}, "An unknown suite.", "suite-unknown"),
    ("version-integer", {"version": 5}, "A version that is a number.", "version-int"),
    ("issuer-integer", {"issuer_id": 5}, "An issuer that is a number.", "issuer_id-int"),
    ("issuer-null", {"issuer_id": None}, "An issuer that is null.", "issuer_id-null"),
    ("file-id-integer", {"file_id": 12345}, "A file id that is a number.", "file_id-int"),
    ("content-hash-other", {"content_hash": "not a hash"}, "A hash that is none.", "bad-content-hash"),
    ("recipient-key-other", {"recipient": {"recipient_id": "r", "x25519_pub": "zz"}}, "A key that is none.", "bad-x25519"),
]


def cases():
    """(id, why, clause, text of the manifest, recorded case)."""
    marker = "@policy@"
    plain = json.dumps({**BASE, "policy": marker}, ensure_ascii=False, separators=(",", ":"))
    for name, policy, why, recorded in POLICIES:
        yield f"policy/{name}", why, FORMS if "name" in name else VALUES, plain.replace(json.dumps(marker), policy), recorded
    for name, changes, why, recorded in CHANGES:
        changed = {name: item for name, item in {**BASE, **changes}.items() if item is not GONE}
        yield f"shape/{name}", why, SHAPES, json.dumps(changed, ensure_ascii=False, separators=(",", ":")), recorded


def case(id, why, spec, text, recorded):
    value, code = read(text)
    messages, verdicts = {}, {}
    for release in RELEASES:
        try:
            accepted = verdict(release, value, code)
        except Refused as refused:
            verdicts[release] = {"refuses": str(refused), "besides": refused.besides}
            continue
        verdicts[release] = {"accepts": [messages.setdefault(message, len(messages)) for message in accepted]}
    found = {"id": id, "why": why, "spec": spec, **({"recorded": recorded} if recorded else {}), "manifest": text, **({"unreadable": code} if code else {}), "releases": verdicts}
    found["signed"] = [signed(message, None if code else value, [release for release, told in verdicts.items() if position in told.get("accepts", [])]) for message, position in messages.items()]
    return found


def signed(message, value, releases):
    """A message, its signature, and under what it verifies: nothing, where a strict reader refuses the manifest or the release rounds."""
    fitting = fits(message, value) if value is not None else []
    return {
        "text": message.decode("utf-8", "surrogatepass"), "sha256": hashlib.sha256(message).hexdigest(), "signature": ISSUER.sign(message), "releases": releases,
        "readings": [reading for reading in READINGS if any(reading == other for other, _ in fitting)],
        "schemes": [scheme for scheme in SCHEMES if any(scheme == other for _, other in fitting)],
        "fits": [list(pair) for pair in fitting],
    }


def generate():
    listed = [case(*known) for known in cases()]
    releases = {name: {"scheme": rules["scheme"], "readings": rules["readings"]} for name, rules in RELEASES.items()}
    write_lines(PATH, {"why": "Which manifests verify under which scheme and release.", "issuer": ISSUER.hex, "releases": releases, "cases": listed}, 2)
    write_json(VECTORS / "schemas" / "oversight-manifests.schema.json", schema())
    PAGE.write_text(page(listed), "utf-8")
    return len(listed)


def schema():
    text, hash, pair = {"type": "string", "minLength": 1}, {"type": "string", "pattern": "^[0-9a-f]{64}$"}, [{"enum": list(READINGS)}, {"enum": SCHEMES}]
    closed = lambda members, optional=(): {"type": "object", "additionalProperties": False, "properties": members, "required": [name for name in members if name not in optional]}
    some = lambda items, least=0: {"type": "array", "items": items, "minItems": least, "uniqueItems": True}
    release = closed({"scheme": {"enum": SCHEMES}, "readings": some({"enum": list(READINGS)}, 1)})
    told = {"oneOf": [closed({"accepts": some({"type": "integer", "minimum": 0}, 1)}), closed({"refuses": text, "besides": {"type": "boolean"}})]}
    message = closed({
        "text": text, "sha256": hash, "signature": {"type": "string", "pattern": "^[0-9a-f]{128}$"}, "releases": some({"enum": list(RELEASES)}, 1), "readings": some({"enum": list(READINGS)}),
        "schemes": some({"enum": SCHEMES}), "fits": some({"type": "array", "prefixItems": pair, "minItems": 2, "maxItems": 2}),
    })
    one = closed({
        "id": {"type": "string", "pattern": "^(policy|shape)/[a-z0-9-]+$"}, "why": {"type": "string", "pattern": "\\.$"}, "spec": text, "recorded": text, "manifest": text, "unreadable": {"type": "string", "pattern": "^(json|limits)\\."},
        "releases": closed({name: told for name in RELEASES}), "signed": some(message),
    }, ("recorded", "unreadable"))
    whole = closed({"why": text, "issuer": hash, "releases": closed({name: release for name in RELEASES}), "cases": some(one, 100)})
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Which manifests verify under which scheme and release", **whole}


HEAD = """# Which manifests verify under which scheme and release

<!-- Written by `python3 vectors/generate/generate.py`. -->

Three releases of the Oversight registry sign and check three canonical forms of a manifest, and parse it in different ways before that. A manifest that one of them
registers may be refused by the next. The table says for {count} manifests which bytes each release takes for what the issuer signed, and under which schemes and readings
the verifier finds these bytes: under none where the scheme writes [another integer](decisions/rounded-integers.md). The data, with the bytes and a signature over each: [`vectors/oversight/manifests.json`](../vectors/oversight/manifests.json). A test of the verifier
holds its detection to every line; another compares with recorded answers of the releases.

| release | scheme | readings |
|---|---|---|
{releases}

A number is a message: under the same number two releases take the same bytes. **-** means that the release refuses the manifest whatever is signed, and why; *besides* the signature,
where there are bytes that it could fit. *Verifies under* names readings and
schemes of the verifier for each message; where it says *unreadable*, the verifier refuses the text, since it is no I-JSON.
"""


def page(listed):
    rows = "\n".join(f"| {name} | `{rules['scheme']}` | {', '.join(f'`{reading}`' for reading in rules['readings'])} |" for name, rules in RELEASES.items())
    text = HEAD.format(count=len(listed), releases=rows)
    for group, title in (("policy", "By the value of `policy`"), ("shape", "By members")):
        text += f"\n## {title}\n\n| case | about | {' | '.join(RELEASES)} | verifies under |\n|---|---|{'---|' * len(RELEASES)}---|\n"
        for known in listed:
            if known["id"].startswith(group + "/"):
                text += row(known)
    return text


def row(known):
    cells = [told_cell(known["releases"][release]) for release in RELEASES]
    under = f"unreadable: `{known['unreadable']}`" if "unreadable" in known else "<br>".join(f"{position + 1}: {', '.join(message['readings'])}; {', '.join(message['schemes'])}" if message["fits"] else f"{position + 1}: none" for position, message in enumerate(known["signed"]))
    return f"| `{known['id'].split('/')[1]}` | {known['why']} | {' | '.join(cells)} | {under} |\n"


def told_cell(told):
    if "accepts" in told:
        return ", ".join(str(position + 1) for position in told["accepts"])
    return f"- ({'besides: ' if told['besides'] else ''}{told['refuses']})"
