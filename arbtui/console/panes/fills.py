"""Pane 2: the blotter. One line a cycle with both its legs, newest first; stays put once the operator has scrolled."""

from arbtui.console.grid import Grid
from arbtui.console.lines import width_of
from arbtui.console.numbers import arrow, clock, fit, fit_right, price, quantity, signed
from arbtui.console.styles import Span, Styles
from arbtui.views import CycleLine, ReadModel

_STATE_INKS = {"HEDGED": "soft", "OPEN": "key", "UNWOUND": "warn", "RESIDUAL": "kill"}


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
        """How many are kept; whether new ones move the view."""
        return [(f"{len(self.rows)}", "soft"), ("  held, g follows" if self.pinned else "", "warn")]

    def spans(self, row: CycleLine, width: int) -> list[Span]:
        """Time, symbol, buy leg, sell leg, result; venues and quantities of the second leg as room allows.

        Where nothing filled, the reason replaces the legs.
        """
        roomy, wide = width >= 104, width >= 122
        sold = quantity(row.sell_qty)
        same = sold == quantity(row.buy_qty)
        pnl = round(row.pnl, 2)
        result = f"{arrow(pnl)} {signed(pnl)}" if row.state != "OPEN" else "-"
        ink = "soft" if row.state == "OPEN" or not pnl else "up" if pnl > 0 else "down"
        name: list[Span] = [(clock(row.ts_ms) + " ", "dim"), (fit(row.symbol, 6) + " ", "strong")]
        end: Span = (" " + fit(row.state, 8), _STATE_INKS.get(row.state, "text"))
        if row.state != "OPEN" and not row.buy_qty and not row.sell_qty:
            room = width - width_of(name) - len(end[0]) - 1
            text = f"{row.buy_at}→{row.sell_at} nothing filled: {row.reason or 'no reason given'}"
            return [*name, (fit(text, max(0, room)), "soft"), end]
        spans: list[Span] = [
            *name,
            ("BUY ", "dim"),
            (fit(row.buy_at, 8), "soft"),
            (fit_right(quantity(row.buy_qty), 9), "text"),
        ]
        if roomy:
            spans += [(" @ ", "dim"), (fit(price(row.buy_px), 11), "soft")]
        spans += [(" → " if roomy else "  ", "dim"), ("SELL ", "dim"), (fit(row.sell_at, 8), "soft")]
        if wide:
            spans.append((fit_right(sold, 9), "text" if same else "warn"))
        if roomy:
            spans += [(" @ ", "dim"), (fit(price(row.sell_px), 11), "soft")]
        spans.append((fit_right(result, 11), ink))
        if wide:
            spans.append((fit_right(f"{row.elapsed_ms:,.0f}ms", 9), "dim"))
        spans.append(end)
        if row.reason:
            spans.append((fit(f" {row.reason}", max(0, width - width_of(spans))), "soft"))
        return spans

    def tick(self) -> None:
        """Show new cycles when there are any."""
        seen = self._model.cycles_version
        if seen != self._seen:
            self._seen = seen
            self.set_rows(self._model.cycles())
        self.paint_changed()
