"""One row in full: all that a line of Log, Risk or Fills has no room for."""

from collections.abc import Sequence
from math import isfinite
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.markup import escape
from textual.widgets import Static

from arbtui.console.numbers import MISSING, clock, duration, hours, quantity, signed
from arbtui.console.screens.dialog import ScrollDialog, scroll_bindings
from arbtui.console.words import REASONS
from arbtui.model.clock import iso_ms
from arbtui.model.counted import counted
from arbtui.model.printable import printable
from arbtui.views import (
    BreachLine,
    CycleDetail,
    CycleLine,
    DenialLine,
    LimitLine,
    LogLine,
    NoticeLine,
    OrderLine,
    ReadModel,
    StockCell,
    StockRow,
)
from arbtui.views.numbers import amount

Facts = Sequence[tuple[str, str]]
"""Names and texts; a name in capitals begins a part."""


class WholeScreen(ScrollDialog):
    """Shows ``facts`` as they were when it was opened; long texts go over several lines."""

    BINDINGS: ClassVar[list[BindingType]] = scroll_bindings("whole", "escape,enter,q", "Close")

    def __init__(self, title: str, facts: Facts) -> None:
        super().__init__()
        self._heading = title
        self._facts = facts

    def compose(self) -> ComposeResult:
        """Names to the left, texts wrapped."""
        variables = self.app.theme_variables
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, style=variables["ink-dim"])
        table.add_column(overflow="fold", style=variables["ink-text"])
        for name, text in self._facts:
            table.add_row(
                Text(printable(name), style="" if not name.isupper() else f"bold {variables['ink-title']}"), Text(printable(text))
            )
        with VerticalScroll(id="box") as box:
            box.border_title = escape(printable(self._heading))
            box.border_subtitle = "j/k scroll   Esc close"
            yield Static(table)


def limit_facts(row: LimitLine) -> Facts:
    """Where a limit comes from, and what is used of it."""
    return [
        ("holds", amount(row.holds, row.unit)),
        ("used now", "nothing is counted" if row.used is None else f"{amount(row.used, row.unit)}{f' ({row.note})' if row.note else ''}"),
        ("profile", amount(row.profile, row.unit)),
        ("journal", "nothing set" if row.journal is None else f"{amount(row.journal, row.unit)}, set by {row.by}"),
        ("stricter", "the higher" if row.higher_is_stricter else "the lower"),
    ]


def notice_facts(row: NoticeLine) -> Facts:
    """All of one notice: what it says, what was done, and what is to come."""
    spans = [("at", row.at_ms), ("until", row.until_ms)]
    return [
        ("title", row.title),
        ("read it at", row.url or "the venue: it gives no address"),
        *((label, iso_ms(ms)) for label, ms in spans if ms is not None),
        ("next", f"{row.next} in {duration(row.due_s)}" if row.due_s is not None else "nothing more by itself"),
        *(("done", words) for words in row.done),
        *(("stands", f"{words}, until its scope is re-armed") for words in row.standing),
        *([("venue's data", row.told)] if row.told else []),
    ]


def denial_facts(row: DenialLine) -> Facts:
    """What a reason means, and what it did."""
    spans = (("last minute", row.minute), ("last hour", row.hour), ("last day", row.day))
    return [
        ("meaning", REASONS.get(row.reason, "")),
        *((name, f"{held.seconds:.1f} s while a gap was open, begun {held.times:,} times") for name, held in spans),
    ]


def whole_of(row: object, model: ReadModel) -> WholeScreen | None:
    """The box for a row of Fills, Risk, Log or Stock; None where there is no row."""
    if isinstance(row, CycleLine):
        cycle = model.cycle(row.id)
        gone: Facts = [("cycle", f"{row.id} is not kept any more: arbtui ledger has it")]
        return WholeScreen(f"Cycle {row.symbol}", gone if cycle is None else cycle_facts(cycle))
    if isinstance(row, BreachLine):
        return WholeScreen(f"{row.severity} {row.kind}", breach_facts(row))
    if isinstance(row, StockRow):
        plan = model.transfer_plan(row.asset)
        return WholeScreen(f"Stock {row.asset}", [*stock_facts(row), *([("", ""), *plan] if plan else [])])
    if isinstance(row, LimitLine):
        return WholeScreen(row.scope, limit_facts(row))
    if isinstance(row, NoticeLine):
        return WholeScreen(f"{row.exchange} {' '.join(row.kinds)} {', '.join(row.coins)}".strip(), notice_facts(row))
    if isinstance(row, DenialLine):
        return WholeScreen(row.reason, denial_facts(row))
    return WholeScreen("Log", log_facts(row)) if isinstance(row, LogLine) else None


