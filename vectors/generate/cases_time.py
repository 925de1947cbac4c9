"""Kind `bundle`: time stamps of RFC 3161 in the member `time_stamps`."""

import base64

import tsa
from cases_bundle import BOTH, add
from registry import REGISTRY, START, Evidence, digest, utc, web

SPEC = "RFC 3161 section 2.4.2"
ROOT = tsa.Certificate("assayer test root", tsa.key("root"), extensions=tsa.authority())
MIDDLE = tsa.Certificate("assayer test intermediate", tsa.key("intermediate"), ROOT, tsa.authority(0), serial=2)
STAMPER = tsa.Certificate("assayer test time stamps", tsa.key("stamper"), ROOT, tsa.stamper(), serial=3)
LOWER = tsa.Certificate("assayer test time stamps below", tsa.key("stamper"), MIDDLE, tsa.stamper(), serial=4)
OTHER_ROOT = tsa.Certificate("somebody else's root", tsa.key("other"), extensions=tsa.authority())
STRANGER = tsa.Certificate("somebody else's time stamps", tsa.key("stamper"), OTHER_ROOT, tsa.stamper(), serial=5)
TRUST = {**BOTH, "tsa_roots": ROOT.pem}
NEEDS = [("time", "rfc3161")]
TOKEN = "/time_stamps/0/token"


def stamped(make, over="/tlog_head", change=None):
    """A bundle with one time stamp; `make` gives the token from the bytes of the place."""
    evidence = Evidence(events=[web()])
    message = evidence.issuer_message if over == "/manifest" else evidence.body["tlog_head"]["signed_message"].encode()
    evidence.body["time_stamps"] = [{"over": over, "token": make(message)}]
    if change:
        change(evidence.body)
    return evidence.seal()


def generate(writer):
    def good(name, why, make=None, trust=TRUST, spec=SPEC, evidence=None, needs=NEEDS, **expectation):
        evidence = evidence or stamped(make)
        add(writer, f"good/{name}", why, spec, evidence.text(), trust, needs=needs, **expectation)

    def bad(name, why, code, make=None, pointer=TOKEN, trust=TRUST, evidence=None, needs=NEEDS, spec=SPEC):
        evidence = evidence or stamped(make)
        add(writer, f"time/{name}", why, spec, evidence.text(), trust, [("time", code, pointer)], "good/stamped", needs=needs)

    accepted(good)
    left_open(good)
    tokens(bad)
    certificates(bad)
    members(bad)


def plain(message, signer=STAMPER, **options):
    return tsa.token(message, signer, **options)


def accepted(good):
    good("stamped", "The tree head was stamped by an authority that the caller trusts.", plain)
    good("stamped-manifest", "The bytes that the issuer signed were stamped.", evidence=stamped(plain, "/manifest"))
    good("stamped-response", "A whole response instead of the token in it.", lambda m: plain(m, status=tsa.GRANTED))
    good("stamped-fraction", "The time has a fraction of a second.", lambda m: plain(m, at="20260101010000.123456789Z"))
    good("stamped-accuracy", "The authority states how exact its clock is.", lambda m: plain(m, accuracy=tsa.sequence(tsa.integer(1), tsa.integer(500, 0x80), tsa.integer(20, 0x81))))
    good("stamped-below-intermediate", "Between the authority and the root stands another certificate.", lambda m: plain(m, LOWER, certificates=[LOWER, MIDDLE]))
    good("stamped-certificates-given", "The token carries no certificate; the caller has it.", lambda m: plain(m, LOWER, certificates=[]), {**TRUST, "tsa_certificates": MIDDLE.pem + LOWER.pem})
    for hash in ("sha384", "sha512"):
        good(f"stamped-{hash}", f"Imprint, content and signature with {hash}.", lambda m, h=hash: plain(m, hash=h))

    def twice(body):
        body["time_stamps"].append({"over": "/tlog_head", "token": plain(body["tlog_head"]["signed_message"].encode(), at="20260102000000Z")})

    good("stamped-twice", "Two time stamps of one tree head.", evidence=stamped(plain, change=twice))


