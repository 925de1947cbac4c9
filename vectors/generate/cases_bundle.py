"""Kind `bundle`: whole evidence bundles, good ones and ones with a single fault, signed again wherever the registry could."""

import copy
import json

import canon
import ed25519 as ed
import merkle
from judge import Open, judge, left_open as gaps_of, verdict
from registry import (FORMS, ISSUER, OTHER_ISSUER, OTHER_REGISTRY, REGISTRY, START, Evidence, digest, dns, leaf_of, manifest, register_leaf, token, utc, uuid, web)

SPEC = "oversight-registry-v1 section "
MANIFEST, BUNDLE, HEAD, LEAVES, TREE, SHAPES, FORM = SPEC + "1.1", SPEC + "1.2", SPEC + "1.3", SPEC + "1.4", SPEC + "2", SPEC + "3", SPEC + "1.0"
FAULTS = SPEC + "7"
ANNOUNCED = "oversight-announced-0.4.7, receipts"

BOTH = {"registry_key": REGISTRY.hex, "issuer_keys": [ISSUER.hex]}
THREE_EVENTS = [web(at=60), dns(at=75), web(kind="ocsp", agent="", at=90)]
ORDERLY = {"\ue000": 1, "\U0001f600": 2, "a": 3, "a b": 4}


def generate(writer):
    good_bundles(writer)
    Tamperer(writer).all()


def add(writer, id, why, spec, text, trust, refuted=(), twin=None, notes=(), left_open=(), needs=(), open=()):
    """Writes a case after the judge has found exactly the faults that the case names, whether it stops at missing premises or not."""
    eager, _ = judge(text, trust, eager=True)
    results, forms = judge(text, trust)
    assert refuted_layers(eager) == refuted_layers(results), (f"{id}: an eager judge finds {refuted_layers(eager)}")
    found = refuted_layers(results)
    expected = [{"layer": layer, "code": code, "at": at} for layer, code, at in refuted]
    assert found == expected, f"{id}: expected {expected}, found {found}"
    established = [layer for layer, result in results.items() if result is None]
    schemes = {layer: forms[layer] for layer in ("registry-signature", "issuer-signature") if layer in established}
    expect = {"verdict": verdict(results, trust, text), "refuted": found, "established": established, "schemes": schemes}
    if left_open:
        expect["open"] = [{"layer": layer, "code": code, "at": at} for layer, code, at in left_open]
        judged = [{"layer": layer, "code": result[0], "at": result[1]} for layer, result in results.items() if isinstance(result, Open)]
        assert all(layer in judged for layer in expect["open"]), f"{id}: expected {expect['open']}, found {judged}"
    if needs:
        expect["needs"] = [{"layer": layer, "feature": feature} for layer, feature in needs]
    if notes:
        expect["notes"] = [{"code": code, "at": at} for code, at in notes]
    if open:
        gaps = gaps_of(results, trust, text)
        assert set(open) <= gaps, (id, set(open) - gaps)
        expect["open"] = [{"layer": layer, "code": code} for layer, code in open]
    writer.add(f"bundles/{id}", "bundle", why, spec, {"bundle": text, "trust": trust}, expect, twin=twin and f"bundles/{twin}")


def refuted_layers(results):
    return [{"layer": layer, "code": result[0], "at": result[1]} for layer, result in results.items() if isinstance(result, tuple)]


