"""The edits of the soundness matrix, by group and class."""

import copy
import itertools
import json
import re
import unicodedata

import canon
import ed25519 as ed
import merkle
from registry import ISSUER, OTHER_ISSUER, OTHER_REGISTRY, REGISTRY, SIGNATURE, START, digest, leaf_of, manifest, register_leaf, token, utc, uuid
from soundness_base import rebuild
from soundness_judge import Float

# Every object of a bundle: its name here, where one stands.
OBJECTS = {
    "bundle": "", "manifest": "/manifest", "recipient": "/manifest/recipient", "policy": "/manifest/policy", "l3-policy": "/manifest/l3_policy",
    "signed-watermark": "/manifest/watermarks/0", "signed-beacon": "/manifest/beacons/1", "beacon-row": "/beacons/0", "watermark-row": "/watermarks/1",
    "web-event": "/events/0", "dns-event": "/events/1", "tree-head": "/tlog_head", "proof-entry": "/tlog_proofs/1", "proof": "/tlog_proofs/1/proof",
}
ARRAYS = ["/manifest/watermarks", "/manifest/beacons", "/manifest/policy/notes", "/beacons", "/watermarks", "/events", "/tlog_proofs", "/tlog_proofs/1/proof/proof"]
HEX = [
    "/manifest/issuer_ed25519_pub", "/manifest/signature_ed25519", "/manifest/recipient/x25519_pub", "/manifest/content_hash", "/registry_pub", f"/{SIGNATURE}",
    "/tlog_head/root", "/tlog_head/signature", "/tlog_proofs/1/proof/leaf_hash", "/tlog_proofs/1/proof/root", "/tlog_proofs/1/proof/proof/0", "/events/0/token_id",
]
REMOVED = object()


def all_edits(matrix):
    for step in (members, arrays, spelling, duplicates, texts, look_alikes, hexadecimal, signatures, proofs, mixed, heads, operator, issuer, outsider):
        step(matrix)


def steps(pointer):
    return pointer.split("/")[1:]


def at(value, pointer):
    for step in steps(pointer):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def put(value, pointer, new):
    """The value with another at the pointer, or without any."""
    value = copy.deepcopy(value)
    *path, last = steps(pointer)
    parent = value
    for step in path:
        parent = parent[int(step)] if isinstance(parent, list) else parent[step]
    last = int(last) if isinstance(parent, list) else last
    if new is REMOVED:
        del parent[last]
    else:
        parent[last] = new
    return value


def producers(matrix):
    return [base for name, base in matrix.bases.items() if name != "plain"]


def in_turn(matrix):
    return itertools.cycle(producers(matrix))


def able(pointer):
    """Who tries: somebody without keys, and the registry wherever signing again makes a difference."""
    return ["anybody"] if pointer.startswith(f"/{SIGNATURE}") else ["anybody", "registry"]


# Members of objects


def members(matrix):
    turn = in_turn(matrix)
    for name, place in OBJECTS.items():
        matrix.group(f"members-of-{name}", f"Each member of {'the bundle itself' if not place else f'an object such as `{place}`'}, changed in each way")
        for member in at(next(turn).value(), place):
            pointer = f"{place}/{member}"
            for kind, title in (
                ("removed", "taken away"), ("nulled", "replaced by null"), ("emptied", "replaced by an empty value of its type"),
                ("retyped", "replaced by a value of another type"), ("changed", "replaced by another value of its type"),
            ):
                for actor in able(pointer):
                    base = next(turn)
                    value = base.value()
                    for what, new in variants(kind, at(value, pointer)):
                        matrix.value(f"{name}-{kind}", f"a member is {title}", base, actor, pointer, what, put(value, pointer, new))
        for actor in ("anybody", "registry"):
            base = next(turn)
            added = put(base.value(), f"{place}/approved_by", "the board")
            matrix.value("unknown-member", "a member that the protocol does not know is added", base, actor, f"{place}/approved_by", "added", added)


def variants(kind, value):
    if kind == "removed":
        return [("removed", REMOVED)]
    if kind == "nulled":
        return [("null", None)]
    if kind == "emptied":
        empty = type(value)()
        return [] if value == empty else [(f"emptied to {json.dumps(empty)}", empty)]
    if kind == "retyped":
        return retyped(value)
    return changed(value)


def retyped(value):
    if isinstance(value, str):
        return [("a number", 7), ("a list that holds it", [value])]
    if isinstance(value, int):
        return [("the same digits as a text", str(value)), ("true", True)]
    if isinstance(value, dict):
        return [("a list that holds it", [value]), ("its text", json.dumps(value))]
    return [("an object", {"0": value[0]} if value else {"0": 0}), ("its text", json.dumps(value))]


