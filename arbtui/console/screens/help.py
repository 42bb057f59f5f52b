"""Help: first the active pane, then the meaning of each key, column and state."""

from collections.abc import Iterable
from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from arbtui.console.bindings import ANYWHERE_BINDINGS, MAIN_BINDINGS
from arbtui.console.grid import Grid
from arbtui.console.keys import KeyNames
from arbtui.console.screens.dialog import ScrollDialog, scroll_bindings
from arbtui.console.words import REASONS, short_word

COLUMN_HELP = {
    "SYM": "the asset; one route a direction",
    "BUY@ SELL@": "where it is bought and where the same quantity is sold from stock, at the same moment",
    "BUY px SELL px": "best ask and best bid, each in its venue's currency",
    "EDGE bp": "gross edge at the touch, in basis points, over the exchange rate",
    "NET bp": "edge for the size after depth, fees, rate, rounding and costs",
    "SIZE": "size of the last opportunity, in the asset; - before the first",
    "DEPTH": "the smaller of the two best quantities",
    "AGE": "age of the older of the two books; grey when nothing happens",
    "FILLS": "fills of this route in this run",
    "SHAPE": "two legs, triangular, split leg, multi hop or cross chain",
    "HLTH": "how much of what it promises may be expected: detail has its factors; - before anything is measured",
    "STATE": "OPEN, READY, or the first reason why not",
}
HEADER_HELP = {
    "[ARMED]": "the state (STATES, below); NOT TRADING and TOO SLOW stand beside it with why",
    "UPBIT 12ms ok": "how long ago the venue was heard, and its health; ok, or why nothing is opened there",
    "FX 1384.2 (3s)": "the exchange rate, its age from 2 s on, LATE, or what doubts it",
    "PnL day": "change of equity since the desk's midnight, stock at today's prices; trading: of it, what cycles earned after fees",
    "KRW exposure": "won that cycles brought or took and nobody has traded back, in the PnL's currency; at 80 columns if beyond its band",
    "unhedged": "bought and not sold, or sold and not bought, at this moment, in the PnL's currency",
    "cycles, orders": "cycles that are open, and orders that venues have not answered yet",
    "breach": "breaches that nobody has acknowledged: Risk has them",
    "opportunities": "how often a route has cleared its threshold in this run",
}
"""The words of the two lines on top."""

PANE_HELP = {
    "routes": (
        "Every route, best first, or the first reason why it does not trade. Figures and order change twice a second "
        "(over 200 routes: once), but nothing moves within a second of a cursor move. "
        "The cursor stays with a route once a key has acted on it; g follows the best again.",
        ("rearm", "detail", "filter", "sort", "sort.reverse", "route.toggle", "scope", "copy", "grid.top", "freeze"),
    ),
    "fills": (
        "One line a cycle with what it bought and sold, newest first; + after a venue: others filled too, Enter shows all. "
        "Moving the cursor holds the view; the top follows the newest again.",
        ("detail", "grid.down", "grid.up", "grid.top", "copy", "zoom"),
    ),
    "risk": (
        "What is held back, then breaches and residuals, open ones first. A residual blocks its asset until it is acknowledged, and counts "
        "as exposure until it is settled; a balance that a venue disputes blocks that asset there until it is settled. Three more views: "
        "limits as used of allowed; what kept us from gaps, for how long and how often, over all routes (of one: its detail); and what "
        "venues have announced of what is traded, with the time to the next step, which only reduces (Enter: its link, what was done).",
        ("detail", "acknowledge", "settle", "scope", "rearm", "risk.view", "limit", "grid.down", "grid.up", "copy", "zoom"),
    ),
    "system": (
        "What the process costs and how late its loop is; when it is late the console paints less often. Then each venue: its health, "
        "and its limits, the most used first. 'order used 8 of 12': 8 of the 12 requests that the venue allows in its window are used; "
        "marked where no entry is sent any more and the rest is kept for hedges and cancels.",
        ("zoom", "back"),
    ),
    "log": (
        "The last lines of arbtui.log. Moving the cursor holds the view; the end follows the newest again.",
        ("detail", "grid.down", "grid.up", "grid.end", "copy", "zoom"),
    ),
    "stock": (
        "What each venue holds of each asset; the tick in the middle of a bar is the target. Emptiest first. RUNWAY: until it is dry "
        "at the net flow of hedged cycles, - where it does not run dry; +500: as much is under way there by a transfer. IMB: how much of "
        "its part the emptiest venue lacks. Enter shows all of an asset, and how a person could fill it.",
        ("detail", "filter", "sort", "sort.reverse", "grid.top", "copy", "zoom"),
    ),
    "detail": (
        "One route: both books (◂ marks our orders), how the gross edge becomes the net one, the last minute, the last decisions. "
        "Below the books: edge and profit by size as far as the books go, with the best size, and what its health is made of. "
        "'shadow' is the price of scarce stock: it costs where a trade uses up stock that runs short, and pays where it refills it.",
        ("back", "route.toggle", "copy", "zoom", "freeze"),
    ),
}
"""By pane: its description, and the ids of its keys."""

