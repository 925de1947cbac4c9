"""Kind `document`: tree heads and vantage points, logs as they are downloaded, inclusion proofs, and documents of no known kind."""

import json

import canon
import judge_document
import merkle
from cases_merkle import flip, hexes, leaves
from documents import PINNED, add, changed, head
from registry import ISSUER, OTHER_ISSUER, OTHER_REGISTRY, REGISTRY, START, Evidence, event_row, leaf_of, manifest, register_leaf, stray_leaf, token, utc, uuid, web

TREE, RANGE, CONTIGUOUS, HASHES = "oversight-registry-v1 section 2", "oversight-requirements TL-2", "oversight-requirements TL-4", "oversight-requirements TL-3"
SAME_ISSUER, EVENTS = "oversight-requirements SI-3", "oversight-requirements EV-1"
INCLUSION, VIEWS, GROWTH = "RFC 9162 section 2.1.3.2", "RFC 9162 section 8.3", "RFC 9162 section 2.1.4"

AGE = {"now": 1_800_000_000, "most_seconds": 86_400}


def generate(writer):
    vantage_points(writer)
    two_heads(writer)
    bundles_together(writer)
    logs(writer)
    pages(writer)
    inclusion_proofs(writer)
    add(writer, "proofs/of-no-known-kind", "Good JSON that is evidence of no kind that is known here.", "docs/decisions/malformed-input.md", "unknown", {"hello": "world"}, {}, open=[("kind", "document.kind")])


def bare(items, size):
    return {"size": size, "root": merkle.root(items[:size]).hex()}


def signed(items, **more):
    """A head as the registry answers it."""
    value = head(items, **more)
    return {**value, "signed_message": judge_document.signed_message(value).decode("ascii")}


def text(lines):
    return "".join((line if isinstance(line, str) else json.dumps(line)) + "\n" for line in lines)


def vantage_points(writer):
    items = leaves(9)
    seen, earlier = bare(items, 9), bare(items, 5)
    other, fork = bare(leaves(9, "fork"), 9), bare(leaves(5, "fork"), 5)
    document = signed(items)
    alone = [("log-root", "input.not-given"), ("append-only", "input.not-given")]

    def case(name, why, vantages, quorum, refuted=(), open=(), twin=None, known=alone, **more):
        trust = {**PINNED, **more, "vantages": [{"name": place, "heads": heads} for place, heads in vantages], "quorum": quorum}
        add(writer, f"heads/{name}", why, VIEWS, "oversight-head", document, trust, refuted, [*known, *open], twin and f"heads/{twin}")

    case("quorum-of-two", "Two of three vantage points saw this head; the third saw an earlier one.", [("a", [seen]), ("b", [seen]), ("c", [earlier])], 2)
    case("quorum-of-one", "One vantage point is enough where one is asked for.", [("a", [earlier, seen]), ("b", [])], 1)
    case("quorum-not-reached", "One vantage point saw this head, and two are asked for.", [("a", [seen]), ("b", [earlier])], 2, open=[("quorum", "quorum.not-reached")])
    case("quorum-same-place-twice", "What one vantage point saw twice counts once.", [("a", [seen, seen]), ("b", [])], 2, open=[("quorum", "quorum.not-reached")])
    empty = [("a", [bare(items, 0)]), ("b", [bare(items, 0)])]
    case("quorum-of-empty-trees", "Both vantage points saw the log before its first leaf: that is so of every log.", empty, 2, open=[("quorum", "quorum.not-reached")],
         known=[("append-only", "input.not-given")], log=text(records(items)))
    conflict = [("quorum", "quorum.conflict", "")]
    case("conflict-with-one", "One vantage point saw another root of this size, however many agree.", [("a", [seen]), ("b", [seen]), ("c", [other])], 2, conflict, twin="quorum-of-two")
    case("conflict-with-the-only-one", "The one vantage point that saw this size saw another root.", [("a", [other]), ("b", [earlier])], 1, conflict, twin="quorum-of-one")
    case("conflict-among-others", "Two vantage points saw different roots of another size: the registry shows two logs.", [("a", [seen, earlier]), ("b", [seen, fork])], 2, conflict, twin="quorum-of-two")
    add(writer, "heads/no-vantage-points", "Without vantage points nothing is said about them.", VIEWS, "oversight-head", document, PINNED, open=alone)
    unpinned = [("tree-head", "input.not-given"), ("registry-key", "key.not-pinned"), *alone]
    add(writer, "heads/quorum-without-key", "Vantage points do not stand in for the key.", VIEWS, "oversight-head", document, {"vantages": [{"name": "a", "heads": [seen]}], "quorum": 1}, open=unpinned)