def changed(value):
    if isinstance(value, str):
        if re.fullmatch(r"[0-9a-f]{16,}", value):
            return [("last digit", value[:-1] + ("0" if value[-1] != "0" else "1"))]
        return [("a year later", value.replace("2026-", "2027-"))] if value.startswith("2026-") else [("a letter more", value + "x")]
    if isinstance(value, int):
        numbers = [("one more", value + 1), ("2^64", 2**64), ("2^53 + 1", 2**53 + 1), ("negative", -value - 1)]
        return [(what, number) for what, number in numbers if number != value]
    if isinstance(value, dict):
        return [("a member more", {**value, "zz": 1})]
    return [("an item more", value + [copy.deepcopy(value[0]) if value else 1])]


# Arrays


def arrays(matrix):
    matrix.group("arrays", "Each array: reordered, with items taken away, inserted and repeated")
    turn = in_turn(matrix)
    for pointer in ARRAYS:
        for actor in able(pointer):
            for name, title, change in (
                ("array-reversed", "the items stand the other way round", lambda items: items[::-1]),
                ("array-exchanged", "the first two items change places", lambda items: [items[1], items[0], *items[2:]]),
                ("array-first-deleted", "the first item is taken away", lambda items: items[1:]),
                ("array-last-deleted", "the last item is taken away", lambda items: items[:-1]),
                ("array-duplicated", "the first item stands there twice", lambda items: [items[0], *items]),
                ("array-inserted", "an item is inserted that was not there", lambda items: [stranger(items[0]), *items]),
                ("array-number-inserted", "a number is inserted", lambda items: [*items, 7]),
            ):
                base = next(turn)
                value = base.value()
                items = at(value, pointer)
                new = change(items)
                if new != items:
                    matrix.value(name, title, base, actor, pointer, f"{len(items)} items to {len(new)}", put(value, pointer, new))


def stranger(item):
    """An item like this one, with every text another."""
    if isinstance(item, str):
        return digest(item).hex()[: len(item)] if len(item) >= 16 else item + "x"
    return {name: digest(value).hex()[:32] if isinstance(value, str) and name.endswith("_id") else value for name, value in item.items()}


# Spelling


def spelling(matrix):
    matrix.group("spelling", "Values that are written another way")
    for base in matrix.bases.values():
        for member, number in (("size_bytes", "2048"), ("issued_at", str(START - 86400))):
            for text in (f"{number}.0", f"{number}e0", f"{number[0]}.{number[1:]}E+{len(number) - 1}", f"-{number}", "9007199254740993", "18446744073709551616", "1e400"):
                respell(matrix, base, "number-value", "a number is written as a float, or is another", f"/manifest/{member}", number, text)
        respell(matrix, base, "number-value", "a number is written as a float, or is another", "/manifest/policy/reads", "12", "12.000000000000000001")
        respell(matrix, base, "number-value", "a number is written as a float, or is another", "/manifest/policy/reads", "12", "-0")
    turn = in_turn(matrix)
    for text in ("02048", "+2048", "2048.", "0x800", "2_048", ".5", "NaN", "-Infinity", "1e", "--1"):
        respell(matrix, next(turn), "number-grammar", "a number is written as JSON does not write numbers", "/manifest/size_bytes", "2048", text)
    for pointer in ("/events/0/timestamp", "/events/0/id", "/events/0/tlog_index", "/beacons/0/registered_at", "/tlog_head/size", "/tlog_proofs/1/event_row", "/tlog_proofs/1/tlog_index",
                    "/tlog_proofs/1/proof/index", "/tlog_proofs/1/proof/tree_size"):
        for base in (matrix.bases["plain"], next(turn)):
            number = at(base.value(), pointer)
            for text in (f"{number}.0", f"{number}e0", f"0{number}"):
                respell(matrix, base, "number-of-rows", "a number of a row, a head or a proof is written another way", pointer, str(number), text)
        for base in (matrix.bases["python-0.4.7"], matrix.bases["rust-0.4.12"]):
            value = base.value()
            new = put(value, pointer, Float(f"{at(value, pointer)}.0"))
            if base.form == "python-sort-keys" or pointer not in ("/events/0/id", "/beacons/0/registered_at"):
                matrix.value("number-of-rows", "a number of a row, a head or a proof is written another way", base, "registry", pointer, "as a float", new)
    for base in matrix.bases.values():
        text = base.text
        for what, new in (
            ("a letter of a name", text.replace('"manifest"', '"m\\u0061nifest"', 1)), ("a letter of a value", text.replace("assayer.example", "\\u0061ssayer.example", 1)),
            ("slashes", text.replace("https://", "https:\\/\\/")), ("hexadecimal digits of an escape", text.replace('"file_id"', '"\\u0066ile_id"', 1).replace('"beacons"', '"b\\u0065\\u0061cons"', 1)),
            ("capital digits of an escape", text.replace("text/plain", "text\\u002Fplain", 1)), ("all that is not ASCII", json.dumps(text, ensure_ascii=True)[1:-1].replace('\\"', '"').replace("\\\\", "\\")),
        ):
            if new != text:
                matrix.add("escape", "characters are written as escapes", base, "anybody", "", what, new.encode())
        value = base.value()
        for what, new in (
            ("indented", json.dumps(value, indent=1, ensure_ascii=False)), ("line ends of Windows", "\r\n" + text + "\r\n"), ("tabs", text.replace('"manifest":', '"manifest"\t:\t', 1)),
            ("a final line feed", text + "\n"),
        ):
            matrix.add("white-space", "white space between the tokens", base, "anybody", "", what, new.encode())
        for pointer in ("", "/manifest", "/events/0", "/tlog_head", "/tlog_proofs/0/proof"):
            part = at(value, pointer)
            new = dict(reversed(part.items())) if not pointer else None
            new = new or put(value, pointer, dict(reversed(part.items())))
            shuffled = json.dumps(new, ensure_ascii=False, separators=(",", ":")).encode()
            matrix.add("member-order", "the members of an object stand in another order", base, "anybody", pointer, "reversed", shuffled)


