"""From the JSON values of a bank file, already found to have the right shape, to the bank's own values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from exams.enums import CaseKind, PropositionStatus, QuestionKind
from exams.rules.bank.format import SCALE
from exams.rules.bank.model import BankCase, BankQuestion
from exams.rules.content import (
    AcceptedAnswers,
    CaseContent,
    Circle,
    MediaRef,
    Point,
    Polygon,
    Proposition,
    QuestionContent,
    Script,
    Zone,
)


def bank_case(item: Any, articles: Mapping[str, bytes]) -> BankCase:
    """A case of a file; its questions take its specialties when they say none."""
    specialty = ", ".join(item.get("specialties", ()))
    return BankCase(
        identifier=item["id"],
        kind=CaseKind(item["kind"]),
        content=CaseContent(
            title=item["title"],
            vignette=item["vignette"],
            article=articles[item["article"]].decode("utf-8-sig") if "article" in item else "",
        ),
        questions=tuple(
            bank_question(step["question"], step.get("new_information") or "", specialty) for step in item["steps"]
        ),
    )


def bank_question(item: Any, new_information: str = "", specialty: str = "") -> BankQuestion:
    """A question of a file; what its step reveals and the case's specialties come from around it."""
    return BankQuestion(
        identifier=item["id"],
        kind=QuestionKind(item["kind"]),
        rank=item["rank"],
        item=item.get("item"),
        specialty=item.get("specialty", specialty),
        content=QuestionContent(
            stem=item["stem"],
            new_information=new_information,
            media=tuple(MediaRef(media["file"], media["alt"]) for media in item.get("media", ())),
            propositions=tuple(
                Proposition(line["text"], PropositionStatus(line["status"].upper()))
                for line in item.get("propositions", ())
            ),
            expected_count=item.get("expected_count"),
            accepted=_accepted(item.get("accepted")),
            zones=tuple(_zone(zone) for zone in item.get("zones", ())),
            script=_script(item) if "hypothesis" in item else None,
            explanation=item["explanation"],
        ),
    )


def _accepted(item: Any) -> AcceptedAnswers | None:
    return item and AcceptedAnswers(tuple(item["exact"]), tuple(item.get("acceptable", ())))


def _script(item: Any) -> Script:
    return Script(
        hypothesis=item["hypothesis"],
        new_information=item["new_information"],
        scale=tuple(item["scale"][step] for step in SCALE),
        panel=tuple(item["panel"][step] for step in SCALE),
    )


def _zone(item: Any) -> Zone:
    if item["shape"] == "circle":
        return Circle(_point(item["x"], item["y"]), Decimal(item["r"]))
    return Polygon(tuple(_point(*corner) for corner in item["points"]))


def _point(x: Decimal | int, y: Decimal | int) -> Point:
    return Point(Decimal(x), Decimal(y))
