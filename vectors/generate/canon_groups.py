"""The texts of the kind `canonicalization`, in groups: what each group is about, and its cases from lists and rules.

A case is (name, text, clause, why); a case of the group `invalid` has the mended text behind it.
"""

FACTS = "oversight-registry-v1 section 6"
FORMS = "oversight-registry-v1 section 1.0"
ORDER = "RFC 8785 section 3.2.3"
STRINGS = "RFC 8785 section 3.2.2.2"
NUMBERS = "RFC 8785 section 3.2.2.3"
SPACE = "RFC 8785 section 3.2.1"
JSON = "RFC 8259 section 2"
JSON_NUMBERS = "RFC 8259 section 6"
JSON_STRINGS = "RFC 8259 section 7"
I_JSON = "RFC 7493 section 2"

WHY = {
    "structure": "White space goes, values stay: brackets, literals, nesting, scalars at the root, null and empty members.",
    "order": "The five schemes compare names in four ways: code points, UTF-16 code units, and the bytes of the escaped name with its quote marks; objects of the host language have a fourth.",
    "escapes": "Every way to write a character below U+0080 in a string, and the one way in which each scheme writes it back.",
    "unicode": "Characters beyond ASCII at the borders of encodings and of escaping, raw and escaped; nothing is normalized, mapped or dropped.",
    "integers": "Integers are exact in some schemes and doubles in others: the borders are 2^53, 64 bits, 21 digits and the largest double.",
    "numbers": "Numbers with a fraction or an exponent: the shortest digits, where exponents begin, zeros, subnormals and overflow.",
    "size": "Lengths, counts and depths at which buffers and counters change.",
    "manifests": "Shapes as the Oversight registries sign them, with what makes the schemes part ways inside.",
    "invalid": "What is no JSON text, or no I-JSON text, has no canonical form under any scheme; each beside a mended text that has one.",
}

STRUCTURE = [
    ("literals", "[ null , true , false ]", SPACE, "White space between tokens is dropped."),
    ("scalar-at-root", ' "a" ', SPACE, "A scalar at the root is written like any other value."),
    ("containers-empty", '{"b": {}, "a": [ ]}', SPACE, "Empty containers have nothing between their brackets."),
    ("nested-objects", '{"b":{"d":[{"z":1,"y":{"x":2,"w":3}}],"c":null},"a":1}', ORDER, "Members are sorted at every depth, also inside arrays."),
    ("array-order", '["b","a",2,1]', ORDER, "Elements keep their order."),
    ("object-with-nulls", '{"b":null,"a":[null]}', FACTS, "Null members and elements are written, not dropped."),
]

ORDER_LIST = [
    ("ascii", '{"b":1,"a_b":2,"a-b":3,"a.b":4,"B":5,"ab":6,"0":7,"a":8}', FORMS, "For keys of letters, digits and _ . - the schemes agree."),
    ("prefix-of-another", '{"aa":1,"a":2,"":3}', ORDER, "A key comes before those that it begins."),
    ("space-after-prefix", '{"a":1,"a b":2}', FORMS, "A space sorts below the closing quote mark, where that takes part."),
    ("exclamation-after-prefix", '{"a":1,"a!":2}', FORMS, "An exclamation mark sorts below the closing quote mark, where that takes part."),
    ("hash-after-prefix", '{"a#":1,"a":2}', FORMS, "A hash sign sorts above the quote mark in any case."),
    ("exclamation-and-empty", '{"!":1,"":2}', FORMS, "The empty key is first only where quote marks take no part."),
    ("newline-and-letter", '{"A":1,"\\n":2}', FORMS, "A control character sorts as a backslash where the escaped text is compared."),
    ("quote-and-hash", '{"#":1,"\\"":2}', FORMS, "A quote mark sorts as a backslash where the escaped text is compared."),
    ("backslash-and-bracket", '{"]":1,"\\\\":2,"[":3}', FORMS, "A backslash stands between the square brackets, escaped or not."),
    ("backslash-then-letter", '{"\\\\b":1,"\\b":2,"a":3}', FORMS, "A backslash and a letter against the control character whose escape looks alike."),
    ("control-characters", '{"\\u0002":1,"\\u0001":2,"\\t":3,"\\u001f":4}', FORMS, "Short and long escapes of control characters as keys."),
    ("delete-and-umlaut", '{"\u00e4":1,"\x7f":2,"~":3}', FORMS, "DEL sorts between the tilde and what is not ASCII."),
    ("private-use-and-emoji", '{"\U0001f600":1,"\ue000":2}', FORMS, "Code-point order and UTF-16 order differ here."),
    ("last-of-plane-and-first-beyond", '{"\U00010000":1,"\uffff":2,"\ud7ff":3}', FORMS, "The same, at the edges of the ranges."),
    ("of-rfc-8785", '{"\u20ac":"Euro Sign","\\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\U0001f600":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}', ORDER, "The sorting example of the RFC."),
    ("escaped-in-source", '{"\\u0062":1,"\\u0061":2}', ORDER, "Keys are sorted after their escapes are decoded."),
    ("normal-forms", '{"\u00e9":1,"e\u0301":2,"f":3}', ORDER, "Nothing is normalised, so a decomposed letter sorts by its base."),
    ("digits", '{"10":1,"9":2,"1":3}', ORDER, "Keys are text, also when they look like numbers."),
]

