"""Kind `bundle`: attestations in the member `rekor`, and the entries of a transparency log about them."""

import copy

import attestation as at
from cases_bundle import BOTH, add
from registry import OTHER_ISSUER, REGISTRY, START, Evidence, Key, digest, manifest, uuid, web

SPEC, LOG_SPEC, DSSE = "oversight-requirements RE-4", "RFC 9162 section 2.1.3.2", "DSSE version 1"
ATTESTER, STRANGER, LOG, OTHER_LOG = Key("attester"), Key("stranger"), Key("transparency log"), Key("other transparency log")
NAME = "log.assayer.example"
TRUST = {**BOTH, "attestation_keys": [ATTESTER.hex]}
KNOWN = {**TRUST, "log_keys": [{"name": NAME, "key": LOG.hex}]}
ENVELOPE, PAYLOAD, SIGNATURES = "/rekor/dsse", "/rekor/dsse/payload", "/rekor/dsse/signatures"
PROOF = f"{at.ENTRY}/verification/inclusionProof"


class Attested:
    """A bundle with an attestation: change the statement before signing, or the envelope after."""

    def __init__(self, edit=None, keys=(ATTESTER,), text=None, kind=at.PAYLOAD_TYPE, message=None, log=None, **members):
        self.evidence = Evidence(events=[web()], signed=manifest("file", **members))
        said = copy.deepcopy(at.statement(self.evidence.body["manifest"]))
        if edit:
            edit(said)
        payload = (text or at.compact(said)).encode()
        self.envelope = at.envelope(payload, keys, kind, message)
        self.rekor = {"bundle_schema": 2, "dsse": self.envelope}
        if log:
            self.rekor["log_entry"] = at.log_entry(log(self.envelope), NAME, LOG)

    def sealed(self, change=None):
        rekor = copy.deepcopy(self.rekor)
        if change:
            change(rekor)
        self.evidence.body["rekor"] = rekor
        return self.evidence.seal()


def generate(writer):
    def good(name, why, evidence, trust=TRUST, spec=SPEC, **expectation):
        add(writer, f"good/{name}", why, spec, evidence.text(), trust, **expectation)

    def bad(name, why, code, evidence, pointer, trust=TRUST, spec=SPEC, twin="good/attested"):
        add(writer, name, why, spec, evidence.text(), trust, [(name.split("/")[0], code, pointer)], twin)

    accepted(good)
    statements(bad)
    envelopes(good, bad)
    signers(good, bad)
    entries(good, bad)


def accepted(good):
    one = Attested()
    good("attested", "An attestation about the marks of the manifest, signed by a key that the caller names.", one.sealed(), left_open=[("attestation-log", "input.not-given", at.ENTRY)])
    good("attested-by-registry", "The registry's own key signed the attestation.", Attested(keys=[REGISTRY]).sealed(), BOTH)
    good("attested-in-rekor-itself", "The envelope is the member itself.", one.sealed(lambda r: (r.update(r.pop("dsse")))))
    good("attested-as-envelope", "The envelope stands under a second name.", one.sealed(lambda r: r.update(envelope=r.pop("dsse"))))
    good("attested-as-dsse-envelope", "The envelope stands under the name of Sigstore bundles.", one.sealed(lambda r: r.update(dsseEnvelope=r.pop("dsse"))))
    good("attested-without-schema", "The attestation does not name its schema.", one.sealed(lambda r: r.pop("bundle_schema")))
    good("attested-one-mark", "The attestation is about one of the two marks.", Attested(lambda s: s["subject"].pop()).sealed())
    good("attested-mark-ids", "The predicate lists the ids of the marks alone.", Attested(lambda s: s["predicate"].update(watermarks=[m["mark_id"] for m in s["predicate"]["watermarks"]])).sealed())
    good("attested-key-text", "The digest of the recipient's key is over its text.", Attested(lambda s: s["predicate"].update(recipient_pubkey_sha256=at.sha256_hex(digest("x25519").hex().encode()))).sealed(),
         notes=[("interop.key-digest", PAYLOAD)])
    good("attested-url-safe", "Base64 of the URL-safe alphabet is allowed too.", one.sealed(lambda r: r["dsse"].update(payload=r["dsse"]["payload"].replace("+", "-").replace("/", "_"))), spec=DSSE)
    good("attested-by-two", "A stranger signed as well.", Attested(keys=[STRANGER, ATTESTER]).sealed())


