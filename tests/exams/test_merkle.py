from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exams.rules.merkle import MerkleTree, inclusion_proofs, leaf_hash, merkle_root, node_hash, root_of_proof

LEAVES = st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=70, unique=True)


def defined(entries):
    """RFC 6962, section 2.1, word for word."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return sha256(b"\x01" + defined(entries[:split]) + defined(entries[split:])).digest()


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_root_is_that_of_the_rfc(entries):
    assert merkle_root(leaf_hash(entry) for entry in entries) == defined(entries)


def test_root_of_known_vectors():
    """The vectors that Certificate Transparency implementations share."""
    entries = [bytes.fromhex(text) for text in ("", "00", "10", "2021", "3031", "40414243")]
    roots = [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    ]
    tree, seen = MerkleTree(), []
    for entry in entries:
        tree.append(leaf_hash(entry))
        seen.append(tree.root().hex())
    assert seen == roots
    assert merkle_root([]).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@given(LEAVES, st.data())
def test_any_other_leaf_gives_another_root(leaves, data):
    place = data.draw(st.integers(0, len(leaves) - 1))
    other = data.draw(st.binary(min_size=32, max_size=32).filter(lambda leaf: leaf != leaves[place]))
    assert merkle_root([*leaves[:place], other, *leaves[place + 1 :]]) != merkle_root(leaves)


@given(LEAVES, st.data())
def test_removing_swapping_or_adding_a_leaf_gives_another_root(leaves, data):
    place = data.draw(st.integers(0, len(leaves) - 1))
    root = merkle_root(leaves)
    assert merkle_root(leaves[:place] + leaves[place + 1 :]) != root
    assert merkle_root([*leaves, leaves[place]]) != root
    assert merkle_root(leaves[::-1]) != root or len(leaves) == 1


@given(LEAVES)
def test_every_leaf_is_proved_in_its_place_and_nowhere_else(leaves):
    root, size = merkle_root(leaves), len(leaves)
    proofs = inclusion_proofs(leaves)
    for index, (leaf, path) in enumerate(zip(leaves, proofs, strict=True)):
        assert root_of_proof(leaf, index, size, path) == root
        assert root_of_proof(node_hash(leaf, leaf), index, size, path) != root
        assert root_of_proof(leaf, index, size, [*path, leaf]) is None
        assert root_of_proof(leaf, (index + 1) % size, size, path) != root or size == 1


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_a_place_outside_the_tree_proves_nothing(index, size):
    assert root_of_proof(bytes(32), index, size, []) is None


@given(LEAVES, st.integers(0, 70))
def test_a_tree_grows_without_forgetting_its_prefix(leaves, size):
    prefix = leaves[:size]
    tree, roots = MerkleTree(), {}
    for leaf in leaves:
        tree.append(leaf)
        roots[tree.size] = tree.root()
    assert roots.get(len(prefix), merkle_root([])) == merkle_root(prefix)
