"""The documented rate limits of every venue that can be asked, by the exchange's name in profiles."""

from collections.abc import Mapping

from arbtui.exchanges.binance import limits as binance
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.upbit import limits as upbit

_VENUES: Mapping[str, VenueLimits] = {
    "upbit": VenueLimits(upbit.LIMITS, upbit.used, upbit.banned),
    "binance": VenueLimits(binance.LIMITS, binance.used, binance.banned),
    "binanceusdm": VenueLimits(binance.USDM_LIMITS, binance.used, binance.banned),
}


def documented_limits(exchange: str) -> VenueLimits:
    """The limits of ``exchange``, from the documents cited in its ``limits.py``.

    Raises:
        ValueError: a venue without documented limits.
    """
    try:
        return _VENUES[exchange]
    except KeyError:
        raise ValueError(f"no rate limits are known for {exchange}; known venues: {', '.join(_VENUES)}") from None