def statements(bad):
    def said(name, why, code, edit):
        bad(f"attestation/{name}", why, code, Attested(edit).sealed(), PAYLOAD)

    def predicate(name, why, code, **members):
        said(name, why, code, lambda s: s["predicate"].update(members))

    said("type-of-statement", "A statement of an older version.", "attestation.statement", lambda s: s.update(_type="https://in-toto.io/Statement/v0.1"))
    said("no-predicate-type", "The predicate has no type.", "attestation.statement", lambda s: s.pop("predicateType"))
    said("no-subject", "The statement is about nothing.", "attestation.statement", lambda s: s["subject"].clear())
    said("subject-of-another-mark", "One of the subjects is a mark that the issuer did not sign.", "attestation.subject-differs", lambda s: s["subject"][1].update(name="mark:00ff00ff00ff00ff"))
    said("subject-without-prefix", "A subject is named `mark:` and the id.", "attestation.subject-differs", lambda s: s["subject"][0].update(name=s["subject"][0]["name"][5:]))
    said("digest-of-other-content", "The attestation is about the same mark in another text.", "attestation.digest-differs", lambda s: s["subject"][1]["digest"].update(sha256=digest("other content").hex()))
    said("digest-of-another-kind", "The digest is not a SHA-256.", "attestation.digest-differs", lambda s: s["subject"][0].update(digest={"sha512": s["subject"][0]["digest"]["sha256"]}))
    said("predicate-incomplete", "The predicate does not say when the file was registered.", "attestation.predicate", lambda s: s["predicate"].pop("registered_at"))
    predicate("registered-at-never", "The time of registration is no time.", "attestation.predicate", registered_at=None)
    predicate("another-file", "A well-signed attestation of another file.", "attestation.file-differs", file_id=uuid("elsewhere"))
    predicate("another-issuer", "The attestation names another issuer.", "attestation.issuer-differs", issuer_pubkey_ed25519=OTHER_ISSUER.hex)
    predicate("another-recipient", "The attestation names another recipient.", "attestation.recipient-differs", recipient_id="mallory@assayer.example")
    predicate("another-recipient-key", "The attestation names another key of the recipient.", "attestation.recipient-key-differs", recipient_pubkey_sha256=digest("other key").hex())
    predicate("another-suite", "The attestation says that the manifest is a hybrid one.", "attestation.suite-differs", suite="OSGT-HYBRID-v1")
    predicate("marks-missing", "The attestation lists fewer marks than the issuer signed.", "attestation.watermarks-differ", watermarks=[])
    said("mark-added", "The attestation lists a mark that the issuer did not sign.", "attestation.watermarks-differ", lambda s: s["predicate"]["watermarks"].append({"layer": "L1_zero_width", "mark_id": "00ff00ff00ff00ff"}))
    said("mark-of-another-layer", "A mark is attested for another layer.", "attestation.watermarks-differ", lambda s: s["predicate"].update(watermarks=[{**m, "layer": "L9"} for m in s["predicate"]["watermarks"]]))
    text = at.compact(at.statement(manifest("file")))
    bad("attestation/payload-duplicate-key", "A lenient reader would see the true file, another the false one.", "json.duplicate-key", Attested(text=text.replace('"predicate":{', '"predicate":{"file_id":"other",')).sealed(), PAYLOAD, spec="RFC 7493 section 2.3")
    bad("attestation/payload-not-json", "The payload is no JSON.", "json.syntax", Attested(text="mark").sealed(), PAYLOAD)


