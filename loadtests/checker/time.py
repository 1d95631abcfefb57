"""The time that was granted to each sheet, as the staff granted it: an interval, since a deed takes a moment."""

from dataclasses import dataclass

from loadtests.checker.history import History, Line


@dataclass(frozen=True, slots=True)
class Span:
    """Between which two instants something lies (monotonic seconds)."""

    low: float
    high: float


def openings(history: History) -> dict[str, Span]:
    """When each centre opened."""
    return {deed["centre"]: _span(deed) for deed in reversed(history.deeds("ouvrir"))}


def ends(history: History) -> dict[str, Span]:
    """When each sheet of an opened centre ends: opening + duration + personal extra + grants + pauses."""
    opened = openings(history)
    paused = {centre: _pauses(history, centre) for centre in opened}
    handed_in = {row.sheet: history.mono(row.received_at) for row in history.rows if row.kind == "submit"}
    found: dict[str, Span] = {}
    for sheet, place in history.timetable["sheets"].items():
        centre = place["centre"]
        if centre in opened:
            granted = _granted(history, sheet, centre, handed_in.get(sheet, float("inf")))
            seconds = history.timetable["duration"] + place["extra"] + granted
            found[sheet] = Span(
                opened[centre].low + seconds + paused[centre].low, opened[centre].high + seconds + paused[centre].high
            )
    return found


def _granted(history: History, sheet: str, centre: str, handed_in: float) -> float:
    """Return the seconds granted to a sheet before it was handed in: after, they change nothing."""
    deeds = [deed for deed in history.deeds("temps") if deed["sheet"] == sheet]
    deeds += [deed for deed in history.deeds("temps-tous") if deed["centre"] == centre]
    return sum(60.0 * deed["minutes"] for deed in deeds if deed["asked"]["mono"] < handed_in)


def _pauses(history: History, centre: str) -> Span:
    started = [_span(deed) for deed in history.deeds("pause") if deed["centre"] == centre]
    resumed = [_span(deed) for deed in history.deeds("reprendre") if deed["centre"] == centre]
    pairs = list(zip(started, resumed, strict=False))
    return Span(
        sum(max(0.0, end.low - start.high) for start, end in pairs), sum(end.high - start.low for start, end in pairs)
    )


def _span(deed: Line) -> Span:
    return Span(deed["asked"]["mono"], deed["done"]["mono"])