def two_heads(writer):
    """One head against those that the caller knew, and two heads of one key against each other."""
    items, fork = leaves(9), leaves(9, "fork")
    growth = text(records(items))

    def case(name, why, trust, refuted=(), open=(), twin=None, document=None):
        add(writer, f"heads/{name}", why, GROWTH, "oversight-head", document or signed(items), {**PINNED, **trust}, refuted, open, twin and f"heads/{twin}")

    case("known", "The caller knew this head.", {"heads": [bare(items, 9)]}, open=[("log-root", "input.not-given")])
    case("older-known", "Without the log nothing shows that one head extends the other.", {"heads": [bare(items, 5)]}, open=[("log-root", "input.not-given"), ("append-only", "input.not-given")])
    case("older-known-with-log", "The log leads to both heads.", {"heads": [bare(items, 5)], "log": growth})
    case("empty-known-with-log", "The caller knew the log before its first leaf, which every log extends.", {"heads": [bare(items, 0)], "log": growth}, open=[("append-only", "input.not-given")])
    case("empty-and-older-known-with-log", "Of the heads that the caller knew, one is of a leaf or more.", {"heads": [bare(items, 0), bare(items, 5)], "log": growth})
    case("other-root-known", "The caller knew another root of this size.", {"heads": [bare(fork, 9)]}, [("append-only", "log.root-differs", "")], [("log-root", "input.not-given")], twin="known")
    case("older-of-another-log", "The log leads to this head, and not to the older one.", {"heads": [bare(fork, 5)], "log": growth}, [("append-only", "log.root-differs", "")], twin="older-known-with-log")
    case("log-of-another", "The log leads to another root.", {"heads": [bare(items, 9)], "log": text(records(fork))}, [("log-root", "log.root-differs", "/root")], twin="known")
    case("of-another-key", "The head is signed with another key than the pinned one.", {}, [("tree-head", "head.signature-mismatch", "/signature")],
         [("registry-key", "key.not-pinned"), ("log-root", "input.not-given"), ("append-only", "input.not-given")], twin="known", document=signed(items, key=OTHER_REGISTRY))

    case("growth-required", "The policy requires that the head extends known ones, and none is known.", {"required": ["append-only"]}, open=[("log-root", "input.not-given"), ("append-only", "input.not-given")])
    case("growth-required-known", "The policy requires that the head extends known ones, and it is one.", {"required": ["append-only"], "heads": [bare(items, 9)]}, open=[("log-root", "input.not-given")])
    case("age-bounded", "A head has no time, and so shows no age.", {"heads": [bare(items, 9)], "freshness": AGE}, open=[("log-root", "input.not-given"), ("freshness", "time.stale")])

    known = {"heads": [bare(items, 9)]}
    case("file-asked-for", "The caller asked about one file, and a head is about none.", {**known, "file_id": "file"}, open=[("log-root", "input.not-given"), ("file-id", "input.not-reached")])
    riding = {**signed(items), "note": "approved"}
    case("member-unknown", "A member that nobody signed rides on a signed head.", known, document=riding, open=[("log-root", "input.not-given"), ("shape", "proof.unknown-member")])

    def pair(name, why, one, other, refuted=(), open=(), twin=None):
        add(writer, f"heads/{name}", why, GROWTH, "oversight-heads", text([one, other]), PINNED, refuted, open, twin and f"heads/{twin}")

    pair("two-that-agree", "One head, fetched twice.", signed(items), signed(items))
    pair("two-of-two-sizes", "Two heads alone do not show that one log has both.", signed(items[:5]), signed(items), open=[("append-only", "input.not-given")])
    pair("two-in-conflict", "One key signed two roots of one size.", signed(items), signed(fork), [("append-only", "head.conflict", "")], twin="two-that-agree")