ESCAPES = [
    ("short-escapes", '["\\b\\t\\n\\f\\r\\"\\\\"]', STRINGS, "What has a short escape is written with it."),
    ("short-escapes-spelt-out", '["\\u0008\\u0009\\u000a\\u000c\\u000d\\u0022\\u005c"]', STRINGS, "The same characters, written otherwise in the source."),
    ("control-characters", '["\\u0000\\u0001\\u000b\\u001F"]', STRINGS, "Other control characters are written with four lower-case digits."),
    ("delete", '["\x7f"]', FACTS, "DEL is raw in the RFC and escaped by Python."),
    ("delete-escaped", '["\\u007F"]', FACTS, "An escaped DEL is the same character."),
    ("slash", '["\\/","/"]', FACTS, "A slash is never escaped."),
]

UNICODE = [
    ("latin", '["\u00e9"]', FACTS, "A letter beyond ASCII."),
    ("latin-escaped", '["\\u00e9\\u0041"]', STRINGS, "Escapes that are not needed are undone."),
    ("c1-control", '["\u0080\u009f"]', STRINGS, "Control characters above DEL are not escaped by the RFC."),
    ("line-separators", '["\u2028\u2029"]', FACTS, "Line separators are ordinary characters in JSON."),
    ("emoji", '["\U0001f600"]', FACTS, "A supplementary character is raw, or two escapes in Python's ASCII form."),
    ("emoji-escaped", '["\\ud83d\\ude00"]', STRINGS, "A surrogate pair in the source is one character."),
    ("noncharacters", '["\ufffe\uffff\U0010ffff"]', FACTS, "Noncharacters are characters here."),
    ("byte-order-mark", '["\ufeff"]', STRINGS, "U+FEFF inside a string is kept."),
    ("decomposed", '["e\u0301","\u00e9"]', FACTS, "Composed and decomposed text stay apart."),
]

INTEGERS = [
    ("small", "[0,1,-1,10,100]", NUMBERS, "Small integers are written as they are."),
    ("minus-zero", "[-0]", FACTS, "A negative zero without a point becomes 0."),
    ("two-to-53", "[9007199254740992,-9007199254740992]", NUMBERS, "The last integers before doubles leave gaps."),
    ("two-to-53-plus-one", "[9007199254740993]", FACTS, "The first integer that no double holds."),
    ("u64-max", "[18446744073709551615]", FACTS, "The largest unsigned integer of 64 bits."),
    ("u64-max-plus-one", "[18446744073709551616]", FACTS, "One more than 64 bits hold."),
    ("i64-max", "[9223372036854775807]", FACTS, "The largest signed integer of 64 bits."),
    ("i64-min", "[-9223372036854775808]", FACTS, "The smallest signed integer of 64 bits."),
    ("i64-min-minus-one", "[-9223372036854775809]", FACTS, "One less than 64 bits hold."),
    ("ten-to-20", "[100000000000000000000]", NUMBERS, "ECMAScript writes up to 21 digits without an exponent."),
    ("ten-to-21", "[1000000000000000000000]", NUMBERS, "ECMAScript writes 22 digits with an exponent."),
    ("ten-to-30", "[1000000000000000000000000000000]", FACTS, "A large power of ten, spelt out."),
    ("300-digits", "[" + "7" * 300 + "]", FACTS, "An integer within the range of doubles."),
    ("400-digits", "[" + "7" * 400 + "]", FACTS, "An integer beyond the range of doubles."),
    ("at-rounding-tie", "[9007199254740995,9007199254740997]", NUMBERS, "Ties are rounded to the even double."),
]

