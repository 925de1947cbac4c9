"""Kind `canonicalization`: what each of five schemes makes of a text, one file a group.

The expected values come from `canon_rules`; none is published unless a second, independent source agreed
(`agree.py`, which writes `agreed.json`).
"""

import hashlib
import json

from canon import SCHEMES
from canon_groups import WHY, cases
from canon_rules import outcome
from writer import VECTORS, write_lines

PYTHON, UTF8, EXACT, SERDE, JCS = SCHEMES

# Rows of the fact sheet and of the RFC, written out by hand: the generator must agree with them.
ANCHORS = {
    (PYTHON, "[1.0]"): "[1.0]", (SERDE, "[1.0]"): "[1]", (JCS, "[1.0]"): "[1]", (EXACT, "[1.0]"): "canon.float",
    (PYTHON, "[1e2]"): "[100.0]", (SERDE, "[1e2]"): "[100]", (JCS, "[1e2]"): "[100]", (EXACT, "[1e2]"): "canon.float",
    (PYTHON, "[1E-7]"): "[1e-07]", (SERDE, "[1E-7]"): "[1e-7]", (JCS, "[0.00001]"): "[0.00001]", (PYTHON, "[0.00001]"): "[1e-05]",
    (PYTHON, "[1e20]"): "[1e+20]", (PYTHON, "[1e21]"): "[1e+21]", (JCS, "[1e20]"): "[100000000000000000000]", (SERDE, "[1e21]"): "[1e+21]",
    (PYTHON, "[1e400]"): "[Infinity]", (JCS, "[1e400]"): "canon.number-range", (SERDE, "[1e400]"): "canon.number-range", (EXACT, "[1e400]"): "canon.float",
    (PYTHON, "[-0]"): "[0]", (EXACT, "[-0]"): "[0]", (SERDE, "[-0]"): "[0]", (JCS, "[-0]"): "[0]",
    (PYTHON, "[-0.0]"): "[-0.0]", (SERDE, "[-0.0]"): "[0]", (JCS, "[-0.0]"): "[0]",
    (PYTHON, "[9007199254740993]"): "[9007199254740993]", (SERDE, "[9007199254740993]"): "[9007199254740993]", (JCS, "[9007199254740993]"): "[9007199254740992]",
    (SERDE, "[18446744073709551615]"): "[18446744073709551615]", (JCS, "[18446744073709551615]"): "[18446744073709552000]",
    (SERDE, "[18446744073709551616]"): "[18446744073709552000]", (EXACT, "[18446744073709551616]"): "[18446744073709551616]",
    (SERDE, "[-9223372036854775808]"): "[-9223372036854775808]", (SERDE, "[-9223372036854775809]"): "[-9223372036854776000]",
    (SERDE, "[1000000000000000000000000000000]"): "[1e+30]", (JCS, "[1.7976931348623157e308]"): "[1.7976931348623157e+308]", (JCS, "[5e-324]"): "[5e-324]",
    (JCS, "[333333333.33333329,1E30,2e-3,0.000000000000000000000000001]"): "[333333333.3333333,1e+30,0.002,1e-27]",
    (SERDE, '{"a":1,"a b":2}'): '{"a b":2,"a":1}', (EXACT, '{"a":1,"a b":2}'): '{"a":1,"a b":2}',
    (SERDE, '{"A":1,"\\n":2}'): '{"A":1,"\\n":2}', (PYTHON, '{"A":1,"\\n":2}'): '{"\\n":2,"A":1}', (EXACT, '{"A":1,"\\n":2}'): '{"\\n":2,"A":1}',
    (SERDE, '{"#":1,"\\"":2}'): '{"#":1,"\\"":2}', (EXACT, '{"#":1,"\\"":2}'): '{"\\"":2,"#":1}', (SERDE, '{"!":1,"":2}'): '{"!":1,"":2}',
    (JCS, '{"\U0001f600":1,"\ue000":2}'): '{"\U0001f600":1,"\ue000":2}', (SERDE, '{"\U0001f600":1,"\ue000":2}'): '{"\ue000":2,"\U0001f600":1}',
    (UTF8, '{"\U0001f600":1,"\ue000":2}'): '{"\ue000":2,"\U0001f600":1}', (PYTHON, '["\U0001f600"]'): '["\\ud83d\\ude00"]',
    (PYTHON, '["\x7f"]'): '["\\u007f"]', (UTF8, '["\x7f"]'): '["\x7f"]', (EXACT, '["\x7f"]'): '["\x7f"]',
}


