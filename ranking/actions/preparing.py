"""Starting to prepare the pages of a publication: names are joined to marks from here on."""

from datetime import datetime

from django.db import transaction

from ecni.accounts.actions import log_deed
from ecni.accounts.models import User
from exams.rules.states import Already
from ranking.actions.anonymity import own_run, refuse_outdated, require_lifted, require_reason
from ranking.models import RankingRun
from ranking.queries.publication import is_published


@transaction.atomic
def start_preparation(*, run_id: int, actor: User, now: datetime, reason: str) -> RankingRun:
    """Write the deed of preparing the pages of a ranking, and return it.

    Raises:
        ReasonMissing: no reason given.
        NotLifted: the anonymity is in place.
        Already: the results are published, or this ranking was taken back.
        Outdated: the ranking is not the newest, or marks changed.
    """
    require_reason(reason)
    run = own_run(run_id)
    require_lifted(run)
    if is_published(run.exam_id):
        raise Already("Les résultats de cet examen sont déjà publiés.")
    refuse_outdated(run)
    log_deed(actor=actor, verb="prepare_pages", target=f"ranking:{run.pk}", now=now, reason=reason)
    return run
