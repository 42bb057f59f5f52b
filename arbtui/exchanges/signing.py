"""How a venue's requests are signed and its errors read: what :class:`arbtui.exchanges.ccxt_client.CcxtClient` asks of each venue.

A venue that ccxt signs as we need declares no more than ccxt's class and its paths. For any other one, ``Signing`` is subclassed in
``exchanges/<venue>/signing.py``: the request still leaves through the same gated sender, once.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.keys import VenueKeys

Request = tuple[str, str]
"""Method and path, as ``("POST", "order")``."""

#: ms that a venue may take to begin a request after its timestamp, where its requests carry one (``recvWindow``); later it refuses it.
#: Explicit on every request, because it bounds how long a delayed order can still be executed.
RECV_WINDOW_MS = 5000


class Signed(NamedTuple):
    """A request ready to be sent. ``body`` None: without one."""

    url: str
    headers: Mapping[str, str] | None
    body: str | bytes | None


class Signing:
    """Signs one venue's requests and reads its errors. This one leaves the signing to ccxt.

    Args:
        ccxt: the venue's ccxt instance. It also sends what is signed here, so it exists for every venue.
        origin: URL of the REST interface, without a path.
    """

    def __init__(self, ccxt: Any, origin: str) -> None:
        self._ccxt = ccxt
        self._origin = origin

    def use(self, keys: VenueKeys) -> None:
        """Sign everything with ``keys`` from now on."""
        self._ccxt.apiKey, self._ccxt.secret = keys.key.get_secret_value(), keys.secret.get_secret_value()

    def now_ms(self) -> int:
        """The venue's time, by our clock and the difference that was measured."""
        return int(self._ccxt.milliseconds()) - int(self._ccxt.options["timeDifference"])

    def bearer(self, claims: Mapping[str, Any]) -> Mapping[str, str]:
        """The header of a JSON web token with ``claims`` (HS256), made anew each time: ccxt keeps one for ever."""
        return {"Authorization": "Bearer " + self._ccxt.jwt(claims, self._ccxt.encode(self._ccxt.secret), "sha256")}

    def set_clock_skew(self, ms: int) -> None:
        """How far our clock is ahead of the venue's: subtracted from the time of every request."""
        self._ccxt.options["timeDifference"] = ms

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        """A request, signed where its ``section`` is private. ``section`` is ccxt's name, ``private``, or two of them, ``private/spot``."""
        signed = self._ccxt.sign(path, section.split("/"), method, dict(params))
        return Signed(signed["url"], signed["headers"], signed["body"])

    def stream_headers(self) -> Mapping[str, str]:
        """Headers of a private WebSocket's handshake, made anew for each; none where the venue takes a login message."""
        return {}

    def stream_login(self) -> dict[str, Any]:
        """What the login message of a private WebSocket carries, signed now; nothing where the venue takes headers."""
        return {}

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """What a parsed ``answer`` says is wrong; None where it does not say.

        Called for every answer: a venue that states errors under status 200 finds them here. An answer of 400 and more is a refusal
        whatever is returned.
        """
        return None


class PassphraseSigning(Signing):
    """Of a venue whose keys have three parts: the passphrase that was chosen for a key goes with every request.

    ``login_path``: what a login of the private stream signs beside its time.
    """

    login_path: str

    def use(self, keys: VenueKeys) -> None:
        """See :meth:`Signing.use`."""
        super().use(keys)
        self._ccxt.password = keys.passphrase.get_secret_value()

    def stream_login(self) -> dict[str, Any]:
        """See :meth:`Signing.stream_login`: the time in seconds, which is good for 30 of them."""
        seconds = str(self.now_ms() // 1000)
        signed = hmac.new(self._ccxt.secret.encode(), f"{seconds}GET{self.login_path}".encode(), hashlib.sha256).digest()
        return {
            "apiKey": self._ccxt.apiKey,
            "passphrase": self._ccxt.password,
            "timestamp": seconds,
            "sign": base64.b64encode(signed).decode(),
        }


@dataclass(frozen=True, slots=True)
class RestFacts:
    """A venue's REST interface, as its sender must know it.

    Attributes:
        ccxt_class: of ``ccxt.pro``; ``Exchange`` for a venue that signs by itself.
        orders: the requests that make an order at the venue. Tests of an order make none.
        cancels: the requests that take orders away.
        tests: the requests that let the venue look at an order without making it.
        questions: requests other than GET that only read.
        paths: ccxt's URLs, ``urls["api"]``: what stands behind the origin, by name.
        options: of the ccxt instance, beside ours.
        signing: its class, loaded when it is needed.
    """

    ccxt_class: str
    orders: frozenset[Request]
    cancels: frozenset[Request]
    tests: frozenset[Request] = frozenset()
    questions: frozenset[Request] = frozenset()
    paths: Mapping[str, str] = field(default_factory=lambda: {"public": "", "private": ""})
    options: Mapping[str, Any] = field(default_factory=dict)
    signing: Callable[[], type[Signing]] = lambda: Signing

    @property
    def writes(self) -> frozenset[Request]:
        """All that is ever written at the venue. Whatever else could be asked for, a withdrawal above all, is not sent."""
        return self.orders | self.cancels | self.tests
