"""A bank file as it is handed in: one JSON, a zip archive, or a folder; read whole or refused whole."""

import zlib
from collections.abc import Iterable, Mapping
from io import BytesIO
from pathlib import Path
from zipfile import BadZipFile, ZipFile, ZipInfo

from django.utils.translation import gettext as _

from exams.rules.bank import Bank, BankError, BankErrors, join_banks, parse_bank

ARCHIVE_FILES = 2_000
ARCHIVE_BYTES = 64 * 1024 * 1024


def read_bank(name: str, data: bytes) -> tuple[Bank, dict[str, bytes]]:
    """Read an uploaded bank: a `.zip` with its JSON files, `media/` and `articles/`, or one JSON file alone.

    Raises:
        BankErrors: something is wrong; the errors give each place and reason.
    """
    return _read_files(_unzip(name, data) if name.lower().endswith(".zip") else {name: data})


def read_bank_folder(folder: Path) -> tuple[Bank, dict[str, bytes]]:
    """Read a bank laid out in a folder, or in one file.

    Raises:
        BankErrors: something is wrong.
    """
    if folder.is_file():
        return read_bank(folder.name, folder.read_bytes())
    paths = [*folder.glob("*.json"), *folder.glob("media/*"), *folder.glob("articles/*.html")]
    return _read_files({path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)})


def _read_files(files: Mapping[str, bytes]) -> tuple[Bank, dict[str, bytes]]:
    media = {name: data for name, data in files.items() if name.startswith("media/")}
    articles = {name: data for name, data in files.items() if name.startswith("articles/")}
    banks: dict[str, Bank] = {}
    errors: list[BankError] = []
    for name, data in sorted(files.items()):
        if name in media or name in articles:
            continue
        try:
            banks[name] = parse_bank(data, name=name, media_names=media.keys(), articles=articles)
        except BankErrors as refusal:
            errors.extend(refusal.errors)
    if errors:
        raise BankErrors(errors)
    return join_banks(banks), media


def _unzip(name: str, data: bytes) -> dict[str, bytes]:
    try:
        with ZipFile(BytesIO(data)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _refuse_oversized(name, entries)
            return {entry.filename: _extract(archive, entry) for entry in _of_bank(name, entries)}
    except (BadZipFile, RuntimeError, EOFError, zlib.error) as error:
        raise _refused(name, "", _("archive illisible")) from error


def _extract(archive: ZipFile, entry: ZipInfo) -> bytes:
    with archive.open(entry) as stream:
        return stream.read(entry.file_size)


def _refuse_oversized(name: str, entries: Iterable[ZipInfo]) -> None:
    sizes = [entry.file_size for entry in entries]
    if len(sizes) > ARCHIVE_FILES or sum(sizes) > ARCHIVE_BYTES:
        limits = {"files": ARCHIVE_FILES, "size": ARCHIVE_BYTES // 1024 // 1024}
        raise _refused(name, "", _("archive trop lourde, %(files)s fichiers et %(size)s Mio au plus") % limits)


def _of_bank(name: str, entries: Iterable[ZipInfo]) -> list[ZipInfo]:
    kept = []
    for entry in entries:
        folder, _slash, file = entry.filename.rpartition("/")
        if (folder, Path(file).suffix) in {("", ".json"), ("articles", ".html")} or folder == "media":
            kept.append(entry)
        elif entry.filename != "README.md":
            reason = _("fichier inattendu : une banque tient en des .json, media/ et articles/*.html")
            raise _refused(name, entry.filename, reason)
    return kept


def _refused(name: str, place: str, reason: str) -> BankErrors:
    return BankErrors([BankError(name, place, "", reason)])
