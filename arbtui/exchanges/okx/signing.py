"""OKX: ccxt signs its requests (ccxt 4.5.90); an order's latest time, the private stream's login and the errors are made here.

A key has three parts: the passphrase that was chosen for it goes with every request (okx.com/docs-v5, "Making Requests").
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import ToldError
from arbtui.exchanges.keys import VenueKeys
from arbtui.exchanges.okx.errors import told_error
from arbtui.exchanges.signing import RECV_WINDOW_MS, Signed, Signing

PLACE = ("POST", "trade/order")


class OkxSigning(Signing):
    """See :class:`arbtui.exchanges.signing.Signing`."""

    def use(self, keys: VenueKeys) -> None:
        """See :meth:`arbtui.exchanges.signing.Signing.use`."""
        super().use(keys)
        self._ccxt.password = keys.passphrase.get_secret_value()

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        """As ccxt signs; an order is not executed once the venue's clock is past ``expTime`` ("Transaction Timeouts")."""
        signed = super().sign(section, method, path, params)
        if (method, path) != PLACE:
            return signed
        return signed._replace(headers={**(signed.headers or {}), "expTime": str(self._now_ms() + RECV_WINDOW_MS)})

    def stream_login(self) -> dict[str, Any]:
        """The argument of ``login`` ("Login"): the time in seconds, which is good for 30 of them."""
        seconds = str(self._now_ms() // 1000)
        signed = hmac.new(self._ccxt.secret.encode(), f"{seconds}GET/users/self/verify".encode(), hashlib.sha256).digest()
        return {
            "apiKey": self._ccxt.apiKey,
            "passphrase": self._ccxt.password,
            "timestamp": seconds,
            "sign": base64.b64encode(signed).decode(),
        }

    def read_error(self, status: int, answer: Any) -> ToldError | None:
        """See :mod:`arbtui.exchanges.okx.errors`."""
        return told_error(answer)

    def _now_ms(self) -> int:
        """The venue's time, by our clock and the difference that was measured."""
        return int(self._ccxt.milliseconds()) - int(self._ccxt.options["timeDifference"])
