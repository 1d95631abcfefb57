"""A bank as heavy as a real one: the demonstration's, with a photograph on each isolated question that has no image.

The photographs are noise, which no compression makes lighter: a test whose paper is light would prove nothing.
"""

import json
import random
import shutil
import struct
import zlib
from pathlib import Path

SIDE = 224
"""Pixels; one grey byte each: about 50 kB a photograph, 67 kB in the sealed paper."""
PNG = b"\x89PNG\r\n\x1a\n"
ALT = "Cliché de charge, sans signification."


def write_heavy_bank(source: Path, target: Path, photographs: int) -> int:
    """Copy a bank folder and put photographs in it; return how many there was room for."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    rng = random.Random("waves/bank")
    placed = 0
    for path in sorted(target.glob("*.json")):
        bank = json.loads(path.read_text(encoding="utf-8"))
        for question in bank.get("questions", ()):
            if placed < photographs and question.get("media") == []:
                placed += 1
                name = f"media/charge-{placed:03}.png"
                (target / name).write_bytes(photograph(rng))
                question["media"] = [{"file": name, "alt": ALT}]
        path.write_text(json.dumps(bank, ensure_ascii=False, indent=1), encoding="utf-8")
    return placed


def photograph(rng: random.Random) -> bytes:
    """Return a grey PNG that cannot be compressed."""
    rows = b"".join(b"\0" + rng.randbytes(SIDE) for _ in range(SIDE))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 0, 0, 0, 0)
    return PNG + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
