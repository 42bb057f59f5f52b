"""Pane 6: one route in full. Both books, the steps from gross to net edge, its last minute, its last decisions, what keeps us from it."""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from math import isfinite
from textwrap import wrap

from arbtui.console.bar import stock_ink
from arbtui.console.capacity import capacity_lines, capacity_rows
from arbtui.console.grid import LINES_PER_SLICE
from arbtui.console.health import health_rows
from arbtui.console.ladder import WIDTH, ladder_lines
from arbtui.console.lines import Lines, justify, width_of
from arbtui.console.numbers import arrow, clock, fit, hours, signed
from arbtui.console.panes.why_not import why_not_rows, why_not_words
from arbtui.console.sparkline import history
from arbtui.console.styles import Span, Styles
from arbtui.console.words import REASONS
from arbtui.views import DecisionLine, Ladder, ReadModel, RouteDetail
from arbtui.views.stock import LOW

LEVELS = 8
"""Levels of each side where there is room."""

EVERY_S = 0.25
"""Books move faster than they can be read; four times a second is readable and costs little."""

SHORT_LINES_PER_SLICE = 2 * LINES_PER_SLICE
"""Beside the routes this pane's lines are a third as wide as theirs."""

_FALL = 23
"""Cells of the waterfall."""

_STEP = 11
"""Of them, of a step's name."""

_TALL = 23
"""Lines from which on what a route uses up has lines of its own."""
_WHOLE = 105
"""Width from which on every state and its meaning fit on one line; on two lines, they fit the pane beside the routes."""
_WHY_NOT_LINES = 4
_ROOM_FOR_WHY_NOT = 18
"""Lines from which on what keeps us from the route gets lines of its own, and not the end of another."""

_COSTS = 56
"""Cells that sizes and health need to stand beside the books."""

_ROOM_FOR_COSTS = 34
"""Height of the pane, in lines, from which sizes and health are shown in full."""

_MINOR = ("depth", "rounding", "slippage", "learned")
_SHOWN_BPS = 0.05
"""Where there is little room, these steps have a line of their own only when they are not 0.0 as shown."""

LEAST_DECISIONS = 5
"""Fewest lines for a list of decisions below the books."""

_TOOK = {"OPENED": "key", "HEDGED": "up", "UNWOUND": "warn", "RESIDUAL": "kill"}
Row = list[Span]