def bundles_together(writer):
    """Bundles that are sound one by one; each case is a pair, or a pair and what stands between."""

    # One log: registrations of two files, and openings of both in turn.
    owners = [None, None, None, "file", "other", "other", "file", "other", None, "file", "other", None]

    def bundle(label="file", size=6, at=5000, registry=REGISTRY, without=(), other=None, owned=None, **more):
        """The evidence of a file in the first leaves of the log: without the events at some indexes, with another leaf at one, or an event of another file."""
        evidence = Evidence(label, **more)
        leaves = [canon.canonical(evidence.form, register_leaf(uuid(name), "reader@assayer.example", "issuer@assayer.example", ISSUER.hex, 2, 2, START + number)) for number, name in enumerate(["first", "file", "other"])]
        rows = []
        for index, owner in list(enumerate(owners))[3:size]:
            owner = (owned or {}).get(index, owner)
            row = owner and event_row(index, web(at=60 + index), [token(f"{owner} {number}") for number in range(2)], identity(owner), index, evidence.form)
            leaves.append(canon.canonical(evidence.form, leaf_of(row) if row else stray_leaf(index, START + 60 + index)))
            if owner == label and index not in without:
                rows.append(row)
        if other is not None:
            leaves[other] = canon.canonical(evidence.form, stray_leaf(1000 + other, START))
        evidence.registry, evidence.leaves = registry, leaves
        evidence.body.update(bundle_generated_at=utc(START + at), registry_pub=registry.hex, events=rows, tlog_head=evidence.head(), tlog_proofs=[evidence.proof(place, row["tlog_index"]) for place, row in enumerate(rows)])
        return evidence.seal()

    def identity(label):
        return {"file_id": uuid(label), "recipient_id": "reader@assayer.example", "issuer_id": "issuer@assayer.example"}

    def case(name, why, bundles, refuted=(), open=(), twin=None, spec=GROWTH):
        add(writer, f"bundles-together/{name}", why, spec, "bundles-together", text(evidence.text() for evidence in bundles), {}, refuted, open, twin and f"bundles-together/{twin}")

    rollback, several = [("append-only", "head.rollback")], [("one-manifest", "manifest.differs")]
    case("same-twice", "One bundle, saved twice.", [bundle(), bundle()])
    case("grown", "The later bundle has the larger tree of the same log.", [bundle(), bundle("other", 8, 6000)])
    case("grown-in-any-order", "The later bundle, with the larger tree, is read first.", [bundle("other", 8, 6000), bundle()])
    case("smaller-later", "The later bundle has the smaller tree: the log was cut back, or the clock was set back.", [bundle("other", 8), bundle(at=6000)], open=rollback)
    case("smaller-later-in-any-order", "The later bundle, with the smaller tree, is read first.", [bundle(at=6000), bundle("other", 8)], open=rollback)
    case("smaller-between", "The tree became smaller between two bundles and grew again.", [bundle(at=5000), bundle("other", 10, 6000), bundle("other", 8, 7000), bundle("other", 12, 8000)], open=rollback)
    case("smaller-five-seconds-later", "Head and time of a bundle are read at two moments.", [bundle("other", 8), bundle(at=5005)])
    case("smaller-six-seconds-later", "Six seconds are no two moments of one answer.", [bundle("other", 8), bundle(at=5006)], open=rollback)
    case("smaller-of-another-registry", "Two registries have two logs.", [bundle("other", 8), bundle(at=6000, registry=OTHER_REGISTRY)])
    case("two-roots-of-one-size", "Two bundles have heads of one size and different roots.", [bundle(), bundle(other=5)], [("append-only", "head.conflict", "")], twin="same-twice")
    differ, twin = [("append-only", "head.leaves-differ", "")], "grown"
    case("leaf-exchanged", "The larger tree has another leaf where the smaller one has an event.", [bundle(), bundle("other", 8, 6000, other=3)], differ, twin=twin)
    case("leaf-of-another-file", "Two bundles prove different leaves at one index.", [bundle(), bundle("other", 8, 6000, owned={3: "other"})], differ, twin=twin)
    case("leaf-exchanged-in-any-order", "The larger tree, with another leaf where the smaller one has an event, is read first.", [bundle("other", 8, 6000, other=3), bundle()], differ, twin="grown-in-any-order")
    case("leaf-exchanged-beside", "The larger tree has another leaf beside an event of the smaller one: it is in the path of its proof.", [bundle(), bundle("other", 8, 6000, other=2)], differ, twin=twin)
    case("leaf-exchanged-that-neither-shows", "Both prove what comes after a leaf, and in the larger tree that leaf is another.", [bundle(), bundle("other", 8, 6000, other=0)], differ, twin=twin)
    case("last-leaf-exchanged", "The last leaf of the smaller tree is alone at its border, and another in the larger tree.", [bundle(size=5), bundle("other", 8, 6000, other=4, without=[4])], differ, twin="grown-at-the-border")
    case("grown-at-the-border", "The last leaf of the smaller tree is alone at its border, and in the larger tree as well.", [bundle(size=5), bundle("other", 8, 6000)])
    case("leaf-of-another-registry", "Two registries have different leaves.", [bundle(), bundle("other", 8, 6000, other=3, registry=OTHER_REGISTRY)])
    missing = [("completeness", "log.event-missing", "/events")]
    case("more-events-later", "The later bundle of a file has the events of the earlier one and a new one.", [bundle(), bundle(size=8, at=6000)])
    case("event-left-out-later", "The later bundle leaves out an event that the earlier one has.", [bundle(), bundle(size=8, at=6000, without=[3])], missing, twin="more-events-later", spec=EVENTS)
    case("event-left-out-earlier", "The earlier bundle leaves out an event that its tree has, as the later one shows.", [bundle(without=[3]), bundle(size=8, at=6000)], missing, twin="more-events-later", spec=EVENTS)
    case("all-events-left-out", "The later bundle of a file has no event at all.", [bundle(), bundle(size=8, at=6000, without=[3, 6])], missing, twin="more-events-later", spec=EVENTS)
    case("event-left-out-under-one-head", "Two bundles under one head do not have the same events.", [bundle(size=8), bundle(size=8, at=6000, without=[6])], missing, twin="more-events-later", spec=EVENTS)
    case("events-of-another-registry", "What one registry left out is not held against another.", [bundle(), bundle(size=8, at=6000, without=[3], registry=OTHER_REGISTRY)], spec=EVENTS)
    again = manifest("file", original_filename="minutes-2.txt")
    case("registered-again", "The issuer registered the file again: two bundles show two manifests of it.", [bundle(), bundle(signed=again, size=8, at=6000)], open=several, spec=SAME_ISSUER)
    case("one-file-at-two-registries", "Two registries show two manifests of one file.", [bundle(), bundle(signed=again, registry=OTHER_REGISTRY)], spec=SAME_ISSUER)
    case("manifest-of-another-issuer", "One registry shows manifests of two issuers for one file.", [bundle(), bundle(size=8, at=6000, issuer=OTHER_ISSUER)],
         [("one-manifest", "manifest.issuer-differs", "/manifest/issuer_ed25519_pub")], twin="same-twice", spec=SAME_ISSUER)