EDGE_HELP = {
    "gross": "what the two best prices differ by, over the exchange rate",
    "fee VENUE": "what a venue takes, a line a trade",
    "rate fee": "what it costs to change one quote currency into the other, with a whole order's walk through its book",
    "depth": "what the size that it would trade costs beyond the best prices",
    "rounding": "what lots leave over at that size",
    "slippage": "taken off every edge, by the profile",
    "learned": "taken off too: what its own fills have cost beyond the expected prices ([costs] learn_slippage)",
    "shadow": "the price of scarce stock: minus where it runs short, plus where it refills",
    "threshold": "the net edge that opens a cycle",
}
"""The steps of a route's edge, in basis points."""

FILTER_HELP = {
    "xrp": "a word alone: in the symbol, a venue or the state",
    "asset:btc": "any asset that the route trades; also sym: buy: sell: venue: state:",
    "shape:tri": "two_leg, triangular, split_leg, multi_hop or cross_chain",
    "edge>5": "numbers with < > <= >= =: edge net size depth age fills health",
    "!state:open": "! turns a word around; every word must hold",
}
"""What a filter line of the routes may hold."""

HEALTH_HELP = {
    "spread": "narrow books",
    "volume": "the last minute's trades at the slowest market, against the size",
    "latency": "how fresh the oldest book is",
    "flow": "less where takers take what we want",
    "survival": "share of its gaps still there when our order would have arrived",
    "realised": "share of the expected edge that its cycles brought",
    "runway": "cycles that its stock still holds",
}
"""The factors of a route's health, 0 to 1; - while not measured. The profile's [ranking] weighs them."""

_OF_THE_ENGINE = ("PAUSED", "REDUCING", "HALTED", "HALTED_DIRTY")
_SAID_TWICE = ("BELOW_THRESHOLD", "ROUTE_BUSY")
STATE_HELP = {
    "ARMED": "new cycles may open",
    **{name: REASONS[name] for name in _OF_THE_ENGINE},
    **{
        short_word(name): f"{meaning}{f'  ({name})' if short_word(name) != name else ''}"
        for name, meaning in REASONS.items()
        if name not in (*_OF_THE_ENGINE, *_SAID_TWICE)
    },
}


class HelpScreen(ScrollDialog):
    """Scrolls; Esc or ? closes."""

    DEFAULT_CSS = "HelpScreen > #box { width: 100; height: 90%; }"

    BINDINGS: ClassVar[list[BindingType]] = scroll_bindings("help", "escape,question_mark,q", "Close help")

    def __init__(self, pane: str, keys: KeyNames) -> None:
        super().__init__()
        self._pane = pane
        self._names = keys

    def compose(self) -> ComposeResult:
        """The active pane first, then keys."""
        with VerticalScroll(id="box") as box:
            box.border_title = "arbtui"
            box.border_subtitle = "j/k scroll   Esc close"
            meanings = dict(self._keys())
            intro, names = PANE_HELP[self._pane]
            yield Static(self._table(self._pane.upper(), [("", intro), *((self._names.all_of(name), meanings[name]) for name in names)]))
            yield Static(self._table("KEYS", [(self._names.all_of(name), f"{text}  [{name}]") for name, text in meanings.items()]))
            yield Static(self._table("HEADER", HEADER_HELP.items()))
            yield Static(self._table("COLUMNS", COLUMN_HELP.items()))
            yield Static(self._table("FILTER", FILTER_HELP.items()))
            yield Static(self._table("EDGE", EDGE_HELP.items()))
            yield Static(self._table("HEALTH", HEALTH_HELP.items()))
            yield Static(self._table("STATES", STATE_HELP.items()))

    def _keys(self) -> Iterable[tuple[str, str]]:
        """Id and meaning of every key that can be remapped."""
        for binding in (*ANYWHERE_BINDINGS, *MAIN_BINDINGS, *Grid.BINDINGS):
            if isinstance(binding, Binding) and binding.id is not None:
                yield binding.id, binding.tooltip

    def _table(self, title: str, rows: Iterable[tuple[str, str]]) -> Table:
        variables = self.app.theme_variables
        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=14, no_wrap=True, style=variables["ink-key"])
        table.add_column(style=variables["ink-text"])
        table.add_row(Text(title, style=f"bold {variables['ink-title']}"), "")
        for name, text in rows:
            table.add_row(Text(name), Text(text))
        table.add_row("", "")
        return table
