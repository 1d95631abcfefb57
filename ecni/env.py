"""Reading the environment: typed values, secrets from a variable or a file, one error for all that is missing."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

SHORTEST_SECRET = 32
TRUE = {"1", "true", "yes", "on"}
FALSE = {"0", "false", "no", "off", ""}


def env_str(name: str, default: str) -> str:
    """Return a text variable, or its default."""
    return os.environ.get(name, default)


def env_bool(name: str, *, default: bool) -> bool:
    """Return a yes/no variable.

    Raises:
        ImproperlyConfigured: the value is neither a yes nor a no.
    """
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in TRUE:
        return True
    if value.lower() in FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {value!r}.")


def env_int(name: str, default: int, *, least: int = 0) -> int:
    """Return a whole-number variable.

    Raises:
        ImproperlyConfigured: the value is not a whole number, or is below the least one.
    """
    value = os.environ.get(name)
    if value is None:
        return default
    value = value.strip()
    if not value.isdecimal() or int(value) < least:
        raise ImproperlyConfigured(f"{name} must be a whole number, {least} at least, not {value!r}.")
    return int(value)


def env_list(name: str, default: Iterable[str] = ()) -> list[str]:
    """Return a comma-separated variable as a list without blanks."""
    value = os.environ.get(name)
    if value is None:
        return list(default)
    return [part.strip() for part in value.split(",") if part.strip()]


def env_secret(name: str) -> str:
    """Return an optional secret, from NAME or from the file that NAME_FILE points to; empty when there is none.

    Raises:
        ImproperlyConfigured: the file cannot be read, or the secret has fewer than 32 characters.
    """
    value = _from_variable_or_file(name) or ""
    if value:
        refuse_short_secrets({name: value})
    return value


def env_required(names: Iterable[str], throw_away: dict[str, str] | None) -> dict[str, str]:
    """Return several values that have no safe default, each from NAME or from the file that NAME_FILE points to.

    `throw_away` holds what tests and demonstrations use instead; None, in production, makes every value compulsory.

    Raises:
        ImproperlyConfigured: one or more values are missing, or a file cannot be read; the message names them all.
    """
    values = {name: _from_variable_or_file(name) for name in names}
    if throw_away is not None:
        values = {name: value or throw_away[name] for name, value in values.items()}
    missing = [name for name, value in values.items() if not value]
    if missing:
        raise ImproperlyConfigured(f"Missing in the environment (set NAME or NAME_FILE): {', '.join(missing)}.")
    return {name: value or "" for name, value in values.items()}


def refuse_short_secrets(secrets: dict[str, str]) -> None:
    """Refuse secrets that could be guessed.

    Raises:
        ImproperlyConfigured: a secret has fewer than 32 characters; the message names them all.
    """
    short = [name for name, value in secrets.items() if len(value) < SHORTEST_SECRET]
    if short:
        raise ImproperlyConfigured(f"Shorter than {SHORTEST_SECRET} characters: {', '.join(short)}.")


def postgresql(url: str) -> dict[str, Any]:
    """Translate postgresql://user:password@host:port/name?host=/socket/folder into a Django database.

    Raises:
        ImproperlyConfigured: the address is not one of a PostgreSQL database.
    """
    parts = urlsplit(url)
    name = unquote(parts.path.removeprefix("/"))
    if parts.scheme not in {"postgres", "postgresql"} or not name:
        raise ImproperlyConfigured("DATABASE_URL must look like postgresql://user:password@host:port/name.")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", None) or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }


def redis_database(url: str, offset: int) -> str:
    """Return the address of the `offset`-th database after the one that a redis:// address names.

    Raises:
        ImproperlyConfigured: the address is not one of a Redis server reached by TCP.
    """
    parts = urlsplit(url)
    number = parts.path.removeprefix("/") or "0"
    if parts.scheme not in {"redis", "rediss"} or not number.isdigit():
        raise ImproperlyConfigured("REDIS_URL must look like redis://:password@host:port/0.")
    return parts._replace(path=f"/{int(number) + offset}").geturl()


def _from_variable_or_file(name: str) -> str | None:
    path = os.environ.get(f"{name}_FILE")
    if path is None:
        return os.environ.get(name)
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error.strerror}.") from error
