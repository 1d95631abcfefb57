"""People and places: who sits the exam, where, at which seat, with which slip."""

from centres.models.candidate import Accommodation, Candidate
from centres.models.place import Centre, CentreMembership, Room
from centres.models.seating import Hosting, Incident, Seat, Slip

__all__ = [
    "Accommodation",
    "Candidate",
    "Centre",
    "CentreMembership",
    "Hosting",
    "Incident",
    "Room",
    "Seat",
    "Slip",
]
