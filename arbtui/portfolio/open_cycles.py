"""What the open cycles come to, all together.

Every decision needs these sums, so they are not recomputed: the fold reports each change, and only that cycle's part is replaced. The
sums are exact, of decimals and of fractions, so they are what adding up from nothing gives, however many cycles came and went.
"""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from math import inf, isfinite

from arbtui.model.money import ZERO
from arbtui.model.order import Side, ways
from arbtui.portfolio.accounts import CycleAccount

#: An exchange and an asset there, or an exchange and a market's code there.
Place = tuple[str, str]


class ExactSum:
    """A sum of floats that is exact, and rounded once it has changed: what was added and taken away again leaves nothing."""

    __slots__ = ("_finite", "_others", "_rounded", "total")

    def __init__(self) -> None:
        self._finite = Fraction(0)
        self._rounded = 0.0  # _finite
        self._others = 0  # infinities and what is not a number
        self.total = 0.0  #: the sum, which decisions ask for far more often than it changes; ``inf`` while one is not finite

    def add(self, value: float) -> None:
        """Count ``value``."""
        self._change(value, 1)

    def take(self, value: float) -> None:
        """Count a ``value`` that was added no longer."""
        self._change(value, -1)

    def without(self, value: float = 0.0) -> float:
        """The sum less ``value``, which is one of it; ``inf`` while it holds anything that is not finite."""
        if not isfinite(value):
            return inf if self._others > 1 else self._rounded
        if self._others:
            return inf
        return float(self._finite - Fraction(value)) if value else self._rounded

    def _change(self, value: float, sign: int) -> None:
        if isfinite(value):
            self._finite += sign * Fraction(value)
            self._rounded = float(self._finite)
        else:
            self._others += sign
        self.total = inf if self._others else self._rounded


class _Part:
    """What one open cycle contributes to each sum."""

    __slots__ = ("kept", "markets", "pending", "planned", "ways")

    def __init__(self, cycle: CycleAccount) -> None:
        self.markets: tuple[Place, ...] = tuple(dict.fromkeys((leg.exchange, leg.market) for leg in cycle.legs))
        self.ways: Mapping[str, float] = {} if cycle.transfers else ways((leg.quote, leg.side) for leg in cycle.legs)
        self.planned: dict[str, Decimal] = {}  # what its legs bring of each quote, less what they take
        for leg in cycle.legs:
            cost = leg.qty * leg.price
            self.planned[leg.quote] = self.planned.get(leg.quote, ZERO) + (cost if leg.side is Side.SELL else -cost)
        self.kept: dict[Place, Decimal] = {}
        self.pending: dict[str, Decimal] = {}