def envelopes(good, bad):
    one = Attested()

    def changed(name, why, code, pointer, change):
        bad(f"attestation/{name}", why, code, one.sealed(change), pointer, spec=DSSE)

    encoding = "dsse.encoding"
    changed("no-payload", "The envelope has no payload.", encoding, PAYLOAD, lambda r: r["dsse"].pop("payload"))
    changed("no-payload-type", "The envelope does not say what the payload is.", encoding, f"{ENVELOPE}/payloadType", lambda r: r["dsse"].pop("payloadType"))
    changed("no-signatures", "The envelope has no signatures.", encoding, SIGNATURES, lambda r: r["dsse"].update(signatures=[]))
    changed("payload-without-padding", "Base64 without its padding.", encoding, PAYLOAD, lambda r: r["dsse"].update(payload=r["dsse"]["payload"].rstrip("=") if r["dsse"]["payload"].endswith("=") else r["dsse"]["payload"] + "A"))
    changed("payload-with-line-feed", "Base64 with a line feed in it.", encoding, PAYLOAD, lambda r: r["dsse"].update(payload=r["dsse"]["payload"][:76] + "\n" + r["dsse"]["payload"][76:]))
    changed("payload-as-it-is", "The payload stands there as it is, without base64.", encoding, PAYLOAD, lambda r: r["dsse"].update(payload="{}"))
    changed("signature-spelt-otherwise", "The unused bits of the last base64 digit are not zero.", encoding, f"{SIGNATURES}/0/sig", lambda r: r["dsse"]["signatures"][0].update(sig=other_spelling(r["dsse"]["signatures"][0]["sig"])))
    changed("two-envelopes", "There are two envelopes, and nobody can say which one counts.", encoding, "/rekor/envelope", lambda r: r.update(envelope=r["dsse"]))
    duplicate = "dsse.duplicate-signature"
    changed("signature-twice", "One signature is given twice, under two names.", duplicate, f"{SIGNATURES}/1", lambda r: r["dsse"]["signatures"].append({**r["dsse"]["signatures"][0], "keyid": "another"}))
    changed("key-twice", "Two signatures claim to be of one key.", duplicate, f"{SIGNATURES}/1", lambda r: r["dsse"]["signatures"].append({"keyid": ATTESTER.hex, "sig": at.b64(bytes(64))}))
    changed("signatures-by-the-dozen", "More signatures than anybody needs.", "dsse.size", f"{SIGNATURES}/16", lambda r: r["dsse"]["signatures"].extend({"keyid": f"key {i}", "sig": at.b64(bytes([i]) * 64)} for i in range(16)))
    changed("signature-changed", "One bit of the signature differs.", "attestation.signature-mismatch", SIGNATURES, lambda r: r["dsse"]["signatures"][0].update(sig=at.b64(flip(at.strict_base64(r["dsse"]["signatures"][0]["sig"])))))
    long = Attested(lambda s: s["predicate"].update(recipient_id="x" * (1 << 20)))
    bad("attestation/payload-too-long", "A payload of more than a mebibyte.", "dsse.size", long.sealed(), PAYLOAD, spec=DSSE)
    other = "application/json"
    bad("attestation/payload-type-of-other-kind", "The same statement, signed as something else.", "dsse.payload-type", Attested(kind=other).sealed(), f"{ENVELOPE}/payloadType", spec=DSSE)
    relabelled = Attested(message=at.signed_bytes(other, at.compact(at.statement(manifest("file"))).encode()))
    bad("attestation/payload-type-relabelled", "The type was changed after signing; the signature covers it.", "attestation.signature-mismatch", relabelled.sealed(), SIGNATURES, spec=DSSE)
    bare = Attested(message=at.compact(at.statement(manifest("file"))).encode())
    bad("attestation/payload-signed-bare", "The signature covers the payload alone, without type and lengths.", "attestation.signature-mismatch", bare.sealed(), SIGNATURES, spec=DSSE)
    good("attested-schema-unknown", "An attestation of a schema that is not known.", one.sealed(lambda r: r.update(bundle_schema=3)), left_open=[("attestation", "attestation.schema", "/rekor/bundle_schema")])


