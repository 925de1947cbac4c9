"""Time-stamping authorities: a small DER writer, RSA, certificates, RFC 3161 tokens; and what must come of the tokens made here.

Every token remembers how it was made, so that the judge needs no reader of DER.
"""

import base64
import datetime
import functools
import hashlib

from registry import digest

GRANTED, REFUSED = 0, 2
SHA1_LESS = {"sha256": ("2.16.840.1.101.3.4.2.1", "1.2.840.113549.1.1.11"), "sha384": ("2.16.840.1.101.3.4.2.2", "1.2.840.113549.1.1.12"), "sha512": ("2.16.840.1.101.3.4.2.3", "1.2.840.113549.1.1.13")}
DIGEST_INFO = {"sha256": "3031300d060960864801650304020105000420", "sha384": "3041300d060960864801650304020205000430", "sha512": "3051300d060960864801650304020305000440"}
TST_INFO, SIGNED_DATA = "1.2.840.113549.1.9.16.1.4", "1.2.840.113549.1.7.2"
TIME_STAMPING, CODE_SIGNING = "1.3.6.1.5.5.7.3.8", "1.3.6.1.5.5.7.3.3"
MADE = {}


def tlv(tag, content):
    length = len(content)
    head = bytes([length]) if length < 128 else bytes([0x80 | (length.bit_length() + 7) // 8]) + length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag]) + head + content


def sequence(*items):
    return tlv(0x30, b"".join(items))


def set_of(*items):
    return tlv(0x31, b"".join(sorted(items)))


def integer(number, tag=0x02):
    return tlv(tag, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytearray([40 * first + second])
    for number in rest:
        groups = [number & 127]
        while number := number >> 7:
            groups.append(number & 127 | 128)
        out += bytes(reversed(groups))
    return tlv(0x06, bytes(out))


def octets(data):
    return tlv(0x04, data)


def bits(data):
    return tlv(0x03, b"\0" + data)


def tagged(number, content):
    return tlv(0xA0 | number, content)


def time(text):
    return tlv(0x18, text.encode())


def algorithm(identifier):
    return sequence(oid(identifier), b"\x05\0")


def name(text):
    return sequence(set_of(sequence(oid("2.5.4.3"), tlv(0x0C, text.encode()))))


def is_prime(n):
    if any(n % p == 0 for p in SMALL):
        return n in SMALL
    d, r = n - 1, 0
    while d % 2 == 0:
        d, r = d // 2, r + 1
    for base in (2, 3, 5, 7, 11, 13, 17, 19):
        x = pow(base, d, n)
        if x in (1, n - 1):
            continue
        for _ in range(r - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


SMALL = [p for p in range(2, 2000) if all(p % d for d in range(2, int(p**0.5) + 1))]


def prime(label, length):
    """The first prime from a number that the label gives; its two highest bits are set."""
    seed = b"".join(digest(f"{label} {i}") for i in range(length // 256))
    n = int.from_bytes(seed, "big") | 3 << length - 2 | 1
    while (n - 1) % 65537 == 0 or not is_prime(n):
        n += 2
    return n


class RsaKey:
    def __init__(self, label, length=2048):
        p, q = prime(f"rsa p {label}", length // 2), prime(f"rsa q {label}", length // 2)
        self.n, self.size = p * q, length // 8
        self.d = pow(65537, -1, (p - 1) * (q - 1))
        self.info = sequence(algorithm("1.2.840.113549.1.1.1"), bits(sequence(integer(self.n), integer(65537))))

    def sign(self, message, hash="sha256"):
        """PKCS #1 v1.5 (RFC 8017 section 8.2.1)."""
        encoded = bytes.fromhex(DIGEST_INFO[hash]) + hashlib.new(hash, message).digest()
        padded = b"\0\1" + b"\xff" * (self.size - len(encoded) - 3) + b"\0" + encoded
        return pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(self.size, "big")


@functools.cache
def key(label, length=2048):
    return RsaKey(label, length)


def extension(identifier, critical, value):
    return sequence(oid(identifier), *([b"\x01\x01\xff"] if critical else []), octets(value))


def authority(limit=None):
    return [extension("2.5.29.19", True, sequence(b"\x01\x01\xff", *([] if limit is None else [integer(limit)]))), extension("2.5.29.15", True, b"\x03\x02\x01\x06")]


def stamper(*usages, critical=True):
    return [extension("2.5.29.15", True, b"\x03\x02\x07\x80"), extension("2.5.29.37", critical, sequence(*map(oid, usages or (TIME_STAMPING,))))]


class Certificate:
    def __init__(self, subject, subject_key, issuer=None, extensions=(), valid=("20250101000000Z", "20270101000000Z"), serial=1):
        issuer_name, issuer_key = (issuer.name, issuer.key) if issuer else (name(subject), subject_key)
        self.name, self.key, self.serial, self.issuer_name = name(subject), subject_key, serial, issuer_name
        signs = algorithm(SHA1_LESS["sha256"][1])
        tbs = sequence(tagged(0, integer(2)), integer(serial), signs, issuer_name, sequence(*(time_of(text) for text in valid)), self.name, subject_key.info, tagged(3, sequence(*extensions)))
        self.der = sequence(tbs, signs, bits(issuer_key.sign(tbs)))
        self.root = issuer.root if issuer else self

    @property
    def pem(self):
        coded = base64.b64encode(self.der).decode()
        return "-----BEGIN CERTIFICATE-----\n" + "\n".join(coded[i : i + 64] for i in range(0, len(coded), 64)) + "\n-----END CERTIFICATE-----\n"


def time_of(text):
    """UTCTime until 2049 (RFC 5280 section 4.1.2.5)."""
    return tlv(0x17, text[2:].encode()) if text < "2050" else time(text)


def attribute(identifier, value):
    return sequence(oid(identifier), set_of(value))


def token(message, signer, at="20260101010000Z", hash="sha256", fault=None, imprint=None, accuracy=None, certificates=None, extra=b"", attested=None, content_digest=None,
          signature=None, status=None, content_type=TST_INFO, signer_key=None, drop_attribute=None):
    """Base64 of a token over the message. `fault` is the code that must come of it when imprint and trust are in order."""
    info = sequence(integer(1), oid("1.3.6.1.4.1.99999.1"), sequence(algorithm(SHA1_LESS[hash][0]), octets(imprint or hashlib.new(hash, message).digest())), integer(7), time(at), *([accuracy] if accuracy else []), extra)
    certificate = attested or signer
    attributes = {
        "type": attribute("1.2.840.113549.1.9.3", oid(content_type)),
        "digest": attribute("1.2.840.113549.1.9.4", octets(content_digest or hashlib.new(hash, info).digest())),
        "certificate": attribute("1.2.840.113549.1.9.16.2.47", sequence(sequence(sequence(octets(hashlib.sha256(certificate.der).digest()))))),
    }
    attributes.pop(drop_attribute, None)
    signed = set_of(*attributes.values())
    made = (signer_key or signer.key).sign(signed, hash) if signature is None else signature
    signer_info = sequence(integer(1), sequence(signer.issuer_name, integer(signer.serial)), algorithm(SHA1_LESS[hash][0]), b"\xa0" + signed[1:], algorithm(SHA1_LESS[hash][1]), octets(made))
    listed = [signer] if certificates is None else certificates
    embedded = [tlv(0xA0, b"".join(sorted(c.der for c in listed)))] if listed else []
    data = sequence(integer(3), set_of(algorithm(SHA1_LESS[hash][0])), sequence(oid(TST_INFO), tagged(0, octets(info))), *embedded, set_of(signer_info))
    der = sequence(oid(SIGNED_DATA), tagged(0, data))
    if status is not None:
        der = sequence(sequence(integer(status)), *([der] if status < 2 else []))
    text = base64.b64encode(der).decode("ascii")
    stated = datetime.datetime.strptime(at[:14], "%Y%m%d%H%M%S").replace(tzinfo=datetime.timezone.utc)
    MADE[text] = {"message": None if imprint else message, "root": signer.root, "fault": fault, "at": int(stated.timestamp())}
    return text


def forget(text, fault):
    """A text that is no token; it is remembered with its fault."""
    MADE[text] = {"message": None, "root": None, "fault": fault}
    return text


class Left(Exception):
    """Neither established nor refuted."""


def judge(bundle, trust, messages):
    """What the layer `time` must answer; `messages` are the recomputed bytes by place."""
    stamps = bundle.get("time_stamps")
    if stamps is None:
        return Left("time.server-clock", "/events")
    if not isinstance(stamps, list) or not 1 <= len(stamps) <= 16:
        return "time-stamp.encoding", "/time_stamps"
    answers = [judge_one(stamp, f"/time_stamps/{i}", trust, messages) or before(bundle, stamp) for i, stamp in enumerate(stamps)]
    refuted = [answer for answer in answers if isinstance(answer, tuple)]
    return next(iter(refuted or [answer for answer in answers if answer]), None)


def before(bundle, stamp):
    """What the stamp covers and states a time that is later by more than five minutes."""
    stated = [(f"/events/{i}/timestamp", row["timestamp"]) for i, row in enumerate(bundle["events"])]
    if stamp["over"] == "/manifest":
        stated = [("/manifest/issued_at", bundle["manifest"]["issued_at"])]
    late = [at for at, time in stated if time > MADE[stamp["token"]]["at"] + 300]
    return Left("time-stamp.before-evidence", late[0]) if late else None


OPEN = ("key.not-pinned", "time-stamp.algorithm", "time-stamp.certificate-missing", "time-stamp.untrusted")
EARLY = ("time-stamp.encoding", "time-stamp.refused", "time-stamp.algorithm")


def judge_one(stamp, at, trust, messages):
    made = MADE.get(stamp.get("token"))
    if made is None:
        return "time-stamp.encoding", f"{at}/token"
    if stamp.get("over") not in messages:
        return "time-stamp.encoding", f"{at}/over"
    fault, roots = made["fault"], trust.get("tsa_roots", "")
    if fault not in EARLY and messages[stamp["over"]] != made["message"]:
        fault = "time-stamp.imprint-differs"
    if fault is None and not (made["root"].pem in roots):
        fault = "time-stamp.untrusted" if roots else "key.not-pinned"
    if fault is None:
        return None
    return Left(fault, f"{at}/token") if fault in OPEN else (fault, f"{at}/token")
