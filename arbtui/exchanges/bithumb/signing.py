"""Bithumb: ccxt signs its requests; the private stream's token and the errors are read here.

ccxt 4.5.90 (bithumb.py, ``sign``) makes the current generation's token where the path begins with ``v1/`` or ``v2/``: access key, nonce,
time in ms, and the SHA-512 of the parameters (apidocs.bithumb.com/docs/인증-토큰-생성하기).
"""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.signing import Signed, Signing
from arbtui.exchanges.won.errors import error_of

#: What ccxt calls itself by to Bithumb; requests from here are not ccxt's.
_PARTNER = "OPEN-API-PARTNER"


class BithumbSigning(Signing):
    """See :class:`arbtui.exchanges.signing.Signing`."""

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        """See there."""
        signed = super().sign(section, method, path, params)
        return signed._replace(headers={name: text for name, text in (signed.headers or {}).items() if name != _PARTNER})

    def stream_headers(self) -> Mapping[str, str]:
        """A token (apidocs.bithumb.com, reference/요청-포맷)."""
        claims = {"access_key": self._ccxt.apiKey, "nonce": self._ccxt.uuid(), "timestamp": self._ccxt.milliseconds()}
        return self.bearer(claims)

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """``{"error": {"name", "message"}}``, also under status 200; a gateway's own has no ``error`` around it."""
        if not isinstance(answer, dict):
            return None
        error = answer.get("error", answer if status >= 400 else None)
        return error_of(error) if isinstance(error, dict) else None