def good_bundles(writer):
    def good(name, why, spec, evidence, trust=BOTH, issuer=None, registry=None, text=None, notes=(), open=()):
        add(writer, f"good/{name}", why, spec, text or evidence.text(), trust, notes=notes, open=open)
        schemes = writer.cases[f"bundles/good/{name}"]["expect"]["schemes"]
        for layer, forms in (("issuer-signature", issuer), ("registry-signature", registry)):
            assert forms is None or schemes[layer] == forms, (name, layer, schemes)

    one = Evidence(events=[web()])
    good("no-events", "A file that nobody opened yet.", SHAPES, Evidence(), issuer=FORMS, registry=FORMS)
    good("one-event", "A file opened once.", SHAPES, one, issuer=FORMS, registry=FORMS)
    good("three-events", "A file opened three times, once seen through DNS.", SHAPES, Evidence(events=THREE_EVENTS))
    good("dns-event", "A DNS event, whose leaf carries the question instead of a user agent.", LEAVES, Evidence(events=[dns()]))
    good("dns-event-rust", "A DNS event whose extra text is written without spaces.", LEAVES, Evidence(events=[dns()], form="serde-jcs-0.1"))
    good("dns-event-without-question", "A DNS event that was reported without name and type has nulls in row and leaf.", LEAVES, Evidence(events=[dns(qname=None, qtype=None)]))
    good("times-one-second-apart", "The two times of a row may come from two readings of the clock, one second apart.", LEAVES, Evidence(events=[web(row={"timestamp": START + 61})]))
    good("times-five-seconds-apart", "The two times of a row may be five seconds apart.", LEAVES, Evidence(events=[web(row={"timestamp": START + 65})]))
    good("times-five-seconds-back", "The time in seconds may be five seconds before the other.", LEAVES, Evidence(events=[web(row={"timestamp": START + 55})]))
    good("kinds-of-web-event", "All three kinds of web event.", LEAVES, Evidence(events=[web(kind="http_img", at=1), web(kind="ocsp", at=2), web(kind="license", at=3)]))
    tied = Evidence(events=[web(at=60), web(kind="ocsp", at=60)], order=[1, 0])
    for number, row in enumerate(tied.body["events"], 1):
        row["id"] = number
    tied.seal()
    good("events-within-one-second", "Rows of one second may stand out of the order of the log.", SHAPES, tied, notes=[("interop.tie-order", "/events/1")])
    good("no-trust", "Without anchors of the caller the keys come from the evidence itself.", FAULTS, one, {})
    good("registry-key-only", "With the registry's key alone the issuer stays unknown.", FAULTS, one, {"registry_key": REGISTRY.hex})
    good("issuer-key-only", "With the issuer's key alone the registry stays unknown.", FAULTS, one, {"issuer_keys": [ISSUER.hex]})
    good("several-issuer-keys", "One of the pinned issuer keys is that of the manifest.", FAULTS, one, {**BOTH, "issuer_keys": [OTHER_ISSUER.hex, ISSUER.hex]})
    good("file-id-requested", "The caller names the file that was asked for.", FAULTS, one, {**BOTH, "file_id": one.body["file_id"]})
    good("with-log", "The caller supplies the log, whose register leaf names the issuer's key.", LEAVES, one, {**BOTH, "log": one.log()})
    good("with-log-without-hex", "Log records of the older server have no hexadecimal member.", TREE, one, {**BOTH, "log": one.log(with_hex=False)})
    good("proof-called-inclusion", "The proof is called as the specification calls it.", SPEC + "3", Evidence(events=[web()], proof_member="inclusion"), notes=[("interop.inclusion-name", "/tlog_proofs/0/inclusion")])
    good("receipt", "The announced dialect adds a signed receipt of the registration, with its proof.", ANNOUNCED, Evidence(events=[web()], form="python-sort-keys").with_receipts())
    good("receipt-without-events", "A receipt shows the registration also where nobody opened the file yet.", ANNOUNCED, Evidence(form="python-sort-keys").with_receipts())
    both = Evidence(events=[web()])
    both.body["tlog_proofs"][0]["inclusion"] = copy.deepcopy(both.body["tlog_proofs"][0]["proof"])
    both.seal()
    good("proof-under-both-names", "The proof stands under both names, and is the same.", SPEC + "3", both)
    further = Evidence(events=[web()])
    further.body["events"][0]["a/b"] = "only the registry says so"
    further.seal()
    good("row-with-further-member", "A member of a row that the log does not cover is noted, with its place.", LEAVES, further, notes=[("interop.unknown-member", "/events/0/a~1b")])
    good("event-id-is-text", "The id of an event may be a text.", SHAPES, Evidence(events=[web(row={"id": "7f3a"})]))
    good("event-without-address", "The address of an event may be null, in row and leaf alike.", SHAPES, Evidence(events=[web(ip=None)]))
    good("event-of-unsigned-token", "A token that the manifest no longer lists, as after a registration with fewer beacons.", FAULTS, Evidence(events=[web(row={"token_id": token("listed earlier")})]), notes=[("event.token-unsigned", "/events/0/token_id")])
    early = Evidence(events=[web()])
    early.body["bundle_generated_at"] = utc(START)
    early.seal()
    good("bundle-older-than-its-event", "The clock of the registry was set back between event and bundle.", FAULTS, early, notes=[("event.after-bundle", "/bundle_generated_at")])
    trust_in_time(good, one)
    strange_leaves(good, one)
    spellings(good)
    good("members-shuffled", "The order of members on the wire is irrelevant.", BUNDLE, one, text=json.dumps(dict(reversed(one.value().items())), separators=(",", ":")))
    good("white-space", "White space on the wire is irrelevant.", BUNDLE, one, text=json.dumps(one.value(), indent=2) + "\n")
    good("escapes-on-the-wire", "Characters may be written as escapes on the wire.", BUNDLE, one, text=one.text().replace("minutes.txt", "minutes\\u002etxt").replace("https://", "https:\\/\\/"))

    bare = Evidence(events=[web()])
    del bare.body["disclaimer"]
    good("no-disclaimer", "The disclaimer is optional.", "oversight-requirements EV-4", bare.seal())
    more = Evidence(events=[web()])
    more.body["rekor"] = {"bundle_schema": 2}
    good("member-added-and-signed", "Optional members may be added to the bundle as long as they are signed.", "oversight-requirements ST-1", more.seal())
    power = Evidence(events=[web()])
    power.body["rekor"] = {"bundle_schema": 2**53}
    good("member-two-to-53", "An integer to which a double rounds its successor is signed as it is.", SPEC + "6", power.seal())
    twin_rows = Evidence(events=[web()])
    twin_rows.body["beacons"].reverse()
    twin_rows.body["watermarks"].reverse()
    good("rows-reordered", "Rows are compared with the signed arrays regardless of order.", FAULTS, twin_rows.seal())

    for form in FORMS:
        foreign = dict(recipient={"recipient_id": "Zo\u00eb \u8aad\u8005", "x25519_pub": digest("x25519").hex()}, issuer_id="\u00c9diteur \U0001f680", original_filename="re\u0301sume\u0301 \u2028\x7f.txt")
        signed = manifest(f"foreign {form}", policy={"registry_url": "https://registry.assayer.example", **ORDERLY}, **foreign)
        evidence = Evidence(events=[web(agent="caf\u00e9"), dns(qname="b\u00fccher.example", at=70)], form=form, signed=signed)
        notes = [("interop.legacy-scheme", "/manifest"), ("interop.legacy-scheme", "")] if form != "jcs-exact-integers" else ()
        good(f"foreign-text-{form}", f"Text beyond ASCII and keys that every form orders in its own way, all signed as {form}.", FORM, evidence, issuer=[form], registry=[form], notes=notes)
    accented = manifest("accented", issuer_id="\u00c9diteur")
    good("foreign-values-rfc-order", "Foreign text in values only: the two raw forms agree.", FORM, Evidence(signed=accented), issuer=FORMS[1:], registry=FORMS[1:])
    good("issuer-form-older", "An issuer of the Python era in the evidence of an upgraded registry; its leaves are of either form.", FORM,
         Evidence(events=[web()], form="jcs-exact-integers", issuer_form="python-sort-keys", leaf_form="python-sort-keys", signed=accented), issuer=["python-sort-keys"], registry=FORMS[1:])
    good("issuer-form-older-rust", "The same, after a migration to the Rust server.", FORM,
         Evidence(events=[web()], form="serde-jcs-0.1", issuer_form="jcs-exact-integers", signed=manifest("migrated", policy=ORDERLY)), issuer=["jcs-exact-integers"], registry=["serde-jcs-0.1"])
    delete = manifest("delete", original_filename="a\x7fb")
    good("delete-character", "DEL is written in two ways.", FORM, Evidence(signed=delete, form="python-sort-keys"), issuer=FORMS[:1], registry=FORMS[:1])

    good("integer-two-to-53-plus-one", "An integer that no double holds is signed exactly.", SPEC + "6", Evidence(signed=manifest("big", size_bytes=2**53 + 1)), issuer=FORMS, registry=FORMS)
    good("integer-beyond-64-bits", "An integer of more than 64 bits is signed exactly by the Python forms only.", SPEC + "6", Evidence(signed=manifest("huge", policy={"n": 2**64})), issuer=FORMS[:2], registry=FORMS[:2])
    good("float-python", "A float as Python prints it.", SPEC + "6", Evidence(form="python-sort-keys", signed=manifest("float", policy={"n": 1.0})), issuer=FORMS[:1], registry=FORMS[:1])
    longer = Evidence(form="python-sort-keys", signed=manifest("float", policy={"n": 0.1}))
    good("number-spelled-longer", "A number with digits that no double keeps, where the double was signed.", SPEC + "6", longer, text=longer.text().replace('"n":0.1', '"n":0.1000000000000000055511151231257827'), notes=[("interop.rounded-number", "/manifest/policy/n")])
    good("float-rust", "A float that the Rust server returns with its fraction and signs without it.", BUNDLE, Evidence(form="serde-jcs-0.1", signed=manifest("float", policy={"n": 1.0, "m": 1e20, "z": -0.0})), issuer=FORMS[2:], registry=FORMS[2:])
    good("null-signed", "A null inside the policy that the Rust server signed as null.", MANIFEST, Evidence(form="serde-jcs-0.1", signed=manifest("null", policy={"n": None})), issuer=FORMS[2:], registry=FORMS)

    older = manifest("older issuer")
    del older["l3_policy"], older["canonical_content_hash"]
    good("older-issuer", "A manifest signed before two members existed: only the reading with both removed fits.", MANIFEST, Evidence(events=[web()], form="serde-jcs-0.1", signed=older), issuer=FORMS[2:], registry=FORMS, notes=[("interop.legacy-reading", "/manifest")])
    full = manifest("defaults", content_type="application/octet-stream")
    wire = {name: value for name, value in full.items() if name not in ("content_type", "l3_policy", "signature_ml_dsa")}
    good("defaults-left-out", "Members that the manifest leaves out are signed with their defaults.", MANIFEST, Evidence(signed=full, wire=wire), issuer=FORMS)
    ml = manifest("ml-dsa")
    good("second-signature-present", "The second signature field is blank in the signed bytes whatever it holds.", MANIFEST, Evidence(signed=ml, wire={**ml, "signature_ml_dsa": "00ff"}), issuer=FORMS, notes=[("interop.unsigned-slot", "/manifest/signature_ml_dsa")])
    good("recipient-with-signing-key", "The recipient's optional signing key is a known member.", MANIFEST, Evidence(signed=manifest("recipient", recipient={"recipient_id": "reader@assayer.example", "x25519_pub": digest("x").hex(), "ed25519_pub": digest("y").hex()})), issuer=FORMS)
    good("beacon-with-further-members", "A beacon may carry members of its own, which are signed.", MANIFEST, Evidence(signed=manifest("beacon", beacons=[{"token_id": token("own"), "kind": "dns", "note": "lobby"}])), issuer=FORMS)
    numbered = Evidence(form="serde-jcs-0.1", signed=manifest("number as token", beacons=[{"token_id": 7, "kind": "dns"}]))
    numbered.body["beacons"][0]["token_id"] = "7"
    good("token-is-number", "A token that was signed as a number is stored as its text.", FAULTS, numbered.seal())
    good("no-beacons-no-watermarks", "A file without beacons and watermarks has no rows.", MANIFEST, Evidence(signed=manifest("plain", beacons=[], watermarks=[])))
    good("watermarks-of-two-layers", "One mark in two layers is two rows.", FAULTS, Evidence(signed=manifest("marks", watermarks=[{"layer": "L1_zero_width", "mark_id": "00ff"}, {"layer": "L3_semantic", "mark_id": "00ff"}])))
    good("beacons-empty", "A file with one watermark and no beacon.", FAULTS, Evidence(signed=manifest("marked", beacons=[], watermarks=[{"layer": "L1_zero_width", "mark_id": "00ff"}])))


