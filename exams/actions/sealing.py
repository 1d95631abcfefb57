"""Sealing: a written paper becomes one immutable, encrypted file, and a set of keys held by two officers."""

import json
import os
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from ecni.shared.vault import encrypt, new_key, officers_key
from exams.actions.bank import lock_bank
from exams.enums import PaperState, QuestionKind
from exams.models import Media, Paper, PaperKey, PaperQuestion
from exams.queries.bank import media_named
from exams.queries.drafts import Step, paper_faults, paper_steps, paper_units, pointed_size
from exams.queries.fragments import case_fragment, question_fragment
from exams.queries.papers import KEY_PURPOSE, key_context
from exams.rules.paperfile import OPENING, QuestionEntry, blob_context, pack
from exams.rules.states import Refused


class SealingRefused(Refused):
    """The paper stays as it was; `reasons` says why, one sentence in French each."""

    code = "sealing-refused"

    def __init__(self, *reasons: str) -> None:
        """Keep the reasons, one line each in the text."""
        self.reasons = reasons
        super().__init__("\n".join(reasons))


class PaperAlreadySealed(SealingRefused):
    """A paper is sealed once."""

    code = "already-sealed"


class PaperEmpty(SealingRefused):
    """There is nothing to ask."""

    code = "empty"


class PaperFaulty(SealingRefused):
    """Some questions cannot be asked or marked; every reason is given, with its place."""

    code = "faulty"


@transaction.atomic
def seal_paper(*, paper_id: int, actor: User, now: datetime, reason: str = "") -> Paper:
    """Number the questions, encrypt each one under its own key, write the file, and freeze the paper.

    The file is on disk before the transaction ends: a sealed paper always has its file. A file left by a
    transaction that failed is a ciphertext without keys.

    Raises:
        PaperAlreadySealed: it is sealed.
        PaperEmpty: it has no unit.
        PaperFaulty: a question cannot be asked or marked, or an image is missing.
    """
    lock_bank()
    paper = lock_draft(paper_id=paper_id)
    units = paper_units(paper.pk)
    if not units:
        raise PaperEmpty(_("Ce sujet ne contient aucune question."))
    steps = paper_steps(units)
    media = media_named({name for step in steps for name in step.images})
    if faults := paper_faults(paper, units, steps, media):
        raise PaperFaulty(*faults)
    keys = {step.place.number: new_key() for step in steps} | {OPENING: new_key()}
    data = _file(paper, steps, media, keys)
    paper.digest, paper.size = sha256(data).hexdigest(), len(data)
    paper.state, paper.sealed_at = PaperState.SEALED, now
    write_once(Path(settings.PAPERS_ROOT) / f"{paper.digest}.ecni", data)
    _freeze(paper, steps, media, keys)
    log_deed(
        actor=actor,
        verb="seal_paper",
        target=f"paper:{paper.pk}",
        now=now,
        reason=reason,
        data={"digest": paper.digest, "questions": len(steps), "bytes": paper.size},
    )
    return paper


def lock_draft(*, paper_id: int) -> Paper:
    """Return a paper that can still be changed, locked until the end of the transaction.

    Raises:
        PaperAlreadySealed: it is sealed.
    """
    paper = Paper.objects.select_for_update(of=("self",), no_key=True).get(pk=paper_id)
    if paper.state == PaperState.SEALED:
        raise PaperAlreadySealed(_("Ce sujet est déjà scellé."))
    return paper


def write_once(path: Path, data: bytes) -> None:
    """Write a file that is either absent or whole, even if the machine stops, and that nobody may change."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".part", delete=False) as part:
        part.write(data)
        part.flush()
        os.fchmod(part.fileno(), 0o444)
        os.fsync(part.fileno())
    Path(part.name).rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _file(paper: Paper, steps: Sequence[Step], media: Mapping[str, Media], keys: Mapping[int, bytes]) -> bytes:
    readable = {str(step.place.number): _base64(keys[step.place.number]) for step in steps if not step.previous}
    blobs = [_blob(paper, step.place.number, _plaintext(step, media), keys) for step in steps]
    return pack(
        paper_id=paper.pk,
        sitting_id=paper.sitting_id,
        entries=[_entry(step) for step in steps],
        blobs=blobs,
        opening=_blob(paper, OPENING, {"keys": readable}, keys),
    )


def _blob(paper: Paper, number: int, plaintext: dict[str, Any], keys: Mapping[int, bytes]) -> bytes:
    text = json.dumps(plaintext, ensure_ascii=False, separators=(",", ":"))
    return encrypt(keys[number], text.encode(), blob_context(paper.pk, number))


def _plaintext(step: Step, media: Mapping[str, Media]) -> dict[str, Any]:
    return {
        "html": question_fragment(QuestionKind(step.question.kind), step.content, step.place),
        "vignette": case_fragment(step.case, step.place) if step.case and step.place.position == 1 else None,
        "media": {
            name: {"type": media[name].content_type, "base64": _base64(bytes(media[name].content))}
            for name in sorted(step.images)
        },
    }


def _entry(step: Step) -> QuestionEntry:
    return QuestionEntry(
        number=step.place.number,
        unit=step.unit.position,
        position=step.place.position,
        unit_size=step.place.unit_size,
        case=step.place.case_kind,
        kind=step.question.kind,
        propositions=len(step.content.propositions),
        progressive=step.is_progressive,
        previous=step.previous,
    )


def _freeze(paper: Paper, steps: Sequence[Step], media: Mapping[str, Media], keys: Mapping[int, bytes]) -> None:
    paper.save(update_fields=["state", "digest", "size", "sealed_at"])
    PaperQuestion.objects.bulk_create(_numbered(paper, step, pointed_size(step, media)) for step in steps)
    wrapping = officers_key(KEY_PURPOSE)
    held = [OPENING, *(step.place.number for step in steps if step.previous)]
    PaperKey.objects.bulk_create(
        PaperKey(paper=paper, step=step, wrapped=encrypt(wrapping, keys[step], key_context(paper.pk, step)))
        for step in held
    )


def _numbered(paper: Paper, step: Step, pointed: tuple[int, int] | None) -> PaperQuestion:
    width, height = pointed or (None, None)
    return PaperQuestion(
        paper=paper,
        number=step.place.number,
        unit=step.unit,
        question=step.question,
        kind=step.question.kind,
        propositions=len(step.content.propositions),
        expected_count=step.content.expected_count,
        is_progressive=step.is_progressive,
        previous=step.previous,
        image_width=width,
        image_height=height,
    )


def _base64(data: bytes) -> str:
    return b64encode(data).decode()
