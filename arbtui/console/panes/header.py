"""The two lines on top: what must be visible at all times. A red background means halted, and nothing else does."""

from collections.abc import Iterable, Iterator

from arbtui.console.lines import Lines, justify, width_of
from arbtui.console.numbers import age, arrow, clock, duration, fit, signed
from arbtui.console.panes import header_venues
from arbtui.console.styles import Span, Styles
from arbtui.model.printable import printable
from arbtui.views import HeaderView

HALTED_STATES = ("HALTING", "HALTED", "HALTED_DIRTY")
_STATE_INKS = {"ARMED": "armed", "PAUSED": "paused", "REDUCING": "paused"}

LEAST_DETAIL = 16
"""Fewest cells for a shortened text of what a halt left open."""

RATE_LATE_MS = 5_000.0
"""An exchange rate older than this is shown as late; the routes that need it block by their own limit."""

RATE_FRESH_MS = 2_000.0
"""The age of a rate that is no older is not shown: it says nothing, and would come and go."""


def mode_spans(h: HeaderView) -> list[Span]:
    """The mode as a block: SIM, PAPER and LIVE differ by word and by background."""
    if h.mode == "LIVE":
        return [(" ██", "live-block"), (f" LIVE{' ' + h.scenario if h.scenario else ''} ", "live"), ("██ ", "live-block")]
    return [(f" {h.mode}{' ' + h.scenario if h.scenario else ''} ", "paper" if h.mode == "PAPER" else "sim")]


def state_spans(h: HeaderView, room: int = 0) -> list[Span]:
    """The state in brackets, and the share of the usual size in the first minutes after a re-arm.

    An ARMED engine that opens nothing, or too slowly, says so, and why as far as ``room`` cells go.
    """
    spans = [(f"[{h.state}]", _STATE_INKS.get(h.state, "warn"))]
    if h.state == "ARMED" and (h.idle or h.slow):
        why = f": {printable(h.idle or h.slow)}"
        if len(why) > room:
            why = f"{why[: room - 1]}…" if room > LEAST_DETAIL else ""
        spans = [(f"[ARMED, {'NOT TRADING' if h.idle else 'TOO SLOW'}{why}]", "warn")]
    if h.share < 1.0:
        spans.append((f" {h.share:.0%} size {duration(h.share_left_s)}", "warn"))
    return spans


def scope_spans(h: HeaderView, *, whole: bool) -> list[Span]:
    """Halts of less than everything: the first two, and how many more; ``whole``: also since when, by whom and why."""
    if not h.scopes:
        return []
    more = f" +{len(h.scopes) - 2}" if len(h.scopes) > 2 else ""
    told = ", ".join(printable(halt.in_words() if whole else halt.short) for halt in h.scopes[:2])
    return [("  ", "text"), (f"{told}{more}", "warn")]


def open_fx_spans(h: HeaderView, *, whole: bool) -> list[Span]:
    """What cycles have left open of each settlement currency, in the PnL's; ``whole``: also which that is, and for how long.

    Where it is not told whole, it is told only when it is beyond its band.
    """
    spans: list[Span] = []
    for one in h.open_fx:
        ink = "text" if one.is_within_band else "warn"
        if whole:
            spans += [(f"{one.asset} exposure ", "dim"), (f"{signed(one.value)} {one.currency}", ink)]
            spans.append((f" for {age(one.age_s * 1_000)}   " if one.age_s else "   ", "soft"))
        elif not one.is_within_band:
            spans += [(f"{one.asset} ", "dim"), (f"{signed(one.value, 0)}  ", ink)]
    return spans


