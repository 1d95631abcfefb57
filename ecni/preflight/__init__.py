"""Every limit on the way of a candidate, before the day: what it is, what is needed, how many candidates it allows."""

from ecni.preflight.limits import Finding, Needs, judged
from ecni.preflight.probes import Asked, probe

__all__ = ["Asked", "Finding", "Needs", "judged", "probe"]
