"""A checkpoint: one signed line that fixes every sheet of a sitting as it stood at one instant (`docs/evidence.md`)."""

import struct
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from exams.rules.merkle import leaf_hash, merkle_root

FORMAT = "ecni-checkpoint/1"
NO_PREVIOUS = bytes(32)
HASH_BYTES = 32
SHORTEST_WAIT = timedelta(seconds=30)
"""Two checkpoints of a sitting are never closer: a task that is repeated does no harm."""
SETTLED = timedelta(minutes=1)
"""How long after the last closing every transaction of it is over."""

_KEY_PURPOSE = "ecni-checkpoint-key/1|"
_HEAD = struct.Struct("<II")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Head:
    """Where a sheet's chain stands: its last op and the digest of it. Only sheets with at least one op have one."""

    sheet_id: int
    number: str
    seq: int
    digest: bytes

    @property
    def leaf(self) -> bytes:
        """Hash of the sheet's leaf."""
        return head_leaf(self.number, self.seq, self.digest)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a checkpoint says.

    Attributes:
        sitting_id: the sitting.
        index: place among the checkpoints of the sitting, from 1.
        made_at_ms: when, milliseconds since 1970, by the server's clock.
        sheets: number of sheets with at least one op.
        ops: number of ops of all sheets.
        root: 32 bytes, Merkle root of the heads in the order of the sheets' numbers.
        previous: SHA-256 of the signed text before this one, `NO_PREVIOUS` for the first.
    """

    sitting_id: int
    index: int
    made_at_ms: int
    sheets: int
    ops: int
    root: bytes
    previous: bytes

    @property
    def text(self) -> bytes:
        """What is signed."""
        lines = [self.sitting_id, self.index, self.made_at_ms, self.sheets, self.ops]
        return "\n".join([FORMAT, *map(str, lines), self.root.hex(), self.previous.hex(), ""]).encode()

    @property
    def digest(self) -> bytes:
        """What the next checkpoint chains to."""
        return sha256(self.text).digest()

    @classmethod
    def read(cls, text: bytes) -> Self | None:
        """Return what a signed text says, or None when it is none: one meaning has one text."""
        try:
            kind, sitting, index, made_at, sheets, ops, root, previous, end = text.decode("ascii").split("\n")
            statement = cls(
                sitting_id=int(sitting),
                index=int(index),
                made_at_ms=int(made_at),
                sheets=int(sheets),
                ops=int(ops),
                root=bytes.fromhex(root),
                previous=bytes.fromhex(previous),
            )
        except ValueError:
            return None
        return statement if (kind, end) == (FORMAT, "") and statement.text == text else None


def state_heads(heads: Sequence[Head], *, sitting_id: int, at: datetime, before: Statement | None) -> Statement:
    """Return the checkpoint that fixes these heads, after the one that came before."""
    by_number = sorted(heads, key=lambda head: head.number)
    return Statement(
        sitting_id=sitting_id,
        index=before.index + 1 if before else 1,
        made_at_ms=milliseconds(at),
        sheets=len(heads),
        ops=sum(head.seq for head in heads),
        root=merkle_root(head.leaf for head in by_number),
        previous=before.digest if before else NO_PREVIOUS,
    )


def is_due(*, last: datetime | None, is_sat: bool, closed_at: datetime | None, now: datetime) -> bool:
    """Whether a sitting needs a checkpoint now: one a minute while a centre sits, and a last one once all has closed.

    Args:
        last: when its last checkpoint was made.
        is_sat: whether a centre sitting of it is open or paused.
        closed_at: when the last of its centre sittings closed, None when none did.
        now: the present.
    """
    if is_sat:
        return last is None or now - last >= SHORTEST_WAIT
    if closed_at is None:
        return False
    settled = whole_milliseconds(closed_at) + SETTLED
    return now >= settled and (last is None or last < settled)


def head_leaf(number: str, seq: int, digest: bytes) -> bytes:
    """Return the hash of the leaf of a sheet."""
    return leaf_hash(f"{number}|{seq}|{digest.hex()}".encode())


def pack_heads(heads: Iterable[Head]) -> bytes:
    """Return sheet and seq of each head, little-endian uint32, in the order of the sheets' ids."""
    return b"".join(_HEAD.pack(head.sheet_id, head.seq) for head in sorted(heads, key=lambda head: head.sheet_id))


def pack_leaves(heads: Iterable[Head]) -> bytes:
    """Return the hash of the leaf of each head, in the order of the sheets' ids."""
    return b"".join(head.leaf for head in sorted(heads, key=lambda head: head.sheet_id))


def unpack_heads(packed: bytes) -> list[tuple[int, int]] | None:
    """Return the pairs of sheet and seq, or None when the bytes are no packed heads."""
    if len(packed) % _HEAD.size:
        return None
    return list(_HEAD.iter_unpack(packed))


def milliseconds(at: datetime) -> int:
    """Return an instant as whole milliseconds since 1970."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def whole_milliseconds(at: datetime) -> datetime:
    """Return the instant without what a signed text cannot say."""
    return _EPOCH + timedelta(milliseconds=milliseconds(at))


def signing_key(secret: str) -> Ed25519PrivateKey:
    """Return the key that a secret text makes."""
    return Ed25519PrivateKey.from_private_bytes(sha256((_KEY_PURPOSE + secret).encode()).digest())


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """Return the 32 bytes by which anybody verifies."""
    return key.public_key().public_bytes_raw()


def key_name(public: bytes) -> str:
    """Return the `key_id` of a public key: the first 16 hexadecimal digits of its SHA-256."""
    return sha256(public).hexdigest()[:16]


def is_signed(text: bytes, signature: bytes, public: bytes) -> bool:
    """Whether the signature of a text was made by the key."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except InvalidSignature:
        return False
    return True


def witness_text(text: bytes, signature: bytes) -> str:
    """Return what a printed checkpoint's QR says: the signed text, then its signature in base64 on a line."""
    return text.decode() + b64encode(signature).decode() + "\n"


def receipt_text(sitting_id: int, number: str, head: bytes) -> str:
    """Return what the QR of a candidate's receipt says."""
    return f"ECNI1:{sitting_id}:{number}:{head.hex()}"


def known_keys(current: Ed25519PrivateKey, former: Iterable[str]) -> Mapping[str, bytes]:
    """Return the public keys that are trusted, by name: the current one and those, in hexadecimal, of the past."""
    keys = [public_bytes(current), *(bytes.fromhex(key) for key in former)]
    return {key_name(key): key for key in keys}
