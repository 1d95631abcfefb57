"""How the house is: vital signs of each process, pressures on each limit, both as hints in Redis.

Below every app, so that a candidate's socket may count and a console may show; nothing here decides anything.
"""

from ecni.vitals.pressure import Pressure, Severity
from ecni.vitals.record import Gauges, Vitals
from ecni.vitals.reporter import REPORTER
from ecni.vitals.tally import TALLY, Pulse
from ecni.vitals.turn import Turn

__all__ = ["REPORTER", "TALLY", "Gauges", "Pressure", "Pulse", "Severity", "Turn", "Vitals"]
