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


def test_workers_that_part_take_each_slip_once(tmp_path):
    slips, path = tmp_path / "slips.csv", tmp_path / "orders.json"
    write_rows(slips, [(f"C{number:03}", 1, 0, float(number), 1000.0) for number in range(SLIPS)])
    orders = Orders(
        base="http://127.0.0.1:1",
        folder=str(tmp_path),
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
    done = subprocess.run(
        [sys.executable, "-c", TAKING, str(WORKERS)],
        cwd=Path(__file__).parents[2],
        env=os.environ | {ORDERS: str(path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert sorted(done.stdout.split()) == [f"C{number:03}" for number in range(SLIPS)]
