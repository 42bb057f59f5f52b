"""What went wrong with a connection, as text: the venue, the host, what to do."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp

from arbtui.exchanges.connection_errors import why_not_connected
from arbtui.exchanges.redirects import RedirectRefused
from arbtui.model.errors import ArbtuiError

#: Every known failure of a connection or a request. Any other exception is a defect of ours, and counted as such.
FAILURES = (aiohttp.ClientError, OSError, TimeoutError, ssl.SSLError, ArbtuiError)

_BY_STATUS = {
    403: ("forbidden", "the address or the region is not served; check the network the program runs in"),
    404: ("not found", "check the path in [exchanges.*.urls]"),
    418: ("banned", "waiting as long as the venue asks"),
    429: ("throttled", "waiting as long as the venue asks"),
    451: ("region refused", "the venue does not serve this region"),
    503: ("unavailable", "the venue is overloaded or in maintenance; trying again"),
}


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed connection or request."""

    kind: str  #: a short label that it is counted under
    words: str  #: what happened, where, and what is done about it or must be
    retry_after_s: float = 0.0  #: what the venue requested


class SocketLost(Exception):
    """An open connection ended; ``kind`` is what it is counted under."""

    def __init__(self, kind: str, words: str) -> None:
        super().__init__(words)
        self.kind = kind


def failure_of(exchange: str, url: str, error: BaseException) -> Failure:
    """What ``error`` means for a connection to ``url`` of ``exchange``."""
    host = urlsplit(url).netloc
    where = f"{exchange} at {host}"
    if isinstance(error, SocketLost):
        return Failure(error.kind, f"{where}: {error}; connecting again")
    if isinstance(error, aiohttp.WSServerHandshakeError):
        return _refused(where, error)
    if isinstance(error, RedirectRefused):
        return Failure("redirect", f"{where}: HTTP {error.status}: {error.words}; check [exchanges.{exchange}.urls]")
    if (known := why_not_connected(exchange, error)) is not None:
        kind, words = known
        return Failure(kind, f"{where}: {words}" + ("; trying again" if kind == "unreachable" else ""))
    if isinstance(error, TimeoutError):
        return Failure("timeout", f"{where}: no answer in time; trying again")
    if isinstance(error, ArbtuiError):  # our own rate limit refuses
        return Failure("budget", f"{where}: {error}")
    return Failure("connection", f"{where}: {type(error).__name__}: {error}; trying again")


def retry_after_s(value: str | None) -> float:
    """Seconds of a Retry-After header; 0.0 where there is none or it is invalid. A ban lasts three days at most."""
    try:
        seconds = float(value or 0.0)
    except ValueError:
        return 0.0
    return seconds if 0.0 <= seconds <= 3 * 86_400.0 else 0.0


def _refused(where: str, error: aiohttp.WSServerHandshakeError) -> Failure:
    headers: Mapping[str, str] = error.headers or {}
    kind, what_to_do = _BY_STATUS.get(error.status, ("handshake", "what answers there is no WebSocket of the venue; check the URL"))
    if error.status == 200 or "html" in headers.get("Content-Type", ""):
        what_to_do = f"a web page answered instead of the stream; {what_to_do}"
    return Failure(kind, f"{where}: HTTP {error.status}: {what_to_do}", retry_after_s(headers.get("Retry-After")))
