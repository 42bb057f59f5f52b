"""Coinone's signatures (docs.coinone.co.kr/docs/about-public-api; reference/private-websocket-1): base64 of JSON, and its HMAC-SHA512.

What the header holds counts; the body repeats it. Of a socket's handshake the time must be there; how old it may be is in no document.
"""

import base64
import hmac
import json
import uuid
from collections.abc import Mapping
from typing import Any

from arbtui.sandbox.call import Call
from arbtui.sandbox.coinone.refusals import refused
from arbtui.sandbox.faults import WireFaultKind, WireFaults
from arbtui.sandbox.keys import Key

#: Nonces remembered; an older one could be used again.
_MEMORY = 100_000


class CoinoneAuth:
    """Checks requests against the known ``keys`` (by access token)."""

    def __init__(self, keys: Mapping[str, Key], faults: WireFaults) -> None:
        self._keys = dict(keys)
        self._faults = faults
        self._nonces: dict[str, None] = {}

    def check(self, call: Call) -> tuple[Key, dict[str, Any]]:
        """The key that signed ``call``, and the parameters.

        Raises:
            Refusal: with Coinone's own code.
        """
        return self._verified(call.headers)

    def check_socket(self, headers: Mapping[str, str]) -> Key:
        """The key that opened a private socket."""
        key, claims = self._verified(headers)
        if not isinstance(claims.get("timestamp"), int):
            raise refused("107")
        return key

    def _verified(self, headers: Mapping[str, str]) -> tuple[Key, dict[str, Any]]:
        payload, signature = headers.get("X-COINONE-PAYLOAD", ""), headers.get("X-COINONE-SIGNATURE", "")
        if not payload or not signature:
            raise refused("120" if not payload else "121")
        try:
            claims = json.loads(base64.b64decode(payload, validate=True))
        except (ValueError, RecursionError):
            raise refused("107") from None
        if not isinstance(claims, dict):
            raise refused("107")
        key = self._keys.get(str(claims.get("access_token")))
        if key is None or self._faults.take(WireFaultKind.REVOKE) is not None:
            raise refused("12")
        if not hmac.compare_digest(hmac.digest(key.secret.encode(), payload.encode(), "sha512").hex(), signature):
            raise refused("123")
        self._use(claims.get("nonce"))
        return key, claims

    def _use(self, nonce: object) -> None:
        if nonce is None:
            raise refused("122")
        try:
            told = str(uuid.UUID(str(nonce)))
        except ValueError:
            raise refused("133") from None
        if told in self._nonces:
            raise refused("132")
        self._nonces[told] = None
        if len(self._nonces) > _MEMORY:
            del self._nonces[next(iter(self._nonces))]
