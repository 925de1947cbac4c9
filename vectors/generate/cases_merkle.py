"""Kind `merkle`: roots, inclusion proofs and consistency proofs."""

import hashlib

from merkle import consistency, inclusion, judge_consistency, judge_inclusion, leaf_hash, root

TREE = "RFC 6962 section 2.1"
INCLUSION = "RFC 9162 section 2.1.3.2"
CONSISTENCY = "RFC 9162 section 2.1.4.2"
REGISTRY = "oversight-registry-v1 section 2"
SIZES = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 33]


def leaves(n, label="leaf"):
    return [f"{label} {i}".encode("ascii") for i in range(n)]


def flip(data):
    return bytes([data[0] ^ 1]) + data[1:]


# The leaves of the test tree that the first implementations of Certificate Transparency share, and its roots from one leaf on.
CT_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c", "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def hexes(items):
    return [item.hex() for item in items]


def generate(writer):
    roots(writer)
    inclusions(writer)
    consistencies(writer)


def roots(writer):
    def add(name, items, why, spec=TREE):
        input = {"operation": "root", "leaves": hexes(items)}
        writer.add(f"merkle/root/{name}", "merkle", why, spec, input, "accept", output={"root": root(items).hex()})

    for n in SIZES:
        why = "The root of no leaves is the hash of nothing." if n == 0 else f"The root of a tree of {n} leaves."
        add(f"size-{n:02}", leaves(n), why)
    for n, expected in enumerate(CT_ROOTS, 1):
        items = [bytes.fromhex(leaf) for leaf in CT_LEAVES[:n]]
        assert root(items).hex() == expected
        add(f"certificate-transparency-{n}", items, f"The test tree of Certificate Transparency, {n} leaves: a root that was published, not computed here.")
    add("leaf-empty", [b""], "An empty leaf is a leaf: its hash is that of the prefix alone.")
    add("leaves-equal", [b"same", b"same", b"same"], "Equal leaves are not merged.")
    add("leaf-like-a-node", [b"\x01" + leaf_hash(b"a") + leaf_hash(b"b")], "The prefix keeps a leaf that looks like a node apart from the node.")
    add("leaves-swapped", leaves(3)[::-1], "The order of the leaves matters.")


