"""What the workers of locust share, in processes of their own: locust changes the one that imports it."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from loadtests.waves.orders import ORDERS, Orders, write_rows
from loadtests.waves.plan import read_plan

SLIPS, WORKERS = 400, 4
TAKING = """
import os, sys
from loadtests.waves.locustfile import desk
assert not os.path.exists(os.path.join(desk.orders.folder, "taken"))  # whose offset all would share
for worker in range(int(sys.argv[1])):
    if os.fork() == 0:
        codes = []
        while (slip := desk.take()) is not None:
            codes.append(slip.code)
        os.write(1, "".join(code + chr(10) for code in codes).encode())
        os._exit(0)
for _ in range(int(sys.argv[1])):
    os.wait()
"""
SENDING = """
import gevent
from loadtests.waves.locustfile import Holder

class Slow:
    sent = b""
    def sendall(self, data):
        for byte in data:
            self.sent += bytes([byte])
            gevent.sleep(0)

class Line:
    serial = 1
    outgoing = b"first frame, "

made, line, holder = Slow(), Line(), object.__new__(Holder)
holder._sending, holder._sockets = set(), {line: (made, 1)}
sending = gevent.spawn(holder._send, made, line)
gevent.sleep(0)
line.outgoing += b"second frame"
holder._send(made, line)
sending.join()
print(made.sent.decode())
"""


def beside_orders(folder, script, *arguments):
    """Run a script where locust's users would, and return what it prints."""
    slips, path = folder / "slips.csv", folder / "orders.json"
    write_rows(slips, [(f"C{number:03}", 1, 0, float(number), 1000.0) for number in range(SLIPS)])
    orders = Orders(
        base="http://127.0.0.1:1",
        folder=str(folder),
        slips=str(slips),
        start=0.0,
        until=1.0,
        workers=WORKERS,
        storms=(),
        paper_share=0.0,
        statics_share=0.0,
        statics=(),
        pace=asdict(read_plan("small").pace),
    )
    path.write_text(json.dumps(asdict(orders)), encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=Path(__file__).parents[2],
        env=os.environ | {ORDERS: str(path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_frames_of_one_tablet_are_never_mixed_on_a_slow_line(tmp_path):
    assert beside_orders(tmp_path, SENDING).strip() == "first frame, second frame"


def test_workers_that_part_take_each_slip_once(tmp_path):
    taken = beside_orders(tmp_path, TAKING, str(WORKERS))
    assert sorted(taken.split()) == [f"C{number:03}" for number in range(SLIPS)]
