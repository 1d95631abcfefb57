"""Contents to plain JSON values and back, without loss. Nothing is checked: only what `to_json` wrote is read."""

from decimal import Decimal
from typing import Any

from exams.enums import PropositionStatus
from exams.rules.content.shapes import (
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


def to_json(content: QuestionContent) -> dict[str, Any]:
    """A question's content as JSON values; `from_json` gives the same content back."""
    return {
        "stem": content.stem,
        "new_information": content.new_information,
        "media": [{"file": media.file, "alt": media.alt} for media in content.media],
        "propositions": [{"text": line.text, "status": line.status.value} for line in content.propositions],
        "expected_count": content.expected_count,
        "accepted": content.accepted
        and {"exact": list(content.accepted.exact), "acceptable": list(content.accepted.acceptable)},
        "zones": [_zone_to_json(zone) for zone in content.zones],
        "script": content.script and _script_to_json(content.script),
        "explanation": content.explanation,
    }


def from_json(data: dict[str, Any]) -> QuestionContent:
    """The content that `to_json` wrote."""
    accepted, script = data["accepted"], data["script"]
    return QuestionContent(
        stem=data["stem"],
        new_information=data["new_information"],
        media=tuple(MediaRef(media["file"], media["alt"]) for media in data["media"]),
        propositions=tuple(
            Proposition(line["text"], PropositionStatus(line["status"])) for line in data["propositions"]
        ),
        expected_count=data["expected_count"],
        accepted=accepted and AcceptedAnswers(tuple(accepted["exact"]), tuple(accepted["acceptable"])),
        zones=tuple(_zone_from_json(zone) for zone in data["zones"]),
        script=script and _script_from_json(script),
        explanation=data["explanation"],
    )


def case_to_json(content: CaseContent) -> dict[str, Any]:
    """A case's content as JSON values; `case_from_json` gives the same content back."""
    return {"title": content.title, "vignette": content.vignette, "article": content.article}


def case_from_json(data: dict[str, Any]) -> CaseContent:
    """The content that `case_to_json` wrote."""
    return CaseContent(title=data["title"], vignette=data["vignette"], article=data["article"])


def _script_to_json(script: Script) -> dict[str, Any]:
    return {
        "hypothesis": script.hypothesis,
        "new_information": script.new_information,
        "scale": list(script.scale),
        "panel": list(script.panel),
    }


def _script_from_json(data: dict[str, Any]) -> Script:
    return Script(data["hypothesis"], data["new_information"], tuple(data["scale"]), tuple(data["panel"]))


def _zone_to_json(zone: Zone) -> dict[str, Any]:
    if isinstance(zone, Circle):
        return {"shape": "circle", "x": str(zone.centre.x), "y": str(zone.centre.y), "r": str(zone.radius)}
    return {"shape": "polygon", "points": [[str(corner.x), str(corner.y)] for corner in zone.corners]}


def _zone_from_json(data: dict[str, Any]) -> Zone:
    if data["shape"] == "circle":
        return Circle(Point(Decimal(data["x"]), Decimal(data["y"])), Decimal(data["r"]))
    return Polygon(tuple(Point(Decimal(x), Decimal(y)) for x, y in data["points"]))