class Header(Lines):
    """Profile, mode, state, clock and PnL; venues, rate and what is open. Money stays longest where there is little room."""

    def __init__(self, inks: Styles) -> None:
        super().__init__(inks, id="header")

    def tick(self, h: HeaderView, banner: str = "") -> None:
        """Paint ``h``; ``banner`` says that the display is frozen."""
        if h.state == "DISARMED" and h.halt_detail:
            self.show([(self._state_line(h, banner), ""), (self._disarmed_line(h), "")])
        elif h.state in HALTED_STATES:
            first, whole = self._halted_line(h, banner)
            second = self._venues_line(h) if whole or h.state == "HALTED" else self._left_line(h)
            self.show([(first, "halted"), (second, "")])
        else:
            self.show([(self._state_line(h, banner), ""), (self._venues_line(h), "")])

    def _state_line(self, h: HeaderView, banner: str) -> list[Span]:
        width = self.size.width
        title: list[Span] = [(" arbtui ", "title")]
        at: list[Span] = [(f"{clock(h.now_ms)[:8]}Z", "text")]
        session: list[Span] = [("session ", "dim"), (f"{duration(h.session_s)}   ", "soft")]
        money = [*self._pnl(h, both=width >= 110), (" ", "text")]
        before: list[Span] = [(f" {h.profile}  ", "text"), *mode_spans(h), ("  ", "text")]
        after: list[Span] = [("  ", "text"), (f" {banner} ", "frozen")] if banner else []
        scopes = scope_spans(h, whole=False)
        room = width - sum(width_of(part) for part in (before, state_spans(h), after, scopes, money)) - 1
        left = [*before, *state_spans(h, room), *after]
        unwatched: list[Span] = [] if h.is_watched else [("  no guardian", "dim")]
        whole = [*left, *scope_spans(h, whole=True)]
        counted: list[Span] = [*left, ("  ", "text"), (f"HALTS {len(h.scopes)}", "warn")] if h.scopes else left
        left = [*left, *scope_spans(h, whole=False)]
        choices = (
            *([([*title, *whole, *unwatched], [*at, ("  ", "text"), *money])] if h.scopes else []),
            ([*title, *left, *unwatched], [*session, *at, ("   ", "text"), *money]),
            ([*title, *left, *unwatched], [*at, ("  ", "text"), *money]),
            *([([*left, *unwatched], money), ([*left, *unwatched], [*money[:2], (" ", "text")])] if unwatched else []),
            ([*title, *left], [*at, ("  ", "text"), *money]),
            (left, [*at, ("  ", "text"), *money]),
            (left, money),
            (left, [*money[:2], (" ", "text")]),
            *([(counted, [*money[:2], (" ", "text")])] if h.scopes else []),
        )
        return _first_that_fits(choices, width)

    def _pnl(self, h: HeaderView, both: bool) -> list[Span]:
        def money(value: float) -> Span:
            return (f"{arrow(value)} {signed(value)}", "up" if value > 0 else "down" if value < 0 else "text")

        if both:
            trading = (f" trading {signed(h.trading_day)}", "dim")
            session = (f" trading {signed(h.trading_session)} {h.pnl_currency}", "dim")
            return [("PnL day ", "dim"), money(h.pnl_day), trading, ("  session ", "dim"), money(h.pnl_session), session]
        return [("PnL day ", "dim"), money(h.pnl_day), (f" {h.pnl_currency}", "dim")]

    def _halted_line(self, h: HeaderView, banner: str) -> tuple[list[Span], bool]:
        """The red line, and whether it shows everything known of what is left open."""
        width = self.size.width
        since = duration((h.now_ms - h.halt_ts_ms) / 1_000) if h.halt_ts_ms else "--:--:--"
        why = f" ({printable(h.halt_reason)})" if h.halt_reason else ""
        left = f" {h.state} {since} by {printable(h.halt_source) or '?'}{why}"
        frozen = f"{banner}  " if banner else ""
        mode = f"{h.mode}{f' {h.scenario}' if h.scenario else ''} "
        at = f" {clock(h.now_ms)[:8]}Z "
        money = f"PnL day {arrow(h.pnl_day)} {signed(h.pnl_day)} {h.pnl_currency}  "
        choices = (
            f"{frozen}{money}unhedged {h.unhedged:,.2f}  {h.profile}  {mode}{at}",
            f"{frozen}{money}{h.profile}  {mode}{at}",
            f"{frozen}{money}{h.profile}  {mode}",
            f"{frozen}{money}{mode}",
            f"{frozen}{h.profile}  {mode}",
        )
        right = next((text for text in choices if len(left) + len(text) + 1 <= width), f"{frozen}{mode}")
        detail = printable(h.halt_detail)
        room = width - len(left) - len(right) - 4
        whole = len(detail) <= room
        if detail and room >= min(len(detail), LEAST_DETAIL):
            left += f" - {detail if whole else detail[: room - 1] + '…'}"
        return justify([(left, "halted")], [(right, "halted")], width, (" ", "halted")), whole

    def _left_line(self, h: HeaderView) -> list[Span]:
        """What is pending or left at a venue is shown before the venues' streams."""
        counts = [*self._unhedged(h), *open_fx_spans(h, whole=False), *self._breaches(h)]
        room = self.size.width - width_of(counts) - 2
        return justify([(f" {fit(printable(h.halt_detail), max(0, room))}", "warn")], counts, self.size.width)

    def _disarmed_line(self, h: HeaderView) -> list[Span]:
        """Why it is DISARMED comes before all else: who did it, and when; then the venues, where there is room for them."""
        width, gap, breaches = self.size.width, "   ", self._breaches(h)
        detail = printable(h.halt_detail)
        rate = self._rate(h, doubt=False)
        venues = (header_venues.listed(h.exchanges, gap, ages=True), header_venues.folded(h.exchanges, gap, ages=False))
        for left in ([(" ", "text"), *names, *rate] for names in venues):
            if width_of(left) + len(detail) + width_of(breaches) + 1 <= width:
                return justify(left, [(detail, "warn"), *breaches], width)
        return justify([(f" {fit(detail, max(0, width - width_of(breaches) - 2))}", "warn")], breaches, width)

    def _venues_line(self, h: HeaderView) -> list[Span]:
        width = self.size.width
        breaches, unhedged = self._breaches(h), self._unhedged(h)
        cycles: list[Span] = [("cycles ", "dim"), (f"{h.open_cycles}", "text")]
        counts = [*cycles, ("  orders ", "dim"), (f"{h.orders_in_flight}", "text"), *breaches]
        more: list[Span] = [("opportunities ", "dim"), (f"{h.opportunities}", "text")]
        more += [("   unhedged ", "dim"), (f"{h.unhedged:,.2f}   ", "text")]
        beyond = open_fx_spans(h, whole=False)
        money = [*unhedged, *beyond]
        long = ([*open_fx_spans(h, whole=True), *more, *counts], [*beyond, *more, *counts])
        short = ([*money, *counts], [*money, *cycles, *breaches])

        def choices() -> Iterator[tuple[list[Span], list[Span]]]:
            rate, gap = self._rate(h, doubt=True), "   " if width >= 110 else "  "
            full = [*header_venues.listed(h.exchanges, gap, ages=True), *rate]
            yield from ((full, right) for right in (*long, *short))
            if beyond:
                yield full, [*money, *breaches[1:]]
            fresh = [*header_venues.listed(h.exchanges, gap, ages=True), *self._rate(h, doubt=True, aged=False)]
            yield fresh, short[-1]
            bare = self._rate(h, doubt=False)
            named = [*header_venues.listed(h.exchanges, gap, ages=False), *bare]
            yield from ((named, right) for right in (*long, *short, [*money, *breaches]))
            if len(h.exchanges) > header_venues.FEW:
                for ages in (True, False):
                    fold = [*header_venues.folded(h.exchanges, gap, ages=ages), *(rate if ages else bare)]
                    yield from ((fold, right) for right in (*long, *short, [*money, *breaches]))
                sick, names = header_venues.grouped(h.exchanges, "  "), header_venues.sick_names(h.exchanges, "  ")
                yield [*sick, *bare], [*money, *breaches]
                for left in ([*sick, *self._rate(h, doubt=False, aged=False)], sick, names):
                    yield left, [*money, *breaches[1:]]
                yield names, breaches[1:]

        return _first_that_fits((([(" ", "text"), *left], right) for left, right in choices()), width)

    def _rate(self, h: HeaderView, doubt: bool, aged: bool = True) -> list[Span]:
        """The exchange rate, its age and whether it is doubted; ``doubt``: also what is missing to tell; ``aged``: also a usual age."""
        if not h.rate:
            return [("FX ", "dim"), ("none", "warn")] if h.rate_pair else []
        late = h.rate_age_ms > RATE_LATE_MS
        spans: list[Span] = [("FX ", "dim"), (f"{h.rate:.1f}", "text")]
        if late or (aged and h.rate_age_ms >= RATE_FRESH_MS):
            spans.append((f" ({h.rate_age_ms / 1_000:.0f}s{' LATE' if late else ''})", "warn" if late else "dim"))
        if h.rate_doubt and (doubt or h.rate_doubt.startswith("DOUBTED")):
            spans.append((f" {h.rate_doubt}", "warn"))
        return spans

    def _unhedged(self, h: HeaderView) -> list[Span]:
        """Only when it is not zero, but always in a halt."""
        if not h.unhedged and h.state not in HALTED_STATES:
            return []
        return [("unhedged ", "dim"), (f"{h.unhedged:,.0f}  ", "warn" if h.unhedged else "text")]

    def _breaches(self, h: HeaderView) -> list[Span]:
        return [("  ", "text"), ("breach ", "dim"), (f"{h.breaches_open}", "warn" if h.breaches_open else "text"), (" ", "text")]


def _first_that_fits(choices: Iterable[tuple[list[Span], list[Span]]], width: int) -> list[Span]:
    """The first pair of texts that fits ``width``; of the last one only the left."""
    left: list[Span] = []
    for left, right in choices:
        if width_of(left) + width_of(right) + 1 <= width:
            return justify(left, right, width)
    return justify(left, [], width)
