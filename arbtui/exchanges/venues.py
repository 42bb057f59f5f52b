"""The venues that a profile may name. Each is declared in its own folder; a new one is a row here."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from arbtui.exchanges.binance.venue import USDM_VENUE as BINANCE_USDM
from arbtui.exchanges.binance.venue import VENUE as BINANCE
from arbtui.exchanges.bitget.venue import VENUE as BITGET
from arbtui.exchanges.bithumb.venue import VENUE as BITHUMB
from arbtui.exchanges.bybit.venue import VENUE as BYBIT
from arbtui.exchanges.coinone.venue import VENUE as COINONE
from arbtui.exchanges.config import ExchangeConfig
from arbtui.exchanges.networks import Rails
from arbtui.exchanges.okx.venue import VENUE as OKX
from arbtui.exchanges.rate_limit import VenueLimits
from arbtui.exchanges.upbit.venue import VENUE as UPBIT
from arbtui.exchanges.venue import Venue

VENUES: Mapping[str, Venue] = {
    venue.name: venue
    for venue in (
        UPBIT,
        BINANCE,
        BINANCE_USDM,
        BITHUMB,
        BITGET,
        BYBIT,
        OKX,
        COINONE,
    )
}

#: Rules of their countries, of the venues that have any.
RAILS: Mapping[str, Rails] = {name: venue.rails for name, venue in VENUES.items() if venue.rails is not None}

_BANK_MONEY = frozenset(rails.currency for rails in RAILS.values())


def is_bank_money(currency: str) -> bool:
    """Whether ``currency`` moves over a bank, and never from venue to venue; a dollar coin does not."""
    return currency in _BANK_MONEY


def roughly(amount: float, currency: str, other: str) -> float | None:
    """``amount`` in another currency, for messages where no rate is known yet; None where no venue quotes one of them."""
    if currency == other:
        return amount
    per_dollar = {quote: venue.per_dollar for venue in VENUES.values() for quote in venue.quotes}
    return amount / per_dollar[currency] * per_dollar[other] if currency in per_dollar and other in per_dollar else None


def per_dollar(currency: str) -> float:
    """Roughly how much of ``currency`` a dollar is, where no rate is known; 1.0 of one that no venue quotes."""
    return next((venue.per_dollar for venue in VENUES.values() if currency in venue.quotes), 1.0)


def documented_limits(exchange: str) -> VenueLimits:
    """The rate limits of ``exchange``, from the documents cited in its ``limits.py``.

    Raises:
        ValueError: an unknown venue.
    """
    try:
        return VENUES[exchange].limits
    except KeyError:
        raise ValueError(f"no rate limits are known for {exchange}; known venues: {', '.join(VENUES)}") from None


def account_origin(name: str, origin: str) -> str:
    """Where the accounts of ``origin``, a REST origin of ``name``'s, are held: the same for each of a venue's own hosts."""
    host = (urlsplit(origin).hostname or "").rstrip(".")
    domain = next((one for one in VENUES[name].domains if host == one or host.endswith(f".{one}")), None) if name in VENUES else None
    return origin if domain is None else f"https://{domain}"


def strange_addresses(name: str, exchange: ExchangeConfig) -> list[str]:
    """Why real orders cannot go where ``exchange`` leads to; empty where every address is the venue's own, and encrypted."""
    domains = VENUES[name].domains if name in VENUES else ()
    found = []
    for url in exchange.urls.all:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        if not any(host == domain or host.endswith(f".{domain}") for domain in domains):
            found.append(f"{url} is no address of {name}'s ({' or '.join(domains) or 'none is known'})")
        elif parts.scheme not in ("https", "wss"):
            found.append(f"{url} is not encrypted")
    return found
