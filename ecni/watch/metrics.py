"""What Prometheus reads, in its text format, written from the vitals of every process and the watchers' pressures.

Processes that share one listening socket cannot be scraped one by one: whichever answers tells of all of them, by
labels. `docs/metrics.md` has the same list.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ecni.vitals import Pressure, Severity, Vitals

COUNTER, GAUGE = "counter", "gauge"
CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

Sample = tuple[Mapping[str, str], float]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: of Prometheus.
        kind: `counter` or `gauge`.
        help: one line.
    """

    name: str
    kind: str
    help: str


@dataclass(frozen=True, slots=True)
class ProcessMetric(Metric):
    """A metric of each process."""

    value: Callable[[Vitals], float]


PROCESS_METRICS = (
    ProcessMetric("ecni_process_start_seconds", GAUGE, "Start of the process, Unix time.", lambda v: v.started_at),
    ProcessMetric("ecni_process_cpu_ratio", GAUGE, "Processor used, 1 for a core.", lambda v: v.cpu_share),
    ProcessMetric("ecni_process_resident_bytes", GAUGE, "Memory in use.", lambda v: v.resident_bytes),
    ProcessMetric("ecni_process_open_descriptors", GAUGE, "Descriptors open.", lambda v: v.descriptors),
    ProcessMetric("ecni_process_max_descriptors", GAUGE, "Descriptors allowed.", lambda v: v.descriptors_limit),
    ProcessMetric("ecni_loop_lag_seconds", GAUGE, "Longest lag of the event loop.", lambda v: v.loop_lag_ms / 1000),
    ProcessMetric("ecni_gc_pause_seconds", GAUGE, "Longest collector pause.", lambda v: v.gc_pause_ms / 1000),
    ProcessMetric("ecni_sockets", GAUGE, "Candidates' sockets open.", lambda v: v.gauges.sockets),
    ProcessMetric("ecni_sockets_budget", GAUGE, "Sockets let in at most, 0 in other roles.", lambda v: v.gauges.budget),
    ProcessMetric("ecni_tablets_by_http", GAUGE, "Tablets that speak by HTTP.", lambda v: v.gauges.by_http),
    ProcessMetric("ecni_waiting", GAUGE, "Newcomers who wait for a place.", lambda v: v.gauges.waiting),
    ProcessMetric("ecni_composing", GAUGE, "Sockets whose sheet composes.", lambda v: v.gauges.composing),
    ProcessMetric("ecni_acks_total", COUNTER, "Answers acknowledged.", lambda v: v.acks),
    ProcessMetric("ecni_logins_total", COUNTER, "Slips accepted.", lambda v: v.logins),
    ProcessMetric("ecni_http_exchanges_total", COUNTER, "Requests of tablets by HTTP.", lambda v: v.http_exchanges),
    ProcessMetric("ecni_writer_waiting", GAUGE, "Acts waiting for their commit.", lambda v: v.gauges.writer_waiting),
    ProcessMetric("ecni_writer_capacity", GAUGE, "Acts that may wait.", lambda v: v.gauges.writer_capacity),
    ProcessMetric("ecni_commit_seconds", GAUGE, "Longest commit.", lambda v: v.gauges.commit_max_ms / 1000),
    ProcessMetric("ecni_batch_acts", GAUGE, "Acts of the last commit.", lambda v: v.gauges.batch_size),
)
REFUSALS = Metric("ecni_refusals_total", COUNTER, "Acts and frames refused, by code.")
LIMIT_USED = Metric("ecni_limit_used_ratio", GAUGE, "Share used of each limit, the most used part of each layer.")
LIMIT_REACHED = Metric("ecni_limit_reached", GAUGE, "1 for a layer that has 1 % left, or turns newcomers away.")
REDIS_UP = Metric("ecni_redis_up", GAUGE, "1 when Redis told what follows.")
WATCHERS_UP = Metric("ecni_watch_up", GAUGE, "1 when a watcher is at work.")
METRICS: tuple[Metric, ...] = (*PROCESS_METRICS, REFUSALS, LIMIT_USED, LIMIT_REACHED, REDIS_UP, WATCHERS_UP)
"""All there are."""


def exposition(processes: Sequence[Vitals], pressures: Sequence[Pressure] | None, *, is_redis_up: bool) -> str:
    """Return the page that Prometheus reads; `pressures` is None when nobody watches."""
    parts = [_lines(metric, [(_labels(one), metric.value(one)) for one in processes]) for metric in PROCESS_METRICS]
    refusals = [(_labels(one) | {"code": code}, count) for one in processes for code, count in one.refusals.items()]
    used = _worst(pressures or (), lambda pressure: pressure.share)
    reached = _worst(pressures or (), lambda pressure: float(pressure.severity is Severity.REACHED))
    parts += [
        _lines(REFUSALS, refusals),
        _lines(LIMIT_USED, used),
        _lines(LIMIT_REACHED, reached),
        _lines(REDIS_UP, [({}, float(is_redis_up))]),
        _lines(WATCHERS_UP, [({}, float(pressures is not None))]),
    ]
    return "".join(parts)


def _labels(one: Vitals) -> dict[str, str]:
    return {"role": one.role, "host": one.host, "pid": str(one.pid)}


def _worst(pressures: Iterable[Pressure], value: Callable[[Pressure], float]) -> list[Sample]:
    """One sample a layer: names of parts come and go, those of layers do not."""
    worst: dict[str, float] = {}
    for pressure in pressures:
        worst[pressure.layer] = max(worst.get(pressure.layer, 0.0), value(pressure))
    return [({"layer": layer}, share) for layer, share in worst.items()]


def _lines(metric: Metric, samples: Iterable[Sample]) -> str:
    lines = [f"# HELP {metric.name} {metric.help}", f"# TYPE {metric.name} {metric.kind}"]
    lines += [f"{metric.name}{_braces(labels)} {value:.10g}" for labels, value in samples]
    return "\n".join(lines) + "\n"


def _braces(labels: Mapping[str, str]) -> str:
    pairs = [f'{name}="{_escaped(value)}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
