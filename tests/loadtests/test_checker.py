"""The checker against crafted histories: a good one holds, and each invariant has histories that break it by name."""

import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from loadtests.checker.fold import tree
from loadtests.checker.history import History
from loadtests.checker.invariants import NAMES, decide

ROOT = Path(__file__).parents[2]
SITTING, DURATION, GRACE = 7, 15, 4
WALL = 1_782_307_800.0  # of monotonic zero, in seconds
KIND = {"answer": 1, "seal": 2, "flag": 3, "strike": 4, "submit": 5}
SHEETS = {"A1-0001": "AMI", "A1-0002": "AMI", "B1-0001": "BOR"}
ACTS = [("answer", 1, "AB"), ("answer", 2, "A"), ("seal", 2, ""), ("answer", 3, "C"), ("submit", 0, "")]
OPENED = 100.0
END = OPENED + DURATION


def wall(mono):
    return (WALL + mono) * 1000


def clocks(mono):
    return {"mono": mono, "wall": wall(mono)}


class Story:
    """A day that goes well, to be spoilt before it is judged."""

    def __init__(self):
        self.tablets = {}
        self.heads = {}
        self.journal = []
        self.frozen = []
        self.refused = None
        self.checkpoints = None
        self.faults = []
        self.probes = []
        self.questions = [
            {"number": 1, "kind": "QRM", "propositions": 5, "progressive": False, "previous": 0},
            {"number": 2, "kind": "QRU", "propositions": 5, "progressive": True, "previous": 0},
            {"number": 3, "kind": "QRU", "propositions": 5, "progressive": True, "previous": 2},
        ]
        self.sheets = [
            {
                "id": position,
                "sheet": sheet,
                "centre": centre,
                "state": "SUBMITTED",
                "epoch": 1,
                "extra_seconds": 0,
                "ends_at": wall(END + 0.1),
            }
            for position, (sheet, centre) in enumerate(SHEETS.items(), start=1)
        ]
        self.deeds = [
            {"act": "ouvrir", "centre": centre, "asked": clocks(OPENED), "done": clocks(OPENED + 0.2)}
            for centre in ("AMI", "BOR")
        ]
        for sheet in SHEETS:
            self.compose(sheet)
            self.freeze(sheet)

    def say(self, tablet, event, mono, **seen):
        line = {"e": event, "tablet": tablet, "mono": mono, "wall": int(wall(mono))} | seen
        self.tablets.setdefault(tablet, []).append(line)

    def compose(self, sheet):
        tablet = f"{sheet}-1"
        genesis = sha256(f"ecni-sheet/1|{SITTING}|{sheet}".encode()).hexdigest()
        self.heads[sheet] = genesis
        self.say(tablet, "state", 99.0, sheet=sheet, seq=0, digest=genesis)
        self.say(tablet, "read", OPENED + 0.3, q=1)
        self.say(tablet, "read", OPENED + 0.3, q=2)
        for place, (kind, question, value) in enumerate(ACTS, start=1):
            instant = OPENED + place
            if question == 3:
                self.say(tablet, "read", instant - 0.5, q=3)
            op = self.act(sheet, tablet, place, place, kind, question, value, instant)
            self.acknowledge(tablet, op, instant + 0.02)
            self.store(sheet, op, instant + 0.01)
        self.say(tablet, "receipt", OPENED + 6, seq=len(ACTS), digest=self.heads[sheet])
        self.say(tablet, "finish", OPENED + 7, pending=0)

    def act(self, sheet, tablet, act, seq, kind, question, value, mono):  # noqa: PLR0917 -- an op, in its order
        at = int(wall(mono))
        line = f"{seq}|{kind}|{question}|{at}|{value}"
        digest = sha256(bytes.fromhex(self.heads[sheet]) + line.encode()).hexdigest()
        op = {"act": act, "seq": seq, "kind": kind, "q": question, "value": value, "at": at, "digest": digest}
        self.say(tablet, "invoke", mono, **op)
        self.say(tablet, "send", mono + 0.001, seq=seq, digest=digest)
        return op

    def acknowledge(self, tablet, op, mono):
        self.say(tablet, "ack", mono, **op, via="ack", took=0.019)
        self.say(tablet, "saved", mono, seq=op["seq"], digest=op["digest"])

    def refuse(self, tablet, op, mono, code):
        self.say(tablet, "refused", mono, **op, code=code)

    def store(self, sheet, op, mono, epoch=1):
        self.heads[sheet] = op["digest"]
        self.journal.append(
            {
                "sheet": sheet,
                "seq": op["seq"],
                "epoch": epoch,
                "kind": KIND[op["kind"]],
                "question": op["q"],
                "value": op["value"],
                "made_at": op["at"],
                "received_at": wall(mono),
                "digest": op["digest"],
            }
        )

    def freeze(self, sheet):
        masks = b"".join(mask.to_bytes(4, "little") for mask in (0b11, 0b1, 0b100)).hex()
        self.frozen.append(
            {"sheet": sheet, "masks": masks, "texts": {}, "last_seq": len(ACTS), "head_digest": self.heads[sheet]}
        )

    def row(self, sheet, seq):
        return next(row for row in self.journal if (row["sheet"], row["seq"]) == (sheet, seq))

    def extra(self, *, mono=OPENED + 8, sheet="A1-0001", tablet=None, act=6, seq=6):
        """One more op on a sheet, not stored, of which nothing is known yet."""
        return self.act(sheet, tablet or f"{sheet}-1", act, seq, "answer", 1, "B", mono)

    def write(self, folder):
        (folder / "tablets").mkdir(parents=True)
        (folder / "export").mkdir()
        for name, lines in self.tablets.items():
            dump(folder / "tablets" / f"{name}.jsonl", sorted(lines, key=lambda line: line["mono"]))
        exports = {"journal": self.journal, "sheets": self.sheets, "frozen": self.frozen, "questions": self.questions}
        exports["sittings"] = [{"id": SITTING, "duration_seconds": DURATION, "grace_seconds": GRACE}]
        exports |= {"refused": self.refused, "checkpoints": self.checkpoints}
        for name, lines in exports.items():
            if lines is not None:
                dump(folder / "export" / f"{name}.jsonl", lines)
        timetable = {
            "duration": DURATION,
            "grace": GRACE,
            "sheets": {sheet: {"centre": centre, "extra": 0} for sheet, centre in SHEETS.items()},
            "deeds": self.deeds,
        }
        (folder / "timetable.json").write_text(json.dumps(timetable))
        dump(folder / "faults.jsonl", self.faults)
        dump(folder / "probes.jsonl", self.probes)
        return folder


