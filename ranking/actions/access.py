"""Opening one's results: the candidate number and the code of the slip's kept part. Wrong codes slow down, never lock.

The counter belongs to the candidate number, not to the address: a whole faculty may share one. It never stops the right
code: anybody may type wrong ones for somebody else's number.
"""

from hashlib import sha256

import redis
from django.core.cache import cache

from centres.models import Candidate
from centres.queries.slips import candidate_id_by_results_code
from exams.rules.states import Refused
from ranking.queries.publication import is_published

FREE_ATTEMPTS = 5
LONGEST_SECONDS = 60
MEMORY_SECONDS = 1800


class WrongCode(Refused):
    """No candidate has this number and this code."""

    code = "wrong-code"
    text = "Ce numéro et ce code ne vont pas ensemble. Vérifiez-les sur la partie du coupon à conserver."


class MustWait(Refused):
    """Several wrong codes in a row for this number."""

    code = "must-wait"
    text = "Plusieurs codes erronés de suite : attendez un instant, une minute au plus, puis réessayez."


class NotPublished(Refused):
    """The results of this candidate's exam are not published."""

    code = "not-published"
    text = "Les résultats ne sont pas encore publiés."


def open_results(*, official_number: str, code: str) -> Candidate:
    """Return the candidate whose results may be shown.

    Raises:
        MustWait, WrongCode, NotPublished: why not.
    """
    number = official_number.strip().upper()
    candidate_id = candidate_id_by_results_code(code)
    candidate = Candidate.objects.filter(pk=candidate_id or 0, official_number__iexact=number).first()
    if candidate is None:
        if _is_waiting(number):
            raise MustWait
        _note_wrong_code(number)
        raise WrongCode
    if not is_published(candidate.exam_id):
        raise NotPublished
    return candidate


def _is_waiting(number: str) -> bool:
    try:
        return bool(cache.get(_key("pause", number)))
    except redis.RedisError:
        return False


def _note_wrong_code(number: str) -> None:
    try:
        cache.add(_key("count", number), 0, MEMORY_SECONDS)
        extra = cache.incr(_key("count", number)) - FREE_ATTEMPTS
        if extra > 0:
            cache.set(_key("pause", number), 1, min(2**extra, LONGEST_SECONDS))
    except redis.RedisError:
        return


def _key(kind: str, number: str) -> str:
    return f"results:{kind}:{sha256(number.encode()).hexdigest()}"
