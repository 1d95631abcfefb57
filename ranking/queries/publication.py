"""Which ranking is the newest, and which one is published."""

from datetime import datetime

from ranking.models import Publication, RankingRun, RankingSignature

LAST_STEP = 2
"""Of the two acts that lift the anonymity."""


def latest_ranking(exam_id: int) -> RankingRun | None:
    """Return the newest ranking of an exam."""
    return RankingRun.objects.filter(exam_id=exam_id).order_by("-pk").first()


def is_published(exam_id: int) -> bool:
    """Whether the results of an exam may be read by their owners."""
    return Publication.objects.filter(exam_id=exam_id, confirmed_at__isnull=False).exists()


def published_ranking(exam_id: int) -> RankingRun | None:
    """Return the ranking that was published, or None: then nobody reads a result."""
    return RankingRun.objects.filter(exam_id=exam_id, publication__confirmed_at__isnull=False).first()


def is_anything_published() -> bool:
    """Whether one exam at least has its results open: else there is nothing to ask for."""
    return Publication.objects.filter(confirmed_at__isnull=False).exists()


def lifted_ranking(exam_id: int) -> RankingRun | None:
    """Return the ranking whose anonymity two people lifted, and that the president has not taken back."""
    return RankingRun.objects.filter(exam_id=exam_id, lifts__step=LAST_STEP, withdrawal=None).first()


def is_lifted(exam_id: int) -> bool:
    """Whether the anonymity of an exam is lifted: then no ranking of it is computed."""
    return lifted_ranking(exam_id) is not None


def acted_on(run: RankingRun) -> set[int]:
    """Return who signed a ranking or did an act to lift its anonymity, by id: they may do no other."""
    signed = RankingSignature.objects.filter(run=run).values_list("signed_by_id", flat=True)
    return {*signed, *run.lifts.values_list("lifted_by_id", flat=True)}


def published_at(exam_id: int) -> datetime | None:
    """Return when the results of an exam were published; None before."""
    published = Publication.objects.filter(exam_id=exam_id, confirmed_at__isnull=False)
    return published.values_list("confirmed_at", flat=True).first()
