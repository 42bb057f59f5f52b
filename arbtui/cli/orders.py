"""``orders``: lists open orders of unknown state, and ends one whose market its venue has delisted."""

from arbtui.cli.place import Place
from arbtui.cli.rows import print_rows
from arbtui.model.errors import UsageError


def orders(place: Place, verb: str | None, client_order_id: str | None, *, as_json: bool) -> int:
    """List the open orders of the journal, or end one whose market is gone; 0 when done.

    Raises:
        UsageError: no such order, one that can be looked up, a balance in dispute, no confirmation, or an engine that does not answer.
    """
    from arbtui.model.clock import SystemClock
    from arbtui.portfolio.operator_events import end_order, end_order_preview
    from arbtui.views.status import open_orders

    if verb is None:
        rows = open_orders(place.portfolio())
        print_rows(
            rows, ("client_order_id", "exchange", "market", "side", "qty", "filled_qty", "state", "reason"), "no open order", as_json
        )
        return 0
    if verb != "end" or client_order_id is None:
        raise UsageError("orders end ORDER ends one whose market is gone; arbtui orders --profile P lists what is open")
    own = client_order_id
    text = end_order_preview(place.portfolio(), own)
    return place.decide("end_order", {"order": own}, text, lambda p, by, why: end_order(p, own, by, why, SystemClock().time_ms()))
