"""Which ranking is the newest, and which one is published."""

from ranking.models import Publication, RankingRun


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