def left_open(good):
    def left(name, why, code, make, trust=TRUST, needs=NEEDS):
        good(name, why, make, trust, left_open=[("time", code, TOKEN)], needs=needs)

    good("stamped-not", "Without a time stamp all times are the registry's own.", evidence=Evidence(events=[web()]), needs=(), left_open=[("time", "time.server-clock", "/events")])
    left("stamped-no-root", "The caller trusts no authority.", "key.not-pinned", plain, BOTH)
    left("stamped-by-stranger", "The time stamp is in order, but nobody trusts its authority.", "time-stamp.untrusted", lambda m: plain(m, STRANGER))
    mill = [tsa.Certificate("a mill of certificates", tsa.key("other"), extensions=tsa.authority(), serial=100 + number) for number in range(30)]
    milled = tsa.Certificate("a stamper of the mill", tsa.key("stamper"), mill[0], tsa.stamper(), serial=99)
    left("stamped-by-mill", "Thirty authorities of one name and key have issued each other: the ways through them are beyond count, and none ends at a trusted root.", "time-stamp.untrusted", lambda m: plain(m, milled, certificates=[milled, *mill]))
    left("stamped-certificate-missing", "The certificate of the signer is nowhere.", "time-stamp.certificate-missing", lambda m: plain(m, certificates=[], fault="time-stamp.certificate-missing"))
    late = lambda body: body.update(bundle_generated_at=utc(START + 500), time_stamps=[{"over": "/tlog_head", "token": plain(body["tlog_head"]["signed_message"].encode(), at="20260101010000Z")}])
    for name, until, gap in (("stamped-within-window", 3600, []), ("stamped-after-window", 3599, [("registry-key", "key.outside-window")])):
        why = "A bundle that gives an earlier time was signed after the time stamp in it was made" + (", when its key was trusted no more." if gap else ": its key was still trusted.")
        good(name, why, trust={**TRUST, "windows": [{"key": REGISTRY.hex, "until": START + until}]}, evidence=stamped(plain, change=late), open=gap)
    def before(name, why, over, at, place):
        good(f"stamped-before-{name}", why, evidence=stamped(lambda m: plain(m, at=at), over), left_open=[("time", "time-stamp.before-evidence", place)])

    before("event", "A time stamp of a head that holds an event of six minutes later.", "/tlog_head", "20251231235500Z", "/events/0/timestamp")
    before("issue", "A time stamp of a manifest that says it was issued six minutes later.", "/manifest", "20251230235400Z", "/manifest/issued_at")
    good("stamped-minutes-before-event", "The clocks of authority and registry may be five minutes apart.", lambda m: plain(m, at="20251231235600Z"))
    left("stamped-algorithm-unknown", "The imprint is by a digest that is not known here.", "time-stamp.algorithm", with_unknown_digest)


def with_unknown_digest(message):
    """A token in which another object identifier stands for SHA-256; nobody gets to verify it further."""
    der = base64.b64decode(plain(message))
    sha256, other = bytes.fromhex("608648016503040201"), bytes.fromhex("60864801650304020f")
    return tsa.forget(base64.b64encode(der.replace(sha256, other)).decode(), "time-stamp.algorithm")


def tokens(bad):
    encoding = "time-stamp.encoding"
    bad("over-another-tree", "A good time stamp of another tree head.", "time-stamp.imprint-differs", lambda m: plain(m + b" "))
    bad("over-manifest-said-of-head", "A good time stamp of the manifest, said to be of the tree head.", "time-stamp.imprint-differs", lambda m: plain(Evidence(events=[web()]).issuer_message))
    bad("imprint-cut", "The imprint is a byte short.", "time-stamp.imprint-differs", lambda m: plain(m, imprint=digest("imprint")[:-1]))
    bad("refused", "The authority refused.", "time-stamp.refused", lambda m: plain(m, status=tsa.REFUSED, fault="time-stamp.refused"))
    bad("content-digest", "The signed digest is not that of the content.", "time-stamp.digest-differs", lambda m: plain(m, content_digest=digest("content"), fault="time-stamp.digest-differs"))
    bad("content-type", "The signed attributes say that the content is something else.", encoding, lambda m: plain(m, content_type="1.2.840.113549.1.7.1", fault=encoding))
    bad("signature-of-another-key", "Another key made the signature.", "time-stamp.signature-mismatch", lambda m: plain(m, signer_key=tsa.key("other"), fault="time-stamp.signature-mismatch"))
    bad("signature-zero", "The signature is zero.", "time-stamp.signature-mismatch", lambda m: plain(m, signature=bytes(256), fault="time-stamp.signature-mismatch"))
    bad("certificate-not-named", "The signed attributes name no certificate.", "time-stamp.certificate-attribute", lambda m: plain(m, drop_attribute="certificate", fault="time-stamp.certificate-attribute"))
    bad("another-certificate-named", "The signed attributes name another certificate of the same key.", "time-stamp.certificate-attribute", lambda m: plain(m, attested=LOWER, fault="time-stamp.certificate-attribute"))
    bad("time-with-zero", "A fraction of a second with a zero at its end.", encoding, lambda m: plain(m, at="20260101010000.50Z", fault=encoding))
    bad("time-without-zone", "A time without Z.", encoding, lambda m: plain(m, at="20260101010000", fault=encoding))
    bad("trailing-bytes", "Something follows the token.", encoding, lambda m: tsa.forget(base64.b64encode(base64.b64decode(plain(m)) + b"\0").decode(), encoding))


