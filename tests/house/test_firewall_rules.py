"""Rules that count, as `iptables-save`, `iptables -S` and `nft list ruleset` really list them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecni.preflight import Needs
from ecni.preflight.entrance import bounded, firewall
from ecni.preflight.firewall import Bound, Kind, Rules, iptables_bounds, nft_bounds
from ecni.preflight.limits import Spread

NEEDS = Needs(9800, 2, 2, Spread(0.5, 1.0, 0.05))
SYN = "--tcp-flags FIN,SYN,RST,ACK SYN"

IPTABLES = [
    (
        (f"-A INPUT -p tcp -m tcp --dport 8443 {SYN} -m connlimit --connlimit-above 8000 --connlimit-mask 0 "
        "--connlimit-saddr -j REJECT --reject-with icmp-port-unreachable"),
        (Kind.CONNECTIONS, 8000, 0, False, ((8443, 8443),)),
    ),
    (
        (f"-A INPUT -p tcp -m tcp {SYN} -m multiport --dports 80,443,8000:8010 -m connlimit --connlimit-above 300 "
        "--connlimit-mask 32 --connlimit-saddr -j DROP"),
        (Kind.CONNECTIONS, 300, 0, True, ((80, 80), (443, 443), (8000, 8010))),
    ),
    (
        (f"[12:720] -A INPUT -p tcp -m tcp --dport 443 {SYN} -m connlimit --connlimit-upto 300 --connlimit-mask 24 "
        "--connlimit-saddr -j ACCEPT"),
        (Kind.CONNECTIONS, 300, 0, True, ((443, 443),)),
    ),
    (
        "-A INPUT -p tcp --dport 80 -m connlimit --connlimit-above 9 --connlimit-mask 32 --connlimit-daddr -j DROP",
        (Kind.CONNECTIONS, 9, 0, False, ((80, 80),)),
    ),
    (
        ("-A INPUT -p tcp -m tcp --dport 443 -m conntrack --ctstate NEW -m hashlimit --hashlimit-above 200/sec "
        "--hashlimit-burst 50 --hashlimit-mode srcip --hashlimit-name tablets -j DROP"),
        (Kind.CALLS, 200, 50, True, ((443, 443),)),
    ),
    (
        ("-A INPUT -p tcp -m tcp --dport 443 -m hashlimit --hashlimit-upto 300/min --hashlimit-burst 50 "
        "--hashlimit-name all -j ACCEPT"),
        (Kind.PACKETS, 5, 50, False, ((443, 443),)),
    ),
    (
        f"-A INPUT -p tcp -m tcp --dport 443 {SYN} -m limit --limit 200/sec --limit-burst 100 -j ACCEPT",
        (Kind.CALLS, 200, 100, False, ((443, 443),)),
    ),
    (
        (f"-A INPUT -p tcp -m tcp --dport 443 {SYN} -m recent --update --seconds 60 --hitcount 20 --name seen "
        "--mask 255.255.255.255 --rsource -j DROP"),
        (Kind.CALLS, 20 / 60, 20, True, ((443, 443),)),
    ),
    (f"-A INPUT -p tcp -m tcp --dport 443 {SYN} -m recent --set --name seen --mask 255.255.255.255 --rsource", None),
    ('-A INPUT -m limit --limit 5/min -j LOG --log-prefix "refused: "', None),
    ("-A INPUT -p udp -m udp --dport 53 -m connlimit --connlimit-above 9 --connlimit-mask 0 -j DROP", None),
    ("-A INPUT -p tcp -m tcp ! --dport 22 -m connlimit --connlimit-above 9 --connlimit-mask 0 -j DROP",
     (Kind.CONNECTIONS, 9, 0, False, ())),
    ("-P INPUT ACCEPT", None),
    ("-A INPUT -p tcp -m tcp --dport 443 -j ACCEPT", None),
]  # fmt: skip

NFT = [
    (
        "tcp dport { 443, 8443 } ct state new ct count over 8000 counter packets 0 bytes 0 reject with tcp reset",
        (Kind.CONNECTIONS, 8000, 0, False, ((443, 443), (8443, 8443))),
    ),
    (
        "tcp dport 443 ct state new add @clients { ip saddr ct count over 300 } drop",
        (Kind.CONNECTIONS, 300, 0, True, ((443, 443),)),
    ),
    (
        "tcp dport 443 ct state new limit rate over 200/second burst 20 packets counter packets 0 bytes 0 drop",
        (Kind.CALLS, 200, 20, False, ((443, 443),)),
    ),
    ("tcp dport 443 ct state new limit rate 300/minute accept", (Kind.CALLS, 5, 5, False, ((443, 443),))),
    (
        "tcp dport 443 ct state new meter m4 size 65535 { ip saddr limit rate over 10/second burst 4 packets } drop",
        (Kind.CALLS, 10, 4, True, ((443, 443),)),
    ),
    (
        (
            "tcp flags syn / fin,syn,rst,ack tcp dport 443 limit rate 200/second burst 100 packets "
            "counter packets 0 bytes 0 accept"
        ),
        (Kind.CALLS, 200, 100, False, ((443, 443),)),
    ),
    ("tcp dport 8000-8010 ct count over 3 drop", (Kind.CONNECTIONS, 3, 0, False, ((8000, 8010),))),
    ("limit rate over 10 mbytes/second drop", None),
    ('limit rate 5/minute log prefix "refused: "', None),
    ("udp dport 53 ct count over 3 drop", None),
    ("tcp flags syn / fin,syn,rst,ack tcp dport 443 xt match recent counter packets 0 bytes 0", None),
    ("type filter hook input priority filter; policy accept;", None),
]


def fields(bounds):
    return [(one.kind, one.most, one.burst, one.is_by_address, one.ports) for one in bounds]


@pytest.mark.parametrize(("rule", "expected"), IPTABLES)
def test_a_rule_of_iptables(rule, expected):
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n"
    assert fields(iptables_bounds(text)) == ([expected] if expected else [])


@pytest.mark.parametrize(("rule", "expected"), NFT)
def test_a_rule_of_nftables(rule, expected):
    text = f"table inet f {{\n\tchain in {{\n\t\t{rule}\n\t}}\n}}\n"
    assert fields(nft_bounds(text)) == ([expected] if expected else [])


@given(st.text())
def test_whatever_is_listed_is_read(text):
    assert nft_bounds(text) is not None


@pytest.mark.parametrize(
    ("bound", "allows"),
    [
        (Bound(Kind.CONNECTIONS, 8000, 0, is_by_address=False, ports=(), rule=""), 8000),
        (Bound(Kind.CONNECTIONS, 400, 0, is_by_address=True, ports=(), rule=""), 8000),
        (Bound(Kind.CALLS, 266, 20, is_by_address=False, ports=(), rule=""), 8000),
        (Bound(Kind.PACKETS, 2660, 200, is_by_address=False, ports=(), rule=""), 8000),
        (Bound(Kind.CALLS, 13, 10, is_by_address=True, ports=(), rule=""), 8000),
    ],
)
def test_a_rule_lets_in_a_number_of_candidates(bound, allows):
    finding = bounded(bound, NEEDS)
    assert (finding.layer, finding.allows, finding.is_met) == ("firewall", allows, False)


def test_only_rules_about_the_ports_of_the_house_count():
    rules = Rules((Bound(Kind.CONNECTIONS, 3, 0, is_by_address=False, ports=((22, 22),), rule=""),))
    assert [one.is_met for one in firewall(rules, [8443], NEEDS)] == [True]
    assert [one.is_met for one in firewall(rules, [22, 8443], NEEDS)] == [False]
    assert [one.is_met for one in firewall(rules, [], NEEDS)] == [False]


def test_a_firewall_that_cannot_be_read_is_said():
    (finding,) = firewall(Rules((), "nft : illisible par ce compte"), [443], NEEDS)
    assert (finding.is_met, "root" in finding.remedy) == (None, True)
