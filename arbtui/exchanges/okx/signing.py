"""OKX: ccxt signs its requests (ccxt 4.5.90); an order's latest time, the private stream's login and the errors are made here.

A key has three parts: the passphrase that was chosen for it goes with every request (okx.com/docs-v5, "Making Requests").
"""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.okx.errors import error_of
from arbtui.exchanges.signing import RECV_WINDOW_MS, PassphraseSigning, Signed

PLACE = ("POST", "trade/order")


class OkxSigning(PassphraseSigning):
    """See :class:`arbtui.exchanges.signing.Signing`."""

    login_path = "/users/self/verify"  # okx.com/docs-v5, "Login"

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        """As ccxt signs; an order is not executed once the venue's clock is past ``expTime`` ("Transaction Timeouts")."""
        signed = super().sign(section, method, path, params)
        if (method, path) != PLACE:
            return signed
        return signed._replace(headers={**(signed.headers or {}), "expTime": str(self.now_ms() + RECV_WINDOW_MS)})

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """See :mod:`arbtui.exchanges.okx.errors`."""
        return error_of(answer)
