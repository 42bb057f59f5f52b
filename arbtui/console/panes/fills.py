"""Pane 2: the blotter. One line a cycle with both its legs, newest first; stays put once the operator has scrolled."""

from arbtui.console.grid import Grid
from arbtui.console.lines import width_of
from arbtui.console.numbers import MISSING, age, arrow, clock, fit, fit_right, price, quantity, signed
from arbtui.console.styles import Span, Styles
from arbtui.views import CycleLine, ReadModel, TradeLine

_LEAST_REST = 12
"""Fewest cells for what comes after the state: a letter and an ellipsis say nothing."""

_OPEN = ("OPEN", "TRANSIT")
_STATE_INKS = {"HEDGED": "soft", "OPEN": "key", "TRANSIT": "key", "UNWOUND": "warn", "RESIDUAL": "kill"}

_ARROW = "→"  #: also between the venues of a plan: one without it has one leg


class FillsPane(Grid[CycleLine]):
    """The last cycles of ``model``."""

    def __init__(self, inks: Styles, model: ReadModel) -> None:
        super().__init__(inks, 2, "Fills", id="fills")
        self._model = model
        self._seen = -1

    def identity(self, row: CycleLine) -> str:
        """The cycle."""
        return row.id

    def version(self, row: CycleLine) -> int:
        """Constant: a line is replaced when its cycle changes."""
        return hash(row)

    def empty_text(self) -> str:
        """The text before the first cycle."""
        return "no fills yet"

    def title_left(self) -> list[Span]:
        """How many are kept, which are no total; whether new ones move the view."""
        return [(f"last {len(self.rows)}" if self.rows else "0", "soft"), ("  held, g follows" if self.pinned else "", "warn")]

    def spans(self, row: CycleLine, width: int) -> list[Span]:
        """Time, symbol, what was bought and sold and where, result; quantities of the second side and prices as room allows.

        A side that filled at several venues, or in several currencies, shows the largest part with a ``+``; the others come after the
        state where there is room, and in full with Enter. Where nothing filled, the reason replaces the sides.
        """
        roomy, wide = width >= 104, width >= 122
        pnl = round(row.pnl, 2)
        result = f"{arrow(pnl)} {signed(pnl, 2, 9)}" if row.state not in _OPEN else "-"
        ink = "soft" if row.state in _OPEN or not pnl else "up" if pnl > 0 else "down"
        name: list[Span] = [(clock(row.ts_ms) + " ", "dim"), (fit(row.symbol, 6) + " ", "strong")]
        end: Span = (" " + fit(row.state, 8), _STATE_INKS.get(row.state, "text"))
        if not row.trades:
            end = (" " + fit(row.state, 9), end[1])  # ABANDONED, which no cycle with trades is
            room = min(113 if wide else 94 if roomy else 67, width - len(end[0])) - width_of(name)  # in the column of the others' states
            why = " yet" if row.state == "OPEN" else f": {row.reason or 'no reason given'}"
            return [*name, (fit(f"{row.planned} nothing filled{why}", max(0, room)), "soft"), end]
        bought, sold = _of_side(row, "buy"), _of_side(row, "sell")
        alone = _ARROW not in row.planned  # a plan of one leg lacks no other side
        first, then = (sold, bought) if alone and not bought else (bought, sold)
        spans: list[Span] = [*name, ("BUY " if first is bought else "SELL ", "dim"), (_venue(first), "soft"), (_quantity(first), "text")]
        if roomy:
            spans += [(" @", "dim"), (_price(first), "soft")]
        other: list[Span] = [(f" {_ARROW} " if roomy else "  ", "dim"), ("SELL ", "dim"), (_venue(then), "soft")]
        if wide:
            other.append((_quantity(then), "text" if _sum(bought) == _sum(sold) else "warn"))
        if roomy:
            other += [(" @" if wide else "@", "dim"), (_price(then), "soft"), (" ", "text")]
        spans += other if then or not alone else [(" " * (width_of(other) - (first is sold)), "text")]
        spans.append((fit_right(result, 11), ink))
        if wide:
            spans.append((fit_right(_took(row.elapsed_ms), 9), "dim"))
        spans.append(end)
        others = [
            f"also {one.side.upper()} {one.exchange} {quantity(one.qty)} {one.base} @ {price(one.price)} {one.quote}"
            for one in (*bought[1:], *sold[1:])
        ]
        rest = ", ".join([*others, *([row.reason] if row.reason else [])])
        room = width - width_of(spans)
        if rest and room > _LEAST_REST:
            spans.append((fit(f" {rest}", room), "soft"))
        return spans

    def tick(self) -> None:
        """Show new cycles when there are any."""
        seen = self._model.cycles_version
        if seen != self._seen:
            self._seen = seen
            self.set_rows(self._model.cycles())
        self.paint_changed()


def _of_side(row: CycleLine, side: str) -> list[TradeLine]:
    """What filled on ``side``, the largest quantity first."""
    return sorted((one for one in row.trades if one.side == side), key=lambda one: -one.qty)


def _venue(trades: list[TradeLine]) -> str:
    if not trades:
        return fit(MISSING, 8)
    return fit(trades[0].exchange if len(trades) == 1 else f"{trades[0].exchange[:7]}+", 8)


def _quantity(trades: list[TradeLine]) -> str:
    return fit_right(quantity(trades[0].qty, 9) if trades else MISSING, 9)


def _price(trades: list[TradeLine]) -> str:
    return fit(price(trades[0].price, 11) if trades else MISSING, 11)


def _took(elapsed_ms: float) -> str:
    """In milliseconds; what waited for a transfer in minutes or hours."""
    return f"{elapsed_ms:,.0f}ms" if elapsed_ms < 100_000 else age(elapsed_ms)


def _sum(trades: list[TradeLine]) -> str:
    return quantity(sum(one.qty for one in trades))
