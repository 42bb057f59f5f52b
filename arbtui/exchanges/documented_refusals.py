"""Every venue's documented refusals, by the exchange's name in profiles."""

from collections.abc import Mapping

from arbtui.exchanges.binance.refusals import refusal as binance
from arbtui.exchanges.refusals import RefusalTable
from arbtui.exchanges.upbit.refusals import refusal as upbit

_VENUES: Mapping[str, RefusalTable] = {"upbit": upbit, "binance": binance}


def documented_refusals(exchange: str) -> RefusalTable:
    """The refusals of ``exchange``, from the documents cited in its ``refusals.py``.

    Raises:
        ValueError: a venue without documented refusals.
    """
    try:
        return _VENUES[exchange]
    except KeyError:
        raise ValueError(f"no refusals are known for {exchange}; known venues: {', '.join(_VENUES)}") from None