def records(items):
    """Records as they stand in a file; every other one with the hexadecimal form."""
    lines = [{"index": index, "leaf_hash": merkle.leaf_hash(item).hex(), "leaf_data": item.decode("ascii")} for index, item in enumerate(items)]
    return [{**line, "leaf_data_hex": line["leaf_data"].encode("ascii").hex()} if line["index"] % 2 else line for line in lines]


def logs(writer):
    items = leaves(8)
    good = records(items)
    known = {size: bare(items, size) for size in range(1, 9)}
    unread = [("entries", "input.not-reached"), ("leaf-hashes", "input.not-reached")]
    lost = [("log-root", "input.not-reached"), ("log-end", "input.not-given")]

    def case(name, why, document, heads=(3, 8), refuted=(), open=(), twin=None, notes=(), trust=None, spec=TREE):
        document = document if isinstance(document, str) else text(document)
        if trust is None:
            trust = {"heads": [known[size] for size in heads]} if heads else {}
        add(writer, f"logs/{name}", why, spec, "oversight-log", document, trust, refuted, open, twin and f"logs/{twin}", notes)

    def bad(name, why, place, lines, refuted, open=lost, spec=TREE):
        broken = [*good[:place], *lines, *good[place + 1:]]
        case(name, why, broken, heads=(8,), refuted=[refuted], open=open, twin="whole", spec=spec)

    case("whole", "Every record is good, and both known heads are on the way.", good)
    case("without-last-newline", "The last line need not be ended.", text(good)[:-1])
    case("crlf-and-blank-lines", "Line ends of another system and blank lines are fine.", text(good).replace("\n", "\r\n\r\n"))
    case("hexadecimal-null", "The hexadecimal form of a leaf may be null.", [{**record, "leaf_data_hex": None} for record in good])
    case("compact", "Records without white space.", "".join(json.dumps(record, separators=(",", ":")) + "\n" for record in good))
    upper = {**good[2], "leaf_hash": good[2]["leaf_hash"].upper()}
    case("upper-case-hash", "A leaf hash in upper case is remarked on.", [*good[:2], upper, *good[3:]], notes=[("entries", "interop.hex-spelling")])
    case("no-head", "A log on its own is consistent with itself.", good, heads=(), open=[("log-root", "input.not-given"), ("log-end", "input.not-given")])
    case("beyond-head", "Nobody vouches for the leaves after the last known head.", good, heads=(3, 5), open=[("log-end", "log.beyond-head")])
    case("too-short", "A known head is larger than the log.", good[:6], heads=(3, 8), open=[("log-root", "log.too-short"), ("log-end", "log.beyond-head")])
    case("stretch", "A stretch from the middle leads to no root.", good[3:], open=lost)
    case("age-bounded", "A log has no time of its own, and so shows no age.", good, trust={"heads": [known[8]], "freshness": AGE}, open=[("freshness", "time.stale")])

    def seen(*heads, **more):
        return {"vantages": [{"name": f"place {number}", "heads": list(of)} for number, of in enumerate(heads)], **more}

    other = bare(leaves(8, "fork"), 4)
    case("seen-by-vantage-points", "The heads of vantage points are on the way as well.", good, trust=seen([known[4]], [known[8]], quorum=2))
    case("quorum-not-reached", "Two vantage points are asked for, and the second saw nothing yet.", good, trust=seen([known[8]], [], quorum=2), open=[("quorum", "quorum.not-reached")])
    case("vantage-points-before-the-first-leaf", "Both vantage points saw the empty tree, to which every log leads.", good, trust={"heads": [known[8]], **seen([bare(leaves(8), 0)], [bare(leaves(8), 0)], quorum=2)}, open=[("quorum", "quorum.not-reached")])
    case("vantage-point-ahead", "What a vantage point saw beyond this log cannot be compared.", good[:6], trust=seen([known[6]], [known[8]], quorum=2), open=[("log-root", "log.too-short"), ("quorum", "quorum.not-reached")])
    case("only-vantage-point-saw-another", "The one vantage point that saw this size saw a head that the log does not lead to.", good, trust=seen([known[8]], [other], quorum=1), twin="seen-by-vantage-points",
         refuted=[("log-root", "log.root-differs", ""), ("quorum", "quorum.conflict", "")])
    case("vantage-point-saw-another", "A vantage point saw a head that this log does not lead to.", good, trust=seen([known[8]], [other], [known[4]], quorum=2), twin="seen-by-vantage-points",
         refuted=[("log-root", "log.root-differs", ""), ("quorum", "quorum.conflict", "")])

    def of(key, *heads):
        return [{"key": key.hex, **head} for head in heads]

    forked, beyond = bare(leaves(8, "fork"), 4), bare(leaves(12), 12)
    aside, differs = [("log-root", "log.other-key")], [("log-root", "log.root-differs", "")]
    case("heads-of-one-key", "The heads that one key signed are on the way.", good, trust={"signed_heads": of(REGISTRY, known[3], known[8])})
    case("heads-of-two-keys", "Two keys signed heads of this log, as where a registry changed its key.", good, trust={"signed_heads": of(REGISTRY, known[3]) + of(OTHER_REGISTRY, known[8])})
    case("stray-head-of-another-key", "A head of another registry is of another log, and does not take those of this one from it.", good, trust={"signed_heads": of(REGISTRY, known[3], known[8]) + of(OTHER_REGISTRY, forked)}, notes=aside)
    case("larger-head-of-another-key", "A head of another registry, larger than this log.", good, trust={"signed_heads": of(REGISTRY, known[8]) + of(OTHER_REGISTRY, beyond)}, notes=aside)
    case("one-head-of-its-key-differs", "The log leads to one head of a key and not to another, whatever a second key signed.", good, trust={"signed_heads": of(REGISTRY, known[8], forked) + of(OTHER_REGISTRY, known[3])}, refuted=differs, twin="heads-of-two-keys")
    case("no-head-of-any-key", "The log leads to no head of two keys.", good, trust={"signed_heads": of(REGISTRY, forked) + of(OTHER_REGISTRY, bare(leaves(8, "fork"), 8))}, refuted=differs, twin="heads-of-two-keys")
    case("empty-head-of-another-key", "Every log leads to the empty tree: a head of it shows nobody's log.", good, trust={"signed_heads": of(REGISTRY, bare([], 0), forked) + of(OTHER_REGISTRY, known[8])}, notes=aside)
    bad("cut-line", "A line is cut; the others are still checked.", 4, [json.dumps(good[4])[:30]], ("json", "json.end", "line 5: /leaf_hash"), [*unread, *lost])
    bad("cut-last-line", "The last line is cut, as by a copy that stopped.", 7, [json.dumps(good[7])[:9]], ("json", "json.end", "line 8: /index"), [*unread, ("log-root", "log.too-short"), ("log-end", "input.not-given")])
    bad("byte-order-mark", "The file begins with a byte order mark.", 0, ["\ufeff" + json.dumps(good[0])], ("json", "json.bom", "line 1"), [*unread, *lost])
    bad("member-twice", "Two parsers would read two indexes.", 4, ['{"index": 4, ' + json.dumps(good[4])[1:]], ("json", "json.duplicate-key", "line 5: /index"), [*unread, *lost])
    bad("foreign-record", "A document of another kind.", 4, [{"manifest": {}}], ("entries", "log.encoding", "line 5: /index"))
    bad("index-as-text", "An index is an integer.", 4, [{**good[4], "index": "4"}], ("entries", "log.encoding", "line 5: /index"))
    bad("hash-short", "A leaf hash has 32 bytes.", 4, [{**good[4], "leaf_hash": "00"}], ("entries", "log.encoding", "line 5: /leaf_hash"))
    bad("text-absent", "A record has the text of its leaf.", 4, [changed(good[4], "/leaf_data", None)], ("entries", "log.encoding", "line 5: /leaf_data"))
    bad("hex-upper-case", "The hexadecimal form is in lower case.", 3, [{**good[3], "leaf_data_hex": good[3]["leaf_data_hex"].upper()}], ("entries", "log.encoding", "line 4: /leaf_data_hex"))
    bad("left-out", "A record is left out.", 4, [], ("entries", "log.index-gap", "line 5: /index"), spec=CONTIGUOUS)
    bad("twice", "A record is there twice.", 4, [good[4], good[4]], ("entries", "log.index-gap", "line 6: /index"), spec=CONTIGUOUS)
    bad("hash-of-another", "The leaf hash is that of another leaf.", 4, [{**good[4], "leaf_hash": good[3]["leaf_hash"]}], ("leaf-hashes", "log.leaf-hash-differs", "line 5: /leaf_hash"), (), spec=HASHES)
    bad("text-of-another", "The text is not that of the hexadecimal form.", 3, [{**good[3], "leaf_data": "leaf 4"}], ("leaf-hashes", "log.leaf-text-differs", "line 4: /leaf_data"), (), spec=HASHES)
    forged = {**good[4], "leaf_data": "forged", "leaf_hash": merkle.leaf_hash(b"forged").hex()}
    bad("leaf-exchanged", "A leaf is exchanged and rightly hashed: only the root tells.", 4, [forged], ("log-root", "log.root-differs", ""), ())
    raced = {"size": 5, "root": known[6]["root"]}
    case("root-of-next-size", "A head with the root of one leaf more, as racing releases sign it.", good, trust={"heads": [raced, known[8]]}, refuted=[("log-root", "log.root-differs", "")], twin="whole", notes=[("log-root", "interop.next-root")])


