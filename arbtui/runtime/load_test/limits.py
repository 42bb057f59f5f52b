"""The paper limits, scaled to the number of symbols, so that a load test measures the engine and not a limit.

``max_unhedged``, ``max_factor_exposure``, ``max_open_cycles``, ``max_orders_s``, ``max_orders_min``, ``max_in_flight_orders`` and
``max_open_fx`` bound something over all symbols. Their paper defaults let about 200 symbols of scenario `busy` trade whenever they can;
above, the symbols with the best edges take the places of all others. For more symbols they are raised in proportion. Nothing else is
changed, and limits set in the profile are kept.
"""

from math import ceil

from arbtui.settings.environment import variable_of
from arbtui.settings.profile import Settings

SYMBOLS = 200
"""The number of symbols that the default limits are meant for."""


def raised_limits(settings: Settings, symbols: int) -> dict[str, str]:
    """The environment in which a child of ``symbols`` runs; empty up to :data:`SYMBOLS`."""
    if symbols <= SYMBOLS:
        return {}
    factor = symbols / SYMBOLS
    total, venue = settings.risk.global_, settings.risk.exchange
    return {
        variable_of(("risk", "global", "max_unhedged")): f"{total.max_unhedged * factor:.1f}",
        variable_of(("risk", "global", "max_factor_exposure")): f"{total.max_factor_exposure * factor:.1f}",
        variable_of(("risk", "global", "max_open_cycles")): str(ceil(total.max_open_cycles * factor)),
        variable_of(("netting", "max_open_fx")): f"{settings.netting.limit_for(settings.execution.order_value) * factor:.1f}",
        variable_of(("risk", "global", "max_orders_s")): str(ceil(total.max_orders_s * factor)),
        variable_of(("risk", "global", "max_orders_min")): str(ceil(total.max_orders_min * factor)),
        variable_of(("risk", "exchange", "max_in_flight_orders")): str(ceil(venue.max_in_flight_orders * factor)),
    }
