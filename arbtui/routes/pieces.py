"""What an amount becomes on its way through books, fees and fixed losses: piecewise linear, so exact at every size.

A *piece* is a pair: how much comes out for one unit that goes in, and how many units may go in at that rate. A stage of a route (a trade, a
conversion) is the sequence of its pieces, the best first; :func:`composed` makes one sequence of several stages that follow each other.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import inf

from arbtui.model.book import Level
from arbtui.model.order import Side

Piece = tuple[float, float]  #: (out for one in, room: units that go in at that rate)

#: Of an amount: what additions of floats may lose of it on the way to the end of a book.
_ROUNDING = 1e-12


def trade_pieces(side: Side, levels: Iterable[Level], fee: float, *, from_base: bool) -> Iterator[Piece]:
    """One side of a book: a purchase turns quote into base, a sale base into quote.

    Args:
        side: what is done with the base.
        levels: of the side of the book that it meets, the best first.
        fee: a fraction.
        from_base: the fee of a purchase is taken in what is bought, not in quote on top. A sale's fee is always taken from its proceeds.
    """
    for price, qty in levels:
        if side is Side.SELL:
            yield price * (1.0 - fee), qty
        elif from_base:
            yield (1.0 - fee) / price, qty * price
        else:
            paid = price * (1.0 + fee)
            yield 1.0 / paid, qty * paid


def composed(stages: Sequence[Iterable[Piece]]) -> Iterator[Piece]:
    """One sequence of pieces for ``stages`` in a row, in units of what goes into the first. It ends where the first of them ends."""
    rest = [iter(stage) for stage in stages]
    rates, rooms = [0.0] * len(rest), [0.0] * len(rest)
    spent: Iterable[int] = range(len(rest))
    while True:
        for place in spent:
            piece = next(rest[place], None)
            if piece is None:
                return
            rates[place], rooms[place] = piece
        into, least = 1.0, inf  # into: what reaches a stage for one unit at the start
        reaches = []
        for rate, room in zip(rates, rooms, strict=True):
            reaches.append(into)
            if into > 0.0:
                least = min(least, room / into)
            into *= rate
        yield into, least
        if least == inf:
            return
        spent = [place for place, reach in enumerate(reaches) if reach > 0.0 and rooms[place] / reach <= least]
        for place, reach in enumerate(reaches):
            rooms[place] -= least * reach


def forked(branches: Sequence[Iterable[Piece]]) -> list[Piece]:
    """Several ways side by side, each part of the amount by whichever gives most for it: their pieces, the best first."""
    return sorted((piece for branch in branches for piece in branch), key=lambda piece: -piece[0])


def poured(stages: Sequence[Iterable[Piece]], amount: float) -> list[float] | None:
    """``amount`` sent through ``stages`` in a row: what goes into each, and at the end what comes out of the last. None where one ends."""
    amounts = [amount]
    for stage in stages:
        left, out = amounts[-1], 0.0
        for rate, room in stage:
            step = min(left, room)
            left, out = left - step, out + step * rate
            if left <= 0.0:
                break
        if left > amounts[-1] * _ROUNDING:
            return None
        amounts.append(out)
    return amounts