def respell(matrix, base, name, title, pointer, old, new):
    mark = "@@number@@"
    text = base.dump(put(base.value(), pointer, mark)).decode()
    assert text.count(f'"{mark}"') == 1
    matrix.add(name, title, base, "anybody", pointer, f"{old} as {new}", text.replace(f'"{mark}"', new).encode())


# Members given twice


def duplicates(matrix):
    matrix.group("duplicates", "Members that are given twice")
    turn = in_turn(matrix)
    for name, place in OBJECTS.items():
        for first, what in ((True, "the other value first"), (False, "the other value last")):
            base = next(turn)
            value = base.value()
            part = at(value, place)
            member = next(iter(part))
            repeat(matrix, base, place, member, member, stranger_value(part[member]), first, what)
        base = next(turn)
        part = at(base.value(), place)
        member = next(iter(part))
        repeat(matrix, base, place, member, member, part[member], False, "the same value again")
        repeat(matrix, base, place, member, f"\\u{ord(member[0]):04x}{member[1:]}", stranger_value(part[member]), True, "the other value first, its name written with an escape")


def stranger_value(value):
    return changed(value)[0][1]


def repeat(matrix, base, place, member, name, new, first, what):
    mark = "!" if first else "~"
    value, part = base.value(), at(base.value(), place)
    part = {mark: new, **part} if first else {**part, mark: new}
    whole = part if not place else put(value, place, part)
    text = base.dump(whole).decode()
    assert text.count(f'"{mark}":') == 1
    matrix.add("duplicate-member", "a member is given twice", base, "anybody", f"{place}/{member}", what, text.replace(f'"{mark}":', f'"{name}":').encode())


# Texts that are no JSON


