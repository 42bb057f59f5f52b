"""The starting balances of paper accounts."""

from collections.abc import Mapping
from decimal import Decimal

from arbtui.model.market import Market
from arbtui.model.money import ZERO, decimal_of
from arbtui.simulation.config import SimulatorConfig
from arbtui.simulation.played_venue import RATES

_CENT = Decimal("0.01")


def starting_balances(
    config: SimulatorConfig,
    markets: Mapping[str, Mapping[str, Market]],
    prices: Mapping[str, float],
    rates: Mapping[str, float] | None = None,
) -> dict[str, dict[str, Decimal]]:
    """Balances by exchange and asset: the cash of every quote currency traded there, and equal stock of every asset.

    ``prices`` of assets are in :attr:`SimulatorConfig.stock_currency`, ``rates`` are units of each currency for one of it; None: those that
    the simulator starts from. Stock is ``stock_value`` of it, rounded down to the coarsest lot of all venues, so that each holds the same.
    A quote currency that ``cash`` does not name is held for as much as the stock's currency is. Where one currency of cash is traded
    for another (KRW-USDT, USDC-USDT), ``usdt_share`` of the cash is held in that other one, of several in equal parts; in none of
    which the rate is not known.
    """
    known = RATES if rates is None else rates
    cash = _cash(config, markets, known)
    coarsest: dict[str, Decimal] = {}
    for listed in markets.values():
        for market in listed.values():
            coarsest[market.base] = max(coarsest.get(market.base, ZERO), market.lot_step)
    result: dict[str, dict[str, Decimal]] = {}
    for exchange, listed in markets.items():
        balances = result[exchange] = {}
        for quote in dict.fromkeys(market.quote for market in listed.values()):
            balances[quote] = decimal_of(cash.get(quote, 0.0))
        for quote in list(balances):
            others = [
                base for base in _bases(listed, quote) if base in cash and base not in balances and known.get(base) and known.get(quote)
            ]
            if quote not in cash or not others:
                continue
            balances[quote] = decimal_of(cash[quote] * (1.0 - config.usdt_share))
            for base in others:
                balances[base] = decimal_of(cash[quote] * config.usdt_share / len(others) / known[quote] * known[base]) // _CENT * _CENT
        for market in listed.values():
            price = prices.get(market.base)
            if market.base not in cash and price is not None:
                step = coarsest[market.base]
                balances[market.base] = decimal_of(config.stock_value / price) // step * step
    return result


def _bases(listed: Mapping[str, Market], quote: str) -> list[str]:
    return [market.base for market in listed.values() if market.quote == quote]


def _cash(config: SimulatorConfig, markets: Mapping[str, Mapping[str, Market]], rates: Mapping[str, float]) -> dict[str, float]:
    """Cash by currency at each venue of that quote: what the profile names, and as much in every other quote whose rate is known."""
    worth = config.cash.get(config.stock_currency, 0.0)
    quotes = {market.quote for listed in markets.values() for market in listed.values()}
    return {quote: worth * rates[quote] for quote in sorted(quotes) if worth and rates.get(quote)} | config.cash