NUMBERS_LIST = [
    ("one", "[1.0]", FACTS, "An integer written with a fraction of zero."),
    ("hundred", "[1e2]", FACTS, "An integer written with an exponent."),
    ("exponent-capital", "[1E-7]", FACTS, "The first power of ten that ECMAScript writes with an exponent."),
    ("one-e-minus-6", "[0.000001]", NUMBERS, "The last power of ten that ECMAScript writes without an exponent."),
    ("one-hundred-thousandth", "[0.00001]", FACTS, "Python changes to an exponent earlier than ECMAScript."),
    ("ten-to-16", "[1e16]", NUMBERS, "The first power of ten that Python writes with an exponent."),
    ("ten-to-20", "[1e20]", FACTS, "The last power of ten that ECMAScript writes without an exponent."),
    ("ten-to-21", "[1e21]", FACTS, "The first large power of ten that ECMAScript writes with an exponent."),
    ("minus-zero", "[-0.0]", FACTS, "A negative zero with a point."),
    ("zero-with-exponent", "[0e5]", NUMBERS, "Zero times anything."),
    ("half", "[1.5,0.1,-2.25]", NUMBERS, "Fractions on which everybody agrees who writes fractions."),
    ("zeros-trailing", "[4.50,2.00e-1]", NUMBERS, "Zeros that add nothing are dropped."),
    ("smallest", "[5e-324]", FACTS, "The smallest double above zero."),
    ("largest", "[1.7976931348623157e308]", FACTS, "The largest double."),
    ("underflow", "[1e-400]", NUMBERS, "A number that is too small becomes zero."),
    ("underflow-negative", "[-1e-400]", NUMBERS, "A negative number that is too small becomes zero of either sign."),
    ("overflow", "[1e400]", FACTS, "A number that no double holds."),
    ("overflow-negative", "[-1e400]", FACTS, "The same, with a sign."),
    ("shortest-digits", "[333333333.33333329,1E30,2e-3,0.000000000000000000000000001]", NUMBERS, "The number examples of the RFC."),
    ("nested", '{"a":[{"b":2.0}]}', NUMBERS, "Numbers are rewritten at every depth."),
]

# More of each, name and text; `why` comes from the rule that made them.
MORE_STRUCTURE = [
    ("null", "null"), ("true", "true"), ("false", "false"), ("string-empty", '""'), ("zero", "0"), ("array-empty", "[]"), ("object-empty", "{}"),
    ("space-every-kind", " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n"), ("space-in-object", '{ "a" : 1 , "b" : [ ] }'), ("space-in-string-kept", '[" a  b "]'),
    ("array-of-empties", '[[],{},"",0,false,null]'), ("members-empty", '{"d":"","c":[],"b":{},"a":false}'), ("member-null-alone", '{"a":null}'), ("array-of-nulls", "[null,null]"),
    ("array-same-items", "[1,1,1]"), ("array-descending", "[3,2,1]"), ("array-mixed", '["b",{"b":1,"a":2},["d","c"],2]'), ("object-in-array-in-object", '{"z":[{"b":[{"d":0,"c":0}],"a":0}]}'),
    ("text-like-literals", '["true","false","null","1","[]","{}"]'), ("names-like-literals", '{"true":1,"null":2,"false":3}'), ("members-many-types", '{"f":null,"e":true,"d":"s","c":1,"b":[1],"a":{}}'),
    ("nested-five", '{"b":{"b":{"b":{"b":{"b":0,"a":0},"a":0},"a":0},"a":0},"a":0}'), ("array-in-array", "[[[[[[]]]]]]"), ("member-value-same-as-name", '{"b":"b","a":"a"}'),
]

