"""Upbit: ccxt signs its requests; the private stream's token and the errors are read here."""

from collections.abc import Mapping
from typing import Any

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.signing import Signing
from arbtui.exchanges.won.errors import error_of


class UpbitSigning(Signing):
    """See :class:`arbtui.exchanges.signing.Signing`."""

    def stream_headers(self) -> Mapping[str, str]:
        """A token (docs.upbit.com, auth and websocket-guide)."""
        claims = {"access_key": self._ccxt.apiKey, "nonce": self._ccxt.uuid()}
        return self.bearer(claims)

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """``{"error": {"name", "message"}}``."""
        error = answer.get("error") if isinstance(answer, dict) else None
        return error_of(error) if status >= 400 and isinstance(error, dict) else None
