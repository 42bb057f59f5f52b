"""Which routes a profile makes, and what keeps the others out: told by ``check`` without starting anything."""

from collections import Counter
from typing import Any

from arbtui.marketdata.rate_book import RateBook
from arbtui.model.book import OrderBook
from arbtui.model.market import Market
from arbtui.routes.route import RouteTerms
from arbtui.routes.rules import SHAPES
from arbtui.routes.universe import ArbUniverse
from arbtui.runtime.assemble import rules_of
from arbtui.runtime.venues import pairs_of, simulated_assets
from arbtui.settings.profile import Settings
from arbtui.simulation.played_venue import played_names, simulated_markets


def route_list(settings: Settings) -> dict[str, Any] | None:
    """Of the simulator's markets of the profile: routes by shape, and everything that is left out with its reason.

    None where the simulator does not play a venue of it. Prices and volumes are not known here: what a start leaves out by those is not
    among it.

    Raises:
        UsageError: an unknown symbol.
    """
    if not set(settings.exchanges) <= set(played_names()):
        return None
    symbols = [asset.symbol for asset in simulated_assets(settings)]
    listed = simulated_markets(symbols, list(settings.exchanges), settings.cross_quotes, settings.quotes)
    markets: list[Market] = [market for name in settings.exchanges for market in listed[name].values()]
    books = {(market.exchange, market.code): OrderBook(market.exchange, market.code) for market in markets}
    terms = RouteTerms(settings.execution.min_edge_bps, 0.0, settings.execution.order_value, settings.desk.currency, (0.0, 1.0))
    rules = rules_of(settings.universe)
    universe = ArbUniverse(markets, books, RateBook(), terms, 0.0, symbols, pairs_of(settings, listed, symbols), settings.settlement, rules)
    shapes = Counter(route.shape for route in universe.routes)
    left_out = [{"what": shape, "reason": "not in universe.shapes"} for shape in SHAPES if shape not in rules.shapes]
    if universe.finder.beyond:
        left_out.append({"what": "longer routes", "reason": f"beyond universe.max_routes, {rules.max_routes}"})
    left_out += [{"what": one.what, "reason": one.reason} for one in universe.finder.exclusions.values()]
    return {"by_shape": {shape: shapes.get(shape, 0) for shape in SHAPES}, "left_out": left_out}