# Two names of one object; each case has them in the order that at least one scheme turns round, or none.
PAIRS = [
    ("a", "b"), ("a", "B"), ("Z", "a"), ("a", "aa"), ("aa", "b"), ("", "a"), ("", " "), ("a", "a "), ("a", "a\""), ("a", "a\\"), ("a", "a\u0000"), ("a", "a\u001f"), ("a", "a#"), ("a", "a\u007f"),
    ("a b", "a!b"), ("!", "\""), (" ", "\""), ("\"", "$"), ("\"", "["), ("\"", "]"), ("\\", "^"), ("\\", "["), ("\n", "["), ("\n", "]"), ("\n", " "), ("\u0000", "A"), ("\u0001", "\t"), ("\u001f", "\\"),
    ("\b", "\t"), ("\f", "\r"), ("\u000b", "\n"), ("\u0010", "\b"), ("\u007f", "~"), ("\u007f", "\u0080"), ("\u0080", "\u00ff"), ("\u00e9", "z"), ("\u00e9", "e\u0301"), ("\u00e9", "f"), ("\u00df", "ss"),
    ("\u07ff", "\u0800"), ("\ud7ff", "\ue000"), ("\ud7ff", "\U00010000"), ("\ue000", "\U00010000"), ("\uffff", "\U0010ffff"), ("\ufb33", "\U0001f600"), ("\ufeff", "\U0001f600"), ("\U0001f600", "\U0001f601"),
    ("\U00010000", "\U00010400"), ("a\ue000", "a\U0001f600"), ("\U0001f600a", "\U0001f600\ue000"), ("\u2028", "\u2029"), ("\u20ac", "\u20ad"), ("1", "10"), ("10", "9"), ("-1", "1"), ("01", "1"), ("1", "a"), ("2", "-"),
    ("__proto__", "a"), ("__proto__", "_"), ("constructor", "toString"), ("A", "_"), ("_", "a"), ("-", "_"), (".", "-"), ("a.b", "a_b"), ("a-b", "ab"), ("/", "0"), ("/", "\\/"), ("\u00c5", "\u212b"), ("\u212a", "K"), ("i", "\u0131"),
]

# Doubles and their texts where writing or reading changes.
MORE_INTEGERS = [
    "9", "11", "-10", "99", "255", "256", "65535", "65536", "2147483647", "2147483648", "-2147483648", "-2147483649", "4294967295", "4294967296", "999999999999999", "1000000000000000", "4503599627370496", "4503599627370497",
    "9007199254740990", "9007199254740991", "-9007199254740991", "9007199254740994", "9007199254740996", "-9007199254740993", "18014398509481983", "18014398509481985", "72057594037927935", "123456789012345678", "999999999999999999", "1000000000000000000",
    "4611686018427387904", "9223372036854775808", "-9223372036854775807", "9999999999999999999", "10000000000000000000", "-18446744073709551615", "18446744073709551614", "-18446744073709551616", "36893488147419103232", "99999999999999999999",
    "100000000000000000001", "123456789012345678901", "999999999999999900000", "999999999999999999999", "-1000000000000000000000", "1000000000000000000001", "1234567890123456789012", "340282366920938463463374607431768211455", "340282366920938463463374607431768211456",
    "123456789012345678901234567890", "1" + "0" * 100, "1" + "0" * 308, "9" * 308, "1" + "0" * 309,
]
MORE_NUMBERS = [
    "0.0", "0e0", "0E-5", "-0e1", "0.000", "1.00", "10.0", "1e0", "1E0", "1e+0", "1e-0", "1e00", "1E2", "1e+02", "100e-2", "1.50", "0.10", "0.2", "0.3", "0.30000000000000004", "0.25", "3.14", "-1.5", "12.0e1", "0.1e1", "5.0e-1",
    "1e1", "1e10", "1e15", "1e17", "1e18", "1e19", "1e22", "1e23", "1e24", "-1e20", "-1e21", "1.2e15", "1.2e16", "1.2e17", "1.2e20", "1.2e21", "1.2345678901234567e16", "1.2345678901234567e20", "1.2345678901234567e21", "9.999999999999999e20", "9.999999999999999e22",
    "1e-1", "1e-2", "1e-3", "1e-4", "1e-5", "1e-6", "1e-8", "1.5e-4", "1.5e-5", "1.5e-6", "1.5e-7", "-1e-7", "9.5e-7", "9.999999999999999e-7", "0.0001", "0.0000001", "0.00000123", "1e-9", "1e-10", "1e-100", "1e100", "1.1e100", "1e300", "1e308",
    "9007199254740993.0", "9007199254740992.5", "9007199254740991.5", "4503599627370495.5", "4503599627370496.5", "18446744073709551616.0", "1e16", "12345678901234567.0", "123456.789", "1.2345678901234567", "1.23456789012345678", "1.0000000000000002",
    "1.00000000000000011102230246251565", "1.00000000000000011102230246251566", "0.9999999999999999", "0.1000000000000000055511151231257827", "2.2250738585072014e-308", "2.225073858507201e-308", "2.2250738585072011e-308", "4.9e-324", "1e-323", "2.5e-323",
    "2.4703282292062327e-324", "2.4703282292062328e-324", "4.4501477170144023e-308", "1.7976931348623155e308", "1.7976931348623158e308", "1.7976931348623159e308", "-1.7976931348623157e308", "-5e-324", "8.41e21", "9.0608011534336e15", "2.98023223876953125e-8",
    "2e-44", "5e-44", "4.35", "1.1", "-2.5", "100.5", "1e-99999", "1e309", "-1e309", "1e99999", "16777217.0", "16777216.5", "33554432.5", "5e22", "1.8446744073709552e19", "1e-7", "0.1E-6", "12e5", "65536.0",
]
BORDERS = [
    0x80, 0x85, 0x9F, 0xA0, 0xAD, 0xC5, 0xDF, 0xFF, 0x100, 0x130, 0x131, 0x17F, 0x301, 0x3A9, 0x5D0, 0x7FF, 0x800, 0x1100, 0x1E9E, 0x200B, 0x200D, 0x200E, 0x2028, 0x2029, 0x202E, 0x2060, 0x20AC, 0x2126, 0x212A, 0x212B, 0x3000, 0xAC00, 0xD7FF,
    0xE000, 0xF8FF, 0xFB01, 0xFB33, 0xFDD0, 0xFEFF, 0xFF21, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x103FF, 0x10400, 0x1D11E, 0x1F600, 0x1FFFE, 0x2F800, 0xE0001, 0xF0000, 0x10FFFE, 0x10FFFF,
]
MORE_UNICODE = [
    ("normal-forms-apart", '["\u00c5","A\u030a","\u212b"]'), ("compatibility-forms-apart", '["\ufb01","fi","\uff21","A"]'), ("case-pairs", '["\u00df","ss","\u1e9e","\u0130","i\u0307"]'), ("hangul-apart", '["\uac00","\u1100\u1161"]'),
    ("pair-escaped-mixed-case", '["\\uD83d\\udE00"]'), ("pair-then-letter", '["\\ud83d\\ude00a"]'), ("two-pairs", '["\\ud83d\\ude00\\ud83d\\ude01"]'), ("joined-emoji", '["\U0001f468\u200d\U0001f469"]'),
    ("escaped-ascii", '["\\u0041\\u007e\\u0020"]'), ("names-escaped-and-raw", '{"\\u00e9":1,"e":2,"\u00ea":3}'), ("mark-first", '["\u0301a"]'), ("direction-marks", '["\u202ea\u202c"]'),
]
SIZES = [15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257]


