"""Binance: ccxt signs its requests; the private stream's login and the errors are read here."""

import hmac
from collections.abc import Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlencode
from uuid import uuid4

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.binance import announcements
from arbtui.exchanges.binance.errors import error_of
from arbtui.exchanges.signing import RECV_WINDOW_MS, Signing

#: Characters of the longest secret that is an Ed25519 key and no RSA key, as ccxt tells them apart.
_LONGEST_ED25519 = 120


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

    @property
    def notices_url(self) -> str:
        """Of the socket that brings the venue's notices: at the origin of its REST interface (CMS, "WebSocket API Basic Information")."""
        return self._origin.replace("http", "ws", 1) + announcements.PATH

    def notices_headers(self) -> Mapping[str, str]:
        """Of its handshake."""
        return {"X-MBX-APIKEY": self._ccxt.apiKey}

    def notices_query(self) -> str:
        """The topic, signed now: all parameters in the order of their names, and the signature of that text."""
        params = {"random": uuid4().hex, "recvWindow": RECV_WINDOW_MS, "timestamp": self.now_ms(), "topic": announcements.TOPIC}
        text = urlencode(params)
        return f"?{text}&signature={self._signature(text)}"

    def _signature(self, text: str) -> str:
        """By the kind of the key, as ccxt does it for every request (ccxt: binance.py, sign)."""
        ccxt, secret = self._ccxt, self._ccxt.secret
        if "PRIVATE KEY" not in secret:
            return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()
        signed = ccxt.rsa(text, secret, "sha256") if len(secret) > _LONGEST_ED25519 else ccxt.eddsa(ccxt.encode(text), secret, "ed25519")
        return quote(str(signed), safe="")

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """``{"code", "msg"}``; ``{"error": {...}}`` where a gateway wraps it."""
        if status < 400 or not isinstance(answer, dict):
            return None
        error = answer.get("error", answer)
        return error_of(error) if isinstance(error, dict) else None
