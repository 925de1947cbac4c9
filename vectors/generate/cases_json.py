"""Kind `json`: what a strict, bounded JSON reader accepts, and where it says that a defect lies."""

from strict_json import Defect, Reader

GRAMMAR = "RFC 8259 section 2"
NUMBERS = "RFC 8259 section 6"
STRINGS = "RFC 8259 section 7"
ENCODING = "RFC 8259 section 8.1"
OBJECTS = "RFC 8259 section 4"
UNICODE = "RFC 8259 section 8.2"
IJSON = "RFC 7493 section 2.3"
BOUNDS = "RFC 8259 section 9"

# name, text or bytes, limits or None, clause, why
ACCEPTED = [
    ("one", "1", None, GRAMMAR, "A scalar may stand at the root."),
    ("array-of-one", "[1]", None, GRAMMAR, "The smallest array with an element."),
    ("array-of-two", "[1,2]", None, GRAMMAR, "Elements are parted by one comma."),
    ("array-empty", "[]", None, GRAMMAR, "An array may be empty."),
    ("object-empty", "{}", None, GRAMMAR, "An object may be empty."),
    ("object-of-one", '{"a":1}', None, OBJECTS, "The smallest object with a member."),
    ("object-of-two", '{"a":1,"b":2}', None, OBJECTS, "Members are parted by one comma."),
    ("object-spaced", '{"a": 1, "b": 2}', None, GRAMMAR, "White space may stand around colons and commas."),
    ("object-nested", '{"a":{"b":[{"c":1,"d":2}]}}', None, GRAMMAR, "Containers nest."),
    ("literals", "[true,false,null]", None, GRAMMAR, "The three literal names."),
    ("literal-null", "null", None, GRAMMAR, "A literal name may stand at the root."),
    ("literal-true", "true", None, GRAMMAR, "Literal names are in lower case."),
    ("number-zero", "[0]", None, NUMBERS, "A lone zero is a number."),
    ("number-ten", "[10]", None, NUMBERS, "A zero may follow another digit."),
    ("number-minus-one", "[-1]", None, NUMBERS, "A minus sign may stand before the digits."),
    ("number-minus-zero", "[-0]", None, NUMBERS, "The grammar allows a negative zero."),
    ("number-fraction", "[0.5]", None, NUMBERS, "A fraction has digits on both sides of the point."),
    ("number-fraction-of-one", "1.0", None, NUMBERS, "A fraction may be zero."),
    ("number-exponents", "[1e2,1E+2,1e-2,0E0,1.5e007]", None, NUMBERS, "Exponents may be signed and may have leading zeros."),
    ("number-beyond-double", "[1e400]", None, NUMBERS, "The grammar sets no range for numbers; a scheme may refuse later."),
    ("number-4300-digits", "[" + "9" * 4300 + "]", None, NUMBERS, "An integer of 4300 digits is within the default limit."),
    ("number-4300-digits-negative", "[-" + "9" * 4300 + "]", None, NUMBERS, "The limit leaves room for the sign of 4300 digits."),
    ("values-at-small-limit", "[1,{\"a\":2}]", {"values": 5}, BOUNDS, "Two containers, two numbers and a name are five values."),
    ("number-at-small-limit", "[12345]", {"number": 5}, BOUNDS, "A number exactly as long as the limit is within it."),
    ("string", '"a"', None, STRINGS, "A plain string at the root."),
    ("string-empty", '""', None, STRINGS, "A string may be empty."),
    ("string-two-letters", '["ab"]', None, STRINGS, "Two characters side by side."),
    ("string-escapes", r'["\"\\\/\b\f\n\r\t"]', None, STRINGS, "All the short escapes."),
    ("string-unicode-escape", r'["\u0041"]', None, STRINGS, "Four hexadecimal digits name a code unit."),
    ("string-unicode-escape-case", r'["\u00e9\u00E9"]', None, STRINGS, "Hexadecimal digits may be in either case."),
    ("string-escaped-nul", r'["\u0000"]', None, STRINGS, "NUL may be written as an escape."),
    ("string-escaped-tab", r'["a\tb"]', None, STRINGS, "A tab is written as an escape."),
    ("string-delete", '["\x7f"]', None, STRINGS, "DEL is not among the characters that must be escaped."),
    ("string-line-separator", '["\u2028"]', None, STRINGS, "U+2028 may stand unescaped."),
    ("string-two-byte-utf8", '"\u00e9"', None, ENCODING, "A character of two bytes in UTF-8."),
    ("string-three-byte-utf8", '"\u20ac"', None, ENCODING, "A character of three bytes in UTF-8."),
    ("string-four-byte-utf8", '"\U0001f600"', None, ENCODING, "A character of four bytes in UTF-8."),
    ("string-last-code-point", '"\U0010ffff"', None, ENCODING, "U+10FFFF is the last code point, although a noncharacter."),
    ("string-byte-order-mark-inside", '["\ufeff"]', None, ENCODING, "U+FEFF inside a string is an ordinary character."),
    ("string-surrogate-pair", r'["\ud83d\ude00"]', None, UNICODE, "A high and then a low surrogate escape make one character."),
    ("string-surrogate-pair-at-root", r'"\ud83d\ude00"', None, UNICODE, "A surrogate pair at the root."),
    ("key-surrogate-pair", r'{"\ud83d\ude00":1}', None, UNICODE, "A surrogate pair in a key."),
    ("key-empty", '{"":1}', None, OBJECTS, "The empty string is a key like any other."),
    ("keys-differ-in-case", '{"a":1,"A":2}', None, IJSON, "Keys are compared without case folding."),
    ("keys-differ-in-normal-form", '{"\u00e9":1,"e\u0301":2}', None, IJSON, "Keys are compared without normalisation."),
    ("keys-same-in-different-objects", '{"a":{"a":1},"b":{"a":2}}', None, IJSON, "One key may occur in several objects."),
    ("keys-escaped-differ", r'{"a":1,"\u0062":2}', None, IJSON, "A key written with an escape that decodes to another character."),
    ("keys-empty-and-space", '{"":1," ":2}', None, IJSON, "A space is not the empty key."),
    ("keys-with-slash-differ", '{"a/b":1,"a~b":2}', None, IJSON, "Keys may hold the special characters of JSON Pointer."),
    ("keys-emoji-differ", '{"\U0001f600":1,"\\ud83d\\ude01":2}', None, IJSON, "Two supplementary characters, one raw, one escaped."),
    ("white-space-all-kinds", " \t\r\n[ \t\r\n1 \t\r\n, \t\r\n2 \t\r\n] \t\r\n", None, GRAMMAR, "The four white-space characters, wherever they may stand."),
    ("white-space-crlf", '{\r\n"a":1\r\n}\r\n', None, GRAMMAR, "Lines may end in CR LF."),
    ("depth-1000", "[" * 1000 + "]" * 1000, None, BOUNDS, "A thousand arrays inside one another are within the default limit."),
    ("depth-of-objects", '{"a":{"b":1}}', {"depth": 2}, BOUNDS, "Objects count towards the depth, scalars do not."),
    ("depth-of-arrays", "[[1]]", {"depth": 2}, BOUNDS, "A scalar inside the deepest allowed container is not a level."),
    ("depth-none", "1", {"depth": 0}, BOUNDS, "A scalar at the root has depth 0."),
    ("depth-in-width", "[[1],[2],[3]]", {"depth": 2}, BOUNDS, "Only containers that are open at once add up."),
    ("bytes-at-limit", "[12]", {"bytes": 4}, BOUNDS, "A text exactly as long as the limit is within it."),
]

