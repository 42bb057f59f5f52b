"""The networks of simulated venues: one for each asset, of its own name, with a fee that is worth some ten cents."""

from collections.abc import Collection, Iterable
from decimal import Decimal

from arbtui.exchanges.networks import Networks, NetworkTerms
from arbtui.model.market import Market
from arbtui.model.money import ONE
from arbtui.simulation.assets import universe

#: Minutes that a simulated transfer usually takes.
MINUTES = 2.0
_STEP = Decimal("0.00000001")


def simulated_terms(asset: str) -> NetworkTerms:
    """The terms of ``asset``'s network, the same at every venue: the fee is worth about 0.1 USDT, the least amount five fees."""
    known = universe().get(asset)
    fee = ONE if known is None else max(_STEP, Decimal(f"{0.1 / known.price:.1g}"))  # none: cash, or a coin of no simulated market
    return NetworkTerms(asset, asset, deposits=True, withdrawals=True, fee=fee, least=5 * fee, step=_STEP, minutes=MINUTES)


def simulated_networks(markets: Iterable[Market], assets: Collection[str]) -> Networks:
    """The networks of those ``assets`` that ``markets`` trade or quote."""
    known = {asset for market in markets for asset in (market.base, market.quote)}
    return {asset: (simulated_terms(asset),) for asset in assets if asset in known}