def stock_facts(row: StockRow) -> Facts:
    """The stock of an asset, venue by venue."""
    facts: list[tuple[str, str]] = []
    if isfinite(row.value):
        facts.append(("value", f"{row.value:,.2f}"))
    if isfinite(row.imbalance):
        facts.append(("imbalance", f"{row.imbalance:.0%} of its part is missing at {row.emptiest or MISSING}"))
    for cell in row.cells:
        facts += _place_facts(cell)
    return facts


def _place_facts(cell: StockCell) -> list[tuple[str, str]]:
    states = (("locked in orders", cell.locked), ("reserved", cell.reserved - cell.leaving), ("to leave by a transfer", cell.leaving))
    kept = [f"{quantity(amount)} {name}" for name, amount in states if amount]
    kept += [f"{quantity(cell.coming)} under way to here"] if cell.coming else []
    share = f" ({cell.share:.0%})" if isfinite(cell.share) else ""
    facts = [
        ("", ""),
        (cell.exchange, f"{quantity(cell.total)} of {quantity(cell.target)}{share}"),
        ("free", ", ".join([quantity(cell.free), *kept])),
        ("flow", f"{quantity(cell.out_per_hour)} out, {quantity(cell.in_per_hour)} in an hour of trading"),
    ]
    if not isfinite(cell.drain_hours):
        return [*facts, ("runway", "nothing drains it")]
    lasts = f"dry in {hours(cell.hours)}" if isfinite(cell.hours) else "does not run dry at the net flow"
    alone = f"in {hours(cell.drain_hours)} if nothing refilled it; chance that a refilling cycle comes first {cell.refill_first:.0%}"
    return [*facts, ("runway", f"{lasts}; {alone}")]


def log_facts(line: LogLine) -> Facts:
    """A log line."""
    return [("time", f"{clock(line.ts_ms)}Z"), ("level", line.level), ("text", line.text)]


def breach_facts(breach: BreachLine) -> Facts:
    """A breach or residual."""
    return [
        ("time", f"{clock(breach.ts_ms)}Z"),
        ("severity", breach.severity),
        ("kind", f"{breach.kind}{_meaning(breach.kind)}"),
        ("scope", breach.scope),
        ("detail", breach.detail),
        ("done", breach.action or "-"),
        *([("met again", f"{counted(breach.repeats, 'time')}, the last at {clock(breach.last_ms)}Z")] if breach.repeats else []),
        ("seen", "acknowledged" if breach.acknowledged else "not acknowledged yet"),
    ]


def cycle_facts(cycle: CycleDetail) -> Facts:
    """A cycle with its orders, in the order they were sent."""
    facts = [
        ("route", f"{cycle.route}, cycle {cycle.id}"),
        ("opened", f"{clock(cycle.opened_ms)}Z at {signed(cycle.edge_bps, 1)} bp net"),
        ("state", f"{cycle.state}{_meaning(cycle.state)}"),
    ]
    if cycle.reason:
        facts.append(("reason", f"{cycle.reason}{_meaning(cycle.reason)}"))
    if cycle.pnl:
        currency = cycle.pnl.get("currency", "")
        parts = ", ".join(f"{name} {amount}" for name, amount in cycle.pnl.items() if name not in ("currency", "total"))
        facts.append(("pnl", f"{cycle.pnl.get('total', '-')} {currency} ({parts})"))
    facts += [("in transit" if number == 0 else "", text) for number, text in enumerate(cycle.transit)]
    facts += [("exposure", text) for text in cycle.exposure]
    if cycle.naked:
        facts.append(("uncovered", cycle.naked))
    if cycle.way_out:
        facts.append(("way out", cycle.way_out))
    for order in cycle.orders:
        facts += _order_facts(order)
    return facts if cycle.orders else [*facts, ("orders", "none was sent")]


def _order_facts(order: OrderLine) -> list[tuple[str, str]]:
    filled = f"{order.filled} at {order.average} {order.quote} on average, fees {order.fees or 'none'}" if order.average else "nothing"
    theirs = f", at the venue {order.venue_order_id}" if order.venue_order_id else ""
    return [
        ("", ""),
        (
            f"{order.side.upper()} {order.exchange}",
            f"{order.ordered} of {order.market}, at worst {order.limit} {order.quote} ({order.purpose})",
        ),
        ("filled", filled),
        ("state", f"{order.state}{f': {order.reason}' if order.reason else ''}{_meaning(order.reason)}"),
        ("id", f"{order.client_order_id}{theirs}"),
    ]


def _meaning(word: str) -> str:
    return f" - {REASONS[word]}" if word in REASONS else ""
