"""``adjust``: balances that a venue disputes, and taking its word for one."""

from arbtui.cli.place import Place
from arbtui.cli.rows import print_rows
from arbtui.model.errors import UsageError


def adjust(place: Place, exchange: str | None, asset: str | None, *, as_json: bool) -> int:
    """List the balances that venues dispute, or take a venue's word for one; 0 when done.

    Raises:
        UsageError: no such dispute or journal, no confirmation, or an engine that does not answer.
    """
    from arbtui.portfolio.operator_events import adjustment, adjustment_preview
    from arbtui.views.status import disputes

    if exchange is None:
        print_rows(disputes(place.portfolio()), ("exchange", "asset", "ours", "theirs", "since"), "no disputed balance", as_json)
        return 0
    if asset is None:
        raise UsageError(f"adjust {exchange}: of which asset? arbtui adjust --profile P lists what is disputed")
    name, coin = exchange.lower(), asset.upper()
    text = adjustment_preview(place.portfolio(), name, coin)
    return place.decide("adjust", {"exchange": name, "asset": coin}, text, lambda p, by, why: adjustment(p, name, coin, by, why))
