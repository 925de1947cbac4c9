"""Kind `canonicalization`: the bytes that each of five schemes writes for a JSON text."""

import json

from canon import SCHEMES, Refused, canonical

FACTS = "oversight-registry-v1 section 6"
FORMS = "oversight-registry-v1 section 1.0"
ORDER = "RFC 8785 section 3.2.3"
STRINGS = "RFC 8785 section 3.2.2.2"
NUMBERS = "RFC 8785 section 3.2.2.3"
SPACE = "RFC 8785 section 3.2.1"

# name, text, clause, why
CASES = [
    ("literals", "[ null , true , false ]", SPACE, "White space between tokens is dropped."),
    ("scalar-at-root", ' "a" ', SPACE, "A scalar at the root is written like any other value."),
    ("containers-empty", '{"b": {}, "a": [ ]}', SPACE, "Empty containers have nothing between their brackets."),
    ("nested-objects", '{"b":{"d":[{"z":1,"y":{"x":2,"w":3}}],"c":null},"a":1}', ORDER, "Members are sorted at every depth, also inside arrays."),
    ("array-order", '["b","a",2,1]', ORDER, "Elements keep their order."),
    ("object-with-nulls", '{"b":null,"a":[null]}', FACTS, "Null members and elements are written, not dropped."),
    ("keys-ascii", '{"b":1,"a_b":2,"a-b":3,"a.b":4,"B":5,"ab":6,"0":7,"a":8}', FORMS, "For keys of letters, digits and _ . - the schemes agree."),
    ("keys-prefix-of-another", '{"aa":1,"a":2,"":3}', ORDER, "A key comes before those that it begins."),
    ("keys-space-after-prefix", '{"a":1,"a b":2}', FORMS, "A space sorts below the closing quote mark, where that takes part."),
    ("keys-exclamation-after-prefix", '{"a":1,"a!":2}', FORMS, "An exclamation mark sorts below the closing quote mark, where that takes part."),
    ("keys-hash-after-prefix", '{"a#":1,"a":2}', FORMS, "A hash sign sorts above the quote mark in any case."),
    ("keys-exclamation-and-empty", '{"!":1,"":2}', FORMS, "The empty key is first only where quote marks take no part."),
    ("keys-newline-and-letter", '{"A":1,"\\n":2}', FORMS, "A control character sorts as a backslash where the escaped text is compared."),
    ("keys-quote-and-hash", '{"#":1,"\\"":2}', FORMS, "A quote mark sorts as a backslash where the escaped text is compared."),
    ("keys-backslash-and-bracket", '{"]":1,"\\\\":2,"[":3}', FORMS, "A backslash stands between the square brackets, escaped or not."),
    ("keys-backslash-then-letter", '{"\\\\b":1,"\\b":2,"a":3}', FORMS, "A backslash and a letter against the control character whose escape looks alike."),
    ("keys-control-characters", '{"\\u0002":1,"\\u0001":2,"\\t":3,"\\u001f":4}', FORMS, "Short and long escapes of control characters as keys."),
    ("keys-delete-and-umlaut", '{"\u00e4":1,"\x7f":2,"~":3}', FORMS, "DEL sorts between the tilde and what is not ASCII."),
    ("keys-private-use-and-emoji", '{"\U0001f600":1,"\ue000":2}', FORMS, "Code-point order and UTF-16 order differ here."),
    ("keys-last-of-plane-and-first-beyond", '{"\U00010000":1,"\uffff":2,"\ud7ff":3}', FORMS, "The same, at the edges of the ranges."),
    ("keys-of-rfc-8785", '{"\u20ac":"Euro Sign","\\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\U0001f600":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}', ORDER, "The sorting example of the RFC."),
    ("keys-escaped-in-source", '{"\\u0062":1,"\\u0061":2}', ORDER, "Keys are sorted after their escapes are decoded."),
    ("keys-normal-forms", '{"\u00e9":1,"e\u0301":2,"f":3}', ORDER, "Nothing is normalised, so a decomposed letter sorts by its base."),
    ("keys-digits", '{"10":1,"9":2,"1":3}', ORDER, "Keys are text, also when they look like numbers."),
    ("string-short-escapes", '["\\b\\t\\n\\f\\r\\"\\\\"]', STRINGS, "What has a short escape is written with it."),
    ("string-short-escapes-spelt-out", '["\\u0008\\u0009\\u000a\\u000c\\u000d\\u0022\\u005c"]', STRINGS, "The same characters, written otherwise in the source."),
    ("string-control-characters", '["\\u0000\\u0001\\u000b\\u001F"]', STRINGS, "Other control characters are written with four lower-case digits."),
    ("string-delete", '["\x7f"]', FACTS, "DEL is raw in the RFC and escaped by Python."),
    ("string-delete-escaped", '["\\u007F"]', FACTS, "An escaped DEL is the same character."),
    ("string-slash", '["\\/","/"]', FACTS, "A slash is never escaped."),
    ("string-latin", '["\u00e9"]', FACTS, "A letter beyond ASCII."),
    ("string-latin-escaped", '["\\u00e9\\u0041"]', STRINGS, "Escapes that are not needed are undone."),
    ("string-c1-control", '["\u0080\u009f"]', STRINGS, "Control characters above DEL are not escaped by the RFC."),
    ("string-line-separators", '["\u2028\u2029"]', FACTS, "Line separators are ordinary characters in JSON."),
    ("string-emoji", '["\U0001f600"]', FACTS, "A supplementary character is raw, or two escapes in Python's ASCII form."),
    ("string-emoji-escaped", '["\\ud83d\\ude00"]', STRINGS, "A surrogate pair in the source is one character."),
    ("string-noncharacters", '["\ufffe\uffff\U0010ffff"]', FACTS, "Noncharacters are characters here."),
    ("string-byte-order-mark", '["\ufeff"]', STRINGS, "U+FEFF inside a string is kept."),
    ("string-decomposed", '["e\u0301","\u00e9"]', FACTS, "Composed and decomposed text stay apart."),
    ("integers-small", "[0,1,-1,10,100]", NUMBERS, "Small integers are written as they are."),
    ("integer-minus-zero", "[-0]", FACTS, "A negative zero without a point becomes 0."),
    ("integer-two-to-53", "[9007199254740992,-9007199254740992]", NUMBERS, "The last integers before doubles leave gaps."),
    ("integer-two-to-53-plus-one", "[9007199254740993]", FACTS, "The first integer that no double holds."),
    ("integer-u64-max", "[18446744073709551615]", FACTS, "The largest unsigned integer of 64 bits."),
    ("integer-u64-max-plus-one", "[18446744073709551616]", FACTS, "One more than 64 bits hold."),
    ("integer-i64-max", "[9223372036854775807]", FACTS, "The largest signed integer of 64 bits."),
    ("integer-i64-min", "[-9223372036854775808]", FACTS, "The smallest signed integer of 64 bits."),
    ("integer-i64-min-minus-one", "[-9223372036854775809]", FACTS, "One less than 64 bits hold."),
    ("integer-ten-to-20", "[100000000000000000000]", NUMBERS, "ECMAScript writes up to 21 digits without an exponent."),
    ("integer-ten-to-21", "[1000000000000000000000]", NUMBERS, "ECMAScript writes 22 digits with an exponent."),
    ("integer-ten-to-30", "[1000000000000000000000000000000]", FACTS, "A large power of ten, spelt out."),
    ("integer-300-digits", "[" + "7" * 300 + "]", FACTS, "An integer within the range of doubles."),
    ("integer-400-digits", "[" + "7" * 400 + "]", FACTS, "An integer beyond the range of doubles."),
    ("integer-at-rounding-tie", "[9007199254740995,9007199254740997]", NUMBERS, "Ties are rounded to the even double."),
    ("float-one", "[1.0]", FACTS, "An integer written with a fraction of zero."),
    ("float-hundred", "[1e2]", FACTS, "An integer written with an exponent."),
    ("float-exponent-capital", "[1E-7]", FACTS, "The first power of ten that ECMAScript writes with an exponent."),
    ("float-one-e-minus-6", "[0.000001]", NUMBERS, "The last power of ten that ECMAScript writes without an exponent."),
    ("float-one-hundred-thousandth", "[0.00001]", FACTS, "Python changes to an exponent earlier than ECMAScript."),
    ("float-ten-to-16", "[1e16]", NUMBERS, "The first power of ten that Python writes with an exponent."),
    ("float-ten-to-20", "[1e20]", FACTS, "The last power of ten that ECMAScript writes without an exponent."),
    ("float-ten-to-21", "[1e21]", FACTS, "The first large power of ten that ECMAScript writes with an exponent."),
    ("float-minus-zero", "[-0.0]", FACTS, "A negative zero with a point."),
    ("float-zero-with-exponent", "[0e5]", NUMBERS, "Zero times anything."),
    ("float-half", "[1.5,0.1,-2.25]", NUMBERS, "Fractions on which everybody agrees who writes fractions."),
    ("float-zeros-trailing", "[4.50,2.00e-1]", NUMBERS, "Zeros that add nothing are dropped."),
    ("float-smallest", "[5e-324]", FACTS, "The smallest double above zero."),
    ("float-largest", "[1.7976931348623157e308]", FACTS, "The largest double."),
    ("float-underflow", "[1e-400]", NUMBERS, "A number that is too small becomes zero."),
    ("float-underflow-negative", "[-1e-400]", NUMBERS, "A negative number that is too small becomes zero of either sign."),
    ("float-overflow", "[1e400]", FACTS, "A number that no double holds."),
    ("float-overflow-negative", "[-1e400]", FACTS, "The same, with a sign."),
    ("float-shortest-digits", "[333333333.33333329,1E30,2e-3,0.000000000000000000000000001]", NUMBERS, "The number examples of the RFC."),
    ("float-nested", '{"a":[{"b":2.0}]}', NUMBERS, "Numbers are rewritten at every depth."),
]