# name, text or bytes, limits, clause, why, code, offset, pointer, twin
REFUSED = [
    ("empty", "", None, GRAMMAR, "A text holds exactly one value.", "json.empty", 0, "", "one"),
    ("white-space-only", " \r\n\t", None, GRAMMAR, "White space alone is no value.", "json.empty", 0, "", "one"),
    ("byte-order-mark", b"\xef\xbb\xbf1", None, ENCODING, "A text does not begin with a byte order mark.", "json.bom", 0, "", "one"),
    ("byte-order-mark-alone", b"\xef\xbb\xbf", None, ENCODING, "A byte order mark is no value either.", "json.bom", 0, "", "one"),
    ("utf8-lone-continuation", b'"\x80"', None, ENCODING, "A continuation byte that continues nothing.", "json.utf8", 1, "", "string-two-byte-utf8"),
    ("utf8-truncated", b'"\xe2\x82"', None, ENCODING, "A sequence of three bytes of which the third is missing.", "json.utf8", 1, "", "string-three-byte-utf8"),
    ("utf8-truncated-after-letters", b'"ab\xc3"', None, ENCODING, "The offset is that of the first byte of the broken sequence.", "json.utf8", 3, "", "string-two-byte-utf8"),
    ("utf8-overlong-slash", b'"\xc0\xaf"', None, ENCODING, "A slash spread over two bytes.", "json.utf8", 1, "", "string-two-byte-utf8"),
    ("utf8-overlong-nul", b'"\xc0\x80"', None, ENCODING, "NUL spread over two bytes.", "json.utf8", 1, "", "string-two-byte-utf8"),
    ("utf8-overlong-euro", b'"\xf0\x82\x82\xac"', None, ENCODING, "A character of three bytes spread over four.", "json.utf8", 1, "", "string-three-byte-utf8"),
    ("utf8-surrogate", b'"\xed\xa0\x80"', None, ENCODING, "A surrogate encoded as if it were a character.", "json.utf8", 1, "", "string-three-byte-utf8"),
    ("utf8-surrogate-pair", b'"\xed\xa0\xbd\xed\xb8\x80"', None, ENCODING, "A supplementary character encoded as two surrogates (CESU-8).", "json.utf8", 1, "", "string-four-byte-utf8"),
    ("utf8-beyond-last", b'"\xf4\x90\x80\x80"', None, ENCODING, "A code point above U+10FFFF.", "json.utf8", 1, "", "string-last-code-point"),
    ("utf8-byte-ff", b'"\xff"', None, ENCODING, "A byte that UTF-8 never uses.", "json.utf8", 1, "", "string-two-byte-utf8"),
    ("utf8-latin-1", b'"caf\xe9"', None, ENCODING, "Text in another encoding.", "json.utf8", 4, "", "string-two-byte-utf8"),
    ("utf16-little-endian", b"\xff\xfe1\x00", None, ENCODING, "UTF-16 with its byte order mark is not UTF-8.", "json.utf8", 0, "", "one"),
    ("array-comma-trailing", "[1,]", None, GRAMMAR, "A comma is followed by another element.", "json.syntax", 3, "/1", "array-of-one"),
    ("array-comma-leading", "[,1]", None, GRAMMAR, "An array does not begin with a comma.", "json.syntax", 1, "/0", "array-of-one"),
    ("array-comma-twice", "[1,,2]", None, GRAMMAR, "There is an element between two commas.", "json.syntax", 3, "/1", "array-of-two"),
    ("array-comma-missing", "[1 2]", None, GRAMMAR, "Elements are parted by a comma, not by white space.", "json.syntax", 3, "", "array-of-two"),
    ("array-closed-as-object", "[1}", None, GRAMMAR, "An array is closed by its own bracket.", "json.syntax", 2, "", "array-of-one"),
    ("array-semicolon", "[1;2]", None, GRAMMAR, "Only a comma parts elements.", "json.syntax", 2, "", "array-of-two"),
    ("object-comma-trailing", '{"a":1,}', None, OBJECTS, "A comma is followed by another member.", "json.syntax", 7, "", "object-of-one"),
    ("object-comma-missing", '{"a":1 "b":2}', None, OBJECTS, "Members are parted by a comma, not by white space.", "json.syntax", 7, "", "object-of-two"),
    ("object-colon-missing", '{"a" 1}', None, OBJECTS, "A colon stands between key and value.", "json.syntax", 5, "", "object-of-one"),
    ("object-value-missing", '{"a":}', None, OBJECTS, "A colon is followed by a value.", "json.syntax", 5, "/a", "object-of-one"),
    ("object-closed-as-array", '{"a":1]', None, OBJECTS, "An object is closed by its own bracket.", "json.syntax", 6, "", "object-of-one"),
    ("key-unquoted", "{a:1}", None, OBJECTS, "A key is a string.", "json.syntax", 1, "", "object-of-one"),
    ("key-single-quotes", "{'a':1}", None, OBJECTS, "A string is written in double quotes.", "json.syntax", 1, "", "object-of-one"),
    ("key-number", "{1:1}", None, OBJECTS, "A number is no key.", "json.syntax", 1, "", "object-of-one"),
    ("comment", "[1/*2*/]", None, GRAMMAR, "There are no comments.", "json.syntax", 2, "", "array-of-one"),
    ("white-space-form-feed", "[\f1]", None, GRAMMAR, "Form feed is not white space here.", "json.syntax", 1, "/0", "array-of-one"),
    ("white-space-vertical-tab", "[\v1]", None, GRAMMAR, "Vertical tab is not white space here.", "json.syntax", 1, "/0", "array-of-one"),
    ("white-space-no-break", "[\u00a01]", None, GRAMMAR, "A no-break space is not white space here.", "json.syntax", 1, "/0", "array-of-one"),
    ("nul-between-tokens", "[1\x00]", None, GRAMMAR, "NUL is not white space here.", "json.syntax", 2, "", "array-of-one"),
    ("literal-capital", "True", None, GRAMMAR, "Literal names are not written with a capital.", "json.syntax", 0, "", "literal-true"),
    ("literal-misspelt", "trux", None, GRAMMAR, "The first byte that cannot belong to the literal is the defect.", "json.syntax", 3, "", "literal-true"),
    ("literal-truncated", "nul", None, GRAMMAR, "A literal name is complete.", "json.end", 3, "", "literal-null"),
    ("number-nan", "[NaN]", None, NUMBERS, "There is no literal for what is not a number.", "json.syntax", 1, "/0", "number-zero"),
    ("number-infinity", "[Infinity]", None, NUMBERS, "There is no literal for infinity.", "json.syntax", 1, "/0", "number-zero"),
    ("number-plus", "[+1]", None, NUMBERS, "A number does not begin with a plus sign.", "json.syntax", 1, "/0", "array-of-one"),
    ("number-point-leading", "[.5]", None, NUMBERS, "A number does not begin with a point.", "json.syntax", 1, "/0", "number-fraction"),
    ("number-leading-zero", "[01]", None, NUMBERS, "A leading zero is not followed by a digit.", "json.number", 1, "/0", "array-of-one"),
    ("number-leading-zero-at-root", "01", None, NUMBERS, "The whole run of digits is the number, and it is malformed.", "json.number", 0, "", "one"),
    ("number-leading-zero-negative", "[-01]", None, NUMBERS, "A sign does not excuse a leading zero.", "json.number", 1, "/0", "number-minus-one"),
    ("number-point-trailing", "1.", None, NUMBERS, "A point is followed by a digit.", "json.number", 0, "", "number-fraction-of-one"),
    ("number-point-then-exponent", "[1.e2]", None, NUMBERS, "A point is followed by a digit, also before an exponent.", "json.number", 1, "/0", "number-exponents"),
    ("number-minus-alone", "-", None, NUMBERS, "A sign needs digits.", "json.number", 0, "", "one"),
    ("number-minus-alone-in-array", "[-]", None, NUMBERS, "A sign needs digits, and the value is named.", "json.number", 1, "/0", "number-minus-one"),
    ("number-minus-twice", "[--1]", None, NUMBERS, "There is at most one sign.", "json.number", 1, "/0", "number-minus-one"),
    ("number-exponent-empty", '{"a":1e}', None, NUMBERS, "An exponent has digits.", "json.number", 5, "/a", "object-of-one"),
    ("number-exponent-sign-alone", '{"a":1e+}', None, NUMBERS, "The sign of an exponent is followed by digits.", "json.number", 5, "/a", "object-of-one"),
    ("end-in-array", "[1", None, GRAMMAR, "An array is closed.", "json.end", 2, "", "array-of-one"),
    ("end-after-comma", "[1,", None, GRAMMAR, "After a comma the next element is awaited.", "json.end", 3, "/1", "array-of-two"),
    ("end-after-bracket", "[", None, GRAMMAR, "After an opening bracket the first element is awaited.", "json.end", 1, "/0", "array-empty"),
    ("end-in-object", '{"a":1', None, OBJECTS, "An object is closed.", "json.end", 6, "", "object-of-one"),
    ("end-after-brace", "{", None, OBJECTS, "After an opening brace a key is awaited.", "json.end", 1, "", "object-empty"),
    ("end-after-key", '{"a"', None, OBJECTS, "A key is followed by its value.", "json.end", 4, "", "object-of-one"),
    ("end-after-colon", '{"a":', None, OBJECTS, "After a colon the member's value is awaited.", "json.end", 5, "/a", "object-of-one"),
    ("end-in-key", '{"a', None, STRINGS, "A key is closed by its quote.", "json.end", 3, "", "object-of-one"),
    ("end-in-string", '"a', None, STRINGS, "A string is closed by its quote.", "json.end", 2, "", "string"),
    ("end-in-escape", '"\\', None, STRINGS, "A backslash is followed by something.", "json.end", 2, "", "string"),
    ("end-in-unicode-escape", '"\\u00', None, STRINGS, "A code unit has four digits.", "json.end", 5, "", "string"),
    ("trailing-value", "1 2", None, GRAMMAR, "A text holds one value only.", "json.trailing", 2, "", "one"),
    ("trailing-object", "{}{}", None, GRAMMAR, "Values are not strung together.", "json.trailing", 2, "", "object-empty"),
    ("trailing-bracket", "[]]", None, GRAMMAR, "Brackets are balanced.", "json.trailing", 2, "", "array-empty"),
    ("trailing-nul", "{}\x00", None, GRAMMAR, "NUL after the value is not ignored.", "json.trailing", 2, "", "object-empty"),
    ("trailing-comma", "[1],", None, GRAMMAR, "Nothing but white space follows the value.", "json.trailing", 3, "", "array-of-one"),
    ("trailing-after-white-space", "{} \r\n x", None, GRAMMAR, "The offset passes over the white space.", "json.trailing", 6, "", "object-empty"),
    ("duplicate-key", '{"a": 1, "a": 2}', None, IJSON, "A key occurs once in an object.", "json.duplicate-key", 9, "/a", "object-spaced"),
    ("duplicate-key-same-value", '{"a":1,"a":1}', None, IJSON, "Equal values do not excuse a second key.", "json.duplicate-key", 7, "/a", "object-of-two"),
    ("duplicate-key-escaped", r'{"a":1,"\u0061":2}', None, IJSON, "Keys are compared after their escapes are decoded.", "json.duplicate-key", 7, "/a", "keys-escaped-differ"),
    ("duplicate-key-escaped-first", r'{"\u0061":1,"a":2}', None, IJSON, "It does not matter which of the two is written with an escape.", "json.duplicate-key", 12, "/a", "keys-escaped-differ"),
    ("duplicate-key-empty", '{"":1,"":2}', None, IJSON, "The empty key counts as well.", "json.duplicate-key", 6, "/", "keys-empty-and-space"),
    ("duplicate-key-nested", '{"a":{"b":[{"c":1,"c":2}]}}', None, IJSON, "The rule holds at every depth.", "json.duplicate-key", 18, "/a/b/0/c", "object-nested"),
    ("duplicate-key-not-adjacent", '{"a":1,"b":2,"a":3}', None, IJSON, "Members in between do not hide the second key.", "json.duplicate-key", 13, "/a", "object-of-two"),
    ("duplicate-key-slash", '{"a/b":1,"a/b":2}', None, IJSON, "A slash is escaped in the pointer.", "json.duplicate-key", 9, "/a~1b", "keys-with-slash-differ"),
    ("duplicate-key-tilde", '{"a~b":1,"a~b":2}', None, IJSON, "A tilde is escaped in the pointer.", "json.duplicate-key", 9, "/a~0b", "keys-with-slash-differ"),
    ("duplicate-key-emoji", '{"\U0001f600":1,"\\ud83d\\ude00":2}', None, IJSON, "A raw character equals its surrogate escapes, and offsets count bytes.", "json.duplicate-key", 10, "/\U0001f600", "keys-emoji-differ"),
    ("surrogate-high-alone", r'["\ud83d"]', None, UNICODE, "A high surrogate needs a low one.", "json.lone-surrogate", 2, "/0", "string-surrogate-pair"),
    ("surrogate-low-alone", r'["\ude00"]', None, UNICODE, "A low surrogate needs a high one before it.", "json.lone-surrogate", 2, "/0", "string-surrogate-pair"),
    ("surrogates-reversed", r'["\ude00\ud83d"]', None, UNICODE, "In the wrong order the first of the two is already alone.", "json.lone-surrogate", 2, "/0", "string-surrogate-pair"),
    ("surrogate-high-twice", r'["\ud83d\ud83d\ude00"]', None, UNICODE, "Of two high surrogates the first is alone.", "json.lone-surrogate", 2, "/0", "string-surrogate-pair"),
    ("surrogate-high-then-letter", r'["\ud83da"]', None, UNICODE, "A letter is no low surrogate.", "json.lone-surrogate", 2, "/0", "string-surrogate-pair"),
    ("surrogate-high-then-other-escape", r'["\ud83d\u0041"]', None, UNICODE, "The escape of a letter is no low surrogate; the high one offends.", "json.lone-surrogate", 2, "/0", "string-surrogate-pair"),
    ("surrogate-after-pair", r'["\ud83d\ude00\ude00"]', None, UNICODE, "The pair before it does not serve a second low surrogate.", "json.lone-surrogate", 14, "/0", "string-surrogate-pair"),
    ("surrogate-at-root", r'"\ud800"', None, UNICODE, "At the root the pointer is empty.", "json.lone-surrogate", 1, "", "string-surrogate-pair-at-root"),
    ("surrogate-in-key", r'{"\ud83d":1}', None, UNICODE, "Keys are strings as well; the object is concerned.", "json.lone-surrogate", 2, "", "key-surrogate-pair"),
    ("control-tab", '["a\tb"]', None, STRINGS, "A raw tab does not stand in a string.", "json.control-character", 3, "/0", "string-escaped-tab"),
    ("control-newline", '["a\nb"]', None, STRINGS, "A raw line feed does not stand in a string.", "json.control-character", 3, "/0", "string-escaped-tab"),
    ("control-nul", '["\x00"]', None, STRINGS, "A raw NUL does not stand in a string.", "json.control-character", 2, "/0", "string-escaped-nul"),
    ("control-unit-separator", '["\x1f"]', None, STRINGS, "U+001F is the last character that must be escaped.", "json.control-character", 2, "/0", "string-delete"),
    ("control-in-key", '{"\n":1}', None, STRINGS, "Keys are strings as well.", "json.control-character", 2, "", "key-empty"),
    ("escape-hexadecimal", r'["\x41"]', None, STRINGS, "There is no escape with two hexadecimal digits.", "json.escape", 2, "/0", "string-unicode-escape"),
    ("escape-single-quote", r'["\'"]', None, STRINGS, "A single quote is not escaped.", "json.escape", 2, "/0", "string-escapes"),
    ("escape-vertical-tab", r'["\v"]', None, STRINGS, "Vertical tab has no short escape.", "json.escape", 2, "/0", "string-escapes"),
    ("escape-zero", r'["\0"]', None, STRINGS, "NUL has no short escape.", "json.escape", 2, "/0", "string-escaped-nul"),
    ("escape-capital-u", r'["\U0041"]', None, STRINGS, "The letter of a unicode escape is in lower case.", "json.escape", 2, "/0", "string-unicode-escape"),
    ("escape-three-digits", r'["\u041"]', None, STRINGS, "A unicode escape has four digits.", "json.escape", 2, "/0", "string-unicode-escape"),
    ("escape-digit-not-hexadecimal", r'["\u00g0"]', None, STRINGS, "A unicode escape has hexadecimal digits only.", "json.escape", 2, "/0", "string-unicode-escape"),
    ("escape-signed-digits", r'["\u+041"]', None, STRINGS, "A sign is no digit.", "json.escape", 2, "/0", "string-unicode-escape"),
    ("escape-braces", r'["\u{41}"]', None, STRINGS, "There is no escape in braces.", "json.escape", 2, "/0", "string-unicode-escape"),
    ("escape-second-of-two", r'["\n\q"]', None, STRINGS, "The offset is that of the offending escape, not of the first.", "json.escape", 4, "/0", "string-escapes"),
    ("number-4302-characters", "[" + "9" * 4302 + "]", None, BOUNDS, "One digit beyond what the default limit allows.", "limits.number", 1, "/0", "number-4300-digits"),
    ("number-over-small-limit", "[123456]", {"number": 5}, BOUNDS, "One character beyond a limit that the caller set.", "limits.number", 1, "/0", "number-at-small-limit"),
    ("number-fraction-over-small-limit", '{"a":0.1234}', {"number": 5}, BOUNDS, "The point counts towards the length.", "limits.number", 5, "/a", "number-at-small-limit"),
    ("values-over-small-limit", "[1,2,3]", {"values": 3}, BOUNDS, "The list and two items are three values, the third item is one more.", "limits.values", 5, "/2", "values-at-small-limit"),
    ("values-over-small-limit-by-name", '{"a":1}', {"values": 2}, BOUNDS, "A name counts as its value does.", "limits.values", 5, "/a", "values-at-small-limit"),
    ("depth-1001", "[" * 1001 + "]" * 1001, None, BOUNDS, "The bracket that opens level 1001 is refused.", "limits.depth", 1000, "/0" * 1000, "depth-1000"),
    ("depth-1001-unclosed", "[" * 1001, None, BOUNDS, "The limit is met before the end of the input is.", "limits.depth", 1000, "/0" * 1000, "depth-1000"),
    ("depth-of-objects-over", '{"a":{"b":{}}}', {"depth": 2}, BOUNDS, "An empty object is a level too.", "limits.depth", 10, "/a/b", "depth-of-objects"),
    ("depth-of-arrays-over", "[[[]]]", {"depth": 2}, BOUNDS, "An empty array is a level too.", "limits.depth", 2, "/0/0", "depth-of-arrays"),
    ("depth-after-siblings", "[[1],[[2]]]", {"depth": 2}, BOUNDS, "Siblings that are closed do not count, the one that is open does.", "limits.depth", 6, "/1/0", "depth-in-width"),
    ("depth-none-over", "[]", {"depth": 0}, BOUNDS, "An array at the root has depth 1.", "limits.depth", 0, "", "depth-none"),
    ("bytes-over-limit", "[123]", {"bytes": 4}, BOUNDS, "The first byte beyond the limit is the defect.", "limits.bytes", 4, "", "bytes-at-limit"),
    ("bytes-over-limit-in-white-space", "[12] ", {"bytes": 4}, BOUNDS, "White space counts towards the length.", "limits.bytes", 4, "", "bytes-at-limit"),
]


def input_of(text, limits):
    source = {"hex": text.hex()} if isinstance(text, bytes) else {"text": text}
    return source if limits is None else {**source, "limits": limits}


def found(text, limits):
    data = text if isinstance(text, bytes) else text.encode("utf-8")
    try:
        Reader(data, limits).read()
    except Defect as defect:
        return {"reject": defect.code, "offset": defect.offset, "pointer": defect.pointer}
    return "accept"


def generate(writer):
    for name, text, limits, spec, why in ACCEPTED:
        assert found(text, limits) == "accept", name
        writer.add(f"json/{name}", "json", why, spec, input_of(text, limits), "accept")
    for name, text, limits, spec, why, code, offset, pointer, twin in REFUSED:
        expect = {"reject": code, "offset": offset, "pointer": pointer}
        assert found(text, limits) == expect, (name, expect, found(text, limits))
        writer.add(f"json/{name}", "json", why, spec, input_of(text, limits), expect, twin=f"json/{twin}")