def dump(path, lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def judge(story, tmp_path):
    findings = decide(History(story.write(tmp_path)))
    return {name: {reason for _, _, reason in places} for name, places in findings.broken.items()}, findings


def acks(story, centre, count, took, start):
    """Acknowledgements that took some time, in one centre, as a long list of delays."""
    sheet = next(sheet for sheet, where in SHEETS.items() if where == centre)
    lines = story.tablets[f"{sheet}-1"]
    for number in range(count):
        act = int(start) * 1000 + number
        op = {"act": act, "seq": act, "kind": "flag", "q": 1, "value": "1", "at": 0, "digest": "00"}
        instant = start + number / 100
        lines.append({"e": "invoke", "tablet": "", "mono": instant, "wall": 0} | op)
        lines.append({"e": "ack", "tablet": "", "mono": instant + took, "wall": 0, "via": "ack", "took": took} | op)


def test_a_day_that_went_well_holds(tmp_path):
    story = Story()
    broken, findings = judge(story, tmp_path)
    assert broken == {}
    observed = {name for name in NAMES if findings.verdict(name) == "held"}
    assert observed == set(NAMES) - {"I9", "I11", "I12", "I13", "I14", "I16"}
    assert findings.counts["acknowledged"] == len(ACTS) * len(SHEETS)


def test_an_op_without_answer_may_be_stored_or_not(tmp_path):
    story = Story()
    story.extra(sheet="A1-0002")
    story.tablets["A1-0002-1"] = [line for line in story.tablets["A1-0002-1"] if line["e"] != "finish"]
    broken, findings = judge(story, tmp_path)
    assert broken == {}
    assert findings.counts["unknown"] == 1


def test_time_granted_to_a_sheet_handed_in_changes_nothing(tmp_path):
    story = Story()
    deed = {"act": "temps", "centre": "AMI", "sheet": "A1-0001", "minutes": 1}
    story.deeds.append(deed | {"asked": clocks(107), "done": clocks(107.1)})
    assert judge(story, tmp_path)[0] == {}


def lose_an_acknowledged_answer(story):
    story.journal.remove(story.row("A1-0001", 5))


def freeze_another_answer(story):
    story.frozen[0]["masks"] = "07" + story.frozen[0]["masks"][2:]


def forget_to_freeze(story):
    del story.frozen[1]


def store_twice(story):
    story.journal.append(story.row("A1-0001", 3))


def leave_a_gap(story):
    story.journal.remove(story.row("B1-0001", 2))


def store_an_act_under_two_numbers(story):
    op = story.extra(act=4)
    story.acknowledge("A1-0001-1", op, OPENED + 8.1)
    story.store("A1-0001", op, OPENED + 8.05)


def store_acts_out_of_order(story):
    op = story.extra(act=0)
    story.acknowledge("A1-0001-1", op, OPENED + 8.1)
    story.store("A1-0001", op, OPENED + 8.05)


def give_up_an_act(story):
    story.extra()


def record_after_grace(story):
    story.row("B1-0001", 5)["received_at"] = wall(END + GRACE + 1)


def acknowledge_after_grace(story):
    op = story.extra(mono=END + GRACE + 1)
    story.acknowledge("A1-0001-1", op, END + GRACE + 1.1)
    story.store("A1-0001", op, END)


def refuse_in_time(story):
    story.refuse("A1-0001-1", story.extra(mono=END - 2), END - 1, "late")


def refuse_without_keeping(story):
    story.refused = []
    op = story.extra(mono=END - 2)
    story.say("A1-0001-1", "send", END + GRACE + 1, seq=op["seq"], digest=op["digest"])
    story.refuse("A1-0001-1", op, END + GRACE + 1.1, "late")


def keep_what_was_made_late(story):
    op = story.extra(mono=END + 2)
    story.refused = [{"sheet": "A1-0001", "seq": op["seq"], "digest": op["digest"], "code": "quarantined"}]
    story.say("A1-0001-1", "send", END + GRACE + 1, seq=op["seq"], digest=op["digest"])
    story.refuse("A1-0001-1", op, END + GRACE + 1.1, "quarantined")


def read_before_the_opening(story):
    story.say("A1-0001-1", "read", OPENED - 1, q=1)


def read_a_step_before_the_seal(story):
    story.say("A1-0001-1", "read", OPENED + 1.5, q=3)


def read_a_step_before_the_seal_is_acknowledged(story):
    story.say("A1-0001-1", "read", OPENED + 3.015, q=3)  # made at 3, stored at 3.01, acknowledged at 3.02


def store_what_nobody_made(story):
    story.row("A1-0001", 1)["digest"] = "11" * 32


def store_another_value(story):
    story.row("A1-0001", 1)["value"] = "C"


def end_too_early(story):
    story.sheets[0]["ends_at"] = wall(END - 2)


def forget_granted_time(story):
    deed = {"act": "temps", "centre": "AMI", "sheet": "A1-0001", "minutes": 1}
    story.deeds.append(deed | {"asked": clocks(104), "done": clocks(104.1)})


def forget_a_pause(story):
    story.deeds.append({"act": "pause", "centre": "BOR", "asked": clocks(105), "done": clocks(105.1)})
    story.deeds.append({"act": "reprendre", "centre": "BOR", "asked": clocks(115), "done": clocks(115.1)})


def go_back_to_an_older_epoch(story):
    story.row("A1-0001", 3)["epoch"] = 2


def write_after_the_release(story):
    deed = {"act": "liberer", "centre": "AMI", "sheet": "A1-0001"}
    story.deeds.append(deed | {"asked": clocks(102), "done": clocks(102.1)})
    story.sheets[0]["epoch"] = 2


def take_turns(story):
    second = "A1-0001-2"
    story.say(second, "state", OPENED + 6, sheet="A1-0001", seq=5, digest=story.heads["A1-0001"])
    for seq, tablet, act in ((6, second, 1), (7, "A1-0001-1", 6)):
        op = story.extra(tablet=tablet, act=act, seq=seq, mono=OPENED + seq + 2)
        story.acknowledge(tablet, op, OPENED + seq + 2.1)
        story.store("A1-0001", op, OPENED + seq + 2.05)


def record_what_was_refused(story):
    op = story.extra()
    story.refuse("A1-0001-1", op, OPENED + 8.1, "sealed")
    story.store("A1-0001", op, OPENED + 8.05)


def promise_to_keep_and_forget(story):
    story.refused = []
    op = story.extra(mono=END - 1)
    story.refuse("A1-0001-1", op, END + GRACE + 1, "quarantined")


def break_the_chain(story):
    story.row("A1-0001", 2)["made_at"] += 1


def freeze_an_older_head(story):
    story.frozen[0]["last_seq"] = 4


def show_an_unknown_receipt(story):
    story.say("A1-0001-1", "receipt", OPENED + 9, seq=5, digest="22" * 32)


def fork_a_checkpoint(story):
    empty = {"made_at": wall(OPENED), "heads": "", "root": tree([]).hex(), "signature": ""}
    story.checkpoints = [
        empty | {"index": 1, "previous": bytes(32).hex()},
        empty | {"index": 2, "previous": bytes(32).hex()},
    ]


def rank_otherwise(story):
    story.probes = [{"kind": "ranking", "label": label, "digest": label} for label in ("under fault", "undisturbed")]


def show_a_result_early(story):
    story.probes = [{"kind": "result", "bytes": 12}]


def log_a_name(story):
    story.probes = [{"kind": "identity", "where": "daphne-1.log", "found": 1}]


def slow_the_other_centre(story):
    story.faults = [{"what": "cut", "centre": "AMI", "from": clocks(200), "until": clocks(210)}]
    acks(story, "BOR", 300, 0.05, 150)
    acks(story, "BOR", 300, 0.9, 200)


def say_saved_of_what_is_not(story):
    story.say("A1-0001-1", "saved", OPENED + 9, seq=6, digest="33" * 32)


def say_saved_while_an_act_waits(story):
    op = story.extra()
    story.say("A1-0001-1", "saved", OPENED + 8.05, seq=5, digest=story.row("A1-0001", 5)["digest"])
    story.acknowledge("A1-0001-1", op, OPENED + 8.2)
    story.store("A1-0001", op, OPENED + 8.1)


def say_over_while_it_composes(story):
    story.sheets[0]["state"] = "COMPOSING"


def see_nothing_on_the_board(story):
    story.probes = [{"kind": "board", "what": "server down", "seconds": None}]


SPOILT = [
    ("I1", "acknowledged submit 0 is not in the journal", lose_an_acknowledged_answer),
    ("I1", "the frozen copy is not the fold of the journal", freeze_another_answer),
    ("I1", "a finished sheet is not frozen", forget_to_freeze),
    ("I2", "repeated number", store_twice),
    ("I2", "gap before this number", leave_a_gap),
    ("I2", "act 4 of A1-0001-1 is there twice", store_an_act_under_two_numbers),
    ("I2", "act 0 of A1-0001-1 comes after act 5", store_acts_out_of_order),
    ("I3", "answer 1 was given up without an answer", give_up_an_act),
    ("I4", "recorded after the end and its grace", record_after_grace),
    ("I4", "acknowledged although it was first sent after the end and its grace", acknowledge_after_grace),
    ("I4", "late although it was made and received in time", refuse_in_time),
    ("I4", "made in time, arrived after the grace, and not kept for the jury", refuse_without_keeping),
    ("I4", "made after the end, and kept as if it had been made in time", keep_what_was_made_late),
    ("I5", "question 1 was read before the opening", read_before_the_opening),
    ("I5", "question 3 was read before 2 was final", read_a_step_before_the_seal),
    ("I5", "question 3 was read before 2 was final", read_a_step_before_the_seal_is_acknowledged),
    ("I6", "no tablet of this sheet made it", store_what_nobody_made),
    ("I6", "it does not say what the tablet said", store_another_value),
    ("I7", "its end is -2.0 s from what was granted", end_too_early),
    ("I7", "its end is -59.9 s from what was granted", forget_granted_time),
    ("I7", "its end is -9.8 s from what was granted", forget_a_pause),
    ("I8", "epoch 1 after epoch 2", go_back_to_an_older_epoch),
    ("I8", "sent by a tablet after its sheet had been released", write_after_the_release),
    ("I8", "A1-0001-1 wrote again after A1-0001-2", take_turns),
    ("I9", "refused (sealed) and recorded", record_what_was_refused),
    ("I9", "said to be kept for the jury, and not kept", promise_to_keep_and_forget),
    ("I10", "the chain breaks here", break_the_chain),
    ("I10", "the frozen head is not the head of the chain", freeze_an_older_head),
    ("I10", "a receipt was shown that the journal does not have", show_an_unknown_receipt),
    ("I10", "a checkpoint is not what the journal and the one before say", fork_a_checkpoint),
    ("I11", "the ranking undisturbed is not the ranking under fault", rank_otherwise),
    ("I12", "12 bytes of results before the release", show_a_result_early),
    ("I13", "1 identities in daphne-1.log", log_a_name),
    ("I14", "p99 of the other centres went from 50 to 900 ms", slow_the_other_centre),
    ("I15", "shown as saved, and not in the journal", say_saved_of_what_is_not),
    ("I15", "shown as saved while an act waited", say_saved_while_an_act_waits),
    ("I15", "shown as handed in or over, and the sheet is not", say_over_while_it_composes),
    ("I16", "server down was not seen in 30 s", see_nothing_on_the_board),
]


@pytest.mark.parametrize(("name", "reason", "spoil"), SPOILT, ids=[spoil.__name__ for _, _, spoil in SPOILT])
def test_a_spoilt_history_is_named(tmp_path, name, reason, spoil):
    story = Story()
    spoil(story)
    broken, _ = judge(story, tmp_path)
    assert reason in broken[name]


def test_every_invariant_has_a_history_that_breaks_it():
    assert {name for name, _, _ in SPOILT} == set(NAMES)


def test_command_tells_by_its_exit_code(tmp_path):
    good, bad = tmp_path / "good", tmp_path / "bad"
    Story().write(good)
    story = Story()
    lose_an_acknowledged_answer(story)
    story.write(bad)
    done = [
        subprocess.run(
            [sys.executable, "-m", "loadtests.checker", str(folder), "--json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        for folder in (good, bad)
    ]
    assert [one.returncode for one in done] == [0, 1]
    assert json.loads(done[1].stdout)["invariants"]["I1"]["verdict"] == "broken"


def test_checker_imports_nothing_but_the_standard_library():
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, loadtests.checker.__main__; print(*{m.partition('.')[0] for m in sys.modules})",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ours = {"ecni", "exams", "centres", "grading", "ranking", "django", "psycopg2", "websockets", "cryptography"}
    assert ours & set(listed) == set()
    sources = "\n".join(path.read_text() for path in (ROOT / "loadtests" / "checker").glob("*.py"))
    imported = {line.split()[1] for line in sources.splitlines() if line.startswith(("from loadt", "import loadt"))}
    assert {name for name in imported if not name.startswith("loadtests.checker")} == set()
