"""Pane 4: the process's resource use and the loop's lag. One line, two with sparklines, or a page."""

from collections.abc import Iterable, Sequence

from arbtui.console.lines import Lines, width_of
from arbtui.console.numbers import duration, signed
from arbtui.console.sparkline import sparkline
from arbtui.console.styles import Span, Styles
from arbtui.model.printable import printable
from arbtui.views import GaugeView, OpenFxView, VenueGauge

LAG_WARN_MS = 10.0
"""p99 of the loop's lag that is aimed for, in ms."""


def _fact(name: str, value: str, ink: str = "text") -> list[Span]:
    return [(f"{name} ", "dim"), (value, ink), ("  ", "text")]


class SystemPane(Lines):
    """The gauges. Focusable only so that Tab and zoom treat it like the others."""

    can_focus = True
    number = 4

    def __init__(self, inks: Styles) -> None:
        super().__init__(inks, id="system")

    def tick(self, gauges: GaugeView, ui_hz: float, drops: int) -> None:
        """Show a new sample, once a second."""
        height = self.size.height
        if height >= 8:
            self.show(self._page(gauges, ui_hz, drops))
        elif height >= 2:
            self.show(self._two_lines(gauges, ui_hz, drops))
        else:
            self.show([(self._one_line(gauges, ui_hz, drops), "")])

    def _one_line(self, g: GaugeView, hz: float, drops: int) -> list[Span]:
        lag = "warn" if g.lag_p99_ms > LAG_WARN_MS else "text"
        spans: list[Span] = [(" ", "text")]
        for fact in (
            _fact("cpu", f"{g.cpu_percent:.0f}%"),
            _fact("loop p99", f"{g.lag_p99_ms:.1f}ms", lag),
            _fact("max", f"{g.lag_max_ms:.1f}"),
            _fact("rss", f"{g.rss_mb:.0f}M"),
            _fact("fds", f"{g.fds}"),
            _fact("q", f"{g.journal_queue}"),
            _fact("ui", f"{hz:.0f}Hz drop {drops}", "warn" if drops else "text"),
            _fact("snap", f"{g.snapshot_age_s:.0f}s"),
        ):
            if width_of(spans) + width_of(fact[:2]) <= self.size.width:  # a figure cut in two would be another figure
                spans += fact
        return spans

    def _two_lines(self, g: GaugeView, hz: float, drops: int) -> list[tuple[list[Span], str]]:
        lag = "warn" if g.lag_p99_ms > LAG_WARN_MS else "text"
        wide = max(8, min(30, (self.size.width - 120) // 3))
        first: list[Span] = [
            ("── ", "rule"),
            ("[4] ", "key"),
            *_fact("cpu", f"{g.cpu_percent:3.0f}%"),
            *self._spark(g.cpu_history, wide),
            *_fact("loop p50", f"{g.lag_p50_ms:.1f}"),
            *_fact("p99", f"{g.lag_p99_ms:.1f}", lag),
            *_fact("max", f"{g.lag_max_ms:.1f} ms"),
            *self._spark(g.lag_history, wide),
            *_fact("msg/s", f"{g.messages_per_s:6,.0f}"),
            *self._spark(g.messages_history, wide),
        ]
        second: list[Span] = [
            ("       ", "rule"),
            *_fact("rss", f"{g.rss_mb:.0f}M"),
            *_fact("fds", f"{g.fds}"),
            *_fact("journal p50", f"{g.journal_p50_ms:.1f}"),
            *_fact("p99", f"{g.journal_p99_ms:.1f} ms"),
            *_fact("q", f"{g.journal_queue}"),
            *_fact("snapshot", f"#{g.snapshot_no} {g.snapshot_age_s:.0f}s ago"),
            *_fact("ui", f"{hz:.0f}Hz drop {drops}", "warn" if drops else "text"),
        ]
        for one in g.open_fx:
            fact = _fact(f"{one.asset} exposure", f"{signed(one.value)} {one.currency}", _open_ink(one))
            if width_of(second) + width_of(fact) <= self.size.width:
                second += fact
        return [(first, ""), (second, "")]

    def _spark(self, history: Iterable[float], width: int) -> list[Span]:
        return [(sparkline(history, width), "spark"), ("   ", "text")]

    def _page(self, g: GaugeView, hz: float, drops: int) -> list[tuple[list[Span], str]]:
        wide = min(60, self.size.width - 50)
        rows: list[tuple[str, str, Iterable[float]]] = [
            ("cpu", f"{g.cpu_percent:.1f} %", g.cpu_history),
            ("memory", f"{g.rss_mb:.1f} MB", g.rss_history),
            ("loop lag", f"p50 {g.lag_p50_ms:.1f}  p99 {g.lag_p99_ms:.1f}  max {g.lag_max_ms:.1f} ms", g.lag_history),
            ("messages", f"{g.messages_per_s:,.0f} /s", g.messages_history),
            ("journal", f"p50 {g.journal_p50_ms:.1f}  p99 {g.journal_p99_ms:.1f} ms  queue {g.journal_queue}", ()),
            ("snapshot", f"#{g.snapshot_no}, {g.snapshot_age_s:.0f}s ago", ()),
            ("open files", f"{g.fds}", ()),
            ("console", f"{hz:.0f} Hz, {drops} writes dropped", ()),
        ]
        if g.accounts:
            rows.append(("accounts", g.accounts, ()))
        name: list[Span] = [("── ", "rule"), ("[4] ", "key"), ("System", "title"), (" ", "rule")]
        lines: list[tuple[list[Span], str]] = [([*name, ("─" * max(0, self.size.width - 14), "rule")], "")]
        gap = 2 if self.size.height >= 2 * (len(rows) + len(g.open_fx) + len(g.venues)) + 2 else 1
        for label, value, history in rows:
            floor = 0.9 * min(history, default=0.0) if label == "memory" else 0.0
            spark = sparkline(history, max(0, wide), floor) if history else ""
            lines.append(
                (
                    [
                        ("   ", "text"),
                        (f"{label:13}", "dim"),
                        (f"{value:33}", "warn" if label == "accounts" and not g.accounts_fine else "text"),
                        (spark.lstrip(), "spark"),
                    ],
                    "",
                )
            )
            lines.extend([([], "")] * (gap - 1))
        for one in g.open_fx:
            lines.append((self._open(one), ""))
            lines.extend([([], "")] * (gap - 1))
        room = max(1, (self.size.height - len(lines)) // gap)
        for line in self._venues(g.venues, room):
            lines.append((line, ""))
            lines.extend([([], "")] * (gap - 1))
        return lines

    def _venues(self, venues: Sequence[VenueGauge], room: int) -> list[list[Span]]:
        """A line each; where there is room for fewer, the sick ones come first and the last line counts the others."""
        if len(venues) <= room:
            return [self._venue(venue) for venue in venues]
        ranked = sorted(venues, key=lambda venue: venue.health == "HEALTHY")
        shown, others = ranked[: room - 1], ranked[room - 1 :]
        sick = [venue.name for venue in others if venue.health != "HEALTHY"]
        counted = f"+{len(others) - len(sick)} healthy: {', '.join(venue.name for venue in others if venue.health == 'HEALTHY')}"
        rest: list[Span] = [("   ", "text"), *([(f"not healthy: {', '.join(sick)}  ", "warn")] if sick else []), (counted, "dim")]
        return [*(self._venue(venue) for venue in shown), rest]

    def _open(self, one: OpenFxView) -> list[Span]:
        """What is open of a currency, of how much, since when, what trading it back has cost, and why it is not."""
        age = f" for {duration(one.age_s)}" if one.age_s else ""
        told = f"{signed(one.value)} {one.currency} of {one.limit:,.0f}{age}, band {one.band:,.0f}"
        line: list[Span] = [("   ", "text"), (f"{one.asset + ' exposure':13}", "dim"), (told, _open_ink(one))]
        state: list[Span] = [("  ", "text"), (one.state, "warn")] if one.state != "fine" else []
        cost: list[Span] = [(f"  netted {one.converted:,.0f} for {one.cost:,.2f}", "text")]
        for more in (state, cost):
            if width_of(line) + width_of(more) < self.size.width:
                line += more
        return line

    def _venue(self, venue: VenueGauge) -> list[Span]:
        """Health, why, and as many limits as fit, the most used first."""
        line: list[Span] = [("   ", "text"), (f"{venue.name.lower():13}", "dim")]
        line.append((f"{venue.health:9}", "armed" if venue.health == "HEALTHY" else "warn"))
        banned_s = max((limit.banned_s for limit in venue.limits), default=0.0)
        text = f"silent for {banned_s:.0f}s  " if banned_s else ""
        text += f"{printable(venue.why)}  " if venue.why else ""
        room = self.size.width - 1 - width_of(line)
        line.append((text[:room], "warn"))
        for limit in venue.limits:
            used = _fact(limit.name, f"used {limit.used:,.0f} of {limit.hard:,.0f}", "warn" if limit.used > limit.soft else "text")
            if width_of(line) + width_of(used) >= self.size.width:
                break
            line += used
        return line


def _open_ink(one: OpenFxView) -> str:
    return "text" if one.is_within_band and one.state == "fine" else "warn"
