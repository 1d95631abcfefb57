from datetime import UTC, datetime

from centres.rules.board import Reached, limit_alerts, observed_alerts
from exams.enums import GuardName, Lack, LimitName

NOW = datetime(2026, 6, 15, 14, 3, tzinfo=UTC)
SINCE = int(NOW.timestamp() * 1000) - 200_000


def test_a_limit_is_named_with_its_value_its_age_and_who_waits():
    reached = [Reached(LimitName.SOCKETS, 10_000, 900, SINCE), Reached(LimitName.SOCKETS, 10_000, 900, SINCE + 90_000)]
    (alert,) = limit_alerts(reached, NOW, of_one_centre=False)
    assert alert.tone == "danger"
    assert alert.word.startswith(
        "Limite atteinte depuis 3 min (connexions par processus : 10\u202f000, dans 2 processus). "
        "1\u202f800 tablettes attendent."
    )


def test_a_room_is_told_of_its_own_tablets_and_of_each_limit():
    reached = [Reached(LimitName.SOCKETS, 3, 1, SINCE), Reached(LimitName.LOGINS, 25, 12, SINCE)]
    words = [alert.word for alert in limit_alerts(reached, NOW, of_one_centre=True)]
    assert ["1 tablette de ce centre attend." in words[0], "12 tablettes de ce centre attendent." in words[1]] == [
        True
    ] * 2


def test_descriptors_are_named_rather_than_the_limit_that_they_lower():
    reached = [
        Reached(LimitName.SOCKETS, 10_000, 2, SINCE),
        Reached(LimitName.SOCKETS, 6_196, 900, SINCE, lack=Lack.DESCRIPTORS),
    ]
    words = [alert.word for alert in limit_alerts(reached, NOW, of_one_centre=False)]
    assert ["connexions par processus : 10" in words[0], "descripteurs de fichiers" in words[1]] == [True, True]
    assert "relever « nofile » (prlimit) fait entrer les autres" in words[1]


def test_pages_that_come_too_late_are_named_rather_than_the_limit_that_nobody_reaches():
    (alert,) = limit_alerts([Reached(LimitName.LOGINS, 25, 40, SINCE, Lack.PAGES)], NOW, of_one_centre=False)
    assert "(pages d’entrée trop lentes). 40 tablettes attendent." in alert.word
    assert alert.word.endswith("un « web » de plus, ou un cœur, fait entrer les autres.")


def test_what_a_process_of_another_version_says_is_taken_for_nothing():
    assert Lack(False) is Lack.NOTHING


def test_nobody_waiting_is_no_alert():
    assert limit_alerts([Reached(LimitName.SOCKETS, 3, 0, SINCE)], NOW, of_one_centre=False) == []


def test_a_guard_that_observes_is_said():
    assert "origine des connexions" in observed_alerts([GuardName.ORIGIN])[0].word
