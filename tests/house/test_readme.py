"""The README holds on one screen and promises only what is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def test_the_first_commands_are_the_demonstration_and_the_tests():
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)[1]
    assert re.findall(r"^make (\S+)", first, re.MULTILINE) == ["demo", "test"]


def test_every_make_target_exists():
    pages = [README, *(page.read_text(encoding="utf-8") for page in (ROOT / "docs").rglob("*.md"))]
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", "\n".join(pages), re.MULTILINE))
    assert named - TARGETS == set()
    assert {"demo", "test", "check", "rehearsal"} <= named


def test_readme_holds_on_one_screen():
    assert len(README.splitlines()) <= 60


def test_every_folder_named_exists():
    folders = [folder for cell in re.findall(r"^\| `([^|]+/)` \|", README, re.MULTILINE) for folder in cell.split()]
    assert {"ecni/", "exams/", "centres/", "grading/", "ranking/", "docs/"} <= set(folders)
    assert [folder for folder in folders if not (ROOT / folder).is_dir()] == []


def test_readme_says_what_the_demonstration_bank_is():
    assert "never been reviewed by a physician" in README