def pages(writer):
    items = leaves(7)
    good, known = records(items), {"heads": [bare(items, 7)]}
    lost = [("log-root", "input.not-reached"), ("log-end", "input.not-given")]

    def page(start, entries, **members):
        return {"start": start, "count": len(entries), "entries": entries, **members}

    def case(name, why, lines, refuted=(), open=(), twin=None):
        add(writer, f"logs/{name}", why, RANGE, "oversight-log", text(lines), known, refuted, open, twin and f"logs/{twin}")

    def bad(name, why, code, at, lines, open=()):
        case(name, why, lines, [("entries", code, at)], open, twin="pages")

    first = page(0, good[:4])
    case("pages", "Two pages of a download, one a line.", [first, page(4, good[4:])])
    case("page-empty", "A page beyond the end is empty.", [page(0, good), page(7, [])])
    bad("page-count-differs", "A page holds fewer entries than it says.", "log.count", "line 2: /count", [first, page(4, good[4:], count=4)])
    bad("page-start-differs", "A page says that it starts elsewhere.", "log.index-gap", "line 2: /start", [first, page(5, good[4:])])
    bad("page-entries-no-list", "The entries of a page are no list.", "log.encoding", "line 1: /entries", [page(0, {}), page(4, good[4:])], lost)
    bad("page-index-as-text", "An index is an integer.", "log.encoding", "line 2: /entries/2/index", [first, page(4, good[4:6] + [{**good[6], "index": "6"}])], [("log-root", "log.too-short"), ("log-end", "input.not-given")])
    bad("page-left-out", "A page is left out.", "log.index-gap", "line 2: /index", [page(0, good[:3]), page(4, good[4:])], lost)


