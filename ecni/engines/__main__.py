"""`python -m ecni.engines FOLDER COMMAND…`: run a command beside the engines of a folder."""

import os
import subprocess
import sys
from pathlib import Path

from ecni.engines import engines


def main(folder: str, *command: str) -> int:
    """Run a command beside the engines of a folder; return its exit code."""
    with engines(Path(folder)) as pair:
        return subprocess.run(command, env=os.environ | pair.environment, check=False).returncode  # noqa: S603 -- the operator's own


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
