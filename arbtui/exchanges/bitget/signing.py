"""Bitget: ccxt signs its requests (ccxt 4.5.90); login of the private stream and errors are read here.

A key has three parts: the passphrase that was chosen for it goes with every request (bitget.com/api-doc, common, "Signature").
"""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.bitget.errors import error_of
from arbtui.exchanges.signing import PassphraseSigning, Signed


class BitgetSigning(PassphraseSigning):
    """See :class:`arbtui.exchanges.signing.Signing`."""

    login_path = "/user/verify"  # "Websocket API", Login

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        """See :meth:`arbtui.exchanges.signing.Signing.sign`; without the broker's mark that ccxt puts on every request."""
        asked = dict(params)
        if "receiveWindow" in asked:  # counted from a time that the request itself names ("Place Order")
            asked["requestTime"] = str(self.now_ms())
        signed = self._ccxt.sign(path, [section, "spot"], method, asked)
        headers = {name: value for name, value in (signed["headers"] or {}).items() if name != "X-CHANNEL-API-CODE"}
        return Signed(signed["url"], {**headers, "locale": "en-US"}, signed["body"])

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """See :mod:`arbtui.exchanges.bitget.errors`."""
        return error_of(answer)
