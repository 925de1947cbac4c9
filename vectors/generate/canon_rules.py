"""The five schemes by their written rules alone: a text in, canonical bytes or a code out.

Nothing of CPython's `json` and no float text of CPython takes part: texts are taken apart by `strict_json`, doubles are
found with exact integers, and their digits are searched for. So `json.dumps` and others can be a second, independent source.
"""

from fractions import Fraction

from canon import ESCAPES, SHORT, quoted_order, utf16_order
from strict_json import Defect, Reader

PYTHON, UTF8, EXACT, SERDE, JCS = "python-sort-keys", "python-sort-keys-utf8", "jcs-exact-integers", "serde-jcs-0.1", "jcs"


class Refused(Exception):
    """The argument is the code."""


class Number(str):
    """The text of a number."""


class Texts(Reader):
    """Numbers stay texts, told from strings."""

    def number(self, pointer):
        return Number(super().number(pointer))


def outcome(scheme, data):
    """Canonical bytes, or the code of the refusal."""
    try:
        return emit(scheme, Texts(data).read()).encode("utf-8")
    except (Defect, Refused) as refusal:
        return refusal.args[0]


def emit(scheme, value):
    if value is None or value is True or value is False:
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Number):
        return NUMBERS[scheme](value)
    if isinstance(value, str):
        return STRINGS[scheme](value)
    if isinstance(value, list):
        return "[" + ",".join(emit(scheme, item) for item in value) + "]"
    members = sorted(value.items(), key=lambda member: ORDERS[scheme](member[0]))
    return "{" + ",".join(STRINGS[scheme](name) + ":" + emit(scheme, item) for name, item in members) + "}"


def raw(text):
    """RFC 8785 section 3.2.2.2."""
    return '"' + text.translate(ESCAPES) + '"'


def ascii_only(text):
    """As `raw`, and whatever is not between space and tilde as escapes of its UTF-16 code units."""
    return '"' + "".join(map(ascii_character, text)) + '"'


def ascii_character(character):
    if character in SHORT:
        return SHORT[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at:at + 4]}" for at in range(0, len(units), 4))


def is_integer(token):
    return not set(token) & set(".eE")


def exactly(token):
    """An integer as it stands, a zero without a sign."""
    return "0" if token == "-0" else str(token)


def double(token):
    """Sign, and the double nearest to a number as a fraction; None where it is too large. Ties go to the even one."""
    mantissa, _, exponent = token.lstrip("-").lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits, power = (whole + fraction).lstrip("0"), int(exponent or 0) - len(fraction)
    negative = token.startswith("-")
    if not digits or len(digits) + power < -330:
        return negative, Fraction(0)
    if len(digits) + power > 310:
        return negative, None
    value = int(digits) * Fraction(10) ** power
    unit = spacing(value)
    rounded = round(value / unit) * unit  # Python's round goes to the even one
    return negative, rounded if rounded < Fraction(2) ** 1024 else None


def spacing(value):
    """The distance of doubles at a value above zero."""
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if Fraction(2) ** exponent > value:
        exponent -= 1
    return Fraction(2) ** max(exponent - 52, -1074)


def shortest(value):
    """Digits, and where the point stands behind the first: the fewest that read back as this double, of those the closest."""
    unit = spacing(value)
    is_power = value.numerator & (value.numerator - 1) == 0 and value.denominator & (value.denominator - 1) == 0
    below = unit / 4 if is_power and unit > Fraction(2) ** -1074 else unit / 2
    even = (value / unit).numerator % 2 == 0
    point = len(str(value.numerator // value.denominator)) if value >= 1 else 1 - power_below(value)
    for count in range(1, 18):
        step = Fraction(10) ** (point - count)
        for digits in sorted((value // step, value // step + 1), key=lambda digits: abs(digits * step - value)):
            distance = digits * step - value
            room = unit / 2 if distance > 0 else below
            if digits and (abs(distance) < room or even and abs(distance) == room):
                text = str(digits)
                return text.rstrip("0"), point + len(text) - count
    raise AssertionError(value)


def power_below(value):
    """n, where 10^-n <= value < 10^(1-n), for a value below one."""
    power = 0
    while value < 1:
        value, power = value * 10, power + 1
    return power


def ecmascript(token):
    """ECMA-262 Number::toString of the double."""
    negative, value = double(token)
    if value is None:
        raise Refused("canon.number-range")
    if value == 0:
        return "0"
    digits, point = shortest(value)
    return ("-" if negative else "") + placed(digits, point, -6, 21, lambda power: f"{power:+d}")


def placed(digits, point, least, most, exponent):
    """Digits with the point, or with an exponent outside of `least < point <= most`."""
    if len(digits) <= point <= most:
        return digits + "0" * (point - len(digits))
    if 0 < point <= most:
        return digits[:point] + "." + digits[point:]
    if least < point <= 0:
        return "0." + "0" * -point + digits
    rest = "." + digits[1:] if len(digits) > 1 else ""
    return f"{digits[0]}{rest}e{exponent(point - 1)}"


def python_number(token):
    """`int` as it stands; a float as its `repr`, two digits of exponent at least."""
    if is_integer(token):
        return exactly(token)
    negative, value = double(token)
    sign = "-" if negative else ""
    if value is None:
        return sign + "Infinity"
    if value == 0:
        return sign + "0.0"
    text = placed(*shortest(value), -4, 16, lambda power: f"{power:+03d}")
    return sign + (text if set(text) & set(".e") else text + ".0")


def exact_number(token):
    if not is_integer(token):
        raise Refused("canon.float")
    return exactly(token)


def machine_number(token):
    """64 bits exactly, with or without a sign; all else through a double."""
    if is_integer(token) and len(token) < 25 and -(2**63) <= int(token) < 2**64:
        return exactly(token)
    return ecmascript(token)


NUMBERS = {PYTHON: python_number, UTF8: python_number, EXACT: exact_number, SERDE: machine_number, JCS: ecmascript}
STRINGS = {PYTHON: ascii_only, UTF8: raw, EXACT: raw, SERDE: raw, JCS: raw}
ORDERS = {PYTHON: lambda name: [*map(ord, name)], UTF8: lambda name: [*map(ord, name)], EXACT: utf16_order, SERDE: quoted_order, JCS: utf16_order}
