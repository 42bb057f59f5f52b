"""Why a connection could not be made, without any URL: the texts of ccxt and aiohttp may hold a signature."""

import ssl

import aiohttp

from arbtui.exchanges.redirects import RedirectRefused


class SentAlready(aiohttp.ClientError):
    """The HTTP client wanted to send a request a second time, with the same signature."""


def why_not_connected(exchange: str, error: BaseException) -> tuple[str, str] | None:
    """A short label, and what happened with what to do; None when the connection was made."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "dns", f"the name is not known; check the network, the name server and [exchanges.{exchange}.urls]"
    if isinstance(error, aiohttp.ClientConnectorCertificateError | ssl.SSLCertVerificationError):
        return "certificate", f"its certificate is not trusted ({_reason(error)}); check the clock and what sits between"
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "tls", f"no TLS connection ({_reason(error)}); check the port and the scheme in the URL"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "unreachable", f"cannot be reached ({_reason(error)}); check the network"
    return None


def why_no_answer(exchange: str, error: BaseException) -> str | None:
    """What happened to a request, from the cause of ``error`` (ccxt wraps it); None when the cause is not known."""
    chain = _chain(error)
    for link in chain:
        if isinstance(link, RedirectRefused):
            return f"{link.words}; check [exchanges.{exchange}.urls]"
        if (known := why_not_connected(exchange, link)) is not None:
            return known[1]
    if any(isinstance(link, TimeoutError) for link in chain):
        return "no answer in time"
    if any(isinstance(link, aiohttp.ClientError) for link in chain):
        return f"the connection broke before an answer; where it always does, check port and scheme in [exchanges.{exchange}.urls]"
    return None


def broke_under_way(error: BaseException) -> bool:
    """Whether a connection that was made broke before the answer: the request may have been read, and executed."""
    chain = _chain(error)
    if any(isinstance(link, TimeoutError | aiohttp.ClientConnectorError) for link in chain):
        return False
    return any(isinstance(link, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError | SentAlready) for link in chain)


def redirect_of(error: BaseException) -> RedirectRefused | None:
    """The redirect that ``error`` was raised from; None when it was not."""
    return next((link for link in _chain(error) if isinstance(link, RedirectRefused)), None)


def _chain(error: BaseException) -> list[BaseException]:
    """``error`` and what it was raised from."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or link.__context__
    return chain


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split())[:160]
