"""What leaves the house to be verified elsewhere: signed checkpoints, and the public log of a sitting."""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.conf import settings

from exams.enums import OpKind
from exams.models import CentreSitting, Sitting
from exams.queries.checkpoints import SAT_STATES, checkpoints_of, heads_of, last_checkpoint, trusted_keys
from exams.queries.evidence import SHEETS_AT_ONCE, stored_ops
from exams.rules.checkpoint import Head, Statement
from exams.rules.merkle import inclusion_proofs, merkle_root
from exams.rules.ops import genesis_digest

TEMPLATES = settings.BASE_DIR / "templates"
PAGE = TEMPLATES / "exams" / "verifier" / "verifier.html"
SCRIPT = TEMPLATES / "exams" / "verifier" / "verifier.js"
OWN_STYLE = TEMPLATES / "exams" / "verifier" / "verifier.css"
STYLES = settings.BASE_DIR / "static" / "css"
STYLE_LAYERS = (
    ("reset", ("reset",)),
    ("tokens", ("tokens",)),
    ("base", ("base",)),
    ("layout", ("layout",)),
    ("components", ("banner", "button", "field", "panel", "table")),
    ("utilities", ("utilities", "print")),
)
"""The house's styles that the page of verification needs, by cascade layer."""


class ExportRefused(Exception):
    """The public log cannot be made; the text, in French, says why."""


def checkpoints_json(sitting_id: int) -> str:
    """Return every checkpoint of a sitting, with the public keys that verify them."""
    document = {
        "format": "ecni-checkpoints/1",
        "sitting": sitting_id,
        "keys": {name: key.hex() for name, key in trusted_keys().items()},
        "checkpoints": [
            {"text": one.text, "signature": one.signature.hex(), "key_id": one.key_id}
            for one in checkpoints_of(sitting_id)
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def write_public_log(
    *, sitting: Sitting, folder: Path, now: datetime, told: Callable[[int, int], None]
) -> dict[str, Any]:
    """Write the anonymous log of a closed sitting, its checkpoints and the page that verifies a receipt.

    Called in `one_snapshot`. Returns the manifest.

    Raises:
        ExportRefused: somebody still composes, no checkpoint vouches for the end, or the folder is not empty. Nothing
            is written.
        OSError: the disk refuses.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ExportRefused(f"le dossier {folder} n’est pas vide")
    statement, heads = _attested_heads(sitting.pk)
    growing = folder.with_name(f"{folder.name}.partial")
    growing.mkdir(parents=True)
    ops = _write_lines(growing / "journal.jsonl", sitting.pk, heads, told)
    (growing / "checkpoints.json").write_text(checkpoints_json(sitting.pk), encoding="utf-8")
    for name, text in _verifier_files().items():
        (growing / name).write_text(text, encoding="utf-8")
    manifest = {
        "format": "ecni-journal/1",
        "exam": sitting.exam.name,
        "sitting": {"id": sitting.pk, "title": sitting.title},
        "made_at": now.isoformat(timespec="seconds"),
        "sheets": len(heads),
        "ops": ops,
        "checkpoint": {"index": statement.index, "root": statement.root.hex()},
        "files": {path.name: _described(path) for path in sorted(growing.iterdir())},
    }
    text = json.dumps(manifest, ensure_ascii=False, indent=1) + "\n"
    (growing / "manifest.json").write_text(text, encoding="utf-8")
    if folder.exists():
        folder.rmdir()
    growing.rename(folder)
    return manifest


def _attested_heads(sitting_id: int) -> tuple[Statement, list[Head]]:
    """Return the last checkpoint and the heads that it vouches for."""
    if CentreSitting.objects.filter(sitting_id=sitting_id, state__in=SAT_STATES).exists():
        raise ExportRefused("l’épreuve n’est pas close partout : un journal ouvert n’est pas public")
    last = last_checkpoint(sitting_id)
    heads = sorted(heads_of(sitting_id), key=lambda head: head.number)
    if last is None or last.statement.root != merkle_root(head.leaf for head in heads):
        raise ExportRefused(
            "le dernier point de contrôle n’atteste pas la fin du journal : attendez deux minutes après la clôture,"
            " sinon lancez verify_journal"
        )
    return last.statement, heads


def _write_lines(path: Path, sitting_id: int, heads: list[Head], told: Callable[[int, int], None]) -> int:
    proofs = inclusion_proofs([head.leaf for head in heads])
    order = sorted(range(len(heads)), key=lambda at: heads[at].digest)
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for start in range(0, len(order), SHEETS_AT_ONCE):
            told(start, len(order))
            block = order[start : start + SHEETS_AT_ONCE]
            for line in _lines(sitting_id, {at: heads[at] for at in block}, proofs):
                count += len(line["ops"])
                file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    return count


def _lines(sitting_id: int, heads: Mapping[int, Head], proofs: list[list[bytes]]) -> Iterator[dict[str, Any]]:
    ops = stored_ops(sitting_id, [head.sheet_id for head in heads.values()])
    for at, head in heads.items():
        yield {
            "head": head.digest.hex(),
            "sitting": sitting_id,
            "genesis": genesis_digest(sitting_id, head.number).hex(),
            "ops": [
                [op.seq, OpKind(op.kind).name.lower(), op.question, op.made_at, op.value, op.digest.hex()]
                for op in ops[head.sheet_id]
            ],
            "proof": {"index": at, "size": len(proofs), "path": [node.hex() for node in proofs[at]]},
        }


def _verifier_files() -> dict[str, str]:
    """Return the page of verification, that needs neither network nor server: its styles are one file."""
    order = f"@layer {', '.join(layer for layer, _ in STYLE_LAYERS)};\n"
    sheets = (
        f"@layer {layer} {{\n{(STYLES / f'{name}.css').read_text(encoding='utf-8')}}}\n"
        for layer, names in STYLE_LAYERS
        for name in names
    )
    own = f"@layer components {{\n{OWN_STYLE.read_text(encoding='utf-8')}}}\n"
    pages = {path.name: path.read_text(encoding="utf-8") for path in (PAGE, SCRIPT)}
    return pages | {OWN_STYLE.name: order + "".join(sheets) + own}


def _described(path: Path) -> dict[str, Any]:
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}
