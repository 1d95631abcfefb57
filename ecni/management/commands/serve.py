"""`manage.py serve`: every process of the house on this host, by role, on the environment's PostgreSQL and Redis."""

import os
import resource
import signal
from contextlib import suppress
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from ecni.engines import EnginesError, plain_account, reachable_folder
from ecni.engines.account import private_folder
from ecni.management.arguments import count
from ecni.supervisor import (
    DESCRIPTORS,
    ROOT,
    SERVERS,
    ChildDied,
    Front,
    House,
    Proxy,
    ProxyError,
    RunningHouse,
    Supervisor,
    find_nginx,
)

SERVED = """
ECNi répond sur {address}      (Ctrl-C arrête tout, dans l’ordre)

{processes}

  Journaux : {logs}
"""


class Command(BaseCommand):
    """`serve [--web 2] [--sockets 2] [--server daphne] [--nginx] [--port 8000]`, until Ctrl-C or SIGTERM."""

    help = "Fait tourner toute la plateforme sur cette machine : pages, fil des candidats, tâches, calendrier, nginx."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--host", default="127.0.0.1", help="adresse où répondre")
        parser.add_argument("--port", type=int, default=8000, help="port ; derrière nginx, les suivants servent aussi")
        parser.add_argument("--web", type=count, default=2, help="processus des pages, derrière nginx")
        parser.add_argument("--sockets", type=count, default=2, help="processus du fil des candidats")
        parser.add_argument("--no-beat", action="store_true", help="sur chaque machine sauf une : sans le calendrier")
        parser.add_argument("--server", choices=SERVERS, default="daphne")
        parser.add_argument("--nginx", action="store_true", help="place nginx devant, et sépare les rôles")
        parser.add_argument("--tls", type=Path, help="dossier de cert.pem et key.pem, pour nginx")
        parser.add_argument("--candidates", type=count, default=9800, help="tablettes que nginx doit laisser entrer")
        parser.add_argument(
            "--folder", type=Path, default=ROOT / ".serve", help="journaux, calendrier, fichiers de nginx"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until stopped."""
        if settings.PRODUCTION and options["nginx"] and options["tls"] is None:
            raise CommandError(
                "En production, nginx sert en HTTPS : donnez --tls, le dossier de cert.pem et key.pem. "
                "Sans lui chaque page renverrait vers elle-même, sans fin."
            )
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the terminal may go, what runs stays
        raise_descriptors()
        options["folder"].mkdir(parents=True, exist_ok=True)
        house = house_of(options)
        try:
            front = front_of(house, options) if house.has_proxy else None
            with Supervisor(house.folder) as supervisor, RunningHouse(house, supervisor, front) as running:
                running.start()
                self._say(served(house, front, supervisor.logs))
                running.wait(self._say)
                self._say("Arrêt en cours, dans l’ordre inverse du démarrage.")
        except (ChildDied, EnginesError, OSError, ProxyError) as error:
            raise CommandError(str(error)) from error

    def _say(self, text: str) -> None:
        with suppress(OSError):  # a terminal that has gone, a full disk: what runs goes on
            self.stdout.write(text)
            self.stdout.flush()


def raise_descriptors() -> None:
    """Let every process started from here open as many files as the system allows, `DESCRIPTORS` at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def descriptors() -> int:
    """Return how many files each process may open, `DESCRIPTORS` at most: nginx prepares itself for as many."""
    soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return DESCRIPTORS if soft == resource.RLIM_INFINITY else min(DESCRIPTORS, soft)


def house_of(options: dict[str, Any]) -> House:
    """Return the house that the options ask for."""
    return House(
        folder=options["folder"].resolve(),
        port=options["port"],
        host=options["host"],
        counts={
            "web": options["web"],
            "sockets": options["sockets"],
            "all": options["sockets"],
            "beat": 0 if options["no_beat"] else 1,
        },
        server=options["server"],
        has_proxy=options["nginx"],
        behind_proxy=options["nginx"] or settings.BEHIND_PROXY,
    )


def front_of(house: House, options: dict[str, Any]) -> Front:
    """Return nginx in front of the house, run by a plain account in a folder of its own.

    Raises:
        CommandError: that account cannot read what it has to serve.
        ProxyError: there is no nginx.
    """
    account = plain_account()
    folder = private_folder(reachable_folder(house.folder, account) / "nginx", account)
    settings.PAPERS_ROOT.mkdir(parents=True, exist_ok=True)
    for served_folder in (settings.STATIC_ROOT, settings.PAPERS_ROOT):
        if not served_folder.is_dir():
            raise CommandError(f"{served_folder} n’existe pas : lancez d’abord « manage.py collectstatic ».")
        if account is not None and not account.reaches(served_folder.resolve()):
            raise CommandError(
                f"Le compte « {account.name} », qui est celui de nginx, ne peut pas lire {served_folder}."
            )
    proxy = Proxy(
        folder=str(folder),
        host=house.host,
        port=house.port,
        web=house.addresses("web"),
        sockets=house.addresses("sockets"),
        papers=str(settings.PAPERS_ROOT.resolve()),
        static=str(settings.STATIC_ROOT.resolve()),
        candidates=options["candidates"],
        descriptors=descriptors(),
        cores=len(os.sched_getaffinity(0)),
        status_port=house.status_port,
        tls=str(options["tls"].resolve()) if options["tls"] else None,
    )
    return Front(proxy, find_nginx(), (account.uid, account.gid) if account else None)


def served(house: House, front: Front | None, logs: Path) -> str:
    """Return what runs where, in French."""
    scheme = "https" if front and front.proxy.tls else "http"
    address = f"{scheme}://{house.host}:{house.port}/"
    lines = []
    if front is not None:
        held = f"{front.proxy.processes} processus de {front.proxy.connections} connexions"
        lines.append(f"  {'nginx':<8} 1   {address}, fichiers statiques, sujets scellés ; {held}")
    for role, posts in groupby(house.posts, lambda post: post.role):
        found = list(posts)
        ports = ", ".join(str(post.port) for post in found if post.port)
        where = f" ; {house.server}, 127.0.0.1:{ports}" if ports else ""
        lines.append(f"  {role.name:<8} {len(found)}   {role.does}{where}")
    return SERVED.format(address=address, processes="\n".join(lines), logs=logs)
