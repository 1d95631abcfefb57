"""Seeded bugs, applied from outside: to the source of a Python module as it is imported, to a copy of a JavaScript one.

Nothing here runs unless ECNI_MUTANT names a mutant, and that is refused unless ECNI_ENV is `test`. A patch whose text
is not found once is an error: a mutant that changes nothing proves nothing.
"""

import os
import shutil
import sys
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True, slots=True)
class Mutant:
    """One seeded bug.

    Attributes:
        name: in kebab case.
        what: the bug in words.
        path: file changed, from the root of the project.
        old, new: the text replaced, which stands there once, and what replaces it.
        test: what catches it: the node of a test, or None for the simulator.
    """

    name: str
    what: str
    path: str
    old: str
    new: str
    test: str | None = None

    @property
    def where(self) -> str:
        """`client` or `server`."""
        return "client" if self.path.startswith("static/") else "server"

    def patched(self, source: str) -> str:
        """Return the source with the bug.

        Raises:
            LookupError: the patch no longer applies.
        """
        if source.count(self.old) != 1:
            raise LookupError(f"mutant {self.name}: its text stands {source.count(self.old)} times in {self.path}")
        return source.replace(self.old, self.new)


class PatchedLoader(SourceFileLoader):
    """Loads one module with its bug; never from a compiled file, and never into one."""

    def __init__(self, name, path, mutant):
        super().__init__(name, path)
        self._mutant = mutant

    def get_code(self, fullname):
        """Compile the source with the bug."""
        source = Path(self.path).read_text(encoding="utf-8")
        return compile(self._mutant.patched(source), self.path, "exec", dont_inherit=True)


class PatchedFinder(MetaPathFinder):
    """Finds the one module that has a bug."""

    def __init__(self, mutant):
        self._mutant = mutant
        self._name = mutant.path.removesuffix(".py").replace("/", ".")

    def find_spec(self, fullname, path=None, target=None):
        """Return its spec, or None for any other module."""
        if fullname != self._name:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        spec.loader = PatchedLoader(fullname, spec.origin, self._mutant)
        return spec


def install(mutant: Mutant) -> None:
    """Have the Python module of a mutant imported with its bug.

    Raises:
        PermissionError: this is not a test.
        RuntimeError: the module is imported already.
    """
    if os.environ.get("ECNI_ENV") != "test":
        raise PermissionError("mutants live in tests only: ECNI_ENV is not `test`")
    finder = PatchedFinder(mutant)
    if finder._name in sys.modules:
        raise RuntimeError(f"{finder._name} is imported before its mutant")
    sys.meta_path.insert(0, finder)


def mutated_copy(mutant: Mutant, folder: Path) -> Path:
    """Copy the tablet's modules and their tests into a folder, with the bug; return the copy of `static/js/exam`."""
    for part in ("static/js", "tests/js", "tests/wire"):
        shutil.copytree(ROOT / part, folder / part)
    target = folder / mutant.path
    target.write_text(mutant.patched(target.read_text(encoding="utf-8")), encoding="utf-8")
    return folder / "static" / "js" / "exam"
