"""Bitget: ccxt signs its requests (ccxt 4.5.90); login of the private stream and errors are read here.

A key has three parts: the passphrase that was chosen for it goes with every request (bitget.com/api-doc, common, "Signature").
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import ToldError
from arbtui.exchanges.bitget.errors import told_error
from arbtui.exchanges.keys import VenueKeys
from arbtui.exchanges.signing import Signed, Signing


class BitgetSigning(Signing):
    """See :class:`arbtui.exchanges.signing.Signing`."""

    def use(self, keys: VenueKeys) -> None:
        """See :meth:`arbtui.exchanges.signing.Signing.use`."""
        super().use(keys)
        self._ccxt.password = keys.passphrase.get_secret_value()

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        """See :meth:`arbtui.exchanges.signing.Signing.sign`; without the broker's mark that ccxt puts on every request."""
        asked = dict(params)
        if "receiveWindow" in asked:  # counted from a time that the request itself names ("Place Order")
            asked["requestTime"] = str(self._now_ms())
        signed = self._ccxt.sign(path, [section, "spot"], method, asked)
        headers = {name: value for name, value in (signed["headers"] or {}).items() if name != "X-CHANNEL-API-CODE"}
        return Signed(signed["url"], {**headers, "locale": "en-US"}, signed["body"])

    def stream_login(self) -> dict[str, Any]:
        """The argument of ``login`` ("Websocket API", Login): the time in seconds, which is good for 30 of them."""
        seconds = str(self._now_ms() // 1000)
        signed = hmac.new(self._ccxt.secret.encode(), f"{seconds}GET/user/verify".encode(), hashlib.sha256).digest()
        return {
            "apiKey": self._ccxt.apiKey,
            "passphrase": self._ccxt.password,
            "timestamp": seconds,
            "sign": base64.b64encode(signed).decode(),
        }

    def _now_ms(self) -> int:
        """The venue's time."""
        return int(self._ccxt.milliseconds()) - int(self._ccxt.options["timeDifference"])

    def read_error(self, status: int, answer: Any) -> ToldError | None:
        """See :mod:`arbtui.exchanges.bitget.errors`."""
        return told_error(answer)