def signers(good, bad):
    def left(code, pointer=SIGNATURES):
        return [("attestation", code, pointer)]

    good("attested-no-trust", "Without a trusted key an attestation shows nothing.", Attested().sealed(), {}, left_open=left("key.not-pinned"))
    good("attested-by-stranger", "The attestation is by a key that nobody named; the registry's key is not expected to sign it.", Attested(keys=[STRANGER]).sealed(), BOTH, left_open=left("attestation.key-unknown"))
    good("rekor-without-envelope", "The member is there, but there is no envelope in it.", Attested().sealed(lambda r: r.pop("dsse")), left_open=left("input.not-given", "/rekor"))
    bounded = lambda **bounds: {**BOTH, "windows": [{"key": REGISTRY.hex, **bounds}]}
    registered, issued, ended = START + 10, START - 86400, left("key.outside-window")
    own = Attested(keys=[REGISTRY])
    good("attested-within-window", "The registry's key signed the attestation of a registration at a time at which it is trusted, both ends included.", own.sealed(), bounded(**{"from": registered, "until": START + 5000}))
    good("attested-before-window", "The key is trusted, but only from a second after the registration on.", own.sealed(), bounded(**{"from": registered + 1}), left_open=ended)
    later = Attested(lambda s: s["predicate"].update(registered_at=START + 5001), keys=[REGISTRY])
    good("attested-after-window", "The bundle is of a time at which the key is trusted, and the attestation of a later one.", later.sealed(), bounded(until=START + 5000), left_open=ended)
    dated = Attested(lambda s: s["predicate"].update(registered_at=issued - 10), keys=[REGISTRY])
    good("attested-before-manifest", "The attestation gives an earlier time than the manifest that it is about, and the key was trusted at that earlier one only.", dated.sealed(), {**BOTH, "windows": [{"key": REGISTRY.hex, "until": issued - 1}, {"key": REGISTRY.hex, "from": START}]}, left_open=ended)
    good("attested-by-two-beside-window", "A key that the caller names for attestations signed as well, and has no window.", Attested(keys=[REGISTRY, ATTESTER]).sealed(), {**TRUST, "windows": [{"key": REGISTRY.hex, "from": registered + 1}]})
    mismatch = "attestation.signature-mismatch"
    bad("attestation/by-stranger-beside-named-key", "The caller names the key that signs attestations, and another signed.", mismatch, Attested(keys=[STRANGER]).sealed(), SIGNATURES)
    claimed = Attested(keys=[STRANGER])
    claimed.envelope["signatures"][0]["keyid"] = REGISTRY.hex
    bad("attestation/claims-registry-key", "The signature claims to be of the registry's key, and is not.", mismatch, claimed.sealed(), SIGNATURES, BOTH, twin="good/attested-by-registry")
    hashed = Attested(keys=[STRANGER])
    hashed.envelope["signatures"][0]["keyid"] = at.sha256_hex(REGISTRY.public)
    bad("attestation/claims-registry-key-by-digest", "The same, naming the key by its digest.", mismatch, hashed.sealed(), SIGNATURES, BOTH, twin="good/attested-by-registry")
    bad("attestation/contradicts-unsigned", "A statement about another file is refuted whoever signed it.", "attestation.file-differs", Attested(lambda s: s["predicate"].update(file_id=uuid("elsewhere")), keys=[STRANGER]).sealed(), PAYLOAD, BOTH, twin="good/attested-by-stranger")


