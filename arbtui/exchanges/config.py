"""Settings of a venue: tables ``[exchanges.NAME]`` and ``[exchanges.NAME.urls]``, and the venues that there are."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from arbtui.model.config import Config


def _split(url: str, schemes: tuple[str, str]) -> str:
    """``url``'s path, once its scheme, host and lack of credentials are sure."""
    try:
        parts = urlsplit(url)
        has_host, _ = bool(parts.hostname), parts.port
    except ValueError as error:
        raise ValueError(f"{url!r} is not a URL: {error}") from None
    if parts.scheme not in schemes or not has_host:
        raise ValueError(f"{url!r} is not a URL that starts with {schemes[0]}:// or {schemes[1]}://")
    if "@" in parts.netloc:
        raise ValueError("a URL in a profile holds no user or password")
    if parts.query or parts.fragment:
        raise ValueError(f"{url!r} has a query or a fragment; leave both out")
    return parts.path


def _origin(url: str) -> str:
    if _split(url, ("https", "http")) not in ("", "/"):
        raise ValueError(f"{url!r} has a path; `rest` is an origin only, such as https://api.upbit.com")
    return url.rstrip("/")


def _socket(url: str) -> str:
    _split(url, ("wss", "ws"))
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:  # a name: where it leads is not known before it is looked up
        return False


class UrlsConfig(Config):
    """Where a venue is reached; the only thing that differs between a real venue and a local one."""

    rest: Annotated[str, AfterValidator(_origin)]
    """URL of the REST interface, an origin without a path."""

    stream: Annotated[str, AfterValidator(_socket)]
    """URL of the public WebSocket: market data."""

    private: Annotated[str, AfterValidator(_socket)]
    """URL of the private WebSocket: orders and balances."""

    @property
    def is_loopback(self) -> bool:
        """True when every URL stays on this machine."""
        return all(_is_loopback(urlsplit(url).hostname or "") for url in (self.rest, self.stream, self.private))


class ExchangeConfig(Config):
    """One venue of a profile."""

    quote: str
    """currency that the venue's markets are priced in."""

    taker_bps: float | None = Field(default=None, ge=0, le=1000)
    """bps of a taker order; left out, the venue's own rate."""

    urls: UrlsConfig
    """where the venue is reached; left out, the real venue."""


@dataclass(frozen=True, slots=True)
class Venue:
    """What is known of a venue without asking it."""

    quote: str
    rest: str
    stream: str
    private: str


#: Venues that a profile may name. URLs: docs.upbit.com (WebSocket guide) and the Binance spot and USD-M API documentation.
VENUES: Mapping[str, Venue] = {
    "upbit": Venue("KRW", "https://api.upbit.com", "wss://api.upbit.com/websocket/v1", "wss://api.upbit.com/websocket/v1/private"),
    "binance": Venue("USDT", "https://api.binance.com", "wss://stream.binance.com:9443/stream", "wss://ws-api.binance.com/ws-api/v3"),
    "binanceusdm": Venue("USDT", "https://fapi.binance.com", "wss://fstream.binance.com/stream", "wss://ws-fapi.binance.com/ws-fapi/v1"),
}