def inclusions(writer):
    def add(name, why, size, index, leaf, path, root, expect="accept", twin=None, spec=INCLUSION):
        found = judge_inclusion(index, size, leaf, path, root)
        assert (found or "accept") == expect, (name, found)
        input = {"operation": "inclusion", "tree_size": size, "index": index, "leaf_hash": leaf.hex(), "path": hexes(path), "root": root.hex()}
        verdict = "accept" if expect == "accept" else {"reject": expect}
        twin = twin and f"merkle/inclusion/{twin}"
        writer.add(f"merkle/inclusion/{name}", "merkle", why, spec, input, verdict, twin=twin)

    for size, index in [(1, 0), (2, 0), (2, 1), (3, 0), (3, 1), (3, 2), (4, 2), (5, 3), (5, 4), (7, 0), (7, 4), (7, 6), (8, 5), (9, 8), (16, 15), (17, 3), (17, 16), (33, 21), (33, 32)]:
        items = leaves(size)
        why = f"Leaf {index} of a tree of {size}, siblings from the leaf upwards."
        add(f"size-{size:02}-leaf-{index:02}", why, size, index, leaf_hash(items[index]), inclusion(index, items), root(items))

    items = leaves(7)
    good = (7, 4, leaf_hash(items[4]), inclusion(4, items), root(items))
    size, index, leaf, path, top = good
    twin = "size-07-leaf-04"
    add("index-equals-size", "The index of the last leaf is one below the size.", 7, 7, leaf_hash(items[6]), inclusion(6, items), top, "merkle.index-out-of-range", "size-07-leaf-06")
    add("index-far-beyond", "An index far beyond the size has no place in the tree.", 7, 2**40, leaf, path, top, "merkle.index-out-of-range", twin)
    add("size-zero", "An empty tree includes nothing.", 0, 0, leaf_hash(items[0]), [], root([]), "merkle.index-out-of-range", "size-01-leaf-00")
    add("size-zero-leaf-as-root", "An empty tree includes nothing, not even a leaf that equals the root.", 0, 0, leaf_hash(items[0]), [], leaf_hash(items[0]), "merkle.index-out-of-range", "size-01-leaf-00")
    add("path-without-last", "The sibling below the root is missing.", size, index, leaf, path[:-1], top, "merkle.path-length", twin)
    add("path-without-first", "The sibling of the leaf is missing.", size, index, leaf, path[1:], top, "merkle.path-length", twin)
    add("path-empty", "A tree of more than one leaf needs a path.", size, index, leaf, [], top, "merkle.path-length", twin)
    add("path-with-one-more", "A sibling above the root.", size, index, leaf, path + [leaf], top, "merkle.path-length", twin)
    add("path-for-single-leaf", "The only leaf of a tree has no sibling.", 1, 0, leaf_hash(items[0]), [leaf_hash(items[1])], root(items[:2]), "merkle.path-length", "size-01-leaf-00")
    add("path-of-perfect-tree-at-border", "The last leaf of an odd tree has fewer siblings than the others.", 5, 4, leaf_hash(items[4]), [leaf_hash(items[4])] + inclusion(4, items[:5]), root(items[:5]), "merkle.path-length", "size-05-leaf-04")
    add("path-of-larger-tree", "A proof of a later tree does not fit the earlier one.", 5, 4, leaf, path, root(items[:5]), "merkle.path-length", "size-05-leaf-04")
    for position in range(3):
        broken = [flip(p) if i == position else p for i, p in enumerate(path)]
        add(f"sibling-{position}-flipped", f"One bit of sibling {position} differs.", size, index, leaf, broken, top, "merkle.root-mismatch", twin)
    add("path-reversed", "The siblings run from the root downwards.", size, index, leaf, path[::-1], top, "merkle.root-mismatch", twin)
    add("siblings-swapped", "Two siblings have changed places.", size, index, leaf, [path[1], path[0], path[2]], top, "merkle.root-mismatch", twin)
    add("leaf-of-neighbour", "The leaf hash is that of the next leaf.", size, index, leaf_hash(items[5]), path, top, "merkle.root-mismatch", twin)
    add("leaf-flipped", "One bit of the leaf hash differs.", size, index, flip(leaf), path, top, "merkle.root-mismatch", twin)
    add("leaf-without-prefix", "The leaf was hashed without its prefix.", size, index, hashlib.sha256(items[4]).digest(), path, top, "merkle.root-mismatch", twin)
    add("index-of-neighbour", "The index is that of the next leaf.", size, 5, leaf, path, top, "merkle.root-mismatch", twin)
    add("index-of-other-half", "The index lies in the other half of the tree.", size, 0, leaf, path, top, "merkle.root-mismatch", twin)
    add("root-flipped", "One bit of the root differs.", size, index, leaf, path, flip(top), "merkle.root-mismatch", twin)
    add("root-of-older-tree", "The root is that of the tree with one leaf less.", size, index, leaf, path, root(items[:6]), "merkle.root-mismatch", twin)
    add("root-of-single-leaf-differs", "In a tree of one leaf the leaf hash is the root.", 1, 0, leaf_hash(items[0]), [], leaf_hash(items[1]), "merkle.root-mismatch", "size-01-leaf-00")
    siblings = [hashlib.sha256(f"sibling {i}".encode()).digest() for i in range(40)]
    folded = leaf
    for sibling in siblings:
        folded = hashlib.sha256(b"\x01" + folded + sibling).digest()
    add("size-two-to-40", "A tree of 2^40 leaves has paths of forty siblings; sizes exceed 32 bits.", 2**40, 0, leaf, siblings, folded)
    add("size-two-to-40-too-short", "Forty levels need forty siblings.", 2**40, 0, leaf, siblings[:32], folded, "merkle.path-length", "size-two-to-40")