def entries(good, bad):
    one = Attested(log=at.entry_of_kind_dsse)
    good("attested-and-logged", "The attestation stands in a transparency log that the caller knows.", one.sealed(), KNOWN, spec=LOG_SPEC)
    good("attested-and-logged-by-digest", "The entry of the log is of the kind that names a digest.", Attested(log=at.entry_of_kind_hashedrekord).sealed(), KNOWN, spec=LOG_SPEC)

    def proof(rekor):
        return rekor["log_entry"]["verification"]["inclusionProof"]

    def left(code, pointer):
        return [("attestation-log", code, pointer)]

    pinned = left("key.not-pinned", f"{PROOF}/checkpoint")
    good("logged-no-log-key", "Without a key of the log its checkpoint shows nothing.", one.sealed(), TRUST, spec=LOG_SPEC, left_open=pinned)
    good("logged-in-another-log", "The log is none of those that the caller knows.", one.sealed(), {**TRUST, "log_keys": [{"name": NAME, "key": OTHER_LOG.hex}]}, spec=LOG_SPEC, left_open=pinned)
    good("logged-without-checkpoint", "A path leads to a root that nobody signed.", one.sealed(lambda r: proof(r).pop("checkpoint")), KNOWN, spec=LOG_SPEC, left_open=pinned)
    odd = Attested(log=lambda sealed: {**at.entry_of_kind_dsse(sealed), "kind": "intoto"})
    good("logged-kind-unknown", "An entry of a kind that is not known here.", odd.sealed(), KNOWN, spec=LOG_SPEC, left_open=left("transparency.entry-kind", f"{at.ENTRY}/body"))
    alone = one.sealed(lambda r: r.pop("dsse"))
    good("logged-without-envelope", "An entry without the envelope that it is about.", alone, KNOWN, spec=LOG_SPEC, left_open=[("attestation", "input.not-given", "/rekor"), ("attestation-log", "input.not-reached", "/rekor")])

    def changed(name, why, code, pointer, change):
        bad(f"attestation-log/{name}", why, code, one.sealed(change), pointer, KNOWN, LOG_SPEC, "good/attested-and-logged")

    changed("body-not-base64", "The entry is written in base64.", "transparency.encoding", f"{at.ENTRY}/body", lambda r: r["log_entry"].update(body="{}"))
    changed("no-proof", "The entry comes without a proof.", "transparency.encoding", PROOF, lambda r: r["log_entry"].update(verification={}))
    changed("hash-of-31-bytes", "A hash has 32 bytes.", "transparency.encoding", f"{PROOF}/hashes", lambda r: proof(r)["hashes"].__setitem__(0, proof(r)["hashes"][0][2:]))
    changed("path-reversed", "The hashes run from the root downwards.", "merkle.root-mismatch", f"{PROOF}/hashes", lambda r: proof(r)["hashes"].reverse())
    changed("path-too-short", "A hash is missing.", "merkle.path-length", f"{PROOF}/hashes", lambda r: proof(r)["hashes"].pop())
    changed("index-beyond", "The index is not below the size of the tree.", "merkle.index-out-of-range", f"{PROOF}/hashes", lambda r: proof(r).update(logIndex=7))
    changed("checkpoint-not-a-note", "The checkpoint has no signature.", "transparency.encoding", f"{PROOF}/checkpoint", lambda r: proof(r).update(checkpoint=proof(r)["checkpoint"].split("\n\n")[0]))

    def other_root(rekor):
        leaves = [b"entry"] * 7
        proof(rekor).update(checkpoint=at.checkpoint(NAME, LOG, 7, at.merkle.root(leaves)))

    changed("checkpoint-of-another-tree", "A rightly signed checkpoint of another tree.", "checkpoint.differs", f"{PROOF}/checkpoint", other_root)
    forged = lambda r: proof(r).update(checkpoint=at.checkpoint(NAME, OTHER_LOG, 7, bytes.fromhex(proof(r)["rootHash"]), key_id=at.note_key_id(NAME, LOG)))
    changed("checkpoint-forged", "The checkpoint claims to be by a known log, and is not.", "checkpoint.signature-mismatch", f"{PROOF}/checkpoint", forged)
    stranger = Attested(lambda s: s["predicate"].update(registered_at=1), log=at.entry_of_kind_dsse)

    def foreign(name, why, log):
        other = Attested()
        other.rekor["log_entry"] = at.log_entry(log(stranger.envelope), NAME, LOG)
        bad(f"attestation-log/{name}", why, "transparency.entry-differs", other.sealed(), f"{at.ENTRY}/body", KNOWN, LOG_SPEC, "good/attested-and-logged")

    foreign("entry-of-another", "The entry is about another envelope.", at.entry_of_kind_dsse)
    foreign("digest-of-another", "The entry names the digest of another envelope.", at.entry_of_kind_hashedrekord)
    unsigned = Attested()
    entry = at.entry_of_kind_dsse(unsigned.envelope)
    entry["spec"]["signatures"][0]["signature"] = at.b64(bytes(64))
    unsigned.rekor["log_entry"] = at.log_entry(entry, NAME, LOG)
    bad("attestation-log/entry-with-another-signature", "The entry is about the payload, but under another signature.", "transparency.entry-differs", unsigned.sealed(), f"{at.ENTRY}/body", KNOWN, LOG_SPEC, "good/attested-and-logged")
    doubled = Attested()
    body = at.compact(at.entry_of_kind_dsse(doubled.envelope)).replace('"kind":', '"kind":"intoto","kind":')
    doubled.rekor["log_entry"] = at.log_entry_of_text(body, NAME, LOG)
    bad("attestation-log/entry-duplicate-key", "The entry names its kind twice.", "json.duplicate-key", doubled.sealed(), f"{at.ENTRY}/body", KNOWN, "RFC 7493 section 2.3", "good/attested-and-logged")


def flip(data):
    return bytes([data[0] ^ 1]) + data[1:]


def other_spelling(text):
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    assert text.endswith("==")
    return text[:-3] + digits[digits.index(text[-3]) ^ 1] + "=="
