"""Settings of a venue: tables ``[exchanges.NAME]``, ``[exchanges.NAME.urls]`` and ``[health]``."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from arbtui.model.config import Config
from arbtui.model.loopback import is_loopback


def _split(url: str, schemes: tuple[str, str]) -> str:
    """``url``'s path, after checking its scheme, host and lack of credentials."""
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


class UrlsConfig(Config):
    """A venue's addresses; the only difference between a real venue and a local one."""

    rest: Annotated[str, AfterValidator(_origin)]
    """URL of the REST interface, an origin without a path."""

    stream: Annotated[str, AfterValidator(_socket)]
    """URL of the public WebSocket: market data."""

    private: Annotated[str, AfterValidator(_socket)]
    """URL of the private WebSocket: orders and balances."""

    @property
    def all(self) -> tuple[str, str, str]:
        """REST, public and private."""
        return self.rest, self.stream, self.private

    @property
    def is_loopback(self) -> bool:
        """True when every URL is a loopback address."""
        return all(is_loopback(urlsplit(url).hostname or "") for url in self.all)


class ExchangeConfig(Config):
    """One venue of a profile."""

    quote: str
    """currency that the venue's markets are priced in."""

    cross_quotes: list[str] = Field(default_factory=list)
    """coins whose own markets at the venue are listed too (["BTC"]: ETH against BTC there), of the assets that are traded; they are
    stock there, never a settlement currency."""

    taker_bps: float | None = Field(default=None, ge=0, le=1000)
    """bps of a taker order in markets of ``quote``; left out, the venue's own rate."""

    real_orders: bool = False
    """true: mode live may send orders to the real venue; docs/real-orders.md says what must be true before. Without it live reaches
    this machine only."""

    urls: UrlsConfig
    """where the venue is reached; left out, the real venue."""

    @property
    def takes_orders(self) -> bool:
        """Whether an order may be sent there at all: on this machine always, elsewhere only where ``real_orders`` says so."""
        return self.real_orders or self.urls.is_loopback


class HealthConfig(Config):
    """When a venue is fit to open something new at. A state is left at half of what it is entered at, after ``recover_s``."""

    silence_ms: int = Field(default=3000, ge=100, le=600_000)
    """ms without any message after which a venue is DOWN; twice what makes its books STALE, so that a hiccup is not an outage."""

    failure_ratio: float = Field(default=0.3, gt=0, le=1)
    """share of requests without a usable answer from which a venue is DEGRADED; one in three means that hedges may fail, too."""

    down_failure_ratio: float = Field(default=0.8, gt=0, le=1)
    """share from which it is DOWN: hardly anything comes back."""

    answer_window_s: float = Field(default=60.0, ge=1, le=3600)
    """s that an answer counts; a venue that is asked nothing any more is tried again after them."""

    min_answers: int = Field(default=10, ge=1, le=10_000)
    """requests in that time under which no share is taken; three failures of four say little."""

    slow_answer_ms: int = Field(default=1500, ge=1, le=600_000)
    """ms; when more than 5 % of the answers take longer the venue is DEGRADED: edges do not live that long."""

    skew_warn_ms: int = Field(default=500, ge=1, le=600_000)
    """ms between the venue's clock and ours from which it is told."""

    skew_block_ms: int = Field(default=1000, ge=1, le=600_000)
    """ms from which the venue is DEGRADED: ages of books are wrong by as much, and signed requests soon refused."""

    recover_s: float = Field(default=2.5, ge=0, le=3600)
    """s that a venue must be better without a relapse before it counts as such; one that was away three times in ``answer_window_s``
    is not back."""
