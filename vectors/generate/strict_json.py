"""A strict JSON reader (RFC 8259) that knows where it is; it checks the offsets and pointers that the cases state.

A value is concerned from the moment the grammar demands it: after `[` (unless `]` follows), after a comma in an array, after
the colon of a member. Defects in a key, or between members and elements, concern the container.
"""

import re

DEFAULTS = {"bytes": 4 * 1024 * 1024, "depth": 1000, "number": 4301, "values": 200_000}
NUMBER = re.compile(rb"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
SIMPLE = {0x22: '"', 0x5C: "\\", 0x2F: "/", 0x62: "\b", 0x66: "\f", 0x6E: "\n", 0x72: "\r", 0x74: "\t"}


class Defect(Exception):
    def __init__(self, code, offset, pointer):
        super().__init__(code, offset, pointer)
        self.code, self.offset, self.pointer = code, offset, pointer


class Reader:
    def __init__(self, data, limits=None):
        self.data, self.at, self.values = data, 0, 0
        self.limits = {**DEFAULTS, **(limits or {})}

    def read(self):
        if len(self.data) > self.limits["bytes"]:
            raise Defect("limits.bytes", self.limits["bytes"], "")
        if self.data.startswith(b"\xef\xbb\xbf"):
            raise Defect("json.bom", 0, "")
        try:
            self.data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Defect("json.utf8", error.start, "") from None
        self.space()
        if self.at == len(self.data):
            raise Defect("json.empty", 0, "")
        value = self.value("", 0)
        self.space()
        if self.at < len(self.data):
            raise Defect("json.trailing", self.at, "")
        return value

    def space(self):
        while self.at < len(self.data) and self.data[self.at] in b" \t\r\n":
            self.at += 1

    def peek(self, pointer):
        if self.at >= len(self.data):
            raise Defect("json.end", len(self.data), pointer)
        return self.data[self.at]

    def count(self, start, pointer):
        """Values and names are counted together."""
        self.values += 1
        if self.values > self.limits["values"]:
            raise Defect("limits.values", start, pointer)

    def expect(self, byte, pointer):
        if self.peek(pointer) != byte:
            raise Defect("json.syntax", self.at, pointer)
        self.at += 1

    def value(self, pointer, depth):
        self.space()
        byte = self.peek(pointer)
        if byte in b"[{":
            if depth >= self.limits["depth"]:
                raise Defect("limits.depth", self.at, pointer)
            self.count(self.at, pointer)
            return self.array(pointer, depth + 1) if byte == 0x5B else self.object(pointer, depth + 1)
        start = self.at
        value = self.scalar(byte, pointer)
        self.count(start, pointer)
        return value

    def scalar(self, byte, pointer):
        if byte == 0x22:
            return self.string(pointer)
        if byte in b"-0123456789":
            return self.number(pointer)
        for word, value in ((b"true", True), (b"false", False), (b"null", None)):
            if byte == word[0]:
                for expected in word:
                    self.expect(expected, pointer)
                return value
        raise Defect("json.syntax", self.at, pointer)

    def array(self, pointer, depth):
        self.at += 1
        items = []
        self.space()
        if self.at < len(self.data) and self.data[self.at] == 0x5D:
            self.at += 1
            return items
        while True:
            items.append(self.value(f"{pointer}/{len(items)}", depth))
            self.space()
            if self.peek(pointer) == 0x5D:
                self.at += 1
                return items
            self.expect(0x2C, pointer)

    def object(self, pointer, depth):
        self.at += 1
        members = {}
        self.space()
        if self.peek(pointer) == 0x7D:
            self.at += 1
            return members
        while True:
            self.space()
            start = self.at
            if self.peek(pointer) != 0x22:
                raise Defect("json.syntax", self.at, pointer)
            key = self.string(pointer)
            self.count(start, pointer)
            here = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            if key in members:
                raise Defect("json.duplicate-key", start, here)
            self.space()
            self.expect(0x3A, pointer)
            members[key] = self.value(here, depth)
            self.space()
            if self.peek(pointer) == 0x7D:
                self.at += 1
                return members
            self.expect(0x2C, pointer)

    def number(self, pointer):
        start = self.at
        while self.at < len(self.data) and self.data[self.at] in b"+-.0123456789eE":
            self.at += 1
        token = self.data[start : self.at]
        if not NUMBER.match(token):
            raise Defect("json.number", start, pointer)
        if len(token) > self.limits["number"]:
            raise Defect("limits.number", start, pointer)
        return token.decode("ascii")

    def string(self, pointer):
        self.at += 1
        text = bytearray()
        while True:
            byte = self.peek(pointer)
            if byte == 0x22:
                self.at += 1
                return text.decode("utf-8")
            if byte < 0x20:
                raise Defect("json.control-character", self.at, pointer)
            if byte == 0x5C:
                text += self.escape(pointer).encode("utf-8")
            else:
                text.append(byte)
                self.at += 1

    def escape(self, pointer):
        start = self.at
        self.at += 1
        kind = self.peek(pointer)
        self.at += 1
        if kind in SIMPLE:
            return SIMPLE[kind]
        if kind != 0x75:
            raise Defect("json.escape", start, pointer)
        unit = self.unit(start, pointer)
        if 0xDC00 <= unit < 0xE000:
            raise Defect("json.lone-surrogate", start, pointer)
        if not 0xD800 <= unit < 0xDC00:
            return chr(unit)
        second = self.at
        if self.data[second : second + 2] != b"\\u":
            raise Defect("json.lone-surrogate", start, pointer)
        self.at += 2
        low = self.unit(second, pointer)
        if not 0xDC00 <= low < 0xE000:
            raise Defect("json.lone-surrogate", start, pointer)
        return chr(0x10000 + (unit - 0xD800 << 10) + (low - 0xDC00))

    def unit(self, start, pointer):
        digits = b""
        for _ in range(4):
            digit = self.peek(pointer)
            if digit not in b"0123456789abcdefABCDEF":
                raise Defect("json.escape", start, pointer)
            digits += bytes([digit])
            self.at += 1
        return int(digits, 16)
