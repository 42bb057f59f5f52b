"""Where the time of one update goes: the same updates with more and more left out, in turn.

What the whole takes more than itself without a part is that part's. `pricing` is everything behind the touch test, on the
updates where the touch pays: refusals of data, walk, sizing in Decimal, ranking, risk.
"""

from collections.abc import Iterator
from itertools import pairwise

from tests.bench.side_by_side import MODES, OURS, Side, play
from tests.bench.table import Row, median

_PARTS = ("pricing", "index and touch test", "sync and book", "clock, dispatch, decoding")


def rows(*, quick: bool) -> Iterator[Row]:
    """One row a mode and size."""
    rounds, updates = (2, 500) if quick else (5, 2500)
    for symbols in (50,) if quick else (50, 1000):
        for mode, (what, _) in MODES.items():
            sides = {without: Side(OURS, without) for without in ("", "walk", "decision", "book")}
            children = play(sides, mode, symbols, rounds, updates)
            took = [*(median(side.cpu_us) for side in children.values()), 0.0]
            parts = ", ".join(f"{part} {more - less:.2f}" for part, (more, less) in zip(_PARTS, pairwise(took), strict=True))
            paying = len(children[""].decisions) / (updates * (rounds + 1))
            yield Row(
                "where it goes", f"{what}, {symbols} symbols", f"{took[0]:.2f} us: {parts}", f"{rounds} rounds in turn; {paying:.1%} pay"
            )
