"""The five canonicalization schemes, over the values that json.loads gives."""

import json
from decimal import Decimal

SCHEMES = ["python-sort-keys", "python-sort-keys-utf8", "jcs-exact-integers", "serde-jcs-0.1", "jcs"]

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}
ESCAPES = str.maketrans({**{chr(code): f"\\u{code:04x}" for code in range(0x20)}, **SHORT})


class Refused(Exception):
    """A value that a scheme cannot write; the argument is the code."""


def canonical(scheme, value):
    """The canonical bytes of a value, or Refused."""
    if scheme == "python-sort-keys":
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")
    if scheme == "python-sort-keys-utf8":
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    return emit(scheme, value).encode("utf-8")


def emit(scheme, value):
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return string(value)
    if isinstance(value, (int, float)):
        return NUMBERS[scheme](value)
    if isinstance(value, list):
        return "[" + ",".join(emit(scheme, item) for item in value) + "]"
    members = sorted(value.items(), key=lambda member: ORDERS[scheme](member[0]))
    return "{" + ",".join(string(key) + ":" + emit(scheme, item) for key, item in members) + "}"


def string(text):
    """RFC 8785 section 3.2.2.2."""
    return '"' + text.translate(ESCAPES) + '"'


def utf16_order(key):
    """RFC 8785 section 3.2.3."""
    return key.encode("utf-16-be")


def quoted_order(key):
    """serde_jcs 0.1: the serialised key, both quote marks included."""
    return string(key).encode("utf-8")


def ecmascript(number):
    """ECMA-262 Number::toString, radix 10, of a finite double; the digits are the shortest that read back."""
    if number == 0:
        return "0"
    if number < 0:
        return "-" + ecmascript(-number)
    _, digits, exponent = Decimal(repr(number)).as_tuple()
    point = len(digits) + exponent
    text = "".join(map(str, digits)).rstrip("0")
    k, n = len(text), point
    if k <= n <= 21:
        return text + "0" * (n - k)
    if 0 < n <= 21:
        return text[:n] + "." + text[n:]
    if -6 < n <= 0:
        return "0." + "0" * -n + text
    mantissa = text if k == 1 else text[0] + "." + text[1:]
    return f"{mantissa}e{'+' if n > 0 else '-'}{abs(n - 1)}"


def through_double(number):
    try:
        double = float(number)
    except OverflowError:
        raise Refused("canon.number-range") from None
    if double in (float("inf"), float("-inf")):
        raise Refused("canon.number-range")
    return ecmascript(double)


def exact_integer(number):
    if isinstance(number, float):
        raise Refused("canon.float")
    return str(number)


def machine_integer(number):
    if isinstance(number, int) and -(2**63) <= number < 2**64:
        return str(number)
    return through_double(number)


NUMBERS = {"jcs-exact-integers": exact_integer, "serde-jcs-0.1": machine_integer, "jcs": through_double}
ORDERS = {"jcs-exact-integers": utf16_order, "serde-jcs-0.1": quoted_order, "jcs": utf16_order}