class OpenCycles:
    """The open cycles, oldest first, and their sums.

    Args:
        cycles: all that are open.
        settlement: the settlement currencies.
    """

    def __init__(self, cycles: Iterable[CycleAccount] = (), settlement: Collection[str] = ()) -> None:
        self.by_id: dict[str, CycleAccount] = {}
        self.with_transfers: dict[str, CycleAccount] = {}  #: those that have coins moved between venues
        self._settlement = settlement
        self._parts: dict[str, _Part] = {}
        self._value = ExactSum()
        self._ways: dict[tuple[str, float], ExactSum] = {}
        self._kept: dict[Place, Decimal] = {}
        self._brings: dict[str, Decimal] = {}
        self._takes: dict[str, Decimal] = {}
        self._on: dict[Place, dict[str, None]] = {}
        self._net: dict[str, dict[str, Decimal]] = {}
        self._flowed: dict[str, None] = {}  # cycles whose net is to be read anew
        for cycle in cycles:
            self.add(cycle)

    # what changes it

    def add(self, cycle: CycleAccount) -> None:
        """``cycle`` has opened."""
        if cycle.id in self.by_id:
            self.remove(cycle.id)
        part = self._parts[cycle.id] = _Part(cycle)
        self.by_id[cycle.id] = cycle
        self._value.add(cycle.value)
        for way in part.ways.items():
            self._ways.setdefault(way, ExactSum()).add(cycle.value)
        if cycle.transfers:
            self.with_transfers[cycle.id] = cycle
        self.moves(cycle)
        for amounts in (cycle.reserved, cycle.flows):
            for exchange, held in amounts.items():
                for asset in held:
                    self.flowed(cycle, exchange, asset)
        for asset in part.planned:
            self._set_pending(cycle, part, asset)

    def remove(self, cycle_id: str) -> None:
        """A cycle has ended."""
        cycle, part = self.by_id.pop(cycle_id), self._parts.pop(cycle_id)
        self._value.take(cycle.value)
        for way in part.ways.items():
            self._ways[way].take(cycle.value)
        for place, amount in part.kept.items():
            self._kept[place] -= amount
        for asset, amount in part.pending.items():
            self._count_pending(asset, amount, -1)
        self._leave_markets(cycle_id, part)
        for by_id in (self.with_transfers, self._net, self._flowed):
            by_id.pop(cycle_id, None)

    def flowed(self, cycle: CycleAccount, exchange: str, asset: str) -> None:
        """What ``cycle`` set aside or moved of ``asset`` at ``exchange`` is another amount than before; of one that has ended, nothing."""
        part = self._parts.get(cycle.id)
        if part is None:
            return
        place, kept = (exchange, asset), cycle.still_reserved(exchange, asset)
        before = part.kept.get(place, ZERO)
        if kept != before:
            part.kept[place] = kept
            self._kept[place] = self._kept.get(place, ZERO) + (kept - before)
        self._set_pending(cycle, part, asset)
        self._flowed[cycle.id] = None

    def moves(self, cycle: CycleAccount) -> None:
        """What ``cycle`` bought moves between venues from now on, or has come: meanwhile it trades nowhere."""
        part = self._parts.get(cycle.id)
        if part is None:
            return
        if cycle.is_moving:
            self._leave_markets(cycle.id, part)
        else:
            for market in part.markets:
                self._on.setdefault(market, {})[cycle.id] = None

    def _leave_markets(self, cycle_id: str, part: _Part) -> None:
        for market in part.markets:
            trading = self._on.get(market)
            if trading is not None and trading.pop(cycle_id, "") is None and not trading:
                del self._on[market]

    def _set_pending(self, cycle: CycleAccount, part: _Part, asset: str) -> None:
        if asset not in self._settlement:
            return
        before = part.pending.get(asset)
        if before is not None:
            self._count_pending(asset, before, -1)
        flowed = sum((held[asset] for held in cycle.flows.values() if asset in held), ZERO)
        after = part.pending[asset] = part.planned.get(asset, ZERO) - flowed
        self._count_pending(asset, after, 1)

    def _count_pending(self, asset: str, amount: Decimal, sign: int) -> None:
        sums = self._brings if amount > ZERO else self._takes
        sums[asset] = sums.get(asset, ZERO) + sign * abs(amount)

    # what can be asked

    def value(self, but: str = "") -> float:
        """What they put at risk, in the PnL currency. ``but``: id of one that is left out."""
        return self._value.without(self._value_of(but)) if but else self._value.total

    def value_of_way(self, quote: str, way: float, but: str = "") -> float:
        """Likewise of those whose legs move stock ``way`` where prices are in ``quote`` (:func:`ways`); what networks move apart."""
        total = self._ways.get((quote, way))
        if total is None:
            return 0.0
        part = self._parts.get(but) if but else None
        return total.without(self._value_of(but)) if part is not None and part.ways.get(quote) == way else total.total

    def reserved(self, exchange: str, asset: str) -> Decimal:
        """What they keep for themselves at a place, in units."""
        return self._kept.get((exchange, asset), ZERO)

    def pending(self, asset: str, direction: int, but: str = "") -> Decimal:
        """What their legs may still bring of a settlement currency (``direction`` 1), or take (-1), if they fill as planned, in units.

        Each counts as far as it goes that way, whatever others do. ``but``: id of one that is left out.
        """
        total = (self._brings if direction > 0 else self._takes).get(asset, ZERO)
        part = self._parts.get(but)
        own = part.pending.get(asset, ZERO) if part is not None else ZERO
        return total - max(ZERO, direction * own)

    def is_free(self, markets: Iterable[Place]) -> bool:
        """Whether none of them trades on any of ``markets``."""
        return self._on.keys().isdisjoint(markets)

    def on_market(self, market: Place) -> Collection[str]:
        """Ids of those that trade on a market, given as exchange and code."""
        return self._on.get(market, ())

    def one_sided(self) -> Iterable[tuple[CycleAccount, Mapping[str, Decimal]]]:
        """Those that hold something one-sided now, oldest first, each with what it leaves of each asset (:meth:`CycleAccount.net`)."""
        for key in self._flowed:
            net = self.by_id[key].net(self._settlement)
            if net:
                self._net[key] = net
            else:
                self._net.pop(key, None)
        self._flowed.clear()
        found = [(self.by_id[key], net) for key, net in self._net.items()]
        return sorted(found, key=lambda one: one[0].seq)

    def sums(self) -> dict[str, object]:
        """All of it, to be compared with what is added up from nothing; sums that came to nothing are left out."""
        return {
            "open cycles": list(self.by_id),
            "value of open cycles": self.value(),
            "ways": {way: value for way, total in self._ways.items() if (value := total.without())},
            "reserved": {place: amount for place, amount in self._kept.items() if amount},
            "brings": {asset: amount for asset, amount in self._brings.items() if amount},
            "takes": {asset: amount for asset, amount in self._takes.items() if amount},
            "markets": {market: set(trading) for market, trading in self._on.items()},
            "one-sided": {cycle.id: net for cycle, net in self.one_sided()},
        }

    def _value_of(self, cycle_id: str) -> float:
        cycle = self.by_id.get(cycle_id)
        return 0.0 if cycle is None else cycle.value
