"""Where tablets may come from: networks as people write them, and whether an address is in one."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return networks from texts such as `193.52.10.0/24`.

    Raises:
        ValueError: one of them is no network; it is the message's first word.
    """
    return tuple(_network(text) for text in texts)


def comes_from(address: str, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of these networks; one that cannot be read is in none."""
    try:
        place = ip_address(address)
    except ValueError:
        return False
    return any(place in network for network in networks)


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        msg = f"{text} : ce n’est pas un réseau"
        raise ValueError(msg) from error