def certificates(bad):
    usage = "time-stamp.usage"

    def signer(extensions, **options):
        return tsa.Certificate("assayer test time stamps", tsa.key("stamper"), options.pop("issuer", ROOT), extensions, serial=9, **options)

    def by(name, why, code, certificate, certificates=None, **options):
        bad(name, why, code, lambda m: plain(m, certificate, fault=code, certificates=certificates, **options))

    by("no-usage", "The certificate says nothing about time stamps.", usage, signer(tsa.stamper()[:1]))
    by("usage-not-critical", "The certificate is for time stamps, but does not say so critically.", usage, signer(tsa.stamper(critical=False)))
    by("usage-of-two-kinds", "The certificate is for time stamps and for code.", usage, signer(tsa.stamper(tsa.TIME_STAMPING, tsa.CODE_SIGNING)))
    by("usage-of-code", "The certificate is for code.", usage, signer(tsa.stamper(tsa.CODE_SIGNING)))
    by("before-certificate", "The token states a time before the certificate began.", "time-stamp.expired", STAMPER, at="20241231235959Z")
    by("after-certificate", "The token states a time after the certificate ended.", "time-stamp.expired", STAMPER, at="20270101000001Z")
    below = signer(tsa.stamper(), issuer=STAMPER)
    by("issued-by-stamper", "The certificate was issued by an authority that may issue none.", "time-stamp.certificate", below, [below, STAMPER])
    deep = tsa.Certificate("assayer test lower", tsa.key("other"), MIDDLE, tsa.authority(), serial=10)
    deeper = signer(tsa.stamper(), issuer=deep)
    by("chain-too-long", "An intermediate certificate allows none below it, and there is one.", "time-stamp.certificate", deeper, [deeper, deep, MIDDLE])
    odd = signer([*tsa.stamper(), tsa.extension("1.3.6.1.4.1.99999.2", True, b"\x05\0")])
    by("critical-extension", "A critical extension that nobody here knows.", "time-stamp.certificate", odd)


def members(bad):
    encoding = "time-stamp.encoding"
    free = dict(needs=())
    bad("member-not-a-list", "The member is a token instead of a list.", encoding, pointer="/time_stamps", evidence=stamped(plain, change=lambda b: b.update(time_stamps=b["time_stamps"][0])), **free)
    bad("member-empty", "The list is empty.", encoding, pointer="/time_stamps", evidence=stamped(plain, change=lambda b: b.update(time_stamps=[])), **free)
    bad("seventeen", "More time stamps than anybody needs.", encoding, pointer="/time_stamps", evidence=stamped(plain, change=lambda b: b.update(time_stamps=b["time_stamps"] * 17)), **free)
    bad("over-nothing", "The time stamp does not say what it is over.", encoding, pointer="/time_stamps/0/over", evidence=stamped(plain, change=lambda b: b["time_stamps"][0].pop("over")), **free)
    bad("over-everything", "There are no such bytes.", encoding, pointer="/time_stamps/0/over", evidence=stamped(plain, change=lambda b: b["time_stamps"][0].update(over="")), **free)
    bad("token-not-base64", "The token is written in hexadecimal digits.", encoding, evidence=stamped(lambda m: base64.b64decode(plain(m)).hex() + "0"), **free)
