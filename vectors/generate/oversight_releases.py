"""Which bytes each release of the registry takes for what an issuer signed: the rules of oversight-registry-v1 section 1.1.

A **reading** is how a manifest is parsed and written anew. A release is a reading (or two, the second tried after the first),
a scheme, and what it refuses besides.
"""

import json

import canon
import strict_json
from registry import DEFAULTS, ITEM_MEMBERS, MANIFEST_MEMBERS, RECIPIENT_MEMBERS, blanked, without_nulls

DROP, KEEP, OLDER = "drop-nulls", "keep-nulls", "without-newer-members"
TEXTS = {"version", "suite", "original_filename", "content_hash", "canonical_content_hash", "content_type", "issuer_id", "issuer_ed25519_pub", "file_id"}


class Refused(Exception):
    """Why a reading or a release refuses a manifest; `besides` where the bytes are there, and refused for something else."""

    besides = False


class RefusedBesides(Refused):
    besides = True


def python_reading(manifest):
    """Nothing is typed; unknown members are refused; nulls are left out; an empty recipient counts as none."""
    expect_known(set(manifest) - MANIFEST_MEMBERS)
    for name in ("file_id", "issued_at"):
        if name not in manifest:
            raise Refused(f"`{name}` is missing")
    whole = {**DEFAULTS, **manifest}
    recipient = whole.get("recipient")
    if not recipient:
        whole.pop("recipient", None)
    elif not isinstance(recipient, dict):
        raise Refused("`recipient` is no object")
    else:
        expect_known(set(recipient) - RECIPIENT_MEMBERS)
    if not isinstance(whole["watermarks"], list):
        raise Refused("`watermarks` is no list")
    for item in whole["watermarks"]:
        expect_known(set(item) - ITEM_MEMBERS)
    return blanked(without_nulls(whole))


def expect_known(unknown):
    if unknown:
        raise Refused(f"`{sorted(unknown)[0]}` is unknown")


def rust_reading(manifest):
    """Known members are typed, unknown ones left out; nulls are kept where any value may stand."""
    whole = {"file_id": "", "issued_at": 0, **DEFAULTS, **{name: item for name, item in manifest.items() if name in MANIFEST_MEMBERS}}
    if whole.get("recipient") is None:
        whole.pop("recipient", None)
    else:
        whole["recipient"] = rust_recipient(whole["recipient"])
    for name in ("signature_ed25519", "signature_ml_dsa", *sorted(TEXTS)):
        expect_type(name, whole[name], str)
    whole["issued_at"] = integer("issued_at", whole["issued_at"], -(2**63), 2**63)
    whole["size_bytes"] = integer("size_bytes", whole["size_bytes"], 0, 2**64)
    expect_type("beacons", whole["beacons"], list)
    expect_type("watermarks", whole["watermarks"], list)
    whole["watermarks"] = [{name: expect_type(name, item.get(name), str) for name in sorted(ITEM_MEMBERS)} for item in whole["watermarks"]]
    return blanked(whole)


def rust_recipient(recipient):
    expect_type("recipient", recipient, dict)
    if "recipient_id" not in recipient:
        raise Refused("`recipient_id` is missing")
    known = {"x25519_pub": "", **{name: item for name, item in recipient.items() if name in RECIPIENT_MEMBERS}}
    known = {name: item for name, item in known.items() if item is not None or name not in ("ed25519_pub", "p256_pub")}
    return {name: expect_type(name, item, str) for name, item in known.items()}


def expect_type(name, value, type):
    if not isinstance(value, type):
        raise Refused(f"`{name}` is of another type")
    return value


def integer(name, value, least, beyond):
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < beyond:
        raise Refused(f"`{name}` is no integer of 64 bits")
    return value


def older_reading(manifest):
    """The same without what is empty of two members that older issuers do not know."""
    whole = rust_reading(manifest)
    older = {name: item for name, item in whole.items() if (name, item) not in (("canonical_content_hash", ""), ("l3_policy", {}))}
    if older == whole:
        raise Refused("nothing to leave out")
    return older


READINGS = {DROP: python_reading, KEEP: rust_reading, OLDER: older_reading}


def message(reading, scheme, manifest):
    """The bytes under a reading and a scheme; Refused with the reason if there are none."""
    whole = READINGS[reading](manifest)
    try:
        return canon.canonical(scheme, whole)
    except canon.Refused as refused:
        raise Refused({"canon.float": "a number with a fraction or an exponent", "canon.number-range": "a number that no double holds"}[str(refused)]) from None
    except UnicodeEncodeError:
        raise Refused("half of a surrogate pair") from None


def python_besides(manifest):
    recipient = manifest.get("recipient")
    if recipient and not {"recipient_id", "x25519_pub"} <= set(recipient):
        raise RefusedBesides("`recipient_id` or `x25519_pub` is missing")
    if manifest.get("issuer_id", "") is None:
        raise RefusedBesides("`issuer_id` is null: an error of the server")


def without_p256(manifest):
    python_besides(manifest)
    if "p256_pub" in (manifest.get("recipient") or {}):
        raise RefusedBesides("`p256_pub` is unknown to this release")


def rust_besides(manifest):
    if not manifest.get("file_id"):
        raise RefusedBesides("`file_id` is missing")


# `reads`: what a strict reader refuses, and this release takes; of a name that stands twice the last one counts, and NaN and
# Infinity are numbers to Python.
RELEASES = {
    "python-0.4.7": {"scheme": "python-sort-keys", "readings": [DROP], "reads": {"json.duplicate-key", "json.lone-surrogate", "json.number", "json.syntax"}, "besides": without_p256},
    "python-0.4.12": {"scheme": "jcs-exact-integers", "readings": [DROP], "reads": {"json.duplicate-key"}, "besides": python_besides},
    "rust-0.4.12": {"scheme": "serde-jcs-0.1", "readings": [KEEP, OLDER], "reads": {"json.duplicate-key"}, "besides": rust_besides},
}


def verdict(release, manifest, code):
    """The messages under which a release takes the manifest, without repetition; Refused where there is none.

    `code` is that of a strict reader that refuses the text, or None.
    """
    rules = RELEASES[release]
    if code and code not in rules["reads"]:
        raise Refused("no JSON to this release")
    messages, reason = [], None
    for reading in rules["readings"]:
        try:
            found = message(reading, rules["scheme"], manifest)
        except Refused as refused:
            reason = reason or refused
            continue
        if found not in messages:
            messages.append(found)
    if not messages:
        raise reason
    rules["besides"](manifest)
    return messages


def fits(found, manifest):
    """Every (reading, scheme) that writes these bytes, and no integer in them as another."""
    fitting = []
    for reading in READINGS:
        for scheme in canon.SCHEMES:
            try:
                if message(reading, scheme, manifest) == found and not rounds(scheme, READINGS[reading](manifest)):
                    fitting.append((reading, scheme))
            except Refused:
                pass
    return fitting


def rounds(scheme, value):
    """Whether a scheme writes an integer as another (docs/decisions/rounded-integers.md)."""
    if isinstance(value, dict):
        return any(rounds(scheme, item) for item in value.values())
    if isinstance(value, list):
        return any(rounds(scheme, item) for item in value)
    return type(value) is int and canon.canonical(scheme, value) != str(value).encode("ascii")


def read(text):
    """The value as Python reads it, if it does, and the code with which a strict reader refuses the text, if it does."""
    code = None
    try:
        strict_json.Reader(text.encode("utf-8")).read()
    except strict_json.Defect as defect:
        code = defect.code
    try:
        return json.loads(text), code
    except ValueError:
        return None, code
