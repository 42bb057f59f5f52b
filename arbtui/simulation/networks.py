"""The networks of simulated venues: one for each asset, of its own name, with a fee that is worth a dollar or so."""

from collections.abc import Iterable
from decimal import Decimal

from arbtui.exchanges.networks import NetworkTerms
from arbtui.model.market import Market

#: Minutes that a simulated transfer usually takes.
MINUTES = 2.0
_STEP = Decimal("0.00000001")


def simulated_terms(asset: str, markets: Iterable[Market]) -> NetworkTerms:
    """The terms of ``asset``'s network: the fee is four of its coarsest lots here, the least amount twenty."""
    lot = max((market.lot_step for market in markets if market.base == asset), default=_STEP)
    return NetworkTerms(asset, asset, deposits=True, withdrawals=True, fee=4 * lot, least=20 * lot, step=_STEP, minutes=MINUTES)