def cases():
    """(group, name, text as bytes, clause, why, mended text or None), in the order of the files."""
    listed = {"structure": STRUCTURE, "order": ORDER_LIST, "escapes": ESCAPES, "unicode": UNICODE, "integers": INTEGERS, "numbers": NUMBERS_LIST}
    made = {"structure": more_structure, "order": pairs, "escapes": escapes, "unicode": unicode, "integers": integers, "numbers": numbers, "size": sizes, "manifests": manifests, "invalid": invalid}
    for group in WHY:
        seen = {}
        for name, text, spec, why, *mended in [*listed.get(group, []), *made[group]()]:
            data = text if isinstance(text, bytes) else text.encode("utf-8")
            if data in seen:
                continue
            seen[data] = name
            yield group, name, data, spec, why, mended[0] if mended else None


def more_structure():
    return [(name, text, SPACE if "space" in name else JSON, f"Structure alone: {name.replace('-', ' ')}.") for name, text in MORE_STRUCTURE]


def written(name):
    """A name as a JSON string, as little escaped as can be."""
    return '"' + "".join(f"\\u{ord(character):04x}" if character < " " or character in '"\\' else character for character in name) + '"'


def label(name):
    return "-".join(f"{ord(character):04x}" for character in name) or "empty"


def pairs():
    for first, second in PAIRS:
        yield f"{label(first)}-and-{label(second)}", f"{{{written(second)}:1,{written(first)}:2}}", FORMS, f"Two names, {described(second)} before {described(first)}."


def described(name):
    return ("of " + " ".join(f"U+{ord(character):04X}" for character in name)) if name else "the empty one"


