"""What stands at a venue, with our ids where it is ours: also at a venue whose lists do not name them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from arbtui.exchanges.adapter import ExchangeAdapter, StandingOrder
from arbtui.journal.known_orders import own_ids
from arbtui.journal.open_items import read_sent


async def list_standing(adapter: ExchangeAdapter, journal: Path) -> Sequence[StandingOrder]:
    """As :meth:`ExchangeAdapter.list_standing`; ``adapter`` knows from then on what ``journal`` holds of the orders listed.

    Raises:
        ArbtuiError: the venue does not answer.
        UsageError: the journal cannot be read.
    """
    if adapter.capabilities.lists_name_our_ids:
        return await adapter.list_standing()
    for sent in read_sent(journal, adapter.name):
        adapter.expect(sent.market, sent.client_order_id, sent.venue_order_id)
    listed = await adapter.list_standing()
    unnamed = [order.venue_order_id for order in listed if not order.client_order_id]
    ours = own_ids(journal, adapter.name, unnamed) if unnamed else {}
    for order in listed:
        if order.venue_order_id in ours:
            adapter.expect(order.code, ours[order.venue_order_id], order.venue_order_id)
    return [replace(order, client_order_id=order.client_order_id or ours.get(order.venue_order_id, "")) for order in listed]
