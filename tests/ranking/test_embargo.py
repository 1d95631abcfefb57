"""Before publication, nobody reads a result: every address of marking and ranking is visited as everybody."""

import pytest
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver

from ecni.accounts.enums import Role
from tests.factories.exams import user
from tests.factories.grading import BLANK, PERFECT, ranked_exam

pytestmark = pytest.mark.django_db

SEEN_BY_THE_JURY = frozenset({Role.AGENCY, Role.JURY, Role.PRESIDENT})
OF_A_COPY = ("Explication", "Question blanc", "proposition", "Nom1", "Prénom1")
OF_THE_JURY = ("Question blanc", "proposition")
"""What the jury's pages do show: questions, and propositions to vote on; never a copy."""
OF_A_RANKING = ("10\N{NARROW NO-BREAK SPACE}800", "5\N{NARROW NO-BREAK SPACE}940", "K2-0001", "10800")


def addresses(namespace, values):
    for pattern in _patterns(get_resolver(), namespace):
        arguments = {name: values.get(name, "x") for name in pattern.pattern.converters}
        yield reverse(f"{namespace}:{pattern.name}", kwargs=arguments)


def _patterns(resolver, namespace):
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver) and pattern.namespace == namespace:
            yield from pattern.url_patterns


@pytest.mark.parametrize("role", [None, *Role])
def test_no_address_gives_a_byte_of_a_copy_before_publication(client, role):
    run = ranked_exam(
        user("auteur", Role.AGENCY), {"K2-0001": PERFECT, "K2-0002": BLANK, "K2-0003": (PERFECT[0], None)}
    )
    values = {"exam_id": run.exam_id, "run_id": run.pk, "publication_id": 1}
    sitting = run.exam.sittings.first()
    values |= {"sitting_id": sitting.pk, "paper_id": sitting.papers.get().pk, "number": 1}
    values |= {"proposal_id": 1, "session_id": 1}
    if role:
        client.force_login(user("quelqu'un", role))
    forbidden = {*OF_A_COPY} - {*OF_THE_JURY} if role in SEEN_BY_THE_JURY else {*OF_A_COPY, *OF_A_RANKING}
    visited = [*addresses("grading", values), *addresses("ranking", values)]
    assert len(visited) >= 16
    for address in visited:
        for answer in (client.get(address), client.post(address, {"reason": "", "official_number": "2026-0001"})):
            text = answer.content.decode()
            assert (address, [word for word in forbidden if word in text]) == (address, [])
