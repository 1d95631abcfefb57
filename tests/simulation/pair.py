"""A pair of processes: this one with the server's side of many worlds, a Node with their tablets' side, in lockstep."""

import json
import subprocess
from base64 import b64encode
from pathlib import Path

from exams.rules.paperfile import QuestionEntry, pack
from tests.simulation.database import PAPER, SHAPES, SITTING
from tests.simulation.node import node
from tests.simulation.world import START_MS, World

HERE = Path(__file__).parent
EXAM = HERE.parent.parent / "static" / "js" / "exam"
TOGETHER = 256


class Tablets:
    """The Node of a pair."""

    def __init__(self, folder=EXAM):
        command = [node(), "--no-warnings", str(HERE / "worker.mjs"), str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._write({"paper": b64encode(paper()).decode()})

    def ask(self, steps):
        """Have each world do its step; return what each did."""
        self._write(steps)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the tablets' side died")
        return json.loads(line)

    def close(self):
        """End it."""
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def _write(self, message):
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def paper():
    """Return the sealed file of the simulated paper; nobody opens its blobs."""
    entries = [
        QuestionEntry(
            number,
            min(number, 3),
            max(1, number - 2),
            3 if number > 2 else 1,
            None,
            shape.kind.value,
            5,
            shape.is_progressive,
            shape.previous,
        )
        for number, shape in SHAPES.items()
    ]
    return pack(paper_id=PAPER, sitting_id=SITTING, entries=entries, blobs=[b""] * len(entries), opening=b"")


def play(tablets, scripts, *, is_traced=False):
    """Play histories, many at a time; yield `(world, violation)` of each as it ends."""
    waiting = iter(scripts)
    playing = {}
    asked = []
    while True:
        while len(playing) < TOGETHER and (script := next(waiting, None)) is not None:
            world = World(script, is_traced=is_traced)
            history = world.play()
            playing[script.seed] = (world, history)
            begin = {"seed": script.seed, "t": START_MS}
            asked.append({"s": script.seed, "begin": begin} | next(history))
        if not asked:
            return
        replies = tablets.ask(asked)
        asked, replied = [], list(zip(asked, replies, strict=True))
        for step, reply in replied:
            if "end" in step:
                continue
            world, history = playing[step["s"]]
            try:
                asked.append({"s": step["s"]} | history.send(reply))
            except StopIteration as end:
                del playing[step["s"]]
                asked.append({"s": step["s"], "end": True})
                yield world, end.value