FOLDER = "canonicalization"
AGREED = VECTORS / "generate" / "agreed.json"
SOURCES = {
    "rules": "the written rules of the scheme, by the generator: an own reader, doubles by exact integers, digits by search",
    "cpython": "CPython's json.loads and json.dumps; for jcs-exact-integers only where no character is beyond U+FFFF; for refusals its reader, told to refuse duplicate names and lone surrogates",
    "canonicalize": "npm canonicalize 2.1.0 behind JSON.parse",
    "jcs": "PyPI jcs 0.2.1 behind CPython's reader, where a double holds every integer",
    "recorded": "recorded answers of the registry whose form it is: it refuses every number with a fraction or an exponent",
    "rfc8785": "PyPI rfc8785 0.1.4 behind CPython's reader, integers read as doubles",
    "serde_jcs": "the crate serde_jcs 0.1.0 behind serde_json with float_roundtrip",
}

# The accepted sibling of what a scheme refuses; else one by the code.
TWINS = {"integers/400-digits": "integers/300-digits", "numbers/nested": "structure/nested-objects", "numbers/minus-zero": "integers/minus-zero", "numbers/ten-to-20": "integers/ten-to-20", "numbers/ten-to-21": "integers/ten-to-21", "manifests/float": "manifests/letters", "manifests/float-exponent": "manifests/letters"}
TWIN_OF = {"canon.float": "integers/small"}


def expected():
    """(case id, text, clause, why, mended, {scheme: bytes or code})."""
    for group, name, data, spec, why, mended in cases():
        yield f"{group}/{name}", data, spec, why, mended, {scheme: outcome(scheme, data) for scheme in SCHEMES}


def digest(data, outcomes):
    """What `agree.py` saw: another text or another expectation has another digest."""
    text = json.dumps([data.hex(), {scheme: found if isinstance(found, str) else found.hex() for scheme, found in outcomes.items()}])
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def check_anchors():
    for (scheme, text), anchor in ANCHORS.items():
        found = outcome(scheme, text.encode("utf-8"))
        found = found if isinstance(found, str) else found.decode("utf-8")
        assert found == anchor, (scheme, text, anchor, found)


def generate():
    """Writes the files; returns how many cases there are, and the codes."""
    check_anchors()
    agreed = json.loads(AGREED.read_text("ascii"))
    groups, codes, known = {group: [] for group in WHY}, set(), {}
    for id, data, spec, why, mended, outcomes in expected():
        known[id] = outcomes
        assert agreed.get(id, {}).get("of") == digest(data, outcomes), f"{id}: no second source was asked about this; run generate/agree.py"
        group = id.split("/")[0]
        groups[group].append(case(id, data, spec, why, mended, outcomes, agreed[id]))
    for path in (VECTORS / FOLDER).glob("*.json"):
        path.unlink()
    for group, listed in groups.items():
        for twin, scheme, code in rejections(listed):
            codes.add(code)
            assert isinstance(known[twin][scheme], bytes), f"{twin} is a twin and refused by {scheme}"
        write_lines(VECTORS / FOLDER / f"{group}.json", {"group": group, "why": WHY[group], "sources": SOURCES, "cases": listed}, 2)
    stale = set(agreed) - set(known)
    assert not stale, f"agreed, but no case: {sorted(stale)}; run generate/agree.py"
    return len(known), codes


def rejections(listed):
    return [(found["twin"], scheme, found["reject"]) for case in listed for scheme, found in case["outcomes"].items() if "reject" in found]


def case(id, data, spec, why, mended, outcomes, agreed):
    found = {"id": id, "why": why, "spec": spec, "hex": data.hex()}
    text = readable(data)
    if text is not None:
        found["text"] = text
    twin = f"invalid/{mended}" if mended else None
    found["outcomes"] = {scheme: told(id, outcome, twin, ["rules", *agreed[scheme]]) for scheme, outcome in outcomes.items()}
    return found


def told(id, outcome, twin, sources):
    if isinstance(outcome, str):
        twin = twin or TWINS.get(id) or TWIN_OF.get(outcome) or ("numbers/largest" if id.startswith("numbers/") else "integers/300-digits")
        return {"reject": outcome, "twin": twin, "sources": sources}
    return {"hex": outcome.hex(), "sha256": hashlib.sha256(outcome).hexdigest(), "sources": sources}


def readable(data):
    """The text, where there is one and all of it can be printed."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if text and text.isprintable() else None