class DetailPane(Lines):
    """The route that :attr:`route_id` names. Reads the model only while it is on screen."""

    can_focus = True
    number = 6

    def __init__(self, inks: Styles, model: ReadModel) -> None:
        super().__init__(inks, id="detail")
        self._model = model
        self.route_id = ""
        self._wanted: list[tuple[Row, str]] = []

    def tick(self) -> None:
        """Read, and paint at once when it is another route or another size; else :meth:`paint_changed` does, bit by bit."""
        if not self.size:
            return  # shown a moment ago, not yet laid out
        if not self.route_id:
            self._wanted = [(self._title("no route"), "")]
            self.show(self._wanted)
            return
        d = self._model.detail(self.route_id)
        width, height = self.size.width, self.size.height
        ways, drains = _ways(d, width), _drains(d)
        state = d.state
        told = REASONS.get(state, "")
        tall = height >= _TALL and width < _WHOLE  # then there are always two lines for it: the books do not move with the state
        said = f"{state or '-'} {told}"
        first, *rest = wrap(said, width - 2) if tall else [fit(said, max(0, width - 1)).rstrip()]
        words: Row = [(" ", "text"), (state or "-", "strong"), (first[len(state or "-") :], "soft")]
        second: list[Row] = [[(f" {rest[0] if rest else ''}", "soft")]] if tall else []
        room = height - 2 - len(second)
        kept = min(_WHY_NOT_LINES, 1 + len(d.why_not)) if d.why_not and room >= _ROOM_FOR_WHY_NOT else 0
        if height < _TALL:  # no line of its own for it
            words, drains = justify(words, drains[0] if drains else [], width), []
        if height < _TALL:
            ways = ways[:1]
        room -= len(ways) + len(drains)
        shape = self._broad if width >= 2 * WIDTH + _FALL + 3 else self._slender
        rows = shape(d, width, room - kept)
        rows += why_not_rows(d.why_not, width, room - len(rows))
        kind = f" {d.shape}" if d.shape not in ("", "two_leg") else ""
        books, shown = len(d.ladders), len(self._shown(d, width))
        title = self._title(
            f"{d.symbol}{kind} {'→'.join(ladder.exchange for ladder in d.ladders)}", f" {shown} of {books} books " if shown < books else ""
        )
        self._wanted = [(line, "") for line in [title, words, *second, *ways, *drains, *rows][:height]]
        if len(self._wanted) != len(self._lines) or self._lines[0] != self._wanted[0]:
            self.show(self._wanted)

    def paint_changed(self) -> int:
        """Repaint the lines that changed, at most :data:`SHORT_LINES_PER_SLICE`; how many that were."""
        lines, changed = list(self._lines), 0
        for y, wanted in enumerate(self._wanted):
            if y < len(lines) and lines[y] != wanted and changed < SHORT_LINES_PER_SLICE:
                lines[y] = wanted
                changed += 1
        if changed:
            self.show(lines)
        return changed

    def _title(self, name: str, right: str = "") -> Row:
        head: Row = [("── ", "rule"), ("[6] ", "key"), ("Detail ", "focus" if self.has_focus else "title")]
        room = self.size.width - width_of(head) - len(right) - 2
        left: Row = [*head, (fit(name, room) if len(name) > room else name, "strong"), (" ", "rule")]
        return justify(left, [(right, "soft")], self.size.width, ("─", "rule"))

    def _shown(self, d: RouteDetail, width: int) -> Sequence[Ladder]:
        """The books that there is room for: all of them, or the first and the last."""
        return d.ladders if len(d.ladders) * (WIDTH + 1) + _FALL + 3 <= width or len(d.ladders) <= 2 else (d.ladders[0], d.ladders[-1])

    def _broad(self, d: RouteDetail, width: int, height: int) -> list[Row]:
        """Books and waterfall side by side, costs beside them where there is room, the rest below."""
        shown = self._shown(d, width)
        cells = len(shown) * (WIDTH + 1) - 1
        beside = width - cells - _FALL - 6
        costs = self._costs(d, beside if beside >= _COSTS else width, height)
        below = [] if beside >= _COSTS else costs
        levels = max(2, min(LEVELS, (height - 5 - len(below)) // 2))
        side = [*self._falls(d), *self._edge(d, _FALL)]
        if not below:
            nothing: Row = []
            side = [[*_padded(line, _FALL + 3), *cost] for line, cost in zip_longest(side, costs, fillvalue=nothing)]
        books = _books(shown, levels)
        rows = [[*(book or [(" " * cells, "text")]), ("  ", "text"), *(line or [])] for book, line in zip_longest(books, side)]
        return [*rows, *below, *self._decisions(d, width, height - len(rows) - len(below))]

    def _slender(self, d: RouteDetail, width: int, height: int) -> list[Row]:
        """Books, then the waterfall with the edge beside it; decisions below, or beside it where there is no room below."""
        costs = self._costs(d, width, height)
        height -= len(costs)
        falls = [_padded(line, _FALL + 2) for line in self._falls(d)]
        levels = max(2, min(LEVELS, (height - len(falls) - 2) // 2))
        rows = _books(self._shown(d, width), levels)
        below = height - len(rows) - len(falls)
        beside = width - _FALL - 3
        right = self._edge(d, beside)
        if below < LEAST_DECISIONS:
            right += self._decisions(d, beside, len(falls) - len(right))
        rows += [[*left, *line] for left, line in zip_longest(falls, right, fillvalue=[(" " * (_FALL + 2), "text")])]
        rows += costs
        return [*rows, *self._decisions(d, width, below)] if below >= LEAST_DECISIONS else rows

    def _costs(self, d: RouteDetail, width: int, room: int) -> list[Row]:
        """What it earns by size and how healthy it is: in full where there is room, else in a line or two."""
        if room >= _ROOM_FOR_COSTS:
            return [*capacity_rows(d.capacity, width), *health_rows(d.health, d.slippage, width, 3)]
        return [*capacity_lines(d.capacity, width), *health_rows(d.health, d.slippage, width, 1)]

    def _falls(self, d: RouteDetail) -> list[Row]:
        """One line a step, the sum, the threshold, and the difference between them."""
        if not d.steps:
            return [[(" net edge not known yet", "warn")]]
        lines: list[Row] = []
        for step in d.steps:
            first = not lines
            if self.size.height < _ROOM_FOR_COSTS and not first and step.name in _MINOR and abs(step.bps) < _SHOWN_BPS:
                continue
            name: Span = (f" {fit(step.name, _STEP)}", "soft" if first else "dim")
            lines.append([name, (f"{signed(step.bps, 1, 8):>8}", "text" if step.bps else "faint"), (" bp", "faint")])
        short = d.net_bps - d.threshold_bps
        ink = "up" if d.net_bps > 0 else "down"
        lines.append([(f" {'= net':{_STEP}}", "title"), (f"{signed(d.net_bps, 1, 8):>8}", ink), (f" {arrow(d.net_bps)}", ink)])
        lines.append([(f" {'threshold':{_STEP}}", "dim"), (f"{signed(d.threshold_bps, 1, 8):>8}", "text"), (" bp", "faint")])
        word = "clears by" if short > 0 else "short by"
        lines.append(
            [(f" {word:{_STEP}}", "dim"), (f"{signed(abs(short), 1).lstrip('+'):>8}", "up" if short > 0 else "soft"), (" bp", "faint")]
        )
        return lines

    def _edge(self, d: RouteDetail, width: int) -> list[Row]:
        """The last minute of the net edge, and its bounds."""
        known = [value for value in d.history if isfinite(value)]
        texts = [f"{signed(min(known), digits)} to {signed(max(known), digits)}" for digits in (1, 0)] if known else ["no sample yet"]
        choices = [(name, text) for text in texts for name in (" net 60s ", " 60s ")]
        name, bounds = next((choice for choice in choices if len("".join(choice)) <= width), choices[-1])
        return [[(name, "dim"), (bounds, "soft")], [(" ", "text"), (history(d.history, max(0, min(60, width - 2))), "spark")]]

    def _decisions(self, d: RouteDetail, width: int, room: int) -> list[Row]:
        """The newest ones that fit, under a head."""
        none: Row = [(" none yet: no edge cleared", "faint")]
        head: Row = [(" last decisions", "dim")]
        if self.size.height - 2 < _ROOM_FOR_WHY_NOT:
            head += why_not_words(d.why_not, width - width_of(head))
        return [head, *(_decision_rows(d.decisions, width) if d.decisions else [none])][: max(0, room)]


def _decision_rows(decisions: Sequence[DecisionLine], width: int) -> Iterator[Row]:
    for one in decisions:
        times = f" x{one.count:,}" if one.count > 1 else ""
        words = f" {one.detail}" if one.detail else f" {REASONS.get(one.word, '')}"
        row: Row = [(f" {clock(one.ts_ms)[: 12 if width >= 50 else 8]} ", "dim"), (one.word + times, _TOOK.get(one.word, "warn"))]
        edge: Span = (f" {signed(one.edge_bps, 1)} bp", "text")
        room = width - width_of([*row, edge])
        yield [*row, edge, (fit(words, room), "soft")] if room > 8 else [*row, edge] if room >= 0 else row


def _ways(d: RouteDetail, width: int) -> list[Row]:
    """The transfer that a person makes for the route, and what cannot be moved; long lines wrapped."""
    rows: list[Row] = []
    for way in d.ways:
        ink = "warn" if "CLOSED" in way or way.startswith("gated") else "soft"
        rows += [[(line, ink)] for line in wrap(way, width - 1, initial_indent=" ", subsequent_indent="   ")]
    return rows


def _drains(d: RouteDetail) -> list[Row]:
    """The stock that the route uses and how long that lasts, a line each."""
    rows: list[Row] = []
    for one in d.drains:
        share = f"{one.share:.0%}" if isfinite(one.share) else "no target"
        row: Row = [(f" uses {one.asset} at {one.exchange} ", "dim"), (share, "text" if one.share >= LOW else stock_ink(one.share))]
        if isfinite(one.hours):
            row += [(f", dry in {hours(one.hours)}", "warn" if one.hours < 1 else "soft")]
        elif isfinite(one.drain_hours):
            row += [(", refilled as fast", "dim")]
        rows.append(row)
    return rows


def _books(ladders: Sequence[Ladder], levels: int) -> list[Row]:
    """Side by side."""
    rows: list[Row] = []
    for lines in zip(*(ladder_lines(ladder, levels) for ladder in ladders), strict=True):
        row: Row = list(lines[0])
        for line in lines[1:]:
            row += [(" ", "text"), *line]
        rows.append(row)
    return rows


def _padded(line: Row, width: int) -> Row:
    return [*line, (" " * max(0, width - width_of(line)), "text")]
