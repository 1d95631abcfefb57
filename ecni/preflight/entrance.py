"""What the ways in allow, as pure functions of what was read: nginx, the firewall, admission. No reading here."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil

from ecni.preflight.firewall import Bound, Kind, Rules
from ecni.preflight.limits import Finding, Needs, counted, grouped, held
from ecni.preflight.proxyfile import ProxyFile, Shared
from ecni.supervisor.nginx import CONNECTIONS_PER_TABLET, SPARE_OF_PROXY
from exams.rules.admission import SPARE_DESCRIPTORS

EVERYBODYS = frozenset({"$server_name", "$host", "$http_host", "$server_addr", "$server_port", "$scheme"})
"""Variables of nginx that are the same for every tablet."""

RETURN_SECONDS = 30
"""In which everybody calls again after all sockets have dropped."""

PACKETS_PER_CALL = 10
"""What a handshake with TLS takes, from the first packet to the first answer."""

LOBBY_SECONDS = 1800
"""In which everybody enters by slip."""


def proxy(file: ProxyFile, inherited: int, needs: Needs, where: str = "") -> Iterator[Finding]:
    """Each limit of nginx's configuration.

    Args:
        file: the configuration.
        inherited: descriptors of its processes when the configuration does not set them.
        needs: what is to be held.
        where: which nginx, when it runs.
    """
    remedy = f"worker_connections {needed_of_proxy(file.workers, needs)} au moins, puis « nginx -s reload »"
    allows = file.connections * file.workers // CONNECTIONS_PER_TABLET
    yield counted("nginx", file.connections, allows, needs, remedy, needed_of_proxy(file.workers, needs)).at(where)
    yield proxy_descriptors([file.descriptors or inherited] * file.workers, needs, where)
    if file.servers and all(server.most for server in file.servers):
        total = sum(server.most for server in file.servers)
        remedy = "relever max_conns des serveurs « sockets » dans nginx.conf, puis « nginx -s reload »"
        yield counted("nginx-upstream", total, total, needs, remedy).at(where)
    for one in file.shared:
        yield shared(one, needs, where)


def needed_of_proxy(workers: int, needs: Needs) -> int:
    """Return the connections that each of so many processes of nginx needs."""
    return ceil(CONNECTIONS_PER_TABLET * needs.candidates / workers)


def proxy_descriptors(most: Sequence[int], needs: Needs, where: str) -> Finding:
    """Descriptors of each process of nginx, one at least of them."""
    needed = needed_of_proxy(len(most), needs) + SPARE_OF_PROXY
    allows = sum(max(0, one - SPARE_OF_PROXY) for one in most) // CONNECTIONS_PER_TABLET
    remedy = f"worker_rlimit_nofile {needed} au moins, puis « nginx -s reload »"
    return counted("nginx-descriptors", min(most), allows, needs, remedy, needed).at(where)


def shared(one: Shared, needs: Needs, where: str) -> Finding:
    """A `limit_conn`; by address, a whole centre may share one."""
    share = 1.0 if not one.key.startswith("$") or one.key in EVERYBODYS else needs.spread.largest_centre
    needed = ceil(needs.candidates * share)
    remedy = f"limit_conn {needed} au moins (clé « {one.key} »), puis « nginx -s reload »"
    return counted("nginx-limit-conn", one.most, held(one.most, share), needs, remedy, needed).at(where or one.key)


def firewall(rules: Rules, ports: Sequence[int], needs: Needs) -> Iterator[Finding]:
    """Each rule that bounds what comes to these ports, to any when none is known; else that there is none.

    Args:
        rules: what the firewall lists.
        ports: where the house answers and where nginx calls its servers.
        needs: what is to be held.
    """
    bounds = [one for one in rules.bounds if not ports or one.is_about(ports)]
    yield from (bounded(one, needs) for one in bounds)
    if rules.unread:
        remedy = "lancer preflight en root, sur la machine qui porte le pare-feu"
        yield Finding("firewall", rules.unread, "lisible", None, None, remedy)
    elif not bounds:
        yield Finding("firewall", "ne compte rien", "-", None, is_met=True)


def bounded(one: Bound, needs: Needs) -> Finding:
    """One rule of the firewall; by address, a whole centre may share one."""
    share = needs.spread.largest_centre if one.is_by_address else 1.0
    cost = PACKETS_PER_CALL if one.kind is Kind.PACKETS else 1
    if one.kind is Kind.CONNECTIONS:
        unit, needed, held = "connexions", needs.candidates * share, one.most
    else:
        unit = "appels/s" if one.kind is Kind.CALLS else "paquets/s"
        needed = needs.candidates * share * cost / RETURN_SECONDS
        held = (one.most * RETURN_SECONDS + one.burst) / cost
    allows = int(held / share)
    is_met = allows >= needs.candidates
    each = " par adresse" if one.is_by_address else ""
    remedy = "" if is_met else f"retirer la règle, ou la porter à {grouped(ceil(needed))} {unit}{each}"
    value = f"{grouped(ceil(one.most))} {unit}{each}"
    return Finding("firewall", value, grouped(ceil(needed)), allows, is_met, remedy, one.rule)


def admission(values: Mapping[str, int], file: ProxyFile | None, needs: Needs) -> Iterator[Finding]:
    """The limits that the staff may set: places, places when a process has died, entries.

    Args:
        values: of every limit, by its name.
        file: the configuration of nginx, if there is one.
        needs: what is to be held.
    """
    budget, share = values["SOCKETS"], needs.spread.fullest
    if file and file.servers and all(0 < server.most <= budget for server in file.servers):
        share = 1 / len(file.servers)  # nginx itself goes to the next process
    needed = ceil(needs.candidates * share)
    remedy = f"« Limites et gardes » : {needed} connexions par processus au moins, ou un processus de plus"
    yield counted("admission", budget, held(budget, share), needs, remedy, needed).at("connexions par processus")
    if needs.socket_processes > 1:
        share = needs.spread.after_a_death
        needed, most = ceil(needs.candidates * share), budget + values["RESERVE"]
        remedy = f"« Limites et gardes » : connexions et réserve, {needed} ensemble au moins, ou un processus de plus"
        where = "connexions et réserve, si un processus s’arrête"
        yield counted("admission", most, held(most, share), needs, remedy, needed).at(where)
    rate = values["LOGINS"]
    needed = ceil(needs.candidates / LOBBY_SECONDS / needs.web_processes)
    remedy = f"« Limites et gardes » : {needed} entrées par seconde et par processus au moins"
    allows = rate * needs.web_processes * LOBBY_SECONDS
    yield counted("admission", rate, allows, needs, remedy, needed).at("entrées par seconde, une demi-heure")


def survivors(soft: int, values: Mapping[str, int], needs: Needs, where: str) -> Finding | None:
    """Descriptors of a socket process when another one has died; None when admission holds it below them anyway."""
    most = values["SOCKETS"] + values["RESERVE"]
    if needs.socket_processes == 1 or most + SPARE_DESCRIPTORS <= soft:
        return None
    share = needs.spread.after_a_death
    needed = ceil(needs.candidates * share) + SPARE_DESCRIPTORS
    allows = held(max(0, soft - SPARE_DESCRIPTORS), share)
    remedy = f"ulimit -n {needed} au moins pour chaque processus « sockets », ou un processus de plus"
    return counted("descriptors", soft, allows, needs, remedy, needed).at(where)
