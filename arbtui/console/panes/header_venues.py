"""The venues in the header's second line: all of them where there is room, else the sick ones first and the healthy ones as a count."""

from collections.abc import Sequence

from arbtui.console.numbers import age
from arbtui.console.styles import Span
from arbtui.views import ExchangeView

OK = "ok"
FEW = 2
"""So many venues are always named."""


def listed(venues: Sequence[ExchangeView], gap: str, *, ages: bool) -> list[Span]:
    """Every venue by name, in the profile's order; ``ages``: how long ago each was heard, in a column that keeps its place."""
    spans: list[Span] = []
    for venue in venues:
        spans += [
            (venue.name, "strong"),
            (f" {age(venue.age_ms):>4} " if ages else " ", "soft"),
            (venue.status, _ink(venue)),
            (gap, "text"),
        ]
    return spans


def folded(venues: Sequence[ExchangeView], gap: str, *, ages: bool) -> list[Span]:
    """The sick ones by name, then how many are well; ``ages``: of each, and of the healthy one that was heard longest ago."""
    sick, well = _parted(venues)
    return [*listed(sick, gap, ages=ages), *_counted(well, gap, alone=not sick, ages=ages)]


def grouped(venues: Sequence[ExchangeView], gap: str) -> list[Span]:
    """The sick ones by name under what they have in common, then how many are well."""
    sick, well = _parted(venues)
    spans: list[Span] = []
    for status in dict.fromkeys(venue.status for venue in sick):
        names = " ".join(venue.name for venue in sick if venue.status == status)
        spans += [(f"{status} ", "warn"), (names, "strong"), (gap, "text")]
    return [*spans, *_counted(well, gap, alone=not sick, ages=False)]


def sick_names(venues: Sequence[ExchangeView], gap: str) -> list[Span]:
    """Nothing but the names of the sick ones: what is wrong with each stands in the page of gauges."""
    sick, _ = _parted(venues)
    return [("NOT OK ", "warn"), (" ".join(venue.name for venue in sick), "strong"), (gap, "text")] if sick else []


def _parted(venues: Sequence[ExchangeView]) -> tuple[list[ExchangeView], list[ExchangeView]]:
    return [venue for venue in venues if venue.status != OK], [venue for venue in venues if venue.status == OK]


def _counted(well: Sequence[ExchangeView], gap: str, *, alone: bool, ages: bool) -> list[Span]:
    """``+4 ok``, or ``7 venues ok`` where none is sick."""
    if not well:
        return []
    oldest = f" {age(max(venue.age_ms for venue in well))}" if ages else ""
    return [(f"{len(well)} venues" if alone else f"+{len(well)}", "strong"), (f"{oldest} ", "soft"), (OK, "armed"), (gap, "text")]


def _ink(venue: ExchangeView) -> str:
    return "armed" if venue.status == OK else "warn"