HEXADECIMAL = {"string-emoji", "keys-private-use-and-emoji"}

# The accepted sibling of what a scheme refuses.
TWINS = {
    "float-overflow": "float-largest",
    "float-overflow-negative": "float-largest",
    "integer-400-digits": "integer-300-digits",
    "float-nested": "nested-objects",
    "float-minus-zero": "integer-minus-zero",
    "float-zero-with-exponent": "integers-small",
    "float-ten-to-20": "integer-ten-to-20",
    "float-ten-to-21": "integer-ten-to-21",
}

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


def outcome(scheme, text):
    """The canonical bytes, or the code of the refusal."""
    try:
        return canonical(scheme, json.loads(text))
    except Refused as refused:
        return refused.args[0]


def generate(writer):
    for (scheme, text), expected in ANCHORS.items():
        found = outcome(scheme, text)
        found = found if isinstance(found, str) else found.decode("utf-8")
        assert found == expected, (scheme, text, expected, found)
    for name, text, spec, why in CASES:
        for scheme in SCHEMES:
            add(writer, scheme, name, text, spec, why)


def add(writer, scheme, name, text, spec, why):
    source = {"hex": text.encode("utf-8").hex()} if name in HEXADECIMAL else {"text": text}
    id, found = f"canonicalization/{scheme}/{name}", outcome(scheme, text)
    input = {"scheme": scheme, **source}
    if isinstance(found, str):
        twin = f"canonicalization/{scheme}/{TWINS.get(name, 'integers-small')}"
        if found == "canon.float" and name in ("float-overflow", "float-overflow-negative"):
            twin = f"canonicalization/{scheme}/integer-400-digits"
        writer.add(id, "canonicalization", why, spec, input, {"reject": found}, twin=twin)
    else:
        output = {"hex": found.hex()}
        if found.isascii():
            output["text"] = found.decode("ascii")
        writer.add(id, "canonicalization", why, spec, input, "accept", output=output)