def trust_in_time(good, one):
    """Key windows, the age of a bundle, and what is left open whatever the caller trusts."""
    at = START + 5000
    window = lambda **bounds: {**BOTH, "windows": [{"key": REGISTRY.hex, **bounds}]}
    age = lambda now, most: {**BOTH, "freshness": {"now": now, "most_seconds": most}}
    policy = "docs/auditors.md, A trust policy"
    outside, stale = [("registry-key", "key.outside-window")], [("freshness", "time.stale")]
    good("key-within-window", "The bundle is of a time at which its key is trusted, both ends included.", policy, one, {**window(**{"from": at, "until": at})})
    good("key-window-of-another", "A window of another key says nothing about this one.", policy, one, {**BOTH, "windows": [{"key": OTHER_REGISTRY.hex, "until": 0}]})
    good("key-before-window", "The key is trusted, but only from a second later on.", policy, one, window(**{"from": at + 1}), open=outside)
    good("key-after-window", "The key is trusted, but only until a second earlier.", policy, one, window(until=at - 1), open=outside)
    backdated = one.copy()
    backdated.body["bundle_generated_at"] = utc(START)
    good("key-window-before-event", "A bundle cannot be older than the events in it, whatever time it gives.", policy, backdated.seal(), window(until=START + 5), open=outside, notes=[("event.after-bundle", "/bundle_generated_at")])

    def dated(seconds, change=lambda body: None, events=(), form="jcs-exact-integers"):
        evidence = Evidence(events=events, form=form)
        evidence.body["bundle_generated_at"] = utc(START + seconds)
        change(evidence.body)
        return evidence.seal()

    times = "docs/decisions/event-times.md"
    good("registered-after-bundle", "A row was registered later than the bundle that shows it: the registry's clock was set back, or one of the times is wrong.", times, dated(4), notes=[("time.after-bundle", "/beacons/0/registered_at")])
    good("issued-after-bundle", "The issuer says to have made the manifest later than the registry made the bundle.", times, Evidence(signed=manifest("signed later", issued_at=START + 5006)), notes=[("time.after-bundle", "/manifest/issued_at")])
    good("event-before-registration", "An event is older than the rows: the file was registered again, or one of the times is wrong.", times, Evidence(events=[web(at=4)]), notes=[("event.before-registration", "/events/0/timestamp")])
    windows = "docs/decisions/key-windows.md"
    good("key-window-began-after-events", "A log goes on when its registry changes the key: events, registration and manifest are older than the key.", windows, one, window(**{"from": START + 4500}))
    good("key-window-before-registration", "A bundle cannot be older than the registration times in its rows.", windows, dated(0), window(until=START + 9), open=outside)
    good("key-window-to-registration", "The rows were registered in the last second of the key.", windows, dated(0), window(until=START + 10))
    broken = dated(0, lambda body: body["watermarks"][1].update(registered_at=START + 10.5), form="python-sort-keys")
    good("key-window-before-broken-second", "A registration time with a fraction is a time too.", windows, broken, window(until=START + 10), open=outside)
    second = dated(55, events=[web(row={"timestamp": START + 60, "qualified_timestamp": utc(START + 63)})])
    second.leaves[3] = canon.canonical(second.form, leaf_of(second.body["events"][0]))
    second.body.update(tlog_head=second.head(), tlog_proofs=[second.proof(0, 3)])
    good("key-window-between-two-times", "Of the two times of an event one is of a time at which the key is trusted no more.", windows, second.seal(), window(until=START + 61), open=outside)
    signed_later = Evidence(signed=manifest("signed later", issued_at=START + 5001))
    good("key-window-before-manifest", "The issuer says to have made the manifest when the registry's key was trusted no more.", windows, signed_later, window(until=START + 5000), open=outside)
    good("key-window-to-manifest", "The issuer says to have made the manifest in the last second of the registry's key.", windows, signed_later, window(until=START + 5001))
    early = dated(500)
    good("key-window-before-leaf", "The log shows leaves under the bundle's head that are later than the key.", windows, early, {**window(until=START + 4002), "log": early.log()}, open=outside)
    good("key-window-to-last-leaf", "The last leaf under the bundle's head is of the last second of the key.", windows, early, {**window(until=START + 4003), "log": early.log()})
    good("key-window-without-log", "Without the log nobody sees how late the leaves under the head are.", windows, early, window(until=START + 4002))
    receipt = dated(0, lambda body: [row.update(registered_at=START) for row in body["beacons"] + body["watermarks"]]).with_receipts()
    good("key-window-before-receipt", "A bundle cannot be older than the receipts in it.", windows, receipt, window(until=START + 9), open=outside)
    gap = {**BOTH, "windows": [{"key": REGISTRY.hex, "until": START + 8}, {"key": REGISTRY.hex, "from": START + 11}]}
    good("key-window-with-gap", "The bundle is of the key's first window, and what is in it of the time between two.", windows, dated(5), gap, open=outside)
    gap = {**BOTH, "windows": [{"key": REGISTRY.hex, "until": START + 8}, {"key": REGISTRY.hex, "from": START + 10}]}
    good("key-window-across-gap", "The bundle is of the key's first window, and what is in it of the second: it was signed in the second.", windows, dated(5), gap)
    good("fresh", "As old as the caller allows, to the second.", policy, one, age(at + 60, 60))
    good("fresh-ahead", "The clock of the registry is five minutes ahead.", policy, one, age(at - 300, 60))
    good("stale", "A second older than the caller allows.", policy, one, age(at + 61, 60), open=stale)
    good("stale-future", "More than five minutes from the future.", policy, one, age(at - 301, 60), open=stale)
    good("left-open", "What no bundle shows by itself is left open, with the reason.", FAULTS, one, open=[
        ("registration", "registration.no-proof"), ("completeness", "registration.no-proof"), ("log-root", "input.not-given"), ("freshness", "input.not-given"), ("time", "time.server-clock"),
    ])
    good("left-open-without-pins", "Without anchors both keys are left open.", FAULTS, one, {}, open=[("issuer-key", "key.not-pinned"), ("registry-key", "key.not-pinned")])
    short = "".join(one.log().splitlines(keepends=True)[:-1])
    good("log-too-short", "A log that ends before the head shows nothing and accuses nobody.", TREE, one, {**BOTH, "log": short}, open=[
        ("registration", "log.too-short"), ("completeness", "log.too-short"), ("log-root", "log.too-short"),
    ])


def strange_leaves(good, one):
    """Logs that lead to the head and do not show what they should."""

    def with_leaf(position, leaf, also=()):
        evidence = one.copy()
        evidence.leaves[position] = leaf
        for place, record in also:
            evidence.leaves[place] = canon.canonical(one.leaf_form, record)
        evidence.body.update(tlog_head=evidence.head(), tlog_proofs=[evidence.proof(0, 3)])
        return evidence.seal()

    other = one.leaves[1].replace(ISSUER.hex.encode(), OTHER_ISSUER.hex.encode())
    shared = with_leaf(2, other, [(-1, json.loads(one.leaves[1]))])
    good("registered-by-another-in-between", "The file's issuer registered it first and last, another one in between, which no registry may let him.", TREE, shared, {**BOTH, "log": shared.log()}, open=[("registration", "log.registration-differs")])
    again = with_leaf(2, one.leaves[1])
    good("registered-again", "The file's issuer registered it twice.", TREE, again, {**BOTH, "log": again.log()})
    receipts = two_receipts(ISSUER)
    good("receipts-of-one-issuer", "Two receipts, of registrations by one issuer.", ANNOUNCED, receipts)
    registered = json.loads(one.leaves[1])
    both = [("registration", "log.encoding"), ("completeness", "log.encoding")]
    text = lambda **change: canon.canonical(one.leaf_form, {**registered, "recipient_id": "somebody@assayer.example", **change})
    for name, leaf, why, left in (
        ("in-capitals", text(event="REGISTER"), "is of no known event, and names this file: it may be its registration for somebody else", both),
        ("called-otherwise", text(event="re-register"), "is of no known event, and names this file: it may be its registration for somebody else", both),
        ("file-left-out", canon.canonical(one.leaf_form, {name: value for name, value in registered.items() if name != "file_id"}), "registers something that it does not name", both),
        ("file-is-null", text(file_id=None), "registers no file", both),
        ("file-is-list", text(file_id=[registered["file_id"]]), "names the file that it registers in a list", both),
        ("member-twice", text().replace(b'{', b'{"event":"register",', 1), "has a member twice: one reader finds this in it, another that", both),
        ("unknown-of-another-file", text(event="REGISTER", file_id=uuid("elsewhere")), "is of no known event, and names another file: it is no registration of this one", both[1:]),
    ):
        strange = with_leaf(-1, leaf)
        good(f"log-with-registration-{name}", f"A leaf {why}.", TREE, strange, {**BOTH, "log": strange.log()}, open=left)
    unclear = with_leaf(-1, one.leaves[3].replace(b'"beacon"', b'"Beacon"'))
    doubt = "the bundle may leave an event out", [("completeness", "log.event-missing")]
    elsewhere = uuid("elsewhere")
    by_then = lambda beacons, at=2: [(at, register_leaf(elsewhere, "reader@assayer.example", "issuer@assayer.example", OTHER_ISSUER.hex, beacons, 0, START + 60))]
    for name, file_id, why, (so, left), also in (
        ("of-no-file", None, "of no file, as of one that was not registered yet", doubt, ()),
        ("of-another-file", elsewhere, "of another file, which has the token by its own registration", ("it is that file's event", []), by_then(1)),
        ("of-an-unregistered-file", elsewhere, "of another file, which was never registered", doubt, ()),
        ("of-a-file-without-beacons", elsewhere, "of another file, which was registered without a beacon", doubt, by_then(0)),
        ("of-a-file-registered-later", elsewhere, "of another file, which was registered only afterwards", doubt, by_then(1, -1)),
        ("of-the-file-in-capitals", one.body["file_id"].upper(), "of this file in capitals, as which nothing was registered", doubt, ()),
        ("of-an-empty-name", "", "of a file without a name", doubt, ()),
    ):
        astray = json.loads(one.leaves[3])
        astray.update(file_id=file_id, recipient_id=None)
        stray = with_leaf(-2, canon.canonical(one.leaf_form, astray), also)
        good(f"log-with-token-{name}", f"A leaf has a token that the issuer signed, and is {why}: {so}.", TREE, stray, {**BOTH, "log": stray.log()}, open=left)
    for name, change, why in (
        ("file-is-list", {"file_id": [one.body["file_id"]]}, "names its file in a list"),
        ("file-is-object", {"file_id": {"id": one.body["file_id"]}}, "names its file in an object"),
        ("token-is-list", {"file_id": None, "recipient_id": None, "token_id": [json.loads(one.leaves[3])["token_id"]]}, "is of no file and names its token in a list"),
    ):
        strange = with_leaf(-1, canon.canonical(one.leaf_form, {**json.loads(one.leaves[3]), **change}))
        good(f"log-where-{name}", f"A leaf of an event {why}: nobody can say that it is of no event of this file.", TREE, strange, {**BOTH, "log": strange.log()}, open=[("completeness", "log.encoding")])
    good("log-with-unclear-leaf", "A leaf that is of no known event may be of an event of this file that the bundle leaves out.", TREE, unclear, {**BOTH, "log": unclear.log()}, open=[("registration", "log.encoding"), ("completeness", "log.encoding")])


def two_receipts(first):
    """Evidence with receipts of two registrations of its file, the second by its issuer."""
    evidence = Evidence(events=[web()], form="python-sort-keys")
    evidence.leaves[0] = evidence.leaves[1].replace(ISSUER.hex.encode(), first.hex.encode())
    evidence.body.update(tlog_head=evidence.head(), tlog_proofs=[evidence.proof(0, 3)])
    return evidence.with_receipts(evidence.receipt(index=1), evidence.receipt(index=0))


def spellings(good):
    """What the issuer's text may look like, and what is noted about it."""
    noted = lambda *at: [("interop.hex-spelling", pointer) for pointer in at]
    signature, key = "/manifest/signature_ed25519", "/manifest/issuer_ed25519_pub"

    def respelt(change):
        evidence = Evidence(events=[web()])
        manifest = evidence.body["manifest"]
        manifest["signature_ed25519"] = change(manifest["signature_ed25519"])
        return evidence.seal()

    good("signature-in-capitals", "The issuer's signature is the same in capitals.", MANIFEST, respelt(str.upper), notes=noted(signature))
    good("signature-spaced", "The issuer's signature is the same with white space between its bytes.", MANIFEST, respelt(lambda text: " ".join(text[i : i + 2] for i in range(0, 128, 2)) + "\n"), notes=noted(signature))
    capitals = manifest("key in capitals", issuer_hex=ISSUER.hex.upper())
    good("key-in-capitals", "The issuer signed a manifest that has the key in capitals.", MANIFEST, Evidence(events=[web()], signed=capitals), notes=noted(key))
    plain = manifest("null dropped", policy=ORDERLY)
    wire = {**plain, "policy": {**plain["policy"], "expires": None}}
    good("null-dropped", "A null inside the policy that the Python servers leave out of the signed bytes.", MANIFEST, Evidence(signed=plain, wire=wire), issuer=["jcs-exact-integers"], notes=[("interop.null-dropped", "/manifest/policy/expires")])
    good("kind-unknown", "A kind of event that the protocol does not know is noted.", LEAVES, Evidence(events=[web(kind="fax")]), notes=[("event.kind-unknown", "/events/0/kind")])


