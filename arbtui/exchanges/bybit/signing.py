"""Bybit: ccxt signs its requests; the private stream's login and the errors are read here."""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.bybit.errors import error_of
from arbtui.exchanges.signing import Signed, Signing

#: ms that a login of the private stream is valid for (v5, "Connect", Authentication: ``expires``).
_LOGIN_MS = 10_000
#: ms for which an address that sent too many requests is to send none (v5, "Rate Limit Rules", HTTP IP limit).
_REST_MS = 600_000


class BybitSigning(Signing):
    """See :class:`arbtui.exchanges.signing.Signing`."""

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        """As ccxt signs (v5, "Integration Guidance"), without the broker's id that it adds to orders."""
        signed = super().sign(section, method, path, params)
        headers = {name: value for name, value in (signed.headers or {}).items() if name != "Referer"}
        return signed._replace(headers=headers or None)

    def stream_login(self) -> dict[str, Any]:
        """The message ``auth``."""
        expires = int(self._ccxt.nonce()) + _LOGIN_MS
        signature = hmac.new(self._ccxt.secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
        return {"op": "auth", "args": [self._ccxt.apiKey, expires, signature]}

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """Errors come with status 200, too; a 401 or 403 may come without a code, and is one itself (v5, "Error Codes", HTTP Code)."""
        told = error_of(answer) if isinstance(answer, dict) else None
        if status == 403:
            code, words = (told.code, told.message) if told is not None else ("403", "forbidden: too many requests, or a place not served")
            return VenueError(code, words, self._ccxt.milliseconds() + _REST_MS)
        if status == 401 and told is None:
            return VenueError("401", "the key is not accepted")
        return told
