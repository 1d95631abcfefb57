"""Who runs the engines and where their files may be: a plain user, and folders that only it can open."""

import hashlib
import os
import pwd
import tempfile
from dataclasses import dataclass
from pathlib import Path


class EnginesError(RuntimeError):
    """An engine is missing or did not start; the message, in French, says which and what to do."""


@dataclass(frozen=True)
class Account:
    """The plain user that runs the engines when root starts them, since PostgreSQL refuses root."""

    name: str
    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Tell whether this user may cross every folder from the root down to `path`."""
        return all(self._crosses(folder.stat()) for folder in (path, *path.parents) if folder.is_dir())

    def _crosses(self, status: os.stat_result) -> bool:
        if status.st_uid == self.uid:
            return bool(status.st_mode & 0o100)
        return bool(status.st_mode & (0o010 if status.st_gid == self.gid else 0o001))


def plain_account() -> Account | None:
    """Return the user that engines must be run as; None when the present one will do."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    entry = known.get("postgres") or known.get("nobody")
    if entry is None:
        raise EnginesError("PostgreSQL refuse root et ni « postgres » ni « nobody » n’existent sur cette machine.")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def private_folder(path: Path, account: Account | None) -> Path:
    """Make `path` a folder that only `account` (else the present user) and root can open.

    Raises:
        EnginesError: something that belongs to another user is already there.
    """
    path.mkdir(mode=0o700, exist_ok=True)
    owner = account.uid if account else os.geteuid()
    if path.is_symlink() or path.stat().st_uid not in {owner, os.geteuid()}:
        raise EnginesError(f"Le dossier {path} appartient à un autre utilisateur.")
    if account:
        os.chown(path, account.uid, account.gid)
    path.chmod(0o700)
    return path


def reachable_folder(path: Path, account: Account | None) -> Path:
    """Return `path`, or a stand-in among the system's temporary files when `account` cannot get to it."""
    path.mkdir(mode=0o711, parents=True, exist_ok=True)
    path = path.resolve()
    if account is None or account.reaches(path):
        return path
    stand_in = Path(tempfile.gettempdir()) / f"ecni-{fingerprint(path)}"
    return private_folder(stand_in, account)


def fingerprint(path: Path) -> str:
    """Return a short name that stands for a path."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]