def escapes():
    for code in range(0x20):
        yield f"u{code:04x}", f'["\\u{code:04x}"]', STRINGS, f"The control character U+{code:04X}, written with digits."
    for letter in 'bfnrt"\\/':
        yield f"short-{ord(letter):04x}", f'["\\{letter}"]', STRINGS, f"The short escape with the character U+{ord(letter):04X}."
    for character in '"\\/<>&\'\x7f aA0`~{}[]:,':
        yield f"u{ord(character):04x}-spelt-out", f'["\\u{ord(character):04X}"]', STRINGS, f"U+{ord(character):04X}, written with digits that are not needed or not the shortest way."
    for name, text in [("capital-digits", '["\\u001B\\u001F\\u000A"]'), ("backslash-then-u", '["\\\\u0041"]'), ("backslashes-many", '["\\\\\\\\"]'), ("quotes-many", '["\\"\\""]'), ("in-a-name", '{"\\u0009\\/\\"":1}'), ("between-letters", '["a\\u0000b\\nc\\\\d"]'), ("script-end", '["</script>"]')]:
        yield name, text, STRINGS, f"Escapes together: {name.replace('-', ' ')}."


def unicode():
    for code in BORDERS:
        units = chr(code).encode("utf-16-be").hex()
        spelt = "".join(f"\\u{units[at:at + 4]}" for at in range(0, len(units), 4))
        yield f"u{code:04x}", f'["{chr(code)}","{spelt}"]', STRINGS, f"U+{code:04X}, raw and escaped: one character."
    for name, text in MORE_UNICODE:
        yield name, text, STRINGS, f"Beyond ASCII: {name.replace('-', ' ')}."


def numeric(token):
    name = token.lower().replace("+", "plus").replace("-", "minus-")
    return name if len(name) < 40 else f"{name[:8]}-of-{len(token)}-digits"


def integers():
    return [("value-" + numeric(token), f"[{token}]", NUMBERS, "An integer at a border, or beside one.") for token in MORE_INTEGERS]


def numbers():
    for token in MORE_NUMBERS:
        spelt = "-capital" if "E" in token else ""
        yield "value-" + numeric(token) + spelt, f"[{token}]", NUMBERS, "A number whose digits, zeros or exponent are written anew."
    yield "member-of-object", '{"b":1.50,"a":[1E2,{"c":-0.0}]}', NUMBERS, "Numbers at several depths."


def sizes():
    for length in SIZES:
        yield f"string-{length}", '"' + "a" * length + '"', STRINGS, f"A string of {length} characters."
    for length in (16, 64, 256):
        yield f"string-wide-{length}", '"' + "\u00e9" * length + '"', STRINGS, f"A string of {length} characters of two bytes each."
        yield f"names-{length}", '{"' + "k" * length + 'b":1,"' + "k" * length + 'a":2}', ORDER, f"Two names that differ behind {length} characters."
    for count in (8, 9, 16, 17, 33, 64, 65):
        yield f"members-{count}", "{" + ",".join(f'"k{number:02d}":{number}' for number in reversed(range(count))) + "}", ORDER, f"{count} members, the last first."
    for depth in (8, 16, 32, 64, 100):
        yield f"arrays-{depth}-deep", "[" * depth + "]" * depth, JSON, f"Arrays {depth} deep."
        yield f"objects-{depth}-deep", '{"b":0,"a":' * depth + "0" + "}" * depth, ORDER, f"Objects {depth} deep, each with two members."
    for digits in (17, 40, 100):
        yield f"fraction-{digits}", "0." + "3" * digits, NUMBERS, f"A fraction of {digits} digits."
        yield f"zeros-{digits}", "1." + "0" * digits, NUMBERS, f"A fraction of {digits} zeros."


MANIFEST = '{"file_id":"f-1","issued_at":1700000000,"version":"OVERSIGHT-v1","issuer_id":"issuer","recipient":{"x25519_pub":"00","recipient_id":"r"},"watermarks":[{"mark_id":"m","layer":"l"}],"beacons":[],"policy":%s,"l3_policy":{},"signature_ed25519":"","signature_ml_dsa":""}'


