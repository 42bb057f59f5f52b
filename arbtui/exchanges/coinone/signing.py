"""How Coinone's requests of version 2.1 are signed (docs.coinone.co.kr/docs/about-public-api; reference/private-websocket-1).

The parameters with the access token and a nonce, a UUID that is used once, are the JSON body; the same in base64 is one header, and its
HMAC-SHA512 with the secret the other. A private socket's handshake has both headers too, with the time in ms beside the nonce.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from arbtui.exchanges.answers import VenueError
from arbtui.exchanges.coinone.errors import error_of
from arbtui.exchanges.keys import VenueKeys
from arbtui.exchanges.signing import Signed, Signing

PAYLOAD, SIGNATURE = "X-COINONE-PAYLOAD", "X-COINONE-SIGNATURE"


class CoinoneSigning(Signing):
    """See :class:`arbtui.exchanges.signing.Signing`; ccxt only sends what is signed here."""

    def use(self, keys: VenueKeys) -> None:
        """See there."""
        self._token, self._secret = keys.key.get_secret_value(), keys.secret.get_secret_value()

    def sign(self, section: str, method: str, path: str, params: Mapping[str, Any]) -> Signed:
        """See there. A private request's parameters are its body, a public one's its query."""
        if section == "public":
            query = f"?{urlencode(params)}" if params else ""
            return Signed(f"{self._origin}/{path}{query}", {"Accept": "application/json"}, None)
        body = json.dumps({"access_token": self._token, "nonce": self._ccxt.uuid(), **params}, separators=(",", ":"))
        return Signed(f"{self._origin}/{path}", {"Content-Type": "application/json", **self._headers(body)}, body)

    def stream_headers(self) -> Mapping[str, str]:
        """See there."""
        claims = {"access_token": self._token, "nonce": self._ccxt.uuid(), "timestamp": self._ccxt.milliseconds()}
        return self._headers(json.dumps(claims, separators=(",", ":")))

    def read_error(self, status: int, answer: Any) -> VenueError | None:
        """``{"result": "error", "error_code": "105", ...}``; the errors that were probed came under status 200."""
        return error_of(answer) if isinstance(answer, dict) and answer.get("result") == "error" else None

    def _headers(self, body: str) -> dict[str, str]:
        payload = base64.b64encode(body.encode())
        return {PAYLOAD: payload.decode(), SIGNATURE: hmac.digest(self._secret.encode(), payload, "sha512").hex()}