class Tamperer:
    """One fault a case, each beside the good bundle from which it was made."""

    def __init__(self, writer):
        self.writer = writer
        self.none, self.one, self.three = Evidence(), Evidence(events=[web()]), Evidence(events=THREE_EVENTS)
        self.tied = Evidence(events=[web(at=60), web(kind="ocsp", at=60)])
        self.twins = {id(self.none): "good/no-events", id(self.one): "good/one-event", id(self.three): "good/three-events", id(self.tied): "good/events-within-one-second"}

    def all(self):
        for step in (self.texts, self.shapes, self.file_ids, self.issuer_signatures, self.issuer_policy, self.members, self.receipts, self.keys, self.rows, self.registry_signatures,
                     self.heads, self.inclusions, self.bindings, self.orders, self.several):
            step()

    def case(self, name, why, spec, evidence, refuted, twin, trust=BOTH, text=None, open=()):
        layer = name.split("/")[0]
        assert refuted[0][0] == layer or layer == "several", name
        add(self.writer, name, why, spec, evidence.text() if text is None else text, trust, refuted, twin, open=open)

    def tamper(self, name, why, spec, code, at, change, base=None, resign=True, trust=BOTH, layer=None, open=()):
        """Changes a copy of a good bundle, has the registry sign it again, and expects one refuted layer."""
        base = base or self.one
        evidence = base.copy()
        change(evidence)
        if resign:
            evidence.seal()
        layer = layer or name.split("/")[0]
        self.case(name, why, spec, evidence, [(layer, code, at)], self.twins[id(base)], trust, open=open)

    def texts(self):
        def text(name, why, code, at, change, spec="RFC 8259 section 2"):
            self.case(name, why, spec, None, [(name.split("/")[0], code, at)], "good/one-event", text=change(self.one.text()))

        text("json/empty", "Nothing was handed over.", "json.empty", "", lambda t: "")
        text("json/byte-order-mark", "A byte order mark stands before the bundle.", "json.bom", "", lambda t: "\ufeff" + t)
        text("json/truncated", "The end of the bundle is missing.", "json.end", "", lambda t: t[:-1])
        text("json/trailing-bytes", "Something follows the bundle.", "json.trailing", "", lambda t: t + "{}")
        text("json/comma-trailing", "A comma before the last brace.", "json.syntax", "", lambda t: t[:-1] + ",}")
        text("json/duplicate-key", "The file id is given twice; a lenient reader would keep the second.", "json.duplicate-key", "/file_id", lambda t: t[:-1] + ',"file_id":"other"}', "RFC 7493 section 2.3")
        text("json/duplicate-key-in-manifest", "A member of the manifest is given twice, once with an escape in its key.", "json.duplicate-key", "/manifest/issuer_id", lambda t: t.replace('"recipient":{', '"\\u0069ssuer_id":"mallory","recipient":{', 1), "RFC 7493 section 2.3")
        text("json/lone-surrogate", "Half a character in the disclaimer.", "json.lone-surrogate", "/disclaimer", lambda t: t.replace('"disclaimer":"', '"disclaimer":"\\ud800', 1), "RFC 8259 section 8.2")
        text("json/control-character", "A raw line feed inside a string.", "json.control-character", "/disclaimer", lambda t: t.replace('"disclaimer":"', '"disclaimer":"\n', 1), "RFC 8259 section 7")
        text("json/escape", "An escape that JSON does not have.", "json.escape", "/disclaimer", lambda t: t.replace('"disclaimer":"', '"disclaimer":"\\x41', 1), "RFC 8259 section 7")
        text("json/number-leading-zero", "A number with a leading zero.", "json.number", "/manifest/size_bytes", lambda t: t.replace('"size_bytes":2048', '"size_bytes":02048', 1), "RFC 8259 section 6")
        text("limits/depth", "The policy is nested too deeply.", "limits.depth", "/manifest/policy/deep" + "/0" * 997, lambda t: t.replace('"policy":{', '"policy":{"deep":' + "[" * 1000 + "]" * 1000 + ",", 1), "RFC 8259 section 9")
        text("limits/number", "A number has more digits than any reader needs.", "limits.number", "/manifest/policy/long", lambda t: t.replace('"policy":{', '"policy":{"long":' + "1" * 4302 + ",", 1), "RFC 8259 section 9")

    def shapes(self):
        for name in ("file_id", "bundle_generated_at", "registry_pub", "manifest", "beacons", "watermarks", "events", "tlog_proofs"):
            self.tamper(f"shape/without-{name.replace('_', '-')}", f"The bundle has no {name}.", SHAPES, "bundle.member-missing", f"/{name}", lambda e, n=name: e.body.pop(n))
        for name, value, kind in (("file_id", 7, "a number"), ("registry_pub", None, "null"), ("manifest", [], "a list"), ("manifest", None, "null"), ("events", {}, "an object"), ("beacons", None, "null"), ("watermarks", "[]", "a string"), ("tlog_proofs", {}, "an object")):
            self.tamper(f"shape/{name.replace('_', '-')}-is-{kind.split()[-1]}", f"The member {name} is {kind}.", SHAPES, "bundle.member-type", f"/{name}", lambda e, n=name, v=value: e.body.update({n: v}))
        gaps = [(layer, "input.not-reached") for layer in ("inclusion", "event-binding", "event-order")]
        self.tamper("shape/events-is-null", "The member events is null, so that nothing can be said about them.", SHAPES, "bundle.member-type", "/events", lambda e: e.body.update(events=None), open=gaps)
        self.tamper("shape/event-is-number", "A row of the events is no object.", SHAPES, "bundle.member-type", "/events/0", lambda e: e.body["events"].__setitem__(0, 7))
        for name, member, event, why in (
            ("source-ip-is-object", "source_ip", {"ip": {"v4": "203.0.113.9"}}, "The address of an event is an object, in row and leaf alike."),
            ("user-agent-is-list", "user_agent", {"agent": ["reader/1.0"]}, "The user agent of an event is a list, in row and leaf alike."),
            ("token-is-number", "token_id", {"row": {"token_id": 17}}, "The token of an event is a number, in row and leaf alike."),
            ("kind-is-null", "kind", {"row": {"kind": None}}, "The kind of an event is null, in row and leaf alike."),
            ("event-id-is-object", "id", {"row": {"id": {}}}, "The id of an event is an object."),
        ):
            self.case(f"shape/{name}", why, SHAPES, Evidence(events=[web(**event)]), [("shape", "bundle.member-type", f"/events/0/{member}")], "good/one-event")
        for rows in ("beacons", "watermarks"):
            self.tamper(f"shape/{rows}-registered-at-is-text", "The time of registration is a text.", SHAPES, "bundle.member-type", f"/{rows}/0/registered_at", lambda e, rows=rows: e.body[rows][0].update(registered_at=utc(START)))
        self.case("shape/root-is-list", "A bundle is one object, not a list of them.", SHAPES, None, [("shape", "bundle.member-type", "")], "good/one-event", text=f"[{self.one.text()}]")

    def file_ids(self):
        at, code = "/manifest/file_id", "bundle.file-id-differs"
        self.tamper("file-id/bundle-names-another", "The bundle claims to be about another file than its manifest.", FAULTS, code, at, lambda e: e.body.update(file_id=uuid("elsewhere")))
        self.tamper("file-id/requested-another", "A bundle in good order, but not of the file that was asked for.", FAULTS, code, "/file_id", lambda e: None, trust={**BOTH, "file_id": uuid("elsewhere")})
        self.tamper("file-id/letter-case", "File ids are compared as text, upper case included.", FAULTS, code, at, lambda e: e.body.update(file_id=e.body["file_id"].upper()))

    def issuer_signatures(self):
        sig, key = "/manifest/signature_ed25519", "/manifest/issuer_ed25519_pub"
        signature = self.one.body["manifest"]["signature_ed25519"]
        s = int.from_bytes(bytes.fromhex(signature)[32:], "little")

        def edit(name, why, code, change, at=sig):
            self.tamper(f"issuer-signature/{name}", why, MANIFEST, code, at, lambda e: change(e.body["manifest"]))

        def replace(name, why, code, value):
            edit(name, why, code, lambda m: m.update(signature_ed25519=value))

        edit("absent", "The manifest was stripped of its signature.", "manifest.signature-missing", lambda m: m.pop("signature_ed25519"))
        replace("empty", "The signature was blanked, as it is in the signed bytes.", "manifest.signature-missing", "")
        replace("not-hexadecimal", "A signature is written in hexadecimal.", "manifest.signature-encoding", "zz" + signature[2:])
        replace("odd-length", "Hexadecimal digits come in pairs.", "manifest.signature-encoding", signature[:-1])
        replace("prefix-0x", "A signature has no prefix.", "manifest.signature-encoding", "0x" + signature)
        replace("of-63-bytes", "A signature has 64 bytes.", "ed25519.signature-length", signature[:-2])
        replace("of-65-bytes", "A signature has 64 bytes and no more.", "ed25519.signature-length", signature + "00")
        replace("s-plus-l", "The other S that satisfies the equation.", "ed25519.s-out-of-range", signature[:64] + (s + ed.L).to_bytes(32, "little").hex())
        replace("zero", "R and S are zero bytes.", "ed25519.r-small-order", "00" * 64)
        replace("bit-flipped", "One bit of S differs.", "manifest.signature-mismatch", signature[:64] + (s ^ 1).to_bytes(32, "little").hex())
        replace("of-another-file", "The issuer's signature of another manifest.", "manifest.signature-mismatch", self.three.issuer.sign(b"another manifest"))
        edit("file-name-changed", "A member was changed after signing.", "manifest.signature-mismatch", lambda m: m.update(original_filename="minutes2.txt"))
        edit("size-changed", "A number was changed after signing.", "manifest.signature-mismatch", lambda m: m.update(size_bytes=2049))
        edit("policy-member-added", "A member was added inside the policy, which is signed as it stands.", "manifest.signature-mismatch", lambda m: m["policy"].update(note="added"))
        edit("policy-emptied", "The policy was emptied.", "manifest.signature-mismatch", lambda m: m.update(policy={}))
        edit("beacons-reordered", "The order within a signed array is signed.", "manifest.signature-mismatch", lambda m: m["beacons"].reverse())
        edit("hash-removed", "A member with content was removed, so its default stands in the signed bytes.", "manifest.signature-mismatch", lambda m: m.pop("content_hash"))

        replaced = self.one.copy()
        replaced.body["manifest"]["issuer_ed25519_pub"] = OTHER_ISSUER.hex
        replaced.seal()
        self.case("issuer-signature/key-replaced", "The key was replaced, the signature was not.", MANIFEST, replaced, [("issuer-signature", "manifest.signature-mismatch", sig)], "good/registry-key-only", {"registry_key": REGISTRY.hex})

        def resigned(name, why, code, at=sig, **options):
            evidence = Evidence(events=[web()], **options)
            self.case(f"issuer-signature/{name}", why, MANIFEST, evidence, [("issuer-signature", code, at)], "good/one-event")

        stripped = manifest("file")
        bare = {name: value for name, value in stripped.items() if not name.startswith("signature_")}
        resigned("signed-without-signature-fields", "The signed bytes hold both signature fields as empty strings; here they were left out.", "manifest.signature-mismatch", signed=bare, wire=stripped)
        half = {name: value for name, value in stripped.items() if name != "canonical_content_hash"}
        resigned("one-of-two-newer-members-unsigned", "An older reading leaves out both newer members or none.", "manifest.signature-mismatch", signed={**half, "l3_policy": {}}, wire={**half, "l3_policy": {}})
        resigned("signed-unsorted", "The issuer signed its own text instead of the canonical form.", "manifest.signature-mismatch", manifest_signature=lambda _: ISSUER.sign(json.dumps(stripped, separators=(",", ":")).encode()))
        resigned("signed-with-spaces", "The issuer signed a text with white space in it.", "manifest.signature-mismatch", manifest_signature=lambda _: ISSUER.sign(json.dumps(stripped, sort_keys=True).encode()))
        resigned("signed-hash", "The issuer signed the hash of the canonical form.", "manifest.signature-mismatch", manifest_signature=lambda message: ISSUER.sign(ed.hashlib.sha256(message).digest()))

    def issuer_policy(self):
        """Issuer keys that a lax verifier accepts; no issuer key is pinned, as an attacker's would not be."""
        key, trust = "/manifest/issuer_ed25519_pub", {"registry_key": REGISTRY.hex}
        identity = ed.encode(ed.IDENTITY)

        def forged(name, why, code, public, manifest_signature=None, label="file"):
            signed = manifest(label, public.hex())
            evidence = Evidence(events=[web()], issuer=None, signed=signed, manifest_signature=manifest_signature or (identity + bytes(32)).hex())
            self.case(f"issuer-signature/{name}", why, MANIFEST, evidence, [("issuer-signature", code, key)], "good/registry-key-only", trust)

        forged("key-identity", "The identity as key, with R = identity and S = 0, signs every manifest.", "ed25519.key-small-order", identity)
        for point in sorted((ed.encode(p) for p in ed.small_order_points()), key=bytes.hex):
            order = next(n for n in (1, 2, 4, 8) if ed.equal(ed.multiply(n, ed.decode(point)), ed.IDENTITY))
            if order == 1 or point.hex()[:4] == "26e8":
                continue
            label = next(f"ground {i}" for i in range(1000) if ed.lax_accepts(point, canon.canonical("jcs-exact-integers", manifest(f"ground {i}", point.hex())), identity + bytes(32)))
            forged(f"key-order-{order}-{point.hex()[:4]}{point.hex()[-2:]}", f"A key of order {order} and a file id chosen so that the forgery fits.", "ed25519.key-small-order", point, label=label)
        forged("key-y-too-large", "The identity in its other encoding, with y = p + 1.", "ed25519.key-not-canonical", (ed.P + 1).to_bytes(32, "little"))
        y = next(y for y in range(2, 99) if ed.recover_x(y, 0) is None)
        forged("key-not-a-point", "The key is no point of the curve.", "ed25519.key-not-a-point", y.to_bytes(32, "little"))
        forged("key-of-31-bytes", "The key is a byte short.", "ed25519.key-length", ISSUER.public[:-1])

    def members(self):
        """Members that the Rust server drops before it checks the signature, yet returns."""
        base = Evidence(events=[web()], form="serde-jcs-0.1")
        self.twins[id(base)] = "good/one-event"

        def inject(name, why, at, change):
            self.tamper(f"manifest-members/{name}", why, MANIFEST, "manifest.unsigned-member", at, change, base)

        inject("at-the-top", "A member that the signed bytes do not hold.", "/manifest/approved_by", lambda e: e.body["manifest"].update(approved_by="the board"))
        inject("in-recipient", "An unsigned member beside the recipient's id.", "/manifest/recipient/legal_name", lambda e: e.body["manifest"]["recipient"].update(legal_name="Mallory"))
        inject("in-watermark", "An unsigned member inside a watermark.", "/manifest/watermarks/1/note", lambda e: e.body["manifest"]["watermarks"][1].update(note="x"))
        inject("signature-lookalike", "A name that differs from a known one by a letter's case.", "/manifest/Issuer_id", lambda e: e.body["manifest"].update(Issuer_id="mallory"))

    def receipts(self):
        """The registration receipts of the announced dialect; whoever tampers holds the registry's key, save where a signature is the defect."""
        base = Evidence(events=[web()], form="python-sort-keys").with_receipts()
        self.twins[id(base)] = "good/receipt"
        at = "/registration_receipts"

        def change(name, why, code, where, build):
            def apply(evidence):
                evidence.body["registration_receipts"] = build(evidence)

            self.tamper(f"registration/receipt-{name}", why, ANNOUNCED, code, where, apply, base)

        change("none", "The list of receipts is empty.", "receipt.encoding", at, lambda e: [])
        change("no-list", "The receipts are no list.", "receipt.encoding", at, lambda e: e.receipt())
        change("signature-short", "Half of the signature is missing.", "receipt.encoding", f"{at}/0/signature", lambda e: [{**e.receipt(), "signature": e.receipt()["signature"][:64]}])
        change("signed-by-another", "Another key signed the receipt.", "receipt.signature-mismatch", f"{at}/0/signature", lambda e: [e.receipt(key=OTHER_REGISTRY)])
        change("time-changed", "The time of the registration was changed after signing.", "receipt.signature-mismatch", f"{at}/0/signature", lambda e: [{**e.receipt(), "registered_at": START}])
        change("time-as-text", "The time of the registration is a text, and signed for.", "receipt.encoding", f"{at}/0/registered_at", lambda e: [e.receipt(registered_at=utc(START))])
        change("leaf-replaced", "Other leaf bytes stand under the true leaf hash.", "receipt.leaf-differs", f"{at}/0/leaf_hash", lambda e: [e.receipt(leaf_data_hex=e.leaves[0].hex())])
        change("of-another-file", "A rightly signed and proven receipt of another file.", "receipt.leaf-differs", f"{at}/0/leaf_data_hex", lambda e: [e.receipt(index=0)])
        change("of-an-event", "The leaf is that of an event.", "receipt.leaf-differs", f"{at}/0/leaf_data_hex", lambda e: [e.receipt(index=3)])
        change("key-not-of-the-leaf", "The receipt names another issuer key than its leaf.", "receipt.leaf-differs", f"{at}/0/leaf_data_hex", lambda e: [e.receipt(issuer_pub=OTHER_ISSUER.hex)])
        change("proof-of-another-leaf", "The proof is that of another leaf.", "proof.index-differs", f"{at}/0/proof/index", lambda e: [{**e.receipt(), "proof": e.receipt(index=0)["proof"]}])
        change("proof-of-an-older-tree", "The proof leads to the root of an older tree.", "proof.head-differs", f"{at}/0/proof/root", lambda e: [{**e.receipt(), "proof": e.proof(0, 1, size=3)["proof"]}])
        other = Evidence(events=[web()], issuer=OTHER_ISSUER, register_issuer=ISSUER.hex, form="python-sort-keys").with_receipts()
        where = "/manifest/issuer_ed25519_pub"
        self.case("registration/receipt-of-another-issuer", "The receipt is good, and of a registration by another issuer.", ANNOUNCED, other, [("registration", "log.registration-differs", where)], "good/receipt", {"registry_key": REGISTRY.hex, "issuer_keys": [OTHER_ISSUER.hex]})
        two = two_receipts(OTHER_ISSUER)
        self.case("registration/receipts-of-two-issuers", "A receipt of an earlier registration, by another issuer, stands beside the one of this manifest.", "oversight-requirements SI-3", two, [("registration", "registration.issuer-differs", where)], "good/receipts-of-one-issuer")
        two.body["registration_receipts"] = two.body["registration_receipts"][:1]
        self.case("registration/receipt-beside-the-log-of-two-issuers", "A receipt shows one registration; the log that was given shows another issuer's before it.", ANNOUNCED, two.seal(), [("registration", "registration.issuer-differs", where)], "good/receipts-of-one-issuer", {**BOTH, "log": two.log()})

    def keys(self):
        at = "/manifest/issuer_ed25519_pub"
        same = lambda e: None
        self.tamper("issuer-key/pinned-another", "The caller trusts another issuer.", FAULTS, "key.differs", at, same, trust={**BOTH, "issuer_keys": [OTHER_ISSUER.hex]})
        self.tamper("issuer-key/pinned-none-of-several", "None of the issuers that the caller trusts.", FAULTS, "key.differs", at, same, trust={**BOTH, "issuer_keys": [OTHER_ISSUER.hex, OTHER_REGISTRY.hex]})
        self.tamper("issuer-key/pinned-registry", "The registry's key is not the issuer's.", FAULTS, "key.differs", at, same, trust={**BOTH, "issuer_keys": [REGISTRY.hex]})
        swapped = Evidence(events=[web()], issuer=OTHER_ISSUER)
        self.case("issuer-key/manifest-of-another-issuer", "Another issuer signed a manifest for the same file.", FAULTS, swapped, [("issuer-key", "key.differs", at)], "good/one-event")
        hidden = Evidence(events=[web()], issuer=OTHER_ISSUER, register_issuer=ISSUER.hex)
        self.case("registration/log-names-another", "The register leaf in the log names another key than the manifest.", LEAVES, hidden, [("registration", "log.registration-differs", at)], "good/with-log", {"registry_key": REGISTRY.hex, "issuer_keys": [OTHER_ISSUER.hex], "log": hidden.log()})
        self.case("registration/log-names-another-without-pin", "The log speaks against the manifest's key although no key is pinned.", LEAVES, hidden, [("registration", "log.registration-differs", at)], "good/with-log", {"registry_key": REGISTRY.hex, "log": hidden.log()})
        unregistered = self.one.copy()
        unregistered.leaves[1] = unregistered.leaves[0]
        unregistered.body.update(tlog_head=unregistered.head(), tlog_proofs=[unregistered.proof(0, 3)])
        unregistered.seal()
        self.case("registration/log-has-none", "The log has no registration of this file.", LEAVES, unregistered, [("registration", "log.registration-missing", "/manifest/file_id")], "good/with-log", {**BOTH, "log": unregistered.log()})
        earlier = self.one.copy()
        earlier.leaves[0] = earlier.leaves[1].replace(ISSUER.hex.encode(), OTHER_ISSUER.hex.encode())
        earlier.body.update(tlog_head=earlier.head(), tlog_proofs=[earlier.proof(0, 3)])
        earlier.seal()
        self.case("registration/registered-by-another-before", "Another issuer registered the file first: it is his.", "oversight-requirements SI-3", earlier, [("registration", "registration.issuer-differs", at)], "good/registered-again", {**BOTH, "log": earlier.log()})
        self.tamper("registry-key/pinned-another", "The caller trusts another registry.", FAULTS, "key.differs", "/registry_pub", same, trust={**BOTH, "registry_key": OTHER_REGISTRY.hex})
        self.tamper("registry-key/pinned-issuer", "The issuer's key is not the registry's.", FAULTS, "key.differs", "/registry_pub", same, trust={**BOTH, "registry_key": ISSUER.hex})
        both = [("issuer-key", "key.differs", at), ("registry-key", "key.differs", "/registry_pub")]
        self.case("several/keys-swapped", "The caller took the two keys for each other: neither is trusted in its own role.", FAULTS, self.one, both, "good/one-event", {"registry_key": ISSUER.hex, "issuer_keys": [REGISTRY.hex]})
        foreign = self.one.copy()
        foreign.registry = OTHER_REGISTRY
        foreign.body.update(registry_pub=OTHER_REGISTRY.hex, tlog_head=foreign.head())
        foreign.seal()
        self.case("registry-key/signed-by-another", "Somebody else signed head and bundle and put their own key in.", FAULTS, foreign, [("registry-key", "key.differs", "/registry_pub")], "good/one-event")

    def rows(self):
        kinds = (("beacon-rows", "beacons", "token_id", "kind"), ("watermark-rows", "watermarks", "mark_id", "layer"))
        for layer, name, ident, second in kinds:
            def rows(case, why, change, code="rows.differ", at=f"/{name}", layer=layer, name=name):
                self.tamper(f"{layer}/{case}", why, FAULTS, code, at, lambda e: change(e.body[name]))

            rows("dropped", "A row that the issuer signed is missing.", lambda r: r.pop())
            rows("all-dropped", "All rows that the issuer signed are missing.", lambda r: r.clear())
            rows("invented", "A row that the issuer did not sign.", lambda r, i=ident: r.append({**r[0], i: token("invented")[: len(r[0][i])]}))
            rows("repeated", "A row stands there twice.", lambda r: r.append(dict(r[0])))
            rows(f"{ident.replace('_', '-')}-changed", f"The {ident} of a row differs from the signed one.", lambda r, i=ident: r[0].update({i: "00" * (len(r[0][i]) // 2)}))
            rows(f"{second}-changed", f"The {second} of a row differs from the signed one.", lambda r, s=second: r[1].update({s: "other"}))
            for member in ("file_id", "recipient_id", "issuer_id"):
                rows(f"{member.replace('_', '-')}-differs", f"The {member} of a row is not that of the manifest.", lambda r, m=member: r[1].update({m: "somebody else"}), "rows.identity-differs", f"/{name}/1/{member}")

        self.odd_items()

    def odd_items(self):
        """Signed arrays that a table of tokens cannot hold as they were signed."""
        twice = Evidence(signed=manifest("token twice", beacons=[{"token_id": token("twice"), "kind": "dns"}] * 2))
        twice.body["beacons"].pop()
        self.case("beacon-rows/signed-twice-stored-once", "A token was signed twice and is stored once.", FAULTS, twice.seal(), [("beacon-rows", "rows.differ", "/beacons")], "good/no-events")
        for name, item in (("kind-left-out", {"token_id": token("bare")}), ("kind-is-null", {"token_id": token("bare"), "kind": None})):
            signed = manifest(f"beacon {name}", beacons=[{"token_id": token("bare"), "kind": "dns"}])
            signed["beacons"] = [{**item, "note": "signed"}]
            stored = Evidence(form="serde-jcs-0.1", signed=signed, stored_kind="unknown")
            self.case(f"beacon-rows/{name}", "A kind that nobody signed is stored as unknown.", FAULTS, stored, [("beacon-rows", "rows.differ", "/beacons")], "good/no-events")

    def registry_signatures(self):
        at = "/bundle_signature_ed25519"
        s = int.from_bytes(bytes.fromhex(self.one.signature)[32:], "little")

        def broken(name, why, code, change, base=None):
            self.tamper(f"registry-signature/{name}", why, BUNDLE, code, at, change, base, resign=False)

        def replace(name, why, code, value):
            broken(name, why, code, lambda e: setattr(e, "signature", value))

        mismatch = "bundle.signature-mismatch"
        replace("absent", "The bundle carries no signature.", "bundle.signature-missing", None)
        replace("empty", "The bundle's signature is an empty string.", "bundle.signature-missing", "")
        replace("not-hexadecimal", "A signature is written in hexadecimal.", "bundle.signature-encoding", "zz" + self.one.signature[2:])
        replace("odd-length", "Hexadecimal digits come in pairs.", "bundle.signature-encoding", self.one.signature[:-1])
        replace("base64", "A signature is not written in base64.", "bundle.signature-encoding", "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8SNFZ4kA==")
        replace("bit-flipped", "One bit of S differs.", mismatch, self.one.signature[:64] + (s ^ 1).to_bytes(32, "little").hex())
        replace("of-another-bundle", "The registry's signature of another bundle.", mismatch, self.none.signature)
        broken("other-key", "Signed by a key other than the one it names.", mismatch, lambda e: e.seal(key=OTHER_REGISTRY))
        for name, member, value, why in (
            ("disclaimer-changed", "disclaimer", "A legal finding.", "The disclaimer was rewritten after signing."),
            ("time-changed", "bundle_generated_at", utc(START + 9999), "The time of the bundle was changed after signing."),
            ("member-added", "note", "added", "A member was added after signing."),
        ):
            broken(name, why, mismatch, lambda e, m=member, v=value: e.body.update({m: v}))
        broken("member-removed", "An optional member was taken away after signing.", mismatch, lambda e: e.body.pop("disclaimer"))
        broken("row-time-changed", "The registration time of a row is bound by this signature only.", mismatch, lambda e: e.body["beacons"][0].update(registered_at=START))
        broken("event-id-changed", "The id of an event row is bound by this signature only.", mismatch, lambda e: e.body["events"][0].update(id=99))
        broken("event-dropped", "The only event and its proof were taken away.", mismatch, lambda e: (e.body["events"].clear(), e.body["tlog_proofs"].clear()))
        broken("own-member-blank", "Signed with the signature member present and blank instead of absent.", mismatch, lambda e: e.seal(canon.canonical(e.form, {**e.body, "bundle_signature_ed25519": ""})))
        broken("signed-unsorted", "Signed over the text as sent instead of the canonical form.", mismatch, lambda e: e.seal(json.dumps(e.body, separators=(",", ":")).encode()))
        rounded = self.one.copy()
        rounded.body["rekor"] = {"bundle_schema": 2**53}
        rounded.seal()
        rounded.body["rekor"] = {"bundle_schema": 2**53 + 1}
        self.case("registry-signature/integer-rounds-to-signed", "An integer was changed to one that a double rounds to the signed one.", BUNDLE, rounded, [("registry-signature", mismatch, at)], "good/member-two-to-53")
        nulls = self.one.copy()
        nulls.body["rekor"] = None
        nulls.seal(canon.canonical(nulls.form, {name: value for name, value in nulls.body.items() if value is not None}))
        self.case("registry-signature/null-dropped", "Nulls of the bundle are part of the signed bytes.", BUNDLE, nulls, [("registry-signature", mismatch, at)], "good/member-added-and-signed")

    def heads(self):
        def head(name, why, code, at, change, base=None):
            self.tamper(f"tree-head/{name}", why, HEAD, code, at, change, base)

        def resign(e, message):
            e.body["tlog_head"].update(signed_message=message, signature=REGISTRY.sign(message.encode()))

        message = self.one.body["tlog_head"]["signed_message"]
        value = json.loads(message)
        signature = self.one.body["tlog_head"]["signature"]
        head("null", "There are events of a log, but no head of it.", "head.missing", "/tlog_head", lambda e: e.body.update(tlog_head=None))
        head("absent", "The member with the head is missing.", "head.missing", "/tlog_head", lambda e: e.body.pop("tlog_head"))
        head("signature-not-hexadecimal", "A signature is written in hexadecimal.", "head.encoding", "/tlog_head/signature", lambda e: e.body["tlog_head"].update(signature="zz" + signature[2:]))
        head("signature-odd-length", "Hexadecimal digits come in pairs.", "head.encoding", "/tlog_head/signature", lambda e: e.body["tlog_head"].update(signature=signature[:-1]))

        def zero_root(e):
            e.body["tlog_head"].update(size=0, root="00" * 32)
            resign(e, json.dumps({"root": "00" * 32, "size": 0}, separators=(",", ":")))

        head("empty-root-of-zeros", "The root of the empty tree is the hash of nothing, even if another is signed.", "head.empty-root", "/tlog_head/root", zero_root, self.none)

        def truncate(e):
            head = e.body["tlog_head"]
            head["root"] = head["root"][:-2]
            resign(e, json.dumps({"root": head["root"], "size": head["size"]}, separators=(",", ":")))

        head("root-of-31-bytes", "A root has 32 bytes.", "head.encoding", "/tlog_head/root", truncate, self.none)
        differs, at = "head.message-differs", "/tlog_head/signed_message"
        head("message-of-older-tree", "The signed message is that of an earlier head.", differs, at, lambda e: resign(e, e.head(size=5)["signed_message"]))
        head("message-with-other-size", "The signed message states another size.", differs, at, lambda e: resign(e, json.dumps({**value, "size": value["size"] + 1}, separators=(",", ":"))))
        head("message-with-spaces", "The signed message has one spelling, without white space.", differs, at, lambda e: resign(e, json.dumps(value)))
        head("message-reordered", "The signed message has one spelling, root before size.", differs, at, lambda e: resign(e, json.dumps({"size": value["size"], "root": value["root"]}, separators=(",", ":"))))
        head("message-with-newline", "The signed message has one spelling, without a line feed.", differs, at, lambda e: resign(e, message + "\n"))
        head("message-with-member", "The signed message has two members only.", differs, at, lambda e: resign(e, message[:-1] + ',"origin":"assayer.example"}'))
        mismatch, at = "head.signature-mismatch", "/tlog_head/signature"
        head("other-key", "The head was signed by another key than the bundle.", mismatch, at, lambda e: e.body.update(tlog_head=e.head(key=OTHER_REGISTRY)))
        head("signature-of-older-tree", "The signature is that of an earlier head.", mismatch, at, lambda e: e.body["tlog_head"].update(signature=e.head(size=5)["signature"]))
        head("signature-over-root-bytes", "The signature covers the bytes of the root instead of the message.", mismatch, at, lambda e: e.body["tlog_head"].update(signature=REGISTRY.sign(bytes.fromhex(value["root"]))))
        head("signature-bit-flipped", "One bit of the signature differs.", mismatch, at, lambda e: e.body["tlog_head"].update(signature=signature[:64] + f"{int(signature[64:66], 16) ^ 1:02x}" + signature[66:]))

    def inclusions(self):
        proof = lambda e, i=0: e.body["tlog_proofs"][i]

        def broken(name, why, code, change, at="/tlog_proofs/0", base=None, spec=TREE):
            self.tamper(f"inclusion/{name}", why, spec, code, at, change, base)

        def inner(name, why, code, change, base=None):
            broken(name, why, code, lambda e: change(proof(e)["proof"]), base=base)

        broken("proof-missing", "An event of the log comes without its proof.", "event.proof-missing", lambda e: e.body["tlog_proofs"].pop(1), "/events/1", self.three)
        broken("proofs-all-missing", "No event comes with a proof.", "event.proof-missing", lambda e: e.body["tlog_proofs"].clear(), "/events/0", self.three)
        broken("index-null", "An event that is in no log, and so has no proof.", "event.index-missing", lambda e: (e.body["events"][0].update(tlog_index=None), e.body["tlog_proofs"].clear()), "/events/0/tlog_index")
        broken("event-row-beyond", "A further proof points to a row that does not exist.", "proof.event-row", lambda e: e.body["tlog_proofs"].append({**copy.deepcopy(proof(e)), "event_row": 1}), "/tlog_proofs/1")
        broken("event-row-far-beyond", "A further proof points far beyond the rows.", "proof.event-row", lambda e: e.body["tlog_proofs"].append({**copy.deepcopy(proof(e)), "event_row": 2**53}), "/tlog_proofs/1")
        def other_inclusion(e):
            proof(e)["inclusion"] = {**copy.deepcopy(proof(e)["proof"]), "index": 0}

        broken("names-contradict", "The two names of the proof hold different proofs.", "proof.duplicate", other_inclusion)
        broken("proof-repeated", "One event has two proofs.", "proof.duplicate", lambda e: e.body["tlog_proofs"].append(copy.deepcopy(proof(e))), "/tlog_proofs/1")
        broken("index-of-entry-differs", "The entry names another index than the event row.", "proof.index-differs", lambda e: proof(e).update(tlog_index=proof(e)["tlog_index"] + 1))
        inner("index-of-proof-differs", "The proof names another index than the event row.", "proof.index-differs", lambda p: p.update(index=p["index"] + 1))
        broken("older-tree", "The proof leads to the root of an earlier tree.", "proof.head-differs", lambda e: e.body["tlog_proofs"].__setitem__(0, e.proof(0, 3, size=6)))
        inner("root-differs", "The proof names another root than the head.", "proof.head-differs", lambda p: p.update(root=merkle.sha256(b"other").hex()))
        inner("size-differs", "The proof names another size than the head.", "proof.head-differs", lambda p: p.update(tree_size=p["tree_size"] + 1))
        inner("sibling-not-hexadecimal", "A sibling is written in hexadecimal.", "proof.encoding", lambda p: p["proof"].__setitem__(0, "zz" + p["proof"][0][2:]))
        inner("sibling-of-31-bytes", "A sibling has 32 bytes.", "proof.encoding", lambda p: p["proof"].__setitem__(0, p["proof"][0][2:]))
        inner("sibling-of-33-bytes", "A sibling has 32 bytes and no more.", "proof.encoding", lambda p: p["proof"].__setitem__(0, p["proof"][0] + "00"))
        inner("path-too-short", "The last sibling is missing.", "merkle.path-length", lambda p: p["proof"].pop())
        inner("path-too-long", "A sibling too many.", "merkle.path-length", lambda p: p["proof"].append(p["proof"][0]))
        inner("path-empty", "No siblings at all.", "merkle.path-length", lambda p: p["proof"].clear())
        inner("path-reversed", "The siblings run from the root downwards.", "merkle.root-mismatch", lambda p: p["proof"].reverse())
        inner("sibling-flipped", "One bit of a sibling differs.", "merkle.root-mismatch", lambda p: p["proof"].__setitem__(1, f"{int(p['proof'][1][:2], 16) ^ 1:02x}" + p["proof"][1][2:]))
        broken("third-proof-broken", "The fault is in the last of three proofs.", "merkle.root-mismatch", lambda e: proof(e, 2)["proof"]["proof"].reverse(), "/tlog_proofs/2", self.three)

        def beyond(e):
            e.body["events"][0]["tlog_index"] = proof(e)["tlog_index"] = proof(e)["proof"]["index"] = e.body["tlog_head"]["size"]

        broken("index-beyond", "Row and proof agree on an index that the tree does not have.", "merkle.index-out-of-range", beyond)

        def shift(e):
            e.body["events"][0]["tlog_index"] = proof(e)["tlog_index"] = proof(e)["proof"]["index"] = 2

        broken("index-shifted", "Row and proof agree on the index of the neighbouring leaf.", "merkle.root-mismatch", shift)

    def bindings(self):
        def row(name, why, code, at, change, base=None, spec=LEAVES):
            self.tamper(f"event-binding/{name}", why, spec, code, at, lambda e: change(e.body["events"]), base)

        for member, value in (("user_agent", "reader/2.0"), ("source_ip", "192.0.2.1"), ("kind", "license"), ("token_id", token("file 0"))):
            row(f"{member.replace('_', '-')}-changed", f"The {member} of the row is not that of the leaf.", "event.leaf-differs", "/events/0", lambda r, m=member, v=value: r[0].update({m: v}))
        row("dns-user-agent", "A DNS event whose row shows a user agent that no leaf holds.", "event.extra", "/events/1/user_agent", lambda r: r[1].update(user_agent="reader/9.9"), self.three)
        row("times-changed-together", "Both times of the row were moved, the leaf was not.", "event.leaf-differs", "/events/0", lambda r: r[0].update(timestamp=START + 61, qualified_timestamp=utc(START + 61)))
        row("question-name-changed", "The question name is not that of the leaf.", "event.leaf-differs", "/events/1", lambda r: r[1].update(extra=json.dumps({"qtype": "A", "qname": "elsewhere.example"})), self.three)
        row("question-type-changed", "The question type is not that of the leaf.", "event.leaf-differs", "/events/1", lambda r: r[1].update(extra=r[1]["extra"].replace('"A"', '"AAAA"')), self.three)

        def other_leaf(e):
            stray = e.proof(0, 2)
            e.body["events"][0]["tlog_index"] = 2
            e.body["tlog_proofs"][0] = stray

        self.tamper("event-binding/proof-of-another-leaf", "The proof is in order, but it is that of another leaf.", LEAVES, "event.leaf-differs", "/events/0", other_leaf)

        def register(e):
            e.body["events"][0]["tlog_index"] = 1
            e.body["tlog_proofs"][0] = e.proof(0, 1)

        self.tamper("event-binding/proof-of-register-leaf", "The proof is that of the registration, not of an event.", LEAVES, "event.leaf-differs", "/events/0", register)
        row("time-differs", "The time in seconds, which no leaf holds, is not the qualified time.", "event.time-differs", "/events/0/timestamp", lambda r: r[0].update(timestamp=r[0]["timestamp"] + 86400))
        row("time-differs-backwards", "The time in seconds lies before the qualified time.", "event.time-differs", "/events/0/timestamp", lambda r: r[0].update(timestamp=r[0]["timestamp"] - 3600))
        row("time-six-seconds-ahead", "A second more than two readings of a clock may be apart.", "event.time-differs", "/events/0/timestamp", lambda r: r[0].update(timestamp=START + 66))
        row("time-six-seconds-back", "A second less than two readings of a clock may be apart.", "event.time-differs", "/events/0/timestamp", lambda r: r[0].update(timestamp=START + 54))
        row("issuer-id-differs", "The issuer of the row, which no leaf holds, is not that of the manifest.", "event.identity-differs", "/events/0/issuer_id", lambda r: r[0].update(issuer_id="somebody else"))
        row("issuer-id-null", "The issuer of the row is null.", "event.identity-differs", "/events/0/issuer_id", lambda r: r[0].update(issuer_id=None))
        for member in ("file_id", "recipient_id"):
            value = uuid("elsewhere") if member == "file_id" else "somebody@assayer.example"
            evidence = Evidence(events=[web(row={member: value})])
            self.case(f"event-binding/{member.replace('_', '-')}-differs", f"An event whose leaf and row agree on another {member} than the manifest's.", LEAVES, evidence, [("event-binding", "event.identity-differs", f"/events/0/{member}")], "good/one-event")
        self.earlier_recipients()
        row("extra-of-web-event", "A web event has nothing further to say; no leaf would hold it.", "event.extra", "/events/0/extra", lambda r: r[0].update(extra='{"opened_by":"mallory"}'), spec=FAULTS)
        for name, text, why in (
            ("not-json", "qname=t", "The extra text of a DNS event is JSON."),
            ("empty-text", "", "An empty text is no JSON."),
            ("list", "[]", "The extra text of a DNS event is an object."),
            ("without-question", "{}", "The extra text of a DNS event holds the question."),
            ("duplicate-key", '{"qtype": "A", "qname": "other.example", "qname": "t.beacons.assayer.example"}', "A lenient reader would see the true name, another the false one."),
            ("further-member", '{"qtype": "A", "qname": "t.beacons.assayer.example", "opened_by": "mallory"}', "A member beside the question that no leaf holds."),
        ):
            row(f"extra-{name}", why, "event.extra", "/events/1/extra", lambda r, t=text: r[1].update(extra=t), self.three)


    def earlier_recipients(self):
        """The file was registered twice by its issuer, and opened in between: row and leaf name the first recipient."""
        first, reader = "first@assayer.example", "reader@assayer.example"

        def twice(recipient, issuer_pub=ISSUER.hex, second=-1):
            e = Evidence(events=[web(row={"recipient_id": recipient})])
            file_id, issuer_id = e.body["file_id"], e.body["manifest"]["issuer_id"]
            registered = lambda who, key, at: canon.canonical(e.leaf_form, register_leaf(file_id, who, issuer_id, key, 2, 2, at))
            e.leaves[1], e.leaves[second] = registered(first, issuer_pub, START + 10), registered(reader, ISSUER.hex, START + 4100)
            if issuer_pub != ISSUER.hex:
                e.leaves[0] = registered(reader, ISSUER.hex, START)
            e.body.update(tlog_head=e.head(), tlog_proofs=[e.proof(0, 3)])
            e.seal()
            return e, {**BOTH, "log": e.log()}

        at = "/events/0/recipient_id"
        good, trust = twice(first)
        add(self.writer, "good/event-of-an-earlier-recipient", "An event of the time when the file was registered for somebody else, as the log shows.", LEAVES, good.text(), trust, left_open=[("event-binding", "event.identity-earlier", at)])

        def wrong(name, why, evidence, trust):
            self.case(f"event-binding/{name}", why, LEAVES, evidence, [("event-binding", "event.identity-differs", at)], "good/event-of-an-earlier-recipient", trust)

        wrong("recipient-of-no-registration", "The file was registered twice, but never for whom the event names.", *twice("somebody@assayer.example"))
        wrong("recipient-of-a-registration-by-another", "Somebody else's key registered the file for whom the event names.", *twice(first, OTHER_ISSUER.hex))
        wrong("recipient-of-an-ended-registration", "The event was logged when the file was registered for the second recipient already.", *twice(first, second=2))

    def orders(self):
        def exchange(e):
            rows = e.body["events"]
            rows[0], rows[1] = rows[1], rows[0]
            e.body["tlog_proofs"] = [e.proof(i, r["tlog_index"]) for i, r in enumerate(rows)]

        self.tamper("event-order/exchanged", "The later of two events stands first.", SHAPES, "event.order", "/events/1", exchange, self.three)

        def reverse(e):
            e.body["events"].reverse()
            e.body["tlog_proofs"] = [e.proof(i, r["tlog_index"]) for i, r in enumerate(e.body["events"])]

        self.tamper("event-order/reversed", "The newest event stands first.", SHAPES, "event.order", "/events/1", reverse, self.three)

        def reverse_tie(e):
            e.body["events"].reverse()
            e.body["tlog_proofs"] = [e.proof(i, r["tlog_index"]) for i, r in enumerate(e.body["events"])]
            e.seal()

        self.tamper("event-order/reversed-within-one-second", "Of two events of one second the later row, with the later leaf, stands first.", SHAPES, "event.order", "/events/1", reverse_tie, self.tied)

        def repeat(e):
            e.body["events"].append({**e.body["events"][0], "id": 2})
            e.body["tlog_proofs"].append({**copy.deepcopy(e.body["tlog_proofs"][0]), "event_row": 1})

        self.tamper("event-order/leaf-counted-twice", "Two rows stand for one leaf of the log.", FAULTS, "event.duplicate-index", "/events/1/tlog_index", repeat)

    def several(self):
        """Faults that cannot be committed one at a time."""
        swapped = self.one.copy()
        swapped.body["registry_pub"] = OTHER_REGISTRY.hex
        swapped.seal()
        refuted = [("registry-signature", "bundle.signature-mismatch", "/bundle_signature_ed25519"), ("tree-head", "head.signature-mismatch", "/tlog_head/signature")]
        self.case("several/registry-pub-replaced", "Only the key in the bundle was replaced: neither signature fits it.", FAULTS, swapped, refuted, "good/no-trust", {})
        resigned = self.one.copy()
        resigned.registry = OTHER_REGISTRY
        resigned.body["registry_pub"] = OTHER_REGISTRY.hex
        resigned.seal()
        refuted = [("registry-key", "key.differs", "/registry_pub"), ("tree-head", "head.signature-mismatch", "/tlog_head/signature")]
        self.case("several/signed-by-another-with-stolen-head", "Somebody else signed the bundle around a head that is not theirs.", FAULTS, resigned, refuted, "good/one-event")
        other = Evidence(label="elsewhere")
        moved = self.none.copy()
        moved.body["manifest"] = other.body["manifest"]
        moved.seal()
        refuted = [
            ("file-id", "bundle.file-id-differs", "/manifest/file_id"), ("beacon-rows", "rows.differ", "/beacons"), ("watermark-rows", "rows.differ", "/watermarks"),
        ]
        self.case("several/manifest-of-another-file", "The manifest, rightly signed, is that of another file.", FAULTS, moved, refuted, "good/no-events")
        unsigned = self.one.copy()
        unsigned.body["manifest"]["size_bytes"] = 1
        refuted = [("issuer-signature", "manifest.signature-mismatch", "/manifest/signature_ed25519"), ("registry-signature", "bundle.signature-mismatch", "/bundle_signature_ed25519")]
        self.case("several/manifest-changed-in-transit", "A change to the manifest by somebody with neither key.", FAULTS, unsigned, refuted, "good/one-event")
        renamed = self.one.copy()
        renamed.body["events"][0]["user_agent"] = "reader/9"
        refuted = [("registry-signature", "bundle.signature-mismatch", "/bundle_signature_ed25519"), ("event-binding", "event.leaf-differs", "/events/0")]
        self.case("several/event-changed-in-transit", "A change to an event by somebody without the registry's key.", FAULTS, renamed, refuted, "good/one-event")
