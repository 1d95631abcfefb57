"""What is put to sleep in the websocket library is still there, and only feeds debug lines."""

import ast
import importlib
import inspect
import subprocess
import sys

import pytest

from ecni.daphne_debug import PAINTERS, nothing

SPARED = [(module, name) for module, names in PAINTERS.items() for name in names]


@pytest.mark.parametrize(("module", "name"), SPARED)
def test_the_library_still_has_what_is_spared(module, name):
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert name in imported


@pytest.mark.parametrize(("module", "name"), SPARED)
def test_what_is_spared_goes_to_logs_alone(module, name):
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == name]
    logged = [
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("self.log.")
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call) and _called(inner) == name
    ]
    assert [ast.unparse(call) for call in calls if call not in logged] in ([], ["pformat(self._timings)"])


def _called(node):
    return node.func.id if isinstance(node.func, ast.Name) else ""


def test_nothing_is_said_of_anything():
    assert nothing(object(), "a", colour=1) == ""


def test_the_platform_spares_them_and_other_servers_load_nothing():
    code = "import sys; from ecni.daphne_debug import *; spare_debug_lines(); print('autobahn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    code = (
        "import autobahn.twisted.websocket as t, autobahn.websocket.protocol as p; from ecni.daphne_debug import *;"
        "spare_debug_lines(); spare_debug_lines(); print(p.pformat is p.hltype is t.hlval is nothing)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "True\n"
