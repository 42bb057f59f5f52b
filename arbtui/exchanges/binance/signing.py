"""Binance: ccxt signs its requests; the private stream's login and the errors are read here."""

from typing import Any

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.binance.errors import error_of
from arbtui.exchanges.signing import Signing


class BinanceSigning(Signing):
    """See :class:`arbtui.exchanges.signing.Signing`."""

    def __init__(self, ccxt: Any, origin: str) -> None:
        super().__init__(ccxt, origin)
        # ccxt uses the spot error table only for https://api.binance.com/; ours is always spot.
        ccxt.get_exceptions_by_url = lambda url, exact_or_broad: ccxt.exceptions["spot"].get(exact_or_broad, {})

    def stream_login(self) -> dict[str, Any]:
        """Parameters of ``userDataStream.subscribe.signature``."""
        signed: dict[str, Any] = self._ccxt.sign_params({})
        return signed

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """``{"code", "msg"}``; ``{"error": {...}}`` where a gateway wraps it."""
        if status < 400 or not isinstance(answer, dict):
            return None
        error = answer.get("error", answer)
        return error_of(error) if isinstance(error, dict) else None