def consistencies(writer):
    def add(name, why, old, new, old_root, new_root, path, expect="accept", twin=None, spec=CONSISTENCY):
        found = judge_consistency(old, new, old_root, new_root, path)
        assert (found or "accept") == expect, (name, found)
        input = {"operation": "consistency", "old_size": old, "new_size": new, "old_root": old_root.hex(), "new_root": new_root.hex(), "path": hexes(path)}
        verdict = "accept" if expect == "accept" else {"reject": expect}
        twin = twin and f"merkle/consistency/{twin}"
        writer.add(f"merkle/consistency/{name}", "merkle", why, spec, input, verdict, twin=twin)

    items = leaves(33)

    def proof(old, new):
        return old, new, root(items[:old]), root(items[:new]), consistency(old, items[:new])

    for old, new in [(1, 1), (1, 2), (1, 8), (2, 3), (3, 3), (3, 4), (3, 7), (4, 7), (4, 8), (6, 7), (6, 8), (7, 8), (8, 9), (8, 33), (16, 17), (17, 33), (32, 33)]:
        add(f"from-{old:02}-to-{new:02}", f"A tree of {old} grows to {new}.", *proof(old, new))

    old, new, before, after, path = proof(3, 7)
    twin = "from-03-to-07"
    add("path-without-last", "The last node is missing.", old, new, before, after, path[:-1], "merkle.path-length", twin)
    add("path-without-first", "The first node is missing.", old, new, before, after, path[1:], "merkle.path-length", twin)
    add("path-empty", "Growth needs a proof.", old, new, before, after, [], "merkle.path-length", twin)
    add("path-with-one-more", "A node too many.", old, new, before, after, path + [before], "merkle.path-length", twin)
    add("path-repeats-old-root", "When the old size is a power of two the old root is not part of the path.", 4, 7, root(items[:4]), root(items[:7]), [root(items[:4])] + consistency(4, items[:7]), "merkle.path-length", "from-04-to-07")
    add("path-of-no-growth", "A tree that did not grow has an empty path.", 3, 3, before, before, [before], "merkle.path-length", "from-03-to-03")
    for position in range(len(path)):
        broken = [flip(p) if i == position else p for i, p in enumerate(path)]
        add(f"node-{position}-flipped", f"One bit of node {position} differs.", old, new, before, after, broken, "merkle.root-mismatch", twin)
    add("path-reversed", "The nodes are in the opposite order.", old, new, before, after, path[::-1], "merkle.root-mismatch", twin)
    add("old-root-flipped", "One bit of the old root differs.", old, new, flip(before), after, path, "merkle.root-mismatch", twin)
    add("old-root-flipped-power-of-two", "The old root takes part in the new one and differs.", 4, 7, flip(root(items[:4])), root(items[:7]), consistency(4, items[:7]), "merkle.root-mismatch", "from-04-to-07")
    add("new-root-flipped", "One bit of the new root differs.", old, new, before, flip(after), path, "merkle.root-mismatch", twin)
    add("roots-exchanged", "The old and the new root have changed places.", old, new, after, before, path, "merkle.root-mismatch", twin)
    add("same-size-other-root", "Two trees of one size with different roots are a fork.", 3, 3, before, root(leaves(3, "fork")), [], "merkle.root-mismatch", "from-03-to-03")
    forked = leaves(2, "fork") + items[2:7]
    add("history-rewritten", "The new tree has other leaves where the old one had its first.", 3, 7, before, root(forked), consistency(3, forked), "merkle.root-mismatch", twin)
    add("old-larger", "A log does not shrink.", 7, 3, after, before, path, "merkle.size-order", twin)
    add("old-larger-by-one", "A log does not shrink, not even by one leaf.", 8, 7, root(items[:8]), root(items[:7]), consistency(7, items[:8]), "merkle.size-order", "from-07-to-08")
    for name, new, old_root, why in [
        ("old-empty", 5, root([]), "Growth from the empty tree proves nothing, so it is refused."),
        ("old-empty-any-root", 5, leaf_hash(b"any"), "From size 0 any old root would pass."),
        ("old-empty-zero-root", 5, bytes(32), "A root of zeros is not special."),
    ]:
        add(name, why, 0, new, old_root, root(items[:new]), [], "merkle.empty-old-tree", "from-01-to-08", spec=CONSISTENCY)
    add("both-empty", "Two empty trees are refused as well: there is nothing to compare.", 0, 0, root([]), root([]), [], "merkle.empty-old-tree", "from-01-to-01")