def texts(matrix):
    matrix.group("texts", "Texts that are cut, lengthened or no JSON")
    turn = in_turn(matrix)

    def case(name, title, what, change):
        base = next(turn)
        data = change(base.data)
        assert data != base.data, what
        matrix.add(name, title, base, "anybody", "", what, data)

    swap = lambda old, new: lambda data: data.replace(old, new, 1)
    case("text-before", "bytes before the bundle", "a byte order mark", lambda d: b"\xef\xbb\xbf" + d)
    case("text-before", "bytes before the bundle", "NUL", lambda d: b"\0" + d)
    case("text-before", "bytes before the bundle", "the prefix against script inclusion", lambda d: b")]}'\n" + d)
    case("text-after", "bytes after the bundle", "another document", lambda d: d + b"{}")
    case("text-after", "bytes after the bundle", "NUL", lambda d: d + b"\0")
    case("text-after", "bytes after the bundle", "a comma", lambda d: d + b",")
    for share in (0, 1, 2, 3):
        case("text-cut", "the text ends too early", f"{share} quarters are left", lambda d, s=share: d[: len(d) * s // 4])
    case("text-cut", "the text ends too early", "the last brace is missing", lambda d: d[:-1])
    case("text-cut", "the text ends too early", "the first brace is missing", lambda d: d[1:])
    case("text-syntax", "what is nearly JSON", "a comma too many", lambda d: d[:-1] + b",}")
    case("text-syntax", "what is nearly JSON", "a comment", swap(b"{", b"{/* signed */"))
    case("text-syntax", "what is nearly JSON", "single quotes", swap(b'"manifest"', b"'manifest'"))
    case("text-syntax", "what is nearly JSON", "no quotes", swap(b'"manifest"', b"manifest"))
    case("text-syntax", "what is nearly JSON", "a semicolon", swap(b'"manifest":', b'"manifest";'))
    case("text-syntax", "what is nearly JSON", "True", swap(b'"text/plain"', b"True"))
    case("text-string", "strings that JSON does not have", "a raw line feed", swap(b"text/plain", b"text/\nplain"))
    case("text-string", "strings that JSON does not have", "a raw NUL", swap(b"text/plain", b"text/\0plain"))
    case("text-string", "strings that JSON does not have", "an escape of C", swap(b"text/plain", b"text\\x2fplain"))
    case("text-string", "strings that JSON does not have", "half of a surrogate pair", swap(b"text/plain", b"text\\ud83dplain"))
    case("text-string", "strings that JSON does not have", "the other half", swap(b"text/plain", b"text\\ude80plain"))
    case("text-utf8", "bytes that are no UTF-8", "Latin-1", swap(b"text/plain", b"text\xe9plain"))
    case("text-utf8", "bytes that are no UTF-8", "an overlong slash", swap(b"text/plain", b"text\xc0\xafplain"))
    case("text-utf8", "bytes that are no UTF-8", "a surrogate", swap(b"text/plain", b"text\xed\xa0\x80plain"))
    case("text-utf8", "bytes that are no UTF-8", "beyond Unicode", swap(b"text/plain", b"text\xf4\x90\x80\x80plain"))
    case("text-limits", "more than any reader needs", "1,001 levels", swap(b'"notes":[', b'"notes":[' + b"[" * 1001 + b"]" * 1001 + b","))
    case("text-limits", "more than any reader needs", "a number of 4,302 digits", swap(b"2048", b"2" * 4302))
    case("text-kind", "other values around the bundle", "a list that holds it", lambda d: b"[" + d + b"]")
    case("text-kind", "other values around the bundle", "its text as a string", lambda d: json.dumps(d.decode()).encode())
    case("text-kind", "other values around the bundle", "null", lambda d: b"null")


# Look-alikes


TARGETS = [
    "/file_id", "/manifest/original_filename", "/manifest/issuer_id", "/manifest/recipient/recipient_id", "/manifest/content_type", "/beacons/0/issuer_id", "/beacons/1/recipient_id",
    "/beacons/0/kind", "/watermarks/0/layer", "/watermarks/0/recipient_id", "/events/0/recipient_id", "/events/0/issuer_id", "/events/0/kind", "/events/0/user_agent", "/events/1/extra", "/disclaimer",
]
CYRILLIC = str.maketrans("aeiopcxAEOPCX", "\u0430\u0435\u0456\u043e\u0440\u0441\u0445\u0410\u0415\u041e\u0420\u0421\u0425")


def look_alikes(matrix):
    matrix.group("look-alikes", "Texts that look the same, or are the same after some normalization")
    turn = in_turn(matrix)
    for pointer in TARGETS:
        for name, title, change in (
            ("alike-cyrillic", "a Latin letter is exchanged for a Cyrillic one", lambda text: cyrillic(text)),
            ("alike-invisible", "a character that nobody sees is added", lambda text: text + "\u200d"),
            ("alike-normalized", "the text is brought into another normal form of Unicode", normalized),
            ("alike-case", "a letter changes its case", lambda text: text[:1].swapcase() + text[1:]),
            ("alike-wide", "a letter is exchanged for its wide form", lambda text: re.sub("[a-z]", lambda m: chr(ord(m[0]) + 0xFEE0), text, count=1)),
            ("alike-space", "a space is added at the end", lambda text: text + " "),
        ):
            for actor in able(pointer):
                base = next(turn)
                text = at(base.value(), pointer)
                if change(text) != text:
                    matrix.value(name, title, base, actor, pointer, "look-alike", put(base.value(), pointer, change(text)))
    for place, member in (("/manifest", "issuer_id"), ("/manifest/recipient", "recipient_id"), ("/manifest/watermarks/0", "mark_id"), ("/beacons/0", "token_id"), ("/events/0", "issuer_id"),
                          ("", "manifest"), ("/tlog_head", "root"), ("/tlog_proofs/0/proof", "index")):
        for name in (cyrillic(member), member.capitalize(), member + "\u200b"):
            for actor in able(place):
                base = next(turn)
                value = base.value()
                kept = at(value, f"{place}/{member}")
                renamed = put(put(value, f"{place}/{member}", REMOVED), f"{place}/{name}", kept)
                matrix.value("alike-name", "the name of a member is exchanged for one that looks like it", base, actor, f"{place}/{member}", name.encode("ascii", "backslashreplace").decode(), renamed)


def cyrillic(text):
    for position, letter in enumerate(text):
        if letter.translate(CYRILLIC) != letter:
            return text[:position] + letter.translate(CYRILLIC) + text[position + 1 :]
    return text


def normalized(text):
    return next((new for form in ("NFC", "NFD", "NFKC") if (new := unicodedata.normalize(form, text)) != text), text)


# Hexadecimal texts


def hexadecimal(matrix):
    matrix.group("hexadecimal", "Keys, signatures and hashes that are written another way")
    turn = in_turn(matrix)
    for pointer in HEX:
        for name, title, change in (
            ("hex-capitals", "in capitals", str.upper), ("hex-one-capital", "with one capital", lambda t: re.sub("[a-f]", lambda m: m[0].upper(), t, count=1)),
            ("hex-spaced", "with white space between two bytes", lambda t: t[:2] + " " + t[2:]), ("hex-newline", "with a line feed at its end", lambda t: t + "\n"),
            ("hex-prefix", "with the prefix 0x", lambda t: "0x" + t), ("hex-odd", "without its last digit", lambda t: t[:-1]),
            ("hex-shorter", "without its last byte", lambda t: t[:-2]), ("hex-longer", "with a byte more", lambda t: t + "00"),
            ("hex-not", "with a letter that is no digit", lambda t: "g" + t[1:]), ("hex-wide", "with a wide digit", lambda t: "\uff10" + t[1:]),
        ):
            for actor in able(pointer):
                base = next(turn)
                text = at(base.value(), pointer)
                matrix.value(name, f"the text is written {title}", base, actor, pointer, "spelling", put(base.value(), pointer, change(text)))


# Signatures and keys


def signatures(matrix):
    matrix.group("signatures", "Signatures and keys that are altered, exchanged or forged")
    turn = in_turn(matrix)
    places = ["/manifest/signature_ed25519", f"/{SIGNATURE}", "/tlog_head/signature"]
    keys = {places[0]: "/manifest/issuer_ed25519_pub", places[1]: "/registry_pub"}
    for pointer in places:
        for actor in able(pointer):
            base = next(turn)
            value = base.value()
            text = at(value, pointer)
            s = int.from_bytes(bytes.fromhex(text)[32:], "little")

            def case(name, title, what, new):
                matrix.value(name, title, base, actor, pointer, what, put(value, pointer, new))

            for byte in (0, 31):
                case("signature-bit", "one bit of a signature is another", f"of R, byte {byte}", flipped(text, byte))
                case("signature-bit", "one bit of a signature is another", f"of S, byte {byte}", flipped(text, 32 + byte))
            case("signature-scalar", "S is another that fits a lax equation", "S + L", text[:64] + (s + ed.L).to_bytes(32, "little").hex())
            case("signature-scalar", "S is another that fits a lax equation", "L - S", text[:64] + (ed.L - s).to_bytes(32, "little").hex())
            case("signature-constant", "the signature is a constant", "zeros", "00" * 64)
            case("signature-constant", "the signature is a constant", "ones", "ff" * 64)
            case("signature-constant", "the signature is a constant", "the identity and zero", ed.encode(ed.IDENTITY).hex() + "00" * 32)
            for other in places:
                if other != pointer:
                    case("signature-exchanged", "the signature is one over another part", other, at(value, other))
            # Both bundles have one head.
            if pointer != places[2]:
                case("signature-of-another", "the signature is that of another bundle", "of the same registry and issuer", at(base.other.value(), pointer))
            key = OTHER_ISSUER if pointer == places[0] else OTHER_REGISTRY
            message = base.evidence.issuer_message if pointer == places[0] else base.evidence.message if pointer == places[1] else value["tlog_head"]["signed_message"].encode()
            case("signature-by-another", "the right bytes, signed by another key", "by a stranger", key.sign(message))
            own = ISSUER if pointer == places[0] else REGISTRY
            case("signature-of-other-bytes", "the right key, over other bytes", "the hash of the message", own.sign(merkle.sha256(message)))
            case("signature-of-other-bytes", "the right key, over other bytes", "with a line feed", own.sign(message + b"\n"))
            if pointer in keys:
                for what, new in small_keys(key):
                    edited = put(value, keys[pointer], new)
                    matrix.value("key-exchanged", "the key is another", base, actor, keys[pointer], what, edited)
                forged = put(put(value, keys[pointer], ed.encode(ed.IDENTITY).hex()), pointer, ed.encode(ed.IDENTITY).hex() + "00" * 32)
                data = base.dump(forged if pointer == places[1] or actor == "anybody" else base.signed_again(forged))
                matrix.add("key-of-small-order", "key and signature are exchanged for a pair that signs everything in a lax verifier", base, actor, keys[pointer], "the identity", data)


def small_keys(stranger):
    return [("of a stranger", stranger.hex), ("the identity", ed.encode(ed.IDENTITY).hex()), ("p + 1", (ed.P + 1).to_bytes(32, "little").hex()), ("no point", (2).to_bytes(32, "little").hex())]


def flipped(text, byte):
    data = bytearray(bytes.fromhex(text))
    data[byte] ^= 1
    return data.hex()


# Proofs


def proofs(matrix):
    matrix.group("proofs", "Inclusion proofs that are exchanged, altered or of another tree")
    turn = in_turn(matrix)

    def case(name, title, what, change, place="/tlog_proofs"):
        for actor in ("anybody", "registry"):
            base = next(turn)
            value = base.value()
            change(value, base)
            matrix.value(name, title, base, actor, place, what, value)

    def entry(value, number=0):
        return value["tlog_proofs"][number]

    def exchange(value, *names):
        first, second = entry(value, 0), entry(value, 1)
        for name in names:
            first[name], second[name] = second[name], first[name]

    case("proof-exchanged", "two events exchange their proofs", "the proofs", lambda v, b: exchange(v, "proof"))
    case("proof-exchanged", "two events exchange their proofs", "the rows", lambda v, b: exchange(v, "event_row"))
    case("proof-exchanged", "two events exchange their proofs", "proofs and indexes", lambda v, b: exchange(v, "proof", "tlog_index"))
    case("proof-order", "the entries stand in another order", "reversed", lambda v, b: v["tlog_proofs"].reverse())

    def of_size(size):
        def change(value, base):
            value["tlog_proofs"][0] = base.evidence.proof(0, value["events"][0]["tlog_index"], size)

        return change

    for size in (4, 5, 8):
        case("proof-of-another-size", "a proof of the same leaf in an earlier tree", f"of {size} leaves", of_size(size))

    def renamed_tree(value, base):
        of_size(8)(value, base)
        entry(value)["proof"].update(root=value["tlog_head"]["root"], tree_size=value["tlog_head"]["size"])

    case("proof-of-another-size", "a proof of the same leaf in an earlier tree", "said to be of this one", renamed_tree)

    def of_leaf(step):
        def change(value, base):
            index = value["events"][0]["tlog_index"] + step
            value["events"][0]["tlog_index"] = index
            value["tlog_proofs"][0] = base.evidence.proof(0, index)

        return change

    case("proof-of-another-leaf", "a good proof, of another leaf", "of the leaf before", of_leaf(-1), "/events/0/tlog_index")
    case("proof-of-another-leaf", "a good proof, of another leaf", "of the leaf behind", of_leaf(1), "/events/0/tlog_index")
    case("proof-of-another-leaf", "a good proof, of another leaf", "of the registration", of_leaf(-2), "/events/0/tlog_index")

    def inner(what, change, name="proof-path", title="the path is another"):
        case(name, title, what, lambda v, b: change(entry(v)["proof"], b), "/tlog_proofs/0/proof")

    inner("two siblings change places", lambda p, b: p["proof"].__setitem__(slice(0, 2), p["proof"][1::-1]))
    inner("a sibling is repeated", lambda p, b: p["proof"].insert(0, p["proof"][0]))
    inner("without siblings", lambda p, b: p["proof"].clear())
    inner("65 siblings", lambda p, b: p["proof"].extend([p["proof"][0]] * 65))
    inner("a sibling is the leaf", lambda p, b: p["proof"].__setitem__(0, p["leaf_hash"]))
    inner("a sibling is null", lambda p, b: p["proof"].__setitem__(0, None))
    inner("a sibling is a list", lambda p, b: p["proof"].__setitem__(0, [p["proof"][0]]))
    inner("the root is the leaf, in a tree of one", lambda p, b: p.update(proof=[], index=0, tree_size=1, root=p["leaf_hash"]))
    inner("the leaf is an inner node, one level up", climbed)

    def both(value, base):
        entry(value)["inclusion"] = copy.deepcopy(entry(value)["proof"])

    case("proof-under-both-names", "the proof stands under both of its names", "the same", both)

    def contradict(value, base):
        both(value, base)
        entry(value)["inclusion"]["index"] += 1

    case("proof-contradicting", "the two names hold different proofs", "another index", contradict)

    def repeated(value, base):
        value["tlog_proofs"].append(copy.deepcopy(entry(value)))

    case("proof-repeated", "one event has two proofs", "the same twice", repeated)


def climbed(proof, base):
    """The first step of the path, taken for the leaf itself."""
    leaf, sibling = bytes.fromhex(proof["leaf_hash"]), bytes.fromhex(proof["proof"][0])
    node = merkle.node_hash(leaf, sibling) if proof["index"] % 2 == 0 else merkle.node_hash(sibling, leaf)
    proof.update(leaf_hash=node.hex(), proof=proof["proof"][1:])


# Parts of another bundle


def mixed(matrix):
    matrix.group("mixed", "Parts of another bundle of the same registry, log and issuer")
    for base in producers(matrix):
        other = base.other.value()
        for names in (
            ["manifest"], ["events"], ["events", "tlog_proofs"], ["tlog_proofs"], ["beacons"], ["watermarks"], ["beacons", "watermarks"], ["manifest", "beacons", "watermarks"],
            ["manifest", "beacons", "watermarks", "file_id"], ["file_id"], ["manifest", "file_id"], ["events", "tlog_proofs", "file_id"],
        ):
            for actor in ("anybody", "registry"):
                value = {**base.value(), **{name: copy.deepcopy(other[name]) for name in names}}
                title = "members are those of the bundle of another file"
                matrix.value(f"mixed-{'-'.join(name.replace('_', '-') for name in names)}", title, base, actor, f"/{names[0]}", " and ".join(names), value)
        value = {**base.value(), SIGNATURE: other[SIGNATURE]}
        matrix.value("mixed-signature", "the signature is that of the bundle of another file", base, "anybody", f"/{SIGNATURE}", "signature", value)
        matrix.value("mixed-whole", "the whole bundle is that of another file", base, "registry", "/file_id", "everything", other)
        strangers = matrix.bases["plain"].value()
        for names in (["tlog_head"], ["tlog_head", "tlog_proofs"], ["manifest"]):
            for actor in ("anybody", "registry"):
                value = {**base.value(), **{name: copy.deepcopy(strangers[name]) for name in names}}
                matrix.value("mixed-of-another-log", "members are those of a bundle in another log under the same key", base, actor, f"/{names[0]}", " and ".join(names), value)


# Heads


def heads(matrix):
    matrix.group("heads", "Tree heads that are old, of another tree or absent")
    for base in producers(matrix):
        one = base.evidence
        for size in (0, 1, 4, 8, 9, base.size - 1):
            for actor in ("anybody", "registry"):
                value = {**base.value(), "tlog_head": one.head(size)}
                matrix.value("head-earlier", "the head is an earlier one of the same log, the proofs are not", base, actor, "/tlog_head", f"of {size} leaves", value)
        for size in (8, 9, base.size - 1):
            for actor in ("anybody", "registry"):
                old = one.copy()
                rebuild(old, size)
                value = old.value() if actor == "registry" else {**old.value(), SIGNATURE: one.signature}
                matrix.value("head-earlier-with-proofs", "head and proofs are of an earlier tree of the same log", base, actor, "/tlog_head", f"of {size} leaves", value)
        for what, change in (
            ("the size is one more", lambda h: h.update(size=h["size"] + 1)), ("the size is 2^64 - 1", lambda h: h.update(size=2**64 - 1)),
            ("the root is that of nothing", lambda h: h.update(root=merkle.sha256(b"").hex())),
        ):
            for sign in (False, True):
                value = base.value()
                change(value["tlog_head"])
                if sign:
                    head = value["tlog_head"]
                    head["signed_message"] = '{"root":"%s","size":%d}' % (head["root"], head["size"])
                    head["signature"] = REGISTRY.sign(head["signed_message"].encode())
                name = "head-claimed-and-signed" if sign else "head-claimed"
                matrix.value(name, "the head claims another tree" + (", and is signed" if sign else ""), base, "registry", "/tlog_head", what, value)
        for message in ("spaced", "reversed", "of an earlier head"):
            value = base.value()
            head = value["tlog_head"]
            text = {"spaced": json.dumps({"root": head["root"], "size": head["size"]}), "reversed": '{"size":%d,"root":"%s"}' % (head["size"], head["root"]),
                    "of an earlier head": one.head(4)["signed_message"]}[message]
            head.update(signed_message=text, signature=REGISTRY.sign(text.encode()))
            matrix.value("head-message", "the message that is said to be signed is another, and is signed", base, "registry", "/tlog_head/signed_message", message, value)
        empty = base.value()
        empty.update(events=[], tlog_proofs=[], tlog_head=None)
        matrix.value("head-missing", "events, proofs and head are taken away", base, "registry", "/tlog_head", "no events", empty)


# A dishonest operator


def operator(matrix):
    matrix.group("operator", "What a registry can do that signs whatever it likes")
    for base in producers(matrix):
        drops(matrix, base)
        exchanged_manifest(matrix, base)
        rebuilt(matrix, base)


def drops(matrix, base):
    for gone in ([0], [1], [2], [0, 1, 2]):
        for actor in ("anybody", "registry"):
            value = base.value()
            rows = [row for number, row in enumerate(value["events"]) if number not in gone]
            value.update(events=rows, tlog_proofs=[base.evidence.proof(number, row["tlog_index"]) for number, row in enumerate(rows)])
            matrix.value("event-dropped", "events are left out, with their proofs", base, actor, "/events", f"events {gone}", value)
    for what, row in (("with the place of another", {"id": 9, "user_agent": "mallory/1"}), ("with a place of its own", {"id": 9, "tlog_index": 0}), ("without a place", {"id": 9, "tlog_index": None})):
        value = base.value()
        value["events"].append({**value["events"][-1], **row})
        if row.get("tlog_index", 0) is not None:
            value["tlog_proofs"].append(base.evidence.proof(3, value["events"][-1]["tlog_index"]))
        matrix.value("event-invented", "an event is invented that has no leaf", base, "registry", "/events", what, value)


def exchanged_manifest(matrix, base):
    """The issuer once signed another manifest of this file, with the same counts."""
    for what, members in (("another recipient", {"recipient": {"recipient_id": "mallory", "x25519_pub": digest("m").hex()}}), ("another file name", {"original_filename": "older.txt"}), ("another size", {"size_bytes": 1})):
        value = base.value()
        value["manifest"] = by_issuer(base, {**value["manifest"], **members})
        name = "manifest-exchanged" if "recipient" not in members else "manifest-of-another-recipient"
        matrix.value(name, "the manifest is exchanged for another that the same issuer signed", base, "registry", "/manifest", what, value)
    value = base.value()
    value["manifest"] = by_issuer(base, {**value["manifest"], "issuer_ed25519_pub": OTHER_ISSUER.hex}, OTHER_ISSUER)
    matrix.value("issuer-exchanged", "the manifest is signed by an issuer of the registry's own", base, "registry", "/manifest", "key and signature", value)


def by_issuer(base, changed_manifest, key=ISSUER):
    blank = {**changed_manifest, "signature_ed25519": "", "signature_ml_dsa": ""}
    return {**blank, "signature_ed25519": key.sign(canon.canonical(base.form, blank))}


def rebuilt(matrix, base):
    """The log is built anew around an altered leaf: everything fits, but for those who know the log as it was."""
    for number, changes in (
        (0, {"user_agent": "mallory/1"}), (0, {"source_ip": "192.0.2.66"}), (0, {"kind": "license"}), (0, {"timestamp": START + 61, "qualified_timestamp": utc(START + 61)}),
        (0, {"recipient_id": "mallory"}), (0, {"file_id": uuid("elsewhere")}), (0, {"token_id": token("never signed")}), (1, {"source_ip": "192.0.2.66"}),
        (1, {"extra": json.dumps({"qtype": "A", "qname": "mallory.example"})}),
    ):
        one = base.evidence.copy()
        row = one.body["events"][number]
        row.update(changes)
        one.leaves[row["tlog_index"]] = canon.canonical(one.form, leaf_of(row))
        rebuild(one)
        matrix.value("leaf-altered", "a row and its leaf are altered, the tree is built anew", base, "registry-and-log", f"/events/{number}", " and ".join(changes), one.value())
    one = base.evidence.copy()
    row = {**one.body["events"][-1], "id": 9, "tlog_index": len(one.leaves)}
    one.body["events"].append(row)
    one.leaves.append(canon.canonical(one.form, leaf_of(row)))
    rebuild(one)
    matrix.value("leaf-invented", "an event is invented with a leaf at the end of the log", base, "registry-and-log", "/events", "one event more", one.value())
    one = base.evidence.copy()
    gone = one.body["events"].pop()["tlog_index"]
    del one.leaves[gone]
    rebuild(one)
    matrix.value("leaf-removed", "an event is taken out of the bundle and out of the log", base, "registry-and-log", "/events", "the last event", one.value())
    one = base.evidence.copy()
    first, second = (row["tlog_index"] for row in one.body["events"][:2])
    one.leaves[first], one.leaves[second] = one.leaves[second], one.leaves[first]
    one.body["events"][0]["tlog_index"], one.body["events"][1]["tlog_index"] = second, first
    rebuild(one)
    matrix.value("leaf-exchanged", "two leaves of the log change places", base, "registry-and-log", "/events", "the first two events", one.value())
    one = base.evidence.copy()
    names = one.body["manifest"]
    leaf = register_leaf(names["file_id"], names["recipient"]["recipient_id"], names["issuer_id"], OTHER_ISSUER.hex, 2, 2, START + 10)
    one.leaves[1] = canon.canonical(one.form, leaf)
    rebuild(one)
    matrix.value("registration-altered", "the leaf of the registration is altered, the tree is built anew", base, "registry-and-log", "/tlog_head", "another issuer", one.value())


# The holder of the issuer's key


def issuer(matrix):
    matrix.group("issuer", "What an issuer can do alone, and with the registry")
    turn = in_turn(matrix)
    for member in manifest("any"):
        if member.startswith("signature_") or member == "issuer_ed25519_pub":
            continue
        for actor in ("issuer", "issuer-and-registry"):
            base = next(turn)
            value = base.value()
            value["manifest"] = by_issuer(base, {**value["manifest"], member: stranger_value(value["manifest"][member])})
            matrix.value(f"manifest-signed-again-by-{actor}", "a member of the manifest is changed, and the manifest signed again", base, actor, f"/manifest/{member}", "changed", value)
    for base in producers(matrix):
        value = base.value()
        value["manifest"] = by_issuer(base, {**value["manifest"], "beacons": []})
        value["beacons"] = []
        matrix.value("beacons-withdrawn", "the beacons are taken away, from manifest and rows", base, "issuer-and-registry", "/beacons", "all", value)


# Somebody with keys of their own


def outsider(matrix):
    matrix.group("outsider", "What somebody can do with keys of their own")
    for base in producers(matrix):
        one = base.evidence.copy()
        one.registry = OTHER_REGISTRY
        one.body["registry_pub"] = OTHER_REGISTRY.hex
        one.seal()
        name, title = "registry-imitated", "the bundle is signed by a registry of one's own"
        matrix.value(name, title, base, "outsider", "/registry_pub", "around the old head", one.value())
        one.body["tlog_head"] = one.head()
        one.seal()
        matrix.value(name, title, base, "outsider", "/registry_pub", "with a head of its own", one.value())
        everything = one.copy()
        everything.body["manifest"] = by_issuer(base, {**everything.body["manifest"], "issuer_ed25519_pub": OTHER_ISSUER.hex}, OTHER_ISSUER)
        everything.seal()
        matrix.value("everything-imitated", "manifest, head and bundle are signed by keys of one's own", base, "outsider", "/registry_pub", "all keys", everything.value())
        matrix.value("everything-imitated-unpinned", "the same, before a verifier who knows no key", base, "outsider", "/registry_pub", "all keys", everything.value(), [])
        hidden = base.evidence.copy()
        hidden.body["manifest"] = by_issuer(base, {**hidden.body["manifest"], "issuer_ed25519_pub": OTHER_ISSUER.hex}, OTHER_ISSUER)
        matrix.value("issuer-imitated", "the manifest is signed by an issuer of one's own", base, "outsider", "/manifest", "key and signature", {**hidden.body, SIGNATURE: base.evidence.signature})
