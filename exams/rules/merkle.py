"""The Merkle tree of RFC 6962 (section 2.1): one hash for a list, and a short proof that an entry is in it."""

from collections.abc import Iterable, Sequence
from hashlib import sha256


class MerkleTree:
    """A tree that grows leaf by leaf and keeps only its perfect subtrees: O(log n) hashes in memory."""

    __slots__ = ("_peaks", "size")

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add the hash of the next leaf (`leaf_hash`)."""
        self.size += 1
        grown = self.size
        while grown % 2 == 0:
            leaf = node_hash(self._peaks.pop(), leaf)
            grown //= 2
        self._peaks.append(leaf)

    def root(self) -> bytes:
        """Return the 32 bytes of the root; SHA-256 of nothing when there is no leaf."""
        if not self._peaks:
            return sha256().digest()
        *others, root = self._peaks
        for peak in reversed(others):
            root = node_hash(peak, root)
        return root


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of a leaf: SHA-256 of a zero byte and of the entry."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node: SHA-256 of a byte of value one and of both children."""
    return sha256(b"\x01" + left + right).digest()


def merkle_root(leaves: Iterable[bytes]) -> bytes:
    """Return the root of the leaves whose hashes are given in order."""
    tree = MerkleTree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def inclusion_proofs(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """Return the audit path of every leaf, from its sibling up to below the root.

    Levels are folded from the bottom: a node without a sibling goes up as it is, which is the tree of RFC 6962.
    """
    paths: list[list[bytes]] = [[] for _ in leaves]
    level, width = list(leaves), 1
    while len(level) > 1:
        for place, path in enumerate(paths):
            sibling = place // width ^ 1
            if sibling < len(level):
                path.append(level[sibling])
        level = [node_hash(*level[at : at + 2]) if at + 1 < len(level) else level[at] for at in range(0, len(level), 2)]
        width *= 2
    return paths


def root_of_proof(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """Return the root that a proof leads to, or None when it has not the shape of a proof (RFC 9162, 2.1.3.2).

    Args:
        leaf: hash of the entry.
        index: its place, from 0.
        size: number of leaves.
        path: its audit path, from the bottom.
    """
    if not 0 <= index < size:
        return None
    place, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return None
        if place % 2 or place == last:
            root = node_hash(sibling, root)
            while place and place % 2 == 0:
                place, last = place // 2, last // 2
        else:
            root = node_hash(root, sibling)
        place, last = place // 2, last // 2
    return root if last == 0 else None
