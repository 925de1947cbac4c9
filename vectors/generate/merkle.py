"""The Merkle tree of RFC 6962 section 2.1, as the recursive definitions read."""

import hashlib


def sha256(data):
    return hashlib.sha256(data).digest()


def leaf_hash(leaf):
    return sha256(b"\x00" + leaf)


def node_hash(left, right):
    return sha256(b"\x01" + left + right)


def split(n):
    """The largest power of two strictly below n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    """MTH(D[n])."""
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    k = split(len(leaves))
    return node_hash(root(leaves[:k]), root(leaves[k:]))


def inclusion(m, leaves):
    """PATH(m, D[n]): siblings from the leaf upwards."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return inclusion(m, leaves[:k]) + [root(leaves[k:])]
    return inclusion(m - k, leaves[k:]) + [root(leaves[:k])]


def consistency(m, leaves):
    """PROOF(m, D[n])."""
    return subproof(m, leaves, True)


def subproof(m, leaves, whole):
    n = len(leaves)
    if m == n:
        return [] if whole else [root(leaves)]
    k = split(n)
    if m <= k:
        return subproof(m, leaves[:k], whole) + [root(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [root(leaves[:k])]


def inclusion_length(m, n):
    """How many siblings PATH(m, D[n]) has."""
    if n == 1:
        return 0
    k = split(n)
    return 1 + (inclusion_length(m, k) if m < k else inclusion_length(m - k, n - k))


def climb(m, n, leaf, path):
    """The root to which PATH(m, D[n]) leads, by the same recursion as the proof itself."""
    if n == 1:
        return leaf
    k = split(n)
    if m < k:
        return node_hash(climb(m, k, leaf, path[:-1]), path[-1])
    return node_hash(path[-1], climb(m - k, n - k, leaf, path[:-1]))


def judge_inclusion(m, n, leaf, path, expected):
    """None, or why the proof is refused."""
    if m >= n:
        return "merkle.index-out-of-range"
    if len(path) != inclusion_length(m, n):
        return "merkle.path-length"
    return None if climb(m, n, leaf, path) == expected else "merkle.root-mismatch"


def consistency_length(m, n, whole=True):
    if m == n:
        return 0 if whole else 1
    k = split(n)
    return 1 + (consistency_length(m, k, whole) if m <= k else consistency_length(m - k, n - k, False))


def rebuild(m, n, whole, old_root, path):
    """The old and new root to which PROOF(m, D[n]) leads, by the recursion of SUBPROOF."""
    if m == n:
        return (old_root, old_root) if whole else (path[0], path[0])
    k = split(n)
    if m <= k:
        old, new = rebuild(m, k, whole, old_root, path[:-1])
        return old, node_hash(new, path[-1])
    old, new = rebuild(m - k, n - k, False, old_root, path[:-1])
    return node_hash(path[-1], old), node_hash(path[-1], new)


def judge_consistency(m, n, old_root, new_root, path):
    if m == 0:
        return "merkle.empty-old-tree"
    if m > n:
        return "merkle.size-order"
    if len(path) != consistency_length(m, n):
        return "merkle.path-length"
    return None if rebuild(m, n, True, old_root, path) == (old_root, new_root) else "merkle.root-mismatch"
