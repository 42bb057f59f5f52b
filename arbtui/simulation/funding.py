"""The starting balances of paper accounts."""

from collections.abc import Mapping
from decimal import Decimal

from arbtui.model.market import Market
from arbtui.model.money import ZERO, decimal_of
from arbtui.simulation.assets import RATE
from arbtui.simulation.config import SimulatorConfig

_CENT = Decimal("0.01")


def starting_balances(
    config: SimulatorConfig, markets: Mapping[str, Mapping[str, Market]], prices: Mapping[str, float], rate: float = RATE
) -> dict[str, dict[str, Decimal]]:
    """Balances by exchange and asset: the cash of every quote currency traded there, and equal stock of every asset.

    ``prices`` are in USDT by asset, ``rate`` is in KRW for one USDT. Stock is ``stock_value`` of it, rounded down to the coarsest lot of
    all venues, so that each holds the same. Where one currency of cash is traded for another (KRW-USDT), ``usdt_share`` of the cash is held
    in that other one.
    """
    coarsest: dict[str, Decimal] = {}
    for listed in markets.values():
        for market in listed.values():
            coarsest[market.base] = max(coarsest.get(market.base, ZERO), market.lot_step)
    result: dict[str, dict[str, Decimal]] = {}
    for exchange, listed in markets.items():
        balances = result[exchange] = {}
        for market in listed.values():
            balances[market.quote] = decimal_of(config.cash.get(market.quote, 0.0))  # of a coin that others are priced in: its stock, below
        for market in listed.values():
            price = prices.get(market.base)
            if market.base in config.cash and market.quote in config.cash:
                cash = config.cash[market.quote]
                balances[market.quote] = decimal_of(cash * (1.0 - config.usdt_share))
                balances[market.base] = decimal_of(cash * config.usdt_share / rate) // _CENT * _CENT
            if market.base not in config.cash and price is not None:
                step = coarsest[market.base]
                balances[market.base] = decimal_of(config.stock_value / price) // step * step
    return result
