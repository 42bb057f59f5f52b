"""The two lines on top: what must be visible at all times. Red ground means halted, and nothing else does."""

from arbtui.console.ink import Inks, Span
from arbtui.console.lines import Lines, justify, width_of
from arbtui.console.numbers import age, arrow, clean, clock, duration, signed
from arbtui.views import HeaderView

HALTED_STATES = ("HALTING", "HALTED", "HALTED_DIRTY")
_STATE_INKS = {"ARMED": "armed", "PAUSED": "paused", "REDUCING": "paused"}

RATE_LATE_MS = 5_000.0
"""A KRW/USDT rate older than this is shown as late; the routes that need it block by their own limit."""


def mode_spans(h: HeaderView) -> list[Span]:
    """The mode as a block: SIM, PAPER and LIVE differ by word and by ground."""
    if h.mode == "LIVE":
        return [(" ██", "live-block"), (f" LIVE{' ' + h.scenario if h.scenario else ''} ", "live"), ("██ ", "live-block")]
    return [(f" {h.mode}{' ' + h.scenario if h.scenario else ''} ", "paper" if h.mode == "PAPER" else "sim")]


def state_spans(h: HeaderView) -> list[Span]:
    """The state in brackets."""
    return [(f"[{h.state}]", _STATE_INKS.get(h.state, "warn"))]


class Header(Lines):
    """Profile, mode, state, clock and PnL; venues, rate and what is open."""

    def __init__(self, inks: Inks) -> None:
        super().__init__(inks, id="header")

    def tick(self, h: HeaderView, banner: str = "") -> None:
        """Paint ``h``; ``banner`` says that the display is frozen."""
        first = self._halted_line(h, banner) if h.state in HALTED_STATES else self._state_line(h, banner)
        self.show([first, (self._venues_line(h), "")])

    def _state_line(self, h: HeaderView, banner: str) -> tuple[list[Span], str]:
        width = self.size.width
        left: list[Span] = [(" arbtui ", "title"), (f" {h.profile}  ", "text"), *mode_spans(h), ("  ", "text"), *state_spans(h)]
        if banner:
            left += [("  ", "text"), (f" {banner} ", "frozen")]
        at: list[Span] = [(f"{clock(h.now_ms)[:8]}Z", "text")]
        session: list[Span] = [("session ", "dim"), (f"{duration(h.session_s)}   ", "soft")]
        money = self._pnl(h, both=width >= 110)
        right = [*session, *at, ("   ", "text"), *money, (" ", "text")]
        if width_of(left) + width_of(right) + 2 > width:
            right = [*at, ("  ", "text"), *money, (" ", "text")]
        if width_of(left) + width_of(right) + 1 > width:
            right = [*at, (" ", "text")]
        return justify(left, right, width), ""

    def _pnl(self, h: HeaderView, both: bool) -> list[Span]:
        def money(value: float) -> Span:
            return (f"{arrow(value)} {signed(value)}", "up" if value > 0 else "down" if value < 0 else "text")

        if both:
            return [("PnL  day ", "dim"), money(h.pnl_day), ("  session ", "dim"), money(h.pnl_session), (f" {h.pnl_currency}", "dim")]
        return [("PnL ", "dim"), money(h.pnl_day), (f" {h.pnl_currency}", "dim")]

    def _halted_line(self, h: HeaderView, banner: str) -> tuple[list[Span], str]:
        since = duration((h.now_ms - h.halt_ts_ms) / 1_000) if h.halt_ts_ms else "--:--:--"
        scenario = f" {h.scenario}" if h.scenario else ""
        why = f" ({clean(h.halt_reason)})" if h.halt_reason else ""
        frozen = f"{banner}  " if banner else ""
        left = f" {h.state} {since} by {clean(h.halt_source) or '?'}{why}"
        right = f"{frozen}{h.profile}  {h.mode}{scenario}  {clock(h.now_ms)[:8]}Z "
        money = f"PnL day {arrow(h.pnl_day)} {signed(h.pnl_day)} {h.pnl_currency}  unhedged {h.unhedged:,.2f}  "
        if len(left) + len(money) + len(right) + 2 <= self.size.width:
            right = money + right  # in a halt it is wanted most
        room = self.size.width - len(left) - len(right) - 4
        detail = clean(h.halt_detail)
        if detail and len(detail) > room:
            right = f"{frozen}{h.mode}{scenario}  {clock(h.now_ms)[:8]}Z "
            room = self.size.width - len(left) - len(right) - 4
        if detail:
            left += f" - {detail if len(detail) <= room else detail[: max(0, room - 1)] + '…'}"
        return justify([(left, "halted")], [(right, "halted")], self.size.width, (" ", "halted")), "halted"

    def _venues_line(self, h: HeaderView) -> list[Span]:
        width = self.size.width
        gap = "   " if width >= 110 else "  "
        left: list[Span] = [(" ", "text")]
        for venue in h.exchanges:
            fine = venue.status == "ok"
            left += [(venue.name, "strong"), (f" {age(venue.age_ms)} ", "soft"), (venue.status, "armed" if fine else "warn"), (gap, "text")]
        if h.rate:
            late = h.rate_age_ms > RATE_LATE_MS
            left += [("FX ", "dim"), (f"{h.rate:.1f}", "text")]
            left.append((f" ({h.rate_age_ms / 1_000:.0f}s{' LATE' if late else ''})", "warn" if late else "dim"))
        else:
            left += [("FX ", "dim"), ("none", "warn")]
        counts: list[Span] = [("open ", "dim"), (f"{h.open_cycles}", "text"), ("  in flight ", "dim"), (f"{h.orders_in_flight}", "text")]
        breach: list[Span] = [("  breach ", "dim"), (f"{h.breaches_open}", "warn" if h.breaches_open else "text"), (" ", "text")]
        more: list[Span] = [("opportunities ", "dim"), (f"{h.opportunities}", "text")]
        more += [("   unhedged ", "dim"), (f"{h.unhedged:,.2f}   ", "text")]
        tight: list[Span] = [("open ", "dim"), (f"{h.open_cycles}", "text"), (" flight ", "dim"), (f"{h.orders_in_flight}", "text")]
        open_leg: list[Span] = [("unhedged ", "dim"), (f"{h.unhedged:,.0f}  ", "warn")] if h.unhedged else []
        choices = (
            [*more, *counts, *breach],
            [*open_leg, *counts, *breach],
            [*open_leg, *tight, *breach],
            [*counts, *breach],
            [*tight, *breach],
            breach,
        )
        for right in choices:
            if width_of(left) + width_of(right) + 1 <= width:
                return justify(left, right, width)
        return left
