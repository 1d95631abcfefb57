"""The processes of one machine: the house by roles, its commands, and the supervisor that runs them.

The demonstration, the rehearsal, the drills and the tests start what they need; `manage.py serve` starts a whole house.
Production may also have containers, by the same commands (docker-compose.yml). Standard library only.
"""

from ecni.supervisor.children import ROOT, Child, ChildDied, Supervisor, give_way
from ecni.supervisor.house import DESCRIPTORS, EVERYTHING, ROLES, House, Post, ProcessRole
from ecni.supervisor.nginx import Proxy, ProxyError, find_nginx
from ecni.supervisor.running import Front, RunningHouse
from ecni.supervisor.servers import (
    BACKLOG,
    SERVERS,
    celery_beat,
    celery_worker,
    daphne,
    listening_socket,
    uvicorn,
)

__all__ = [
    "BACKLOG",
    "DESCRIPTORS",
    "EVERYTHING",
    "ROLES",
    "ROOT",
    "SERVERS",
    "Child",
    "ChildDied",
    "Front",
    "House",
    "Post",
    "ProcessRole",
    "Proxy",
    "ProxyError",
    "RunningHouse",
    "Supervisor",
    "celery_beat",
    "celery_worker",
    "daphne",
    "find_nginx",
    "give_way",
    "listening_socket",
    "uvicorn",
]