def inclusion_proofs(writer):
    items, other = leaves(7), leaves(2) + [b"another leaf"] + leaves(7)[3:]
    known, lines, rewritten = bare(items, 7), text(records(items)), text(records(other))
    good = {"index": 2, "leaf_hash": merkle.leaf_hash(items[2]).hex(), "proof": hexes(merkle.inclusion(2, items)), "root": known["root"], "tree_size": 7}
    alone = [("log-root", "input.not-given"), ("log-leaf", "input.not-given")]

    def case(name, why, document, trust, refuted=(), open=(), twin=None, spec=INCLUSION):
        add(writer, f"proofs/inclusion/{name}", why, spec, "oversight-proof", document, trust, refuted, open, twin and f"proofs/inclusion/{twin}")

    case("in-known-head", "The path leads to a root that the caller knows.", good, {"heads": [known]}, open=alone)
    seen = {"vantages": [{"name": "a", "heads": [known]}, {"name": "b", "heads": []}]}
    case("seen-by-vantage-point", "A vantage point saw the root that the path leads to.", good, seen, open=alone)
    case("quorum-not-reached", "Two vantage points are asked for, and one saw the root.", good, {**seen, "quorum": 2}, open=[*alone, ("quorum", "quorum.not-reached")])
    case("age-bounded", "A proof has no time, and so shows no age.", good, {"heads": [known], "freshness": AGE}, open=[*alone, ("freshness", "time.stale")])
    case("member-unknown", "A member that nobody verifies rides on a good proof.", {**good, "file_id": "file"}, {"heads": [known]}, open=[*alone, ("shape", "proof.unknown-member")])
    case("beside-log", "A proof, a known head, and the log of both.", good, {"heads": [known], "log": lines})
    case("alone", "A proof shows inclusion in a tree that nobody vouches for.", good, {}, open=[("head-known", "input.not-given"), *alone])
    short = text(records(items)[:2])
    case("beside-short-log", "The log ends before the leaf.", good, {"heads": [known], "log": short}, open=[("log-root", "log.too-short"), ("log-leaf", "log.too-short")], spec=TREE)
    case("beside-other-log", "The log has another leaf at that index, and another root.", good, {"heads": [known], "log": rewritten},
         [("log-root", "log.root-differs", "/root"), ("log-leaf", "log.leaf-differs", "/leaf_hash")], twin="beside-log", spec=TREE)
    case("other-root-known", "The caller knows another root of this size.", good, {"heads": [bare(other, 7)]}, [("head-known", "proof.head-differs", "/root")], alone, twin="in-known-head")
    for name, why, document, code, at in [
        ("path-flipped", "One bit of a node differs.", changed(good, "/proof/1", flip(bytes.fromhex(good["proof"][1])).hex()), "merkle.root-mismatch", "/proof"),
        ("path-short", "A node is missing.", changed(good, "/proof", good["proof"][1:]), "merkle.path-length", "/proof"),
        ("index-beyond-tree", "There is no such leaf in the tree.", changed(good, "/index", 7), "merkle.index-out-of-range", "/proof"),
        ("index-of-neighbour", "The leaf stands elsewhere.", changed(good, "/index", 3), "merkle.root-mismatch", "/proof"),
    ]:
        case(name, why, document, {"heads": [known]}, [("inclusion", code, at)], alone, twin="in-known-head")
    case("size-as-text", "A size is an integer.", changed(good, "/tree_size", "7"), {"heads": [known]}, [("inclusion", "proof.encoding", "/tree_size")],
         twin="in-known-head")
