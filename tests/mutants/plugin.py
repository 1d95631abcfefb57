"""Loaded by `-p tests.mutants.plugin`: runs pytest on a house with one seeded bug, named by ECNI_MUTANT."""

import os

from tests.mutants.catalogue import MUTANTS
from tests.mutants.patching import install

os.environ.setdefault("ECNI_ENV", "test")
if name := os.environ.get("ECNI_MUTANT"):
    install(MUTANTS[name])
