"""No redirect is followed: a request to a venue carries a key and a signature, and goes to the profile's address or nowhere.

aiohttp follows redirects of itself, and of a WebSocket's handshake it cannot be told not to; ccxt does not tell it. It
repeats the headers and, at 307 and 308, the body. So every session that reaches a venue is given :func:`refuse_redirects`.
"""

from urllib.parse import urlsplit

import aiohttp


class RedirectRefused(aiohttp.ClientError):
    """A venue answered with another address. What it did with the request is not known.

    Attributes:
        status: of the answer, 300 to 399.
        words: what happened, without the path and query of either address.
    """

    def __init__(self, status: int, location: str) -> None:
        try:
            to = urlsplit(location).netloc.rpartition("@")[2] or "another path"
        except ValueError:
            to = "an address that is none"
        self.status = status
        self.words = f"it redirects to {to[:80]}, and no redirect is followed: keys go to the profile's address only"
        super().__init__(f"HTTP {status}: {self.words}")


async def refuse_redirects(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """A client middleware (docs.aiohttp.org, Client Middleware): sees every answer before aiohttp acts on it.

    Raises:
        RedirectRefused: the answer is a redirect; nothing more was sent.
    """
    response = await send(request)
    if 300 <= response.status < 400:
        location = response.headers.get("Location", "")
        response.close()
        raise RedirectRefused(response.status, location)
    return response