def manifests():
    policies = [
        ("plain", "{}"), ("letters", '{"b":1,"a":"x"}'), ("beyond-ascii", '{"k":"\u00e9"}'), ("emoji", '{"k":"\U0001f600"}'), ("delete", '{"k":"\x7f"}'), ("names-supplementary", '{"\U0001f600":1,"\ue000":2}'), ("names-space", '{"a":1,"a b":2}'),
        ("integer-beyond-double", '{"k":9007199254740993}'), ("integer-beyond-64-bits", '{"k":18446744073709551616}'), ("float", '{"k":1.0}'), ("float-exponent", '{"k":1e20}'), ("minus-zero", '{"k":-0}'), ("nulls", '{"k":null,"l":[null]}'), ("list", "[2,1]"),
    ]
    for name, policy in policies:
        yield name, MANIFEST % policy, FACTS, f"A manifest whose policy has what its name says: {name.replace('-', ' ')}."


# name, text, clause, mended text
INVALID = [
    ("empty", "", JSON, "0"), ("space-only", " ", JSON, " 0"), ("two-values", "1 2", JSON, "[1,2]"), ("trailing-bracket", "[1]]", JSON, "[1]"), ("trailing-brace", '{"a":1}}', JSON, '{"a":1}'), ("trailing-comma-behind", "1,", JSON, "1"),
    ("trailing-nul", b"[1]\0", JSON, "[1]"), ("array-open", "[1", JSON, "[1]"), ("array-comma-end", "[1,]", JSON, "[1,1]"), ("array-comma-first", "[,1]", JSON, "[1,1]"), ("array-comma-twice", "[1,,1]", JSON, "[1,1]"), ("array-no-comma", "[1 1]", JSON, "[1,1]"),
    ("object-open", '{"a":1', JSON, '{"a":1}'), ("object-comma-end", '{"a":1,}', JSON, '{"a":1}'), ("object-no-colon", '{"a" 1}', JSON, '{"a":1}'), ("object-no-value", '{"a":}', JSON, '{"a":1}'), ("object-no-comma", '{"a":1 "b":2}', JSON, '{"a":1,"b":2}'),
    ("object-colon-twice", '{"a"::1}', JSON, '{"a":1}'), ("name-bare", "{a:1}", JSON, '{"a":1}'), ("name-single-quotes", "{'a':1}", JSON, '{"a":1}'), ("name-number", "{1:2}", JSON, '{"1":2}'), ("name-null", "{null:1}", JSON, '{"null":1}'),
    ("closed-as-object", "[1}", JSON, "[1]"), ("closed-as-array", '{"a":1]', JSON, '{"a":1}'), ("literal-cut", "[nul]", JSON, "[null]"), ("literal-capital", "[True]", JSON, "[true]"), ("literal-upper", "[NULL]", JSON, "[null]"), ("literal-none", "[None]", JSON, "[null]"),
    ("undefined", "[undefined]", JSON, "[null]"), ("single-quotes", "['a']", JSON, '["a"]'), ("comment-block", "[1/*c*/]", JSON, "[1]"), ("comment-line", "[1]//c", JSON, "[1]"), ("comment-hash", "#c\n[1]", JSON, "\n[1]"), ("form-feed", b"[1\x0c]", JSON, "[1]"),
    ("vertical-tab", b"[1\x0b]", JSON, "[1]"), ("no-break-space", "[\u00a01]", JSON, "[ 1]"), ("line-separator-between", "[1\u2028]", JSON, "[1]"), ("number-leading-zero", "[01]", JSON_NUMBERS, "[1]"), ("number-minus-leading-zero", "[-01]", JSON_NUMBERS, "[-1]"),
    ("number-plus", "[+1]", JSON_NUMBERS, "[1]"), ("number-point-first", "[.5]", JSON_NUMBERS, "[5]"), ("number-point-last", "[1.]", JSON_NUMBERS, "[1]"), ("number-exponent-empty", "[1e]", JSON_NUMBERS, "[1]"), ("number-exponent-sign-only", "[1e+]", JSON_NUMBERS, "[1]"),
    ("number-hexadecimal", "[0x10]", JSON_NUMBERS, "[16]"), ("number-underscore", "[1_000]", JSON_NUMBERS, "[1000]"), ("number-minus-only", "[-]", JSON_NUMBERS, "[-1]"), ("number-minus-twice", "[--1]", JSON_NUMBERS, "[-1]"), ("number-two-points", "[1.0.0]", JSON_NUMBERS, "[1]"),
    ("number-exponent-fraction", "[1e1.5]", JSON_NUMBERS, "[1]"), ("nan", "[NaN]", JSON_NUMBERS, "[null]"), ("infinity", "[Infinity]", JSON_NUMBERS, "[null]"), ("infinity-minus", "[-Infinity]", JSON_NUMBERS, "[null]"), ("string-open", '["a', JSON_STRINGS, '["a"]'),
    ("string-newline", '["\n"]', JSON_STRINGS, '["\\n"]'), ("string-tab", '["\t"]', JSON_STRINGS, '["\\t"]'), ("string-nul", b'["\0"]', JSON_STRINGS, '["\\u0000"]'), ("string-unit-separator", b'["\x1f"]', JSON_STRINGS, '["\\u001f"]'), ("name-newline", '{"\n":1}', JSON_STRINGS, '{"\\n":1}'),
    ("escape-x", '["\\x41"]', JSON_STRINGS, '["\\u0041"]'), ("escape-unknown", '["\\a"]', JSON_STRINGS, '["a"]'), ("escape-single-quote", '["\\\'"]', JSON_STRINGS, '["\'"]'), ("escape-zero", '["\\0"]', JSON_STRINGS, '["\\u0000"]'), ("escape-short", '["\\u12"]', JSON_STRINGS, '["\\u0012"]'),
    ("escape-no-digit", '["\\u00G0"]', JSON_STRINGS, '["\\u00A0"]'), ("escape-capital", '["\\U0041"]', JSON_STRINGS, '["\\u0041"]'), ("surrogate-high-alone", '["\\ud800"]', I_JSON, '["\\ud800\\udc00"]'), ("surrogate-low-alone", '["\\udc00"]', I_JSON, '["\\ud800\\udc00"]'),
    ("surrogates-reversed", '["\\ude00\\ud83d"]', I_JSON, '["\\ud83d\\ude00"]'), ("surrogate-high-twice", '["\\ud800\\ud800"]', I_JSON, '["\\ud800\\udc00"]'), ("surrogate-then-letter", '["\\ud800a"]', I_JSON, '["\\ud800\\udc00a"]'), ("surrogate-in-name", '{"\\ud800":1}', I_JSON, '{"\\ud800\\udc00":1}'),
    ("duplicate", '{"a":1,"a":2}', I_JSON, '{"a":1,"b":2}'), ("duplicate-same-value", '{"a":1,"a":1}', I_JSON, '{"a":1}'), ("duplicate-escaped", '{"a":1,"\\u0061":2}', I_JSON, '{"a":1,"\\u0062":2}'), ("duplicate-empty", '{"":1,"":2}', I_JSON, '{"":1}'),
    ("duplicate-nested", '[{"a":{"b":1,"b":2}}]', I_JSON, '[{"a":{"b":1}}]'), ("duplicate-not-neighbours", '{"a":1,"b":2,"a":3}', I_JSON, '{"a":1,"b":2}'), ("byte-order-mark", b"\xef\xbb\xbf[1]", "RFC 8259 section 8.1", "[1]"),
    ("utf-16", b"\xff\xfe[\x001\x00]\x00", "RFC 8259 section 8.1", "[1]"), ("utf-8-alone", b'["\xff"]', "RFC 3629 section 3", '["\u00ff"]'), ("utf-8-continuation", b'["\x80"]', "RFC 3629 section 3", '["\u0080"]'), ("utf-8-cut", b'["\xe2\x82"]', "RFC 3629 section 3", '["\u20ac"]'),
    ("utf-8-overlong", b'["\xc0\x80"]', "RFC 3629 section 3", '["\\u0000"]'), ("utf-8-overlong-three", b'["\xe0\x80\x80"]', "RFC 3629 section 3", '["\\u0000"]'), ("utf-8-surrogate", b'["\xed\xa0\x80"]', "RFC 3629 section 3", '["\\ud800\\udc00"]'),
    ("utf-8-surrogate-pair", b'["\xed\xa0\xbd\xed\xb8\x80"]', "RFC 3629 section 3", '["\U0001f600"]'), ("utf-8-beyond", b'["\xf4\x90\x80\x80"]', "RFC 3629 section 3", '["\U0010ffff"]'), ("utf-8-five-bytes", b'["\xf8\x88\x80\x80\x80"]', "RFC 3629 section 3", '["\U0010ffff"]'),
]


def invalid():
    mended = {}
    for name, text, spec, repair in INVALID:
        yield name, text, spec, f"Not to be read: {name.replace('-', ' ')}.", mended.setdefault(repair, f"{name}-mended")
        if mended[repair] == f"{name}-mended":
            yield mended[repair], repair, spec, f"The text of `{name}`, mended."
