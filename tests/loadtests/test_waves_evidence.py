"""What a load test holds acknowledgements against: the journal itself, by a connection of its own."""

import pytest
from django.db import connection

from exams.models import JournalEntry
from loadtests.waves.evidence import compare
from loadtests.waves.measures import WITNESS
from tests.exams.evidence import sat


def address():
    place = connection.settings_dict
    return f"postgresql:///{place['NAME']}?host={place['HOST']}&port={place['PORT']}&user={place['USER']}"


@pytest.mark.django_db(transaction=True)
def test_an_act_not_stored_as_it_was_acknowledged_is_lost_and_told_of_its_sheet(tmp_path):
    house = sat()
    numbers = {chain.sheet.pk: chain.sheet.number for chain in house.chains}
    rows = JournalEntry.objects.values_list("sheet_id", "seq", "digest")
    stored = [(numbers[sheet], seq, bytes(digest)) for sheet, seq, digest in rows]
    first, second = house.chains[0].sheet.number, house.chains[1].sheet.number
    never = [(first, 99, bytes(32)), (second, 1, b"x" * 32), (second, 98, bytes(32))]
    told = [WITNESS.pack(number.encode(), seq, digest) for number, seq, digest in (*stored, *stored, *never)]
    (tmp_path / "acked-1.bin").write_bytes(b"".join(told) + b"half of one")
    found = compare(address(), house.sitting_id, tmp_path)
    assert (found.acknowledged, found.stored, found.broken) == (len(stored) + 3, len(stored), 0)
    assert (found.lost, dict(found.lost_of)) == (3, {first: 1, second: 2})
    assert (found.submitted, found.frozen) == (1, len(house.chains))
