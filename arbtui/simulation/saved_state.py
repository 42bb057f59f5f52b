"""Where an earlier run of the simulator stopped: prices, bases and ids, as JSON-able values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from arbtui.simulation.simulated_market import FIRST_TRADE_ID, FIRST_UPDATE_ID

State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SavedMarket:
    """Ids that a market goes on from, and the basis of its own, where it has one."""

    update_id: int = FIRST_UPDATE_ID
    trade_id: int = FIRST_TRADE_ID
    basis: tuple[float, float] | None = None


_NEW = SavedMarket()


class SavedState:
    """A state as it was read, and as it is written again; ``state`` None: nothing ran before."""

    def __init__(self, state: State | None) -> None:
        self.generation = int(state["generation"]) + 1 if state else 0  #: how many runs were before this one
        self.rates: dict[str, float] = {}  #: logarithm of the units per USDT, by currency
        self.assets: dict[str, tuple[float, float, float]] = {}  #: logarithm of the mid and two numbers of the basis, by symbol
        self.markets: dict[str, dict[str, SavedMarket]] = {}  #: by venue and symbol
        if state is None:
            return
        if "rates" not in state:
            state = _of_two_venues(state)
        self.rates = dict(state["rates"])
        self.assets = {symbol: (row[0], row[1], row[2]) for symbol, row in state["assets"].items()}
        self.markets = {
            venue: {
                symbol: SavedMarket(int(row[0]), int(row[1]), (row[2], row[3]) if len(row) > 2 else None) for symbol, row in rows.items()
            }
            for venue, rows in state["markets"].items()
        }

    def market(self, venue: str, symbol: str) -> SavedMarket:
        """What a market goes on from."""
        return self.markets.get(venue, {}).get(symbol, _NEW)

    def written(self, rates: Mapping[str, float]) -> dict[str, Any]:
        """The state with ``rates`` beside those of currencies that are not played now."""
        return {
            "generation": self.generation,
            "rates": self.rates | dict(rates),
            "assets": {symbol: list(row) for symbol, row in self.assets.items()},
            "markets": {
                venue: {symbol: [one.update_id, one.trade_id, *(one.basis or ())] for symbol, one in rows.items()}
                for venue, rows in self.markets.items()
            },
        }


def _of_two_venues(state: State) -> State:
    """A state of before any set of venues was played: one row a symbol, with the ids of Binance's market and the trade's of Upbit's."""
    rows: Mapping[str, list[float]] = state["assets"]
    return {
        "generation": state["generation"],
        "rates": {"KRW": state["rate"]},
        "assets": {symbol: row[:3] for symbol, row in rows.items()},
        "markets": {
            "binance": {symbol: [row[3], row[4]] for symbol, row in rows.items()},
            "upbit": {symbol: [FIRST_UPDATE_ID, row[5]] for symbol, row in rows.items()},
        },
    }
